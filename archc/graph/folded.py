"""A macro call as one node: its figures without its nodes, where only figures are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from archc.operators import Operator, Role, Shape


@dataclass(frozen=True, slots=True)
class Figures:
    """What some nodes cost together. `macs` is `None` where a size that they need is open; inputs are no layers."""

    trainable: int = 0
    non_trainable: int = 0
    macs: int | None = 0
    layers: int = 0
    weight_layers: int = 0

    @property
    def params(self) -> int:
        """All of the weights."""
        return self.trainable + self.non_trainable


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Folded(Operator):
    """Stands for nodes that an equal macro call made before.

    `names` are theirs, without what stands before them here; the last one is that of the node with the result.
    """

    name: ClassVar[str] = "folded"
    role: ClassVar[Role] = Role.OTHER
    arity: ClassVar[tuple[int, int | None]] = (0, None)

    output: Shape
    figures: Figures
    names: tuple[str, ...]

    @cached_property
    def longest(self) -> int:
        """The length of the longest name."""
        return max(map(len, self.names))

    def shapes(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        """The one output's."""
        return (self.output,)
