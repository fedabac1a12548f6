"""Write diagrams only."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from archc.backends import DIAGRAMS
from archc.backends.base import EngineError
from archc.backends.diagram.backend import DiagramBackend
from archc.backends.diagram.view import names_of_blocks
from archc.backends.files import write_all
from archc.commands import DONE, MACHINE, WRONG_CALL, Failure
from archc.commands.build import chosen, emit
from archc.commands.console import Console
from archc.commands.targets import add_spec, compiled, count
from archc.diagnostics import closest, codes
from archc.pipeline import Compiled

PICTURES = ("svg", "png", "pdf")
EXAMPLES = """examples:
  archc draw resnet:152                       build/resnet-152.svg
  archc draw googlenet --emit svg,png -o figures
  archc draw resnet:50 --collapse stage2      a block as one box
  archc draw 'vgg:*' --style family           build/vgg-family.svg
  archc draw vgg:A vgg:D --style family       two of them in one figure
  archc draw mynet.yaml --detail layers --direction LR"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    add_spec(parser, several=True)
    parser.add_argument("-o", "--output", metavar="DIR", default="build", help="the folder to write into (default: build)")
    parser.add_argument("--emit", metavar="LIST", default="svg", help=f"the formats: {', '.join(DIAGRAMS)} (default: svg)")
    parser.add_argument("--style", choices=("graph", "volume", "family"), default="graph", help="the graph, feature maps as blocks, or all networks of the call in one figure")
    parser.add_argument("--detail", choices=("overview", "blocks", "layers"), default="blocks", help="how much to show (default: blocks)")
    parser.add_argument("--expand", metavar="BLOCK", action="append", default=[], help="show what is in this block (a macro, or a block's name)")
    parser.add_argument("--collapse", metavar="BLOCK", action="append", default=[], help="draw this block as one box")
    parser.add_argument("--depth", metavar="N", type=count, default=0, help="draw blocks as boxes below N frames")
    parser.add_argument("--direction", choices=("TB", "LR"), default="TB", help="top to bottom, or left to right")
    parser.add_argument("--columns", metavar="N", type=count, default=0, help="break the drawing into N columns (default: as many as use the page best)")
    parser.add_argument("--palette", choices=("colour", "mono", "print"), default="colour", help="colours that all eyes tell apart, greys, or outlines only")
    parser.add_argument("--theme", choices=("light", "dark", "auto"), default="light", help="the colours' ground; auto follows the reader's system, in SVG")
    parser.add_argument("--dpi", metavar="N", type=count, default=144, help="the resolution of PNG files (default: 144)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Draws every network of the call."""
    kinds = chosen(options.emit, DIAGRAMS)
    drawing = {name: getattr(options, name) for name in ("detail", "depth", "direction", "columns", "palette", "theme", "dpi")}
    drawing |= {"expand": tuple(options.expand), "collapse": tuple(options.collapse)}
    if options.style == "family":
        written = draw_family(kinds, drawing, options, console)
        return report(written, console)
    drawing["style"] = options.style
    written: list[str] = []
    for one in compiled(options.specs, options.values):
        if one.warnings and not console.is_json:
            console.diagnostics(one.warnings)
        check_blocks(one, [*options.expand, *options.collapse])
        written += emit(one, kinds, Path(options.output), options, console, **drawing)
    return report(written, console)


def report(written: list[str], console: Console) -> int:
    """Says what was written, to machines."""
    if console.is_json:
        console.data({"written": written})
    return DONE


def draw_family(kinds: list[str], drawing: dict[str, Any], options: argparse.Namespace, console: Console) -> list[str]:
    """One figure of all networks of the call."""
    texts = [kind for kind in kinds if kind not in PICTURES]
    if texts:
        raise Failure(f"a family's figure is a picture, and {texts[0]} is none", f"choose from {', '.join(PICTURES)}", WRONG_CALL)
    networks = list(compiled(options.specs, options.values))
    maker = DiagramBackend(formats=tuple(kinds), **drawing)  # pyright: ignore[reportArgumentType]
    try:
        artefacts = maker.emit_family([one.graph for one in networks])
    except EngineError as problem:
        raise Failure(f"the figure could not be drawn: {problem}", "SVG needs no engine: --emit svg", MACHINE, codes.ENGINE) from None
    paths = [str(path) for path in write_all(Path(options.output), artefacts)]
    if not console.is_json:
        console.line(f"{networks[0].graph.name}: {len(networks)} networks")
        for path in paths:
            console.line(f"  {path}")
    return paths


def check_blocks(one: Compiled, names: list[str]) -> None:
    """Refuses names that no block of the network has."""
    known = names_of_blocks(one.graph)
    for name in names:
        if name not in known:
            near = closest(name, sorted(known))
            raise Failure(f"{one.graph.address} has no block `{name}`", f"did you mean `{near}`?" if near else f"its blocks are {', '.join(sorted(known)[:20])}", WRONG_CALL)
