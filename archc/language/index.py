"""The index of the shipped specs: the figures that `archc list` shows without compiling anything.

`specs/index.json` is made by `python -m archc.reference`. A family's entry counts only while the digest of its spec and
of the shipped libraries is the one that it was made from.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TypedDict, cast

NAME = "index.json"


class VariantEntry(TypedDict):
    """A variant's line: its name, empty where the family has none, and what it costs (MACs for one example)."""

    name: str
    title: str
    implementation: str | None
    aliases: list[str]
    params: int | None
    macs: int | None


class FamilyEntry(TypedDict):
    """A family, the paper it follows, and its variants."""

    digest: str
    title: str
    paper: str
    year: int | None
    variants: list[VariantEntry]


def indexed(path: Path) -> FamilyEntry | None:
    """The entry of a shipped spec, or nothing where the index has none that was made from this very text."""
    entry = _entries(path.parent).get(path.stem)
    return entry if entry is not None and entry["digest"] == digest(path) else None


def digest(path: Path) -> str:
    """What a spec's figures come from: its text, and that of the libraries below its folder."""
    from hashlib import sha256

    return sha256(path.read_bytes() + _libraries(path.parent)).hexdigest()[:32]


@lru_cache(maxsize=4)
def _libraries(folder: Path) -> bytes:
    from hashlib import sha256

    hashed = sha256()
    for path in sorted(folder.glob("blocks/*.yaml")):
        hashed.update(path.name.encode() + path.read_bytes())
    return hashed.digest()


@lru_cache(maxsize=4)
def _entries(folder: Path) -> dict[str, FamilyEntry]:
    try:
        return cast("dict[str, FamilyEntry]", json.loads((folder / NAME).read_text()))
    except (OSError, ValueError):
        return {}
