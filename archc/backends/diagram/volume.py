"""Feature maps as blocks: their height and depth follow the map's, their width the channels."""

from __future__ import annotations

from dataclasses import dataclass

from archc.backends.diagram import words
from archc.backends.diagram.canvas import Group, Paint, Picture, Polygon, Rect, Shape, Text, arrow
from archc.backends.diagram.metrics import text_width
from archc.backends.diagram.structure import boxes_in
from archc.backends.diagram.styles import NAMES, Theme, css_class, mix
from archc.backends.diagram.tree import Box, Cluster, Outline
from archc.operators import Role

TALLEST, SLANT = 150.0, 0.32
"""The height of the largest map, and how much of a map's width is seen as depth."""
THIN = 6.0
GAP, ARROW = 4.0, 22.0
SMALL = 7.5
MARGIN = 16.0
QUIET = (Role.RESHAPING, Role.REGULARISATION, Role.NORMALISATION, Role.ACTIVATION)
"""What leaves a map as it was, or only orders it anew."""


@dataclass(frozen=True, slots=True)
class Map:
    """A feature map: what made it, and its size. `thick` is its width in the picture."""

    box: Box
    title: str
    shape: tuple[int, ...]

    @property
    def height(self) -> int:
        """Rows, or values where there are no places."""
        return self.shape[-3:][0]

    @property
    def depth(self) -> int:
        """Columns."""
        return self.shape[-2] if len(self.shape) > 2 else 0

    @property
    def channels(self) -> int:
        """Channels, where there are places."""
        return self.shape[-1] if len(self.shape) > 1 else 0


def volume(outline: Outline, theme: Theme) -> Picture:
    """The maps of the main line, from left to right; equal ones in a row stand close."""
    runs = _runs(_maps(outline))
    maps = [one for run in runs for one in run]
    largest = max([one.height for one in maps if one.depth] or [one.height for one in maps])
    values = max([one.height for one in maps if not one.channels], default=1)
    groups: list[Group] = []
    floor = MARGIN + 52.0 + TALLEST * (1 + SLANT)
    x = MARGIN
    for number, run in enumerate(runs):
        labels = [words.shape_text(run[0].shape), _made_by(run)]
        sizes = [_size(one, largest, values) for one in run]
        body = sum(width for width, _, _ in sizes) + GAP * (len(run) - 1) + sizes[-1][2]
        room = max(body, *(text_width(one, SMALL) for one in labels))
        at = x + (room - body) / 2
        top = floor
        for one, (width, height, slant) in zip(run, sizes, strict=True):
            y = floor - TALLEST / 2 + height / 2
            groups.append(_block(one, at, y, width, height, slant, theme))
            top = min(top, y)
            at += width + GAP
        texts = [Text(x + room / 2, floor + 16.0 + 10.0 * line, text, SMALL, theme.faint if line else theme.text) for line, text in enumerate(labels)]
        groups.append(Group("label", tuple(texts)))
        if number + 1 < len(runs):
            middle = floor - TALLEST / 2
            groups.append(Group("flow", arrow(((x + room + 4.0, middle), (x + room + ARROW - 4.0, middle)), Paint("", theme.edge, 0.9))))
        x += room + ARROW
    width = max(x - ARROW + MARGIN, text_width(outline.title, 14.0, True) + 2 * MARGIN, 320.0)
    heading: list[Shape] = [Text(width / 2, MARGIN + 12.0, words.shown(outline.title, 110), 14.0, theme.text, bold=True)]
    heading += [Text(width / 2, MARGIN + 26.0 + 12.0 * line, text, 9.0, theme.faint) for line, text in enumerate(outline.totals.split("\n"))]
    legend = _legend({one.box.role for one in maps}, width, floor + 50.0, theme)
    return Picture(width, floor + 82.0, theme.background, [Group("heading", tuple(heading)), *groups, legend])


def _maps(outline: Outline) -> list[Map]:
    """The maps of the main line: of boxes, and of blocks at their ends."""
    found: list[Map] = []
    for item in outline.items:
        if isinstance(item, Cluster) and item.dead:
            continue
        last = outline.boxes[max(boxes_in(item))]
        shape = tuple(one or 1 for one in last.copies[-1][-1].shape)
        if isinstance(item, Box) and item.role in QUIET and found:
            continue
        title = item.title or last.title if isinstance(item, Cluster) else item.written[0].split(words.SEPARATOR)[0]
        found.append(Map(last, title, shape or (1,)))
    return found


def _runs(maps: list[Map]) -> list[list[Map]]:
    """Maps of one shape and kind in a row together."""
    runs: list[list[Map]] = []
    for one in maps:
        if runs and runs[-1][0].shape == one.shape and runs[-1][0].box.role is one.box.role:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _made_by(run: list[Map]) -> str:
    """What made the maps of a run: `3 × Conv 3×3`, or their names."""
    titles = list(dict.fromkeys(one.title for one in run))
    if len(titles) == 1:
        return words.shown(f"{len(run)} {words.MULTIPLY} {titles[0]}" if len(run) > 1 else titles[0], 28)
    names = ", ".join(titles)
    return names if len(names) <= 28 else f"{len(run)} layers"


def _size(one: Map, largest: int, values: int) -> tuple[float, float, float]:
    """Width, height and slant in the picture. Edges follow the square root, so that small maps are seen."""
    if not one.channels:
        return THIN, max(8.0, TALLEST * (one.height / values) ** 0.5), 0.0
    height = max(5.0, TALLEST * (one.height / largest) ** 0.5)
    depth = max(0.0, TALLEST * SLANT * (one.depth / largest) ** 0.5)
    return max(2.0, 1.3 * one.channels**0.5), height, depth


def _block(one: Map, x: float, y: float, width: float, height: float, slant: float, theme: Theme) -> Group:
    line, fill = theme.role(one.box.role)
    paint = Paint(fill, line, 0.8)
    shapes: list[Shape] = [Rect(x, y - height, width, height, paint)]
    if slant:
        top = ((x, y - height), (x + slant, y - height - slant), (x + width + slant, y - height - slant), (x + width, y - height))
        side = ((x + width, y - height), (x + width + slant, y - height - slant), (x + width + slant, y - slant), (x + width, y))
        shapes += [Polygon(top, Paint(mix(fill, theme.background, 0.6), line, 0.8)), Polygon(side, Paint(mix(line, fill, 0.25), line, 0.8))]
    tip = words.sound(words.tooltip(one.box))
    return Group(f"map {css_class(one.box.role)}", tuple(shapes), f"m{one.box.id}", tip)


def _legend(roles: set[Role], width: float, y: float, theme: Theme) -> Group:
    names = [(role, "block" if role is Role.OTHER else NAMES.get(role, role.value)) for role in Role if role in roles]
    whole = sum(text_width(name, SMALL) + 28.0 for _, name in names)
    x = (width - whole) / 2
    shapes: list[Shape] = []
    for role, name in names:
        line, fill = theme.role(role)
        shapes += [Rect(x, y - 7.0, 11.0, 8.0, Paint(fill, line, 0.8)), Text(x + 15.0, y, name, SMALL, theme.faint, "start")]
        x += text_width(name, SMALL) + 28.0
    note = "the edges of a block follow the square roots of height, width and channels"
    return Group("legend", (*shapes, Text(width / 2, y + 14.0, note, SMALL, theme.faint)))
