"""The plain spec: every macro, loop, cell and expression written out. Itself a valid spec, with the same layer names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from archc.analyses import AnalysedGraph
from archc.backends.base import Artefact, Backend
from archc.graph.graph import Graph, Node, Tensor
from archc.language.document import MAGNITUDE_LIMIT
from archc.operators import Role


def expanded(graph: Graph) -> str:
    """The plain spec of a graph, as YAML text, a step to a line."""
    owners = {one.shared for one in graph.nodes if one.shared is not None}
    steps = (f"  - {_step(graph, node, node.index in owners)}" for node in graph.nodes if node.operator.arity != (0, 0))
    return "\n".join([*_head(graph), "layers:", *steps, *_tail(graph), ""])


def _head(graph: Graph) -> Iterator[str]:
    yield "archc: 1"
    yield f"name: {json.dumps(graph.name, ensure_ascii=False)}"
    yield f"title: {json.dumps(graph.title, ensure_ascii=False)}"
    if graph.doc:
        yield f"doc: {json.dumps(graph.doc, ensure_ascii=False)}"
    if graph.source:
        yield f"source: {json.dumps({key: value if key == 'year' else str(value) for key, value in graph.source.items()}, ensure_ascii=False)}"
    yield "inputs:"
    for index in graph.inputs:
        node = graph.nodes[index]
        dtype = node.operator.attributes().get("dtype", "float32")
        shape = list(node.shape)
        yield f"  {node.name}: {_flow({'shape': shape, 'dtype': dtype} if dtype != 'float32' else shape)}"


def _tail(graph: Graph) -> Iterator[str]:
    names = {name: tensor_name(graph, tensor) for name, tensor in graph.outputs}
    yield f"outputs: {_flow(names)}"
    cost = AnalysedGraph(graph).cost
    facts = {"params": cost.params, "trainable": cost.trainable, "macs": cost.macs}
    yield f"expect: {_flow({key: one for key, one in facts.items() if one is not None and one <= MAGNITUDE_LIMIT})}"


def tensor_name(graph: Graph, tensor: Tensor) -> str:
    """The name that the plain spec gives a tensor: its layer's, with the output's number from the second on."""
    name = graph.nodes[tensor.node].name
    return name if tensor.output == 0 else f"{name}_output{tensor.output + 1}"


def _step(graph: Graph, node: Node, owner: bool) -> str:
    attributes = {_spec_key(key): _plain(value) for key, value in node.operator.non_default().items()}
    inputs = [tensor_name(graph, one) for one in node.inputs]
    step: dict[str, Any] = {}
    if node.operator.role is Role.MERGE:
        step[node.operator.name] = {**attributes, "branches": inputs} if attributes else inputs
    else:
        step[node.operator.name] = attributes or None
        step["from"] = inputs[0] if len(inputs) == 1 else inputs
    names = [tensor_name(graph, Tensor(node.index, at)) for at in range(len(node.shapes))]
    step["as"] = names[0] if len(names) == 1 else names
    if owner or node.shared is not None:
        first = node.index if node.shared is None else node.shared
        step["share"] = f"weights_{graph.nodes[first].name}"
    if not node.trainable:
        step["trainable"] = False
    text = _flow(step)
    return f"{text[:-1]}, doc: {json.dumps(node.doc, ensure_ascii=False)}}}" if node.doc else text


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
        return text if text.isidentifier() and text.lower() not in _LOOK_ALIKES else json.dumps(text, ensure_ascii=False)
    return json.dumps(value)


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
