"""Pooling as Keras layers, with what they lack from stock parts: numbers as padding, and rounding up."""

from __future__ import annotations

from collections.abc import Sequence

from archc.backends.keras.lowering.parts import Cell, Ref, padded, pool_config, zero_padding
from archc.operators import shape_rules
from archc.operators.pooling import AdaptiveAvgPool, AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from archc.operators.shape_rules import Padding, Sizes, known

LOWEST = -3.4028234663852886e38
"""The lowest float32: what padding for a maximum counts as. Minus infinity itself is no JSON."""


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


def global_pool(operator: GlobalAvgPool | GlobalMaxPool, cell: Cell) -> Ref:
    kind = "Average" if isinstance(operator, GlobalAvgPool) else "Max"
    config = {"data_format": "channels_last", "keepdims": operator.keep_dims}
    return cell.layer(f"Global{kind}Pooling{cell.axes}D", config)


def adaptive_avg_pool(operator: AdaptiveAvgPool, cell: Cell) -> Ref:
    size = shape_rules.per_axis(operator.size, cell.axes)
    config = {"output_size": list(size), "data_format": "channels_last"}
    return cell.layer(f"AdaptiveAveragePooling{cell.axes}D", config)
