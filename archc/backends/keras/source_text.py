"""Pieces of Python text: literals, identifiers, sentences from specs, and calls laid out within a line's length."""

from __future__ import annotations

import keyword
import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 100
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Code:
    """A value that is no literal: an expression, and the name of `keras` that it needs."""

    text: str
    needs: str = ""


def literal(value: Any) -> str:
    """A value as Python source; sequences become tuples."""
    if isinstance(value, Code):
        return value.text
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(one)}" for key, one in value.items()) + "}"  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if isinstance(value, Sequence):
        inner = ", ".join(literal(one) for one in value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return f"({inner},)" if len(value) == 1 else f"({inner})"  # pyright: ignore[reportUnknownArgumentType]
    return repr(value)


def quoted(text: str) -> str:
    """A string literal, in double quotes where that needs no escape.

    >>> quoted("same")
    '"same"'
    """
    shown = repr(text)
    if shown[0] == "'" and '"' not in shown and "\\'" not in shown:
        return f'"{shown[1:-1]}"'
    return shown


def clean(text: str) -> str:
    """A sentence on one line, without anything that does not print: fit for a comment."""
    return " ".join("".join(one if one.isprintable() else " " for one in str(text)).split())


def docstring_text(text: str) -> str:
    """A sentence that cannot end the docstring it stands in."""
    found = clean(text).replace("\\", "\\\\")
    return found.replace('"', '\\"') if '"""' in found or found.endswith('"') else found


def docstring(paragraphs: Iterable[str], indent: str = "") -> list[str]:
    """A docstring of these paragraphs, wrapped."""
    kept = [docstring_text(one) for one in paragraphs if clean(one)]
    if not kept:
        return []
    if len(kept) == 1 and len(indent) + len(kept[0]) + 6 <= WIDTH:
        return [f'{indent}"""{kept[0]}"""']
    lines: list[str] = []
    for at, one in enumerate(kept):
        opening = '"""' if not at else ""
        lines += [indent + each for each in wrapped(opening + one, WIDTH - len(indent))]
        lines.append("")
    return [*lines[:-1], f'{indent}"""']


def comment(text: str, indent: str) -> list[str]:
    """A sentence as a comment, wrapped."""
    return [f"{indent}# {one}" for one in wrapped(clean(text), WIDTH - len(indent) - 2)] if clean(text) else []


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most this width, where words allow it."""
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def identifier(text: str, default: str = "x") -> str:
    """A name that Python takes, made from a name of the spec: `3a` is `x3a`, `class` is `class_`.

    >>> identifier("1x1")
    'x1x1'
    """
    found = re.sub(r"[^a-z0-9_]+", "_", text.lower()).strip("_") or default
    if found[0].isdigit():
        found = f"{default}{found}"
    if found == "input":
        return "inputs"
    return f"{found}_" if keyword.iskeyword(found) or keyword.issoftkeyword(found) else found


def laid_out(before: str, items: Sequence[str], after: str, indent: str, brackets: str = "()") -> list[str]:
    """`before(items)after` on one line, else its items on the next, else one item a line."""
    opening, closing = brackets
    line = f"{indent}{before}{opening}{', '.join(items)}{closing}{after}"
    if len(line) <= WIDTH or not items:
        return [line]
    inner = indent + INDENT
    inside = f"{inner}{', '.join(items)}"
    lines = [inside] if len(inside) <= WIDTH else [f"{inner}{one}," for one in items]
    return [f"{indent}{before}{opening}", *lines, f"{indent}{closing}{after}"]
