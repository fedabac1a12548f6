"""Reads the tensors of a PyTorch file (`.pth`, `.pt`) without PyTorch, and without running what a file may hold.

A state dict is a pickle in which tensors name their storages. The names that such a pickle may call are listed here; a
file that calls anything else is refused. Both forms are read: a zip archive (from PyTorch 1.6), and pickles in a row.
"""

from __future__ import annotations

import pickle
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile, is_zipfile

import numpy

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of the older form
_KINDS = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}


class TorchFileError(Exception):
    """The file is not a state dict, or holds more than tensors."""


@dataclass(frozen=True)
class _Tensor:
    """A tensor whose numbers have not been read: a storage, and where in it."""

    key: str
    kind: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def of(self, data: bytes) -> NDArray[Any]:
        kind = numpy.dtype(_KINDS[self.kind])
        flat = numpy.frombuffer(data, kind)
        reach = self.offset + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True)) + 1
        if 0 not in self.shape and (min((self.offset, *self.strides, *self.shape)) < 0 or reach > len(flat)):
            raise TorchFileError(f"a tensor of shape {self.shape} reaches beyond its storage")
        if 0 in self.shape:
            return numpy.zeros(self.shape, numpy.float32)
        view: NDArray[Any] = numpy.lib.stride_tricks.as_strided(flat[self.offset :], self.shape, [one * kind.itemsize for one in self.strides], writeable=False)
        if self.kind == "BFloat16Storage":
            wide: Any = view.astype(numpy.uint32) << 16
            return wide.view(numpy.float32)
        return numpy.array(view, numpy.float32)


def _tensor(storage: tuple[str, str], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> _Tensor:
    return _Tensor(storage[1], storage[0], offset, tuple(shape), tuple(strides))


def _first(value: Any, *_: Any) -> Any:
    return value


_ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _first,
    **{("torch", name): name for name in _KINDS},
}


class _Unpickler(pickle.Unpickler):
    """Makes tensors and dictionaries, and nothing else."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        try:
            return _ALLOWED[module_name, global_name]
        except KeyError:
            raise TorchFileError(f"it holds a {module_name}.{global_name}, and only a state dict of tensors is read") from None

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        return str(pid[1]), str(pid[2])


def read_torch(path: Path) -> dict[str, NDArray[numpy.float32]]:
    """The tensors of a state dict by name, in the file's order, as float32. Raises `TorchFileError`, `OSError`.

    A checkpoint that holds its state dict under `state_dict` or `model` is read too.
    """
    try:
        found, data = _from_zip(path) if is_zipfile(path) else _from_pickles(path)
        return {name: one.of(data(one.key)) for name, one in _state(found).items() if isinstance(one, _Tensor)}
    except (TorchFileError, OSError, MemoryError):
        raise
    except Exception as problem:  # a pickle of any bytes may end in any way
        raise TorchFileError(f"it is not a PyTorch file that can be read ({type(problem).__name__}: {problem})") from None


def _from_zip(path: Path) -> tuple[Any, Callable[[str], bytes]]:
    archive = ZipFile(path)
    name = next((one for one in archive.namelist() if one.endswith("data.pkl")), None)
    if name is None:
        raise TorchFileError("it is a zip archive without a state dict")
    folder = name[: -len("data.pkl")]
    order = archive.read(f"{folder}byteorder").decode() if f"{folder}byteorder" in archive.namelist() else sys.byteorder
    if order != "little":
        raise TorchFileError("its numbers are big-endian, which is not read")
    return _Unpickler(BytesIO(archive.read(name))).load(), lambda key: archive.read(f"{folder}data/{key}")


def _from_pickles(path: Path) -> tuple[Any, Callable[[str], bytes]]:
    with path.open("rb") as file:
        if _Unpickler(file).load() != _MAGIC:
            raise TorchFileError("it does not begin as a PyTorch file does")
        for _ in range(2):
            _Unpickler(file).load()  # the protocol, and the sizes of the writer's numbers
        found = _Unpickler(file).load()
        kinds = {one.key: one.kind for one in _state(found).values() if isinstance(one, _Tensor)}
        storages: dict[str, bytes] = {}
        for key in _Unpickler(file).load():
            count = int.from_bytes(file.read(8), "little")
            storages[key] = file.read(count * numpy.dtype(_KINDS[kinds[key]]).itemsize)
    return found, storages.__getitem__


def _state(found: Any) -> Mapping[str, Any]:
    for key in ("state_dict", "model"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):  # pyright: ignore[reportUnknownMemberType]
            found = found[key]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(found, dict):
        raise TorchFileError("it holds no state dict")
    return found  # pyright: ignore[reportUnknownVariableType]
