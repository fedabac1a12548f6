"""Several trainings from one call: a table that each alone would give, here and on a Ray cluster."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from archc.commands import main
from tests.data_files import write_recipe

pytestmark = [
    pytest.mark.keras,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # TensorFlow's own, with NumPy 2
]
ROOT = Path(__file__).resolve().parent.parent
NEEDS_RAY = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is an extra, and is not installed: pip install 'archc[ray]'")
NET = "archc: 1\nname: net\ninput: [8, 8, 1]\nlayers: [flatten, dense: [16, relu], dense: [10, softmax]]\n"
RECIPE = """archc: 1
recipe: mine
network: net.yaml
data: {arrays: {file: data.npz, holdout: 0.2}}
prepare: [normalise]
batch: 16
epochs: 2
optimiser: {sgd: [0.05, 0.9]}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_recipe(tmp_path, NET, RECIPE, 100, 40)
    (tmp_path / "other.yaml").write_text(RECIPE.replace("recipe: mine", "recipe: other").replace("sgd: [0.05, 0.9]", "adam: 0.01"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(folder: Path) -> list[dict[str, str]]:
    """`trials.csv` without the seconds."""
    with (folder / "trials.csv").open(encoding="utf-8", newline="") as file:
        return [{name: value for name, value in one.items() if name != "seconds"} for one in csv.DictReader(file)]


def test_a_sweep_is_its_trainings_one_by_one(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "mine.yaml", "--sweep", "seed=0,1", "--sweep", "batch=8,16", "-o", "swept"]) == 0
    shown = capsys.readouterr().out
    found = rows(place / "swept")
    assert [one["trial"] for one in found] == ["seed=0, batch=8", "seed=0, batch=16", "seed=1, batch=8", "seed=1, batch=16"]
    assert all(shown.count(one["trial"]) == 2 for one in found)
    assert main(["train", "mine.yaml", "--seed", "1", "--set", "batch=8", "-o", "alone"]) == 0
    alone = json.loads((place / "alone" / "result.json").read_text())
    assert float(found[2]["test_loss"]) == alone["test"]["loss"]
    assert json.loads((place / "swept" / "seed=1,batch=8" / "result.json").read_text())["test"] == alone["test"]
    capsys.readouterr()
    assert main(["train", "mine.yaml", "--sweep", "seed=0,1", "--sweep", "batch=8,16", "-o", "swept"]) == 2
    assert "holds a run already" in capsys.readouterr().err
    assert main(["train", "mine.yaml", "--sweep", "seed=0,1", "--sweep", "batch=8,16", "-o", "swept", "--resume", "--format", "json"]) == 0
    assert [one["test"]["loss"] for one in json.loads(capsys.readouterr().out)["trials"]] == [float(one["test_loss"]) for one in found]


def test_an_interrupted_sweep_goes_on(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C in the second of three trainings: it is saved, the third does not begin, and the same call with `--resume` does the rest."""
    from archc.commands import training

    shown = training.Display.batch

    def batch(self: Any, epoch: int, step: int, steps: int, logs: Any) -> None:
        shown(self, epoch, step, steps, logs)
        if (self.recipe.run.seed, epoch, step) == (1, 1, 2):
            signal.raise_signal(signal.SIGINT)

    words = ["train", "mine.yaml", "--sweep", "seed=0,1,2", "-o", "swept"]
    with monkeypatch.context() as patch:
        patch.setattr(training.Display, "batch", batch)
        assert main(words) == 130
    assert "the same call with --resume goes on" in capsys.readouterr().err
    assert not (place / "swept" / "seed=2").exists()
    assert not (place / "swept" / "trials.csv").exists()
    assert main([*words, "--resume"]) == 0
    assert [one["problem"] for one in rows(place / "swept")] == ["", "", ""]


def test_several_recipes_and_one_that_fails(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The others go on; the table and the exit code tell of it."""
    (place / "lost.yaml").write_text(RECIPE.replace("recipe: mine", "recipe: lost").replace("data.npz", "none.npz"))
    assert main(["train", "mine.yaml", "lost.yaml", "other.yaml", "-o", "all"]) == 3
    found = rows(place / "all")
    assert [one["trial"] for one in found] == ["mine", "lost", "other"]
    assert [bool(one["problem"]) for one in found] == [False, True, False]
    assert "there is no file" in found[1]["problem"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["mine.yaml", "--sweep", "batch"], "--sweep takes NAME=VALUES"),
        (["mine.yaml", "--sweep", "seed=0..5000:1"], "5,001 trainings are more than 1,000"),
        (["mine.yaml", "mine.yaml"], "two trainings would have the folder"),
        (["mine.yaml", "--sweep", "seed=1,2", "--emit", "script"], "a script trains one recipe"),
    ],
)
def test_what_a_sweep_cannot_be(words: list[str], told: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *words]) == 2
    assert told in capsys.readouterr().err
    assert not (place / "runs").exists()


