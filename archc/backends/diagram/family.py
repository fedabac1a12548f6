"""The networks of a family as one figure: the paper's table of configurations, as strips with the differences marked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from archc.backends.diagram import words
from archc.backends.diagram.canvas import Group, Line, Paint, Picture, Rect, Shape, Text
from archc.backends.diagram.metrics import text_width
from archc.backends.diagram.outline import outline
from archc.backends.diagram.structure import boxes_in
from archc.backends.diagram.styles import NAMES, Theme, css_class
from archc.backends.diagram.tree import Box, Cluster
from archc.backends.diagram.view import View
from archc.graph.graph import Graph
from archc.operators import Role
from archc.operators import Shape as TensorShape

MARGIN = 16.0
SMALL = 7.5
NARROW, WIDEST = 11.0, 96.0
LOW, HIGH = 24.0, 46.0
ROW = 12.0
STAGE = 9.0
MARK = "#D55E00"
QUIET = (Role.POOLING, Role.RESHAPING, Role.REGULARISATION, Role.ACTIVATION)
"""What is drawn as a narrow bar; the legend names it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a strip: what it says, its shape, and what it is compared by."""

    lines: tuple[str, ...]
    role: Role
    shape: TensorShape
    tip: str
    count: int = 1

    @property
    def quiet(self) -> bool:
        """True for a narrow bar."""
        return self.role in QUIET

    @property
    def text(self) -> tuple[str, ...]:
        """What is written in it."""
        first = f"{self.lines[0]} {words.MULTIPLY} {self.count}" if self.count > 1 else self.lines[0]
        return (first, *self.lines[1:])

    @property
    def width(self) -> float:
        """Its width."""
        return NARROW if self.quiet else min(WIDEST, max(text_width(one, SMALL) for one in self.text) + 8.0)


@dataclass(frozen=True, slots=True)
class Strip:
    """A network: its name, totals, and its parts by stages, which are the sizes of its maps."""

    name: str
    totals: tuple[str, str]
    stages: list[list[Part]]
    differs: list[list[bool]]


def family(graphs: Sequence[Graph], title: str, theme: Theme) -> Picture:
    """The figure; the rows in the order of the graphs, each compared with the row above."""
    strips: list[Strip] = []
    for graph in graphs:
        stages = _stages(_parts(graph))
        before = strips[-1].stages if strips else None
        strips.append(Strip(graph.variant or graph.name, _totals(graph), stages, _differences(before, stages)))
    widths = [max(_stage_width(strip, at) for strip in strips) for at in range(max(len(strip.stages) for strip in strips))]
    left = MARGIN + max(text_width(words.shown(strip.name, 24), 10.0, True) for strip in strips) + 12.0
    right = left + sum(widths) + STAGE * len(widths)
    width = max(right + 120.0 + MARGIN, text_width(title, 14.0, True) + 2 * MARGIN)
    groups = [Group("heading", (Text(width / 2, MARGIN + 12.0, words.shown(title, 110), 14.0, theme.text, bold=True),))]
    y = MARGIN + 34.0
    groups.append(_heads(strips, widths, left, right, y, theme))
    y += 8.0
    for strip in strips:
        groups += _strip(strip, widths, left, right, y, theme)
        y += HIGH + ROW
    groups.append(_legend(strips, left, y + 6.0, theme))
    return Picture(width, y + 26.0, theme.background, groups)


def common_title(graphs: Sequence[Graph]) -> str:
    """The words with which all titles begin, the word with which most do, or the family's name.

    >>> from archc.pipeline import load
    >>> common_title([load("vgg")[name].graph for name in ("A", "D")])
    'VGG'
    """
    shared: list[str] = []
    for some in zip(*(re.split(r"[\s-]+", graph.title) for graph in graphs), strict=False):
        if len(set(some)) > 1:
            break
        shared.append(some[0])
    first, count = Counter(re.split(r"[\s-]+", graph.title)[0] for graph in graphs).most_common(1)[0]
    return " ".join(shared) or (first if 2 * count > len(graphs) else "") or graphs[0].name


def _parts(graph: Graph) -> list[Part]:
    """A network's parts: blocks that hold no others, and the layers between them."""
    drawn = outline(graph, View("blocks"))
    found: list[Part] = []
    pending: list[Box | Cluster] = [*reversed(drawn.items)]
    while pending:
        item = pending.pop()
        if isinstance(item, Cluster) and _holds_blocks(item):
            pending.extend(reversed(item.items))
        elif isinstance(item, Cluster) and item.dead:
            continue
        else:
            part = _part(item, drawn.boxes)
            if part.role is Role.INPUT:
                continue
            last = found[-1] if found else None
            if last is not None and part.role is last.role is Role.OTHER and (last.lines, last.shape) == (part.lines, part.shape):
                found[-1] = Part(last.lines, last.role, part.shape, last.tip, last.count + part.count)
            else:
                found.append(part)
    return found


