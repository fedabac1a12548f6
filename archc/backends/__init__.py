"""Graph -> artefacts. BACKENDS maps each kind that `--emit` takes to its backend, loaded when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from archc.backends.base import Artefact, Backend

BACKENDS: dict[str, str] = {
    "keras": "archc.backends.keras.backend:KerasArchive",
    "config": "archc.backends.keras.backend:KerasConfig",
    "python": "archc.backends.keras.backend:KerasSource",
    "dot": "archc.backends.diagram.backend:DiagramBackend",
    "svg": "archc.backends.diagram.backend:DiagramBackend",
    "png": "archc.backends.diagram.backend:DiagramBackend",
    "pdf": "archc.backends.diagram.backend:DiagramBackend",
    "mermaid": "archc.backends.diagram.backend:DiagramBackend",
    "model-explorer": "archc.backends.diagram.backend:DiagramBackend",
    "html": "archc.backends.report.backend:Report",
    "stats": "archc.backends.stats:Stats",
    "spec": "archc.backends.expanded:ExpandedSpec",
}
DIAGRAMS = ("dot", "svg", "png", "pdf", "mermaid", "model-explorer")


def backend(kind: str, **options: Any) -> Backend:
    """The backend for a kind, with its options."""
    module, _, name = BACKENDS[kind].partition(":")
    made = getattr(import_module(module), name)
    if kind in DIAGRAMS:
        return made(formats=(kind,), **options)
    return made(**options)


__all__ = ["BACKENDS", "DIAGRAMS", "Artefact", "Backend", "backend"]
