"""Graph -> the JSON that Model Explorer opens: every layer, its blocks as namespaces, its facts as attributes."""

from __future__ import annotations

import json
from typing import Any

from archc.backends.diagram import words
from archc.graph.graph import Graph, Group, Node


def to_explorer(graph: Graph) -> str:
    """A list of one graph, as the viewer's JSON loader takes it."""
    groups: dict[str, dict[str, str]] = {"": {"network": words.shown(graph.title or graph.address, 400), "totals": words.totals(graph).replace("\n", "; ")}}
    names: dict[Group, str] = {}
    nodes = [_node(node, _namespace(node.group, names, groups), graph) for node in graph.nodes]
    data = [{"id": graph.slug, "nodes": nodes, "groupNodeAttributes": groups}]
    return json.dumps(data, indent=1, ensure_ascii=True) + "\n"


def _node(node: Node, namespace: str, graph: Graph) -> dict[str, Any]:
    attributes = {name: str(value) for name, value in node.operator.attributes().items()}
    facts = {"operator": node.operator.name, **attributes, **_counts(node), "spec": str(node.origin.span)}
    return {
        "id": str(node.index),
        "label": words.shown(node.name) or node.operator.name,
        "namespace": namespace,
        "attrs": [{"key": key, "value": value} for key, value in facts.items()],
        "incomingEdges": [
            {"sourceNodeId": str(tensor.node), "sourceNodeOutputId": str(tensor.output), "targetNodeInputId": str(number)}
            for number, tensor in enumerate(node.inputs)
        ],
        "outputsMetadata": [
            {"id": str(number), "attrs": [{"key": "tensor_shape", "value": words.shape_text(shape)}]} for number, shape in enumerate(node.shapes)
        ],
    }


def _counts(node: Node) -> dict[str, str]:
    macs = node.operator.macs(node.input_shapes, node.shapes)
    params = sum(weight.size for weight in node.weights)
    counts = {"parameters": f"{params:,}"} if params else {}
    return {**counts, "MACs": f"{macs:,}"} if macs else counts


def _namespace(group: Group, names: dict[Group, str], groups: dict[str, dict[str, str]]) -> str:
    """The path of the blocks that a node stands in; each block's arguments are noted as its attributes."""
    missing: list[Group] = []
    at = group
    while at.parent is not None and at not in names:
        missing.append(at)
        at = at.parent
    path = names.get(at, "")
    for one in reversed(missing):
        name = (words.shown(one.label or one.title) or one.kind).replace("/", "∕")
        if one.kind not in ("merge", "loop"):
            path = f"{path}/{name}".lstrip("/")
            facts = {key: str(value) for key, value in one.arguments.items()}
            if one.doc:
                facts["doc"] = one.doc
            if facts:
                groups.setdefault(path, {}).update(facts)
        names[one] = path
    return path
