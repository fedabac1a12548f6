"""The work that multiply-accumulates leave out: biases, activations, normalisation, pooling, element-wise operations.

An addition, subtraction, multiplication, division, comparison, or one evaluation of an elementary function (exp, log, tanh, erf,
power, square root) counts 1. So does each half of a multiply-accumulate: FLOPs are `2 * macs + work`. Everything is for
one example in inference. A window counts whole, also where it lies over the padding, as it does in the MACs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from archc.graph.graph import Graph, Node
from archc.operators import Operator, Shape, product
from archc.operators.shape_rules import per_axis

KINDS = ("bias", "activation", "normalisation", "pooling", "elementwise", "softmax", "resizing")
EXCLUDED = (
    "moving values (concat, split, slice, select, pad, crop, permute, reshape, channel_shuffle, depth_to_space, space_to_depth, embedding look-ups, upsampling by repetition)",
    "regularisation, which inference leaves out",
    "reading and writing memory",
    "layers that `keras` and `layer` bring in: unknown, and so are totals with them",
)
"""What FLOPs leave out, in words."""

ACTIVATIONS: Mapping[str, int] = {
    "linear": 0, "relu": 1, "abs": 1, "relu6": 2, "leaky_relu": 2, "prelu": 2, "tanh": 1, "exponential": 1,
    "softplus": 3, "softsign": 3, "sigmoid": 4, "hard_sigmoid": 4, "elu": 4, "silu": 5, "swish": 5, "hard_swish": 5,
    "mish": 5, "gelu": 5, "selu": 5, "softmax": 5, "log_softmax": 5,
}
"""Operations for each value, counted in the operator's formula; `softmax` subtracts the largest value first, as frameworks do."""

TAPS = {"nearest": 1, "bilinear": 4, "bicubic": 16, "lanczos3": 36, "lanczos5": 100}
MERGES = ("add", "subtract", "multiply", "maximum", "minimum")
UNKNOWN = ("keras", "layer")
FREE = (
    "input", "identity", "embedding", "concat", "flatten", "reshape", "permute", "pad", "pad_channels", "crop", "select",
    "split", "slice", "channel_shuffle", "depth_to_space", "space_to_depth", "dropout", "spatial_dropout", "drop_path",
    "gaussian_noise", "gaussian_dropout",
)
"""Operators that move values, or do nothing in inference."""


@dataclass(frozen=True, slots=True)
class Work:
    """Operations by kind; a count is `None` where a size that it needs is open, `kinds` where nobody states the layer's work."""

    kinds: Mapping[str, int | None] | None

    @property
    def total(self) -> int | None:
        """All of it; `None` where a part is unknown."""
        return None if self.kinds is None else _sum(self.kinds.values())


NOTHING = Work({})


def work(graph: Graph) -> tuple[Work, ...]:
    """The work of each node beside its multiply-accumulates."""
    return tuple(node_work(node) for node in graph.nodes)


def node_work(node: Node) -> Work:
    """The work of one node."""
    operator, name = node.operator, node.operator.name
    if name in UNKNOWN:
        return Work(None)
    if name in FREE:
        return NOTHING
    if name in ACTIVATIONS:
        return Work(_activation(operator, name, product(node.shape)))
    kind, rule = RULES[name]
    if kind != "layer":
        count = rule(operator, node.input_shapes, node.shape)
        return NOTHING if count == 0 else Work({kind: count})
    values, attributes = product(node.shape), vars(operator)
    bias: dict[str, int | None] = {"bias": values} if attributes["bias"] else {}
    return Work(bias | _activation(operator, attributes["activation"], values))


def total_work(nodes: tuple[Work, ...]) -> Work:
    """The sum of the work of all nodes, kind by kind, in the order of `KINDS`."""
    stated = [one.kinds for one in nodes if one.kinds is not None]
    if len(stated) < len(nodes):
        return Work(None)
    there = {kind for one in stated for kind in one}
    return Work({kind: _sum(one[kind] for one in stated if kind in one) for kind in KINDS if kind in there})


