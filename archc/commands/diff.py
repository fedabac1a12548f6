"""Show what differs between two networks, layer by layer: variants, files, or revisions of a file in git."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from archc.analyses.difference import Bunch, Change, Detail, Difference, bunches, difference
from archc.backends import tabular
from archc.commands import DONE, MACHINE, WRONG_CALL, Failure
from archc.commands.console import Console, coloured
from archc.commands.revisions import find as find_revision
from archc.commands.targets import TABLE_FORMATS, add_format, add_limit, families, values
from archc.diagnostics import CompileError, codes
from archc.diagnostics.figures import count, signed
from archc.diagnostics.render import printable
from archc.graph.graph import Node
from archc.language.catalogue import Address
from archc.operators import show
from archc.pipeline import Compiled, load_address

DIFFERENT = 1
COLOURS = {"added": "\033[32m", "removed": "\033[31m", "changed": "\033[33m", "affected": "\033[2m"}
SIGNS = {"added": "+", "removed": "-", "changed": "~", "same": "=", "affected": "."}
LONGEST = 60
FEW = 3
"""So many layers that only have other names are listed one by one."""
EXAMPLES = """examples:
  archc diff vgg:D vgg:E
  archc diff old.yaml new.yaml:wide --format json
  archc diff HEAD~1:mynet.yaml mynet.yaml      what the last commit and the work since changed
  archc diff resnet:50 resnet:101 --emit svg   a picture of both, build/resnet-50-to-resnet-101.svg
  archc diff vgg:D vgg:D --set classes=10      --set is for the second network
  archc diff main:mynet.yaml mynet.yaml --exit-code"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    help = "path.yaml, path.yaml:VARIANT, a name such as vgg:D, or REVISION:path.yaml as git has it"
    parser.add_argument("before", metavar="A", help=help)
    parser.add_argument("after", metavar="B", help="the same")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], dest="values", help="give a parameter of B a value")
    add_limit(parser)
    parser.add_argument("--exit-code", action="store_true", help="exit 1 where they differ, 0 where they do not, 2 where they cannot be compared")
    parser.add_argument("--all", action="store_true", help="list also the layers that differ only in what they get and cost")
    parser.add_argument("--emit", metavar="LIST", default="", help="draw both networks with what differs marked: svg, png, pdf")
    parser.add_argument("-o", "--output", metavar="DIR", default="build", help="the folder for pictures (default: build)")
    parser.add_argument("--detail", choices=("overview", "blocks", "layers"), default="blocks", help="how much the pictures show (default: blocks)")
    parser.add_argument("--direction", choices=("TB", "LR"), default="TB", help="top to bottom and side by side, or left to right and one above the other")
    parser.add_argument("--theme", choices=("light", "dark", "auto"), default="light", help="the pictures' ground; auto follows the reader's system, in SVG")
    add_format(parser, TABLE_FORMATS)


def run(options: argparse.Namespace, console: Console) -> int:
    """Compares the two networks."""
    kinds = pictures(options.emit) if options.emit else []
    try:
        before = network(options.before, [])
        after = network(options.after, options.values)
    except CompileError as problem:
        if not options.exit_code:
            raise
        console.diagnostics(problem.diagnostics)
        return WRONG_CALL
    found = difference(before.analysed, after.analysed)
    written = drawn(found, kinds, options) if kinds else []
    if console.is_json:
        console.data({**data(found, options.before, options.after), **({"written": written} if kinds else {})})
    elif options.format != "text":
        made = table(found, options.before, options.after, everything=options.all)
        print({"markdown": tabular.markdown, "csv": tabular.comma_separated, "html": tabular.page}[options.format](made), end="")
        for path in written:
            console.note(path)
    else:
        colour = coloured(sys.stdout)
        for line in lines(found, options.before, options.after, colour=colour, everything=options.all):
            console.line(line)
        for path in written:
            console.line(path)
    return DIFFERENT if options.exit_code and not found.equal else DONE


def network(address: str, assignments: list[str]) -> Compiled:
    """The network at an address, of a revision too."""
    revised = find_revision(address)
    if revised is None:
        family, variant = next(families([address]))
    else:
        family, variant = load_address(Address(revised.source, revised.variant, None), revised.opener), revised.variant
    return family.compile(variant or None, values(assignments))


def pictures(text: str) -> list[str]:
    """The formats that `--emit` names."""
    from archc.commands.build import chosen
    from archc.commands.draw import PICTURES

    return chosen(text, PICTURES)


