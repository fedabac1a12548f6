"""What a picture is made of, before any file format: rectangles, polygons, lines and text, in groups.

These are named tuples, as a large picture has tens of thousands of them, and they are made several times faster than
frozen dataclasses.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]


class Paint(NamedTuple):
    """Colours of a shape (empty for none), its line's width and whether the line is dashed."""

    fill: str = ""
    stroke: str = ""
    width: float = 1.0
    dashed: bool = False


class Rect(NamedTuple):
    """A rectangle, its corners rounded where `radius` says so."""

    x: float
    y: float
    width: float
    height: float
    paint: Paint
    radius: float = 0.0


class Polygon(NamedTuple):
    """A closed area."""

    points: tuple[Point, ...]
    paint: Paint


class Line(NamedTuple):
    """A line through points; corners are rounded where `radius` says so."""

    points: tuple[Point, ...]
    paint: Paint
    radius: float = 0.0


class Text(NamedTuple):
    """One line of text; `y` is its baseline."""

    x: float
    y: float
    content: str
    size: float
    colour: str
    anchor: Anchor = "middle"
    bold: bool = False


Shape = Rect | Polygon | Line | Text


class Group(NamedTuple):
    """Shapes that are one thing: a node, an edge, a frame. `kind` is its class, `tip` what a pointer shows.

    `of` is the box or frame of the drawing tree that it draws.
    """

    kind: str
    shapes: tuple[Shape, ...]
    id: str = ""
    tip: str = ""
    of: object = None


class Picture(NamedTuple):
    """A page: its size, ground and groups, in the order in which they are painted."""

    width: float
    height: float
    background: str
    groups: list[Group]
    style: str = ""


def moved(shape: Shape, dx: float, dy: float) -> Shape:
    """The shape elsewhere."""
    if isinstance(shape, Text):
        return Text(shape.x + dx, shape.y + dy, shape.content, shape.size, shape.colour, shape.anchor, shape.bold)
    if isinstance(shape, Rect):
        return Rect(shape.x + dx, shape.y + dy, shape.width, shape.height, shape.paint, shape.radius)
    points = tuple((x + dx, y + dy) for x, y in shape.points)
    return Polygon(points, shape.paint) if isinstance(shape, Polygon) else Line(points, shape.paint, shape.radius)


def shifted(group: Group, dx: float, dy: float) -> Group:
    """The group elsewhere."""
    return Group(group.kind, tuple(moved(one, dx, dy) for one in group.shapes), group.id, group.tip, group.of)


def arrow(points: tuple[Point, ...], paint: Paint, radius: float = 5.0, size: float = 6.5) -> tuple[Shape, ...]:
    """A line with a head at its end."""
    (x0, y0), (x1, y1) = points[-2], points[-1]
    length = max(1e-6, ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5)
    ux, uy = (x1 - x0) / length, (y1 - y0) / length
    back = (x1 - ux * size, y1 - uy * size)
    wide = size * 0.36
    head = ((x1, y1), (back[0] - uy * wide, back[1] + ux * wide), (back[0] + uy * wide, back[1] - ux * wide))
    return (
        Line((*points[:-1], back), paint, radius),
        Polygon(head, Paint(paint.stroke, paint.stroke, 0.5)),
    )
