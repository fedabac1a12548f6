"""Activations: ten names, one rule. Each keeps its input's shape and works on every value by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from archc.operators import kinds, shape_rules
from archc.operators.base import Operator, Problem, Role, Shape, Weight, attribute
from archc.operators.shape_rules import known, weight


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Relu(Operator):
    """`max(0, x)`; with options, `min(x, max_value)` above `threshold` and `negative_slope * (x - threshold)` below.

    `- relu`, `- relu: {max_value: 6}`.
    """

    name: ClassVar[str] = "relu"
    role: ClassVar[Role] = Role.ACTIVATION

    max_value: float | None = attribute(kinds.OPTIONAL_NUMBER, "Larger values become this one.", None)
    negative_slope: float = attribute(kinds.NOT_NEGATIVE, "The slope below the threshold.", 0.0)
    threshold: float = attribute(kinds.NOT_NEGATIVE, "Where the identity starts.", 0.0)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Relu6(Operator):
    """`min(max(0, x), 6)`: bounded for small number formats (MobileNet)."""

    name: ClassVar[str] = "relu6"
    role: ClassVar[Role] = Role.ACTIVATION


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LeakyRelu(Operator):
    """`x` above 0, `slope * x` below.

    Where frameworks disagree: the slope is 0.01 in the paper and in PyTorch, 0.3 in Keras's layer, 0.2 in TensorFlow's
    function and in Keras's activation of this name. Here it is 0.01 for the step; `activation: leaky_relu` on a
    convolution has Keras's 0.2.
    """

    name: ClassVar[str] = "leaky_relu"
    role: ClassVar[Role] = Role.ACTIVATION
    positional: ClassVar[tuple[str, ...]] = ("slope",)

    slope: float = attribute(kinds.NOT_NEGATIVE, "The slope below 0.", 0.01)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Prelu(Operator):
    """`x` above 0, `slope * x` below, with a learned slope (He et al. 2015).

    One slope per channel, which all positions share, starting at 0.25 (the paper and PyTorch; Keras starts at 0 and
    has one per value, which is `shared: false`).
    """

    name: ClassVar[str] = "prelu"
    role: ClassVar[Role] = Role.ACTIVATION

    shared: bool = attribute(kinds.BOOLEAN, "All positions of a channel share one slope.", True)
    initial: float = attribute(kinds.NUMBER, "The slope at the start.", 0.25)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from shape_rules.first(
            shape_rules.channels_problem(self.name, inputs[0]),
            None if self.shared else shape_rules.open_problem(self.name, inputs[0]),
        )

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
        shape = inputs[0]
        sizes = tuple(1 if self.shared else known(one) for one in shape[:-1])
        return (weight("alpha", (*sizes, known(shape[-1])), f"constant:{float(self.initial)!r}"),)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Elu(Operator):
    """`x` above 0, `alpha * (exp(x) - 1)` below."""

    name: ClassVar[str] = "elu"
    role: ClassVar[Role] = Role.ACTIVATION
    positional: ClassVar[tuple[str, ...]] = ("alpha",)

    alpha: float = attribute(kinds.NOT_NEGATIVE, "Minus the value that is approached far below 0.", 1.0)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Selu(Operator):
    """`elu` with alpha 1.6733 and a scale of 1.0507, which keep mean and variance (Klambauer et al. 2017)."""

    name: ClassVar[str] = "selu"
    role: ClassVar[Role] = Role.ACTIVATION


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Gelu(Operator):
    """`x * P(X <= x)` for a standard normal X, by the error function (exact), not by its tanh approximation."""

    name: ClassVar[str] = "gelu"
    role: ClassVar[Role] = Role.ACTIVATION


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Silu(Operator):
    """`x * sigmoid(x)`, which is also called swish."""

    name: ClassVar[str] = "silu"
    role: ClassVar[Role] = Role.ACTIVATION


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Swish(Operator):
    """`x * sigmoid(x)`, the name of the EfficientNet paper; the same as `silu`."""

    name: ClassVar[str] = "swish"
    role: ClassVar[Role] = Role.ACTIVATION


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Sigmoid(Operator):
    """`1 / (1 + exp(-x))`."""

    name: ClassVar[str] = "sigmoid"
    role: ClassVar[Role] = Role.ACTIVATION


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class HardSigmoid(Operator):
    """`relu6(x + 3) / 6`. Older Keras used `0.2 * x + 0.5`, clipped to 0 and 1."""

    name: ClassVar[str] = "hard_sigmoid"
    role: ClassVar[Role] = Role.ACTIVATION


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class HardSwish(Operator):
    """`x * relu6(x + 3) / 6` (MobileNetV3)."""

    name: ClassVar[str] = "hard_swish"
    role: ClassVar[Role] = Role.ACTIVATION


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Mish(Operator):
    """`x * tanh(softplus(x))`."""

    name: ClassVar[str] = "mish"
    role: ClassVar[Role] = Role.ACTIVATION


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Tanh(Operator):
    """The hyperbolic tangent."""

    name: ClassVar[str] = "tanh"
    role: ClassVar[Role] = Role.ACTIVATION


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Softplus(Operator):
    """`log(1 + exp(x))`."""

    name: ClassVar[str] = "softplus"
    role: ClassVar[Role] = Role.ACTIVATION


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Softsign(Operator):
    """`x / (1 + |x|)`."""

    name: ClassVar[str] = "softsign"
    role: ClassVar[Role] = Role.ACTIVATION


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Softmax(Operator):
    """`exp(x)` divided by its sum along an axis, the channels by default: probabilities that add up to 1."""

    name: ClassVar[str] = "softmax"
    role: ClassVar[Role] = Role.ACTIVATION

    axis: Any = attribute(kinds.AXIS, "The axis along which the values add up to 1.", "channels")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        if shape_rules.resolve_axis(self.axis, inputs[0]) is None:
            yield shape_rules.axis_problem(self.name, self.axis, inputs[0])


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LogSoftmax(Operator):
    """The logarithm of `softmax` along the channels, computed without overflow."""

    name: ClassVar[str] = "log_softmax"
    role: ClassVar[Role] = Role.ACTIVATION


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Exponential(Operator):
    """`exp(x)`."""

    name: ClassVar[str] = "exponential"
    role: ClassVar[Role] = Role.ACTIVATION


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Linear(Operator):
    """`x`: no activation, for a parameter of a macro that names one."""

    name: ClassVar[str] = "linear"
    role: ClassVar[Role] = Role.ACTIVATION


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Abs(Operator):
    """`|x|`."""

    name: ClassVar[str] = "abs"
    role: ClassVar[Role] = Role.ACTIVATION
