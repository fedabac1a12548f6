"""The loop over epochs: Keras trains, and the state is saved so that a run that was killed ends as if it had not been.

An epoch's order is drawn from the seed and the epoch's number; all other chance (dropout, augmentation) is in variables
of the model, which are a part of the state, like the optimiser's and those of the running metrics.
"""

from __future__ import annotations

import math
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy

from archc.backends.files import in_place_of, write_all
from archc.training import history
from archc.training.build import Models, load_keras, one_hot
from archc.training.checkpoint import Checkpoint, save
from archc.training.data.examples import Part, in_memory
from archc.training.folder import CHECKPOINTS
from archc.training.options import Plateau
from archc.training.recipe import Recipe
from archc.training.spread import Spread

ASK = 20
"""Steps after which several processes ask each other whether to save or to stop; one process looks after each step."""
METRICS = "metrics/"
"""What the names of the running metrics in a checkpoint begin with."""


class Reporter(Protocol):
    """Who is told how training goes."""

    def batch(self, epoch: int, step: int, steps: int, logs: Mapping[str, float]) -> None:
        """A training step is done; both count from 1."""

    def epoch(self, record: history.Record, improved: bool) -> None:
        """An epoch is done and saved."""


class Interrupted(Exception):
    """The user asked to stop; the state has been saved."""


class Diverged(Exception):
    """The loss is no longer finite."""

    def __init__(self, epoch: int, step: int, rate: float, layer: str) -> None:
        super().__init__(f"the loss is not finite in step {step:,} of epoch {epoch}, at a learning rate of {rate:.3g}" + (f"; the first layer with weights that are not finite is `{layer}`" if layer else ""))


@dataclass
class Progress:
    """Where a run stands; what is in a checkpoint beside the arrays. `step` counts batches done of the epoch that is under way."""

    epoch: int = 0
    step: int = 0
    best: float | None = None
    waited: int = 0
    plateau_best: float | None = None
    plateau_waited: int = 0
    stopped: bool = False
    records: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def is_done(self, epochs: int) -> bool:
        """True where no epoch is left to train."""
        return self.stopped or self.epoch >= epochs


