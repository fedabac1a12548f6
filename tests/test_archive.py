"""Keras's own view of what archc writes: configs, archives and live models agree, and plain Keras loads them."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import io
import json
import math
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy
import pytest

import archc
from archc.backends.keras import initial
from archc.backends.keras.archive import weight_paths, write_archive
from archc.backends.keras.config import BUILT_AT_ONCE, CALL_ARGUMENTS, config, config_text, keras_order
from archc.backends.keras.layers import KerasCall, KerasLayer, KerasModel, KerasTensor
from archc.operators import Shape, Weight

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"  # TensorFlow 2's with NumPy 2
)
ROOT = Path(__file__).parent.parent
GLOROT = {
    "module": "keras.initializers",
    "class_name": "GlorotUniform",
    "config": {"seed": None, "input_axes": None, "output_axes": None},
    "registered_name": None,
}


def plain_keras() -> Any:
    """Keras, which states few types, as something that may have any attribute."""
    return importlib.import_module("keras")


def constant(class_name: str) -> dict[str, Any]:
    return {"module": "keras.initializers", "class_name": class_name, "config": {}, "registered_name": None}


def unset(*names: str) -> dict[str, None]:
    return dict.fromkeys(names)


class Draft:
    """A lowered network that is put together by hand, layer by layer."""

    def __init__(self) -> None:
        self.layers: list[KerasLayer] = []
        self.steps = 0

    def layer(
        self,
        class_name: str,
        name: str,
        settings: Mapping[str, Any],
        inputs: Sequence[KerasTensor],
        *shapes: Shape,
        weights: tuple[Weight, ...] = (),
        as_list: bool = False,
        module: str = "keras.layers",
        trainable: bool = True,
    ) -> KerasTensor:
        call = KerasCall(tuple(inputs), as_list, shapes, self.steps)
        self.steps += 1
        self.layers.append(KerasLayer(module, class_name, name, settings, weights, trainable, (call,)))
        return KerasTensor(len(self.layers) - 1)

    def again(self, tensor: KerasTensor, *inputs: KerasTensor) -> KerasTensor:
        """Another call of the layer that gave a tensor."""
        old = self.layers[tensor.layer]
        calls = (*old.calls, KerasCall(inputs, False, old.calls[0].shapes, self.steps))
        self.steps += 1
        self.layers[tensor.layer] = KerasLayer(
            old.module, old.class_name, old.name, old.config, old.weights, old.trainable, calls
        )
        return KerasTensor(tensor.layer, len(calls) - 1)

    def input(self, name: str, *shape: int | None, dtype: str = "float32") -> KerasTensor:
        return self.layer("InputLayer", name, {"batch_shape": [None, *shape], "dtype": dtype}, (), shape)

    def conv(self, name: str, source: KerasTensor, size: int, channels: int, filters: int) -> KerasTensor:
        settings = {
            "filters": filters,
            "kernel_size": [3, 3],
            "strides": [1, 1],
            "padding": "same",
            "data_format": "channels_last",
            "dilation_rate": [1, 1],
            "groups": 1,
            "activation": "linear",
            "use_bias": True,
            "kernel_initializer": GLOROT,
            "bias_initializer": constant("Zeros"),
            **unset("kernel_regularizer", "bias_regularizer", "activity_regularizer"),
            **unset("kernel_constraint", "bias_constraint"),
        }
        kernel = Weight("kernel", (3, 3, channels, filters), "glorot_uniform", True, 9 * channels, 9 * filters)
        weights = (kernel, Weight("bias", (filters,), "zeros"))
        return self.layer("Conv2D", name, settings, [source], (size, size, filters), weights=weights)

    def batch_norm(self, name: str, source: KerasTensor, shape: Shape) -> KerasTensor:
        settings = {
            "axis": -1,
            "momentum": 0.99,
            "epsilon": 0.001,
            "center": True,
            "scale": True,
            "beta_initializer": constant("Zeros"),
            "gamma_initializer": constant("Ones"),
            "moving_mean_initializer": constant("Zeros"),
            "moving_variance_initializer": constant("Ones"),
            **unset("beta_regularizer", "gamma_regularizer", "beta_constraint", "gamma_constraint"),
            "synchronized": False,
            "renorm": False,
            "renorm_clipping": None,
            "renorm_momentum": 0.99,
        }
        channels = (int(shape[-1] or 0),)
        weights = (
            Weight("gamma", channels, "ones"),
            Weight("beta", channels, "zeros"),
            Weight("moving_mean", channels, "zeros", False),
            Weight("moving_variance", channels, "ones", False),
        )
        return self.layer("BatchNormalization", name, settings, [source], shape, weights=weights)

    def dense(
        self, name: str, source: KerasTensor, size: int, units: int, trainable: bool = True, initializer: Any = None
    ) -> KerasTensor:
        settings = {
            "units": units,
            "activation": "linear",
            "use_bias": True,
            "kernel_initializer": initializer or GLOROT,
            "bias_initializer": constant("Zeros"),
            **unset("kernel_regularizer", "bias_regularizer", "kernel_constraint", "bias_constraint"),
            "quantization_config": None,
        }
        kernel = Weight("kernel", (size, units), "zeros" if initializer else "glorot_uniform", True, size, units)
        weights = (kernel, Weight("bias", (units,), "zeros"))
        return self.layer("Dense", name, settings, [source], (units,), weights=weights, trainable=trainable)

    def model(self, inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]) -> KerasModel:
        names = tuple(self.layers[one.layer].name for one in outputs)
        return KerasModel("net", tuple(self.layers), tuple(inputs), tuple(outputs), names)


def residual() -> KerasModel:
    """One input, one output: conv, batch norm, activation, dropout and a shortcut."""
    draft = Draft()
    image = draft.input("image", 8, 8, 3)
    shape = (8, 8, 4)
    stem = draft.conv("stem", image, 8, 3, 4)
    inner = draft.conv("inner", stem, 8, 4, 4)
    inner = draft.batch_norm("inner_bn", inner, shape)
    settings = {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}
    inner = draft.layer("ReLU", "inner_relu", settings, [inner], shape)
    joined = draft.layer("Add", "add", {}, [inner, stem], shape, as_list=True)
    dropped = draft.layer("Dropout", "dropout", {"rate": 0.5, "seed": None, "noise_shape": None}, [joined], shape)
    pool = {"pool_size": [2, 2], "padding": "valid", "strides": [2, 2], "data_format": "channels_last"}
    pooled = draft.layer("MaxPooling2D", "pool", pool, [dropped], (4, 4, 4))
    flat = draft.layer("Flatten", "flatten", {"data_format": "channels_last"}, [pooled], (64,))
    return draft.model([image], [draft.dense("logits", flat, 64, 10)])


def shared() -> KerasModel:
    """Two inputs, two outputs, a bare operation with two results, and a frozen layer that reads its own result."""
    draft = Draft()
    image, table = draft.input("image", 8, 8, 4), draft.input("table", 2)
    split = draft.layer(
        "Split",
        "split",
        {"indices_or_sections": 2, "axis": -1},
        [image],
        (8, 8, 2),
        (8, 8, 2),
        module="keras.src.ops.numpy",
    )
    halves = [split, KerasTensor(split.layer, 0, 1)]
    product = draft.layer("Multiply", "multiply", {}, halves, (8, 8, 2), as_list=True)
    pool = {"data_format": "channels_last", "keepdims": False}
    pooled = draft.layer("GlobalAveragePooling2D", "gap", pool, [product], (2,))
    twice = draft.dense("twice", pooled, 2, 2, trainable=False)
    between = draft.layer("Activation", "tanh", {"activation": "tanh"}, [twice], (2,))
    again = draft.again(twice, between)
    joined = draft.layer("Concatenate", "concat", {"axis": -1}, [again, table], (4,), as_list=True)
    return draft.model([image, table], [draft.dense("main", joined, 4, 3), again])


def chain(length: int, width: int = 4, initializer: Any = None) -> KerasModel:
    draft = Draft()
    first = tensor = draft.input("input", width)
    for index in range(length):
        tensor = draft.dense(f"dense_{index}", tensor, width, width, initializer=initializer)
    return draft.model([first], [tensor])


NETWORKS = {"residual": residual, "shared": shared, "chain": lambda: chain(3)}
EACH = pytest.mark.parametrize("name", NETWORKS)


def archived(model: KerasModel, **options: Any) -> bytes:
    file = io.BytesIO()
    write_archive(model, file, **options)
    return file.getvalue()


def live(model: KerasModel) -> Any:
    from archc.backends.keras.model import to_keras

    return to_keras(model)


def loaded(data: bytes, folder: Path) -> Any:
    keras = plain_keras()
    path = folder / "net.keras"
    path.write_bytes(data)
    return keras.saving.load_model(str(path), safe_mode=True)


def examples(model: KerasModel) -> list[Any]:
    generator = numpy.random.default_rng(1)
    shapes = [model.layers[one.layer].calls[0].shapes[0] for one in model.inputs]
    return [generator.random((2, *(one or 1 for one in shape)), dtype="float32") for shape in shapes]


def outputs(keras_model: Any, model: KerasModel) -> list[Any]:
    inputs = examples(model)
    given = keras_model(inputs if len(inputs) > 1 else inputs[0])
    return [numpy.asarray(one) for one in (given if isinstance(given, (list, tuple)) else [given])]  # pyright: ignore


def initial_weights(model: KerasModel) -> list[Any]:
    """What the archive should hold, in the order of Keras's `get_weights`."""
    return [
        initial.values(weight, 0, initial.identity(layer.name, position, weight))
        for _, layer in weight_paths(model)
        for position, weight in enumerate(layer.weights)
    ]


