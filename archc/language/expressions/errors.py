"""What is wrong with an expression, with its place in the text or without."""

from __future__ import annotations

from archc.diagnostics import Code, codes
from archc.language.expressions.limits import MAX_LEVELS


class ExpressionError(Exception):
    """An expression is wrong: `text[start:end]` is what the message speaks about."""

    def __init__(self, code: Code, message: str, start: int, end: int, help: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.start = start
        self.end = end
        self.help = help

    def shifted(self, offset: int) -> ExpressionError:
        """The same error in a text in which the expression starts at `offset`."""
        return ExpressionError(self.code, self.message, self.start + offset, self.end + offset, self.help)


class Trouble(Exception):
    """What is wrong with some values; the node that holds them adds where."""

    def __init__(self, code: Code, message: str, help: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help


def not_allowed(what: str, start: int, end: int, help: str = "") -> ExpressionError:
    """A construct that the language leaves out."""
    return ExpressionError(codes.NOT_ALLOWED, f"{what} is not allowed in an expression", start, end, help)


def too_deep(start: int, end: int) -> ExpressionError:
    """An expression that could exhaust the stack."""
    message = f"the expression nests more than {MAX_LEVELS} levels deep"
    help = "split it with `let`, or add a long list up with `sum([...])`"
    return ExpressionError(codes.LIMIT_EXPRESSION, message, start, end, help)
