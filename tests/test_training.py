"""Training as a user runs it: what it writes, how it goes on after every kind of stop, and what it refuses."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archc.commands import main
from archc.training import checkpoint, folder
from archc.training.history import improves
from tests.data_files import images, write_cifar10, write_recipe

pytestmark = [
    pytest.mark.keras,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # TensorFlow's own, with NumPy 2
]
ROOT = Path(__file__).resolve().parent.parent
NET = "archc: 1\nname: net\ninput: [8, 8, 1]\nparams: {classes: 10}\nlayers: [conv: [8, 3], relu, flatten, dropout: 0.25, dense: [$classes, softmax]]\n"
RECIPE = """archc: 1
recipe: mine
network: net.yaml
data: {arrays: {file: data.npz, holdout: 0.2}}
augment: [shift: 1]
prepare: [normalise]
batch: 16
epochs: 6
optimiser: {sgd: [0.05, 0.9]}
jit: false
"""


def write(place: Path, recipe: str = RECIPE, count: int = 100) -> None:
    """A network, a recipe and data."""
    write_recipe(place, NET, recipe, count, 40)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Outcome:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def archc(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*words: str) -> Outcome:
        capsys.readouterr()
        code = main(words)
        found = capsys.readouterr()
        assert "Traceback" not in found.err
        assert "fault of archc" not in found.err, found.err
        return Outcome(code, found.out, found.err)

    return call


def records(run: Path) -> list[dict[str, Any]]:
    return json.loads((run / "history.json").read_text())


def arrays(run: Path) -> dict[str, bytes]:
    return {name: one.tobytes() for name, one in checkpoint.read(checkpoint.listed(run / "checkpoints")[0]).arrays.items()}


def contents(run: Path) -> dict[str, bytes]:
    return {str(one.relative_to(run)): one.read_bytes() for one in sorted(run.rglob("*")) if one.is_file()}


def test_a_run_from_beginning_to_end(place: Path, archc: Any) -> None:
    """What is written, what is shown, and that the parts agree; then measuring and predicting with it."""
    found = archc("train", "mine.yaml", "-o", "run")
    assert found.code == 0, found.err
    run = place / "run"
    assert "80 examples to train on, 20 held out, 40 for testing" in found.out
    assert len(re.findall(r"^epoch ", found.out, re.M)) == 6
    assert [one["epoch"] for one in records(run)] == [1, 2, 3, 4, 5, 6]
    rows = list(csv.DictReader(io.StringIO((run / "history.csv").read_text())))
    assert [float(one["loss"]) for one in rows] == [one["loss"] for one in records(run)]
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["examples"] == {"train": 80, "validation": 20, "test": 40}
    assert manifest["seed"] == 0
    assert manifest["versions"]["keras"]
    result = json.loads((run / "result.json").read_text())
    best = max(one["val_accuracy"] for one in records(run))
    assert result["best"] == {"metric": "val_accuracy", "value": best}
    assert records(run)[result["best_epoch"] - 1]["val_accuracy"] == best
    matrix = np.array([line.split(",")[1:] for line in (run / "confusion.csv").read_text().splitlines()[1:]], int)
    assert matrix.sum() == 40
    assert np.trace(matrix) / 40 == pytest.approx(result["test"]["accuracy"])
    for name in ("best.keras", "last.keras"):
        assert (run / name).stat().st_mode & 0o777 == 0o666 & ~folder_umask()
        config = json.loads(zipfile.ZipFile(run / name).read("config.json"))
        assert "archc" not in json.dumps(config)

    again = archc("eval", "run", "--format", "json")
    assert json.loads(again.out)["accuracy"] == pytest.approx(result["test"]["accuracy"])
    image = pytest.importorskip("PIL.Image")
    pixels, _ = images(40, 8, 1, 5)
    image.fromarray(pixels[0, ..., 0]).save(place / "one.png")
    told = json.loads(archc("predict", "one.png", "--run", "run", "--format", "json").out)
    assert len(told[0]["classes"]) == 3
    assert sum(one["probability"] for one in told[0]["classes"]) <= 1.0001
    assert archc("predict", "none.png", "--run", "run").code == 2
    assert archc("eval", "elsewhere").code == 2


def folder_umask() -> int:
    from archc.backends.files import umask

    return umask()


def test_plain_keras_loads_what_is_written(place: Path, archc: Any) -> None:
    """The best model takes raw pixels in plain Keras, in safe mode, and gives what `archc eval` measured."""
    import keras

    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "2").code == 0
    model = keras.models.load_model(place / "run" / "best.keras", safe_mode=True)
    pixels, labels = images(40, 8, 1, 5)
    right = float((model.predict(pixels, verbose=0).argmax(1) == labels).mean())
    assert right == pytest.approx(json.loads((place / "run" / "result.json").read_text())["test"]["accuracy"])


@pytest.mark.slow
def test_killed_trainings_end_as_if_they_had_not_been(place: Path) -> None:
    """TR1: kill -9 at random moments; every epoch once, and the final state is the same to the last bit. `ARCHC_EVERY=1` kills 50 times."""
    kills = 50 if os.environ.get("ARCHC_EVERY") else 4
    done = subprocess.run([sys.executable, "-m", "tests.kill_training", str(place), str(kills)], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stderr
    assert "epochs [1, 2, 3, 4, 5, 6], differing [], records True" in done.stdout


def stopped_after(step: int, epoch: int, monkeypatch: pytest.MonkeyPatch, number: int = 1) -> None:
    """Presses Ctrl-C, once or twice, when a step is done."""
    from archc.commands import training

    shown = training.Display.batch

    def batch(self: Any, at: int, now: int, steps: int, logs: Any) -> None:
        shown(self, at, now, steps, logs)
        if (at, now) == (epoch, step):
            for _ in range(number):
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(training.Display, "batch", batch)


@pytest.mark.parametrize("step", [2, 5])
def test_one_interrupt_saves_and_the_run_goes_on_the_same(step: int, place: Path, archc: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """TR12, once: the step is finished and saved (within an epoch, or at its end), and the resumed run ends like a whole one."""
    assert archc("train", "mine.yaml", "-o", "whole", "--epochs", "3").code == 0
    with monkeypatch.context() as patch:
        stopped_after(step, 2, patch)
        found = archc("train", "mine.yaml", "-o", "run", "--epochs", "3")
    assert (found.code, "--resume" in found.err) == (130, True)
    newest = checkpoint.read(checkpoint.listed(place / "run" / "checkpoints")[0]).meta
    assert (newest["epoch"], newest["step"]) == ((1, 2) if step == 2 else (2, 0))
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "3", "--resume").code == 0
    assert arrays(place / "run") == arrays(place / "whole")
    strip = [[{name: value for name, value in one.items() if name != "seconds"} for one in records(place / run)] for run in ("run", "whole")]
    assert strip[0] == strip[1]


def test_two_interrupts_stop_at_once(place: Path, archc: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """TR12, twice: nothing more is written, and the checkpoint before is intact."""
    with monkeypatch.context() as patch:
        stopped_after(2, 3, patch, number=2)
        assert archc("train", "mine.yaml", "-o", "run").code == 130
    newest = checkpoint.read(checkpoint.listed(place / "run" / "checkpoints")[0]).meta
    assert (newest["epoch"], newest["step"]) == (2, 0)
    assert archc("train", "mine.yaml", "-o", "run", "--resume").code == 0


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_damaged_checkpoints_are_skipped(damage: str, place: Path, archc: Any) -> None:
    """TR3: the one before is used, and said to be; with none left, training begins anew."""
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "3").code == 0
    whole = arrays(place / "run")
    for path in checkpoint.listed(place / "run" / "checkpoints")[: 2 if damage == "empty" else 1]:
        data = bytearray(path.read_bytes())
        if damage == "flip":
            data[len(data) // 3] ^= 4
        path.write_bytes(data if damage == "flip" else data[: len(data) // 2 if damage == "cut" else 0])
    found = archc("train", "mine.yaml", "-o", "run", "--epochs", "3", "--resume")
    assert found.code == 0
    assert "cannot be read" in found.err
    assert ("from the beginning" in found.err) == (damage == "empty")
    assert arrays(place / "run") == whole


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--set", "batch=8"), ["batch: 16 in the checkpoints, 8 now"]),
        (("--set", "optimiser=adam", "--seed", "3"), ['optimiser: "sgd" in the checkpoints, "adam" now', "seed: 0 in the checkpoints, 3 now"]),
        (("--set", "data.arrays.holdout=0.1"), ["data.holdout: 0.2 in the checkpoints, 0.1 now"]),
    ],
)
def test_another_run_does_not_go_on(words: tuple[str, ...], told: list[str], place: Path, archc: Any) -> None:
    """TR4: the differences are listed, and nothing is changed; `--fresh` starts anew."""
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "1").code == 0
    before = contents(place / "run")
    found = archc("train", "mine.yaml", "-o", "run", "--resume", *words)
    assert found.code == 2
    assert "E851" in found.err
    assert all(one in found.err for one in told)
    assert contents(place / "run") == before


def test_another_network_or_other_data_does_not_go_on(place: Path, archc: Any) -> None:
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "1").code == 0
    (place / "net.yaml").write_text(NET.replace("conv: [8, 3]", "conv: [9, 3]"))
    assert "spec: " in archc("train", "mine.yaml", "-o", "run", "--resume").err
    write(place, count=90)
    assert "examples: " in archc("train", "mine.yaml", "-o", "run", "--resume").err
    found = archc("train", "mine.yaml", "-o", "run", "--epochs", "1")
    assert (found.code, "holds a run of `mine` already" in found.err) == (2, True)
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "1", "--fresh").code == 0


def test_a_finished_run_is_left_alone(place: Path, archc: Any) -> None:
    """TR5; and more epochs go on from its end."""
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "2").code == 0
    before = {name: data for name, data in contents(place / "run").items() if name.endswith((".keras", ".npz", "history.json", "result.json"))}
    found = archc("train", "mine.yaml", "-o", "run", "--epochs", "2", "--resume")
    assert (found.code, "already complete" in found.err) == (0, True)
    after = contents(place / "run")
    assert {name: after[name] for name in before} == before
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "3", "--resume").code == 0
    assert [one["epoch"] for one in records(place / "run")] == [1, 2, 3]


def test_a_worse_epoch_does_not_replace_the_best(place: Path, archc: Any) -> None:
    """TR6: the best value is remembered across a resume."""
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "4").code == 0
    path = checkpoint.listed(place / "run" / "checkpoints")[0]
    state = checkpoint.read(path)
    checkpoint.save(path.parent, checkpoint.Checkpoint(state.arrays, {**state.meta, "best": 2.0}))
    best = (place / "run" / "best.keras").read_bytes()
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "6", "--resume").code == 0
    assert (place / "run" / "best.keras").read_bytes() == best


def test_improvement() -> None:
    assert improves(0.5, None, "val_loss")
    assert improves(0.4, 0.5, "val_loss")
    assert not improves(0.6, 0.5, "val_loss")
    assert improves(0.6, 0.5, "val_accuracy")
    assert not improves(0.55, 0.5, "val_accuracy", 0.1)
    assert not improves(float("nan"), None, "val_loss")


def test_a_loss_that_is_not_finite_stops(place: Path, archc: Any) -> None:
    """TR7: within a step, with an exit code of its own; the last good checkpoint is kept."""
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "1").code == 0
    state = checkpoint.listed(place / "run" / "checkpoints")[0]
    arrays_before = checkpoint.read(state)
    poisoned = {name: np.where(np.ones_like(one, bool), 1e30, one).astype(one.dtype) if name.startswith("weights/") else one for name, one in arrays_before.arrays.items()}
    checkpoint.save(state.parent, checkpoint.Checkpoint(poisoned, arrays_before.meta))
    kept = state.read_bytes()
    found = archc("train", "mine.yaml", "-o", "run", "--epochs", "3", "--resume")
    assert found.code == 4
    assert "E852" in found.err
    assert re.search(r"step \d of epoch 2, at a learning rate of 0.05", found.err)
    assert state.read_bytes() == kept
    found = archc("train", "mine.yaml", "-o", "far", "--set", "optimiser.sgd=[1e12, 0.9]")
    assert (found.code, "the first layer with weights that are not finite is `conv`" in found.err) == (4, True), found.err


@pytest.mark.parametrize(("key", "value"), [("y_train", 12), ("x_train", None)])
def test_senseless_data_is_refused_before_training(key: str, value: Any, place: Path, archc: Any) -> None:
    """TR8, through the command."""
    with np.load(place / "data.npz") as file:
        found = {name: file[name] for name in file.files}
    if key == "y_train":
        found[key] = found[key].copy()
        found[key][3] = value
    else:
        found[key] = found[key].astype(np.float32)
        found[key][3] = np.nan
    np.savez(place / "data.npz", **found)
    outcome = archc("train", "mine.yaml", "-o", "run")
    assert outcome.code == (1 if value else 2)
    assert ("the data has 13 classes" if value else "example 3 of the training part holds values that are not finite") in outcome.err
    assert not (place / "run" / "checkpoints").exists()


def test_missing_data_is_the_machines_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archc: Any) -> None:
    """TR9; the same recipe runs with `--synthetic`, in the data's own form."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    found = archc("train", "lenet-mnist", "-o", "run")
    assert found.code == 3
    assert "9,912,422 bytes, MD5 f68b3c2dcbeaaa9fbdd348bbdeb94873" in found.err
    found = archc("train", "lenet-mnist", "-o", "run", "--synthetic", "240", "--epochs", "1", "--fresh")
    assert found.code == 0, found.err
    assert "220 examples to train on, 20 held out, 40 for testing" in found.out


