"""Receptive fields: how many input positions each output position of a node can see along an axis.

The recurrence of Araujo et al. (Computing Receptive Fields of Convolutional Neural Networks, Distill 2019, section 2):
the field grows by `(kernel - 1) * dilation * jump`, and the jump by the stride. At a merge the largest path counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from archc.graph.graph import Graph, Node
from archc.operators.convolution import ConvTranspose
from archc.operators.reshaping import Upsample
from archc.operators.shape_rules import per_axis


@dataclass(frozen=True, slots=True)
class Field:
    """The receptive field along the longest path, `(size, ...)` per axis; `everything` where a global branch sees it all."""

    size: tuple[float, ...]
    jump: tuple[float, ...]
    everything: bool


def receptive_field(graph: Graph) -> tuple[Field | None, ...]:
    """The field of each node, `None` where the node has no spatial axes."""
    found: list[Field | None] = []
    for node in graph.nodes:
        found.append(_field(node, [found[one.node] for one in node.inputs]))
    return tuple(found)


def _field(node: Node, inputs: list[Field | None]) -> Field | None:
    axes = len(node.shape) - 1
    if node.operator.arity == (0, 0):
        return Field((1,) * axes, (1,) * axes, False) if axes > 0 else None
    known = [one for one in inputs if one is not None]
    if not known:
        return None
    widest = max(len(one.size) for one in known)
    known = [one for one in known if len(one.size) == widest]
    size = tuple(max(one.size[at] for one in known) for at in range(widest))
    jump = tuple(max(one.jump[at] for one in known) for at in range(widest))
    everything = any(one.everything for one in known)
    window = node.operator.window(node.input_shapes)
    if window is None:
        return Field(size, jump, True)
    if len(window.kernel) != widest:
        return Field(size, jump, everything)
    size = tuple(s + (k - 1) * d * j for s, k, d, j in zip(size, window.kernel, window.dilation, jump, strict=True))
    steps = zip(jump, window.stride, _enlargement(node, widest), strict=True)
    jump = tuple(j * s if enlarged == 1 else j * s / enlarged for j, s, enlarged in steps)
    return Field(size, jump, everything)


def _enlargement(node: Node, axes: int) -> tuple[float, ...]:
    """How many output positions an operator that enlarges makes of one input position, along each axis."""
    operator = node.operator
    if isinstance(operator, ConvTranspose):
        return per_axis(operator.stride, axes)
    if isinstance(operator, Upsample):
        return per_axis(operator.size, axes)
    return (1,) * axes
