"""Keras configs in a form that can be compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

_SAYS_NOTHING = ("shared_object_id", "build_config", "compile_config")


def comparable(config: Any) -> Any:
    """A model's config without memory addresses and shapes that calls tell, operations named by their place.

    Functions of `keras.ops` take no names, so that in the model of an emitted source Keras has named the operations.
    """
    found = _without(json.loads(json.dumps(config)))
    layers = found["config"]["layers"]
    names = {one["name"]: one["name"] for one in layers}
    operations = [one["name"] for one in layers if one["module"].startswith("keras.src.ops.")]
    names |= {name: f"operation {at}" for at, name in enumerate(operations)}
    return _renamed(found, names)


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(one) for key, one in value.items() if key not in _SAYS_NOTHING}
    return [_without(one) for one in value] if isinstance(value, list) else value


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """Names replaced where they stand for layers: their own, and in what calls read."""
    if isinstance(value, list):
        is_place = len(value) == 3 and isinstance(value[0], str) and all(isinstance(one, int) for one in value[1:])
        return [names[value[0]], *value[1:]] if is_place else [_renamed(one, names) for one in value]
    if not isinstance(value, dict):
        return value
    if "inbound_nodes" in value:
        name = names[value["name"]]
        value = {**value, "name": name, "config": {**value["config"], "name": name}}
    return {key: _renamed(one, names) for key, one in value.items()}


def set_all_weights(model: Any, values: list[Any]) -> None:
    """A model's weights in its own order, taken up by its Normalization layers too, which wait until they are told."""
    model.set_weights(values)
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def computed(function: Callable[..., Any], *inputs: Any) -> Any:
    """What a function of tensors gives; by XLA where TensorFlow's own kernels lack it (a dilated transposed convolution on a
    CPU, without oneDNN, or some of size 1 with it)."""
    import tensorflow as tf

    try:
        return function(*inputs)
    except (tf.errors.InvalidArgumentError, tf.errors.AbortedError):
        return tf.function(function, jit_compile=True)(*inputs)
