"""Data sets: real formats read right, damaged and missing files told in words, and parts that have no example in common."""

from __future__ import annotations

import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from archc.diagnostics.packages import MissingPackage
from archc.training.data import cifar, idx
from archc.training.data.arrays import load_npz, load_tfds, synthetic
from archc.training.data.examples import DataError, Examples, Part, statistics
from archc.training.data.images import load as load_images
from archc.training.data.split import Split, SplitError, split
from tests.data_files import images, pack, write_cifar10, write_cifar100, write_mnist


@pytest.mark.parametrize("order", ["last", "random"])
@pytest.mark.parametrize("holdout", [0, 1, 5000, 49_999, 0.1])
def test_parts_are_disjoint_and_complete(holdout: float, order: str) -> None:
    parts = split(50_000, holdout, order=order, seed=3)
    size = holdout if isinstance(holdout, int) else 5000
    assert (len(parts.train), len(parts.validation)) == (50_000 - size, size)
    assert not np.intersect1d(parts.train, parts.validation).size
    assert np.array_equal(np.union1d(parts.train, parts.validation), np.arange(50_000))


def test_the_last_examples_are_held_out() -> None:
    """The lecture's way, done right: its own code gives 4, 5, 6 here, which it trains on as well."""
    parts = split(10, 3)
    assert parts.train.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert parts.validation.tolist() == [7, 8, 9]


@pytest.mark.parametrize("holdout", [50_000, 60_000])
def test_something_is_left_to_train_on(holdout: int) -> None:
    with pytest.raises(SplitError, match="none is left"):
        split(50_000, holdout)


def test_one_seed_gives_one_split() -> None:
    assert np.array_equal(split(100, 10, order="random", seed=1).validation, split(100, 10, order="random", seed=1).validation)
    assert not np.array_equal(split(100, 10, order="random", seed=1).validation, split(100, 10, order="random", seed=2).validation)


def test_the_lectures_mistake_is_refused() -> None:
    """Cutting the training part first and the validation part from what is left: the check finds the overlap."""
    train = np.arange(50_000)[:-5000]
    with pytest.raises(SplitError, match="5000 examples are in both parts, and 5000 in neither"):
        Split(train, train[-5000:]).verify(50_000)


def test_cifar10_from_a_folder_and_from_an_archive(tmp_path: Path) -> None:
    inside = write_cifar10(tmp_path)
    found = cifar.load("cifar10", folder=str(tmp_path), base=None, verify=False)
    pixels, labels = images(20, 32, 3, 1)
    assert found.train.images.shape == (100, 32, 32, 3)
    assert np.array_equal(found.train.images[:20], pixels)
    assert np.array_equal(found.train.labels[:20], labels)
    assert found.classes[3] == "cat"
    (tmp_path / "packed").mkdir()
    pack(inside, tmp_path / "packed" / "cifar-10-python.tar.gz")
    packed = cifar.load("cifar10", folder="packed", base=tmp_path, verify=False)
    assert np.array_equal(packed.test.images, found.test.images)


@pytest.mark.parametrize(("labels", "count", "name"), [("fine_labels", 100, "c0"), ("coarse_labels", 20, "g0")])
def test_cifar100(labels: str, count: int, name: str, tmp_path: Path) -> None:
    write_cifar100(tmp_path)
    found = cifar.load("cifar100", folder=str(tmp_path), base=None, verify=False, labels=labels)
    assert (len(found.classes), found.classes[0], len(found.train)) == (count, name, 30)


def test_a_pickle_runs_nothing(tmp_path: Path) -> None:
    inside = write_cifar10(tmp_path)

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "touched",))

    (inside / "data_batch_2").write_bytes(pickle.dumps({b"data": Evil()}, protocol=2))
    with pytest.raises(DataError, match="no CIFAR file needs"):
        cifar.load("cifar10", folder=str(tmp_path), base=None, verify=False)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("gzipped", [True, False])
def test_mnist(gzipped: bool, tmp_path: Path) -> None:
    write_mnist(tmp_path, gzipped=gzipped)
    found = idx.load("mnist", folder=str(tmp_path), base=None, verify=False)
    assert found.train.images.shape == (40, 28, 28, 1)
    assert np.array_equal(found.test.labels, images(20, 28, 1, 2)[1])


