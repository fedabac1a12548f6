"""The functions of a file: one for each macro, from the innermost to the network's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from archc.backends.keras.layers import KerasModel
from archc.backends.keras.source_align import Unlike, keyed
from archc.backends.keras.source_holes import ABSENT, Variable, distinct
from archc.backends.keras.source_parameters import Function as Scope
from archc.backends.keras.source_plan import Plan, Planner, Symbol
from archc.backends.keras.source_regions import Forest, Kept, Region, Value, regions, shared_across
from archc.backends.keras.source_text import identifier
from archc.graph.graph import Graph

RESERVED = frozenset(
    [
        "Input",
        "Model",
        "layers",
        "ops",
        "initializers",
        "regularizers",
        "constraints",
        "saving",
        "range",
        "enumerate",
        "build_model",
        "keras",
        "operation",
    ]
)


@dataclass(eq=False)
class Function:
    """A function: its name, lines and parameters."""

    name: str
    plan: Plan
    scope: Scope
    doc: str
    taken: set[str]

    @property
    def parameters(self) -> list[Variable]:
        """The parameters, those without a default first."""
        required = [one for one in self.scope.variables if one.default is ABSENT]
        return required + [one for one in self.scope.variables if one.default is not ABSENT]


@dataclass(eq=False)
class Program:
    """The functions in the order in which they are defined, and the network's lines."""

    functions: list[Function]
    network: Function
    inputs: list[Symbol]
    outputs: list[Symbol]


def program(graph: Graph, model: KerasModel) -> Program:
    """The functions of a network. What does not fit is written in place, and the rest is tried again."""
    kept = shared_across(graph, model)
    while True:
        forest = regions(graph, model, kept)
        if forest.broken:
            kept |= forest.broken
            continue
        try:
            return _Writer(forest, kept).program(model)
        except Unlike as problem:
            if problem.key is None or problem.key in kept:
                raise
            kept.add(problem.key)


class _Writer:
    def __init__(self, forest: Forest, kept: Kept) -> None:
        self.forest = forest
        self.kept = kept
        self.last_use: Mapping[Value, int] = forest.last_use
        self.functions: list[Function] = []
        calls = [one for one in _inside(forest.root) if one.kind == "macro"]
        self.reserved = set(RESERVED) | {identifier(one.title) for one in calls}
        self.names = set(RESERVED)
        self.clusters = _clusters(forest.root, calls)

    def program(self, model: KerasModel) -> Program:
        for calls in self.clusters:
            self.macro(calls)
        scope = Scope([{}], [""], named=False)
        planner = Planner([self.forest.root], scope, self.last_use)
        plan = planner.lay()
        scope.settle()
        produced = plan.produced[0]
        inputs, outputs = (
            [produced[one.layer, one.call, one.output] for one in some] for some in (model.inputs, model.outputs)
        )
        for one in (*inputs, *outputs):
            one.read_at(len(plan.lines))
        if len(outputs) > 1:
            for one, name in zip(outputs, model.output_names, strict=True):
                one.hint = one.label = name
        network = Function("build_model", plan, scope, "", set(self.reserved) | self.names)
        _name_loops(network)
        return Program(self.functions, network, inputs, outputs)

    def macro(self, calls: list[Region]) -> None:
        missing = next(
            (one for call in calls for one in _inside(call) if one.kind == "macro" and one.function is None), None
        )
        if missing is not None:
            raise Unlike(("macro", missing.title))
        try:
            self.function(calls)
        except Unlike as problem:
            kinds = _alike(calls)
            if problem.key is not None and len(kinds) == 1:
                raise
            for alike in kinds:
                self.separate(alike)

    def separate(self, calls: list[Region]) -> None:
        try:
            self.function(calls)
        except Unlike as problem:
            raise Unlike(problem.key or ("macro", calls[0].title)) from None

    def function(self, calls: list[Region]) -> None:
        scope = Scope([one.arguments for one in calls], [one.name for one in calls], named=True)
        planner = Planner(calls, scope, self.last_use)
        plan = planner.lay()
        planner.result()
        scope.settle()
        docs = Counter(one.doc for one in calls)
        doc, times = docs.most_common(1)[0]
        about = calls[0].about or (doc if times > 1 or len(calls) == 1 else "")
        made = Function(distinct(calls[0].title, self.names), plan, scope, about, set())
        made.taken = self.reserved | self.names | {"name"}
        if scope.named:
            scope.named.name = "name"
        for one in scope.variables:
            one.name = distinct(one.hint, made.taken)
        _name_loops(made)
        self.functions.append(made)
        for at, call in enumerate(calls):
            call.function = made
            call.given = {one.name: one.values[at] for one in made.parameters}
            values = [one.values[at] for one in plan.inputs]
            unread = next((one for one in values if one is not None), None)
            call.reads = tuple(unread if one is None else one for one in values)  # pyright: ignore[reportAttributeAccessIssue]
            call.outputs = tuple(planner.value_of(one, at) for one in plan.results)
            if call.doc == made.doc:
                call.doc = ""


def _inside(region: Region) -> Iterator[Region]:
    """The regions in a region, the outer before the inner."""
    for item in region.items:
        if isinstance(item, Region):
            yield item
            yield from _inside(item)


def _clusters(root: Region, calls: list[Region]) -> list[list[Region]]:
    """The calls of each macro, the innermost macros first. A macro in itself counts as one for each depth."""
    height: dict[int, int] = {}

    def measure(region: Region) -> int:
        inner = max((measure(one) for one in region.items if isinstance(one, Region)), default=0)
        height[id(region)] = inner + (region.kind == "macro")
        return height[id(region)]

    measure(root)
    nested = {
        one.title for one in calls if any(inner.kind == "macro" and inner.title == one.title for inner in _inside(one))
    }
    found: dict[Any, list[Region]] = {}
    for one in calls:
        found.setdefault((one.title, height[id(one)] if nested else 0), []).append(one)
    return sorted(found.values(), key=lambda cluster: max(height[id(one)] for one in cluster))


def _alike(calls: list[Region]) -> list[list[Region]]:
    """The calls whose lines have the same places in the text."""
    found: dict[Any, list[Region]] = {}
    for one in calls:
        found.setdefault(_shape(one), []).append(one)
    return list(found.values())


def _shape(region: Region) -> tuple[Any, ...]:
    """The places of a region's lines, and of those in its loops."""
    loops = (one for one in region.items if isinstance(one, Region) and one.kind == "loop")
    rounds = [frozenset(_shape(one) for one in loop.items if isinstance(one, Region)) for loop in loops]
    return (*(key for key, _ in keyed(region)), *rounds)


def _name_loops(function: Function) -> None:
    for line in _loops(function.plan):
        assert line.loop is not None
        hint = line.loop.index.hint
        if identifier(hint) in function.taken:
            hint = "index"
        line.loop.index.name = distinct(hint, function.taken) if line.loop.index_used else "_"
        for one in line.loop.variables:
            one.name = distinct(one.hint, function.taken)


def _loops(plan: Plan) -> Iterator[Any]:
    for line in plan.lines:
        if line.body is not None:
            yield line
            yield from _loops(line.body)


__all__ = ["Function", "Program", "program"]
