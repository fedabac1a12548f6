"""Graph -> drawing tree: which layers are drawn as one box, which blocks have a frame, which are folded."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import NamedTuple

from archc.backends.diagram import templates, words
from archc.backends.diagram.folding import Block, Folder, Run, blocks
from archc.backends.diagram.fusing import Units, fuse, separate
from archc.backends.diagram.tree import Box, Cluster, Edge, Outline, Template, ranks
from archc.backends.diagram.view import Detail, View
from archc.graph.graph import Graph, Group, Node
from archc.operators import Role, Shape

UNNAMED = re.compile(r"steps(_\d+)?$")
"""What a loop over steps is called where the text gives it no name."""

WIDE_MERGE = 8
"""Merges of more inputs have no labels at them: they would hide the lines."""


class Parts(NamedTuple):
    """What all views of a graph have in common: its units, the tree of its blocks, which of them are equal, its totals."""

    units: Units
    root: Block
    folder: Folder
    totals: str


def parts_of(graph: Graph, marks: Mapping[int, str] | None = None) -> Parts:
    """The parts of a graph, for views in which layers are fused and blocks folded; those with unlike marks on nodes are unlike."""
    units = fuse(graph)
    return Parts(units, blocks(graph, units), Folder(graph, units, marks), words.totals(graph))


def outline(graph: Graph, view: View | Detail = "blocks", parts: Parts | None = None) -> Outline:
    """What to draw of a graph; `parts` are those of `parts_of`, where they have been found before."""
    view = view if isinstance(view, View) else View(view)
    if view.detail == "layers":
        units, folder, totals = separate(graph), None, words.totals(graph)
        root = blocks(graph, units)
    else:
        found = parts or parts_of(graph)
        units, root, folder, totals = found.units, found.root, found.folder, found.totals
    plan = Plan(graph, units, view, folder)
    plan.find_templates(root)
    plan.arrange(root)
    edges = plan.edges()
    drawn = plan.templates()
    every = [edges, *(one.drawn.edges for one in drawn)]
    return Outline(
        title=graph.title or graph.address,
        totals=totals,
        items=plan.items,
        boxes=plan.boxes,
        edges=edges,
        skips=any(edge.skip for some in every for edge in some) or any(box.shortcut for box in plan.boxes),
        folded=plan.folded,
        explained=tuple(plan.explained.items()),
        templates=drawn,
    )


class Plan:
    """The state of one arrangement: which unit is drawn in which box."""

    def __init__(
        self, graph: Graph, units: Units, view: View, folder: Folder | None,
        names: Mapping[int, dict[str, str]] | None = None, nested: Mapping[Hashable, tuple[str, ...]] | None = None,
    ) -> None:
        self._graph = graph
        self._units = units
        self._view = view
        self._names = names or {}
        self._nested = nested or {}
        """In a template: the forms that have templates of their own, with what their columns are called."""
        self._folder = folder
        self._drawn_by = list(range(len(units.chains)))
        self._copies: dict[int, list[int]] = {}
        self._box_of: dict[int, int] = {}
        self._output_names = self._names_of_outputs()
        self._readers = graph.consumers()
        self._heads = self._dead_heads()
        self._forms: dict[Hashable, list[Run]] = {}
        self._rows: dict[Hashable, list[Run]] = {}
        self.items: list[Box | Cluster] = []
        self.boxes: list[Box] = []
        self.explained: dict[str, str] = {}
        self.folded = False

    def find_templates(self, root: Block) -> None:
        """Decides which blocks become rows of a table."""
        if self._folder is not None and self._view.detail == "blocks":
            self._forms = templates.find(root, self._runs, self._folder)

    def arrange(self, root: Block) -> None:
        """Fills `items` and `boxes`, parent frames before what they hold."""
        pending: list[tuple[Run, list[Box | Cluster], tuple[str, ...]]] = [(run, self.items, ()) for run in self._merged(root)]
        pending.reverse()
        while pending:
            run, target, titles = pending.pop()
            first, count = run.first, len(run.parts)
            if isinstance(first, int):
                self._fold(run)
                target.append(self._framed(first, count) if count > 1 else self._box(first))
                continue
            title = self._title(first, count)
            boxed = self._view.boxed(first.groups, len(titles))
            form = self._form(first)
            if (boxed or (boxed is None and (form in self._forms or form in self._nested))) and title:
                if not boxed and form in self._forms:
                    self._rows.setdefault(form, []).append(run)
                target.append(self._block_box(run, tabled=not boxed))
                continue
            self._fold(run)
            if count == 1 and (not title or title in titles):
                pending.extend((inner, target, titles) for inner in reversed(self._merged(first)))
                continue
            cluster = Cluster(title, count, _tooltip(run), dead=self._is_dead(first), made=macro_of(first.groups), part=first.groups[-1])
            self._explain(first.groups, cluster.dead or count > 1)
            target.append(cluster)
            pending.extend((inner, cluster.items, (*titles, title)) for inner in reversed(self._merged(first)))

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
            skip = far and fan[edge.tail] > 1 and self._joins(self.boxes[edge.head])
            key = self._label_key(edge, skip)
            labelled = key is not None and key not in told
            told.add(key)
            edges.append(edge._replace(labelled=labelled, skip=skip))
        return edges

    def templates(self) -> tuple[Template, ...]:
        """The templates with their tables."""
        made: list[Template] = []
        tables = {form: templates.numbers(self._every(form, runs), self._graph, self._units.chains) for form, runs in self._rows.items()}
        for form, runs in self._rows.items():
            first = runs[0].first
            assert isinstance(first, Block)
            table = tables[form]
            nested = {other: one.header for other, one in tables.items() if other != form}
            inner = Plan(self._graph, self._units, View(), self._folder, table.names, nested)
            inner.arrange_template(first)
            title = self._title(first, 2)
            if any(one.title == title for one in made) and self.boxes[self._box_of[first.units[0]]].shortcut:
                title += ", with shortcut"
            drawn = Outline(title, "", inner.items, inner.boxes, inner.template_edges(), False, False)
            self._explain(first.groups, True)
            made.append(Template(title, drawn, *self._table(runs, table)))
        return tuple(made)

    def _every(self, form: Hashable, runs: list[Run]) -> list[Run]:
        """The runs of a form: those with a row in its table, then those inside of other templates."""
        listed = {id(run.first) for run in runs}
        return [*runs, *(run for run in self._forms[form] if id(run.first) not in listed)]

    def arrange_template(self, block: Block) -> None:
        """The inside of one block, behind a box that stands for what it reads."""
        read = dict.fromkeys(tensor for unit in block.units for node in self._nodes(unit) for tensor in node.inputs if self._units.unit_of[tensor.node] not in block.units)
        for tensor in read:
            node = self._graph.nodes[tensor.node]
            box = self._added(Box(len(self.boxes), (node,), ((node,),), text="input"))
            self._box_of[self._units.unit_of[tensor.node]] = box.id
            self.items.append(box)
        inner = Block(block.groups, block.items, block.units)
        self.arrange(inner)

    def template_edges(self) -> list[Edge]:
        """The edges of a template: shapes differ from block to block, so none is told."""
        return [edge._replace(labelled=False) for edge in self.edges() if not self.boxes[edge.head].text]

    def _table(self, runs: list[Run], table: templates.Numbers) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        """A row for each box that stands for blocks of the form."""
        rows: list[tuple[str, ...]] = []
        for run, values in zip(runs, table.rows, strict=False):
            box = self.boxes[self._box_of[_units_of(run.first)[0]]]
            made = words.shape_text(box.copies[-1][-1].shape)
            nodes = [node for copy in box.copies for node in copy]
            macs = words.macs(nodes)
            counts = words.amount_text(words.parameters(nodes)), "open" if macs is None else words.amount_text(macs)
            rows.append((_called(run.first, box.count), *values, made, *counts))
        return ("block", *table.header, "output", "params", "MACs"), tuple(rows)

    def _form(self, block: Block) -> Hashable | None:
        return templates.form_of(block, self._folder) if self._folder is not None else None

    def _explain(self, groups: list[Group], wanted: bool) -> None:
        """Notes what the text says of a block, for the legend."""
        for group in groups if wanted else ():
            if group.kind == "macro" and group.doc:
                self.explained.setdefault(group.title, group.doc.split("\n")[0])

    def _is_dead(self, block: Block) -> bool:
        """True for a head beside the main one: an output is in it, and nothing outside reads from it."""
        ours = set(block.units)
        if ours.isdisjoint(self._heads) or len(ours) > len(self._units.chains) / 2:
            return False
        nodes = [number for unit in ours for number in self._units.chains[unit]]
        return all(self._units.unit_of[reader] in ours for number in nodes for reader in self._readers[number])

    def _dead_heads(self) -> set[int]:
        """The units of outputs other than the last in the text, which nothing reads."""
        ends = [node.index for node in self._graph.nodes if not self._readers[node.index]]
        outputs = {tensor.node for _, tensor in self._graph.outputs}
        return {self._units.unit_of[one] for one in ends[:-1] if one in outputs}

    @staticmethod
    def _joins(box: Box) -> bool:
        """True for a merge that a skip may lead to; what is scaled, by squeeze and excitation, is no skip."""
        return box.role is Role.MERGE and box.head.operator.name != "multiply"

    def _label_key(self, edge: Edge, skip: bool) -> Hashable | None:
        """What an edge's label would say, so that it is said once; `None` where it has none.

        Every input of a merge that joins has its label; the equal inputs of one that adds have one together.
        """
        head, tail = self.boxes[edge.head], self.boxes[edge.tail]
        if tail.title or tail.text or tail.role is Role.INPUT:
            return None
        if head.role is Role.MERGE:
            if len(head.head.inputs) > WIDE_MERGE:
                return None
            equal = all(shape == head.head.shape for shape in head.head.input_shapes)
            return None if equal and skip else (edge.head, edge.shape) if equal else (edge.head, edge.tail)
        changed = all(shape != edge.shape for shape in tail.head.input_shapes)
        return ("from", edge.tail, edge.shape) if changed else None

    def _runs(self, block: Block) -> list[Run]:
        if self._folder is None:
            return [Run([item]) for item in block.items]
        return list(self._folder.runs(block.items))

    def _merged(self, block: Block) -> list[Run]:
        """The runs of a block; those of one template that differ in shapes alone are one."""
        merged: list[Run] = []
        for run in self._runs(block):
            last = merged[-1] if merged else None
            if last is not None and isinstance(run.first, Block) and isinstance(last.first, Block):
                form = self._form(run.first)
                if form in self._forms and form == self._form(last.first) and templates.same_numbers(last, run, self._graph, self._units.chains):
                    merged[-1] = Run([*last.parts, *run.parts])
                    continue
            merged.append(run)
        return merged

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
        box = Box(len(self.boxes), copies[0], copies, outputs=names, names=self._names.get(copies[0][0].index, {}))
        self._box_of[unit] = box.id
        return self._added(box)

    def _added(self, box: Box) -> Box:
        """Notes a box, with what is written in it."""
        box = replace(box, written=tuple(words.shown(line) for line in words.lines(box)))
        self.boxes.append(box)
        return box

    def _framed(self, unit: int, count: int) -> Cluster:
        cluster = Cluster("", count, "")
        cluster.items.append(self._box(unit))
        return cluster

    def _block_box(self, run: Run, *, tabled: bool) -> Box:
        """A whole block, or a run of them."""
        first = run.first
        assert isinstance(first, Block)
        copies = tuple(tuple(node for unit in _units_of(part) for node in self._nodes(unit)) for part in run.parts)
        outputs = tuple(name for copy in copies for node in copy for name in self._output_names.get(node.index, ()))
        title = self._title(first, len(run.parts))
        told = templates.call_text(first.groups, self._nested.get(self._form(first), ())) if self._nested else None
        box = Box(len(self.boxes), copies[0], copies, title, len(run.parts), outputs, templates.adds_its_input(copies[-1]), tabled=tabled, part=first.groups[-1], folded=self._elsewhere(run), told=told)
        self.folded = self.folded or len(run.parts) > 1
        for part in run.parts:
            self._box_of.update((unit, box.id) for unit in _units_of(part))
        self._explain(first.groups, True)
        return self._added(box)

    def _elsewhere(self, run: Run) -> tuple[Node, ...]:
        """The nodes that a block is drawn for because a frame around it is."""
        units = [unit for part in run.parts for unit in _units_of(part)]
        return tuple(node for unit in units for copy in self._all_copies(unit)[1:] for node in self._nodes(copy))

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
        return block_title(block.groups, count)

    def _wires(self) -> list[tuple[int, int, Shape]]:
        wires: list[tuple[int, int, Shape]] = []
        for unit in range(len(self._units.chains)):
            head = self._box_of.get(unit)
            if head is None:
                continue
            for node in self._nodes(unit):
                for tensor, shape in zip(node.inputs, node.input_shapes, strict=True):
                    tail = self._box_of.get(self._drawn(self._units.unit_of[tensor.node]))
                    if tail is not None and tail != head:
                        wires.append((tail, head, shape))
        return _once(wires, {box.id for box in self.boxes if box.title})

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


def macro_of(groups: list[Group]) -> str:
    """The innermost macro that a block is a call of."""
    macros = [group.title for group in groups if group.kind == "macro" and group.title]
    return macros[-1] if macros else ""


def block_title(groups: list[Group], count: int) -> str:
    """A frame's words: what it is called here, and the macro that made it."""
    made = macro_of(groups)
    if count > 1 and made:
        return made
    called = next((group.label for group in groups if group.label and not UNNAMED.match(group.title)), "")
    plain = [name for name in (called, made) if name]
    if called and made and called.startswith(made):
        plain = [made]
    return " · ".join(plain)


def _once(wires: list[tuple[int, int, Shape]], whole: set[int]) -> list[tuple[int, int, Shape]]:
    """The wires, those at whole blocks without doubles: several layers of a block may read one tensor."""
    seen: set[tuple[int, int, Shape]] = set()
    kept: list[tuple[int, int, Shape]] = []
    for wire in wires:
        if (wire[0] in whole or wire[1] in whole) and wire in seen:
            continue
        seen.add(wire)
        kept.append(wire)
    return kept


def _units_of(part: Block | int) -> list[int]:
    return part.units if isinstance(part, Block) else [part]


def _called(part: Block | int, count: int) -> str:
    """A block's name in a table: the names of the iterations and calls that it stands in."""
    assert isinstance(part, Block)
    labels: list[str] = []
    at: Group | None = part.groups[-1]
    while at is not None:
        if at.label and at.kind in ("iteration", "macro", "steps") and at.label not in labels:
            labels.append(at.label)
        at = at.parent
    name = " ".join(reversed(labels))
    return f"{name} {words.MULTIPLY} {count}" if count > 1 else name


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
