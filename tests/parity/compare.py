"""What both libraries' comparisons share: drawn weights, an input, and the difference of two outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from archc import Family, load
from archc.language.catalogue import shipped_paths

LIMIT = 1e-4
"""The largest relative difference in float32 that counts as equal."""


def implementations(library: str) -> dict[str, str]:
    """The published implementations of a library (`keras.applications`) that specs name, each with its address."""
    return {variant: address for variant, address in _named() if variant.startswith(f"{library}.")}


def _named() -> Iterator[tuple[str, str]]:
    for path in shipped_paths():
        if b"implementation:" not in path.read_bytes():
            continue
        family: Family = load(path.stem)
        for name, variant in family.spec.variants.items():
            if variant.implementation:
                yield variant.implementation, f"{path.stem}:{name}" if name else path.stem


def drawn(name: str, values: Any, generator: np.random.Generator) -> Any:
    """Weights that show every mistake: no zeros and ones where a layer starts with them."""
    short = name.rsplit("/", 1)[-1]
    noise = generator.standard_normal(values.shape, dtype=np.float32)
    if short in ("gamma", "moving_variance", "running_var", "variance") or (short == "weight" and values.ndim == 1):
        return (1 + 0.2 * np.tanh(noise)).astype(np.float32)
    if short in ("beta", "moving_mean", "running_mean", "mean", "bias"):
        return (0.1 * noise).astype(np.float32)
    if short in ("count", "num_batches_tracked"):
        return values
    if short in ("layer_scale", "scale"):
        return (0.5 + 0.1 * noise).astype(np.float32)
    if values.ndim < 2:
        return (1 + 0.1 * noise).astype(np.float32)
    return values


def image(shape: tuple[int, ...], bytes_in: bool, generator: np.random.Generator) -> Any:
    """Two random images: values of a picture's bytes where the network does its own preprocessing, else normalised."""
    if bytes_in:
        return generator.uniform(0, 255, (2, *shape)).astype(np.float32)
    return generator.standard_normal((2, *shape)).astype(np.float32)


def without_softmax(model: Any) -> Any:
    """The model up to its logits: a softmax over 1,000 classes hides differences, or runs out of small numbers."""
    import keras

    last = model.output._keras_history.operation
    if type(last).__name__ == "Softmax" or (type(last).__name__ == "Activation" and last.activation is keras.activations.softmax):
        return keras.Model(model.input, last.input)
    if getattr(last, "activation", None) is keras.activations.softmax:
        last.activation = keras.activations.linear
    return model


def difference(ours: Any, theirs: Any) -> float:
    """The largest difference, relative to the largest value."""
    if not np.isfinite(ours).all() or not np.isfinite(theirs).all():
        return float("inf")
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())
