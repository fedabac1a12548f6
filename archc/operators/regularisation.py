"""Regularisation: active in training, the identity in inference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from archc.operators import kinds, shape_rules
from archc.operators.base import Operator, Problem, Role, Shape, attribute


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Dropout(Operator):
    """In training sets values to 0 with the probability `rate`, and divides the others by `1 - rate`.

    `- dropout: 0.5`. AlexNet's authors multiplied by 0.5 in inference instead; the expectations are the same.
    """

    name: ClassVar[str] = "dropout"
    role: ClassVar[Role] = Role.REGULARISATION
    positional: ClassVar[tuple[str, ...]] = ("rate",)

    rate: float = attribute(kinds.RATE, "The probability with which a value is dropped.", 0.5)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SpatialDropout(Operator):
    """As `dropout`, but for whole channels: neighbouring positions are too much alike to drop them one by one."""

    name: ClassVar[str] = "spatial_dropout"
    role: ClassVar[Role] = Role.REGULARISATION
    positional: ClassVar[tuple[str, ...]] = ("rate",)

    rate: float = attribute(kinds.RATE, "The probability with which a channel is dropped.", 0.5)

    def check(self, inputs: tuple[Shape, ...]) -> Iterator[Problem]:
        yield from shape_rules.first(shape_rules.rank_problem(self.name, inputs[0], (2, 3, 4)))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DropPath(Operator):
    """Stochastic depth: as `dropout`, but for all of an example's values at once (Huang et al. 2016).

    `- drop_path: 0.2`, at the end of a residual branch. `rate` is the probability of dropping; the paper's survival
    probability is one minus it. What survives is divided by `1 - rate`, so that inference is the identity.
    """

    name: ClassVar[str] = "drop_path"
    role: ClassVar[Role] = Role.REGULARISATION
    positional: ClassVar[tuple[str, ...]] = ("rate",)

    rate: float = attribute(kinds.RATE, "The probability with which the branch is dropped.", 0.5)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GaussianNoise(Operator):
    """In training adds normal noise with mean 0."""

    name: ClassVar[str] = "gaussian_noise"
    role: ClassVar[Role] = Role.REGULARISATION
    positional: ClassVar[tuple[str, ...]] = ("stddev",)

    stddev: float = attribute(kinds.FRACTION, "The noise's standard deviation; Keras takes 0 to 1.")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GaussianDropout(Operator):
    """In training multiplies by normal noise with mean 1 and the standard deviation `sqrt(rate / (1 - rate))`."""

    name: ClassVar[str] = "gaussian_dropout"
    role: ClassVar[Role] = Role.REGULARISATION
    positional: ClassVar[tuple[str, ...]] = ("rate",)

    rate: float = attribute(kinds.RATE, "The rate of the dropout with the same variance.", 0.5)
