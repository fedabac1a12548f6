"""Normalisation: values brought to a common scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from archc.diagnostics import codes
from archc.operators import kinds, shape_rules
from archc.operators.base import Operator, Problem, Role, Shape, Weight, attribute
from archc.operators.shape_rules import Initializer, known, weight


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BatchNorm(Operator):
    """`gamma * (x - mean) / sqrt(variance + epsilon) + beta` per channel (Ioffe and Szegedy 2015).

    In training mean and variance are the batch's; in inference the moving ones, which follow
    `moving = momentum * moving + (1 - momentum) * batch`. Weights: gamma and beta, trained, and the two moving ones,
    which training updates and gradients do not: `4 * channels`, half of them non-trainable.

    Where frameworks disagree: momentum 0.99 and epsilon 0.001 are Keras's and TensorFlow's. PyTorch has epsilon 1e-5,
    and its momentum 0.1 is one minus ours (write `momentum: 0.9`). Caffe keeps gamma and beta in a layer of their own.
    PyTorch's parameter counts leave the moving ones out.
    """

    name: ClassVar[str] = "batch_norm"
    role: ClassVar[Role] = Role.NORMALISATION

    momentum: float = attribute(kinds.FRACTION, "How much of the moving mean and variance is kept.", 0.99)
    epsilon: float = attribute(kinds.POSITIVE_NUMBER, "Added to the variance.", 0.001)
    center: bool = attribute(kinds.BOOLEAN, "Has beta.", True)
    scale: bool = attribute(kinds.BOOLEAN, "Has gamma.", True)
    gamma_initializer: Initializer = attribute(
        kinds.INITIALIZER, "How gamma starts; `zeros` opens residual blocks shut.", "ones"
    )

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from shape_rules.first(shape_rules.channels_problem(self.name, inputs[0]))

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
        channels = known(inputs[0][-1])
        return (
            *_scale_and_shift(channels, self.scale, self.center, self.gamma_initializer),
            weight("moving_mean", (channels,), "zeros", trainable=False),
            weight("moving_variance", (channels,), "ones", trainable=False),
        )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LayerNorm(Operator):
    """`gamma * (x - mean) / sqrt(variance + epsilon) + beta` over the channels of each position (Ba et al. 2016).

    Weights: `2 * channels`. Where frameworks disagree: epsilon is 0.001 in Keras, 1e-5 in PyTorch, 1e-6 in ConvNeXt
    and ViT.
    """

    name: ClassVar[str] = "layer_norm"
    role: ClassVar[Role] = Role.NORMALISATION

    epsilon: float = attribute(kinds.POSITIVE_NUMBER, "Added to the variance.", 0.001)
    center: bool = attribute(kinds.BOOLEAN, "Has beta.", True)
    scale: bool = attribute(kinds.BOOLEAN, "Has gamma.", True)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from shape_rules.first(shape_rules.channels_problem(self.name, inputs[0]))

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
        return _scale_and_shift(known(inputs[0][-1]), self.scale, self.center, "ones")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GroupNorm(Operator):
    """As `layer_norm`, over all positions of each group of channels (Wu and He 2018); a group per channel is
    instance normalisation.

    `- group_norm: 32`. Weights: `2 * channels`. Epsilon is 0.001 in Keras, 1e-5 in PyTorch and the paper's code.
    """

    name: ClassVar[str] = "group_norm"
    role: ClassVar[Role] = Role.NORMALISATION
    positional: ClassVar[tuple[str, ...]] = ("groups",)

    groups: int = attribute(kinds.POSITIVE, "The number of groups that the channels are divided into.", 32)
    epsilon: float = attribute(kinds.POSITIVE_NUMBER, "Added to the variance.", 0.001)
    center: bool = attribute(kinds.BOOLEAN, "Has beta.", True)
    scale: bool = attribute(kinds.BOOLEAN, "Has gamma.", True)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        shape = inputs[0]
        found = shape_rules.first(shape_rules.channels_problem(self.name, shape))
        yield from found or shape_rules.first(
            shape_rules.divide_problem(self.name, "channels", known(shape[-1]), self.groups)
        )

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
        return _scale_and_shift(known(inputs[0][-1]), self.scale, self.center, "ones")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class InstanceNorm(Operator):
    """As `layer_norm`, over all positions of each channel by itself (Ulyanov et al. 2016): `group_norm` with a group per
    channel.

    `- instance_norm`, `- instance_norm: {epsilon: 1e-5, center: false, scale: false}` (PyTorch's `InstanceNorm2d` without
    settings, which learns nothing). Weights: `2 * channels`. Epsilon is 0.001 in Keras, 1e-5 in PyTorch.
    """

    name: ClassVar[str] = "instance_norm"
    role: ClassVar[Role] = Role.NORMALISATION

    epsilon: float = attribute(kinds.POSITIVE_NUMBER, "Added to the variance.", 0.001)
    center: bool = attribute(kinds.BOOLEAN, "Has beta.", True)
    scale: bool = attribute(kinds.BOOLEAN, "Has gamma.", True)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from shape_rules.first(
            shape_rules.rank_problem(self.name, inputs[0], (2, 3, 4)), shape_rules.channels_problem(self.name, inputs[0])
        )

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
        return _scale_and_shift(known(inputs[0][-1]), self.scale, self.center, "ones")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Lrn(Operator):
    """Local response normalisation over neighbouring channels (Krizhevsky et al. 2012, section 3.3).

    `y_i = x_i / (k + alpha * sum of x_j^2) ** beta`, the sum over the `size` channels around i (fewer at the ends).

    Where frameworks disagree: in the paper, and in TensorFlow's `tf.nn.local_response_normalization` (whose `bias` is
    k, and whose `depth_radius` is `(size - 1) / 2`), alpha multiplies the sum. Caffe (`local_size`), PyTorch
    (`LocalResponseNorm`) and ONNX divide alpha by `size` first: that is `divide: true`. With five channels of 100 and
    the paper's constants the middle one becomes 23.2368, and 43.8691 with `divide: true`. Caffe's AlexNet and
    GoogLeNet also have k = 1; TensorFlow's defaults are alpha 1, beta 0.5, k 1, size 11. No weights.
    """

    name: ClassVar[str] = "lrn"
    role: ClassVar[Role] = Role.NORMALISATION
    positional: ClassVar[tuple[str, ...]] = ("size",)

    size: int = attribute(kinds.POSITIVE, "How many channels are summed; an odd number.", 5)
    alpha: float = attribute(kinds.NOT_NEGATIVE, "The weight of the sum.", 1e-4)
    beta: float = attribute(kinds.NOT_NEGATIVE, "The exponent.", 0.75)
    k: float = attribute(kinds.NOT_NEGATIVE, "What is added to the sum.", 2.0)
    divide: bool = attribute(kinds.BOOLEAN, "Divides alpha by the size, as Caffe, PyTorch and ONNX do.", False)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from shape_rules.first(shape_rules.rank_problem(self.name, inputs[0], (1, 2, 3, 4)))
        if self.size % 2 == 0:
            yield Problem(
                codes.WRONG_VALUE,
                f"`size` of `lrn` must be odd, so that a channel has as many neighbours on both sides, but it is {self.size}",
                f"size {self.size}",
                f"use {self.size - 1} or {self.size + 1}",
            )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Scale(Operator):
    """A learned factor per channel, and a learned offset where asked: `x * factor + offset`.

    `- scale`, `- scale: {initial: 1e-6}` (LayerScale), `- scale: {bias: true}` (Caffe's `Scale` after `BatchNorm`).
    Weights: `channels`, twice with a bias.
    """

    name: ClassVar[str] = "scale"
    role: ClassVar[Role] = Role.NORMALISATION
    positional: ClassVar[tuple[str, ...]] = ("initial",)

    initial: float = attribute(kinds.NUMBER, "The factor at the start.", 1.0)
    bias: bool = attribute(kinds.BOOLEAN, "Adds a learned offset per channel.", False)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from shape_rules.first(shape_rules.channels_problem(self.name, inputs[0]))

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
        channels = (known(inputs[0][-1]),)
        kernel = weight("kernel", channels, f"constant:{float(self.initial)!r}")
        return (kernel, weight("bias", channels, "zeros")) if self.bias else (kernel,)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Rescale(Operator):
    """`x * factor + offset` with constants, one for all or one for each channel.

    `- rescale: {factor: 0.00784, offset: -1}` brings 0..255 to -1..1. No weights.
    """

    name: ClassVar[str] = "rescale"
    role: ClassVar[Role] = Role.NORMALISATION
    positional: ClassVar[tuple[str, ...]] = ("factor", "offset")

    factor: float | tuple[float, ...] = attribute(kinds.NUMBERS, "What the input is multiplied by.", 1.0)
    offset: float | tuple[float, ...] = attribute(kinds.NUMBERS, "What is added then.", 0.0)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from shape_rules.first(
            _per_channel_problem(self.name, "factor", self.factor, inputs[0]),
            _per_channel_problem(self.name, "offset", self.offset, inputs[0]),
        )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Normalize(Operator):
    """`(x - mean) / sqrt(variance)` with constants, one for all or one for each channel.

    `- normalize: {mean: [0.485, 0.456, 0.406], variance: [0.052441, 0.050176, 0.050625]}`. No weights, but with
    `adapt: true` (Keras's layer without constants) mean, variance and a count, which no training changes:
    `2 * channels + 1`.
    """

    name: ClassVar[str] = "normalize"
    role: ClassVar[Role] = Role.NORMALISATION
    positional: ClassVar[tuple[str, ...]] = ("mean", "variance")

    mean: float | tuple[float, ...] = attribute(kinds.NUMBERS, "What is subtracted.", 0.0)
    variance: float | tuple[float, ...] = attribute(kinds.VARIANCES, "The square of what it is divided by.", 1.0)
    adapt: bool = attribute(kinds.BOOLEAN, "Keeps both per channel, to be taken from data, from 0 and 1 on.", False)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from shape_rules.first(
            _adapted_problem(self),
            shape_rules.channels_problem(self.name, inputs[0]) if self.adapt else None,
            _per_channel_problem(self.name, "mean", self.mean, inputs[0]),
            _per_channel_problem(self.name, "variance", self.variance, inputs[0]),
        )

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
        if not self.adapt:
            return ()
        channels = (known(inputs[0][-1]),)
        return (
            weight("mean", channels, "zeros", trainable=False),
            weight("variance", channels, "ones", trainable=False),
            weight("count", (), "zeros", trainable=False),
        )


def _scale_and_shift(channels: int, scale: bool, center: bool, gamma: Initializer) -> tuple[Weight, ...]:
    found = (weight("gamma", (channels,), gamma),) if scale else ()
    return (*found, weight("beta", (channels,), "zeros")) if center else found


def _adapted_problem(operator: Normalize) -> Problem | None:
    if not operator.adapt or (operator.mean, operator.variance) == (0.0, 1.0):
        return None
    return Problem(
        codes.WRONG_VALUE,
        "`normalize` takes mean and variance from data, and has them as constants too",
        "both",
        "leave out `adapt`, or `mean` and `variance`",
    )


def _per_channel_problem(name: str, attribute: str, value: object, shape: Shape) -> Problem | None:
    if not isinstance(value, tuple) or (shape and shape[-1] == len(value)):  # pyright: ignore[reportUnknownArgumentType]
        return None
    count = len(value)  # pyright: ignore[reportUnknownArgumentType]
    numbers = "1 number" if count == 1 else f"{count} numbers"
    return Problem(
        codes.WRONG_VALUE,
        f"`{attribute}` of `{name}` has {numbers}, but its input has {shape_rules.show(shape[-1:])} channels",
        numbers,
        "give one number, or one for each channel",
    )
