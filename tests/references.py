"""Every operator by its definition, in NumPy and float64: what Keras should compute, known without archc's lowering.

A reference takes the operator's attributes by their names in a spec, its inputs without a batch axis, and its weights.
Where the meaning is "as Keras does it", the reference is Keras's own function.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import numpy as np

from tests.keras_config import computed

Attributes = dict[str, Any]
Reference = Callable[..., Any]

multiplications: list[int] = []
"""How many numbers are multiplied and added, product by product, where the reference is not Keras's."""


def product(one: Any, other: Any) -> Any:
    """A matrix product, counted."""
    multiplications.append(one.size * other.shape[-1])
    return one @ other


def per_axis(value: Any, axes: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,) * axes


def pairs(value: Any, axes: int) -> list[tuple[int, int]]:
    return [(one, one) if isinstance(one, int) else (one[0], one[1]) for one in per_axis(value, axes)]


def borders(padding: Any, sizes: tuple[int, ...], reach: list[int], stride: tuple[int, ...]) -> list[tuple[int, int]]:
    """What stands around the input; TensorFlow's rule for `same`."""
    if padding == "valid":
        return [(0, 0)] * len(sizes)
    if padding == "causal":
        return [(one - 1, 0) for one in reach]
    if padding != "same":
        return pairs(padding, len(sizes))
    missing = [max(0, (math.ceil(n / s) - 1) * s + k - n) for n, k, s in zip(sizes, reach, stride)]
    return [(one // 2, one - one // 2) for one in missing]


def taps(x: Any, values: Attributes) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Each place in the kernel, and what all windows have there."""
    axes = x.ndim - 1
    kernel, stride, dilation = (per_axis(values[one], axes) for one in ("kernel", "stride", "dilation"))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    around = borders(values["padding"], x.shape[:-1], reach, stride)
    x = np.pad(x, [*around, (0, 0)])
    counts = [(n - r) // s + 1 for n, r, s in zip(x.shape, reach, stride)]
    for tap in itertools.product(*map(range, kernel)):
        starts = [one * d for one, d in zip(tap, dilation)]
        yield tap, x[tuple(slice(b, b + (n - 1) * s + 1, s) for b, n, s in zip(starts, counts, stride))]


def finished(y: Any, values: Attributes, weights: list[Any]) -> Any:
    """With the bias, which is the last weight, and the activation."""
    return activated(values["activation"], y + weights[-1] if values["bias"] else y)


def conv(values: Attributes, x: Any, *weights: Any) -> Any:
    groups = values["groups"]
    kernels = np.split(weights[0], groups, axis=-1)
    y: Any = 0
    for tap, block in taps(x, values):
        y = y + np.concatenate([product(a, k[tap]) for a, k in zip(np.split(block, groups, axis=-1), kernels)], axis=-1)
    return finished(y, values, list(weights))


def depthwise(values: Attributes, x: Any, kernel: Any) -> Any:
    y: Any = 0
    for tap, block in taps(x, values):
        each = block[..., None] * kernel[tap]
        multiplications.append(each.size)
        y = y + each
    return y.reshape(*y.shape[:-2], -1)


def depthwise_conv(values: Attributes, x: Any, *weights: Any) -> Any:
    return finished(depthwise(values, x, weights[0]), values, list(weights))


def separable_conv(values: Attributes, x: Any, *weights: Any) -> Any:
    y = depthwise(values, x, weights[0])
    return finished(product(y, weights[1].reshape(weights[1].shape[-2:])), values, list(weights))


def conv_transpose(values: Attributes, x: Any, *weights: Any) -> Any:
    """Every input adds its multiple of the kernel to the result, which a number crops. Words are Keras's."""
    groups = values["groups"]
    inputs, each = np.split(x, groups, axis=-1), len(weights) // groups
    transpose = keras_transpose if isinstance(values["padding"], str) else scattered
    parts = [transpose(values, one, weights[at * each]) for at, one in enumerate(inputs)]
    biases = np.concatenate(weights[1::2]) if values["bias"] else 0
    return activated(values["activation"], np.concatenate(parts, axis=-1) + biases)


def keras_transpose(values: Attributes, x: Any, kernel: Any) -> Any:
    import keras

    axes = x.ndim - 1
    extra = values["output_padding"]

    def transposed(x: Any, kernel: Any) -> Any:
        return keras.ops.conv_transpose(
            x,
            kernel,
            per_axis(values["stride"], axes),
            values["padding"],
            None if extra is None else per_axis(extra, axes),
            dilation_rate=per_axis(values["dilation"], axes),
        )

    return np.asarray(computed(transposed, x[None].astype("float32"), kernel.astype("float32")))[0]


def scattered(values: Attributes, x: Any, kernel: Any) -> Any:
    axes = x.ndim - 1
    stride, dilation = per_axis(values["stride"], axes), per_axis(values["dilation"], axes)
    extra = per_axis(values["output_padding"] or 0, axes)
    sizes = [
        (n - 1) * s + (k - 1) * d + 1 + more
        for n, k, s, d, more in zip(x.shape, kernel.shape, stride, dilation, extra)
    ]
    y = np.zeros((*sizes, kernel.shape[-2]))
    for tap in itertools.product(*map(range, kernel.shape[:axes])):
        starts = [one * d for one, d in zip(tap, dilation)]
        y[tuple(slice(b, b + (n - 1) * s + 1, s) for b, n, s in zip(starts, x.shape, stride))] += product(x, kernel[tap].T)
    crops = pairs(values["padding"], axes)
    return y[tuple(slice(before, n - after) for n, (before, after) in zip(sizes, crops))]


def windows(values: Attributes, x: Any) -> Iterator[tuple[tuple[int, ...], Any, int]]:
    """Each window of a pool: where its result goes, the values in it, and how many places it has in the padded input."""
    axes = x.ndim - 1
    size = per_axis(values["size"], axes)
    stride = size if values["stride"] is None else per_axis(values["stride"], axes)
    around = borders(values["padding"], x.shape[:-1], list(size), stride)
    starts: list[list[int]] = []
    for n, k, s, (before, after) in zip(x.shape, size, stride, around):
        room = n + before + after - k
        count = (-(-room // s) if values["rounding"] == "ceil" and values["padding"] != "same" else room // s) + 1
        found = [at * s - before for at in range(count)]
        starts.append([one for one in found if one < n or values["rounding"] == "floor"])
    for place in itertools.product(*(range(len(one)) for one in starts)):
        corner = [one[at] for one, at in zip(starts, place)]
        inside = x[tuple(slice(max(0, at), max(0, at + k)) for at, k in zip(corner, size))]
        ends = [min(at + k, n + after) for at, k, n, (_, after) in zip(corner, size, x.shape, around)]
        yield place, inside.reshape(-1, x.shape[-1]), math.prod(end - at for end, at in zip(ends, corner))


def pooled(values: Attributes, x: Any, reduce_window: Callable[[Any, int], Any]) -> Any:
    found = {place: reduce_window(inside, count) for place, inside, count in windows(values, x)}
    y = np.empty((*(1 + max(one[axis] for one in found) for axis in range(x.ndim - 1)), x.shape[-1]))
    for place, value in found.items():
        y[place] = value
    return y


def max_pool(values: Attributes, x: Any) -> Any:
    return pooled(values, x, lambda inside, count: inside.max(0))


def avg_pool(values: Attributes, x: Any) -> Any:
    border_counts = values["count_include_pad"] and not isinstance(values["padding"], str)
    return pooled(values, x, lambda inside, count: inside.sum(0) / (count if border_counts else len(inside)))


def over_all(reduction: Callable[..., Any]) -> Reference:
    return lambda values, x: reduction(x, axis=tuple(range(x.ndim - 1)), keepdims=values["keep_dims"])


def adaptive_avg_pool(values: Attributes, x: Any) -> Any:
    for axis, count in enumerate(per_axis(values["size"], x.ndim - 1)):
        n = x.shape[axis]
        bounds = [(at * n // count, -(-(at + 1) * n // count)) for at in range(count)]
        x = np.stack([np.take(x, range(*one), axis).mean(axis) for one in bounds], axis)
    return x


def batch_norm(values: Attributes, x: Any, *weights: Any) -> Any:
    *learned, mean, variance = weights
    return scaled_and_shifted(values, (x - mean) / np.sqrt(variance + values["epsilon"]), learned)


def scaled_and_shifted(values: Attributes, y: Any, learned: Any) -> Any:
    left = list(learned)
    y = y * left.pop(0) if values["scale"] else y
    return y + left.pop(0) if values["center"] else y


def standardised(x: Any, axes: tuple[int, ...], epsilon: float) -> Any:
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


def layer_norm(values: Attributes, x: Any, *weights: Any) -> Any:
    return scaled_and_shifted(values, standardised(x, (-1,), values["epsilon"]), weights)


def group_norm(values: Attributes, x: Any, *weights: Any) -> Any:
    parted = x.reshape(*x.shape[:-1], values["groups"], -1)
    axes = (*range(x.ndim - 1), x.ndim)
    return scaled_and_shifted(values, standardised(parted, axes, values["epsilon"]).reshape(x.shape), weights)


def instance_norm(values: Attributes, x: Any, *weights: Any) -> Any:
    return scaled_and_shifted(values, standardised(x, tuple(range(x.ndim - 1)), values["epsilon"]), weights)


def lrn(values: Attributes, x: Any) -> Any:
    half, channels = values["size"] // 2, x.shape[-1]
    alpha = values["alpha"] / values["size"] if values["divide"] else values["alpha"]
    near = [x[..., max(0, at - half) : at + half + 1] for at in range(channels)]
    sums = np.stack([(one**2).sum(-1) for one in near], axis=-1)
    return x / (values["k"] + alpha * sums) ** values["beta"]


def scale(values: Attributes, x: Any, *weights: Any) -> Any:
    return x * weights[0] + (weights[1] if values["bias"] else 0)


def relu(values: Attributes, x: Any) -> Any:
    y = np.where(x >= values["threshold"], x, values["negative_slope"] * (x - values["threshold"]))
    return y if values["max_value"] is None else np.minimum(y, values["max_value"])


def softmax(x: Any, axis: int = -1) -> Any:
    powers = np.exp(x - x.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def elu(x: Any, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def hard_sigmoid(x: Any) -> Any:
    return np.clip(x + 3, 0, 6) / 6


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "elu": elu,
    "selu": lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772),
    "gelu": lambda x: x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2,
    "silu": lambda x: x * sigmoid(x),
    "swish": lambda x: x * sigmoid(x),
    "sigmoid": sigmoid,
    "hard_sigmoid": hard_sigmoid,
    "hard_swish": lambda x: x * hard_sigmoid(x),
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
    "tanh": np.tanh,
    "softplus": lambda x: np.log1p(np.exp(x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "softmax": softmax,
    "log_softmax": lambda x: np.log(softmax(x)),
    "exponential": np.exp,
}


def activated(name: str, x: Any) -> Any:
    return ACTIVATIONS[name](x)


def axis_of(word: Any, x: Any) -> int:
    """The number of an axis that a spec names."""
    names = {1: "channels", 2: "length channels", 3: "height width channels", 4: "depth height width channels"}
    return names[x.ndim].split().index(word) if isinstance(word, str) else word


def average(*inputs: Any) -> Any:
    return reduce(np.add, inputs) / len(inputs)


def sliced(values: Attributes, x: Any) -> Any:
    axis = axis_of(values["axis"], x)
    kept = range(x.shape[axis])[values["start"] : values["stop"] : values["step"]]
    return np.take(x, kept, axis)


def crop(values: Attributes, x: Any) -> Any:
    axes = x.ndim - 1
    if values["to"] is None:
        ranges = [slice(before, n - after) for n, (before, after) in zip(x.shape, pairs(values["amounts"], axes))]
    else:
        kept = per_axis(values["to"], axes)
        ranges = [slice((n - one) // 2, (n - one) // 2 + one) for n, one in zip(x.shape, kept)]
    return x[tuple(ranges)]


def pad(values: Attributes, x: Any) -> Any:
    mode = "constant" if values["mode"] == "zeros" else values["mode"]
    return np.pad(x, [*pairs(values["amounts"], x.ndim - 1), (0, 0)], mode)


def upsample(values: Attributes, x: Any) -> Any:
    factors = per_axis(values["size"], x.ndim - 1)
    if values["interpolation"] != "nearest":
        return resized(x, tuple(n * one for n, one in zip(x.shape, factors)), values["interpolation"])
    for axis, factor in enumerate(factors):
        x = np.repeat(x, factor, axis)
    return x


def resized(x: Any, size: tuple[int, ...], interpolation: str) -> Any:
    import keras

    return np.asarray(keras.ops.image.resize(x[None].astype("float32"), size, interpolation))[0]


def split(values: Attributes, x: Any) -> Any:
    parts = values["parts"]
    return np.split(x, parts if isinstance(parts, int) else np.cumsum(parts)[:-1], axis=-1)


def channel_shuffle(values: Attributes, x: Any) -> Any:
    parted = x.reshape(*x.shape[:-1], values["groups"], -1)
    return np.swapaxes(parted, -1, -2).reshape(x.shape)


def depth_to_space(values: Attributes, x: Any) -> Any:
    """Each value goes to its place, by the formula of the docs."""
    block, axes = values["block"], x.ndim - 1
    count = block**axes
    channels = x.shape[-1] // count
    y = np.empty((*(one * block for one in x.shape[:-1]), channels), x.dtype)
    for number, within in enumerate(np.ndindex(*(block,) * axes)):
        for channel in range(channels):
            source = number * channels + channel if values["order"] == "positions" else channel * count + number
            y[(*(slice(one, None, block) for one in within), channel)] = x[..., source]
    return y


def space_to_depth(values: Attributes, x: Any) -> Any:
    block, channels = values["block"], x.shape[-1]
    places = [tuple(slice(one, None, block) for one in within) for within in np.ndindex(*(block,) * (x.ndim - 1))]
    if values["order"] == "positions":
        return np.concatenate([x[one] for one in places], axis=-1)
    return np.stack([x[(*one, channel)] for channel in range(channels) for one in places], axis=-1)


def merged(operation: Any) -> Reference:
    return lambda values, *inputs: reduce(operation, inputs)


def normalize(values: Attributes, x: Any, *kept: Any) -> Any:
    mean, variance = kept[:2] if kept else (np.asarray(values["mean"]), values["variance"])
    return (x - mean) / np.sqrt(variance)


def pad_channels(values: Attributes, x: Any) -> Any:
    return np.concatenate([x, np.zeros((*x.shape[:-1], values["filters"] - x.shape[-1]))], axis=-1)


def alone(function: Callable[[Any], Any]) -> Reference:
    return lambda values, x: function(x)


IDENTITY = alone(lambda x: x)

REFERENCES: dict[str, Reference] = {
    **{name: alone(one) for name, one in ACTIVATIONS.items()},
    "conv": conv,
    "depthwise_conv": depthwise_conv,
    "separable_conv": separable_conv,
    "conv_transpose": conv_transpose,
    "max_pool": max_pool,
    "avg_pool": avg_pool,
    "global_avg_pool": over_all(np.mean),
    "global_max_pool": over_all(np.max),
    "adaptive_avg_pool": adaptive_avg_pool,
    "dense": lambda values, x, *weights: finished(product(x, weights[0]), values, list(weights)),
    "embedding": lambda values, x, table: table[x],
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "group_norm": group_norm,
    "instance_norm": instance_norm,
    "lrn": lrn,
    "scale": scale,
    "rescale": lambda values, x: x * np.asarray(values["factor"]) + np.asarray(values["offset"]),
    "normalize": normalize,
    "relu": relu,
    "leaky_relu": lambda values, x: np.where(x > 0, x, values["slope"] * x),
    "prelu": lambda values, x, slope: np.where(x > 0, x, slope * x),
    "elu": lambda values, x: elu(x, values["alpha"]),
    "softmax": lambda values, x: softmax(x, axis_of(values["axis"], x)),
    "abs": alone(np.abs),
    "add": merged(np.add),
    "subtract": merged(np.subtract),
    "multiply": merged(np.multiply),
    "average": lambda values, *inputs: average(*inputs),
    "maximum": merged(np.maximum),
    "minimum": merged(np.minimum),
    "concat": lambda values, *inputs: np.concatenate(inputs, axis_of(values["axis"], inputs[0])),
    "flatten": alone(np.ravel),
    "reshape": lambda values, x: x.reshape(values["shape"]),
    "permute": lambda values, x: x.transpose([one - 1 for one in values["order"]]),
    "pad": pad,
    "crop": crop,
    "upsample": upsample,
    "resize": lambda values, x: resized(x, per_axis(values["size"], 2), values["interpolation"]),
    "select": lambda values, x: x[..., list(values["channels"])],
    "split": split,
    "slice": sliced,
    "channel_shuffle": channel_shuffle,
    "depth_to_space": depth_to_space,
    "space_to_depth": space_to_depth,
    "pad_channels": pad_channels,
    "dropout": IDENTITY,
    "spatial_dropout": IDENTITY,
    "drop_path": IDENTITY,
    "gaussian_noise": IDENTITY,
    "gaussian_dropout": IDENTITY,
    "identity": IDENTITY,
}
