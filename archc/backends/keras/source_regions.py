"""The lowered layers in the regions of the text that they came from: macro calls, loops and their iterations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from archc.backends.keras.layers import KerasCall, KerasLayer, KerasModel
from archc.backends.keras.source_layers import values
from archc.backends.keras.source_operations import takes_names
from archc.graph.graph import Graph, Group, Node
from archc.operators import Operator

Value = tuple[int, int, int]
"""What a variable holds: an output of a call of a layer, or, with -1 for the call, the layer itself."""

Kept = set[Any]
"""What is written in place: ids of groups, `("macro", title)` and `("loop", site)`."""

COMPOSITE = 3  # an operator of so many layers is a function of its own


@dataclass(eq=False)
class Leaf:
    """One line: a layer made and called, only made, or only called."""

    key: Any
    layer: KerasLayer
    name: str
    values: Mapping[str, Any] | None
    call: KerasCall | None
    reads: tuple[Value, ...]
    outputs: tuple[Value, ...]
    hint: str
    label: str
    doc: str
    is_named: bool = True


@dataclass(eq=False)
class Region:
    """A macro call, a loop or an iteration, with what it holds. A macro call becomes the call of a function."""

    kind: str
    key: Any
    title: str
    name: str
    arguments: Mapping[str, Any]
    hint: str
    label: str
    doc: str
    site: int = 0
    iteration: int = 0
    items: list[Leaf | Region] = field(default_factory=list["Leaf | Region"])
    start: int = 0
    end: int = 0
    # Once its function is known: which one, with what.
    function: Any = None
    given: dict[str, Any] = field(default_factory=dict[str, Any])
    reads: tuple[Value, ...] = ()
    outputs: tuple[Value | None, ...] = ()
    about: str = ""


@dataclass(eq=False)
class Forest:
    """All the regions of a network, and the last line that reads each value."""

    root: Region
    last_use: dict[Value, int]
    broken: set[Any]


def regions(graph: Graph, model: KerasModel, kept: Kept) -> Forest:
    """The regions, but for those that are written in place."""
    return _Reader(graph, model, kept).read()


def shared_across(graph: Graph, model: KerasModel) -> Kept:
    """The groups that hold some calls of a layer, and not all: such a layer is made outside of them."""
    found: Kept = set()
    for layer in model.layers:
        if len(layer.calls) < 2:
            continue
        chains = [chain(graph.nodes[call.node].group) for call in layer.calls]
        common = set(map(id, chains[0])).intersection(*(map(id, one) for one in chains[1:]))
        for one in chains:
            outside = [group for group in one if id(group) not in common]
            found |= {id(group) for group in outside}
            found |= {id(group.parent) for group in outside if group.kind == "iteration"}
    return found


def chain(group: Group) -> list[Group]:
    """The groups from the network's down to this one."""
    found: list[Group] = []
    at: Group | None = group
    while at is not None:
        found.append(at)
        at = at.parent
    return found[::-1]


