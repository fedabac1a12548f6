"""Show layers, parameters, multiply-accumulates (MACs) and receptive fields."""

from __future__ import annotations

import argparse
from typing import Any

from archc.commands import DONE
from archc.commands.console import Console
from archc.commands.targets import add_spec, compiled
from archc.diagnostics.figures import count
from archc.operators import show

EXAMPLES = """examples:
  archc stats vgg:D
  archc stats efficientnet.yaml --set width=1.4 --format json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    add_spec(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Shows every network of the address."""
    results = [one.stats() for one in compiled([options.spec], options.values)]
    if console.is_json:
        console.data(results[0] if len(results) == 1 else results)
        return DONE
    for one in results:
        table(one)
    return DONE


def table(stats: dict[str, Any]) -> None:
    """A network's layers as a table, and its totals."""
    from rich import box
    from rich.console import Console as Rich
    from rich.table import Table
    from rich.text import Text

    rows = Table(box=box.SIMPLE_HEAD, title=Text(f"{stats['title']} ({stats['address']})"), title_justify="left", pad_edge=False)
    rows.add_column("layer")
    rows.add_column("operator")
    for name in ("output", "parameters", "MACs", "field"):
        rows.add_column(name, justify="right", no_wrap=True)
    for one in stats["layers"]:
        shape = one["output_shape"]
        several = bool(shape) and isinstance(shape[0], list)
        shown = " ".join(show(tuple(each)) for each in shape) if several else show(tuple(shape))
        field = one["receptive_field"]
        rows.add_row(Text(one["name"]), Text(one["op"]), shown, count(one["params"]) if one["params"] else "", count(one["macs"]) if one["macs"] != 0 else "", "" if field is None else str(field))
    rich = Rich(highlight=False, width=None if _terminal() else 140)
    rich.print(rows)
    params = stats["params"]
    rich.print(f"parameters  {count(params['total'])} ({count(params['trainable'])} trainable, {count(params['non_trainable'])} not)")
    rich.print(f"MACs        {count(stats['macs'])} (convolutions and dense layers, one example)")


def _terminal() -> bool:
    import sys

    return sys.stdout.isatty()
