"""A recipe as live Keras models: one to train, one to keep. With `loop.py`, the only module of training that loads Keras."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archc.backends.base import WeightsError
from archc.backends.keras.weight_files import read_weights
from archc.training.preparation import Preparing
from archc.training.recipe import Recipe, compiled
from archc.training.settings import Call
from archc.training.spread import Spread

SOFTMAX = "softmax"


@dataclass(frozen=True, eq=False)
class Models:
    """`training` augments, prepares and runs the network; `inference` does the same without augmentation.

    They share all weights. Where training is spread over devices, `inference` is a plain model with a network of its own,
    `kept`, which is given the weights before it is used.
    """

    training: Any
    inference: Any
    network: Any
    kept: Any

    def keep(self, spread: Spread) -> None:
        """Brings `inference` up to date; all processes call it."""
        if self.kept is not self.network:
            self.kept.set_weights([spread.values(one) for one in self.network.weights])


def load_keras() -> Any:
    """Keras; at its first import with what TensorFlow says of the machine, straight to stderr, left out."""
    if "keras" in sys.modules:
        return importlib.import_module("keras")
    with silenced():
        keras = importlib.import_module("keras")
        keras.ops.add(keras.ops.ones(()), 1)  # the first operation says more
    return keras


@contextmanager
def silenced() -> Generator[None]:
    """Keeps what libraries write to the process's stderr from the terminal, unless an error follows."""
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        except BaseException:
            said.seek(0)
            os.write(kept, said.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def build(recipe: Recipe, image: tuple[int, ...], statistics: Mapping[str, Any], steps: int, spread: Spread | None = None) -> Models:
    """The compiled models for examples of a shape, `steps` batches to an epoch. Raises `WeightsError`, `OSError`."""
    spread = spread or Spread()
    keras = load_keras()
    keras.utils.clear_session()
    keras.utils.set_random_seed(recipe.run.seed)
    keras.config.set_dtype_policy(recipe.run.precision)
    with spread.scope():
        network = started(recipe)
        augment = layers("augment", tuple(one.value for one in recipe.augment), image, statistics)
        shape: Any = image
        for one in recipe.augment:
            shape = one.value.shape(shape)
        steps_before = prepared(recipe, shape, statistics)
        training = joined("training", image, [*augment, *steps_before, network, *output(recipe)])
        rate = recipe.schedule.call(recipe.optimiser.rate, steps, recipe.run.epochs)
        training.compile(optimizer=made(recipe.optimiser.call(rate)), jit_compile=recipe.run.jit, **measures(recipe))
        training.optimizer.build(training.trainable_variables)
    kept = network
    if spread.kind != "none":
        kept, steps_before = started(recipe), prepared(recipe, shape, statistics)
    return Models(training, joined(recipe.name.replace(".", "-"), image, [*steps_before, kept, *output(recipe)]), network, kept)


def started(recipe: Recipe) -> Any:
    """The network with the weights that training starts from."""
    network = recipe.network.to_keras(seed=recipe.run.seed)
    if recipe.start is not None and recipe.start.file is not None:
        start_from(recipe, network)
    return network


def prepared(recipe: Recipe, shape: Any, statistics: Mapping[str, Any]) -> list[Any]:
    """The layers of `prepare`, for images of a shape."""
    return layers("prepare", tuple(one.value for one in recipe.prepare), shape, statistics)


def output(recipe: Recipe) -> list[Any]:
    """What follows the network: with mixed precision the loss is reckoned in single precision."""
    return [] if recipe.run.precision == "float32" else [load_keras().layers.Activation("linear", dtype="float32", name="output")]


def measures(recipe: Recipe) -> dict[str, Any]:
    """Loss and metrics, as `compile` takes them."""
    return {"loss": made(recipe.loss.call(gives_logits(recipe))), "metrics": [made(one) for one in metric_calls(recipe)]}


def joined(name: str, image: tuple[int, ...], steps: list[Any]) -> Any:
    """A model of layers in a row."""
    keras = load_keras()
    inputs = keras.Input(shape=image, name="image", dtype="float32")
    return keras.Model(inputs, chained(inputs, steps), name=name)


def chained(tensor: Any, steps: list[Any]) -> Any:
    """A tensor led through layers."""
    for one in steps:
        tensor = one(tensor)
    return tensor


def layers(prefix: str, steps: tuple[Preparing, ...], shape: Any, statistics: Mapping[str, Any]) -> list[Any]:
    """The Keras layers of steps, for images of a shape."""
    found: list[Any] = []
    for number, one in enumerate(steps, start=1):
        call = one.call(shape, statistics)
        layer = made(Call(call.module, call.name, {**call.arguments, "name": f"{prefix}_{number}_{one.name}"}))
        # Keras takes geometric augmentation for uncompilable, as it is in TensorFlow, and would run the whole step uncompiled.
        layer.supports_jit = layer.supports_jit or load_keras().backend.backend() == "jax"
        found.append(layer)
        shape = one.shape(shape)
    return found


def made(call: Call) -> Any:
    """The object that a call makes."""
    keras = load_keras()
    module: Any = keras
    for part in call.module.split("."):
        module = getattr(module, part)
    return getattr(module, call.name)(**{name: made(one) if isinstance(one, Call) else one for name, one in call.arguments.items()})


def metric_calls(recipe: Recipe) -> list[Call]:
    """The metrics in Keras; smoothed labels are one-hot ones."""
    kind = "" if one_hot(recipe) else "Sparse"
    known = {"accuracy": Call("metrics", f"{kind}CategoricalAccuracy", {"name": "accuracy"}), "top5": Call("metrics", f"{kind}TopKCategoricalAccuracy", {"k": 5, "name": "top5"})}
    return [known[one] for one in recipe.run.metrics]


def one_hot(recipe: Recipe) -> bool:
    """True where labels are vectors, as smoothing needs."""
    return recipe.loss.label_smoothing > 0


def gives_logits(recipe: Recipe) -> bool:
    """True where the network ends without a softmax."""
    graph = recipe.network.graph
    last = graph.nodes[graph.outputs[0][1].node].operator
    return last.name != SOFTMAX and last.attributes().get("activation") != SOFTMAX


def start_from(recipe: Recipe, network: Any) -> None:
    """Gives a network the weights of a file; where the file's network tells other classes apart, all but its last layer.

    Raises `WeightsError`, `OSError`.
    """
    start = recipe.start
    assert start is not None
    assert start.file is not None
    path = Path(start.file).expanduser()
    path = path if path.is_absolute() or path.exists() or recipe.base is None else recipe.base / path
    params = {**recipe.params, **({"classes": start.classes} if start.classes else {})}
    for name, values in read_weights(path, compiled(recipe.address, recipe.path, params).lowered).items():
        layer = network.get_layer(name)
        if [tuple(one.shape) for one in layer.weights if one.dtype != "uint32"] != [tuple(one.shape) for one in values]:
            if not start.classes:
                raise WeightsError(f"the weights of `{name}` have other shapes")
            continue
        layer.set_weights(values)
        if start.freeze:
            layer.trainable = False
