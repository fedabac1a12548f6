"""Compares a variant with the network of `torchvision.models` that it names, both in PyTorch."""

from __future__ import annotations

import importlib
import operator
import os
from collections.abc import Callable
from typing import Any

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "torch")

from archc import compile
from tests.parity.compare import difference, drawn, image, without_softmax

ARGUMENTS: dict[str, dict[str, Any]] = {
    "googlenet": {"aux_logits": False, "init_weights": False},
    "inception_v3": {"aux_logits": False, "init_weights": False},
    "segmentation.fcn_resnet50": {"weights_backbone": None, "aux_loss": False},
    "segmentation.fcn_resnet101": {"weights_backbone": None, "aux_loss": False},
    "segmentation.deeplabv3_resnet50": {"weights_backbone": None, "aux_loss": False},
    "segmentation.deeplabv3_resnet101": {"weights_backbone": None, "aux_loss": False},
}


def compare(implementation: str, address: str) -> float:
    """The relative difference of the outputs; weights go over layer by layer, in the order in which layers run.

    Raises `AssertionError` where the layers with weights differ in number or in shape.
    """
    keras, torch, models = (importlib.import_module(one) for one in ("keras", "torch", "torchvision.models"))

    keras.backend.clear_session()
    generator = np.random.default_rng(2)
    compiled = compile(address)
    ours: Any = compiled.to_keras()
    name = implementation.removeprefix("torchvision.models.")
    theirs: Any = operator.attrgetter(name)(models)(weights=None, **ARGUMENTS.get(name, {})).eval()
    with torch.no_grad():
        for path, values in (*theirs.named_parameters(), *theirs.named_buffers()):
            values.copy_(torch.from_numpy(np.array(drawn(path.replace(".", "/"), values.numpy(), generator))))
        picture = image(ours.input_shape[1:], False, generator)
        tensor = torch.from_numpy(np.moveaxis(picture, -1, 1).copy())
        run = _in_turn(theirs, tensor)
        answer = theirs(tensor)
        expected = np.moveaxis((answer["out"] if isinstance(answer, dict) else answer).numpy(), 1, -1)
    layers = [ours.get_layer(one.name) for one in compiled.lowered.layers if one.weights]
    for number, (layer, (path, module)) in enumerate(zip(layers, run, strict=False)):
        _put(layer, module, f"layer {number}: {layer.name}, in torchvision {path}")
    assert len(layers) == len(run), f"{len(layers)} layers with weights, in torchvision {len(run)}"
    return difference(without_softmax(ours).predict(picture, verbose=0), expected)


def _in_turn(model: Any, tensor: Any) -> list[tuple[str, Any]]:
    """The modules that hold parameters themselves, in the order in which they finish."""
    run: list[tuple[str, Any]] = []

    def noted(path: str) -> Callable[..., None]:
        return lambda module, *_: run.append((path, module))

    holders = [(path, module) for path, module in model.named_modules() if next(module.parameters(recurse=False), None) is not None]
    hooks = [module.register_forward_hook(noted(path)) for path, module in holders]
    model(tensor)
    for hook in hooks:
        hook.remove()
    return run


def _put(layer: Any, module: Any, where: str) -> None:
    """PyTorch's weights in Keras's layout: convolution kernels [out, in, ...] become [..., in, out], dense ones are
    transposed, and the rows of a dense layer behind a flattened map go from CHW to HWC order."""
    values = {name: one.detach().numpy() for name, one in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)) if one.ndim}
    if len(values) == 1 and "weight" not in values:
        taken = [next(iter(values.values())).reshape(-1)]
    else:
        weight = values["weight"]
        if weight.ndim > 2:
            depthwise = type(layer).__name__.startswith("Depthwise")
            weight = np.moveaxis(weight, (0, 1), (-2, -1) if depthwise else (-1, -2))
        elif weight.ndim == 2:
            weight = _rows(layer, weight)
        taken = [weight, *(values[one] for one in ("bias", "running_mean", "running_var") if one in values)]
    wanted = [tuple(one.shape) for one in layer.weights]
    assert len(taken) == len(wanted), f"{where}: {wanted} and {[one.shape for one in taken]}"
    for ours, theirs in zip(wanted, taken, strict=True):
        assert [one for one in ours if one != 1] == [one for one in theirs.shape if one != 1], f"{where}: {wanted} and {[one.shape for one in taken]}"
    layer.set_weights([one.reshape(shape) for one, shape in zip(taken, wanted, strict=True)])


def _rows(layer: Any, weight: Any) -> Any:
    operation = layer.input._keras_history.operation
    while type(operation).__name__ in ("Dropout", "Activation", "ReLU"):
        operation = operation.input._keras_history.operation
    if type(operation).__name__ != "Flatten" or len(operation.input.shape) != 4:
        return weight.T
    height, width, channels = operation.input.shape[1:]
    return weight.reshape(len(weight), channels, height, width).transpose(2, 3, 1, 0).reshape(-1, len(weight))
