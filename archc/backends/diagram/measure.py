"""Structure -> sizes: how much room each part takes, along the flow and across it, and where its inner parts stand.

All is told in two axes, `along` the flow and `across` it, so that drawings from top to bottom and from left to right are
made by one rule. Across, a part is measured from the line on which flow enters it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from archc.backends.diagram import words
from archc.backends.diagram.mesh import BoxRoom, Margins, Woven, weave
from archc.backends.diagram.metrics import text_width
from archc.backends.diagram.structure import Frame, Leaf, Mesh, Parallel, Part, Series
from archc.backends.diagram.styles import room_beside
from archc.backends.diagram.tree import Box, Cluster, Direction
from archc.operators import Role

TEXT, SMALL, TITLE = 9.5, 8.0, 9.5
LINE = 12.0
GAP = 15.0
BAND = 15.0
BUS = 3.0
"""How far inside of its band the line runs that spreads or gathers branches."""
ASIDE = 14.0
LANE = 13.0
PADDING = 8.0
HEADER = 15.0
CIRCLE = 17.0
BAR = 15.0


@dataclass(eq=False)
class Size:
    """The room of a part: `before` and `after` its entering line, its length, and where flow leaves it."""

    part: object
    before: float
    after: float
    length: float
    leave: float = 0.0
    children: list[tuple[Size, float, float]] = field(default_factory=list["tuple[Size, float, float]"])
    """Inner parts, each with its place along and across."""
    lane: float = 0.0
    """Where the line runs that passes by."""
    label: str = ""
    half: float = 0.0
    box_length: float = 0.0
    """A box's own reach and length, without its label."""
    number: int = 0
    """Its place among the parts of its series, or among the branches."""
    dead: bool = False


