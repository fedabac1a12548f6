"""Parameters and multiply-accumulates of a graph, and of each node."""

from __future__ import annotations

from dataclasses import dataclass

from archc.graph.graph import Graph, Node
from archc.operators import Role


@dataclass(frozen=True, slots=True)
class NodeCost:
    """What a node costs. Shared weights count at their first call; each call counts its MACs."""

    trainable: int
    non_trainable: int
    macs: int | None

    @property
    def params(self) -> int:
        """All of the node's weights."""
        return self.trainable + self.non_trainable


@dataclass(frozen=True)
class Cost:
    """What a network costs, in total and node by node. `macs` is `None` where a size that it needs is open."""

    nodes: tuple[NodeCost, ...]
    params: int
    trainable: int
    non_trainable: int
    macs: int | None
    weight_layers: int


def cost(graph: Graph) -> Cost:
    """The cost of a graph (MACs: convolutions and dense layers only, one example, biases not counted)."""
    nodes = tuple(node_cost(node) for node in graph.nodes)
    trainable = sum(one.trainable for one in nodes)
    fixed = sum(one.non_trainable for one in nodes)
    macs = [one.macs for one in nodes]
    total = None if None in macs else sum(one for one in macs if one is not None)
    weighty = (Role.CONVOLUTION, Role.DENSE)
    layers = sum(1 for one, costs in zip(graph.nodes, nodes, strict=True) if costs.params and one.operator.role in weighty)
    return Cost(nodes, trainable + fixed, trainable, fixed, total, layers)


def node_cost(node: Node) -> NodeCost:
    """The cost of one node."""
    macs = node.operator.macs(node.input_shapes, node.shapes)
    if node.shared is not None:
        return NodeCost(0, 0, macs)
    weights = node.weights
    if not weights:
        return NodeCost(0, 0, macs)
    trainable = sum(one.size for one in weights if one.trainable) if node.trainable else 0
    return NodeCost(trainable, sum(one.size for one in weights) - trainable, macs)
