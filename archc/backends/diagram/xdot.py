"""A picture as DOT that holds nothing but what is to be painted, so that Graphviz makes PNG and PDF of it as it is.

Graphviz needs no layout for this: `_background` is drawn as it stands, and text where its nodes are.
"""

from __future__ import annotations

from archc.backends.diagram.canvas import Line, Paint, Picture, Point, Polygon, Rect, Text
from archc.backends.diagram.metrics import text_width
from archc.backends.diagram.svg import number

ALIGN = {"start": -1, "middle": 0, "end": 1}
JUSTIFIED = {"start": "\\l", "middle": "", "end": "\\r"}
SLACK = 1.4
"""Room for hosts whose fonts are wider than Helvetica."""
LONGEST = 8_000
ARC = 0.552
"""Where the handles of a Bezier curve are that looks like a quarter of a circle."""


def to_xdot(picture: Picture) -> str:
    """DOT text for the layout `nop2`, which takes all places as they are."""
    painter = _Painter(picture.height)
    shapes = [shape for group in picture.groups for shape in group.shapes]
    operations = [one for shape in shapes if not isinstance(shape, Text) for one in painter.operations(shape)]
    texts = [painter.node(shape, number) for number, shape in enumerate(one for one in shapes if isinstance(one, Text))]
    corner = "shape=point style=invis width=0.01 height=0.01"
    lines = [
        "digraph archc {",
        f'\tgraph [pad="0" margin="0" bgcolor="{picture.background}" _background={_quoted(operations)}]',
        '\tnode [shape=none margin=0 width=0 height=0 label=""]',
        f'\ta [pos="0,0" {corner}]',
        f'\tb [pos="{number(picture.width)},{number(picture.height)}" {corner}]',
        *texts,
        "}",
    ]
    return "\n".join(lines) + "\n"


def _quoted(operations: list[str]) -> str:
    """The operations as DOT text, in pieces: Graphviz reads no longer ones, and joins them where a `+` stands between."""
    pieces: list[str] = [""]
    for one in operations:
        escaped = one.replace("\\", "\\\\").replace('"', '\\"')
        if len((pieces[-1] + escaped).encode()) > LONGEST:
            pieces.append("")
        pieces[-1] += escaped + " "
    return " + ".join(f'"{one}"' for one in pieces)


class _Painter:
    def __init__(self, height: float) -> None:
        self._height = height

    def operations(self, shape: Rect | Polygon | Line) -> list[str]:
        """A shape as operations of the xdot language."""
        if isinstance(shape, Rect):
            if shape.radius:
                return [*self._paint(shape.paint), self._points("b" if shape.paint.fill else "B", _rounded(shape))]
            corners = ((shape.x, shape.y), (shape.x + shape.width, shape.y), (shape.x + shape.width, shape.y + shape.height), (shape.x, shape.y + shape.height))
            return [*self._paint(shape.paint), self._points("P" if shape.paint.fill else "p", corners)]
        if isinstance(shape, Polygon):
            return [*self._paint(shape.paint), self._points("P" if shape.paint.fill else "p", shape.points)]
        return [*self._paint(shape.paint), self._points("L", shape.points)]

    def _paint(self, paint: Paint) -> list[str]:
        stroke = paint.stroke or paint.fill
        style = "dashed" if paint.dashed else "solid"
        parts = [f"c {_counted(stroke)}", f"S {_counted(style)}", f"S {_counted(f'setlinewidth({number(paint.width)})')}"]
        return [*parts, f"C {_counted(paint.fill)}"] if paint.fill else parts

    def node(self, text: Text, number_of_text: int) -> str:
        """A line of text as a node that is nothing else."""
        width = text_width(text.content, text.size, text.bold) * SLACK
        x = text.x - ALIGN[text.anchor] * width / 2
        y = self._height - text.y + text.size * 0.34
        font = "Helvetica-Bold" if text.bold else "Helvetica"
        label = text.content.replace("\\", "\\\\").replace("&", "&amp;").replace('"', '\\"')
        style = f'fontname="{font}" fontsize="{number(text.size)}" fontcolor="{text.colour}"'
        room = f'fixedsize=true width="{width / 72:.3f}" height="{text.size / 72:.3f}"'
        side = JUSTIFIED[text.anchor]
        return f'\tt{number_of_text} [pos="{number(x)},{number(y)}" {room} {style} label="{label}{side}"]'

    def _points(self, operation: str, points: tuple[Point, ...]) -> str:
        return " ".join([operation, str(len(points)), *(f"{number(x)} {number(self._height - y)}" for x, y in points)])


def _counted(text: str) -> str:
    return f"{len(text.encode())} -{text}"


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
