"""A training from beginning to end: data, split, folder, models, the loop, and what is made of it."""

from __future__ import annotations

import json
import math
import os
import signal
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy

from archc.backends.base import Artefact
from archc.backends.files import write_all
from archc.backends.keras.config import config_text
from archc.diagnostics import CompileError, codes, error
from archc.training import pictures, tensorboard
from archc.training.checkpoint import latest
from archc.training.data.arrays import synthetic
from archc.training.data.digest import digest
from archc.training.data.examples import DataError, Examples, Part, statistics
from archc.training.data.split import SplitError, split
from archc.training.folder import (
    CHECKPOINTS,
    LOGS,
    MANIFEST,
    Differs,
    FolderError,
    check_strangers,
    clear,
    differences,
    held,
    read_manifest,
    versions,
    write_texts,
)
from archc.training.history import Record, artefacts
from archc.training.loop import Trainer, batch_size, evaluate, inputs, save_model
from archc.training.recipe import Recipe, class_hint, shape_problems
from archc.training.settings import Placed

FAMILIAR = {"train": 1000, "test": 200}
"""The counts of synthetic examples for a data set whose own are not known."""


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


@dataclass(frozen=True)
class Wishes:
    """What the call asks for beside the recipe. `synthetic` is a number of examples, 0 as many as the data set has, or nothing."""

    folder: Path
    resume: bool = False
    fresh: bool = False
    synthetic: int | None = None
    given: Mapping[str, str] | None = None


@dataclass(frozen=True, eq=False)
class Loaded:
    """Examples in three parts that have none in common."""

    examples: Examples
    train: Part
    validation: Part
    digest: str

    @property
    def image(self) -> tuple[int, ...]:
        """The shape of an example."""
        return tuple(self.train.images.shape[1:])


def load_data(recipe: Recipe, wanted: int | None) -> Loaded:
    """The recipe's data, or synthetic data of its form, checked and split. Raises `DataError`, `CompileError`."""
    data: Placed[Any] = recipe.data
    seed = recipe.run.seed
    holdout: float = data.value.holdout
    if wanted is None:
        examples = data.value.load(recipe.base, seed)
    else:
        train = data.value.train_count or FAMILIAR["train"]
        count = wanted or train
        if isinstance(holdout, int) and count != train:
            holdout = holdout / train
        tests = data.value.test_count or FAMILIAR["test"]
        shape = data.value.image or raw_shape(recipe)
        examples = synthetic(shape, recipe.classes, count, tests if not wanted else max(recipe.classes, round(count * tests / train)), seed)
    examples.check()
    check_fit(recipe, examples)
    try:
        parts = split(len(examples.train), holdout, order=data.value.split, seed=seed)
    except SplitError as problem:
        raise CompileError((error(codes.WRONG_VALUE, data.place("holdout"), str(problem)),)) from None
    return Loaded(examples, examples.train.take(parts.train), examples.train.take(parts.validation), digest(examples))


def raw_shape(recipe: Recipe) -> tuple[int, ...]:
    """The shape of synthetic examples for a data set whose own is not known: what the network takes."""
    return tuple(one or 32 for one in recipe.shape)


def check_fit(recipe: Recipe, examples: Examples) -> None:
    """Raises `CompileError` where examples, now that they are read, do not fit the network."""
    found = list(shape_problems(recipe, tuple(examples.train.images.shape[1:])))
    if len(examples.classes) > recipe.classes:
        found.append(error(codes.DATA_DOES_NOT_FIT, recipe.data.span, f"the data has {len(examples.classes)} classes, and {recipe.address} tells {recipe.classes} apart", help=class_hint(recipe, len(examples.classes))))
    if found:
        raise CompileError(tuple(found))


