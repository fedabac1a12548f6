"""The drawing tree: what a diagram shows, before any engine or file format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from archc.graph.graph import Group, Node
from archc.operators import Role, Shape

Direction = Literal["TB", "LR"]
"""From top to bottom, for pages; from left to right, for slides."""

SIGNS = {"add": "+", "multiply": "×", "subtract": "−"}
"""Merges that have a sign."""


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """One drawn node: a layer, a fused chain of layers (`Conv · BN · ReLU`), or in an overview a whole block.

    `members` are the graph's nodes that it stands for. `copies` are the chains it stands for where blocks are folded,
    its own first. `title` is set where the box is a whole block, and
    `shortcut` where that block adds what it reads to what it makes of it.
    `names` are words that stand in a template for attributes; `text` stands for all else where there is no layer to show.
    `folded` are further nodes that it stands for where it is drawn in a folded frame: those of the frame's copies.
    `written` are the lines in it; a `tabled` block has its numbers in a table, or they are `told` in words, in a template. `part` is the part of the text that a
    whole block is.
    """

    id: int
    members: tuple[Node, ...]
    copies: tuple[tuple[Node, ...], ...]
    title: str = ""
    count: int = 1
    outputs: tuple[str, ...] = ()
    shortcut: bool = False
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    text: str = ""
    written: tuple[str, ...] = ()
    tabled: bool = False
    part: Group | None = None
    folded: tuple[Node, ...] = ()
    told: str | None = None

    @property
    def every_node(self) -> tuple[Node, ...]:
        """All nodes that the box stands for, each once."""
        return tuple(dict.fromkeys((*(node for copy in self.copies for node in copy), *self.folded)))

    @property
    def head(self) -> Node:
        """The node that gives the box its colour."""
        return self.members[0]

    @property
    def role(self) -> Role:
        """The role of the box; a block has none of its own."""
        if self.text:
            return Role.INPUT
        return Role.OTHER if self.title else self.head.operator.role

    @property
    def is_sign(self) -> bool:
        """True for a merge that is drawn as its sign: `+`."""
        return self.role is Role.MERGE and self.head.operator.name in SIGNS

    @property
    def is_bar(self) -> bool:
        """True for a merge that is drawn as a bar across what it joins."""
        return self.role is Role.MERGE and self.head.operator.name not in SIGNS


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """A frame around drawn nodes: a block of the text. `count` equal blocks in a row are drawn once.

    `dead` ones lead to an output beside the network's main one, and to nothing else. `made` is the macro that made it,
    `part` the part of the text that it is.
    """

    title: str
    count: int
    tooltip: str
    items: list[Box | Cluster] = field(default_factory=list["Box | Cluster"])
    dead: bool = False
    made: str = ""
    part: Group | None = None


class Edge(NamedTuple):
    """A tensor on its way from one box to another.

    `labelled` edges state the shape, `skip` edges pass by other boxes.
    """

    tail: int
    head: int
    shape: Shape
    labelled: bool = False
    skip: bool = False


class Outline(NamedTuple):
    """A diagram's content: frames and boxes in the order of the text, edges, and what is said about the whole."""

    title: str
    totals: str
    items: list[Box | Cluster]
    boxes: list[Box]
    edges: list[Edge]
    skips: bool
    folded: bool
    explained: tuple[tuple[str, str], ...] = ()
    """Names of blocks, each with a sentence about it."""
    templates: tuple[Template, ...] = ()


class Template(NamedTuple):
    """A form that blocks have in common: its name, the drawing of it, and a table with a row for each block."""

    title: str
    drawn: Outline
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def ranks(count: int, edges: Sequence[Edge]) -> list[int]:
    """The length of the longest way to each box; edges come in the order of their heads."""
    rank = [0] * count
    for edge in edges:
        rank[edge.head] = max(rank[edge.head], rank[edge.tail] + 1)
    return rank
