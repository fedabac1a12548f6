"""Lints: mistakes that a network computes with in silence. LINTS lists them, each a function over one node.

A lint tells what is nearly always a mistake, and is exact about it: where the famous networks do it on purpose, their
specs allow it with a reason (`allow:`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from archc.diagnostics import Code, Diagnostic, Note, codes, warning
from archc.diagnostics.figures import count
from archc.graph.graph import Graph, Node
from archc.operators import Role, show
from archc.operators.activation import Softmax
from archc.operators.dense import Dense
from archc.operators.normalisation import BatchNorm
from archc.operators.shape_rules import axis_names, extent, resolve_axis

LEAST_DROPOUT = 0.9
LEAST_MOMENTUM = 0.5
POINTWISE = frozenset({Role.ACTIVATION, Role.REGULARISATION, Role.NORMALISATION})
"""What leaves the positions of a map as they are."""


@dataclass(frozen=True)
class View:
    """A graph as lints read it: with what reads each node."""

    graph: Graph

    @cached_property
    def consumers(self) -> list[list[Node]]:
        """For each node, those that read it."""
        nodes = self.graph.nodes
        return [[nodes[one] for one in found] for found in self.graph.consumers()]

    @cached_property
    def ends(self) -> frozenset[int]:
        """The nodes that are outputs."""
        return frozenset(tensor.node for _, tensor in self.graph.outputs)

    @cached_property
    def last(self) -> frozenset[int]:
        """The outputs, and what leads to them through pointwise steps alone."""
        found = set[int]()
        waiting = list(self.ends)
        while waiting:
            node = self.graph.nodes[waiting.pop()]
            if node.index not in found:
                found.add(node.index)
                waiting.extend(one.node for one in node.inputs if node.operator.role in POINTWISE)
        return frozenset(found)

    def producer(self, node: Node) -> Node:
        """What gives the node's first input."""
        return self.graph.nodes[node.inputs[0].node]


@dataclass(frozen=True)
class Finding:
    """What a lint says of a node; the frame adds code and place."""

    message: str
    label: str = ""
    help: str = ""
    notes: tuple[Note, ...] = ()


Lint = Callable[[Node, View], "Finding | None"]


def bias_before_norm(node: Node, view: View) -> Finding | None:
    """A bias that a batch normalisation subtracts again; it must be all that reads the layer."""
    readers = view.consumers[node.index]
    if not readers or not all(isinstance(one.operator, BatchNorm) for one in readers):
        return None
    bias = next((one for one in node.weights if one.name == "bias"), None)
    if bias is None or node.index in view.ends or activation(node) != "linear":
        return None
    norm = readers[0].origin.span
    return Finding(
        f"the bias of `{node.operator.name}` has no effect, for `batch_norm` follows and subtracts it",
        f"{count(bias.size)} parameters do nothing",
        "write `bias: false`",
        (Note(f"the `batch_norm` is written at {norm}", norm),),
    )


def stride_over_kernel(node: Node, view: View) -> Finding | None:
    """A window of several positions that steps over others."""
    window = node.operator.window(node.input_shapes)
    if window is None or max(window.kernel, default=1) == 1:
        return None
    for axis, kernel, stride, dilation in zip(axis_names(node.input_shapes[0]), window.kernel, window.stride, window.dilation, strict=False):
        reach = extent(kernel, dilation)
        if 1 < reach < stride:
            return Finding(
                f"`{node.operator.name}` steps over positions of its input, for its stride is larger than its window",
                f"along the {axis} the stride is {stride}, and the window {reach}",
                "use a smaller stride or a larger window",
            )
    return None


def pixels_dropped(node: Node, view: View) -> Finding | None:
    """A pooling whose last window ends before the input does."""
    if node.operator.name not in ("max_pool", "avg_pool") or view.producer(node).operator.name == "pad":
        return None  # what `pad` has put there is no loss
    shape = node.input_shapes[0]
    window = node.operator.window(node.input_shapes)
    if window is None or window.padding is None:
        return None
    for axis, size, made, kernel, stride, pad in zip(axis_names(shape), shape, node.shape, window.kernel, window.stride, window.padding, strict=False):
        if size is None or made is None or stride > kernel:
            continue
        left = size - ((made - 1) * stride + kernel - pad[0])
        if left > 0:
            rows = "one position" if left == 1 else f"{left} positions"
            return Finding(
                f"`{node.operator.name}` never reads the end of its input: {rows} along the {axis}",
                f"the input is {show(shape)}, the window {kernel} at stride {stride}",
                "write `rounding: ceil`, or pad the input; or bring it to a size that the windows fill",
            )
    return None


