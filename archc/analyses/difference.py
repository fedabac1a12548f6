"""What differs between two networks, layer by layer.

Layers are matched in order: first those whose names, operators and shapes are equal, then those that stand between them and
agree in less. The numbers that archc puts behind a name (`conv_7`) do not count at first, for one layer more shifts all of them.
What is left is matched by its whole name, wherever it stands: it has moved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal

from archc.analyses import AnalysedGraph
from archc.analyses.alignment import Pair, align, gaps
from archc.analyses.cost import NodeCost
from archc.graph.graph import Graph, Group, Node, Tensor

Kind = Literal["added", "removed", "changed", "affected", "same"]
Rule = Callable[[Node], Hashable]
SYMMETRIC = frozenset({"add", "multiply", "average", "maximum", "minimum"})
NUMBER = re.compile(r"_\d+(?=_|$)")


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that differs between two layers, `None` where it is not there."""

    what: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """A layer of one network or of both.

    `changed` is a layer whose text differs: its operator, an attribute, its inputs, its weights' training. `affected` is one
    that costs or makes something else only because of what it gets. `renamed` and `moved` go with any of them.
    """

    kind: Kind
    before: Node | None
    after: Node | None
    details: tuple[Detail, ...]
    params: int
    macs: int | None
    renamed: bool = False
    moved: bool = False

    @property
    def name(self) -> str:
        """The layer's name, in the second network where it is there."""
        node = self.after or self.before
        assert node is not None
        return node.name

    @property
    def told(self) -> bool:
        """True where the two networks' texts differ."""
        return self.kind not in ("same", "affected") or self.renamed or self.moved


@dataclass(frozen=True)
class Difference:
    """Two networks and their layers, in the order of the second one; removed layers stand where they stood."""

    before: AnalysedGraph
    after: AnalysedGraph
    changes: tuple[Change, ...]

    @property
    def equal(self) -> bool:
        """True where no layer differs in anything."""
        return all(one.kind == "same" and not one.told for one in self.changes)

    def count(self, kind: Kind) -> int:
        """How many layers fared so."""
        return sum(one.kind == kind for one in self.changes)


def difference(before: AnalysedGraph, after: AnalysedGraph) -> Difference:
    """How the second network differs from the first."""
    pairs, moved = matched(before.graph, after.graph)
    partner = dict(pairs)
    back = {other: one for one, other in pairs}
    wires = _Wires(before.graph, after.graph, partner, back)
    changes: list[Change] = []
    waiting = iter([node for node in before.graph.nodes if node.index not in partner])
    removed = next(waiting, None)
    for node in after.graph.nodes:
        one = back.get(node.index)
        while removed is not None and one is not None and node.index not in moved and removed.index < one:
            changes.append(_alone("removed", removed, before.cost.nodes[removed.index]))
            removed = next(waiting, None)
        if one is None:
            changes.append(_alone("added", node, after.cost.nodes[node.index]))
        else:
            first = before.graph.nodes[one]
            changes.append(_both(first, node, before.cost.nodes[one], after.cost.nodes[node.index], wires, node.index in moved))
    while removed is not None:
        changes.append(_alone("removed", removed, before.cost.nodes[removed.index]))
        removed = next(waiting, None)
    return Difference(before, after, tuple(changes))


def _alone(kind: Kind, node: Node, cost: NodeCost) -> Change:
    sign = 1 if kind == "added" else -1
    here, there = (None, node) if kind == "added" else (node, None)
    return Change(kind, here, there, (), sign * cost.params, None if cost.macs is None else sign * cost.macs)


def _both(first: Node, second: Node, cost: NodeCost, other: NodeCost, wires: _Wires, moved: bool) -> Change:
    details = tuple(_details(first, second, wires))
    shapes = (first.input_shapes, first.shapes, cost) != (second.input_shapes, second.shapes, other)
    kind: Kind = "changed" if details else "affected" if shapes else "same"
    macs = None if cost.macs is None or other.macs is None else other.macs - cost.macs
    return Change(kind, first, second, details, other.params - cost.params, macs, first.name != second.name and not _numbered_alike(first, second), moved)


def _numbered_alike(first: Node, second: Node) -> bool:
    return NUMBER.sub("", first.name) == NUMBER.sub("", second.name)


