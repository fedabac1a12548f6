"""Graph -> drawing tree: which layers are drawn as one box, which blocks have a frame, which are folded."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import replace
from typing import Literal

from archc.backends.diagram import words
from archc.backends.diagram.folding import Block, Folder, Run, blocks
from archc.backends.diagram.fusing import Units, fuse, separate
from archc.backends.diagram.tree import Box, Cluster, Edge, Outline, ranks
from archc.graph.graph import Graph, Group, Node
from archc.operators import Role, Shape

UNNAMED = re.compile(r"steps(_\d+)?$")
"""What a loop over steps is called where the text gives it no name."""

WIDE_MERGE = 8
"""Merges of more inputs have no labels at them: they would hide the lines."""

Detail = Literal["overview", "blocks", "layers"]


def outline(graph: Graph, detail: Detail = "blocks") -> Outline:
    """What to draw of a graph, at a level of detail."""
    units = separate(graph) if detail == "layers" else fuse(graph)
    root = blocks(graph, units)
    plan = _Plan(graph, units, detail)
    plan.arrange(root)
    edges = plan.edges()
    return Outline(
        title=graph.title or graph.address,
        totals=words.totals(graph),
        items=plan.items,
        boxes=plan.boxes,
        edges=edges,
        skips=any(edge.skip for edge in edges),
        folded=plan.folded,
    )


class _Plan:
    """The state of one arrangement: which unit is drawn in which box."""

    def __init__(self, graph: Graph, units: Units, detail: Detail) -> None:
        self._graph = graph
        self._units = units
        self._detail = detail
        self._folder = Folder(graph, units) if detail != "layers" else None
        self._drawn_by = list(range(len(units.chains)))
        self._copies: dict[int, list[int]] = {}
        self._box_of: dict[int, int] = {}
        self._output_names = self._names_of_outputs()
        self.items: list[Box | Cluster] = []
        self.boxes: list[Box] = []
        self.folded = False

    def arrange(self, root: Block) -> None:
        """Fills `items` and `boxes`, parent frames before what they hold."""
        pending: list[tuple[Run, list[Box | Cluster]]] = [(run, self.items) for run in self._runs(root)]
        pending.reverse()
        while pending:
            run, target = pending.pop()
            self._fold(run)
            first, count = run.first, len(run.parts)
            if isinstance(first, int):
                target.append(self._framed(first, count) if count > 1 else self._box(first))
            elif count == 1 and not self._title(first, 1):
                pending.extend((inner, target) for inner in reversed(self._runs(first)))
            elif self._detail == "overview":
                target.append(self._block_box(run))
            else:
                cluster = Cluster(self._title(first, count), count, _tooltip(run))
                target.append(cluster)
                pending.extend((inner, cluster.items) for inner in reversed(self._runs(first)))

    def edges(self) -> list[Edge]:
        """The tensors between boxes; equal blocks that are not drawn have none."""
        plain = [Edge(tail, head, shape) for tail, head, shape in self._wires()]
        rank, fan = ranks(len(self.boxes), plain), [0] * len(self.boxes)
        for edge in plain:
            fan[edge.tail] += 1
        told: set[Hashable] = set()
        edges: list[Edge] = []
        for edge in plain:
            far = rank[edge.head] - rank[edge.tail] > 1
            skip = far and fan[edge.tail] > 1 and self.boxes[edge.head].role is Role.MERGE
            key = self._label_key(edge, skip)
            labelled = key is not None and key not in told
            told.add(key)
            edges.append(replace(edge, labelled=labelled, skip=skip, main=fan[edge.tail] == 1 or not far))
        return edges

    def _label_key(self, edge: Edge, skip: bool) -> Hashable | None:
        """What an edge's label would say, so that it is said once; `None` where it has none.

        Every input of a merge that joins has its label; the equal inputs of one that adds have one together.
        """
        head, tail = self.boxes[edge.head], self.boxes[edge.tail]
        if head.role is Role.MERGE:
            if len(head.head.inputs) > WIDE_MERGE:
                return None
            equal = all(shape == head.head.shape for shape in head.head.input_shapes)
            return None if equal and skip else (edge.head, edge.shape) if equal else (edge.head, edge.tail)
        changed = not tail.title and all(shape != edge.shape for shape in tail.head.input_shapes)
        return ("from", edge.tail, edge.shape) if changed else None

    def _runs(self, block: Block) -> list[Run]:
        if self._folder is None:
            return [Run([item]) for item in block.items]
        return list(self._folder.runs(block.items))

    def _fold(self, run: Run) -> None:
        """Notes that the first part is drawn for all of them."""
        if len(run.parts) == 1:
            return
        self.folded = True
        drawn = _units_of(run.first)
        for part in run.parts[1:]:
            for unit, first in zip(_units_of(part), drawn, strict=True):
                self._drawn_by[unit] = first
                self._copies.setdefault(first, [first]).append(unit)

    def _box(self, unit: int) -> Box:
        copies = tuple(self._nodes(one) for one in self._all_copies(unit))
        names = tuple(name for one in copies for node in one for name in self._output_names.get(node.index, ()))
        box = Box(len(self.boxes), copies[0], copies, outputs=names)
        self._box_of[unit] = box.id
        self.boxes.append(box)
        return box

    def _framed(self, unit: int, count: int) -> Cluster:
        cluster = Cluster("", count, "")
        cluster.items.append(self._box(unit))
        return cluster

    def _block_box(self, run: Run) -> Box:
        """In an overview, a whole block."""
        first = run.first
        assert isinstance(first, Block)
        copies = tuple(tuple(node for unit in _units_of(part) for node in self._nodes(unit)) for part in run.parts)
        box = Box(len(self.boxes), copies[0], copies, self._title(first, len(run.parts)), len(run.parts))
        self._box_of.update((unit, box.id) for unit in first.units)
        self.boxes.append(box)
        return box

    def _all_copies(self, unit: int) -> list[int]:
        """A unit and those it is drawn for, through folds inside folds."""
        found, at = [unit], 0
        while at < len(found):
            found.extend(one for one in self._copies.get(found[at], ()) if one != found[at])
            at += 1
        return found

    def _nodes(self, unit: int) -> tuple[Node, ...]:
        return tuple(self._graph.nodes[number] for number in self._units.chains[unit])

    def _title(self, block: Block, count: int) -> str:
        blocks_inside = [item for item in block.items if isinstance(item, Block)]
        return block_title(block.groups, count, blocks_inside)

    def _wires(self) -> list[tuple[int, int, Shape]]:
        wires: list[tuple[int, int, Shape]] = []
        for unit in range(len(self._units.chains)):
            head = self._box_of.get(unit)
            if head is None:
                continue
            for node in self._nodes(unit):
                for tensor, shape in zip(node.inputs, node.input_shapes, strict=True):
                    tail = self._box_of[self._drawn(self._units.unit_of[tensor.node])]
                    if tail != head:
                        wires.append((tail, head, shape))
        return list(dict.fromkeys(wires)) if self._detail == "overview" else wires

    def _drawn(self, unit: int) -> int:
        while self._drawn_by[unit] != unit:
            unit = self._drawn_by[unit]
        return unit

    def _names_of_outputs(self) -> dict[int, tuple[str, ...]]:
        if len(self._graph.outputs) < 2:
            return {}
        found: dict[int, tuple[str, ...]] = {}
        for name, tensor in self._graph.outputs:
            found[tensor.node] = (*found.get(tensor.node, ()), name)
        return found


def block_title(groups: list[Group], count: int, inside: list[Block]) -> str:
    """A frame's words: what it is called here, and the macro that made it."""
    macros = [group.title for group in groups if group.kind == "macro" and group.title]
    made = macros[-1] if macros else ""
    if count > 1 and made:
        return made
    called = next((group.label for group in groups if group.label and not UNNAMED.match(group.title)), "")
    plain = [name for name in (called, made) if name]
    if called and made and called.startswith(made):
        plain = [made]
    repeated = _repeated(inside)
    return " · ".join([*plain, repeated] if repeated else plain)


