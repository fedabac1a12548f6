"""What stands in a cell: a layer or a block in the notation of papers.

Where a table has blocks, they read as in ResNet's Table 1: `[1x1, 64; 3x3, 64; 1x1, 256] x 3`. Where it has none, layers read
as in VGG's: `conv3-64`. Normalisation and activation go without saying, as in both papers; the second notation names
normalisation, since whole columns differ by it. In a block neither strides nor projections on the shortcut are named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

from archc.analyses.rows import WEIGHTY, Part, Row, voiced
from archc.graph.graph import Node
from archc.operators import Role
from archc.operators.shape_rules import per_axis

LINES = 12
"""A block shows so many lines at most."""
KINDS = {"depthwise_conv": " depthwise", "separable_conv": " separable", "conv_transpose": " transposed"}
COMPACT_KINDS = {"depthwise_conv": "dwconv", "separable_conv": "sepconv", "conv_transpose": "deconv"}
GATED = frozenset({"global_avg_pool", "global_max_pool"})


@dataclass(frozen=True, slots=True)
class Cell:
    """A layer, or a block of lines with how often it stands there.

    >>> str(Cell(("3x3, 64", "3x3, 64"), 2, True)), str(Cell(("maxpool",)))
    ('[3x3, 64; 3x3, 64] x 2', 'maxpool')
    """

    lines: tuple[str, ...]
    count: int = 1
    block: bool = False

    def __str__(self) -> str:
        text = "; ".join(self.lines)
        times = f" x {self.count}" if self.count > 1 else ""
        return f"[{text}]{times}" if self.block else f"{text}{times}"


def text(cells: Iterable[Cell]) -> str:
    """Cells on one line."""
    return ", ".join(map(str, cells))


def of_row(row: Row, compact: bool) -> tuple[Cell, ...]:
    """What a table says of a row."""
    if compact:
        words = [_compact(node) for node in row.part.nodes if voiced(node)]
        normalised = any(node.operator.role is Role.NORMALISATION and not voiced(node) and node.weights for node in row.nodes)
        return (Cell((", ".join(words) + (" BN" if normalised and row.first.operator.role in WEIGHTY else ""),)),)
    whole = row.part.group.kind in ("macro", "merge", "loop")
    return tuple(_repeated(_of_part(row.part, False) if whole else _series(row.part.items, False)))


def _repeated(found: list[Cell]) -> list[Cell]:
    """Equal layers in a row as one block."""
    runs = [(one, len(list(run))) for one, run in groupby(found)]
    return [one if times == 1 else Cell(one.lines, one.count * times, True) for one, times in runs]


def _series(items: Sequence[Part | Node], inner: bool) -> list[Cell]:
    """The cells of what follows one on another, equal consecutive blocks as one."""
    found: list[Cell] = []
    for item in items:
        if isinstance(item, Node):
            if voiced(item):
                found.append(Cell((words(item, inner),)))
        else:
            found.extend(_of_part(item, inner))
    return _folded(found)


def _of_part(part: Part, inner: bool) -> list[Cell]:
    kind = part.group.kind
    if kind == "merge":
        return [Cell(_merge(part), block=True)] if part.layers else []
    if kind == "loop":
        turns = [one for item in part.items if isinstance(item, Part) for one in _of_part(item, inner)]
        return _folded([Cell(one.lines, one.count, True) for one in turns] if len(part.items) > 1 else turns)
    if part.is_block:
        return _bracket(_series(part.items, True))
    return _series(part.items, inner)


def _bracket(cells: list[Cell]) -> list[Cell]:
    """Cells as one block; what repeats blocks itself stays as it is."""
    if any(one.block and one.count > 1 and len(one.lines) > 1 for one in cells) or not cells:
        return cells
    lines = [line if one.count == 1 else f"{line} x {one.count}" for one in cells for line in one.lines]
    return [Cell(_limited(lines), block=True)] if len(cells) > 1 else [Cell(cells[0].lines, cells[0].count, True)]


def _folded(cells: list[Cell]) -> list[Cell]:
    found: list[Cell] = []
    for one in cells:
        if found and one.block and found[-1].block and one.lines == found[-1].lines:
            found[-1] = Cell(one.lines, found[-1].count + one.count, True)
        else:
            found.append(one)
    return found


def _merge(part: Part) -> tuple[str, ...]:
    """The lines of a merge: its main branch where the others are shortcuts, or else one line for each branch."""
    operator = next((item.operator.name for item in reversed(part.items) if isinstance(item, Node)), "")
    branches = [item for item in part.items if isinstance(item, Part) and item.layers]
    if operator == "multiply" and (gates := [one for one in branches if any(node.operator.name in GATED for node in one.nodes)]):
        others = [line for one in branches if one not in gates for line in _lines(one)]
        return _limited([*others, "SE"])
    if operator != "concat":
        main = max(branches, key=lambda one: sum(node.operator.role in WEIGHTY for node in one.nodes))
        others = [one for one in branches if one is not main and sum(voiced(node) for node in one.nodes) > 1]
        branches = [one for one in branches if one is main or one in others]
    if len(branches) == 1:
        return _limited(_lines(branches[0]))
    runs = [(line, len(list(run))) for line, run in groupby(" -> ".join(_lines(one)) for one in branches)]
    return _limited([line if times == 1 else f"{line} x {times}" for line, times in runs])


def _lines(part: Part) -> list[str]:
    return [line if one.count == 1 else f"{line} x {one.count}" for one in _series(part.items, True) for line in one.lines]


def _limited(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(lines) if len(lines) <= LINES else (*lines[: LINES - 1], f"... {len(lines) - LINES + 1} more")


def words(node: Node, inner: bool = False) -> str:
    """A layer as ResNet's table has it: `7x7, 64, stride 2`; inside a block without its stride."""
    return ", ".join(_words(node, inner))


