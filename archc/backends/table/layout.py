"""The table itself: variants side by side, or the stages of one network with their figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from archc.analyses import AnalysedGraph
from archc.analyses.rows import Row, rows
from archc.backends.table import cells
from archc.backends.table.cells import Cell
from archc.diagnostics.figures import count
from archc.graph.graph import Graph, Node
from archc.operators import Role, show

TELLING = 2
"""So many columns of arguments say more of a network than its variants do."""
USUAL = frozenset({"filters", "stride"})
"""Arguments of nearly every block, which tell nothing of a family's kind."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A cell of the table: its text, the blocks it was made of, the value for machines, whether it differs from the one before."""

    text: str = ""
    value: Any = None
    changed: bool = False
    blocks: tuple[Cell, ...] = ()

    @property
    def data(self) -> Any:
        """What machines read."""
        return self.text if self.value is None else self.value


@dataclass(frozen=True, slots=True)
class Table:
    """A table in words: `body` are rows of layers, `totals` the lines below them, `labels` how many first columns name the row."""

    title: str
    layout: str
    header: tuple[str, ...]
    body: tuple[tuple[Entry, ...], ...]
    totals: tuple[tuple[Entry, ...], ...]
    labels: int
    notes: tuple[str, ...] = ()
    numbers: frozenset[str] = frozenset()


def table(title: str, networks: Sequence[AnalysedGraph], layout: str | None = None, single: AnalysedGraph | None = None, notes: tuple[str, ...] = ()) -> Table:
    """The table of some networks; `single` is the one whose stages are shown where no layout is asked for and stages say more."""
    found = [rows(one.graph) for one in networks]
    if layout is None:
        layout = "stages" if len(networks) == 1 or _stages_say_more(found) else "variants"
    if layout == "variants":
        return _variants(title, networks, found, notes)
    chosen = single or networks[0]
    return stages(title, chosen, rows(chosen.graph))


def _stages_say_more(networks: list[list[Row]]) -> bool:
    """True where rows have arguments of their own, as Inception modules do, or where all networks are one, wider or narrower."""
    if any(len(set(_arguments(one)) - USUAL) >= TELLING for one in networks):
        return True
    return len({tuple(_form(row) for row in one if row.part.layers) for one in networks}) == 1


def _form(row: Row) -> tuple[object, ...]:
    """What a row is without its numbers of channels."""
    nodes = [node for node in row.part.nodes if node.operator.role is not Role.REGULARISATION]
    return tuple((node.operator.name, node.operator.attributes().get("kernel")) for node in nodes)


# Variants side by side


def _variants(title: str, networks: Sequence[AnalysedGraph], found: list[list[Row]], notes: tuple[str, ...]) -> Table:
    """A column for each network; rows that stand in one place of their networks are one row."""
    compact = all(not cell.block for one in found for row in one for cell in cells.of_row(row, False))
    shown = [[row for row in one if row.part.layers] for one in found]
    names = Counter(name for one in shown for name in {row.name for row in one if row.named})
    known = {name for name, times in names.items() if times > 1 or len(shown) == 1}
    columns = [_segments(one, known, joined=not compact) for one in shown]
    body: list[tuple[Entry, ...]] = []
    for key in _merged([list(one) for one in columns]):
        held = [one.get(key, []) for one in columns]
        for at in range(max(map(len, held))):
            line = [one[at] if at < len(one) else () for one in held]
            sizes = _unique(show(one[-1].output[:-1] or one[-1].output) for one in line if one)
            name = "head" if key[0] == "head" else next(one[0].name for one in line if one)
            entries = [_entry(one, compact) for one in line]
            size = sizes[0] if len(sizes) == 1 else " / ".join(sizes[:3]) + (" ..." if len(sizes) > 3 else "")
            body.append((*([Entry(name)] if not compact else []), Entry(size), *_marked(entries)))
    labels = 1 if compact else 2
    blank = [Entry()] * (labels - 1)
    if compact:
        body.insert(0, (Entry(), *(Entry(f"input ({_input(one.graph)})") for one in networks)))
    figures: dict[str, list[int | None]] = {
        "weight layers": [one.cost.weight_layers for one in networks],
        "parameters": [one.cost.params for one in networks],
        "MACs": [one.cost.macs for one in networks],
    }
    totals = [(Entry(name), *blank, *_marked([Entry(count(one), one) for one in values])) for name, values in figures.items()]
    same_family = len({one.graph.name for one in networks}) == 1
    columns_of = [(one.graph.variant or one.graph.name) if same_family else one.graph.address for one in networks]
    header = (*([] if compact else ["stage"]), "output", *columns_of)
    return Table(title, "variants", header, _once(body, labels), tuple(totals), labels, notes)


def _entry(held: Sequence[Row], compact: bool) -> Entry:
    found = [cell for row in held for cell in cells.of_row(row, compact)]
    return Entry(cells.text(found), blocks=tuple(found) if any(one.block for one in found) else ())


def _marked(entries: list[Entry]) -> list[Entry]:
    """Entries that differ from the one before, marked."""
    return [
        Entry(one.text, one.value, at > 0 and bool(one.text) and one.text != entries[at - 1].text, one.blocks)
        for at, one in enumerate(entries)
    ]


