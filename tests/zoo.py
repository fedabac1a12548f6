"""Which shipped networks tests walk: one of each family, or with `--every` (`make every`) all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from archc import load
from archc.language.catalogue import shipped_paths
from archc.language.index import FamilyEntry, indexed

EVERY = "ARCHC_EVERY"
CLASSIC = ("lenet", "vgg", "alexnet", "googlenet", "resnet")
"""Families of which all variants are walked where a test asks for them."""


def walked(whole: tuple[str, ...] = ()) -> list[str]:
    """The addresses: the variant of each family that computes least, all of the families in `whole`."""
    return [
        f"{stem}:{name}" if name else stem
        for stem, family in families()
        for name in (names(family) if os.environ.get(EVERY) or stem in whole else [least(family)])
    ]


def families() -> Iterator[tuple[str, FamilyEntry]]:
    """The shipped families and what the index knows of them."""
    for path in shipped_paths():
        yield path.stem, indexed(path) or load(path.stem).entry()


def names(family: FamilyEntry) -> list[str]:
    """The names of its variants."""
    return [one["name"] for one in family["variants"]]


def least(family: FamilyEntry) -> str:
    """The variant with the fewest multiply-accumulates."""
    return min(family["variants"], key=lambda one: one["macs"] or 0)["name"]
