"""Places and lines -> shapes: boxes by role, frames, lines with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from archc.backends.diagram import words
from archc.backends.diagram.canvas import Group, Line, Paint, Point, Polygon, Rect, Shape, Text, arrow, shifted
from archc.backends.diagram.measure import LANE, LINE, SMALL, TEXT, TITLE, Measurer, frame_title
from archc.backends.diagram.route import FrameSlot, Placement, Slot
from archc.backends.diagram.structure import Series
from archc.backends.diagram.styles import Theme, css_class, grouped
from archc.backends.diagram.tree import Box, Direction, Edge
from archc.backends.diagram.valley import Valley, measure
from archc.operators import Role

SLANT = 9.0


class Drawing(NamedTuple):
    """Shapes in a frame of their own: from (0, 0) to (width, height)."""

    groups: list[Group]
    width: float
    height: float


class Plan(NamedTuple):
    """A structure with its places and lines, before it is painted: what it takes to choose between several."""

    placement: Placement
    ways: list[tuple[Edge, list[Point]]]
    labels: dict[int, str]
    direction: Direction
    least: float
    """Where the foremost point lies along the flow."""
    width: float
    height: float

    def drawing(self, theme: Theme, prefix: str = "") -> Drawing:
        """The plan as shapes; `prefix` keeps the ids of several drawings on one page apart."""
        painter = Painter(self.direction, theme, prefix)
        groups = [painter.frame(one, number) for number, one in enumerate(self.placement.frames)]
        mains: dict[int, list[Point]] = {}
        for edge, way in sorted(self.ways, key=lambda one: one[0].skip):
            mains.setdefault(edge.tail, way)
        for number, (edge, way) in enumerate(self.ways):
            main = mains[edge.tail]
            groups.append(painter.edge(edge, way if way is main else own_part(way, main), number))
        groups += [painter.box(one) for one in self.placement.slots.values()]
        groups += [painter.label(self.placement.slots[box], text) for box, text in self.labels.items()]
        return Drawing([painter.shifted(one, self.least) for one in groups], self.width, self.height)


def plan(columns: Sequence[Series | Valley], edges: list[Edge], direction: Direction, measurer: Measurer | None = None) -> Plan:
    """Where a structure's parts stand, and the way of each line; `measurer` is one that knows some of them."""
    texts = labels(edges)
    sizes = measurer or Measurer(direction, texts)
    measured = [measure(one, sizes) if isinstance(one, Valley) else sizes.series(one) for one in columns]
    placement = Placement(measured)
    ways = [(edge, placement.way(edge)) for edge in edges]
    if len(columns) > 1 and any(placement.arcs):
        placement = Placement(measured, placement.arcs)
        ways = [(edge, placement.way(edge)) for edge in edges]
    ends = [along for _, way in ways for _, along in way]
    least = min([0.0, *ends])
    along = max([placement.length, *ends]) - least
    width, height = (placement.reach, along) if direction == "TB" else (along, placement.reach)
    return Plan(placement, ways, texts, direction, least, width, height)


def labels(edges: list[Edge]) -> dict[int, str]:
    """What stands at the end of each box: the shape of what it hands on, where an edge is to say it."""
    return {edge.tail: words.shape_text(edge.shape) for edge in edges if edge.labelled}


def own_part(way: list[Point], other: list[Point]) -> list[Point]:
    """A way from where it leaves another one, so that no line is drawn twice.

    >>> own_part([(0, 0), (0, 5), (9, 5), (9, 9)], [(0, 0), (0, 8)])
    [(0, 5), (9, 5), (9, 9)]
    """
    shared = 0
    while shared < len(way) - 2 and any(_between(way[shared], *ends) for ends in pairwise(other)):
        shared += 1
    return way[max(0, shared - 1) :]


def _between(point: Point, start: Point, end: Point) -> bool:
    """True for a point on a line along the page."""
    (x, y), (x0, y0), (x1, y1) = point, start, end
    return min(x0, x1) - 0.01 <= x <= max(x0, x1) + 0.01 and min(y0, y1) - 0.01 <= y <= max(y0, y1) + 0.01


