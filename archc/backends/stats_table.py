"""The figures of a network as a table: the tree of its blocks, or its largest layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archc.analyses.blocks import Block, blocks
from archc.backends.tabular import Column, Row, Table, text, width
from archc.diagnostics.figures import count, memory
from archc.graph.graph import Graph
from archc.operators import show

Figures = Mapping[str, Any]
SUMS = ("params", "trainable", "non_trainable", "macs", "macs_share", "flops", "activation_bytes", "weight_bytes", "moved_bytes")


@dataclass(frozen=True)
class Part:
    """A layer or a block: its path, its lines in the tree, how deep it stands, its figures, and whether it sums up others."""

    path: str
    label: str
    lines: str
    figures: Figures
    block: bool = False
    open: bool = False
    """True where its parts are shown below it."""


def _count(value: int | None) -> str:
    return "" if value == 0 else count(value)


def _shape(value: list[Any]) -> str:
    several = bool(value) and isinstance(value[0], list)
    return " ".join(show(tuple(one)) for one in value) if several else show(tuple(value))


def _per_axis(values: Sequence[Any] | None) -> str:
    """One number where all axes have it: `3`, else `3x1`."""
    if not values:
        return ""
    each = [_plain(one) for one in values]
    return each[0] if len(set(each)) == 1 else "x".join(each)


def _plain(value: Any) -> str:
    if value is None:
        return "?"
    if isinstance(value, list):
        return _plain(value[0]) if len({_plain(one) for one in value}) == 1 else "+".join(_plain(one) for one in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _field(figures: Figures) -> str:
    """The local field, with a `g` where a global branch sees all of the input beside it; `all` where no positions are left."""
    if not figures["global_branch"]:
        return _per_axis(figures["local_field"])
    return f"{_per_axis(figures['local_field'])} g" if figures["effective_stride"] else "all"


def _window(figures: Figures) -> str:
    """`7x7 /2 pad 3`, as papers write a layer."""
    if not figures["kernel"]:
        return ""
    words = ["x".join(map(str, figures["kernel"]))]
    words += [f"/{_per_axis(figures['stride'])}"] if max(figures["stride"]) > 1 else []
    words += [f"dilation {_per_axis(figures['dilation'])}"] if max(figures["dilation"]) > 1 else []
    padding = _per_axis(figures["padding"])
    return " ".join([*words, f"pad {padding}"] if padding not in ("", "0") else words)


def _op(figures: Figures) -> str:
    return f"{figures['op']} (weights of {figures['shares']})" if figures.get("shares") else figures["op"]


def _share(value: float | None) -> str:
    return "unknown" if value is None else "" if value == 0 else f"{100 * value:.1f}"


def _bytes(value: int | None) -> str:
    return "" if value == 0 else memory(value)


def _intensity(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


Cell = Callable[[Figures], str]
COLUMNS: dict[str, tuple[Column, Cell, Callable[[Figures], object]]] = {
    "op": (Column("op", "operator", False), _op, lambda one: one["op"]),
    "output": (Column("output_shape", "output"), lambda one: _shape(one["output_shape"]), lambda one: _shape(one["output_shape"])),
    "window": (Column("window", "window", False), _window, _window),
    "params": (Column("params", "parameters"), lambda one: _count(one["params"]), lambda one: one["params"]),
    "trainable": (Column("trainable", "trainable"), lambda one: _count(one["trainable"]), lambda one: one["trainable"]),
    "macs": (Column("macs", "MACs"), lambda one: _count(one["macs"]), lambda one: one["macs"]),
    "share": (Column("macs_percent", "% of MACs"), lambda one: _share(one["macs_share"]), lambda one: None if one["macs_share"] is None else 100 * one["macs_share"]),
    "flops": (Column("flops", "FLOPs"), lambda one: _count(one["flops"]), lambda one: one["flops"]),
    "other": (Column("other_flops", "other FLOPs"), lambda one: _count(one["other"]["total"]), lambda one: one["other"]["total"]),
    "memory": (Column("activation_bytes", "activations"), lambda one: _bytes(one["activation_bytes"]), lambda one: one["activation_bytes"]),
    "weights": (Column("weight_bytes", "weights"), lambda one: _bytes(one["weight_bytes"]), lambda one: one["weight_bytes"]),
    "field": (Column("receptive_field", "field"), _field, _field),
    "stride": (Column("effective_stride", "stride"), lambda one: _per_axis(one["effective_stride"]), lambda one: _per_axis(one["effective_stride"])),
    "padding": (Column("effective_padding", "padding"), lambda one: _per_axis(one["effective_padding"]), lambda one: _per_axis(one["effective_padding"])),
    "intensity": (Column("flops_per_byte", "FLOPs/byte"), lambda one: _intensity(one["intensity"]), lambda one: one["intensity"]),
}
"""The columns by the names that `--columns` takes: what stands at the top, the cell for people, the value for machines."""
USUAL = ("op", "output", "params", "macs", "share", "other", "memory", "field")
SPARE = ("op", "other", "share", "memory", "field")
SORTED: dict[str, str] = {
    "params": "params", "trainable": "trainable", "macs": "macs", "flops": "flops", "memory": "activation_bytes", "weights": "weight_bytes", "intensity": "intensity",
}
"""What rows can be sorted by, and the figure that is compared."""


def parts(graph: Graph, data: Figures, depth: int | None) -> Iterator[Part]:
    """The tree of a network, blocks before their parts; below `depth` levels a block is one row."""
    yield from _parts(blocks(graph), data["layers"], "", "", depth or 1_000, data["memory"]["batch"])


def _parts(block: Block, layers: Sequence[Figures], prefix: str, lines: str, depth: int, batch: int) -> Iterator[Part]:
    last = len(block.parts) - 1
    for at, part in enumerate(block.parts):
        here = "" if not prefix else f"{lines}{'└─ ' if at == last else '├─ '}"
        if isinstance(part, int):
            name: str = layers[part]["name"]
            yield Part(name, name.removeprefix(prefix), here, layers[part])
            continue
        path = f"{prefix}{part.label}"
        yield Part(path, part.label, here, _sum(part, [layers[one] for one in part.nodes()], batch), True, depth > 1)
        if depth > 1:
            below = "" if not prefix else f"{lines}{'   ' if at == last else '│  '}"
            yield from _parts(part, layers, f"{path}_", below, depth - 1, batch)


def _sum(block: Block, layers: list[Figures], batch: int) -> Figures:
    """A block's figures: sums, and the shape and the field of its last layer."""
    last = layers[-1]
    sums: dict[str, Any] = {key: _total([one[key] for one in layers]) for key in SUMS}
    work = sums["flops"]
    sums["other"] = {"total": _total([one["other"]["total"] for one in layers])}
    sums["intensity"] = None if work is None or not sums["moved_bytes"] else round(batch * work / sums["moved_bytes"], 3)
    places = {key: last[key] for key in ("output_shape", "receptive_field", "local_field", "effective_stride", "effective_padding", "global_branch")}
    return {"name": block.label, "op": block.title, **sums, **places, "kernel": None, "layers": len(layers)}