class _Reader:
    def __init__(self, graph: Graph, model: KerasModel, kept: Kept) -> None:
        self.graph = graph
        self.model = model
        self.kept = kept
        self.paths: dict[int, tuple[list[Group], str]] = {}
        self.broken: set[Any] = set()
        self.last_use: dict[Value, int] = {}
        self.at = 0
        self.names_operations = takes_names(model)

    def read(self) -> Forest:
        root = Region("network", (), "", "", {}, "", "", "")
        open_: list[tuple[Any, Region]] = [(None, root)]
        for events in self.by_node():
            node = self.graph.nodes[self.call(events[0]).node]
            self.enter(node, events, open_)
            for layer, number in events:
                for leaf in self.leaves(node, layer, number):
                    self.check_name(leaf.name, open_)
                    open_[-1][1].items.append(leaf)
                    self.at += 1
        while open_:
            open_.pop()[1].end = self.at
        for tensor in self.model.outputs:
            self.last_use[tensor.layer, tensor.call, tensor.output] = self.at
        return Forest(root, self.last_use, self.broken)

    def by_node(self) -> Iterator[list[tuple[int, int]]]:
        """The calls of each node, each after what it reads."""
        found: dict[int, list[tuple[int, int]]] = {}
        for index, layer in enumerate(self.model.layers):
            for number, call in enumerate(layer.calls):
                found.setdefault(call.node, []).append((index, number))
        for node in sorted(found):
            yield self.in_turn(found[node])

    def in_turn(self, calls: list[tuple[int, int]]) -> list[tuple[int, int]]:
        waiting, done = list(calls), list[tuple[int, int]]()
        while waiting:
            ready = next(
                (one for one in waiting if not any((at.layer, at.call) in waiting for at in self.call(one).inputs)),
                waiting[0],
            )
            waiting.remove(ready)
            done.append(ready)
        return done

    def call(self, one: tuple[int, int]) -> KerasCall:
        return self.model.layers[one[0]].calls[one[1]]

    def enter(self, node: Node, events: list[tuple[int, int]], open_: list[tuple[Any, Region]]) -> None:
        """Closes the regions that the node is not in, and opens those that it is in."""
        wanted: list[tuple[Any, Group | None]] = [(id(one), one) for one in self.structure(node.group)]
        if self.is_composite(node, events):
            wanted.append((("node", node.index), None))
        depth = 1
        while depth < len(open_) and depth <= len(wanted) and open_[depth][0] == wanted[depth - 1][0]:
            depth += 1
        while len(open_) > depth:
            open_.pop()[1].end = self.at
        for identity, group in wanted[depth - 1 :]:
            region = self.composite(node) if group is None else self.region(group)
            open_[-1][1].items.append(region)
            open_.append((identity, region))

    def is_composite(self, node: Node, events: list[tuple[int, int]]) -> bool:
        if len(events) < COMPOSITE or ("macro", node.operator.name) in self.kept:
            return False
        return all(len(self.model.layers[layer].calls) == 1 for layer, _ in events)

    def structure(self, group: Group) -> list[Group]:
        return self.path(group)[0]

    def path(self, group: Group) -> tuple[list[Group], str]:
        """The groups that stay regions, from the network's down to this one, and what its layers' names start with."""
        found = self.paths.get(id(group))
        if found is None:
            groups: list[Group] = []
            name = ""
            if group.parent is not None:
                groups, name = self.path(group.parent)
                name = _joined(name, _added(group))
            if group.kind in ("macro", "loop", "iteration") and not self.is_kept(group):
                groups = [*groups, group]
            found = self.paths[id(group)] = groups, name
        return found

    def is_kept(self, group: Group) -> bool:
        loop = group.parent if group.kind == "iteration" else group
        assert loop is not None
        key = ("macro", group.title) if group.kind == "macro" else ("loop", loop.site)
        return id(group) in self.kept or id(loop) in self.kept or key in self.kept

    def region(self, group: Group) -> Region:
        key = (group.kind, group.title, self.sites(group, itself=True))
        hint = self.hint(group.parent)
        arguments = group.arguments
        return Region(
            group.kind, key, group.title, self.path(group)[1], arguments, hint, group.label, group.doc,
            group.site, group.iteration, start=self.at,
        )  # fmt: skip

    def composite(self, node: Node) -> Region:
        key = ("macro", node.operator.name, (*self.sites(node.group), node.site))
        return Region(
            "macro", key, node.operator.name, node.name, node.operator.attributes(), self.hint(node.group),
            node.name.rsplit("_", 1)[-1], node.doc, node.site, start=self.at, about=_about(node.operator),
        )  # fmt: skip

    def sites(self, group: Group, *, itself: bool = False) -> tuple[Any, ...]:
        """Where a group is in the region around it; `itself` is for a group that is a region."""
        structure = self.structure(group)[: -1 if itself else None]
        around = structure[-1] if structure else None
        found: list[Any] = []
        at: Group | None = group
        while at is not None and at is not around:
            found.append((at.kind, at.site, "" if at.kind == "network" else at.title))
            at = at.parent
        return tuple(found[::-1])

    def hint(self, group: Group | None) -> str:
        """The branch that a line belongs to."""
        while group is not None and group.kind != "macro":
            if group.kind == "branch":
                return group.title
            group = group.parent
        return ""

    def leaves(self, node: Node, index: int, number: int) -> Iterator[Leaf]:
        layer = self.model.layers[index]
        call = layer.calls[number]
        suffix = layer.name[len(node.name) :] if layer.name.startswith(node.name) else layer.name
        key = (layer.module, layer.class_name, suffix, len(call.inputs), node.site, self.sites(node.group))
        hint, label = self.hint(node.group), layer.name[len(self.path(node.group)[1]) :].strip("_") or layer.class_name
        outputs = tuple((index, number, output) for output in range(len(call.shapes)))
        reads = tuple((one.layer, one.call, one.output) for one in call.inputs)
        if len(layer.calls) < 2:
            self.use(reads)
            is_named = self.names_operations or not layer.is_operation
            yield Leaf(key, layer, layer.name, values(layer), call, reads, outputs, hint, label, node.doc, is_named)
            return
        maker = (index, -1, 0)
        if number == 0:
            yield Leaf(("make", *key), layer, layer.name, values(layer), None, (), (maker,), label, label, node.doc)
        self.use((maker, *reads))
        yield Leaf(("call", *key), layer, "", None, call, (maker, *reads), outputs, hint, f"{label}_{number + 1}", "")

    def use(self, reads: tuple[Value, ...]) -> None:
        for one in reads:
            self.last_use[one] = self.at

    def check_name(self, name: str, open_: list[tuple[Any, Region]]) -> None:
        """A function's layers have names that start with its own; where they have not, it is written in place."""
        for _, region in open_[1:]:
            rest = name[len(region.name) :]
            if region.kind == "macro" and (
                not region.name or not name.startswith(region.name) or rest[:1] not in ("", "_")
            ):
                self.broken.add(("macro", region.title))


def _about(operator: Operator) -> str:
    """What an operator is: the first sentence of its page."""
    sentence = re.split(r"(?<=\.)\s+(?=[A-Z])|\n\n", type(operator).__doc__ or "", maxsplit=1)[0]
    return " ".join(sentence.split())


def _added(group: Group) -> str:
    """What a group adds to the names of its layers."""
    parent = group.parent
    if group.kind == "loop" or group.silent:
        return ""
    if parent is not None and parent.kind == "iteration" and parent.label == group.label:
        return ""
    return group.label


def _joined(name: str, more: str) -> str:
    return f"{name}_{more}" if name and more else name or more