@pytest.mark.parametrize("kind", ["mnist", "fashion_mnist", "cifar10", "cifar100"])
def test_missing_files_are_named_with_size_and_digest(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHC_DATA", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    load = idx.load if "mnist" in kind else cifar.load
    with pytest.raises(DataError) as found:
        load(kind, folder=None, base=None, verify=True)
    published = idx.FILES[kind][0] if "mnist" in kind else cifar.ARCHIVES[kind]
    assert published.name in found.value.message
    assert str(tmp_path / "elsewhere") in found.value.message
    for part in (f"{published.size:,}", published.md5, published.url, "--synthetic"):
        assert part in found.value.help


@pytest.mark.parametrize("damage", ["cut", "other", "empty"])
def test_damaged_archives_are_not_used(damage: str, tmp_path: Path) -> None:
    """A file of another size or digest is refused, and left as it is."""
    inside = write_cifar10(tmp_path / "a")
    archive = tmp_path / "cifar-10-python.tar.gz"
    pack(inside, archive)
    data = archive.read_bytes()
    archive.write_bytes({"cut": data[: len(data) // 2], "other": data, "empty": b""}[damage])
    before = archive.read_bytes()
    with pytest.raises(DataError, match="published file has 170,498,071"):
        cifar.load("cifar10", folder=str(tmp_path), base=None, verify=True)
    assert archive.read_bytes() == before
    if damage != "other":
        with pytest.raises(DataError, match=r"cannot be read|can be read to its end|holds no file"):
            cifar.load("cifar10", folder=str(tmp_path), base=None, verify=False)


@pytest.mark.parametrize("keep", [0, 3, 10, 400])
def test_cut_idx_files(keep: int, tmp_path: Path) -> None:
    write_mnist(tmp_path, gzipped=False)
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"IDX|values"):
        idx.load("mnist", folder=str(tmp_path), base=None, verify=False)


def test_arrays(tmp_path: Path) -> None:
    pixels, labels = images(30, 8, 1)
    np.savez(tmp_path / "a.npz", x_train=pixels[..., 0], y_train=labels[:, None])
    found = load_npz(tmp_path / "a.npz")
    assert found.train.images.shape == (30, 8, 8, 1)
    assert (len(found.test), len(found.classes)) == (0, 10)
    (tmp_path / "b.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:100])
    for name, words in (("b.npz", "can be read"), ("c.npz", "there is no file")):
        with pytest.raises(DataError, match=words):
            load_npz(tmp_path / name)


def examples(pixels: np.ndarray, labels: np.ndarray, classes: int = 10) -> Examples:
    part = Part(pixels, labels)
    return Examples(part, Part(pixels[:0], labels[:0]), tuple(map(str, range(classes))))


def test_senseless_examples_are_refused() -> None:
    """Before an epoch is spent: labels out of range, values that are not finite, nothing at all, one class."""
    pixels, labels = images(20, 8, 1)
    bad = pixels.astype(np.float32)
    bad[7, 0, 0, 0] = np.nan
    cases = [
        (examples(pixels, np.where(np.arange(20) == 5, 10, labels)), "label 10 of example 5"),
        (examples(pixels, np.where(np.arange(20) == 5, -1, labels)), "label -1 of example 5"),
        (examples(bad, labels), "example 7 of the training part"),
        (examples(pixels[:0], labels[:0]), "is empty"),
        (examples(pixels, np.zeros_like(labels)), "one label"),
        (examples(pixels[:10], labels), "10 images and 20 labels"),
    ]
    for one, words in cases:
        with pytest.raises(DataError, match=words):
            one.check()
    examples(pixels, labels).check()


def test_statistics_are_those_of_numpy() -> None:
    pixels, labels = images(5000, 4, 3)
    found = statistics(Part(pixels, labels))
    assert np.allclose(found["mean"], pixels.mean(axis=0))
    assert np.allclose(found["variance"], pixels.var(axis=0), atol=1e-6)


def test_synthetic_examples_have_the_form_that_is_asked_for() -> None:
    found = synthetic((32, 32, 3), 10, 1000, 100, seed=1)
    found.check()
    assert found.train.images.shape == (1000, 32, 32, 3)
    assert found.train.images.dtype == np.uint8
    assert np.bincount(found.train.labels).tolist() == [100] * 10
    assert np.array_equal(found.train.images, synthetic((32, 32, 3), 10, 1000, 100, seed=1).train.images)


def test_a_folder_of_images(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    pixels, labels = images(40, 8, 3)
    for at, (one, label) in enumerate(zip(pixels, labels)):
        (tmp_path / f"class{label}").mkdir(exist_ok=True)
        image.fromarray(one).save(tmp_path / f"class{label}" / f"{at:02d}.png")
    found = load_images(tmp_path, (8, 8), 3, 0.25, seed=0)
    found.check()
    assert (len(found.train), len(found.test), len(found.classes)) == (30, 10, 10)
    assert not set(found.train.images.paths) & set(found.test.images.paths)
    path = Path(found.train.images.paths[3])
    assert np.array_equal(found.train.images[np.array([3])][0], pixels[int(path.stem)])
    path.write_bytes(b"no image")
    with pytest.raises(DataError, match="no image that can be read"):
        found.train.images[np.array([3])]


TINY = """
import sys
import numpy as np
import tensorflow_datasets as tfds

class TinyShapes(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        label = tfds.features.ClassLabel(names=["cross", "ring", "dot"])
        features = tfds.features.FeaturesDict({"picture": tfds.features.Image(shape=(6, 5, 3)), "shape": label, "weight": np.float32})
        return tfds.core.DatasetInfo(builder=self, features=features, supervised_keys=("picture", sys.argv[2]))

    def _split_generators(self, manager):
        return {"train": self._generate_examples(12), "test": self._generate_examples(6)}

    def _generate_examples(self, count):
        for at in range(count):
            yield at, {"picture": np.full((6, 5, 3), 7 * at, np.uint8), "shape": at % 3, "weight": 1.0}

TinyShapes(data_dir=sys.argv[1]).download_and_prepare()
"""
"""Builds a data set of tensorflow-datasets in a folder; its labels are `shape`, or `weight`, which is no class."""


@pytest.mark.skipif(find_spec("tensorflow_datasets") is None, reason="tensorflow-datasets is an extra, and is not installed: pip install 'archc[tfds]'")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_tensorflow_datasets(tmp_path: Path) -> None:
    """The package itself, with a set that another process has prepared: found by name and folder, and nothing is fetched."""
    for key in ("shape", "weight"):
        subprocess.run([sys.executable, "-c", TINY, str(tmp_path / key), key], check=True, capture_output=True)
    found = load_tfds("tiny_shapes", str(tmp_path / "shape"), "train[:75%]", "test")
    found.check()
    assert found.classes == ("cross", "ring", "dot")
    assert (found.train.images.shape, found.test.images.shape) == ((9, 6, 5, 3), (6, 6, 5, 3))
    assert {int(pixels.flat[0]) // 7 % 3 == label for pixels, label in zip(found.test.images, found.test.labels)} == {True}
    with pytest.raises(DataError, match="`weight` of `tiny_shapes` is no class"):
        load_tfds("tiny_shapes", str(tmp_path / "weight"), "train", "test")
    with pytest.raises(DataError, match="cannot give `tiny_shapes`") as missing:
        load_tfds("tiny_shapes", str(tmp_path / "shape"), "train", "validation")
    assert "validation" in missing.value.message
    with pytest.raises(DataError, match="cannot give `mnist`") as missing:
        load_tfds("mnist", str(tmp_path), "train", "test")
    assert "tfds build mnist" in missing.value.help


def test_without_tensorflow_datasets_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(MissingPackage, match="not installed") as found:
        load_tfds("mnist", None, "train", "test")
    assert "archc[tfds]" in str(found.value)


def test_a_file_that_is_no_image_is_told_as_that(tmp_path: Path) -> None:
    """For `archc predict` the hint is about the file that was named, not about a data set's folder."""
    from archc.training.trained import Trained, predict

    (tmp_path / "notes.txt").write_text("no image", encoding="utf-8")
    run = Trained(tmp_path, {"image": [8, 8, 3], "classes": ["a"]}, None)
    with pytest.raises(DataError, match=r"notes\.txt is no image") as found:
        predict(run, [tmp_path / "notes.txt"], 1)
    assert "folder" not in found.value.help and "name a file" in found.value.help
