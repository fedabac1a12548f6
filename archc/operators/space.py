"""Space and depth: the positions of a block as channels of one position, and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from archc.operators import kinds, shape_rules
from archc.operators.base import Operator, Problem, Role, Shape, Window, attribute
from archc.operators.shape_rules import known


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DepthToSpace(Operator):
    """The channels of each position as a block of positions: pixel shuffle (Shi et al. 2016).

    An image of `height x width x channels` becomes `height * block x width * block x channels / block ** 2`.

    `- depth_to_space: 2`, `- depth_to_space: {block: 3, order: channels}`.

    Where frameworks disagree: with `order: positions` channel `p * (channels / block ** 2) + c` becomes channel `c` at
    position `p` of the block, counted along the rows, as in TensorFlow's `tf.nn.depth_to_space` and ONNX's mode DCR. With
    `order: channels` it is channel `c * block ** 2 + p`, as in PyTorch's `PixelShuffle` and ONNX's mode CRD.
    """

    name: ClassVar[str] = "depth_to_space"
    role: ClassVar[Role] = Role.RESHAPING
    positional: ClassVar[tuple[str, ...]] = ("block", "order")

    block: int = attribute(kinds.POSITIVE, "How many positions a block has along each spatial axis.")
    order: str = attribute(kinds.DEPTH_ORDER, "By what the channels are sorted first.", "positions")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        shape = inputs[0]
        found = _shape_problems(self.name, shape)
        yield from found or shape_rules.first(
            shape_rules.divide_problem(self.name, "channels", known(shape[-1]), _positions(self.block, shape))
        )

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        shape = inputs[0]
        sizes = (None if size is None else size * self.block for size in shape[:-1])
        return ((*sizes, known(shape[-1]) // _positions(self.block, shape)),)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SpaceToDepth(Operator):
    """Each block of positions as the channels of one position: YOLOv2's passthrough (Redmon and Farhadi 2016).

    An image of `height x width x channels` becomes `height / block x width / block x channels * block ** 2`.

    `- space_to_depth: 2`. It undoes `depth_to_space` of the same `order`.

    Where frameworks disagree: with `order: positions` channel `c` at position `p` of the block, counted along the rows,
    becomes channel `p * channels + c`, as in TensorFlow's `tf.nn.space_to_depth` and ONNX. With `order: channels` it
    becomes `c * block ** 2 + p`, as in PyTorch's `PixelUnshuffle`. Darknet's `reorg` layer is neither: it reads its
    memory as if it had other sizes, and its published weights fit that alone.
    """

    name: ClassVar[str] = "space_to_depth"
    role: ClassVar[Role] = Role.RESHAPING
    positional: ClassVar[tuple[str, ...]] = ("block", "order")

    block: int = attribute(kinds.POSITIVE, "How many positions a block has along each spatial axis.")
    order: str = attribute(kinds.DEPTH_ORDER, "By what the channels are sorted first.", "positions")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        shape = inputs[0]
        found = _shape_problems(self.name, shape)
        named = [(axis, size) for axis, size in zip(shape_rules.axis_names(shape), shape[:-1], strict=False) if size]
        yield from found or shape_rules.first(
            *(shape_rules.divide_problem(self.name, f"positions along the {axis}", size, self.block) for axis, size in named)
        )

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        shape = inputs[0]
        sizes = (None if size is None else size // self.block for size in shape[:-1])
        return ((*sizes, known(shape[-1]) * _positions(self.block, shape)),)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        axes = len(inputs[0]) - 1
        block = (self.block,) * axes
        return Window(block, block, (1,) * axes, ((0, 0),) * axes)


def _positions(block: int, shape: Shape) -> int:
    """The number of positions in a block."""
    return block ** (len(shape) - 1)


def _shape_problems(name: str, shape: Shape) -> tuple[Problem, ...]:
    """Wrong ranks and open sizes; one size may be open, for it follows from the number of elements."""
    found = shape_rules.first(shape_rules.rank_problem(name, shape, (2, 3, 4)), shape_rules.channels_problem(name, shape))
    if found or shape.count(None) < 2:
        return found
    return shape_rules.first(shape_rules.open_problem(name, shape, "state all but one of the sizes of the input"))