def train(recipe: Recipe, wishes: Wishes, reporter: SessionReporter) -> dict[str, Any]:
    """Trains a recipe in a folder; gives the results on the test part.

    Raises `DataError`, `FolderError`, `CompileError`, `Interrupted`, `Diverged`, `OSError`.
    """
    if find_spec("keras") is None:
        raise CompileError((error(codes.NO_FRAMEWORK, None, "training needs Keras, and Keras is not installed", help="pip install 'archc[tensorflow]'"),))
    check_strangers(wishes.folder)
    with held(wishes.folder):
        manifest = prepared(recipe, wishes)
        with reporter.working("reading the data"):
            loaded = load_data(recipe, wishes.synthetic)
        facts = all_facts(recipe, wishes, loaded)
        if manifest is not None and wishes.resume:
            if different := differences(manifest["facts"], facts):
                raise Differs(f"the run cannot go on, for it is another one now: {'; '.join(different)}", "--fresh starts anew, and --set gives values back")
        reporter.data(loaded.examples, loaded.train, loaded.validation)
        check_memory(recipe, loaded)
        return session(recipe, wishes, reporter, loaded, facts)


def prepared(recipe: Recipe, wishes: Wishes) -> dict[str, Any] | None:
    """The manifest of the run that is in the folder. Raises `FolderError` where the call does not say what to do with it."""
    manifest = read_manifest(wishes.folder) if not wishes.fresh else None
    if wishes.fresh:
        clear(wishes.folder)
    elif manifest is not None and not wishes.resume:
        raise FolderError(f"{wishes.folder} holds a run of `{manifest['recipe']}` already", "--resume goes on with it, --fresh starts anew, and -o names another folder")
    return manifest


def all_facts(recipe: Recipe, wishes: Wishes, loaded: Loaded) -> dict[str, Any]:
    """What a resumed run must have in common with the one before."""
    from archc.training.build import load_keras

    spec = sha256(config_text(recipe.network.lowered).encode()).hexdigest()[:32]
    return {**recipe.facts(), "spec": spec, "examples": loaded.digest, "synthetic": wishes.synthetic is not None, "backend": load_keras().backend.backend()}


