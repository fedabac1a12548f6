"""Drawing tree -> DOT text. Ids are ours, names from the text stand in quoted labels only."""

from __future__ import annotations

from collections.abc import Iterable

import graphviz
from graphviz.quoting import attr_list

from archc.backends.diagram import words
from archc.backends.diagram.columns import boxes_in
from archc.backends.diagram.columns import columns as split
from archc.backends.diagram.styles import BOLD, CIRCLE, FONT, NAMES, THEMES, Theme, ThemeName, box_style, role_style
from archc.backends.diagram.tree import Box, Cluster, Direction, Edge, Outline
from archc.operators import Role

ATTRIBUTES = frozenset(
    "bgcolor class color constraint distortion fillcolor fixedsize fontcolor fontname fontsize height id label labeljust labelloc "
    "margin mclimit minlen newrank nodesep nslimit nslimit1 ordering pad penwidth peripheries rankdir ranksep shape "
    "sides splines style arrowsize tooltip weight width".split()
)
"""Every attribute that is ever written: none of them links, includes or runs anything."""

LEGEND_COLUMNS: dict[Direction, int] = {"TB": 3, "LR": 10}
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
    escaped = "\n".join(lines).replace("\\", "\\\\").replace("&", "&amp;").replace("\n", "\\n")
    return graphviz.nohtml(escaped)


def _shortened(line: str, longest: int) -> str:
    return line if len(line) <= longest else line[: longest - 1] + "…"


