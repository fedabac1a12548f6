"""What Keras lacks, exactly, from stock parts: lrn, pooling that rounds up, padding by numbers, and others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archc.backends.keras.parts import Cell, Ref, activation, cropping, initializer, nothing, padded, zero_padding
from archc.operators import Shape, shape_rules
from archc.operators.convolution import ConvTranspose
from archc.operators.normalisation import Lrn
from archc.operators.pooling import AvgPool, MaxPool
from archc.operators.reshaping import ChannelShuffle, PadChannels, Slice
from archc.operators.shape_rules import Padding, Sizes, known

LOWEST = -3.4028234663852886e38
"""The lowest float32: what padding for a maximum counts as. Minus infinity itself is no JSON."""


def keras_padding(
    cell: Cell, padding: Any, kernel: Sizes, stride: Sizes, dilation: Sizes, fixed: bool = False
) -> tuple[Ref, str]:
    """The tensor that a convolution reads, and the word it needs: numbers become zeros around the input.

    Numbers that equal `same` on this input are that word, unless the layer is `fixed`: shared by several calls.
    """
    source = cell.inputs[0]
    if isinstance(padding, str):
        return source, padding
    sizes = shape_rules.spatial(cell.shape)
    pads = shape_rules.pairs(padding, cell.axes)
    same = shape_rules.padding_of("same", sizes, kernel, stride, dilation)
    if not fixed and pads == same and any(sum(pad) for pad in pads):
        return source, "same"
    return zero_padding(cell, source, pads, cell.shape, "pad"), "valid"


def max_pool(operator: MaxPool, cell: Cell) -> Ref:
    """Stock pooling where its padding is the wanted one, else a border of the lowest number before it.

    Where no value is below zero (after a ReLU), zeros are as low as the border needs to be.
    """
    size, stride, _ = operator.windows(cell.axes)
    word, pads = _pool_padding(operator, cell, size, stride)
    source = cell.inputs[0]
    if word == "valid" and cell.positive:
        source = zero_padding(cell, source, pads, cell.shape, "pad")
    elif word == "valid" and any(sum(pad) for pad in pads):
        source = cell.operation(
            "Pad",
            {"pad_width": [[0, 0], *([list(pad) for pad in pads]), [0, 0]], "mode": "constant"},
            suffix="pad",
            shapes=(padded(cell.shape, pads),),
            keywords={"constant_values": LOWEST},
        )
    return cell.layer(f"MaxPooling{cell.axes}D", pool_config(size, stride, word), source)


def avg_pool(operator: AvgPool, cell: Cell) -> Ref:
    """Stock pooling where its padding is the wanted one, else a mean over zeros divided by a mean over ones."""
    size, stride, _ = operator.windows(cell.axes)
    word, pads = _pool_padding(operator, cell, size, stride)
    pool = f"AveragePooling{cell.axes}D"
    border = shape_rules.pairs(0 if isinstance(operator.padding, str) else operator.padding, cell.axes)
    counted = operator.count_include_pad and any(sum(pad) for pad in border)
    reaches_over = any(more[1] > pad[1] for more, pad in zip(pads, border, strict=True))
    if word == "same" and (operator.padding == "same" or not counted):
        return cell.layer(pool, pool_config(size, stride, "same"))
    pads = tuple((pad[0], max(pad[1], more[1])) for pad, more in zip(border, pads, strict=True))
    if not reaches_over and (counted or not any(sum(pad) for pad in border)):
        source = zero_padding(cell, cell.inputs[0], pads, cell.shape, "pad")
        return cell.layer(pool, pool_config(size, stride, "valid"), source)
    return _mean_of_counted(cell, pool, size, stride, border if counted else (), pads)


def _mean_of_counted(
    cell: Cell, pool: str, size: Sizes, stride: Sizes, counted: Sequence[tuple[int, int]], pads: Padding
) -> Ref:
    """The values' mean over windows with zeros, divided by the mean of ones that stand where values count."""
    source, shape, rest = cell.inputs[0], cell.shape, pads
    if counted:
        source = zero_padding(cell, source, counted, shape, "pad")
        shape = padded(shape, counted)
        rest = tuple((more[0] - pad[0], more[1] - pad[1]) for more, pad in zip(pads, counted, strict=True))
    ones = cell.operation("OnesLike", {"dtype": None}, source, suffix="ones", shapes=(shape,))
    config = pool_config(size, stride, "valid")
    values = cell.layer(pool, config, zero_padding(cell, source, rest, shape, "values_pad"), suffix="values")
    counts = cell.layer(pool, config, zero_padding(cell, ones, rest, shape, "ones_pad"), suffix="counts")
    return cell.operation("Divide", {}, values, counts)


