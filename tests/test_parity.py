"""With equal weights a variant and the implementation that it names give equal outputs; `make parity` compares all."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from archc import compile
from tests.parity.compare import LIMIT, drawn, implementations

pytestmark = [
    pytest.mark.keras,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # raised within Keras
]

KERAS = (
    "ConvNeXtTiny",
    "DenseNet121",
    "EfficientNetB0",
    "EfficientNetV2B0",
    "InceptionResNetV2",
    "InceptionV3",
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Small",
    "NASNetMobile",
    "ResNet50",
    "ResNet50V2",
    "VGG16",
    "Xception",
)
"""One network of each family of keras.applications."""
TORCHVISION = (
    "alexnet",
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "googlenet",
    "inception_v3",
    "mnasnet0_5",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "regnet_x_400mf",
    "regnet_y_400mf",
    "resnet18",
    "resnext50_32x4d",
    "shufflenet_v2_x0_5",
    "squeezenet1_1",
    "vgg11_bn",
    "wide_resnet50_2",
)
"""One network of each family of torchvision."""


@pytest.mark.parametrize("name", KERAS)
def test_outputs_are_those_of_keras_applications(name: str) -> None:
    from tests.parity.with_keras import compare

    implementation = f"keras.applications.{name}"
    assert compare(implementation, implementations("keras.applications")[implementation]) < LIMIT


@pytest.mark.parametrize("name", TORCHVISION)
@pytest.mark.skipif(importlib.util.find_spec("torchvision") is None, reason="torchvision is not installed")
def test_outputs_are_those_of_torchvision(name: str) -> None:
    import keras

    if keras.backend.backend() != "torch":
        pytest.skip("needs KERAS_BACKEND=torch")
    from tests.parity.with_torchvision import compare

    implementation = f"torchvision.models.{name}"
    assert compare(implementation, implementations("torchvision.models")[implementation]) < LIMIT


@pytest.mark.parametrize(("name", "kind"), [("MobileNetV2", ".weights.h5"), ("MobileNetV2", ".h5"), ("EfficientNetB0", ".weights.h5")])
def test_a_live_model_loads_what_keras_applications_wrote(name: str, kind: str, tmp_path: Path) -> None:
    """By Keras's own `load_weights`, by the layers' classes or their order."""
    theirs = applied(name)
    written(theirs, tmp_path / f"weights{kind}")
    ours = compile(implementations("keras.applications")[f"keras.applications.{name}"]).to_keras()
    ours.load_weights(tmp_path / f"weights{kind}")
    for mine, wanted in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(np.array(mine), np.array(wanted))


def test_archc_reads_them_where_the_library_nests_models(tmp_path: Path) -> None:
    """ConvNeXt's stem and downsampling are models within the model, and its layer scale is a class of its own."""
    theirs = applied("ConvNeXtTiny")
    written(theirs, tmp_path / "weights.h5")
    ours = compile(implementations("keras.applications")["keras.applications.ConvNeXtTiny"]).to_keras(weights=tmp_path / "weights.h5")
    for mine, wanted in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(np.array(mine), np.array(wanted))


def applied(name: str) -> Any:
    """A network of keras.applications with drawn weights."""
    import keras

    generator = np.random.default_rng(4)
    model: Any = getattr(keras.applications, name)(weights=None)
    model.set_weights([drawn(one.path, np.array(one), generator) for one in model.weights])
    return model


def written(model: Any, path: Path) -> None:
    """A file as Keras writes it: the newer form, or the older one that keras.applications publishes."""
    from keras.src.legacy.saving import legacy_h5_format

    if path.name.endswith(".weights.h5"):
        model.save_weights(path)
        return
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
