"""Texts -> expressions, templates and clauses, each parsed once."""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from archc.diagnostics import codes
from archc.diagnostics.limits import limits, raising
from archc.language.expressions.brackets import check_brackets
from archc.language.expressions.conversion import Conversion
from archc.language.expressions.errors import ExpressionError, too_deep
from archc.language.expressions.mistakes import stripped, syntax_error
from archc.language.expressions.tree import Expression
from archc.language.expressions.values import WORDS


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Parses a bare expression, as in `when:` or inside `$(...)`."""
    if len(text) > limits().expression:
        message = f"the expression has {len(text):,} characters, more than {limits().expression:,}"
        raise ExpressionError(codes.LIMIT_EXPRESSION, message, 0, len(text), raising("expression"))
    if not text.strip():
        raise ExpressionError(codes.EXPRESSION_SYNTAX, "the expression is empty", 0, len(text))
    check_brackets(text)
    tree = _python_tree(text)
    conversion = Conversion(text, set(), None if text.isascii() else f"({text})".encode())
    node = conversion.node(tree, 1, frozenset())
    return Expression(text, node, frozenset(conversion.names))


_BLANKS = str.maketrans(dict.fromkeys("\r\n\t\f\v", " "))


def _python_tree(text: str) -> ast.expr:
    """Python's tree of the text, on one line and in brackets, so that one may break and indent it at will."""
    if "\0" in text:  # from 3.11.4 on a syntax error for Python
        raise _odd_character(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(f"({text.translate(_BLANKS)})", mode="eval").body
    except SyntaxError as error:
        raise syntax_error(text, error) from None
    except (RecursionError, MemoryError):
        raise too_deep(0, len(text)) from None
    except ValueError:  # a half of a surrogate pair
        raise _odd_character(text) from None


def _odd_character(text: str) -> ExpressionError:
    return ExpressionError(codes.EXPRESSION_SYNTAX, "the expression holds a character that is not allowed", 0, len(text))


@dataclass(frozen=True)
class Clause:
    """`a, b in rows`; the text of `iterable` is padded with blanks, so that its offsets are those in the clause."""

    names: tuple[str, ...]
    iterable: Expression


_CLAUSE = re.compile(r"(?P<names>.*?)\bin\b(?P<iterable>.*)", re.DOTALL)
_CLAUSE_HELP = "write `name in list`, or `a, b in rows`"


def parse_clause(text: str) -> Clause:
    """Parses the clause of a `for:`."""
    found = _CLAUSE.fullmatch(text)
    if found is None or not found["names"].strip() or not found["iterable"].strip():
        message = "a `for` names its variables and a list"
        raise ExpressionError(codes.LOOP_FORM, message, *stripped(text), _CLAUSE_HELP)
    names: list[str] = []
    start = 0
    for written in found["names"].split(","):
        names.append(_variable(written, start, names))
        start += len(written) + 1
    return Clause(tuple(names), parse(" " * found.start("iterable") + found["iterable"]))


def _variable(written: str, offset: int, taken: Sequence[str]) -> str:
    """One variable of a clause: an identifier, and no other's."""
    start, end = stripped(written)
    name = written[start:end]
    place = offset + start, offset + end
    if not name:
        raise ExpressionError(codes.LOOP_FORM, "the name of a variable is missing", *place, _CLAUSE_HELP)
    if not name.isidentifier() or keyword.iskeyword(name) or name in WORDS:
        raise ExpressionError(codes.LOOP_FORM, f"`{name[:40]}` cannot name a variable", *place, _CLAUSE_HELP)
    if name in taken:
        raise ExpressionError(codes.LOOP_FORM, f"the variable `{name[:40]}` stands here twice", *place, _CLAUSE_HELP)
    return name
