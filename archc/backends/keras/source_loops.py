"""A loop's scope: what differs between its rounds is told by the round's number, or listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from archc.backends.keras.source_holes import ABSENT, Hole, Name, Scope, Variable, agree, equal, same, whole


class Loop(Scope):
    """The scope of a loop: its rounds, over all the calls of the function that it stands in."""

    def __init__(
        self, outer: Scope, owners: Sequence[int], rounds: Sequence[int], arguments: Sequence[Mapping[str, Any]],
        names: Sequence[str], label: str, calls: int,
    ) -> None:  # fmt: skip
        super().__init__(arguments, names)
        self.outer = outer
        self.owners = owners
        self.rounds = rounds  # counted from 1, one for each owner in turn
        self.calls = calls
        self.index = Variable(label, [])
        self.index_used = False
        self.rows: Hole | None = None
        counts = Counter(owners)
        self.counts = [counts.get(one, ABSENT) for one in range(calls)]
        self.count: Hole | None = None

    def settle(self) -> None:
        for one in self.labels:
            self.settle_name(one)
        waiting = [one for one in (*self.holes, *self.conditions) if not self.settle_outside(one)]
        for one in waiting:
            one.values = self.filled(one.values)
        rowed = [one for one in waiting if not self.by_first(one)]
        first = [one for one in waiting if one not in rowed]
        known = self.known()
        for one in rowed:
            self.by_row(one, known)
        for one in first:
            if self.variables and self.calls == 1 and not isinstance(one.values[0], bool):
                self.by_row(one, known)
            else:
                self.write_first(one)
        if self.variables:
            self.rows = self.outer.hole(
                self.table(), "rows" if len(self.variables) > 1 else f"{self.variables[0].hint}_list"
            )
        else:
            self.count = self.outer.hole(list(self.counts), self.count_hint())

    def count_hint(self) -> str:
        return "repeats"

    def filled(self, values: list[Any]) -> list[Any]:
        filler = next(one for one in values if one is not ABSENT)
        return [filler if one is ABSENT else one for one in values]

    def per_call(self, values: Sequence[Any]) -> list[Any] | None:
        """The value in each call of the function, where all rounds have the same."""
        found: list[Any] = [ABSENT] * self.calls
        for owner, value in zip(self.owners, values, strict=True):
            if value is ABSENT or equal(found[owner], value):
                continue
            if found[owner] is not ABSENT:
                return None
            found[owner] = value
        return found

    def settle_outside(self, hole: Hole) -> bool:
        found = self.per_call(hole.values)
        if found is None:
            return False
        if hole in self.conditions:
            outer = self.outer.condition([one is True for one in found], hole.hint)
        else:
            outer = self.outer.hole(found, hole.hint, hole.key)
        hole.shown = outer.text
        return True

    def settle_name(self, name: Name) -> None:
        bases: list[Any] = []
        rests: set[str] = set()
        for value, start, at in zip(name.values, self.names, self.rounds, strict=True):
            if value is ABSENT:
                bases.append(ABSENT)
                continue
            number = str(at)
            fits = value.startswith(start) and start.endswith(number)
            bases.append(start[: -len(number)] if fits else value)
            rests.add(value[len(start) :] if fits else "\0")
        found = self.per_call(bases)
        if len(rests) == 1 and "\0" not in rests and found is not None:
            self.index_used = True
            outer = self.outer.name(found)
            rest = rests.pop()
            name.outer, name.pieces = outer, [self.index, rest] if rest else [self.index]
        else:
            filled = self.filled(list(name.values))
            name.pieces = [self.row(filled, "label")]

    def by_first(self, hole: Hole) -> bool:
        """True where all rounds but the first have one value in each call."""
        rest = self.per_call([ABSENT if at == 1 else one for one, at in zip(hole.values, self.rounds, strict=True)])
        return rest is not None

    def write_first(self, hole: Hole) -> None:
        self.index_used = True
        first: list[Any] = [ABSENT] * self.calls
        rest: list[Any] = [ABSENT] * self.calls
        for owner, at, value in zip(self.owners, self.rounds, hole.values, strict=True):
            (first if at == 1 else rest)[owner] = value
        if isinstance(hole.values[0], bool) and same(first) and same(rest) and not equal(_one(first), _one(rest)):
            sign = "==" if _one(first) else ">"
            hole.shown = lambda: f"{self.index.name} {sign} 1"
            return
        before, after = self.outer.hole(first, hole.hint, hole.key), self.outer.hole(rest, hole.hint, hole.key)
        hole.shown = lambda: f"{before.operand()} if {self.index.name} == 1 else {after.text()}"

    def by_row(self, hole: Hole, known: list[tuple[str, list[Any]]]) -> None:
        for offset, text in ((0, "{}"), (1, "{} - 1")):
            if all(whole(one) and one == at - offset for one, at in zip(hole.values, self.rounds, strict=True)):
                self.index_used = True
                hole.shown = partial(self.indexed, text)
                return
        variable = self.row(hole.values, next((key for key, one in known if agree(hole.values, one)), hole.hint))
        hole.shown = variable.text

    def indexed(self, text: str) -> str:
        return text.format(self.index.name)

    def row(self, values: list[Any], hint: str) -> Variable:
        found = next((one for one in self.variables if agree(values, one.values)), None)
        return found or self.variable(values, hint)

    def table(self) -> list[Any]:
        """The loop's list in each call."""
        rows: list[list[Any]] = [[] for _ in range(self.calls)]
        for at, owner in enumerate(self.owners):
            row = tuple(one.values[at] for one in self.variables)
            rows[owner].append(row if len(self.variables) > 1 else self.variables[0].values[at])
        return [tuple(one) if one else ABSENT for one in rows]


def _one(values: Sequence[Any]) -> Any:
    return next((one for one in values if one is not ABSENT), ABSENT)
