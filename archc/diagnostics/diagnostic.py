"""Diagnostics: frozen data that says what is wrong, where, and what to do."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from archc.diagnostics.allowance import Allowance
from archc.diagnostics.codes import Code
from archc.diagnostics.source import Call, Origin, Span

Severity = Literal["error", "warning"]
MOST, MOST_TOLD = 500, 600
"""So many mistakes end a run, whatever else is wrong: those found, and those met again in loops and macros."""
CANDIDATES = 50
"""Words that a misspelt one is compared with: a file may have thousands."""
CALLS_SHOWN = 3
"""How many of the innermost and of the outermost macro calls are shown, where there are many."""


@dataclass(frozen=True, slots=True)
class Note:
    """A further fact, with its own place where it has one."""

    message: str
    span: Span | None = None
    is_call: bool = False


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One cause of trouble: a code, a sentence, a place with a label, notes, and one hint."""

    code: Code
    severity: Severity
    message: str
    span: Span | None
    label: str = ""
    notes: tuple[Note, ...] = ()
    help: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """Two diagnostics with one key have one cause."""
        place = (id(self.span.source), self.span.start) if self.span else None
        return self.code.id, place, self.message if place is None else None

    @property
    def trail(self) -> tuple[Span, ...]:
        """The place, and those of the macro calls that led to it."""
        calls = (one.span for one in self.notes if one.is_call)
        return tuple(one for one in (self.span, *calls) if one is not None)

    @property
    def order(self) -> tuple[object, ...]:
        """Sorts by file, then by place, then by code."""
        if self.span is None:
            return "", 0, self.code.id
        return self.span.source.name, self.span.start, self.code.id


@dataclass
class Diagnostics:
    """The diagnostics of a run so far: one per cause, however often it was met (`met` counts that too); allowed warnings are kept back."""

    allowances: Sequence[Allowance] = ()
    allowed: dict[str, str] = field(default_factory=dict[str, str])
    told: int = 0
    found: dict[tuple[object, ...], Diagnostic] = field(
        default_factory=dict[tuple[object, ...], Diagnostic]
    )
    met: int = 0

    def add(self, diagnostic: Diagnostic) -> None:
        """Keeps a diagnostic unless its cause is known already, or it is a warning that is allowed."""
        self.met += 1
        if diagnostic.severity == "warning":
            keeping = [one for one in self.allowances if one.keeps_back(diagnostic)]  # each of them is of use
            if keeping:
                self.allowed[diagnostic.code.id] = keeping[0].reason
                return
        self.found.setdefault(diagnostic.key, diagnostic)
        if diagnostic.severity == "error":
            self.told += 1
            if len(self.found) > MOST or self.told > MOST_TOLD:
                raise CompileError(tuple(self))

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(sorted(self.found.values(), key=lambda one: one.order))  # pyright: ignore[reportArgumentType]

    def __len__(self) -> int:
        return len(self.found)

    @property
    def errors(self) -> list[Diagnostic]:
        """The errors alone, in the order of the text."""
        return [one for one in self if one.severity == "error"]

    def stop_on_errors(self) -> None:
        """Ends a stage: raises `CompileError` if there are errors."""
        if any(one.severity == "error" for one in self.found.values()):
            raise CompileError(tuple(self))


class CompileError(Exception):
    """A spec is wrong; `diagnostics` says what, where, and what to do."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        from archc.diagnostics.render import render

        return "\n\n".join(render(one) for one in self.diagnostics)


def error(
    code: Code,
    place: Span | Origin | None,
    message: str,
    *,
    label: str = "",
    notes: Iterable[Note] = (),
    help: str = "",
) -> Diagnostic:
    """An error at a place; the macro calls that led to an `Origin` become notes."""
    return _make("error", code, place, message, label, notes, help)


def warning(
    code: Code,
    place: Span | Origin | None,
    message: str,
    *,
    label: str = "",
    notes: Iterable[Note] = (),
    help: str = "",
) -> Diagnostic:
    """A warning at a place, made like an error."""
    return _make("warning", code, place, message, label, notes, help)


def _make(
    severity: Severity,
    code: Code,
    place: Span | Origin | None,
    message: str,
    label: str,
    notes: Iterable[Note],
    help: str,
) -> Diagnostic:
    span = place.span if isinstance(place, Origin) else place
    calls = tuple(_call_notes(place)) if isinstance(place, Origin) else ()
    return Diagnostic(code, severity, message, span, label, (*notes, *calls), help)


def _call_notes(origin: Origin) -> Iterator[Note]:
    if origin.turn is not None:
        suffix = _with(origin.turn.values.items())
        yield Note(f"in iteration {origin.turn.number} of its loop{suffix}")
    calls: list[Call] = []
    call = origin.call
    while call is not None:
        calls.append(call)
        call = call.outer
    hidden = len(calls) - 2 * CALLS_SHOWN if len(calls) > 2 * CALLS_SHOWN + 1 else 0
    for at, call in enumerate(calls):
        if hidden and at == CALLS_SHOWN:
            yield Note(f"... and {hidden} calls between")
        if not hidden or not CALLS_SHOWN <= at < len(calls) - CALLS_SHOWN:
            yield Note(f"in macro {call.macro}, called at {call.span}{_with(call.arguments)}", call.span, is_call=True)


def _with(values: Iterable[tuple[str, object]]) -> str:
    shown = ", ".join(f"{name} = {_brief(value)}" for name, value in values)
    return f", with {shown}" if shown else ""


def _brief(value: object, limit: int = 40) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def foreign_letter(word: str) -> str:
    """The first letter of a word that only looks like a plain one, in words for a hint; else nothing."""
    odd = next((one for one in word if not one.isascii()), None)
    return "" if odd is None else f"`{word[:40]}` holds U+{ord(odd):04X}, which is no plain letter"


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that a person most likely meant, if one is close.

    >>> closest("kernal", ["kernel", "filters"])
    'kernel'
    """
    import difflib

    small = word.lower()[:200]
    alike = [one for one in candidates if abs(len(one) - len(small)) <= len(small) // 2 + 2]
    beginning = (one for one in alike if one[:1].lower() == small[:1])
    lowered = {one.lower(): one for one in (*itertools.islice(beginning, CANDIDATES), *alike[:CANDIDATES])}
    if small in lowered:
        return lowered[small]
    swapped = next((one for one in lowered if len(one) > 2 and sorted(one) == sorted(small)), None)
    longer = next((one for one in lowered if len(one) > 2 and small.startswith(one)), None)
    found = difflib.get_close_matches(small, lowered, n=1, cutoff=0.67)
    near = swapped or (found[0] if found else longer)
    return lowered[near] if near else None
