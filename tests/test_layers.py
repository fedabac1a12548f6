"""Layer by layer: what is learned and what pools, as the libraries' own models and the papers' tables list it.

`facts/layers.csv` was read off keras.applications and torchvision, or worked out from the papers (`alexnet:2012`,
`googlenet:main`): for each network the layers that are alike, with their number. Windows are empty where the source has none.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

import archc
from archc.analyses.cost import NodeCost
from archc.operators import show

Layer = tuple[str, str, int, int, str, str]
"""Operator, output, parameters (statistics too), multiply-accumulates, kernel and stride."""

WINDOWED = ("conv", "depthwise_conv", "separable_conv", "max_pool", "avg_pool")
LISTED = (*WINDOWED, "dense", "batch_norm", "lrn")


def facts() -> dict[str, Counter[Layer]]:
    found: dict[str, Counter[Layer]] = {}
    with (Path(__file__).parent / "facts" / "layers.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            layer = row["layer"], row["output"], int(row["params"]), int(row["macs"]), row["kernel"], row["stride"]
            found.setdefault(row["address"], Counter())[layer] = int(row["count"])
    return found


def layers(address: str, known: set[str]) -> Counter[Layer]:
    """A compiled network's layers, with the windows of those operators whose windows are known."""
    network = archc.compile(address)
    graph = network.graph
    costs: Sequence[NodeCost] = network.analysed.cost.nodes
    found: Counter[Layer] = Counter()
    for node, cost in zip(graph.nodes, costs, strict=True):
        name = node.operator.name
        if name not in LISTED:
            continue
        window = node.operator.window(tuple(graph.shape(one) for one in node.inputs)) if name in known else None
        kernel, stride = (show(window.kernel), show(window.stride)) if window else ("", "")
        found[name, show(node.shape), cost.params, cost.macs or 0, kernel, stride] += 1
    return found


FACTS = facts()


@pytest.mark.parametrize("address", FACTS)
def test_layers_are_those_of_the_source(address: str) -> None:
    wanted = FACTS[address]
    assert wanted.total() >= 7
    known = {name for name, _, _, _, kernel, _ in wanted if kernel}
    assert {"conv"} <= known <= set(WINDOWED)
    assert layers(address, known) == wanted
