"""Blocks of the text, and which consecutive ones are equal enough to be drawn once.

Blocks fold only if they are isomorphic with equal operators and shapes, each reads the one before it in the same way,
and nothing else reads the ones that are not drawn. Regularisation rates may differ: the drawing states their range.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from archc.backends.diagram.fusing import Units
from archc.graph.graph import Graph, Group, Node, Tensor
from archc.operators import Role

TRANSPARENT = frozenset({"network", "merge", "branch", "loop"})
PLAIN_RUN = 8
"""So many equal boxes in a row, which no block holds, are folded too."""


@dataclass(eq=False)
class Block:
    """A part of the text and what it holds: blocks, and units by number. `groups` are the frames it stands for."""

    groups: list[Group]
    items: list[Block | int] = field(default_factory=list["Block | int"])
    units: list[int] = field(default_factory=list[int])


class Run(NamedTuple):
    """Consecutive equal blocks (or units); the first is drawn for all."""

    parts: list[Block | int]

    @property
    def first(self) -> Block | int:
        """What is drawn."""
        return self.parts[0]


def blocks(graph: Graph, units: Units) -> Block:
    """The tree of blocks, without those that hold fewer than two units or only another block."""
    root = Block([graph.root])
    made: dict[Group, Block] = {graph.root: root}
    order = [root]
    for unit, group in enumerate(units.groups):
        _block(group, made, order, root).items.append(unit)
    for block in reversed(order):
        _simplify(block)
    return root


def _block(group: Group, made: dict[Group, Block], order: list[Block], root: Block) -> Block:
    missing: list[Group] = []
    at: Group | None = group
    while at is not None and at not in made:
        missing.append(at)
        at = at.parent
    block = made[at] if at is not None else root
    for one in reversed(missing):
        inner = Block([one])
        block.items.append(inner)
        order.append(inner)
        made[one] = block = inner
    return block


def _simplify(block: Block) -> None:
    """Takes in the items of blocks that need no frame; the blocks inside have been simplified before."""
    items: list[Block | int] = []
    for item in block.items:
        if isinstance(item, Block) and (_transparent(item) or len(item.units) < 2):
            items.extend(item.items)
        else:
            items.append(item)
    only = items[0] if len(items) == 1 else None
    if isinstance(only, Block) and not _transparent(block):
        block.groups.extend(only.groups)
        items = only.items
    block.items = items
    block.units = [unit for item in items for unit in (item.units if isinstance(item, Block) else (item,))]


def _transparent(block: Block) -> bool:
    group = block.groups[0]
    return len(block.groups) == 1 and (group.kind in TRANSPARENT or (group.kind == "steps" and not group.label))


class _Form(NamedTuple):
    """What a block is, whatever it is called: `code` is equal for equal blocks; `external` is what it reads, in order."""

    code: int
    external: tuple[Tensor, ...]
    place: dict[int, int]


class Folder:
    """Finds runs of equal blocks in a graph. Linear in the number of units, for each level of blocks.

    `marks` are words on nodes, by index, that equal blocks have in common too.
    """

    def __init__(self, graph: Graph, units: Units, marks: Mapping[int, str] | None = None) -> None:
        self._graph = graph
        self._units = units
        self._marks = marks or {}
        self._codes: dict[Hashable, int] = {}
        self._forms: dict[Block | int, _Form] = {}
        self._unit_codes = [self._intern(self._unit_key(chain)) for chain in units.chains]
        self._readers = self._unit_readers()
        self._outputs = {units.unit_of[tensor.node] for _, tensor in graph.outputs}

    def runs(self, items: list[Block | int]) -> Iterator[Run]:
        """The items in order, equal consecutive ones together."""
        start = 0
        while start < len(items):
            stop = self._end(items, start)
            shortest = 2 if isinstance(items[start], Block) else PLAIN_RUN
            if stop - start >= shortest:
                yield Run(items[start:stop])
            else:
                yield from (Run([item]) for item in items[start:stop])
            start = stop

    def _end(self, items: list[Block | int], start: int) -> int:
        """Where the run that begins at `start` ends."""
        before = self._form(items[start])
        wiring: Hashable = None
        at = start + 1
        while at < len(items):
            if isinstance(items[at], Block) is not isinstance(items[start], Block):
                break
            form = self._form(items[at])
            joint = self._joint(before, form)
            if joint is None or (wiring is not None and joint != wiring):
                break
            before, wiring, at = form, joint, at + 1
        return at

    def form(self, block: Block) -> int:
        """What a block has in common with those of other numbers: operators, words and wires."""
        place = {unit: index for index, unit in enumerate(block.units)}
        external: dict[Tensor, int] = {}
        parts: list[Hashable] = []
        for unit in block.units:
            for number in self._units.chains[unit]:
                node = self._graph.nodes[number]
                parts.append(_kind(node))
                parts.append(tuple(self._reference(one, place, external) for one in node.inputs))
        return self._intern(("form", tuple(parts)))

    def marks(self, block: Block) -> tuple[str | None, ...]:
        """The marks on a block's nodes."""
        return tuple(self._marks.get(number) for unit in block.units for number in self._units.chains[unit])

    def differ_in_marks(self, one: Block, other: Block) -> bool:
        """True for blocks of one form that would be equal without their marks."""
        if self.marks(one) == self.marks(other) or len(one.units) != len(other.units):
            return False
        pairs = zip(one.units, other.units, strict=True)
        return all(self._unit_meaning(self._units.chains[first]) == self._unit_meaning(self._units.chains[second]) for first, second in pairs)

    def _joint(self, before: _Form, after: _Form) -> Hashable | None:
        """How a block hangs on the equal block before it; `None` if they cannot be one drawing."""
        if before.code != after.code or not self._closed(before, after):
            return None
        joints: list[tuple[int, int]] = []
        for index, tensor in enumerate(after.external):
            place = before.place.get(self._units.unit_of[tensor.node])
            if place is not None:
                joints.append((place, tensor.output))
            elif before.external[index] == tensor:
                joints.append((-1, index))
            else:
                return None
        return tuple(joints) if any(place >= 0 for place, _ in joints) else None

    def _closed(self, before: _Form, after: _Form) -> bool:
        """True if only the next block reads this one."""
        return all(
            unit not in self._outputs
            and all(reader in before.place or reader in after.place for reader in self._readers[unit])
            for unit in before.place
        )

    def _form(self, item: Block | int) -> _Form:
        form = self._forms.get(item)
        if form is None:
            form = self._forms[item] = self._form_of(item)
        return form

    def _form_of(self, item: Block | int) -> _Form:
        members = item.units if isinstance(item, Block) else [item]
        place = {unit: index for index, unit in enumerate(members)}
        external: dict[Tensor, int] = {}
        parts: list[Hashable] = []
        for unit in members:
            parts.append(self._unit_codes[unit])
            for number in self._units.chains[unit]:
                node = self._graph.nodes[number]
                parts.append(tuple(self._reference(one, place, external) for one in node.inputs))
                parts.append(self._owner(node, place))
        return _Form(self._intern(tuple(parts)), tuple(external), place)

    def _reference(self, tensor: Tensor, place: dict[int, int], external: dict[Tensor, int]) -> tuple[int, int, int]:
        inside = place.get(self._units.unit_of[tensor.node])
        if inside is not None:
            return 1, inside, tensor.output
        return 0, external.setdefault(tensor, len(external)), 0

    def _owner(self, node: Node, place: dict[int, int]) -> tuple[int, int] | None:
        """Whose weights a node uses, where they are not its own."""
        if node.shared is None:
            return None
        inside = place.get(self._units.unit_of[node.shared])
        return (0, node.shared) if inside is None else (1, inside)

    def _unit_key(self, chain: list[int]) -> Hashable:
        return self._unit_meaning(chain), tuple(self._marks.get(number) for number in chain)

    def _unit_meaning(self, chain: list[int]) -> Hashable:
        nodes = [self._graph.nodes[number] for number in chain]
        return tuple((_meaning(node), node.input_shapes, node.shapes, node.trainable) for node in nodes)

    def _unit_readers(self) -> list[set[int]]:
        unit_of = self._units.unit_of
        readers: list[set[int]] = [set() for _ in self._units.chains]
        for node in self._graph.nodes:
            for tensor in node.inputs:
                if unit_of[tensor.node] != unit_of[node.index]:
                    readers[unit_of[tensor.node]].add(unit_of[node.index])
        return readers

    def _intern(self, key: Hashable) -> int:
        return self._codes.setdefault(key, len(self._codes))


def _meaning(node: Node) -> Hashable:
    """An operator's identity: its name and attributes, without the rates that a schedule may vary."""
    operator = node.operator
    varying = operator.role is Role.REGULARISATION
    return operator.name, tuple(
        (name, repr(value))
        for name, value in operator.attributes().items()
        if not (varying and isinstance(value, float))
    )


def _kind(node: Node) -> Hashable:
    """An operator without its numbers."""
    words = [(name, repr(value)) for name, value in node.operator.attributes().items() if isinstance(value, str | bool)]
    return node.operator.name, tuple(words), len(node.shape)
