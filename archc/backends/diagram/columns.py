"""Breaks a long drawing into columns, between blocks where a single tensor flows on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from archc.backends.diagram.tree import Box, Cluster, Direction, Edge, Outline, ranks

ROWS = {"TB": 24, "LR": 14}
"""So many boxes in a line fill the height of a page, or its width."""

FRAME_ROWS = 0.7
REACH = 0.45
"""A cut may be so far from where it should be, in parts of a column."""

MOST = 6


def columns(outline: Outline, direction: Direction = "TB", wanted: int = 0) -> list[list[Box | Cluster]]:
    """The items in columns (rows, where lines run from left to right): as many as keep them short, or as wanted."""
    items = outline.items
    heights = _heights(items, ranks(len(outline.boxes), outline.edges))
    count = wanted or min(MOST, -(-int(sum(heights)) // ROWS[direction]))
    if count < 2:
        return [items]
    starts = [0, *_cuts(heights, _narrow(items, outline.edges, len(outline.boxes)), count), len(items)]
    return [items[start:stop] for start, stop in pairwise(starts)]


def boxes_in(item: Box | Cluster) -> tuple[list[int], int]:
    """The boxes in an item, by number, and how many frames it has."""
    found: list[int] = []
    frames = 0
    pending = [item]
    while pending:
        one = pending.pop()
        if isinstance(one, Box):
            found.append(one.id)
        else:
            frames += 1
            pending.extend(one.items)
    return found, frames


def _heights(items: Sequence[Box | Cluster], rank: list[int]) -> list[float]:
    """How many rows each item adds below those before it."""
    heights: list[float] = []
    reached = -1
    for item in items:
        boxes, frames = boxes_in(item)
        lowest = max(rank[one] for one in boxes)
        heights.append(max(0, lowest - reached) + FRAME_ROWS * frames)
        reached = max(reached, lowest)
    return heights


def _narrow(items: Sequence[Box | Cluster], edges: Sequence[Edge], count: int) -> list[int]:
    """The items before which just one box's tensor is handed on."""
    item_of = [0] * count
    for number, item in enumerate(items):
        for box in boxes_in(item)[0]:
            item_of[box] = number
    last = list(item_of)
    for edge in edges:
        last[edge.tail] = max(last[edge.tail], item_of[edge.head])
    crossing = [0] * (len(items) + 1)
    for first, stop in zip(item_of, last, strict=True):
        crossing[first + 1] += 1
        crossing[stop + 1 if stop > first else first + 1] -= 1
    open_now, found = 0, list[int]()
    for number in range(len(items)):
        open_now += crossing[number]
        if number and open_now == 1:
            found.append(number)
    return found


def _cuts(heights: list[float], allowed: list[int], count: int) -> list[int]:
    """The allowed places nearest to equal parts, in order."""
    above = [0.0]
    for height in heights:
        above.append(above[-1] + height)
    cuts: list[int] = []
    for part in range(1, count):
        target = above[-1] * part / count
        reach = above[-1] / count * REACH
        free = [one for one in allowed if abs(above[one] - target) <= reach and (not cuts or one > cuts[-1])]
        if free:
            cuts.append(min(free, key=lambda one: (abs(above[one] - target), one)))
    return cuts
