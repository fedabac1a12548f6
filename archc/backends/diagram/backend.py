"""The diagram backend: a graph as a picture, or as text that other tools draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from archc.backends.base import Artefact, Backend
from archc.backends.diagram.canvas import Picture
from archc.backends.diagram.outline import outline
from archc.backends.diagram.page import page
from archc.backends.diagram.styles import PaletteName, Theme, ThemeName, dark_rules, theme_of
from archc.backends.diagram.svg import to_svg as write_svg
from archc.backends.diagram.tree import Direction, Outline
from archc.backends.diagram.view import Detail, View
from archc.backends.diagram.words import shown
from archc.graph.graph import Graph

if TYPE_CHECKING:
    from archc.analyses.difference import Difference

FileFormat = Literal["dot", "svg", "png", "pdf", "mermaid", "model-explorer"]
Style = Literal["graph", "volume"]
ENDINGS: dict[str, str] = {"mermaid": "mmd", "model-explorer": "explorer.json"}
"""How files are named whose format's name is no file's ending."""


@dataclass(frozen=True, kw_only=True)
class DiagramBackend(Backend):
    """Draws a graph. Files are named after it: `vgg-d.svg`.

    >>> DiagramBackend(formats=("svg", "png"), detail="overview", direction="LR").theme
    'light'
    """

    name: ClassVar[str] = "diagram"

    formats: tuple[FileFormat, ...] = ("svg",)
    style: Style = "graph"
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
    tooltips: bool = True

    def emit(self, graph: Graph) -> tuple[Artefact, ...]:
        """One file for each format; raises `EngineError` where no engine can make it."""
        stem = graph.slug if self.style == "graph" else f"{graph.slug}-{self.style}"
        return tuple(Artefact.data(f"{stem}.{ENDINGS.get(one, one)}", self._file(graph, one)) for one in self.formats)

    def emit_family(self, graphs: Sequence[Graph]) -> tuple[Artefact, ...]:
        """One figure of several networks: `vgg-family.svg`."""
        from archc.backends.diagram.family import common_title, family

        title = common_title(graphs)
        picture = self._themed(family(graphs, title, theme_of(self.theme, self.palette)))
        told = f"The configurations of {shown(title, 1000)}: {', '.join(shown(one.variant, 100) for one in graphs)}."
        return tuple(Artefact.data(f"{graphs[0].name}-family.{one}", self._painted(picture, one, shown(title, 1000), told)) for one in self.formats)

    def emit_difference(self, found: Difference, names: tuple[str, str]) -> tuple[Artefact, ...]:
        """One figure of two networks with what differs marked: `vgg-d-to-vgg-e.svg`. `names` are what a person calls them."""
        from archc.backends.diagram.comparison import comparison

        picture = self._themed(comparison(found, names, theme_of(self.theme, self.palette), self.direction, self.detail))
        title = shown(f"{names[0]} → {names[1]}", 1000)
        told = ", ".join(f"{found.count(kind)} {kind}" for kind in ("removed", "added", "changed"))
        stem = f"{found.before.graph.slug}-to-{found.after.graph.slug}"
        return tuple(Artefact.data(f"{stem}.{one}", self._painted(picture, one, title, f"Layers that differ: {told}.")) for one in self.formats)

    def source(self, graph: Graph) -> str:
        """The DOT text."""
        return self._file(graph, "dot").decode()

    def svg(self, graph: Graph) -> str:
        """The SVG text."""
        return self._file(graph, "svg").decode()

    def _file(self, graph: Graph, format: FileFormat) -> bytes:
        if format == "model-explorer":
            from archc.backends.diagram.explorer import to_explorer

            return to_explorer(graph).encode()
        drawn = outline(graph, View(self.detail, self.expand, self.collapse, self.depth))
        theme = theme_of(self.theme, self.palette)
        if format == "dot":
            from archc.backends.diagram.dot import to_dot

            return to_dot(drawn, self.direction, theme).encode()
        if format == "mermaid":
            from archc.backends.diagram.mermaid import to_mermaid

            return to_mermaid(drawn, self.direction, theme).encode()
        return self._painted(self._themed(self._picture(drawn, theme)), format, *texts(drawn))

    def _picture(self, drawn: Outline, theme: Theme) -> Picture:
        if self.style == "volume":
            from archc.backends.diagram.volume import volume

            return volume(drawn, theme)
        return page(drawn, self.direction, theme, self.columns)

    def _themed(self, picture: Picture) -> Picture:
        return picture._replace(style=dark_rules(self.palette)) if self.theme == "auto" else picture

    def _painted(self, picture: Picture, format: FileFormat, title: str, description: str) -> bytes:
        if not self.tooltips:
            picture = picture._replace(groups=[one._replace(tip="") for one in picture.groups])
        if format == "svg":
            return write_svg(picture, title, description).encode()
        from archc.backends.diagram.engine import layout
        from archc.backends.diagram.xdot import to_xdot

        def source(language: str) -> str:
            return write_svg(picture, title, description) if language == "svg" else to_xdot(picture)

        assert format in ("png", "pdf")
        return layout(source, format, self.dpi if format == "png" else None, self.engine)


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
