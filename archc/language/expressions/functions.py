"""The functions that expressions may call."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from archc.diagnostics import codes
from archc.diagnostics.limits import limits, raising
from archc.language.expressions.errors import Trouble
from archc.language.expressions.limits import MAX_DIGITS
from archc.language.expressions.values import NUMBERS, bounded, is_list, is_map, kind, number, shown, whole


def _listed(arguments: tuple[Any, ...], what: str) -> Sequence[Any]:
    """The numbers that `min(a, b)` or `min(list)` speaks of."""
    items = arguments[0] if len(arguments) == 1 and is_list(arguments[0]) else arguments
    if not items:
        raise Trouble(codes.EXPRESSION_VALUE, f"{what} of no numbers")
    return [number(item, what) for item in items]


def _min(*values: Any) -> Any:
    return min(_listed(values, "`min`"))


def _max(*values: Any) -> Any:
    return max(_listed(values, "`max`"))


def _sum(values: Any) -> Any:
    """Adds one by one: Python's own `sum` rounds differently from version to version."""
    if not is_list(values):
        raise Trouble(codes.EXPRESSION_TYPE, f"`sum` takes a list, not {kind(values)}")
    total = 0
    for value in values:
        if type(value) not in NUMBERS:
            number(value, "`sum`")
        total = bounded(total + bounded(value))
    return total


def _len(values: Any) -> int:
    if not is_list(values) and not is_map(values):
        raise Trouble(codes.EXPRESSION_TYPE, f"`len` takes a list or a map, not {kind(values)}")
    return len(values)


def _range(*bounds: Any) -> list[int]:
    numbers = [whole(bound, "a bound of `range`") for bound in bounds]
    if len(numbers) == 3 and numbers[2] == 0:
        raise Trouble(codes.EXPRESSION_VALUE, "the step of `range` is 0")
    found = range(*numbers)
    if len(found) > limits().items:
        raise Trouble(codes.LIMIT_EXPRESSION, f"the list would have {len(found):,} items, more than {limits().items:,}", raising("items"))
    return list(found)


def _abs(value: Any) -> Any:
    return abs(number(value, "`abs`"))


def _round(value: Any, digits: Any = None) -> Any:
    number(value, "`round`")
    if digits is None:
        return round(value)
    if abs(whole(digits, "the number of digits")) > MAX_DIGITS:
        raise Trouble(codes.EXPRESSION_VALUE, f"`round` keeps at most {MAX_DIGITS} digits, not {shown(digits)}")
    return round(value, digits)


def _ceil(value: Any) -> int:
    return math.ceil(number(value, "`ceil`"))


def _floor(value: Any) -> int:
    return math.floor(number(value, "`floor`"))


def _sqrt(value: Any) -> float:
    if number(value, "`sqrt`") < 0:
        raise Trouble(codes.EXPRESSION_VALUE, f"`sqrt` of a negative number, {shown(value)}")
    return math.sqrt(value)


def _log2(value: Any) -> float:
    if number(value, "`log2`") <= 0:
        raise Trouble(codes.EXPRESSION_VALUE, f"`log2` takes numbers above 0, not {shown(value)}")
    return math.log2(value)


def make_divisible(value: Any, divisor: Any = 8) -> int:
    """The rule of MobileNet: the nearest multiple, at least one, and never below 90 % of the value.

    >>> make_divisible(32 * 1.4)
    48
    """
    number(value, "`make_divisible`")
    if whole(divisor, "the divisor") < 1:
        raise Trouble(codes.EXPRESSION_VALUE, f"the divisor of `make_divisible` is at least 1, not {shown(divisor)}")
    nearest = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * value else nearest


FUNCTIONS: dict[str, tuple[Callable[..., Any], str]] = {
    "min": (_min, "the smallest of the numbers, or of a list"),
    "max": (_max, "the largest of the numbers, or of a list"),
    "sum": (_sum, "the sum of a list of numbers"),
    "len": (_len, "the number of items of a list or map"),
    "range": (_range, "the list of whole numbers from 0, or from a start, up to but without an end, by a step"),
    "abs": (_abs, "the magnitude of a number"),
    "round": (_round, "the nearest whole number, halves to even; or rounded to that many digits"),
    "ceil": (_ceil, "the next whole number upwards"),
    "floor": (_floor, "the next whole number downwards"),
    "sqrt": (_sqrt, "the square root"),
    "log2": (_log2, "the logarithm to base 2"),
    "make_divisible": (make_divisible, "the nearest multiple of `divisor` (8), never below 90 % of the value"),
}
"""Every function of the language, with its meaning."""

MANY = 10_000
"""More arguments than an expression has room for."""

ARGUMENTS: dict[str, tuple[int, int]] = {
    "min": (1, MANY),
    "max": (1, MANY),
    "range": (1, 3),
    "round": (1, 2),
    "make_divisible": (1, 2),
}
"""The least and largest number of arguments, where it is not one."""
