"""What commands print: results on stdout, diagnostics and progress on stderr, JSON where it is asked for."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from time import monotonic
from typing import Any, TextIO

from archc.diagnostics import Code, Diagnostic
from archc.diagnostics.render import as_data, render

SHOWN = 20
SOON = 0.5
"""Seconds after which work is shown to go on."""


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
    def working(self, text: str, *, total: int | None = None, at_once: bool = False) -> Generator[Callable[..., None], None, None]:
        """Shows on a terminal that long work goes on; the function that it gives says what is being done now.

        With a `total`, each call of that function is a step of a bar, or as many as its second argument says. Work that ends soon shows nothing, unless it is
        known to be long (`at_once`).
        """
        if self.is_json or not sys.stderr.isatty():
            yield _silent
            return
        with _Progress(text, total) as progress:
            if at_once:
                progress.show()
            yield progress

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


def _silent(now: str, steps: int = 1) -> None:
    """Work that nobody watches."""


class _Progress:
    """A spinner or a bar on stderr, from the first step after `SOON`."""

    def __init__(self, text: str, total: int | None) -> None:
        self.text = text
        self.total = total
        self.steps = 0
        self.began = monotonic()
        self.shown: tuple[Any, Any] | None = None

    def __enter__(self) -> _Progress:
        return self

    def __call__(self, now: str, steps: int = 1) -> None:
        self.steps += steps
        if self.shown is None and monotonic() - self.began > SOON:
            self.show()
        if self.shown is not None:
            bar, task = self.shown
            bar.update(task, completed=self.steps, description=f"{self.text} {now}")

    def show(self) -> None:
        """Loads what draws it, which takes longer than short work."""
        from rich.console import Console as Rich
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

        columns = (BarColumn(), MofNCompleteColumn()) if self.total else (SpinnerColumn(),)
        # What is printed meanwhile goes above the bar, but only where it would be on the same terminal.
        bar = Progress(*columns, TextColumn("{task.description}"), console=Rich(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty())
        self.shown = bar, bar.add_task(self.text, total=self.total)
        bar.start()

    def __exit__(self, *_: object) -> None:
        if self.shown is not None:
            self.shown[0].stop()
