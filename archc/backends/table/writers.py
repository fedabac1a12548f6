"""Tables as text for other programs: Markdown, HTML, LaTeX, CSV, JSON.

Written here, for the libraries that write tables escape some of these forms and not others (a `|` in Markdown, a formula in CSV),
and none marks single cells. What is in a cell never becomes markup, code or a formula.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence

from archc.backends.table.layout import Entry, Table
from archc.backends.tabular import guarded, plain_markdown

LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}", "[": "{[}", "]": "{]}", "*": "{*}",
}


def markdown(table: Table) -> str:
    """A table of GitHub's Markdown; what differs is bold."""
    lines = [f"**{plain_markdown(table.title)}**", "", _pipes(plain_markdown(one) for one in table.header)]
    lines.append(_pipes("---:" if one in table.numbers else "---" for one in table.header))
    for row in (*table.body, *table.totals):
        lines.append(_pipes(f"**{plain_markdown(one.text)}**" if one.changed else plain_markdown(one.text) for one in row))
    for note in table.notes:
        lines += ["", plain_markdown(note)]
    return "\n".join(lines) + "\n"


def _pipes(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; color: #1c2126; background: #fff; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .6rem; }
th, td { padding: .25rem .8rem; text-align: center; border-bottom: 1px solid #d9dde1; vertical-align: middle; }
thead th, tbody:last-of-type tr:first-child > * { border-top: 2px solid #1c2126; }
thead th { border-bottom: 1px solid #1c2126; }
tr > :first-child { text-align: left; white-space: nowrap; }
tbody tr > :first-child { font-weight: 500; }
td.number { text-align: right; }
td.changed { font-weight: 700; background: #fdf1d8; }
.block { display: inline-block; border: 1px solid currentColor; border-width: 0 1px; padding: 0 .45rem; vertical-align: middle; border-radius: 4px; white-space: nowrap; }
@media (prefers-color-scheme: dark) {
 body { color: #e6e8ea; background: #14181b; } th, td { border-color: #3a4147; }
 thead th, tbody:last-of-type tr:first-child > * { border-top-color: #e6e8ea; } td.changed { background: #4a3a12; }
}
""".strip()


def page(table: Table) -> str:
    """An HTML page with the table; what differs has the class `changed`."""
    head = "".join(f'<th scope="col">{html.escape(one)}</th>' for one in table.header)
    lines = ["<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">', '<meta name="viewport" content="width=device-width">']
    lines += [f"<title>{html.escape(table.title)}</title>", f"<style>\n{STYLE}\n</style>", "</head>", "<body>", "<table>"]
    lines += [f"<caption>{html.escape(table.title)}</caption>", f"<thead><tr>{head}</tr></thead>"]
    for part in (table.body, table.totals):
        lines += ["<tbody>", *(_html_row(table, row) for row in part), "</tbody>"]
    lines += ["</table>", *(f"<p>{html.escape(one)}</p>" for one in table.notes), "</body>", "</html>"]
    return "\n".join(lines) + "\n"


def _html_row(table: Table, row: Sequence[Entry]) -> str:
    return "<tr>" + "".join(_html_cell(table, at, one) for at, one in enumerate(row)) + "</tr>"


def _html_cell(table: Table, at: int, entry: Entry) -> str:
    if at == 0:
        return f'<th scope="row">{html.escape(entry.text)}</th>'
    words = [word for word, holds in (("changed", entry.changed), ("number", table.header[at] in table.numbers)) if holds]
    classes = f' class="{" ".join(words)}"' if words else ""
    return f"<td{classes}>{_html_blocks(entry)}</td>"


def _html_blocks(entry: Entry) -> str:
    if not entry.blocks:
        return html.escape(entry.text)
    parts: list[str] = []
    for cell in entry.blocks:
        text = "<br>".join(html.escape(line) for line in cell.lines)
        times = f" × {cell.count}" if cell.count > 1 else ""
        parts.append(f'<span class="block">{text}</span>{times}' if cell.block else f"{text}{times}")
    return "<br>".join(parts)


def latex(table: Table) -> str:
    """A `tabular` with the rules of booktabs; what differs is bold. It needs the packages booktabs, textcomp and T1 fonts."""
    columns = "".join("l" if at < table.labels else "r" if one in table.numbers else "c" for at, one in enumerate(table.header))
    lines = ["% \\usepackage[T1]{fontenc} \\usepackage{textcomp,booktabs}", "\\begin{table}", "\\centering", f"\\caption{{{_latex(table.title)}}}"]
    lines += [f"\\begin{{tabular}}{{{columns}}}", "\\toprule", _ampersands(_latex(one) for one in table.header), "\\midrule"]
    for row in table.body:
        lines.append(_ampersands(_latex_cell(one) for one in row))
        if any(cell.block for one in row for cell in one.blocks):
            lines.append("\\addlinespace")
    lines += ["\\midrule", *(_ampersands(_latex_cell(one) for one in row) for row in table.totals)]
    lines += ["\\bottomrule", "\\end{tabular}", *(f"\\par {_latex(one)}" for one in table.notes), "\\end{table}"]
    return "\n".join(lines) + "\n"


def _ampersands(texts: Iterable[str]) -> str:
    return f"{' & '.join(texts)} \\\\"


def _latex_cell(entry: Entry) -> str:
    if not entry.blocks:
        return f"\\textbf{{{_latex(entry.text)}}}" if entry.changed else _latex(entry.text)
    parts: list[str] = []
    for cell in entry.blocks:
        words = [f"\\textbf{{{_latex(line)}}}" if entry.changed else _latex(line) for line in cell.lines]
        times = f"$\\times${cell.count}" if cell.count > 1 else ""
        stack = " \\\\ ".join(f"\\mbox{{{one}}}" for one in words)
        parts.append(f"$\\left[\\begin{{array}}{{c}}{stack}\\end{{array}}\\right]${times}" if cell.block else f"{words[0]}{times}")
    return " ".join(parts)


def _latex(text: str) -> str:
    """A text that TeX sets as it is: no commands, and no ligatures of two signs."""
    escaped = "".join(LATEX.get(one, one) for one in " ".join(text.split()))
    return re.sub(r"([-,])(?=\1)", r"\1{}", escaped)


def comma_separated(table: Table) -> str:
    """CSV; whole numbers are plain, and a text that a spreadsheet would take for a formula begins with `'`."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([guarded(one) for one in table.header])
    for row in (*table.body, *table.totals):
        writer.writerow([one.data if isinstance(one.data, int) else guarded(str(one.data)) for one in row])
    return file.getvalue()


def machine(table: Table) -> str:
    """JSON; each row has its cells, and which of them differ from the column before."""
    def lines(part: Sequence[Sequence[Entry]]) -> list[dict[str, object]]:
        return [{"cells": [one.data for one in row], "changed": [at for at, one in enumerate(row) if one.changed]} for row in part]

    data = {"title": table.title, "layout": table.layout, "columns": table.header, "rows": lines(table.body), "totals": lines(table.totals), "notes": table.notes}
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


WRITERS: dict[str, Callable[[Table], str]] = {"markdown": markdown, "html": page, "latex": latex, "csv": comma_separated, "json": machine}