def test_a_recipe_on_cifars_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archc: Any) -> None:
    """The whole path with files in the real format."""
    monkeypatch.chdir(tmp_path)
    write_cifar10(tmp_path / "data")
    found = archc("train", "resnet20-cifar10", "-o", "run", "--epochs", "1", "--set", "data.cifar10={holdout: 0.1, verify: false, split: random}", "--set", "batch=32")
    assert found.code == 0, found.err
    assert "airplane" in found.out
    assert "90 examples to train on, 10 held out, 20 for testing" in found.out


@pytest.mark.parametrize("name", ["epoch-00002", "best.keras", "events.out"])
def test_a_full_disk(name: str, place: Path, archc: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """TR2 and TR11: while a checkpoint, a model or a log is written; what was there before can still be used."""
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "1").code == 0
    before = contents(place / "run")
    replace = os.replace

    def full(source: Any, target: Any, **options: Any) -> None:
        if Path(target).name.startswith(name):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        replace(source, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        if name == "best.keras":
            patch.setattr("archc.training.loop.history.improves", lambda *_: True)
        found = archc("train", "mine.yaml", "-o", "run", "--epochs", "3", "--resume")
    assert found.code == 3, found.err
    assert "No space left" in found.err
    after = contents(place / "run")
    assert not [one for one in after if ".archc-" in one]
    assert after["best.keras"] == before["best.keras"] or name != "best.keras"
    assert zipfile.ZipFile(io.BytesIO(after["best.keras"])).testzip() is None
    assert checkpoint.read(checkpoint.listed(place / "run" / "checkpoints")[0]).meta["epoch"] >= 1
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "3", "--resume").code == 0