def same(left: Sequence[Any], right: Sequence[Any]) -> bool:
    return len(left) == len(right) and all(numpy.array_equal(a, b) for a, b in zip(left, right, strict=True))


# ---- without Keras ----


def test_writing_loads_no_framework() -> None:
    """An archive is written without Keras, TensorFlow or JAX being imported."""
    code = (
        "import sys, io; sys.path.insert(0, 'tests'); from test_archive import residual, write_archive;"
        "write_archive(residual(), io.BytesIO());"
        "print(sorted({'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=_environment(), capture_output=True, text=True)
    assert (run.stdout.strip(), run.stderr) == ("[]", "")


def _environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


@EACH
def test_same_bytes_every_time(name: str) -> None:
    """Two archives of one network are equal, also from processes that hash strings differently."""
    code = (
        "import sys, hashlib; sys.path.insert(0, 'tests'); from test_archive import NETWORKS, archived;"
        f"print(hashlib.sha256(archived(NETWORKS[{name!r}]())).hexdigest())"
    )
    here = hashlib.sha256(archived(NETWORKS[name]())).hexdigest()
    for number in "12":
        env = _environment(PYTHONHASHSEED=number)
        run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
        assert run.stdout.strip() == here, run.stderr


def test_seed_changes_weights_only() -> None:
    one, two = (zipfile.ZipFile(io.BytesIO(archived(residual(), seed=seed))) for seed in (0, 1))
    assert one.read("config.json") == two.read("config.json")
    assert one.read("model.weights.h5") != two.read("model.weights.h5")


def test_a_new_layer_changes_no_other_weights() -> None:
    """Initial values hang on the names of layer and weight, not on their place."""
    before, after = initial_weights(chain(2)), initial_weights(chain(3))
    assert same(before, after[:4])


def test_the_archive_is_whole() -> None:
    """Stored entries with right checksums and no time stamps; HDF5 holds the initial weights where Keras looks."""
    import h5py

    model = residual()
    with zipfile.ZipFile(io.BytesIO(archived(model))) as archive:
        assert archive.testzip() is None
        assert [one.filename for one in archive.infolist()] == ["metadata.json", "config.json", "model.weights.h5"]
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}
        hdf5: Any = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
    assert sorted(hdf5["layers"]) == ["batch_normalization", "conv2d", "conv2d_1", "dense"]
    assert hdf5["layers/conv2d/vars"].attrs["name"] == "stem"
    assert hdf5["layers/conv2d_1/vars/0"].shape == (3, 3, 4, 4)
    stored = [
        hdf5[f"{path}/vars/{key}"][()] for path, layer in weight_paths(model) for key in range(len(layer.weights))
    ]
    assert same(stored, initial_weights(model))


