"""Parameters and multiply-accumulates of a graph, and of each node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from archc.graph.folded import Figures, Folded
from archc.graph.graph import Graph, Node
from archc.operators import Role

WEIGHTY = (Role.CONVOLUTION, Role.DENSE)


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


_KNOWN: WeakKeyDictionary[Graph, Cost] = WeakKeyDictionary()


def cost(graph: Graph) -> Cost:
    """The cost of a graph (MACs: convolutions and dense layers only, one example, biases not counted); found once for each."""
    found = _KNOWN.get(graph)
    if found is None:
        found = _KNOWN[graph] = _cost(graph)
    return found


def _cost(graph: Graph) -> Cost:
    nodes = tuple(node_cost(node) for node in graph.nodes)
    trainable = sum(one.trainable for one in nodes)
    fixed = sum(one.non_trainable for one in nodes)
    macs = [one.macs for one in nodes]
    total = None if None in macs else sum(one for one in macs if one is not None)
    layers = sum(1 for one, costs in zip(graph.nodes, nodes, strict=True) if costs.params and one.operator.role in WEIGHTY)
    return Cost(nodes, trainable + fixed, trainable, fixed, total, layers)


def figures(nodes: Iterable[Node]) -> Figures:
    """What nodes cost together, folded calls included. Raises nothing."""
    trainable = fixed = layers = weighty = 0
    macs: int | None = 0
    for node in nodes:
        operator = node.operator
        if isinstance(operator, Folded):
            one = operator.figures
            layers += one.layers
            weighty += one.weight_layers
        else:
            one = node_cost(node)
            layers += operator.arity != (0, 0)
            weighty += bool(one.params) and operator.role in WEIGHTY
        trainable += one.trainable
        fixed += one.non_trainable
        macs = None if macs is None or one.macs is None else macs + one.macs
    return Figures(trainable, fixed, macs, layers, weighty)


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