def test_the_users_files_are_untouched(place: Path, archc: Any) -> None:
    """TR13; and a file of the user's that has a run's name is not written over."""
    (place / "run" / "checkpoints").mkdir(parents=True)
    mine = {"notes.txt": b"mine", "checkpoints/epoch.txt": b"mine too", "tensorboard/events.out.tfevents.1": b"other"}
    for name, data in mine.items():
        (place / "run" / name).parent.mkdir(exist_ok=True)
        (place / "run" / name).write_bytes(data)
    for words in ((), ("--fresh",)):
        assert archc("train", "mine.yaml", "-o", "run", "--epochs", "1", *words).code == 0
        assert {name: (place / "run" / name).read_bytes() for name in mine} == mine
    (place / "other").mkdir()
    (place / "other" / "best.keras").write_bytes(b"mine")
    found = archc("train", "mine.yaml", "-o", "other")
    assert (found.code, "best.keras" in found.err) == (2, True)
    assert (place / "other" / "best.keras").read_bytes() == b"mine"


def test_two_trainings_in_one_folder(place: Path, archc: Any) -> None:
    """TR14."""
    with folder.held(place / "run"):
        found = archc("train", "mine.yaml", "-o", "run")
    assert (found.code, "another training is at work" in found.err) == (2, True)


