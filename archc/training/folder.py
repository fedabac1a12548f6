"""The folder of a run: one training at a time, a manifest that says what it is, and no file touched that is not its own."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archc.backends.base import Artefact
from archc.backends.files import write_all

MANIFEST = "manifest.json"
CHECKPOINTS = "checkpoints"
LOGS = "tensorboard"
OWN = (
    MANIFEST, "recipe.yaml", "best.keras", "last.keras", "history.csv", "history.json", "curves.svg", "curves.png",
    "confusion.csv", "confusion.svg", "confusion.png", "samples.png", "result.json",
)
"""The files of a run, beside its two folders."""
LOCK = ".lock"


class FolderError(Exception):
    """A folder cannot be a run's; `help` says what to do."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class Differs(FolderError):
    """The run in a folder is another one than the call asks for."""


@contextmanager
def held(folder: Path) -> Generator[None]:
    """Holds a folder for one training; the system lets it go when the process ends, however it ends. Raises `FolderError`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+b") as file:
        try:
            if os.name == "nt":
                importlib.import_module("msvcrt").locking(file.fileno(), 2, 1)
            else:
                fcntl: Any = importlib.import_module("fcntl")
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise FolderError(f"another training is at work in {folder}", "wait for it, or name another folder with -o") from None
        yield


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of the run in a folder; nothing where there is no run."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise FolderError(f"{folder / MANIFEST} cannot be read", "name another folder with -o, or start anew with --fresh") from None
    return found if isinstance(found, dict) and "facts" in found else None  # pyright: ignore[reportUnknownVariableType]


def check_strangers(folder: Path) -> None:
    """Raises `FolderError` where files that a run would write are there, and are no run's."""
    strangers = [name for name in OWN if (folder / name).exists()]
    if strangers and not (folder / MANIFEST).exists():
        raise FolderError(f"{folder} holds {strangers[0]}, which no training of archc wrote", "name another folder with -o")


def clear(folder: Path) -> None:
    """Removes a run's own files, and nothing else."""
    from archc.training.checkpoint import listed

    for path in [*listed(folder / CHECKPOINTS), *(folder / name for name in OWN), *(folder / LOGS).glob("events.out.tfevents.archc*")]:
        path.unlink(missing_ok=True)


def versions() -> dict[str, str]:
    """What a result may depend on."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in ("archc", "keras", "tensorflow", "tensorflow-cpu", "jax", "torch", "numpy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between the facts of two runs, each in a line."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(now)))
    names = dict.fromkeys((*before, *plain))
    return [f"{name}: {_shown(before, name)} in the checkpoints, {_shown(plain, name)} now" for name in names if before.get(name) != plain.get(name)]


def _shown(facts: Mapping[str, Any], name: str) -> str:
    return json.dumps(facts[name]) if name in facts else "nothing"


def write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    """Writes texts whole, or not at all. Raises `OSError`."""
    write_all(folder, [Artefact.text(name, text) for name, text in texts.items()])
