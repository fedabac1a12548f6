"""What a spec is held to, so that any file ends soon and in little memory; `--limit NAME=VALUE` raises one for a call.

Each limit is told before the work is done that it bounds. What stays as it is whatever the call says stands in the modules
that need it: the magnitude of numbers, the length of names, the levels of an expression.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any


def _limit(default: int, most: int, meaning: str) -> Any:
    return dataclasses.field(default=default, metadata={"most": most, "meaning": meaning})


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits in force. `work` is counted in steps that run: a node is as dear as three of them."""

    file: int = _limit(1 << 20, 1 << 26, "bytes of a file")
    files: int = _limit(256, 10_000, "libraries of a spec")
    total: int = _limit(1 << 24, 1 << 30, "bytes of a spec with its libraries")
    nesting: int = _limit(64, 128, "lists and mappings inside each other")
    aliases: int = _limit(100_000, 10_000_000, "values that aliases add")
    text: int = _limit(10_000, 1_000_000, "characters of a text")
    expression: int = _limit(2_000, 20_000, "characters of an expression")
    items: int = _limit(100_000, 10_000_000, "items of the lists of an expression")
    depth: int = _limit(64, 128, "macro calls inside each other")
    repeat: int = _limit(100_000, 10_000_000, "iterations of a loop")
    nodes: int = _limit(120_000, 10_000_000, "nodes of a network")
    work: int = _limit(500_000, 1_000_000_000, "steps that run for a network, and for all variants that are checked together")
    parameters: int = _limit(10**11, 10**15, "weights of a network, as numbers")


LIMITS: dict[str, dataclasses.Field[Any]] = {one.name: one for one in dataclasses.fields(Limits)}
_IN_FORCE: ContextVar[Limits] = ContextVar("limits", default=Limits())  # noqa: B039  a frozen value


def limits() -> Limits:
    """The limits in force."""
    return _IN_FORCE.get()


@contextmanager
def raised(values: Mapping[str, int]) -> Generator[None]:
    """Other limits while the block runs: `with raised({"nodes": 100_000}):`."""
    token = _IN_FORCE.set(dataclasses.replace(limits(), **values))
    try:
        yield
    finally:
        _IN_FORCE.reset(token)


def raising(name: str) -> str:
    """A hint that says how to raise a limit, or nothing where it cannot go higher."""
    now, most = getattr(limits(), name), LIMITS[name].metadata["most"]
    return f"where it is meant, raise the limit: `--limit {name}={min(2 * now, most)}`" if now < most else ""