class Measurer:
    """Measures the parts of one drawing; `labels` are the shapes that boxes' lines carry, by box."""

    def __init__(self, direction: Direction, labels: dict[int, str]) -> None:
        self._down = direction == "TB"
        self._labels = labels
        self._sizes: dict[int, tuple[float, float]] = {}
        self._woven: dict[Mesh, Woven] = {}

    def series(self, series: Series) -> Size:
        """Parts one after the other, those that lead nowhere at their side."""
        size = Size(series, 0.0, 0.0, 0.0)
        aside: list[tuple[Size, float, int]] = []
        wide = self._common_width(series)
        at, across = 0.0, 0.0
        for number, part in enumerate(series.parts):
            following = series.parts[number + 1] if number + 1 < len(series.parts) else None
            before = series.parts[number - 1] if number else None
            if isinstance(part, Parallel):
                aside += [(self.series(one), at + (BAND * 1.6 if at else 0.0), number) for one in part.dead]
                if not part.branches:
                    at += BAND * 0.6
                    continue
                child = self._parallel(part, following)
            elif isinstance(part, Frame):
                child = self._frame(part)
            elif isinstance(part, Mesh):
                child = self._mesh(part)
            else:
                child = self._leaf(part, before, wide, size.children)
            child.number = number
            if size.children:
                at += GAP
            size.children.append((child, at, across))
            at += child.length
            across += child.leave
        size.length, size.leave = at, across
        for child, _, offset in size.children:
            size.before = max(size.before, child.before - offset)
            size.after = max(size.after, child.after + offset)
        for child, start, number in aside:
            child.number, child.dead = number, True
            self._beside(size, child, start)
        return size

    def _beside(self, size: Size, child: Size, start: float) -> None:
        """Puts a side branch to the right of what stands in its rows; to the left where another one is in the way."""
        stop = start + child.length
        beside = [one for one in size.children if one[1] < stop and one[1] + one[0].length > start]
        crossed = any(one.dead and offset > 0 and at < start for one, at, offset in beside)
        if crossed:
            across = min([*(offset - one.before for one, _, offset in beside), 0.0]) - ASIDE - child.after
        else:
            across = max([*(offset + one.after for one, _, offset in beside), 0.0]) + ASIDE + child.before
        size.children.append((child, start, across))
        size.after = max(size.after, across + child.after)
        size.before = max(size.before, child.before - across)
        size.length = max(size.length, stop)

    def _common_width(self, series: Series) -> float:
        """Boxes of one line are equally wide, which is calmer."""
        if not self._down:
            return 0.0
        return max([self._box_size(part.box)[0] for part in series.parts if isinstance(part, Leaf) and _plain(part.box)], default=0.0)

    def _leaf(self, leaf: Leaf, before: Part | None, wide: float, placed: list[tuple[Size, float, float]]) -> Size:
        width, height = self._box_size(leaf.box)
        if _plain(leaf.box):
            width = max(width, wide)
        elif leaf.box.is_bar and isinstance(before, Parallel) and placed:
            span = _span(placed[-1][0])
            width, height = (max(width, span), height) if self._down else (width, max(height, span))
        length, half = (height, width / 2) if self._down else (width, height / 2)
        size = Size(leaf, half, half, length, label=self._labels.get(leaf.box.id, ""), half=half, box_length=length)
        if leaf.box.shortcut:
            size.after += LANE
        if size.label:
            room = text_width(size.label, SMALL)
            if self._down:
                size.length += 8.0
                size.after = max(size.after, room + 6.0)
            else:
                size.length += max(0.0, room + 4.0 - GAP + 7.0)
                size.before = max(size.before, 12.0)
        return size

    def _box_size(self, box: Box) -> tuple[float, float]:
        """A box's size, which is asked for with every way to break the page."""
        if box.id not in self._sizes:
            self._sizes[box.id] = box_size(box)
        return self._sizes[box.id]

    def _frame(self, frame: Frame) -> Size:
        body = self.series(frame.body)
        title = frame_title(frame)
        header = HEADER if title else 0.0
        room = text_width(title, TITLE, frame.cluster.count > 1) + 12.0 if title else 0.0
        size = Size(frame, body.before + PADDING, body.after + PADDING, body.length + 2 * PADDING, body.leave)
        if self._down:
            size.before = max(size.before, room)
            size.length += header
        else:
            size.before += header
            size.length = max(size.length, room + 6.0)
        size.children = [(body, PADDING + (header if self._down else 0.0), 0.0)]
        return size

    def _mesh(self, mesh: Mesh) -> Size:
        """Boxes in layers, in their frames; found once for all ways to break the page."""
        made = self._woven.get(mesh)
        if made is None:
            made = self._woven[mesh] = self._weave(mesh)
        return Size(made, made.before, made.after, made.length, made.leave)

    def _weave(self, mesh: Mesh) -> Woven:
        header = (HEADER, 0.0) if self._down else (0.0, HEADER)
        margins = Margins(PADDING + header[0], PADDING, PADDING + header[1], PADDING)
        return weave(mesh, self._room, margins, self._title_room)

    def _room(self, box: Box) -> BoxRoom:
        one = self._leaf(Leaf(box), None, 0.0, [])
        return BoxRoom(one.before, one.after, one.half, one.length, one.box_length)

    def _title_room(self, cluster: Cluster) -> float:
        title = words.shown(frame_label(cluster))
        return text_width(title, TITLE, cluster.count > 1) + 14.0 if title and self._down else 0.0

    def _parallel(self, parallel: Parallel, following: Part | None) -> Size:
        """Branches side by side, each in the middle of the length that the longest one needs."""
        size = Size(parallel, 0.0, 0.0, 0.0)
        branches = [self.series(one) for one in parallel.branches]
        longest = max(one.length for one in branches)
        box = following.box if isinstance(following, Leaf) else None
        scaled = box is not None and box.head.operator.name == "multiply" and parallel.bypass
        places: list[float] = []
        at = LANE if scaled else -branches[0].before
        for one in branches:
            places.append(at + one.before)
            at += one.before + one.after + ASIDE
        middle = 0.0 if box is None or not box.is_bar else (places[0] + places[-1]) / 2
        if len(places) > 1 and (box is None or all(_starts(one) for one in parallel.branches)):
            middle = (places[0] + places[-1]) / 2
        for number, (one, place) in enumerate(zip(branches, places, strict=True)):
            one.number = number
            size.children.append((one, BAND + (longest - one.length) / 2, place - middle))
        size.before = max(one.before - offset for one, _, offset in size.children)
        size.after = max(one.after + offset for one, _, offset in size.children)
        if scaled:
            size.before = max(size.before, 0.0)
        elif parallel.bypass:
            size.lane = size.after + LANE * 0.6
            size.after += LANE
        size.length = longest + BAND + BUS * 2
        return size


def _span(parallel: Size) -> float:
    """How far the branches' ends lie apart, with room at both ends."""
    ends = [offset + one.leave for one, _, offset in parallel.children]
    reach = max([abs(one) for one in ends], default=0.0)
    return 2 * reach + 40.0


def _starts(series: Series) -> bool:
    """True for a branch that begins with an input of the network."""
    first = series.parts[0]
    return isinstance(first, Leaf) and first.box.role is Role.INPUT


def _plain(box: Box) -> bool:
    return not box.is_sign and not box.is_bar


def frame_title(frame: Frame) -> str:
    """What is written on a frame."""
    return words.shown(frame_label(frame.cluster))


def frame_label(cluster: Cluster) -> str:
    """A cluster's name, and how often it comes."""
    return f"{cluster.title}  {words.MULTIPLY} {cluster.count}".strip() if cluster.count > 1 else cluster.title


def box_size(box: Box) -> tuple[float, float]:
    """Width and height of a box, by its text."""
    text = box.written
    if box.is_sign and len(text[0]) == 1:
        return CIRCLE, CIRCLE
    width = max(text_width(line, TEXT, bool(box.title) and not number) for number, line in enumerate(text))
    if box.is_sign or box.is_bar:
        return width + 18.0, BAR
    return width + 2 * room_beside(box), LINE * len(text) + 7.0