def _pool_padding(operator: MaxPool | AvgPool, cell: Cell, size: Sizes, stride: Sizes) -> tuple[str, Padding]:
    """`same`, or `valid` after these amounts: what the windows read, and not what they leave unread at the end."""
    if operator.padding == "same":
        return "same", ((0, 0),) * cell.axes
    pads = shape_rules.pairs(0 if operator.padding == "valid" else operator.padding, cell.axes)
    sizes = shape_rules.spatial(cell.shape)
    if None in sizes:
        return "valid", pads
    read = tuple(
        (pad[0], max(0, (known(count) - 1) * step + reach - known(length) - pad[0]))
        for length, pad, reach, step, count in zip(sizes, pads, size, stride, cell.node.shape, strict=False)
    )
    same = shape_rules.padding_of("same", sizes, size, stride, (1,) * cell.axes)
    word = "same" if read == same and any(sum(pad) for pad in read) and _same_counts(cell, stride) else "valid"
    return word, read


def _same_counts(cell: Cell, stride: Sizes) -> bool:
    return all(
        count == -(-known(length) // step)
        for count, length, step in zip(cell.node.shape, cell.shape[:-1], stride, strict=False)
    )


def pool_config(size: Sizes, stride: Sizes, padding: str, data_format: str = "channels_last") -> dict[str, Any]:
    """The config of all pooling layers."""
    return {"pool_size": list(size), "padding": padding, "strides": list(stride), "data_format": data_format}


def lrn(operator: Lrn, cell: Cell) -> Ref:
    """Squares, their mean over neighbouring channels, a factor and an offset, a power, and the product with the input.

    The mean over channels is a pooling layer that is told that channels come first: then it pools the last axis.
    Zeros around the channels make it the sum over those that are there, divided by the size.
    """
    source = cell.inputs[0]
    shape = cell.shape if cell.axes else (1, *cell.shape)
    if not cell.axes:
        source = cell.layer("Reshape", {"target_shape": list(shape)}, source, suffix="in", shape=shape)
    axes, half, channels = len(shape) - 1, operator.size // 2, shape[-1]
    around = None if channels is None else channels + 2 * half
    squares = cell.layer("Multiply", {}, source, source, suffix="square", shape=shape, as_list=True)
    wide = cell.operation(
        "Pad",
        {"pad_width": [*[[0, 0]] * (axes + 1), [half, half]], "mode": "constant"},
        squares,
        suffix="pad",
        shapes=((*shape[:-1], around),),
        keywords={"constant_values": None},
    )
    ones = (1,) * (axes - 1)
    mean = cell.layer(
        f"AveragePooling{axes}D",
        pool_config((*ones, operator.size), (*ones, 1), "valid", "channels_first"),
        wide,
        suffix="mean",
        shape=shape,
    )
    factor = operator.alpha if operator.divide else operator.alpha * operator.size
    base = cell.layer("Rescaling", {"scale": factor, "offset": operator.k}, mean, suffix="base", shape=shape)
    power = cell.operation("Power", {}, base, suffix="power", shapes=(shape,), arguments=(-float(operator.beta),))
    suffix = "" if cell.axes else "out"
    result = cell.layer("Multiply", {}, source, power, suffix=suffix, shape=shape, as_list=True)
    return result if cell.axes else cell.layer("Reshape", {"target_shape": list(cell.shape)}, result)


def pad_channels(operator: PadChannels, cell: Cell) -> Ref:
    """A border after the last axis."""
    more = operator.filters - known(cell.shape[-1])
    if not more:
        return cell.layer("Identity", {})
    widths = [*[[0, 0]] * (cell.axes + 1), [0, more]]
    return cell.operation("Pad", {"pad_width": widths, "mode": "constant"}, keywords={"constant_values": None})


def channel_shuffle(operator: ChannelShuffle, cell: Cell) -> Ref:
    """Groups as an axis of their own, exchanged with the channels in them; by numbers where two sizes are open."""
    channels = known(cell.shape[-1])
    each = channels // operator.groups
    spatial = cell.shape[:-1]
    if spatial.count(None) > 1:
        order = [group * each + index for index in range(each) for group in range(operator.groups)]
        return take(cell, order, -1)
    positions = shape_rules.times(*spatial)
    whole: Shape = (positions, operator.groups, each)
    parted = cell.layer("Reshape", {"target_shape": _target(whole)}, suffix="groups", shape=whole)
    dealt = cell.layer("Permute", {"dims": [1, 3, 2]}, parted, suffix="deal", shape=(positions, each, operator.groups))
    return cell.layer("Reshape", {"target_shape": _target(cell.shape)}, dealt)


def _target(shape: Shape) -> list[int]:
    return [-1 if one is None else one for one in shape]


def take(cell: Cell, positions: list[int], axis: int) -> Ref:
    """Some positions along an axis, which counts the batch or is -1."""
    return cell.operation("Take", {"axis": axis}, arguments=(positions,))


def slice_(operator: Slice, cell: Cell) -> Ref:
    """A crop where the range is whole and along space, a split where it is along the channels, else positions."""
    axis = shape_rules.resolve_axis(operator.axis, cell.shape) or 0
    size = known(cell.shape[axis])
    kept = operator.positions(size)
    if operator.step > 1:
        return take(cell, list(kept), axis + 1)
    before, after = kept[0], size - kept[-1] - 1
    if not before and not after:
        return cell.layer("Identity", {})
    if axis < cell.axes and cell.axes <= 3:
        return cropping(cell, cell.inputs[0], [(before, after) if at == axis else (0, 0) for at in range(cell.axes)])
    cuts = [one for one in (before, size - after) if 0 < one < size]
    sizes = [end - start for start, end in zip([0, *cuts], [*cuts, size], strict=True)]
    shapes = tuple((*cell.shape[:axis], one, *cell.shape[axis + 1 :]) for one in sizes)
    parts = cell.operation("Split", {"indices_or_sections": cuts, "axis": axis + 1}, shapes=shapes)
    return Ref(parts.part, 1 if before else 0)


def conv_transpose(operator: ConvTranspose, cell: Cell) -> Ref:
    """Stock, with a crop after it where the padding is a number, and once for each group."""
    crops = None if isinstance(operator.padding, str) else shape_rules.pairs(operator.padding, cell.axes)
    if crops is not None and not any(sum(crop) for crop in crops):
        crops = None
    inner: Shape = (*operator.full_sizes(cell.shape[:-1]), operator.filters)
    after = operator.groups > 1 and crops is None
    if operator.groups == 1:
        weights = operator.weights(cell.node.input_shapes)
        result = cell.layer(
            f"Conv{cell.axes}DTranspose",
            _transpose_config(operator, cell.axes, operator.filters),
            shape=inner,
            weights=weights,
        )
    else:
        result = _groups(operator, cell, inner, "" if after else "groups")
    return result if crops is None else cropping(cell, result, crops, "crop" if operator.groups == 1 else "")


def _groups(operator: ConvTranspose, cell: Cell, inner: Shape, suffix: str) -> Ref:
    groups, channels = operator.groups, known(cell.shape[-1])
    part: Shape = (*cell.shape[:-1], channels // groups)
    split = cell.operation(
        "Split", {"indices_or_sections": groups, "axis": -1}, suffix="split", shapes=(part,) * groups
    )
    weights = operator.weights(cell.node.input_shapes)
    each = len(weights) // groups
    filters = operator.filters // groups
    parts = [
        cell.layer(
            f"Conv{cell.axes}DTranspose",
            _transpose_config(operator, cell.axes, filters),
            Ref(split.part, index),
            suffix=f"group{index + 1}",
            shape=(*inner[:-1], filters),
            weights=weights[index * each : (index + 1) * each],
        )
        for index in range(groups)
    ]
    return cell.layer("Concatenate", {"axis": -1}, *parts, suffix=suffix, shape=inner, as_list=True)


def _transpose_config(operator: ConvTranspose, axes: int, filters: int) -> dict[str, Any]:
    kernel, stride, dilation = operator.windows(axes)
    extra = operator.output_padding
    if extra is None and not isinstance(operator.padding, str):
        extra = 0
    return {
        "filters": filters,
        "kernel_size": list(kernel),
        "strides": list(stride),
        "padding": operator.padding if isinstance(operator.padding, str) else "valid",
        "output_padding": None if extra is None else list(shape_rules.per_axis(extra, axes)),
        "data_format": "channels_last",
        "dilation_rate": list(dilation),
        "activation": activation(operator.activation),
        "use_bias": operator.bias,
        "kernel_initializer": initializer(operator.kernel_initializer),
        "bias_initializer": initializer(operator.bias_initializer),
        **nothing(
            "kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint"
        ),
    }
