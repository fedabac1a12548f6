"""A picture as SVG: plain shapes, readable without style sheets, the same bytes every time."""

from __future__ import annotations

from collections.abc import Mapping

from archc.backends.diagram.canvas import Group, Line, Paint, Picture, Point, Polygon, Rect, Shape, Text

FAMILY = "Helvetica, Arial, 'Liberation Sans', sans-serif"
Attributes = Mapping[str, Mapping[str, str]]
QUOTED = str.maketrans({'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
ANCHORS = {"start": "", "middle": ' text-anchor="middle"', "end": ' text-anchor="end"'}


def to_svg(picture: Picture, title: str, description: str, role: str = "img", extra: Attributes | None = None) -> str:
    """The SVG text, with a title and description for those who do not see it.

    `role` is its ARIA role; `extra` are further attributes of groups, by their ids.
    """
    size = f'width="{number(picture.width)}" height="{number(picture.height)}"'
    box = f'viewBox="0 0 {number(picture.width)} {number(picture.height)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} role="{role}" aria-labelledby="archc-title archc-desc" font-family="{FAMILY}">'
    lines = [head, f'<title id="archc-title">{escape(title)}</title>', f'<desc id="archc-desc">{escape(description)}</desc>']
    if picture.style:
        lines.append(f"<style>{escape(picture.style)}</style>")
    lines.append(f'<rect class="ground" {size} fill="{picture.background}"/>')
    lines += [_group(one, (extra or {}).get(one.id, {})) for one in picture.groups]
    return "\n".join([*lines, "</svg>\n"])


def escape(text: str) -> str:
    """Text as it stands between tags: `xml.sax.saxutils` would load Python's network client for it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def quoted(text: str) -> str:
    """Text as the value of an attribute.

    >>> print(quoted('a "b" & c'))
    "a &quot;b&quot; &amp; c"
    """
    return '"' + escape(text).translate(QUOTED) + '"'


def number(value: float) -> str:
    """A coordinate, to a tenth of a point.

    >>> number(12.04), number(-0.01), number(3.25)
    ('12', '0', '3.2')
    """
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _group(group: Group, extra: Mapping[str, str]) -> str:
    name = f" id={quoted(group.id)}" if group.id else ""
    tip = f"<title>{escape(group.tip)}</title>" if group.tip else ""
    more = "".join(f" {key}={quoted(value)}" for key, value in extra.items())
    return f'<g{name} class="{group.kind}"{more}>{tip}{"".join(map(_shape, group.shapes))}</g>'


def _shape(shape: Shape) -> str:
    if isinstance(shape, Text):
        place = f'x="{number(shape.x)}" y="{number(shape.y)}" font-size="{number(shape.size)}"{ANCHORS[shape.anchor]}'
        weight = ' font-weight="bold"' if shape.bold else ""
        return f'<text {place}{weight} fill="{shape.colour}">{escape(shape.content)}</text>'
    if isinstance(shape, Rect):
        place = f'x="{number(shape.x)}" y="{number(shape.y)}" width="{number(shape.width)}" height="{number(shape.height)}"'
        radius = f' rx="{number(shape.radius)}"' if shape.radius else ""
        return f"<rect {place}{radius}{_paint(shape.paint)}/>"
    if isinstance(shape, Polygon):
        points = " ".join(f"{number(x)},{number(y)}" for x, y in shape.points)
        return f'<polygon points="{points}"{_paint(shape.paint)}/>'
    return f'<path d="{_path(shape)}"{_paint(shape.paint)}/>'


def _paint(paint: Paint) -> str:
    fill = f' fill="{paint.fill or "none"}"'
    if not paint.stroke:
        return fill
    dashes = ' stroke-dasharray="4 3"' if paint.dashed else ""
    return f'{fill} stroke="{paint.stroke}" stroke-width="{number(paint.width)}"{dashes}'


def _path(line: Line) -> str:
    """A path whose corners are rounded."""
    first, *rest = line.points
    parts = [f"M{_place(first)}"]
    for before, corner, after in zip(line.points, rest, rest[1:], strict=False):
        radius = min(line.radius, _distance(before, corner) / 2, _distance(corner, after) / 2)
        parts.append(f"L{_place(towards(corner, before, radius))}Q{_place(corner)} {_place(towards(corner, after, radius))}")
    return "".join([*parts, f"L{_place(rest[-1])}"])


def _place(point: Point) -> str:
    return f"{number(point[0])} {number(point[1])}"


def _distance(one: Point, other: Point) -> float:
    return ((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2) ** 0.5


def towards(start: Point, end: Point, length: float) -> Point:
    """The point so far from one on the way to another."""
    whole = _distance(start, end) or 1.0
    return start[0] + (end[0] - start[0]) * length / whole, start[1] + (end[1] - start[1]) * length / whole