class _Writer:
    def __init__(
        self, outline: Outline, columns: list[list[Box | Cluster]], direction: Direction, theme: Theme
    ) -> None:
        self._outline = outline
        self._direction: Direction = direction
        self._theme = theme
        self._dot = graphviz.Digraph("archc")
        self._columns = columns
        self._column_of = [0] * len(outline.boxes)
        self._inputs = [0] * len(outline.boxes)
        self._edges_into: list[list[tuple[int, Edge]]] = [[] for _ in columns]
        self._handed_on: list[tuple[int, set[int]]] = []
        self._opened = 0
        self._sort()

    def _sort(self) -> None:
        """Which column each box and edge is in, and which tensors go from one column to another."""
        for number, column in enumerate(self._columns):
            for item in column:
                for box in boxes_in(item)[0]:
                    self._column_of[box] = number
        handed_on: dict[int, set[int]] = {}
        turn = 1 if self._direction == "TB" else -1
        edges = sorted(self._outline.edges, key=lambda edge: (edge.tail, turn * edge.head))
        for number, edge in enumerate(edges):
            column = self._column_of[edge.head]
            self._inputs[edge.head] += 1
            self._edges_into[column].append((number, edge))
            if column != self._column_of[edge.tail]:
                handed_on.setdefault(edge.tail, set()).add(column)
        self._handed_on = sorted(handed_on.items())

    def text(self) -> str:
        """All of it."""
        self._defaults()
        page = {"peripheries": "0", "labeljust": "c", "margin": "4"}
        totals = literal(self._outline.totals, 160)
        self._open("cluster_page", {"label": totals, "fontsize": "10", **page})
        self._open("cluster_body", {"label": self._legend(), "labelloc": "b", "fontsize": "9", **page})
        placed = list(enumerate(self._columns))
        for number, column in placed if self._direction == "TB" else reversed(placed):
            self._column(column, number)
        self._close()
        self._close()
        return self._dot.source

    def _defaults(self) -> None:
        theme, size = self._theme, {"fontname": FONT, "fontcolor": self._theme.text}
        large = len(self._outline.edges) > MANY_EDGES
        limits = {"splines": "line", "nslimit": "2", "nslimit1": "2", "mclimit": "0.5"} if large else {}
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
        }
        self._attributes("graph", graph)
        node = {"style": "filled", "fontsize": "10", "height": "0.28", "margin": "0.09,0.035", "penwidth": "1.2"}
        self._attributes("node", {**size, **node})
        edge = {"fontname": FONT, "fontsize": "8.5", "fontcolor": theme.faint, "color": theme.edge}
        self._attributes("edge", {**edge, "arrowsize": "0.55", "penwidth": "0.9"})

    def _column(self, items: list[Box | Cluster], number: int) -> None:
        """One column: its part of the tree and the edges in it, and connectors to the others."""
        if len(self._columns) > 1:
            self._open(f"cluster_column_{number}", {"label": "", "peripheries": "0", "margin": "8"})
        self._connectors(number)
        self._tree(items)
        self._edges(number)
        if len(self._columns) > 1:
            self._close()

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
                self._cluster(item, self._opened)
                self._opened += 1
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

    def _open(self, name: str, style: dict[str, str]) -> None:
        theme = self._theme
        self._dot.body.append(f"\tsubgraph {name} {{\n")
        frame = {"style": "rounded", "color": theme.frame, "labeljust": "l", "margin": "7", "peripheries": "1"}
        font = {"fontname": FONT, "fontcolor": theme.text, "labelloc": "t", "tooltip": " "}
        self._attributes("graph", {**frame, **font, **style})

    def _close(self) -> None:
        self._dot.body.append("\t}\n")

    def _edges(self, column: int) -> None:
        """Edges by tail, then in the order of the text, so that branches stand from left to right."""
        for number, edge in self._edges_into[column]:
            tail = f"n{edge.tail}"
            if self._column_of[edge.tail] != column:
                tail = f"k{column}_{edge.tail}"
            self._edge(f"e{number}", tail, edge)

    def _edge(self, name: str, tail: str, edge: Edge) -> None:
        shape = words.shape_text(edge.shape)
        style = {"id": name, "class": "tensor", "tooltip": literal(shape)}
        if edge.labelled:
            style["label"] = literal(f" {shape} ")
        if edge.skip:
            style |= {"class": "tensor skip", "style": "dashed", "penwidth": "0.7", "weight": "0"}
        elif edge.main:
            style["weight"] = "6"
        self._line(tail, f"n{edge.head}", style)

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

    def _legend(self) -> str:
        """The roles that are drawn and the signs that are used, as a table of our own words."""
        roles = {box.role for box in self._outline.boxes if not box.title}
        cells = [_swatch(role, self._theme) for role in Role if role in roles]
        if self._outline.skips:
            cells.append(_sign("- - - skip connection"))
        if self._outline.folded:
            cells.append(_sign("<B>× N</B> equal blocks in a row"))
        across = LEGEND_COLUMNS[self._direction]
        rows = [cells[start : start + across] for start in range(0, len(cells), across)]
        table = "".join(f"<TR>{''.join(row)}</TR>" for row in rows)
        return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="1">{table}</TABLE>>' if table else ""

    def _node(self, name: str, attributes: dict[str, str]) -> None:
        self._dot.body.append(f"\t{name}{_listed(attributes)}\n")

    def _line(self, tail: str, head: str, attributes: dict[str, str]) -> None:
        self._dot.body.append(f"\t{tail} -> {head}{_listed(attributes)}\n")

    def _attributes(self, target: str, attributes: dict[str, str]) -> None:
        self._dot.body.append(f"\t{target}{_listed(attributes)}\n")


def _letters(number: int) -> str:
    """`A` to `Z`, then `AA`."""
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def _swatch(role: Role, theme: Theme) -> str:
    style = role_style(role, theme)
    drawn = [name for name in ("rounded", "dashed") if name in style.get("style", "")]
    kind = f' STYLE="{drawn[0].upper()}"' if drawn else ""
    name = NAMES.get(role, role.value)
    cell = f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2" COLOR="{style["color"]}"'
    return f'<TD>{cell} BGCOLOR="{style["fillcolor"]}"{kind}><TR><TD> {name} </TD></TR></TABLE></TD>'


def _sign(text: str) -> str:
    return f'<TD ALIGN="LEFT">{text}</TD>'


def _listed(attributes: dict[str, str]) -> str:
    unknown = attributes.keys() - ATTRIBUTES
    assert not unknown, f"not in the closed list: {sorted(unknown)}"
    return attr_list(attributes=list(attributes.items()))
