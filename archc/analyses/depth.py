"""Depth as papers count it: convolutions and dense layers on the longest path from an input to an output."""

from __future__ import annotations

from archc.graph.graph import Graph, Node
from archc.operators import Role

WEIGHTY = (Role.CONVOLUTION, Role.DENSE)


def depth(graph: Graph) -> int:
    """The layers with weights on the longest path; a separable convolution counts once.

    Gates are left out: where a merge joins a map with a vector or a 1x1 map (squeeze and excitation), the map's path counts. So
    SENet-154 has 154 layers on it, as its name says, AlexNet 8, GoogLeNet 22, ResNet-152 152.
    """
    found: list[int] = []
    for node in graph.nodes:
        paths = [found[one] for one in _followed(graph, node)]
        found.append(max(paths, default=0) + (node.operator.role in WEIGHTY))
    return max((found[tensor.node] for _, tensor in graph.outputs), default=0)


def _followed(graph: Graph, node: Node) -> list[int]:
    inputs = [one.node for one in node.inputs]
    if node.operator.role is not Role.MERGE:
        return inputs
    maps = [one for one in inputs if any(size != 1 for size in graph.nodes[one].shape[:-1])]
    return maps or inputs
