"""Compares a variant with the network of `keras.applications` that it names."""

from __future__ import annotations

from typing import Any

import numpy as np

from archc import compile
from tests.keras_config import set_all_weights
from tests.parity.compare import difference, drawn, image, without_softmax


def compare(implementation: str, address: str) -> float:
    """The relative difference of the outputs, both networks holding the same weights in the same order.

    Raises `AssertionError` where the weights, in the order of the models' layers, differ in number or shape.
    """
    import keras

    keras.backend.clear_session()
    generator = np.random.default_rng(2)
    build = getattr(keras.applications, implementation.rsplit(".", 1)[-1])
    ours: Any = compile(address).to_keras()
    theirs: Any = build(weights=None)
    if None in theirs.input_shape[1:]:  # MobileNetV3 leaves the sizes open unless they are given
        theirs = build(weights=None, input_shape=ours.input_shape[1:])
    assert ours.input_shape == theirs.input_shape, f"input: {ours.input_shape}, in Keras {theirs.input_shape}"
    mine, wanted = [tuple(one.shape) for one in ours.weights], [tuple(one.shape) for one in theirs.weights]
    for index, (left, right) in enumerate(zip(mine, wanted, strict=False)):
        assert left == right, f"weight {index}: {ours.weights[index].path} {left}, in Keras {theirs.weights[index].path} {right}"
    assert len(mine) == len(wanted), f"{len(mine)} weights, in Keras {len(wanted)}"
    values = [drawn(one.path, np.array(one), generator) for one in theirs.weights]
    for model in (theirs, ours):
        set_all_weights(model, values)
    bytes_in = any(type(one).__name__ in ("Rescaling", "Normalization") for one in theirs.layers)
    picture = image(theirs.input_shape[1:], bytes_in, generator)
    return difference(*(without_softmax(one).predict(picture, verbose=0) for one in (ours, theirs)))