def flops(macs: int | None, other: Work) -> int | None:
    """`2 * macs + other`; `None` where either is unknown."""
    more = other.total
    return None if macs is None or more is None else 2 * macs + more


def _sum(numbers: Iterable[int | None]) -> int | None:
    total = 0
    for one in numbers:
        if one is None:
            return None
        total += one
    return total


def _activation(operator: Operator, name: str, values: int | None) -> dict[str, int | None]:
    steps = ACTIVATIONS[name]
    if operator.name == "relu":
        options = vars(operator)
        steps += (options["max_value"] is not None) + bool(options["negative_slope"]) + bool(options["threshold"])
    kind = "softmax" if name in ("softmax", "log_softmax") else "activation"
    return {kind: _times(values, steps)} if steps else {}


def _times(values: int | None, steps: int) -> int | None:
    return None if values is None else values * steps


Rule = Callable[[Any, "tuple[Shape, ...]", Shape], "int | None"]


def _window(operator: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    """Comparisons of a maximum, `k - 1` for a window of k values; additions and one division of a mean, k."""
    taps = product(operator.windows(len(inputs[0]) - 1)[0])
    assert taps is not None
    return _times(product(output), taps - (operator.name == "max_pool"))


def _global(operator: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    """As a window over all positions."""
    values = product(inputs[0])
    if values is None or operator.name == "global_avg_pool":
        return values
    return values - (inputs[0][-1] or 0)


def _adaptive(operator: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    """The sum of all windows, each a mean."""
    total = inputs[0][-1]
    for size, count in zip(inputs[0][:-1], per_axis(operator.size, len(inputs[0]) - 1), strict=True):
        if size is None or total is None:
            return None
        total *= sum(-(-(at + 1) * size // count) - at * size // count for at in range(count))
    return total


def _statistics(operator: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    """Mean (1), difference, square and their sum (3), division by the deviation (1), scale and shift where it has them."""
    return _times(product(output), 5 + operator.scale + operator.center)


def _lrn(operator: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    """Square, `size - 1` additions, alpha, k, power, division."""
    return _times(product(output), operator.size + 4)


def _two(operator: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    """A multiplication and an addition: batch normalisation in inference folds to them."""
    return _times(product(output), 2)


def _scale(operator: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    return _times(product(output), 1 + operator.bias)


def _rescale(operator: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    return _times(product(output), (operator.factor != 1) + (operator.offset != 0))


def _merge(operator: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    """One operation for each tensor after the first; a mean divides once more."""
    return _times(product(output), len(inputs) - (operator.name in MERGES))


def _resize(operator: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    """A weighted sum of the taps: 1, 4, 16, 36 or 100 of them; repetition is free."""
    taps = TAPS[operator.interpolation]
    return 0 if taps == 1 else _times(product(output), 2 * taps - 1)


def _nothing(operator: Any, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    return 0


RULES: Mapping[str, tuple[str, Rule]] = {
    "conv": ("layer", _nothing),
    "depthwise_conv": ("layer", _nothing),
    "separable_conv": ("layer", _nothing),
    "conv_transpose": ("layer", _nothing),
    "dense": ("layer", _nothing),
    "batch_norm": ("normalisation", _two),
    "normalize": ("normalisation", _two),
    "layer_norm": ("normalisation", _statistics),
    "group_norm": ("normalisation", _statistics),
    "instance_norm": ("normalisation", _statistics),
    "lrn": ("normalisation", _lrn),
    "scale": ("normalisation", _scale),
    "rescale": ("normalisation", _rescale),
    "max_pool": ("pooling", _window),
    "avg_pool": ("pooling", _window),
    "global_avg_pool": ("pooling", _global),
    "global_max_pool": ("pooling", _global),
    "adaptive_avg_pool": ("pooling", _adaptive),
    **dict.fromkeys((*MERGES, "average"), ("elementwise", _merge)),
    "upsample": ("resizing", _resize),
    "resize": ("resizing", _resize),
}
"""The kind and the rule of each operator that is neither free nor an activation; `layer` has a bias and an activation."""
