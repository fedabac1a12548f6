"""Two networks side by side: what the second one has no more in the first, what it has anew in the second, what changed in both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from archc.analyses.difference import Change, Difference
from archc.backends.diagram import words
from archc.backends.diagram.canvas import Group, Paint, Picture, Polygon, Rect, Shape, Text, moved
from archc.backends.diagram.metrics import text_width
from archc.backends.diagram.outline import outline, parts_of
from archc.backends.diagram.page import MARGIN, page
from archc.backends.diagram.structure import boxes_in
from archc.backends.diagram.styles import Theme, mix
from archc.backends.diagram.tree import Box, Cluster, Direction, Outline
from archc.backends.diagram.view import Detail, View
from archc.diagnostics.figures import signed
from archc.graph.graph import Graph, Node

Mark = Literal["added", "removed", "changed"]
COLOURS: dict[Mark, str] = {"added": "#009E73", "removed": "#D55E00", "changed": "#0072B2"}
"""Of Okabe and Ito's, like those of the roles."""
SIGNS: dict[Mark, str] = {"added": "+", "removed": "−", "changed": "~"}
MEANING: dict[Mark, str] = {
    "removed": "removed: in the first network alone",
    "added": "added: in the second network alone",
    "changed": "changed: another operator, attribute, input or place",
}
BADGE, RING, WIDTH = 5.5, 2.4, 2.0
SMALL, TITLE, SUBTITLE = 9.0, 15.0, 10.0


@dataclass(frozen=True)
class Side:
    """One of the networks: which of its nodes are marked, and what is said of those that changed."""

    graph: Graph
    marks: Mapping[int, Mark] = field(default_factory=dict[int, Mark])
    told: Mapping[int, str] = field(default_factory=dict[int, str])

    def mark(self, nodes: Iterable[Node]) -> Mark | None:
        """The mark of what stands for some nodes: their own where they agree, else that they changed."""
        found: list[Mark | None] = [self.marks.get(node.index) for node in nodes]
        mark: Mark | None = next((one for one in found if one is not None), None)
        return mark if mark is None or all(one == mark for one in found) else "changed"


def sides(found: Difference) -> tuple[Side, Side]:
    """The two networks with their marks."""
    before, after = Side(found.before.graph, {}, {}), Side(found.after.graph, {}, {})
    marks: list[dict[int, Mark]] = [{}, {}]
    told: list[dict[int, str]] = [{}, {}]
    for change in found.changes:
        mark = mark_of(change)
        for number, node in enumerate((change.before, change.after)):
            if node is not None and mark is not None:
                marks[number][node.index] = mark
                told[number][node.index] = _sentence(change, mark)
    return replace(before, marks=marks[0], told=told[0]), replace(after, marks=marks[1], told=told[1])


def mark_of(change: Change) -> Mark | None:
    """How a layer is marked; one that only costs something else, or is only called otherwise, is not."""
    if change.kind in ("added", "removed", "changed"):
        return change.kind
    return "changed" if change.moved else None


def _sentence(change: Change, mark: Mark) -> str:
    details = [f"{one.what} {one.before} → {one.after}" for one in change.details]
    return f"{mark}: {change.name}{''.join(f', {one}' for one in details)}"


def comparison(found: Difference, names: tuple[str, str], theme: Theme, direction: Direction = "TB", detail: Detail = "blocks") -> Picture:
    """The picture of a difference: the first network left of the second, or above it where the flow goes right."""
    pictures = [_picture(side, number, direction, detail, theme) for number, side in enumerate(sides(found))]
    title = words.shown(f"{names[0]} → {names[1]}", 110)
    totals = _totals(found)
    key = _key({mark for side in sides(found) for mark in side.marks.values()}, theme)
    beside = direction == "TB"
    wide = sum(one.width for one in pictures) if beside else max(one.width for one in pictures)
    width = max(wide, text_width(title, TITLE, True) + 2 * MARGIN, text_width(totals, SUBTITLE) + 2 * MARGIN, key.width + 2 * MARGIN)
    y = MARGIN + TITLE
    groups = [Group("heading", (Text(width / 2, y, title, TITLE, theme.text, bold=True), Text(width / 2, y + 16.0, totals, SUBTITLE, theme.faint)))]
    y += 28.0
    groups += [_shifted(one, (width - key.width) / 2, y) for one in key.groups]
    y += key.height + 4.0
    x = (width - wide) / 2 if beside else 0.0
    for one in pictures:
        across = x if beside else (width - one.width) / 2
        groups += [_shifted(group, across, y) for group in one.groups]
        x, y = (x + one.width, y) if beside else (x, y + one.height)
    height = y + max(one.height for one in pictures) if beside else y
    return Picture(width, height, theme.background, groups)


def _shifted(group: Group, dx: float, dy: float) -> Group:
    return group._replace(shapes=tuple(moved(one, dx, dy) for one in group.shapes))


def _picture(side: Side, number: int, direction: Direction, detail: Detail, theme: Theme) -> Picture:
    """One network, drawn as by itself, and marked. Ids begin with the letter of the network."""
    parts = None if detail == "layers" else parts_of(side.graph, side.marks)
    drawn = outline(side.graph, View(detail), parts)
    picture = page(drawn, direction, theme, 0)
    framed = _framed(side, drawn)
    groups = [_marked(group, side, framed, theme) for group in picture.groups]
    return picture._replace(groups=[one._replace(id=f"{'ab'[number]}-{one.id}" if one.id else "") for one in groups])


