"""Real Keras agrees with every operator over drawn attributes: shapes, weights, and the values of its definition."""

from __future__ import annotations

from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.backends.keras.lowering import lower
from archc.operators import OPERATORS, Shape, fields_of
from tests.keras_config import computed, set_all_weights
from tests.references import REFERENCES, multiplications
from tests.strategies import UNDRAWN, Drawn, operators
from tests.test_operators_oracle import flat, graph_of, loaded

NAMES = [one for one in OPERATORS if one not in UNDRAWN]
MANY = ("conv", "depthwise_conv", "separable_conv", "conv_transpose", "max_pool", "avg_pool")
"""Operators with many attributes that bear on each other."""


def examples(name: str) -> int:
    """A tenth of the profile's examples for most operators, of which there are sixty."""
    return max(1, settings().max_examples // (2 if name in MANY else 10))


@pytest.mark.parametrize("name", NAMES)
def test_drawn_attributes_are_the_schema_s(name: str) -> None:
    """What is drawn is what a spec may hold."""

    @settings(max_examples=20)
    @given(operators(name))
    def holds(drawn: Drawn) -> None:
        for field in fields_of(OPERATORS[name]):
            if field.name in drawn.values:
                jsonschema.validate(drawn.values[field.name], field.kind.schema)

    holds()


def test_every_operator_has_a_reference() -> None:
    """An operator that is added gets its definition here."""
    assert set(REFERENCES) == set(NAMES)


@pytest.mark.keras
@pytest.mark.filterwarnings(r"ignore:[\s\S]*softmax over axis:UserWarning")
@pytest.mark.parametrize("name", NAMES)
def test_keras_computes_the_definition(name: str) -> None:
    """Shapes, weights and values of a network of one operator."""

    @settings(max_examples=examples(name))
    @given(operators(name), st.integers(0, 99))
    def holds(drawn: Drawn, seed: int) -> None:
        check(drawn, np.random.default_rng(seed))

    holds()


FOUND = [
    Drawn("split", {"parts": [4]}, ((3, 4),), ((3, 4),)),
    Drawn("add", {}, ((2,), (1,)), ((2,), (1,))),
    Drawn("average", {}, ((2, 2), (1, 2), (1, 1)), ((2, 2), (1, 2), (1, 1))),
    Drawn("conv_transpose", {"filters": 4, "groups": 2, "activation": "softmax"}, ((3, 4),), ((3, 4),)),
    Drawn(
        "conv_transpose",
        {"filters": 4, "kernel": 3, "padding": 1, "groups": 2, "activation": "log_softmax"},
        ((None, None, 4),),
        ((5, 4, 4),),
    ),
]
"""What once went wrong."""


@pytest.mark.keras
@pytest.mark.parametrize("drawn", FOUND, ids=lambda drawn: f"{drawn.name} {drawn.shapes[0]}")
def test_what_was_found_stays_mended(drawn: Drawn) -> None:
    check(drawn, np.random.default_rng(7))


def check(drawn: Drawn, random: np.random.Generator) -> None:
    whole = drawn.name == "embedding"
    graph = graph_of(drawn.operator, *drawn.shapes, dtype="int32" if whole else "float32")
    node = graph.nodes[-1]
    model = loaded(lower(graph))
    assert [tuple(one.shape) for one in model.weights] == [one.shape for one in node.weights]
    assert model.count_params() == sum(one.size for one in node.weights)
    assert [tuple(one.shape[1:]) for one in model.outputs] == list(node.shapes)

    weights = [random.normal(size=one.shape).astype("float32") for one in node.weights]
    if drawn.name == "batch_norm":
        weights[-1] = np.abs(weights[-1])
    if drawn.name == "normalize" and weights:
        weights[1] = np.abs(weights[1]) + 0.1
    set_all_weights(model, weights)
    inputs = [values(random, one, drawn.values if whole else None) for one in drawn.sizes]
    got = [np.asarray(one) for one in flat(computed(model, inputs if len(inputs) > 1 else inputs[0]))]
    attributes = {**{one.name: one.default for one in fields_of(OPERATORS[drawn.name])}, **drawn.values}
    for at in range(2):
        example = [one[at] if whole else one[at].astype("float64") for one in inputs]
        multiplications.clear()
        with np.errstate(all="ignore"):
            wanted = REFERENCES[drawn.name](attributes, *example, *[one.astype("float64") for one in weights])
        for one, other, shape in zip(got, wanted if isinstance(wanted, list) else [wanted], node.shapes, strict=True):
            assert fits(one[at].shape, shape), (one.shape, shape)
            assert one[at].shape == other.shape
            np.testing.assert_allclose(one[at], other, rtol=2e-4, atol=2e-4)
    if multiplications:
        assert drawn.operator.macs(drawn.sizes, drawn.operator.shapes(drawn.sizes)) == sum(multiplications)


def values(random: np.random.Generator, shape: tuple[int, ...], numbers: dict[str, Any] | None) -> Any:
    """Two examples."""
    if numbers is not None:
        return random.integers(numbers["vocabulary"], size=(2, *shape), dtype="int32")
    return random.normal(size=(2, *shape)).astype("float32") * 2


def fits(got: tuple[int, ...], stated: Shape) -> bool:
    return len(got) == len(stated) and all(b in (None, a) for a, b in zip(got, stated, strict=True))
