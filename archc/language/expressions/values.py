"""Values of expressions: their kinds and bounds, and what of them may be read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeGuard

from archc.diagnostics import codes
from archc.diagnostics.limits import limits, raising
from archc.language.expressions.errors import Trouble
from archc.language.expressions.limits import MAX_LEVELS, MAX_MAGNITUDE

Lookup = Callable[[str], Any]


class Fields(Protocol):
    """A value with fields that expressions may read, such as a tensor: `input.channels`."""

    FIELDS: ClassVar[frozenset[str]]

    def field(self, name: str) -> Any:
        """The value of one of `FIELDS`."""
        ...


STEPS_PER_RUN = 8
"""A step of a network that runs is as dear as so many steps of an expression."""


@dataclass
class Budget:
    """The steps that are left to all expressions of a run together, and to the steps of the network around them."""

    steps_left: int = field(default_factory=lambda: limits().work * STEPS_PER_RUN)

    def spend(self, steps: int) -> None:
        """Takes steps away, or ends the evaluation."""
        self.steps_left -= steps
        if self.steps_left < 0:
            raise Trouble(codes.LIMIT_EXPRESSION, "the expressions take too many steps", raising("work"))


NUMBERS = frozenset({int, float})
_LISTS = (list, tuple)
KINDS: dict[type, str] = {
    int: "a whole number",
    float: "a number",
    bool: "a truth value",
    str: "a text",
    list: "a list",
    tuple: "a list",
    dict: "a map",
    type(None): "null",
}


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, _LISTS)


def is_map(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def fields_of(value: object) -> frozenset[str]:
    """The fields of a tensor and its like; the name asked for is ours, never the spec's."""
    return getattr(type(value), "FIELDS", frozenset())


def kind(value: object) -> str:
    return KINDS.get(type(value), "a tensor" if fields_of(value) else "a value without parts")


def shown(value: object) -> str:
    """A value as the language writes it, or its kind where it is long."""
    if value is None or isinstance(value, bool):
        return f"`{WORDS_OF[value]}`"
    if isinstance(value, (int, float)) and abs(value) <= MAX_MAGNITUDE:
        return f"`{value}`"
    if isinstance(value, str) and len(value) <= 40:
        return f"`{value!r}`"
    return kind(value)


WORDS = {"true": True, "false": False, "null": None}
LOOK_ALIKES = {"yes": "true", "no": "false", "on": "true", "off": "false"}
"""What other languages write for truth values."""
WORDS_OF = {True: "true", False: "false", None: "null"}


def bounded(value: Any) -> Any:
    """A number that is not too large; a NaN fails the comparison too."""
    if not -MAX_MAGNITUDE <= value <= MAX_MAGNITUDE:
        raise Trouble(codes.LIMIT_MAGNITUDE, "the number is larger than 10^12 in magnitude")
    return value


def number(value: Any, what: str) -> Any:
    if type(value) not in NUMBERS:
        raise Trouble(codes.EXPRESSION_TYPE, f"{what} takes numbers, not {kind(value)}")
    return bounded(value)


def whole(value: Any, what: str) -> int:
    if type(value) is not int:
        raise Trouble(codes.EXPRESSION_TYPE, f"{what} is a whole number, not {shown(value)}")
    return bounded(value)


def collected(values: Iterable[Any], budget: Budget) -> list[Any]:
    """The values in a list, each measured as it comes, so that no large list is built only to be refused."""
    found: list[Any] = []
    room = limits().items
    for value in values:
        room -= 1
        if room < 0 or type(value) not in NUMBERS:
            room = _room_after(value, budget, room, MAX_LEVELS)
        found.append(value)
    return found


def _room_after(value: Any, budget: Budget, room: int, levels: int) -> int:
    """What a value leaves of the room; items nested in it count as often as they stand there, and cost a step each."""
    if is_list(value) or is_map(value):
        items: Collection[Any] = value.values() if is_map(value) else value
        room -= len(items)
        budget.spend(len(items))
        if levels == 0:
            raise Trouble(codes.LIMIT_EXPRESSION, f"the lists nest more than {MAX_LEVELS} deep")
        for item in items if room >= 0 else ():
            if type(item) not in NUMBERS:
                room = _room_after(item, budget, room, levels - 1)
    if room < 0:
        raise Trouble(codes.LIMIT_EXPRESSION, f"the values have more than {limits().items:,} items together", raising("items"))
    return room


def truth(value: Any) -> bool:
    if type(value) not in KINDS:
        raise Trouble(codes.EXPRESSION_TYPE, f"{kind(value)} is neither true nor false")
    return bool(value)
