"""Pooling: windows without weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from archc.operators import kinds, shape_rules
from archc.operators.base import Operator, Problem, Role, Shape, Window, attribute
from archc.operators.shape_rules import Sizes, per_axis


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MaxPool(Operator):
    """The largest value of each window, in one, two or three dimensions by the rank of its input.

    `- max_pool: 2`, or `- max_pool: [3, 2, same]`, or `- max_pool: {size: 3, stride: 2, rounding: ceil}`.

    Shapes: `height' = ceil(height / stride)` for `same`, and else
    `height' = floor((height + before + after - size) / stride) + 1`. Padding never wins: it counts as minus infinity.

    Where frameworks disagree: Caffe rounds that division up, TensorFlow down, PyTorch down unless asked. A 3x3 pool
    at stride 2 makes 55 of 112 with `valid` and 56 with `rounding: ceil`, whose last window reaches over the end (it
    starts inside the input or the padding before it). `same` also gives 56, with all windows shifted where it pads.
    """

    name: ClassVar[str] = "max_pool"
    role: ClassVar[Role] = Role.POOLING
    positional: ClassVar[tuple[str, ...]] = ("size", "stride", "padding")

    size: int | Sizes = attribute(kinds.SIZE, "The window's size.", 2)
    stride: int | Sizes | None = attribute(kinds.OPTIONAL_SIZE, "The step between windows; the size by default.", None)
    padding: Any = attribute(kinds.PADDING, "The border around the input.", "valid")
    rounding: str = attribute(kinds.ROUNDING, "`ceil` adds a last window that reaches over the end.", "floor")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from _problems(self, inputs[0])

    def windows(self, axes: int) -> tuple[Sizes, Sizes, Sizes]:
        """Size, stride and dilation along each axis."""
        size = per_axis(self.size, axes)
        return size, size if self.stride is None else per_axis(self.stride, axes), (1,) * axes

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        sizes = shape_rules.spatial(inputs[0])
        windows = self.windows(len(sizes))
        return ((*shape_rules.window_sizes(self.padding, sizes, *windows, self.rounding), inputs[0][-1]),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        sizes = shape_rules.spatial(inputs[0])
        windows = self.windows(len(sizes))
        return Window(*windows, shape_rules.padding_of(self.padding, sizes, *windows))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AvgPool(Operator):
    """The mean of each window, in one, two or three dimensions by the rank of its input.

    `- avg_pool: 2`, or `- avg_pool: {size: 3, stride: 1, padding: same}`.

    Shapes: as `max_pool`. With `same` the mean is over the values that are there (TensorFlow). With a number, the
    border's zeros count (`count_include_pad`, PyTorch's default); with `count_include_pad: false` they do not.
    What a last window of `rounding: ceil` reads beyond the padded input never counts (PyTorch; Caffe the same).
    """

    name: ClassVar[str] = "avg_pool"
    role: ClassVar[Role] = Role.POOLING
    positional: ClassVar[tuple[str, ...]] = ("size", "stride", "padding")

    size: int | Sizes = attribute(kinds.SIZE, "The window's size.", 2)
    stride: int | Sizes | None = attribute(kinds.OPTIONAL_SIZE, "The step between windows; the size by default.", None)
    padding: Any = attribute(kinds.PADDING, "The border around the input.", "valid")
    rounding: str = attribute(kinds.ROUNDING, "`ceil` adds a last window that reaches over the end.", "floor")
    count_include_pad: bool = attribute(kinds.BOOLEAN, "A numeric padding's zeros count in the mean.", True)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from _problems(self, inputs[0])

    def windows(self, axes: int) -> tuple[Sizes, Sizes, Sizes]:
        """Size, stride and dilation along each axis."""
        size = per_axis(self.size, axes)
        return size, size if self.stride is None else per_axis(self.stride, axes), (1,) * axes

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        sizes = shape_rules.spatial(inputs[0])
        windows = self.windows(len(sizes))
        return ((*shape_rules.window_sizes(self.padding, sizes, *windows, self.rounding), inputs[0][-1]),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        sizes = shape_rules.spatial(inputs[0])
        windows = self.windows(len(sizes))
        return Window(*windows, shape_rules.padding_of(self.padding, sizes, *windows))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GlobalAvgPool(Operator):
    """The mean of each channel over all positions: `height x width x channels` to `channels`.

    `- global_avg_pool`, or with `keep_dims: true` to `1 x 1 x channels`, for gates and 1x1 convolutions after it.
    """

    name: ClassVar[str] = "global_avg_pool"
    role: ClassVar[Role] = Role.POOLING

    keep_dims: bool = attribute(kinds.BOOLEAN, "Keeps the spatial axes, at size 1.", False)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from shape_rules.first(shape_rules.rank_problem(self.name, inputs[0], (2, 3, 4)))

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return (_global(inputs[0], self.keep_dims),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        return None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GlobalMaxPool(Operator):
    """The largest value of each channel over all positions: `height x width x channels` to `channels`.

    `- global_max_pool`, or with `keep_dims: true` to `1 x 1 x channels`.
    """

    name: ClassVar[str] = "global_max_pool"
    role: ClassVar[Role] = Role.POOLING

    keep_dims: bool = attribute(kinds.BOOLEAN, "Keeps the spatial axes, at size 1.", False)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from shape_rules.first(shape_rules.rank_problem(self.name, inputs[0], (2, 3, 4)))

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return (_global(inputs[0], self.keep_dims),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        return None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AdaptiveAvgPool(Operator):
    """Means over a grid of a given size: `height x width x channels` to `size x size x channels`.

    `- adaptive_avg_pool: 7`. The window of position i runs from `floor(i * height / size)` to
    `ceil((i + 1) * height / size)`, so that windows may overlap (PyTorch's rule). The input's sizes must be known.
    """

    name: ClassVar[str] = "adaptive_avg_pool"
    role: ClassVar[Role] = Role.POOLING
    positional: ClassVar[tuple[str, ...]] = ("size",)

    size: int | Sizes = attribute(kinds.SIZE, "The sizes of the result.")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        shape = inputs[0]
        yield from shape_rules.first(
            shape_rules.rank_problem(self.name, shape, (2, 3, 4)),
            shape_rules.count_problem(self.name, "size", self.size, len(shape) - 1),
            shape_rules.open_problem(self.name, shape),
        )

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return ((*per_axis(self.size, len(inputs[0]) - 1), inputs[0][-1]),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        """The widest window; all of an axis where the result is one position."""
        sizes = [shape_rules.known(one) for one in inputs[0][:-1]]
        wanted = per_axis(self.size, len(sizes))
        if all(one == 1 for one in wanted):
            return None
        kernel = tuple(
            max(-(-(at + 1) * size // count) - at * size // count for at in range(count))
            for size, count in zip(sizes, wanted, strict=True)
        )
        stride = tuple(max(1, size // count) for size, count in zip(sizes, wanted, strict=True))
        return Window(kernel, stride, (1,) * len(sizes), ((0, 0),) * len(sizes))


def _problems(operator: MaxPool | AvgPool, shape: Shape) -> tuple[Problem, ...]:
    axes = len(shape) - 1
    found = shape_rules.first(
        shape_rules.rank_problem(operator.name, shape, (2, 3, 4)),
        shape_rules.count_problem(operator.name, "size", operator.size, axes),
        shape_rules.count_problem(operator.name, "stride", operator.stride, axes),
        shape_rules.count_problem(operator.name, "padding", operator.padding, axes),
    )
    return found or shape_rules.first(
        shape_rules.window_problem(operator.name, operator.padding, shape, *operator.windows(axes)),
        _all_padding_problem(operator, axes),
        _open_ceil_problem(operator, shape),
    )


def _all_padding_problem(operator: MaxPool | AvgPool, axes: int) -> Problem | None:
    if operator.padding in ("same", "valid"):
        return None
    pads = shape_rules.pairs(operator.padding, axes)
    for one, pad in zip(operator.windows(axes)[0], pads, strict=True):
        if max(pad) >= one:
            return Problem(
                shape_rules.codes.DOES_NOT_FIT,
                f"the padding of `{operator.name}` must be smaller than its window, but {max(pad)} is not below {one}",
                f"padding {max(pad)}, size {one}",
                "use a larger window or less padding",
            )
    return None


def _open_ceil_problem(operator: MaxPool | AvgPool, shape: Shape) -> Problem | None:
    if operator.rounding == "floor" or operator.padding == "same":
        return None
    return shape_rules.open_problem(f"{operator.name}` with `rounding: ceil", shape, channels=False)


def _global(shape: Shape, keep_dims: bool) -> Shape:
    return (*(1,) * (len(shape) - 1), shape[-1]) if keep_dims else (shape[-1],)
