"""Arrays: NumPy files, the digits that scikit-learn ships, tensorflow-datasets, and synthetic examples."""

from __future__ import annotations

import importlib
import zipfile
from pathlib import Path
from typing import Any

import numpy

from archc.diagnostics.packages import need
from archc.training.data.examples import DataError, Examples, Part

KEYS = (("x_train", "y_train"), ("x_test", "y_test"))


def load_npz(path: Path) -> Examples:
    """The arrays `x_train`, `y_train`, `x_test` and `y_test` of an `.npz` file; those for testing may be left out. Raises `DataError`."""
    if not path.is_file():
        raise DataError(f"there is no file {path}", "it is an .npz file with the arrays x_train, y_train, x_test and y_test")
    try:
        with path.open("rb") as opened, numpy.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for pair in KEYS for name in pair if name in file}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as problem:
        raise DataError(f"{path} is no .npz file of arrays that can be read: {problem}") from None
    if "x_train" not in arrays or "y_train" not in arrays:
        raise DataError(f"{path} holds no arrays x_train and y_train", "numpy.savez(path, x_train=..., y_train=..., x_test=..., y_test=...)")
    train = part(path, arrays, *KEYS[0])
    test = part(path, arrays, *KEYS[1]) if "x_test" in arrays and "y_test" in arrays else Part(train.images[:0], train.labels[:0])
    count = max(int(one.labels.max()) for one in (train, test) if len(one)) + 1 if len(train) else 1
    return Examples(train, test, tuple(str(one) for one in range(count)))


def part(path: Path, arrays: dict[str, Any], images: str, labels: str) -> Part:
    """One part, its labels whole numbers and its images with a channel."""
    found, classes = arrays[images], arrays[labels]
    classes = classes.reshape(-1) if classes.ndim == 2 and classes.shape[1] == 1 else classes
    if classes.ndim != 1 or classes.dtype.kind not in "iu":
        raise DataError(f"{labels} of {path} is not a list of whole numbers: it has the shape {classes.shape} and the type {classes.dtype}", machine=False)
    if found.dtype.kind not in "uif" or found.ndim < 2:
        raise DataError(f"{images} of {path} is not an array of numbers with an axis for the examples: it has the shape {found.shape} and the type {found.dtype}", machine=False)
    return Part(found[..., None] if found.ndim == 3 else found, classes.astype(numpy.int32))


def load_digits(test: float, seed: int) -> Examples:
    """The 1,797 digits of 8x8 pixels that scikit-learn ships (Alpaydin and Kaynak, 1998), as pixels from 0 to 255. Raises `MissingPackage`."""
    need("sklearn", "the data set of digits")
    datasets: Any = importlib.import_module("sklearn.datasets")
    found = datasets.load_digits()
    pixels: Any = found.images * (255 / 16)
    images: Any = pixels.round().astype(numpy.uint8)[..., None]
    labels = found.target.astype(numpy.int32)
    order = numpy.random.default_rng([seed, 2]).permutation(len(labels))
    count = round(test * len(labels))
    aside, rest = numpy.sort(order[:count]), numpy.sort(order[count:])
    return Examples(Part(images[rest], labels[rest]), Part(images[aside], labels[aside]), tuple("0123456789"))


def load_tfds(name: str, folder: str | None, train: str, test: str) -> Examples:
    """A prepared data set of tensorflow-datasets with images of one size; nothing is downloaded. Raises `DataError`, `MissingPackage`."""
    need("tensorflow_datasets", f"the data set `{name}`")
    tfds: Any = importlib.import_module("tensorflow_datasets")
    try:
        builder = tfds.builder(name, data_dir=str(Path(folder).expanduser()) if folder else None)
        parts = [tfds.as_numpy(builder.as_dataset(split=one, batch_size=-1, as_supervised=True)) for one in (train, test)]
    except Exception as problem:  # its errors are of many kinds
        first = str(problem).strip().splitlines()[0] if str(problem).strip() else type(problem).__name__
        raise DataError(f"tensorflow-datasets cannot give `{name}`: {first}", f"prepare it once, with the network: tfds build {name}") from None
    _, key = builder.info.supervised_keys
    names: list[str] | None = getattr(builder.info.features[key], "names", None)
    if names is None:
        raise DataError(f"`{key}` of `{name}` is no class, and a recipe trains classifiers", machine=False)
    made = [Part(numpy.asarray(images), numpy.asarray(labels).astype(numpy.int32)) for images, labels in parts]
    return Examples(made[0], made[1], tuple(names))


def synthetic(shape: tuple[int, ...], classes: int, train: int, test: int, seed: int) -> Examples:
    """Examples that can be learnt, of a data set's shape and counts: each class a pattern of its own, under noise."""
    random = numpy.random.default_rng([seed, 3])
    coarse = random.uniform(0, 255, (classes, *(max(2, -(-one // 4)) for one in shape[:-1]), shape[-1]))
    patterns: Any = coarse
    for axis, size in enumerate(shape[:-1], start=1):
        patterns = numpy.repeat(patterns, 4, axis=axis).take(numpy.arange(size), axis=axis)
    patterns = patterns.astype(numpy.uint8)

    def make(count: int) -> Part:
        labels = random.permutation(numpy.arange(count) % classes).astype(numpy.int32)
        noise: Any = random.integers(-24, 25, (min(count, 512), *shape), numpy.int16)
        images: Any = numpy.empty((count, *shape), numpy.uint8)
        for start in range(0, count, len(noise) or 1):
            chosen = labels[start : start + len(noise)]
            shown: Any = patterns[chosen].astype(numpy.int16) + noise[: len(chosen)]
            images[start : start + len(noise)] = shown.clip(0, 255)
        return Part(images, labels)

    return Examples(make(train), make(test), tuple(f"class {number}" for number in range(classes)))
