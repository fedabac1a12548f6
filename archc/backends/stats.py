"""A network's figures as plain data and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from archc.analyses import AnalysedGraph, Field
from archc.analyses.memory import FLOAT, Memory, Peak, memory, training
from archc.analyses.work import EXCLUDED, Work, flops, total_work
from archc.backends.base import Artefact, Backend
from archc.graph.graph import Graph, Node
from archc.operators import Role, Shape
from archc.operators.convolution import ConvTranspose


def stats(analysed: AnalysedGraph, *, batch: int = 1, optimizer: str = "adam") -> dict[str, Any]:
    """Totals, and for each layer what it costs, holds and sees. Open sizes, and what depends on them, are `None`.

    Parameters, MACs and FLOPs are for one example, memory is for the batch, in bytes. docs/analysis.md defines each figure.
    """
    graph, cost, other = analysed.graph, analysed.cost, total_work(analysed.work)
    shapes = [list(graph.shape(tensor)) for _, tensor in graph.outputs]
    held = memory(graph, cost, batch)
    layers = _layers(analysed, held, batch)
    return {
        "address": graph.address,
        "title": graph.title,
        "params": {"total": cost.params, "trainable": cost.trainable, "non_trainable": cost.non_trainable},
        "macs": cost.macs,
        "flops": flops(cost.macs, other),
        "other": _work(other),
        "excluded": list(EXCLUDED),
        "weight_layers": cost.weight_layers,
        "output_shape": shapes[0] if len(shapes) == 1 else shapes,
        "receptive_field": _network_field(analysed.field),
        "memory": _memory(held, graph, batch),
        "training": _training(analysed, optimizer, batch),
        "intensity": _intensity(layers, batch),
        "layers": layers,
    }


def _layers(analysed: AnalysedGraph, held: Memory, batch: int) -> list[dict[str, Any]]:
    graph, cost = analysed.graph, analysed.cost
    inputs = [one for one in graph.inputs if len(graph.nodes[one].shape) > 1]
    network_input = graph.nodes[inputs[0]].shape[:-1] if len(inputs) == 1 else ()
    found: list[dict[str, Any]] = []
    for node, one, other, field in zip(graph.nodes, cost.nodes, analysed.work, analysed.fields, strict=True):
        weights = FLOAT * cost.nodes[node.index if node.shared is None else node.shared].params
        row = {
            "name": node.name,
            "op": node.operator.name,
            "output_shape": list(node.shape) if len(node.shapes) == 1 else [list(shape) for shape in node.shapes],
            "params": one.params,
            "trainable": one.trainable,
            "non_trainable": one.non_trainable,
            "macs": one.macs,
            "macs_share": None if cost.macs is None or one.macs is None else one.macs / (cost.macs or 1),
            "flops": flops(one.macs, other),
            "other": _work(other),
            "activation_bytes": held.nodes[node.index],
            "weight_bytes": 0 if node.shared is not None else weights,
            "moved_bytes": _moved(node, held, weights),
            **_window(node),
            "receptive_field": _size(field),
            **_seen(node, field, network_input),
            "shares": graph.nodes[node.shared].name if node.shared is not None else None,
        }
        row["intensity"] = _intensity([row], batch)
        found.append(row)
    return found


def _work(other: Work) -> dict[str, Any]:
    """The kinds that there are, and their total."""
    return {**(other.kinds or {}), "total": other.total}


def _moved(node: Node, held: Memory, weights: int) -> int | None:
    """Bytes that the layer reads and writes, where each layer reads and writes memory once: inputs, weights, outputs."""
    own = held.nodes[node.index]
    if own == 0 or node.operator.role is Role.INPUT:
        return 0
    inputs = [held.whole[one.node] for one in node.inputs]
    if own is None or None in inputs:
        return None
    return own + weights + sum(one for one in inputs if one is not None)


def _window(node: Node) -> dict[str, Any]:
    """The layer's own window: kernel, stride, dilation, and padding before and after along each axis."""
    window = node.operator.window(node.input_shapes) if node.operator.role in (Role.CONVOLUTION, Role.POOLING) else None
    if window is None:
        return {"kernel": None, "stride": None, "dilation": None, "padding": None}
    kernel, stride, dilation = window.kernel, window.stride, window.dilation
    if isinstance(node.operator, ConvTranspose):
        # Its window says how outputs read inputs; its attributes say what people call kernel and stride.
        kernel, stride, dilation = node.operator.windows(len(kernel))
    padding = None if window.padding is None else [list(pair) for pair in window.padding]
    return {"kernel": list(kernel), "stride": list(stride), "dilation": list(dilation), "padding": padding}


def _size(field: Field | None) -> int | str | None:
    if field is None or not field.size:
        return None
    return "global" if field.everything else int(max(field.size))


def _seen(node: Node, field: Field | None, network_input: Shape) -> dict[str, Any]:
    """The local field, stride and padding per side, seen from the input; `global_branch` where something sees it all beside."""
    if field is None or not field.size:
        return {"local_field": None, "effective_stride": None, "effective_padding": None, "global_branch": False}
    positions = node.shape[:-1]
    after = field.after(positions, network_input)
    sides = [[_number(one), _number(other)] for one, other in zip(field.before, after, strict=False)]
    here = len(positions) == len(field.size) and not (field.everything and all(one == 1 for one in positions))
    return {
        "local_field": [_number(one) for one in field.size],
        "effective_stride": [_number(one) for one in field.jump] if here else None,
        "effective_padding": sides if here and sides else None,
        "global_branch": field.everything,
    }


def _number(value: float | None) -> int | float | None:
    return None if value is None else int(value) if value == int(value) else value


def _network_field(field: Field | None) -> dict[str, Any] | None:
    if field is None:
        return None
    return {
        "size": [_number(one) for one in field.size],
        "stride": [_number(one) for one in field.jump],
        "padding": [_number(one) for one in field.before],
        "global_branch": field.everything,
    }


def _memory(held: Memory, graph: Graph, batch: int) -> dict[str, Any]:
    return {
        "batch": batch,
        "weights": held.weights,
        "activations": held.activations,
        "peak": _peak(held.peak, graph),
        "peak_without_in_place": _peak(held.peak_apart, graph),
        "inference": held.inference,
    }


def _peak(peak: Peak | None, graph: Graph) -> dict[str, Any] | None:
    return None if peak is None else {"bytes": peak.bytes, "layer": graph.nodes[peak.node].name}


def _training(analysed: AnalysedGraph, optimizer: str, batch: int) -> dict[str, Any]:
    one = training(analysed.graph, analysed.cost, optimizer, batch)
    return {
        "optimizer": one.optimizer, "batch": one.batch, "weights": one.weights, "gradients": one.gradients, "optimizer_state": one.state,
        "activations": one.activations, "activation_gradients": one.backward, "total": one.total,
    }


def _intensity(layers: Sequence[dict[str, Any]], batch: int) -> float | None:
    """FLOPs for each byte moved; `None` where either is unknown or nothing moves."""
    work, moved = [one["flops"] for one in layers], [one["moved_bytes"] for one in layers]
    if None in work or None in moved or not sum(moved):
        return None
    return round(batch * sum(work) / sum(moved), 3)


@dataclass(frozen=True, kw_only=True)
class Stats(Backend):
    """`NAME.stats.json`."""

    name: ClassVar[str] = "stats"

    def emit(self, graph: Graph) -> tuple[Artefact, ...]:
        """One JSON text."""
        text = json.dumps(stats(AnalysedGraph(graph)), indent=1, ensure_ascii=False)
        return (Artefact.text(f"{graph.slug}.stats.json", f"{text}\n"),)
