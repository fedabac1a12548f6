"""What a picture is made of, before any file format: rectangles, polygons, lines and text, in groups."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours of a shape (empty for none), its line's width and whether the line is dashed."""

    fill: str = ""
    stroke: str = ""
    width: float = 1.0
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle, its corners rounded where `radius` says so."""

    x: float
    y: float
    width: float
    height: float
    paint: Paint
    radius: float = 0.0


@dataclass(frozen=True, slots=True)
class Polygon:
    """A closed area."""

    points: tuple[Point, ...]
    paint: Paint


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points; corners are rounded where `radius` says so."""

    points: tuple[Point, ...]
    paint: Paint
    radius: float = 0.0


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; `y` is its baseline."""

    x: float
    y: float
    content: str
    size: float
    colour: str
    anchor: Anchor = "middle"
    bold: bool = False


Shape = Rect | Polygon | Line | Text


@dataclass(frozen=True, slots=True)
class Group:
    """Shapes that are one thing: a node, an edge, a frame. `kind` is its class, `tip` what a pointer shows.

    `of` is the box or frame of the drawing tree that it draws.
    """

    kind: str
    shapes: tuple[Shape, ...]
    id: str = ""
    tip: str = ""
    of: object = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A page: its size, ground and groups, in the order in which they are painted."""

    width: float
    height: float
    background: str
    groups: list[Group] = field(default_factory=list[Group])
    style: str = ""


def moved(shape: Shape, dx: float, dy: float) -> Shape:
    """The shape elsewhere."""
    if isinstance(shape, Rect | Text):
        return replace(shape, x=shape.x + dx, y=shape.y + dy)
    return replace(shape, points=tuple((x + dx, y + dy) for x, y in shape.points))


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
