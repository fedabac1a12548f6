"""A trained network, taken up again from the folder of its run: for measuring, and for telling what images show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from archc.diagnostics import Source
from archc.diagnostics.packages import TRAINING, need
from archc.language.document import Value, read
from archc.training.data.examples import DataError
from archc.training.data.images import read_image
from archc.training.folder import FolderError, read_manifest
from archc.training.recipe import Recipe, load_recipe

MODELS = ("best", "last")


@dataclass(frozen=True, eq=False)
class Trained:
    """The manifest and the model of a run."""

    folder: Path
    manifest: dict[str, Any]
    model: Any

    @property
    def classes(self) -> list[str]:
        """The names of the classes, in the order of the outputs."""
        return list(self.manifest["classes"])


def open_run(folder: Path, which: str = "best") -> Trained:
    """The run in a folder, with its best or last model. Raises `FolderError`, `MissingPackage`."""
    need("keras", "a trained network", install=TRAINING)
    from archc.training.build import load_keras

    manifest = read_manifest(folder)
    path = folder / f"{which}.keras"
    if manifest is None or not path.is_file():
        raise FolderError(f"{folder} holds no trained network" if manifest is None else f"{folder} holds no {path.name} yet", "name the folder that `archc train` wrote")
    try:
        model = load_keras().models.load_model(path, compile=False)
    except (ValueError, OSError, KeyError, TypeError) as problem:
        first = str(problem).strip().splitlines()[0][:200]
        raise FolderError(f"{path} cannot be loaded: {first}", "train again with `--resume`, or use --model last") from None
    return Trained(folder, manifest, model)


def recipe_of(run: Trained) -> Recipe:
    """The recipe of a run, from the copy in its folder, with what was given on the command line. Raises `CompileError`, `AddressError`."""
    given: dict[str, Value] = {name: read(Source(f"--set {name}", text)) for name, text in run.manifest["given"].items()}
    path = run.manifest["recipe_path"]
    return load_recipe(str(run.folder / "recipe.yaml"), given, beside=Path(path) if path else None)


def _image(path: Path, size: tuple[int, int], channels: int) -> Any:
    try:
        return read_image(path, size, channels)
    except DataError as problem:
        raise DataError(problem.message, "name a file that holds an image, such as a PNG or JPEG") from None


def predict(run: Trained, paths: list[Path], top: int) -> list[list[tuple[str, float]]]:
    """For each image, the likeliest classes with their probabilities. Raises `DataError`."""
    height, width, channels = run.manifest["image"]
    images: Any = numpy.stack([_image(one, (height, width), channels) for one in paths])
    given: Any = numpy.asarray(run.model.predict(images, batch_size=32, verbose=0), numpy.float64)
    if (given < 0).any() or not numpy.allclose(given.sum(axis=1), 1, atol=1e-2):
        # The network ends with logits.
        given = numpy.exp(given - given.max(axis=1, keepdims=True))
        given /= given.sum(axis=1, keepdims=True)
    found: list[list[tuple[str, float]]] = []
    for row in given:
        best = numpy.argsort(-row, kind="stable")[:top]
        found.append([(run.classes[int(one)] if int(one) < len(run.classes) else str(one), float(row[one])) for one in best])
    return found
