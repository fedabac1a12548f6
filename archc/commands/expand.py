"""Write the plain spec after macros, families and expressions: itself a valid spec, with the same layer names."""

from __future__ import annotations

import argparse

from archc.backends.expanded import expanded
from archc.commands import DONE
from archc.commands.console import Console
from archc.commands.targets import add_spec, compiled

EXAMPLES = """examples:
  archc expand resnet:50 > resnet50.yaml
  archc expand resnet:50 | archc check -"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    add_spec(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Prints the plain spec of each network of the address."""
    texts = {one.graph.address: expanded(one.graph) for one in compiled([options.spec], options.values)}
    if console.is_json:
        console.data(texts)
        return DONE
    print("---\n".join(texts.values()), end="")
    return DONE
