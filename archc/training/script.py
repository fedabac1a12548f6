"""A recipe as a stand-alone Keras script that a person would have written: it needs Keras and no archc.

It does the same in the same order (split, preparation, optimiser, schedule, best model); weights and batches are drawn
by Keras's own chance, so its figures are alike, and not the same to the last digit.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from archc.training.build import gives_logits, metric_calls, one_hot
from archc.training.data.sets import Arrays, Cifar100, DataSet, Digits, ImageFolder, Tfds
from archc.training.options import Plateau
from archc.training.preparation import Normalise, Preparing, Rotate, Shift, Zoom
from archc.training.recipe import Recipe
from archc.training.settings import Call

WIDTH = 120


def script(recipe: Recipe) -> str:
    """The script's text."""
    network = recipe.network.to_python()
    network = network[: network.index('if __name__ == "__main__":')].rstrip()
    body = network[network.index("from keras import") :]
    imports, _, functions = body.partition("\n\n\n")
    parts = [
        "\n".join(f'"""{line}' if at == 0 else line for at, line in enumerate([f"{recipe.title or recipe.name}.", "", f"What the recipe {recipe.name} says, written out: trains {recipe.address} on {recipe.data.value.name}.", '"""'])),
        "\n".join(["import keras", "import numpy as np", imports, *needed(recipe.data.value)]),
        "\n".join(constants(recipe)),
        functions,
        "\n".join(load(recipe.data.value)),
        "\n".join(models(recipe)),
        "\n".join(main(recipe)),
        'if __name__ == "__main__":\n    main()',
    ]
    return "\n\n\n".join(["\n\n".join(parts[:3]), *parts[3:]]) + "\n"


def needed(data: DataSet) -> list[str]:
    """The imports that a data set needs."""
    if isinstance(data, Digits):
        return ["from sklearn.datasets import load_digits"]
    return ["import tensorflow_datasets as tfds"] if isinstance(data, Tfds) else []


def constants(recipe: Recipe) -> list[str]:
    """The numbers of the run."""
    return [f"SEED = {recipe.run.seed}", f"BATCH = {recipe.run.batch}", f"EPOCHS = {recipe.run.epochs}", f"HOLDOUT = {recipe.data.value.holdout!r}  # examples kept for validation, or a share of them"]


def load(data: DataSet) -> list[str]:
    """The function that gives training and test arrays."""
    lines = ["def load_data():"]
    if isinstance(data, Digits):
        lines += [
            "    digits = load_digits()",
            "    images = np.round(digits.images * (255 / 16)).astype(np.uint8)[..., None]",
            "    labels = digits.target.astype(np.int32)",
            "    order = np.random.default_rng([SEED, 2]).permutation(len(labels))",
            f"    test, train = np.split(order, [round({data.test!r} * len(labels))])",
            "    test, train = np.sort(test), np.sort(train)",
            "    return (images[train], labels[train]), (images[test], labels[test])",
        ]
    elif isinstance(data, ImageFolder):
        shape = data.image
        mode = "grayscale" if data.channels == "grey" else "rgb"
        lines += [
            f"    read = dict(image_size={shape[:2] if shape else None}, color_mode={literal(mode)}, batch_size=None, shuffle=False)",
            f"    parts = [keras.utils.image_dataset_from_directory(f\"{data.folder}/{{name}}\", **read) for name in (\"train\", \"test\")]",
            "    arrays = [list(zip(*part.as_numpy_iterator())) for part in parts]",
            "    return [(np.stack(images).astype(np.uint8), np.array(labels)) for images, labels in arrays]",
        ]
    elif isinstance(data, Arrays):
        lines += [f"    file = np.load({literal(data.file)})", '    return (file["x_train"], file["y_train"]), (file["x_test"], file["y_test"])']
    elif isinstance(data, Tfds):
        lines += [f"    parts = tfds.load({literal(data.set)}, split=[{literal(data.train)}, {literal(data.test)}], batch_size=-1, as_supervised=True)", "    return [tuple(np.asarray(one) for one in part) for part in tfds.as_numpy(parts)]"]
    else:
        options = f'"{data.labels}"' if isinstance(data, Cifar100) else ""
        lines += [f"    (x_train, y_train), (x_test, y_test) = keras.datasets.{data.name}.load_data({options})"]
        grey = data.image is not None and data.image[-1] == 1
        channel = "[..., None]" if grey else ""
        lines += [f"    return (x_train{channel}, y_train.reshape(-1)), (x_test{channel}, y_test.reshape(-1))"]
    return [*lines, "", "", *split(data)]


