"""Layers -> places across, and the tracks on which lines turn between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import inf
from typing import Literal, NamedTuple

from archc.backends.diagram.layering import Key, Layers

SETTLING = 80
STRAIGHT = 8.0
"""How strongly a box pulls at the one that alone reads it, where that reads nothing else."""
STRAIGHTENING = 12
"""In the last passes nothing else pulls at such boxes."""
APART = 14.0
"""The least room between neighbours in a layer."""


class Wall(NamedTuple):
    """A side of a frame, by the frame's number."""

    side: Literal["left", "right"]
    frame: int


class Room(NamedTuple):
    """What a place takes to each side of its line."""

    before: float
    after: float


def settle(made: Layers, rooms: dict[Key, Room], padding: Room, titles: Sequence[float]) -> tuple[dict[Key, float], list[tuple[float, float]]]:
    """Where each place stands across, and the two sides of each frame; no line runs through their `titles`, of these widths."""
    variables = _Variables()
    first = [len(made.order)] * len(titles)
    for number, layer in enumerate(made.order):
        _chain(made, layer, rooms, padding, variables)
        for key in layer:
            for frame in made.around(key):
                first[frame] = min(first[frame], number)
                if number == first[frame]:
                    variables.apart(Wall("left", frame), key, titles[frame])
    for frame, width in enumerate(titles):
        variables.apart(Wall("left", frame), Wall("right", frame), width)
    at = variables.settled(_pulls(made))
    return {key: at[key] for layer in made.order for key in layer}, [(at[Wall("left", frame)], at[Wall("right", frame)]) for frame in range(len(titles))]


def _pulls(made: Layers) -> dict[Spot, list[tuple[Spot, float]]]:
    """What pulls at each place, and how strongly: a line stays straight, and a box below the only one that it reads."""
    pairs = [(key, one) for layer in made.order for key in layer for one in made.below(key)]
    below, above = Counter(key for key, _ in pairs), Counter(one for _, one in pairs)
    pulls: dict[Spot, list[tuple[Spot, float]]] = {}
    for key, one in pairs:
        strong = STRAIGHT if below[key] == above[one] == 1 else 2.0 if made.is_line(key) or made.is_line(one) else 1.0
        pulls.setdefault(key, []).append((one, strong))
        pulls.setdefault(one, []).append((key, strong))
    return pulls


def _chain(made: Layers, layer: list[Key], rooms: dict[Key, Room], padding: Room, variables: _Variables) -> None:
    """The distances that one layer asks for, between neighbours and at the sides of frames."""
    walls: list[int] = []
    last: Spot | None = None
    reach, gap = 0.0, 0.0

    def step(one: Spot, before: float, after: float, following: float) -> None:
        nonlocal last, reach, gap
        if last is None:
            variables.known(one)
        else:
            variables.apart(last, one, reach + gap + before)
        last, reach, gap = one, after, following

    for key in [*layer, None]:
        around = made.around(key) if key else ()
        while walls and walls[-1] not in around:
            gap = 0.0
            step(Wall("right", walls.pop()), padding.after, 0.0, APART)
        for frame in around[len(walls) :]:
            walls.append(frame)
            step(Wall("left", frame), 0.0, padding.before, 0.0)
        if key:
            step(key, rooms[key].before, rooms[key].after, APART)


Spot = Key | Wall