@dataclass(eq=False)
class Trainer:
    """One run: models, data, where it stands and where it is saved."""

    recipe: Recipe
    models: Models
    train: Part
    validation: Part
    folder: Path
    reporter: Reporter
    spread: Spread = field(default_factory=Spread)
    progress: Progress = field(default_factory=Progress)
    metrics: list[Any] = field(default_factory=list[Any])
    """The running metrics of an epoch that is gone on with, which Keras does not know before it trains."""
    stop: bool = False
    """Set from outside (a signal): the step at hand is finished, and the state saved."""

    @property
    def steps(self) -> int:
        """Batches of an epoch; the last one may be smaller."""
        return math.ceil(len(self.train) / self.recipe.run.batch)

    def run(self) -> None:
        """Trains what is left. Raises `Interrupted`, `Diverged`, `OSError`."""
        while not self.progress.is_done(self.recipe.run.epochs):
            self.epoch()

    def epoch(self) -> None:
        """One epoch, or what is left of it; then its evaluation, the best model, and a checkpoint."""
        began = time.monotonic()
        at, done = self.progress.epoch, self.progress.step
        order = made_order(self.recipe.run.seed, at, len(self.train))
        logs = self.fit(self.train.take(order[done * self.recipe.run.batch :]), done)
        record = {"epoch": at + 1, **logs}
        if len(self.validation):
            record |= {f"val_{name}": value for name, value in evaluate(self.models.training, self.validation, self.recipe, self.spread).items()}
        record |= {"learning_rate": self.rate(), "steps": (at + 1) * self.steps, "seconds": round(time.monotonic() - began, 2)}
        improved = self.judge(record)
        self.progress.records.append(record)
        self.progress.epoch, self.progress.step = at + 1, 0
        if improved:
            self.models.keep(self.spread)
        arrays = self.arrays()
        with self.spread.together():
            if self.spread.leads:
                if improved:
                    save_model(self.models.inference, self.folder / "best.keras")
                self.save(arrays)
                write_all(self.folder, history.artefacts(self.progress.records))
            self.reporter.epoch(record, improved)
        if self.wanted()[0] and not self.progress.is_done(self.recipe.run.epochs):
            raise Interrupted

    def fit(self, part: Part, done: int) -> dict[str, float]:
        """Trains on examples in their order, the first `done` batches of the epoch being done; gives the epoch's metrics."""
        logs: dict[str, float] = {}
        for piece in self.spread.pieces(len(part), self.recipe.run.batch):
            watch = watcher(self, done)
            images, labels = inputs(piece.of(part), self.recipe, piece.batch)
            with self.spread.scope(whole=piece.whole):
                self.models.training.fit(images, labels, batch_size=batch_size(images, piece.batch), shuffle=False, verbose=0, callbacks=[watch])
            if watch.interrupted:
                raise Interrupted
            if watch.diverged is not None:
                raise Diverged(self.progress.epoch + 1, watch.diverged, self.rate(), first_bad_layer(self.models.network))
            logs = {name: float(value) for name, value in watch.logs.items()}
            done += piece.steps
            if done < self.steps:
                self.metrics = self.running()
        return logs

    def wanted(self, save: bool = False) -> tuple[bool, bool]:
        """Whether the run is to stop, and whether to be saved now: in some process, where there are several."""
        if self.spread.processes == 1:
            return self.stop, save
        found = self.spread.summed(numpy.array([self.stop, save], numpy.int32))
        return bool(found[0]), bool(found[1])

    def judge(self, record: Mapping[str, Any]) -> bool:
        """Compares an epoch with the best one; lowers the rate or ends the run where nothing has improved for long."""
        metric, progress = self.recipe.watched, self.progress
        value = float(record[metric])
        schedule, stop = self.recipe.schedule, self.recipe.stop
        if isinstance(schedule, Plateau):
            self.flatten(schedule, value, metric)
        least = stop.least if stop is not None else 0.0
        progress.waited = 0 if history.improves(value, progress.best, metric, least) else progress.waited + 1
        improved = history.improves(value, progress.best, metric)
        if improved:
            progress.best = value
        progress.stopped = stop is not None and progress.waited >= stop.patience
        return improved

    def flatten(self, schedule: Plateau, value: float, metric: str) -> None:
        """Lowers the learning rate where the metric has not improved for `patience` epochs."""
        progress = self.progress
        if history.improves(value, progress.plateau_best, metric):
            progress.plateau_best, progress.plateau_waited = value, 0
            return
        progress.plateau_waited += 1
        if progress.plateau_waited >= schedule.patience:
            self.models.training.optimizer.learning_rate = max(schedule.least, self.rate() * schedule.factor)
            progress.plateau_waited = 0

    def rate(self) -> float:
        """The learning rate of the next step."""
        rate = self.models.training.optimizer.learning_rate
        return float(load_keras().ops.convert_to_numpy(rate))

    def variables(self) -> dict[str, Any]:
        """All that changes in training but the running metrics, by a name for each."""
        model = self.models.training
        groups = {"weights": model.trainable_variables, "state": model.non_trainable_variables, "optimiser": model.optimizer.variables}
        return {f"{name}/{at:04d}": one for name, group in groups.items() for at, one in enumerate(group)}

    def running(self) -> list[Any]:
        """The running metrics."""
        return [self.spread.values(one) for one in self.models.training.metrics_variables]

    def arrays(self) -> dict[str, Any]:
        """The whole state; all processes call it."""
        found = {name: self.spread.values(one) for name, one in self.variables().items()}
        return found | {f"{METRICS}{at:04d}": one for at, one in enumerate(self.running())}

    def save(self, arrays: Mapping[str, Any]) -> None:
        """Writes a checkpoint. Raises `OSError`."""
        save(self.folder / CHECKPOINTS, Checkpoint(arrays, vars(self.progress)))

    def restore(self, checkpoint: Checkpoint) -> None:
        """Takes up the state of a checkpoint. Raises `ValueError` where it is another model's."""
        arrays = {name: one for name, one in checkpoint.arrays.items() if not name.startswith(METRICS)}
        variables = self.variables()
        if {name: tuple(one.shape) for name, one in variables.items()} != {name: one.shape for name, one in arrays.items()}:
            raise ValueError(f"its {len(arrays)} variables are not the model's {len(variables)}")
        with self.spread.scope():
            for name, one in variables.items():
                one.assign(arrays[name])
        self.metrics = [one for name, one in sorted(checkpoint.arrays.items()) if name.startswith(METRICS)]
        self.progress = Progress(**checkpoint.meta)
        if self.progress.step:
            # Keras makes the variables of the metrics when they are first asked for.
            evaluate(self.models.training, self.train.take(numpy.arange(self.spread.shares)), self.recipe, self.spread)


