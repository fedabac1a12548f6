"""Texts of a spec -> values: expressions read the names of a scope."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from archc.diagnostics import codes, error
from archc.expansion.binding import Evaluator, Wrong, located_error
from archc.expansion.scope import Closure, Poison, Scope, TensorView
from archc.graph.builder import Builder
from archc.graph.graph import Tensor
from archc.language.document import Scalar, Value, located
from archc.language.expressions import Budget, Clause, Expression, ExpressionError, evaluate, parse, parse_clause
from archc.language.validation import kind_of

KINDS = frozenset({int, float, str, bool, list})
"""The kinds of most values, which are no tensors."""


class Evaluation:
    """Evaluates in a scope; tensors show the shapes that the builder has inferred."""

    def __init__(self, builder: Builder, budget: Budget) -> None:
        self.builder = builder
        self.evaluator = Evaluator(budget)

    def value(self, value: Value, scope: Scope) -> Any:
        """A located value with its expressions evaluated."""
        if isinstance(value, Scalar):
            if not isinstance(value.value, str) or ("$" not in value.value and value.value != "None"):
                return value.value
            return self.evaluator.scalar(value, self.lookup(scope))
        return self.evaluator.value(value, self.lookup(scope))

    def known(self, scalar: Scalar, scope: Scope) -> Value:
        """A scalar argument whose expression gives a list or mapping binds as that; else it stays as written."""
        value = self.value(scalar, scope)
        return located(value, scalar.span) if isinstance(value, list | dict) else scalar

    def text(self, scalar: Scalar, scope: Scope) -> str:
        """A name: the scalar's own text, with expressions filled in."""
        if "$" not in scalar.text:
            return scalar.text
        value = self.evaluator.scalar(replace(scalar, value=scalar.text), self.lookup(scope))
        if isinstance(value, Closure):
            raise Wrong(error(codes.BRANCH_FORM, scalar.span, f"`{scalar.text}` holds steps, and a text here is the name of a tensor", help=f"write `[{scalar.text}]` for the steps"))
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value)
        raise Wrong(error(codes.EXPRESSION_TYPE, scalar.span, f"a name is a text, and this is {kind_of(value)}"))

    def condition(self, scalar: Scalar, scope: Scope) -> bool:
        value = self.bare(scalar, scope)
        if not isinstance(value, bool):
            raise Wrong(error(codes.EXPRESSION_TYPE, scalar.span, f"`when` takes a condition, and this is {kind_of(value)}", help="compare it, as in `when: stride > 1`"))
        return value

    def bare(self, scalar: Scalar, scope: Scope) -> Any:
        """A bare expression, as in `when`; `$(...)` around it is allowed."""
        if not isinstance(scalar.value, str):
            return scalar.value
        try:
            if "$" in scalar.text:
                return self.whole(scalar, scope)
            return self.expression(parse(scalar.text), scalar, scope)
        except ExpressionError as problem:
            raise Wrong(located_error(scalar, problem)) from None

    def whole(self, scalar: Scalar, scope: Scope) -> Any:
        """The value of `$(...)` or `$name` that stands alone where a bare expression is expected."""
        parts = self.evaluator.template(scalar.text)
        if parts is not None and len(parts.parts) == 1:
            return self.evaluator.scalar(scalar, self.lookup(scope))
        bare = scalar.text.replace("$", "")
        raise Wrong(error(codes.EXPRESSION_SYNTAX, scalar.span, "this is an expression already, and names in it need no `$`", help=f"write `{bare}`"))

    def clause(self, scalar: Scalar) -> Clause:
        try:
            return parse_clause(scalar.text)
        except ExpressionError as problem:
            raise Wrong(located_error(scalar, problem)) from None

    def expression(self, expression: Expression, scalar: Scalar, scope: Scope) -> Any:
        try:
            return evaluate(expression, self.lookup(scope), self.evaluator.budget)
        except ExpressionError as problem:
            raise Wrong(located_error(scalar, problem)) from None

    def lookup(self, scope: Scope) -> Any:
        """What expressions read: values as they are, tensors as what they show of themselves."""

        def find(name: str) -> Any:
            try:
                value = scope.find(name)
            except KeyError:
                values, tensors = scope.visible()
                raise KeyError(name, *values, *tensors) from None
            if type(value) in KINDS:
                return value
            if isinstance(value, Tensor):
                return TensorView(self.builder.shape(value))
            if isinstance(value, Poison):
                return TensorView(None)
            return value

        return find
