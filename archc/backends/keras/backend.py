"""The Keras targets: archive, config and source, all from one list of layers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, ClassVar

from archc.analyses import AnalysedGraph
from archc.backends.base import Artefact, Backend
from archc.backends.keras.layers import KerasModel
from archc.backends.keras.lowering import lower
from archc.graph.graph import Graph


@lru_cache(maxsize=2)
def lowered(graph: Graph) -> KerasModel:
    """The layers of a graph; kept, for several targets of one build consume them."""
    return lower(graph)


@dataclass(frozen=True, kw_only=True)
class KerasArchive(Backend):
    """`NAME.keras`: config and weights, as `keras.saving.load_model` reads them: seeded initial ones, or a file's.

    Raises `WeightsError` where a file's are those of another network.
    """

    name: ClassVar[str] = "keras"
    seed: int = 0
    weights: Path | None = None

    def emit(self, graph: Graph) -> tuple[Artefact, ...]:
        """One archive, written straight into its file."""
        from archc.backends.keras.archive import write_archive

        model = lowered(graph)
        weights = None
        if self.weights is not None:
            from archc.backends.keras.weight_files import read_weights

            weights = read_weights(self.weights, model)

        def write(file: BinaryIO) -> None:
            write_archive(model, file, seed=self.seed, weights=weights)

        return (Artefact(f"{graph.slug}.keras", write),)


@dataclass(frozen=True, kw_only=True)
class KerasConfig(Backend):
    """`NAME.config.json`, for `keras.models.model_from_json`."""

    name: ClassVar[str] = "config"

    def emit(self, graph: Graph) -> tuple[Artefact, ...]:
        """One JSON text."""
        from archc.backends.keras.config import config_text

        return (Artefact.text(f"{graph.slug}.config.json", config_text(lowered(graph))),)


@dataclass(frozen=True, kw_only=True)
class KerasSource(Backend):
    """`NAME.py`: source with a function `build_model()` that returns the model."""

    name: ClassVar[str] = "python"

    def emit(self, graph: Graph) -> tuple[Artefact, ...]:
        """One Python file."""
        from archc.backends.keras.source import source

        return (Artefact.text(f"{graph.slug}.py", source(AnalysedGraph(graph))),)
