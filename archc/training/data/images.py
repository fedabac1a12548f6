"""A folder of images, one folder for each class; read when a batch asks for them. Needs Pillow."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from archc.diagnostics.packages import need
from archc.training.data.examples import DataError, Examples, Part

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Images in files, each read at one size and number of channels."""

    paths: Any
    size: tuple[int, int]
    channels: int

    @property
    def shape(self) -> tuple[int, ...]:
        """As an array of all of them would have it."""
        return (len(self.paths), *self.size, self.channels)

    @property
    def dtype(self) -> Any:
        """Of the pixels."""
        return numpy.dtype(numpy.uint8)

    def __len__(self) -> int:
        return len(self.paths)

    def subset(self, indices: Any) -> ImageFiles:
        """The files at some indices."""
        return ImageFiles(self.paths[indices], self.size, self.channels)

    def __getitem__(self, indices: Any) -> Any:
        chosen = self.paths[indices]
        if isinstance(chosen, str):
            return read_image(Path(chosen), self.size, self.channels)
        found: Any = numpy.empty((len(chosen), *self.size, self.channels), numpy.uint8)
        for at, path in enumerate(chosen):
            found[at] = read_image(Path(path), self.size, self.channels)
        return found


def read_image(path: Path, size: tuple[int, int] | None, channels: int) -> Any:
    """An image's pixels as bytes, at a size (height, width). Raises `DataError`."""
    image: Any = pillow()
    try:
        with image.open(path) as opened:
            picture = opened.convert("L" if channels == 1 else "RGB")
            if size is not None and picture.size != (size[1], size[0]):
                picture = picture.resize((size[1], size[0]), image.Resampling.BILINEAR)
            pixels: Any = numpy.asarray(picture, numpy.uint8)
    except FileNotFoundError:
        raise DataError(f"there is no image {path}") from None
    except (OSError, ValueError, SyntaxError) as problem:
        raise DataError(f"{path} is no image that can be read: {problem}", "remove it from the folder, or save it anew") from None
    return pixels[..., None] if pixels.ndim == 2 else pixels


def pillow() -> Any:
    """Pillow's module for images. Raises `MissingPackage` where it is not installed."""
    need("PIL", "reading images")
    return importlib.import_module("PIL.Image")


def load(folder: Path, size: tuple[int, int], channels: int, test: float, seed: int) -> Examples:
    """The images below a folder: `train/` and `test/` with a folder for each class, or those folders alone, of whose
    images a share is then put aside for testing. Raises `DataError`."""
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}", "it holds one folder of images for each class, or `train/` and `test/` that do")
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        classes = class_names(folder / "train")
        unknown = sorted(set(class_names(folder / "test")) - set(classes))
        if unknown:
            raise DataError(f"{folder / 'test'} has the class `{unknown[0]}`, which {folder / 'train'} has not")
        return Examples(listed(folder / "train", classes, size, channels), listed(folder / "test", classes, size, channels), classes)
    classes = class_names(folder)
    every = listed(folder, classes, size, channels)
    order = numpy.random.default_rng([seed, 2]).permutation(len(every))
    count = round(test * len(every))
    return Examples(every.take(numpy.sort(order[count:])), every.take(numpy.sort(order[:count])), classes)


def class_names(folder: Path) -> tuple[str, ...]:
    """The folders in a folder, by name. Raises `DataError` where there are none."""
    names = tuple(sorted(one.name for one in folder.iterdir() if one.is_dir() and not one.name.startswith(".")))
    if not names:
        raise DataError(f"{folder} holds no folders", "it holds one folder of images for each class")
    return names


def listed(folder: Path, classes: Sequence[str], size: tuple[int, int], channels: int) -> Part:
    """The images of each class, in the order of their names. Raises `DataError` where a class has none."""
    paths: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        inside = folder / name
        files = sorted(str(one) for one in inside.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file()) if inside.is_dir() else []
        paths += files
        labels += [label] * len(files)
    if not paths:
        raise DataError(f"{folder} holds no images", f"images end in {', '.join(SUFFIXES)}")
    return Part(ImageFiles(numpy.array(paths), size, channels), numpy.array(labels, numpy.int32))