def _holds_blocks(cluster: Cluster) -> bool:
    """True for a stage: a frame that is no macro's, around blocks."""
    return cluster.count == 1 and not cluster.made and any(isinstance(one, Cluster) or one.title for one in cluster.items)


def _part(item: Box | Cluster, boxes: list[Box]) -> Part:
    last = item if isinstance(item, Box) else boxes[max(boxes_in(item))]
    shape = last.copies[-1][-1].shape
    if isinstance(item, Cluster) or item.title:
        made = item.made if isinstance(item, Cluster) else ""
        name = made or item.title.split(words.SEPARATOR)[-1] or last.written[0].split(words.SEPARATOR)[0]
        channels = str(shape[-1]) if shape else ""
        tip = item.tooltip if isinstance(item, Cluster) else words.tooltip(item)
        return Part((words.shown(name, 22), channels), Role.OTHER, shape, tip, item.count)
    first, *rest = item.written
    return Part((words.shown(first.split(words.SEPARATOR)[0], 22), *rest[:1]), item.role, shape, words.tooltip(item))


def _stages(parts: list[Part]) -> list[list[Part]]:
    """The parts by the size of the maps that they make; pooling ends a stage, another part begins one."""
    stages: list[list[Part]] = [[]]
    for number, part in enumerate(parts):
        changed = number > 0 and part.shape[:-1] != parts[number - 1].shape[:-1]
        if changed and part.role is not Role.POOLING and stages[-1]:
            stages.append([])
        stages[-1].append(part)
        if changed and part.role is Role.POOLING:
            stages.append([])
    return [stage for stage in stages if stage]


def _differences(above: list[list[Part]] | None, stages: list[list[Part]]) -> list[list[bool]]:
    """Which parts the row above does not have in this stage."""
    if above is None:
        return [[False] * len(stage) for stage in stages]
    return [_stage_differences(above[at] if at < len(above) else [], stage) for at, stage in enumerate(stages)]


def _stage_differences(above: list[Part], stage: list[Part]) -> list[bool]:
    old = [(one.text, one.role, one.shape[:-1]) for one in above]
    new = [(one.text, one.role, one.shape[:-1]) for one in stage]
    first = _common(old, new)
    last = _common(old[first:][::-1], new[first:][::-1])
    marks = [False] * len(new)
    inner = SequenceMatcher(None, old[first : len(old) - last], new[first : len(new) - last], autojunk=False)
    for kind, _, _, start, stop in inner.get_opcodes():
        if kind in ("insert", "replace"):
            marks[first + start : first + stop] = [True] * (stop - start)
    return marks


def _common(old: Sequence[object], new: Sequence[object]) -> int:
    """How many items two rows begin with together."""
    count = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        count += 1
    return count


def _totals(graph: Graph) -> tuple[str, str]:
    macs = words.macs(graph.nodes)
    return words.amount_text(words.parameters(graph.nodes)), words.amount_text(macs) if macs is not None else "open"


def _stage_width(strip: Strip, at: int) -> float:
    return sum(part.width + 2.0 for part in strip.stages[at]) if at < len(strip.stages) else 0.0


