"""`archc sweep --chart`: parameters against MACs, a dot for each row."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from archc.backends.charts.sweep import MOST, chart, evenly
from archc.commands import main

NET = """archc: 1
name: net
input: [$size, $size, 3]
params: {width: 8, act: relu, size: 8}
layers:
  - conv: {filters: $width, kernel: 3, activation: $act}
  - {when: width < 64, conv: [4, 1]}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.yaml").write_text(NET, encoding="utf-8")
    return tmp_path


def drawn(*words: str) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The chart of a sweep, and the rows of its table."""
    assert main(["sweep", "net.yaml", *words, "--chart", "vega", "-o", "out.csv"]) == 0
    with open("out.csv", newline="") as file:
        return json.loads(Path("out.vl.json").read_text()), list(csv.DictReader(file))


def row(macs: str = "1000", params: str = "10", **axes: str) -> dict[str, str]:
    return {**axes, "params": params, "trainable": params, "macs": macs, "layers": "1", "weight_layers": "1", "output": "1"}


def test_each_row_is_a_dot_with_its_figures() -> None:
    spec, rows = drawn("--set", "width=4..12:2", "--set", "act=relu,tanh")
    [view] = spec["vconcat"]
    found = [(one["width"], one["act"], round(one["G MACs"] * 1e9), round(one["M parameters"] * 1e6)) for one in view["data"]["values"]]
    assert found == [(int(one["width"]), one["act"], int(one["macs"]), int(one["params"])) for one in rows]
    assert len(found) == 10
    assert (view["encoding"]["color"]["field"], view["encoding"]["shape"]["field"]) == ("width", "act")


def test_an_axis_of_texts_has_hues_and_one_of_numbers_a_scale() -> None:
    words = chart([row(kind=one) for one in ("a", "b")], ["kind"], "t", 2)["vconcat"][0]["encoding"]
    numbers = chart([row(kind=one) for one in ("1", "2.5")], ["kind"], "t", 2)["vconcat"][0]["encoding"]
    assert (words["color"]["type"], numbers["color"]["type"]) == ("nominal", "quantitative")
    assert "shape" not in words


def test_axes_are_logarithmic_where_networks_differ_much() -> None:
    found = chart([row("1000", "10", a="1"), row("31000", "20", a="2")], ["a"], "t", 2)["vconcat"][0]["encoding"]
    assert (found["x"]["scale"]["type"], found["y"]["scale"]["type"]) == ("log", "linear")


def test_what_the_chart_leaves_out_is_told() -> None:
    rows = [row("" if at == 0 else "1000", a=str(at), b=str(at % 2), c=str(at % 3)) for at in range(6)]
    spec = chart(rows, ["a", "b", "c"], "t", 60)
    assert spec["vconcat"][0]["title"]["text"] == ["6 of 60 networks are drawn, evenly among the rows.", "1 have unknown MACs and are left out.", "Not told apart: c."]
    assert len(spec["vconcat"][0]["data"]["values"]) == 5


@pytest.mark.parametrize("total", [0, 1, MOST, MOST + 1, 3 * MOST - 1, 100_000])
def test_rows_are_thinned_evenly(total: int) -> None:
    found = [int(one["n"]) for one in evenly(({"n": str(at)} for at in range(total)), total)]
    assert len(found) == min(total, MOST)
    gaps = {after - before for before, after in itertools.pairwise(found)}
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_names_with_dots_are_no_paths() -> None:
    found = chart([row(**{"a.b": "1"}), row(**{"a.b": "2"})], ["a.b"], "t", 2)["vconcat"][0]
    assert found["encoding"]["color"]["field"] == "a\\.b"


def test_pictures(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("vl_convert", reason="charts are an extra")
    words = ["sweep", "net.yaml", "--set", "width=4..12:2", "--chart", "svg,png", "--format", "json", "-o", "out.csv"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["charts"] == ["out.svg", "out.png"]
    first = (folder / "out.svg").read_bytes()
    assert main(words) == 0
    assert (folder / "out.svg").read_bytes() == first
    assert sorted(one.name for one in folder.iterdir()) == ["net.yaml", "out.csv", "out.png", "out.svg"]


def test_wrong_calls_are_told_before_any_work(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["sweep", "net.yaml", "--set", "width=4,8", "--chart", "pdf"]) == 2
    monkeypatch.setattr("archc.diagnostics.packages.find_spec", lambda name: None)
    assert main(["sweep", "net.yaml", "--set", "width=4,8", "--chart", "png"]) == 3
    assert "archc[charts]" in capsys.readouterr().err
    assert [one.name for one in folder.iterdir()] == ["net.yaml"]
