"""The form of a U: down on the left to ever smaller maps, up again on the right, and lines straight across."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from archc.backends.diagram.measure import BAND, GAP, Measurer, Size
from archc.backends.diagram.structure import Frame, Leaf, Parallel, Part, Series
from archc.backends.diagram.tree import Box

SHALLOWEST = 2
ACROSS = 56.0


@dataclass(eq=False)
class Valley:
    """Levels from the top down, each with its left and right series, and what lies at the bottom."""

    lefts: list[Series]
    rights: list[Series]
    bottom: Series
    foot: float = 0.0

    @property
    def steps(self) -> list[Series]:
        """All series in the order of the flow."""
        return [*self.lefts, self.bottom, *reversed(self.rights)]


def valley(series: Series) -> Valley | None:
    """The valley that a network is, if it is one."""
    lefts: list[Series] = []
    rights: list[Series] = []
    sizes: list[int] = []
    at = series
    while (place := _level(at)) is not None:
        parallel, merge = at.parts[place], at.parts[place + 1]
        assert isinstance(parallel, Parallel)
        assert isinstance(merge, Leaf)
        lefts.append(Series(at.parts[:place]))
        rights.append(Series(at.parts[place + 1 :]))
        sizes.append(_area(merge.box))
        at = parallel.branches[0]
    if len(sizes) < SHALLOWEST or any(one <= other for one, other in pairwise(sizes)) or not at.parts:
        return None
    last = at.parts[-1]
    if len(at.parts) > 1 and isinstance(last, Leaf) and _area(last.box) >= sizes[-1]:
        rights[-1:] = [rights[-1], Series([last])]
        lefts.append(Series([]))
        at = Series(at.parts[:-1])
    return Valley(lefts, rights, at)


def _level(series: Series) -> int | None:
    """Where a series has its part that one line passes by into a merge, with something before it."""
    for number, (part, following) in enumerate(zip(series.parts, series.parts[1:], strict=False)):
        if isinstance(part, Parallel) and part.bypass and len(part.branches) == 1 and not part.dead and number:
            merges = isinstance(following, Leaf) and (following.box.is_bar or following.box.is_sign)
            if merges and _shrinks(series.parts[number - 1], part.branches[0]):
                return number
    return None


def _shrinks(before: Part, branch: Series) -> bool:
    """True where a branch goes on with smaller maps."""
    boxes = [_first(part) for part in branch.parts]
    start = _area(_last(before))
    return any(box is not None and _area(box) < start for box in boxes[:3])


def _first(part: Part) -> Box | None:
    if isinstance(part, Leaf):
        return part.box
    return _first(part.body.parts[0]) if isinstance(part, Frame) and part.body.parts else None


def _last(part: Part) -> Box:
    while isinstance(part, Frame):
        part = part.body.parts[-1]
    if isinstance(part, Parallel):
        part = part.branches[-1].parts[-1]
        return _last(part)
    assert isinstance(part, Leaf)
    return part.box


def _area(box: Box) -> int:
    """The number of places of the map that a box makes."""
    area = 1
    for one in box.copies[-1][-1].shape[:-1]:
        area *= one or 1
    return area


def measure(found: Valley, measurer: Measurer) -> Size:
    """The room of a valley: each merge stands in the row of the box whose line crosses over to it."""
    lefts, rights = [measurer.series(one) for one in found.lefts], [measurer.series(one) for one in found.rights]
    bottom = measurer.series(found.bottom)
    size = Size(found, 0.0, 0.0, 0.0)  # pyright: ignore[reportArgumentType]
    column = max(one.after for one in (*lefts, bottom)) + ACROSS + max(one.before for one in rights)
    at, floor = 0.0, -1e9
    places: list[tuple[Size, float, float, int]] = []
    for number, (left, right) in enumerate(zip(lefts, rights, strict=True)):
        reach = end_of(left) if left.children else 0.0
        merge = right.children[0][0].box_length / 2
        at = max(at, floor + GAP + right.length - merge - reach)
        places.append((left, at, 0.0, number))
        floor = at + reach + merge
        places.append((right, floor - right.length, column, 2 * len(lefts) - number))
        at += left.length + (GAP if left.children else 0.0)
    places.append((bottom, at, 0.0, len(lefts)))
    foot = max(at + bottom.length, floor) + BAND
    top = min(one for _, one, _, _ in places)
    for child, start, across, number in places:
        child.number = number
        size.children.append((child, start - top, across))
    found.foot = foot - top
    size.length = found.foot
    size.before = max(max(one.before for one in (*lefts, bottom)), 0.0)
    size.after = column + max(one.after for one in rights)
    return size


def end_of(size: Size) -> float:
    """How far into a part the middle of its last box lies."""
    child, at, _ = [one for one in size.children if not one[0].dead][-1] if size.children else (size, 0.0, 0.0)
    return size.box_length / 2 if child is size else at + end_of(child)
