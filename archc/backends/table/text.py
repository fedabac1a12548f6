"""Tables for a terminal; what does not fit beside one another stands below one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console as Rich
from rich.table import Table as RichTable
from rich.text import Text

from archc.backends.table.cells import Cell
from archc.backends.table.layout import Entry, Table

GAP = 2
MARK = " *"
BRACKETS = (("⎡", "⎤"), ("⎢", "⎥"), ("⎣", "⎦"))


def text(table: Table, rich: Rich, *, colour: bool, unicode: bool) -> str:
    """A table as a terminal shows it. Without colour what differs has a star."""
    with rich.capture() as captured:
        _print(table, rich, colour=colour, unicode=unicode)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()).rstrip("\n") + "\n"


def _print(table: Table, rich: Rich, *, colour: bool, unicode: bool) -> None:
    texts = [[_text(one, colour, unicode) for one in row] for row in (*table.body, *table.totals)]
    widths = [max([len(name), *(_width(row[at]) for row in texts)]) for at, name in enumerate(table.header)]
    title: str | None = table.title
    for columns in _pages(widths, table.labels, rich.width):
        drawn = RichTable(box=box.SIMPLE_HEAD if unicode else box.ASCII2, title=Text(title) if title else None, title_justify="left", pad_edge=False)
        for at in columns:
            name = table.header[at]
            drawn.add_column(Text(name), justify="right" if name in table.numbers else "left", no_wrap=table.layout == "variants", vertical="middle")
        for number, row in enumerate(texts):
            drawn.add_row(*(row[at] for at in columns), end_section=number == len(table.body) - 1)
        rich.print(drawn)
        title = None
    if not colour and any(one.changed for row in (*table.body, *table.totals) for one in row):
        rich.print(Text("* differs from the column before"))
    for note in table.notes:
        rich.print(Text(note))


def _pages(widths: Sequence[int], labels: int, room: int) -> Iterator[list[int]]:
    """The columns that fit beside one another, the labels always with them."""
    used = sum(widths[:labels]) + GAP * labels
    page: list[int] = list(range(labels))
    width = used
    for at in range(labels, len(widths)):
        if width + widths[at] + GAP > room and len(page) > labels:
            yield page
            page, width = list(range(labels)), used
        page.append(at)
        width += widths[at] + GAP
    yield page


def _text(entry: Entry, colour: bool, unicode: bool) -> Text:
    blocks = entry.blocks if unicode else ()
    lines = [line for one in blocks for line in _stack(one)] or [entry.text]
    if entry.changed and not colour:
        lines[(len(lines) - 1) // 2] += MARK
    return Text("\n".join(lines), style="bold yellow" if entry.changed and colour else "")


def _stack(cell: Cell) -> list[str]:
    """A block over several lines, in brackets."""
    if not cell.block or len(cell.lines) == 1:
        return [str(cell)]
    width = max(map(len, cell.lines))
    last = len(cell.lines) - 1
    found: list[str] = []
    for at, line in enumerate(cell.lines):
        left, right = BRACKETS[0 if at == 0 else 2 if at == last else 1]
        times = f" x {cell.count}" if cell.count > 1 and at == last // 2 else ""
        found.append(f"{left}{line:<{width}}{right}{times}")
    return found


def _width(text: Text) -> int:
    return max((len(line) for line in text.plain.split("\n")), default=0)
