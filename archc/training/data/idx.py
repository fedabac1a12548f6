"""MNIST and its kin in IDX files: four big-endian bytes of kind and rank, the sizes, then the values; often gzipped."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy

from archc.training.data.examples import DataError, Examples, Part
from archc.training.data.files import Published, folders, found

MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist"
FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"


def _files(home: str, *facts: tuple[int, str]) -> tuple[Published, ...]:
    names = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
    return tuple(Published(name, size, md5, f"{home}/{name}") for name, (size, md5) in zip(names, facts, strict=True))


FILES = {
    "mnist": _files(
        MNIST, (9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"), (28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
        (1_648_877, "9fb629c4189551a2d022fa330f9573f3"), (4_542, "ec29112dd5afa0611ce80d1b7f02629c"),
    ),
    "fashion_mnist": _files(
        FASHION, (26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"), (29_515, "25c81989df183df01b3e8a0aad5dffbe"),
        (4_422_102, "bef4ecab320f06d8554ea6380940ec79"), (5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
    ),
}
CLASSES = {
    "mnist": tuple("0123456789"),
    "fashion_mnist": ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
}
_UNSIGNED_BYTES = 8


def load(kind: str, *, folder: str | None, base: Path | None, verify: bool) -> Examples:
    """The data set from its four files, gzipped or not. Raises `DataError`."""
    where = folders(folder, base, kind)
    arrays = [read_idx(path_of(one, where, verify=verify), rank) for one, rank in zip(FILES[kind], (3, 1, 3, 1), strict=True)]
    train, test = (Part(images[..., None], labels.astype(numpy.int32)) for images, labels in (arrays[:2], arrays[2:]))
    return Examples(train, test, CLASSES[kind])


def path_of(published: Published, where: list[Path], *, verify: bool) -> Path:
    """The file, or the same without its gzip."""
    for folder in where:
        plain = folder / published.name.removesuffix(".gz")
        if plain.is_file():
            return plain
    return found(published, where, verify=verify)


def read_idx(path: Path, rank: int) -> Any:
    """The array of bytes in an IDX file. Raises `DataError`."""
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as problem:
        raise DataError(f"{path} cannot be read to its end: {problem}", "get it anew") from None
    head = 4 + 4 * rank
    if len(data) < head or data[:4] != bytes((0, 0, _UNSIGNED_BYTES, rank)):
        raise DataError(f"{path} is no IDX file of bytes with {rank} ax{'is' if rank == 1 else 'es'}")
    sizes = struct.unpack(f">{rank}I", data[4:head])
    count = 1
    for one in sizes:
        count *= one
    if len(data) - head != count:
        raise DataError(f"{path} says that it holds {count:,} values, and holds {len(data) - head:,}", "get it anew")
    values: Any = numpy.frombuffer(data, numpy.uint8, offset=head)
    return values.reshape(sizes)
