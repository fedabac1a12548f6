"""The tables of a report: layers, cost by part, facts that were checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from archc.analyses import AnalysedGraph
from archc.analyses.expectations import Expectation
from archc.backends.diagram.words import amount_text, shape_text
from archc.backends.report.costs import Sum, bytes_text, total
from archc.backends.report.markup import attributes, cell, text
from archc.backends.report.origins import Origins
from archc.backends.stats import stats
from archc.diagnostics.figures import count
from archc.graph.graph import Node
from archc.operators import Role

FACTS = {
    "params": "Parameters",
    "trainable": "Trainable parameters",
    "non_trainable": "Parameters that are not trained",
    "macs": "Multiply-accumulates",
    "weight_layers": "Layers with weights",
    "output": "Output shape",
    "receptive_field": "Receptive field",
}
Costs = tuple[int | None, int | None, int | None]
LARGEST = 1 << 62
"""What open sizes and global fields are sorted as."""


def table(name: str, caption: str, header: Iterable[str], rows: Iterable[str], foot: str = "") -> str:
    """A table; numbers stand in columns whose headings end in a sign for that, `#`."""
    heads = "".join(cell(one.rstrip("#"), tag="th", scope="col", class_="number" if one.endswith("#") else None) for one in header)
    body = "\n".join(rows)
    end = f"<tfoot>{foot}</tfoot>" if foot else ""
    return f'<table id="{name}"><caption>{text(caption)}</caption><thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>{end}</table>'


def layers(analysed: AnalysedGraph, origins: Origins) -> str:
    """A row for each layer."""
    header = ("Layer", "Operator", "Output", "Parameters#", "MACs#", "Memory#", "Field#", "Line")
    facts = stats(analysed)["layers"]
    rows = (_layer(node, one, origins) for node, one in zip(analysed.graph.nodes, facts, strict=True))
    inputs = len(analysed.graph.inputs)
    caption = f"{len(facts) - inputs} layers and {inputs} input{'s' if inputs > 1 else ''}. Memory is that of a layer's outputs for one example, none where they are the input's seen otherwise; the field is the receptive field."
    return table("layers", caption, header, rows)


def _layer(node: Node, facts: Mapping[str, Any], origins: Origins) -> str:
    values = ", ".join(f"{name.rstrip('_')}={value}" for name, value in node.operator.non_default().items())
    shared = " (weights shared)" if node.shared is not None else "" if node.trainable else " (frozen)"
    made = " ".join(map(shape_text, node.shapes))
    size, field = facts["activation_bytes"], facts["receptive_field"]
    line = origins.lines[node.index][0]
    cells = [
        f'<th scope="row">{text(node.name).replace("_", "_<wbr>")}</th>',
        f'<td data-search="{text(f"{node.operator.role.value} {node.operator.name} {values}")}"><b>{text(node.operator.name)}</b>{text(shared)}'
        f"{f' <small>{text(values)}</small>' if values else ''}</td>",
        cell(made, size if size is not None else LARGEST),
        _number(facts["params"]),
        _number(facts["macs"]),
        cell("open" if size is None else bytes_text(size), LARGEST if size is None else size, class_="number"),
        _number(field if isinstance(field, int) else None, field or ""),
        f'<td data-order="{node.index}"><a href="#line-{line}">{text(_line_name(line))}</a></td>',
    ]
    return f'<tr data-node="{node.index}">{"".join(cells)}</tr>'


def _line_name(line: str) -> str:
    return line.partition("-")[2]


def _number(value: int | None, otherwise: object = "open") -> str:
    """A cell with a number; nothing stands for none."""
    shown = otherwise if value is None else count(value) if value else ""
    order = value if value is not None else LARGEST if otherwise else -1
    return cell(shown, order, class_="number")


def by_part(sums: Sequence[Sum]) -> str:
    """A row for each part that costs something, and the sum."""
    whole = (sum(one.params for one in sums), total(one.macs for one in sums), total(one.bytes for one in sums))
    rows = [_part(one, whole) for one in sums]
    foot = f"<tr>{cell('All', tag='th', scope='row')}{_shares(whole, (None, None, None))}</tr>"
    caption = "Cost by block, with its share of the whole. Memory is that of all layers' outputs for one example."
    return table("parts", caption, ("Block", "Parameters#", "MACs#", "Memory#"), rows, foot)


def _part(one: Sum, whole: Costs) -> str:
    return f"<tr>{cell(one.name, tag='th', scope='row')}{_shares((one.params, one.macs, one.bytes), whole)}</tr>"


def _shares(values: Costs, whole: Costs) -> str:
    return "".join(_share(value, all_of, shown) for value, all_of, shown in zip(values, whole, (amount_text, amount_text, bytes_text), strict=True))


def _share(value: int | None, whole: int | None, shown: Callable[[int], str]) -> str:
    """A cell with an amount, and its share in a hundred where the whole is known."""
    if value is None:
        return cell("open", class_="number")
    percent = f"{100 * value / whole:.1f}" if whole else None
    share = f" ({percent} %)" if percent and value else ""
    return cell(f"{shown(value)}{share}" if value else "", class_="number", data_share=percent)


def checked(expectations: Sequence[Expectation]) -> str:
    """The facts that the spec states, and how they fared."""
    if not expectations:
        return "<p>Nothing was checked: the spec states no facts of this network, or parameters were given from outside.</p>"
    header = ("Fact", "Stated", "Computed", "Holds", "Published", "Source")
    return table("facts", "What the spec states of the network under expect, and what the compiler computed.", header, map(_fact, expectations))


def _fact(one: Expectation) -> str:
    holds = f'<td class="{"good" if one.holds else "bad"}">{"✓ yes" if one.holds else "✗ no"}</td>'
    name = cell(FACTS.get(one.key, one.key), tag="th", scope="row")
    paper = cell("" if one.paper is None else _value(one.paper))
    return f"<tr>{name}{cell(_value(one.stated))}{cell(_value(one.actual))}{holds}{paper}{cell(one.source)}</tr>"


def _value(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{int(value) if value == int(value) else value:,}"
    if isinstance(value, list) and all(isinstance(one, int) or one is None for one in value):  # pyright: ignore[reportUnknownVariableType]
        return shape_text(tuple(value))  # pyright: ignore[reportUnknownArgumentType]
    return "unknown" if value is None else str(value)  # pyright: ignore[reportUnknownArgumentType]


def kinds(nodes: Iterable[Node]) -> str:
    """The options of the list of kinds."""
    found = {node.operator.role for node in nodes}
    options = (f"<option{attributes({'value': role.value})}>{role.value}</option>" for role in Role if role in found)
    return f'<option value="">all kinds</option>{"".join(options)}'
