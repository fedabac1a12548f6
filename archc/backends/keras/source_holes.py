"""What differs between the calls of a function or the rounds of a loop: parameters, loop variables, names.

A `Hole` is a place in a line with its value in each call (or round). A scope collects its holes, and when its lines
are known says what is written there: a literal, a parameter, a loop's variable, `2 * filters`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archc.backends.keras.source_text import Code, identifier, literal, quoted

ABSENT: Any = Code("")
"""The value in a call that does not come to the line."""


@dataclass(eq=False)
class Variable:
    """A parameter or a loop's variable; it gets its name when the whole function is known."""

    hint: str
    values: list[Any]
    name: str = ""
    default: Any = ABSENT
    key: str = ""

    def text(self) -> str:
        """Its name, once it has one."""
        return self.name


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
        """What is written there, where nothing else binds to it."""
        assert self.shown is not None
        return self.shown()

    def operand(self) -> str:
        """What is written there as a part of a larger expression: a conditional one in brackets."""
        text = self.text()
        return f"({text})" if isinstance(ast.parse(text, mode="eval").body, ast.IfExp) else text


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


def whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


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