def _total(values: list[Any]) -> Any:
    return None if None in values else sum(values)


def chosen(graph: Graph, data: Figures, depth: int | None, sort: str | None, top: int | None) -> list[Part]:
    """The rows of a call: the tree, or a list from the largest on where it is sorted or cut. Unknown figures come first."""
    found = list(parts(graph, data, depth))
    if sort is None and top is None:
        return found
    key = SORTED[sort or "macs"]
    flat = [one for one in found if not one.open]
    flat.sort(key=lambda one: (one.figures[key] is not None, -(one.figures[key] or 0)))
    return [Part(one.path, one.path, "", one.figures, one.block) for one in flat[:top]]


def table(data: Figures, rows: Sequence[Part], columns: Sequence[str]) -> Table:
    """The table of chosen rows and columns, with the totals as its notes."""
    kept = [COLUMNS[one] for one in columns]
    heads = [Column("layer", "layer", False), *(one[0] for one in kept)]
    made = [_row(one, kept) for one in rows]
    return Table(f"{data['title']} ({data['address']})", heads, made, totals(data))


def fitting(data: Figures, rows: Sequence[Part], columns: Sequence[str], room: int) -> list[str]:
    """The columns that a terminal has room for; those go first that the tree or another column tells as well."""
    kept = list(columns)
    for spare in SPARE:
        if max(map(width, text(Table("", (made := table(data, rows, kept)).columns, made.rows)).splitlines())) + len(kept) + 2 <= room:
            break
        kept = [one for one in kept if one != spare]
    return kept


def _row(part: Part, columns: list[tuple[Column, Cell, Callable[[Figures], object]]]) -> Row:
    figures = part.figures
    cells = [part.label, *[cell(figures) for _, cell, _ in columns]]
    return Row(cells, lambda: [part.path, *(value(figures) for _, _, value in columns)], part.lines, part.block)


def totals(data: Figures) -> list[str]:
    """What the network costs, holds and sees, in lines."""
    params, held, train = data["params"], data["memory"], data["training"]
    lines = [
        f"parameters  {count(params['total'])} ({count(params['trainable'])} trainable, {count(params['non_trainable'])} not)",
        f"MACs        {count(data['macs'])} (convolutions and dense layers, one example)",
        f"FLOPs       {_flops(data)}",
        f"excluded    {'; '.join(data['excluded'])}",
        f"field       {_network_field(data['receptive_field'])}",
        f"memory      weights {memory(held['weights'])}, activations {memory(held['activations'])}, batch {held['batch']}, 32-bit floats",
        f"inference   {_peak(held)}",
        f"training    {_training(train)}",
    ]
    if data["intensity"] is not None:
        lines.append(f"intensity   {data['intensity']:.3g} FLOPs for each byte that the layers read and write")
    return lines


def _flops(data: Figures) -> str:
    kinds = sorted(((count or 0, kind, count) for kind, count in data["other"].items() if kind != "total"), reverse=True)
    listed = ", ".join(f"{kind} {count(number)}" for _, kind, number in kinds) or "none"
    return f"{count(data['flops'])} = 2 x MACs + {count(data['other']['total'])} other ({listed})"


def _network_field(field: Figures | None) -> str:
    if field is None:
        return "none: no input has positions"
    beside = "; g: a global branch (squeeze and excitation, global pooling, dense) sees all of the input beside it" if field["global_branch"] else ""
    padding = _per_axis(field["padding"])
    return f"{_per_axis(field['size'])} on the longest path, stride {_per_axis(field['stride'])}, padding {'unknown' if '?' in padding else padding}{beside}"


def _peak(held: Figures) -> str:
    one, apart = held["peak"], held["peak_without_in_place"]
    if one is None:
        return "unknown: a size is open"
    return f"{memory(held['inference'])}: weights, and at most {memory(one['bytes'])} of activations at once, at {one['layer']} (element-wise layers in place; else {memory(apart['bytes'])}, at {apart['layer']})"


def _training(one: Figures) -> str:
    whole = f"about {memory(one['total'])} with {one['optimizer']}, batch {one['batch']}"
    shares = (("weights", "weights"), ("gradients", "gradients"), ("optimiser", "optimizer_state"), ("activations", "activations"), ("their gradients", "activation_gradients"))
    return f"{whole}: {', '.join(f'{word} {memory(one[key])}' for word, key in shares)}"