def _once(body: list[tuple[Entry, ...]], labels: int) -> tuple[tuple[Entry, ...], ...]:
    """The rows with each size written once for people where the same one follows."""
    found: list[tuple[Entry, ...]] = []
    before = ""
    for row in body:
        size = row[labels - 1].text
        found.append((*row[: labels - 1], Entry("" if size == before else size, size), *row[labels:]))
        before = size
    return tuple(found)


Key = tuple[str, "str | int | None", int]


def _segments(found: list[Row], known: set[str], *, joined: bool) -> dict[Key, list[tuple[Row, ...]]]:
    """The rows of a network by their place: a name that several networks have, a pooling between two sizes, layers of one size.

    Where `joined`, the layers after the last map are one row, as in ResNet's table.
    """
    segments: dict[Key, list[tuple[Row, ...]]] = {}
    seen: dict[tuple[str, str | int | None], int] = {}
    before: tuple[str, str | int | None] | None = None
    for row in found:
        kind = _place(row, known)
        if kind != before:
            seen[kind] = seen.get(kind, 0) + 1
        before = kind
        held = segments.setdefault((*kind, seen[kind]), [])
        if joined and kind[0] == "head" and held:
            held[-1] = (*held[-1], row)
        else:
            held.append((row,))
    heads = seen.get(("head", None), 0)  # counted from the end: the last is the network's own, those before stand at its sides
    return {(kind, what, number - heads if kind == "head" else number): held for (kind, what, number), held in segments.items()}


def _place(row: Row, known: set[str]) -> tuple[str, str | int | None]:
    if row.level is None and not row.blocks:
        return "head", None
    if row.named and row.name in known:
        return "name", row.name
    return "pool" if row.first.operator.role is Role.POOLING else "layers", row.level


def _merged(columns: list[list[Key]]) -> list[Key]:
    """All keys in an order that each column keeps."""
    found: list[Key] = []
    for column in columns:
        merged: list[Key] = []
        for tag, low, high, start, stop in SequenceMatcher(None, found, column, autojunk=False).get_opcodes():
            merged += found[low:high] if tag != "insert" else []
            merged += column[start:stop] if tag != "equal" else []
        found = list(dict.fromkeys(merged))
    return found


def _unique(values: Any) -> list[str]:
    return list(dict.fromkeys(values))


def _input(graph: Graph) -> str:
    return ", ".join(show(graph.nodes[one].shape) for one in graph.inputs)


# The stages of one network


def stages(title: str, network: AnalysedGraph, found: list[Row]) -> Table:
    """A row for each stage or layer, with what it is, what goes in and out, and what it costs."""
    arguments = _arguments(found)
    header = ("stage", "operator", "patch/stride", "input", "output", "channels", "layers", "depth", *arguments, "parameters", "MACs")
    body: list[tuple[Entry, ...]] = []
    for row in found:
        held = row.arguments
        params = sum(network.cost.nodes[node.index].params for node in row.nodes)
        macs = _sum([network.cost.nodes[node.index].macs for node in row.nodes])
        channels = row.output[-1] if row.output else None
        body.append((
            Entry(row.name), Entry(_operator(row)), Entry(_patch(row)), Entry(show(row.input)), Entry(show(row.output)),
            _number(channels), _number(row.layers), _number(row.depth),
            *(_argument(held.get(name)) for name in arguments),
            Entry(count(params), params), Entry(count(macs), macs),
        ))
    cost = network.cost
    blank = [Entry()] * (len(header) - 3)
    totals = ((Entry("total"), *blank, Entry(count(cost.params), cost.params), Entry(count(cost.macs), cost.macs)),)
    numbers = frozenset({"channels", "layers", "depth", "parameters", "MACs", *arguments})
    return Table(f"{title}, {network.graph.address}", "stages", header, tuple(body), totals, 1, numbers=numbers)


def _arguments(found: list[Row]) -> tuple[str, ...]:
    """The arguments of blocks that tell rows apart: whole numbers and words that are no column already."""
    values: dict[str, list[Any]] = {}
    blocks = [row for row in found if row.arguments]
    for row in blocks:
        for name, value in row.arguments.items():
            if isinstance(value, int | str) and not isinstance(value, bool):
                values.setdefault(name, []).append(value)
    channels = [row.output[-1] for row in blocks]
    return tuple(name for name, held in values.items() if len(set(held)) > 1 and held != channels)


def _argument(value: Any) -> Entry:
    known = isinstance(value, int | str) and not isinstance(value, bool)
    return Entry(str(value), value) if known else Entry()


def _operator(row: Row) -> str:
    kinds = _unique(_title(block.group.title) for block in row.blocks)
    if kinds:
        return " + ".join(kinds)
    nodes = [node for node in row.part.nodes if cells.voiced(node)]
    return " + ".join(_unique(_layer(node) for node in nodes or row.part.nodes))


def _title(text: str) -> str:
    return text.replace("_", " ")


def _layer(node: Node) -> str:
    rate = node.operator.attributes().get("rate")
    return f"{cells.title(node)} ({rate:.3g})" if isinstance(rate, float) else cells.title(node)


def _patch(row: Row) -> str:
    """The window and stride of a single layer, `7x7/2`."""
    if row.blocks or row.part.layers != 1:
        return ""
    kernel, stride = cells.window(row.first)
    return f"{kernel}/{stride or 1}" if kernel else ""


def _number(value: int | None) -> Entry:
    return Entry("?" if value is None else str(value), value)


def _sum(values: list[int | None]) -> int | None:
    return None if None in values else sum(one for one in values if one is not None)


