"""Files are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from archc.backends.base import Artefact


def write_all(folder: Path, artefacts: Iterable[Artefact]) -> list[Path]:
    """Writes artefacts into a folder: all under temporary names first, then each renamed. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    pending: list[tuple[Path, Path]] = []
    try:
        for one in artefacts:
            pending.append((_written(folder, one), folder / one.filename))
        for temporary, final in pending:
            os.replace(temporary, final)
        _sync_folder(folder)
    except BaseException:
        for temporary, _ in pending:
            temporary.unlink(missing_ok=True)
        raise
    return [final for _, final in pending]


def _written(folder: Path, artefact: Artefact) -> Path:
    handle, name = tempfile.mkstemp(prefix=".archc-", suffix=".tmp", dir=folder)
    path = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file:
            artefact.write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(path, 0o666 & ~umask())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def umask() -> int:
    """The permissions that the user withholds from new files."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
