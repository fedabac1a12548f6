"""The diagram backend: a graph as DOT, SVG, PNG or PDF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from archc.backends.base import Artefact, Backend
from archc.backends.diagram import dot
from archc.backends.diagram.engine import layout
from archc.backends.diagram.outline import Detail, outline
from archc.backends.diagram.styles import ThemeName
from archc.backends.diagram.svg import polish
from archc.backends.diagram.tree import Direction, Outline
from archc.graph.graph import Graph

FileFormat = Literal["dot", "svg", "png", "pdf"]


@dataclass(frozen=True, kw_only=True)
class DiagramBackend(Backend):
    """Draws a graph. Files are named after it: `vgg-d.svg`.

    >>> DiagramBackend(formats=("svg", "png"), detail="overview", direction="LR").theme
    'light'
    """

    name: ClassVar[str] = "diagram"

    formats: tuple[FileFormat, ...] = ("svg",)
    detail: Detail = "blocks"
    direction: Direction = "TB"
    theme: ThemeName = "light"
    columns: int = 0
    dpi: int = 144
    engine: str | None = None

    def emit(self, graph: Graph) -> tuple[Artefact, ...]:
        """One file for each format; raises `EngineError` where no engine can make it."""
        drawing = outline(graph, self.detail)
        source = self._source(drawing)
        return tuple(
            Artefact.data(f"{graph.slug}.{format}", self._picture(drawing, source, format)) for format in self.formats
        )

    def source(self, graph: Graph) -> str:
        """The DOT text."""
        return self._source(outline(graph, self.detail))

    def svg(self, graph: Graph) -> str:
        """The SVG text."""
        drawing = outline(graph, self.detail)
        return self._picture(drawing, self._source(drawing), "svg").decode()

    def _source(self, drawing: Outline) -> str:
        columns = 1 if self.detail == "layers" and not self.columns else self.columns
        return dot.to_dot(drawing, self.direction, self.theme, columns)

    def _picture(self, drawing: Outline, source: str, format: FileFormat) -> bytes:
        if format == "dot":
            return source.encode()
        if format == "svg":
            return polish(layout(source, "svg", engine=self.engine), *texts(drawing)).encode()
        return layout(source, format, self.dpi if format == "png" else None, self.engine)


def texts(drawing: Outline) -> tuple[str, str]:
    """The title and description of a picture, for those who do not see it."""
    clean = drawing.title.translate(dot.DROPPED)
    return clean, f"Diagram of the neural network {clean}: {drawing.totals}. {len(drawing.boxes)} nodes are drawn."


def to_svg(graph: Graph, **options: Any) -> str:
    """The SVG of a graph; options are the fields of `DiagramBackend`."""
    return DiagramBackend(**options).svg(graph)


def to_dot(graph: Graph, **options: Any) -> str:
    """The DOT text of a graph; options are the fields of `DiagramBackend`."""
    return DiagramBackend(**options).source(graph)
