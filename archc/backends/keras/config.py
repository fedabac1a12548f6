"""A lowered network as Keras's own JSON config, so that plain Keras rebuilds it. Imports no Keras.

The form is that of `keras.Model.to_json()` in Keras 3.15 for a functional model, with two liberties: it lists no
`shared_object_id`, which is a memory address, and no `compile_config`, for nothing is compiled.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from archc.backends.keras.layers import KerasCall, KerasLayer, KerasModel, KerasTensor

KERAS_VERSION = "3.15.1"

# Keras marks these as built when they are made, so that their configs hold no shape to be built with.
BUILT_AT_ONCE = frozenset(
    (
        "InputLayer",
        "Activation",
        "ActivityRegularization",
        "AlphaDropout",
        "AveragePooling1D",
        "AveragePooling2D",
        "AveragePooling3D",
        "Dropout",
        "ELU",
        "GaussianDropout",
        "GaussianNoise",
        "GlobalAveragePooling1D",
        "GlobalAveragePooling2D",
        "GlobalAveragePooling3D",
        "GlobalMaxPooling1D",
        "GlobalMaxPooling2D",
        "GlobalMaxPooling3D",
        "Identity",
        "LeakyReLU",
        "Masking",
        "MaxPooling1D",
        "MaxPooling2D",
        "MaxPooling3D",
        "ReLU",
        "Reshape",
        "Softmax",
        "SpatialDropout1D",
        "SpatialDropout2D",
        "SpatialDropout3D",
        "UnitNormalization",
    )
)
# Keras records the arguments of a call that it filled in by itself.
_NO_MASK = {"mask": None}
_AT_INFERENCE = {"training": False}
_ALWAYS = {"training": True}
CALL_ARGUMENTS: dict[str, dict[str, Any]] = {
    "BatchNormalization": _NO_MASK,
    "GlobalAveragePooling1D": _NO_MASK,
    "Softmax": _NO_MASK,
    "AlphaDropout": _AT_INFERENCE,
    "Dropout": _AT_INFERENCE,
    "GaussianDropout": _AT_INFERENCE,
    "GaussianNoise": _AT_INFERENCE,
    "SpatialDropout1D": _AT_INFERENCE,
    "SpatialDropout2D": _AT_INFERENCE,
    "SpatialDropout3D": _AT_INFERENCE,
    "SpectralNormalization": _AT_INFERENCE,
    "GRU": {"training": False, "mask": None},
    "LSTM": {"training": False, "mask": None},
    "SimpleRNN": {"training": False, "mask": None},
    "CenterCrop": _ALWAYS,
    "Resizing": _ALWAYS,
}

_Node = tuple[int, int]  # a layer's index and which of its calls


@dataclass(frozen=True, slots=True)
class KerasOrder:
    """The order in which Keras lists a model's layers, and the calls of them that it keeps, renumbered from 0."""

    layers: tuple[int, ...]
    calls: dict[_Node, int]


def keras_order(model: KerasModel) -> KerasOrder:
    """Keras's own order: deepest first, where depth is the longest way to an output, then as a walk finds them.

    Files name a layer's weights by its class and its place in this order, so it must be Keras's exactly.
    """
    nodes, found = _walk(model)
    depths = _depths(model, nodes)
    for tensor in model.inputs:
        if tensor.layer not in depths:
            depths[tensor.layer], found[tensor.layer] = 0, -1
            nodes.append((tensor.layer, 0))
    layers = tuple(sorted(depths, key=lambda one: (-depths[one], found[one])))
    return KerasOrder(layers, _renumbered(nodes))


def _walk(model: KerasModel) -> tuple[list[_Node], dict[int, int]]:
    """The calls that outputs need, each after those it reads, and when a walk back from the outputs met each layer.

    With a stack of its own: a chain of 100,000 layers is deeper than Python's.
    """
    done: list[_Node] = []
    found: dict[int, int] = {}
    entered: set[_Node] = set()
    for output in model.outputs:
        stack: list[tuple[_Node, Iterator[KerasTensor]]] = []
        _enter(model, (output.layer, output.call), stack, entered, found)
        while stack:
            node, inputs = stack[-1]
            tensor = next(inputs, None)
            if tensor is not None:
                _enter(model, (tensor.layer, tensor.call), stack, entered, found)
            else:
                stack.pop()
                done.append(node)
    return done, found


def _enter(
    model: KerasModel,
    node: _Node,
    stack: list[tuple[_Node, Iterator[KerasTensor]]],
    entered: set[_Node],
    found: dict[int, int],
) -> None:
    if node in entered:
        return
    entered.add(node)
    found.setdefault(node[0], len(found))
    stack.append((node, iter(_inputs(model, node))))


def _inputs(model: KerasModel, node: _Node) -> tuple[KerasTensor, ...]:
    calls = model.layers[node[0]].calls
    return calls[node[1]].inputs if calls else ()


