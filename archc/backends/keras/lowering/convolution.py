"""Convolutions as Keras layers: what a layer has no word for stands before it or after it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from archc.backends.keras.lowering.parts import (
    Cell,
    Ref,
    activation,
    cropping,
    initializer,
    unregularised,
    zero_padding,
)
from archc.operators import Shape, shape_rules
from archc.operators.convolution import Conv, ConvTranspose, DepthwiseConv, SeparableConv
from archc.operators.shape_rules import Initializer, Padding, known

Convolution = Conv | DepthwiseConv | SeparableConv | ConvTranspose


def conv(operator: Conv, cell: Cell) -> Ref:
    source, padding = _padded(operator, cell)
    config = {
        "filters": operator.filters,
        **_window(operator, cell.axes, padding=padding),
        "groups": operator.groups,
        **_learned(operator, kernel=operator.kernel_initializer),
    }
    return cell.layer(f"Conv{cell.axes}D", config, source, weights=cell.node.weights)


def depthwise_conv(operator: DepthwiseConv, cell: Cell) -> Ref:
    source, padding = _padded(operator, cell)
    config = {
        "depth_multiplier": operator.multiplier,
        **_window(operator, cell.axes, padding=padding),
        **_learned(operator, depthwise=operator.kernel_initializer),
    }
    return cell.layer(f"DepthwiseConv{cell.axes}D", config, source, weights=cell.node.weights)


def separable_conv(operator: SeparableConv, cell: Cell) -> Ref:
    source, padding = _padded(operator, cell)
    config = {
        "depth_multiplier": operator.multiplier,
        "filters": operator.filters,
        **_window(operator, cell.axes, padding=padding),
        **_learned(operator, depthwise=operator.depthwise_initializer, pointwise=operator.pointwise_initializer),
    }
    return cell.layer(f"SeparableConv{cell.axes}D", config, source, weights=cell.node.weights)


def conv_transpose(operator: ConvTranspose, cell: Cell) -> Ref:
    """Stock, with a crop after it where the padding is a number, and once for each group."""
    crops = None if isinstance(operator.padding, str) else shape_rules.pairs(operator.padding, cell.axes)
    if crops is not None and not any(sum(crop) for crop in crops):
        crops = None
    inner: Shape = (*operator.full_sizes(cell.shape[:-1]), operator.filters)
    if operator.groups > 1:
        return _grouped(operator, cell, inner, crops)
    config = _transpose_config(operator, cell.axes)
    result = cell.layer(f"Conv{cell.axes}DTranspose", config, shape=inner, weights=cell.node.weights)
    return result if crops is None else cropping(cell, result, crops, "crop")


def _grouped(operator: ConvTranspose, cell: Cell, inner: Shape, crops: Padding | None) -> Ref:
    """The groups beside each other, cropped together; an activation across channels waits until they are together."""
    across = operator.activation in ("softmax", "log_softmax")
    result = _groups(operator, cell, inner, across, "groups" if across or crops is not None else "")
    if crops is not None:
        result = cropping(cell, result, crops, "crop" if across else "")
    return cell.layer("Activation", {"activation": activation(operator.activation)}, result) if across else result


def _groups(operator: ConvTranspose, cell: Cell, inner: Shape, is_linear: bool, suffix: str) -> Ref:
    groups, channels, filters = operator.groups, known(cell.shape[-1]), operator.filters // operator.groups
    part: Shape = (*cell.shape[:-1], channels // groups)
    split = cell.operation(
        "Split", {"indices_or_sections": groups, "axis": -1}, suffix="split", shapes=(part,) * groups
    )
    each = len(cell.node.weights) // groups
    of_group = replace(operator, filters=filters, activation="linear" if is_linear else operator.activation)
    parts = [
        cell.layer(
            f"Conv{cell.axes}DTranspose",
            _transpose_config(of_group, cell.axes),
            Ref(split.part, index),
            suffix=f"group{index + 1}",
            shape=(*inner[:-1], filters),
            weights=cell.node.weights[index * each : (index + 1) * each],
        )
        for index in range(groups)
    ]
    return cell.layer("Concatenate", {"axis": -1}, *parts, suffix=suffix, shape=inner, as_list=True)


def _transpose_config(operator: ConvTranspose, axes: int) -> dict[str, Any]:
    named = isinstance(operator.padding, str)
    extra = 0 if operator.output_padding is None and not named else operator.output_padding
    return {
        "filters": operator.filters,
        **_window(
            operator,
            axes,
            padding=operator.padding if named else "valid",
            output_padding=None if extra is None else list(shape_rules.per_axis(extra, axes)),
        ),
        **_learned(operator, kernel=operator.kernel_initializer),
    }


def _padded(operator: Conv | DepthwiseConv | SeparableConv, cell: Cell) -> tuple[Ref, str]:
    """The tensor that a convolution reads, and the word it needs: numbers become zeros around the input.

    Numbers that equal `same` on this input are that word, unless the layer is shared by calls of several sizes.
    """
    source = cell.inputs[0]
    if isinstance(operator.padding, str):
        return source, operator.padding
    pads = shape_rules.pairs(operator.padding, cell.axes)
    same = shape_rules.padding_of("same", shape_rules.spatial(cell.shape), *operator.windows(cell.axes))
    if not cell.shared and pads == same and any(sum(pad) for pad in pads):
        return source, "same"
    return zero_padding(cell, source, pads, cell.shape, "pad"), "valid"


def _window(operator: Convolution, axes: int, **padding: Any) -> dict[str, Any]:
    """How the window of any convolution moves, in Keras's words and order."""
    kernel, stride, dilation = operator.windows(axes)
    return {
        "kernel_size": list(kernel),
        "strides": list(stride),
        **padding,
        "data_format": "channels_last",
        "dilation_rate": list(dilation),
    }


def _learned(operator: Convolution, **kernels: Initializer) -> dict[str, Any]:
    """Activation, bias and how the weights of any convolution start; `kernels` are the initialisers by kernel."""
    starts = {**kernels, "bias": operator.bias_initializer}
    return {
        "activation": activation(operator.activation),
        "use_bias": operator.bias,
        **{f"{name}_initializer": initializer(start) for name, start in starts.items()},
        **unregularised(*starts, activity=True),
    }
