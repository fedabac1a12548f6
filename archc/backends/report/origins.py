"""Which lines of the texts made which layers: for the spec beside its expansion."""

from __future__ import annotations

from collections.abc import Iterator

from archc.diagnostics import Origin, Source, Span
from archc.graph.graph import Graph


def spans(origin: Origin) -> Iterator[Span]:
    """The places that led to a layer: its own step, then the macro calls around it."""
    yield origin.span
    call = origin.call
    while call is not None:
        yield call.span
        call = call.outer


class Origins:
    """The texts that a network was made of, the network's own first, and the lines of each layer in them."""

    def __init__(self, graph: Graph) -> None:
        outermost = (list(spans(node.origin))[-1].source for node in graph.nodes)
        every = (span.source for node in graph.nodes for span in spans(node.origin))
        self.sources: list[Source] = list(dict.fromkeys([*outermost, *every]))
        self._number = {source: number for number, source in enumerate(self.sources)}
        self.lines: list[list[str]] = [list(dict.fromkeys(map(self._line, spans(node.origin)))) for node in graph.nodes]

    def _line(self, span: Span) -> str:
        """What a line is called in the page: the text's number and the line's.

        A layer's first line is that of its own step.
        """
        return f"{self._number[span.source]}-{span.position[0]}"