def drawn(found: Difference, kinds: list[str], options: argparse.Namespace) -> list[str]:
    """Writes the pictures of a difference; their paths."""
    from archc.backends.diagram.backend import DiagramBackend
    from archc.backends.diagram.engine import EngineError
    from archc.backends.files import write_all

    maker = DiagramBackend(formats=tuple(kinds), detail=options.detail, direction=options.direction, theme=options.theme)  # pyright: ignore[reportArgumentType]
    try:
        artefacts = maker.emit_difference(found, (options.before, options.after))
    except EngineError as problem:
        raise Failure(f"the difference could not be drawn: {problem}", "SVG needs no engine: --emit svg", MACHINE, codes.ENGINE) from None
    return [str(path) for path in write_all(Path(options.output), artefacts)]


# For people


def lines(found: Difference, before: str, after: str, *, colour: bool, everything: bool = False) -> Iterator[str]:
    """What differs, a line each, then the totals."""
    def paint(text: str, kind: str) -> str:
        return f"{COLOURS[kind]}{text}\033[0m" if colour and kind in COLOURS else text

    yield printable(f"{before} -> {after}")
    told, notes = _chosen(found, everything)
    words = [(_name(one), _what(one), _costs(one.params, one.macs)) for one in told]
    widths = [min(LONGEST, max((len(row[at]) for row in words), default=0)) for at in range(2)]
    for one, (name, what, cost) in zip(told, words, strict=True):
        yield paint(printable(f"{SIGNS[one.kind]} {name:<{widths[0]}}  {what:<{widths[1]}}  {cost}".rstrip()), one.kind)
    for kind, text in notes:
        yield paint(f"{SIGNS[kind]} {text} (--all lists them)", kind)
    if not told and not notes:
        yield "no layer differs"
    yield ""
    for name, total in _totals(found):
        yield f"{name:<10}  {total}"


def table(found: Difference, before: str, after: str, *, everything: bool = False) -> tabular.Table:
    """The same as a table: a row for each change, the totals below it."""
    told, notes = _chosen(found, everything)
    columns = (
        tabular.Column("change", "", False), tabular.Column("layer", "Layer", False), tabular.Column("what", "What", False),
        tabular.Column("params", "Parameters"), tabular.Column("macs", "MACs"),
    )

    def row(one: Bunch) -> tabular.Row:
        name, what = printable(_name(one)), " ".join(printable(_what(one)).split())
        macs = "unknown" if one.macs is None else signed(one.macs)
        return tabular.Row((one.kind, name, what, f"{one.params:+,}" if one.params else "0", macs), lambda: (one.kind, name, what, one.params, one.macs))

    totals = [f"{name}: {total}" for name, total in _totals(found)]
    return tabular.Table(printable(f"{before} -> {after}"), columns, [row(one) for one in told], [*(text for _, text in notes), *totals])


def _chosen(found: Difference, everything: bool) -> tuple[list[Bunch], list[tuple[str, str]]]:
    """The changes that are listed, and what is said of those that are not, each with its kind."""
    told = [one for one in _together(bunches(found)) if one.kind not in ("same", "affected") or _told(one) or (everything and one.kind == "affected")]
    if everything:
        return told, []
    notes: list[tuple[str, str]] = []
    renamed = [one for one in told if one.kind in ("same", "affected") and one.changes[0].renamed]
    if len(renamed) > FEW:
        told = [one for one in told if one not in renamed]
        notes.append(("same", f"{len(renamed)} layers under other names"))
    affected = [one for one in found.changes if one.kind == "affected" and not one.told]
    if affected:
        macs = [one.macs for one in affected]
        total = None if None in macs else sum(one for one in macs if one is not None)
        cost = _costs(sum(one.params for one in affected), total)
        notes.append(("affected", f"{len(affected)} {_layers(len(affected))} with other inputs{f'  {cost}' if cost else ''}"))
    return told, notes


def _totals(found: Difference) -> Iterator[tuple[str, str]]:
    first, second = found.before.cost, found.after.cost
    for name, one, other in (("parameters", first.params, second.params), ("trainable", first.trainable, second.trainable), ("MACs", first.macs, second.macs)):
        yield name, _total(one, other)
    counts = [f"{found.count(kind)} {kind}" for kind in ("added", "removed", "changed") if found.count(kind)]
    yield "layers", ", ".join([*counts, f"{found.count('same') + found.count('affected')} alike"])


def _layers(number: int) -> str:
    return "layer" if number == 1 else "layers"


