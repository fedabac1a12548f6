"""What is wrong and where: sources, spans, codes, diagnostics and their rendering."""

from archc.diagnostics import codes
from archc.diagnostics.allowance import Allowance
from archc.diagnostics.codes import Code
from archc.diagnostics.diagnostic import (
    CompileError,
    Diagnostic,
    Diagnostics,
    Note,
    Severity,
    closest,
    error,
    foreign_letter,
    warning,
)
from archc.diagnostics.source import Call, Origin, Source, Span, Turn

__all__ = [
    "Allowance",
    "Call",
    "Code",
    "CompileError",
    "Diagnostic",
    "Diagnostics",
    "Note",
    "Origin",
    "Severity",
    "Source",
    "Span",
    "Turn",
    "closest",
    "codes",
    "error",
    "foreign_letter",
    "warning",
]
