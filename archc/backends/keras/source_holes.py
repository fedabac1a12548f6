"""What differs between the calls of a function or the rounds of a loop: parameters, loop variables, names.

A `Hole` is a place in a line with its value in each call (or round). A scope collects its holes, and when its lines
are known says what is written there: a literal, a parameter, a loop's variable, `2 * filters`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archc.backends.keras.source_text import Code, identifier, literal, quoted

ABSENT: Any = Code("")
"""The value in a call that does not come to the line."""

_SHORT = {"kernel_size": "kernel_size", "pool_size": "pool_size"}
_NEVER_DEFAULT = frozenset(["filters", "units"])


@dataclass(eq=False)
class Variable:
    """A parameter or a loop's variable; it gets its name when the whole function is known."""

    hint: str
    values: list[Any]
    name: str = ""
    default: Any = ABSENT
    key: str = ""


@dataclass(eq=False)
class Hole:
    """A place in a line, with its value in each call."""

    values: list[Any]
    hint: str
    key: str = ""
    shown: Callable[[], str] | None = None
    constant: bool = False

    @property
    def value(self) -> Any:
        """Its value, where that is always the same."""
        return next((one for one in self.values if one is not ABSENT), ABSENT)

    def text(self) -> str:
        """What is written there."""
        assert self.shown is not None
        return self.shown()


@dataclass(eq=False)
class Name:
    """A layer's name, with its value in each call."""

    values: list[Any]
    outer: Name | None = None
    pieces: list[str | Variable] = field(default_factory=list["str | Variable"])

    def all(self) -> list[str | Variable]:
        """Text and variables, in order."""
        return [*self.outer.all(), *self.pieces] if self.outer else self.pieces

    def text(self) -> str:
        """A string, formatted where it holds variables."""
        pieces = self.all()
        if len(pieces) == 1 and isinstance(pieces[0], Variable):
            return pieces[0].name
        inside = "".join(one if isinstance(one, str) else f"{{{one.name}}}" for one in pieces)
        return quoted(inside) if all(isinstance(one, str) for one in pieces) else f'f"{inside}"'


def same(values: Iterable[Any]) -> bool:
    """True where all values are one, of one type."""
    found = [one for one in values if one is not ABSENT]
    return all(equal(one, found[0]) for one in found)


def equal(one: Any, other: Any) -> bool:
    """Equality that knows `1`, `1.0` and `True` apart."""
    return type(one) is type(other) and one == other and (not isinstance(one, tuple) or repr(one) == repr(other))  # pyright: ignore[reportUnknownArgumentType]


def agree(values: Sequence[Any], known: Sequence[Any]) -> bool:
    """True where the known values are these, wherever these count."""
    return all(one is ABSENT or equal(one, other) for one, other in zip(values, known, strict=True))