def test_given_weights_are_written_and_checked() -> None:
    model = chain(1)
    kernel, bias = numpy.reshape(numpy.arange(16.0), (4, 4)), numpy.ones(4)
    assert archived(model, weights={"dense_0": [kernel, bias]}) != archived(model)
    with pytest.raises(ValueError, match="dense_0"):
        archived(model, weights={"dense_0": [bias, kernel]})


class SparseFile(io.FileIO):
    """A file in which long writes leave holes."""

    def write(self, data: Any) -> int:
        if len(data) < 1 << 20:
            return super().write(data)
        self.seek(len(data), os.SEEK_CUR)
        return len(data)


class Inside:
    """A file within a file, from an offset to the end: `ZipExtFile` would read all that it seeks over."""

    def __init__(self, file: BinaryIO, offset: int) -> None:
        self.file, self.offset = file, offset

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self.file.seek(offset + (self.offset if whence == os.SEEK_SET else 0), whence) - self.offset

    def tell(self) -> int:
        return self.file.tell() - self.offset

    def read(self, count: int) -> bytes:
        return self.file.read(count)


def _header_size(file: BinaryIO, offset: int) -> int:
    """The length of the header before a zip entry's data."""
    file.seek(offset)
    name, extra = struct.unpack("<26xHH", file.read(30))
    return 30 + name + extra


