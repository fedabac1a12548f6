"""Compare networks: accuracy against cost, depth by year, accuracy for each parameter; tables and charts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archc.backends.charts.points import AXES
from archc.backends.charts.presets import ILSVRC, NAMES
from archc.backends.charts.render import KINDS, PICTURES
from archc.backends.files import write_all
from archc.backends.tabular import Table, comma_separated, markdown, text
from archc.backends.tabular import page as html
from archc.commands import DONE, WRONG_CALL, Failure
from archc.commands.build import chosen
from archc.commands.console import Console
from archc.commands.targets import TABLE_FORMATS, add_format, add_limit, compiled
from archc.diagnostics import codes
from archc.diagnostics.packages import need
from archc.language.document import Scalar

if TYPE_CHECKING:
    from archc.backends.base import Artefact
    from archc.backends.charts.accuracy import Accuracy
    from archc.backends.charts.points import Point
    from archc.backends.charts.presets import Preset
    from archc.pipeline import Compiled

EXAMPLES = """examples:
  archc compare vgg:D resnet:50 'efficientnet:*'
  archc compare 'resnet:*' 'vgg:*' --emit svg,html --chart bubble,bars
  archc compare mynet.yaml resnet:50 --accuracy mine.csv -o figures
  archc compare --preset canziani -o figures
  archc compare --preset ilsvrc --format markdown"""
CHARTS = {
    "bubble": "accuracy against cost, area by parameters",
    "pareto": "the networks that no other beats at their cost",
    "params": "accuracy against parameters, families joined",
    "bars": "accuracy of each network",
    "density": "accuracy for each million parameters",
    "depth": "depth by year",
}
TITLES = {
    "bubble": "Top-1 accuracy against cost", "pareto": "Accuracy that cost buys", "params": "Top-1 accuracy against parameters",
    "bars": "Top-1 accuracy", "density": "Accuracy for each parameter", "depth": "Depth by year",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument("specs", metavar="SPEC", nargs="*", help="path.yaml, a name such as vgg:D, a family such as vgg:*, an alias such as vgg16")
    parser.add_argument("--preset", choices=NAMES, help="a known figure: its networks, its axes")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], dest="values", help="give a parameter of the families a value")
    add_limit(parser)
    add_format(parser, TABLE_FORMATS)
    parser.add_argument("--chart", metavar="LIST", help=f"{'; '.join(f'{name}: {what}' for name, what in CHARTS.items())} (default: bubble)")
    parser.add_argument("--x", choices=tuple(AXES), help="the cost: MACs, operations (2 x MACs), FLOPs with all other work, or parameters (default: macs)")
    parser.add_argument("--log", action=argparse.BooleanOptionalAction, help="a logarithmic axis (default: where costs differ by more than 30 times)")
    parser.add_argument("--accuracy", metavar="FILE", help="your own figures: CSV with network,top1,protocol,source; they go before archc's")
    parser.add_argument("--protocol", metavar="TEXT", default="", help="only accuracies whose protocol or source holds this text, such as torchvision")
    parser.add_argument("--title", help="the charts' title")
    parser.add_argument("--emit", metavar="LIST", help=f"write charts and tables: {', '.join(KINDS)} (default with -o: svg)")
    parser.add_argument("-o", "--output", metavar="DIR", help="the folder to write into (default with --emit: build)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Prints the table, and writes charts where they are asked for."""
    kinds = chosen(options.emit or "svg", tuple(KINDS)) if options.emit or options.output else []
    check(options)
    if options.preset == ILSVRC:
        return ilsvrc(kinds, options, console)
    return compare(kinds, options, console)


def check(options: argparse.Namespace) -> None:
    """Refuses calls that can't be done, before anything is compiled."""
    if bool(options.specs) == bool(options.preset):
        raise Failure("a comparison is of SPECs, or of a preset's networks" if options.specs else "what to compare is missing", "archc compare vgg:D resnet:50, or archc compare --preset canziani", WRONG_CALL)
    if options.preset and (options.values or (options.chart and options.preset == ILSVRC)):
        raise Failure(f"the preset {options.preset} takes neither --set nor, for {ILSVRC}, --chart", "name the SPECs instead", WRONG_CALL)
    chosen(options.chart or "bubble", tuple(CHARTS), "--chart")


def check_pictures(kinds: Sequence[str]) -> None:
    """Raises `MissingPackage` where pictures are asked for and nothing here draws them."""
    if drawn := [one for one in kinds if one in PICTURES]:
        need("vl_convert", f"a chart as {', '.join(drawn)}", otherwise="tables and --emit vega,csv,markdown need nothing")


def compare(kinds: Sequence[str], options: argparse.Namespace, console: Console) -> int:
    """A comparison of networks."""
    from archc.backends.charts.points import measures
    from archc.backends.charts.points import table as figures
    from archc.backends.charts.presets import PRESETS, Preset
    from archc.backends.charts.vega import Scatter

    preset = PRESETS[options.preset] if options.preset else Preset("Networks compared", "", (), Scatter())
    points = gather(preset, options, console)
    axis = options.x or preset.scatter.axis
    title = options.title or preset.title
    write(figures(points, title, axis, preset.notes, short=options.format == "text"), options.format, console)
    if not kinds:
        return DONE
    check_pictures(kinds)
    names = chosen(options.chart or "bubble", tuple(CHARTS), "--chart")
    stem = options.preset or "compare"
    notes = [*measures(points), *preset.notes]
    whole = figures(points, title, axis, preset.notes)
    artefacts: list[Artefact] = []
    for name in names:
        known = [one for one in points if one.top1 is not None or name == "depth"]
        if not known:
            raise Failure("none of these networks has a published accuracy on record", "give yours: --accuracy FILE", WRONG_CALL)
        heading = title if options.title or options.preset else TITLES[name]
        spec = draw(name, points, axis, heading, preset, notes, options)
        artefacts += files(stem if options.preset and not options.chart else f"{stem}-{name}", spec, whole, kinds)
    report(artefacts, options, console)
    return DONE


