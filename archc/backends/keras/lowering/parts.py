"""What lowering functions are written in: the parts that one node becomes, and pieces of Keras's configs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archc.graph.graph import Node
from archc.operators import Shape, Weight
from archc.operators.shape_rules import Initializer, Sizes, variance_scaling

LAYERS = "keras.layers"
OPERATIONS = "keras.src.ops.numpy"


@dataclass(frozen=True, slots=True)
class Ref:
    """A tensor within a node's parts: an output of a part, or (`part` is -1) one of the node's inputs."""

    part: int
    output: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One layer of those that a node becomes. `suffix` is added to the node's name; empty for the node's own name."""

    suffix: str
    module: str
    class_name: str
    config: Mapping[str, Any]
    inputs: tuple[Ref, ...]
    as_list: bool
    shapes: tuple[Shape, ...]
    weights: tuple[Weight, ...]
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]


@dataclass(slots=True)
class Cell:
    """A node that is being lowered: what it reads, and the parts made so far.

    `shared` is true where its weights have calls on inputs of several sizes: then the layer that holds them must not
    depend on the sizes of one call. `positive` is true where no input has a value below zero.
    """

    node: Node
    shared: bool = False
    positive: bool = False
    parts: list[Part] = field(default_factory=list[Part])

    @property
    def inputs(self) -> tuple[Ref, ...]:
        """The node's inputs."""
        return tuple(Ref(-1, index) for index in range(len(self.node.inputs)))

    @property
    def shape(self) -> Shape:
        """The shape of the first input."""
        return self.node.input_shapes[0]

    @property
    def axes(self) -> int:
        """The number of the first input's spatial axes."""
        return len(self.shape) - 1

    def layer(
        self,
        class_name: str,
        config: Mapping[str, Any],
        *inputs: Ref,
        suffix: str = "",
        shape: Shape | None = None,
        weights: tuple[Weight, ...] = (),
        as_list: bool = False,
        module: str = LAYERS,
    ) -> Ref:
        """Adds a layer; it reads the node's first input, where no other is given, and has the node's output shape."""
        read = inputs or self.inputs[:1]
        shapes = self.node.shapes[:1] if shape is None else (shape,)
        self.parts.append(Part(suffix, module, class_name, config, read, as_list, shapes, weights, (), {}))
        return Ref(len(self.parts) - 1)

    def operation(
        self,
        class_name: str,
        config: Mapping[str, Any],
        *inputs: Ref,
        suffix: str = "",
        shapes: tuple[Shape, ...] | None = None,
        arguments: tuple[Any, ...] = (),
        keywords: Mapping[str, Any] | None = None,
    ) -> Ref:
        """Adds an operation of `keras.ops`, which may take constants beside tensors."""
        read = inputs or self.inputs[:1]
        found = self.node.shapes if shapes is None else shapes
        self.parts.append(
            Part(suffix, OPERATIONS, class_name, config, read, False, found, (), arguments, keywords or {})
        )
        return Ref(len(self.parts) - 1)


_ACTIVATIONS = {"swish": "silu", "hard_swish": "hard_silu"}
"""Activations that Keras serialises under another name than ours."""


def activation(name: str) -> str:
    """An activation by the name that Keras writes."""
    return _ACTIVATIONS.get(name, name)


_FANS = {"seed": None, "input_axes": None, "output_axes": None}
_INITIALIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "glorot_uniform": ("GlorotUniform", _FANS),
    "glorot_normal": ("GlorotNormal", _FANS),
    "he_uniform": ("HeUniform", _FANS),
    "he_normal": ("HeNormal", _FANS),
    "lecun_uniform": ("LecunUniform", _FANS),
    "lecun_normal": ("LecunNormal", _FANS),
    "random_uniform": ("RandomUniform", {"seed": None, "minval": -0.05, "maxval": 0.05}),
    "random_normal": ("RandomNormal", {"seed": None, "mean": 0.0, "stddev": 0.05}),
    "truncated_normal": ("TruncatedNormal", {"seed": None, "mean": 0.0, "stddev": 0.05}),
    "zeros": ("Zeros", {}),
    "ones": ("Ones", {}),
}


def initializer(name: Initializer) -> dict[str, Any]:
    """An initialiser as Keras serialises it; `constant:0.25` is a constant, a mapping variance scaling."""
    if not isinstance(name, str):
        class_name, config = "VarianceScaling", {**_FANS, **variance_scaling(name)}
    elif name.startswith("constant:"):
        class_name, config = "Constant", {"value": float(name.removeprefix("constant:"))}
    else:
        class_name, config = _INITIALIZERS[name]
    return {
        "module": "keras.initializers",
        "class_name": class_name,
        "config": dict(config),
        "registered_name": None,
    }


def unregularised(*weights: str, activity: bool = False) -> dict[str, None]:
    """No regulariser and no constraint for any of the weights: they belong to training."""
    regularised = [*weights, "activity"] if activity else weights
    names = [*(f"{one}_regularizer" for one in regularised), *(f"{one}_constraint" for one in weights)]
    return dict.fromkeys(names)


def thaw(value: Any) -> Any:
    """Tuples as lists and frozen maps as dictionaries, all the way down."""
    if isinstance(value, Mapping):
        return {key: thaw(one) for key, one in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [thaw(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def zero_padding(cell: Cell, source: Ref, pads: Sequence[tuple[int, int]], shape: Shape, suffix: str) -> Ref:
    """Zeros around the spatial axes of a tensor of `shape`; nothing where there are none to add."""
    if not any(sum(pad) for pad in pads):
        return source
    return cell.layer(
        f"ZeroPadding{len(pads)}D",
        {"padding": sides(pads), "data_format": "channels_last"},
        source,
        suffix=suffix,
        shape=padded(shape, pads),
    )


def cropping(cell: Cell, source: Ref, crops: Sequence[tuple[int, int]], suffix: str = "") -> Ref:
    """The spatial axes without their ends; the result has the node's output shape."""
    axes = len(crops)
    config: dict[str, Any] = {"cropping": sides(crops)}
    if axes > 1:
        config["data_format"] = "channels_last"
    return cell.layer(f"Cropping{axes}D", config, source, suffix=suffix)


def padded(shape: Shape, pads: Sequence[tuple[int, int]]) -> Shape:
    """A shape with amounts added to its spatial sizes."""
    sizes = (None if size is None else size + sum(pad) for size, pad in zip(shape, pads, strict=False))
    return (*sizes, shape[-1])


def sides(amounts: Sequence[tuple[int, int]]) -> list[Any]:
    """Amounts before and after each axis as Keras has them: of a single axis, without the outer list."""
    listed = [list(one) for one in amounts]
    return listed[0] if len(listed) == 1 else listed


def pool_config(size: Sizes, stride: Sizes, padding: str, data_format: str = "channels_last") -> dict[str, Any]:
    """The config of all pooling layers."""
    return {"pool_size": list(size), "padding": padding, "strides": list(stride), "data_format": data_format}
