"""The spec as it was written, beside what it expands to; lines that belong together know each other."""

from __future__ import annotations

from collections.abc import Iterator

from archc.backends.expanded import expanded
from archc.backends.report.markup import text
from archc.backends.report.origins import Origins
from archc.diagnostics import Source
from archc.graph.graph import Graph


def listing(graph: Graph, origins: Origins) -> str:
    """Both texts, each in a pane."""
    made = _first_layers(graph, origins)
    left = "\n".join(_text(source.name, _written(number, source, made)) for number, source in enumerate(origins.sources))
    right = _text("after expansion", _expanded(graph, origins))
    return (
        f'<div class="pane" id="written" tabindex="0" role="region" aria-label="The spec as written">{left}</div>\n'
        f'<div class="pane" id="expanded" tabindex="0" role="region" aria-label="The spec after expansion">{right}</div>'
    )


def _text(name: str, lines: Iterator[str]) -> str:
    return f'<h3>{text(name)}</h3>\n<ol class="code">\n{"".join(lines)}</ol>'


def _first_layers(graph: Graph, origins: Origins) -> dict[str, int]:
    """The first layer that each line makes."""
    found: dict[str, int] = {}
    for node in graph.nodes:
        if node.operator.arity != (0, 0):
            found |= {line: node.index for line in origins.lines[node.index] if line not in found}
    return found


def _written(number: int, source: Source, made: dict[str, int]) -> Iterator[str]:
    last = len(source.line_starts) - (source.text.endswith("\n") and len(source.line_starts) > 1)
    for place in range(1, last + 1):
        key, line = f"{number}-{place}", source.line(place)
        layer = made.get(key)
        yield _line(f"line-{key}", line, f"layer-{layer}" if layer is not None else "", key)


def _expanded(graph: Graph, origins: Origins) -> Iterator[str]:
    lines = expanded(graph).rstrip("\n").split("\n")
    steps = lines.index("layers:")
    made = [node for node in graph.nodes if node.operator.arity != (0, 0)]
    for place, line in enumerate(lines):
        at = place - steps - 1
        if 0 <= at < len(made):
            node = made[at]
            own = origins.lines[node.index]
            yield _line(f"layer-{node.index}", line, f"line-{own[0]}", " ".join(own))
        else:
            yield _line("", line, "", "")


def _line(name: str, line: str, target: str, keys: str) -> str:
    """A line of a text; one that has its like in the other text leads there."""
    shown = text(line) or "&#8203;"
    if not target:
        return f"<li{f' id={chr(34)}{name}{chr(34)}' if name else ''}>{shown}</li>\n"
    indent = len(line) - len(line.lstrip())
    return f'<li id="{name}" data-lines="{keys}">{" " * indent}<a href="#{target}">{text(line.strip())}</a></li>\n'
