"""Receptive fields: how many input positions each output position of a node can see along an axis.

The recurrence of Araujo et al. (Computing Receptive Fields of Convolutional Neural Networks, Distill 2019, section 2):
the field grows by `(kernel - 1) * dilation * stride`, where the stride is the one so far, and the stride by that of the
layer. At a merge the longest path counts. An operator that reads all positions (global pooling, dense on features) is
said to see everything, and hands on the local field of what it reads: a squeeze-and-excitation branch leaves the
network's local field as it is, and says that there is a global one beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from archc.graph.graph import Graph, Node
from archc.operators import Shape
from archc.operators.convolution import ConvTranspose
from archc.operators.reshaping import Resize, Upsample
from archc.operators.shape_rules import per_axis

TAPS = {"nearest": 1, "bilinear": 2, "bicubic": 4, "lanczos3": 6, "lanczos5": 10}
"""Positions that an interpolation reads along an axis."""


@dataclass(frozen=True, slots=True)
class Field:
    """The receptive field along the longest path, per axis.

    `size` is its extent and `jump` the distance between the fields of neighbouring positions (the effective stride), both
    in input positions; `before` is how far the first position's field reaches over the start of the input (the effective
    padding), `None` where it isn't the same for all positions or depends on an open size. `everything` tells that a
    global operator on some path sees all of the input.
    """

    size: tuple[float, ...]
    jump: tuple[float, ...]
    everything: bool
    before: tuple[float | None, ...] = ()

    def after(self, output: Shape, network_input: Shape) -> tuple[float | None, ...]:
        """How far the last position's field reaches over the end of the input, per axis."""
        found: list[float | None] = []
        for size, jump, before, positions, available in zip(self.size, self.jump, self.before, output, network_input, strict=False):
            if before is None or positions is None or available is None:
                found.append(None)
            else:
                found.append((positions - 1) * jump + size - before - available)
        return tuple(found)


def receptive_field(graph: Graph) -> tuple[Field | None, ...]:
    """The field of each node, `None` where it reads no input that has spatial axes."""
    found: list[Field | None] = []
    for node in graph.nodes:
        found.append(_field(node, [found[one.node] for one in node.inputs]))
    return tuple(found)


def network_field(graph: Graph, fields: tuple[Field | None, ...]) -> Field | None:
    """The field of the feature maps that the outputs are made from, the largest one; `None` where there are none.

    From each output the way goes back over vectors and over what global pooling left (1x1 maps) to the first nodes
    with positions: where an output has positions itself, that is the output. Side branches that lead to no output don't count.
    """
    found: list[Field] = []
    seen: set[int] = set()
    waiting = [tensor.node for _, tensor in graph.outputs]
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        field, node = fields[at], graph.nodes[at]
        if field is not None and not _reduced(node, field):
            found.append(field)
        else:
            waiting.extend(one.node for one in node.inputs)
    if not found:
        return None
    largest = max(found, key=lambda one: max(one.size))
    return Field(largest.size, largest.jump, any(one.everything for one in found), largest.before)


def _reduced(node: Node, field: Field) -> bool:
    positions = node.shape[:-1]
    return not positions or (field.everything and all(one == 1 for one in positions))


def _field(node: Node, inputs: list[Field | None]) -> Field | None:
    axes = len(node.shape) - 1
    if node.operator.arity == (0, 0):
        return Field((1,) * axes, (1,) * axes, False, (0,) * axes) if axes > 0 else None
    known = [one for one in inputs if one is not None]
    if not known:
        return None
    reach = known[0] if len(known) == 1 else _longest(known)
    window = node.operator.window(node.input_shapes)
    if window is None:
        return Field(reach.size, reach.jump, True, reach.before)
    if len(window.kernel) != len(reach.size):
        return reach
    kernel = window.kernel if not isinstance(node.operator, Upsample | Resize) else (TAPS[node.operator.interpolation],) * len(window.kernel)
    enlarged = _enlargement(node, len(kernel))
    if enlarged is None and window.padding is not None and max(kernel) == 1 == max(window.stride) and not any(map(any, window.padding)):
        return reach
    size = tuple(s + (k - 1) * d * j for s, k, d, j in zip(reach.size, kernel, window.dilation, reach.jump, strict=True))
    if enlarged is not None:
        jump = tuple(j / more for j, more in zip(reach.jump, enlarged, strict=True))
        return Field(size, jump, reach.everything, (None,) * len(size))
    padding = window.padding or ((None, None),) * len(size)
    before = tuple(None if b is None or p[0] is None else b + p[0] * j for b, p, j in zip(reach.before, padding, reach.jump, strict=True))
    jump = tuple(j * s for j, s in zip(reach.jump, window.stride, strict=True))
    return Field(size, jump, reach.everything, before)


def _longest(known: list[Field]) -> Field:
    """Along each axis the longest of several paths; among equals the first."""
    axes = max(len(one.size) for one in known)
    everything = any(one.everything for one in known)
    paths = [one for one in known if len(one.size) == axes]
    chosen = [max(paths, key=lambda one, at=at: one.size[at]) for at in range(axes)]
    size = tuple(one.size[at] for at, one in enumerate(chosen))
    jump = tuple(max(one.jump[at] for one in paths) for at in range(axes))
    return Field(size, jump, everything, tuple(one.before[at] for at, one in enumerate(chosen)))


def _enlargement(node: Node, axes: int) -> tuple[float, ...] | None:
    """How many output positions an operator that resizes makes of one input position, along each axis."""
    operator = node.operator
    if isinstance(operator, ConvTranspose):
        return per_axis(operator.stride, axes)
    if isinstance(operator, Upsample):
        return per_axis(operator.size, axes)
    if isinstance(operator, Resize):
        sizes = zip(node.shape, node.input_shapes[0], strict=True)
        return tuple(1 if one is None or other is None else one / other for one, other in sizes)[:axes]
    return None
