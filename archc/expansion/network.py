"""A variant of a spec -> Graph: inputs, the network's body, outputs; what reaches no output is left out."""

from __future__ import annotations

import sys
from collections.abc import Generator
from collections.abc import Mapping as Map
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from archc.diagnostics import Diagnostics, Origin, Span, closest, codes, error, warning
from archc.expansion.binding import Wrong
from archc.expansion.calls import Calls
from archc.expansion.expand import Expander
from archc.expansion.learnt import Learnt
from archc.expansion.naming import Numbers
from archc.expansion.place import Place
from archc.expansion.scope import POISON, Flow, Scope
from archc.graph.builder import Builder, Context
from archc.graph.graph import Graph, Group, Node, Tensor
from archc.language.document import Scalar, Value
from archc.language.expressions import STEPS_PER_RUN, Budget
from archc.language.spec import Input, Spec, Variant
from archc.language.steps import StepReader
from archc.language.validation import kind_of
from archc.operators import OPERATORS


def expand(spec: Spec, variant: Variant, given: Map[str, Value], reader: StepReader, diagnostics: Diagnostics, budget: Budget | None = None, learnt: Learnt | None = None, calls: Calls | None = None) -> Graph | None:
    """The graph of a variant with values given from outside; `None`, with diagnostics, where it is wrong.

    `learnt` is what earlier variants told of the text. With `calls`, macros that ran before are folded.
    """
    builder = Builder(diagnostics)
    family = Scope(spec.file, None)
    expander = Expander(builder, reader, {id(spec.file): family}, budget or Budget(), learnt or Learnt(), calls)
    root = Group("network", "", variant.title, None)
    place = Place("", root, Numbers())
    scope = Scope(spec.file, family)
    try:
        with deep():
            parameters(spec, variant, given, expander, family, scope)
            flow = inputs(variant, expander, scope, root)
            flow = expander.body(variant.layers, scope, flow, place)
            ends = outputs(variant, expander, scope, flow)
    except Wrong as wrong:
        for one in wrong.diagnostics:
            diagnostics.add(one)
        return None
    if diagnostics.errors:
        return None
    return pruned(spec, variant, builder, ends, root, diagnostics)


@contextmanager
def deep() -> Generator[None]:
    """Room for macros in branches in groups, each as deep as is allowed: some 30 frames of Python for each macro call."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 20_000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def parameters(spec: Spec, variant: Variant, given: Map[str, Value], expander: Expander, family: Scope, scope: Scope) -> None:
    """The family's parameters: from outside, else the variant's, else the default. Steps see the network's tensors."""
    bound = {**variant.values, **given}
    expander.evaluation.evaluator.budget.steps_left -= STEPS_PER_RUN * len(spec.file.params)
    for name, parameter in spec.file.params.items():
        if parameter.default is None and name not in bound:
            raise Wrong(error(codes.MISSING_KEY, parameter.span, f"the parameter `{name}` has no value{f' in the variant `{variant.name}`' if variant.name else ''}", help="give it a default, a value in the variant, or one with --set"))
    own = {name: one for name, one in spec.file.params.items() if one.type != "steps"}
    passed = {name: one for name, one in spec.file.params.items() if one.type == "steps"}
    expander.parameters.bind(own, bound, family, family, f"`{spec.name}`")
    bodies = {name: one.default for name, one in passed.items() if one.default is not None}
    expander.parameters.bind(passed, {**bodies, **bound}, scope, family, f"`{spec.name}`")
    expander.parameters.lets(spec.file.let, family, None)


def inputs(variant: Variant, expander: Expander, scope: Scope, root: Group) -> Flow:
    """The input nodes, and the flowing tensor where there is one input."""
    if not variant.inputs:
        place = variant.layers[0].span if variant.layers else None
        raise Wrong(error(codes.MISSING_KEY, place, "the network has no input", help="write `input: [height, width, channels]`"))
    tensors = [input_node(one, expander, scope, root) for one in variant.inputs]
    if len(tensors) == 1:
        scope.tensors.setdefault("input", tensors[0])
        return tensors[0]
    return None


def input_node(declared: Input, expander: Expander, scope: Scope, root: Group) -> Flow:
    if any(declared.name in one.values for one in scope.chain()):
        raise Wrong(error(codes.NAME_TAKEN, declared.span, f"the input `{declared.name}` has the name of a value", help="choose another name for one of the two"))
    value: Any = expander.evaluation.value(declared.shape, scope)
    got = "an empty list" if value == [] else kind_of(value)
    shape = cast("list[Any]", value) if isinstance(value, list) else []
    if not shape:
        raise Wrong(error(codes.WRONG_TYPE, declared.shape.span, f"an input's shape is a list of sizes, and this is {got}", help="write `[height, width, channels]`; `null` leaves a size open"))
    for at, size in enumerate(shape):
        whole = isinstance(size, int) and not isinstance(size, bool)
        if size is not None and (not whole or size < 1):
            items = getattr(declared.shape, "items", None)
            span = items[at].span if items else declared.shape.span
            raise Wrong(error(codes.WRONG_VALUE, span, f"a size of an input is a whole number from 1, or `null`, and this is {kind_of(size)}"))
    if _channels_first(shape):
        expander.diagnostics.add(warning(codes.CHANNELS_FIRST, declared.shape.span, f"this is a map of {shape[0]}x{shape[1]} with {shape[2]} channels: shapes end with the channels", help=f"channels come last: `[{shape[1]}, {shape[2]}, {shape[0]}]`"))
    operator = OPERATORS["input"](shape=tuple(shape), dtype=declared.dtype)  # pyright: ignore[reportCallIssue]
    context = Context(Origin(declared.span), root, 0)
    made = expander.builder.add(operator, (), declared.name, context)
    tensor: Flow = made[0] if made else POISON
    scope.tensors[declared.name] = tensor
    return tensor