def split(data: DataSet) -> list[str]:
    """The function that cuts both parts from one list of indices."""
    order = "np.arange(count)" if data.split == "last" else "np.random.default_rng([SEED, 1]).permutation(count)"
    return [
        "def split(count):",
        "    # Both parts come from one list, so that no example can be in both.",
        f"    order = {order}",
        "    size = HOLDOUT if isinstance(HOLDOUT, int) else round(HOLDOUT * count)",
        "    train, validation = np.sort(order[: count - size]), np.sort(order[count - size :])",
        "    assert not set(train) & set(validation)",
        "    return train, validation",
    ]


def models(recipe: Recipe) -> list[str]:
    """The functions that make the model to train and the one to keep."""
    lines = ["def build_models(x_train):"]
    if any(isinstance(one.value, Normalise) for one in recipe.prepare):
        lines += ["    mean, variance = x_train.mean(axis=0, dtype=np.float64), x_train.var(axis=0, dtype=np.float64)"]
    shape: Any = recipe.data.value.image or recipe.shape
    lines += [f"    augment = {listed(step_lines([one.value for one in recipe.augment], shape))}"]
    if any(isinstance(one.value, (Shift, Rotate, Zoom)) for one in recipe.augment):
        lines += ['    if keras.backend.backend() == "jax":', "        for layer in augment:", "            layer.supports_jit = True  # Keras thinks of TensorFlow, which cannot compile these"]
    for one in recipe.augment:
        shape = one.value.shape(shape)
    lines += [f"    prepare = {listed(step_lines([one.value for one in recipe.prepare], shape))}"]
    lines += [
        "    network = build_model()",
        "    inputs = keras.Input(x_train.shape[1:])",
        "    x, y = inputs, inputs",
        "    for layer in [*augment, *prepare, network]:",
        "        x = layer(x)",
        "    for layer in [*prepare, network]:",
        "        y = layer(y)",
        "    return Model(inputs, x), Model(inputs, y)  # augmentation is for training alone",
    ]
    return lines


def listed(lines: list[str]) -> str:
    """A list, on one line where it fits."""
    short = f"[{', '.join(lines)}]"
    return short if len(short) < WIDTH - 20 else "[\n" + "".join(f"        {one},\n" for one in lines) + "    ]"


def step_lines(steps: list[Preparing], shape: Any) -> list[str]:
    """Each step as the layer that it is."""
    found: list[str] = []
    for one in steps:
        if isinstance(one, Normalise):
            found.append(normalise(one))
        else:
            found.append(written(one.call(shape, {})))
        shape = one.shape(shape)
    return found


def normalise(step: Normalise) -> str:
    """A normalisation by what the training part has."""
    if step.per == "pixel":
        variance = "np.maximum(variance, 1e-6)" if step.deviation else "np.ones_like(variance)"
        return f"layers.Normalization(axis=[1, 2, 3], mean=mean, variance={variance})"
    variance = "variance.mean((0, 1)) + mean.var((0, 1))" if step.deviation else "np.ones(mean.shape[-1])"
    return f"layers.Normalization(axis=-1, mean=mean.mean((0, 1)), variance={variance})"


def written(call: Call) -> str:
    """A call as Python."""
    arguments = ", ".join(f"{name}={written(one) if isinstance(one, Call) else literal(one)}" for name, one in call.arguments.items())
    return f"{'' if call.module == 'layers' else 'keras.'}{call.module}.{call.name}({arguments})"


