"""What a mesh becomes: its boxes, frames and lines with their places. Apart from the search for them, which few drawings need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from archc.backends.diagram.canvas import Point
from archc.backends.diagram.structure import Mesh
from archc.backends.diagram.tree import Box, Cluster


class BoxRoom(NamedTuple):
    """A box: its reach to each side with its label, its own, and its length with the label and without."""

    before: float
    after: float
    half: float
    length: float
    box_length: float


class Margins(NamedTuple):
    """What a frame keeps free on its four sides: along the flow at its start and end, across it before and after."""

    start: float
    end: float
    before: float
    after: float


class Place(NamedTuple):
    """Where a box stands."""

    across: float
    half: float
    start: float
    end: float


@dataclass(eq=False)
class Woven:
    """A mesh with places, measured from where flow enters it."""

    mesh: Mesh
    boxes: dict[Box, Place]
    frames: list[tuple[Cluster, Point, Point]]
    """Frames with their two ends across and along."""
    ways: dict[tuple[int, int], list[Point]]
    before: float
    after: float
    length: float
    leave: float
