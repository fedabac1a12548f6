"""Write diagrams only."""

from __future__ import annotations

import argparse
from pathlib import Path

from archc.backends import DIAGRAMS
from archc.commands import DONE
from archc.commands.build import chosen, emit
from archc.commands.console import Console
from archc.commands.targets import add_spec, compiled

EXAMPLES = """examples:
  archc draw resnet:152                       build/resnet-152.svg
  archc draw googlenet --emit svg,png -o figures
  archc draw mynet.yaml --detail layers --direction LR"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    add_spec(parser)
    parser.add_argument("-o", "--output", metavar="DIR", default="build", help="the folder to write into (default: build)")
    parser.add_argument("--emit", metavar="LIST", default="svg", help=f"the formats: {', '.join(DIAGRAMS)} (default: svg)")
    parser.add_argument("--detail", choices=("overview", "blocks", "layers"), default="blocks", help="how much to show (default: blocks)")
    parser.add_argument("--direction", choices=("TB", "LR"), default="TB", help="top to bottom, or left to right")
    parser.add_argument("--theme", choices=("light", "dark"), default="light", help="the colours' ground")


def run(options: argparse.Namespace, console: Console) -> int:
    """Draws every network of the address."""
    kinds = chosen(options.emit, DIAGRAMS)
    written: list[str] = []
    for one in compiled([options.spec], options.values):
        if one.warnings and not console.is_json:
            console.diagnostics(one.warnings)
        written += emit(one, kinds, Path(options.output), options, console, detail=options.detail, direction=options.direction, theme=options.theme)
    if console.is_json:
        console.data({"written": written})
    return DONE
