"""Show what a network costs, holds and sees: parameters, MACs, FLOPs, memory and receptive fields, layer by layer."""

from __future__ import annotations

import argparse
import sys
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from archc.analyses.memory import OPTIMIZERS
from archc.backends import stats_table, tabular
from archc.commands import DONE, WRONG_CALL, Failure
from archc.commands.console import Console, coloured
from archc.commands.targets import TABLE_FORMATS, add_spec, compiled, count
from archc.diagnostics import closest
from archc.pipeline import Compiled

if TYPE_CHECKING:
    from archc.backends.tabular import Table

EXAMPLES = """examples:
  archc stats vgg:D
  archc stats resnet:152 --depth 1             one row for each stage
  archc stats resnet:50 --sort memory --top 10
  archc stats efficientnet:b0 --columns all --format html > b0.html
  archc stats efficientnet.yaml --set width=1.4 --format json
  archc stats vgg:D --batch 64 --optimizer momentum"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    add_spec(parser, formats=TABLE_FORMATS)
    parser.add_argument("--depth", metavar="N", type=count, help="one row for each block N levels down (default: all layers)")
    parser.add_argument("--sort", choices=tuple(stats_table.SORTED), help="a list from the largest on, instead of the tree")
    parser.add_argument("--top", metavar="N", type=count, help="only the first N rows of that list (sorted by macs where nothing else is said)")
    parser.add_argument("--columns", metavar="LIST", help=f"`all`, or some of {', '.join(stats_table.COLUMNS)} (text has {', '.join(stats_table.USUAL)} by default)")
    parser.add_argument("--batch", metavar="N", type=count, default=1, help="the number of examples that memory is for (default: 1)")
    parser.add_argument("--optimizer", choices=tuple(OPTIMIZERS), default="adam", help="what the estimate for training counts with (default: adam)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Shows every network of the address."""
    columns = chosen(options.columns, options.format)
    networks = list(compiled([options.spec], options.values))
    if console.is_json:
        results = [data(one, options) for one in networks]
        console.data(results[0] if len(results) == 1 else results)
        return DONE
    tables: list[Table] = []
    for one in networks:
        figures = one.stats(batch=options.batch, optimizer=options.optimizer)
        rows = stats_table.chosen(one.graph, figures, options.depth, options.sort, options.top)
        if options.format == "csv":
            rows = [row for row in rows if not row.open]
        on_terminal = options.format == "text" and options.columns is None and coloured(sys.stdout)
        kept = stats_table.fitting(figures, rows, columns, get_terminal_size().columns) if on_terminal else columns
        tables.append(stats_table.table(figures, rows, kept))
    write(tables, options.format)
    return DONE


def chosen(words: str | None, format: str) -> tuple[str, ...]:
    """The columns that a call asks for."""
    if words is None:
        return stats_table.USUAL if format == "text" else tuple(stats_table.COLUMNS)
    if words == "all":
        return tuple(stats_table.COLUMNS)
    found = tuple(one.strip() for one in words.split(","))
    for one in found:
        if one not in stats_table.COLUMNS:
            near = closest(one, stats_table.COLUMNS)
            raise Failure(f"there is no column `{one}`", f"did you mean `{near}`?" if near else f"the columns are {', '.join(stats_table.COLUMNS)}", WRONG_CALL)
    return found


def data(one: Compiled, options: argparse.Namespace) -> dict[str, Any]:
    """The figures for machines; `blocks` beside the layers where a depth is given, sorted and cut where that is asked for."""
    figures = one.stats(batch=options.batch, optimizer=options.optimizer)
    rows = stats_table.chosen(one.graph, figures, options.depth, options.sort, options.top)
    if options.depth is not None:
        figures["blocks"] = [{**row.figures, "name": row.path, "block": row.block} for row in rows]
    elif options.sort or options.top:
        figures["layers"] = [row.figures for row in rows]
    return figures


def write(tables: list[Table], format: str) -> None:
    """The tables on standard output."""
    if format == "html":
        print(tabular.page(tables[0]) if len(tables) == 1 else tabular.page(tables[-1], *map(tabular.fragment, tables[:-1])), end="")
        return
    if format == "text" and coloured(sys.stdout):
        for one in tables:
            show(one)
        return
    writer = {"text": tabular.text, "markdown": tabular.markdown, "csv": tabular.comma_separated}[format]
    print("\n".join(map(writer, tables)), end="")


def show(table: Table) -> None:
    """The table on a terminal, in colour."""
    from rich import box
    from rich.console import Console as Rich
    from rich.table import Table as RichTable
    from rich.text import Text

    made = RichTable(box=box.SIMPLE_HEAD, title=Text(table.caption, style="bold"), title_justify="left", pad_edge=False, padding=(0, 2, 0, 0))
    for column in table.columns:
        made.add_column(column.heading, justify="right" if column.numeric else "left", no_wrap=column.numeric, overflow="fold")
    for row in table.rows:
        first = Text.assemble((row.lines, "dim"), (row.cells[0], "bold" if row.total else ""))
        made.add_row(first, *(Text(one) for one in row.cells[1:]), style="cyan" if row.total else "")
    rich = Rich(highlight=False)
    rich.print(made)
    for note in table.notes:
        word, _, rest = note.partition(" ")
        rich.print(Text.assemble((word, "bold"), f" {rest}"))
