"""Show the configuration table of a family, as its paper has it, made from the compiled networks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from archc.analyses import AnalysedGraph
from archc.backends.table.layout import Table, table
from archc.backends.table.writers import WRITERS
from archc.commands import DONE
from archc.commands.console import Console, coloured
from archc.commands.targets import add_limit, families, values

WIDE = 4000
"""Where no terminal reads the table, nothing is broken."""
EXAMPLES = """examples:
  archc table vgg                       Table 1 of the paper, with parameters and MACs
  archc table vgg:D vgg:E               these two beside one another
  archc table 'resnet:*'                all variants, derived ones too
  archc table efficientnet              stages of the default variant
  archc table efficientnet --layout variants
  archc table resnet --format latex     for a paper (booktabs)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("specs", metavar="FAMILY", nargs="+", help="a family such as vgg, a variant such as vgg:D, or vgg:* for all variants")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], dest="values", help="give a parameter of the family a value")
    add_limit(parser)
    parser.add_argument("--layout", choices=("variants", "stages"), help="variants side by side, or the stages of one network (default: what says more of the family)")
    parser.add_argument("--format", choices=("text", *WRITERS), default="text", help="for people, for documents, or for machines")


def run(options: argparse.Namespace, console: Console) -> int:
    """Shows the table of the networks."""
    made = chosen(options.specs, options.values, options.layout)
    sys.stdout.write(text(made) if options.format == "text" else WRITERS[options.format](made))
    return DONE


def chosen(addresses: Sequence[str], assignments: Sequence[str], layout: str | None) -> Table:
    """The table of what was asked for: a bare family is the variants that it does not derive from others."""
    given = values(assignments)
    networks: list[AnalysedGraph] = []
    single: AnalysedGraph | None = None
    notes: list[str] = []
    titles: list[str] = []
    bare = len(addresses) == 1
    for family, variant in families(addresses):
        names = list(family) if variant == "*" else [family.choose(variant)] if variant else family.own()
        bare = bare and not variant
        titles.append(family.title)
        for name in names:
            one = family.compile(name or None, given).analysed
            networks.append(one)
            if family.spec.variants[name].default:
                single = one
        if not variant and len(names) < len(family):
            others = [one for one in family if one not in names]
            notes.append(f"derived from these, and shown by {family.spec.name}:* - {', '.join(others)}")
    wanted = layout or (None if bare else "stages" if len(networks) == 1 else "variants")
    return table(", ".join(dict.fromkeys(titles)), networks, wanted, single, tuple(notes))


def text(made: Table) -> str:
    """The table for people."""
    from rich.console import Console as Rich

    from archc.backends.table.text import text as written

    colour = coloured(sys.stdout)
    unicode = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    rich = Rich(highlight=False, width=None if sys.stdout.isatty() else WIDE, no_color=not colour)
    return written(made, rich, colour=colour, unicode=unicode)