def test_more_than_4_gib(tmp_path: Path) -> None:
    """Beyond 4 GiB the archive takes the long form of zip; the file has holes, so no 4 GiB are written."""
    import h5py

    with SparseFile(tmp_path / "large.keras", "w+") as file:
        write_archive(chain(1, 1 << 15, constant("Zeros")), file)  # pyright: ignore[reportArgumentType]
    with zipfile.ZipFile(tmp_path / "large.keras") as archive:
        entry = archive.getinfo("model.weights.h5")
        assert entry.file_size > 1 << 32
    with open(tmp_path / "large.keras", "rb") as file:
        hdf5: Any = h5py.File(Inside(file, entry.header_offset + _header_size(file, entry.header_offset)))
        assert hdf5["layers/dense/vars/0"].shape == (1 << 15, 1 << 15)
        assert hdf5["layers/dense/vars/1"][-1] == 0


def test_memory_stays_bounded(tmp_path: Path) -> None:
    """A weight of 1 GiB needs a small part of that in memory."""
    code = (
        "import sys, resource; sys.path.insert(0, 'tests'); from test_archive import chain, write_archive;"
        "limit = 700 << 20; resource.setrlimit(resource.RLIMIT_DATA, (limit, limit));"
        "write_archive(chain(1, 1 << 14), open(sys.argv[1], 'wb')); print('written')"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "large.keras")],
        cwd=ROOT,
        env=_environment(OPENBLAS_NUM_THREADS="1"),
        capture_output=True,
        text=True,
    )
    assert run.stdout.strip() == "written", run.stderr


def test_long_chains_do_not_recurse() -> None:
    model = chain(5_000)
    assert len(keras_order(model).layers) == 5_001
    assert len(config(model)["config"]["layers"]) == 5_001
    assert zipfile.ZipFile(io.BytesIO(archived(model))).testzip() is None


