"""What several operators share: windows and their padding, broadcasting, axes, and the problems that they find."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, cast

from archc.diagnostics import codes
from archc.operators.base import Problem, Shape, Weight, product, show

Padding = tuple[tuple[int, int], ...]
Sizes = tuple[int, ...]
Initializer = str | Mapping[str, Any]
"""The name of an initialiser, or the settings of variance scaling."""

_AXIS_NAMES: dict[int, tuple[str, ...]] = {
    1: ("channels",),
    2: ("length", "channels"),
    3: ("height", "width", "channels"),
    4: ("depth", "height", "width", "channels"),
}


def spatial(shape: Shape) -> Shape:
    """The sizes along the axes before the channels."""
    return shape[:-1]


def axis_names(shape: Shape) -> tuple[str, ...]:
    """What the axes of a shape are called."""
    return _AXIS_NAMES.get(len(shape)) or tuple(f"axis {index}" for index in range(len(shape)))


def per_axis(value: Any, axes: int) -> Sizes:
    """One number for each axis: `per_axis(3, 2) == (3, 3)`."""
    return (value,) * axes if isinstance(value, int) else tuple(value)


def pairs(value: Any, axes: int) -> Padding:
    """Amounts before and after for each axis: `pairs((1, (0, 2)), 2) == ((1, 1), (0, 2))`."""
    numbers = (value,) * axes if isinstance(value, int) else tuple(value)
    return tuple((one, one) if isinstance(one, int) else (one[0], one[1]) for one in numbers)


def extent(kernel: int, dilation: int) -> int:
    """How far a window reaches: `extent(3, 2) == 5`."""
    return (kernel - 1) * dilation + 1


def padding_of(padding: Any, sizes: Shape, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Padding | None:
    """The padding before and after along each axis; `None` where `same` depends on a size left open.

    `same` at stride 2 pads less, and more after than before: `padding_of("same", (4,), (3,), (2,), (1,)) == ((0, 1),)`
    and `padding_of("same", (224,), (7,), (2,), (1,)) == ((2, 3),)`.
    """
    axes = len(sizes)
    if padding == "valid":
        return ((0, 0),) * axes
    if padding == "causal":
        return tuple((extent(one, rate) - 1, 0) for one, rate in zip(kernel, dilation, strict=True))
    if padding != "same":
        return pairs(padding, axes)
    found: list[tuple[int, int]] = []
    for size, one, step, rate in zip(sizes, kernel, stride, dilation, strict=True):
        if size is None and step > 1:
            return None
        outputs = 1 if size is None else -(-size // step)
        total = max(0, (outputs - 1) * step + extent(one, rate) - (1 if size is None else size))
        found.append((total // 2, total - total // 2))
    return tuple(found)


def window_size(
    padding: Any, size: int | None, kernel: int, stride: int, dilation: int = 1, rounding: str = "floor"
) -> int | None:
    """How many windows fit along one axis.

    With `ceil` a last window may reach over the end, but it starts inside the input or the padding before it (as in
    Caffe and PyTorch): `window_size(0, 112, 3, 2, rounding="ceil") == 56`.
    """
    if size is None:
        return None
    if padding in ("same", "causal"):
        return -(-size // stride)
    before, after = (0, 0) if padding == "valid" else pairs((padding,), 1)[0]
    room = size + before + after - extent(kernel, dilation)
    if rounding == "floor":
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + before else count


def window_sizes(
    padding: Any, sizes: Shape, kernel: Sizes, stride: Sizes, dilation: Sizes, rounding: str = "floor"
) -> Shape:
    """How many windows fit along each axis."""
    each = (padding,) * len(sizes) if isinstance(padding, (str, int)) else tuple(padding)
    return tuple(
        window_size(one, size, reach, step, rate, rounding)
        for one, size, reach, step, rate in zip(each, sizes, kernel, stride, dilation, strict=True)
    )


def overhang(size: int, pad: tuple[int, int], kernel: int, stride: int, count: int) -> int:
    """How far the last of `count` windows reaches over the padded end, where pooling rounds up."""
    return max(0, (count - 1) * stride + kernel - (size + pad[0] + pad[1]))


def resolve_axis(axis: Any, shape: Shape) -> int | None:
    """The number of an axis, counted from 0 without the batch axis; `None` where the shape has no such axis."""
    if isinstance(axis, str):
        names = axis_names(shape)
        if axis == "channels" and shape:
            return len(shape) - 1
        return names.index(axis) if axis in names else None
    number = axis + len(shape) if axis < 0 else axis
    return number if 0 <= number < len(shape) else None


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Keras's fan-in and fan-out of a weight's shape."""
    if not shape:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    field = 1
    for one in shape[:-2]:
        field *= one
    return shape[-2] * field, shape[-1] * field


