"""Preprocessing and augmentation: each step a Keras layer, run with the network on its device.

`prepare` runs always, and is a part of the model that is saved: it takes raw pixels. `augment` runs before it, on raw
pixels too, and only in training.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from archc.diagnostics import codes
from archc.operators import attribute
from archc.operators.base import Problem, Shape, product, show
from archc.operators.kinds import BOOLEAN, FRACTION, INTERPOLATION, NUMBER, POSITIVE
from archc.training.kinds import ANGLE, FRACTION_ABOVE, OPTIONAL_SIDE, SIDE, words
from archc.training.settings import Call, Setting

Statistics = Mapping[str, Any]
"""What steps need to know of the training part: `mean` and `variance`, arrays of an image's shape."""


def image(name: str, shape: Shape) -> Shape | Problem:
    """The shape, where it is an image's; a step by this name needs one."""
    return shape if len(shape) == 3 else Problem(codes.RANK, f"`{name}` takes images, and the examples are {show(shape)}")


@dataclass(frozen=True, kw_only=True)
class Preparing(Setting):
    """A step on a batch of images `height x width x channels`."""

    def shape(self, shape: Shape) -> Shape | Problem:
        """The shape of an image after the step, or why it cannot be done."""
        return image(self.name, shape)

    @abstractmethod
    def call(self, shape: Shape, statistics: Statistics) -> Call:
        """The Keras layer for images of a shape."""


@dataclass(frozen=True, kw_only=True)
class Resize(Preparing):
    """Changes the size of images."""

    name: ClassVar[str] = "resize"
    positional: ClassVar[tuple[str, ...]] = ("height", "width", "interpolation")
    height: int = attribute(SIDE, "the new height")
    width: int | None = attribute(OPTIONAL_SIDE, "the new width; null is the height", None)
    interpolation: str = attribute(INTERPOLATION, "how values between pixels come about", "bilinear")

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width or self.height

    def shape(self, shape: Shape) -> Shape | Problem:
        found = image(self.name, shape)
        return found if isinstance(found, Problem) else (*self.sides, shape[-1])

    def call(self, shape: Shape, statistics: Statistics) -> Call:
        return Call("layers", "Resizing", {"height": self.sides[0], "width": self.sides[1], "interpolation": self.interpolation})


@dataclass(frozen=True, kw_only=True)
class Pad(Preparing):
    """Puts a border of zeros around images."""

    name: ClassVar[str] = "pad"
    positional: ClassVar[tuple[str, ...]] = ("amount",)
    amount: int = attribute(POSITIVE, "pixels on each side")

    def shape(self, shape: Shape) -> Shape | Problem:
        found = image(self.name, shape)
        if isinstance(found, Problem):
            return found
        return (*(None if one is None else one + 2 * self.amount for one in shape[:2]), shape[-1])

    def call(self, shape: Shape, statistics: Statistics) -> Call:
        return Call("layers", "ZeroPadding2D", {"padding": self.amount})


@dataclass(frozen=True, kw_only=True)
class Rescale(Preparing):
    """Multiplies pixels by a factor, and adds an offset: `rescale: 0.00392156862745098` maps 255 to 1."""

    name: ClassVar[str] = "rescale"
    positional: ClassVar[tuple[str, ...]] = ("factor", "offset")
    factor: float = attribute(NUMBER, "the factor", 1 / 255)
    offset: float = attribute(NUMBER, "what is added", 0.0)

    def shape(self, shape: Shape) -> Shape | Problem:
        return shape

    def call(self, shape: Shape, statistics: Statistics) -> Call:
        return Call("layers", "Rescaling", {"scale": self.factor, **({"offset": self.offset} if self.offset else {})})


@dataclass(frozen=True, kw_only=True)
class Standardise(Preparing):
    """Gives each image a mean of 0 and a variance of 1 over all its pixels and channels.

    `(x - mean) / sqrt(variance + 1/n)` with the `n` values of the image, which keeps a flat image at 0.
    """

    name: ClassVar[str] = "standardise"

    def call(self, shape: Shape, statistics: Statistics) -> Call:
        count = product(shape) or 1
        return Call("layers", "LayerNormalization", {"axis": [1, 2, 3], "epsilon": 1 / count, "center": False, "scale": False})


