"""The zoo: every variant that names a published implementation has that implementation's figures, exactly.

`tests/facts/libraries.csv` holds what was measured on keras.applications (Keras 3.15.1) and torchvision.models.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from archc import compile
from archc.commands import main
from archc.language.catalogue import shipped_paths
from tests.parity.compare import implementations
from tests.zoo import families

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


def test_every_figure_of_every_variant_holds(capsys: pytest.CaptureFixture[str]) -> None:
    """`archc check 'specs/*' --strict`: each variant compiles without a warning, expects something, and has it."""
    assert main(["check", *(path.stem for path in shipped_paths()), "--strict", "--format", "json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert [one["address"] for one in results if not one["expectations"] or not all(two["holds"] for two in one["expectations"])] == []
    assert len(results) == sum(len(family["variants"]) for _, family in families())


def test_every_published_implementation_is_there() -> None:
    """All 40 networks of keras.applications and all 68 of torchvision's classification."""
    libraries = [one for one in FACTS if one.count(".") == 2]  # without torchvision's segmentation and video
    assert len(libraries) == 108
    assert set(libraries) - set(NAMED) == set()


def test_aliases_are_unique() -> None:
    named = [alias.lower() for _, family in families() for variant in family["variants"] for alias in variant["aliases"]]
    addresses = [stem for stem, _ in families()]
    assert len(named) == len(set(named))
    assert set(named) & set(addresses) == set()
