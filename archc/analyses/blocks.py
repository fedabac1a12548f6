"""The tree of blocks that a network's layers stand in: stages, blocks, branches, by the labels of the layers' names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from archc.graph.graph import Graph, Group, Node


@dataclass(eq=False)
class Block:
    """A stage, block or branch: its label, what its text calls it, and its parts in order, blocks and indices of nodes."""

    label: str
    title: str = ""
    parts: list[Block | int] = field(default_factory=list["Block | int"])

    def nodes(self) -> Iterator[int]:
        """The indices of all nodes in it, in order."""
        for part in self.parts:
            if isinstance(part, int):
                yield part
            else:
                yield from part.nodes()


def blocks(graph: Graph) -> Block:
    """The tree of a graph: `stage1_block2_residual_conv` stands in `residual` in `block2` in `stage1`."""
    root = Block("")
    made: dict[tuple[Block, str], Block] = {}
    for node in graph.nodes:
        place = root
        for label, title in _path(node):
            inner = made.get((place, label))
            if inner is None:
                inner = made[place, label] = Block(label, title)
                place.parts.append(inner)
            place = inner
        place.parts.append(node.index)
    _simplify(root)
    return root


def _path(node: Node) -> list[tuple[str, str]]:
    """The groups that the node's name tells, outermost first; loops and plain merges add nothing to names."""
    chain: list[Group] = []
    group: Group | None = node.group
    while group is not None:
        chain.append(group)
        group = group.parent
    found: list[tuple[str, str]] = []
    prefix = ""
    for one in reversed(chain):
        longer = f"{prefix}{one.label}_"
        if one.label and node.name.startswith(longer):
            found.append((one.label, one.title))
            prefix = longer
        elif found and one.kind == "macro" and one.label == found[-1][0]:
            found[-1] = (one.label, one.title)
    return found


def _simplify(block: Block) -> None:
    """A block of one layer is that layer."""
    for at, part in enumerate(block.parts):
        if isinstance(part, int):
            continue
        _simplify(part)
        if len(part.parts) == 1 and isinstance(part.parts[0], int):
            block.parts[at] = part.parts[0]
