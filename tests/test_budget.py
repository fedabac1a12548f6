"""`archc check --max-params ...`: limits that networks are held to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import archc
from archc.analyses.budget import BYTES, UNITS, Limits, amount, held, size
from archc.commands import main
from archc.diagnostics import figures
from archc.diagnostics.figures import large

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--max-params", "138357544"], 0),
        (["--max-params", "138357543"], 1),
        (["--max-params", "138.357544M", "--max-macs", "15470264320"], 0),
        (["--max-macs", "15.47G"], 1),
        (["--max-memory", "579120288B"], 0),
        (["--max-memory", "579.12MB"], 1),
        (["--max-memory", "553MiB"], 0),
        (["--max-params", "1T", "--max-macs", "1M"], 1),
        (["--max-params", "ten"], 2),
        (["--max-params", "-1"], 2),
        (["--max-memory", "100"], 2),
        (["--max-memory", "100M"], 2),
    ],
)
def test_exit_codes(words: list[str], code: int) -> None:
    """At the limit is within it; 1 above it, 2 for what is no limit."""
    assert main(["check", "vgg:D", *words]) == code


def test_every_network_is_held_to_the_limit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "resnet:18", "resnet:50", "resnet:152", "--max-params", "30M", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [(one["address"], one["ok"]) for one in found] == [("resnet:18", True), ("resnet:50", True), ("resnet:152", False)]
    assert found[2]["limits"] == [{"key": "params", "limit": 30_000_000, "actual": 60_344_232, "holds": False}]
    assert [one["code"] for one in found[2]["diagnostics"]] == ["E603"]
    assert [one["message"].split(" has ")[0] for one in found[2]["diagnostics"][0]["notes"]] == ["stage3", "stage4", "stage2"]


@pytest.mark.parametrize("address", ["vgg:D", "resnet:50", "efficientnet:b0", "densenet:121", "siamese"])
def test_memory_is_that_of_stats(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One figure, the weights and the peak by liveness; what the parts of the network have of it adds up to it."""
    assert main(["check", address, "--max-memory", "1B", "--format", "json"]) == 1
    [found] = json.loads(capsys.readouterr().out)
    analysed = archc.compile(address).analysed
    memory = archc.compile(address).stats()["memory"]
    assert found["limits"] == [{"key": "memory", "limit": 1, "actual": memory["inference"], "holds": False}]
    assert memory["inference"] == memory["weights"] + memory["peak"]["bytes"]
    [one] = held(analysed, Limits(memory=1))
    assert sum(share or 0 for share in one.shares) == memory["inference"]


def test_unknown_memory_is_over_every_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "open.yaml").write_text("archc: 1\nname: open\ninput: [null, null, 3]\nlayers: [conv: [8, 3]]\n")
    assert main(["check", str(tmp_path / "open.yaml"), "--max-memory", "1TB"]) == 1
    assert "memory of inference of `open` is unknown" in capsys.readouterr().err


def test_limits_hold_across_processes(capsys: pytest.CaptureFixture[str]) -> None:
    """Many addresses are checked by several processes."""
    assert main(["check", *[f"vgg:{one}" for one in ("A", "B", "C", "D", "E", "A-bn", "B-bn", "D-bn", "E-bn")], "--max-params", "140M"]) == 1
    assert capsys.readouterr().err.count("error[E603]") == 2


@pytest.mark.parametrize(
    ("text", "units", "number"),
    [
        ("10M", UNITS, 10**7), ("1.5G", UNITS, 1_500_000_000), ("10_000", UNITS, 10_000), ("0.1", UNITS, 0), ("7k", UNITS, 7000),
        ("100MB", BYTES, 10**8), ("2 GiB", BYTES, 2**31), ("1.5KiB", BYTES, 1536), ("3B", BYTES, 3),
        ("M", UNITS, None), ("", UNITS, None), ("1e6", UNITS, None), ("1M2", UNITS, None), ("10mb", BYTES, None), ("\u0663M", UNITS, None),
        ("9" * 400, UNITS, None), ("-5M", UNITS, None), ("1.M", UNITS, 10**6), (".5M", UNITS, None), ("nan", UNITS, None),
    ],
)  # fmt: skip
def test_amounts(text: str, units: dict[str, int], number: int | None) -> None:
    assert amount(text, units) == number


def test_sizes() -> None:
    assert [size(one) for one in (0, 999, 1000, 553_430_176, 2 * 10**12, None)] == ["0 B", "999 B", "1 kB", "553.4 MB", "2 TB", "unknown"]


def test_the_hooks_call_archc() -> None:
    """The hook for pre-commit names a command that there is, and options that it takes."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    for one in hooks:
        words = one["entry"].split()
        assert words[0] == "archc"
        assert main([*words[1:], *one.get("args", []), str(ROOT / "specs" / "lenet.yaml")]) == 0


def test_figures_round_into_the_next_unit() -> None:
    """What three digits round up to a thousand has the next unit."""
    assert [large(one) for one in (999, 1000, 999_400, 999_600, 999_999, 10**16)] == ["999", "1 k", "999 k", "1 M", "1 M", "10 P"]
    assert [figures.size(one) for one in (999, 999_600, 553_430_176)] == ["999 B", "1 MB", "553 MB"]
    assert [size(one) for one in (999_600, 999_960)] == ["999.6 kB", "1 MB"]