def _repeated(inside: list[Block]) -> str:
    """`3 × bottleneck`, where a block holds calls of one macro and nothing else."""
    names = {group.title for block in inside for group in block.groups[-1:] if group.kind == "macro"}
    return f"{len(inside)} × {names.pop()}" if len(inside) > 1 and len(names) == 1 else ""


def _units_of(part: Block | int) -> list[int]:
    return part.units if isinstance(part, Block) else [part]


def _tooltip(run: Run) -> str:
    """What the text says of a block: its path, the call's arguments, its documentation."""
    first = run.first
    assert isinstance(first, Block)
    facts = [_path(first.groups[-1])]
    for group in first.groups:
        values = ", ".join(f"{name}={value}" for name, value in group.arguments.items())
        if values:
            facts.append(f"{group.title}({values})" if group.kind == "macro" else values)
        if group.doc:
            facts.append(group.doc)
    last = run.parts[-1]
    if len(run.parts) > 1 and isinstance(last, Block):
        facts.append(f"× {len(run.parts)}, the last is {_path(last.groups[-1])}")
    return "\n".join(fact for fact in facts if fact)


def _path(group: Group) -> str:
    labels: list[str] = []
    at: Group | None = group
    while at is not None:
        if at.label and at.parent is not None:
            labels.append(at.label)
        at = at.parent
    return "_".join(reversed(labels))
