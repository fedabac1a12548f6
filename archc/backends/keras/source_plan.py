"""Lines that several calls (or rounds) have in common: regions laid beside each other, with what flows between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archc.backends.keras.source_align import Unlike, keyed, merged_keys, worth_it
from archc.backends.keras.source_holes import ABSENT, Hole, Name, Scope
from archc.backends.keras.source_loops import Loop
from archc.backends.keras.source_regions import Leaf, Region, Value

MOST_CONDITIONS = 4


@dataclass(eq=False)
class Symbol:
    """A variable that holds a tensor (or a layer). `absent` is what it holds where its line does not run."""

    hint: str
    label: str
    line: int = -1
    column: int = 0
    count: int = 1
    last: int = -1
    absent: Symbol | None = None
    column_output: int = 0
    values: list[Any] = field(default_factory=list[Any])  # of an input: the tensor in each call

    def read_at(self, line: int) -> None:
        self.last = max(self.last, line)


@dataclass(eq=False)
class Line:
    """A line: a layer, a function's call or a loop."""

    item: Leaf | Region
    condition: Hole | None
    reads: list[Symbol]
    outputs: list[Symbol]
    name: Name | None = None
    arguments: list[tuple[str, Hole]] = field(default_factory=list[tuple[str, Hole]])
    call_arguments: list[tuple[str, Hole]] = field(default_factory=list[tuple[str, Hole]])
    doc: str = ""
    loop: Loop | None = None
    body: Plan | None = None
    carried: list[tuple[Symbol, Symbol, Symbol]] = field(default_factory=list[tuple[Symbol, Symbol, Symbol]])
    """For each tensor that a loop hands on: in a round, after a round, and around the loop before it."""


@dataclass(eq=False)
class Plan:
    """The lines of a block, and what it reads from around it and gives."""

    scope: Scope
    lines: list[Line] = field(default_factory=list[Line])
    inputs: list[Symbol] = field(default_factory=list[Symbol])
    results: list[Symbol] = field(default_factory=list[Symbol])
    produced: list[dict[Value, Symbol]] = field(default_factory=list[dict[Value, Symbol]])
    present: list[list[bool]] = field(default_factory=list[list[bool]])


