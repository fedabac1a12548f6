"""Pictures of a run: samples, curves, the confusion matrix. Drawn with matplotlib where it is installed (`archc[train]`)."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy

from archc.backends.base import Artefact
from archc.diagnostics.packages import installed
from archc.training.data.examples import Part
from archc.training.history import Record

COLUMNS, ROWS = 10, 5
INK, GREY, BLUE, ORANGE = "#1f2933", "#9aa5b1", "#0072b2", "#d55e00"
NAMED = 25
"""Classes whose names a confusion matrix shows; more are too many to read."""


def can_draw() -> bool:
    """True where matplotlib is installed."""
    return installed("matplotlib")


def figure(width: float, height: float) -> Any:
    """An empty figure, in inches; no window, no global state but the salt that makes SVG the same every time."""
    matplotlib: Any = importlib.import_module("matplotlib")
    matplotlib.rcParams["svg.hashsalt"] = "archc"
    return importlib.import_module("matplotlib.figure").Figure((width, height), layout="constrained")


def saved(picture: Any, stem: str, *formats: str) -> list[Artefact]:
    """A figure as files of some formats."""
    found: list[Artefact] = []
    for one in formats:
        buffer = BytesIO()
        picture.savefig(buffer, format=one, dpi=144, metadata={"Date": None} if one == "svg" else {"Software": None})
        found.append(Artefact.data(f"{stem}.{one}", buffer.getvalue()))
    return found


def pixels(images: Any) -> Any:
    """Images as matplotlib takes them: bytes as they are, other numbers between their least and most."""
    found: Any = numpy.asarray(images)
    if found.dtype != numpy.uint8:
        least, most = float(found.min()), float(found.max())
        found = (found - least) / (most - least or 1)
    return found[..., 0] if found.shape[-1] == 1 else found[..., :3]


def samples(part: Part, classes: Sequence[str]) -> list[Artefact]:
    """`samples.png`: the first examples of a part in a grid, each class in turn, with their names."""
    chosen = in_turn(part.labels, COLUMNS * ROWS)
    images = pixels(part.images[chosen])
    picture = figure(COLUMNS * 0.95, ROWS * 1.15)
    for at in range(COLUMNS * ROWS):
        axes = picture.add_subplot(ROWS, COLUMNS, at + 1)
        axes.axis("off")
        if at < len(chosen):
            axes.imshow(images[at], cmap="gray", interpolation="nearest")
            axes.set_title(short(classes[int(part.labels[chosen[at]])]), fontsize=8, color=INK, pad=2)
    return saved(picture, "samples", "png")


def in_turn(labels: Any, count: int) -> Any:
    """Indices of examples, one of each class after the other."""
    known = numpy.unique(labels)
    each = -(-count // len(known))
    rows = [numpy.flatnonzero(labels == one)[:each] for one in known]
    found = [int(row[at]) for at in range(each) for row in rows if at < len(row)]
    return numpy.array(found[:count])


def short(name: str, limit: int = 14) -> str:
    """A class's name that fits over its picture."""
    return name if len(name) <= limit else f"{name[: limit - 1]}…"


def curves(records: Sequence[Record], best: int) -> list[Artefact]:
    """`curves.svg` and `curves.png`: loss, accuracy and learning rate by epoch; `best` is the epoch of the best model, from 1."""
    shown = [one for one in ("loss", "accuracy", "top5", "learning_rate") if one in records[0]]
    picture = figure(4.2 * len(shown), 3.2)
    epochs = [one["epoch"] for one in records]
    for at, name in enumerate(shown, start=1):
        axes = picture.add_subplot(1, len(shown), at)
        axes.set_title(name.replace("_", " "), fontsize=11, color=INK, loc="left")
        for key, label, colour in ((name, "training", BLUE), (f"val_{name}", "validation", ORANGE)):
            if key in records[0]:
                marker = "o" if len(records) < 3 else None
                axes.plot(epochs, [one[key] for one in records], color=colour, label=label, linewidth=1.8, marker=marker, markersize=4)
        if f"val_{name}" in records[0]:
            axes.legend(frameon=False, fontsize=9)
        if name == "learning_rate":
            axes.set_ylim(bottom=0)
        axes.axvline(best, color=GREY, linewidth=0.9, linestyle=":")
        axes.set_xlabel("epoch", color=INK)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e4e7eb", linewidth=0.7)
    return saved(picture, "curves", "svg", "png")


def confusion(matrix: Any, classes: Sequence[str]) -> list[Artefact]:
    """`confusion.svg` and `confusion.png`: how often examples of a class (rows) were taken for each (columns)."""
    count = len(classes)
    side = min(12.0, 2.2 + 0.42 * count)
    picture = figure(side + 0.8, side)
    axes = picture.add_subplot(1, 1, 1)
    shares: Any = matrix / numpy.maximum(matrix.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    axes.set_xlabel("taken for", color=INK)
    axes.set_ylabel("is", color=INK)
    correct = int(numpy.trace(matrix))
    axes.set_title(f"{correct:,} of {int(matrix.sum()):,} right", fontsize=11, color=INK, loc="left")
    if count <= NAMED:
        axes.set_xticks(range(count), [short(one) for one in classes], rotation=45, ha="right", rotation_mode="anchor", fontsize=9)
        axes.set_yticks(range(count), [short(one) for one in classes], fontsize=9)
        for row in range(count):
            for column in range(count):
                if matrix[row, column]:
                    axes.text(column, row, f"{int(matrix[row, column])}", ha="center", va="center", fontsize=8, color="white" if shares[row, column] > 0.5 else INK)
    axes.spines[:].set_visible(False)
    picture.colorbar(image, ax=axes, shrink=0.8, label="share of the class")
    return saved(picture, "confusion", "svg", "png")


def confusion_table(matrix: Any, classes: Sequence[str]) -> Artefact:
    """`confusion.csv`: the same counts, with a line for each class."""
    quoted = [f'"{one}"' if "," in one or '"' in one else one for one in classes]
    lines = [",".join(["is / taken for", *quoted]), *(",".join([quoted[row], *map(str, matrix[row].tolist())]) for row in range(len(classes)))]
    return Artefact.text("confusion.csv", "\n".join(lines) + "\n")
