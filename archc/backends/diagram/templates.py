"""Blocks of one form with other numbers: drawn once as a template, its numbers in a table.

The form of a block is what its macro makes of it: the same operators on the same wires. The numbers that differ are
named by the words of the text (`n3x3_reduce`), so that the table reads like the paper's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, NamedTuple

from archc.backends.diagram import words
from archc.backends.diagram.folding import Block, Folder, Run
from archc.graph.graph import Graph, Group, Node
from archc.operators.base import Role

FEWEST = 5
"""So many drawings of one form are a table rather than drawings."""
MANY, FEW = 10, 3
"""Where one macro has so many drawings, these of one form are enough."""
SMALLEST = 3
LONGEST_NAME = 16
AFTER_A_SUM = (Role.ACTIVATION, Role.NORMALISATION, Role.REGULARISATION)
WORD = re.compile(r"\$([A-Za-z_]\w*)$")


class Numbers(NamedTuple):
    """What differs between the blocks of a form: names of columns, a row for each block, names for the template."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: dict[int, dict[str, str]]


def find(root: Block, runs: Callable[[Block], list[Run]], folder: Folder) -> dict[Hashable, list[Run]]:
    """The forms that are drawn often enough, each with its runs in the order of the text."""
    found: dict[tuple[str, int], list[Run]] = {}
    drawings: dict[str, int] = {}
    pending = [root]
    while pending:
        inner: list[Block] = []
        for run in runs(pending.pop()):
            if isinstance(run.first, Block):
                inner.append(run.first)
                form = form_of(run.first, folder)
                if form is not None:
                    found.setdefault(form, []).append(run)
                    drawings[form[0]] = drawings.get(form[0], 0) + 1
        pending += reversed(inner)
    least = {macro: FEW if count >= MANY else FEWEST for macro, count in drawings.items()}
    return {form: runs for form, runs in found.items() if len(runs) >= least[form[0]]}


def form_of(block: Block, folder: Folder) -> tuple[str, int] | None:
    """What blocks of one template have in common; `None` for a block that no macro made."""
    macro = next((group.title for group in block.groups if group.kind == "macro" and group.title), "")
    if not macro or len(block.units) < SMALLEST:
        return None
    return macro, folder.form(block)


def same_numbers(one: Run, other: Run, graph: Graph, units: list[list[int]]) -> bool:
    """True where two runs of one form differ in shapes alone."""
    assert isinstance(one.first, Block)
    assert isinstance(other.first, Block)
    pairs = zip(_nodes(one.first, graph, units), _nodes(other.first, graph, units), strict=True)
    return all(first.operator == second.operator for first, second in pairs)


def numbers(runs: list[Run], graph: Graph, units: list[list[int]]) -> Numbers:
    """The numbers that differ between runs of one form."""
    blocks = [run.first for run in runs if isinstance(run.first, Block)]
    columns: dict[str, list[str]] = {}
    names: dict[int, dict[str, str]] = {}
    rows = [_nodes(block, graph, units) for block in blocks]
    for nodes in zip(*rows, strict=True):
        for attribute in nodes[0].operator.attributes():
            values = [_text(node.operator.attributes()[attribute]) for node in nodes]
            if len(set(values)) == 1:
                continue
            name = _name(nodes[0], attribute, blocks[0].groups[-1], columns, values)
            columns.setdefault(name, values)
            names.setdefault(nodes[0].index, {})[attribute] = name
    header = tuple(columns)
    return Numbers(header, tuple(zip(*columns.values(), strict=True)) if columns else tuple(() for _ in runs), names)


def _name(node: Node, attribute: str, outer: Group, columns: dict[str, list[str]], values: list[str]) -> str:
    """The text's word for a number, if it is short and means the same everywhere; else a letter."""
    text = written(node, attribute, outer)
    if 0 < len(text) <= LONGEST_NAME and columns.get(text, values) == values:
        return text
    for name, known in columns.items():
        if known == values:
            return name
    return f"{attribute} {chr(ord('a') + len(columns) % 26)}"


def written(node: Node, attribute: str, outer: Group) -> str:
    """What an attribute was written as, in the words of the macro that made the block."""
    text = node.text.get(attribute, "")
    group: Group | None = node.group
    while group is not None and group is not outer:
        found = WORD.match(text)
        if group.kind == "macro" and found:
            text = group.text.get(found[1], "")
        group = group.parent
    return text.removeprefix("$").removeprefix("(").removesuffix(")") if text.startswith("$(") else text.removeprefix("$")


def call_text(groups: Iterable[Group], columns: Iterable[str]) -> str:
    """What a macro is called with, where its template has columns of these names: `filters, kernel 5`."""
    call = next((group for group in groups if group.kind == "macro"), None)
    if call is None:
        return ""
    said: list[str] = []
    for name in columns:
        if name in call.arguments:
            text = call.text.get(name, "").removeprefix("$").removeprefix("(").removesuffix(")")
            said.append(text if text == name else f"{name} {text or _text(call.arguments[name])}")
    return ", ".join(said)


def _nodes(block: Block, graph: Graph, units: list[list[int]]) -> list[Node]:
    return [graph.nodes[number] for unit in block.units for number in units[unit]]


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        pairs = all(isinstance(one, tuple) for one in value)  # pyright: ignore[reportUnknownVariableType]
        texts = ["+".join(map(str, one)) if pairs else str(one) for one in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return words.MULTIPLY.join(texts)
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def adds_its_input(nodes: Sequence[Node]) -> bool:
    """True for a block with a shortcut around all of it: what it hands on is a sum with what it reads, perhaps activated."""
    inside = {node.index: node for node in nodes}
    last = nodes[-1]
    while last.operator.role in AFTER_A_SUM and len(last.inputs) == 1 and last.inputs[0].node in inside:
        last = inside[last.inputs[0].node]
    read = [tensor for node in nodes for tensor in node.inputs if tensor.node not in inside]
    return last.operator.name == "add" and any(read.count(tensor) > 1 for tensor in last.inputs)
