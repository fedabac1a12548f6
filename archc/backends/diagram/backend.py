"""The diagram backend: a graph as SVG, PNG, PDF or DOT."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from archc.backends.base import Artefact, Backend
from archc.backends.diagram.canvas import Picture
from archc.backends.diagram.outline import Detail, View, outline
from archc.backends.diagram.page import page
from archc.backends.diagram.styles import PaletteName, ThemeName, dark_rules, theme_of
from archc.backends.diagram.svg import to_svg as write_svg
from archc.backends.diagram.tree import Direction, Outline
from archc.backends.diagram.words import shown
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
    palette: PaletteName = "colour"
    expand: tuple[str, ...] = ()
    collapse: tuple[str, ...] = ()
    depth: int = 0
    columns: int = 0
    dpi: int = 144
    engine: str | None = None

    def emit(self, graph: Graph) -> tuple[Artefact, ...]:
        """One file for each format; raises `EngineError` where no engine can make it."""
        drawn = self._outline(graph)
        return tuple(Artefact.data(f"{graph.slug}.{one}", self._file(drawn, one)) for one in self.formats)

    def source(self, graph: Graph) -> str:
        """The DOT text."""
        return self._file(self._outline(graph), "dot").decode()

    def svg(self, graph: Graph) -> str:
        """The SVG text."""
        return self._file(self._outline(graph), "svg").decode()

    def _outline(self, graph: Graph) -> Outline:
        return outline(graph, View(self.detail, self.expand, self.collapse, self.depth))

    def _file(self, drawn: Outline, format: FileFormat) -> bytes:
        if format == "dot":
            from archc.backends.diagram.dot import to_dot

            return to_dot(drawn, self.direction, theme_of(self.theme, self.palette)).encode()
        picture = self._picture(drawn)
        if format == "svg":
            return write_svg(picture, *texts(drawn)).encode()
        from archc.backends.diagram.engine import layout
        from archc.backends.diagram.xdot import to_xdot

        return layout(to_xdot(picture), format, self.dpi if format == "png" else None, self.engine)

    def _picture(self, drawn: Outline) -> Picture:
        picture = page(drawn, self.direction, theme_of(self.theme, self.palette), self.columns)
        return replace(picture, style=dark_rules(self.palette)) if self.theme == "auto" else picture


def texts(drawn: Outline) -> tuple[str, str]:
    """The title and description of a picture, for those who do not see it."""
    clean = shown(drawn.title, 10_000)
    totals = drawn.totals.replace("\n", "; ")
    return clean, f"Diagram of the neural network {clean}: {totals}. {len(drawn.boxes)} nodes are drawn."


def to_svg(graph: Graph, **options: Any) -> str:
    """The SVG of a graph; options are the fields of `DiagramBackend`."""
    return DiagramBackend(**options).svg(graph)


def to_dot(graph: Graph, **options: Any) -> str:
    """The DOT text of a graph; options are the fields of `DiagramBackend`."""
    return DiagramBackend(**options).source(graph)