def _channels_first(shape: list[Any]) -> bool:
    """True for an image's shape in the order of other frameworks: `[3, 224, 224]`."""
    if len(shape) != 3 or None in shape or shape[0] not in (1, 3):
        return False
    return shape[1] == shape[2] >= 8 or (shape[0] == 3 and min(shape[1:]) >= 32)


def outputs(variant: Variant, expander: Expander, scope: Scope, flow: Flow) -> list[tuple[str, Flow, Span | None]]:
    """The declared outputs, or the last tensor."""
    if variant.outputs is None:
        last = variant.layers[-1].span if variant.layers else None
        if flow is None:
            raise Wrong(error(codes.NO_FLOW, last, "the network has no last tensor", help="list its `outputs`"))
        name = expander.builder.nodes[flow.node].name if isinstance(flow, Tensor) else "output"
        return [(name, flow, last)]
    found: list[tuple[str, Flow, Span | None]] = []
    for key, scalar in variant.outputs:
        tensor = expander.evaluation.text(scalar, scope)
        if (scope, tensor) in expander.dropped and tensor not in scope.tensors:
            continue
        name = tensor if key is scalar else key.text
        found.append((name, output(tensor, scalar, scope, flow), key.span))
    if not found:
        span = variant.outputs[0][0].span
        raise Wrong(error(codes.UNKNOWN_OUTPUT, span, "no step makes any of the outputs: each is named at a `side` under a false `when`", help="list an output that the network always has"))
    seen = set[str]()
    for name, _, span in found:
        if name in seen:
            raise Wrong(error(codes.NAME_TAKEN, span, f"the output `{name}` is listed twice"))
        seen.add(name)
    return found


def output(name: str, scalar: Scalar, scope: Scope, flow: Flow) -> Flow:
    if name == "_" and flow is not None:
        return flow
    try:
        return scope.tensor(name)
    except KeyError:
        near = closest(name, scope.tensors)
        help = f"did you mean `{near}`?" if near else "name the tensor with `as` at its step"
        raise Wrong(error(codes.UNKNOWN_OUTPUT, scalar.span, f"no step names the output `{name}`", help=help)) from None


def pruned(spec: Spec, variant: Variant, builder: Builder, ends: list[tuple[str, Flow, Span | None]], root: Group, diagnostics: Diagnostics) -> Graph | None:
    """The graph of what reaches an output; the rest is warned about."""
    nodes = builder.nodes
    targets = [(name, tensor) for name, tensor, _ in ends if isinstance(tensor, Tensor)]
    live = reached(nodes, [tensor.node for _, tensor in targets])
    _warn_unreached(nodes, live, diagnostics)
    if not any(one.operator.arity != (0, 0) and live[one.index] for one in nodes):
        root_keys = spec.file.root.entries
        place = (ends[0][2] if ends else None) or (root_keys["layers"][0].span if "layers" in root_keys else None)
        diagnostics.add(error(codes.NO_LAYERS, place, "the network has no layer: its output is its input", help="write steps under `layers`; a step under a false `when` or `repeat: 0` makes none"))
        return None
    if diagnostics.errors:
        return None
    numbers: dict[int, int] = {}
    kept: list[Node] = []
    owners: dict[int, int] = {}
    for node in nodes:
        if not live[node.index]:
            continue
        numbers[node.index] = len(kept)
        kept.append(_renumbered(node, len(kept), numbers, owners))
    return Graph(
        name=spec.name, variant=variant.name, title=variant.title, doc=variant.doc, source=variant.source,
        nodes=tuple(kept),
        inputs=tuple(numbers[one.index] for one in nodes if live[one.index] and one.operator.arity == (0, 0)),
        outputs=tuple((name, Tensor(numbers[tensor.node], tensor.output)) for name, tensor in targets),
        root=root,
    )


def _renumbered(node: Node, index: int, numbers: Map[int, int], owners: dict[int, int]) -> Node:
    """The node at its new place; where the first call of shared weights is gone, the next one owns them."""
    shared = node.shared
    if shared is not None:
        owner = owners.setdefault(shared, numbers.get(shared, index))
        shared = None if owner == index else owner
    if index == node.index and shared == node.shared:
        return node
    inputs = tuple(Tensor(numbers[one.node], one.output) for one in node.inputs)
    return replace(node, index=index, inputs=inputs, shared=shared)


def reached(nodes: list[Node], ends: list[int]) -> list[bool]:
    """For each node, whether an output depends on it."""
    live = [False] * len(nodes)
    for end in ends:
        live[end] = True
    for node in reversed(nodes):
        if live[node.index]:
            for tensor in node.inputs:
                live[tensor.node] = True
    return live


def _warn_unreached(nodes: list[Node], live: list[bool], diagnostics: Diagnostics) -> None:
    read = [False] * len(nodes)
    for node in nodes:
        for tensor in node.inputs:
            read[tensor.node] = True
    for node in nodes:
        if live[node.index]:
            continue
        if node.operator.arity == (0, 0):
            diagnostics.add(error(codes.UNUSED_INPUT, node.origin, f"the input `{node.name}` reaches no output", help="read it with `from`, or remove it"))
        elif not read[node.index]:
            diagnostics.add(warning(codes.UNREACHED, node.origin, f"`{node.name}` reaches no output, so it is left out of the network and its counts", help="add it to `outputs`, or remove the step"))
