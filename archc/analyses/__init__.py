"""Graph -> AnalysedGraph: what a network costs, holds and sees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from archc.analyses.cost import Cost, NodeCost, cost
from archc.analyses.memory import Memory, memory
from archc.analyses.receptive_field import Field, network_field, receptive_field
from archc.analyses.work import Work, work
from archc.graph.graph import Graph


@dataclass(frozen=True)
class AnalysedGraph:
    """A graph with its analyses, each computed when it is first asked for."""

    graph: Graph

    @cached_property
    def cost(self) -> Cost:
        """Parameters and multiply-accumulates."""
        return cost(self.graph)

    @cached_property
    def work(self) -> tuple[Work, ...]:
        """Operations beside the multiply-accumulates, by node."""
        return work(self.graph)

    @cached_property
    def memory(self) -> Memory:
        """Activations, weights and the peak in inference, of one example."""
        return memory(self.graph, self.cost)

    @cached_property
    def fields(self) -> tuple[Field | None, ...]:
        """Receptive fields by node."""
        return receptive_field(self.graph)

    @cached_property
    def field(self) -> Field | None:
        """The receptive field of the feature maps that the outputs are made from."""
        return network_field(self.graph, self.fields)


__all__ = ["AnalysedGraph", "Cost", "Field", "Memory", "NodeCost", "Work"]
