"""Expressions: a small, pure language of numbers, lists and fields, parsed once and evaluated within a budget.

>>> evaluate(parse("4 * filters"), {"filters": 64}.__getitem__, Budget())
256

Python's own parser reads the text; an allow-list then rebuilds the tree from the node classes below, so that nothing
which is not written here can be run. No evaluator, attribute or import of Python is ever reached from a spec's text.
"""

from archc.language.expressions.errors import ExpressionError
from archc.language.expressions.functions import FUNCTIONS
from archc.language.expressions.parsing import Clause, parse, parse_clause
from archc.language.expressions.templates import Template, fill, template
from archc.language.expressions.tree import Expression, evaluate
from archc.language.expressions.values import STEPS_PER_RUN, Budget

__all__ = [
    "FUNCTIONS",
    "STEPS_PER_RUN",
    "Budget",
    "Clause",
    "Expression",
    "ExpressionError",
    "Template",
    "evaluate",
    "fill",
    "parse",
    "parse_clause",
    "template",
]
