"""Which nodes share one drawn box: a convolution or dense layer with its normalisation and activation."""

from __future__ import annotations

from typing import NamedTuple

from archc.graph.graph import Graph, Group, Node
from archc.operators import Role

FOLLOWERS: dict[Role, frozenset[Role]] = {
    Role.CONVOLUTION: frozenset({Role.NORMALISATION, Role.ACTIVATION}),
    Role.DENSE: frozenset({Role.NORMALISATION, Role.ACTIVATION}),
    Role.NORMALISATION: frozenset({Role.ACTIVATION}),
    Role.MERGE: frozenset({Role.ACTIVATION}),
}
"""What may join a chain after a node of each role."""


class Units(NamedTuple):
    """The chains of nodes that are drawn as one, in order; each with the part of the text that it stands in."""

    chains: list[list[int]]
    unit_of: list[int]
    groups: list[Group]


def separate(graph: Graph) -> Units:
    """Each node by itself."""
    nodes = graph.nodes
    return Units([[node.index] for node in nodes], list(range(len(nodes))), [node.group for node in nodes])


def fuse(graph: Graph) -> Units:
    """Chains of nodes that read as one layer and have nothing else hanging on their inner tensors."""
    readers = graph.consumers()
    outputs = {tensor.node for _, tensor in graph.outputs}
    sizes = group_sizes(graph)
    units = Units([], [], [])
    for node in graph.nodes:
        unit = _joinable(graph, node, readers, outputs, sizes, units)
        if unit is None:
            units.unit_of.append(len(units.chains))
            units.chains.append([node.index])
            units.groups.append(node.group)
            continue
        chain = units.chains[unit]
        units.groups[unit] = _outermost(units.groups[unit], len(chain), sizes)
        chain.append(node.index)
        units.unit_of.append(unit)
    return units


def group_sizes(graph: Graph) -> dict[Group, int]:
    """How many nodes each part of the text made."""
    sizes: dict[Group, int] = {}
    for node in graph.nodes:
        group: Group | None = node.group
        while group is not None:
            sizes[group] = sizes.get(group, 0) + 1
            group = group.parent
    return sizes


def _joinable(
    graph: Graph, node: Node, readers: list[list[int]], outputs: set[int], sizes: dict[Group, int], units: Units
) -> int | None:
    """The chain that a node continues, if it continues one."""
    if len(node.inputs) != 1 or node.inputs[0].output != 0:
        return None
    source = graph.nodes[node.inputs[0].node]
    if len(readers[source.index]) != 1 or source.index in outputs or len(source.shapes) != 1:
        return None
    if node.operator.role not in FOLLOWERS.get(source.operator.role, frozenset()) or _activated(source):
        return None
    unit = units.unit_of[source.index]
    ours = _outermost(units.groups[unit], len(units.chains[unit]), sizes)
    return unit if ours is _outermost(node.group, 1, sizes) else None


def _activated(node: Node) -> bool:
    """True where an activation is part of the operator: what comes after it is another layer."""
    return node.operator.attributes().get("activation", "linear") not in ("linear", None)


def _outermost(group: Group, size: int, sizes: dict[Group, int]) -> Group:
    """The widest part of the text that holds just these nodes, or else the part that holds them directly.

    A merge stands where it is written: its branches are no frame around it.
    """
    while group.parent is not None and (sizes[group] == size or group.kind == "merge"):
        group = group.parent
    return group
