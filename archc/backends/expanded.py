"""The plain spec: every macro, loop, cell and expression written out. Itself a valid spec, with the same layer names."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from archc.analyses import AnalysedGraph
from archc.backends.base import Artefact, Backend
from archc.graph.builder import LAYER_NAME_LIMIT
from archc.graph.graph import Graph, Node, Tensor
from archc.language.document import MAGNITUDE_LIMIT
from archc.operators import Role

ROOM = 24
"""Characters of a tensor's name for the number of an output."""


def expanded(graph: Graph) -> str:
    """The plain spec of a graph, as YAML text, a step to a line."""
    owners = {one.shared for one in graph.nodes if one.shared is not None}
    names = tensor_names(graph)
    steps = (f"  - {_step(node, names, node.index in owners)}" for node in graph.nodes if node.operator.arity != (0, 0))
    return "\n".join([*_head(graph), "layers:", *steps, *_tail(graph, names), ""])


def _head(graph: Graph) -> Iterator[str]:
    yield "archc: 1"
    yield f"name: {_quoted(graph.name)}"
    yield f"title: {_quoted(graph.title)}"
    if graph.doc:
        yield f"doc: {_quoted(graph.doc)}"
    if graph.source:
        yield f"source: {_breaks(json.dumps({key: value if key == 'year' else str(value) for key, value in graph.source.items()}, ensure_ascii=False))}"
    if allowed := {code: reason for code, reason in graph.allowed.items() if code.startswith("W9")}:  # the others are about what is gone
        yield f"allow: {_flow(allowed)}"
    yield "inputs:"
    for index in graph.inputs:
        node = graph.nodes[index]
        dtype = node.operator.attributes().get("dtype", "float32")
        shape = list(node.shape)
        yield f"  {_key(node.name)}: {_flow({'shape': shape, 'dtype': dtype} if dtype != 'float32' else shape)}"


def _tail(graph: Graph, names: Mapping[Tensor, str]) -> Iterator[str]:
    yield f"outputs: {_flow({name: names[tensor] for name, tensor in graph.outputs})}"
    cost = AnalysedGraph(graph).cost
    facts = {"params": cost.params, "trainable": cost.trainable, "macs": cost.macs}
    yield f"expect: {_flow({key: one for key, one in facts.items() if one is not None and one <= MAGNITUDE_LIMIT})}"


def tensor_names(graph: Graph) -> dict[Tensor, str]:
    """The names that the plain spec gives tensors: their layers', with the output's number from the second on."""
    taken = {one.name for one in graph.nodes}
    names = {Tensor(one.index): one.name for one in graph.nodes}
    for node in graph.nodes:
        for at in range(1, len(node.shapes)):
            stem = f"{node.name[: LAYER_NAME_LIMIT - ROOM]}_output{at + 1}"
            free = (stem if count == 1 else f"{stem}_{count}" for count in itertools.count(1))
            name = names[Tensor(node.index, at)] = next(one for one in free if one not in taken)
            taken.add(name)
    return names


def _step(node: Node, names: Mapping[Tensor, str], owner: bool) -> str:
    attributes = {_spec_key(key): _plain(value) for key, value in node.operator.non_default().items()}
    inputs = [names[one] for one in node.inputs]
    step: dict[str, Any] = {}
    if node.operator.role is Role.MERGE:
        step[node.operator.name] = {**attributes, "branches": inputs} if attributes else inputs
    else:
        step[node.operator.name] = attributes or None
        step["from"] = inputs[0] if len(inputs) == 1 else inputs
    outputs = [names[Tensor(node.index, at)] for at in range(len(node.shapes))]
    step["as"] = outputs[0] if len(outputs) == 1 else outputs
    if owner or node.shared is not None:
        first = node.index if node.shared is None else node.shared
        step["share"] = f"weights_{names[Tensor(first)]}"
    if not node.trainable:
        step["trainable"] = False
    text = _flow(step)
    return f"{text[:-1]}, doc: {_quoted(node.doc)}}}" if node.doc else text


def _spec_key(key: str) -> str:
    return key.rstrip("_")


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return value


def _flow(value: Any) -> str:
    """A value in flow style; keys bare where YAML and the language read them as they are."""
    if isinstance(value, dict):
        pairs = (f"{_key(str(key))}: {_flow(one)}" if one is not None else f"{_key(str(key))}: null" for key, one in value.items())  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(one) for one in value) + "]"  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, str):
        text = value.replace("$", "$$")
        return text if text.isidentifier() and text.lower() not in _LOOK_ALIKES else _quoted(text)
    return json.dumps(value)


def _quoted(text: str) -> str:
    return _breaks(json.dumps(text, ensure_ascii=False))


def _breaks(text: str) -> str:
    """The text with what YAML takes for line ends as escapes."""
    return text.replace("\x85", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


_LOOK_ALIKES = frozenset({"true", "false", "null", "none", "yes", "no", "on", "off", "y", "n"})


def _key(key: str) -> str:
    return key if key.replace("_", "").isalnum() and key.lower() not in _LOOK_ALIKES else json.dumps(key)


@dataclass(frozen=True, kw_only=True)
class ExpandedSpec(Backend):
    """`NAME.expanded.yaml`."""

    name: ClassVar[str] = "spec"

    def emit(self, graph: Graph) -> tuple[Artefact, ...]:
        """One YAML text."""
        return (Artefact.text(f"{graph.slug}.expanded.yaml", expanded(graph)),)