class Painter:
    """Draws the parts of one drawing."""

    def __init__(self, direction: Direction, theme: Theme, prefix: str) -> None:
        self._down = direction == "TB"
        self._theme = theme
        self._prefix = prefix

    def at(self, point: Point) -> Point:
        """A point across and along, on the page."""
        return point if self._down else (point[1], point[0])

    def shifted(self, group: Group, least: float) -> Group:
        """The group moved so that nothing lies before the start."""
        if not least:
            return group
        dx, dy = (0.0, -least) if self._down else (-least, 0.0)
        return shifted(group, dx, dy)

    def rectangle(self, across: tuple[float, float], along: tuple[float, float]) -> tuple[float, float, float, float]:
        """x, y, width and height."""
        (x0, y0), (x1, y1) = self.at((across[0], along[0])), self.at((across[1], along[1]))
        return x0, y0, x1 - x0, y1 - y0

    def box(self, slot: Slot) -> Group:
        """A box with its text."""
        box = slot.box
        x, y, width, height = self.rectangle((slot.across - slot.half, slot.across + slot.half), (min(slot.start, slot.end), max(slot.start, slot.end)))
        shapes = [*self._outline(box, x, y, width, height), *self._text(box, x, y, width, height)]
        if box.shortcut:
            shapes += self._shortcut(x, y, width, height)
        kind = f"node {'block' if box.title else css_class(box.role)}"
        return Group(kind, tuple(shapes), f"{self._prefix}n{box.id}", words.sound(words.tooltip(box)), box)

    def _outline(self, box: Box, x: float, y: float, width: float, height: float) -> list[Shape]:
        line, fill = self._theme.role(box.role)
        paint = Paint(fill, line, 1.6 if box.title or box.outputs else self._theme.width, box.role is Role.REGULARISATION)
        if box.role is Role.POOLING:
            points = ((x, y), (x + width, y), (x + width - SLANT, y + height), (x + SLANT, y + height))
            return [Polygon(points, paint)]
        round = box.role in (Role.INPUT, Role.ACTIVATION) or box.is_sign or box.title
        radius = height / 2 if box.is_sign else 5.0 if round else 0.0
        shapes: list[Shape] = [Rect(x, y, width, height, paint, radius)]
        if grouped(box):
            shapes.append(Rect(x + 2.2, y + 2.2, width - 4.4, height - 4.4, Paint("", line, 0.8)))
        return shapes

    def _text(self, box: Box, x: float, y: float, width: float, height: float) -> list[Shape]:
        texts = box.written
        top = y + height / 2 - LINE * len(texts) / 2 + TEXT * 0.36 + LINE / 2
        size = 12.0 if len(texts[0]) == 1 and box.is_sign else TEXT
        drop = 0.8 if size > TEXT else 0.0
        return [
            Text(x + width / 2, top + LINE * number + drop, text, size, self._theme.text, bold=bool(box.title) and not number)
            for number, text in enumerate(texts)
        ]

    def _shortcut(self, x: float, y: float, width: float, height: float) -> list[Shape]:
        """The line by which a collapsed block passes its input on."""
        paint = Paint("", self._theme.edge, 0.9, dashed=True)
        if self._down:
            out, top, foot = x + width + LANE * 0.6, y - 6.0, y + height + 6.0
            return [Line(((x + width / 2, top), (out, top), (out, foot), (x + width / 2, foot)), paint, 4.0)]
        out, left, right = y + height + LANE * 0.6, x - 6.0, x + width + 6.0
        return [Line(((left, y + height / 2), (left, out), (right, out), (right, y + height / 2)), paint, 4.0)]

    def frame(self, slot: FrameSlot, number: int) -> Group:
        """A frame with its title, in the corner that no line passes."""
        x, y, width, height = self.rectangle(slot.across, slot.along)
        cluster = slot.frame.cluster
        folded = cluster.count > 1
        paint = Paint(self._theme.ground, self._theme.frame, 1.6 if folded else 0.8, dashed=cluster.dead)
        title = frame_title(slot.frame)
        shapes: list[Shape] = [Rect(x, y, width, height, paint, 6.0)]
        if title:
            shapes.append(Text(x + 7.0, y + 12.0, title, TITLE, self._theme.text, "start", folded))
        kind = "frame folded" if folded else "frame"
        return Group(kind, tuple(shapes), f"{self._prefix}b{number}", words.sound(cluster.tooltip), cluster)

    def edge(self, edge: Edge, way: list[Point], number: int) -> Group:
        """A line with its head."""
        paint = Paint("", self._theme.edge, 0.9, dashed=edge.skip)
        points = tuple(self.at(one) for one in way)
        kind = "edge tensor skip" if edge.skip else "edge tensor"
        return Group(kind, arrow(points, paint), f"{self._prefix}e{number}", words.tensor_tip(edge.shape))

    def label(self, slot: Slot, text: str) -> Group:
        """The shape that a box hands on, beside its line."""
        x, y = self.at((slot.across, slot.end))
        x, y = (x + 4.0, y + (8.5 if slot.turn > 0 else -3.5)) if self._down else (x + 3.0, y - 4.0)
        return Group("shape", (Text(x, y, text, SMALL, self._theme.faint, "start"),))

