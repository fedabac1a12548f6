"""A lowered network as a live `keras.Model`. The only module of this package, with imports, that loads Keras."""

from __future__ import annotations

import importlib
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from archc.backends.keras import initial
from archc.backends.keras.config import keras_order, own_config
from archc.backends.keras.layers import KerasLayer, KerasModel, KerasTensor
from archc.operators import Weight

MODULES = ("keras.layers", "keras.src.ops.numpy", "keras.src.ops.nn", "keras.src.ops.image", "keras.src.ops.core")
"""Where classes may come from: a file never decides what is imported."""

_DEEP = 500  # calls in a row from which Keras's own walk through the graph, which recurses, is given more room
_STACK = 512 << 20

_Result = TypeVar("_Result")


def to_keras(model: KerasModel, seed: int = 0, *, modules: Collection[str] = ()) -> Any:
    """The network as a `keras.Model`, with the same initial weights as its archive has for this seed.

    `modules` are those of the user's own layers, and are imported where the network has such layers.

    >>> to_keras(model).predict(images)  # doctest: +SKIP
    """
    keras: Any = importlib.import_module("keras")
    made: dict[int, Any] = {}
    outputs: dict[tuple[int, int], Any] = {}
    for index, number in _in_turn(model):
        layer = model.layers[index]
        if index not in made:
            made[index] = _made(layer, modules)
        if layer.class_name == "InputLayer":
            outputs[index, number] = [made[index].output]
        else:
            outputs[index, number] = _called(made[index], layer, number, outputs, seed)
    inputs = _one_or_all([_found(outputs, tensor) for tensor in model.inputs])
    ends = _one_or_all([_found(outputs, tensor) for tensor in model.outputs])
    return _with_room(len(outputs), lambda: keras.Model(inputs, ends, name=model.name))


def set_weights(model: Any, weights: Mapping[str, Sequence[Any]]) -> None:
    """Gives the layers of a live model their weights, by the layers' names."""
    for name, values in weights.items():
        layer = model.get_layer(name)
        layer.set_weights(values)
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()  # Keras's Normalization takes its variables up only when it is told to


def _in_turn(model: KerasModel) -> list[tuple[int, int]]:
    """The calls that the outputs need, in the order of the graph's nodes: a layer that is called twice may read, the
    second time, what a later layer gave."""

    def turn(node: tuple[int, int]) -> tuple[int, int, int]:
        calls = model.layers[node[0]].calls
        return (calls[node[1]].node if calls else -1, *node)

    return sorted(keras_order(model).calls, key=turn)


def _one_or_all(tensors: list[Any]) -> Any:
    return tensors if len(tensors) > 1 else tensors[0]


def _found(outputs: Mapping[tuple[int, int], Sequence[Any]], tensor: KerasTensor) -> Any:
    return outputs[tensor.layer, tensor.call][tensor.output]


def _made(layer: KerasLayer, modules: Collection[str]) -> Any:
    if layer.module not in MODULES and layer.module not in modules:
        raise ValueError(f"{layer.module}.{layer.class_name} is not stock Keras, and {layer.module} is not allowed")
    settings = own_config(layer)
    if not layer.is_operation and layer.class_name != "InputLayer":
        del settings["dtype"]  # the default, which Keras need not read from a config
    return getattr(importlib.import_module(layer.module), layer.class_name)(**settings)


def _called(
    made: Any, layer: KerasLayer, number: int, outputs: Mapping[tuple[int, int], Sequence[Any]], seed: int
) -> Sequence[Any]:
    """The outputs of one call of a layer; the first call builds it."""
    call = layer.calls[number]
    tensors = [_found(outputs, one) for one in call.inputs]
    use = partial(made, *([tensors] if call.as_list else tensors), *call.arguments, **call.keywords)
    result = _built(made, layer, seed, use) if layer.weights and not made.built else use()
    return result if isinstance(result, (list, tuple)) else [result]  # pyright: ignore[reportUnknownVariableType]


def _built(made: Any, layer: KerasLayer, seed: int, use: Callable[[], Any]) -> Any:
    """Call a layer for the first time, and have its weights start with our values.

    Where the layer asks for its weights itself, ours take the place of Keras's, which are then never drawn. A layer
    that leaves its weights to inner layers is given ours afterwards.
    """
    import numpy

    waiting = deque(_starts(layer, seed))
    ask = made.add_weight

    def add_weight(*args: Any, **kwargs: Any) -> Any:
        shape = kwargs.get("shape", args[0] if args else None)
        if waiting and shape is not None and tuple(shape) == waiting[0][0].shape:
            kwargs["initializer"] = waiting.popleft()[1]
        return ask(*args, **kwargs)

    vars(made)["add_weight"] = add_weight
    try:
        result = use()
    finally:
        del vars(made)["add_weight"]
    if waiting:
        made.set_weights([numpy.asarray(start(weight.shape)) for weight, start in _starts(layer, seed)])
    return result


def _starts(layer: KerasLayer, seed: int) -> Iterator[tuple[Weight, Callable[..., Any]]]:
    """Each weight of a layer with an initialiser, as Keras calls one, that gives our values."""
    for position, weight in enumerate(layer.weights):
        index = initial.identity(layer.name, position, weight)
        yield weight, partial(_values, weight, seed, index)


def _values(weight: Weight, seed: int, index: int, shape: Any, dtype: Any = None) -> Any:
    """Our values, for TensorFlow without the copy that it makes of every array."""
    keras: Any = importlib.import_module("keras")
    values = initial.values(weight, seed, index)
    if weight.size < initial.BLOCK or keras.backend.backend() != "tensorflow":
        return values
    tensorflow: Any = importlib.import_module("tensorflow")
    return tensorflow.experimental.dlpack.from_dlpack(values.__dlpack__())


def _with_room(depth: int, function: Callable[[], _Result]) -> _Result:
    """Call a function that recurses as deep as the network is long, as Keras's walk through a graph does.

    Python 3.10 keeps its calls on the machine's stack, so the room for it has to come from a thread of our own.
    """
    if depth < _DEEP:
        return function()
    results: list[_Result] = []
    problems: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as problem:  # raised again below, in the caller's thread
            problems.append(problem)

    with _limits(sys.getrecursionlimit() + 4 * depth):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    if problems:
        raise problems[0]
    return results[0]


@contextmanager
def _limits(recursion: int) -> Generator[None]:
    before, stack = sys.getrecursionlimit(), threading.stack_size(_STACK)
    sys.setrecursionlimit(recursion)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
        threading.stack_size(stack)
