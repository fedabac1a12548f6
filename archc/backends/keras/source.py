"""Keras source that builds a network, as a person would have written it."""

from __future__ import annotations

from archc.analyses import AnalysedGraph
from archc.backends.keras.lowering import lower
from archc.backends.keras.source_flat import flat


def source(analysed: AnalysedGraph) -> str:
    """The network as a Python file with a function `build_model()`.

    >>> print(source(analysed))  # doctest: +SKIP
    """
    return flat(analysed.graph, lower(analysed.graph))
