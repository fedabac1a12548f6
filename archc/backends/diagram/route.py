"""Sizes -> places, and the lines between them. Everything is told along and across the flow; `page.py` turns it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archc.backends.diagram.canvas import Point
from archc.backends.diagram.measure import BAND, BUS, Size
from archc.backends.diagram.structure import IN, OUT, Frame, Leaf, Parallel, Series
from archc.backends.diagram.tree import Box, Edge
from archc.backends.diagram.valley import Valley
from archc.backends.diagram.woven import Woven

ARC = 6.5
"""How far arcs lie apart."""
CHANNEL = 34.0
BETWEEN_COLUMNS = 9.0
"""How far beyond its column a line turns to the next one."""


class Slot(NamedTuple):
    """Where a box stands: its line, how far it reaches to each side of it, and its two ends."""

    box: Box
    across: float
    half: float
    start: float
    end: float

    @property
    def turn(self) -> int:
        """1 where flow goes on along, -1 where it comes back."""
        return 1 if self.end >= self.start else -1

    @property
    def middle(self) -> float:
        """Half way along."""
        return (self.start + self.end) / 2


class FrameSlot(NamedTuple):
    """Where a frame stands."""

    frame: Frame
    across: tuple[float, float]
    along: tuple[float, float]


@dataclass(eq=False, slots=True)
class Gate:
    """Where lines spread into branches and gather again: of one parallel part, or of a side branch, which is `closed`."""

    enter: float
    into: float
    out: float
    lane: float
    ends: dict[int, tuple[float, float]]
    closed: bool = False


@dataclass(eq=False, slots=True)
class Columns:
    """The columns of a page, as the outermost part of each path."""

    enters: list[float]
    left: list[float]
    lengths: list[float]


Step = tuple["Series | Gate | Columns | Valley | Woven", int]


class Placement:
    """Places the columns of a drawing side by side, and finds the way of each line."""

    def __init__(self, columns: Sequence[Size], arcs: Sequence[int] = ()) -> None:
        self.slots: dict[int, Slot] = {}
        self.frames: list[FrameSlot] = []
        self._gates: dict[int, Gate] = {}
        self._woven: dict[int, dict[tuple[int, int], list[Point]]] = {}
        self._paths: dict[int, tuple[Step, ...]] = {}
        self._columns = Columns([], [], [one.length for one in columns])
        self._valley_foot = 0.0
        self._arcs: list[list[list[tuple[float, float]]]] = [[] for _ in columns]
        self._sides: list[float] = []
        at = 0.0
        for number, size in enumerate(columns):
            across = at + size.before
            self._columns.enters.append(across)
            self._columns.left.append(at)
            self._place(size, 0.0, across, ((self._columns, number),))
            self._sides.append(across + size.after)
            at = across + size.after + CHANNEL + (ARC * (arcs[number] + 1) if arcs and arcs[number] else 0.0)
        self.length = max(self._columns.lengths)

    def _place(self, size: Size, along: float, across: float, path: tuple[Step, ...], back: bool = False) -> None:
        """Places a part; `back` where flow runs against the page."""
        part = size.part
        stop = along + size.length
        if isinstance(part, Leaf):
            ends = (stop, stop - size.box_length) if back else (along, along + size.box_length)
            self.slots[part.box.id] = Slot(part.box, across, size.half, *ends)
            self._paths[part.box.id] = path
        elif isinstance(part, Frame):
            self.frames.append(FrameSlot(part, (across - size.before, across + size.after), (along, stop)))
            body, at, offset = size.children[0]
            self._place(body, along + at, across + offset, path, back)
        elif isinstance(part, Woven):
            self._weave(part, along, across, path, back)
        elif isinstance(part, Parallel):
            ways = {one.number: (across + offset, across + offset + one.leave) for one, _, offset in size.children}
            into, out = (stop - BUS, along + BUS) if back else (along + BUS, stop - BUS)
            gate = self._gates[id(part)] = Gate(across, into, out, across + size.lane, ways)
            for one, at, offset in size.children:
                start = stop - at - one.length if back else along + at
                self._place(one, start, across + offset, (*path, (gate, one.number)), back)
        elif isinstance(part, Valley):
            self._valley_foot = along + part.foot
            for one, at, offset in size.children:
                self._place(one, along + at, across + offset, (*path, (part, one.number)), one.number > len(part.lefts))
        elif isinstance(part, Series):
            for one, at, offset in size.children:
                inner = (*path, (part, one.number))
                start = stop - at - one.length if back else along + at
                if one.dead:
                    bus = start + one.length + BAND * 0.6 if back else start - BAND * 0.6
                    inner = (*inner, (Gate(across, bus, bus, across, {0: (across + offset, across)}, closed=True), 0))
                self._place(one, start, across + offset, inner, back)

    def _weave(self, woven: Woven, along: float, across: float, path: tuple[Step, ...], back: bool) -> None:
        """Places what a mesh holds."""
        turn, start = (-1, along + woven.length) if back else (1, along)

        def at(point: Point) -> Point:
            return across + point[0], start + turn * point[1]

        for cluster, sides, ends in woven.frames:
            low, high = sorted(start + turn * one for one in ends)
            self.frames.append(FrameSlot(Frame(cluster, Series()), (across + sides[0], across + sides[1]), (low, high)))
        for box, place in woven.boxes.items():
            self.slots[box.id] = Slot(box, across + place.across, place.half, start + turn * place.start, start + turn * place.end)
            self._paths[box.id] = (*path, (woven, box.id))
        self._woven[id(woven)] = {ends: [at(point) for point in points] for ends, points in woven.ways.items()}

    def way(self, edge: Edge) -> list[Point]:
        """The points of a line, each across and along."""
        tail, head = self.slots[edge.tail], self.slots[edge.head]
        above, below = self._paths[edge.tail], self._paths[edge.head]
        common = 0
        while above[common] == below[common]:
            common += 1
        here, first = above[common]
        second = below[common][1]
        up = self._ascent(above[common + 1 :])
        down = self._descent(below[common + 1 :])
        if up is None or down is None:
            return self._arc(tail, head)
        if isinstance(here, Woven):
            return tidy(self._woven[id(here)][edge.tail, edge.head])
        if isinstance(here, Valley):
            crossing = self._over(here, first, second, tail, head)
            if crossing is not None:
                return crossing
            foot = self._valley_foot
            left, right = (up or [(tail.across, 0.0)])[-1][0], (down or [(head.across, 0.0)])[0][0]
            across = [(left, foot), (right, foot)] if first == len(here.lefts) else []
        elif isinstance(here, Columns):
            across = self._between(here, first, second, (up or [(tail.across, 0.0)])[-1][0])
        elif isinstance(here, Series) and first < second:
            passed = self._passed(here.parts[first + 1 : second])
            if passed is None:
                return self._arc(tail, head)
            across = passed
        else:
            return self._arc(tail, head)
        points = [(tail.across, tail.end), *up, *across, *down]
        if isinstance(below[-1][0], Woven):
            return tidy(points)
        return tidy(self._arrival(points, head, direct=not down))

    def _over(self, valley: Valley, first: int, second: int, tail: Slot, head: Slot) -> list[Point] | None:
        """Straight across a valley; `None` for the way along its ground."""
        if self._next(valley, first) == second:
            return None
        if abs(tail.middle - head.middle) < 0.5:
            return [(tail.across + tail.half, tail.middle), (head.across - head.half, head.middle)]
        return self._arc(tail, head)

    @staticmethod
    def _next(valley: Valley, step: int) -> int:
        """The next step that is not empty."""
        steps = valley.steps
        return next((one for one in range(step + 1, len(steps)) if steps[one].parts), step)

    def _ascent(self, steps: Sequence[Step]) -> list[Point] | None:
        """From a box to the end of the part that holds it; `None` if something else stands in the way."""
        points: list[Point] = []
        for container, number in reversed(steps):
            if isinstance(container, Series):
                passed = self._passed(container.parts[number + 1 :])
                if passed is None:
                    return None
                points += passed
            elif isinstance(container, Woven):
                points += self._woven[id(container)][number, OUT][1:]
            elif isinstance(container, Gate) and container.closed:
                return None
            elif isinstance(container, Gate):
                points += [(container.ends[number][1], container.out), (container.enter, container.out)]
        return points

    def _descent(self, steps: Sequence[Step]) -> list[Point] | None:
        """From the start of a part to a box in it."""
        points: list[Point] = []
        for container, number in steps:
            if isinstance(container, Series):
                passed = self._passed(container.parts[:number])
                if passed is None:
                    return None
                points += passed
            elif isinstance(container, Woven):
                points += self._woven[id(container)][IN, number]
            elif isinstance(container, Gate):
                points += [(container.enter, container.into), (container.ends[number][0], container.into)]
        return points

    def _passed(self, parts: Sequence[object]) -> list[Point] | None:
        """The way past parts, where they leave one."""
        points: list[Point] = []
        for part in parts:
            if not isinstance(part, Parallel) or not (part.bypass or not part.branches):
                return None
            if part.branches:
                gate = self._gates[id(part)]
                points += [(gate.enter, gate.into), (gate.lane, gate.into), (gate.lane, gate.out), (gate.enter, gate.out)]
        return points

    def _arrival(self, points: list[Point], head: Slot, *, direct: bool) -> list[Point]:
        """The end of a line: from above, or from the side into a sign that adds; straight down on a wide bar."""
        turn = head.turn
        if len(points) > 2 and points[-1][1] == points[-2][1] and points[-1][0] == head.across and (head.start - points[-1][1]) * turn > 0:
            aside = points[-2][0]
            if direct and head.box.is_bar and abs(aside - head.across) < head.half:
                return [*points[:-2], (aside, head.start)]
            merges = head.box.is_sign or head.box.is_bar
            if merges and abs(aside - head.across) > head.half + 4 and (head.start - points[-1][1]) * turn < 2 * BAND:
                side = head.half if aside > head.across else -head.half
                return [*points[:-2], (aside, head.middle), (head.across + side, head.middle)]
        return [*points, (points[-1][0] if head.box.is_bar else head.across, head.start)]

    def _between(self, columns: Columns, first: int, second: int, leave: float) -> list[Point]:
        """From the foot of one column over to the top of another."""
        channel = columns.left[second] - CHANNEL * 0.45
        foot = max(columns.lengths[first:second]) + BETWEEN_COLUMNS
        return [(leave, foot), (channel, foot), (channel, -BETWEEN_COLUMNS), (columns.enters[second], -BETWEEN_COLUMNS)]

    def _arc(self, tail: Slot, head: Slot) -> list[Point]:
        """Around everything in a column, at its right."""
        low, high = sorted((tail.middle, head.middle))
        column = max(self._paths[one.box.id][0][1] for one in (tail, head))
        lanes = self._arcs[column]
        free = (number for number, taken in enumerate(lanes) if all(high <= start or low >= stop for start, stop in taken))
        lane = next(free, len(lanes))
        if lane == len(lanes):
            lanes.append([])
        lanes[lane].append((low, high))
        x = self._sides[column] + ARC * (lane + 1)
        return [(tail.across + tail.half, tail.middle), (x, tail.middle), (x, head.middle), (head.across + head.half, head.middle)]

    @property
    def arcs(self) -> list[int]:
        """How many lines run at the side of each column."""
        return [len(lanes) for lanes in self._arcs]

    @property
    def reach(self) -> float:
        """How far the drawing goes across, with its arcs."""
        return max(side + ARC * (len(lanes) + bool(lanes)) for side, lanes in zip(self._sides, self._arcs, strict=True))


def tidy(points: list[Point]) -> list[Point]:
    """Points without doubles and without those on a straight line."""
    kept: list[Point] = []
    for point in points:
        if kept and abs(point[0] - kept[-1][0]) < 0.01 and abs(point[1] - kept[-1][1]) < 0.01:
            continue
        if len(kept) > 1 and any(abs(kept[-2][k] - kept[-1][k]) < 0.01 and abs(kept[-1][k] - point[k]) < 0.01 for k in (0, 1)):
            kept[-1] = point
            continue
        kept.append(point)
    return kept
