"""Checkpoints: the whole state of a run in one file, written whole or not at all, and read only when it is whole.

A checkpoint is an `.npz` archive of arrays with a JSON text among them. Each entry of such an archive carries a CRC of
its bytes, which is compared when the file has been written, before it takes its name, and again when it is read.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy

from archc.backends.base import Artefact
from archc.backends.files import write_all

KEPT = 2
"""Checkpoints that are kept; an older one is there for the case that the newest cannot be read."""
META = "meta.json"
NAME = re.compile(r"epoch-(\d{5})-step-(\d{7})\.npz\Z")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The arrays of a run's state by name, and the plain values beside them."""

    arrays: Mapping[str, Any]
    meta: Mapping[str, Any]


class CheckpointError(Exception):
    """A file is no checkpoint that can be read to its end."""


def save(folder: Path, checkpoint: Checkpoint) -> Path:
    """Writes a checkpoint under the name of its epoch and step, and removes the oldest of our own. Raises `OSError`."""
    name = f"epoch-{checkpoint.meta['epoch']:05d}-step-{checkpoint.meta['step']:07d}.npz"
    (path,) = write_all(folder, [Artefact(name, lambda file: write(file, checkpoint))])
    for old in listed(folder)[KEPT:]:
        old.unlink(missing_ok=True)
    return path


def write(file: BinaryIO, checkpoint: Checkpoint) -> None:
    """Writes a checkpoint, and reads all of it back. Raises `OSError`."""
    text = numpy.frombuffer(json.dumps(dict(checkpoint.meta)).encode(), numpy.uint8)
    cast(Any, numpy).savez(file, **{META: text}, **checkpoint.arrays)
    file.flush()
    with zipfile.ZipFile(file) as archive:
        if (bad := archive.testzip()) is not None:
            raise OSError(5, f"what was written of {bad} cannot be read back", str(getattr(file, "name", "")))


def listed(folder: Path) -> list[Path]:
    """The checkpoints in a folder, the newest first."""
    return sorted((one for one in folder.glob("epoch-*.npz") if NAME.match(one.name)), reverse=True) if folder.is_dir() else []


def read(path: Path) -> Checkpoint:
    """A checkpoint. Raises `CheckpointError`."""
    try:
        with path.open("rb") as file:
            return parse(file)
    except Exception as problem:  # a damaged archive raises whatever it meets
        raise CheckpointError(f"{path.name} cannot be read: {problem}") from None


def parse(opened: BinaryIO) -> Checkpoint:
    """A checkpoint from an open file. Raises whatever a damaged archive leads to."""
    with numpy.load(opened, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return Checkpoint(arrays, json.loads(bytes(arrays.pop(META))))


def latest(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest checkpoint that can be read, and what is wrong with those that are newer."""
    problems: list[str] = []
    for path in listed(folder):
        try:
            return read(path), problems
        except CheckpointError as problem:
            problems.append(str(problem))
    return None, problems