def test_a_training_over_processes_is_one(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "2")
    assert main(["train", "mine.yaml", "--sweep", "seed=0,1", "--distribute", "data"]) == 2
    assert "train them one by one" in capsys.readouterr().err


def test_a_wrong_value_is_told_before_any_training(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "mine.yaml", "--sweep", "batch=8,none"]) == 1
    assert "E203" in capsys.readouterr().err
    assert not (place / "runs").exists()


def test_ray_is_an_extra(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("archc.diagnostics.packages.find_spec", lambda name: None)
    assert main(["train", "mine.yaml", "--ray", "local"]) == 3
    assert "archc[ray]" in capsys.readouterr().err


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two machines of a processor each, as Ray makes them up."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    ray: Any = import_module("ray")
    made: Any = import_module("ray.cluster_utils").Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    made.add_node(num_cpus=1)
    yield made
    ray.shutdown()
    made.shutdown()


@NEEDS_RAY
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_ray_cluster_of_two_workers_gives_the_same_table(place: Path, cluster: Any, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["mine.yaml", "other.yaml", "--sweep", "seed=0,1"]
    assert main(["train", *words, "-o", "here"]) == 0
    capsys.readouterr()
    assert main(["train", *words, "-o", "there", "--ray", cluster.address]) == 0
    shown = capsys.readouterr().out
    assert "mine, seed=1  epoch 2/2  loss" in shown
    here, there = rows(place / "here"), rows(place / "there")
    assert [one["trial"] for one in there] == [one["trial"] for one in here]
    for left, right in zip(here, there, strict=True):
        assert float(right["test_loss"]) == pytest.approx(float(left["test_loss"]), rel=1e-4)
        assert right["test_accuracy"] == left["test_accuracy"]
        folder = place / "there" / left["trial"].replace(", ", ",")
        assert (folder / "best.keras").is_file()
        assert (folder / "confusion.csv").read_text() == (place / "here" / folder.name / "confusion.csv").read_text()


@NEEDS_RAY
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_trial_whose_process_dies_goes_on(place: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its worker is killed in an epoch; Ray starts another, which goes on from the last checkpoint, and each epoch is there once."""
    words = ["--epochs", "40", "--set", "save_minutes=60"]
    assert main(["train", "mine.yaml", *words, "-o", "whole"]) == 0
    driver = subprocess.Popen([sys.executable, "-m", "archc", "train", "mine.yaml", *words, "-o", "run", "--ray", cluster.address], env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    history = place / "run" / "mine" / "history.json"
    deadline = time.monotonic() + 200
    while not history.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(holder(history.parent / ".lock"), signal.SIGKILL)
    _, err = driver.communicate(timeout=400)
    assert driver.returncode == 0, err[-2000:]
    assert [one["epoch"] for one in json.loads(history.read_text())] == list(range(1, 41))
    results = [json.loads((folder / "result.json").read_text())["test"]["loss"] for folder in (place / "run" / "mine", place / "whole")]
    assert results[0] == pytest.approx(results[1], rel=1e-4)


def holder(lock: Path) -> int:
    """The process that has a file open."""
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if link.readlink() == lock:
                return int(link.parts[2])
        except OSError:
            continue
    raise AssertionError(f"nobody holds {lock}")


@NEEDS_RAY
def test_a_cluster_that_is_not_there_is_a_wrong_call(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "mine.yaml", "--ray", "127.0.0.1:1"]) == 2
    assert "no Ray cluster answers" in capsys.readouterr().err
