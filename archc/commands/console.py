"""What commands print: results on stdout, diagnostics and progress on stderr, JSON where it is asked for."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any, TextIO

from archc.diagnostics import Code, Diagnostic
from archc.diagnostics.render import as_data, render

SHOWN = 20


class Console:
    """Prints for people or for machines."""

    def __init__(self, format: str = "text") -> None:
        self.format = format

    @property
    def is_json(self) -> bool:
        """True where machines read the output."""
        return self.format == "json"

    def line(self, text: str = "") -> None:
        """A line of the result."""
        print(text)

    def data(self, value: Any) -> None:
        """A result as JSON."""
        print(json.dumps(value, indent=1, ensure_ascii=False))

    def note(self, text: str) -> None:
        """A line about the work, on stderr."""
        print(text, file=sys.stderr)

    @contextmanager
    def working(self, text: str, *, long: bool) -> Generator[Callable[[str], None], None, None]:
        """Shows on a terminal that long work goes on; the function that it gives says what is being done now."""
        if not long or self.is_json or not sys.stderr.isatty():
            yield lambda now: None
            return
        from rich.console import Console as Rich

        with Rich(stderr=True).status(text) as status:
            yield lambda now: status.update(f"{text}: {now}")

    def diagnostics(self, found: Iterable[Diagnostic]) -> None:
        """Diagnostics in the order of the text, the first twenty in full."""
        ordered = sorted(found, key=lambda one: one.order)  # pyright: ignore[reportArgumentType]
        if self.is_json:
            print(json.dumps({"diagnostics": [as_data(one) for one in ordered]}, indent=1, ensure_ascii=False), file=sys.stderr)
            return
        colour = coloured(sys.stderr)
        for one in ordered[:SHOWN]:
            print(render(one, colour=colour), end="\n\n", file=sys.stderr)
        if len(ordered) > SHOWN:
            print(f"and {len(ordered) - SHOWN} more", file=sys.stderr)

    def failure(self, message: str, help: str, code: Code) -> None:
        """A failure that has no place in a spec."""
        if self.is_json:
            print(json.dumps({"error": message, "help": help, "code": code.id, "word": code.word}, ensure_ascii=False), file=sys.stderr)
            return
        print(render(Diagnostic(code, "error", message, None, help=help), colour=coloured(sys.stderr)), file=sys.stderr)


def coloured(stream: TextIO) -> bool:
    """Colour only on a terminal, and not where `NO_COLOR` is set."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def count(number: int | None) -> str:
    """A count as people read it: 138,357,544; an open one is said to be unknown."""
    return "unknown" if number is None else f"{number:,}"


def large(number: int | None) -> str:
    """A large number with its unit: `15.5 G`."""
    if number is None:
        return "unknown"
    for size, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)
