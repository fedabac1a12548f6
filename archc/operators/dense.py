"""Dense layers: every input with every output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from archc.operators import kinds, shape_rules
from archc.operators.base import (
    Operator,
    Problem,
    Role,
    Shape,
    Weight,
    Window,
    attribute,
)
from archc.operators.shape_rules import Initializer, known, times, weight


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Dense(Operator):
    """A fully connected layer: `activation(input * kernel + bias)`.

    `- dense: [120, tanh]`.

    Shapes: `features` to `units`; with more axes it works on the last one, at each position with the same weights
    (so an image usually needs `flatten` before it). Weights: `features * units`, and `units` biases. MACs:
    `features * units` per position.
    """

    name: ClassVar[str] = "dense"
    role: ClassVar[Role] = Role.DENSE
    positional: ClassVar[tuple[str, ...]] = ("units", "activation")

    units: int = attribute(kinds.POSITIVE, "The number of outputs.")
    activation: str = attribute(kinds.ACTIVATION, "What is applied to the result.", "linear")
    bias: bool = attribute(kinds.BOOLEAN, "Adds one learned number per unit.", True)
    kernel_initializer: Initializer = attribute(kinds.INITIALIZER, "How the kernel starts.", "glorot_uniform")
    bias_initializer: Initializer = attribute(kinds.INITIALIZER, "How the bias starts.", "zeros")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        mend = "state the input's size, or put `global_avg_pool` in the place of `flatten`"
        yield from shape_rules.first(
            shape_rules.rank_problem(self.name, inputs[0], (1, 2, 3, 4)),
            shape_rules.open_problem(self.name, inputs[0], mend) if inputs[0][-1:] == (None,) else None,
        )

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return ((*inputs[0][:-1], self.units),)

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
        kernel = weight("kernel", (known(inputs[0][-1]), self.units), self.kernel_initializer)
        return (kernel, weight("bias", (self.units,), self.bias_initializer)) if self.bias else (kernel,)

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int | None:
        return times(inputs[0][-1], self.units, *inputs[0][:-1])

    def window(self, inputs: tuple[Shape, ...]) -> Window | None:
        """All of the input where it has no positions left, else position by position."""
        axes = len(inputs[0]) - 1
        return Window((1,) * axes, (1,) * axes, (1,) * axes, ((0, 0),) * axes) if axes else None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Embedding(Operator):
    """A learned vector for each whole number: `length` to `length x size`.

    `- embedding: [10000, 128]`. Weights: `vocabulary * size`. The input holds numbers from 0 to `vocabulary - 1`.
    """

    name: ClassVar[str] = "embedding"
    role: ClassVar[Role] = Role.OTHER
    positional: ClassVar[tuple[str, ...]] = ("vocabulary", "size")

    vocabulary: int = attribute(kinds.POSITIVE, "How many numbers there are.")
    size: int = attribute(kinds.POSITIVE, "The length of each vector.")
    initializer: Initializer = attribute(kinds.INITIALIZER, "How the vectors start.", "random_uniform")

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from shape_rules.first(shape_rules.rank_problem(self.name, inputs[0], (1, 2, 3)))

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return ((*inputs[0], self.size),)

    def weights(self, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
        return (weight("embeddings", (self.vocabulary, self.size), self.initializer),)