@dataclass(frozen=True, kw_only=True)
class Normalise(Preparing):
    """Subtracts the mean of the training part and divides by its deviation; the validation and test parts are not looked at."""

    name: ClassVar[str] = "normalise"
    positional: ClassVar[tuple[str, ...]] = ("per",)
    per: str = attribute(words("channel", "pixel"), "one mean for each channel, or for each pixel and channel", "channel")
    deviation: bool = attribute(BOOLEAN, "divides by the deviation too", True)

    def call(self, shape: Shape, statistics: Statistics) -> Call:
        import numpy

        mean, variance = statistics["mean"], statistics["variance"]
        if self.per == "channel":
            # The variance of a channel is the mean of its pixels' variances, plus how much their means vary.
            variance = variance.mean(axis=(0, 1)) + mean.var(axis=(0, 1))
            mean = mean.mean(axis=(0, 1))
        if not self.deviation:
            variance = numpy.ones_like(variance)
        axis: Any = -1 if self.per == "channel" else [1, 2, 3]
        return Call("layers", "Normalization", {"axis": axis, "mean": mean.tolist(), "variance": numpy.maximum(variance, 1e-6).tolist()})


PREPARING: dict[str, type[Preparing]] = {one.name: one for one in (Resize, Pad, Rescale, Standardise, Normalise)}


@dataclass(frozen=True, kw_only=True)
class Flip(Preparing):
    """Mirrors half of the images."""

    name: ClassVar[str] = "flip"
    positional: ClassVar[tuple[str, ...]] = ("direction",)
    direction: str = attribute(words("horizontal", "vertical", "horizontal_and_vertical"), "left to right, top to bottom, or both", "horizontal")

    def call(self, shape: Shape, statistics: Statistics) -> Call:
        return Call("layers", "RandomFlip", {"mode": self.direction})


@dataclass(frozen=True, kw_only=True)
class Shift(Preparing):
    """Moves each image by up to so many pixels, zeros following: what padding and a random crop do."""

    name: ClassVar[str] = "shift"
    positional: ClassVar[tuple[str, ...]] = ("pixels",)
    pixels: int = attribute(POSITIVE, "the furthest move along each axis")

    def shape(self, shape: Shape) -> Shape | Problem:
        found = image(self.name, shape)
        if not isinstance(found, Problem) and any(one is not None and one <= self.pixels for one in shape[:2]):
            return Problem(codes.DOES_NOT_FIT, f"`shift` moves images by {self.pixels} pixels, and they are {show(shape)}")
        return found

    def call(self, shape: Shape, statistics: Statistics) -> Call:
        assert shape[0] is not None
        assert shape[1] is not None
        return Call("layers", "RandomTranslation", {"height_factor": self.pixels / shape[0], "width_factor": self.pixels / shape[1], "fill_mode": "constant", "interpolation": "nearest"})


@dataclass(frozen=True, kw_only=True)
class Rotate(Preparing):
    """Turns each image by up to so many degrees, zeros following."""

    name: ClassVar[str] = "rotate"
    positional: ClassVar[tuple[str, ...]] = ("degrees",)
    degrees: float = attribute(ANGLE, "the largest turn")

    def call(self, shape: Shape, statistics: Statistics) -> Call:
        return Call("layers", "RandomRotation", {"factor": self.degrees / 360, "fill_mode": "constant"})


@dataclass(frozen=True, kw_only=True)
class Zoom(Preparing):
    """Enlarges or shrinks each image by up to a fraction, zeros following."""

    name: ClassVar[str] = "zoom"
    positional: ClassVar[tuple[str, ...]] = ("amount",)
    amount: float = attribute(FRACTION_ABOVE, "the largest change")

    def call(self, shape: Shape, statistics: Statistics) -> Call:
        return Call("layers", "RandomZoom", {"height_factor": self.amount, "fill_mode": "constant"})


@dataclass(frozen=True, kw_only=True)
class Contrast(Preparing):
    """Changes the contrast of each image by up to a fraction."""

    name: ClassVar[str] = "contrast"
    positional: ClassVar[tuple[str, ...]] = ("amount",)
    amount: float = attribute(FRACTION_ABOVE, "the largest change")

    def call(self, shape: Shape, statistics: Statistics) -> Call:
        return Call("layers", "RandomContrast", {"factor": self.amount, "value_range": [0, 255]})


@dataclass(frozen=True, kw_only=True)
class Brightness(Preparing):
    """Makes each image lighter or darker by up to a fraction of 255."""

    name: ClassVar[str] = "brightness"
    positional: ClassVar[tuple[str, ...]] = ("amount",)
    amount: float = attribute(FRACTION, "the largest change")

    def call(self, shape: Shape, statistics: Statistics) -> Call:
        return Call("layers", "RandomBrightness", {"factor": self.amount, "value_range": [0, 255]})


AUGMENTING: dict[str, type[Preparing]] = {one.name: one for one in (Flip, Shift, Rotate, Zoom, Contrast, Brightness)}


def shapes(steps: tuple[Preparing, ...], shape: Shape) -> Iterator[Shape | Problem]:
    """The shape after each step, up to the first that cannot be done."""
    for one in steps:
        found = one.shape(shape)
        yield found
        if isinstance(found, Problem):
            return
        shape = found
