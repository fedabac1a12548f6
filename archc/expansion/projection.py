"""How a merge's tensors are brought to one shape: a projection of the shortcut, in the words that its macro has for the numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archc.diagnostics import Call
from archc.expansion.place import Place
from archc.expansion.scope import Scope
from archc.graph.graph import Group, Node, Tensor
from archc.operators import Shape
from archc.operators.base import product

STRIDES = range(1, 33)
WALKED = 2_000
"""Nodes that are looked at for where a tensor comes from."""
NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w*\()")
WORDS = frozenset({"if", "else", "and", "or", "not", "in", "for", "true", "false", "null"})


@dataclass(frozen=True, slots=True)
class Projection:
    """The input to project, the shape that it is to have, and the stride that leads there."""

    at: int
    goal: int
    stride: int


def advice(nodes: Sequence[Node], inputs: Sequence[Tensor], labels: Sequence[str], scope: Scope, place: Place) -> str:
    """The hint: what to write, and in a macro under which condition; nothing where no convolution makes the shapes equal."""
    shapes = [nodes[one.node].shapes[one.output] for one in inputs]
    found = next(_projections(nodes, inputs, shapes), None)
    if found is None:
        return ""
    own, goal = nodes[inputs[found.at].node], nodes[inputs[found.goal].node]
    path = list(_path(nodes, goal, own))
    channels = next((text for one in path if (text := _written(one, "filters", scope, place) or _written(one, "units", scope, place))), None)
    count = shapes[found.goal][-1]
    stride, strides = None, [text for one in path if (text := _written(one, "stride", scope, place))]
    shrinking = [one for one in path if one.input_shapes and one.input_shapes[0][:-1] != one.shape[:-1]]
    if len(strides) == 1 and all(_written(one, "stride", scope, place) for one in shrinking):
        stride = strides[0]
    flat = len(shapes[found.at]) == 1
    arguments = f"{'units' if flat else 'filters'}: {_quoted(channels or str(count))}"
    if stride or found.stride > 1:
        arguments += f", stride: {_quoted(stride or str(found.stride))}"
    who = f"`{labels[found.at]}`" if found.at < len(labels) else "the shortcut"
    step = f"project {who}: `- {'dense' if flat else 'conv'}: {{{arguments}}}`"
    name = _name(inputs[found.at], scope)
    if place.call is None or name is None or (found.stride > 1 and stride is None):
        return step
    condition = f"{name}.channels != {_bare(channels or str(count))}"
    return f"{step}, under `when: {f'{_bare(stride)} != 1 or ' if stride else ''}{condition}`"


def _projections(nodes: Sequence[Node], inputs: Sequence[Tensor], shapes: Sequence[Shape]) -> Iterator[Projection]:
    """What can be projected, the best first: what another input is made from, then what is larger, then what has fewer channels."""
    pairs = [(at, goal) for at in range(len(inputs)) for goal in range(len(inputs)) if shapes[at] != shapes[goal]]

    def order(pair: tuple[int, int]) -> tuple[bool, int, int]:
        at, goal = pair
        return not _leads(nodes, inputs[at].node, inputs[goal].node), -(product(shapes[at][:-1]) or 0), shapes[at][-1] or 0

    for at, goal in sorted(pairs, key=order):
        stride = _stride(shapes[at], shapes[goal])
        if stride is not None:
            yield Projection(at, goal, stride)


def _stride(own: Shape, goal: Shape) -> int | None:
    """The stride with which a convolution of kernel 1 makes one size of the other."""
    if len(own) != len(goal) or goal[-1] is None:
        return None
    pairs = list(zip(own[:-1], goal[:-1], strict=True))
    return next((one for one in STRIDES if all(a == b if a is None or b is None else -(-a // one) == b for a, b in pairs)), None)


def _leads(nodes: Sequence[Node], start: int, end: int) -> bool:
    """True where a node's output is among what another one is made from."""
    waiting, seen = [end], {end}
    while waiting and len(seen) < WALKED:
        for one in nodes[waiting.pop()].inputs:
            if one.node == start:
                return True
            if one.node > start and one.node not in seen:
                seen.add(one.node)
                waiting.append(one.node)
    return False


def _path(nodes: Sequence[Node], end: Node, start: Node) -> Iterator[Node]:
    """The nodes from an end back to a start, or to where several tensors meet."""
    for _ in range(WALKED):
        if end is start:
            return
        yield end
        if len(end.inputs) != 1:
            return
        end = nodes[end.inputs[0].node]


def _written(node: Node, attribute: str, scope: Scope, place: Place) -> str | None:
    """The expression of an attribute, in the words of the place; nothing where it is a number, or its words are not known there."""
    text = node.text.get(attribute)
    call: Call | None = node.origin.call
    group: Group | None = node.group
    while text and call is not place.call:
        group = _macro(group)
        if call is None or group is None or not text.removeprefix("$").isidentifier():
            return None
        text, call, group = group.text.get(text.removeprefix("$")), call.outer, group.parent
    if not text:
        return None
    known = scope.visible()[0]
    return text if all(one in known or one in WORDS for one in NAME.findall(text)) else None


def _macro(group: Group | None) -> Group | None:
    while group is not None and group.kind != "macro":
        group = group.parent
    return group


def _name(tensor: Tensor, scope: Scope) -> str | None:
    """What expressions call a tensor; `input` goes before other names."""
    named = {name: one for level in reversed(list(scope.chain())) for name, one in level.tensors.items()}
    return next((one for one in ("input", *reversed(named)) if named.get(one) == tensor and one.isidentifier()), None)


def _bare(text: str) -> str:
    """A `$` text as the expression that it is."""
    inner = text[2:-1] if text.startswith("$(") else text.removeprefix("$")
    return f"({inner})" if re.search(r"\b(if|or|and)\b", inner) else inner


def _quoted(text: str) -> str:
    """A text as it stands in flow style."""
    return f'"{text}"' if set(text) & set(",[]{}:#") else text
