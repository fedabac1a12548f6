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
    if (found := _expected(text)) is not None:
        return found
    first, last = stripped(text)
    start = min(max(first, (error.offset or 0) - 2), last - 1)
    return ExpressionError(codes.EXPRESSION_SYNTAX, "the expression is not well-formed here", start, last)


_TOKEN = re.compile(r"(?P<value>\"[^\"]*\"|'[^']*'|[0-9][\w.]*|\w+)|(?P<sign>\*\*|//|[=!<>]=|[^\s\w])")
_BETWEEN = frozenset({"+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", ">", "<=", ">=", ",", ":", ".", "and", "or", "in", "if", "else", "for"})
_BEFORE = frozenset({"-", "+", "not"})
_OPEN, _CLOSED = frozenset("([{"), frozenset(")]}")


def _expected(text: str) -> ExpressionError | None:
    """What is missing at the first place where values and operators do not take turns."""
    before: re.Match[str] | None = None
    wants_value = True
    for token in _TOKEN.finditer(text):
        word, last = token[0], before[0] if before else ""
        if word in _CLOSED:
            if wants_value and last not in _OPEN and last not in (",", ":"):
                return _lacking(f"a value is missing after `{last}`", before or token)
            wants_value = False
        elif word in _OPEN:
            if not wants_value and word == "{":
                return None
            wants_value = True
        elif word in _BETWEEN and not (wants_value and word in _BEFORE):
            if wants_value and not (word == ":" or last == ":"):
                return _lacking(f"a value is missing {f'between `{last}` and' if last else 'before'} `{word}`", token)
            wants_value = True
        elif word not in _BEFORE:
            if not wants_value:
                return _lacking(f"an operator is missing between `{last}` and `{word}`", token)
            wants_value = False
        before = token
    if before is not None and wants_value and before[0] in _BETWEEN | _BEFORE:
        return _lacking(f"a value is missing after `{before[0]}`", before)
    if re.search(r"\bif\b", text) and not re.search(r"\b(else|for)\b", text):
        first, end = stripped(text)
        return ExpressionError(codes.EXPRESSION_SYNTAX, "the condition has no `else`", first, end, "write `a if test else b`")
    return None


def _lacking(message: str, at: re.Match[str]) -> ExpressionError:
    help = "" if message.startswith("an operator") else "a value is a number, a name, a text in quotes, or an expression in brackets"
    return ExpressionError(codes.EXPRESSION_SYNTAX, message, at.start(), at.end(), help)


def stripped(text: str) -> tuple[int, int]:
    """Where the text starts and ends without the blanks around it."""
    start = len(text) - len(text.lstrip())
    return start, start + len(text.strip())
