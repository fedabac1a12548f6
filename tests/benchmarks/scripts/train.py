"""Seconds of an epoch: archc's loop, then a hand-written Keras script of the same network, data and batch, in turn.

They are the processor's, which other work on the machine does not change.

`python train.py RECIPE EXAMPLES ROUNDS`. Prints the least time of each, and the least of the input pipeline alone.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import keras

from archc.diagnostics import Source
from archc.language.document import read
from archc.training.build import build
from archc.training.data.examples import Part, statistics
from archc.training.loading import load_data
from archc.training.loop import Trainer, made_order
from archc.training.recipe import load_recipe

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


ours = build(recipe, data.image, statistics(train), math.ceil(len(train) / recipe.run.batch))
theirs = by_hand()
best = {"ours": math.inf, "theirs": math.inf, "input": math.inf}
with tempfile.TemporaryDirectory() as folder:
    trainer = Trainer(recipe, ours, train, Part(train.images[:0], train.labels[:0]), Path(folder), Quiet())
    for number in range(rounds + 1):
        began = time.process_time()
        trainer.fit(train.take(made_order(recipe.run.seed, number, len(train))), 0)
        middle = time.process_time()
        theirs.fit(train.images, train.labels, batch_size=recipe.run.batch, verbose=0)
        ended = time.process_time()
        train.take(made_order(recipe.run.seed, number, len(train)))
        if number:  # the first round compiles
            best["ours"] = min(best["ours"], middle - began)
            best["theirs"] = min(best["theirs"], ended - middle)
            best["input"] = min(best["input"], time.process_time() - ended)
print(best["ours"], best["theirs"], best["input"])
