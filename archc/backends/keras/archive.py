"""A `.keras` archive, written without Keras: metadata, config, and the weights as HDF5.

The weights are written once, in their place in the archive. For that the HDF5 file is first laid out: h5py makes it
in memory without its data, only to say where the data of each weight belongs. Then layout and data are streamed into
the archive in the order of the file, while the data is being made on all cores.
"""

from __future__ import annotations

import importlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Any, BinaryIO
from zipfile import ZipFile, ZipInfo

from archc.backends.keras import initial
from archc.backends.keras.config import KERAS_VERSION, config_text, keras_order
from archc.backends.keras.layers import KerasLayer, KerasModel, snake_case
from archc.operators import Weight

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Values = NDArray[numpy.float32]
    _Blocks = tuple[Callable[[], Values], ...]

_PAGE = 1 << 12
_SMALL = 1 << 14
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can hold: archives do not tell when they were made
# The inner layers that hold the weights of a layer which has none of its own, each as many as the others.
INNER: dict[str, tuple[str, ...]] = {
    "ConvLSTM1D": ("cell",),
    "ConvLSTM2D": ("cell",),
    "ConvLSTM3D": ("cell",),
    "GRU": ("cell",),
    "LSTM": ("cell",),
    "MultiHeadAttention": ("query_dense", "key_dense", "value_dense", "output_dense"),
    "SimpleRNN": ("cell",),
    "TimeDistributed": ("layer",),
}


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where the values of a weight go: offset in the HDF5 file, and a function for each block of them."""

    offset: int
    weight: Weight
    blocks: _Blocks


def write_archive(
    model: KerasModel, file: BinaryIO, *, seed: int = 0, weights: Mapping[str, Sequence[Any]] | None = None
) -> None:
    """Write the model as a `.keras` archive, with initial weights, or those given under a layer's name.

    The same model, seed and weights give the same bytes.

    >>> with open("vgg.keras", "wb") as file:  # doctest: +SKIP
    ...     write_archive(model, file, weights={"conv": [kernel, bias]})
    """
    with ZipFile(file, "w") as archive:
        metadata = {"keras_version": KERAS_VERSION, "date_saved": "1980-01-01@00:00:00"}
        _write_text(archive, "metadata.json", json.dumps(metadata))
        _write_text(archive, "config.json", config_text(model))
        skeleton, slots = _lay_out(model, seed, weights or {})
        entry = _entry("model.weights.h5")
        entry.file_size = skeleton.size  # known beforehand, so that zipfile takes the long form where it must
        with archive.open(entry, "w") as target:
            _stream(skeleton, slots, target)


def _write_text(archive: ZipFile, name: str, text: str) -> None:
    archive.writestr(_entry(name), text)


def _entry(name: str) -> ZipInfo:
    """An entry that tells neither when nor on which system it was made."""
    entry = ZipInfo(name, _BEGINNING)
    entry.create_system = 3
    return entry


def weight_paths(model: KerasModel) -> Iterator[tuple[str, KerasLayer]]:
    """The layers that have weights, each with the path of its group in the file, as Keras names them.

    The path is the layer's class and, from the second on, which one it is; Keras finds weights by it, not by name.
    """
    count: dict[str, int] = {}
    for index in keras_order(model).layers:
        layer = model.layers[index]
        if layer.is_operation:
            continue
        name = snake_case(layer.class_name)
        number = count.get(name, 0)
        count[name] = number + 1
        if layer.weights:
            yield f"layers/{name}_{number}" if number else f"layers/{name}", layer


def _lay_out(model: KerasModel, seed: int, weights: Mapping[str, Sequence[Any]]) -> tuple[_Skeleton, list[_Slot]]:
    """The HDF5 file without its data, and where the data goes, in the order of the file."""
    h5py: Any = importlib.import_module("h5py")
    skeleton = _Skeleton()
    slots: list[_Slot] = []
    with h5py.File(skeleton, "w", libver="earliest") as file:
        layout = _Layout(h5py, file)
        for path, layer in weight_paths(model):
            blocks = (
                _given_blocks(layer, weights[layer.name]) if layer.name in weights else _initial_blocks(layer, seed)
            )
            offsets = layout.add(path, layer)
            slots += [_Slot(*one) for one in zip(offsets, layer.weights, blocks, strict=True)]
    return skeleton, sorted((one for one in slots if one.weight.size), key=lambda one: one.offset)


def _initial_blocks(layer: KerasLayer, seed: int) -> Iterator[_Blocks]:
    for position, weight in enumerate(layer.weights):
        index = initial.identity(layer.name, position, weight)
        yield tuple(partial(initial.block, weight, seed, index, one) for one in range(initial.blocks(weight)))


def _given_blocks(layer: KerasLayer, given: Sequence[Any]) -> Iterator[_Blocks]:
    shapes, wanted = [tuple(one.shape) for one in given], [one.shape for one in layer.weights]
    if shapes != wanted:
        raise ValueError(f"layer {layer.name!r} takes weights of shapes {wanted}, not {shapes}")
    for one in given:
        yield (partial(_flat, one),)


def _flat(value: Any) -> Values:
    import numpy

    return numpy.ravel(numpy.asarray(value, "<f4"))


class _Layout:
    """The groups and datasets of an HDF5 file, as Keras lays them out.

    By h5py's lower interface, which takes a fifth of the time where a network has tens of thousands of layers.
    """

    def __init__(self, h5py: Any, file: Any) -> None:
        self._h5py = h5py
        self._file = file.id
        self._links = h5py.h5p.create(h5py.h5p.LINK_CREATE)
        self._links.set_create_intermediate_group(True)
        self._placed = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        self._placed.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        self._placed.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        self._placed.set_obj_track_times(False)
        self._text = h5py.h5t.py_create(h5py.string_dtype(), logical=True)

    def add(self, path: str, layer: KerasLayer) -> list[int]:
        """Place for the weights of a layer; their offsets, in the layer's order."""
        inner = INNER.get(layer.class_name)
        paths = [f"{path}/{one}/vars" for one in inner] if inner else [f"{path}/vars"]
        each = len(layer.weights) // len(paths)
        offsets: list[int] = []
        for position, one in enumerate(paths):
            group = self._group(one, layer.name)
            own = layer.weights[position * each : (position + 1) * each]
            offsets += [self._dataset(group, number, weight) for number, weight in enumerate(own)]
        return offsets

    def _group(self, path: str, name: str) -> Any:
        import numpy

        h5py = self._h5py
        group = h5py.h5g.create(self._file, path.encode(), lcpl=self._links)
        attribute = h5py.h5a.create(group, b"name", self._text, h5py.h5s.create(h5py.h5s.SCALAR))
        attribute.write(numpy.array(name, dtype=h5py.string_dtype()))
        return group

    def _dataset(self, group: Any, number: int, weight: Weight) -> int:
        h5s = self._h5py.h5s
        space = h5s.create_simple(weight.shape) if weight.shape else h5s.create(h5s.SCALAR)
        kind = self._h5py.h5t.IEEE_F32LE
        return self._h5py.h5d.create(group, str(number).encode(), kind, space, self._placed).get_offset() or 0


