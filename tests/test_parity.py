"""With equal weights a variant and the implementation that it names give equal outputs; `make parity` compares all."""

from __future__ import annotations

import importlib.util

import pytest

from tests.parity.compare import LIMIT, implementations

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