def literal(value: Any) -> str:
    """A plain value as Python, its texts in double quotes."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def main(recipe: Recipe) -> Iterator[str]:
    """The function that trains and measures."""
    data = recipe.data.value
    count = data.train_count
    held = data.holdout if isinstance(data.holdout, int) else round(data.holdout * (count or 0))
    steps = math.ceil((count - held) / recipe.run.batch) if count else 0
    rate = recipe.schedule.call(recipe.optimiser.rate, steps or 1, recipe.run.epochs)
    mode = "min" if recipe.watched.endswith("loss") else "max"
    yield "def main():"
    yield "    keras.utils.set_random_seed(SEED)"
    if recipe.run.precision != "float32":
        yield f"    keras.config.set_dtype_policy({literal(recipe.run.precision)})"
    yield "    (x_train, y_train), (x_test, y_test) = load_data()"
    if one_hot(recipe):
        yield f"    y_train, y_test = (np.eye({recipe.classes}, dtype=np.float32)[one] for one in (y_train, y_test))"
    yield "    train, validation = split(len(x_train))"
    yield "    x_validation, y_validation = x_train[validation], y_train[validation]"
    yield "    x_train, y_train = x_train[train], y_train[train]"
    if isinstance(rate, Call):
        if not steps:
            yield "    steps = -(-len(x_train) // BATCH)"
            rate = symbolic(recipe)
        yield f"    rate = {rate if isinstance(rate, str) else written(rate)}"
    yield "    training, model = build_models(x_train)"
    optimiser = written(recipe.optimiser.call("@"))
    yield "    training.compile("
    yield f"        optimizer={optimiser.replace(literal('@'), 'rate' if isinstance(rate, (Call, str)) else repr(rate))},"
    yield f"        loss={written(recipe.loss.call(gives_logits(recipe)))},"
    yield f"        metrics=[{', '.join(written(one) for one in metric_calls(recipe))}],"
    yield "    )"
    yield "    callbacks = ["
    yield f'        keras.callbacks.ModelCheckpoint("best.weights.h5", monitor={literal(recipe.watched)}, mode={literal(mode)}, save_best_only=True, save_weights_only=True),'
    if isinstance(recipe.schedule, Plateau):
        yield f"        keras.callbacks.ReduceLROnPlateau(monitor={literal(recipe.watched)}, mode={literal(mode)}, factor={recipe.schedule.factor!r}, patience={recipe.schedule.patience!r}, min_delta=0, min_lr={recipe.schedule.least!r}),"
    if recipe.stop is not None:
        yield f"        keras.callbacks.EarlyStopping(monitor={literal(recipe.watched)}, mode={literal(mode)}, patience={recipe.stop.patience!r}, min_delta={recipe.stop.least!r}),"
    yield "        keras.callbacks.TerminateOnNaN(),"
    yield '        keras.callbacks.CSVLogger("history.csv"),'
    yield "    ]"
    validation = ", validation_data=(x_validation, y_validation)" if recipe.validates else ""
    yield f"    training.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, callbacks=callbacks{validation})"
    yield '    training.load_weights("best.weights.h5")'
    yield "    print(training.evaluate(x_test, y_test, batch_size=2 * BATCH, return_dict=True))"
    yield '    model.save("best.keras")'


def symbolic(recipe: Recipe) -> str:
    """A schedule over steps whose number is known only when the data is there."""
    schedule, rate = recipe.schedule, recipe.optimiser.rate
    values = schedule.values()
    match schedule.name:
        case "cosine":
            warm = f", warmup_target={rate!r}, warmup_steps=round({values['warmup']!r} * steps)" if values["warmup"] else ""
            first, left = (0.0, f"EPOCHS * steps - round({values['warmup']!r} * steps)") if warm else (rate, "EPOCHS * steps")
            return f"keras.optimizers.schedules.CosineDecay({first!r}, {left}, alpha={values['end']!r}{warm})"
        case "exponential":
            return f"keras.optimizers.schedules.ExponentialDecay({rate!r}, round({values['every']!r} * steps), {values['factor']!r}, staircase={values['stairs']!r})"
        case _:
            scale = "steps" if values["unit"] == "epochs" else "1"
            return f"keras.optimizers.schedules.PiecewiseConstantDecay([round(at * {scale}) - 1 for at in {list(values['at'])!r}], {[rate * values['factor'] ** one for one in range(len(values['at']) + 1)]!r})"