class Planner:
    """Lays blocks beside each other. One per block."""

    def __init__(self, blocks: Sequence[Region], scope: Scope, last_use: Mapping[Value, int]) -> None:
        self.blocks = blocks
        self.scope = scope
        self.last_use = last_use
        self.plan = Plan(scope, produced=[{} for _ in blocks])

    def lay(self) -> Plan:
        """The lines of these blocks."""
        keys = merged_keys(self.blocks)
        columns: dict[Any, list[Leaf | Region | None]] = {key: [None] * len(self.blocks) for key in keys}
        for at, block in enumerate(self.blocks):
            for key, item in keyed(block):
                columns[key][at] = item
        for column in columns.values():
            self.line(column)
        always = sum(line.condition is None for line in self.plan.lines)
        if len(self.scope.conditions) > min(always, MOST_CONDITIONS):
            raise Unlike
        return self.plan

    def line(self, column: list[Leaf | Region | None]) -> None:
        present = [one is not None for one in column]
        first = next(one for one in column if one is not None)
        self.plan.present.append(present)
        condition = None if all(present) else self.scope.condition(present, _condition_hint(first))
        if isinstance(first, Leaf):
            line = self.leaf(column, first, condition)  # pyright: ignore[reportArgumentType]
        elif first.kind == "loop":
            line = self.loop(column, first, condition)  # pyright: ignore[reportArgumentType]
        else:
            line = self.call(column, first, condition)  # pyright: ignore[reportArgumentType]
        docs = {one.doc for one in column if one is not None}
        line.doc = docs.pop() if len(docs) == 1 else ""
        self.plan.lines.append(line)

    @property
    def at(self) -> int:
        return len(self.plan.lines)

    # Lines

    def leaf(self, column: list[Leaf | None], first: Leaf, condition: Hole | None) -> Line:
        reads = [
            self.read({at: one.reads[turn] for at, one in enumerate(column) if one}) for turn in range(len(first.reads))
        ]
        line = Line(first, condition, reads, [])
        if first.values is not None:
            if first.is_named:
                line.name = self.scope.name([one.name if one else ABSENT for one in column])
            line.arguments = self.holes([one.values if one else None for one in column])
        if first.call is not None:
            calls = [_call_values(one) if one else None for one in column]
            line.call_arguments = self.holes(calls)
        for turn in range(len(first.outputs)):
            symbol = Symbol(first.hint, first.label, self.at, self.at, len(first.outputs))
            self.give(symbol, {at: one.outputs[turn] for at, one in enumerate(column) if one})
            line.outputs.append(symbol)
        return line

    def holes(self, values: Sequence[Mapping[str, Any] | None]) -> list[tuple[str, Hole]]:
        there = [one for one in values if one is not None]
        if any(one.keys() != there[0].keys() for one in there):
            raise Unlike
        return [
            (key, self.scope.hole([ABSENT if one is None else one[key] for one in values], key)) for key in there[0]
        ]

    def call(self, column: list[Region | None], first: Region, condition: Hole | None) -> Line:
        reads = [
            self.read({at: one.reads[turn] for at, one in enumerate(column) if one}) for turn in range(len(first.reads))
        ]
        line = Line(first, condition, reads, [])
        line.name = self.scope.name([one.name if one else ABSENT for one in column])
        line.arguments = self.holes([one.given if one else None for one in column])
        for turn in range(len(first.outputs)):
            symbol = Symbol(first.hint, first.label, self.at, self.at)
            self.give(symbol, {at: one.outputs[turn] for at, one in enumerate(column) if one})
            line.outputs.append(symbol)
        return line

    def give(self, symbol: Symbol, values: Mapping[int, Value | None]) -> None:
        for at, value in values.items():
            if value is not None:
                self.plan.produced[at][value] = symbol

    # What lines read

    def read(self, values: Mapping[int, Value]) -> Symbol:
        """The variable that holds these values, one for each block that comes to the line."""
        found = self.find(values)
        found.read_at(self.at)
        return found

    def find(self, values: Mapping[int, Value]) -> Symbol:
        symbols = {at: self.plan.produced[at].get(value) for at, value in values.items()}
        kinds = set(symbols.values())
        if kinds == {None}:
            return self.input(values)
        if len(kinds) == 1:
            found = kinds.pop()
            assert found is not None
            return found
        return self.optional(values, symbols)

    def optional(self, values: Mapping[int, Value], symbols: Mapping[int, Symbol | None]) -> Symbol:
        """A variable whose line does not always run; where it does not, it holds what was there before."""
        latest = max((one for one in symbols.values() if one), key=lambda one: one.column)
        rest = {at: value for at, value in values.items() if symbols[at] is not latest}
        if any(self.plan.present[latest.column][at] for at in rest):
            raise Unlike
        before = self.find(rest)
        if before.column >= latest.column and before.line >= 0:
            raise Unlike
        if latest.absent not in (None, before):
            raise Unlike
        latest.absent = before
        before.read_at(self.first_with(latest.line))
        return latest

    def first_with(self, line: int) -> int:
        """The first line of those that run together with this one."""
        lines = self.plan.lines
        while line > 0 and line < len(lines) and lines[line - 1].condition is lines[line].condition:
            line -= 1
        return line

    def input(self, values: Mapping[int, Value]) -> Symbol:
        for exact in (True, False):
            for one in self.plan.inputs:
                fits = (
                    one.values[at] == value or (not exact and one.values[at] is None) for at, value in values.items()
                )
                if all(fits):
                    for at, value in values.items():
                        one.values[at] = value
                    return one
        made = Symbol("x", "inputs", values=[None] * len(self.blocks))
        for at, value in values.items():
            made.values[at] = value
        self.plan.inputs.append(made)
        return made

    def result(self) -> None:
        """What the block gives: all that something after it reads."""
        given = [self.leaving(at) for at in range(len(self.blocks))]
        if len({len(one) for one in given}) == 1:
            try:
                found = [self.find({at: one[turn] for at, one in enumerate(given)}) for turn in range(len(given[0]))]
            except Unlike:
                found = []
            if found and all(one.line >= 0 for one in found) and len(set(found)) == len(found):
                return self.results(found)
        symbols = {self.plan.produced[at][value] for at, one in enumerate(given) for value in one}
        if any(not all(self.plan.present[one.column]) for one in symbols):
            raise Unlike
        order = {one: at for at, one in enumerate(output for line in self.plan.lines for output in line.outputs)}
        return self.results(sorted(symbols, key=order.__getitem__))

    def results(self, symbols: list[Symbol]) -> None:
        for one in symbols:
            one.read_at(len(self.plan.lines))
        self.plan.results = symbols

    def leaving(self, at: int) -> list[Value]:
        end = self.blocks[at].end
        return [value for value in self.plan.produced[at] if self.last_use.get(value, -1) >= end]

    def value_of(self, symbol: Symbol, at: int) -> Value | None:
        """What a variable holds at the end of a block."""
        now: Symbol | None = symbol
        while now is not None and now.line >= 0 and not self.plan.present[now.column][at]:
            now = now.absent
        if now is None:
            return None
        if now.line < 0:
            return now.values[at]
        return next((value for value, one in self.plan.produced[at].items() if one is now), None)

    # Loops

    def loop(self, column: list[Region | None], first: Region, condition: Hole | None) -> Line:
        try:
            return self.planned_loop(column, first, condition)
        except Unlike as problem:
            raise Unlike(problem.key or ("loop", first.site)) from None

    def planned_loop(self, column: list[Region | None], first: Region, condition: Hole | None) -> Line:
        loops = {at: one for at, one in enumerate(column) if one}
        if not worth_it(list(loops.values())):
            raise Unlike
        owners = [at for at, one in loops.items() for _ in one.items]
        rounds = [one for loop in loops.values() for one in loop.items]
        assert all(isinstance(one, Region) for one in rounds)
        blocks: list[Region] = rounds  # pyright: ignore[reportAssignmentType]
        for loop in loops.values():
            if [one.iteration for one in loop.items if isinstance(one, Region)] != list(range(1, len(loop.items) + 1)):
                raise Unlike
        numbers = [one.iteration for one in blocks]
        label = first.title
        scope = Loop(
            self.scope,
            owners,
            numbers,
            [one.arguments for one in blocks],
            [one.name for one in blocks],
            label,
            len(self.blocks),
        )
        inner = Planner(blocks, scope, self.last_use)
        body = inner.lay()
        line = Line(first, condition, [], [], loop=scope, body=body)
        _Handing(self, inner, line, owners, numbers).settle()
        scope.settle()
        return line


