"""A graph as the rows of a paper's table: single layers, blocks, and stages of repeated blocks.

The rows come from the parts of the text that nodes keep (macro calls, loops, groups) and from the sizes of maps. A loop
whose turns leave maps of other sizes is a list of stages, and each turn is a row; any other loop is repetition, and one row. A
part that halves or doubles the map more than once holds several rows; any other part is one.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import log2
from typing import Any

from archc.graph.graph import Graph, Group, Node
from archc.operators import Role, Shape

DEEPEST = 60
"""Parts below so many others count as those around them."""
WEIGHTY = frozenset({Role.CONVOLUTION, Role.DENSE})
SILENT_ROLES = frozenset({Role.INPUT, Role.NORMALISATION, Role.ACTIVATION, Role.MERGE, Role.REGULARISATION})
SILENT = frozenset({"flatten", "reshape", "permute", "pad", "pad_channels", "crop", "select", "split", "slice", "identity"})
VOICED = frozenset({"lrn", "softmax", "log_softmax"})


def voiced(node: Node) -> bool:
    """True for what a paper's table names: no normalisation, activation, dropout or change of form."""
    operator = node.operator
    return operator.name in VOICED or (operator.role not in SILENT_ROLES and operator.name not in SILENT)


@dataclass(eq=False)
class Part:
    """A part of the text and what it made, in order."""

    group: Group
    items: list[Part | Node] = field(default_factory=list["Part | Node"])

    @cached_property
    def layers(self) -> int:
        """How many layers a table would name in it."""
        return sum(item.layers if isinstance(item, Part) else int(voiced(item)) for item in self.items)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All its nodes, in order."""
        return tuple(node for item in self.items for node in (item.nodes if isinstance(item, Part) else (item,)))

    @property
    def is_block(self) -> bool:
        """True for a macro call or a turn of a loop that holds several layers."""
        return self.group.kind in ("macro", "iteration") and self.layers > 1

    def series(self) -> Iterator[Part | Node]:
        """What follows one on another in it; a merge is one item, whatever its branches hold."""
        for item in self.items:
            if isinstance(item, Part) and item.group.kind != "merge":
                yield from item.series()
            else:
                yield item


def tree(graph: Graph) -> Part:
    """The parts of a graph, from the network down."""
    root = Part(graph.root)
    made: dict[Group, Part] = {graph.root: root}
    for node in graph.nodes:
        _part(node.group, made, root).items.append(node)
    return root


def _part(group: Group, made: dict[Group, Part], root: Part) -> Part:
    chain: list[Group] = []
    at: Group | None = group
    while at is not None and at not in made:
        chain.append(at)
        at = at.parent
    part = made[at] if at is not None else root
    depth = _depth(part.group)
    for one in reversed(chain):
        depth += 1
        if depth <= DEEPEST:
            inner = Part(one)
            part.items.append(inner)
            part = inner
        made[one] = part
    return part


def _depth(group: Group) -> int:
    count, at = 0, group.parent
    while at is not None:
        count, at = count + 1, at.parent
    return count


@dataclass(frozen=True, eq=False)
class Row:
    """A line of the table: a layer, a block, or a stage.

    `name` is what the names of its layers begin with, `named` is true where a person gave it. `extra` are nodes that
    no row names, and that stand behind this one: their weights count here. `level` is how often the map was halved, and
    `None` where there is no map any more.
    """

    name: str
    part: Part
    named: bool
    level: int | None
    extra: list[Node] = field(default_factory=list[Node])

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All that the row costs."""
        return (*self.part.nodes, *self.extra)

    @property
    def input(self) -> Shape:
        """What goes in."""
        return self.part.nodes[0].input_shapes[0]

    @property
    def output(self) -> Shape:
        """What comes out."""
        return self.part.nodes[-1].shape

    @property
    def first(self) -> Node:
        """The first layer that has a name in a table, or else the first node."""
        return next((one for one in self.part.nodes if voiced(one)), self.part.nodes[0])

    @property
    def blocks(self) -> tuple[Part, ...]:
        """The blocks that it repeats, or that it is; none for single layers."""
        return tuple(_blocks(self.part))

    @property
    def layers(self) -> int:
        """How many blocks of its most frequent kind it has, or else how many layers."""
        kinds = Counter(one.group.title for one in self.blocks)
        return max(kinds.values(), default=self.part.layers)

    @property
    def depth(self) -> int:
        """Layers with weights on its longest path."""
        longest: dict[int, int] = {}
        for node in self.part.nodes:
            before = max((longest.get(one.node, 0) for one in node.inputs), default=0)
            longest[node.index] = before + (node.operator.role in WEIGHTY)
        return max(longest.values(), default=0)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments of its first block's macro."""
        block = next(iter(self.blocks), None)
        while block is not None:
            held = [one for one in block.items if isinstance(one, Part) and one.layers]
            alone = len(held) == 1 and held[0].layers == block.layers and held[0].group.kind == "macro"
            if block.group.kind == "macro" and not alone:
                return block.group.arguments
            block = held[0] if alone else None
        return {}


