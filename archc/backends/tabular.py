"""Tables as values: columns and rows of text, written as aligned text, Markdown, CSV and HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|")
"""What a cell begins with that spreadsheets run."""
MARKUP = re.compile(r"([\\`*\[\]<>|&~$#!]|(?<!\w)_|_(?!\w))")
"""What means something in Markdown; an underscore inside of a word does not."""


@dataclass(frozen=True)
class Column:
    """A column: its key (in CSV), its heading for people with the unit, and whether its cells are numbers."""

    key: str
    heading: str
    numeric: bool = True


@dataclass(frozen=True)
class Row:
    """Cells for people, the exact values behind them for machines, and where the row stands in a tree.

    `lines` are the tree's lines before the first cell; `total` rows sum up the rows below them.
    """

    cells: Sequence[str]
    values: Callable[[], Sequence[object]]
    lines: str = ""
    total: bool = False


@dataclass(frozen=True)
class Table:
    """A caption, columns, rows, and notes that explain what a reader may not know."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    notes: Sequence[str] = field(default_factory=tuple[str, ...])


def text(table: Table) -> str:
    """Aligned columns."""
    heads = [one.heading for one in table.columns]
    body = [[f"{row.lines}{row.cells[0]}", *row.cells[1:]] for row in table.rows]
    widths = [max((width(one) for one in column), default=0) for column in zip(heads, *body, strict=True)]
    lines = [_aligned(heads, widths, table.columns), "  ".join("-" * one for one in widths)]
    lines += [_aligned(row, widths, table.columns) for row in body]
    return "\n".join([table.caption, *lines, *table.notes]) + "\n"


def markdown(table: Table) -> str:
    """A table of GitHub's Markdown, the tree as indents."""
    heads = " | ".join(plain_markdown(one.heading) for one in table.columns)
    rules = " | ".join("---:" if one.numeric else "---" for one in table.columns)
    lines = [f"| {heads} |", f"| {rules} |"]
    for row in table.rows:
        indent = "&nbsp;&nbsp;" * (len(row.lines) // 3)
        cells = [f"**{plain_markdown(one)}**" if row.total and one else plain_markdown(one) for one in row.cells]
        lines.append(f"| {indent}{' | '.join(cells)} |")
    notes = "\n".join(f"{plain_markdown(one)}  " for one in table.notes)
    return f"**{plain_markdown(table.caption)}**\n\n" + "\n".join(lines) + (f"\n\n{notes}\n" if notes else "\n")


def comma_separated(table: Table) -> str:
    """CSV with exact values: keys as heads, nothing where a value is unknown."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([one.key for one in table.columns])
    for row in table.rows:
        writer.writerow(["" if one is None else guarded(one) if isinstance(one, str) else one for one in row.values()])
    return out.getvalue()


def guarded(text: str) -> str:
    """A cell of CSV: one that a spreadsheet would run as a formula begins with `'`.

    >>> guarded("=1+1"), guarded("conv_1")
    ("'=1+1", 'conv_1')
    """
    return f"'{text}" if text.startswith(FORMULA) else text


def page(table: Table, *more: str) -> str:
    """A whole HTML page, with nothing to load."""
    title = _escaped(table.caption)
    parts = "\n".join((*more, fragment(table)))
    return f'<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n{parts}\n</html>\n'


def fragment(table: Table) -> str:
    """The table as HTML: a caption, heads with their scope, notes."""
    heads = "".join(f'<th scope="col"{_numeric(one)}>{_escaped(one.heading)}</th>' for one in table.columns)
    lines = ['<div class="wide">', "<table>", f"<caption>{_escaped(table.caption)}</caption>", f"<thead><tr>{heads}</tr></thead>", "<tbody>"]
    for row in table.rows:
        first = f'<th scope="row" style="padding-left:{len(row.lines) // 3 * 1.2 + 0.6:.1f}em">{_escaped(row.cells[0])}</th>'
        rest = "".join(f"<td{_numeric(column)}>{_escaped(cell)}</td>" for column, cell in zip(table.columns[1:], row.cells[1:], strict=True))
        lines.append(f"<tr{' class=total' if row.total else ''}>{first}{rest}</tr>")
    lines += ["</tbody>", "</table>", "</div>", *(f"<p>{_escaped(one)}</p>" for one in table.notes)]
    return "\n".join(lines)


def width(words: str) -> int:
    """How many columns of a terminal a text takes."""
    rest = words.lstrip("│├└─ ")
    if rest.isascii():
        return len(words)
    import unicodedata

    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in rest)
    return len(words) + wide - sum(unicodedata.combining(one) != 0 for one in rest)


def _aligned(cells: Iterable[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    found: list[str] = []
    for cell, size, column in zip(cells, widths, columns, strict=True):
        room = " " * (size - width(cell))
        found.append(f"{room}{cell}" if column.numeric else f"{cell}{room}")
    return "  ".join(found).rstrip()


def plain_markdown(words: str) -> str:
    """A text as Markdown that shows just that, in one line: no markup, entity, formula or link is left in it.

    >>> plain_markdown("*a* | stage1_conv"), plain_markdown("_it_ <b>")
    ('\\\\*a\\\\* \\\\| stage1_conv', '\\\\_it\\\\_ \\\\<b\\\\>')
    """
    return MARKUP.sub(r"\\\1", " ".join(words.split())).replace("://", r"\://").replace("www.", r"www\.")


def _escaped(words: str) -> str:
    for one, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        words = words.replace(one, entity)
    return words


def _numeric(column: Column) -> str:
    return " class=number" if column.numeric else ""


STYLE = """\
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1.5rem 0; }
caption { font-size: 1.15em; font-weight: 600; padding-bottom: .6em; text-align: left; }
th, td { border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); padding: .22em .6em; text-align: left; vertical-align: top; }
.wide { overflow-x: auto; }
thead th { border-bottom: 2px solid; white-space: nowrap; }
tbody th { font-weight: 400; }
.number { text-align: right; white-space: nowrap; }
.total > * { font-weight: 600; }
p { color: color-mix(in srgb, currentColor 75%, transparent); margin: .3em 0; }
"""
