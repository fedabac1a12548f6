"""Warnings that a spec allows: a code, a reason, and the places where it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from archc.diagnostics.source import Source, Span

if TYPE_CHECKING:
    from archc.diagnostics.diagnostic import Diagnostic


@dataclass(eq=False)
class Allowance:
    """One allowed code. It holds for a network, for what one file says (`source`), or for steps (`places`).

    A step's allowance holds for all that the step expands to: its own text, and what the macros that it calls say of it.
    `used` tells whether it ever kept a warning back.
    """

    code: str
    span: Span
    reason: str
    source: Source | None = None
    places: frozenset[Span] | None = None
    used: bool = False

    def keeps_back(self, diagnostic: Diagnostic) -> bool:
        """True for a warning that it allows, which is noted."""
        if diagnostic.code.id != self.code or not self.holds(diagnostic):
            return False
        self.used = True
        return True

    def holds(self, diagnostic: Diagnostic) -> bool:
        """True where the diagnostic is about a place that the allowance is for."""
        if self.places is not None:
            return any(one in self.places for one in diagnostic.trail)
        return self.source is None or any(one.source is self.source for one in diagnostic.trail)
