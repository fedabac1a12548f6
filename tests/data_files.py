"""Small data sets in the real formats: CIFAR's pickles and MNIST's IDX files."""

from __future__ import annotations

import gzip
import pickle
import struct
import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np


def images(count: int, side: int, channels: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images of ten classes that can be told apart by where they are light, with their labels."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 10
    random.shuffle(labels)
    found = random.integers(0, 60, (count, side, side, channels))
    for at, label in enumerate(labels):
        row, column = divmod(int(label), 4)
        found[at, row * side // 4 : (row + 1) * side // 4, column * side // 4 : (column + 1) * side // 4] += 180
    return found.astype(np.uint8), labels


def write_recipe(folder: Path, network: str, recipe: str, count: int, tests: int) -> None:
    """`net.yaml`, `mine.yaml`, and `data.npz` with grey images of 8x8: `count` to learn from, and `tests`."""
    (folder / "net.yaml").write_text(network)
    (folder / "mine.yaml").write_text(recipe)
    pixels, labels = images(count, 8, 1)
    test_pixels, test_labels = images(tests, 8, 1, 5)
    np.savez(folder / "data.npz", x_train=pixels, y_train=labels, x_test=test_pixels, y_test=test_labels)


def cifar_batch(count: int, seed: int, key: str = "labels") -> bytes:
    """A batch as the published ones are: a pickle of protocol 2 with bytes for keys."""
    pixels, labels = images(count, 32, 3, seed)
    rows = pixels.transpose(0, 3, 1, 2).reshape(count, -1)
    value = {b"batch_label": b"testing", key.encode(): labels.tolist(), b"data": np.ascontiguousarray(rows), b"filenames": [b"x.png"] * count}
    return pickle.dumps(value, protocol=2)


def write_cifar10(folder: Path, each: int = 20) -> Path:
    """CIFAR-10, unpacked, with `each` images to a file."""
    inside = folder / "cifar-10-batches-py"
    inside.mkdir(parents=True)
    for number in range(1, 6):
        (inside / f"data_batch_{number}").write_bytes(cifar_batch(each, number))
    (inside / "test_batch").write_bytes(cifar_batch(each, 9))
    names = [b"airplane", b"automobile", b"bird", b"cat", b"deer", b"dog", b"frog", b"horse", b"ship", b"truck"]
    (inside / "batches.meta").write_bytes(pickle.dumps({b"label_names": names, b"num_cases_per_batch": each}, protocol=2))
    return inside


def write_cifar100(folder: Path, count: int = 30) -> Path:
    """CIFAR-100, unpacked."""
    inside = folder / "cifar-100-python"
    inside.mkdir(parents=True)
    for name in ("train", "test"):
        value = pickle.loads(cifar_batch(count, 1, "fine_labels"))
        value[b"coarse_labels"] = [one // 2 for one in value[b"fine_labels"]]
        (inside / name).write_bytes(pickle.dumps(value, protocol=2))
    (inside / "meta").write_bytes(pickle.dumps({b"fine_label_names": [b"c%d" % n for n in range(100)], b"coarse_label_names": [b"g%d" % n for n in range(20)]}, protocol=2))
    return inside


def pack(inside: Path, archive: Path) -> None:
    """An unpacked folder as the archive that it came from."""
    with tarfile.open(archive, "w:gz") as file:
        file.add(inside, inside.name)


def write_mnist(folder: Path, count: int = 40, *, gzipped: bool = True) -> Path:
    """MNIST in its four IDX files."""
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, number, seed in (("train", count, 1), ("t10k", count // 2, 2)):
        pixels, labels = images(number, 28, 1, seed)
        for name, data in (
            (f"{prefix}-images-idx3-ubyte", struct.pack(">IIII", 0x803, number, 28, 28) + pixels.tobytes()),
            (f"{prefix}-labels-idx1-ubyte", struct.pack(">II", 0x801, number) + labels.astype(np.uint8).tobytes()),
        ):
            if gzipped:
                buffer = BytesIO()
                with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
                    file.write(data)
                (folder / f"{name}.gz").write_bytes(buffer.getvalue())
            else:
                (folder / name).write_bytes(data)
    return folder