def session(recipe: Recipe, wishes: Wishes, reporter: SessionReporter, loaded: Loaded, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The run itself, in a folder that is held."""
    from archc.training.build import build

    folder = wishes.folder
    checkpoint, problems = latest(folder / CHECKPOINTS) if wishes.resume else (None, [])
    for one in problems:
        reporter.note(f"{one}; the one before it is used" if checkpoint else f"{one}; training starts from the beginning")
    write_texts(folder, {MANIFEST: manifest_text(recipe, wishes, loaded, facts), "recipe.yaml": recipe.source.text})
    grid = pictures.samples(loaded.train, loaded.examples.classes) if pictures.can_draw() else []
    write_all(folder, grid)
    if not grid:
        reporter.note("no pictures are drawn: matplotlib is not installed (pip install 'archc[train]')")
    with reporter.working(f"building {recipe.address}"):
        models = build(recipe, loaded.image, statistics(loaded.train), math.ceil(len(loaded.train) / recipe.run.batch))
    trainer = Trainer(recipe, models, loaded.train, loaded.validation, folder, Logged(reporter, recipe, folder, grid))
    if checkpoint is not None:
        try:
            trainer.restore(checkpoint)
        except ValueError as problem:
            raise FolderError(f"the checkpoint in {folder} is another model's: {problem}", "--fresh starts anew") from None
        write_all(folder, artefacts(trainer.progress.records))
    if isinstance(trainer.reporter, Logged):
        trainer.reporter.records = trainer.progress.records
    complete = trainer.progress.is_done(recipe.run.epochs) and (folder / "result.json").exists()
    reporter.start(trainer, checkpoint is not None)
    if complete:
        reporter.note("the run is already complete; nothing is written")
        return json.loads((folder / "result.json").read_text(encoding="utf-8"))
    with interruptible(trainer):
        trainer.run()
    return finish(trainer, loaded, reporter)


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
    from io import BytesIO

    buffer = BytesIO()
    artefact.write(buffer)
    return buffer.getvalue()


@contextmanager
def interruptible(trainer: Trainer) -> Generator[None]:
    """Ctrl-C once finishes the step and saves; twice stops at once, with the checkpoint before intact."""

    def ask(number: int, frame: Any) -> None:
        if trainer.stop:
            raise KeyboardInterrupt
        trainer.stop = True

    try:
        before = signal.signal(signal.SIGINT, ask)
    except ValueError:  # only the main thread takes signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def finish(trainer: Trainer, loaded: Loaded, reporter: SessionReporter) -> dict[str, Any]:
    """The last model, the best one's results on the test part, curves and the confusion matrix."""
    from archc.training.build import load_keras

    recipe, folder, records = trainer.recipe, trainer.folder, trainer.progress.records
    save_model(trainer.models.inference, folder / "last.keras")
    keras = load_keras()
    with reporter.working("evaluating the best model"):
        best = keras.models.load_model(folder / "best.keras", compile=False)
        trainer.models.inference.set_weights(best.get_weights())
        test = loaded.examples.test if len(loaded.examples.test) else loaded.validation
        measured = evaluate(trainer.models.training, test, recipe) if len(test) else {}
        matrix = confusion(trainer.models.inference, test, recipe) if len(test) else None
    epoch = best_epoch(records, recipe.watched, trainer.progress.best)
    result = {"best_epoch": epoch, recipe.watched: trainer.progress.best, "test": measured, "test_examples": len(test), "seconds": round(sum(one["seconds"] for one in records), 1)}
    made = [Artefact.text("result.json", json.dumps(result, indent=1) + "\n")]
    if matrix is not None:
        made.append(pictures.confusion_table(matrix, loaded.examples.classes))
    if pictures.can_draw() and records:
        made += pictures.curves(records, epoch)
        made += pictures.confusion(matrix, loaded.examples.classes) if matrix is not None else []
    write_all(folder, made)
    return result


def best_epoch(records: list[dict[str, Any]], metric: str, best: float | None) -> int:
    """The first epoch with the best value."""
    return next((one["epoch"] for one in records if one.get(metric) == best), len(records))


def confusion(model: Any, part: Part, recipe: Recipe) -> Any:
    """Counts of examples by their class (rows) and the class they are taken for (columns)."""
    images, _ = inputs(part, recipe)
    size = recipe.run.validation_batch or 2 * recipe.run.batch
    given: Any = model.predict(images, batch_size=batch_size(images, size), verbose=0)
    matrix: Any = numpy.zeros((recipe.classes, recipe.classes), numpy.int64)
    numpy.add.at(matrix, (part.labels, given.argmax(axis=1)), 1)
    return matrix


def manifest_text(recipe: Recipe, wishes: Wishes, loaded: Loaded, facts: Mapping[str, Any]) -> str:
    """The manifest: what was trained on what, by which versions."""
    counts = {"train": len(loaded.train), "validation": len(loaded.validation), "test": len(loaded.examples.test)}
    value = {
        "recipe": recipe.name,
        "network": recipe.address,
        "recipe_path": str(recipe.path.resolve()) if recipe.path else None,
        "given": dict(wishes.given or {}),
        "synthetic": wishes.synthetic,
        "seed": recipe.run.seed,
        "image": list(loaded.image),
        "classes": list(loaded.examples.classes),
        "examples": counts,
        "versions": versions(),
        "facts": facts,
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def check_memory(recipe: Recipe, loaded: Loaded) -> None:
    """Raises `DataError` where a training step cannot fit into the machine's memory."""
    need, have = needed_bytes(recipe, min(recipe.run.batch, len(loaded.train))), memory()
    if have is not None and need > have:
        raise OutOfMemory(recipe.run.batch, need, have)


class OutOfMemory(DataError):
    """A step of a batch needs more than there is."""

    def __init__(self, batch: int, need: int, have: int | None) -> None:
        there = f", and the machine has {have / 1e9:.1f} GB" if have is not None else ""
        super().__init__(f"a training step of {batch:,} examples needs about {need / 1e9:.1f} GB{there}", "make `batch` smaller: --set batch=32")


def needed_bytes(recipe: Recipe, batch: int) -> int:
    """An estimate: all outputs kept for the way back and their gradients, and weights with gradients and the optimiser's state."""
    values = sum(math.prod(size or 1 for size in shape) for node in recipe.network.graph.nodes for shape in node.shapes)
    weights = recipe.network.analysed.cost.params
    return 4 * (2 * batch * values + 4 * weights)


def memory() -> int | None:
    """The machine's memory in bytes, where the system tells."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
