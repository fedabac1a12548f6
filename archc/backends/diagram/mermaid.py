"""Drawing tree -> Mermaid flowchart, which README files show as a picture on the large forges."""

from __future__ import annotations

from archc.backends.diagram import words
from archc.backends.diagram.measure import frame_label
from archc.backends.diagram.styles import Theme
from archc.backends.diagram.tree import Box, Cluster, Direction, Edge, Outline
from archc.operators import Role

SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,:+-/()×·→−…–")
SHAPES: dict[Role, tuple[str, str]] = {
    Role.INPUT: ("([", "])"),
    Role.POOLING: ("[\\", "/]"),
    Role.ACTIVATION: ("(", ")"),
}
SIGN, BLOCK, PLAIN = ("((", "))"), ("(", ")"), ("[", "]")


def to_mermaid(outline: Outline, direction: Direction, theme: Theme) -> str:
    """The flowchart's text. Names stand in quoted labels, with every special character as a number."""
    lines = ["---", f"title: {_title(outline.title)}", "---", f"flowchart {direction}"]
    _tree(lines, outline.items)
    lines += [_edge(edge) for edge in outline.edges]
    roles = {box.role for box in outline.boxes}
    for role in Role:
        if role in roles:
            line, fill = theme.role(role)
            lines.append(f"  classDef {role.value} stroke:{line},fill:{fill},color:{theme.text}")
    return "\n".join(lines) + "\n"


def literal(text: str) -> str:
    """A line as a label that shows just that.

    >>> literal('a "b" <c>')
    'a #34;b#34; #60;c#62;'
    """
    return "".join(one if one in SAFE else f"#{ord(one)};" for one in words.shown(text))


def _title(text: str) -> str:
    """The title as a quoted YAML text."""
    clean = words.shown(text, 110).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{clean}"'


def _tree(lines: list[str], items: list[Box | Cluster]) -> None:
    pending: list[Box | Cluster | None] = [*reversed(items)]
    frames, depth = 0, 1
    while pending:
        item = pending.pop()
        if item is None:
            depth -= 1
            lines.append("  " * depth + "end")
        elif isinstance(item, Box):
            lines.append("  " * depth + _box(item))
        else:
            lines.append("  " * depth + f'subgraph b{frames}["{literal(frame_label(item)) or " "}"]')
            frames, depth = frames + 1, depth + 1
            pending.append(None)
            pending.extend(reversed(item.items))


def _box(box: Box) -> str:
    text = "<br/>".join(literal(one) for one in box.written)
    opening, closing = BLOCK if box.title else SIGN if box.is_sign else SHAPES.get(box.role, PLAIN)
    return f'n{box.id}{opening}"{text}"{closing}:::{box.role.value}'


def _edge(edge: Edge) -> str:
    if edge.skip:
        return f"  n{edge.tail} -.-> n{edge.head}"
    label = f'|"{words.shape_text(edge.shape)}"|' if edge.labelled else ""
    return f"  n{edge.tail} -->{label} n{edge.head}"
