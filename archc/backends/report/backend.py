"""The backend of reports: a network as one page that opens in any browser, with no network and no server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archc.analyses.expectations import Expectation
from archc.backends.base import Artefact, Backend
from archc.backends.report.page import page
from archc.graph.graph import Graph


@dataclass(frozen=True, kw_only=True)
class Report(Backend):
    """`NAME.html`; `expectations` are the facts that were checked."""

    name: ClassVar[str] = "html"

    expectations: tuple[Expectation, ...] = ()

    def emit(self, graph: Graph) -> tuple[Artefact, ...]:
        """One page."""
        return (Artefact.text(f"{graph.slug}.html", page(graph, self.expectations)),)
