"""Reshaping: the same values in another arrangement, fewer of them, or a border around them."""

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
    Window,
    attribute,
    product,
    show,
)
from archc.operators.shape_rules import Padding, Sizes, known, pairs, per_axis


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Flatten(Operator):
    """All axes as one, in the order of memory (channels last): `5 x 5 x 16` to `400`.

    Caffe and PyTorch keep channels first, so weights of a `dense` after it are in another order there.
    """

    name: ClassVar[str] = "flatten"
    role: ClassVar[Role] = Role.RESHAPING

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return ((product(inputs[0]),),)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Reshape(Operator):
    """The same values under another shape; -1, once, stands for what is left over.

    `- reshape: [7, 7, -1]`.
    """

    name: ClassVar[str] = "reshape"
    role: ClassVar[Role] = Role.RESHAPING
    positional: ClassVar[tuple[str, ...]] = ("shape",)

    shape: Sizes = attribute(kinds.TARGET_SHAPE, "The new shape without the batch axis.")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        if self.shape.count(-1) > 1 or 0 in self.shape:
            yield Problem(
                codes.WRONG_VALUE,
                f"`reshape` takes positive sizes and at most one -1, but got {list(self.shape)}",
                "at most one -1",
                "state the other sizes",
            )
            return
        total, stated = product(inputs[0]), 1
        for one in self.shape:
            stated *= abs(one)
        if total is None or (total % stated == 0 if -1 in self.shape else total == stated):
            return
        target = "x".join("?" if one == -1 else str(one) for one in self.shape)
        relation = "a multiple of " if -1 in self.shape else ""
        yield Problem(
            codes.ELEMENTS_DIFFER,
            f"`reshape` cannot make {target} of {show(inputs[0])}: its {total} elements are not {relation}{stated}",
            f"the input is {show(inputs[0])}, {total} elements",
            "use -1 for one size, so that it is computed",
        )

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        total, stated = product(inputs[0]), 1
        for one in self.shape:
            stated *= abs(one)
        left = None if total is None else total // stated
        return (tuple(left if one == -1 else one for one in self.shape),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        return None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Permute(Operator):
    """The axes in another order; axis 1 is the first after the batch.

    `- permute: [2, 1, 3]` exchanges height and width.
    """

    name: ClassVar[str] = "permute"
    role: ClassVar[Role] = Role.RESHAPING
    positional: ClassVar[tuple[str, ...]] = ("order",)

    order: Sizes = attribute(kinds.AXES, "For each axis of the result, the axis of the input, counted from 1.")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        axes = list(range(1, len(inputs[0]) + 1))
        if sorted(self.order) != axes:
            yield Problem(
                codes.AXIS,
                f"`permute` needs each of the axes {axes} once, but got {list(self.order)}",
                f"the input is {show(inputs[0])}",
                "list every axis once, counted from 1",
            )

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return (tuple(inputs[0][axis - 1] for axis in self.order),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        return None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Pad(Operator):
    """A border: `height + before + after`.

    `- pad: 1`, `- pad: [[0, 1], [0, 1]]`, `- pad: {amounts: 3, mode: reflect}`. A list has one item for each
    spatial axis: an amount for both sides, or a pair.
    """

    name: ClassVar[str] = "pad"
    role: ClassVar[Role] = Role.RESHAPING
    positional: ClassVar[tuple[str, ...]] = ("amounts",)

    amounts: Any = attribute(kinds.AMOUNTS, "How much is added to the sides.")
    mode: str = attribute(kinds.PAD_MODE, "Zeros, or the input mirrored without or with its edge.", "zeros")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        shape = inputs[0]
        found = shape_rules.first(
            shape_rules.rank_problem(self.name, shape, (2, 3, 4)),
            shape_rules.count_problem(self.name, "amounts", self.amounts, len(shape) - 1),
        )
        yield from found
        if found or self.mode == "zeros":
            return
        room = 1 if self.mode == "reflect" else 0
        for axis, size, pad in zip(shape_rules.axis_names(shape), shape[:-1], self.pads(shape), strict=False):
            if size is not None and max(pad) > size - room:
                yield Problem(
                    codes.DOES_NOT_FIT,
                    f"`pad` cannot mirror {max(pad)} of {size} positions along the {axis} in mode `{self.mode}`",
                    f"the input is {show(shape)}",
                    "use a smaller border, or zeros",
                )
                return

    def pads(self, shape: Shape) -> Padding:
        """The amounts before and after along each spatial axis."""
        return pairs(self.amounts, len(shape) - 1)

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        shape = inputs[0]
        sizes = (None if size is None else size + sum(pad) for size, pad in zip(shape, self.pads(shape), strict=False))
        return ((*sizes, shape[-1]),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        axes = len(inputs[0]) - 1
        return Window((1,) * axes, (1,) * axes, (1,) * axes, self.pads(inputs[0]))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PadChannels(Operator):
    """Zeros as further channels, behind those that are there: `height x width x channels` to `height x width x filters`.

    `- pad_channels: 128`: the shortcut without weights where channels grow (He et al. 2015, option A).
    """

    name: ClassVar[str] = "pad_channels"
    role: ClassVar[Role] = Role.RESHAPING
    positional: ClassVar[tuple[str, ...]] = ("filters",)

    filters: int = attribute(kinds.POSITIVE, "The number of output channels.")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        found = shape_rules.first(shape_rules.channels_problem(self.name, inputs[0]))
        yield from found
        if found or self.filters >= known(inputs[0][-1]):
            return
        yield Problem(
            codes.DOES_NOT_FIT,
            f"`pad_channels` makes {self.filters} channels, but the input has {known(inputs[0][-1])}",
            f"the input is {show(inputs[0])}",
            "state at least as many channels as the input has",
        )

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return ((*inputs[0][:-1], self.filters),)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Crop(Operator):
    """The input without its border: `height - before - after`, or the middle of it, `to` a size.

    `- crop: 4`, `- crop: [[4, 5], [4, 5]]`, `- crop: {to: [56, 56]}`. Where the rest of `to` is odd, one
    more is cropped at the end.
    """

    name: ClassVar[str] = "crop"
    role: ClassVar[Role] = Role.RESHAPING
    positional: ClassVar[tuple[str, ...]] = ("amounts",)

    amounts: Any = attribute(kinds.OPTIONAL_AMOUNTS, "How much is cropped from the sides.", None)
    to: Any = attribute(kinds.OPTIONAL_SIZE, "The size that is kept.", None)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        shape = inputs[0]
        if (self.amounts is None) == (self.to is None):
            yield Problem(
                codes.COMBINATION,
                "`crop` takes either `amounts` or `to`",
                "one of the two",
                "write `crop: 4` or `crop: {to: 56}`",
            )
            return
        found = shape_rules.first(
            shape_rules.rank_problem(self.name, shape, (2, 3, 4)),
            shape_rules.count_problem(self.name, "amounts", self.amounts, len(shape) - 1),
            shape_rules.count_problem(self.name, "to", self.to, len(shape) - 1),
            None if self.to is None else shape_rules.open_problem(self.name, (*shape[:-1], 1)),
        )
        yield from found
        if not found:
            yield from shape_rules.first(self._fit_problem(shape))

    def _fit_problem(self, shape: Shape) -> Problem | None:
        for axis, size, crop in zip(shape_rules.axis_names(shape), shape[:-1], self.crops(shape), strict=False):
            if size is None or (min(crop) >= 0 and size > sum(crop)):
                continue
            wanted = f"{crop[0]} + {crop[1]}" if self.to is None else f"to {size - sum(crop)}"
            return Problem(
                codes.DOES_NOT_FIT,
                f"`crop` cannot crop {wanted} along the {axis}, where the input has {size}",
                f"the input is {show(shape)}",
                "crop less",
            )
        return None

    def crops(self, shape: Shape) -> Padding:
        """The amounts before and after along each spatial axis."""
        axes = len(shape) - 1
        if self.to is None:
            return pairs(self.amounts, axes)
        rest = [known(size) - wanted for size, wanted in zip(shape[:-1], per_axis(self.to, axes), strict=True)]
        return tuple((one // 2, one - one // 2) for one in rest)

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        shape = inputs[0]
        sizes = (
            None if size is None else size - sum(crop) for size, crop in zip(shape, self.crops(shape), strict=False)
        )
        return ((*sizes, shape[-1]),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        axes = len(inputs[0]) - 1
        pads = tuple((-before, -after) for before, after in self.crops(inputs[0]))
        return Window((1,) * axes, (1,) * axes, (1,) * axes, pads)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Upsample(Operator):
    """Every position repeated, or interpolated in two dimensions: `height * size`.

    `- upsample: 2`, `- upsample: {size: 2, interpolation: bilinear}`. Corners are not aligned (half-pixel centres).
    """

    name: ClassVar[str] = "upsample"
    role: ClassVar[Role] = Role.RESHAPING
    positional: ClassVar[tuple[str, ...]] = ("size", "interpolation")

    size: int | Sizes = attribute(kinds.SIZE, "How many times larger the result is.", 2)
    interpolation: str = attribute(kinds.INTERPOLATION, "How values between positions are found.", "nearest")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        shape = inputs[0]
        yield from shape_rules.first(
            shape_rules.rank_problem(self.name, shape, (2, 3, 4)),
            shape_rules.count_problem(self.name, "size", self.size, len(shape) - 1),
            _interpolation_problem(self.name, self.interpolation, shape),
        )

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        shape = inputs[0]
        factors = per_axis(self.size, len(shape) - 1)
        sizes = (None if size is None else size * factor for size, factor in zip(shape, factors, strict=False))
        return ((*sizes, shape[-1]),)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Resize(Operator):
    """An image interpolated to a size.

    `- resize: 224`, `- resize: [224, 192]`, `- resize: {size: [224, 192], interpolation: bicubic}`. Corners are not aligned.
    """

    name: ClassVar[str] = "resize"
    role: ClassVar[Role] = Role.RESHAPING
    positional: ClassVar[tuple[str, ...]] = ("size", "interpolation")

    size: int | Sizes = attribute(kinds.SIZE, "Height and width of the result.")
    interpolation: str = attribute(kinds.RESIZE_INTERPOLATION, "How values between positions are found.", "bilinear")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from shape_rules.first(
            shape_rules.rank_problem(self.name, inputs[0], (3,)),
            shape_rules.count_problem(self.name, "size", self.size, 2),
        )

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return ((*per_axis(self.size, 2), inputs[0][-1]),)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Select(Operator):
    """Some of the channels, in the order given; counted from 0.

    `- select: [0, 1, 2]`: the feature maps that a map of LeNet's C3 reads.
    """

    name: ClassVar[str] = "select"
    role: ClassVar[Role] = Role.RESHAPING
    positional: ClassVar[tuple[str, ...]] = ("channels",)

    channels: Sizes = attribute(kinds.CHANNELS, "The channels that are kept.")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        found = shape_rules.first(shape_rules.channels_problem(self.name, inputs[0]))
        yield from found
        if found or max(self.channels) < known(inputs[0][-1]):
            return
        yield Problem(
            codes.DOES_NOT_FIT,
            f"`select` takes channel {max(self.channels)}, but the input has the channels 0 to {known(inputs[0][-1]) - 1}",
            f"the input is {show(inputs[0])}",
            "channels count from 0",
        )

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return ((*inputs[0][:-1], len(self.channels)),)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Split(Operator):
    """The channels divided into several tensors, equal ones or of given sizes.

    `- split: 2` with `as: [left, right]`, `- split: [16, 48]`.
    """

    name: ClassVar[str] = "split"
    role: ClassVar[Role] = Role.RESHAPING
    positional: ClassVar[tuple[str, ...]] = ("parts",)

    parts: int | Sizes = attribute(kinds.PARTS, "How many equal parts, or the list of their sizes.", 2)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        found = shape_rules.first(shape_rules.channels_problem(self.name, inputs[0]))
        yield from found
        if found:
            return
        channels = known(inputs[0][-1])
        if isinstance(self.parts, int):
            yield from shape_rules.first(shape_rules.divide_problem(self.name, "channels", channels, self.parts))
        elif sum(self.parts) != channels:
            yield Problem(
                codes.DOES_NOT_DIVIDE,
                f"the parts of `split` add up to {' + '.join(map(str, self.parts))} = {sum(self.parts)}, but the input has "
                f"{channels} channels",
                f"the input is {show(inputs[0])}",
                "the parts must add up to the channels",
            )

    def sizes(self, channels: int) -> Sizes:
        """The number of channels of each part."""
        if isinstance(self.parts, int):
            return (channels // self.parts,) * self.parts
        return self.parts

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return tuple((*inputs[0][:-1], one) for one in self.sizes(known(inputs[0][-1])))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Slice(Operator):
    """A range along one axis, from `start` up to and without `stop`; negative numbers count from the end.

    `- slice: {axis: length, start: 0, stop: 1}`.
    """

    name: ClassVar[str] = "slice"
    role: ClassVar[Role] = Role.RESHAPING

    axis: Any = attribute(kinds.AXIS, "The axis that is cut.", "channels")
    start: int = attribute(kinds.INTEGER, "The first position that is kept.", 0)
    stop: int | None = attribute(kinds.OPTIONAL_INTEGER, "The position after the last one; all by default.", None)
    step: int = attribute(kinds.POSITIVE, "The step between positions.", 1)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        axis = shape_rules.resolve_axis(self.axis, inputs[0])
        if axis is None:
            yield shape_rules.axis_problem(self.name, self.axis, inputs[0])
            return
        size = inputs[0][axis]
        if size is None:
            yield from shape_rules.first(shape_rules.open_problem(self.name, inputs[0]))
        elif not self.positions(size):
            yield Problem(
                codes.DOES_NOT_FIT,
                f"`slice` from {self.start} to {'the end' if self.stop is None else self.stop} is empty along an axis of {size}",
                f"the input is {show(inputs[0])}",
                "positions count from 0, or from the end with a minus",
            )

    def positions(self, size: int) -> range:
        """The positions that are kept of an axis of this size."""
        return range(*slice(self.start, self.stop, self.step).indices(size))

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        axis = shape_rules.resolve_axis(self.axis, inputs[0]) or 0
        kept = len(self.positions(known(inputs[0][axis])))
        return ((*inputs[0][:axis], kept, *inputs[0][axis + 1 :]),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        shape = inputs[0]
        axis = shape_rules.resolve_axis(self.axis, shape) or 0
        ones = [1] * (len(shape) - 1)
        stride, pads = list(ones), [(0, 0)] * len(ones)
        if axis < len(ones):
            kept = self.positions(known(shape[axis]))
            stride[axis], pads[axis] = self.step, (-kept[0], kept[-1] + 1 - known(shape[axis]))
        return Window(tuple(ones), tuple(stride), tuple(ones), tuple(pads))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ChannelShuffle(Operator):
    """The channels of several groups dealt out in turn (ShuffleNet): `a a b b` becomes `a b a b`.

    `- channel_shuffle: 2`. Channel `i * (channels / groups) + j` becomes channel `j * groups + i`.
    """

    name: ClassVar[str] = "channel_shuffle"
    role: ClassVar[Role] = Role.RESHAPING
    positional: ClassVar[tuple[str, ...]] = ("groups",)

    groups: int = attribute(kinds.POSITIVE, "The number of groups.")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        found = shape_rules.first(shape_rules.channels_problem(self.name, inputs[0]))
        yield from found or shape_rules.first(
            shape_rules.divide_problem(self.name, "channels", known(inputs[0][-1]), self.groups)
        )


def _interpolation_problem(name: str, interpolation: str, shape: Shape) -> Problem | None:
    if interpolation == "nearest" or len(shape) == 3:
        return None
    return Problem(
        codes.COMBINATION,
        f"`{name}` interpolates images only; in {len(shape) - 1} spatial axes it has `nearest`, not `{interpolation}`",
        f"the input is {show(shape)}",
        "use `interpolation: nearest`",
    )
