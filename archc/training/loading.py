"""A recipe's data, or made-up data of its form: read, checked and split into parts that have no example in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archc.diagnostics import CompileError, codes, error
from archc.training.data.arrays import synthetic
from archc.training.data.digest import digest
from archc.training.data.examples import Examples, Part
from archc.training.data.split import SplitError, split
from archc.training.recipe import Recipe, class_hint, shape_problems
from archc.training.settings import Placed

FAMILIAR = {"train": 1000, "test": 200}
"""The counts of synthetic examples for a data set whose own are not known."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """Examples in three parts that have none in common."""

    examples: Examples
    train: Part
    validation: Part
    digest: str

    @property
    def image(self) -> tuple[int, ...]:
        """The shape of an example."""
        return tuple(self.train.images.shape[1:])


def load_data(recipe: Recipe, wanted: int | None) -> Loaded:
    """The recipe's data, or synthetic data of its form, checked and split. Raises `DataError`, `CompileError`."""
    data: Placed[Any] = recipe.data
    seed = recipe.run.seed
    holdout: float = data.value.holdout
    if wanted is None:
        examples = data.value.load(recipe.base, seed)
    else:
        train = data.value.train_count or FAMILIAR["train"]
        count = wanted or train
        if isinstance(holdout, int) and count != train:
            holdout = holdout / train
        tests = data.value.test_count or FAMILIAR["test"]
        shape = data.value.image or raw_shape(recipe)
        examples = synthetic(shape, recipe.classes, count, tests if not wanted else max(recipe.classes, round(count * tests / train)), seed)
    examples.check()
    check_fit(recipe, examples)
    try:
        parts = split(len(examples.train), holdout, order=data.value.split, seed=seed)
    except SplitError as problem:
        raise CompileError((error(codes.WRONG_VALUE, data.place("holdout"), str(problem)),)) from None
    return Loaded(examples, examples.train.take(parts.train), examples.train.take(parts.validation), digest(examples))


def raw_shape(recipe: Recipe) -> tuple[int, ...]:
    """The shape of synthetic examples for a data set whose own is not known: what the network takes."""
    return tuple(one or 32 for one in recipe.shape)


def check_fit(recipe: Recipe, examples: Examples) -> None:
    """Raises `CompileError` where examples, now that they are read, do not fit the network."""
    found = list(shape_problems(recipe, tuple(examples.train.images.shape[1:])))
    if len(examples.classes) > recipe.classes:
        found.append(error(codes.DATA_DOES_NOT_FIT, recipe.data.span, f"the data has {len(examples.classes)} classes, and {recipe.address} tells {recipe.classes} apart", help=class_hint(recipe, len(examples.classes))))
    if found:
        raise CompileError(tuple(found))
