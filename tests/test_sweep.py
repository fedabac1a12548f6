"""Sweeps: figures equal to those of a compilation, tables, resumption, faults, limits, and processes."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import archc
from archc.commands import main, sweep
from archc.pipeline import Compiled, Measured
from archc.sweeps.grid import GridError, axis, grid, points
from archc.sweeps.journal import Journal
from archc.sweeps.work import Chunk, Fault, Tally
from tests.zoo import walked

ROOT = Path(__file__).resolve().parent.parent
EFFICIENTNET = ("sweep", "efficientnet", "--set", "width=0.5..0.7:0.1", "--set", "depth=1,1.2")
NET = "archc: 1\nname: net\ninput: [8, 8, 3]\nparams: {width: 8, act: relu, sizes: {default: [1]}}\nlayers:\n  - conv: {filters: $width, activation: $act}\n  - {for: n in sizes, conv: $n}\n"


def agrees(measured: Measured, compiled: Compiled) -> bool:
    """The figures and outputs of a measured network are those of the compiled one."""
    cost, graph, ours = compiled.analysed.cost, compiled.graph, measured.figures
    layers = sum(1 for one in graph.nodes if one.operator.arity != (0, 0))
    theirs = (cost.params, cost.trainable, cost.non_trainable, cost.macs, cost.weight_layers, layers)
    return (ours.params, ours.trainable, ours.non_trainable, ours.macs, ours.weight_layers, ours.layers) == theirs and measured.outputs == tuple(
        (name, graph.shape(tensor)) for name, tensor in graph.outputs
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(path: Path | str) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# Figures


@pytest.mark.parametrize("address", walked())
def test_measured_figures_are_the_compiled_ones(address: str) -> None:
    """Twice over, so that calls are met that are known by then."""
    stem, _, name = address.partition(":")
    family = archc.load(stem)
    compiled = family.compile(name or None)
    assert agrees(family.measure(name or None), compiled)
    assert agrees(family.measure(name or None), compiled)


def test_measured_figures_do_not_depend_on_what_was_measured_before() -> None:
    draw = random.Random(7)
    family = archc.load("efficientnet")
    for _ in range(60):
        values = {
            "width": draw.choice([0.5, 0.6, 1, 1.0, 1.1]), "depth": draw.choice([0.5, 1, 1.4]), "resolution": draw.choice([64, 96, 97]),
            "drop_path": draw.choice([0, 0.0, 0.2]), "released": draw.choice([True, False]), "classes": draw.choice([10, 1000]),
        }
        assert agrees(family.measure("b0", values), family.compile("b0", values)), values


MACROS = """archc: 1
name: net
input: [$size, 16, 3]
params: {size: 16, wide: 4, deep: 2, one: 1, act: {type: steps, default: [relu]}}
let: {twice: $(2 * wide)}
macros:
  outer: {params: {n: int, then: steps}, body: [{inner: [$n]}, $then, {conv: $twice, when: one == 1}]}
  inner: {params: {n: int}, body: [{conv: {filters: "$(n + wide)", kernel: 3, padding: same}}, batch_norm]}
  tail: {params: {do: steps}, body: [{conv: {filters: 5, padding: same, as: _}}, $do]}
layers:
  - {conv: 3, as: start}
  - {repeat: $deep, steps: [{outer: {n: 3, then: $act}}]}
  - {outer: {n: 3, then: [{add: [_, _], when: false}, dropout: 0.5]}, trainable: false}
  - {outer: {n: 3, then: [{concat: [_, start]}]}, as: mid}
  - {conv: $wide, as: start2}
  - {outer: {n: 3, then: [{concat: [_, start2]}]}}
  - {outer: {n: 3, then: [{conv: $wide}]}}