def weight(name: str, shape: tuple[int, ...], initializer: Initializer, trainable: bool = True) -> Weight:
    """A weight with the fans that Keras computes from its shape; a mapping is variance scaling, as one text."""
    fan_in, fan_out = fans(shape)
    return Weight(name, shape, initializer if isinstance(initializer, str) else _scaled(cast(Any, initializer)), trainable, fan_in, fan_out)


@lru_cache(maxsize=256)
def _scaled(initializer: Any) -> str:
    return ":".join(map(str, ("variance_scaling", *variance_scaling(initializer).values())))


def variance_scaling(stated: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of Keras's `VarianceScaling`, its defaults for those that are not stated."""
    return {"scale": float(stated.get("scale", 1.0)), "mode": stated["mode"], "distribution": stated.get("distribution", "truncated_normal")}


def known(size: int | None) -> int:
    """A size that `check` has found to be known."""
    if size is None:
        raise AssertionError("check refuses an open size here")
    return size


def times(*sizes: int | None) -> int | None:
    """The product of sizes; `None` where one is open."""
    return product(sizes)


def broadcast(shapes: Iterable[Shape]) -> Shape | None:
    """The shape that all stretch to, aligned at the channels; `None` where they do not fit.

    An open size fits every size and stays open: `broadcast([(28, 28, 8), (1, 1, 8)]) == (28, 28, 8)`.
    """
    result: list[int | None] = []
    for shape in shapes:
        longer, shorter = (shape, result) if len(shape) > len(result) else (result, shape)
        merged = list(longer)
        for index in range(1, len(shorter) + 1):
            one, other = longer[-index], shorter[-index]
            if one is None or other is None:
                merged[-index] = None
            elif one == other or other == 1:
                merged[-index] = one
            elif one == 1:
                merged[-index] = other
            else:
                return None
        result = merged
    return tuple(result)


def fit(one: int | None, other: int | None) -> bool:
    """True where two sizes are equal, or may turn out so."""
    return one is None or other is None or one == other


def shapes_label(inputs: tuple[Shape, ...]) -> str:
    """The inputs' shapes, with `{0}`, `{1}` for the names that the builder knows."""
    return ", ".join(f"{{{index}}} is {show(shape)}" for index, shape in enumerate(inputs))


def rank_problem(name: str, shape: Shape, ranks: tuple[int, ...]) -> Problem | None:
    """A problem where the input has another number of axes."""
    if len(shape) in ranks:
        return None
    wanted = " or ".join(_EXAMPLES[rank] for rank in ranks)
    mend = ""
    if max(ranks) < len(shape):
        mend = "put `flatten` or `global_avg_pool` before it"
    elif len(shape) < min(ranks):
        mend = "put it before `flatten` and `global_avg_pool`, or give the tensor a shape with `reshape`"
    return Problem(
        codes.RANK, f"`{name}` needs {wanted}, but its input is {_shown(shape)}", f"the input is {_shown(shape)}", mend
    )


_EXAMPLES = {
    1: "features",
    2: "length x channels",
    3: "height x width x channels",
    4: "depth x height x width x channels",
}


def _shown(shape: Shape) -> str:
    return f"{show(shape)} ({len(shape)} {'axis' if len(shape) == 1 else 'axes'})"


def count_problem(name: str, attribute: str, value: Any, axes: int) -> Problem | None:
    """A problem where a list has another length than the input has spatial axes."""
    if value is None or isinstance(value, (int, str)) or len(value) == axes:
        return None
    noun = "axis" if axes == 1 else "axes"
    items = "1 item" if len(value) == 1 else f"{len(value)} items"
    return Problem(
        codes.WRONG_VALUE,
        f"`{attribute}` of `{name}` has {items}, but the input has {axes} spatial {noun}",
        items,
        f"give one number for all axes, or a list of {axes}",
    )


def channels_problem(name: str, shape: Shape) -> Problem | None:
    """A problem where the number of channels is open, and weights depend on it."""
    if shape and shape[-1] is not None:
        return None
    return Problem(
        codes.UNKNOWN_SIZE,
        f"`{name}` needs a known number of channels, but its input is {show(shape)}",
        f"the input is {show(shape)}",
        "state the last size of the input",
    )


def open_problem(name: str, shape: Shape, mend: str = "", *, channels: bool = True) -> Problem | None:
    """A problem where any size is open; without `channels`, any but the last."""
    if None not in (shape if channels else shape[:-1]):
        return None
    return Problem(
        codes.UNKNOWN_SIZE,
        f"`{name}` needs known sizes, but its input is {show(shape)}",
        f"the input is {show(shape)}",
        mend or "state every size of the input",
    )


def window_problem(
    name: str, padding: Any, shape: Shape, kernel: Sizes, stride: Sizes, dilation: Sizes
) -> Problem | None:
    """A problem where a window is larger than the padded input, with the sum shown."""
    if padding in ("same", "causal"):
        return None
    pads = pairs(0 if padding == "valid" else padding, len(kernel))
    for axis, size, one, rate, pad in zip(axis_names(shape), spatial(shape), kernel, dilation, pads, strict=False):
        reach = extent(one, rate)
        if size is None or size + sum(pad) >= reach:
            continue
        room = str(size) if not sum(pad) else f"{size} + {pad[0]} + {pad[1]} = {size + sum(pad)}"
        spread = "" if rate == 1 else f" (kernel {one} at dilation {rate}: ({one} - 1) * {rate} + 1)"
        return Problem(
            codes.DOES_NOT_FIT,
            f"the window of `{name}` is {reach} along the {axis}{spread}, but the padded input has {room}",
            f"the input is {show(shape)}",
            "use a smaller window, more padding or fewer strides before it",
        )
    return None


def divide_problem(name: str, what: str, number: int, parts: int) -> Problem | None:
    """A problem where a number of channels is not a multiple of the parts."""
    if number % parts == 0:
        return None
    return Problem(
        codes.DOES_NOT_DIVIDE,
        f"{number} {what} of `{name}` cannot be divided into {parts} equal parts: {number} = {parts} * "
        f"{number // parts} + {number % parts}",
        f"{number} {what}",
        "choose numbers of which one is a multiple of the other",
    )


def stretch_problem(name: str, stride: Any, dilation: Any, axes: int) -> Problem | None:
    """A problem where strides and dilation are both used, which Keras refuses."""
    if max(per_axis(stride, axes)) == 1 or max(per_axis(dilation, axes)) == 1:
        return None
    return Problem(
        codes.COMBINATION,
        f"`{name}` cannot have a stride and a dilation above 1 together",
        f"stride {_plain(stride)}, dilation {_plain(dilation)}",
        "keep one of them at 1",
    )


def uniform_problem(name: str, stride: Any, axes: int) -> Problem | None:
    """A problem where the strides differ, which the framework's depthwise kernels refuse."""
    if len(set(per_axis(stride, axes))) == 1:
        return None
    return Problem(
        codes.COMBINATION,
        f"`{name}` needs the same stride along all axes",
        f"stride {_plain(stride)}",
        "give one number",
    )


def _plain(value: Any) -> str:
    return str(value) if isinstance(value, int) else str(list(value))


def axis_problem(name: str, axis: Any, shape: Shape) -> Problem:
    """The shape has no such axis."""
    names = ", ".join(axis_names(shape))
    return Problem(
        codes.AXIS,
        f"`{name}` works along the axis `{axis}`, but its input {show(shape)} has only {names}",
        f"the input is {show(shape)}",
        f"use one of {names}, or a number from 0 to {len(shape) - 1}" if shape else "",
    )


def first(*problems: Problem | None) -> tuple[Problem, ...]:
    """The first problem that is one, as a sequence of at most one: a cause is reported once."""
    for one in problems:
        if one is not None:
            return (one,)
    return ()
