"""The lowered form: a list of Keras layers with their configs and calls. Knows no Keras."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archc.operators import Shape, Weight


@dataclass(frozen=True, slots=True)
class KerasTensor:
    """An output of a call of a layer in the list: the layer's index, which call, which output."""

    layer: int
    call: int = 0
    output: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class KerasCall:
    """One use of a layer.

    `inputs` are the tensors it reads; where `as_list` is true they are passed as one list (Add, Concatenate).
    `shapes` are those of its outputs, without the batch axis. `node` is the graph node that it came from. An operation
    may take constants too: `arguments` follow the tensors by position, `keywords` go by name.
    """

    inputs: tuple[KerasTensor, ...]
    as_list: bool
    shapes: tuple[Shape, ...]
    node: int
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, eq=False)
class KerasLayer:
    """One stock Keras layer (or operation): class, config, weights and calls.

    `config` holds what the layer's `get_config()` gives, without `name`, `trainable` and `dtype`, at Keras's own
    spelling (tuples as lists, initialisers as serialised objects). `weights` are in the layer's own order.
    """

    module: str
    class_name: str
    name: str
    config: Mapping[str, Any]
    weights: tuple[Weight, ...]
    trainable: bool
    calls: tuple[KerasCall, ...]

    @property
    def is_operation(self) -> bool:
        """True for an operation of `keras.ops`: its config has a name, and neither `trainable` nor `dtype`."""
        return self.module.startswith("keras.src.ops.")


@dataclass(frozen=True, eq=False)
class KerasModel:
    """A whole network, lowered: layers in an order where each comes after what it reads, inputs and outputs."""

    name: str
    layers: tuple[KerasLayer, ...]
    inputs: tuple[KerasTensor, ...]
    outputs: tuple[KerasTensor, ...]
    output_names: tuple[str, ...]


def snake_case(name: str) -> str:
    """Keras's own rule for names from classes: `Conv2D` is `conv2d`, `ReLU` is `re_lu`."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
