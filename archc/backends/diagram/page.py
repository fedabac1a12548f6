"""A page: the title, the drawing in columns, the templates beside it, and the legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import ceil
from typing import Literal, NamedTuple

from archc.backends.diagram import words
from archc.backends.diagram.canvas import Group, Picture, Shape, Text
from archc.backends.diagram.measure import GAP, Measurer, Size
from archc.backends.diagram.metrics import text_width
from archc.backends.diagram.paint import Drawing, Plan, labels, plan
from archc.backends.diagram.panels import legend, panel, placed
from archc.backends.diagram.route import CHANNEL
from archc.backends.diagram.structure import Frame, Leaf, Mesh, Part, Series, boxes_of, structure
from archc.backends.diagram.styles import Theme
from archc.backends.diagram.tree import Direction, Edge, Outline
from archc.backends.diagram.valley import valley
from archc.operators import Role

MARGIN = 14.0
TITLE, SUBTITLE = 14.0, 9.0
HEAD = 60.0
BESIDE = 26.0
PROPORTION: dict[Direction, float] = {"TB": 1.0, "LR": 0.5}
"""The height of a good page, in parts of its width."""
SHORT: dict[Direction, float] = {"TB": 520.0, "LR": 700.0}
"""A drawing that is shorter is not broken."""
Side = Literal["right", "below"] | None
"""Where templates stand; nowhere, if there are none."""
MOST = 8
WORTH = 0.95
"""A further column is to make the page better by so much."""
SHORTER = 0.85
"""Columns are to be shorter than the whole by so much."""
LONGER_FOR_STAGES = 1.35
"""So much longer a column may be for the sake of a break between stages."""


def page(outline: Outline, direction: Direction, theme: Theme, columns: int) -> Picture:
    """The whole picture of an outline."""
    body = structure(outline.items, outline.edges, len(outline.boxes))
    panels = [panel(one, number, direction, theme) for number, one in enumerate(outline.templates)]
    found = valley(body, outline.boxes, outline.edges) if direction == "TB" and columns < 2 else None
    measurer = Measurer(direction, labels(outline.edges))
    if found is None and columns != 1:
        body = _opened(body, measurer, direction, outline.edges)
    breaks = _breaks(body, outline.edges)
    splits = [] if found else splits_of(body, measurer, direction, columns, breaks)
    ways: list[tuple[float, Plan, Drawing, Side]] = []
    for stack in stacks(panels):
        for beside in dict.fromkeys([(stack.width, stack.height), (0.0, 0.0)]):
            parts = [found] if found else best_of(splits, direction, beside)
            main = plan(parts, outline.edges, direction, measurer)
            for side in ("right", "below") if panels else (None,):
                wide, high = _extent(main, stack, side)
                ways.append((_large(wide, high, direction), main, stack, side))
    _, main, stack, side = min(ways, key=lambda one: one[0])
    content = _together(main.drawing(theme), stack, side)
    foot = legend(outline, theme, max(content.width, 300.0))
    title = words.shown(outline.title, 110)
    totals = outline.totals.split("\n")
    widest = max([text_width(title, TITLE, True), *(text_width(one, SUBTITLE) for one in totals)])
    width = max(widest, foot.width, content.width) + 2 * MARGIN
    at = MARGIN + TITLE
    heading: list[Shape] = [Text(width / 2, at, title, TITLE, theme.text, bold=True)]
    for line in totals:
        at += 13.0
        heading.append(Text(width / 2, at, line, SUBTITLE, theme.faint))
    at += 14.0
    groups = [Group("heading", tuple(heading)), *placed(content, (width - content.width) / 2, at)]
    at += content.height + 16.0
    groups += placed(foot, (width - foot.width) / 2, at)
    return Picture(width, at + foot.height + MARGIN * 0.6, theme.background, groups)


def stacks(panels: list[Drawing]) -> list[Drawing]:
    """The ways to set panels: in one column, or in two."""
    if not panels:
        return [Drawing([], 0.0, 0.0)]
    ways = [_rows([[one] for one in panels])]
    if len(panels) > 1:
        ways.append(_rows([panels[start : start + 2] for start in range(0, len(panels), 2)]))
    return ways


def _rows(rows: list[list[Drawing]]) -> Drawing:
    """Drawings in rows."""
    groups: list[Group] = []
    y, right = 0.0, 0.0
    for row in rows:
        x = 0.0
        for one in row:
            groups += placed(one, x, y)
            x += one.width + BESIDE
        right = max(right, x - BESIDE)
        y += max(one.height for one in row) + BESIDE
    return Drawing(groups, right, y - BESIDE)


def _extent(main: Drawing | Plan, panels: Drawing, side: Side) -> tuple[float, float]:
    """Width and height of a drawing with its panels."""
    if side == "right":
        return main.width + BESIDE + panels.width, max(main.height, panels.height)
    if side == "below":
        return max(main.width, panels.width), main.height + BESIDE + panels.height
    return main.width, main.height


def _together(main: Drawing, panels: Drawing, side: Side) -> Drawing:
    """A drawing with its panels."""
    at = (main.width + BESIDE, 0.0) if side == "right" else (0.0, main.height + BESIDE)
    return Drawing([*main.groups, *placed(panels, *at)], *_extent(main, panels, side))


class Split(NamedTuple):
    """Parts in columns, with the room that each column takes."""

    columns: list[Series]
    sizes: list[Size]


def splits_of(body: Series, measurer: Measurer, direction: Direction, wanted: int, allowed: list[int]) -> list[Split]:
    """The ways to set the parts in columns, broken where one line leads on: in ever more, or in as many as wanted."""
    whole = measurer.series(body)
    found = [Split([body], [whole])]
    if wanted == 1 or (not wanted and whole.length < SHORT[direction]):
        return found
    stages = [number for number in allowed if _ends_a_stage(body.parts[number - 1])]
    lengths = _lengths(whole, len(body.parts))
    likely = int((whole.length / (whole.before + whole.after + CHANNEL) / PROPORTION[direction]) ** 0.5)
    for count in [wanted] if wanted else range(max(2, likely - MOST // 2), likely + MOST):
        cuts, at_stages = _cuts(lengths, allowed, count), _cuts(lengths, stages, count)
        if at_stages and _longest(lengths, at_stages) < LONGER_FOR_STAGES * _longest(lengths, cuts):
            cuts = at_stages
        if not cuts or (not wanted and _longest(lengths, cuts) > SHORTER * lengths[-1]):
            continue
        made = [Series(body.parts[start:stop]) for start, stop in pairwise([0, *cuts, len(body.parts)])]
        found.append(Split(made, [measurer.series(one) for one in made]))
    return found[-1:] if wanted else found


def best_of(splits: list[Split], direction: Direction, beside: tuple[float, float]) -> list[Series]:
    """The columns that use the page best, where something else stands beside them."""
    best, least = splits[0], _unlike_a_page(splits[0].sizes, direction, beside)
    for one in splits[1:]:
        fit = _unlike_a_page(one.sizes, direction, beside)
        if fit < least * WORTH:
            best, least = one, fit
    return _rejoined(best.columns)


def _opened(body: Series, measurer: Measurer, direction: Direction, edges: Sequence[Edge]) -> Series:
    """The parts, those frames in pieces that are longer than a page with all of them in good columns would be high."""
    whole = measurer.series(body)
    high = max(SHORT[direction], (whole.length * (whole.before + whole.after + CHANNEL) * PROPORTION[direction]) ** 0.5)
    long = {child.number for child, _, _ in whole.children if child.length > high and not child.dead}
    opened = Series()
    for number, part in enumerate(body.parts):
        opened.parts += _pieces(part, measurer, high, edges) if isinstance(part, Frame) and number in long else [part]
    return opened


def _pieces(frame: Frame, measurer: Measurer, high: float, edges: Sequence[Edge]) -> list[Frame]:
    """A frame in pieces of about one length."""
    inside = set(boxes_of(frame))
    allowed = _breaks(frame.body, [edge for edge in edges if edge.tail in inside and edge.head in inside])
    size = measurer.series(frame.body)
    lengths = _lengths(size, len(frame.body.parts))
    cuts = _cuts(lengths, allowed, ceil(2 * lengths[-1] / high))
    ends = [0, *cuts, len(frame.body.parts)]
    return [Frame(frame.cluster, Series(frame.body.parts[start:stop])) for start, stop in pairwise(ends)]


def _rejoined(columns: list[Series]) -> list[Series]:
    """The columns with one frame for the pieces of a frame that stand together; the others say which piece they are."""
    made = [Series() for _ in columns]
    pieces: dict[int, list[Frame]] = {}
    for column, joined in zip(columns, made, strict=True):
        for part in column.parts:
            last = joined.parts[-1] if joined.parts else None
            if isinstance(part, Frame) and isinstance(last, Frame) and last.cluster is part.cluster:
                last.body.parts += part.body.parts
            elif isinstance(part, Frame):
                piece = Frame(part.cluster, Series([*part.body.parts]))
                pieces.setdefault(id(part.cluster), []).append(piece)
                joined.parts.append(piece)
            else:
                joined.parts.append(part)
    for some in pieces.values():
        for number, piece in enumerate(some if len(some) > 1 else [], 1):
            piece.cluster = replace(piece.cluster, title=f"{piece.cluster.title} ({number} of {len(some)})".strip())
    return made


def _breaks(body: Series, edges: Sequence[Edge]) -> list[int]:
    """The parts before which a column may end: nothing but the line from the part before leads over."""
    place = {box: number for number, part in enumerate(body.parts) for box in boxes_of(part)}
    jumps = {(place[edge.tail], place[edge.head]) for edge in edges}
    closed = {number for tail, head in jumps for number in range(tail + 1, head + 1) if head - tail > 1}
    pairs = enumerate(pairwise(body.parts), 1)
    return [number for number, some in pairs if number not in closed and all(isinstance(one, Leaf | Frame | Mesh) for one in some)]


def _ends_a_stage(part: Part) -> bool:
    """True where a reader expects a break: after a block, and after pooling."""
    return isinstance(part, Frame) or (isinstance(part, Leaf) and part.box.role is Role.POOLING)


def _lengths(whole: Size, count: int) -> list[float]:
    """How far the flow has come before each part."""
    lengths = [0.0] * (count + 1)
    for child, at, _ in whole.children:
        if not child.dead:
            lengths[child.number + 1] = at + child.length + GAP
    for number in range(1, count + 1):
        lengths[number] = max(lengths[number], lengths[number - 1])
    return lengths


def _cuts(lengths: list[float], allowed: list[int], count: int) -> list[int]:
    """The allowed places that make the longest column as short as can be."""
    low, high = lengths[-1] / count, lengths[-1]
    best: list[int] = []
    for _ in range(24):
        room = (low + high) / 2
        cuts = _filled(lengths, allowed, room)
        if len(cuts) < count and _longest(lengths, cuts) <= room:
            best, high = cuts, room
        else:
            low = room
    return best


def _filled(lengths: list[float], allowed: list[int], room: float) -> list[int]:
    """Cuts that fill each column as far as it goes."""
    cuts: list[int] = []
    start, last = 0.0, 0
    for one in [*allowed, len(lengths) - 1]:
        if lengths[one] - start > room and last and (not cuts or last > cuts[-1]):
            cuts.append(last)
            start = lengths[last]
        last = one
    return cuts


def _longest(lengths: list[float], cuts: list[int]) -> float:
    return max(lengths[stop] - lengths[start] for start, stop in pairwise([0, *cuts, len(lengths) - 1]))


def _unlike_a_page(columns: list[Size], direction: Direction, beside: tuple[float, float]) -> float:
    """How far the page would be from a good one: by its proportion, and by how much of it is empty."""
    along = max(one.length for one in columns)
    across = sum(one.before + one.after + CHANNEL for one in columns)
    width, height = (across + beside[0], max(along, beside[1])) if direction == "TB" else (max(along, beside[0]), across + beside[1])
    return _large(width, height, direction)


def _large(width: float, height: float, direction: Direction) -> float:
    """How wide a page of good proportion must be to hold a drawing: the smaller, the larger is the drawing in print."""
    return max(width + 2 * MARGIN, (height + HEAD) / PROPORTION[direction])
