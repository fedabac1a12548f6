"""The drawings of a report: each level of detail, and the overview with each block open.

What is in a block is drawn where the block stands, by the same layout as everything else. One block is open at a time,
with those around it: so there are as many drawings as blocks, and the page needs no layout of its own. Equal blocks in a
row are one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from archc.backends.diagram.backend import texts
from archc.backends.diagram.outline import Parts, outline, parts_of
from archc.backends.diagram.page import page
from archc.backends.diagram.styles import theme_of
from archc.backends.diagram.svg import to_svg
from archc.backends.diagram.tree import Box, Cluster, Outline
from archc.backends.diagram.view import Detail, View
from archc.backends.diagram.words import MULTIPLY, SEPARATOR, sound
from archc.graph.graph import Graph, Group, Node

MOST_BOXES = 4_000
"""In all drawings with open blocks: where those of a depth would make more, they do not open, so that the page stays small."""
LIKELY_BOXES = 6
"""So many boxes are in a block, about."""

Opened = tuple[Group, ...]
"""The blocks that are open, the outermost first."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawing: what the page knows it by, what a person does, and its SVG."""

    key: str
    title: str
    svg: str


@dataclass(frozen=True, slots=True)
class Views:
    """All drawings of a network: the levels of detail, the first of which is shown first, and those with blocks open."""

    levels: tuple[Drawn, ...]
    opened: tuple[Drawn, ...]
    all_open: bool
    """False where the network has more blocks than the page can hold drawings of."""


def views(graph: Graph) -> Views:
    """The drawings of a graph."""
    parts = parts_of(graph)
    overviews, complete = _overviews(graph, parts)
    keys = {path: f"open-{number}" if path else "overview" for number, path in enumerate(overviews)}
    painter = _Painter(keys)
    found = [painter.drawn(keys[path], _called(path), one, path, columns=1) for path, one in overviews.items()]
    levels = found[:1] if len(found) > 1 else []
    rest: tuple[tuple[Detail, str], ...] = (("blocks", "Blocks"), ("layers", "Layers"))
    for detail, title in rest:
        drawn = outline(graph, View(detail), parts)
        levels.append(painter.drawn(detail, title, drawn, None, columns=0))
    return Views(tuple(levels), tuple(found[1:]), complete)


def _overviews(graph: Graph, parts: Parts) -> tuple[dict[Opened, Outline], bool]:
    """The overview with each block open, depth by depth, and whether there was room for all."""
    found: dict[Opened, Outline] = {}
    level: list[Opened] = [()]
    boxes = 0
    while level:
        inner: dict[Opened, int] = {}
        for path in level:
            drawn = found[path] = outline(graph, View("overview", opened=frozenset(path)), parts)
            boxes += len(drawn.boxes)
            for box in drawn.boxes:
                if box.part is not None:
                    inner.setdefault(_path(path, box.part), len(drawn.boxes) + LIKELY_BOXES)
        level = [path for path in inner if path not in found]
        if boxes + sum(inner[path] for path in level) > MOST_BOXES:
            return found, False
    return found, True


def _path(opened: Opened, part: Group) -> Opened:
    """What is open when a block is opened: those of the open ones that it stands in, and itself."""
    around = set(_ancestors(part))
    return (*(one for one in opened if one in around), part)


def _ancestors(group: Group) -> Iterator[Group]:
    at = group.parent
    while at is not None:
        yield at
        at = at.parent


def _called(path: Opened) -> str:
    return f"Overview with {path[-1].label or path[-1].title} open" if path else "Overview"


class _Painter:
    """Paints drawings whose blocks know which drawing comes next."""

    def __init__(self, keys: dict[Opened, str]) -> None:
        self._keys = keys
        self._numbers: dict[Group, int] = {}
        self._paths = {path[-1]: path for path in keys if path}

    def drawn(self, key: str, title: str, drawn: Outline, path: Opened | None, columns: int) -> Drawn:
        """A drawing; `path` is what is open in it, `None` where everything is."""
        picture = page(drawn, "TB", theme_of("light"), columns)
        plain = picture._replace(groups=[one._replace(tip="") for one in picture.groups])
        extra = {one.id: self._facts(one.of, path) for one in picture.groups if one.id}
        svg = to_svg(plain, *texts(drawn), role="group", extra=extra)
        return Drawn(key, title, svg.strip())

    def _facts(self, of: object, path: Opened | None) -> dict[str, str]:
        """What the page has to know of a box or frame."""
        if isinstance(of, Box):
            facts = {"data-nodes": ranges(node.index for node in of.every_node)}
            return {**facts, **self._opening(of, path)} if of.part is not None else facts
        if isinstance(of, Cluster) and of.part is not None and path and of.part in path:
            return {
                "data-view": self._keys[path[: path.index(of.part)]],
                **self._button(of.part, f"{_counted(of.title, of.count)}, open", True),
            }
        return {}

    def _opening(self, box: Box, path: Opened | None) -> dict[str, str]:
        part = box.part
        assert part is not None
        target = self._paths.get(part) if path is None else _path(path, part)
        if target not in self._keys:
            return {}
        said = f"{', '.join(box.written)}, closed"
        return {"data-view": self._keys[target], **self._button(part, said, False)}

    def _button(self, part: Group, said: str, is_open: bool) -> dict[str, str]:
        number = self._numbers.setdefault(part, len(self._numbers))
        state = "true" if is_open else "false"
        return {"data-part": str(number), "role": "button", "tabindex": "0", "aria-expanded": state, "aria-label": sound(said)}


def _counted(title: str, count: int) -> str:
    return f"{title} {MULTIPLY} {count}" if count > 1 else title


def ranges(indices: Iterator[int] | Sequence[int]) -> str:
    """Numbers in order, those that follow each other as ranges.

    >>> ranges([4, 1, 2, 3, 8])
    '1-4 8'
    """
    numbers = sorted(set(indices))
    starts = [one for before, one in pairwise([-2, *numbers]) if one != before + 1]
    ends = [one for one, after in pairwise([*numbers, -2]) if after != one + 1]
    return " ".join(str(start) if start == end else f"{start}-{end}" for start, end in zip(starts, ends, strict=True))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the network as the chart has it: its name and its layers."""

    name: str
    nodes: tuple[Node, ...]


FEWEST_PARTS = 4


def chart_parts(graph: Graph) -> list[Part]:
    """The parts that cost is told for: the boxes of the overview; where one block is nearly everything, what is in it."""
    parts, opened = parts_of(graph), frozenset[Group]()
    while True:
        boxes = outline(graph, View("overview", opened=opened), parts).boxes
        costly = [box for box in boxes if any(node.weights for copy in box.copies for node in copy)]
        inner = [box.part for box in costly if box.part is not None]
        if len(costly) >= FEWEST_PARTS or not inner:
            return [Part(_part_name(box), box.every_node) for box in boxes]
        opened |= frozenset(inner)


def _part_name(box: Box) -> str:
    return _counted(box.title.replace(SEPARATOR, " "), box.count) if box.title else box.head.name
