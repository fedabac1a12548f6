"""Convolutions: weights that slide over the input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from archc.diagnostics import codes
from archc.operators import kinds, shape_rules
from archc.operators.base import (
    Operator,
    Problem,
    Role,
    Shape,
    Weight,
    Window,
    attribute,
)
from archc.operators.shape_rules import Initializer, Sizes, known, per_axis, times, weight


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Conv(Operator):
    """A convolution, in one, two or three dimensions by the rank of its input.

    `- conv: {filters: 64, kernel: 3, stride: 2, padding: same}` or, by position, `- conv: [64, 3, 2, same]`.

    Shapes: `height x width x channels` to `height' x width' x filters` (one and three dimensions likewise), with
    `height' = ceil(height / stride)` for `same`, and else
    `height' = floor((height + before + after - ((kernel - 1) * dilation + 1)) / stride) + 1`.
    Weights: `kernel * kernel * channels / groups * filters`, and `filters` biases. MACs: the kernel's weights times
    the output's positions. Kernel, stride, padding and dilation are in elements of the input.

    Where frameworks disagree: at stride 2, `same` (TensorFlow) pads as little as it can, and more after than before
    (0 and 1 for a kernel of 3 on 224, 2 and 3 for a kernel of 7). PyTorch and Caffe pad both sides alike, so their
    networks need a number: `padding: 1`, `padding: 3`. The sizes are often equal, and the windows shifted by one.
    """

    name: ClassVar[str] = "conv"
    role: ClassVar[Role] = Role.CONVOLUTION
    positional: ClassVar[tuple[str, ...]] = ("filters", "kernel", "stride", "padding", "activation")

    filters: int = attribute(kinds.POSITIVE, "The number of output channels.")
    kernel: int | Sizes = attribute(kinds.SIZE, "The window's size.", 1)
    stride: int | Sizes = attribute(kinds.SIZE, "The step between windows.", 1)
    padding: Any = attribute(kinds.CAUSAL_PADDING, "The zeros around the input; `causal` in one dimension.", "valid")
    activation: str = attribute(kinds.ACTIVATION, "What is applied to the result.", "linear")
    dilation: int | Sizes = attribute(kinds.SIZE, "The step between the taps of a window.", 1)
    groups: int = attribute(kinds.POSITIVE, "Channels are divided into so many parts that do not mix.", 1)
    bias: bool = attribute(kinds.BOOLEAN, "Adds one learned number per filter.", True)
    kernel_initializer: Initializer = attribute(kinds.INITIALIZER, "How the kernel starts.", "glorot_uniform")
    bias_initializer: Initializer = attribute(kinds.INITIALIZER, "How the bias starts.", "zeros")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        shape = inputs[0]
        found = _common(self, shape, (2, 3, 4), self.padding)
        if found:
            yield from found
            return
        axes, channels = len(shape) - 1, known(shape[-1])
        kernel, stride, dilation = self.windows(axes)
        yield from shape_rules.first(
            shape_rules.stretch_problem(self.name, self.stride, self.dilation, axes),
            shape_rules.divide_problem(self.name, "input channels", channels, self.groups),
            shape_rules.divide_problem(self.name, "filters", self.filters, self.groups),
            _causal_problem(self.name, self.padding, axes),
            shape_rules.window_problem(self.name, self.padding, shape, kernel, stride, dilation),
        )

    def windows(self, axes: int) -> tuple[Sizes, Sizes, Sizes]:
        """Kernel, stride and dilation along each axis."""
        return per_axis(self.kernel, axes), per_axis(self.stride, axes), per_axis(self.dilation, axes)

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        sizes = shape_rules.spatial(inputs[0])
        return ((*shape_rules.window_sizes(self.padding, sizes, *self.windows(len(sizes))), self.filters),)

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
        kernel = per_axis(self.kernel, len(inputs[0]) - 1)
        shape = (*kernel, known(inputs[0][-1]) // self.groups, self.filters)
        return _with_bias(weight("kernel", shape, self.kernel_initializer), self, self.filters)

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int | None:
        return times(self.weights(inputs)[0].size, *outputs[0][:-1])

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        sizes = shape_rules.spatial(inputs[0])
        windows = self.windows(len(sizes))
        return Window(*windows, shape_rules.padding_of(self.padding, sizes, *windows))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DepthwiseConv(Operator):
    """A convolution of each channel by itself, in one or two dimensions by the rank of its input.

    `- depthwise_conv: [3, 2, same]`.

    Shapes: `height x width x channels` to `height' x width' x (channels * multiplier)`, sizes as for `conv`.
    Weights: `kernel * kernel * channels * multiplier`, and as many biases as output channels. MACs: the kernel's
    weights times the output's positions. Strides are equal along both axes, as the frameworks' kernels need.
    """

    name: ClassVar[str] = "depthwise_conv"
    role: ClassVar[Role] = Role.CONVOLUTION
    positional: ClassVar[tuple[str, ...]] = ("kernel", "stride", "padding", "activation")

    kernel: int | Sizes = attribute(kinds.SIZE, "The window's size.", 3)
    stride: int | Sizes = attribute(kinds.SIZE, "The step between windows.", 1)
    padding: Any = attribute(kinds.PADDING, "The zeros around the input.", "valid")
    activation: str = attribute(kinds.ACTIVATION, "What is applied to the result.", "linear")
    multiplier: int = attribute(kinds.POSITIVE, "The number of output channels for each input channel.", 1)
    dilation: int | Sizes = attribute(kinds.SIZE, "The step between the taps of a window.", 1)
    bias: bool = attribute(kinds.BOOLEAN, "Adds one learned number per output channel.", True)
    kernel_initializer: Initializer = attribute(kinds.INITIALIZER, "How the kernel starts.", "glorot_uniform")
    bias_initializer: Initializer = attribute(kinds.INITIALIZER, "How the bias starts.", "zeros")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        shape = inputs[0]
        found = _common(self, shape, (2, 3), self.padding)
        if found:
            yield from found
            return
        axes = len(shape) - 1
        yield from shape_rules.first(
            shape_rules.stretch_problem(self.name, self.stride, self.dilation, axes),
            shape_rules.uniform_problem(self.name, self.stride, axes),
            shape_rules.window_problem(self.name, self.padding, shape, *self.windows(axes)),
        )

    def windows(self, axes: int) -> tuple[Sizes, Sizes, Sizes]:
        """Kernel, stride and dilation along each axis."""
        return per_axis(self.kernel, axes), per_axis(self.stride, axes), per_axis(self.dilation, axes)

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        sizes = shape_rules.spatial(inputs[0])
        channels = known(inputs[0][-1]) * self.multiplier
        return ((*shape_rules.window_sizes(self.padding, sizes, *self.windows(len(sizes))), channels),)

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
        channels = known(inputs[0][-1])
        shape = (*per_axis(self.kernel, len(inputs[0]) - 1), channels, self.multiplier)
        return _with_bias(weight("kernel", shape, self.kernel_initializer), self, channels * self.multiplier)

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int | None:
        return times(self.weights(inputs)[0].size, *outputs[0][:-1])

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        sizes = shape_rules.spatial(inputs[0])
        windows = self.windows(len(sizes))
        return Window(*windows, shape_rules.padding_of(self.padding, sizes, *windows))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SeparableConv(Operator):
    """A depthwise convolution and a 1x1 convolution after it, with nothing between, in one or two dimensions.

    `- separable_conv: {filters: 128, kernel: 3, padding: same}`.

    Shapes: as `conv`. Weights: `kernel * kernel * channels * multiplier` (depthwise), then
    `channels * multiplier * filters` (pointwise), and `filters` biases. MACs: both kernels' weights times the output's
    positions. Where a network normalises between the two, write `depthwise_conv`, `batch_norm` and `conv`.
    """

    name: ClassVar[str] = "separable_conv"
    role: ClassVar[Role] = Role.CONVOLUTION
    positional: ClassVar[tuple[str, ...]] = ("filters", "kernel", "stride", "padding", "activation")

    filters: int = attribute(kinds.POSITIVE, "The number of output channels.")
    kernel: int | Sizes = attribute(kinds.SIZE, "The window's size.", 3)
    stride: int | Sizes = attribute(kinds.SIZE, "The step between windows.", 1)
    padding: Any = attribute(kinds.PADDING, "The zeros around the input.", "valid")
    activation: str = attribute(kinds.ACTIVATION, "What is applied to the result.", "linear")
    multiplier: int = attribute(kinds.POSITIVE, "The number of depthwise channels for each input channel.", 1)
    dilation: int | Sizes = attribute(kinds.SIZE, "The step between the taps of a window.", 1)
    bias: bool = attribute(kinds.BOOLEAN, "Adds one learned number per filter.", True)
    depthwise_initializer: Initializer = attribute(kinds.INITIALIZER, "How the depthwise kernel starts.", "glorot_uniform")
    pointwise_initializer: Initializer = attribute(kinds.INITIALIZER, "How the pointwise kernel starts.", "glorot_uniform")
    bias_initializer: Initializer = attribute(kinds.INITIALIZER, "How the bias starts.", "zeros")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        shape = inputs[0]
        found = _common(self, shape, (2, 3), self.padding)
        if found:
            yield from found
            return
        axes = len(shape) - 1
        yield from shape_rules.first(
            shape_rules.stretch_problem(self.name, self.stride, self.dilation, axes),
            shape_rules.uniform_problem(self.name, self.stride, axes),
            shape_rules.window_problem(self.name, self.padding, shape, *self.windows(axes)),
        )

    def windows(self, axes: int) -> tuple[Sizes, Sizes, Sizes]:
        """Kernel, stride and dilation along each axis."""
        return per_axis(self.kernel, axes), per_axis(self.stride, axes), per_axis(self.dilation, axes)

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        sizes = shape_rules.spatial(inputs[0])
        return ((*shape_rules.window_sizes(self.padding, sizes, *self.windows(len(sizes))), self.filters),)

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
        channels, axes = known(inputs[0][-1]), len(inputs[0]) - 1
        depthwise = weight(
            "depthwise_kernel", (*per_axis(self.kernel, axes), channels, self.multiplier), self.depthwise_initializer
        )
        pointwise = weight(
            "pointwise_kernel", (*(1,) * axes, channels * self.multiplier, self.filters), self.pointwise_initializer
        )
        return (depthwise, *_with_bias(pointwise, self, self.filters))

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int | None:
        depthwise, pointwise = self.weights(inputs)[:2]
        return times(depthwise.size + pointwise.size, *outputs[0][:-1])

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        sizes = shape_rules.spatial(inputs[0])
        windows = self.windows(len(sizes))
        return Window(*windows, shape_rules.padding_of(self.padding, sizes, *windows))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ConvTranspose(Operator):
    """A transposed convolution: the gradient of `conv` as a forward step, which makes the input larger.

    `- conv_transpose: {filters: 32, kernel: 2, stride: 2}`.

    Shapes: `size * stride` for `same`; `(size - 1) * stride + (kernel - 1) * dilation + 1` for `valid` (at least
    `size * stride`, Keras's rule); a number crops that much from both sides of the `valid` result, as PyTorch's
    `padding` does. `output_padding` adds to the end; it is below the stride. With `same` it replaces Keras's own
    choice: `(size - 1) * stride + kernel - 2 * (kernel // 2) + output_padding`, which needs to be positive where the
    window is even.
    Weights: `kernel * kernel * filters / groups * channels`, and `filters` biases. MACs: the kernel's weights times
    the positions of the *input*, the multiplications that are made.
    """

    name: ClassVar[str] = "conv_transpose"
    role: ClassVar[Role] = Role.CONVOLUTION
    positional: ClassVar[tuple[str, ...]] = ("filters", "kernel", "stride", "padding", "activation")

    filters: int = attribute(kinds.POSITIVE, "The number of output channels.")
    kernel: int | Sizes = attribute(kinds.SIZE, "The window's size.", 2)
    stride: int | Sizes = attribute(kinds.SIZE, "How much larger the result is.", 1)
    padding: Any = attribute(kinds.PADDING, "What is cropped from the sides of the full result.", "valid")
    activation: str = attribute(kinds.ACTIVATION, "What is applied to the result.", "linear")
    output_padding: Any = attribute(kinds.OPTIONAL_AMOUNT, "Added to the end of the result; below the stride.", None)
    dilation: int | Sizes = attribute(kinds.SIZE, "The step between the taps of a window.", 1)
    groups: int = attribute(kinds.POSITIVE, "Channels are divided into so many parts that do not mix.", 1)
    bias: bool = attribute(kinds.BOOLEAN, "Adds one learned number per filter.", True)
    kernel_initializer: Initializer = attribute(kinds.INITIALIZER, "How the kernel starts.", "glorot_uniform")
    bias_initializer: Initializer = attribute(kinds.INITIALIZER, "How the bias starts.", "zeros")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        shape = inputs[0]
        found = _common(self, shape, (2, 3, 4), self.padding)
        if not found:
            found = shape_rules.first(
                shape_rules.count_problem(self.name, "output_padding", self.output_padding, len(shape) - 1)
            )
        if found:
            yield from found
            return
        axes, channels = len(shape) - 1, known(shape[-1])
        yield from shape_rules.first(
            shape_rules.stretch_problem(self.name, self.stride, self.dilation, axes),
            shape_rules.divide_problem(self.name, "input channels", channels, self.groups),
            shape_rules.divide_problem(self.name, "filters", self.filters, self.groups),
            self._output_padding_problem(axes),
            self._crop_problem(shape),
        )

    def _output_padding_problem(self, axes: int) -> Problem | None:
        extra = per_axis(self.output_padding or 0, axes)
        stride = per_axis(self.stride, axes)
        if self.output_padding is not None and self.padding == "same":
            kernel, _, dilation = self.windows(axes)
            reaches = [shape_rules.extent(taps, apart) for taps, apart in zip(kernel, dilation, strict=True)]
            if any(reach % 2 == 0 and not one for reach, one in zip(reaches, extra, strict=True)):
                return Problem(
                    codes.COMBINATION,
                    f"`{self.name}` with `padding: same`, an even window and `output_padding: 0` has no convolution it undoes",
                    f"the window reaches over {shape_rules.show(tuple(reaches))}, and `same` makes `size - 1` of such a result",
                    "leave out `output_padding`, or give `padding` as a number",
                )
        if all(one < step for one, step in zip(extra, stride, strict=True)) or not any(extra):
            return None
        return Problem(
            codes.COMBINATION,
            f"`output_padding` of `{self.name}` must be below the stride, but {max(extra)} is not below {min(stride)}",
            f"output_padding {max(extra)}, stride {min(stride)}",
            "use a smaller `output_padding`",
        )

    def _crop_problem(self, shape: Shape) -> Problem | None:
        for size, got in zip(shape[:-1], self.shapes((shape,))[0][:-1], strict=True):
            if got is not None and got < 1:
                return Problem(
                    codes.DOES_NOT_FIT,
                    f"the padding of `{self.name}` crops all of the result: {size} becomes {got}",
                    f"the input is {shape_rules.show(shape)}",
                    "use less padding",
                )
        return None

    def windows(self, axes: int) -> tuple[Sizes, Sizes, Sizes]:
        """Kernel, stride and dilation along each axis."""
        return per_axis(self.kernel, axes), per_axis(self.stride, axes), per_axis(self.dilation, axes)

    def full_sizes(self, sizes: Shape) -> Shape:
        """The sizes before a numeric padding is cropped."""
        axes = len(sizes)
        extra = (None,) * axes if self.output_padding is None else per_axis(self.output_padding, axes)
        if self.output_padding is None and self.padding not in ("same", "valid"):
            extra = (0,) * axes
        found: list[int | None] = []
        for size, kernel, stride, dilation, more in zip(sizes, *self.windows(axes), extra, strict=True):
            reach = shape_rules.extent(kernel, dilation)
            if size is None:
                found.append(None)
            elif more is None:
                found.append(size * stride if self.padding == "same" else size * stride + max(reach - stride, 0))
            else:
                cropped = 2 * (reach // 2) if self.padding == "same" else 0
                found.append((size - 1) * stride + reach - cropped + more)
        return tuple(found)

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        sizes = self.full_sizes(inputs[0][:-1])
        if self.padding in ("same", "valid"):
            return ((*sizes, self.filters),)
        pads = shape_rules.pairs(self.padding, len(sizes))
        cropped = tuple(None if size is None else size - sum(pad) for size, pad in zip(sizes, pads, strict=True))
        return ((*cropped, self.filters),)

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
        """One kernel and one bias for each group, since no framework layer of ours has grouped ones."""
        kernel = per_axis(self.kernel, len(inputs[0]) - 1)
        filters = self.filters // self.groups
        shape = (*kernel, filters, known(inputs[0][-1]) // self.groups)
        return _with_bias(weight("kernel", shape, self.kernel_initializer), self, filters) * self.groups

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int | None:
        return times(self.weights(inputs)[0].size, self.groups, *inputs[0][:-1])

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        """Each output reads `ceil(kernel / stride)` inputs; the step of an upsampling is taken as 1."""
        axes = len(inputs[0]) - 1
        kernel, stride, dilation = self.windows(axes)
        reach = tuple(
            -(-shape_rules.extent(one, rate) // step) for one, step, rate in zip(kernel, stride, dilation, strict=True)
        )
        return Window(reach, (1,) * axes, (1,) * axes, None)


def _common(
    operator: Conv | DepthwiseConv | SeparableConv | ConvTranspose, shape: Shape, ranks: tuple[int, ...], padding: Any
) -> tuple[Problem, ...]:
    axes = len(shape) - 1
    return shape_rules.first(
        shape_rules.rank_problem(operator.name, shape, ranks),
        shape_rules.channels_problem(operator.name, shape),
        shape_rules.count_problem(operator.name, "kernel", operator.kernel, axes),
        shape_rules.count_problem(operator.name, "stride", operator.stride, axes),
        shape_rules.count_problem(operator.name, "dilation", operator.dilation, axes),
        shape_rules.count_problem(operator.name, "padding", padding, axes),
    )


def _causal_problem(name: str, padding: Any, axes: int) -> Problem | None:
    if padding != "causal" or axes == 1:
        return None
    return Problem(
        codes.COMBINATION,
        f"`{name}` has causal padding in one dimension only, but its input has {axes} spatial axes",
        f"{axes} spatial axes",
        "use `same`, or explicit pairs such as `padding: [[2, 0], [2, 0]]`",
    )


def _with_bias(
    kernel: Weight, operator: Conv | DepthwiseConv | SeparableConv | ConvTranspose, size: int
) -> tuple[Weight, ...]:
    if not operator.bias:
        return (kernel,)
    return (kernel, weight("bias", (size,), operator.bias_initializer))
