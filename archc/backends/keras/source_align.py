"""Blocks beside each other: which of their lines stand at one place of the text, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archc.backends.keras.source_regions import Leaf, Region


class Unlike(Exception):
    """Regions do not fit on each other; `key` says what must be written in place, where it is known."""

    def __init__(self, key: Any = None) -> None:
        super().__init__(str(key))
        self.key = key


def keyed(block: Region) -> list[tuple[Any, Leaf | Region]]:
    """The items of a block, each with its place in the text and how often that came before."""
    counts: dict[Any, int] = {}
    found: list[tuple[Any, Leaf | Region]] = []
    for item in block.items:
        key = item.key
        if isinstance(item, Region) and item.kind == "macro":
            key = (key, id(item.function))
        counts[key] = counts.get(key, 0) + 1
        found.append(((key, counts[key]), item))
    return found


def merged_keys(blocks: Sequence[Region]) -> list[Any]:
    """The places of all blocks, in an order that is that of each."""
    merged: list[Any] = []
    seen: dict[tuple[Any, ...], None] = {}
    for block in blocks:
        seen.setdefault(tuple(key for key, _ in keyed(block)))
    for keys in sorted(seen, key=len, reverse=True):
        merged = _merge(merged, keys) if merged else list(keys)
    places = {key: at for at, key in enumerate(merged)}
    for keys in seen:
        order = [places[key] for key in keys]
        if order != sorted(order):
            raise Unlike
    return merged


def _merge(merged: list[Any], keys: Sequence[Any]) -> list[Any]:
    known = set(merged)
    if known.issuperset(keys):
        return merged
    found = list(merged)
    for before, key in zip([None, *keys], keys, strict=False):
        if key not in known:
            found.insert(found.index(before) + 1 if before is not None else 0, key)
            known.add(key)
    return found


def worth_it(loops: Sequence[Region]) -> bool:
    """True where the loop is shorter than its rounds one after the other."""
    most = max((one for one in loops), key=lambda one: len(one.items))
    lines = max(len(one.items) for one in most.items if isinstance(one, Region))
    return len(most.items) * lines > lines + 1 or len({len(one.items) for one in loops}) > 1