def test_a_step_that_cannot_fit_is_refused(place: Path, archc: Any) -> None:
    """TR17: told before it is tried, with the batch and an estimate."""
    big = NET.replace("[8, 8, 1]", "[4096, 4096, 1]").replace("conv: [8, 3]", "conv: [512, 3, 1, same]").replace("flatten, dropout: 0.25", "global_avg_pool")
    (place / "net.yaml").write_text(big)
    found = archc("train", "mine.yaml", "-o", "run", "--set", "prepare=[resize: 4096]", "--set", "batch=80")
    assert (found.code, "E853" in found.err, "80 examples needs about" in found.err) == (3, True, True), found.err
    assert not (place / "run" / "checkpoints").exists()


def test_one_curve_in_tensorboard(place: Path, archc: Any) -> None:
    """TR18: after a resume each epoch is logged once."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "2").code == 0
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "4", "--resume").code == 0
    log = accumulator.EventAccumulator(str(place / "run" / "tensorboard"))
    log.Reload()
    assert [one.step for one in log.Scalars("loss/validation")] == [1, 2, 3, 4]
    assert [one.value for one in log.Scalars("loss/training")] == pytest.approx([one["loss"] for one in records(place / "run")])
    assert [node.op for node in log.Graph().node] and [node.name for node in log.Graph().node][1] == "conv"


def test_learning_and_no_leak(place: Path, archc: Any) -> None:
    """TR16: 64 examples are learnt; with labels drawn anew the held-out ones are guessed no better than by chance."""
    recipe = RECIPE.replace("augment: [shift: 1]\n", "").replace("epochs: 6", "epochs: 30")
    write(place, recipe, 80)
    assert archc("train", "mine.yaml", "-o", "run").code == 0
    found = records(place / "run")
    assert found[-1]["loss"] < 0.1 * found[0]["loss"]
    pixels, labels = images(500, 8, 1)
    np.savez(place / "data.npz", x_train=pixels, y_train=np.random.default_rng(0).permutation(labels), x_test=pixels[:10], y_test=labels[:10])
    assert archc("train", "mine.yaml", "-o", "shuffled").code == 0
    assert np.mean([one["val_accuracy"] for one in records(place / "shuffled")[-5:]]) < 0.25


def test_plateau_and_early_stop(place: Path, archc: Any) -> None:
    """Their counters are a part of the state: a run in two parts stops where a whole one does."""
    extra = "schedule: {plateau: {factor: 0.5, patience: 1}}\nstop: 2\nbest: val_loss\n"
    write(place, RECIPE.replace("epochs: 6", "epochs: 40").replace("[0.05, 0.9]", "[0.5, 0.9]") + extra)
    assert archc("train", "mine.yaml", "-o", "whole").code == 0
    count = len(records(place / "whole"))
    assert count < 40
    assert records(place / "whole")[-1]["learning_rate"] < 0.5
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", str(count - 1)).code == 0
    assert archc("train", "mine.yaml", "-o", "run", "--resume").code == 0
    assert arrays(place / "run") == arrays(place / "whole")


def test_a_folder_of_images_is_trained_on(place: Path, archc: Any) -> None:
    """Images read in threads beside the training, in the order that the seed says: two runs are the same."""
    image = pytest.importorskip("PIL.Image")
    pixels, labels = images(60, 8, 1)
    for at, (one, label) in enumerate(zip(pixels, labels)):
        (place / "photos" / f"c{label}").mkdir(parents=True, exist_ok=True)
        image.fromarray(one[..., 0]).save(place / "photos" / f"c{label}" / f"{at}.png")
    write(place, RECIPE.replace("arrays: {file: data.npz, holdout: 0.2}", "images: {folder: photos, size: 8, channels: grey}").replace("prepare: [normalise]", "prepare: [rescale]"))
    for run in ("one", "two"):
        assert archc("train", "mine.yaml", "-o", run, "--epochs", "2").code == 0
    assert arrays(place / "one") == arrays(place / "two")


def test_smoothed_labels_and_top5(place: Path, archc: Any) -> None:
    write(place, RECIPE + "loss: {cross_entropy: {label_smoothing: 0.1}}\nmetrics: [accuracy, top5]\n")
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "2").code == 0
    assert 0 <= records(place / "run")[0]["accuracy"] <= records(place / "run")[0]["top5"] <= 1


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(precision: str, place: Path, archc: Any) -> None:
    import keras

    try:
        assert archc("train", "mine.yaml", "-o", "run", "--epochs", "2", "--set", f"precision={precision}").code == 0
        assert archc("train", "mine.yaml", "-o", "run", "--epochs", "3", "--resume", "--set", f"precision={precision}").code == 0
    finally:
        keras.config.set_dtype_policy("float32")


def test_weights_to_start_from(place: Path, archc: Any) -> None:
    """All layers but the last start from a file of a network with other classes, and stay as they are when frozen."""
    import keras

    (place / "other.yaml").write_text(NET.replace("classes: 10", "classes: 7").replace("name: net", "name: other"))
    assert archc("build", "other.yaml", "--emit", "keras", "--seed", "5").code == 0
    write(place, RECIPE + "start: {file: null, classes: 7, freeze: true}\n")
    assert archc("train", "mine.yaml", "-o", "run", "--epochs", "2", "--weights", "build/other.keras").code == 0
    start = keras.models.load_model(place / "build" / "other.keras").get_layer("conv").get_weights()
    network = keras.models.load_model(place / "run" / "last.keras").layers[-1]
    assert all(np.array_equal(one, two) for one, two in zip(start, network.get_layer("conv").get_weights()))


def test_weights_that_do_not_fit(place: Path, archc: Any) -> None:
    """A file of another network, or none of weights, is a wrong call."""
    write(place, RECIPE + "start: {file: null}\n")
    (place / "other.yaml").write_text(NET.replace("conv: [8, 3]", "conv: [9, 3]").replace("name: net", "name: other"))
    assert archc("build", "other.yaml", "--emit", "keras").code == 0
    (place / "none.h5").write_text("none")
    for file in ("build/other.keras", "none.h5"):
        found = archc("train", "mine.yaml", "-o", "run", "--weights", file)
        assert (found.code, "E804" in found.err) == (2, True), found.err


@pytest.mark.slow
def test_the_emitted_script_does_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archc: Any) -> None:
    """It runs with Keras alone, and learns as well."""
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    assert archc("train", "lenet-digits", "--emit", "script", "--epochs", "4").code == 0
    path = next((tmp_path / "build").iterdir())
    done = subprocess.run([sys.executable, "-I", str(path)], capture_output=True, text=True, timeout=300, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
    assert done.returncode == 0, done.stderr[-2000:]
    measured = re.search(r"'accuracy': ([0-9.]+)", done.stdout)
    assert measured is not None
    assert float(measured[1]) > 0.8


@pytest.mark.slow
def test_the_lectures_network_at_full_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archc: Any) -> None:
    """A few steps of AlexNet on CIFAR-10's form, with the lecture's counts; the stop is saved, and goes on."""
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        stopped_after(2, 1, patch)
        found = archc("train", "alexnet-cifar10", "-o", "run", "--synthetic", "--set", "batch=4")
    assert found.code == 130, found.err
    assert "45,000 examples to train on, 5,000 held out, 10,000 for testing" in found.out
    assert "58.4 M parameters" in found.out
    newest = checkpoint.read(checkpoint.listed(tmp_path / "run" / "checkpoints")[0])
    assert newest.meta["step"] == 2
    assert sum(one.size for name, one in newest.arrays.items() if name.startswith("weights/")) == 58_341_450


@pytest.mark.slow
def test_digits_reach_98_percent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archc: Any) -> None:
    """What the README promises."""
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    found = archc("train", "lenet-digits", "--format", "json")
    assert found.code == 0, found.err
    assert json.loads(found.out)["test"]["accuracy"] >= 0.98