def _heads(strips: list[Strip], widths: list[float], left: float, right: float, y: float, theme: Theme) -> Group:
    """Over each stage the size of its maps, where all rows agree."""
    shapes: list[Shape] = []
    x = left
    for at, width in enumerate(widths):
        sizes = {words.shape_text(strip.stages[at][0].shape[:-1]) for strip in strips if at < len(strip.stages) and len(strip.stages[at][0].shape) > 1}
        if len(sizes) == 1:
            text = sizes.pop()
            if text_width(text, SMALL) <= width + STAGE:
                shapes.append(Text(x, y, text, SMALL, theme.faint, "start"))
        x += width + STAGE
    shapes += [Text(right + 48.0, y, "params", SMALL, theme.faint, "end"), Text(right + 104.0, y, "MACs", SMALL, theme.faint, "end")]
    return Group("heading", tuple(shapes))


def _strip(strip: Strip, widths: list[float], left: float, right: float, y: float, theme: Theme) -> list[Group]:
    middle = y + HIGH / 2
    name = Text(MARGIN, middle + 3.5, words.shown(strip.name, 24), 10.0, theme.text, "start", True)
    line = Line(((left - 6.0, middle), (right - STAGE + 4.0, middle)), Paint("", theme.frame, 0.8))
    params, macs = strip.totals
    totals = (Text(right + 48.0, middle + 3.0, params, 8.5, theme.text, "end"), Text(right + 104.0, middle + 3.0, macs, 8.5, theme.text, "end"))
    groups = [Group("strip", (name, line, *totals))]
    largest = max((_places(part) for stage in strip.stages for part in stage), default=1)
    x = left
    for stage, marks, width in zip(strip.stages, strip.differs, widths, strict=False):
        at = x
        for part, differs in zip(stage, marks, strict=True):
            high = LOW + (HIGH - LOW) * (_places(part) / largest) ** 0.25
            groups.append(_cell(part, differs, at, middle - high / 2, high, theme))
            at += part.width + 2.0
        x += width + STAGE
    return groups


def _places(part: Part) -> int:
    """The number of places of a part's maps."""
    places = 1
    for one in part.shape[:-1]:
        places *= one or 1
    return places


def _cell(part: Part, differs: bool, x: float, y: float, height: float, theme: Theme) -> Group:
    line, fill = theme.role(part.role)
    shapes: list[Shape] = [Rect(x, y, part.width, height, Paint(fill, line, 0.9, part.role is Role.REGULARISATION), 2.0)]
    if not part.quiet:
        top = y + height / 2 + SMALL * 0.36 - 4.7 * (len(part.text) - 1)
        shapes += [Text(x + part.width / 2, top + 9.4 * at, text, SMALL, theme.text, bold=differs) for at, text in enumerate(part.text)]
    if differs:
        shapes.append(Rect(x - 0.5, y + height + 2.0, part.width + 1.0, 2.4, Paint(MARK)))
    tip = words.sound(part.tip)
    return Group(f"part {css_class(part.role)}{' differs' if differs else ''}", tuple(shapes), tip=tip)


def _legend(strips: list[Strip], x: float, y: float, theme: Theme) -> Group:
    shapes: list[Shape] = []
    quiet = {part.role for strip in strips for stage in strip.stages for part in stage if part.quiet}
    for role in Role:
        if role in quiet:
            line, fill = theme.role(role)
            shapes.append(Rect(x, y, 8.0, 11.0, Paint(fill, line, 0.9, role is Role.REGULARISATION), 2.0))
            name = NAMES.get(role, role.value)
            shapes.append(Text(x + 12.0, y + 8.5, name, SMALL, theme.faint, "start"))
            x += 28.0 + text_width(name, SMALL)
    shapes.append(Rect(x, y + 5.0, 14.0, 2.4, Paint(MARK)))
    shapes.append(Text(x + 19.0, y + 8.5, "differs from the row above; the height of a part follows the size of its maps", SMALL, theme.faint, "start"))
    return Group("legend", tuple(shapes))