def _told(one: Bunch) -> bool:
    return any(change.told for change in one.changes)


def _together(found: list[Bunch]) -> Iterator[Bunch]:
    """Changed layers with the same difference as one, at the place of the first."""
    alike: dict[tuple[object, ...], list[Change]] = {}
    for one in found:
        if one.kind == "changed" and (key := _key(one.changes[0])) is not None:
            alike.setdefault(key, []).extend(one.changes)
    for one in found:
        key = _key(one.changes[0]) if one.kind == "changed" else None
        if key is None:
            yield one
        elif key in alike:
            changes = tuple(alike.pop(key))
            yield Bunch(one.kind, one.names, "", changes)


def _key(one: Change) -> tuple[object, ...] | None:
    if any(detail.what == "inputs" for detail in one.details) or one.moved:
        return None
    assert one.after is not None
    return (one.after.operator.name, *((detail.what, repr(detail.before), repr(detail.after)) for detail in one.details))


def _name(one: Bunch) -> str:
    change, name = one.changes[0], one.names[0]
    if name != one.names[-1]:
        return f"{name} ... {one.names[-1]}"
    if one.kind == "changed" and len(one.changes) > 1:
        return f"{name} and {len(one.changes) - 1} more"
    return f"{change.before.name} -> {name}" if change.renamed and change.before is not None else name


def _what(one: Bunch) -> str:
    change = one.changes[0]
    if one.kind in ("added", "removed") and (len(one.changes) > 1 or one.title):
        return f"{one.title}, {len(one.changes)} {_layers(len(one.changes))}"
    node = change.after or change.before
    assert node is not None
    if change.kind in ("added", "removed"):
        return f"{_layer(node)}  {show(node.shape)}"
    told = ", ".join(f"{detail.what} {_value(detail.before)} -> {_value(detail.after)}" for detail in change.details)
    moved = "moved" if change.moved else ""
    if change.kind == "affected" and change.before is not None:
        told = f"{show(change.before.shape)} -> {show(node.shape)}" if change.before.shape != node.shape else "other inputs"
    return f"{node.operator.name}  {', '.join(filter(None, [moved, told]))}".rstrip()


def _layer(node: Node) -> str:
    given = ", ".join(f"{name} {_value(value)}" for name, value in node.operator.non_default().items())
    text = f"{node.operator.name} {given}".rstrip()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return "[" + ", ".join(map(str, value)) + "]"  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "x".join(map(_value, value)) if all(isinstance(one, int) for one in value) else str(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return str(value)


def _costs(params: int, macs: int | None) -> str:
    """What a change costs; nothing where it costs nothing."""
    parts = [f"{params:+,} parameters"] if params else []
    if macs is None:
        parts.append("MACs unknown")
    elif macs:
        parts.append(f"{signed(macs)} MACs")
    return ", ".join(parts)


def _total(before: int | None, after: int | None) -> str:
    if before is None or after is None:
        return f"{count(before)} -> {count(after)}"
    if before == after:
        return f"{count(before)}, both"
    share = f", {(after - before) / before:+.2%}" if before else ""
    return f"{count(before)} -> {count(after)}  ({after - before:+,}{share})"


# For machines


def data(found: Difference, before: str, after: str) -> dict[str, Any]:
    """The same facts, every layer that differs by itself."""
    first, second = found.before.cost, found.after.cost
    return {
        "before": {"address": before, "params": first.params, "trainable": first.trainable, "macs": first.macs},
        "after": {"address": after, "params": second.params, "trainable": second.trainable, "macs": second.macs},
        "equal": found.equal,
        "params": second.params - first.params,
        "macs": None if first.macs is None or second.macs is None else second.macs - first.macs,
        "counts": {kind: found.count(kind) for kind in ("added", "removed", "changed", "affected", "same")},
        "changes": [_change(one) for one in found.changes if one.kind != "same" or one.told],
    }


def _change(one: Change) -> dict[str, Any]:
    return {
        "change": one.kind,
        "name": one.name,
        "before": _side(one.before),
        "after": _side(one.after),
        "details": [_detail(detail) for detail in one.details],
        "renamed": one.renamed,
        "moved": one.moved,
        "params": one.params,
        "macs": one.macs,
    }


def _side(node: Node | None) -> dict[str, Any] | None:
    if node is None:
        return None
    return {"name": node.name, "op": node.operator.name, "output_shape": list(node.shape)}


def _detail(one: Detail) -> dict[str, Any]:
    return {"what": one.what, "before": _plain(one.before), "after": _plain(one.after)}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
