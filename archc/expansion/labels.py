"""The labels of steps: their part of layer names, numbered within the body's text."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from archc.diagnostics import codes, error
from archc.diagnostics.limits import limits, raising
from archc.expansion.binding import Wrong
from archc.expansion.naming import Numbers, iterated, label_of, number, numbered
from archc.expansion.place import Place
from archc.expansion.scope import Closure, MacroValue, Scope
from archc.expansion.words import CellMatch, Words
from archc.language.expressions import STEPS_PER_RUN, Budget
from archc.language.spec import Step

DEPTH_LIMIT = 64
STEPS_OF_A_SPLICE = 8


class Labels:
    """Labels and their numbers, counted once for each body and what its `$` operations stand for."""

    def __init__(self, words: Words, budget: Budget, numberings: dict[Hashable, tuple[Any, Numbers]]) -> None:
        self.words = words
        self.budget = budget
        self.numberings = numberings

    def numbering(self, steps: tuple[Step, ...], scope: Scope) -> Numbers:
        """The label numbers of a body; kept, for a body's text is run many times."""
        closures: list[object] = []
        for one in self.splices(steps, scope):
            closures.append(one if isinstance(one, str) else id(one))
            self.budget.steps_left -= STEPS_OF_A_SPLICE
            if self.budget.steps_left < 0:
                raise Wrong(error(codes.LIMIT_NODES, steps[0].span, f"the steps that parameters hold stand for too many lists of steps, written out: at most {limits().work * STEPS_PER_RUN // STEPS_OF_A_SPLICE:,}", help=raising("work")))
        key = (id(steps), *closures)
        found = self.numberings.get(key)
        if found is None:
            numbers = number(steps, scope, self.inline, self.name_of)
            found = self.numberings[key] = (steps, numbers)
        return found[1]

    def splices(self, steps: tuple[Step, ...], scope: Scope, depth: int = 0) -> Iterator[object]:
        """What the `$` operations in a body's own text stand for here: its numbers depend on them alone."""
        for step in steps:
            if step.operation.startswith("$"):
                value = scope.peek(step.operation[1:])
                if isinstance(value, Closure):
                    yield value.steps
                    if depth < DEPTH_LIMIT:
                        yield from self.splices(value.steps, value.scope, depth + 1)
                else:
                    yield value.macro if isinstance(value, MacroValue) else value if isinstance(value, str) else None
            elif step.body is not None:
                yield from self.splices(step.body, scope, depth)

    def inline(self, step: Step, scope: Scope) -> tuple[tuple[Step, ...], Scope] | None:
        """The steps that stand for a step which adds no label: cells, `$steps`, groups and sides without `as`."""
        if step.looped or step.names:
            return None
        if step.body is not None:
            return step.body, scope
        value = self.held(step, scope)
        if isinstance(value, str):
            target = self.words.target(value, scope.file)
            return (target.cell.body, scope) if isinstance(target, CellMatch) else None
        if not step.splice:
            return None
        return None if isinstance(value, MacroValue) else (value.steps, value.scope) if isinstance(value, Closure) else ((), scope)

    def held(self, step: Step, scope: Scope) -> Any:
        """What a step's operation stands for: a word, or the value of its `$name`."""
        return scope.peek(step.operation[1:]) if step.operation.startswith("$") else step.operation

    def name_of(self, step: Step, scope: Scope) -> str:
        """The word for a step's operation; "steps" where it has none, or one that only its loop's iterations know."""
        value = self.held(step, scope)
        if isinstance(value, str):
            return "steps" if isinstance(self.words.target(value, scope.file), CellMatch) else value
        return value.macro.name if isinstance(value, MacroValue) else "steps"

    def of_loop(self, step: Step, scope: Scope, place: Place) -> str:
        """The label of a loop as a whole."""
        label = numbered(label_of(step, self.name_of(step, scope)), place.numbers.count(place.chain, step.site))
        return label.split("$", 1)[0] or "steps"

    def of(self, step: Step, scope: Scope, place: Place, names: list[str], iteration: int) -> str | None:
        """The step's part of layer names; `None` where it adds nothing."""
        if self.inline(step, scope) is not None:
            return None
        named = next((one for one in names if one != "_"), None)
        around = scope.parent if iteration and scope.parent is not None else scope
        label = named or label_of(step, self.name_of(step, around))
        label = numbered(label, place.numbers.count(place.chain, step.site))
        return iterated(label, iteration) if iteration else label

    def is_silent(self, step: Step, place: Place, label: str) -> bool:
        """True for a merge that adds nothing to the names of the layers in its branches."""
        named = any(one.text != "_" for one in step.names)
        return label == step.operation and not named and (place.chain, step.site) not in place.numbers.spelled
