"""Compile a spec and write Keras models, readable source and diagrams."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from archc.backends import BACKENDS, DIAGRAMS, backend
from archc.backends.base import Artefact, EngineError, WeightsError
from archc.backends.files import write_all
from archc.commands import DONE, MACHINE, WRONG_CALL, WRONG_SPEC, Failure
from archc.commands.console import Console
from archc.commands.targets import add_spec, add_strict, compiled
from archc.diagnostics import closest, codes
from archc.diagnostics.figures import large, size
from archc.language.catalogue import SHIPPED
from archc.pipeline import Compiled

LARGE = 20_000_000
"""Parameters from which writing takes long enough to be shown."""
KERAS = ("keras", "config", "python")
EXAMPLES = """examples:
  archc build vgg:D                             build/vgg-d.keras, build/vgg-d.py, build/vgg-d.svg
  archc build mynet.yaml -o out --emit keras    only the model
  archc build resnet:50 --emit html             a page to look at and to send: build/resnet-50.html
  archc build resnet:50 --set classes=10        a parameter of the family, set from outside
  archc build vgg:D --weights vgg16.h5          the weights that keras.applications publishes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    add_spec(parser)
    add_strict(parser)
    parser.add_argument("-o", "--output", metavar="DIR", default="build", help="the folder to write into (default: build)")
    parser.add_argument("--emit", metavar="LIST", default="keras,python,svg", help=f"what to write: {', '.join(BACKENDS)} (default: keras,python,svg)")
    parser.add_argument("--allow-module", metavar="MODULE", action="append", default=[], help="a module whose classes `layer:` steps may name")
    parser.add_argument("--weights", metavar="FILE", type=Path, help="weights for the archive: a .keras, .weights.h5, .h5 or .pth file of this very network")
    parser.add_argument("--seed", type=seed, default=0, help="the seed of the initial weights (default: 0)")


def seed(text: str) -> int:
    """A seed: a whole number from 0."""
    if not text.isdigit() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0, and this is `{text}`")
    return int(text)


def run(options: argparse.Namespace, console: Console) -> int:
    """Builds every network of the address."""
    kinds = chosen(options.emit, tuple(BACKENDS))
    if options.weights is not None and "keras" not in kinds:
        raise Failure("--weights goes into the .keras archive, and --emit does not name it", "add `keras` to --emit", WRONG_CALL)
    written: list[str] = []
    for one in compiled([options.spec], options.values):
        console.diagnostics(one.warnings) if one.warnings and not console.is_json else None
        if options.strict and one.warnings:
            return WRONG_SPEC
        if set(kinds) & set(KERAS):
            one.check_modules(options.allow_module)
        written += emit(one, kinds, Path(options.output), options, console)
    if console.is_json:
        console.data({"written": written})
    return DONE


def chosen(text: str, known: tuple[str, ...], option: str = "--emit") -> list[str]:
    """The kinds in a list that an option takes, each known and once."""
    kinds = list(dict.fromkeys(one.strip() for one in text.split(",") if one.strip()))
    for one in kinds:
        if one not in known:
            near = closest(one, known)
            raise Failure(f"{option} has no kind `{one}`", f"did you mean `{near}`?" if near else f"the kinds are {', '.join(known)}", WRONG_CALL)
    if not kinds:
        raise Failure(f"{option} names no kind", f"the kinds are {', '.join(known)}", WRONG_CALL)
    return kinds


def emit(one: Compiled, kinds: list[str], folder: Path, options: argparse.Namespace, console: Console, **drawing: Any) -> list[str]:
    """Writes the artefacts of one network, all or none."""
    artefacts: list[Artefact] = []
    lost: Failure | None = None
    for kind in kinds:
        extra = drawing if kind in DIAGRAMS else options_of(kind, one, options)
        try:
            artefacts += backend(kind, **extra).emit(one.graph)
        except EngineError as problem:
            needs = "PDF needs vl-convert: pip install 'archc[pdf]'" if kind == "pdf" else "SVG needs no engine: --emit svg"
            lost = Failure(f"{kind} could not be drawn: {problem}", needs, MACHINE, codes.ENGINE)
        except WeightsError as problem:
            raise Failure(f"the weights in {options.weights} do not fit {one.graph.address}: {problem}", "the variant that `archc list` names with the file's implementation is the one that they fit", WRONG_CALL, codes.WEIGHTS) from None
        except FileNotFoundError as problem:
            raise Failure(f"there is no file {problem.filename}", "", WRONG_CALL, codes.FILE_NOT_FOUND) from None
    if folder.exists() and not folder.is_dir():
        raise Failure(f"{folder} is a file, and -o needs a folder", "", MACHINE)
    with console.working(f"writing {one.graph.address}", at_once=one.analysed.cost.params > LARGE):
        paths = write_all(folder, artefacts, read_from(one))
    if not console.is_json:
        cost = one.analysed.cost
        console.line(f"{one.graph.address}: {large(cost.params)} parameters, {large(cost.macs)} MACs")
        for path in paths:
            console.line(f"  {path}  {size(path.stat().st_size)}")
    if lost is not None:
        raise lost
    return [str(path) for path in paths]


def read_from(one: Compiled) -> list[Path]:
    """The files that a network is made from: no output takes their place."""
    files = [one.spec.file]
    for file in files:
        files.extend(used for used in file.used if used not in files)
    return [Path(file.source.name) for file in files if not file.source.name.startswith(SHIPPED)]


def options_of(kind: str, one: Compiled, options: argparse.Namespace) -> dict[str, Any]:
    """What a backend is told beside the graph."""
    if kind == "keras":
        return {"seed": options.seed, "weights": options.weights}
    return {"expectations": one.expectations} if kind == "html" else {}
