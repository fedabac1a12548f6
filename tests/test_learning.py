"""Every shipped recipe learns, on made-up data of its data set's form, and nothing leaks from the part that is held out.

The large networks take minutes, and are tried where `ARCHC_EVERY` is set (`make every`). Learning rates are those of so few
examples; a network is made smaller where it has a parameter for that.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archc.commands import main
from archc.training import loading
from archc.training.data.examples import Examples, Part
from archc.training.recipe import load_recipe, shipped_recipes

pytestmark = [
    pytest.mark.keras,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # TensorFlow's own, with NumPy 2
]
LARGE = {"alexnet-cifar10", "vgg16-cifar10", "efficientnet-b0"}
FEW = ["--set", "augment=[]", "--set", "schedule=constant", "--set", "batch=16", "--set", "best=loss"]
OTHERWISE: dict[str, list[str]] = {
    "lenet-digits": ["--set", "optimiser={adam: 0.002}", "--epochs", "30"],
    "lenet-mnist": ["--set", "optimiser={adam: 0.002}", "--epochs", "30"],
    "resnet20-cifar10": ["--set", "optimiser={sgd: [0.02, 0.9]}", "--epochs", "20"],
    "vgg16-cifar10": ["--set", "optimiser={sgd: [0.01, 0.9]}", "--set", "params.dropout=0", "--epochs", "8"],
    "alexnet-cifar10": ["--set", "optimiser={sgd: [0.001, 0.9]}", "--set", "params.dropout=0", "--set", "batch=8", "--epochs", "8"],
    "efficientnet-b0": [
        "--set", "params.resolution=64", "--set", "prepare=[resize: 64]", "--set", "params.drop_path=0", "--set", "loss=cross_entropy",
        "--set", "optimiser={adam: 0.003}", "--set", "batch=8", "--epochs", "15",
    ],
}
"""What a recipe is given so that 64 examples are learnt in little time: the rule of learning, and the end of regularisation."""


@pytest.fixture(params=[path.stem for path in shipped_recipes()])
def name(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param in LARGE and not os.environ.get("ARCHC_EVERY"):
        pytest.skip("takes minutes: ARCHC_EVERY=1")
    monkeypatch.chdir(tmp_path)
    return request.param


def learnt(name: str) -> list[dict[str, Any]]:
    """The epochs of a recipe on 64 examples, with as many held out."""
    holdout = ["--set", f"data.{load_recipe(name).data.value.name}.holdout=0.5"]
    assert main(["train", name, "-o", "run", "--synthetic", "128", *holdout, *FEW, *OTHERWISE[name]]) == 0
    assert json.loads(Path("run/manifest.json").read_text())["examples"]["train"] == 64
    return json.loads(Path("run/history.json").read_text())


def test_64_examples_are_learnt(name: str) -> None:
    """TR16: the loss falls by 90 %, and what was learnt holds for examples that were held out."""
    found = learnt(name)
    assert min(one["loss"] for one in found) < 0.1 * found[0]["loss"]
    assert max(one["val_accuracy"] for one in found[-3:]) > 0.5


def test_labels_drawn_anew_teach_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """TR16: the held-out examples are guessed by chance (10 %, give or take 3.75 %), for nothing of them is seen in training."""
    made = loading.synthetic

    def shuffled(*words: Any) -> Examples:
        found = made(*words)
        return Examples(Part(found.train.images, np.random.default_rng(1).permutation(found.train.labels)), found.test, found.classes)

    monkeypatch.setattr(loading, "synthetic", shuffled)
    found = learnt(name)
    assert found[-1]["loss"] < found[0]["loss"]
    assert np.mean([one["val_accuracy"] for one in found[-3:]]) < 0.25
