"""What a recipe chooses about learning: optimiser, schedule, loss, stopping, and the numbers of a run."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

from archc.diagnostics import codes
from archc.operators import attribute
from archc.operators.base import Problem
from archc.operators.kinds import BOOLEAN, FRACTION, NOT_NEGATIVE, POSITIVE, POSITIVE_NUMBER, RATE
from archc.training.kinds import (
    AUTO_OR_BOOLEAN,
    COUNT,
    OPTIONAL_ABOVE,
    OPTIONAL_POSITIVE,
    OPTIONAL_TEXT,
    RATE_LIST,
    SEED,
    word_list,
    words,
)
from archc.training.settings import Call, Setting


@dataclass(frozen=True, kw_only=True)
class Optimiser(Setting):
    """How weights follow gradients."""

    learning_rate: float = attribute(POSITIVE_NUMBER, "the step size at the start", 0.001)

    @property
    def rate(self) -> float:
        """The learning rate at the start."""
        return self.learning_rate

    @abstractmethod
    def call(self, rate: Any) -> Call:
        """The optimiser in Keras, with a learning rate or a schedule of it."""


@dataclass(frozen=True, kw_only=True)
class Sgd(Optimiser):
    """Stochastic gradient descent, with or without momentum."""

    name: ClassVar[str] = "sgd"
    positional: ClassVar[tuple[str, ...]] = ("learning_rate", "momentum")
    learning_rate: float = attribute(POSITIVE_NUMBER, "the step size at the start", 0.01)
    momentum: float = attribute(RATE, "the share of the last step that is kept", 0.0)
    nesterov: bool = attribute(BOOLEAN, "looks ahead along the momentum", False)
    weight_decay: float = attribute(NOT_NEGATIVE, "shrinks each weight by this share of the learning rate at every step; beside plain SGD it equals an L2 penalty, beside momentum nearly so", 0.0)
    clip_norm: float | None = attribute(OPTIONAL_ABOVE, "the longest gradient of all weights together", None)

    def call(self, rate: Any) -> Call:
        return Call("optimizers", "SGD", {"learning_rate": rate, **_given(momentum=self.momentum, nesterov=self.nesterov, weight_decay=self.weight_decay, global_clipnorm=self.clip_norm)})


@dataclass(frozen=True, kw_only=True)
class Adam(Optimiser):
    """Adam (Kingma and Ba, 2015)."""

    name: ClassVar[str] = "adam"
    positional: ClassVar[tuple[str, ...]] = ("learning_rate",)
    beta_1: float = attribute(RATE, "the decay of the mean of gradients", 0.9)
    beta_2: float = attribute(RATE, "the decay of the mean of their squares", 0.999)
    epsilon: float = attribute(POSITIVE_NUMBER, "what is added to the root", 1e-7)
    clip_norm: float | None = attribute(OPTIONAL_ABOVE, "the longest gradient of all weights together", None)

    def call(self, rate: Any) -> Call:
        return Call("optimizers", "Adam", {"learning_rate": rate, "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon, **_given(global_clipnorm=self.clip_norm)})


@dataclass(frozen=True, kw_only=True)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    name: ClassVar[str] = "adamw"
    positional: ClassVar[tuple[str, ...]] = ("learning_rate", "weight_decay")
    weight_decay: float = attribute(NOT_NEGATIVE, "shrinks each weight by this share of the learning rate at every step", 0.004)

    def call(self, rate: Any) -> Call:
        return Call("optimizers", "AdamW", {"learning_rate": rate, "weight_decay": self.weight_decay, **super().call(rate).arguments})


@dataclass(frozen=True, kw_only=True)
class RmsProp(Optimiser):
    """RMSprop (Hinton's lecture 6e), as EfficientNet was trained."""

    name: ClassVar[str] = "rmsprop"
    positional: ClassVar[tuple[str, ...]] = ("learning_rate",)
    rho: float = attribute(RATE, "the decay of the mean of squared gradients", 0.9)
    momentum: float = attribute(RATE, "the share of the last step that is kept", 0.0)
    epsilon: float = attribute(POSITIVE_NUMBER, "what is added to the root", 1e-7)
    weight_decay: float = attribute(NOT_NEGATIVE, "shrinks each weight by this share of the learning rate at every step", 0.0)
    clip_norm: float | None = attribute(OPTIONAL_ABOVE, "the longest gradient of all weights together", None)

    def call(self, rate: Any) -> Call:
        return Call("optimizers", "RMSprop", {"learning_rate": rate, "rho": self.rho, "epsilon": self.epsilon, **_given(momentum=self.momentum, weight_decay=self.weight_decay, global_clipnorm=self.clip_norm)})


def _given(**values: Any) -> dict[str, Any]:
    """The values that are not Keras's own defaults: 0, false and null."""
    return {name: value for name, value in values.items() if value}


OPTIMISERS: dict[str, type[Optimiser]] = {one.name: one for one in (Sgd, Adam, AdamW, RmsProp)}


@dataclass(frozen=True, kw_only=True)
class Schedule(Setting):
    """How the learning rate changes."""

    def call(self, rate: float, steps: int, epochs: int) -> Any:
        """The learning rate for Keras: a number, or a schedule over training steps (`steps` in an epoch)."""
        return rate


@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """The learning rate stays."""

    name: ClassVar[str] = "constant"


@dataclass(frozen=True, kw_only=True)
class Steps(Schedule):
    """The learning rate is multiplied by a factor at given times."""

    name: ClassVar[str] = "steps"
    positional: ClassVar[tuple[str, ...]] = ("at", "factor")
    at: tuple[float, ...] = attribute(RATE_LIST, "when, in epochs or in training steps")
    factor: float = attribute(POSITIVE_NUMBER, "what the rate is multiplied by", 0.1)
    unit: str = attribute(words("epochs", "steps"), "what `at` counts", "epochs")

    def problems(self) -> Iterator[tuple[str, Problem]]:
        if any(later <= earlier for earlier, later in pairwise(self.at)):
            yield "at", Problem(codes.WRONG_VALUE, f"the times of a schedule rise, and these are {', '.join(f'{one:g}' for one in self.at)}")

    def call(self, rate: float, steps: int, epochs: int) -> Any:
        scale = steps if self.unit == "epochs" else 1
        # Keras changes the rate after the boundary's step, so the last step before the time is named.
        boundaries = [max(0, round(one * scale) - 1) for one in self.at]
        values = [rate * self.factor**count for count in range(len(self.at) + 1)]
        return Call("optimizers.schedules", "PiecewiseConstantDecay", {"boundaries": boundaries, "values": values})


@dataclass(frozen=True, kw_only=True)
class Cosine(Schedule):
    """Half a cosine from the learning rate to its end (Loshchilov and Hutter, 2017), after a linear warm-up."""

    name: ClassVar[str] = "cosine"
    positional: ClassVar[tuple[str, ...]] = ("warmup",)
    warmup: float = attribute(NOT_NEGATIVE, "epochs in which the rate rises from 0", 0.0)
    end: float = attribute(FRACTION, "the rate at the end, as a share of the highest", 0.0)

    def call(self, rate: float, steps: int, epochs: int) -> Any:
        warm = round(self.warmup * steps)
        extra = {"warmup_target": rate, "warmup_steps": warm} if warm else {}
        return Call("optimizers.schedules", "CosineDecay", {"initial_learning_rate": 0.0 if warm else rate, "decay_steps": max(1, steps * epochs - warm), "alpha": self.end, **extra})


@dataclass(frozen=True, kw_only=True)
class Exponential(Schedule):
    """The learning rate is multiplied by a factor every so many epochs, little by little."""

    name: ClassVar[str] = "exponential"
    positional: ClassVar[tuple[str, ...]] = ("factor", "every")
    factor: float = attribute(POSITIVE_NUMBER, "what the rate is multiplied by")
    every: float = attribute(POSITIVE_NUMBER, "in how many epochs", 1.0)
    stairs: bool = attribute(BOOLEAN, "all at once after each `every`", False)

    def call(self, rate: float, steps: int, epochs: int) -> Any:
        return Call("optimizers.schedules", "ExponentialDecay", {"initial_learning_rate": rate, "decay_steps": max(1, round(self.every * steps)), "decay_rate": self.factor, "staircase": self.stairs})


@dataclass(frozen=True, kw_only=True)
class Plateau(Schedule):
    """The learning rate is multiplied by a factor when the watched metric has not improved for some epochs."""

    name: ClassVar[str] = "plateau"
    positional: ClassVar[tuple[str, ...]] = ("factor", "patience")
    factor: float = attribute(FRACTION, "what the rate is multiplied by", 0.1)
    patience: int = attribute(POSITIVE, "epochs without an improvement", 5)
    least: float = attribute(NOT_NEGATIVE, "the lowest rate", 0.0)


SCHEDULES: dict[str, type[Schedule]] = {one.name: one for one in (Constant, Steps, Cosine, Exponential, Plateau)}


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Setting):
    """Cross-entropy between the network's probabilities (or logits, where it ends without a softmax) and the labels."""

    name: ClassVar[str] = "cross_entropy"
    label_smoothing: float = attribute(RATE, "the share of a label that is spread over all classes", 0.0)

    def call(self, logits: bool) -> Call:
        """The loss in Keras; smoothed labels are one-hot ones."""
        extra = {"from_logits": True} if logits else {}
        if self.label_smoothing:
            return Call("losses", "CategoricalCrossentropy", {**extra, "label_smoothing": self.label_smoothing})
        return Call("losses", "SparseCategoricalCrossentropy", extra)


