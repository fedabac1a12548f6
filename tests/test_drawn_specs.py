"""Drawn networks compile, expand to themselves, and come out of Keras alike in all four forms."""

from __future__ import annotations

import json
import runpy
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from archc import Compiled, load
from archc.backends.expanded import expanded, tensor_names
from archc.backends.keras.archive import write_archive
from archc.backends.keras.config import config_text
from archc.backends.keras.layers import KerasModel
from archc.graph.graph import Graph
from tests.keras_config import comparable
from tests.strategies import specs
from tests.test_operators_oracle import flat


def compiled(text: str) -> Compiled:
    return load("-", text.encode()).compile()


def facts(graph: Graph) -> list[Any]:
    """What a graph is, but for what an expanded spec says no more: inputs' order, groups, places in the text."""
    names = tensor_names(graph)
    return [
        *((one.name, one.operator, tuple(names[at] for at in one.inputs), one.shapes) for one in graph.nodes),
        [(one.trainable, one.shared and graph.nodes[one.shared].name) for one in graph.nodes],
        [(name, names[at]) for name, at in graph.outputs],
    ]


@given(specs())
def test_expand_gives_the_same_graph(text: str) -> None:
    """The expanded spec has the same layers, names and outputs, and expands to itself."""
    graph = compiled(text).graph
    plain = expanded(graph)
    again = compiled(plain).graph
    assert facts(again) == facts(graph)
    assert expanded(again) == plain


@given(specs())
def test_compiling_is_deterministic(text: str) -> None:
    one, other = compiled(text), compiled(text)
    assert facts(one.graph) == facts(other.graph)
    assert one.to_python() == other.to_python()
    assert config_text(one.lowered) == config_text(other.lowered)


@given(specs())
def test_lowered_layers_follow_what_they_read(text: str) -> None:
    """Names are unique, a call reads what is made before it, and the costs are those of the weights."""
    made = compiled(text)
    names = [one.name for one in made.lowered.layers]
    assert len(set(names)) == len(names)
    check_order(made.lowered)
    weights = [one for layer in made.lowered.layers for one in layer.weights]
    assert sum(one.size for one in weights) == made.analysed.cost.params


def check_order(model: KerasModel) -> None:
    done: set[tuple[int, int]] = set()
    calls = [(call.node, at, number) for at, one in enumerate(model.layers) for number, call in enumerate(one.calls)]
    for _, layer, number in sorted(calls):
        reads = model.layers[layer].calls[number].inputs
        assert {(one.layer, one.call) for one in reads if model.layers[one.layer].class_name != "InputLayer"} <= done
        done.add((layer, number))


@pytest.mark.keras
@settings(max_examples=max(1, settings().max_examples // 10))
@given(specs())
def test_the_four_outputs_agree(text: str) -> None:
    """Archive, config, source and model in memory have one config and give one result."""
    import keras

    made = compiled(text)
    with tempfile.TemporaryDirectory() as folder:
        archive, source = Path(folder, "model.keras"), Path(folder, "model.py")
        with archive.open("w+b") as file:
            write_archive(made.lowered, file)
        source.write_text(made.to_python(), encoding="utf-8")
        loaded = keras.saving.load_model(archive, safe_mode=True)
        emitted = runpy.run_path(str(source))["build_model"]()
    others = [keras.models.model_from_json(config_text(made.lowered)), emitted, made.to_keras()]
    x = np.random.default_rng(1).normal(size=(2, *made.graph.nodes[0].shape)).astype("float32")
    wanted = flat(loaded(x))
    for model in others:
        assert comparable(json.loads(model.to_json())) == comparable(json.loads(loaded.to_json()))
        model.set_weights(loaded.get_weights())
        for one, other in zip(flat(model(x)), wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
