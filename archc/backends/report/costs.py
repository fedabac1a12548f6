"""What is told of layers and blocks: parameters, multiply-accumulates, the size of what layers make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from archc.analyses import AnalysedGraph
from archc.analyses.memory import Memory
from archc.backends.diagram.words import amount_text
from archc.backends.report.views import Part


@dataclass(frozen=True, slots=True)
class Sum:
    """What a part costs; `None` where a size is open."""

    name: str
    params: int
    macs: int | None
    bytes: int | None


def sums(parts: Iterable[Part], analysed: AnalysedGraph, held: Memory) -> list[Sum]:
    """The cost of each part that has one."""
    made: list[Sum] = []
    costs = analysed.cost.nodes
    for part in parts:
        own = [costs[node.index] for node in part.nodes]
        made.append(Sum(part.name, sum(one.params for one in own), total(one.macs for one in own), total(held.nodes[node.index] for node in part.nodes)))
    return made


def bytes_text(count: int) -> str:
    """An amount of memory in three digits.

    >>> bytes_text(256), bytes_text(4_320_000)
    ('256 B', '4.32 MB')
    """
    return f"{amount_text(count)}B" if count >= 1000 else f"{count} B"


def total(values: Iterable[int | None]) -> int | None:
    """A sum; `None` where a part of it is.

    >>> total([1, 2]), total([1, None])
    (3, None)
    """
    found = 0
    for one in values:
        if one is None:
            return None
        found += one
    return found