class Scope:
    """A function (its calls), or a loop in it (its rounds). The network's own function has one call."""

    def __init__(self, arguments: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
        self.arguments = [{key: _plain(value) for key, value in one.items()} for one in arguments]
        self.names = names
        self.holes: list[Hole] = []
        self.conditions: list[Hole] = []
        self.labels: list[Name] = []
        self.variables: list[Variable] = []

    def hole(self, values: list[Any], hint: str, key: str = "") -> Hole:
        """A place for a value."""
        made = Hole(values, hint, key or hint)
        if same(values) and not self.is_passed_on(made):
            made.constant = True
            made.shown = lambda: literal(made.value)
        else:
            self.holes.append(made)
        return made

    def is_passed_on(self, hole: Hole) -> bool:
        """True for a line that runs in some calls only, with one value there, which is what the text calls it too."""
        if not any(one is ABSENT for one in hole.values):
            return False
        return any(key == hole.hint and agree(hole.values, values) and not same(values) for key, values in self.known())

    def condition(self, values: list[bool], hint: str) -> Hole:
        """A place for `if`."""
        found = next((one for one in self.conditions if one.values == values), None)
        if found is None:
            found = Hole(list(values), hint)
            self.conditions.append(found)
        return found

    def name(self, values: list[Any]) -> Name:
        """A place for a layer's name."""
        made = Name(values)
        self.labels.append(made)
        return made

    def known(self) -> list[tuple[str, list[Any]]]:
        """What the text calls the values that it has in each call."""
        if not self.arguments:
            return []
        keys = [key for key in self.arguments[0] if all(key in one for one in self.arguments)]
        return [(key, [one[key] for one in self.arguments]) for key in keys]

    def variable(self, values: list[Any], hint: str, key: str = "") -> Variable:
        made = Variable(hint, list(values), key=key)
        self.variables.append(made)
        return made

    def settle(self) -> None:
        """Says what is written in each place."""
        raise NotImplementedError


class Function(Scope):
    """The scope of a function: what differs between calls becomes a parameter."""

    def __init__(self, arguments: Sequence[Mapping[str, Any]], names: Sequence[str], named: bool) -> None:
        super().__init__(arguments, names)
        self.named = Variable("name", list(names)) if named else None
        self.loop_variables: list[Variable] = []

    def settle(self) -> None:
        for one in self.labels:
            self.settle_name(one)
        known = self.known()
        left = [one for one in self.holes if not self.by_argument(one, known)]
        for one in left:
            self.settle_value(one)
        for one in self.conditions:
            self.settle_condition(one, known)
        order = {key: at for at, (key, _) in enumerate(known)}
        self.variables.sort(key=lambda one: order.get(one.hint, len(order)))
        for one in self.variables:
            self.set_default(one)

    def settle_name(self, name: Name) -> None:
        rests = {one[len(prefix) :] for one, prefix in zip(name.values, self.names, strict=True) if one is not ABSENT}
        if self.named is None:
            name.pieces = [next(one for one in name.values if one is not ABSENT)]
        elif len(rests) == 1 and all(one is ABSENT or one.startswith(at) for one, at in zip(name.values, self.names, strict=True)):
            rest = rests.pop()
            name.pieces = [self.named, rest] if rest else [self.named]
        else:
            name.pieces = [self.parameter(list(name.values), "label")]

    def by_argument(self, hole: Hole, known: list[tuple[str, list[Any]]]) -> bool:
        """True where an argument of the macro, or a multiple or half of one, is the value."""
        exact = [(key, values) for key, values in known if agree(hole.values, values)]
        factor = self.multiple(hole, known, exact[0][0] if exact else None)
        if factor is not None:
            text, variable = factor
            hole.shown = lambda: text.format(variable.name)
            return True
        if exact:
            key, values = next((one for one in exact if one[0] == hole.hint), exact[0])
            variable = self.parameter(values, key, hole.key)
            hole.shown = lambda: variable.name
        return bool(exact)

    def settle_value(self, hole: Hole) -> None:
        """One of two values, by a simple test of the parameters; else a parameter of its own."""
        first = hole.value
        is_first = [None if one is ABSENT else equal(one, first) for one in hole.values]
        rest = [one for one, at in zip(hole.values, is_first, strict=True) if at is False]
        test = self.test(is_first) if same(rest) else None
        other = self.test([None if one is None else not one for one in is_first]) if same(rest) else None
        if test is None and other is None:
            variable = self.parameter(hole.values, hole.hint, hole.key)
            hole.shown = lambda: variable.name
        elif other is None or (test is not None and test.depth <= other.depth):
            hole.shown = lambda: f"{literal(first)} if {test.text()} else {literal(rest[0])}" if test else ""
        else:
            hole.shown = lambda: f"{literal(rest[0])} if {other.text()} else {literal(first)}"

    def test(self, wanted: Sequence[bool | None]) -> Test | None:
        """A test of one or two parameters that holds in exactly these calls."""
        single = [one for variable in self.variables for one in _tests(variable)]
        pairs = [Test([a, b]) for at, a in enumerate(single) for b in single[at + 1 :] if a.variable is not b.variable]
        fits = (one for one in (*(Test([each]) for each in single), *pairs) if one.fits(wanted))
        return next(fits, None)

    def multiple(self, hole: Hole, known: list[tuple[str, list[Any]]], before: str | None) -> tuple[str, Variable] | None:
        """A whole multiple of an argument that the text has before the one that fits."""
        if not all(one is ABSENT or _whole(one) for one in hole.values):
            return None
        for key, values in known:
            if key == before:
                return None
            if all(_whole(one) and one for one in values) and not same(values):
                times = {at // one if not at % one else 0 for at, one in zip(hole.values, values, strict=True) if at is not ABSENT}
                if len(times) == 1 and 1 < (factor := times.pop()) <= 16:
                    return f"{factor} * {{}}", self.parameter(values, key, hole.key)
                if all(at is ABSENT or at == one // 2 for at, one in zip(hole.values, values, strict=True)) and any(one > 1 for one in values):
                    return "{} // 2", self.parameter(values, key, hole.key)
        return None

    def settle_condition(self, hole: Hole, known: list[tuple[str, list[Any]]]) -> None:
        for key, values in known:
            if values == hole.values and all(isinstance(one, bool) for one in values):
                variable = self.parameter(values, key)
                hole.shown = lambda: variable.name
                return
        if self.by_presence(hole):
            return
        test = self.test(hole.values)
        if test is not None:
            hole.shown = test.text
            return
        if self.by_comparison(hole, known):
            return
        variable = self.parameter(list(hole.values), hole.hint)
        hole.shown = lambda: variable.name

    def by_presence(self, hole: Hole) -> bool:
        """A parameter that only the lines under the condition need says by itself whether they run."""
        for one in self.variables:
            if [value is not ABSENT for value in one.values] == hole.values and all(one.values) and one.default is ABSENT:
                one.default = None
                one.values = [None if value is ABSENT else value for value in one.values]
                hole.shown = lambda: one.name
                return True
        return False

    def by_comparison(self, hole: Hole, known: list[tuple[str, list[Any]]]) -> bool:
        for key, values in known:
            if not all(isinstance(one, (int, str)) for one in values):
                continue
            for wanted, sign in ((True, "=="), (False, "!=")):
                inside = {one for one, run in zip(values, hole.values, strict=True) if run is wanted}
                outside = {one for one, run in zip(values, hole.values, strict=True) if run is not wanted}
                if len(inside) != 1 or inside & outside or (sign == "==" and not isinstance(next(iter(inside)), str)):
                    continue
                self.compare(hole, self.parameter(values, key), sign, inside.pop())
                return True
        return False

    def compare(self, hole: Hole, variable: Variable, sign: str, value: Any) -> None:
        if isinstance(value, bool):
            hole.shown = lambda: variable.name if value is (sign == "==") else f"not {variable.name}"
        else:
            hole.shown = lambda: f"{variable.name} {sign} {literal(value)}"

    def parameter(self, values: list[Any], hint: str, key: str = "") -> Variable:
        """The parameter with these values: one that is there, else a new one."""
        for one in self.variables:
            if agree(values, one.values):
                return one
            if one.hint == hint and one.default is ABSENT and _compatible(values, one.values):
                one.values = [a if b is ABSENT else b for a, b in zip(values, one.values, strict=True)]
                return one
        return self.variable(values, hint, key or hint)

    def set_default(self, variable: Variable) -> None:
        present = [one for one in variable.values if one is not ABSENT]
        if variable.default is ABSENT and variable.key not in _NEVER_DEFAULT and len(present) > 2 and not isinstance(present[0], tuple):
            value, times = Counter((type(one), one) for one in present if not isinstance(one, (tuple, dict))).most_common(1)[0]
            if 2 * times > len(present):
                variable.default = value[1]
        filler = variable.default if variable.default is not ABSENT else present[0]
        variable.values = [filler if one is ABSENT else one for one in variable.values]


@dataclass(eq=False)
class _Part:
    """A comparison of a parameter; `values` says where it holds."""

    variable: Variable
    sign: str
    values: list[bool]

    def text(self) -> str:
        return f"not {self.variable.name}" if self.sign == "not" else f"{self.variable.name}{self.sign}"


@dataclass(eq=False)
class Test:
    """Comparisons that all have to hold."""

    parts: list[_Part]

    @property
    def depth(self) -> int:
        """How many comparisons there are."""
        return len(self.parts)

    def fits(self, wanted: Sequence[bool | None]) -> bool:
        """True where it holds in the wanted calls, and in no other that counts."""
        held = zip(*(one.values for one in self.parts), strict=True)
        return all(one is None or one == all(each) for one, each in zip(wanted, held, strict=True))

    def text(self) -> str:
        """The test in Python."""
        return " and ".join(one.text() for one in self.parts)


def _tests(variable: Variable) -> list[_Part]:
    """What is worth asking of a parameter: on or off, one or more, which word."""
    values = variable.values
    if any(one is ABSENT for one in values):
        return []
    if all(isinstance(one, bool) for one in values):
        return [_Part(variable, "", list(values)), _Part(variable, "not", [not one for one in values])]
    if all(_whole(one) and one > 0 for one in values):
        return [_Part(variable, " == 1", [one == 1 for one in values]), _Part(variable, " > 1", [one > 1 for one in values])]
    if all(isinstance(one, str) for one in values):
        words = list(dict.fromkeys(values))[:8]
        return [_Part(variable, f" == {literal(word)}", [one == word for one in values]) for word in words]
    return []


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
            self.rows = self.outer.hole(self.table(), "rows" if len(self.variables) > 1 else f"{self.variables[0].hint}_list")
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
        hole.shown = lambda: f"{before.text()} if {self.index.name} == 1 else {after.text()}"

    def by_row(self, hole: Hole, known: list[tuple[str, list[Any]]]) -> None:
        for offset in (0, 1):
            if all(_whole(one) and one == at - offset for one, at in zip(hole.values, self.rounds, strict=True)):
                self.index_used = True
                hole.shown = lambda: f"{self.index.name} - {offset}" if offset else self.index.name
                return
        variable = self.row(hole.values, next((key for key, one in known if agree(hole.values, one)), hole.hint))
        hole.shown = lambda: variable.name

    def row(self, values: list[Any], hint: str) -> Variable:
        found = next((one for one in self.variables if agree(values, one.values)), None)
        return found or self.variable(values, hint)

    def table(self) -> list[Any]:
        """The loop's list in each call."""
        rows: list[list[Any]] = [[] for _ in range(self.calls)]
        for at, owner in enumerate(self.owners):
            row = tuple(one.values[at] for one in self.variables)
            rows[owner].append(row if len(row) > 1 else row[0])
        return [tuple(one) if one else ABSENT for one in rows]


def _one(values: Sequence[Any]) -> Any:
    return next((one for one in values if one is not ABSENT), ABSENT)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _compatible(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return all(a is ABSENT or b is ABSENT or equal(a, b) for a, b in zip(one, other, strict=True))


def _plain(value: Any) -> Any:
    """An argument of the text in the form that layers' values have."""
    if isinstance(value, (list, tuple)):
        return tuple(_plain(one) for one in value)  # pyright: ignore[reportUnknownVariableType]
    return value


def distinct(hint: str, taken: set[str]) -> str:
    """A name that is not taken, and is from now on."""
    name = identifier(hint)
    number = 2
    while name in taken:
        name = f"{identifier(hint)}_{number}"
        number += 1
    taken.add(name)
    return name
