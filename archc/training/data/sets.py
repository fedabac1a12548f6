"""The data sets that a recipe may name, with what is known of each before its files are opened."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from archc.diagnostics import codes
from archc.operators import attribute
from archc.operators.base import Problem
from archc.operators.kinds import BOOLEAN, TEXT
from archc.training.kinds import FRACTION_ABOVE, HOLDOUT, IMAGE_SIZE, OPTIONAL_TEXT, words
from archc.training.settings import Setting

if TYPE_CHECKING:
    from archc.training.data.examples import Examples

FOLDER = "where the files are; null looks in `$ARCHC_DATA`, `data/` and Keras's cache"
VERIFY = "holds the files to the published sizes and digests"
HELD = "how much of the training part is held out for validation"
ORDER = "whether the last examples are held out, or ones drawn with the seed"


@dataclass(frozen=True, kw_only=True)
class DataSet(Setting):
    """A set of labelled images, with a part for testing that only the final evaluation reads."""

    train_count: ClassVar[int | None] = None
    test_count: ClassVar[int | None] = None
    holdout: float
    split: str

    @property
    def image(self) -> tuple[int, ...] | None:
        """The shape of its images, where that is known before they are read."""
        return None

    @property
    def count(self) -> int | None:
        """The number of classes, where that is known."""
        return None

    @abstractmethod
    def load(self, base: Path | None, seed: int) -> Examples:
        """Reads it. `base` is the folder that relative paths start from. Raises `DataError`."""

    def problems(self) -> Iterator[tuple[str, Problem]]:
        if self.train_count is not None and isinstance(self.holdout, int) and self.holdout >= self.train_count:
            yield "holdout", Problem(codes.WRONG_VALUE, f"{self.holdout:,} of {self.train_count:,} examples are held out, and none is left to train on", help=f"hold out fewer, as in `holdout: {self.train_count // 10}`")


@dataclass(frozen=True, kw_only=True)
class Cifar10(DataSet):
    """CIFAR-10 (Krizhevsky, 2009): 50,000 and 10,000 colour images of 32x32 pixels in 10 classes, from its Python files."""

    name: ClassVar[str] = "cifar10"
    train_count: ClassVar[int | None] = 50_000
    test_count: ClassVar[int | None] = 10_000
    holdout: float = attribute(HOLDOUT, HELD, 5000)
    split: str = attribute(words("last", "random"), ORDER, "last")
    folder: str | None = attribute(OPTIONAL_TEXT, FOLDER, None)
    verify: bool = attribute(BOOLEAN, VERIFY, True)

    @property
    def image(self) -> tuple[int, ...] | None:
        return (32, 32, 3)

    @property
    def count(self) -> int | None:
        return 10

    def load(self, base: Path | None, seed: int) -> Examples:
        from archc.training.data.cifar import load

        return load(self.name, folder=self.folder, base=base, verify=self.verify)


@dataclass(frozen=True, kw_only=True)
class Cifar100(Cifar10):
    """CIFAR-100: the like in 100 classes, or their 20 groups."""

    name: ClassVar[str] = "cifar100"
    labels: str = attribute(words("fine", "coarse"), "100 classes, or 20 groups of them", "fine")

    @property
    def count(self) -> int | None:
        return 100 if self.labels == "fine" else 20

    def load(self, base: Path | None, seed: int) -> Examples:
        from archc.training.data.cifar import load

        return load(self.name, folder=self.folder, base=base, verify=self.verify, labels=f"{self.labels}_labels")


@dataclass(frozen=True, kw_only=True)
class Mnist(DataSet):
    """MNIST (LeCun, Cortes, Burges): 60,000 and 10,000 grey digits of 28x28 pixels, from its four IDX files."""

    name: ClassVar[str] = "mnist"
    train_count: ClassVar[int | None] = 60_000
    test_count: ClassVar[int | None] = 10_000
    holdout: float = attribute(HOLDOUT, HELD, 5000)
    split: str = attribute(words("last", "random"), ORDER, "last")
    folder: str | None = attribute(OPTIONAL_TEXT, FOLDER, None)
    verify: bool = attribute(BOOLEAN, VERIFY, True)

    @property
    def image(self) -> tuple[int, ...] | None:
        return (28, 28, 1)

    @property
    def count(self) -> int | None:
        return 10

    def load(self, base: Path | None, seed: int) -> Examples:
        from archc.training.data.idx import load

        return load(self.name, folder=self.folder, base=base, verify=self.verify)


@dataclass(frozen=True, kw_only=True)
class FashionMnist(Mnist):
    """Fashion-MNIST (Xiao, Rasul, Vollgraf, 2017): articles of clothing in MNIST's form."""

    name: ClassVar[str] = "fashion_mnist"