KINDS = {
    "glorot_uniform": math.sqrt(6 / 800) / math.sqrt(3),
    "glorot_normal": math.sqrt(2 / 800),
    "he_uniform": math.sqrt(6 / 500) / math.sqrt(3),
    "he_normal": math.sqrt(2 / 500),
    "lecun_uniform": math.sqrt(3 / 500) / math.sqrt(3),
    "lecun_normal": math.sqrt(1 / 500),
    "random_uniform": 0.1 / math.sqrt(12),
    "random_normal": 0.05,
    "truncated_normal": 0.05 * 0.87962566,
    "variance_scaling:2.0:fan_out:truncated_normal": math.sqrt(2 / 300),
    "variance_scaling:0.5:fan_in:uniform": math.sqrt(0.5 / 500),
    "orthogonal": math.sqrt(1 / 500),
}


@pytest.mark.parametrize("kind", KINDS)
def test_initial_values_spread_as_stated(kind: str) -> None:
    """Mean and deviation are those of the distribution, within what chance allows."""
    values = initial.values(Weight("kernel", (500, 300), kind, True, 500, 300), 0, 1)
    assert values.dtype == numpy.float32
    assert float(values.std()) == pytest.approx(KINDS[kind], rel=0.01)
    assert abs(float(values.mean())) < 5 * KINDS[kind] / math.sqrt(values.size)
    if "uniform" in kind:
        assert float(numpy.abs(values).max()) == pytest.approx(KINDS[kind] * math.sqrt(3), rel=1e-3)


def test_constants_and_unknown_kinds() -> None:
    for kind, value in {"zeros": 0, "Ones": 1, "constant:0.25": 0.25}.items():
        assert initial.values(Weight("w", (3, 2), kind), 0, 0).tolist() == [[value, value]] * 3
    assert initial.values(Weight("w", (2, 2), "identity"), 0, 0).tolist() == [[1, 0], [0, 1]]
    with pytest.raises(ValueError, match="sideways"):
        initial.values(Weight("w", (2,), "sideways"), 0, 0)


