"""Seconds of an epoch: archc's loop, then a hand-written Keras script of the same network, data and batch, in turn.

They are the processor's, which other work on the machine does not change.

`python train.py RECIPE EXAMPLES ROUNDS`, on the framework that KERAS_BACKEND names. Prints the least time of archc's epoch, of the script's,
of the input pipeline alone, and of archc's epoch without XLA.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from archc.diagnostics import Source
from archc.language.document import read
from archc.training.build import Models, build
from archc.training.data.examples import Part, statistics
from archc.training.loading import load_data
from archc.training.loop import Trainer, made_order
from archc.training.recipe import Recipe, load_recipe

name, examples, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
recipe = load_recipe(name, {"augment": read(Source("augment", "[]"))})
data = load_data(recipe, examples)
train = data.train


class Quiet:
    def batch(self, *words: Any) -> None: ...
    def epoch(self, *words: Any) -> None: ...


def by_hand() -> Any:
    """The network as `archc build` gives it, trained as a person would write it."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input(data.image)
    x = inputs
    for layer in ours.training.layers[1:-1]:
        x = layer.__class__.from_config(layer.get_config())(x)
    model = keras.Model(inputs, recipe.network.to_keras()(x))
    optimiser = ours.training.optimizer
    model.compile(optimiser.__class__.from_config(optimiser.get_config()), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def models(chosen: Recipe) -> Models:
    """The recipe's models."""
    return build(chosen, data.image, statistics(train), math.ceil(len(train) / chosen.run.batch))


def trainer(chosen: Recipe, made: Models) -> Trainer:
    """Who trains them."""
    return Trainer(chosen, made, train, Part(train.images[:0], train.labels[:0]), Path(folder), Quiet())


uncompiled = replace(recipe, run=replace(recipe.run, jit=False))
plain = models(uncompiled) if keras.backend.backend() == "tensorflow" else None  # JAX without XLA is no choice
ours = models(recipe)
theirs = by_hand()
best = dict.fromkeys(("ours", "theirs", "input", "plain"), math.inf)
with tempfile.TemporaryDirectory() as folder:
    for number in range(rounds + 1):
        order = made_order(recipe.run.seed, number, len(train))
        times = [time.process_time()]
        trainer(recipe, ours).fit(train.take(order), 0)
        times.append(time.process_time())
        theirs.fit(train.images, train.labels, batch_size=recipe.run.batch, verbose=0)
        times.append(time.process_time())
        train.take(order)
        times.append(time.process_time())
        if plain is not None:
            trainer(uncompiled, plain).fit(train.take(order), 0)
        times.append(time.process_time())
        if number:  # the first round compiles
            for place, what in enumerate(best):
                best[what] = min(best[what], times[place + 1] - times[place])
print(*best.values())
