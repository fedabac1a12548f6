"""What a notebook shows of a network: its figures, and its diagram."""

from __future__ import annotations

from base64 import b64encode

from archc.analyses import AnalysedGraph
from archc.backends.diagram.backend import DiagramBackend
from archc.backends.diagram.words import amount_text, shape_text, shown
from archc.backends.report.markup import text
from archc.graph.graph import Graph

LARGEST, HIGHEST = 120_000, 30
"""Diagrams with more bytes than this are overviews; higher ones than so many times the text's size scroll."""


def bundle(analysed: AnalysedGraph) -> dict[str, str]:
    """The network by MIME type, as IPython asks for it."""
    return {"text/plain": summary(analysed), "text/html": html(analysed)}


def summary(analysed: AnalysedGraph) -> str:
    """A line about the network."""
    graph = analysed.graph
    return f"<archc {graph.address}: {', '.join(f'{value} {name}' for name, value in _figures(analysed).items() if name in ('parameters', 'MACs', 'layers'))}>"


def html(analysed: AnalysedGraph) -> str:
    """The figures over the diagram.

    The diagram is an image, not a part of the notebook's page: its style sheet and ids are its own, and those of two
    networks do not meet.
    """
    graph = analysed.graph
    title = shown(graph.title or graph.address, 200)
    figures = " · ".join(f"{text(value)} {text(name)}" for name, value in _figures(analysed).items())
    image = b64encode(_diagram(graph).encode()).decode()
    described = f"Diagram of the neural network {title}"
    return (
        f"<div><strong>{text(title)}</strong> <code>{text(graph.address)}</code><br>{figures}</div>\n"
        f'<div style="max-height:{HIGHEST}em;overflow:auto"><img alt="{text(described)}" src="data:image/svg+xml;base64,{image}"></div>'
    )


def _figures(analysed: AnalysedGraph) -> dict[str, str]:
    graph, cost = analysed.graph, analysed.cost
    return {
        "parameters": amount_text(cost.params),
        "MACs": "open" if cost.macs is None else amount_text(cost.macs),
        "layers": f"{len(graph.nodes) - len(graph.inputs):,}",
        "in": ", ".join(shape_text(graph.nodes[index].shape) for index in graph.inputs),
        "out": ", ".join(shape_text(graph.shape(tensor)) for _, tensor in graph.outputs),
    }


def _diagram(graph: Graph) -> str:
    svg = DiagramBackend(theme="auto").svg(graph)
    return svg if len(svg) <= LARGEST else DiagramBackend(theme="auto", detail="overview").svg(graph)
