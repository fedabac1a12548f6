"""What stands beside a drawing: templates with their tables of numbers, and the legend."""

from __future__ import annotations

from dataclasses import dataclass

from archc.backends.diagram import words
from archc.backends.diagram.canvas import Group, Line, Paint, Rect, Shape, Text, shifted
from archc.backends.diagram.metrics import text_width
from archc.backends.diagram.paint import Drawing, plan
from archc.backends.diagram.structure import structure
from archc.backends.diagram.styles import NAMES, Theme
from archc.backends.diagram.tree import Direction, Outline, Template
from archc.operators import Role

SMALL, TITLE = 8.5, 10.5
ROW = 12.5
PADDING = 10.0
CELL = 9.0
"""The room between the columns of a table."""


def placed(drawn: Drawing, x: float, y: float) -> list[Group]:
    """A drawing's groups at a place."""
    return [shifted(one, x, y) for one in drawn.groups]


def panel(template: Template, number: int, direction: Direction, theme: Theme) -> Drawing:
    """A template: its drawing over its table, in a frame."""
    inner = template.drawn
    body = structure(inner.items, inner.edges, len(inner.boxes))
    drawn = plan([body], inner.edges, direction).drawing(theme, f"t{number}-")
    rows = table(template, theme)
    title = words.shown(template.title)
    width = max(drawn.width, rows.width, text_width(title, TITLE, True)) + 2 * PADDING
    top = PADDING + TITLE + 8.0
    height = top + drawn.height + 14.0 + rows.height + PADDING
    frame = Rect(0.0, 0.0, width, height, Paint(theme.background, theme.frame, 1.0, dashed=True), 6.0)
    heading = Text(PADDING, PADDING + TITLE * 0.8, title, TITLE, theme.text, "start", True)
    groups = [Group("template", (frame, heading))]
    groups += placed(drawn, (width - drawn.width) / 2, top)
    groups += placed(rows, (width - rows.width) / 2, top + drawn.height + 14.0)
    return Drawing([one._replace(kind=one.kind.replace("node ", "template-node ").replace("edge ", "template-edge "), of=None) for one in groups], width, height)


def table(template: Template, theme: Theme) -> Drawing:
    """Rows of numbers under their names."""
    rows = [tuple(words.shown(cell, 40) for cell in row) for row in (template.header, *template.rows)]
    widths = [max(text_width(row[at], SMALL, bold=not number) for number, row in enumerate(rows)) for at in range(len(rows[0]))]
    ends: list[float] = []
    for width in widths:
        ends.append((ends[-1] + CELL if ends else 0.0) + width)
    shapes: list[Shape] = []
    for number, row in enumerate(rows):
        y = ROW * number + SMALL
        for at, cell in enumerate(row):
            x, anchor = (0.0, "start") if at == 0 else (ends[at], "end")
            shapes.append(Text(x, y, cell, SMALL, theme.text, anchor, bold=not number))  # pyright: ignore[reportArgumentType]
    rule = Paint("", theme.frame, 0.7)
    for y in (ROW - 1.0, ROW * len(rows) - 0.5):
        shapes.append(Line(((0.0, y), (ends[-1], y)), rule))
    return Drawing([Group("table", tuple(shapes))], ends[-1], ROW * len(rows))


@dataclass
class _Rows:
    """Things in rows, a new one where the width is used up."""

    widest: float
    x: float = 0.0
    y: float = 0.0
    right: float = 0.0

    def place(self, width: float) -> tuple[float, float]:
        if self.x and self.x + width > self.widest:
            self.break_line()
        here = (self.x, self.y)
        self.x += width + 12.0
        self.right = max(self.right, here[0] + width)
        return here

    def break_line(self) -> None:
        if self.x:
            self.x, self.y = 0.0, self.y + 15.0


def legend(outline: Outline, theme: Theme, widest: float) -> Drawing:
    """The roles that are drawn, the signs that are used, and what the blocks are."""
    rows = _Rows(widest)
    shapes: list[Shape] = []
    roles = {box.role for one in (outline, *(each.drawn for each in outline.templates)) for box in one.boxes if not box.title}
    for role in Role:
        if role in roles:
            name = NAMES.get(role, role.value)
            x, y = rows.place(text_width(name, SMALL) + 18.0)
            line, fill = theme.role(role)
            radius = 3.0 if role in (Role.INPUT, Role.ACTIVATION) else 0.0
            shapes.append(Rect(x, y + 1.5, 13.0, 9.0, Paint(fill, line, theme.width, role is Role.REGULARISATION), radius))
            shapes.append(Text(x + 18.0, y + 9.2, name, SMALL, theme.faint, "start"))
    if outline.skips:
        x, y = rows.place(24.0 + text_width("skip connection", SMALL))
        shapes.append(Line(((x, y + 6.0), (x + 18.0, y + 6.0)), Paint("", theme.edge, 0.9, True)))
        shapes.append(Text(x + 24.0, y + 9.2, "skip connection", SMALL, theme.faint, "start"))
    entries = [(f"{words.MULTIPLY} N", "N blocks in a row" + (", in a table perhaps of other shapes" if outline.templates else ""))] if outline.folded else []
    for number, (sign, text) in enumerate([*entries, *((f"{name}:", text) for name, text in outline.explained)]):
        if number >= len(entries):
            rows.break_line()
        for first, words_of_line in enumerate(_lines(text, widest - text_width(sign, SMALL, True) - 5.0)):
            wide = text_width(sign, SMALL, True)
            if first:
                rows.break_line()
            x, y = rows.place(wide + 5.0 + text_width(words_of_line, SMALL))
            if not first:
                shapes.append(Text(x, y + 9.2, words.shown(sign), SMALL, theme.text, "start", True))
            shapes.append(Text(x + wide + 5.0, y + 9.2, words_of_line, SMALL, theme.faint, "start"))
    return Drawing([Group("legend", tuple(shapes))] if shapes else [], rows.right, rows.y + 14.0)


def _lines(text: str, width: float) -> list[str]:
    """A sentence in lines of a width."""
    lines = [""]
    for word in words.shown(text, 400).split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, SMALL) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