def _framed(side: Side, drawn: Outline) -> dict[int, Mark]:
    """Frames that hold nothing but added or removed layers, by identity, and the boxes in them: these have no mark of their own."""
    found: dict[int, Mark] = {}
    pending: list[tuple[Box | Cluster, Mark | None]] = [(one, None) for one in drawn.items]
    while pending:
        item, around = pending.pop()
        if isinstance(item, Box):
            continue
        nodes = [node for box in boxes_in(item) for node in drawn.boxes[box].every_node]
        mark = side.mark(nodes)
        whole = around is None and mark is not None and all(side.marks.get(node.index) == mark for node in nodes) and mark != "changed"
        if whole and mark is not None:
            found[id(item)] = mark
            found.update((id(drawn.boxes[box]), mark) for box in boxes_in(item))
        pending.extend((one, mark if whole else around) for one in item.items)
    return found


def _marked(group: Group, side: Side, framed: Mapping[int, Mark], theme: Theme) -> Group:
    """A box or frame with its mark: a ring in the mark's colour, dashed where it was removed, and a sign."""
    of = group.of
    if isinstance(of, Cluster):
        return _frame(group, framed[id(of)], theme) if id(of) in framed else group
    if not isinstance(of, Box):
        return group
    mark = side.mark(of.every_node)
    if mark is None or id(of) in framed:
        return group
    x, y, width, height = _bounds(group.shapes[0])
    ring = Rect(x - RING, y - RING, width + 2 * RING, height + 2 * RING, Paint("", _colour(mark, theme), WIDTH, mark == "removed"), RING + 2)
    told = dict.fromkeys(side.told[node.index] for node in of.every_node if node.index in side.told)
    tip = words.sound("\n".join((*([group.tip] if group.tip else []), *list(told)[:8])))
    return group._replace(kind=f"{group.kind} {mark}", shapes=(ring, *group.shapes, *_badge(x - RING, y - RING, mark, theme)), tip=tip)


def _frame(group: Group, mark: Mark, theme: Theme) -> Group:
    frame, *rest = group.shapes
    assert isinstance(frame, Rect)
    painted = frame._replace(paint=Paint(_ground(mark, theme), _colour(mark, theme), WIDTH, mark == "removed"))
    return group._replace(kind=f"{group.kind} {mark}", shapes=(painted, *rest, *_badge(frame.x, frame.y, mark, theme)))


def _colour(mark: Mark, theme: Theme) -> str:
    """A mark's colour on the theme's ground."""
    return mix(COLOURS[mark], theme.text, 1 - theme.lift)


def _ground(mark: Mark, theme: Theme) -> str:
    return mix(COLOURS[mark], theme.background, 0.12)


def _badge(x: float, y: float, mark: Mark, theme: Theme) -> Iterator[Shape]:
    """The sign in a disc, at a corner."""
    yield Rect(x - BADGE, y - BADGE, 2 * BADGE, 2 * BADGE, Paint(_colour(mark, theme), theme.background, 1.0), BADGE)
    yield Text(x, y + 3.4, SIGNS[mark], 10.0, theme.background, bold=True)


def _bounds(shape: Shape) -> tuple[float, float, float, float]:
    if isinstance(shape, Rect):
        return shape.x, shape.y, shape.width, shape.height
    assert isinstance(shape, Polygon)
    across, along = [x for x, _ in shape.points], [y for _, y in shape.points]
    return min(across), min(along), max(across) - min(across), max(along) - min(along)


def _totals(found: Difference) -> str:
    """What the second network costs more or less, and how many layers fared how."""
    first, second = found.before.cost, found.after.cost
    macs = "MACs open" if first.macs is None or second.macs is None else f"{signed(second.macs - first.macs)} MACs"
    counts = [f"{number} {kind}" for kind in ("removed", "added", "changed") if (number := found.count(kind))]
    return words.SEPARATOR.join([f"{signed(second.params - first.params)} parameters", macs, ", ".join(counts) + " layers" if counts else "no layer differs"])


@dataclass(frozen=True)
class _Key:
    groups: list[Group]
    width: float
    height: float


def _key(marks: set[Mark], theme: Theme) -> _Key:
    """What the marks that are drawn mean, a line each."""
    shapes: list[Shape] = []
    width, y = 0.0, 0.0
    for mark, meaning in MEANING.items():
        if mark in marks:
            shapes.append(Rect(0.0, y + 3.0, 24.0, 12.0, Paint(_ground(mark, theme), _colour(mark, theme), WIDTH, mark == "removed"), 4.0))
            shapes += [moved(one, 12.0, y + 9.0) for one in _badge(0.0, 0.0, mark, theme)]
            shapes.append(Text(32.0, y + 12.4, meaning, SMALL, theme.text, "start"))
            width, y = max(width, 32.0 + text_width(meaning, SMALL)), y + 18.0
    return _Key([Group("legend marks", tuple(shapes))] if shapes else [], width, y)
