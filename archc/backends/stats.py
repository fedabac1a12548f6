"""A network's figures as plain data and as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from archc.analyses import AnalysedGraph, Field
from archc.backends.base import Artefact, Backend
from archc.graph.graph import Graph


def stats(analysed: AnalysedGraph) -> dict[str, Any]:
    """Totals, and for each layer its shape, parameters, MACs and receptive field. Open sizes are `None`."""
    graph, cost = analysed.graph, analysed.cost
    shapes = [list(graph.shape(tensor)) for _, tensor in graph.outputs]
    return {
        "address": graph.address,
        "title": graph.title,
        "params": {"total": cost.params, "trainable": cost.trainable, "non_trainable": cost.non_trainable},
        "macs": cost.macs,
        "weight_layers": cost.weight_layers,
        "output_shape": shapes[0] if len(shapes) == 1 else shapes,
        "layers": [
            {
                "name": node.name,
                "op": node.operator.name,
                "output_shape": list(node.shape) if len(node.shapes) == 1 else [list(one) for one in node.shapes],
                "params": one.params,
                "trainable": one.trainable,
                "macs": one.macs,
                "receptive_field": _size(field),
                "shares": graph.nodes[node.shared].name if node.shared is not None else None,
            }
            for node, one, field in zip(graph.nodes, cost.nodes, analysed.fields, strict=True)
        ],
    }


def _size(field: Field | None) -> int | str | None:
    if field is None or not field.size:
        return None
    return "global" if field.everything else int(max(field.size))


@dataclass(frozen=True, kw_only=True)
class Stats(Backend):
    """`NAME.stats.json`."""

    name: ClassVar[str] = "stats"

    def emit(self, graph: Graph) -> tuple[Artefact, ...]:
        """One JSON text."""
        text = json.dumps(stats(AnalysedGraph(graph)), indent=1, ensure_ascii=False)
        return (Artefact.text(f"{graph.slug}.stats.json", f"{text}\n"),)
