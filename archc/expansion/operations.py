"""Operators: their arguments evaluated, checked and bound, once for a text that holds no expression."""

from __future__ import annotations

from collections.abc import Mapping as Map
from typing import Any

from archc.diagnostics import Diagnostic, Diagnostics, codes, error, warning
from archc.expansion.binding import (
    Wrong,
    bind,
    by_position,
    check_value,
    has_expression,
    is_first,
    missing,
    operator_signature,
)
from archc.expansion.evaluation import Evaluation
from archc.expansion.learnt import Learnt
from archc.expansion.scope import Closure, MacroValue, Scope
from archc.graph.graph import Tensor
from archc.language.document import Scalar, Sequence, Value
from archc.language.spec import Step
from archc.language.steps import is_merge
from archc.operators import Operator, make


class Operations:
    """The operators that steps stand for."""

    def __init__(self, evaluation: Evaluation, diagnostics: Diagnostics, learnt: Learnt) -> None:
        self.evaluation = evaluation
        self.diagnostics = diagnostics
        self.learnt = learnt
        self.firsts: dict[tuple[type[Operator], str], bool] = {}

    def built(self, step: Step, operator: type[Operator], scope: Scope) -> tuple[Operator, Map[str, str]]:
        """The operator with its arguments bound and checked; kept where they hold no expression."""
        key = step.site, operator
        known = self.learnt.fixed.get(key)
        if known is not None:
            return known
        arguments = step.arguments
        fixed = arguments is None or not has_expression(arguments)
        if isinstance(arguments, Scalar) and not fixed:
            arguments = self.evaluation.known(arguments, scope)
        signature = operator_signature(operator)
        bound, problems = bind(arguments, signature, step.span, first=self.is_first(operator, arguments, scope))
        problems += missing(arguments, bound, signature, step.span)
        values: dict[str, Any] = {}
        for name, written in bound.items() if not (problems and isinstance(arguments, Sequence)) else ():
            found: list[Diagnostic] = []
            values[name] = self.attribute(operator, name, written, scope, found)
            problems += by_position(found, name, arguments, signature)
        if problems:
            raise Wrong(*problems)
        built = make(operator, values)
        text = {name: one.text for name, one in bound.items() if isinstance(one, Scalar) and has_expression(one)}
        if fixed:
            self.learnt.fixed[key] = built, text
        return built, text

    def is_first(self, operator: type[Operator], arguments: Value | None, scope: Scope) -> bool:
        """True for a list of arguments that is the first one alone."""
        if not isinstance(arguments, Sequence) or not operator_signature(operator).first_may_be_list:
            return False
        value = self.evaluation.value(arguments, scope)
        key = operator, repr(value)
        if key not in self.firsts:
            self.firsts[key] = is_first(operator, value)
        return self.firsts[key]

    def attribute(self, operator: type[Operator], name: str, written: Value, scope: Scope, problems: list[Any]) -> Any:
        try:
            value = self.evaluation.value(written, scope)
        except Wrong as wrong:
            problems.extend(wrong.diagnostics)
            return None
        if isinstance(value, Closure | MacroValue):
            problems.append(error(codes.WRONG_TYPE, written.span, f"`{name}` of `{operator.name}` takes a value, and this is {'a list of steps' if isinstance(value, Closure) else 'a macro'}"))
            return None
        key = operator, name, repr(value)
        if not self.learnt.is_sound(key):
            found = check_value(operator, name, value, written)
            problems.extend(found)
            if not found:
                self.learnt.keep_sound(key)
        return value

    def check_count(self, step: Step, operator: type[Operator], count: int) -> None:
        least, most = operator.arity
        if count >= least and (most is None or count <= most):
            return
        wanted = str(least) if least == most else f"{least} or more" if most is None else f"{least} to {most}"
        advice = "join them first, with `concat` or `add`" if most else "inputs are declared under `input` or `inputs`, and no step makes one"
        if is_merge(operator.name):
            advice = f"list them, as in `{operator.name}: [_, input]`, or name branches, as in `{operator.name}: {{left: [...], right: [...]}}`"
        raise Wrong(error(codes.INPUT_COUNT, step.span, f"`{operator.name}` takes {wanted} input{'' if wanted == '1' else 's'}, and here it gets {count}", help=advice))

    def check_repeated(self, step: Step, operator: type[Operator], tensors: list[Tensor], labels: list[str]) -> None:
        if is_merge(operator.name) and len(set(tensors)) < len(tensors):
            places: dict[Tensor, list[str]] = {}
            for one, label in zip(tensors, labels, strict=False):
                places.setdefault(one, []).append(f"`{label}`")
            which = next((" and ".join(found[:3]) for found in places.values() if len(found) > 1), "")
            if operator.name == "concat":
                self.diagnostics.add(warning(codes.CONCAT_SAME, step.span, "`concat` joins a tensor to itself", label=f"{which} are one tensor" if which else "", help="name two tensors, where that was meant"))
                return
            raise Wrong(error(codes.SAME_TENSOR, step.span, f"`{operator.name}` merges a tensor with itself", label=f"{which} are one tensor" if which else "", help="a shortcut starts before the block: in a macro it is `input`"))