def _depths(model: KerasModel, nodes: list[_Node]) -> dict[int, int]:
    """The depth of each layer; where a layer is called at several depths, all its calls count as at the deepest."""
    depth_of_node: dict[_Node, int] = {}
    depth_of_layer: dict[int, int] = {}
    for node in reversed(nodes):
        depth = max(depth_of_node.get(node, 0), depth_of_layer.get(node[0], 0))
        depth_of_layer[node[0]] = depth
        for tensor in _inputs(model, node):
            above = (tensor.layer, tensor.call)
            depth_of_node[above] = max(depth + 1, depth_of_node.get(above, 0))
    return depth_of_layer


def _renumbered(nodes: list[_Node]) -> dict[_Node, int]:
    numbers: dict[_Node, int] = {}
    count: dict[int, int] = {}
    for node in sorted(nodes):
        numbers[node] = count.get(node[0], 0)
        count[node[0]] = numbers[node] + 1
    return numbers


def config(model: KerasModel) -> dict[str, Any]:
    """The config of the model, as `keras.saving.deserialize_keras_object` takes it. Parts are shared: do not change it.

    >>> keras.saving.deserialize_keras_object(config(model))  # doctest: +SKIP
    <Functional name=vgg_d, built=True>
    """
    order = keras_order(model)
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": {
            "name": model.name,
            "trainable": True,
            "layers": [_layer_entry(model, index, order) for index in order.layers],
            "input_layers": _ends(model, model.inputs, order),
            "output_layers": _ends(model, model.outputs, order),
        },
        "registered_name": "Functional",
        "build_config": {"input_shape": None},
    }


def config_text(model: KerasModel) -> str:
    """The config as JSON on one line, as `keras.models.model_from_json` takes it."""
    return json.dumps(config(model))


def own_config(layer: KerasLayer) -> dict[str, Any]:
    """What the layer's `get_config()` gives: the lowered config with name, `trainable` and dtype."""
    if layer.class_name == "InputLayer":
        given = {"dtype": "float32", "sparse": False, "ragged": False, "optional": False}
        return {**given, **layer.config, "name": layer.name}
    if layer.is_operation:
        return {"name": layer.name, **layer.config}
    return {"name": layer.name, "trainable": layer.trainable, "dtype": _dtype_policy(), **layer.config}


def _dtype_policy() -> dict[str, Any]:
    return {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": {"name": "float32"},
        "registered_name": None,
    }


def _layer_entry(model: KerasModel, index: int, order: KerasOrder) -> dict[str, Any]:
    layer = model.layers[index]
    kept = [call for number, call in enumerate(layer.calls) if (index, number) in order.calls]
    entry: dict[str, Any] = {
        "module": layer.module,
        "class_name": layer.class_name,
        "config": own_config(layer),
        "registered_name": None if layer.module == "keras.layers" else layer.class_name,
    }
    if _is_built_by_shape(layer):
        entry["build_config"] = {"input_shape": _built_with(model, layer.calls[0])}
    entry["name"] = layer.name
    entry["inbound_nodes"] = [_inbound(model, layer, call, order) for call in kept if call.inputs]
    return entry


def _is_built_by_shape(layer: KerasLayer) -> bool:
    """Layers that take several tensors one by one name their shapes each in its way; the call will build those."""
    if layer.is_operation or layer.class_name in BUILT_AT_ONCE:
        return False
    return layer.calls[0].as_list or len(layer.calls[0].inputs) == 1


def _built_with(model: KerasModel, call: KerasCall) -> list[Any]:
    shapes = [_batch_shape(model, tensor) for tensor in call.inputs]
    return shapes if call.as_list else shapes[0]


def _inbound(model: KerasModel, layer: KerasLayer, call: KerasCall, order: KerasOrder) -> dict[str, Any]:
    tensors = [_tensor(model, tensor, order) for tensor in call.inputs]
    filled_in = {} if layer.is_operation else CALL_ARGUMENTS.get(layer.class_name, {})
    return {
        "args": [*([tensors] if call.as_list else tensors), *call.arguments],
        "kwargs": {**filled_in, **call.keywords},
    }


def _tensor(model: KerasModel, tensor: KerasTensor, order: KerasOrder) -> dict[str, Any]:
    return {
        "class_name": "__keras_tensor__",
        "config": {
            "shape": _batch_shape(model, tensor),
            "dtype": _dtype(model.layers[tensor.layer]),
            "keras_history": _history(model, tensor, order),
        },
    }


def _dtype(layer: KerasLayer) -> str:
    """An input has the dtype that it states; layers compute in float32."""
    return layer.config.get("dtype", "float32") if layer.class_name == "InputLayer" else "float32"


def _batch_shape(model: KerasModel, tensor: KerasTensor) -> list[int | None]:
    layer = model.layers[tensor.layer]
    if layer.class_name == "InputLayer":
        return list(layer.config["batch_shape"])
    return [None, *layer.calls[tensor.call].shapes[tensor.output]]


def _history(model: KerasModel, tensor: KerasTensor, order: KerasOrder) -> list[Any]:
    return [model.layers[tensor.layer].name, order.calls[tensor.layer, tensor.call], tensor.output]


def _ends(model: KerasModel, tensors: tuple[KerasTensor, ...], order: KerasOrder) -> list[Any]:
    """The inputs or outputs: a bare tensor where there is one, as `keras.Model(x, y)` has it, else a list."""
    ends = [_history(model, tensor, order) for tensor in tensors]
    return ends if len(ends) > 1 else ends[0]
