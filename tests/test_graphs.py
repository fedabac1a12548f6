"""What specs expand to, in full: every node with its operator, place, groups and settings, as a golden text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import archc
from archc.diagnostics import Call, Origin
from archc.graph.graph import Graph, Group, Node
from archc.operators.base import show

GOLDEN = Path(__file__).resolve().parent / "golden" / "graph"


class Numbers:
    """Numbers for sites in the order in which they are met: their own depend on what was read before."""

    def __init__(self) -> None:
        self.known: dict[int, int] = {}

    def __getitem__(self, site: int) -> int:
        return self.known.setdefault(site, len(self.known)) if site else 0


def around(group: Group | None) -> Iterator[Group]:
    while group is not None:
        yield group
        group = group.parent


def values_text(values: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"{name}={value if isinstance(value, int | float | str | list | dict | None) else type(value).__name__}" for name, value in values)


def group_text(one: Group, sites: Numbers) -> str:
    parts = [f"{one.kind} {one.label!r} {one.title!r} #{sites[one.site]}"]
    parts += [f"turn {one.iteration}"] if one.iteration else []
    parts += [f"({values_text(one.arguments.items())})"] if one.arguments else []
    parts += [f"written {dict(one.text)}"] if one.text else []
    parts += [repr(one.doc)] if one.doc else []
    parts += ["silent"] if one.silent else []
    return " ".join(parts)


def origin_text(origin: Origin) -> str:
    text = str(origin.span).partition(":")[2]
    if origin.turn is not None:
        text += f" turn {origin.turn.number} ({values_text(origin.turn.values.items())})"
    call: Call | None = origin.call
    while call is not None:
        text += f" in {call.macro}({values_text(call.arguments)}) at {str(call.span).partition(':')[2]} depth {call.depth}"
        call = call.outer
    return text


def node_lines(node: Node, sites: Numbers) -> Iterator[str]:
    reads = " ".join(f"{one.node}" if one.output == 0 else f"{one.node}.{one.output}" for one in node.inputs)
    yield f"{node.index} {node.name} = {node.operator.name} {node.operator.non_default()} ({reads}) -> {', '.join(show(one) for one in node.shapes)}"
    marks = [f"#{sites[node.site]}", origin_text(node.origin)]
    marks += [] if node.trainable else ["frozen"]
    marks += [] if node.shared is None else [f"weights of {node.shared}"]
    marks += [repr(node.doc)] if node.doc else []
    marks += [f"written {dict(node.text)}"] if node.text else []
    yield f"    {'; '.join(marks)}"
    yield from (f"    < {group_text(one, sites)}" for one in around(node.group) if one.kind != "network")


def graph_text(graph: Graph) -> str:
    sites = Numbers()
    lines = [f"{graph.address}: inputs {list(graph.inputs)}, outputs {[(name, one.node, one.output) for name, one in graph.outputs]}"]
    for node in graph.nodes:
        lines += node_lines(node, sites)
    return "\n".join(lines)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.yaml")), ids=lambda path: path.stem)
def test_graphs(path: Path, update_golden: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, places, groups, arguments, shared and frozen weights of each variant are those of the golden text."""
    monkeypatch.chdir(path.parent)
    family = archc.load(path.name)
    found = "\n\n".join(graph_text(family[variant].graph) for variant in family) + "\n"
    golden = path.with_suffix(".txt")
    if update_golden:
        golden.write_text(found, encoding="utf-8", newline="\n")
    assert golden.read_text(encoding="utf-8") == found
