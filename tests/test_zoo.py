"""The zoo: every variant that names a published implementation has that implementation's figures, exactly.

`tests/facts/libraries.csv` holds what was measured on keras.applications (Keras 3.15.1) and torchvision.models.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from archc import compile
from tests.parity.compare import implementations

FACTS = {row["implementation"]: row for row in csv.DictReader((Path(__file__).parent / "facts" / "libraries.csv").read_text().splitlines())}
NAMED = implementations("keras.applications") | implementations("torchvision.models")


@pytest.mark.parametrize("implementation", sorted(NAMED))
def test_the_figures_are_the_librarys(implementation: str) -> None:
    fact, compiled = FACTS[implementation], compile(NAMED[implementation])
    cost, graph = compiled.analysed.cost, compiled.graph
    assert (cost.params, cost.trainable, cost.macs) == (int(fact["params"]), int(fact["trainable"]), int(fact["macs"]))
    assert "x".join(map(str, graph.nodes[graph.inputs[0]].shape)) == fact["input"]


@pytest.mark.parametrize("implementation", sorted(NAMED))
def test_the_spec_states_them(implementation: str) -> None:
    stated = {one.key for one in compile(NAMED[implementation]).expectations}
    assert {"params", "trainable", "macs"} <= stated