LOSSES: dict[str, type[CrossEntropy]] = {CrossEntropy.name: CrossEntropy}


@dataclass(frozen=True, kw_only=True)
class Stop(Setting):
    """Training ends early when the watched metric has not improved for some epochs."""

    name: ClassVar[str] = "stop"
    positional: ClassVar[tuple[str, ...]] = ("patience",)
    patience: int = attribute(POSITIVE, "epochs without an improvement")
    least: float = attribute(NOT_NEGATIVE, "what counts as an improvement", 0.0)


@dataclass(frozen=True, kw_only=True)
class Start(Setting):
    """The weights that training starts from, instead of random ones."""

    name: ClassVar[str] = "start"
    positional: ClassVar[tuple[str, ...]] = ("file",)
    file: str | None = attribute(OPTIONAL_TEXT, "a `.keras`, `.weights.h5`, `.h5` or `.pth` file; null waits for `--weights FILE`", None)
    classes: int | None = attribute(OPTIONAL_POSITIVE, "the classes that the file's network tells apart, where they are others: its last layer is then left out", None)
    freeze: bool = attribute(BOOLEAN, "layers whose weights come from the file stay as they are", False)


@dataclass(frozen=True, kw_only=True)
class Run(Setting):
    """The numbers of a run."""

    name: ClassVar[str] = "recipe"
    batch: int = attribute(POSITIVE, "examples in a training step", 128)
    epochs: int = attribute(POSITIVE, "times that the training part is gone through", 10)
    seed: int = attribute(SEED, "where all chance comes from: initial weights, order, dropout, augmentation", 0)
    precision: str = attribute(words("float32", "mixed_float16", "mixed_bfloat16"), "Keras's dtype policy", "float32")
    metrics: tuple[str, ...] = attribute(word_list("accuracy", "top5"), "what is measured beside the loss", ("accuracy",))
    best: str | None = attribute(words("val_accuracy", "val_loss", "accuracy", "loss"), "the metric that the best model has; with a validation part `val_accuracy`, else `loss`", None)
    jit: str | bool = attribute(AUTO_OR_BOOLEAN, "whether XLA compiles the step; `auto` leaves it to Keras", "auto")
    save_minutes: float = attribute(POSITIVE_NUMBER, "a checkpoint is written after each epoch, and within one after so many minutes", 10.0)
    validation_batch: int = attribute(COUNT, "examples in a step of evaluation; 0 is twice `batch`", 0)