class _Skeleton:
    """A file in memory that keeps only the pages that are written: the HDF5 file without its data."""

    def __init__(self) -> None:
        self.size = 0
        self._pages: dict[int, bytearray] = {}
        self._at = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def truncate(self, size: int | None = None) -> int:
        self.size = self._at if size is None else size
        return self.size

    def flush(self) -> None:
        """Nothing waits to be written."""

    def write(self, data: Any) -> int:
        """Keep these bytes."""
        view = memoryview(data).cast("B")
        for page, inside, start, stop in _pages(self._at, len(view)):
            kept = self._pages.setdefault(page, bytearray(_PAGE))
            kept[inside : inside + stop - start] = view[start:stop]
        self._at += len(view)
        self.size = max(self.size, self._at)
        return len(view)

    def read(self, count: int) -> bytes:
        """Bytes from here on; what was never written is zero."""
        end = max(self._at, min(self._at + count, self.size))
        found = self.between(self._at, end)
        self._at = end
        return bytes(found)

    def between(self, begin: int, end: int) -> bytearray:
        """The bytes from one offset to another."""
        out = bytearray(end - begin)
        for page, inside, start, stop in _pages(begin, end - begin):
            if page in self._pages:
                out[start:stop] = self._pages[page][inside : inside + stop - start]
        return out


def _pages(offset: int, count: int) -> Iterator[tuple[int, int, int, int]]:
    """The parts of a stretch of bytes: which page, where in the page, and from where to where in the stretch."""
    start = 0
    while start < count:
        page, inside = divmod(offset + start, _PAGE)
        stop = min(count, start + _PAGE - inside)
        yield page, inside, start, stop
        start = stop


def _stream(skeleton: _Skeleton, slots: Sequence[_Slot], target: IO[bytes]) -> None:
    """Write the HDF5 file from its first byte to its last."""
    at = 0
    with ThreadPoolExecutor(_workers()) as pool:
        made = _ahead(pool, slots)
        for slot in slots:
            if slot.offset > at:
                target.write(skeleton.between(at, slot.offset))
            for _ in slot.blocks:
                target.write(next(made).data.cast("B"))
            at = slot.offset + 4 * slot.weight.size
    target.write(skeleton.between(at, skeleton.size))


def _workers() -> int:
    return min(8, os.cpu_count() or 1)


def _ahead(pool: ThreadPoolExecutor, slots: Sequence[_Slot]) -> Iterator[Values]:
    """The blocks in order, each made some time before it is asked for, and never more than a few at once.

    A small one is made when it is asked for, which takes less time than to hand it to another thread.
    """
    waiting: deque[Callable[[], Values]] = deque()
    most = 2 * _workers()
    for slot in slots:
        for one in slot.blocks:
            waiting.append(pool.submit(one).result if slot.weight.size > _SMALL else one)
            if len(waiting) > most:
                yield waiting.popleft()()
    while waiting:
        yield waiting.popleft()()
