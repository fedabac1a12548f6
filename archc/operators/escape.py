"""Inputs, the identity, and the escapes to layers that have no operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from archc.operators import kinds
from archc.operators.base import (
    FrozenMap,
    Operator,
    Role,
    Shape,
    Weight,
    Window,
    attribute,
)
from archc.operators.shape_rules import weight


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Input(Operator):
    """What the network reads; made by `input` and `inputs`, never a step."""

    name: ClassVar[str] = "input"
    role: ClassVar[Role] = Role.INPUT
    arity: ClassVar[tuple[int, int | None]] = (0, 0)

    shape: Shape = attribute(kinds.SHAPE, "The shape without the batch axis.")
    dtype: str = attribute(kinds.DTYPE, "The type of the values.", "float32")

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return (self.shape,)

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        axes = max(0, len(self.shape) - 1)
        return Window((1,) * axes, (1,) * axes, (1,) * axes, ((0, 0),) * axes)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Identity(Operator):
    """The input as it is: a place to name, or an empty branch that should be seen."""

    name: ClassVar[str] = "identity"
    role: ClassVar[Role] = Role.OTHER


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class KerasEscape(Operator):
    """Any built-in Keras layer that has no operator yet.

    `- keras: {class: GaussianDropout, config: {rate: 0.5}, output: same, weights: []}`. No framework is asked: the
    spec states the output's shape and the weights' shapes, and both are checked whenever Keras is loaded.
    """

    name: ClassVar[str] = "keras"
    role: ClassVar[Role] = Role.OTHER
    arity: ClassVar[tuple[int, int | None]] = (1, None)

    class_: str = attribute(kinds.KERAS_CLASS, "The layer's name in `keras.layers`.")
    config: Mapping[str, Any] = attribute(kinds.MAP, "The layer's arguments.", FrozenMap({}))
    output: str | Shape = attribute(kinds.OUTPUT_SHAPE, "The output's shape, or `same`.", "same")
    weights_: tuple[tuple[int, ...], ...] = attribute(kinds.WEIGHT_SHAPES, "The weights' shapes, in order.", ())

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return (inputs[0] if isinstance(self.output, str) else self.output,)

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
        return _stated(self.weights_)

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int | None:
        """Unknown: nobody states what the layer computes."""
        return None

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        return None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LayerEscape(Operator):
    """A layer of the user's own, in the same form as `keras`.

    `- layer: {class: mypackage.layers:Swirl, config: {turns: 3}, output: same}`. It imports code, so it works only
    where the call allows that module; files that hold it need the module to load.
    """

    name: ClassVar[str] = "layer"
    role: ClassVar[Role] = Role.OTHER
    arity: ClassVar[tuple[int, int | None]] = (1, None)

    class_: str = attribute(kinds.LAYER_CLASS, "The layer's class, as `package.module:Name`.")
    config: Mapping[str, Any] = attribute(kinds.MAP, "The layer's arguments.", FrozenMap({}))
    output: str | Shape = attribute(kinds.OUTPUT_SHAPE, "The output's shape, or `same`.", "same")
    weights_: tuple[tuple[int, ...], ...] = attribute(kinds.WEIGHT_SHAPES, "The weights' shapes, in order.", ())

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return (inputs[0] if isinstance(self.output, str) else self.output,)

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
        return _stated(self.weights_)

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int | None:
        """Unknown: nobody states what the layer computes."""
        return None

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        return None


def _stated(shapes: tuple[tuple[int, ...], ...]) -> tuple[Weight, ...]:
    """Weights of stated shapes; kernels start as Keras's do, vectors at zero."""
    return tuple(
        weight(f"weight_{index}", shape, "glorot_uniform" if len(shape) > 1 else "zeros")
        for index, shape in enumerate(shapes)
    )
