"""A function's scope: what differs between its calls becomes a parameter, or follows from one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archc.backends.keras.source_holes import ABSENT, Hole, Name, Scope, Variable, agree, equal, same, whole
from archc.backends.keras.source_text import literal

_NEVER_DEFAULT = frozenset(["filters", "units"])


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
        elif len(rests) == 1 and all(
            one is ABSENT or one.startswith(at) for one, at in zip(name.values, self.names, strict=True)
        ):
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
            hole.shown = variable.text
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
            hole.shown = variable.text
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

    def multiple(
        self, hole: Hole, known: list[tuple[str, list[Any]]], before: str | None
    ) -> tuple[str, Variable] | None:
        """A whole multiple of an argument that the text has before the one that fits."""
        if not all(one is ABSENT or whole(one) for one in hole.values):
            return None
        for key, values in known:
            if key == before:
                return None
            if all(whole(one) and one for one in values) and not same(values):
                times = {
                    at // one if not at % one else 0
                    for at, one in zip(hole.values, values, strict=True)
                    if at is not ABSENT
                }
                if len(times) == 1 and 1 < (factor := times.pop()) <= 16:
                    return f"{factor} * {{}}", self.parameter(values, key, hole.key)
                if all(at is ABSENT or at == one // 2 for at, one in zip(hole.values, values, strict=True)) and any(
                    one > 1 for one in values
                ):
                    return "{} // 2", self.parameter(values, key, hole.key)
        return None

    def settle_condition(self, hole: Hole, known: list[tuple[str, list[Any]]]) -> None:
        for key, values in known:
            if values == hole.values and all(isinstance(one, bool) for one in values):
                variable = self.parameter(values, key)
                hole.shown = variable.text
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
        hole.shown = variable.text

    def by_presence(self, hole: Hole) -> bool:
        """A parameter that only the lines under the condition need says by itself whether they run."""
        for one in self.variables:
            if (
                [value is not ABSENT for value in one.values] == hole.values
                and all(one.values)
                and one.default is ABSENT
            ):
                one.default = None
                one.values = [None if value is ABSENT else value for value in one.values]
                hole.shown = one.text
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
        if (
            variable.default is ABSENT
            and variable.key not in _NEVER_DEFAULT
            and len(present) > 2
            and not any(isinstance(one, tuple) for one in present)
        ):
            shown, times = Counter(map(repr, present)).most_common(1)[0]
            if 2 * times > len(present):
                variable.default = next(one for one in present if repr(one) == shown)
        filler: Any = variable.default if variable.default is not ABSENT else present[0]
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
    if all(whole(one) and one > 0 for one in values):
        return [
            _Part(variable, " == 1", [one == 1 for one in values]),
            _Part(variable, " > 1", [one > 1 for one in values]),
        ]
    if all(isinstance(one, str) for one in values):
        words = list(dict.fromkeys(values))[:8]
        return [_Part(variable, f" == {literal(word)}", [one == word for one in values]) for word in words]
    return []


def _compatible(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return all(a is ABSENT or b is ABSENT or equal(a, b) for a, b in zip(one, other, strict=True))