def made_order(seed: int, epoch: int, count: int) -> Any:
    """The order of an epoch's examples: a function of the seed and the epoch's number, and of nothing else."""
    return numpy.random.default_rng([seed, 4, epoch]).permutation(count)


def inputs(part: Part, recipe: Recipe, batch: int) -> tuple[Any, Any]:
    """What Keras takes for a part: arrays, or batches that are read beside the training."""
    labels = part.labels
    if one_hot(recipe):
        labels = numpy.eye(recipe.classes, dtype=numpy.float32)[labels]
    if in_memory(part.images):
        return part.images, labels
    base: Any = load_keras().utils.PyDataset

    class Batches(base):
        """Reads the images of a batch in threads of its own, ahead of the training."""

        def __len__(self) -> int:
            return math.ceil(len(labels) / batch)

        def __getitem__(self, number: int) -> tuple[Any, Any]:
            some = slice(number * batch, (number + 1) * batch)
            return part.images[some], labels[some]

    return Batches(workers=2, max_queue_size=8), None


def batch_size(images: Any, batch: int) -> int | None:
    """The batch for arrays; batches have their own."""
    return batch if in_memory(images) else None


def evaluate(model: Any, part: Part, recipe: Recipe, spread: Spread | None = None) -> dict[str, float]:
    """A model's loss and metrics on a part; every example counts once."""
    spread = spread or Spread()
    total: dict[str, float] = {}
    for piece in spread.pieces(len(part), evaluation_batch(recipe, spread)):
        some = piece.of(part)
        images, labels = inputs(some, recipe, piece.batch)
        with spread.scope(whole=piece.whole):
            found: dict[str, float] = model.evaluate(images, labels, batch_size=batch_size(images, piece.batch), verbose=0, return_dict=True)
        share = len(some) * (1 if piece.whole else spread.processes) / len(part)
        total = {name: total.get(name, 0.0) + share * float(value) for name, value in found.items()}
    return total


def evaluation_batch(recipe: Recipe, spread: Spread) -> int:
    """Examples in a step of evaluation."""
    wanted = recipe.run.validation_batch or 2 * recipe.run.batch
    return -(-wanted // spread.shares) * spread.shares


def watcher(trainer: Trainer, done: int) -> Any:
    """The callback that follows an epoch: it takes up running metrics, tells of progress, and stops where it must."""
    keras = load_keras()
    metrics = trainer.metrics if done else []

    base: Any = keras.callbacks.Callback

    class Watch(base):
        interrupted = False
        diverged: int | None = None

        def __init__(self) -> None:
            super().__init__()  # pyright: ignore[reportUnknownMemberType]
            self.logs: dict[str, float] = {}
            self.saved = time.monotonic()

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            # Keras has just set the metrics to nothing; the epoch that is gone on with has some already.
            if metrics:
                for variable, value in zip(self.model.metrics_variables, metrics, strict=True):
                    variable.assign(value)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            step = done + batch + 1
            self.logs = dict(logs or {})
            if not math.isfinite(self.logs.get("loss", 0.0)):
                self.diverged = step
                self.model.stop_training = True
                return
            trainer.reporter.batch(trainer.progress.epoch + 1, step, trainer.steps, self.logs)
            if step < trainer.steps and (trainer.spread.processes == 1 or not step % ASK):
                self.ask(step)

        def ask(self, step: int) -> None:
            """Saves, and stops, where that is wanted."""
            late = time.monotonic() - self.saved >= 60 * trainer.recipe.run.save_minutes
            stop, save = trainer.wanted(late)
            if not stop and not save:
                return
            assert self.model is not None  # with JAX, asking for the model brings its variables up to date
            trainer.progress.step = step
            arrays = trainer.arrays()
            with trainer.spread.together():
                if trainer.spread.leads:
                    trainer.save(arrays)
            self.saved = time.monotonic()
            if stop:
                self.interrupted = True
                self.model.stop_training = True

    return Watch()


def first_bad_layer(network: Any) -> str:
    """The first layer with a weight that is not finite."""
    ops = load_keras().ops
    for layer in network.layers:
        if any(not bool(ops.all(ops.isfinite(one))) for one in layer.weights if "float" in str(one.dtype)):
            return str(layer.name)
    return ""


def save_model(model: Any, path: Path) -> None:
    """Writes a `.keras` file that takes its name only when it is whole. Raises `OSError`."""
    with in_place_of(path) as temporary:
        model.save(temporary)
        with zipfile.ZipFile(temporary) as archive:
            if (bad := archive.testzip()) is not None:
                raise OSError(5, f"what was written of {bad} cannot be read back", str(path))