def gather(preset: Preset, options: argparse.Namespace, console: Console) -> list[Point]:
    """Every network compiled once, with its accuracy."""
    from archc.backends.charts.accuracy import assign
    from archc.backends.charts.points import point

    known = accuracies(options.accuracy)
    found: dict[str, tuple[Compiled, str, str]] = {}
    with console.working("compiling", total=len(preset.networks) or None) as now:
        for address, label, family in preset.networks or [(one, "", "") for one in options.specs]:
            now(address)
            for one in compiled([address], options.values):
                found.setdefault(one.graph.address, (one, label or one.graph.title, family or name_of(one)))
    assigned = assign(list(found), known, options.protocol or preset.protocol, preset.main)
    return [point(one.analysed, label, family, assigned.get(address)) for address, (one, label, family) in found.items()]


def accuracies(path: str | None) -> tuple[Accuracy, ...]:
    """The user's figures, then archc's of the networks that the user's leave out."""
    from archc.backends.charts.accuracy import AccuracyError, read

    if path is None:
        return read()
    try:
        own = read(Path(path))
    except AccuracyError as problem:
        raise Failure(f"{path}: {problem}", "archc's own figures are an example: archc/data/accuracy.csv", WRONG_CALL) from None
    except OSError as problem:
        raise Failure(f"{path} cannot be read: {problem.strerror}", "a CSV file with the columns network,top1,protocol,source is meant", WRONG_CALL, codes.FILE_NOT_FOUND) from None
    mine = {one.network for one in own}
    return (*own, *(one for one in read() if one.network not in mine))


def name_of(one: Compiled) -> str:
    """The family's own title."""
    title = one.spec.file.root.get("title")
    return title.text if isinstance(title, Scalar) else one.spec.name


def draw(name: str, points: list[Point], axis: str, title: str, preset: Preset, notes: Sequence[str], options: argparse.Namespace) -> dict[str, Any]:
    """A chart as Vega-Lite."""
    from dataclasses import replace

    from archc.backends.charts import vega

    base = preset.scatter if options.log is None else replace(preset.scatter, logarithmic=options.log)
    subtitle = {
        "bubble": preset.subtitle or "The area of a bubble is the number of parameters.",
        "pareto": "Dashed: the Pareto front. What lies below it costs more than another network of at least its accuracy.",
        "params": preset.subtitle or "Networks of one family are joined.",
        "bars": "On ImageNet's validation set.",
        "density": "ImageNet top-1 accuracy, in points for each million parameters.",
        "depth": "Weight layers on the longest path, by the year of publication.",
    }[name]
    if name == "bubble":
        view = vega.scatter(points, replace(base, axis=axis))
    elif name == "pareto":
        view = vega.scatter(points, replace(base, axis=axis, sized=False, front=True))
    elif name == "params":
        view = vega.scatter(points, replace(base, axis="params", sized=False, joined=tuple({one.family for one in points})))
    elif name == "bars":
        view = vega.bars(points, lambda one: one.top1, "ImageNet top-1 accuracy (%)")
    elif name == "density":
        view = vega.bars(points, lambda one: one.density, "top-1 points for each million parameters", format=".2f")
        notes = [*notes, "Parameters of the compiled networks."]
    else:
        view, notes = vega.depths(points), list(preset.notes)
    if name in ("bubble", "pareto", "params") and (left := vega.unnamed(view)):
        notes = [*notes, f"{left} label{'s are' if left > 1 else ' is'} left out for want of room; the table has every network."]
    return vega.page(title, subtitle, notes, view)


def ilsvrc(kinds: Sequence[str], options: argparse.Namespace, console: Console) -> int:
    """The winners by year."""
    from archc.backends.charts import ilsvrc as figure

    def network(address: str) -> Any:
        return next(compiled([address], [])).analysed

    winners = figure.winners(network)
    write(figure.table(winners, short=options.format == "text"), options.format, console)
    if kinds:
        check_pictures(kinds)
        report(files(ILSVRC, figure.chart(winners), figure.table(winners), kinds), options, console)
    return DONE


def files(stem: str, spec: dict[str, Any], table: Table, kinds: Sequence[str]) -> list[Artefact]:
    """The files of one chart."""
    from archc.backends.charts.render import artefacts

    return artefacts(stem, spec, table, kinds)


def write(table: Table, format: str, console: Console) -> None:
    """The table on standard output."""
    if format == "json":
        heads = [one.key for one in table.columns]
        console.data({"title": table.caption, "networks": [dict(zip(heads, row.values(), strict=True)) for row in table.rows], "notes": list(table.notes)})
        return
    print({"text": text, "markdown": markdown, "csv": comma_separated, "html": html}[format](table), end="")


def report(artefacts: Sequence[Artefact], options: argparse.Namespace, console: Console) -> None:
    """Writes the files, all or none, and names them (not among data that machines read)."""
    for path in write_all(Path(options.output or "build"), artefacts):
        if options.format == "text":
            console.line(f"  {path}")
        else:
            console.note(str(path))
