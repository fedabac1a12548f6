"""Examples with labels, and what must hold of them before an epoch is spent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy

BLOCK = 4096
"""Examples that are looked at at once where a pass over all is made."""


class DataError(Exception):
    """Data is missing, damaged or not what it should be; `help` says what to do. `machine`: the files, not the recipe."""

    def __init__(self, message: str, help: str = "", *, machine: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.machine = machine


class Lazy(Protocol):
    """Images that are read when they are asked for: `images[indices]` is `n x height x width x channels`."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, indices: Any) -> Any: ...

    def subset(self, indices: Any) -> Any:
        """The images at some indices, not yet read."""


def in_memory(images: Any) -> bool:
    """True for an array; `Lazy` images are read when they are asked for."""
    return isinstance(images, numpy.ndarray)


@dataclass(frozen=True, eq=False)
class Part:
    """Images and their labels, whole numbers from 0."""

    images: Any
    """An array `n x height x width x channels`, or `Lazy` images."""
    labels: Any

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Any) -> Part:
        """The part with these examples, in this order."""
        return Part(self.images[indices] if in_memory(self.images) else self.images.subset(indices), self.labels[indices])


@dataclass(frozen=True, eq=False)
class Examples:
    """What a data set holds: a part to learn from, a part that only the final evaluation reads, and the classes' names."""

    train: Part
    test: Part
    classes: tuple[str, ...]

    def check(self) -> None:
        """Raises `DataError` where training could not make sense of it."""
        for name, part in (("training", self.train), ("test", self.test)):
            check_part(name, part, len(self.classes))
        if len(numpy.unique(self.train.labels)) < 2:
            raise DataError("all examples of the training part have one label, and nothing can be learnt from them", machine=False)


def check_part(name: str, part: Part, classes: int) -> None:
    """Raises `DataError` where a part is empty, its labels are no classes, or its pixels no numbers."""
    if not len(part):
        if name == "test":
            return
        raise DataError(f"the {name} part is empty", machine=False)
    if len(part.images) != len(part.labels):
        raise DataError(f"the {name} part has {len(part.images):,} images and {len(part.labels):,} labels")
    least, most = int(part.labels.min()), int(part.labels.max())
    if least < 0 or most >= classes:
        at = int(numpy.flatnonzero((part.labels < 0) | (part.labels >= classes))[0])
        raise DataError(f"label {int(part.labels[at])} of example {at} of the {name} part is none of the classes 0 to {classes - 1}", machine=False)
    if in_memory(part.images) and part.images.dtype.kind == "f":
        for start in range(0, len(part), BLOCK):
            block: Any = part.images[start : start + BLOCK]
            finite = numpy.isfinite(block).reshape(len(block), -1).all(axis=1)
            if not finite.all():
                raise DataError(f"example {start + int(numpy.flatnonzero(~finite)[0])} of the {name} part holds values that are not finite", machine=False)


def blocks(part: Part) -> Iterator[Any]:
    """The images in blocks, for a pass over all."""
    for start in range(0, len(part), BLOCK):
        yield part.images[numpy.arange(start, min(start + BLOCK, len(part)))]


def statistics(part: Part) -> dict[str, Any]:
    """Mean and variance over a part's examples, each of an image's shape, in double precision."""
    total: Any = 0.0
    squares: Any = 0.0
    for block in blocks(part):
        wide = block.astype(numpy.float64)
        total = total + wide.sum(axis=0)
        squares = squares + numpy.square(wide).sum(axis=0)
    mean = total / len(part)
    return {"mean": mean, "variance": numpy.maximum(squares / len(part) - mean * mean, 0)}
