"""Training over several devices and processes: losses and weights are those of one device, and one process owns the folder."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archc.commands import main
from archc.training import checkpoint
from tests.data_files import write_recipe

ROOT = Path(__file__).resolve().parent.parent
NEEDS_JAX = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed: pip install 'archc[jax]'")
NEEDS_TENSORFLOW = pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is not installed: pip install 'archc[tensorflow]'")
pytestmark = [pytest.mark.keras, pytest.mark.slow]
NET = "archc: 1\nname: net\ninput: [8, 8, 1]\nlayers: [conv: {filters: 8, kernel: 3, bias: false}, batch_norm, relu, flatten, dropout: 0.25, dense: [16, relu], dense: [10, softmax]]\n"
PLAIN = NET.replace(", batch_norm", "").replace("dropout: 0.25, ", "")
RECIPE = """archc: 1
recipe: mine
network: net.yaml
data: {arrays: {file: data.npz, holdout: 0.2}}
augment: [shift: 1]
prepare: [normalise]
batch: 16
epochs: 6
optimiser: {sgd: [0.05, 0.9]}
"""


def write(folder: Path) -> None:
    """90 examples: 72 to train on, in batches of 16 with a last one of 8; 18 held out; 41 for testing."""
    write_recipe(folder, NET, RECIPE, 90, 41)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run on one device, with JAX."""
    folder = tmp_path_factory.mktemp("one")
    write(folder)
    good(train(folder, "jax", 1, "-o", "one"))
    return folder / "one"


