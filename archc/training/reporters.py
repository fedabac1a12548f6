"""Who is told how a session goes: a person, the logs beside, or nobody."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from archc.backends.base import Artefact
from archc.training import tensorboard
from archc.training.data.examples import Examples, Part
from archc.training.folder import LOGS
from archc.training.history import Record
from archc.training.loop import Trainer
from archc.training.recipe import Recipe


class SessionReporter(Protocol):
    """Who is told how a session goes."""

    def data(self, examples: Examples, train: Part, validation: Part) -> None:
        """The data is there, checked and split."""

    def start(self, trainer: Trainer, resumed: bool) -> None:
        """Training begins, or goes on."""

    def batch(self, epoch: int, step: int, steps: int, logs: Mapping[str, float]) -> None:
        """A training step is done."""

    def epoch(self, record: Record, improved: bool) -> None:
        """An epoch is done and saved."""

    def note(self, text: str) -> None:
        """Something that the user should know."""

    def working(self, text: str) -> Any:
        """A context in which longer work is shown."""


class Silent(SessionReporter):
    """Nobody: for the processes that follow process 0."""

    def working(self, text: str) -> Any:
        """Not shown."""
        return nullcontext()


class Logged:
    """Tells of epochs, and keeps TensorBoard's log and the curves up to date with them."""

    def __init__(self, reporter: SessionReporter, recipe: Recipe, folder: Path, grid: list[Artefact]) -> None:
        self.reporter = reporter
        self.recipe = recipe
        self.folder = folder
        self.samples = drawn(grid[0]) if grid else None
        self.records: list[dict[str, Any]] = []

    def batch(self, epoch: int, step: int, steps: int, logs: Mapping[str, float]) -> None:
        """Passed on."""
        self.reporter.batch(epoch, step, steps, logs)

    def epoch(self, record: Record, improved: bool) -> None:
        """Passed on, and logged."""
        if tensorboard.can_log():
            tensorboard.write_log(self.folder / LOGS, self.recipe.network.graph, self.records, self.samples)
        self.reporter.epoch(record, improved)


def drawn(artefact: Artefact) -> bytes:
    """The bytes of an artefact."""
    buffer = BytesIO()
    artefact.write(buffer)
    return buffer.getvalue()