@dataclass(frozen=True, kw_only=True)
class Digits(DataSet):
    """The 1,797 grey digits of 8x8 pixels that scikit-learn ships; a part of them, drawn with the seed, is for testing."""

    name: ClassVar[str] = "digits"
    holdout: float = attribute(HOLDOUT, HELD, 0.1)
    split: str = attribute(words("last", "random"), ORDER, "random")
    test: float = attribute(FRACTION_ABOVE, "the share for testing", 0.2)

    @property
    def image(self) -> tuple[int, ...] | None:
        return (8, 8, 1)

    @property
    def count(self) -> int | None:
        return 10

    def load(self, base: Path | None, seed: int) -> Examples:
        from archc.training.data.arrays import load_digits

        return load_digits(self.test, seed)


@dataclass(frozen=True, kw_only=True)
class ImageFolder(DataSet):
    """A folder with one folder of images for each class, or with `train` and `test` that hold such folders. Needs Pillow."""

    name: ClassVar[str] = "images"
    positional: ClassVar[tuple[str, ...]] = ("folder", "size")
    folder: str = attribute(TEXT, "the folder, from the recipe's own")
    size: Any = attribute(IMAGE_SIZE, "the height and width at which images are read")
    channels: str = attribute(words("grey", "colour"), "one channel or three", "colour")
    holdout: float = attribute(HOLDOUT, HELD, 0.1)
    split: str = attribute(words("last", "random"), ORDER, "random")
    test: float = attribute(FRACTION_ABOVE, "the share for testing, where there is no `test` folder", 0.1)

    @property
    def image(self) -> tuple[int, ...] | None:
        height, width = (self.size, self.size) if isinstance(self.size, int) else self.size
        return (height, width, 1 if self.channels == "grey" else 3)

    def load(self, base: Path | None, seed: int) -> Examples:
        from archc.training.data.images import load

        shape = self.image
        assert shape is not None
        return load((base or Path()) / Path(self.folder).expanduser(), (shape[0], shape[1]), shape[2], self.test, seed)


@dataclass(frozen=True, kw_only=True)
class Arrays(DataSet):
    """An `.npz` file of NumPy arrays: `x_train`, `y_train` (whole numbers from 0), and `x_test`, `y_test`."""

    name: ClassVar[str] = "arrays"
    positional: ClassVar[tuple[str, ...]] = ("file",)
    file: str = attribute(TEXT, "the file, from the recipe's own folder")
    holdout: float = attribute(HOLDOUT, HELD, 0.1)
    split: str = attribute(words("last", "random"), ORDER, "random")

    def load(self, base: Path | None, seed: int) -> Examples:
        from archc.training.data.arrays import load_npz

        return load_npz((base or Path()) / Path(self.file).expanduser())


@dataclass(frozen=True, kw_only=True)
class Tfds(DataSet):
    """A data set that tensorflow-datasets has prepared on this machine, with images of one size (`archc[tfds]`)."""

    name: ClassVar[str] = "tfds"
    positional: ClassVar[tuple[str, ...]] = ("set",)
    set: str = attribute(TEXT, "its name there, as in `svhn_cropped`")
    folder: str | None = attribute(OPTIONAL_TEXT, "the `data_dir`; null is the library's own", None)
    train: str = attribute(TEXT, "the split to train on", "train")
    test: str = attribute(TEXT, "the split for testing", "test")
    holdout: float = attribute(HOLDOUT, HELD, 0.1)
    split: str = attribute(words("last", "random"), ORDER, "random")

    def load(self, base: Path | None, seed: int) -> Examples:
        from archc.training.data.arrays import load_tfds

        return load_tfds(self.set, self.folder, self.train, self.test)


DATA_SETS: dict[str, type[DataSet]] = {one.name: one for one in (Cifar10, Cifar100, Mnist, FashionMnist, Digits, ImageFolder, Arrays, Tfds)}
