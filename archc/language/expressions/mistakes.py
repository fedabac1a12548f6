"""What Python's parser refuses, in words about the expression language."""

from __future__ import annotations

import keyword
import re

from archc.diagnostics import codes
from archc.language.expressions.errors import ExpressionError

_MISTAKES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\$"), "inside an expression names are written without `$`"),
    (re.compile(r"&&"), "write `and`"),
    (re.compile(r"\|\|"), "write `or`"),
    (re.compile(r"!(?!=)"), "write `not`"),
    (re.compile(r"\?"), "write `a if test else b`"),
    (re.compile(r"[×·]"), "write `*`"),
    (re.compile(r"÷"), "write `/`"),
    (re.compile(r"[−–]"), "write `-`"),
    (re.compile(r"(?<![=<>!:])=(?!=)"), "equality is written `==`"),
)
"""Ways to write it in other languages, tried in order once Python's parser has refused."""
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")


def syntax_error(text: str, error: SyntaxError) -> ExpressionError:
    if keyword.iskeyword(text.strip()):
        message = f"`{text.strip()}` is a word of the expression language and names no value"
        return ExpressionError(codes.EXPRESSION_SYNTAX, message, *stripped(text))
    plain = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), text)
    for pattern, help in _MISTAKES:
        found = pattern.search(plain)
        if found:
            message = f"`{found[0]}` is not part of the expression language"
            return ExpressionError(codes.EXPRESSION_SYNTAX, message, found.start(), found.end(), help)
    first, last = stripped(text)
    start = min(max(first, (error.offset or 0) - 2), last - 1)
    return ExpressionError(codes.EXPRESSION_SYNTAX, "the expression is not well-formed here", start, last)


def stripped(text: str) -> tuple[int, int]:
    """Where the text starts and ends without the blanks around it."""
    start = len(text) - len(text.lstrip())
    return start, start + len(text.strip())
