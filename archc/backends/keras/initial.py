"""Initial weights by the distributions of Keras's initialisers, from NumPy alone and the same for the same seed.

A weight is made in blocks of at most `BLOCK` values, each from a generator of its own, so that blocks can be made
side by side, in any order, and no more than a few of them need be in memory.
"""

from __future__ import annotations

import math
import os
import re
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from archc.operators import Weight

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Block = NDArray[numpy.float32]
    Fill = Callable[[Any, Block], None]

BLOCK = 1 << 20
"""The most values in a block: 4 MiB, which a processor's cache holds while its checksum is taken."""

_TRUNCATED_DEVIATION = 0.87962566103423978  # of a standard normal distribution that is cut at 2 deviations
_SCALING = {  # the named kinds of variance scaling: factor, which fan
    "glorot": (1.0, "fan_avg"),
    "lecun": (1.0, "fan_in"),
    "he": (2.0, "fan_in"),
}


def identity(layer: str, position: int, weight: Weight) -> int:
    """A number for a weight that depends on its names alone, so that a layer more elsewhere changes no values."""
    return zlib.crc32(f"{layer}/{position}/{weight.name}".encode())


def blocks(weight: Weight) -> int:
    """The number of blocks that a weight is made in."""
    return 1 if _is_whole(weight) else -(-weight.size // BLOCK)


def values(weight: Weight, seed: int, index: int) -> Block:
    """All values of a weight, in its shape; `index` tells weights apart (see `identity`)."""
    import numpy

    if _is_whole(weight):
        return _matrix(weight, seed, index)
    out = _aligned(weight.size)
    parts = [out[start : start + BLOCK] for start in range(0, weight.size, BLOCK)]
    fill = partial(_fill, weight, seed, index)
    if len(parts) > 1:
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            list(pool.map(fill, range(len(parts)), parts))
    elif parts:
        fill(0, out)
    return numpy.reshape(out, weight.shape)


def _aligned(count: int) -> Block:
    """Room for values that begins at a multiple of 64 bytes: TensorFlow takes that as it is and copies any other."""
    import numpy

    room = numpy.empty(count + 16, numpy.float32)
    start = -(room.ctypes.data // 4) % 16
    return room[start : start + count]


def block(weight: Weight, seed: int, index: int, number: int) -> Block:
    """One block of a weight's values, flat: those from `number * BLOCK` on.

    >>> block(Weight("gamma", (3,), "ones"), seed=0, index=0, number=0)
    array([1., 1., 1.], dtype=float32)
    """
    import numpy

    if _is_whole(weight):
        return _matrix(weight, seed, index).ravel()
    out = numpy.empty(min(BLOCK, weight.size - number * BLOCK), numpy.float32)
    _fill(weight, seed, index, number, out)
    return out


def _fill(weight: Weight, seed: int, index: int, number: int, out: Block) -> None:
    constant = _constant(weight.initializer)
    if constant is None:
        _filler(weight)(_generator(seed, index, number), out)
    else:
        out.fill(constant)


def _generator(seed: int, index: int, number: int) -> numpy.random.Generator:
    from numpy.random import SFC64, Generator

    return Generator(SFC64((seed, index, number)))


def _snake(name: str) -> str:
    """Keras spells a class `GlorotUniform` and its name `glorot_uniform`; both are taken."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _constant(initializer: str) -> float | None:
    name = _snake(initializer)
    if name.startswith("constant:"):
        return float(name.partition(":")[2])
    return {"zeros": 0.0, "zero": 0.0, "ones": 1.0, "one": 1.0}.get(name)


def _is_whole(weight: Weight) -> bool:
    """True for the kinds whose values hang together, so that they come in one block."""
    return _snake(weight.initializer) in ("orthogonal", "identity")


def _filler(weight: Weight) -> Fill:
    name = _snake(weight.initializer)
    if name.startswith("variance_scaling"):
        return _variance_scaling(weight, *_scaling_parts(name))
    if name in ("random_uniform", "uniform"):
        return _uniform(0.05)
    if name in ("random_normal", "normal"):
        return _normal(0.05)
    if name == "truncated_normal":
        return _truncated_normal(0.05)
    kind, _, distribution = name.partition("_")
    if kind not in _SCALING or distribution not in ("uniform", "normal"):
        raise ValueError(f"no initialiser is called {weight.initializer!r}")
    return _variance_scaling(weight, *_SCALING[kind], "uniform" if distribution == "uniform" else "truncated_normal")


def _scaling_parts(name: str) -> tuple[float, str, str]:
    """Scale, fan and distribution, in any order after `variance_scaling`; Keras's defaults for what is not said."""
    said = name.removeprefix("variance_scaling")
    scale = re.search(r"\d+(\.\d*)?(e-?\d+)?", said)
    fan = re.search(r"fan_(in|out|avg)", said)
    distribution = re.search(r"untruncated_normal|truncated_normal|uniform|normal", said)
    return (
        float(scale.group()) if scale else 1.0,
        fan.group() if fan else "fan_in",
        distribution.group().replace("untruncated_", "plain_") if distribution else "truncated_normal",
    )


def _variance_scaling(weight: Weight, scale: float, fan: str, distribution: str) -> Fill:
    fans = {"fan_in": weight.fan_in, "fan_out": weight.fan_out, "fan_avg": (weight.fan_in + weight.fan_out) / 2}
    variance = scale / max(1.0, fans[fan])
    if distribution == "uniform":
        return _uniform(math.sqrt(3 * variance))
    if distribution == "plain_normal":
        return _normal(math.sqrt(variance))
    return _truncated_normal(math.sqrt(variance) / _TRUNCATED_DEVIATION)


def _uniform(limit: float) -> Fill:
    import numpy

    def fill(generator: numpy.random.Generator, out: Block) -> None:
        generator.random(out=out, dtype=numpy.float32)
        out -= numpy.float32(0.5)
        out *= numpy.float32(2 * limit)

    return fill


def _normal(deviation: float) -> Fill:
    import numpy

    def fill(generator: numpy.random.Generator, out: Block) -> None:
        generator.standard_normal(out=out, dtype=numpy.float32)
        out *= numpy.float32(deviation)

    return fill


def _truncated_normal(deviation: float) -> Fill:
    """Values beyond two deviations, one in 22, are drawn anew."""
    import numpy

    def fill(generator: numpy.random.Generator, out: Block) -> None:
        generator.standard_normal(out=out, dtype=numpy.float32)
        beyond = numpy.flatnonzero((out > 2) | (out < -2))
        while beyond.size:
            anew = generator.standard_normal(beyond.size, dtype=numpy.float32)
            out[beyond] = anew
            beyond = beyond[(anew > 2) | (anew < -2)]
        out *= numpy.float32(deviation)

    return fill


def _matrix(weight: Weight, seed: int, index: int) -> Block:
    """The identity, or a random matrix with orthogonal columns or rows."""
    import numpy

    rows, columns = math.prod(weight.shape[:-1]), weight.shape[-1]
    if _snake(weight.initializer) == "identity":
        return numpy.reshape(numpy.eye(rows, columns, dtype=numpy.float32), weight.shape)
    normal = _generator(seed, index, 0).standard_normal((max(rows, columns), min(rows, columns)), dtype=numpy.float32)
    q, r = numpy.linalg.qr(normal)
    q *= numpy.sign(r.diagonal())
    return numpy.reshape(q if rows >= columns else numpy.transpose(q), weight.shape)