def _blocks(part: Part) -> Iterator[Part]:
    """The blocks of a row, from the outside; the turns of a loop and the macro calls in them are one block."""
    if part.group.kind == "macro" and part.layers > 1:
        inner = [one for item in part.items if isinstance(item, Part) for one in _blocks(item) if _repeated(item)]
        yield from inner or (part,)
        return
    if part.group.kind == "merge":
        return
    found = [one for item in part.items if isinstance(item, Part) for one in _blocks(item)]
    if part.group.kind == "iteration" and part.layers > 1 and not found:
        yield part
    yield from found


def _repeated(part: Part) -> bool:
    return part.group.kind == "loop"


def rows(graph: Graph) -> list[Row]:
    """The rows of a graph's table, every node in one of them, inputs left out."""
    sizes = _Sizes(graph)
    found: list[Row] = []
    before: list[Node] = []
    for part, prefix in _parts(tree(graph), "", sizes):
        node = part.items[0] if part.group.kind == "network" else None
        if isinstance(node, Node):
            if node.operator.role is Role.INPUT:
                continue
            if not voiced(node) and node.operator.role is not Role.REGULARISATION:
                (found[-1].extra if found else before).append(node)
                continue
            found.append(Row(node.name, part, False, sizes.level(node.shape)))
        elif not part.layers:
            (found[-1].extra if found else before).extend(part.nodes)
            continue
        else:
            found.append(Row(prefix, part, _named(part.group), sizes.level(part.nodes[-1].shape)))
        if before:
            found[-1].extra.extend(before)
            before = []
    if before:  # a network of which a table names nothing
        found.append(Row(graph.name, Part(graph.root, [*before]), False, sizes.level(before[-1].shape)))
    return found


def _named(group: Group) -> bool:
    """True where the name is a person's own, not made of what the part is."""
    return group.kind == "iteration" or not re.fullmatch(re.escape(group.title) + r"(_\d+)?", group.label)


def _parts(part: Part, prefix: str, sizes: _Sizes) -> Iterator[tuple[Part, str]]:
    """The parts that are rows, each with the beginning of its layers' names; a single node is a part of the network."""
    for item in part.items:
        if isinstance(item, Node):
            yield Part(Group("network", "", "", None), [item]), item.name
            continue
        label = "" if item.group.kind == "loop" else item.group.label
        inner = f"{prefix}_{label}".strip("_")
        if sizes.several(item):
            yield from _parts(item, inner, sizes)
        else:
            yield item, inner or item.group.label


class _Sizes:
    """How large maps are, compared with what goes into the network."""

    def __init__(self, graph: Graph) -> None:
        whole = [graph.nodes[one].shape for one in graph.inputs]
        self.largest = max((shape[0] for shape in whole if len(shape) > 1 and shape[0]), default=None)

    def level(self, shape: Shape) -> int | None:
        """How often a map was halved; `None` for what has no positions, or only one."""
        if _side(shape) is None:
            return None
        return round(log2(self.largest / shape[0])) if self.largest and shape[0] else 0

    def several(self, part: Part) -> bool:
        """True where a part holds several rows."""
        if part.group.kind == "merge":
            return False
        if part.group.kind == "loop" and len(part.items) > 1:
            turns = [one for one in part.items if isinstance(one, Part)]
            ends = [one.nodes[-1].shape for one in turns]
            nested = any(_loops(one) for one in turns)
            return _changes(ends) > 0 or (nested and len({one[-1:] for one in ends}) > 1) or any(self.several(one) for one in turns)
        start = part.nodes[0].input_shapes[:1]
        return _changes([*start, *(item.nodes[-1].shape if isinstance(item, Part) else item.shape for item in part.series())]) > 1


def _changes(shapes: Iterable[Shape]) -> int:
    """How often a map is halved or doubled, or ends; what a valid window takes from its border is no change."""
    sides = [_side(one) for one in shapes]
    return sum(one != other and (one is None or other is None or not 2 / 3 < one / other < 3 / 2) for one, other in itertools.pairwise(sides))


def _side(shape: Shape) -> int | None:
    """The first side of a map, 1 where it is open; `None` for what has no positions, or only one."""
    if len(shape) < 2 or all(one == 1 for one in shape[:-1]):
        return None
    return shape[0] or 1


def _loops(part: Part) -> bool:
    return any(item.group.kind == "loop" or (item.group.kind != "merge" and _loops(item)) for item in part.items if isinstance(item, Part))