def _details(first: Node, second: Node, wires: _Wires) -> Iterator[Detail]:
    if first.operator.name != second.operator.name:
        yield Detail("operator", first.operator.name, second.operator.name)
    before, after = first.operator.attributes(), second.operator.attributes()
    if first.operator.name != second.operator.name:
        before, after = first.operator.non_default(), second.operator.non_default()
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield Detail(name, before.get(name), after.get(name))
    if first.trainable != second.trainable:
        yield Detail("trainable", first.trainable, second.trainable)
    if (first.shared is None) != (second.shared is None):
        yield Detail("shares weights", first.shared is not None, second.shared is not None)
    here, there = wires.inputs(first), wires.after_inputs(second)
    if first.operator.name in SYMMETRIC:
        here, there = sorted(here), sorted(there)
    if here != there:
        yield Detail("inputs", wires.words(first, wires.before), wires.words(second, wires.after))


class _Wires:
    """What layers read. A layer put in between, or taken away, is looked through along its first input."""

    def __init__(self, before: Graph, after: Graph, partner: dict[int, int], back: dict[int, int]) -> None:
        self.before = before
        self.after = after
        self.partner = partner
        self.back = back
        self.known: tuple[dict[int, Tensor], dict[int, Tensor]] = {}, {}

    def inputs(self, node: Node) -> list[tuple[int, int]]:
        """The inputs of a layer of the first network, as layers of the second."""
        found = [self._through(one, self.before, self.partner, self.known[0]) for one in node.inputs]
        return [(self.partner.get(one.node, -1), one.output) for one in found]

    def after_inputs(self, node: Node) -> list[tuple[int, int]]:
        """The inputs of a layer of the second network that the first has as well."""
        found = [self._through(one, self.after, self.back, self.known[1]) for one in node.inputs]
        return [(one.node if one.node in self.back else -1, one.output) for one in found]

    def _through(self, tensor: Tensor, graph: Graph, kept: dict[int, int], known: dict[int, Tensor]) -> Tensor:
        seen: list[int] = []
        while tensor.node not in kept and tensor.node not in known and graph.nodes[tensor.node].inputs:
            seen.append(tensor.node)
            tensor = graph.nodes[tensor.node].inputs[0]
        tensor = known.get(tensor.node, tensor)
        known.update(dict.fromkeys(seen, tensor))
        return tensor

    def words(self, node: Node, graph: Graph) -> list[str]:
        """The names of what a layer reads."""
        return [graph.nodes[one.node].name for one in node.inputs]


def matched(before: Graph, after: Graph) -> tuple[list[Pair], set[int]]:
    """Pairs of layers that are one, and those of the second network that have moved."""
    plain = {id(node): NUMBER.sub("", node.name) for node in (*before.nodes, *after.nodes)}
    rules: list[Rule] = [
        lambda node: (plain[id(node)], node.operator, node.input_shapes),
        lambda node: (plain[id(node)], node.operator),
        lambda node: (node.name, node.operator.name),
        lambda node: (plain[id(node)], node.operator.name),
        lambda node: (_place(node.group) or node.name, node.operator.name),
        lambda node: (node.operator, node.input_shapes),
        lambda node: node.name,
    ]
    pairs: list[Pair] = []
    for rule in rules:
        pairs = sorted([*pairs, *_between(before, after, pairs, pairs, rule)])
    moved = _anywhere(before, after, pairs, lambda node: (node.name, node.operator.name))
    everywhere = [*pairs, *moved]
    everywhere += _anywhere(before, after, everywhere, lambda node: (_place(node.group), node.operator.name) if _place(node.group) else None)
    everywhere += _between(before, after, pairs, everywhere, lambda node: (node.operator.name, len(node.input_shapes)))
    strangers = {other for _, other in everywhere} - {other for _, other in pairs}
    everywhere = _last_of_equals(after, everywhere, rules[0], strangers)
    turned = _last_of_equals(before, [(other, one) for one, other in everywhere], rules[0], {one for one, other in everywhere if other in strangers})
    return sorted((one, other) for other, one in turned), {other for _, other in moved}


def _last_of_equals(graph: Graph, pairs: list[Pair], rule: Rule, fixed: set[int]) -> list[Pair]:
    """The same pairs, but of equal layers side by side the last are those that stand alone; the second places are the graph's."""
    back = {other: one for one, other in pairs}
    nodes, start = graph.nodes, 0
    while start < len(nodes):
        end = start
        while end < len(nodes) and end not in back and _alike(nodes[start], nodes[end], rule):
            end += 1
        while start < end < len(nodes) and end in back and end not in fixed and _alike(nodes[start], nodes[end], rule):
            back[start] = back.pop(end)
            start, end = start + 1, end + 1
        start = max(end, start + 1)
    return [(one, other) for other, one in back.items()]


def _alike(one: Node, other: Node, rule: Rule) -> bool:
    return one.group is other.group and rule(one) == rule(other)