def test_blocks_make_up_the_whole() -> None:
    weight = Weight("kernel", (3, initial.BLOCK // 2), "he_normal", True, 10, 10)
    parts = [initial.block(weight, 7, 8, one) for one in range(initial.blocks(weight))]
    assert [one.size for one in parts] == [initial.BLOCK, initial.BLOCK // 2]
    assert numpy.array_equal(numpy.concatenate(parts), initial.values(weight, 7, 8).ravel())


# ---- against Keras ----


def comparable(value: Any) -> Any:
    """A config without the addresses that tell Keras which objects are one."""
    if isinstance(value, dict):
        pairs: Any = value.items()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return {key: comparable(one) for key, one in pairs if key not in ("shared_object_id", "compile_config")}
    if isinstance(value, list):
        return [comparable(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
    return value


@pytest.mark.keras
@EACH
def test_config_is_that_of_keras(name: str) -> None:
    """The config equals what Keras writes, of the live model and of the one it makes from our text."""
    keras = plain_keras()
    model = NETWORKS[name]()
    ours = json.loads(config_text(model))
    reread = keras.models.model_from_json(config_text(model))
    assert comparable(json.loads(live(model).to_json())) == ours
    assert comparable(json.loads(reread.to_json())) == ours


@pytest.mark.keras
@EACH
def test_all_forms_have_equal_weights_and_outputs(name: str, tmp_path: Path) -> None:
    """Archive, config with weights, live model, and the archive that Keras itself writes of it."""
    keras = plain_keras()
    model = NETWORKS[name]()
    memory, archive = live(model), loaded(archived(model), tmp_path)
    reread = keras.models.model_from_json(config_text(model))
    reread.set_weights(archive.get_weights())
    archive.save(tmp_path / "again.keras")
    again = keras.saving.load_model(str(tmp_path / "again.keras"), safe_mode=True)
    for one in (memory, archive, reread, again):
        assert same(one.get_weights(), memory.get_weights())
        assert same(outputs(one, model), outputs(memory, model))
        assert one.count_params() == sum(weight.size for layer in model.layers for weight in layer.weights)
    for _, layer in weight_paths(model):
        assert memory.get_layer(layer.name).trainable == layer.trainable
        expected = [initial.values(w, 0, initial.identity(layer.name, n, w)) for n, w in enumerate(layer.weights)]
        assert same([numpy.asarray(one) for one in archive.get_layer(layer.name).weights], expected)


@pytest.mark.keras
def test_given_weights_arrive(tmp_path: Path) -> None:
    kernel, bias = numpy.reshape(numpy.arange(16.0), (4, 4)), numpy.ones(4)
    archive = loaded(archived(chain(2), weights={"dense_1": [kernel, bias]}), tmp_path)
    assert same([numpy.asarray(one) for one in archive.get_layer("dense_1").weights], [kernel, bias])


@pytest.mark.keras
def test_plain_keras_loads_it(tmp_path: Path) -> None:
    """A fresh process that cannot import archc loads the archive in safe mode."""
    path = tmp_path / "net.keras"
    path.write_bytes(archived(shared()))
    code = (
        "import sys; sys.modules['archc'] = None; import keras;"
        f"print(keras.saving.load_model({str(path)!r}, safe_mode=True).count_params())"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert run.stdout.split()[-1:] == ["21"], run.stderr


@pytest.mark.keras
def test_long_chains_live() -> None:
    """Keras's own walk through a graph recurses; ours gives it room."""
    model = chain(1100)
    assert outputs(live(model), model)[0].shape == (2, 4)


@pytest.mark.keras
def test_inner_layers_hold_weights(tmp_path: Path) -> None:
    """A recurrent layer's weights belong to its cell."""
    keras = plain_keras()
    draft = Draft()
    first = draft.input("input", 5, 3)
    stock = keras.layers.LSTM(4)
    settings = {key: one for key, one in stock.get_config().items() if key not in ("name", "trainable", "dtype")}
    weights = (
        Weight("kernel", (3, 16), "glorot_uniform", True, 3, 16),
        Weight("recurrent_kernel", (4, 16), "orthogonal", True, 4, 16),
        Weight("bias", (16,), "zeros"),
    )
    model = draft.model([first], [draft.layer("LSTM", "lstm", settings, [first], (4,), weights=weights)])
    memory, archive = live(model), loaded(archived(model), tmp_path)
    assert same(archive.get_weights(), memory.get_weights())
    assert same(archive.get_weights(), initial_weights(model))


@pytest.mark.keras
def test_tables_are_those_of_keras() -> None:
    """Which layers are built when made, and which arguments Keras fills in, read from its classes."""
    keras = plain_keras()
    stock: dict[str, Any] = vars(keras.layers)
    classes = {one.__name__: one for one in stock.values() if hasattr(one, "call")}
    at_once = {name for name, one in classes.items() if _is_built_at_once(one)} - {"JaxLayer", "FlaxLayer", "TFSMLayer"}
    assert at_once == BUILT_AT_ONCE
    for name, filled_in in CALL_ARGUMENTS.items():
        parameters = inspect.signature(classes[name].call).parameters
        assert {key: parameters[key].default for key in filled_in} == filled_in


def _is_built_at_once(layer: Any) -> bool:
    own = [one for one in layer.__mro__ if one.__module__.startswith("keras.src.layers.") and "__init__" in vars(one)]
    made = [inspect.getsource(one.__init__) for one in own if one.__name__ != "Layer"]
    return any("_build_at_init()" in one or "self.built = True" in one for one in made)


@pytest.mark.keras
@pytest.mark.parametrize(
    "kind", ["GlorotUniform", "GlorotNormal", "HeNormal", "HeUniform", "LecunNormal", "RandomNormal", "TruncatedNormal"]
)
def test_initial_values_are_spread_as_keras_spreads_them(kind: str) -> None:
    """Quantiles of ours and of Keras's own values agree."""
    keras = plain_keras()
    shape = (3, 3, 100, 200)
    ours = initial.values(Weight("kernel", shape, kind, True, 900, 1800), 0, 1)
    stock = getattr(keras.initializers, kind)(seed=1)
    theirs = numpy.asarray(stock(shape))
    at = numpy.linspace(0, 1, 21)
    scale = float(theirs.std())
    assert numpy.abs(numpy.quantile(ours, at[1:-1]) - numpy.quantile(theirs, at[1:-1])).max() < 0.02 * scale
    assert float(numpy.abs(ours).max()) == pytest.approx(float(numpy.abs(theirs).max()), rel=0.15)


# ---- whole specs and single steps, as the compiler lowers them ----

STEPS = """
conv: {filters: 6, kernel: 3, stride: 2, padding: same, groups: 2}
conv: {filters: 6, kernel: 3, padding: [[1, 2], [0, 1]], dilation: 2, activation: relu, bias: false}
depthwise_conv: {kernel: 3, multiplier: 2, padding: same}
separable_conv: {filters: 5, kernel: 3, multiplier: 2}
conv_transpose: {filters: 6, kernel: 3, stride: 2, padding: 1, output_padding: 1, groups: 2}
max_pool: {size: 3, stride: 2, rounding: ceil}
avg_pool: {size: 3, stride: 2, padding: 1}
global_max_pool: {keep_dims: true}
adaptive_avg_pool: {size: 4}
layer_norm
group_norm: {groups: 4}
instance_norm
depth_to_space: [2, channels]
space_to_depth: 2
conv: {filters: 4, kernel_initializer: {scale: 2, mode: fan_out}}
lrn
scale: {initial: 1e-6, bias: true}
normalize: {mean: [1, 2, 3, 4, 5, 6, 7, 8], variance: [1, 2, 3, 4, 5, 6, 7, 8]}
normalize: {adapt: true}
prelu: {shared: true}
leaky_relu
softmax
abs
pad: {amounts: 2, mode: reflect}
pad_channels: 12
crop: {amounts: 2}
upsample: {size: 2, interpolation: bilinear}
resize: {size: [10, 12]}
select: [0, 3, 5]
slice: {axis: 1, start: 2, stop: 10, step: 3}
channel_shuffle: {groups: 2}
spatial_dropout: 0.2
drop_path: 0.2
gaussian_noise: 0.1
concat: {a: [{conv: 3}], b: [{conv: 4}]}
multiply: {a: [], b: [{global_avg_pool: {keep_dims: true}}]}
steps: [{conv: {filters: 8, kernel: 3, padding: same}, share: s}, {max_pool: 2}, {conv: {filters: 8}, share: t}, {conv: {filters: 8}, share: t}]
steps: [{split: 2, as: [a, b]}, {multiply: [a, b]}]
steps: [{reshape: [32, 64]}, {conv: {filters: 4, kernel: 3, padding: causal}}, {max_pool: 2}, global_avg_pool]
steps: [{reshape: [4, 8, 8, 8]}, {conv: {filters: 4, kernel: 3}}, {conv_transpose: {filters: 3, kernel: 2, stride: 2}}]
""".strip().splitlines()


def agree(model: KerasModel, folder: Path) -> None:
    """Config, archive and live model of a lowered network are one network."""
    keras = plain_keras()
    memory, archive = live(model), loaded(archived(model), folder)
    reread = keras.models.model_from_json(config_text(model))
    reread.set_weights(archive.get_weights())
    assert comparable(json.loads(memory.to_json())) == json.loads(config_text(model))
    assert same(memory.get_weights(), archive.get_weights())
    expected = outputs(memory, model)
    assert all(numpy.isfinite(one).all() for one in expected)
    assert same(outputs(archive, model), expected)
    assert same(outputs(reread, model), expected)


@pytest.mark.keras
@pytest.mark.parametrize("step", STEPS)
def test_each_step_agrees(step: str, tmp_path: Path) -> None:
    written = f"{{{step}}}" if ":" in step else step
    path = tmp_path / "step.yaml"
    path.write_text(f"archc: 1\nname: step\ninput: [16, 16, 8]\nlayers:\n  - {written}\n")
    agree(archc.compile(str(path)).lowered, tmp_path)


@pytest.mark.keras
@pytest.mark.parametrize("address", ["lenet", "googlenet", "resnet:18"])
def test_specs_agree(address: str, tmp_path: Path) -> None:
    agree(archc.compile(address).lowered, tmp_path)
