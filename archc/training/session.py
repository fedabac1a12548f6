"""A training from beginning to end: data, split, folder, models, the loop, and what is made of it."""

from __future__ import annotations

import json
import math
import os
import signal
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy

from archc.backends.base import Artefact
from archc.backends.files import write_all
from archc.backends.keras.config import config_text
from archc.diagnostics.packages import TRAINING, need
from archc.training import pictures
from archc.training.checkpoint import Checkpoint, latest, parse, write
from archc.training.data.examples import DataError, Part, statistics
from archc.training.folder import (
    CHECKPOINTS,
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
from archc.training.history import artefacts
from archc.training.loading import Loaded, load_data
from archc.training.loop import Trainer, batch_size, evaluate, evaluation_batch, inputs, save_model
from archc.training.recipe import Recipe
from archc.training.reporters import Logged, SessionReporter, Silent
from archc.training.spread import Spread, SpreadError, spread


@dataclass(frozen=True)
class Wishes:
    """What the call asks for beside the recipe. `synthetic` is a number of examples, 0 as many as the data set has, or nothing."""

    folder: Path
    resume: bool = False
    fresh: bool = False
    synthetic: int | None = None
    given: Mapping[str, str] | None = None
    distribute: str | None = None


def train(recipe: Recipe, wishes: Wishes, reporter: SessionReporter) -> dict[str, Any]:
    """Trains a recipe in a folder; gives the results on the test part, in process 0 of several.

    Raises `DataError`, `FolderError`, `SpreadError`, `CompileError`, `Interrupted`, `Diverged`, `OSError`.
    """
    need("keras", "training", install=TRAINING)
    ground = spread(wishes.distribute, recipe)
    reporter = reporter if ground.leads else Silent()
    with ExitStack() as stack:
        with ground.together():
            manifest = None
            if ground.leads:
                check_strangers(wishes.folder)
                stack.enter_context(held(wishes.folder))
                manifest = prepared(recipe, wishes)
            with reporter.working("reading the data"):
                loaded = load_data(recipe, wishes.synthetic)
            facts = all_facts(recipe, wishes, loaded)
            if manifest is not None and wishes.resume:
                if different := differences(manifest["facts"], facts):
                    raise Differs(f"the run cannot go on, for it is another one now: {'; '.join(different)}", "--fresh starts anew, and --set gives values back")
            reporter.data(loaded.examples, loaded.train, loaded.validation)
            check_memory(recipe, loaded)
        with ground.together():
            if different := differences(json.loads(ground.told(json.dumps(facts).encode())), facts):
                raise SpreadError(f"process {ground.process} trains something else than process 0: {'; '.join(different).replace('the checkpoints', 'process 0')}", "give all processes the same recipe, options and data")
        return session(recipe, wishes, reporter, loaded, facts, ground)


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


def session(recipe: Recipe, wishes: Wishes, reporter: SessionReporter, loaded: Loaded, facts: Mapping[str, Any], ground: Spread) -> dict[str, Any]:
    """The run itself, in a folder that is held."""
    from archc.training.build import build

    folder = wishes.folder
    checkpoint, grid = None, []
    with ground.together():
        with reporter.working(f"building {recipe.address}"):
            models = build(recipe, loaded.image, statistics(loaded.train), math.ceil(len(loaded.train) / recipe.run.batch), ground)
        if ground.leads:
            checkpoint, grid = begun(recipe, wishes, reporter, loaded, facts, ground)
    checkpoint = shared(ground, checkpoint)
    shown = Logged(reporter, recipe, folder, grid) if ground.leads else reporter
    trainer = Trainer(recipe, models, loaded.train, loaded.validation, folder, shown, ground)
    if checkpoint is not None:
        try:
            trainer.restore(checkpoint)
        except ValueError as problem:
            raise FolderError(f"the checkpoint in {folder} is another model's: {problem}", "--fresh starts anew") from None
        with ground.together():
            if ground.leads:
                write_all(folder, artefacts(trainer.progress.records))
    if isinstance(shown, Logged):
        shown.records = trainer.progress.records
    complete = trainer.progress.is_done(recipe.run.epochs) and ground.leads and (folder / "result.json").exists()
    reporter.start(trainer, checkpoint is not None)
    if ground.summed(numpy.array([complete], numpy.int32)).any():
        reporter.note("the run is already complete; nothing is written")
        return json.loads((folder / "result.json").read_text(encoding="utf-8")) if ground.leads else {}
    with interruptible(trainer):
        trainer.run()
    return finish(trainer, loaded, reporter)


def begun(recipe: Recipe, wishes: Wishes, reporter: SessionReporter, loaded: Loaded, facts: Mapping[str, Any], ground: Spread) -> tuple[Checkpoint | None, list[Artefact]]:
    """Writes what is known before the first epoch; gives the checkpoint to go on from, and the picture of samples."""
    folder = wishes.folder
    checkpoint, problems = latest(folder / CHECKPOINTS) if wishes.resume else (None, [])
    for one in problems:
        reporter.note(f"{one}; the one before it is used" if checkpoint else f"{one}; training starts from the beginning")
    write_texts(folder, {MANIFEST: manifest_text(recipe, wishes, loaded, facts, ground), "recipe.yaml": recipe.source.text})
    grid = pictures.samples(loaded.train, loaded.examples.classes) if pictures.can_draw() else []
    write_all(folder, grid)
    if not grid:
        reporter.note("no pictures are drawn: matplotlib is not installed (pip install 'archc[train]')")
    return checkpoint, grid


def shared(ground: Spread, checkpoint: Checkpoint | None) -> Checkpoint | None:
    """What process 0 has read, in each process."""
    if ground.processes == 1:
        return checkpoint
    buffer = BytesIO()
    if checkpoint is not None:
        write(buffer, checkpoint)
    data = ground.told(buffer.getvalue())
    return parse(BytesIO(data)) if data else None


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
    recipe, folder, records, ground = trainer.recipe, trainer.folder, trainer.progress.records, trainer.spread
    trainer.models.keep(ground)
    with ground.together():
        if ground.leads:
            save_model(trainer.models.inference, folder / "last.keras")
    with reporter.working("evaluating the best model"):
        take_best(trainer)
        test = loaded.examples.test if len(loaded.examples.test) else loaded.validation
        measured = evaluate(trainer.models.training, test, recipe, ground) if len(test) else {}
        mine = test if ground.processes == 1 else test.take(numpy.arange(ground.process, len(test), ground.processes))
        matrix = ground.summed(confusion(trainer.models.inference, mine, recipe)) if len(test) else None
    if not ground.leads:
        return {}
    epoch = best_epoch(records, recipe.watched, trainer.progress.best)
    result = {"best_epoch": epoch, "best": {"metric": recipe.watched, "value": trainer.progress.best}, "test": measured, "test_examples": len(test), "seconds": round(sum(one["seconds"] for one in records), 1)}
    made = [Artefact.text("result.json", json.dumps(result, indent=1) + "\n")]
    if matrix is not None:
        made.append(pictures.confusion_table(matrix, loaded.examples.classes))
    if pictures.can_draw() and records:
        made += pictures.curves(records, epoch)
        made += pictures.confusion(matrix, loaded.examples.classes) if matrix is not None else []
    write_all(folder, made)
    return result


def take_best(trainer: Trainer) -> None:
    """Gives the models the weights of the best epoch."""
    from archc.training.build import load_keras

    models, ground = trainer.models, trainer.spread
    found = None
    with ground.together():
        if ground.leads:
            best: Any = load_keras().models.load_model(trainer.folder / "best.keras", compile=False)
            found = Checkpoint({f"{at:04d}": one for at, one in enumerate(best.get_weights())}, {})
    found = shared(ground, found)
    assert found is not None
    models.inference.set_weights([one for _, one in sorted(found.arrays.items())])
    if models.kept is not models.network:
        with ground.scope():
            models.network.set_weights(models.kept.get_weights())


def best_epoch(records: list[dict[str, Any]], metric: str, best: float | None) -> int:
    """The first epoch with the best value."""
    return next((one["epoch"] for one in records if one.get(metric) == best), len(records))


def confusion(model: Any, part: Part, recipe: Recipe) -> Any:
    """Counts of examples by their class (rows) and the class they are taken for (columns)."""
    matrix: Any = numpy.zeros((recipe.classes, recipe.classes), numpy.int32)
    if not len(part):
        return matrix
    size = evaluation_batch(recipe, Spread())
    images, _ = inputs(part, recipe, size)
    given: Any = model.predict(images, batch_size=batch_size(images, size), verbose=0)
    numpy.add.at(matrix, (part.labels, given.argmax(axis=1)), 1)
    return matrix


def manifest_text(recipe: Recipe, wishes: Wishes, loaded: Loaded, facts: Mapping[str, Any], ground: Spread) -> str:
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
        "spread": ground.facts(),
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