def _between(before: Graph, after: Graph, fixed: list[Pair], known: list[Pair], rule: Rule) -> list[Pair]:
    """Pairs by a rule, in order, among the layers between fixed pairs that no pair holds yet."""
    taken, held = {one for one, _ in known}, {other for _, other in known}
    found: list[Pair] = []
    for low, high, start, stop in gaps(fixed, (0, len(before.nodes), 0, len(after.nodes))):
        here = [one for one in before.nodes[low:high] if one.index not in taken]
        there = [one for one in after.nodes[start:stop] if one.index not in held]
        if here and there:
            found += [(here[one].index, there[other].index) for one, other in align([rule(one) for one in here], [rule(one) for one in there])]
    return found


def _anywhere(before: Graph, after: Graph, known: list[Pair], rule: Rule) -> list[Pair]:
    """Pairs by a rule, wherever they stand, among the layers that no pair holds yet."""
    taken, held = {one for one, _ in known}, {other for _, other in known}
    left: dict[Hashable, list[int]] = {}
    for node in reversed(before.nodes):
        if node.index not in taken and (key := rule(node)) is not None:
            left.setdefault(key, []).append(node.index)
    if not left:
        return []
    return [(waiting.pop(), node.index) for node in after.nodes if node.index not in held and (waiting := left.get(rule(node)))]


def _place(group: Group) -> tuple[str, ...]:
    """Where a layer stands by the names of branches and turns of loops."""
    return tuple(one.label for one in _around(group) if one.kind in ("branch", "iteration"))


@dataclass(frozen=True, slots=True)
class Bunch:
    """Changes that are told together: whole blocks that came or went, one after the other, or a single layer."""

    kind: Kind
    names: tuple[str, ...]
    title: str
    changes: tuple[Change, ...]

    @property
    def params(self) -> int:
        """Parameters more or less."""
        return sum(one.params for one in self.changes)

    @property
    def macs(self) -> int | None:
        """MACs more or less; `None` where a size is open."""
        found = [one.macs for one in self.changes]
        return None if None in found else sum(one for one in found if one is not None)


def bunches(found: Difference) -> list[Bunch]:
    """The changes in order, whole blocks together."""
    whole = {
        "added": _whole(found.after.graph, {one.after.index for one in found.changes if one.kind == "added" and one.after}),
        "removed": _whole(found.before.graph, {one.before.index for one in found.changes if one.kind == "removed" and one.before}),
    }
    runs: list[tuple[Group | None, Kind, list[list[Change]]]] = []
    for one in found.changes:
        node = one.after or one.before
        assert node is not None
        block = whole[one.kind].get(node.index) if one.kind in whole else None
        group, kind, blocks = runs[-1] if runs else (None, "same", [])
        if block is None or group is None or kind != one.kind or not (block is group or _beside(block, group)):
            runs.append((block, one.kind, [[one]]))
        elif block is group:
            blocks[-1].append(one)
        else:
            blocks.append([one])
            runs[-1] = block, kind, blocks
    return [_bunch(*one) for one in runs]


def _bunch(group: Group | None, kind: Kind, blocks: list[list[Change]]) -> Bunch:
    changes = tuple(one for block in blocks for one in block)
    if group is None:
        return Bunch(kind, (changes[0].name,), "", changes)
    return Bunch(kind, tuple(dict.fromkeys((_prefix(blocks[0]), _prefix(blocks[-1])))), group.title, changes)


def _prefix(block: list[Change]) -> str:
    """What the names of a block's layers begin with, in whole words."""
    words = [one.name.split("_") for one in block]
    first, last = min(words), max(words)
    alike = list(takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    return "_".join(word for word, _ in alike) or block[0].name


def _whole(graph: Graph, nodes: set[int]) -> dict[int, Group]:
    """The widest block around each of some nodes that holds nothing else; blocks of one node do not count."""
    if not nodes:
        return {}
    total: dict[Group, int] = {}
    own: dict[Group, int] = {}
    for node in graph.nodes:
        for group in _around(node.group):
            total[group] = total.get(group, 0) + 1
            if node.index in nodes:
                own[group] = own.get(group, 0) + 1
    found: dict[int, Group] = {}
    for index in nodes:
        held = [one for one in _around(graph.nodes[index].group) if one.parent is not None and own.get(one) == total[one] > 1 and one.kind != "loop"]
        if held:
            found[index] = held[-1]
    return found


def _around(group: Group) -> Iterator[Group]:
    at: Group | None = group
    while at is not None:
        yield at
        at = at.parent


def _beside(one: Group, other: Group) -> bool:
    """True for turns of one loop."""
    return one.kind == other.kind == "iteration" and one.parent is other.parent
