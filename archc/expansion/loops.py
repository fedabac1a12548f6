"""Loops: the variables of each iteration, and how often steps may run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from archc.diagnostics import CompileError, Diagnostics, Origin, Span, codes, error
from archc.diagnostics.limits import limits, raising
from archc.expansion.binding import Wrong, type_error
from archc.expansion.evaluation import Evaluation
from archc.expansion.place import Place
from archc.expansion.scope import Scope
from archc.language.document import Scalar
from archc.language.expressions import STEPS_PER_RUN, Clause
from archc.language.spec import Branch, Step
from archc.language.validation import kind_of

RUNS_OF_A_NODE = 3
"""A node is as dear as so many steps that run."""


class Loops:
    """What the loops of one network run over, and the count of what is run."""

    def __init__(self, evaluation: Evaluation, diagnostics: Diagnostics, reads: dict[int, frozenset[str]]) -> None:
        self.evaluation = evaluation
        self.diagnostics = diagnostics
        self.reads = reads

    def spend(self, step: Step, place: Place, count: int = 1) -> None:
        """Counts what is run and what is bound: steps that make no node cost time too."""
        budget = self.evaluation.evaluator.budget
        budget.steps_left -= count * STEPS_PER_RUN
        if budget.steps_left < 0:
            message = f"the network takes too much to write out: at most {limits().work:,} steps, of which a node counts as {RUNS_OF_A_NODE}"
            advice = f"macros that call one another twice at each level double their number; {raising('work')}"
            if not self.diagnostics.errors:  # a spec that is wrong is told what is, and no more
                self.diagnostics.add(error(codes.LIMIT_NODES, Origin(step.span, place.call), message, help=advice))
            raise CompileError(tuple(self.diagnostics))

    def check_runs(self, step: Step, count: int, place: Place) -> None:
        """Refuses nested loops by the product of their lengths, before any of them runs."""
        if place.runs > 1 and place.runs * count > limits().work:
            scalar = step.repeat if step.repeat is not None else step.clause
            span = scalar.span if scalar is not None else step.span
            message = f"with the loops around it this step would run {place.runs * count:,} times; the steps of a network run at most {limits().work:,} times"
            self.diagnostics.add(error(codes.LIMIT_REPEAT, Origin(span, place.call), message, help=raising("work")))
            raise CompileError(tuple(self.diagnostics))

    def read_in(self, step: Step) -> frozenset[str]:
        """The names that a loop's text reads with `from` and in merges, as they are written."""
        found = self.reads.get(step.site)
        if found is None:
            found = self.reads[step.site] = frozenset(_sources(step))
        return found

    def iterations(self, step: Step, scope: Scope, place: Place | None = None) -> list[dict[str, Any]]:
        """The variables of each iteration."""
        self.check_free(step.index, step, scope)
        if step.repeat is not None:
            count = self.evaluation.value(step.repeat, scope)
            if not isinstance(count, int) or isinstance(count, bool):
                wrong = type_error("`repeat`", "a whole number from 0", count, step.repeat.span)
                raise Wrong(replace(wrong, help="to loop over a list write `for: n in [...]`") if isinstance(count, list) else wrong)
            if count < 0:
                raise Wrong(error(codes.WRONG_VALUE, step.repeat.span, f"`repeat` is at least 0, and this is {count}"))
            self.check_repeat(count, step.repeat.span)
            if place is not None:
                self.check_runs(step, count, place)
            return [{step.index: at} for at in range(count)]
        assert step.clause is not None
        return self.rows(step, step.clause, scope)

    def branch_rows(self, branch: Branch, scope: Scope, place: Place) -> list[dict[str, Any]]:
        loop = Step(0, "steps", branch.span, None, clause=branch.clause, repeat=branch.repeat, index=branch.index)
        rows = self.iterations(loop, scope, place)
        self.check_runs(loop, len(rows), place)
        return rows

    def check_free(self, name: str, step: Step, scope: Scope) -> None:
        """A loop's variable hides nothing, save that an inner counter hides an outer one."""
        for one in scope.chain():
            if name in one.values and one.index != name:
                what = "a value"
            elif name in one.tensors:
                what = "a tensor"
            else:
                continue
            place = step.clause.span if step.clause is not None else step.span
            raise Wrong(error(codes.NAME_TAKEN, place, f"`{name}` is the name of {what} already", help="choose another name for the loop's variable"))

    def check_repeat(self, count: int, span: Span) -> None:
        if count > limits().repeat:
            raise Wrong(error(codes.LIMIT_REPEAT, span, f"a loop runs at most {limits().repeat:,} times, and this one {count:,}", help=raising("repeat")))

    def rows(self, step: Step, scalar: Scalar, scope: Scope) -> list[dict[str, Any]]:
        """The variables of each iteration of `names in list`."""
        clause = self.evaluation.clause(scalar)
        for name in clause.names:
            self.check_free(name, step, scope)
        items = self.evaluation.expression(clause.iterable, scalar, scope)
        if not isinstance(items, list):
            raise Wrong(error(codes.LOOP_FORM, scalar.span, f"`for` runs over a list, and this is {kind_of(items)}"))
        self.check_repeat(len(items), scalar.span)  # pyright: ignore[reportUnknownArgumentType]
        rows = [self.row(clause, item, at, scalar) for at, item in enumerate(items)]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        if step.index in clause.names:
            return rows
        return [{**row, step.index: at} for at, row in enumerate(rows)]

    def row(self, clause: Clause, item: Any, at: int, scalar: Scalar) -> dict[str, Any]:
        if len(clause.names) == 1:
            return {clause.names[0]: item}
        if isinstance(item, dict):
            unknown = [one for one in clause.names if one not in item]
            if unknown:
                raise Wrong(error(codes.LOOP_FORM, scalar.span, f"row {at + 1} has no key `{unknown[0]}`", help=f"its keys are {', '.join(map(str, item))}"))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            return {one: item[one] for one in clause.names}
        if not isinstance(item, list) or len(item) != len(clause.names):  # pyright: ignore[reportUnknownArgumentType]
            size = f"a list of {len(item)} item{'' if len(item) == 1 else 's'}" if isinstance(item, list) else kind_of(item)  # pyright: ignore[reportUnknownArgumentType]
            raise Wrong(error(codes.LOOP_FORM, scalar.span, f"row {at + 1} is {size}, and `for` names {len(clause.names)} values"))
        return dict(zip(clause.names, item, strict=True))  # pyright: ignore[reportUnknownArgumentType]


def _sources(step: Step) -> Iterator[str]:
    """The names in the `from` of a step and of the steps in it, and those that merges list."""
    yield from (one.text for one in step.sources or ())
    yield from (one.tensor.text for one in step.branches or () if one.tensor is not None)
    for inner in (*(step.body or ()), *(one for branch in step.branches or () for one in branch.steps or ())):
        yield from _sources(inner)
