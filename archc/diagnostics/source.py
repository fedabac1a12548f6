"""Texts, and places in them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

LINE_END = re.compile("\r\n|\n|\r")


@dataclass(frozen=True, eq=False)
class Source:
    """A text that a person wrote, under the name that they know it by.

    >>> Source("net.yaml", "a: 1\\nb: 2\\n").position(5)
    (2, 1)
    """

    name: str
    text: str = field(repr=False)
    line_starts: list[int] = field(init=False, repr=False, default_factory=list[int])

    def __post_init__(self) -> None:
        self.line_starts.append(0)
        self.line_starts.extend(found.end() for found in LINE_END.finditer(self.text))

    def position(self, offset: int) -> tuple[int, int]:
        """The line and column of an offset, both counted from 1."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line (counted from 1), without its line end."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] if number < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


@dataclass(frozen=True, slots=True)
class Span:
    """The characters of a source from `start` up to, not including, `end`."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    @property
    def position(self) -> tuple[int, int]:
        """Line and column of the first character, from 1."""
        return self.source.position(self.start)

    def __str__(self) -> str:
        line, column = self.position
        return f"{self.source.name}:{line}:{column}"


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A macro call that led somewhere, with the arguments in force and the call around it."""

    macro: str
    span: Span
    arguments: tuple[tuple[str, object], ...]
    outer: Call | None
    depth: int


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """An iteration of a loop, counted from 1, with the values of its variables."""

    number: int
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Where in the text something was written, the innermost macro call that led to it, and the turn of its loop."""

    span: Span
    call: Call | None = None
    turn: Turn | None = None
