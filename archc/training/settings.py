"""Settings: the named choices of a recipe, each a frozen dataclass whose fields are its schema, its checks and its docs.

A setting is written like a step of a spec: a word (`adam`), or a mapping of one word to its arguments
(`sgd: {learning_rate: 0.1}`), which bind by name, by position, or alone to the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar, cast

from archc.diagnostics import Code, Diagnostics, Span, closest, codes, error, foreign_letter
from archc.expansion.binding import bind, check_value, missing, operator_signature
from archc.language.document import Mapping as MappingValue
from archc.language.document import Scalar, Sequence, Value, plain
from archc.language.validation import kind_of
from archc.operators import Operator, fields_of
from archc.operators.base import Problem, freeze


@dataclass(frozen=True)
class Call:
    """A call of something in Keras, as plain data: `Call("optimizers", "SGD", {"learning_rate": 0.1})`.

    The live object and the line of an emitted script both come from it, and cannot differ.
    """

    module: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One choice. A leaf states its `name` and its fields (made by `attribute`); its docstring is its entry in the docs."""

    name: ClassVar[str]
    positional: ClassVar[tuple[str, ...]] = ()

    def problems(self) -> Iterator[tuple[str, Problem]]:
        """What is wrong between its values, each with the field to point at; nothing, as a rule."""
        yield from ()

    def values(self) -> dict[str, Any]:
        """The fields and their values."""
        return {one.name: getattr(self, one.name) for one in fields_of(as_operator(type(self)))}


S = TypeVar("S", bound=Setting)


@dataclass(frozen=True)
class Placed(Generic[S]):
    """A setting with where it was written, as a whole and by field."""

    value: S
    span: Span
    spans: Mapping[str, Span]

    def place(self, name: str) -> Span:
        """Where a field was written; where it was not, the setting itself."""
        return self.spans.get(name, self.span)


def as_operator(setting: type[Setting]) -> type[Operator]:
    """A setting as the binder and the schema see it: a name, positional names, and fields with kinds, like an operator."""
    return cast("type[Operator]", setting)


class SettingReader:
    """Located values -> settings; what is wrong is collected."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        self.diagnostics = diagnostics

    def wrong(self, code: Code, span: Span, message: str, help: str = "") -> None:
        """Collects an error."""
        self.diagnostics.add(error(code, span, message, help=help))

    def one(self, value: Value, table: Mapping[str, type[S]], what: str) -> Placed[S] | None:
        """One choice from a table: a word, or a mapping of one word to its arguments."""
        if isinstance(value, Scalar) and value.text:
            return self.chosen(value, None, table, what)
        if isinstance(value, MappingValue) and len(value.entries) == 1:
            key, arguments = next(iter(value.entries.values()))
            return self.chosen(key, arguments, table, what)
        if isinstance(value, MappingValue) and value.entries:
            names = ", ".join(f"`{one}`" for one in list(value.entries)[:4])
            self.wrong(codes.WRONG_VALUE, value.span, f"{what} is one choice with its arguments, and this has the keys {names}", f"write `{{{next(iter(table))}: {{...}}}}`")
            return None
        self.wrong(codes.WRONG_TYPE, value.span, f"{what} takes a word or a mapping of one, and this is {kind_of(value)}", f"it is one of {', '.join(table)}")
        return None

    def many(self, value: Value | None, table: Mapping[str, type[S]], what: str) -> tuple[Placed[S], ...]:
        """A list of choices, in order."""
        if value is None:
            return ()
        if not isinstance(value, Sequence):
            self.wrong(codes.WRONG_TYPE, value.span, f"{what} takes a list, and this is {kind_of(value)}", f"write `[{next(iter(table))}]`")
            return ()
        found = [self.one(item, table, f"an item of {what}") for item in value.items]
        return tuple(one for one in found if one is not None)

    def chosen(self, word: Scalar, arguments: Value | None, table: Mapping[str, type[S]], what: str) -> Placed[S] | None:
        """The setting that a word names, with its arguments."""
        setting = table.get(word.text)
        if setting is None:
            near = closest(word.text, table)
            help = f"did you mean `{near}`?" if near else foreign_letter(word.text) or f"it is one of {', '.join(table)}"
            self.wrong(codes.WRONG_VALUE, word.span, f"{what} cannot be `{word.text}`", help)
            return None
        return self.filled(setting, arguments, word.span)

    def filled(self, setting: type[S], arguments: Value | None, place: Span) -> Placed[S] | None:
        """A setting from its arguments."""
        operator = as_operator(setting)
        signature = operator_signature(operator)
        bound, problems = bind(arguments, signature, place)
        problems += missing(arguments, bound, signature, place)
        for name, value in bound.items():
            problems += check_value(operator, name, plain(value), value)
        for one in problems:
            self.diagnostics.add(one)
        if problems:
            return None
        values = {name: freeze(plain(value)) for name, value in bound.items()}
        placed = Placed(cast("Callable[..., S]", setting)(**values), place, {name: value.span for name, value in bound.items()})
        wrong = list(placed.value.problems())
        for name, one in wrong:
            self.wrong(one.code, placed.place(name), one.message, one.help)
        return None if wrong else placed