class _Handing:
    """What a loop reads, hands from round to round, and gives."""

    def __init__(self, outer: Planner, inner: Planner, line: Line, owners: list[int], numbers: list[int]) -> None:
        self.outer = outer
        self.inner = inner
        self.line = line
        self.owners = owners
        self.numbers = numbers
        self.finals = {owner: at for at, owner in enumerate(owners)}
        self.ends = {owner: inner.blocks[at].end for owner, at in self.finals.items()}
        self.inside = {owner: set[Value]() for owner in owners}
        for at, owner in enumerate(owners):
            self.inside[owner].update(inner.plan.produced[at])

    def settle(self) -> None:
        handed: list[Symbol] = []
        checked: list[Symbol] = []
        while len(checked) < len(self.inner.plan.inputs):
            symbol = self.inner.plan.inputs[len(checked)]
            checked.append(symbol)
            if not self.unchanging(symbol):
                self.hand(symbol)
                handed.append(symbol)
        self.give()

    def unchanging(self, symbol: Symbol) -> bool:
        """True for a tensor from around the loop, that all rounds of a call read."""
        found: dict[int, Value] = {}
        for owner, value in zip(self.owners, symbol.values, strict=True):
            if value is None:
                continue
            if value in self.inside[owner] or found.setdefault(owner, value) != value:
                return False
        if len(found) < len(set(self.owners)):
            raise Unlike
        outer = self.outer.read(found)
        symbol.read_at(len(self.inner.plan.lines))
        self.line.reads.append(outer)
        symbol.absent = outer
        return True

    def hand(self, symbol: Symbol) -> None:
        """A tensor that each round takes from the one before it."""
        first = {
            owner: value
            for owner, number, value in zip(self.owners, self.numbers, symbol.values, strict=True)
            if number == 1
        }
        if any(value is None for value in first.values()):
            raise Unlike
        after: dict[int, Value] = {}
        for at, (number, value) in enumerate(zip(self.numbers, symbol.values, strict=True)):
            if number > 1 and value is not None:
                after[at - 1] = value
        for at, value in after.items():
            passed_on = any(one.values[at] == value for one in self.inner.plan.inputs)
            if value not in self.inner.plan.produced[at] and not passed_on:
                raise Unlike
        update = self.inner.find(after)
        update.read_at(len(self.inner.plan.lines))
        before = self.outer.read(first)  # pyright: ignore[reportArgumentType]
        self.line.carried.append((symbol, update, before))

    def give(self) -> None:
        updates = [update for _, update, _ in self.line.carried]
        outputs = [
            Symbol(before.hint if before.line < 0 else "", "", self.outer.at, self.outer.at)
            for _, _, before in self.line.carried
        ]
        for turn, one in enumerate(outputs):
            one.hint, one.label = updates[turn].hint, updates[turn].label
        for at, owner in enumerate(self.owners):
            for value in self.inner.leaving(at):
                if self.handed_on(at, value):
                    continue
                last = self.finals[owner]
                turn = next((turn for turn, one in enumerate(updates) if self.inner.value_of(one, last) == value), None)
                if turn is None:
                    raise Unlike
                self.outer.plan.produced[owner][value] = outputs[turn]
        self.line.outputs = outputs

    def handed_on(self, at: int, value: Value) -> bool:
        """True where only the loop's own next rounds read it."""
        return self.inner.last_use[value] < self.ends[self.owners[at]]


def _call_values(leaf: Leaf) -> dict[str, Any]:
    assert leaf.call is not None
    positional = {f"*{at}": value for at, value in enumerate(leaf.call.arguments)}
    return {**positional, **leaf.call.keywords}


def _condition_hint(item: Leaf | Region) -> str:
    if item.hint in ("shortcut", "skip", "identity"):
        return "project"
    return f"with_{item.hint or item.label}"
