"""The points of a sweep: axes of values, their grid, and a sample of it. No point is made before it is asked for."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

NUMBER = r"[+-]?[0-9]+(?:\.[0-9]+)?"
RANGE = re.compile(rf"({NUMBER})\.\.({NUMBER})(?::({NUMBER}))?")
AXIS_LIMIT = 100_000
POINT_LIMIT = 10**12
SAMPLE_LIMIT = 10**8


class GridError(Exception):
    """An axis cannot be read; holds a sentence and a hint."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter and the texts of its values, each as `--set` would take it alone."""

    name: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """All combinations of the axes' values; the last axis varies fastest."""

    axes: tuple[Axis, ...]

    @property
    def size(self) -> int:
        """The number of points."""
        return math.prod(len(one.texts) for one in self.axes)

    def places(self, point: int) -> list[int]:
        """For each axis, which of its values a point has."""
        found: list[int] = []
        for axis in reversed(self.axes):
            point, place = divmod(point, len(axis.texts))
            found.append(place)
        return found[::-1]

    def words(self, point: int) -> str:
        """A point as a person would set it: `width=1.2, depth=1.4`."""
        return ", ".join(f"{axis.name}={axis.texts[place]}" for axis, place in zip(self.axes, self.places(point), strict=True))


def axis(word: str) -> Axis:
    """The axis of a text such as `width=0.5..2.0:0.1,3`. Raises `GridError`.

    >>> axis("width=0.5..0.7:0.1,2").texts
    ('0.5', '0.6', '0.7', '2')
    """
    name, sign, text = word.partition("=")
    if not sign or not name:
        raise GridError(f"--set takes NAME=VALUES, and this is `{word}`", "for instance --set width=0.5..2.0:0.1 or --set depth=1,1.2,1.4")
    texts: list[str] = []
    for part in _parts(text):
        if not part:
            raise GridError(f"--set {name}: a value is missing in `{text}`", "write values between commas, as in 1,1.2,1.4")
        texts.extend(_values(name, part, AXIS_LIMIT - len(texts)))
    return Axis(name, tuple(dict.fromkeys(texts)))


def grid(words: Sequence[str]) -> Grid:
    """The grid of the `--set` words. Raises `GridError`."""
    axes = tuple(axis(one) for one in words)
    names = [one.name for one in axes]
    twice = next((one for at, one in enumerate(names) if one in names[:at]), None)
    if twice is not None:
        raise GridError(f"--set {twice} is given twice", "list all of its values in one: 1,1.2,1.4")
    found = Grid(axes)
    if found.size > POINT_LIMIT:
        raise GridError(f"the grid has {found.size:,} points, and at most {POINT_LIMIT:,} are allowed", "take fewer values")
    return found


def points(grid: Grid, sample: int | None, seed: int) -> Sequence[int]:
    """The points to visit, in the grid's order: all of them, or a random sample without repetition."""
    if sample is None or sample >= grid.size:
        return range(grid.size)
    return sorted(random.Random(seed).sample(range(grid.size), sample))  # noqa: S311 - a sample, not a secret


def _values(name: str, text: str, room: int) -> Iterator[str]:
    """The values of a range, ends included, or one value as it is written."""
    found = RANGE.fullmatch(text)
    if found is None:
        if ".." in text and re.fullmatch(r"[-+0-9.:eE]+", text):
            raise GridError(f"--set {name}: `{text}` is no range", "a range is START..END or START..END:STEP, as in 0.5..2.0:0.1")
        if room < 1:
            raise _too_many(name)
        yield text
        return
    start, end, step = Decimal(found[1]), Decimal(found[2]), Decimal(found[3] or "1")
    if step <= 0 or end < start:
        raise GridError(f"--set {name}: the range `{text}` has no values", "a range goes up, by a step above 0")
    count = int((end - start) / step) + 1
    if count > room:
        raise _too_many(name)
    whole = all("." not in one for one in found.groups() if one)
    places = max(len(one.partition(".")[2]) for one in found.groups() if one)
    for at in range(count):
        value = start + at * step
        yield str(int(value)) if whole else f"{value:.{max(1, places)}f}"


def _too_many(name: str) -> GridError:
    return GridError(f"--set {name} has more than {AXIS_LIMIT:,} values", "take a larger step, or --sample points of a coarser grid")


def _parts(text: str) -> list[str]:
    """The texts between commas that stand in no bracket and no quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        else:
            depth += (letter in "[{(") - (letter in "]})")
            if letter == "," and depth <= 0:
                parts.append("")
                continue
        parts[-1] += letter
    return [one.strip() for one in parts]
