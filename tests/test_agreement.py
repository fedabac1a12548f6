"""The four Keras outputs of a shipped network agree: archive, JSON config, source, and model in memory."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import archc
from archc.backends.keras.archive import write_archive
from archc.backends.keras.config import config_text
from tests.keras_config import comparable
from tests.zoo import walked

pytestmark = pytest.mark.keras

@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    yield
    import gc

    import keras

    keras.backend.clear_session()
    gc.collect()


def configuration(model: Any) -> Any:
    """A model's config, but for what does not matter."""
    return comparable(json.loads(model.to_json()))


@pytest.mark.parametrize("address", walked(("lenet", "googlenet")))
def test_the_four_outputs_agree(address: str, tmp_path: Path) -> None:
    import keras
    import numpy as np

    compiled = archc.compile(address)
    archive = tmp_path / "model.keras"
    with archive.open("w+b") as file:
        write_archive(compiled.lowered, file)
    source = tmp_path / "model.py"
    source.write_text(compiled.to_python(), encoding="utf-8")

    loaded = keras.saving.load_model(archive, safe_mode=True)
    expected = configuration(loaded)
    random, graph = np.random.default_rng(1), compiled.graph
    samples = [random.normal(size=(1, *graph.nodes[one].shape)).astype("float32") for one in graph.inputs]
    sample = samples if len(samples) > 1 else samples[0]
    outputs = run(loaded, sample)
    weights = loaded.get_weights()
    assert loaded.count_params() == compiled.analysed.cost.params
    del loaded

    makers = {
        "config": lambda: keras.models.model_from_json(config_text(compiled.lowered)),
        "source": lambda: runpy.run_path(str(source))["build_model"](),
        "memory": compiled.to_keras,
    }
    for name, make in makers.items():
        model = make()
        assert configuration(model) == expected, name
        if name == "memory":
            for written, held in zip(weights, model.get_weights(), strict=True):
                np.testing.assert_array_equal(written, held)
        model.set_weights(weights)
        for one, other in zip(outputs, run(model, sample), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6, err_msg=name)
        del model
        keras.backend.clear_session()


def run(model: Any, sample: Any) -> list[Any]:
    import numpy as np

    found = model(sample, training=False)
    return [np.asarray(one) for one in (found if isinstance(found, list | tuple) else [found])]


OWN = """archc: 1
name: own
input: [8, 8, 4]
layers:
  - conv: 4
  - layer: {class: "own_layers:Swirl", output: same}
"""


def test_own_layers_come_from_allowed_modules_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_layers.py").write_text("import keras\n\n\nclass Swirl(keras.layers.Layer):\n    def call(self, x):\n        return x\n", encoding="utf-8")
    (tmp_path / "own.yaml").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    compiled = archc.compile(str(tmp_path / "own.yaml"))
    with pytest.raises(archc.CompileError) as refused:
        compiled.to_keras()
    assert [one.code.id for one in refused.value.diagnostics] == ["E312"]
    model = compiled.to_keras(modules=["own_layers"])
    assert type(model.layers[-1]).__name__ == "Swirl"


def test_without_keras_a_live_model_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archc.diagnostics.packages.find_spec", lambda name: None)
    with pytest.raises(archc.CompileError) as refused:
        archc.compile("lenet").to_keras()
    assert [one.code.id for one in refused.value.diagnostics] == ["E803"]
