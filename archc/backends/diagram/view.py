"""What of a network is shown: the level of detail, and which blocks are open or closed."""

from __future__ import annotations

from typing import Literal, NamedTuple

from archc.graph.graph import Graph, Group

Detail = Literal["overview", "blocks", "layers"]


class View(NamedTuple):
    """What of a network is shown.

    Blocks named in `expand` show what is in them, those in `collapse` are one box; a name is a macro's, or what the
    block is called in the text. Below `depth` frames blocks are boxes (0: no such limit). `opened` are parts of the text
    that show what is in them, and no other of their name does.
    """

    detail: Detail = "blocks"
    expand: tuple[str, ...] = ()
    collapse: tuple[str, ...] = ()
    depth: int = 0
    opened: frozenset[Group] = frozenset()

    def boxed(self, groups: list[Group], depth: int) -> bool | None:
        """Whether a block at this depth is one box; `None` where no rule speaks of it."""
        names = {name for group in groups for name in (group.label, group.title) if name}
        if names & set(self.expand) or not self.opened.isdisjoint(groups):
            return False
        if names & set(self.collapse) or (self.depth and depth >= self.depth):
            return True
        return True if self.detail == "overview" else None


def names_of_blocks(graph: Graph) -> set[str]:
    """What blocks can be called by."""
    seen: set[Group] = set()
    for node in graph.nodes:
        group: Group | None = node.group
        while group is not None and group not in seen:
            seen.add(group)
            group = group.parent
    return {name for group in seen if group.parent for name in (group.label, group.title) if name}
