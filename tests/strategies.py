"""What tests draw: operators with fitting inputs, and small specs.

Operators are drawn from their fields, by the kind of each: an operator that is added is drawn by itself.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from archc.operators import OPERATORS, Field, Kind, Operator, Shape, fields_of, kinds, make

UNDRAWN = frozenset({"input", "keras", "layer"})
"""What is no step, and the escapes: their attributes say nothing of what they do."""

_TRIES = 60


@dataclass(frozen=True)
class Drawn:
    """An operator with the attributes that it was made from, the shapes of its inputs, and sizes for those left open."""

    name: str
    values: dict[str, Any]
    shapes: tuple[Shape, ...]
    sizes: tuple[tuple[int, ...], ...]

    @property
    def operator(self) -> Operator:
        """The operator itself."""
        return make(OPERATORS[self.name], self.values)

    def is_sound(self) -> bool:
        """True where the operator fits its inputs, with open sizes and without."""
        operator = self.operator
        return not any(one for some in (self.shapes, self.sizes) for one in operator.check(some) if not one.warning)


@st.composite
def operators(draw: st.DrawFn, name: str) -> Drawn:
    """An operator of this name, with attributes and inputs that fit each other."""
    for _ in range(_TRIES):
        sizes = draw(_inputs(name))
        values = draw(_attributes(name, sizes[0]))
        found = Drawn(name, values, sizes, sizes)
        if found.is_sound():
            opened = Drawn(name, values, draw(_opened(sizes)), sizes)
            return opened if opened.is_sound() else found
    assume(False)
    raise AssertionError


def _sizes(rank: int) -> st.SearchStrategy[tuple[int, ...]]:
    largest = {1: 1, 2: 12, 3: 9, 4: 6}[rank]
    channels = st.sampled_from([1, 2, 3, 4, 6, 8])
    return st.tuples(*[st.integers(1, largest)] * (rank - 1), channels)


@st.composite
def _inputs(draw: st.DrawFn, name: str) -> tuple[tuple[int, ...], ...]:
    """Concrete shapes for the inputs: one, or a few that are alike or differ in some axes."""
    first = draw(st.integers(1, 4).flatmap(_sizes))
    low, high = OPERATORS[name].arity
    count = draw(st.integers(low, low + 1 if high is None else high))
    others = [draw(_like(first)) for _ in range(count - 1)]
    return (first, *others)


@st.composite
def _like(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[int, ...]:
    if draw(st.booleans()):
        return shape
    found = tuple(draw(st.sampled_from([one, one, 1, one + 1])) for one in shape)
    return found[draw(st.integers(0, len(found) - 1)) :] if draw(st.integers(0, 3)) == 3 else found


@st.composite
def _opened(draw: st.DrawFn, sizes: tuple[tuple[int, ...], ...]) -> tuple[Shape, ...]:
    """The shapes, now and then with spatial sizes left open."""
    if draw(st.integers(0, 3)) < 3:
        return sizes
    return tuple((*(None if draw(st.booleans()) else one for one in shape[:-1]), shape[-1]) for shape in sizes)


@st.composite
def _attributes(draw: st.DrawFn, name: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """Values for the required attributes, and for some of the others."""
    fields = fields_of(OPERATORS[name])
    return {one.name: draw(_value(one, shape)) for one in fields if one.required or draw(st.booleans())}


def _value(field: Field, shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    for kind, strategy in _BY_SHAPE:
        if field.kind is kind:
            return strategy(shape)
    return of_kind(field.kind, len(shape) - 1)


def of_kind(kind: Kind, axes: int) -> st.SearchStrategy[Any]:
    """A value of a kind, as its JSON Schema fragment has it; lists have an item for each spatial axis."""
    return _of_schema(kind.schema, axes)


def _of_schema(schema: Any, axes: int) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of(*(_of_schema(one, axes) for one in schema["anyOf"]))
    if "properties" in schema:
        values = {key: _of_schema(one, axes) for key, one in schema["properties"].items()}
        needed = schema.get("required", ())
        return st.fixed_dictionaries({key: values[key] for key in needed}, optional={key: one for key, one in values.items() if key not in needed})
    stated = schema["type"]
    return st.one_of(*(_of_type(one, schema, axes) for one in ([stated] if isinstance(stated, str) else stated)))


def _of_type(word: str, schema: Any, axes: int) -> st.SearchStrategy[Any]:
    if word == "null":
        return st.none()
    if word == "boolean":
        return st.booleans()
    if word == "string":
        return st.sampled_from(re.findall(r"\w+", schema["pattern"]))
    if word == "integer":
        return st.integers(schema.get("minimum", -4), schema.get("minimum", -4) + (3 if "minimum" in schema else 9))
    if word == "number":
        return st.sampled_from([one for one in _NUMBERS if _is_allowed(one, schema)])
    count = schema["minItems"] if schema.get("minItems") == schema.get("maxItems") else max(1, axes)
    return st.lists(_of_schema(schema["items"], axes), min_size=count, max_size=count)


_NUMBERS = (0.5, 0.0, 1e-3, 0.1, 0.75, 1, 1.0, 1.5, 2, 6, -0.5)


def _is_allowed(number: float, schema: Any) -> bool:
    return (
        schema.get("minimum", number) <= number <= schema.get("maximum", number)
        and number > schema.get("exclusiveMinimum", number - 1)
        and number < schema.get("exclusiveMaximum", number + 1)
    )


def _axis(shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    words = re.findall(r"\w+", kinds.AXIS.schema["pattern"])
    return st.one_of(st.integers(-1, len(shape) - 1), st.sampled_from(words))


def _per_channel(kind: Kind) -> Callable[[tuple[int, ...]], st.SearchStrategy[Any]]:
    return lambda shape: of_kind(kind, shape[-1])


def _parts(shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    channels = shape[-1]
    equal = st.sampled_from([one for one in range(1, channels + 1) if not channels % one])
    cuts = st.lists(st.integers(1, max(1, channels - 1)), unique=True, max_size=3).map(sorted)
    edges = cuts.map(lambda found: [0, *(one for one in found if one < channels), channels])
    return st.one_of(equal, edges.map(lambda one: [end - start for start, end in itertools.pairwise(one)]))


@st.composite
def _target(draw: st.DrawFn, shape: tuple[int, ...]) -> list[int]:
    """A shape with as many values: axes exchanged, joined or parted, and now and then one size left to be computed."""
    sizes = list(draw(st.permutations(shape)))
    if len(sizes) > 1 and draw(st.booleans()):
        sizes[:2] = [sizes[0] * sizes[1]]
    if not sizes[-1] % 2 and draw(st.booleans()):
        sizes[-1:] = [2, sizes[-1] // 2]
    if draw(st.booleans()):
        sizes[draw(st.integers(0, len(sizes) - 1))] = -1
    return sizes


_BY_SHAPE: list[tuple[Kind, Callable[[tuple[int, ...]], st.SearchStrategy[Any]]]] = [
    (kinds.AXIS, _axis),
    (kinds.AXES, lambda shape: st.permutations(range(1, len(shape) + 1))),
    (kinds.CHANNELS, lambda shape: st.lists(st.integers(0, shape[-1] - 1), min_size=1, max_size=4)),
    (kinds.PARTS, _parts),
    (kinds.TARGET_SHAPE, _target),
    (kinds.NUMBERS, _per_channel(kinds.NUMBERS)),
    (kinds.VARIANCES, _per_channel(kinds.VARIANCES)),
]
"""The kinds whose values must fit the input."""


# Specs


@dataclass
class _Flow:
    """Where a list of steps has come to: the channels of the flowing tensor, and the tensors that can be read."""

    channels: int | None
    named: dict[str, int]
    taken: set[str]

    def name(self, base: str) -> str:
        number = 1
        while f"{base}{number}" in self.taken:
            number += 1
        self.taken.add(f"{base}{number}")
        return f"{base}{number}"


@st.composite
def specs(draw: st.DrawFn) -> str:
    """A small network: chains, branches and merges, macros, loops, shared weights, two outputs. All of it is sound."""
    channels = draw(st.integers(1, 4))
    macros = draw(_macros())
    flow = _Flow(channels, {}, set())
    layers = draw(_steps(flow, tuple(macros), depth=2))
    if draw(st.booleans()):
        layers.append({"max_pool": 2})
        flow.named.clear()
        layers += draw(_steps(flow, tuple(macros), depth=2))
    used = json.dumps(layers)
    spec: dict[str, Any] = {"archc": 1, "name": "drawn", "input": [6, 8, channels]}
    kept = {name: body for name, body in macros.items() if f'"{name}"' in used}
    if kept:
        spec["macros"] = kept
    layers.append("global_avg_pool")
    if draw(st.booleans()):
        layers.append({"side": [{"dense": [2, "softmax"]}], "as": "extra"})
        spec["outputs"] = ["main", "extra"]
    layers.append({"dense": 3, "as": "main"})
    return json.dumps({**spec, "layers": layers})


@st.composite
def _macros(draw: st.DrawFn) -> dict[str, Any]:
    """Up to two macros, which give as many channels as their parameter says or as they are given."""
    found: dict[str, Any] = {}
    for name in ("unit", "block")[: draw(st.integers(0, 2))]:
        flow = _Flow(None, {}, set())
        head: list[Any] = [{"conv": {"filters": "$filters", "kernel": "$kernel", "padding": "same"}}]
        tail = draw(_steps(flow, (), depth=1))
        body: list[Any] = [*head, *tail]
        if draw(st.booleans()):
            body = [{"add": {"main": body, "short": [{"when": "input.channels != filters", "conv": "$filters"}]}}]
        found[name] = {"params": {"filters": "int", "kernel": draw(st.sampled_from([1, 2, 3]))}, "body": body}
    return found


@st.composite
def _steps(draw: st.DrawFn, flow: _Flow, macros: tuple[str, ...], depth: int) -> list[Any]:
    """A few steps, which keep height and width; without known channels they keep those too."""
    found: list[Any] = []
    for _ in range(draw(st.integers(1, 3 if depth else 2))):
        found.append(draw(_step(flow, macros, depth)))
    return found


@st.composite
def _step(draw: st.DrawFn, flow: _Flow, macros: tuple[str, ...], depth: int) -> Any:
    kinds_of_step = ["plain", "plain"]
    if flow.channels is not None:
        kinds_of_step += ["conv", "conv", "bound", "shared", *["call"] * len(macros)]
    if flow.named and flow.channels is not None:
        kinds_of_step += ["joined", "joined"]
    if depth == 2:
        kinds_of_step += ["parted"]
    if depth:
        kinds_of_step += ["residual", "repeat", *(["branches", "loop"] if flow.channels is not None else [])]
    kind = draw(st.sampled_from(kinds_of_step))
    return draw(_STEPS[kind](flow, macros, depth))


@st.composite
def _plain(draw: st.DrawFn, flow: _Flow, macros: tuple[str, ...], depth: int) -> Any:
    word = st.sampled_from(["relu", "batch_norm", "layer_norm", "swish", "identity", "abs"])
    mapping = st.sampled_from(
        [
            {"lrn": 3},
            {"dropout": 0.25},
            {"depthwise_conv": {"kernel": 3, "padding": "same"}},
            {"max_pool": {"size": 3, "stride": 1, "padding": 1}},
            {"avg_pool": {"size": 3, "stride": 1, "padding": 1, "count_include_pad": False}},
            {"pad": {"amounts": [[1, 0], [0, 1]], "mode": "symmetric"}, "when": "false"},
            {"batch_norm": None, "trainable": False},
        ]
    )
    return draw(st.one_of(word, mapping))


@st.composite
def _conv(draw: st.DrawFn, flow: _Flow, macros: tuple[str, ...], depth: int) -> Any:
    flow.channels = draw(st.integers(1, 5))
    kernel = draw(st.sampled_from([1, 2, 3, [1, 3]]))
    values = {"filters": flow.channels, "kernel": kernel, "padding": "same"}
    if draw(st.booleans()):
        values["activation"] = "relu"
    return {"conv": values}


@st.composite
def _bound(draw: st.DrawFn, flow: _Flow, macros: tuple[str, ...], depth: int) -> Any:
    """A step whose output has a name; names are bound where the whole body sees them, outside of loops."""
    step = draw(_conv(flow, macros, depth))
    if depth == 2 and flow.channels is not None:
        name = flow.name("t")
        flow.named[name] = flow.channels
        step["as"] = name
    return step


@st.composite
def _joined(draw: st.DrawFn, flow: _Flow, macros: tuple[str, ...], depth: int) -> Any:
    name = draw(st.sampled_from(sorted(flow.named)))
    assert flow.channels is not None
    if flow.named[name] == flow.channels and draw(st.booleans()):
        return {"steps": [{"conv": flow.channels}, {"add": ["_", name]}]}
    flow.channels += flow.named[name]
    return {"steps": ["relu", {"concat": ["_", name]}]}


@st.composite
def _parted(draw: st.DrawFn, flow: _Flow, macros: tuple[str, ...], depth: int) -> Any:
    """A step with several outputs, which are joined again."""
    flow.channels = 3
    left, right = flow.name("t"), flow.name("t")
    split = {"split": {"parts": [1, 2]}, "as": [left, right]}
    return {"steps": [{"conv": 3}, split, {"concat": draw(st.permutations([left, right]))}]}


@st.composite
def _shared(draw: st.DrawFn, flow: _Flow, macros: tuple[str, ...], depth: int) -> Any:
    """The same weights twice or more, between other steps."""
    values = {"filters": flow.channels, "kernel": draw(st.sampled_from([1, 3])), "padding": "same"}
    name = flow.name("s")
    if draw(st.booleans()):
        return {"repeat": draw(st.integers(2, 3)), "steps": [{"conv": values, "share": name}, "relu"]}
    return {"steps": [{"conv": values, "share": name}, "batch_norm", {"conv": values, "share": name}]}


@st.composite
def _call(draw: st.DrawFn, flow: _Flow, macros: tuple[str, ...], depth: int) -> Any:
    name = draw(st.sampled_from(macros))
    flow.channels = draw(st.integers(1, 4))
    values: Any = flow.channels
    if draw(st.booleans()):
        values = {"filters": flow.channels, "kernel": draw(st.sampled_from([1, 3]))}
    return {name: values, "trainable": False} if draw(st.integers(0, 3)) == 3 else {name: values}


@st.composite
def _residual(draw: st.DrawFn, flow: _Flow, macros: tuple[str, ...], depth: int) -> Any:
    inner = _Flow(None, {}, flow.taken)
    word = draw(st.sampled_from(["add", "multiply", "maximum", "average", "subtract"]))
    body = [*draw(_steps(inner, macros, depth - 1)), "softplus"]
    return {word: {f"{word}ed": body, "skip": []}}  # merges of one body add only their branches to names


@st.composite
def _repeat(draw: st.DrawFn, flow: _Flow, macros: tuple[str, ...], depth: int) -> Any:
    inner = _Flow(None, {}, flow.taken)
    steps = draw(_steps(inner, macros, depth - 1))
    if draw(st.booleans()):
        steps.append({"when": "index > 0", "sigmoid": None})
    found: dict[str, Any] = {"repeat": draw(st.integers(1, 3)), "steps": steps}
    return {**found, "as": flow.name("r")} if draw(st.booleans()) else found


@st.composite
def _branches(draw: st.DrawFn, flow: _Flow, macros: tuple[str, ...], depth: int) -> Any:
    assert flow.channels is not None
    found: dict[str, Any] = {}
    total = 0
    for name in ("one", "two", "three")[: draw(st.integers(2, 3))]:
        inner = _Flow(flow.channels, {}, flow.taken)
        found[name] = draw(_steps(inner, macros, depth - 1))
        assert inner.channels is not None
        total += inner.channels
    flow.channels = total
    return {"concat": found}


@st.composite
def _loop(draw: st.DrawFn, flow: _Flow, macros: tuple[str, ...], depth: int) -> Any:
    rows = draw(st.lists(st.tuples(st.integers(1, 4), st.sampled_from([1, 3])), min_size=1, max_size=3))
    flow.channels = rows[-1][0]
    conv = {"filters": "$filters", "kernel": "$kernel", "padding": "same"}
    steps: list[Any] = [{"conv": conv}, *draw(_steps(_Flow(None, {}, flow.taken), macros, depth - 1))]
    return {"for": f"filters, kernel in {[list(one) for one in rows]}", "steps": steps}


_STEPS: dict[str, Callable[..., st.SearchStrategy[Any]]] = {
    "plain": _plain,
    "conv": _conv,
    "bound": _bound,
    "joined": _joined,
    "parted": _parted,
    "shared": _shared,
    "call": _call,
    "residual": _residual,
    "repeat": _repeat,
    "branches": _branches,
    "loop": _loop,
}
