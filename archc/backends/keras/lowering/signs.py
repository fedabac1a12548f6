"""What is known of the signs of a node's values."""

from __future__ import annotations

from archc.graph.graph import Node
from archc.operators.activation import Relu

NON_NEGATIVE = frozenset({"relu", "relu6", "sigmoid", "hard_sigmoid", "softmax", "softplus", "exponential", "abs"})
KEEPS_SIGN = frozenset(
    {"identity", "max_pool", "avg_pool", "global_avg_pool", "global_max_pool", "dropout", "spatial_dropout", "flatten"}
    | {"reshape", "permute", "pad_channels", "select", "channel_shuffle", "depth_to_space", "space_to_depth", "concat", "add", "multiply", "average", "maximum", "minimum"}
)


def non_negative(node: Node, fed: bool) -> bool:
    """True where no value of the node is below zero; `fed` says that of its inputs. Then a border of zeros never wins a maximum."""
    operator = node.operator
    if isinstance(operator, Relu):
        return operator.negative_slope == 0 and operator.threshold >= 0
    if operator.name in NON_NEGATIVE or getattr(operator, "activation", None) in NON_NEGATIVE:
        return True
    return fed and operator.name in KEEPS_SIGN
