"""Brackets and quotes: that they nest and close, before Python's parser sees a text."""

from __future__ import annotations

import re

from archc.diagnostics import codes
from archc.language.expressions.errors import ExpressionError, not_allowed, too_deep
from archc.language.expressions.limits import MAX_LEVELS

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_PREFIX = re.compile(r"(?<!\w)[bfrtu]{1,2}\Z", re.IGNORECASE)


def check_brackets(text: str) -> None:
    """Brackets that nest and close, quotes that close: Python's parser is not asked about anything else."""
    end = closing(text, 0)
    if end < len(text):
        message = f"`{text[end]}` closes no bracket"
        raise ExpressionError(codes.EXPRESSION_SYNTAX, message, end, end + 1)


def closing(text: str, start: int) -> int:
    """The offset of the bracket that closes what was opened before `start`, or the end of the text."""
    open_brackets: list[int] = []
    index = start
    while index < len(text):
        sign = text[index]
        if sign in "\"'":
            _check_prefix(text, start, index)
            index = _after_quote(text, index)
            continue
        if sign in _CLOSING:
            open_brackets.append(index)
            if len(open_brackets) > MAX_LEVELS:
                raise too_deep(index, index + 1)
        elif sign in ")]}":
            if not open_brackets:
                return index
            _check_pair(text, open_brackets.pop(), index)
        elif sign in "#\\":
            raise not_allowed(f"`{sign}`", index, index + 1)
        index += 1
    if open_brackets:
        raise _unclosed(text, open_brackets[-1])
    return index


def _check_prefix(text: str, start: int, index: int) -> None:
    """Refuses f-strings and bytes before Python reads them: what an f-string holds would be parsed out of our sight."""
    found = _PREFIX.search(text, max(start, index - 3), index)
    if found:
        raise not_allowed(f"the prefix `{found[0]}` of a quoted text", found.start(), index + 1)


def _after_quote(text: str, start: int) -> int:
    """The offset after a quoted text; without escapes, it ends at the next quote of its kind."""
    end = text.find(text[start], start + 1)
    if end < 0:
        message = f"the quote `{text[start]}` is not closed"
        raise ExpressionError(codes.EXPRESSION_SYNTAX, message, start, len(text), "close the quoted text")
    inner = text[start:end]
    if "\\" in inner or "\n" in inner or "\r" in inner:
        raise not_allowed("a backslash or line break in a quoted text", start, end + 1)
    return end + 1


def _check_pair(text: str, start: int, end: int) -> None:
    if _CLOSING[text[start]] != text[end]:
        message = f"`{text[start]}` is closed by `{text[end]}`"
        raise ExpressionError(codes.EXPRESSION_SYNTAX, message, start, end + 1)


def _unclosed(text: str, start: int) -> ExpressionError:
    help = f"add the missing `{_CLOSING[text[start]]}`"
    return ExpressionError(codes.EXPRESSION_SYNTAX, f"`{text[start]}` is not closed", start, start + 1, help)
