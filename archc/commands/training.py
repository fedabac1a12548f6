"""How a training is shown: what the data is, a bar for the epoch that is under way, and a line for each that is done."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from time import monotonic
from typing import Any

from archc.commands.console import Console, coloured
from archc.diagnostics.figures import large
from archc.training import history
from archc.training.data.examples import Examples, Part
from archc.training.recipe import Recipe

EVERY = 0.1
"""Seconds between two changes of the bar."""
BAR = 28
CLASSES = 20
"""Classes whose counts are listed; of more, the ends are told."""


def quiet() -> None:
    """Keeps TensorFlow's remarks about the machine from the terminal, where the user has not asked for them; before it is loaded."""
    if "TF_CPP_MIN_LOG_LEVEL" not in os.environ:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        logging.getLogger("tensorflow").setLevel(logging.ERROR)


class Display:
    """Shows a session to a person, or keeps silent for machines."""

    def __init__(self, console: Console, recipe: Recipe) -> None:
        self.console = console
        self.recipe = recipe
        self.live = not console.is_json and sys.stderr.isatty()
        self.colour = not console.is_json and coloured(sys.stdout)
        self.bar: Any = None
        self.task: Any = None
        self.shown = 0.0
        self.epochs = recipe.run.epochs

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def working(self, text: str) -> Any:
        """Longer work before and after the epochs."""
        return self.console.working(text, at_once=True)

    def note(self, text: str) -> None:
        """On stderr, like all that is no result."""
        self.console.note(text)

    def data(self, examples: Examples, train: Part, validation: Part) -> None:
        """The parts and the counts of their classes."""
        if self.console.is_json:
            return
        data = self.recipe.data.value
        self.console.line(f"{data.name}: {len(train):,} examples to train on, {len(validation):,} held out, {len(examples.test):,} for testing")
        for line in class_lines(examples, train):
            self.console.line(f"  {line}")

    def start(self, trainer: Any, resumed: bool) -> None:
        """The network, and where training begins."""
        if self.console.is_json:
            return
        cost = self.recipe.network.analysed.cost
        progress = trainer.progress
        self.console.line(f"{self.recipe.address}: {large(cost.params)} parameters; {self.epochs} epochs of {trainer.steps:,} steps of {self.recipe.run.batch}, {self.recipe.optimiser.name}, {self.recipe.schedule.name} rate {self.recipe.optimiser.rate:g}")
        if resumed:
            step = f", step {progress.step:,}" if progress.step else ""
            self.console.line(f"goes on after epoch {progress.epoch}{step}")
        if self.live and not progress.is_done(self.epochs):
            self.begin(trainer)

    def begin(self, trainer: Any) -> None:
        """Loads and shows the bar."""
        from rich.console import Console as Rich
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(BAR), MofNCompleteColumn(), TextColumn("{task.fields[logs]}"), TimeRemainingColumn(compact=True))
        self.bar = Progress(*columns, console=Rich(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty())
        self.task = self.bar.add_task(f"epoch {trainer.progress.epoch + 1}/{self.epochs}", total=trainer.steps, completed=trainer.progress.step, logs="")
        self.bar.start()

    def batch(self, epoch: int, step: int, steps: int, logs: Mapping[str, float]) -> None:
        """Moves the bar, a few times a second."""
        if self.bar is None or (monotonic() - self.shown < EVERY and step < steps):
            return
        self.shown = monotonic()
        words = "  ".join(f"{name} {value:.4f}" if name == "loss" else f"{name} {100 * value:.1f} %" for name, value in ordered(logs).items())
        self.bar.update(self.task, completed=step, logs=words if step < steps or not self.recipe.validates else f"{words}  validating")

    def epoch(self, record: history.Record, improved: bool) -> None:
        """A line for an epoch that is done; the best so far is marked, with the metric that says so."""
        if self.bar is not None:
            self.bar.reset(self.task, total=self.bar.tasks[0].total, logs="", description=f"epoch {min(record['epoch'] + 1, self.epochs)}/{self.epochs}")
        if self.console.is_json:
            return
        text = history.line({"epoch": record["epoch"], **ordered({name: value for name, value in record.items() if name != "epoch"})}, self.epochs)
        mark = f"  best {self.recipe.watched}" if improved else ""
        self.console.line(f"{text}\033[1;32m{mark}\033[0m" if self.colour and mark else f"{text}{mark}")


def ordered(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Metrics with the loss first, training before validation."""
    order = ("loss", "accuracy", "top5", "val_loss", "val_accuracy", "val_top5")
    return {name: logs[name] for name in (*order, *(one for one in logs if one not in order)) if name in logs}


def class_lines(examples: Examples, train: Part) -> list[str]:
    """How many examples each class has in the training and test parts, as a small bar chart."""
    import numpy

    count = len(examples.classes)
    counts = numpy.bincount(train.labels, minlength=count)
    tests = numpy.bincount(examples.test.labels, minlength=count)
    if count > CLASSES:
        return [f"{count} classes, {counts.min():,} to {counts.max():,} examples each to train on"]
    width = max(len(one) for one in examples.classes)
    digits = len(f"{counts.max():,}")
    rows: list[str] = []
    for name, number, test in zip(examples.classes, counts, tests, strict=True):
        rows.append(f"{name:<{width}}  {number:>{digits},}  {'█' * round(20 * number / counts.max())}{'' if number else ' none'}  (test {test:,})")
    return rows
