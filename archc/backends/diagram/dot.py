"""Drawing tree -> DOT text. Ids are ours, names from the text stand in quoted labels only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import graphviz

from archc.backends.diagram import words
from archc.backends.diagram.columns import columns as split
from archc.backends.diagram.legend import Markup, table
from archc.backends.diagram.styles import BOLD, CIRCLE, FONT, THEMES, Theme, ThemeName, box_style
from archc.backends.diagram.tree import Box, Cluster, Direction, Edge, Outline
from archc.operators import Role

# fmt: off
ATTRIBUTES = frozenset({
    "arrowhead", "arrowsize", "bgcolor", "class", "color", "constraint", "distortion", "fillcolor",
    "fixedsize", "fontcolor", "fontname", "fontsize", "height", "id", "label", "labeljust", "labelloc",
    "margin", "mclimit", "minlen", "newrank", "nodesep", "nslimit", "nslimit1", "ordering", "pack",
    "packmode", "pad", "penwidth", "peripheries", "rankdir", "ranksep", "shape", "sides", "splines", "style",
    "tooltip", "weight", "width",
})
# fmt: on
"""Every attribute that is ever written: none of them links, includes or runs anything."""

MANY_EDGES = 400
LONGEST_LINE = 60
DROPPED = dict.fromkeys(
    [one for one in range(0x20) if one != 0x0A]
    + list(range(0x7F, 0xA0))
    + [*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF, 0xFFFE, 0xFFFF]
    + list(range(0xD800, 0xE000))
)
"""Characters that XML forbids, or that turn the direction of the text around them."""


def to_dot(outline: Outline, direction: Direction = "TB", theme: ThemeName = "light", columns: int = 0) -> str:
    """The DOT text of a drawing tree: the same bytes every time. `columns` is 0 for as many as it takes."""
    return _Writer(outline, split(outline, direction, columns), direction, THEMES[theme]).text()


def literal(text: str, longest: int = LONGEST_LINE) -> str:
    r"""Text as a label that shows just that: no escapes, entities or markup are left in it.

    >>> literal("a\\N<b>")
    'a\\\\N<b>'
    """
    lines = [_shortened(line, longest) for line in text.translate(DROPPED).split("\n")]
    return "\n".join(lines).replace("\\", "\\\\").replace("&", "&amp;").replace("\n", "\\n")


def _shortened(line: str, longest: int) -> str:
    return line if len(line) <= longest else line[: longest - 1] + "…"


class _Writer:
    def __init__(
        self, outline: Outline, columns: list[list[Box | Cluster]], direction: Direction, theme: Theme
    ) -> None:
        self._outline = outline
        self._direction: Direction = direction
        self._theme = theme
        self._body: list[str] = []
        self._columns = columns
        self._packed = len(columns) > 1
        self._column_of = [0] * len(outline.boxes)
        self._inputs = [0] * len(outline.boxes)
        self._edges_into: list[list[tuple[int, Edge]]] = [[] for _ in columns]
        self._handed_on: list[tuple[int, set[int]]] = []
        self._frames: dict[int, int] = {}
        self._path: dict[int, tuple[int, ...]] = {}
        self._texts_in: dict[int, list[tuple[str, str]]] = {}
        self._walk()
        self._sort()

    def _walk(self) -> None:
        """Numbers the frames in the order of the text, and notes which column and frames each box is in."""
        for number, column in enumerate(self._columns):
            pending: list[tuple[Box | Cluster, tuple[int, ...]]] = [(item, (-1 - number,)) for item in reversed(column)]
            while pending:
                item, path = pending.pop()
                if isinstance(item, Box):
                    self._column_of[item.id] = number
                    self._path[item.id] = path
                    continue
                frame = self._frames[id(item)] = len(self._frames)
                pending.extend((inner, (*path, frame)) for inner in reversed(item.items))

    def _sort(self) -> None:
        """Edges by tail, then in the order of the text, so that branches stand in that order; and what they need."""
        handed_on: dict[int, set[int]] = {}
        turn = 1 if self._direction == "TB" else -1
        edges = sorted(self._outline.edges, key=lambda edge: (edge.tail, turn * edge.head))
        for number, edge in enumerate(edges):
            column = self._column_of[edge.head]
            self._inputs[edge.head] += 1
            if column != self._column_of[edge.tail]:
                into = handed_on.setdefault(edge.tail, set())
                merges = self._outline.boxes[edge.head].role is Role.MERGE
                edge = replace(edge, labelled=column not in into or (edge.labelled and merges), skip=False)
                into.add(column)
            self._edges_into[column].append((number, edge))
            if self._packed and edge.labelled:
                text = (f"m{number}", words.shape_text(edge.shape))
                self._texts_in.setdefault(self._common_frame(edge), []).append(text)
        self._handed_on = sorted(handed_on.items())

    def _common_frame(self, edge: Edge) -> int:
        """The innermost frame that holds both ends, or the head's column."""
        head, tail = self._path[edge.head], self._path[edge.tail]
        common = head[0]
        for one, other in zip(head, tail, strict=False):
            if one != other:
                break
            common = one
        return common

    def text(self) -> str:
        """All of it."""
        self._defaults()
        totals = literal(self._outline.totals, 160)
        page = {"peripheries": "0", "labeljust": "c", "margin": "4"}
        legend = table(self._outline, self._direction, self._theme)
        if self._packed:
            return self._packed_text()
        self._open("cluster_page", {"label": totals, "fontsize": "10", **page})
        self._open("cluster_body", {"label": legend, "labelloc": "b", "fontsize": "9", **page})
        self._column(self._columns[0], 0)
        self._close()
        self._close()
        return graphviz.Digraph("archc", body=self._body).source

    def _defaults(self) -> None:
        theme, size = self._theme, {"fontname": FONT, "fontcolor": self._theme.text}
        large = len(self._outline.edges) > MANY_EDGES
        limits = {"splines": "line", "nslimit": "2", "nslimit1": "2", "mclimit": "0.1"} if large else {}
        graph = {
            "label": literal(self._outline.title, 120),
            "labelloc": "t",
            "fontname": BOLD,
            "fontsize": "15",
            "fontcolor": theme.text,
            "bgcolor": theme.background,
            "rankdir": self._direction,
            "ranksep": "0.05",
            "nodesep": "0.22",
            "pad": "0.15",
            "ordering": "out",
            **limits,
            **(self._packing() if self._packed else {}),
        }
        self._attributes("graph", graph)
        node = {"style": "filled", "fontsize": "10", "height": "0.28", "margin": "0.09,0.035", "penwidth": "1.2"}
        self._attributes("node", {**size, **node})
        edge = {"fontname": FONT, "fontsize": "8.5", "fontcolor": theme.faint, "color": theme.edge}
        self._attributes("edge", {**edge, "arrowsize": "0.55", "penwidth": "0.9"})

    def _packed_text(self) -> str:
        """Columns side by side, or rows one below the other (which engines pack from the bottom up), and the legend."""
        parts = [*range(len(self._columns)), None]
        for number in parts if self._direction == "TB" else reversed(parts):
            if number is None:
                self._footer()
                continue
            self._open(f"cluster_column_{number}", {"label": "", "peripheries": "0", "margin": "4"})
            self._column(self._columns[number], number)
            self._close()
        return graphviz.Digraph("archc", body=self._body).source

    def _footer(self) -> None:
        legend = table(self._outline, self._direction, self._theme, totals=True)
        plain = {"shape": "plaintext", "style": "solid", "fontsize": "9", "class": "legend", "tooltip": " "}
        self._node("legend", {"label": legend, **plain})

    def _packing(self) -> dict[str, str]:
        """Each column is laid out by itself; they are set side by side in the order of the text."""
        many = len(self._columns) if self._direction == "TB" else len(self._columns) + 1
        return {"pack": "14", "packmode": f"array_it{many}", "ranksep": "0.1"}

    def _column(self, items: list[Box | Cluster], number: int) -> None:
        """One column: its part of the tree and the edges in it, and connectors to the others."""
        self._connectors(number)
        self._texts(-1 - number)
        self._tree(items)
        self._edges(number)

    def _texts(self, frame: int) -> None:
        """Engines drop edges' labels where they pack; there a label is a node in the edge."""
        for name, text in self._texts_in.get(frame, ()):
            style = {"shape": "plaintext", "style": "solid", "fontsize": "8.5", "fontcolor": self._theme.faint}
            size = {"height": "0.12", "width": "0.2", "margin": "0.02,0"}
            self._node(name, {"label": literal(text), "class": "shape", "tooltip": " ", **style, **size})

    def _tree(self, items: list[Box | Cluster]) -> None:
        """Frames and boxes in the order of the text, without recursion."""
        pending: list[Box | Cluster | None] = [*self._stacked(items)]
        while pending:
            item = pending.pop()
            if item is None:
                self._close()
            elif isinstance(item, Box):
                self._box(item)
            else:
                self._cluster(item, self._frames[id(item)])
                pending.append(None)
                pending.extend(self._stacked(item.items))

    def _stacked(self, items: list[Box | Cluster]) -> Iterable[Box | Cluster]:
        """The items as they come off a stack. Engines lay lines from left to right out from the bottom up."""
        return reversed(items) if self._direction == "TB" else items

    def _box(self, box: Box) -> None:
        text = words.lines(box)
        if box.outputs:
            text = [*text, "→ " + ", ".join(box.outputs)]
        style = box_style(box, self._inputs[box.id], text[0], self._theme, self._direction)
        name = f"n{box.id}"
        tip = literal(words.tooltip(box), 400)
        self._node(name, {"label": literal("\n".join(text)), "id": name, "tooltip": tip, **style})

    def _cluster(self, cluster: Cluster, number: int) -> None:
        name = f"cluster_{number}"
        title = cluster.title
        style = {"fontsize": "10", "penwidth": "0.8", "fontname": FONT, "class": "block"}
        if cluster.count > 1:
            title = f"{title}  {words.MULTIPLY} {cluster.count}".strip()
            style = {"fontsize": "11", "penwidth": "1.8", "fontname": BOLD, "class": "block folded"}
        label = literal(f" {title} ") if title else ""
        self._open(name, {"label": label, "id": f"b{number}", "tooltip": literal(cluster.tooltip, 400), **style})
        self._texts(number)

    def _open(self, name: str, style: dict[str, str]) -> None:
        theme = self._theme
        self._body.append(f"\tsubgraph {name} {{\n")
        frame = {"style": "rounded", "color": theme.frame, "labeljust": "l", "margin": "7", "peripheries": "1"}
        font = {"fontname": FONT, "fontcolor": theme.text, "labelloc": "t", "tooltip": " "}
        self._attributes("graph", {**frame, **font, **style})

    def _close(self) -> None:
        self._body.append("\t}\n")

    def _edges(self, column: int) -> None:
        for number, edge in self._edges_into[column]:
            tail = f"n{edge.tail}"
            if self._column_of[edge.tail] != column:
                tail = f"k{column}_{edge.tail}"
            self._edge(number, tail, edge)

    def _edge(self, number: int, tail: str, edge: Edge) -> None:
        shape = words.shape_text(edge.shape)
        style = {"tooltip": literal(shape)}
        if edge.skip:
            style |= {"style": "dashed", "penwidth": "0.7", "weight": "0"}
        elif edge.main:
            style["weight"] = "6"
        if self._packed and edge.labelled:
            self._line(tail, f"m{number}", {"class": "stem", "arrowhead": "none", **style, "weight": "8"})
            tail = f"m{number}"
        elif self._packed:
            style["minlen"] = "2"
        elif edge.labelled:
            style["label"] = literal(f" {shape} ")
        kind = "tensor skip" if edge.skip else "tensor"
        self._line(tail, f"n{edge.head}", {"id": f"e{number}", "class": kind, **style})

    def _connectors(self, column: int) -> None:
        """Lettered circles where a tensor leaves a column, and where it comes in again."""
        for letter, (tail, into) in enumerate(self._handed_on):
            name = f"k{column}_{tail}"
            style = {"label": _letters(letter), "class": "connector", "tooltip": " ", **self._connector_style()}
            if column in into:
                self._node(name, style)
            elif column == self._column_of[tail]:
                self._node(name, style)
                self._line(f"n{tail}", name, {"class": "connector", "tooltip": " "})

    def _connector_style(self) -> dict[str, str]:
        return {**CIRCLE, "fontsize": "9", "color": self._theme.edge, "fillcolor": self._theme.background}

    def _node(self, name: str, attributes: dict[str, str]) -> None:
        self._body.append(f"\t{name}{_listed(attributes)}\n")

    def _line(self, tail: str, head: str, attributes: dict[str, str]) -> None:
        self._body.append(f"\t{tail} -> {head}{_listed(attributes)}\n")

    def _attributes(self, target: str, attributes: dict[str, str]) -> None:
        self._body.append(f"\t{target}{_listed(attributes)}\n")


def _letters(number: int) -> str:
    """`A` to `Z`, then `AA`."""
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def _listed(attributes: dict[str, str]) -> str:
    unknown = attributes.keys() - ATTRIBUTES
    assert not unknown, f"not in the closed list: {sorted(unknown)}"
    return " [" + " ".join(f"{name}={_quoted(value)}" for name, value in attributes.items()) + "]"


def _quoted(value: str) -> str:
    """A value as DOT text: always in quotes, so that none is taken for markup or a keyword; the legend is markup."""
    return value if isinstance(value, Markup) else '"' + value.replace('"', '\\"') + '"'
