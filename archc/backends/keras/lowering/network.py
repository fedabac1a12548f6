"""A graph as Keras layers: each node lowered by the table, and its parts put in their places."""

from __future__ import annotations

from archc.backends.keras.layers import KerasModel, KerasTensor
from archc.backends.keras.lowering.drafts import Drafts
from archc.backends.keras.lowering.parts import Cell, Ref
from archc.backends.keras.lowering.signs import non_negative
from archc.backends.keras.lowering.table import LOWERINGS
from archc.graph.graph import Graph


def lower(graph: Graph) -> KerasModel:
    """The graph as Keras layers: each node becomes one or a few; a node that shares weights, another call."""
    varying = _varying(graph)
    drafts = Drafts({node.name for node in graph.nodes})
    positive: list[bool] = []
    for node in graph.nodes:
        fed = bool(node.inputs) and all(positive[tensor.node] for tensor in node.inputs)
        positive.append(non_negative(node, fed))
        cell = Cell(node, shared=(node.index if node.shared is None else node.shared) in varying, positive=fed)
        found = LOWERINGS[type(node.operator)](node.operator, cell)
        inputs = tuple(drafts.outputs[tensor.node][tensor.output] for tensor in node.inputs)
        made = _place(drafts, cell, inputs)
        results = found if isinstance(found, tuple) else (found,)
        drafts.outputs[node.index] = tuple(_resolve(one, made, inputs) for one in results)
    return KerasModel(
        graph.slug,
        tuple(one.finish() for one in drafts.layers),
        tuple(drafts.outputs[index][0] for index in graph.inputs),
        tuple(drafts.outputs[tensor.node][tensor.output] for _, tensor in graph.outputs),
        tuple(name for name, _ in graph.outputs),
    )


def _varying(graph: Graph) -> set[int]:
    """The nodes whose weights have calls on inputs of different sizes."""
    return {
        node.shared
        for node in graph.nodes
        if node.shared is not None and graph.nodes[node.shared].input_shapes != node.input_shapes
    }


def _place(drafts: Drafts, cell: Cell, inputs: tuple[KerasTensor, ...]) -> list[KerasTensor]:
    node = cell.node
    first_call = iter(() if node.shared is None else drafts.weighted.get(node.shared, ()))
    made: list[KerasTensor] = []
    for part in cell.parts:
        again = next(first_call, None) if part.weights else None
        read = tuple(_resolve(one, made, inputs) for one in part.inputs)
        made.append(drafts.add(node, part, read, again))
    return made


def _resolve(ref: Ref, made: list[KerasTensor], inputs: tuple[KerasTensor, ...]) -> KerasTensor:
    if ref.part < 0:
        return inputs[ref.output]
    place = made[ref.part]
    return KerasTensor(place.layer, place.call, ref.output)
