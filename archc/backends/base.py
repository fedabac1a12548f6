"""What a backend is: options as fields, a graph in, artefacts out. It writes no files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from archc.graph.graph import Graph


class EngineError(Exception):
    """No engine is at hand that paints a picture, or the one that is failed; the message says which and why."""


class WeightsError(Exception):
    """A file's weights are not those of the network."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file to be: its name, and a function that writes its bytes into a seekable file."""

    filename: str
    write: Callable[[BinaryIO], None]

    @staticmethod
    def text(filename: str, text: str) -> Artefact:
        """An artefact that holds a text, as UTF-8."""
        return Artefact.data(filename, text.encode())

    @staticmethod
    def data(filename: str, data: bytes) -> Artefact:
        """An artefact that holds these bytes."""

        def write(file: BinaryIO) -> None:
            file.write(data)

        return Artefact(filename, write)


@dataclass(frozen=True, kw_only=True)
class Backend(ABC):
    """A target. The same graph and options give the same bytes every time."""

    name: ClassVar[str]

    @abstractmethod
    def emit(self, graph: Graph) -> tuple[Artefact, ...]:
        """The artefacts for a graph; bad input has been refused by then."""
