"""Keras source that builds a network, as a person would have written it.

The way there: `source_regions` finds the lowered layers of each macro call and loop; `source_plan` lays the calls of a
macro beside each other; `source_holes` turns what differs between them into parameters; `source_write` writes.
"""

from __future__ import annotations

from typing import Any

from archc.analyses import AnalysedGraph
from archc.backends.keras.lowering import lower
from archc.backends.keras.source_operations import NAMED, takes_names
from archc.backends.keras.source_program import program
from archc.backends.keras.source_text import docstring
from archc.backends.keras.source_write import Writer
from archc.graph.graph import Graph


def source(analysed: AnalysedGraph) -> str:
    """The network as a Python file with a function `build_model()`.

    >>> print(source(analysed))  # doctest: +SKIP
    """
    graph = analysed.graph
    model = lower(graph)
    made = program(graph, model)
    writer = Writer()
    functions = [writer.function(one) for one in made.functions]
    network = writer.network(made, model.name)
    helpers = [NAMED] if takes_names(model) else []
    parts = [[*docstring(_about(graph)), "", *_imports(writer)], *helpers, *functions, network, _RUN]
    return "\n\n\n".join("\n".join(one) for one in parts) + "\n"


_RUN = ['if __name__ == "__main__":', "    build_model().summary()"]


def _about(graph: Graph) -> list[str]:
    """The title and the publication."""
    told = {key: _sentence(value) for key, value in graph.source.items() if value is not None}
    published = told.get("title", "")
    if by := ", ".join(told[key] for key in ("authors", "year") if key in told):
        published = f"{published} ({by})" if published else by
    published = ", ".join(one for one in (published, told.get("section", "")) if one)
    return [f"{graph.title or graph.name}.", f"{published}." if published else "", told.get("url", ""), graph.doc]


def _sentence(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType]
    return str(value)


def _imports(writer: Writer) -> list[str]:
    names = sorted(writer.needs | {"Model"}, key=lambda one: (one.islower(), one))
    lines = [f"from keras import {', '.join(names)}"]
    lines += [f"from {module} import {name}" for module, name in sorted(writer.foreign)]
    return lines


__all__ = ["source"]