class _Variables:
    """Places that are to lie so far apart at least."""

    def __init__(self) -> None:
        self._left: dict[Spot, dict[Spot, float]] = {}
        self._right: dict[Spot, dict[Spot, float]] = {}

    def known(self, one: Spot) -> None:
        """Notes a place that nothing is beside."""
        self._left.setdefault(one, {})
        self._right.setdefault(one, {})

    def apart(self, one: Spot, other: Spot, distance: float) -> None:
        """The second place lies so far to the right of the first one."""
        self.known(one)
        self.known(other)
        self._left[other][one] = max(distance, self._left[other].get(one, 0.0))
        self._right[one][other] = self._left[other][one]

    def settled(self, pulls: dict[Spot, list[tuple[Spot, float]]]) -> dict[Spot, float]:
        """Places that keep all distances, and lie as near as may be to what pulls them; frames are as narrow as may be."""
        order = self._sorted()
        at: dict[Spot, float] = {}
        for one in order:
            at[one] = max((at[other] + distance for other, distance in self._left[one].items()), default=0.0)
        for turn in range(SETTLING):
            if turn == SETTLING - STRAIGHTENING:
                straight = {one: [pull for pull in near if pull[1] == STRAIGHT] for one, near in pulls.items()}
                pulls = {one: straight[one] or near for one, near in pulls.items()}
            low: dict[Spot, float] = {}
            high: dict[Spot, float] = {}
            for one in reversed(order) if turn % 2 == 0 else order:
                near = pulls.get(one)
                if near:
                    wish = sum(at[other] * strong for other, strong in near) / sum(strong for _, strong in near)
                    wish = min(wish, self._limit(one, at, self._right, -1, high))
                    self._move(one, max(wish, self._limit(one, at, self._left, 1, low)), at)
                elif isinstance(one, Wall):
                    self._tighten(one, at)
        return at

    def _limit(self, one: Spot, at: dict[Spot, float], side: dict[Spot, dict[Spot, float]], sign: int, known: dict[Spot, float]) -> float:
        """How far a place can go to a side, where frames give way as far as they can.

        `known` are the limits of frames' sides: in one pass from side to side, what they depend on is still or has moved.
        """
        limit = -sign * inf
        for other, distance in side[one].items():
            if not isinstance(other, Wall):
                place = at[other]
            elif other in known:
                place = known[other]
            else:
                place = known[other] = self._limit(other, at, side, sign, known)
            limit = max(limit, place + distance) if sign > 0 else min(limit, place - distance)
        return limit

    def _move(self, one: Spot, place: float, at: dict[Spot, float]) -> None:
        """Puts a place somewhere, and the sides of frames out of its way."""
        at[one] = place
        for other, distance in self._right[one].items():
            if isinstance(other, Wall) and at[other] < place + distance:
                self._move(other, place + distance, at)
        for other, distance in self._left[one].items():
            if isinstance(other, Wall) and at[other] > place - distance:
                self._move(other, place - distance, at)

    def _tighten(self, one: Wall, at: dict[Spot, float]) -> None:
        """Puts the side of a frame close to what it holds."""
        inner, sign = (self._right, -1) if one.side == "left" else (self._left, 1)
        near = [at[other] + sign * distance for other, distance in inner[one].items()]
        at[one] = (min if sign < 0 else max)(near, default=at[one])

    def _sorted(self) -> list[Spot]:
        """All places, each after those to its left; what stands in a circle (which no order of frames gives) as it came."""
        missing = {one: len(left) for one, left in self._left.items()}
        ready = [one for one, count in missing.items() if not count]
        order: list[Spot] = []
        while ready:
            one = ready.pop(0)
            order.append(one)
            for other in self._right[one]:
                missing[other] -= 1
                if not missing[other]:
                    ready.append(other)
        assert len(order) == len(missing), "frames stand in one order in all layers"
        return order


class Run(NamedTuple):
    """A line's way through a channel between two layers: from where, over which stretch, to where."""

    line: int
    start: float
    low: float
    high: float


def tracks(runs: Iterable[Run], apart: float) -> dict[int, int]:
    """On which track of a channel each line turns, so that few cross and none run in one another."""
    turning = [one for one in runs if one.high - one.low > 0.5]
    rights = sorted((one for one in turning if one.high - one.start >= one.start - one.low), key=lambda one: -one.start)
    lefts = sorted((one for one in turning if one.high - one.start < one.start - one.low), key=lambda one: one.start)
    made: dict[int, int] = {}
    placed: list[tuple[Run, int]] = []
    for one in [*rights, *lefts]:
        track = max((at + 1 for other, at in placed if other.low < one.high + apart and one.low < other.high + apart), default=0)
        made[one.line] = track
        placed.append((one, track))
    return made