def port() -> int:
    """A free port of this machine."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def start(place: Path, framework: str, devices: int, *words: str, processes: int = 1) -> list[subprocess.Popen[str]]:
    """Starts the processes of a training."""
    address = f"127.0.0.1:{port()}"
    started: list[subprocess.Popen[str]] = []
    for number in range(processes):
        names = {f"KERAS_DISTRIBUTION_{name}": str(value) for name, value in (("JOB_ADDRESSES", address), ("NUM_PROCESSES", processes), ("PROCESS_ID", number))}
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **(names if processes > 1 else {})}
        command = [sys.executable, "-m", "tests.spread_training", framework, str(devices), "mine.yaml", *words]
        started.append(subprocess.Popen(command, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    return started


def train(place: Path, framework: str, devices: int, *words: str, processes: int = 1) -> list[tuple[int, str, str]]:
    """Trains, in several processes at once where they are asked for; gives exit codes and what was said."""
    found: list[tuple[int, str, str]] = []
    for one in start(place, framework, devices, *words, processes=processes):
        out, err = one.communicate(timeout=300)
        found.append((one.returncode, out, err))
    return found


def good(found: list[tuple[int, str, str]]) -> None:
    assert [code for code, _, _ in found] == [0] * len(found), [err[-3000:] for _, _, err in found]


def records(run: Path) -> list[dict[str, Any]]:
    return [{name: value for name, value in one.items() if name != "seconds"} for one in json.loads((run / "history.json").read_text())]


def state(run: Path) -> dict[str, Any]:
    return dict(checkpoint.read(checkpoint.listed(run / "checkpoints")[0]).arrays)


def same(one: Path, two: Path) -> None:
    """Equal up to the order in which sums are taken."""
    for left, right in zip(records(one), records(two), strict=True):
        assert left == pytest.approx(right, rel=1e-4)
    left, right = state(one), state(two)
    assert set(left) == set(right)
    for name in left:
        np.testing.assert_allclose(left[name], right[name], rtol=1e-3, atol=1e-5, err_msg=name)
    results = [json.loads((run / "result.json").read_text()) for run in (one, two)]
    assert results[0]["test"] == pytest.approx(results[1]["test"], rel=1e-4)
    assert (one / "confusion.csv").read_text() == (two / "confusion.csv").read_text()


@NEEDS_JAX
@pytest.mark.parametrize(("kind", "devices"), [("data", 1), ("model", 2)])
def test_two_processes_are_as_one(kind: str, devices: int, place: Path, one: Path) -> None:
    """JAX over the loopback, dropout, augmentation and batch normalisation included; only process 0 speaks and writes."""
    found = train(place, "jax", devices, "-o", "two", "--distribute", kind, processes=2)
    good(found)
    assert "epoch 6/6" in found[0][1]
    assert "epoch" not in found[1][1]
    same(one, place / "two")
    assert json.loads((place / "two" / "manifest.json").read_text())["spread"] == {"kind": kind, "devices": 2 * devices, "processes": 2}


@NEEDS_JAX
def test_batches_that_do_not_divide(place: Path, one: Path) -> None:
    """The last batch has 8 examples, which 16 devices cannot share: each takes all of it. Others are refused."""
    good(train(place, "jax", 16, "-o", "sixteen", "--distribute", "auto"))
    same(one, place / "sixteen")
    found = train(place, "jax", 3, "-o", "three", "--distribute", "data")
    assert found[0][0] == 2
    assert "a batch of 16 cannot be cut into 3 equal parts" in found[0][2]
    assert "--set batch=18" in found[0][2]


@NEEDS_JAX
@pytest.mark.skipif(not os.environ.get("ARCHC_EVERY"), reason="JAX waits for a lost process for minutes: ARCHC_EVERY=1")
def test_processes_go_on_after_a_kill(place: Path, one: Path) -> None:
    """One process is killed: the other ends too. A call without `--resume` ends both; with it, they end as if nothing had been."""
    words = ("-o", "two", "--distribute", "data")
    both = start(place, "jax", 1, *words, processes=2)
    deadline = time.monotonic() + 200
    while not (place / "two" / "history.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    both[1].send_signal(signal.SIGKILL)
    for process in both:
        process.communicate(timeout=200)
    assert both[0].returncode != 0
    assert both[1].returncode == -signal.SIGKILL
    assert len(records(place / "two")) < 6
    found = train(place, "jax", 1, *words, processes=2)
    assert [code for code, _, _ in found] == [2, 3]
    assert "holds a run of `mine` already" in found[0][2]
    assert "another process of the training has failed" in found[1][2]
    good(train(place, "jax", 1, "--resume", *words, processes=2))
    assert [each["epoch"] for each in records(place / "two")] == list(range(1, 7))
    same(one, place / "two")


@NEEDS_TENSORFLOW
def test_mirrored_devices_are_as_one(place: Path) -> None:
    """TensorFlow's mirrored strategy on two virtual devices, without layers whose chance or statistics are each device's own."""
    (place / "net.yaml").write_text(PLAIN)
    words = ("--set", "augment=[]")
    good(train(place, "tensorflow", 1, "-o", "one", "--epochs", "3", *words))
    good(train(place, "tensorflow", 2, "-o", "two", "--distribute", "data", "--epochs", "3", *words))
    same(place / "one", place / "two")
    good(train(place, "tensorflow", 2, "-o", "two", "--distribute", "data", "--epochs", "4", "--resume", *words))
    assert [each["epoch"] for each in records(place / "two")] == [1, 2, 3, 4]
    found = train(place, "tensorflow", 2, "-o", "three", "--distribute", "model", *words)
    assert (found[0][0], "--distribute model needs JAX" in found[0][2]) == (2, True)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"JOB_ADDRESSES": "127.0.0.1:1"}, "KERAS_DISTRIBUTION_NUM_PROCESSES and KERAS_DISTRIBUTION_PROCESS_ID are not"),
        ({"JOB_ADDRESSES": "127.0.0.1:1", "NUM_PROCESSES": "2", "PROCESS_ID": "2"}, "process 2 of 2 cannot be"),
    ],
)
def test_half_a_cluster_is_a_wrong_call(values: dict[str, str], told: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(place)
    for name, value in values.items():
        monkeypatch.setenv(f"KERAS_DISTRIBUTION_{name}", value)
    assert main(["train", "mine.yaml", "-o", "run", "--distribute", "data"]) == 2
    found = capsys.readouterr().err
    assert "E855" in found
    assert told in found
    assert not (place / "run").exists()