"""


def test_macros_that_read_the_family_and_steps_that_read_tensors_are_told_apart(folder: Path) -> None:
    (folder / "net.yaml").write_text(MACROS.replace("as: _}}", "}}"), encoding="utf-8")
    family = archc.load("net.yaml")
    for wide in (4, 5, 4, 6):
        for values in ({"wide": wide}, {"wide": wide, "one": 2}, {"wide": wide, "size": 20}, {"wide": wide, "act": ["relu", {"conv": 7}]}, {"wide": wide, "one": 1.0}, {"wide": wide, "one": True}):
            try:
                compiled = family.compile(None, values)
            except archc.CompileError as problem:
                with pytest.raises(archc.CompileError) as told:
                    family.measure(None, values)
                assert [one.key[0] for one in told.value.diagnostics] == [one.key[0] for one in problem.diagnostics]
            else:
                assert agrees(family.measure(None, values), compiled), values


def test_memory_for_calls_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from archc.expansion import calls

    monkeypatch.setattr(calls, "CALLS_KEPT", 50)
    family = archc.load("efficientnet")
    for width in (0.5, 0.7, 0.9, 0.5):
        assert agrees(family.measure("b0", {"width": width}), family.compile("b0", {"width": width}))
        assert len(family.calls.known) <= 50


# Axes


def test_ranges_have_both_ends_and_exact_values() -> None:
    assert axis("width=0.5..2.0:0.1").texts[:7] == ("0.5", "0.6", "0.7", "0.8", "0.9", "1.0", "1.1")
    assert axis("width=0.5..2.0:0.1").texts[-1] == "2.0"
    assert axis("n=1..4").texts == ("1", "2", "3", "4")
    assert axis("n=128..512:128,7").texts == ("128", "256", "384", "512", "7")
    assert axis("blocks=[1, 2],[3, 4],{a: 1}").texts == ("[1, 2]", "[3, 4]", "{a: 1}")
    assert axis('act="a,b",relu').texts == ('"a,b"', "relu")


@pytest.mark.parametrize("word", ["width", "=1", "n=1,,2", "n=3..1", "n=1..2:0", "n=1..2..3", "n=0..9:0.00001"])
def test_bad_axes_are_refused(word: str) -> None:
    with pytest.raises(GridError):
        axis(word)


def test_points_are_the_grid_in_order_or_a_sample_without_repetition() -> None:
    space = grid(["a=1,2", "b=1..3"])
    assert [space.words(one) for one in points(space, None, 0)] == ["a=1, b=1", "a=1, b=2", "a=1, b=3", "a=2, b=1", "a=2, b=2", "a=2, b=3"]
    wide = grid(["a=1..1000", "b=1..1000"])
    assert points(wide, 50, 1) == points(wide, 50, 1) != points(wide, 50, 2)
    assert len(set(points(wide, 50, 1))) == 50


# The command


def test_a_sweep_writes_what_compilations_give(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*EFFICIENTNET, "-o", "out.csv", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["points"], told["rows"], told["invalid"], told["over"]) == (6, 6, [], {})
    found = rows("out.csv")
    assert [(one["width"], one["depth"]) for one in found] == [(w, d) for w in ("0.5", "0.6", "0.7") for d in ("1", "1.2")]
    for one in found:
        cost = archc.compile("efficientnet:b0", width=float(one["width"]), depth=float(one["depth"])).analysed.cost
        assert (int(one["params"]), int(one["macs"])) == (cost.params, cost.macs)
    assert sorted(os.listdir(folder)) == ["out.csv"]


def test_limits_leave_networks_out_and_say_how_many(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*EFFICIENTNET, "-o", "out.csv", "--max-params", "2M", "--max-macs", "0.13G"]) == 0
    assert [int(one["params"]) <= 2_000_000 and int(one["macs"]) <= 130_000_000 for one in rows("out.csv")] == [True]
    assert "6 points: 1 written" in capsys.readouterr().out


def test_invalid_variants_are_told_by_code_with_the_first_of_each(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "net.yaml").write_text(NET, encoding="utf-8")
    assert main(["sweep", "net.yaml", "--set", "width=-1,0,4,x", "--set", "act=relu,swash", "-o", "out.csv", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] == 1
    assert {one["code"]: (one["count"], one["example"]) for one in told["invalid"]} == {"E204": (5, "width=-1, act=relu"), "E203": (2, "width=x, act=relu")}
    assert main(["sweep", "net.yaml", "--set", "width=-1,0", "-o", "none.csv"]) == 1
    assert rows("none.csv") == []


def test_cells_that_a_spreadsheet_would_run_are_guarded(folder: Path) -> None:
    text = NET.replace("layers:\n", "layers:\n  - {relu: , when: note == 1}\n").replace("act: relu,", "act: relu, note: a,")
    (folder / "net.yaml").write_text(text, encoding="utf-8")
    assert main(["sweep", "net.yaml", "--set", "note='=1+1','@x',plain,-3", "--set", "sizes=[1],[2, 3]", "-o", "out.csv"]) == 0
    assert [(one["note"], one["sizes"]) for one in rows("out.csv")][::2] == [("'=1+1", "[1]"), ("'@x", "[1]"), ("plain", "[1]"), ("-3", "[1]")]
    assert rows("out.csv")[1]["sizes"] == "[2, 3]"


@pytest.mark.parametrize("words", [
    (), ("--set", "width"), ("--set", "widht=1,2"), ("--set", "width=1", "--set", "width=2"), ("--set", "width=1,2", "-o", "out.txt"),
    ("--set", "width=1,2", "--max-params", "many"), ("--set", "width=1,2", "--jobs", "0"), ("--set", "width={a"),
    ("--set", "width=1", "--sample", "-1"),
])
def test_wrong_calls_exit_with_2_and_leave_nothing(words: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "efficientnet", *words]) == 2
    assert "E00" in capsys.readouterr().err
    assert os.listdir(folder) == []


# Interruption


def interrupt(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Ends a sweep in the middle of its work, as a loss of power would."""
    real, done = Journal.add, 0

    def add(self: Journal, chunk: Chunk) -> None:
        nonlocal done
        if done == after:
            assert self.part is not None
            self.part.write(b"half a ro")
            self.part.flush()
            self.file.write(b'{"end": 12')
            self.file.flush()
            raise KeyboardInterrupt
        done += 1
        real(self, chunk)

    monkeypatch.setattr(Journal, "add", add)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_an_interrupted_sweep_goes_on_without_doing_work_again(after: int, suffix: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    monkeypatch.setattr(sweep, "CHUNK", 2)
    assert main([*EFFICIENTNET, "-o", f"whole.{suffix}"]) == 0
    with monkeypatch.context() as patch:
        interrupt(patch, after)
        assert main([*EFFICIENTNET, "-o", f"out.{suffix}"]) == 130
    assert not (folder / f"out.{suffix}").exists()
    capsys.readouterr()
    assert main([*EFFICIENTNET, "-o", f"out.{suffix}", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["points"], told["resumed"]) == (6, 2 * after)
    assert (folder / f"out.{suffix}").read_bytes() == (folder / f"whole.{suffix}").read_bytes()
    assert sorted(os.listdir(folder)) == [f"out.{suffix}", f"whole.{suffix}"]


def test_another_call_or_spec_is_refused_with_what_differs(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sweep, "CHUNK", 2)
    (folder / "net.yaml").write_text(NET, encoding="utf-8")
    call = ["sweep", "net.yaml", "--set", "width=1..9", "-o", "out.csv"]
    with monkeypatch.context() as patch:
        interrupt(patch, 2)
        assert main(call) == 130
    part = (folder / "out.csv.part").read_bytes()
    capsys.readouterr()
    assert main([*call[:3], "width=1..8", *call[4:], "--max-params", "5k"]) == 2
    told = capsys.readouterr().err
    assert "--set width was 1,2,3,4,5,6,7,8,9 and is 1,2,3,4,5,6,7,8" in told
    assert "--max-params was not given and is 5000" in told
    (folder / "net.yaml").write_text(NET + "  - relu\n", encoding="utf-8")
    assert main(call) == 2
    assert "the spec's text was changed" in capsys.readouterr().err
    assert (folder / "out.csv.part").read_bytes() == part
    assert main([*call, "--restart"]) == 0
    assert len(rows("out.csv")) == 9


def test_a_journal_keeps_tallies(folder: Path) -> None:
    first = Journal(folder / "t.csv", {"a": 1}, "h\n")
    first.add(Chunk("1\n", Tally(1, {"--max-macs": 2}, {"E203": Fault(3, "x=1", "no")})))
    first.add(Chunk("2\n", Tally(1, {"--max-macs": 1}, {"E203": Fault(1, "x=9", "other")})))
    first.close()
    again = Journal(folder / "t.csv", {"a": 1}, "h\n")
    assert (again.chunks, again.tally) == (2, Tally(2, {"--max-macs": 3}, {"E203": Fault(4, "x=1", "no")}))
    again.close()
    assert (folder / "t.csv.part").read_text() == "h\n1\n2\n"


@pytest.mark.skipif(os.name != "posix", reason="locks and signals are POSIX's here")
def test_two_processes_do_not_write_one_sweep_and_a_signal_ends_it_cleanly(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["sweep", "efficientnet", "--set", "width=0.5..2.0:0.001", "--set", "resolution=32..256:16", "--jobs", "2", "-o", "out.csv"]
    process = subprocess.Popen([sys.executable, "-m", "archc", *words], env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True)
    journal = folder / "out.csv.journal"
    limit = time.monotonic() + 120
    while not journal.exists() or len(journal.read_bytes().splitlines()) < 2:
        assert process.poll() is None and time.monotonic() < limit
        time.sleep(0.1)
    assert main(words) == 2
    assert "another process writes out.csv" in capsys.readouterr().err
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "the same call goes on from there" in told
    assert "Traceback" not in told


# Other processes, other formats


def test_processes_give_the_same_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "FEW", 0)
    monkeypatch.setattr(sweep, "CHUNK", 2)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert main([*EFFICIENTNET, "--jobs", "1", "-o", "one.csv"]) == 0
    assert main([*EFFICIENTNET, "--jobs", "2", "-o", "two.csv"]) == 0
    assert (folder / "one.csv").read_bytes() == (folder / "two.csv").read_bytes()


def test_parquet_has_types(folder: Path) -> None:
    parquet: Any = pytest.importorskip("pyarrow.parquet", reason="Parquet is an extra")
    (folder / "net.yaml").write_text(NET, encoding="utf-8")
    assert main(["sweep", "net.yaml", "--set", "width=4,8", "--set", "act=relu,tanh", "--set", "sizes=[1],[2]", "-o", "out.parquet"]) == 0
    table = parquet.read_table("out.parquet")
    assert [str(one) for one in table.schema.types] == ["int64", "string", "string", *["int64"] * 5, "string"]
    assert table.column("width").to_pylist() == [4, 4, 4, 4, 8, 8, 8, 8]
    assert table.column("output").to_pylist()[0] == "8x8x1"


def test_extras_that_are_not_installed_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("archc.diagnostics.packages.find_spec", lambda name: None)
    assert main([*EFFICIENTNET, "-o", "out.parquet"]) == 3
    assert "archc[parquet]" in capsys.readouterr().err
    assert main([*EFFICIENTNET, "--ray", "local"]) == 3
    assert "archc[ray]" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is an extra, and is not installed")
@pytest.mark.filterwarnings("ignore")
def test_a_ray_cluster_of_two_workers_gives_the_same_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import import_module

    ray: Any = import_module("ray")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(sweep, "CHUNK", 2)
    assert main([*EFFICIENTNET, "--jobs", "1", "-o", "one.csv"]) == 0
    cluster: Any = import_module("ray.cluster_utils").Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        assert main([*EFFICIENTNET, "--ray", cluster.address, "-o", "two.csv"]) == 0
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert (folder / "one.csv").read_bytes() == (folder / "two.csv").read_bytes()


def test_a_cluster_that_is_not_there_is_a_wrong_call(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    if find_spec("ray") is None:
        pytest.skip("Ray is an extra, and is not installed")
    assert main([*EFFICIENTNET, "--ray", "127.0.0.1:1"]) == 2
    assert "no Ray cluster answers" in capsys.readouterr().err
    assert not list(folder.rglob("*.journal"))
