"""CIFAR-10 and CIFAR-100 in their Python form: pickles of arrays, in an archive or unpacked.

A pickle may run code, so these are read by an unpickler that knows arrays and nothing else.
"""

from __future__ import annotations

import pickle
import tarfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy

from archc.training.data.examples import DataError, Examples, Part
from archc.training.data.files import Published, folders, missing, verified

HOME = "https://www.cs.toronto.edu/~kriz"
ARCHIVES = {
    "cifar10": Published("cifar-10-python.tar.gz", 170_498_071, "c58f30108f718f92721af3b95e74349a", f"{HOME}/cifar-10-python.tar.gz"),
    "cifar100": Published("cifar-100-python.tar.gz", 169_001_437, "eb9058c3a382ffc7106e4002c42a8d85", f"{HOME}/cifar-100-python.tar.gz"),
}
FOLDERS = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}
TRAIN = {"cifar10": tuple(f"data_batch_{number}" for number in range(1, 6)), "cifar100": ("train",)}
TEST = {"cifar10": "test_batch", "cifar100": "test"}
META = {"cifar10": "batches.meta", "cifar100": "meta"}
SIDE = 32
PIXELS = 3 * SIDE * SIDE

_ARRAYS = {
    ("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"),
    ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.numeric", "_frombuffer"), ("numpy._core.numeric", "_frombuffer"),
}


class _Unpickler(pickle.Unpickler):
    """Arrays, texts, lists and mappings."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) not in _ARRAYS:
            raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}, which no CIFAR file needs")
        return super().find_class(module_name.replace("numpy.core", "numpy._core") if hasattr(numpy, "_core") else module_name, global_name)


def load(kind: str, *, folder: str | None, base: Path | None, verify: bool, labels: str = "labels") -> Examples:
    """The data set from an archive or an unpacked folder. Raises `DataError`."""
    where = folders(folder, base, "")
    read = opened(kind, where, verify=verify)
    train = [batch(read, name, labels) for name in TRAIN[kind]]
    names = read(META[kind]).get(b"label_names" if kind == "cifar10" else labels.encode().replace(b"labels", b"label_names"))
    if not isinstance(names, list) or not names:
        raise DataError(f"{META[kind]} holds no names of classes")
    images, classes = zip(*train, strict=True)
    return Examples(
        Part(numpy.concatenate(images), numpy.concatenate(classes)),
        Part(*batch(read, TEST[kind], labels)),
        tuple(one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in names),  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    )


def opened(kind: str, where: list[Path], *, verify: bool) -> Callable[[str], Mapping[bytes, Any]]:
    """What reads the files by name. Raises `DataError` where there are none."""
    archive, inside = ARCHIVES[kind], FOLDERS[kind]
    for folder in where:
        for one in (folder, folder / inside):
            if (one / TEST[kind]).is_file():
                return lambda name: unpickled((one / name).name, read_bytes(one / name))
        if (folder / archive.name).is_file():
            path = folder / archive.name
            if verify:
                verified(path, archive)
            return members(path, inside)
    raise missing(archive, where)


def read_bytes(path: Path) -> bytes:
    """A file's bytes. Raises `DataError`."""
    try:
        return path.read_bytes()
    except OSError as problem:
        raise DataError(f"{path} cannot be read: {problem.strerror}", f"unpack {path.parent.name} anew") from None


def members(path: Path, inside: str) -> Callable[[str], Mapping[bytes, Any]]:
    """What reads the files in an archive; nothing is unpacked."""
    data: dict[str, bytes] = {}
    try:
        with tarfile.open(path) as archive:
            for one in archive:
                file = archive.extractfile(one) if one.isfile() and one.name.startswith(f"{inside}/") else None
                if file is not None:
                    data[one.name.rpartition("/")[2]] = file.read()
    except (tarfile.TarError, EOFError, OSError) as problem:
        raise DataError(f"{path} is no archive that can be read to its end: {problem}", "get it anew") from None

    def read(name: str) -> Mapping[bytes, Any]:
        if name not in data:
            raise DataError(f"{path} holds no file {inside}/{name}", "get it anew")
        return unpickled(name, data[name])

    return read


def unpickled(name: str, data: bytes) -> Mapping[bytes, Any]:
    """The mapping in a pickle. Raises `DataError`."""
    try:
        value = _Unpickler(BytesIO(data), encoding="bytes").load()
    except Exception as problem:  # a damaged pickle raises whatever it meets
        raise DataError(f"{name} is no CIFAR file that can be read: {problem}", "unpack the archive anew") from None
    if not isinstance(value, dict):
        raise DataError(f"{name} is no CIFAR file: it holds no mapping")
    return {key.encode() if isinstance(key, str) else key: one for key, one in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


def batch(read: Callable[[str], Mapping[bytes, Any]], name: str, labels: str) -> tuple[Any, Any]:
    """One file's images, channels last, and labels."""
    found = read(name)
    pixels: Any = found.get(b"data")
    classes = found.get(labels.encode())
    if getattr(pixels, "ndim", 0) != 2 or pixels.shape[1] != PIXELS or classes is None or len(pixels) != len(classes):
        raise DataError(f"{name} is no CIFAR file: it holds no `data` of {PIXELS} values an image, with as many `{labels}`")
    images = pixels.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return numpy.ascontiguousarray(images, numpy.uint8), numpy.asarray(classes, numpy.int32)
