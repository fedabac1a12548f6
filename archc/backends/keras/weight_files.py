"""Weights from a file, for the layers of a lowered network: Keras's files, and PyTorch's state dicts. Needs no framework.

Names differ between libraries, so weights are told apart by their order: Keras's newer files count layers by class, its
older ones (which keras.applications publishes) list all, and a state dict lists modules as they were made.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import groupby, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile, is_zipfile

from archc.backends.base import WeightsError
from archc.backends.keras.archive import INNER, weight_paths
from archc.backends.keras.config import keras_order
from archc.backends.keras.layers import KerasLayer, KerasModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = list[NDArray[Any]]

_KERAS_ENTRY = "model.weights.h5"
_BETWEEN = ("Dropout", "Activation", "ReLU")  # what may stand between a flattened map and the dense layer that reads it
_PARTS = ("weight", "bias", "running_mean", "running_var")


def read_weights(path: Path, model: KerasModel) -> dict[str, Values]:
    """The weights in a file, by the names of the network's layers. Raises `WeightsError`, `OSError`.

    Reads `.keras` and `.weights.h5` (Keras 3), `.h5` (Keras 2, keras.applications), `.pth` and `.pt` (PyTorch).
    """
    with path.open("rb") as file:
        start = file.read(8)
    if start == b"\x89HDF\r\n\x1a\n":
        return _read_hdf5(path, model)
    if is_zipfile(path):
        with ZipFile(path) as archive:
            if _KERAS_ENTRY in archive.namelist():
                return _read_hdf5(BytesIO(archive.read(_KERAS_ENTRY)), model)
    from archc.backends.keras.torch_file import TorchFileError, read_torch

    try:
        return _from_torch(read_torch(path), model)
    except TorchFileError as problem:
        raise WeightsError(str(problem)) from None


def _read_hdf5(file: Any, model: KerasModel) -> dict[str, Values]:
    h5py: Any = importlib.import_module("h5py")
    try:
        with h5py.File(file, "r") as opened:
            root = opened.get("model_weights", opened)
            if "layer_names" in root.attrs:
                return _in_order(model, _listed(root))
            if "layers" in root:
                return _by_class(model, root["layers"])
    except (OSError, KeyError, ValueError, TypeError) as problem:
        raise WeightsError(f"it is not an HDF5 file of Keras that can be read ({problem})") from None
    raise WeightsError("it is an HDF5 file, but not one of Keras: it has neither `layers` nor `layer_names`")


def _listed(root: Any) -> list[tuple[str, Values]]:
    """The layers of an older file that have weights, in its order."""
    found: list[tuple[str, Values]] = []
    for layer in root.attrs["layer_names"]:
        group = root[layer]
        if names := list(group.attrs["weight_names"]):
            found.append((_text(layer), [group[one][()] for one in names]))
    return found


def _text(name: Any) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def _in_order(model: KerasModel, found: Sequence[tuple[str, Values]]) -> dict[str, Values]:
    """Weights in Keras's order of the layers."""
    layers = [one for one in (model.layers[index] for index in keras_order(model).layers) if one.weights]
    return _paired(layers, _flat(layers, found))


def _flat(layers: Sequence[KerasLayer], found: Sequence[tuple[str, Values]]) -> Sequence[tuple[str, Values]]:
    """The same weights by the network's layers, where the file has models within the model (ConvNeXt's stem)."""
    flat = [(name, value) for name, values in found for value in values]
    if len(found) == len(layers) or len(flat) != sum(len(one.weights) for one in layers):
        return found
    rest = iter(flat)
    taken = [[next(rest) for _ in one.weights] for one in layers]
    return [(one[0][0], [value for _, value in one]) for one in taken]


def _paired(layers: Sequence[KerasLayer], found: Sequence[tuple[str, Values]]) -> dict[str, Values]:
    """Each layer with its weights. Raises `WeightsError` at the first that do not fit."""
    for layer, one in zip_longest(layers, found):
        if layer is None or one is None:
            first = f"the first without a match is `{layer.name if layer else one[0] if one else ''}`"
            raise WeightsError(f"it has weights for {len(found)} layers, and the network has {len(layers)} layers with weights; {first}")
        wanted, given = [two.shape for two in layer.weights], [tuple(two.shape) for two in one[1]]
        if wanted != given:
            raise WeightsError(f"layer `{layer.name}` takes weights of shapes {_shapes(wanted)}, and `{one[0]}` in the file has {_shapes(given)}")
    return {layer.name: values for layer, (_, values) in zip(layers, found, strict=True)}


