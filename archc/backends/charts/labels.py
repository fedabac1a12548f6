"""Where direct labels go: beside their bubble, clear of the other bubbles, of lines and of each other. The same every time.

Where there is no room for all, those of less rank are left out rather than printed over each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from archc.backends.diagram.metrics import text_width

GAP = 4.0
FAR = (0.0, 9.0, 20.0, 34.0, 50.0, 70.0)
DIRECTIONS = 16
PASSES = 6
TOO_MUCH = 150.0
"""The cost from which a label does more harm than good."""


@dataclass(frozen=True, slots=True)
class Bubble:
    """A circle in pixels, the text that belongs to it, and that text's rank (0 first)."""

    x: float
    y: float
    radius: float
    text: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Label:
    """The middle of a text, and where its leader line starts at the bubble; `led` tells whether it needs one."""

    x: float
    y: float
    led: bool
    from_x: float
    from_y: float


Box = tuple[float, float, float, float]
Segment = tuple[float, float, float, float]


def place(bubbles: Sequence[Bubble], size: float, width: float, height: float, lines: Sequence[Segment] = ()) -> list[Label | None]:
    """A place for the label of each bubble in an area of `width` x `height` pixels, text `size` pixels high; `None`: no room.

    Each label takes the cheapest of its candidates (16 directions, six distances), the others being where they are; six rounds.
    """
    beads = [bead for line in lines for bead in _beads(line)]
    candidates = [_candidates(one, size, bubbles, width, height, beads) for one in bubbles]
    chosen = [min(each, key=lambda one: one[1]) for each in candidates]
    order = sorted(range(len(bubbles)), key=lambda at: (-bubbles[at].radius, at))
    for _ in range(PASSES):
        before = list(chosen)
        for at in order:
            others = [one[2] for other, one in enumerate(chosen) if other != at]
            chosen[at] = min(candidates[at], key=lambda one, others=others: one[1] + sum(_overlap(one[2], box) for box in others) * 3)
        if chosen == before:
            break
    kept: list[Box] = []
    found: list[Label | None] = [None] * len(bubbles)
    for at in sorted(range(len(bubbles)), key=lambda at: (bubbles[at].rank, chosen[at][1], at)):
        free = [one for one in candidates[at] if not any(_overlap(one[2], box) for box in kept)]
        best = chosen[at] if chosen[at] in free else min(free, key=lambda one: one[1], default=None)
        if best is not None and best[1] < TOO_MUCH:
            kept.append(best[2])
            found[at] = best[0]
    return found


Candidate = tuple[Label, float, Box]


def _candidates(bubble: Bubble, size: float, bubbles: Sequence[Bubble], width: float, height: float, beads: list[tuple[float, float]]) -> list[Candidate]:
    half, tall = text_width(bubble.text, size) / 2 + 1, size * 0.62
    found: list[Candidate] = []
    for far in FAR:
        for step in range(DIRECTIONS):
            angle = 2 * math.pi * step / DIRECTIONS
            reach = bubble.radius + GAP + far
            x = bubble.x + math.cos(angle) * reach + _side(math.cos(angle)) * half
            y = bubble.y - math.sin(angle) * reach - _side(math.sin(angle)) * tall
            box = (x - half, y - tall, x + half, y + tall)
            edge = bubble.radius + 1
            label = Label(x, y, far > FAR[1], bubble.x + math.cos(angle) * edge, bubble.y - math.sin(angle) * edge)
            found.append((label, _cost(label, box, bubble, bubbles, width, height, beads) + far * 1.6 + _preference(step), box))
    return found


def _side(value: float) -> float:
    """-1, 0 or 1 in the main directions, and what lies between in the others."""
    return max(-1.0, min(1.0, value * 1.5))


def _preference(step: int) -> float:
    """Right and above first."""
    return (0, 1, 3, 1, 2, 4, 6, 5, 4, 6, 7, 6, 4, 5, 6, 3)[step]


def _cost(label: Label, box: Box, own: Bubble, bubbles: Sequence[Bubble], width: float, height: float, beads: list[tuple[float, float]]) -> float:
    left, top, right, bottom = box
    outside = max(0.0, -left) + max(0.0, right - width) + max(0.0, -top) + max(0.0, bottom - height)
    cost = outside * 200
    for one in bubbles:
        near_x, near_y = min(max(one.x, left), right), min(max(one.y, top), bottom)
        inside = one.radius + 1 - math.hypot(one.x - near_x, one.y - near_y)
        if one is not own and inside > 0:
            cost += 12 + 3 * min(inside, 14)
            cost += 60 if math.hypot(one.x - near_x, one.y - near_y) < 4 else 0
        if label.led and one is not own and _crosses(label, one):
            cost += 20
    return cost + sum(10 for x, y in beads if left < x < right and top < y < bottom)


def _crosses(label: Label, one: Bubble) -> bool:
    """True where the leader line runs over another bubble's middle."""
    return any(
        math.hypot(label.from_x + (label.x - label.from_x) * part / 8 - one.x, label.from_y + (label.y - label.from_y) * part / 8 - one.y) < min(one.radius, 8)
        for part in range(9)
    )


def _overlap(one: Box, other: Box) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across * down + 20 if across > 0 and down > 0 else 0.0


def _beads(line: Segment) -> list[tuple[float, float]]:
    x, y, to_x, to_y = line
    count = max(1, int(math.hypot(to_x - x, to_y - y) / 6))
    return [(x + (to_x - x) * at / count, y + (to_y - y) * at / count) for at in range(count + 1)]