def _words(node: Node, inner: bool) -> Iterator[str]:
    operator, attributes = node.operator, node.operator.attributes()
    kernel, stride = window(node)
    if operator.role is Role.DENSE:
        yield f"{attributes['units']}-d fc"
    elif operator.role is Role.CONVOLUTION:
        yield f"{kernel}{' depthwise' if _each_channel(node) else KINDS.get(operator.name, '')}"
        if "filters" in attributes and not _each_channel(node):
            yield str(attributes["filters"])
    elif operator.name == "global_avg_pool":
        yield "average pool"
    else:
        yield f"{kernel} {title(node)}".strip()
    if stride and not inner:
        yield f"stride {stride}"
    for name in ("dilation", "groups"):
        value = attributes.get(name, 1)
        if operator.role is Role.CONVOLUTION and _sizes(value) != "1" and not (name == "groups" and _each_channel(node)):
            yield f"{name} {_sizes(value)}"
    if attributes.get("activation") == "softmax":
        yield "softmax"


def _each_channel(node: Node) -> bool:
    """True for an ordinary convolution that works on each channel by itself."""
    attributes = node.operator.attributes()
    return attributes.get("groups", 1) == node.input_shapes[0][-1] == attributes.get("filters")


def title(node: Node) -> str:
    """An operator's name in words."""
    if node.operator.name == "lrn":
        return "LRN"
    held = node.operator.attributes().get("class")
    return str(held).rpartition(":")[2] if held else node.operator.name.replace("_", " ")


def _compact(node: Node) -> str:
    """A layer as VGG's table has it: `conv3-64`."""
    operator, attributes = node.operator, node.operator.attributes()
    kernel, stride = window(node)
    size = kernel if len(set(kernel.split("x"))) > 1 else kernel.partition("x")[0].removeprefix("k")
    step = f"/{stride}" if stride else ""
    if operator.role is Role.DENSE:
        return f"FC-{attributes['units']}" + (", soft-max" if attributes.get("activation") == "softmax" else "")
    if operator.role is Role.CONVOLUTION:
        rest = "".join(f" {name} {_sizes(attributes[name])}" for name in ("dilation", "groups") if _sizes(attributes.get(name, 1)) != "1")
        filters = f"-{attributes['filters']}" if "filters" in attributes else ""
        return f"{COMPACT_KINDS.get(operator.name, 'conv')}{size}{filters}{step}{rest}"
    if operator.name in ("max_pool", "avg_pool"):
        name = operator.name.replace("_", "")
        return name if (size, stride) == ("2", "2") else f"{name}{size}{step}"
    return {"softmax": "soft-max", "global_avg_pool": "avgpool"}.get(operator.name, title(node))


def window(node: Node) -> tuple[str, str]:
    """The kernel or window, `3x3`, and the stride where it is not 1; nothing for operators without."""
    attributes = node.operator.attributes()
    size = attributes.get("kernel", attributes.get("size"))
    if node.operator.role not in (Role.CONVOLUTION, Role.POOLING) or size is None or node.operator.name.startswith("adaptive_"):
        return "", ""
    axes = max(1, len(node.input_shapes[0]) - 1)
    stride = attributes.get("stride", 1) or size
    window = per_axis(size, axes)
    return f"k{window[0]}" if axes == 1 else "x".join(map(str, window)), "" if _sizes(stride) == "1" else _sizes(stride)


def _sizes(value: Any) -> str:
    """`2` for one number or equal ones, and else all of them."""
    sizes = cast("tuple[Any, ...]", value if isinstance(value, tuple) else (value,))
    return str(sizes[0]) if len(set(sizes)) == 1 else "x".join(map(str, sizes))
