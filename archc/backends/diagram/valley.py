"""The form of a U: down on the left to ever smaller maps, up again on the right, and lines straight across."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from archc.backends.diagram.measure import BAND, GAP, Measurer, Size
from archc.backends.diagram.structure import Frame, Leaf, Mesh, Parallel, Part, Series, boxes_of, boxes_within
from archc.backends.diagram.tree import Box, Edge

SHALLOWEST = 2
ACROSS = 56.0
Skip = tuple[int, int]


@dataclass(eq=False)
class Valley:
    """Levels from the top down, each with its left and right series and the line across, and what lies at the bottom."""

    lefts: list[Series]
    rights: list[Series]
    skips: list[Skip | None]
    bottom: Series
    foot: float = 0.0

    @property
    def steps(self) -> list[Series]:
        """All series in the order of the flow."""
        return [*self.lefts, self.bottom, *reversed(self.rights)]


def valley(series: Series, boxes: list[Box], edges: Iterable[Edge]) -> Valley | None:
    """The valley that a network is, if it is one."""
    wires = sorted({(edge.tail, edge.head) for edge in edges})
    found = Valley([], [], [], series)
    while (level := _level(found.bottom, wires)) is not None:
        place, skip = level
        parallel = found.bottom.parts[place]
        assert isinstance(parallel, Parallel)
        found.lefts.append(Series(found.bottom.parts[:place]))
        found.rights.append(Series(found.bottom.parts[place + 1 :]))
        found.skips.append(skip)
        found.bottom = parallel.branches[0]
    sizes = [_area(boxes[skip[0]]) for skip in found.skips if skip]
    if len(sizes) < SHALLOWEST or any(one <= other for one, other in pairwise(sizes)) or not found.bottom.parts:
        return None
    for right, skip in zip(found.rights, found.skips, strict=True):
        assert skip is not None
        _bring_forward(right, skip[1])
    last = found.bottom.parts[-1]
    if len(found.bottom.parts) > 1 and isinstance(last, Leaf) and _area(last.box) >= sizes[-1]:
        found.rights.append(Series([last]))
        found.lefts.append(Series([]))
        found.skips.append(None)
        found.bottom = Series(found.bottom.parts[:-1])
    return found


def _level(series: Series, wires: list[Skip]) -> tuple[int, Skip] | None:
    """Where a series has a part that one line passes by, on the way to smaller maps; and that line."""
    for number, part in enumerate(series.parts[:-1]):
        if number and isinstance(part, Parallel) and part.bypass and len(part.branches) == 1 and not part.dead:
            before = series.parts[number - 1]
            if _shrinks(before, part.branches[0]):
                tails, heads = set(boxes_of(before)), set(boxes_of(series.parts[number + 1]))
                skip = next((wire for wire in wires if wire[0] in tails and wire[1] in heads), None)
                if skip is not None:
                    return number, skip
    return None


def _shrinks(before: Part, branch: Series) -> bool:
    """True where a branch goes on with smaller maps."""
    return any(_area(_last(part)) < _area(_last(before)) for part in branch.parts[:3])


def _last(part: Part) -> Box:
    """The last box of a part."""
    while not isinstance(part, Leaf):
        if isinstance(part, Mesh):
            return boxes_within(part)[-1]
        inner = part.body if isinstance(part, Frame) else part.branches[-1] if isinstance(part, Parallel) and part.branches else part
        part = inner.dead[-1] if isinstance(inner, Parallel) else inner.parts[-1]
    return part.box


def _bring_forward(series: Series, box: int) -> None:
    """Puts the branch that a line across leads to first, so that the line crosses no other."""
    for part in series.parts:
        if isinstance(part, Frame):
            _bring_forward(part.body, box)
        elif isinstance(part, Parallel):
            part.branches.sort(key=lambda one: box not in boxes_of(one))
            for one in part.branches:
                _bring_forward(one, box)


def _area(box: Box) -> int:
    """The number of places of the map that a box makes."""
    area = 1
    for one in box.copies[-1][-1].shape[:-1]:
        area *= one or 1
    return area


def measure(found: Valley, measurer: Measurer) -> Size:
    """The room of a valley: what a line across leads to stands in the row of what it comes from."""
    lefts, rights = [measurer.series(one) for one in found.lefts], [measurer.series(one) for one in found.rights]
    bottom = measurer.series(found.bottom)
    column = max(one.after for one in (*lefts, bottom)) + ACROSS + max(one.before for one in rights)
    at, end = 0.0, -1e9
    places: list[tuple[Size, float, float, int]] = []
    for number, (left, right, skip) in enumerate(zip(lefts, rights, found.skips, strict=True)):
        start = end + GAP
        if skip is not None:
            tail, head = middle(left, skip[0]), middle(right, skip[1], back=True)
            assert tail is not None
            assert head is not None
            at = max(at, start + head - tail)
            start = at + tail - head
        places += [(left, at, 0.0, number), (right, start, column, 2 * len(lefts) - number)]
        end = start + right.length
        at += left.length + (GAP if left.children else 0.0)
    places.append((bottom, at, 0.0, len(lefts)))
    top = min(start for _, start, _, _ in places)
    found.foot = max(at + bottom.length, end) + BAND - top
    size = Size(found, max(one.before for one in (*lefts, bottom)), column + max(one.after for one in rights), found.foot)
    for child, start, across, number in places:
        child.number = number
        size.children.append((child, start - top, across))
    return size


def middle(size: Size, box: int, *, back: bool = False) -> float | None:
    """How far into a part the middle of a box lies, in a part that is placed forwards or back."""
    if isinstance(size.part, Leaf):
        half = size.box_length / 2
        return (size.length - half if back else half) if size.part.box.id == box else None
    for child, at, _ in size.children:
        inner = middle(child, box, back=back)
        if inner is not None:
            return inner + (size.length - at - child.length if back and not isinstance(size.part, Frame) else at)
    return None
