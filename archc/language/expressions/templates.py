"""Texts with expressions in them: `enc$(index)`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from archc.diagnostics import codes
from archc.diagnostics.limits import limits, raising
from archc.language.expressions.brackets import closing
from archc.language.expressions.errors import ExpressionError
from archc.language.expressions.parsing import parse
from archc.language.expressions.tree import Expression, evaluate
from archc.language.expressions.values import WORDS_OF, Budget, Lookup, kind


@dataclass(frozen=True, slots=True)
class Template:
    """A text with expressions in it; `starts` says where in the text each part stands, `alone` is the only part."""

    parts: tuple[str | Expression, ...]
    starts: tuple[int, ...]
    alone: Expression | None


TEXT_PER_STEP = 16
"""Characters put together that are as dear as a step."""

_REFERENCE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


@lru_cache(maxsize=4096)
def template(text: str) -> Template | None:
    """The parts of a text with `$name`, `$map.field` or `$(...)`; `None` where it has no `$`; `$$` is a plain `$`."""
    if "$" not in text:
        return None
    parts: list[tuple[int, str | Expression]] = []
    index = 0
    while index < len(text):
        part, after = _next_part(text, index)
        parts.append((_inside(text, index) if isinstance(part, Expression) else index, part))
        index = after
    merged = _merged(parts)
    only = merged[0][1]
    return Template(tuple(part for _, part in merged), tuple(start for start, _ in merged), only if len(merged) == 1 and isinstance(only, Expression) else None)


def _inside(text: str, index: int) -> int:
    """Where the expression itself starts, after `$` or `$(`."""
    return index + 2 if text[index + 1] == "(" else index + 1


def _next_part(text: str, index: int) -> tuple[str | Expression, int]:
    """The part that starts at `index`, and where the next one does."""
    if text[index] != "$":
        end = text.find("$", index)
        return text[index : end if end >= 0 else len(text)], end if end >= 0 else len(text)
    if text.startswith("$$", index):
        return "$", index + 2
    if text.startswith("$(", index):
        end = _closing_bracket(text, index)
        return _parse_at(text, index + 2, end), end + 1
    found = _REFERENCE.match(text, index + 1)
    if found is None:
        message = "`$` is followed by neither a name nor `(`"
        help = "write `$name` or `$(...)`, or `$$` for a plain `$`"
        raise ExpressionError(codes.EXPRESSION_SYNTAX, message, index, index + 1, help)
    return _parse_at(text, found.start(), found.end()), found.end()


def _closing_bracket(text: str, index: int) -> int:
    """Where the `$(` at `index` is closed; quotes and brackets inside are passed over."""
    end = closing(text, index + 2)
    if end == len(text):
        message = "`$(` is not closed"
        raise ExpressionError(codes.EXPRESSION_SYNTAX, message, index, index + 2, "add the missing `)`")
    if text[end] != ")":
        message = f"`$(` is closed by `{text[end]}`"
        raise ExpressionError(codes.EXPRESSION_SYNTAX, message, index, end + 1, "close it with `)`")
    return end


def _parse_at(text: str, start: int, end: int) -> Expression:
    try:
        return parse(text[start:end])
    except ExpressionError as error:
        raise error.shifted(start) from None


def _merged(parts: list[tuple[int, str | Expression]]) -> list[tuple[int, str | Expression]]:
    """Texts side by side become one: `a$$b` is one part."""
    merged: list[tuple[int, str | Expression]] = []
    for start, part in parts:
        if merged and isinstance(part, str) and isinstance(merged[-1][1], str):
            merged[-1] = merged[-1][0], merged[-1][1] + part
        else:
            merged.append((start, part))
    return merged


def fill(template: Template, lookup: Lookup, budget: Budget) -> Any:
    """The value of a lone expression, or else the parts joined as text; errors are placed in the template's text."""
    if template.alone is not None:
        try:
            return evaluate(template.alone, lookup, budget)
        except ExpressionError as error:
            raise error.shifted(template.starts[0]) from None
    texts: list[str] = []
    room = limits().text
    for part, start in zip(template.parts, template.starts, strict=True):
        text = part if isinstance(part, str) else _as_text(_value_at(part, start, lookup, budget), part, start)
        room -= len(text)
        if room < 0:
            raise ExpressionError(codes.LIMIT_NAME, f"the text has more than {limits().text:,} characters", start, start, raising("text"))
        budget.spend(len(text) // TEXT_PER_STEP)
        texts.append(text)
    return "".join(texts)


def _value_at(part: Expression, start: int, lookup: Lookup, budget: Budget) -> Any:
    try:
        return evaluate(part, lookup, budget)
    except ExpressionError as error:
        raise error.shifted(start) from None


def _as_text(value: Any, part: Expression, start: int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return WORDS_OF[value]
    if isinstance(value, (int, float)):
        return repr(value)
    message = f"{kind(value)} cannot stand inside a text"
    raise ExpressionError(codes.EXPRESSION_TYPE, message, start, start + len(part.text))