def _shapes(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join("x".join(map(str, one)) or "1" for one in shapes) or "none"


def _by_class(model: KerasModel, root: Any) -> dict[str, Values]:
    """Weights of a newer file: first those under the paths that Keras gives the network's layers, then the rest in
    order, for a library's own class may stand where a network has a stock one (ConvNeXt's LayerScale)."""
    stored = {name: _group(root[name]) for name in sorted(root, key=_number)}
    stored = {name: values for name, values in stored.items() if values}
    layers = {path.partition("/")[2]: layer for path, layer in weight_paths(model)}
    both = [name for name in layers if name in stored]
    others = _paired([layer for name, layer in layers.items() if name not in stored], [(name, values) for name, values in stored.items() if name not in layers])
    return _paired([layers[name] for name in both], [(name, stored[name]) for name in both]) | others


def _number(name: str) -> tuple[str, int]:
    base, _, number = name.rpartition("_")
    return (base, int(number)) if base and number.isdigit() else (name, 0)


def _group(group: Any) -> Values:
    inner = [one for names in INNER.values() for one in names if one in group]
    holders = [group[one] for one in dict.fromkeys(inner)] or [group]
    return [one["vars"][str(index)][()] for one in holders if "vars" in one for index in range(len(one["vars"]))]


def _from_torch(tensors: Mapping[str, Any], model: KerasModel) -> dict[str, Values]:
    """A state dict's modules in their order, for the layers in the order of the spec."""
    found = _modules(tensors)
    layers = [one for one in model.layers if one.weights]
    turned = [(name, list(_turned(layer, parts, model))) for layer, (name, parts) in zip(layers, found, strict=False)]
    return _paired(layers, [*turned, *((name, list(parts.values())) for name, parts in found[len(layers) :])])


def _modules(tensors: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The modules that hold tensors, each with its own in Keras's order; one that holds others comes after them, for it
    uses what it holds itself (ConvNeXt's layer scale) after they ran."""
    kept = {name: one for name, one in tensors.items() if not name.endswith("num_batches_tracked")}
    modules = [(name, list(keys)) for name, keys in groupby(kept, lambda key: key.rpartition(".")[0])]
    ordered: list[tuple[int, int, str, dict[str, Any]]] = []
    for index, (name, keys) in enumerate(modules):
        last = index
        while last + 1 < len(modules) and modules[last + 1][0].startswith(f"{name}."):
            last += 1
        parts = {key.rpartition(".")[2]: kept[key] for key in keys}
        own = {one: parts[one] for one in (*(one for one in _PARTS if one in parts), *(one for one in parts if one not in _PARTS))}
        ordered.append((last, -index, name, own))
    return [(name, own) for *_, name, own in sorted(ordered, key=lambda one: one[:2])]


def _turned(layer: KerasLayer, parts: Mapping[str, Any], model: KerasModel) -> Iterator[NDArray[Any]]:
    """A module's tensors in Keras's layout: kernels [out, in, ...] become [..., in, out], a dense layer's rows are
    those of the map as Keras flattens it, and sizes of one come and go."""
    import numpy

    for position, (name, value) in enumerate(parts.items()):
        if name == "weight" and value.ndim > 2:
            depthwise = layer.class_name.startswith("Depthwise")
            value = numpy.moveaxis(value, (0, 1), (-2, -1) if depthwise else (-1, -2))
        elif name == "weight" and value.ndim == 2:
            value = _rows(layer, value, model)
        wanted = layer.weights[position].shape if position < len(layer.weights) else ()
        yield value.reshape(wanted) if _without_ones(value.shape) == _without_ones(wanted) else value


def _without_ones(shape: tuple[int, ...]) -> list[int]:
    return [one for one in shape if one != 1]


def _rows(layer: KerasLayer, value: Any, model: KerasModel) -> Any:
    before = layer
    while before is layer or before.class_name in _BETWEEN:
        source = before.calls[0].inputs[0]
        before = model.layers[source.layer]
    if before.class_name != "Flatten":
        return value.T
    source = before.calls[0].inputs[0]
    shape = model.layers[source.layer].calls[source.call].shapes[source.output] if model.layers[source.layer].calls else ()
    if len(shape) < 2 or None in shape:
        return value.T
    *sizes, channels = shape
    turned = value.reshape(len(value), channels, *sizes)
    axes = (*range(2, turned.ndim), 1, 0)
    return turned.transpose(axes).reshape(-1, len(value))
