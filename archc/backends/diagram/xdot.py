"""A picture as DOT that holds nothing but what is to be painted, so that Graphviz makes PNG and PDF of it as it is.

Graphviz has fonts of its own measure built in and needs no layout for this: `_background` is drawn as it stands.
"""

from __future__ import annotations

from archc.backends.diagram.canvas import Group, Line, Paint, Picture, Point, Polygon, Rect, Shape, Text
from archc.backends.diagram.metrics import text_width
from archc.backends.diagram.svg import number

ALIGN = {"start": -1, "middle": 0, "end": 1}
ARC = 0.552
"""Where the handles of a Bezier curve are that looks like a quarter of a circle."""


def to_xdot(picture: Picture) -> str:
    """DOT text for `neato -n2`."""
    painter = _Painter(picture.height)
    operations = " ".join(one for group in picture.groups for one in painter.group(group))
    quoted = operations.replace("\\", "\\\\").replace('"', '\\"')
    corner = 'shape=point style=invis width=0.01 height=0.01 label=""'
    return (
        f'digraph archc {{\n\tgraph [pad="0" bgcolor="{picture.background}" _background="{quoted}"]\n'
        f'\ta [pos="0,0" {corner}]\n\tb [pos="{number(picture.width)},{number(picture.height)}" {corner}]\n}}\n'
    )


class _Painter:
    def __init__(self, height: float) -> None:
        self._height = height

    def group(self, group: Group) -> list[str]:
        return [one for shape in group.shapes for one in self._shape(shape)]

    def _shape(self, shape: Shape) -> list[str]:
        if isinstance(shape, Text):
            return self._text(shape)
        if isinstance(shape, Rect):
            if shape.radius:
                return [*self._paint(shape.paint), self._points("b" if shape.paint.fill else "B", _rounded(shape))]
            corners = ((shape.x, shape.y), (shape.x + shape.width, shape.y), (shape.x + shape.width, shape.y + shape.height), (shape.x, shape.y + shape.height))
            return [*self._paint(shape.paint), self._points("P" if shape.paint.fill else "p", corners)]
        if isinstance(shape, Polygon):
            return [*self._paint(shape.paint), self._points("P" if shape.paint.fill else "p", shape.points)]
        return [*self._paint(shape.paint), self._points("L", _line(shape))]

    def _paint(self, paint: Paint) -> list[str]:
        stroke = paint.stroke or paint.fill
        style = "dashed" if paint.dashed else "solid"
        parts = [f"c {_counted(stroke)}", f"S {_counted(style)}", f"S {_counted(f'setlinewidth({number(paint.width)})')}"]
        return [*parts, f"C {_counted(paint.fill)}"] if paint.fill else parts

    def _text(self, text: Text) -> list[str]:
        font = "Helvetica-Bold" if text.bold else "Helvetica"
        width = number(text_width(text.content, text.size, text.bold))
        place = f"{number(text.x)} {number(self._height - text.y)}"
        return [f"c {_counted(text.colour)}", f"F {number(text.size)} {_counted(font)}", f"T {place} {ALIGN[text.anchor]} {width} {_counted(text.content)}"]

    def _points(self, operation: str, points: tuple[Point, ...]) -> str:
        return " ".join([operation, str(len(points)), *(f"{number(x)} {number(self._height - y)}" for x, y in points)])


def _counted(text: str) -> str:
    return f"{len(text.encode())} -{text}"


def _line(line: Line) -> tuple[Point, ...]:
    return line.points


def _rounded(rect: Rect) -> tuple[Point, ...]:
    """A rectangle with round corners as Bezier curves."""
    x0, y0, x1, y1 = rect.x, rect.y, rect.x + rect.width, rect.y + rect.height
    r = min(rect.radius, rect.width / 2, rect.height / 2)
    k = r * (1 - ARC)
    points: list[Point] = [(x0 + r, y0)]
    for end, first, second, stop in (
        ((x1 - r, y0), (x1 - k, y0), (x1, y0 + k), (x1, y0 + r)),
        ((x1, y1 - r), (x1, y1 - k), (x1 - k, y1), (x1 - r, y1)),
        ((x0 + r, y1), (x0 + k, y1), (x0, y1 - k), (x0, y1 - r)),
        ((x0, y0 + r), (x0, y0 + k), (x0 + k, y0), (x0 + r, y0)),
    ):
        points += [points[-1], end, end, first, second, stop]
    return tuple(points)
