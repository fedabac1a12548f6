"""Files are written whole or not at all.

Everything is written under temporary names first, synced, and renamed at the end, under a lock of the folder and with
signals held back: a build that fails, is interrupted or runs beside another one leaves each file as it was or as the build
made it. What a killed build left over is removed by the next one.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager, suppress
from errno import EEXIST
from pathlib import Path
from typing import IO, Any, NoReturn

from archc.backends.base import Artefact

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

PREFIX, SUFFIX = ".archc-", ".tmp"
STALE = 60.0
"""Seconds after which a temporary file that nobody holds is a leftover."""


def write_all(folder: Path, artefacts: Iterable[Artefact], keep: Collection[Path] = ()) -> list[Path]:
    """Writes artefacts into a folder, all or none; raises `OSError`.

    What stands there under such a name is replaced if it is a plain file, and none of those in `keep`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(folder)
    pending: list[tuple[Path, Path, IO[bytes]]] = []
    try:
        with _terminable():
            for one in artefacts:
                final = folder / one.filename
                _check_target(final, keep)
                temporary, file = _opened(folder)
                pending.append((temporary, final, file))
                _write(one, file, temporary)
                if fcntl is None:
                    file.close()  # open files are not renamed there
        with _undisturbed(), _locked(folder):
            for temporary, final, _ in pending:
                os.replace(temporary, final)
        _sync_folder(folder)
    except BaseException:
        for temporary, _, _ in pending:
            temporary.unlink(missing_ok=True)
        raise
    finally:
        for _, _, file in pending:
            with suppress(OSError):
                file.close()
    return [final for _, final, _ in pending]


@contextmanager
def in_place_of(final: Path) -> Generator[Path]:
    """A temporary path with the same ending, for what writes a file by its name; it takes `final`'s place when the block ends well.

    Raises `OSError`, also where a link or device has that name.
    """
    _remove_leftovers(final.parent)
    _check_target(final, ())
    temporary, file = _opened(final.parent, final.suffix)
    try:
        with file:
            yield temporary
            _settle(file, temporary)
        finish(temporary, final)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _opened(folder: Path, ending: str = "") -> tuple[Path, IO[bytes]]:
    """A temporary file, held open under a lock, which says that its build is alive."""
    handle, name = tempfile.mkstemp(prefix=PREFIX, suffix=SUFFIX + ending, dir=folder)
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return Path(name), os.fdopen(handle, "w+b")


def _write(artefact: Artefact, file: IO[bytes], path: Path) -> None:
    artefact.write(file)  # pyright: ignore[reportArgumentType]
    _settle(file, path)


def _settle(file: IO[bytes], path: Path) -> None:
    """Has a written file on the disk, with the permissions of one that the user makes."""
    file.flush()
    os.fsync(file.fileno())
    os.chmod(path, 0o666 & ~umask())


def _check_target(final: Path, keep: Collection[Path]) -> None:
    """Refuses to replace what is no plain file, or what the network is made from."""
    if final.is_symlink() or (final.exists() and not final.is_file()):
        raise OSError(EEXIST, "a link, folder or device of that name is there, and is not replaced", str(final))
    if keep and final.exists() and any(one.exists() and final.samefile(one) for one in keep):
        raise OSError(EEXIST, "the spec itself has that name, and is not replaced", str(final))


def _remove_leftovers(folder: Path) -> None:
    """Removes the temporary files of builds that were killed: old ones whose lock nobody holds."""
    if fcntl is None:
        return
    for path in folder.glob(f"{PREFIX}*{SUFFIX}*"):
        with suppress(OSError):
            if path.is_symlink() or not path.is_file() or time.time() - path.stat().st_mtime < STALE:
                continue
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()


def finish(temporary: Path, final: Path) -> None:
    """Puts a whole file that is on the disk in its place, which is not a link or device. Raises `OSError`."""
    _check_target(final, ())
    with _undisturbed(), _locked(final.parent):
        os.replace(temporary, final)
    _sync_folder(final.parent)


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    """Only one build renames its files into a folder at a time; the lock goes with the process."""
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems lock no folders
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _undisturbed() -> Generator[None]:
    """Holds back Ctrl-C and termination for the moment of renaming."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _terminable() -> Generator[None]:
    """While files are written, termination ends the process as Ctrl-C does: after its temporary files are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Any = signal.signal(signal.SIGTERM, _terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminated(*_: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)


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
