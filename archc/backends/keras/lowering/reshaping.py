"""Reshaping as Keras layers and operations."""

from __future__ import annotations

from typing import Any

from archc.backends.keras.lowering.parts import Cell, Ref, cropping, zero_padding
from archc.operators import Shape, shape_rules
from archc.operators.reshaping import (
    ChannelShuffle,
    Crop,
    Flatten,
    Pad,
    PadChannels,
    Permute,
    Reshape,
    Resize,
    Select,
    Slice,
    Split,
    Upsample,
)
from archc.operators.shape_rules import known
from archc.operators.space import DepthToSpace, SpaceToDepth


def flatten(operator: Flatten, cell: Cell) -> Ref:
    return cell.layer("Flatten", {"data_format": "channels_last"})


def reshape(operator: Reshape, cell: Cell) -> Ref:
    return cell.layer("Reshape", {"target_shape": list(operator.shape)})


def permute(operator: Permute, cell: Cell) -> Ref:
    return cell.layer("Permute", {"dims": list(operator.order)})


def pad(operator: Pad, cell: Cell) -> Ref:
    pads = operator.pads(cell.shape)
    if operator.mode != "zeros":
        widths = [[0, 0], *[list(one) for one in pads], [0, 0]]
        return cell.operation("Pad", {"pad_width": widths, "mode": operator.mode}, keywords={"constant_values": None})
    if not any(sum(one) for one in pads):
        return cell.layer("Identity", {})
    return zero_padding(cell, cell.inputs[0], pads, cell.shape, "")


def crop(operator: Crop, cell: Cell) -> Ref:
    return cropping(cell, cell.inputs[0], operator.crops(cell.shape))


def upsample(operator: Upsample, cell: Cell) -> Ref:
    size = shape_rules.per_axis(operator.size, cell.axes)
    if cell.axes == 1:
        return cell.layer("UpSampling1D", {"size": size[0]})
    config: dict[str, Any] = {"size": list(size), "data_format": "channels_last"}
    if cell.axes == 2:
        config["interpolation"] = operator.interpolation
    return cell.layer(f"UpSampling{cell.axes}D", config)


def resize(operator: Resize, cell: Cell) -> Ref:
    height, width = shape_rules.per_axis(operator.size, 2)
    config = {
        "data_format": "channels_last",
        "height": height,
        "width": width,
        "interpolation": operator.interpolation,
        "crop_to_aspect_ratio": False,
        "pad_to_aspect_ratio": False,
        "fill_mode": "constant",
        "fill_value": 0.0,
        "antialias": False,
    }
    return cell.layer("Resizing", config)


def select(operator: Select, cell: Cell) -> Ref:
    return take(cell, list(operator.channels), -1)


def split(operator: Split, cell: Cell) -> Ref | tuple[Ref, ...]:
    if len(cell.node.shapes) == 1:
        return cell.layer("Identity", {})
    parts: int | list[int] = operator.parts if isinstance(operator.parts, int) else _starts(operator.parts)
    first = cell.operation("Split", {"indices_or_sections": parts, "axis": -1})
    return tuple(Ref(first.part, index) for index in range(len(cell.node.shapes)))


def _starts(sizes: tuple[int, ...]) -> list[int]:
    return [sum(sizes[:index]) for index in range(1, len(sizes))]


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


def pad_channels(operator: PadChannels, cell: Cell) -> Ref:
    """A border after the last axis: that of a padding layer which is told that channels come first."""
    more = operator.filters - known(cell.shape[-1])
    if not more:
        return cell.layer("Identity", {})
    if cell.axes in (1, 2, 3):
        padding = [0, more] if cell.axes == 1 else [*[[0, 0]] * (cell.axes - 1), [0, more]]
        return cell.layer(f"ZeroPadding{cell.axes}D", {"padding": padding, "data_format": "channels_first"})
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


def depth_to_space(operator: DepthToSpace, cell: Cell) -> Ref:
    """The blocks as axes of their own, each laid behind its spatial axis."""
    axes, block = cell.axes, operator.block
    *sizes, channels = cell.node.shapes[0]
    blocks = (block,) * axes
    parted: Shape = (*cell.shape[:-1], *((*blocks, channels) if operator.order == "positions" else (channels, *blocks)))
    first = axes + 1 if operator.order == "positions" else axes + 2
    last = 2 * axes + 1 if operator.order == "positions" else axes + 1
    dims = [*(one for axis in range(axes) for one in (axis + 1, first + axis)), last]
    apart = cell.layer("Reshape", {"target_shape": _target(parted)}, suffix="blocks", shape=parted)
    laid = cell.layer("Permute", {"dims": dims}, apart, suffix="lay", shape=tuple(parted[one - 1] for one in dims))
    return cell.layer("Reshape", {"target_shape": _target((*sizes, channels))}, laid)


def space_to_depth(operator: SpaceToDepth, cell: Cell) -> Ref:
    """Each spatial axis as blocks and the positions in them, these laid beside the channels."""
    axes, block = cell.axes, operator.block
    *sizes, _ = cell.node.shapes[0]
    parted: Shape = (*(one for size in sizes for one in (size, block)), cell.shape[-1])
    spatial, inner = [2 * axis + 1 for axis in range(axes)], [2 * axis + 2 for axis in range(axes)]
    last = 2 * axes + 1
    dims = [*spatial, *((*inner, last) if operator.order == "positions" else (last, *inner))]
    apart = cell.layer("Reshape", {"target_shape": _target(parted)}, suffix="blocks", shape=parted)
    laid = cell.layer("Permute", {"dims": dims}, apart, suffix="lay", shape=tuple(parted[one - 1] for one in dims))
    return cell.layer("Reshape", {"target_shape": _target(cell.node.shapes[0])}, laid)


def _target(shape: Shape) -> list[int]:
    return [-1 if one is None else one for one in shape]


def take(cell: Cell, positions: list[int], axis: int) -> Ref:
    """Some positions along an axis, which counts the batch or is -1."""
    return cell.operation("Take", {"axis": axis}, arguments=(positions,))
