"""What arithmetic, comparisons, indices and fields do with values."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, cast

from archc.diagnostics import closest, codes
from archc.language.expressions.errors import Trouble
from archc.language.expressions.limits import MAX_LEVELS, MAX_MAGNITUDE
from archc.language.expressions.values import (
    KINDS,
    NUMBERS,
    Budget,
    Fields,
    bounded,
    fields_of,
    is_list,
    is_map,
    kind,
    shown,
    whole,
)


def _power(base: Any, exponent: Any) -> Any:
    """Refuses before computing: 2**40 is beyond the largest number already."""
    if type(base) is int and type(exponent) is int and abs(base) > 1 and exponent > 40:
        raise Trouble(codes.LIMIT_MAGNITUDE, "the number is larger than 10^12 in magnitude")
    if base < 0 and type(exponent) is float and not exponent.is_integer():
        raise Trouble(codes.EXPRESSION_VALUE, f"{shown(base)} has no real power {shown(exponent)}")
    return base**exponent


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: left / right,
    "//": lambda left, right: left // right,
    "%": operator.mod,
    "**": _power,
}


def calculate(symbol: str, left: Any, right: Any) -> Any:
    if type(left) not in NUMBERS or type(right) not in NUMBERS:
        wrong = right if type(left) in NUMBERS else left
        raise Trouble(codes.EXPRESSION_TYPE, f"`{symbol}` works on numbers, not on {kind(wrong)}")
    if not (-MAX_MAGNITUDE <= left <= MAX_MAGNITUDE and -MAX_MAGNITUDE <= right <= MAX_MAGNITUDE):
        bounded(left)
        bounded(right)
    try:
        found = _ARITHMETIC[symbol](left, right)
        return found if -MAX_MAGNITUDE <= found <= MAX_MAGNITUDE else bounded(found)
    except ZeroDivisionError:
        raise Trouble(codes.EXPRESSION_VALUE, f"division by zero: `{left} {symbol} {right}`") from None
    except OverflowError:
        return bounded(math.inf)


def _order(symbol: str, left: Any, right: Any) -> bool:
    if type(left) not in NUMBERS or type(right) not in NUMBERS:
        wrong = right if type(left) in NUMBERS else left
        raise Trouble(codes.EXPRESSION_TYPE, f"`{symbol}` orders numbers, not {kind(wrong)}")
    return _ORDERS[symbol](left, right)


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _equal(left: Any, right: Any, budget: Budget, levels: int = MAX_LEVELS) -> bool:
    """Python's equality, but for a truth value and a number: Python calls `true` and 1 the same."""
    budget.spend(1)
    if levels == 0:
        raise Trouble(codes.LIMIT_EXPRESSION, f"the lists nest more than {MAX_LEVELS} deep")
    if is_list(left) and is_list(right):
        return len(left) == len(right) and all(
            _equal(one, other, budget, levels - 1) for one, other in zip(left, right, strict=True)
        )
    if is_map(left) and is_map(right):
        return left.keys() == right.keys() and all(
            _equal(value, right[key], budget, levels - 1) for key, value in left.items()
        )
    return _equal_plain(left, right)


def _equal_plain(left: Any, right: Any) -> bool:
    kinds: set[type] = {type(left), type(right)}
    if not kinds <= KINDS.keys():
        wrong = left if type(left) not in KINDS else right
        raise Trouble(codes.EXPRESSION_TYPE, f"{kind(wrong)} cannot be compared")
    if bool in kinds and kinds & NUMBERS:
        raise Trouble(codes.EXPRESSION_TYPE, "a truth value and a number cannot be compared")
    return left == right if type(left) is type(right) or kinds <= NUMBERS else False


def _contains(item: Any, items: Any, budget: Budget) -> bool:
    if not is_list(items):
        raise Trouble(codes.EXPRESSION_TYPE, f"`in` looks into a list, not into {kind(items)}")
    return any(_equal(item, one, budget) for one in items)


def compare(symbol: str, left: Any, right: Any, budget: Budget) -> bool:
    if symbol in _ORDERS:
        return _order(symbol, left, right)
    if symbol in ("==", "!="):
        return _equal(left, right, budget) == (symbol == "==")
    return _contains(left, right, budget) == (symbol == "in")


def _no_field(value: object, name: str, known: Sequence[str]) -> Trouble:
    near = closest(name, known)
    help = f"did you mean `{near}`?" if near else ""
    return Trouble(codes.EXPRESSION_VALUE, f"{kind(value)} has no field `{name[:40]}`", help)


def field_of(value: Any, name: str) -> Any:
    if is_map(value):
        if name not in value:
            raise _no_field(value, name, [str(key) for key in value])
        return value[name]
    fields = fields_of(value)
    if not fields:
        raise Trouble(codes.EXPRESSION_TYPE, f"{kind(value)} has no fields; `.{name[:40]}` reads a map or a tensor")
    if name not in fields:
        raise _no_field(value, name, sorted(fields))
    found = cast("Fields", value).field(name)
    return list(cast("tuple[Any, ...]", found)) if isinstance(found, tuple) else found


def item_of(value: Any, index: Any) -> Any:
    if is_map(value):
        if not isinstance(index, str):
            raise Trouble(codes.EXPRESSION_TYPE, f"the key of a map is a text, not {shown(index)}")
        return field_of(value, index)
    if not is_list(value):
        raise Trouble(codes.EXPRESSION_TYPE, f"an index reads a list or a map, not {kind(value)}")
    if not -len(value) <= whole(index, "an index") < len(value):
        raise Trouble(codes.EXPRESSION_VALUE, f"index {index} is out of range: the list has {len(value)} item{'' if len(value) == 1 else 's'}")
    return value[index]


def part_of(value: Any, bounds: Sequence[Any], budget: Budget) -> list[Any]:
    if not is_list(value):
        raise Trouble(codes.EXPRESSION_TYPE, f"a slice reads a list, not {kind(value)}")
    start, stop, step = (None if bound is None else whole(bound, "a bound of a slice") for bound in bounds)
    if step == 0:
        raise Trouble(codes.EXPRESSION_VALUE, "the step of a slice is 0")
    found = list(value[start:stop:step])
    budget.spend(len(found))
    return found
