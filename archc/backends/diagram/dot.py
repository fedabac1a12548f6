"""Drawing tree -> DOT text, for Graphviz and the tools that read it. Ids are ours, names stand in quoted labels only."""

from __future__ import annotations

import graphviz

from archc.backends.diagram import words
from archc.backends.diagram.measure import frame_label
from archc.backends.diagram.styles import FONT, Theme, css_class, grouped
from archc.backends.diagram.tree import Box, Cluster, Direction, Edge, Outline
from archc.operators import Role

ATTRIBUTES = frozenset({
    "arrowsize", "bgcolor", "class", "color", "distortion", "fillcolor", "fontcolor", "fontname", "fontsize", "height",
    "id", "label", "labeljust", "labelloc", "margin", "mclimit", "nodesep", "nslimit", "nslimit1", "ordering", "pad",
    "penwidth", "peripheries", "rankdir", "ranksep", "shape", "sides", "splines", "style", "tooltip", "weight", "width",
})
"""Every attribute that is ever written: none of them links, includes or runs anything."""

MANY_EDGES = 400
OUTLINES: dict[Role, dict[str, str]] = {
    Role.INPUT: {"style": "filled,rounded"},
    Role.POOLING: {"shape": "polygon", "sides": "4", "distortion": "0.16", "margin": "0.0,0.02"},
    Role.ACTIVATION: {"style": "filled,rounded"},
    Role.REGULARISATION: {"style": "filled,dashed"},
}


def to_dot(outline: Outline, direction: Direction, theme: Theme) -> str:
    """The DOT text of a drawing tree: the same bytes every time."""
    body: list[str] = []
    title = f"{words.shown(outline.title, 120)}\n{outline.totals}"
    large = len(outline.edges) > MANY_EDGES
    limits = {"splines": "line", "nslimit": "2", "nslimit1": "2", "mclimit": "0.1"} if large else {}
    page = {"label": title, "labelloc": "t", "rankdir": direction, "ranksep": "0.3", "nodesep": "0.25", "ordering": "out"}
    text = {"fontname": FONT, "fontcolor": theme.text}
    _add(body, "graph", {**page, **text, "bgcolor": theme.background, "pad": "0.15", **limits})
    _add(body, "node", {**text, "shape": "box", "style": "filled", "fontsize": "10", "height": "0.28", "margin": "0.09,0.035"})
    _add(body, "edge", {**text, "fontsize": "8.5", "color": theme.edge, "arrowsize": "0.55", "penwidth": "0.9"})
    _tree(body, outline.items, theme)
    turn = 1 if direction == "TB" else -1
    for edge in sorted(outline.edges, key=lambda edge: (edge.tail, turn * edge.head)):
        _add(body, f"n{edge.tail} -> n{edge.head}", _edge(edge))
    return graphviz.Digraph("archc", body=body).source


def literal(text: str) -> str:
    r"""Text as a label that shows just that: no escapes, entities or markup are left in it.

    >>> literal("a\\N<b>")
    'a\\\\N<b>'
    """
    lines = [words.shown(line, 400) for line in words.sound(text).split("\n")]
    return "\n".join(lines).replace("\\", "\\\\").replace("&", "&amp;").replace("\n", "\\n")


def _tree(body: list[str], items: list[Box | Cluster], theme: Theme) -> None:
    """Frames and boxes in the order of the text, without recursion."""
    pending: list[Box | Cluster | None] = [*reversed(items)]
    frames = 0
    while pending:
        item = pending.pop()
        if item is None:
            body.append("\t}\n")
        elif isinstance(item, Box):
            _add(body, f"n{item.id}", _box(item, theme))
        else:
            body.append(f"\tsubgraph cluster_{frames} {{\n")
            label = {"label": frame_label(item), "labeljust": "l", "tooltip": item.tooltip}
            width = "1.8" if item.count > 1 else "0.8"
            _add(body, "graph", {**label, "style": "rounded", "color": theme.frame, "penwidth": width, "fontsize": "10", "id": f"b{frames}"})
            frames += 1
            pending.append(None)
            pending.extend(reversed(item.items))


def _box(box: Box, theme: Theme) -> dict[str, str]:
    line, fill = theme.role(box.role)
    style = {"class": css_class(box.role), "color": line, "fillcolor": fill, **OUTLINES.get(box.role, {})}
    if grouped(box):
        style["peripheries"] = "2"
    return {"label": "\n".join(box.written), "id": f"n{box.id}", "tooltip": words.tooltip(box), **style}


def _edge(edge: Edge) -> dict[str, str]:
    shape = words.shape_text(edge.shape)
    style = {"tooltip": shape, "class": "tensor skip" if edge.skip else "tensor"}
    if edge.skip:
        return {**style, "style": "dashed", "weight": "0"}
    return {**style, "label": f" {shape} "} if edge.labelled else style


def _add(body: list[str], target: str, attributes: dict[str, str]) -> None:
    unknown = attributes.keys() - ATTRIBUTES
    assert not unknown, f"not in the closed list: {sorted(unknown)}"
    listed = " ".join(f"{name}={_quoted(value)}" for name, value in attributes.items())
    body.append(f"\t{target} [{listed}]\n")


def _quoted(value: str) -> str:
    """A value as DOT text: always in quotes, so that none is taken for markup or a keyword."""
    return '"' + literal(value).replace('"', '\\"') + '"'