def weights_in_padding(node: Node, view: View) -> Finding | None:
    """A kernel with taps that see no position of the input, wherever its window stands."""
    if node.operator.role is not Role.CONVOLUTION:
        return None
    shape = node.input_shapes[0]
    window = node.operator.window(node.input_shapes)
    if window is None or window.padding is None:
        return None
    axes = zip(axis_names(shape), shape, node.shape, window.kernel, window.stride, window.dilation, window.padding, strict=False)
    for axis, size, made, kernel, stride, dilation, pad in axes:
        if size is None or made is None or extent(kernel, dilation) <= size:
            continue
        blind = sum(_blind(tap * dilation - pad[0], size, made, stride) for tap in range(kernel))
        if blind:
            return Finding(
                f"{blind} of the {kernel} taps of `{node.operator.name}` along the {axis} meet nothing but padding",
                f"the input is {show(shape)}, and the kernel reaches over {extent(kernel, dilation)}",
                "use a smaller kernel or dilation, or fewer strides before it",
            )
    return None


def _blind(first: int, size: int, made: int, stride: int) -> bool:
    """True where none of `made` positions, from `first` in steps of `stride`, is inside the input."""
    needed = max(0, (stride - 1 - first) // stride) if first < 0 else 0
    return needed >= made or first + needed * stride >= size


def lone_softmax(node: Node, view: View) -> Finding | None:
    """A softmax along an axis of size 1."""
    operator = node.operator
    if isinstance(operator, Softmax):
        axis = resolve_axis(operator.axis, node.input_shapes[0])
        alone = axis is not None and node.shape[axis] == 1
    else:
        alone = activation(node) in ("softmax", "log_softmax") and node.shape[-1:] == (1,)
    if not alone:
        return None
    return Finding("a softmax over one value is always 1", f"the result is {show(node.shape)}", "for one probability use `sigmoid`")


def activation_twice(node: Node, view: View) -> Finding | None:
    """An activation on the result of an activation."""
    if node.operator.role is not Role.ACTIVATION:
        return None
    before = view.producer(node)
    first = activation(before)
    if first == "linear":
        return None
    span = before.origin.span
    return Finding(
        f"`{activation(node)}` is applied to the result of `{first}`",
        f"`{before.operator.name}` applies `{first}` already" if before.operator.role is not Role.ACTIVATION else "",
        "keep one of the two",
        (Note(f"the `{before.operator.name}` before it is written at {span}", span),),
    )


def dropout_rate(node: Node, view: View) -> Finding | None:
    """A rate at which next to nothing is left: often the probability to keep is meant."""
    rate = getattr(node.operator, "rate", None)
    if node.operator.role is not Role.REGULARISATION or not isinstance(rate, int | float) or rate < LEAST_DROPOUT:
        return None
    return Finding(f"`{node.operator.name}` drops {rate:.0%} of its input in training", f"the rate is {rate}", f"where {rate:.0%} are to be kept, write {round(1 - rate, 6)}")


def dense_on_map(node: Node, view: View) -> Finding | None:
    """A dense layer that is the network's last with weights, and whose input still has rows and columns."""
    if not isinstance(node.operator, Dense) or len(node.shape) < 3 or node.index not in view.last:
        return None
    return Finding(
        f"the network ends in a `dense` on a feature map, and so gives {show(node.shape)}",
        f"the input is {show(node.input_shapes[0])}",
        "put `flatten` or `global_avg_pool` before it; for a prediction at each position write `conv`",
    )


def norm_momentum(node: Node, view: View) -> Finding | None:
    """A momentum as another framework counts it."""
    if not isinstance(node.operator, BatchNorm) or node.operator.momentum >= LEAST_MOMENTUM:
        return None
    momentum = node.operator.momentum
    return Finding(
        f"`batch_norm` keeps {momentum:.0%} of its moving mean at each step", f"the momentum is {momentum}",
        f"PyTorch's {momentum} is {round(1 - momentum, 6)} here",
    )


LINTS: tuple[tuple[Code, Lint], ...] = (
    (codes.BIAS_BEFORE_NORM, bias_before_norm),
    (codes.STRIDE_OVER_KERNEL, stride_over_kernel),
    (codes.PIXELS_DROPPED, pixels_dropped),
    (codes.WEIGHTS_IN_PADDING, weights_in_padding),
    (codes.LONE_SOFTMAX, lone_softmax),
    (codes.ACTIVATION_TWICE, activation_twice),
    (codes.DROPOUT_RATE, dropout_rate),
    (codes.DENSE_ON_MAP, dense_on_map),
    (codes.NORM_MOMENTUM, norm_momentum),
)


def lint(graph: Graph) -> Iterator[Diagnostic]:
    """What the lints find, at the steps that the nodes come from."""
    view = View(graph)
    for node in graph.nodes:
        if node.operator.arity == (0, 0):
            continue
        for code, find in LINTS:
            if (found := find(node, view)) is not None:
                yield warning(code, node.origin, found.message, label=found.label, help=found.help, notes=found.notes)


def activation(node: Node) -> str:
    """The activation that a node ends in: its own name, its option's, or `linear`."""
    if node.operator.role is Role.ACTIVATION:
        return node.operator.name
    found = getattr(node.operator, "activation", "linear")
    return found if isinstance(found, str) else "linear"
