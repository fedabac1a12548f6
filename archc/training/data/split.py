"""Which examples are trained on, and which are held out: two index sets that cannot overlap.

The mistake that this module exists for: `train = train[:-5000]` first, and then `validation = train[-5000:]` of what is
left. The sizes look right, and every validation example is trained on. Here both parts are cut from one list of
indices, and the result is checked before anyone gets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Indices = NDArray[numpy.int64]


class SplitError(Exception):
    """The examples cannot be split in this way."""


@dataclass(frozen=True)
class Split:
    """Indices of the examples to train on and of those held out, each rising."""

    train: Indices
    validation: Indices

    def verify(self, count: int) -> None:
        """Raises `SplitError` unless each of `count` examples is in one part, and in one only."""
        seen: Any = numpy.zeros(count, numpy.int64)
        numpy.add.at(seen, self.train, 1)
        numpy.add.at(seen, self.validation, 1)
        if not (seen == 1).all():
            raise SplitError(f"{int((seen > 1).sum())} examples are in both parts, and {int((seen == 0).sum())} in neither")


def held_out(count: int, holdout: float) -> int:
    """How many of `count` examples a holdout means: itself, or a fraction of them. Raises `SplitError`."""
    size = holdout if isinstance(holdout, int) else round(holdout * count)
    if size >= count:
        raise SplitError(f"{size:,} of {count:,} examples are held out, and none is left to train on")
    if not isinstance(holdout, int) and size == 0:
        raise SplitError(f"{holdout:g} of {count:,} examples is less than one")
    return size


def split(count: int, holdout: float, *, order: str = "last", seed: int = 0) -> Split:
    """Splits `count` examples: the last ones are held out, or ones drawn with a seed.

    >>> parts = split(50_000, 5_000)
    >>> len(parts.train), parts.validation[0], parts.validation[-1]
    (45000, 45000, 49999)
    """
    size = held_out(count, holdout)
    every: Any = numpy.arange(count)
    if order == "random":
        every = numpy.random.default_rng([seed, 1]).permutation(count)
    parts = Split(numpy.sort(every[: count - size]), numpy.sort(every[count - size :]))
    parts.verify(count)
    return parts
