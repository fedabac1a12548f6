"""Expressions: a small, pure language of numbers, lists and fields, parsed once and evaluated within a budget.

>>> evaluate(parse("4 * filters"), {"filters": 64}.__getitem__, Budget())
256

Python's own parser reads the text; an allow-list then rebuilds the tree from the node classes below, so that nothing
which is not written here can be run. No evaluator, attribute or import of Python is ever reached from a spec's text.
"""

from __future__ import annotations

import ast
import keyword
import math
import operator
import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Protocol, TypeGuard, cast

from archc.diagnostics import Code, closest, codes

MAX_CHARACTERS = 2_000
MAX_LEVELS = 50
MAX_STEPS = 1_000_000
MAX_ITEMS = 100_000
MAX_MAGNITUDE = 10**12
MAX_TEXT = 10_000
MAX_DIGITS = 15
"""`round` of a whole number to -10**9 digits would compute 10**(10**9)."""

Lookup = Callable[[str], Any]


class ExpressionError(Exception):
    """An expression is wrong: `text[start:end]` is what the message speaks about."""

    def __init__(self, code: Code, message: str, start: int, end: int, help: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.start = start
        self.end = end
        self.help = help

    def shifted(self, offset: int) -> ExpressionError:
        """The same error in a text in which the expression starts at `offset`."""
        return ExpressionError(self.code, self.message, self.start + offset, self.end + offset, self.help)


class Trouble(Exception):
    """What is wrong with some values; the node that holds them adds where."""

    def __init__(self, code: Code, message: str, help: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help


class Fields(Protocol):
    """A value with fields that expressions may read, such as a tensor: `input.channels`."""

    FIELDS: ClassVar[frozenset[str]]

    def field(self, name: str) -> Any:
        """The value of one of `FIELDS`."""
        ...


@dataclass
class Budget:
    """The steps that are left to all expressions of a run together."""

    steps_left: int = MAX_STEPS

    def spend(self, steps: int) -> None:
        """Takes steps away, or ends the evaluation."""
        self.steps_left -= steps
        if self.steps_left < 0:
            raise Trouble(codes.LIMIT_EXPRESSION, "the expressions take too many steps")


# ---------------------------------------------------------------------------------------------------------- values

_NUMBERS = frozenset({int, float})
_LISTS = (list, tuple)
_KINDS: dict[type, str] = {
    int: "a whole number",
    float: "a number",
    bool: "a truth value",
    str: "a text",
    list: "a list",
    tuple: "a list",
    dict: "a map",
    type(None): "null",
}


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, _LISTS)


def _is_map(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _fields_of(value: object) -> frozenset[str]:
    """The fields of a tensor and its like; the name asked for is ours, never the spec's."""
    return getattr(type(value), "FIELDS", frozenset())


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a tensor" if _fields_of(value) else "a value without parts")


def _show(value: object) -> str:
    """A value as the language writes it, or its kind where it is long."""
    if value is None or isinstance(value, bool):
        return f"`{_WORDS_OF[value]}`"
    if isinstance(value, (int, float)) and abs(value) <= MAX_MAGNITUDE:
        return f"`{value}`"
    if isinstance(value, str) and len(value) <= 40:
        return f"`{value!r}`"
    return _kind(value)


_WORDS = {"true": True, "false": False, "null": None}
_WORDS_OF = {True: "true", False: "false", None: "null"}


def _bounded(value: Any) -> Any:
    """A number that is not too large; a NaN fails the comparison too."""
    if not -MAX_MAGNITUDE <= value <= MAX_MAGNITUDE:
        raise Trouble(codes.LIMIT_MAGNITUDE, "the number is larger than 10^12 in magnitude")
    return value


def _number(value: Any, what: str) -> Any:
    if type(value) not in _NUMBERS:
        raise Trouble(codes.EXPRESSION_TYPE, f"{what} takes numbers, not {_kind(value)}")
    return _bounded(value)


def _whole(value: Any, what: str) -> int:
    if type(value) is not int:
        raise Trouble(codes.EXPRESSION_TYPE, f"{what} is a whole number, not {_show(value)}")
    return _bounded(value)


def _collect(values: Iterable[Any], budget: Budget) -> list[Any]:
    """The values in a list, each measured as it comes, so that no large list is built only to be refused."""
    found: list[Any] = []
    room = MAX_ITEMS
    for value in values:
        room = _room_after(value, budget, room - 1, MAX_LEVELS)
        found.append(value)
    return found


def _room_after(value: Any, budget: Budget, room: int, levels: int) -> int:
    """What a value leaves of the room; items nested in it count as often as they stand there, and cost a step each."""
    if _is_list(value) or _is_map(value):
        items: Collection[Any] = value.values() if _is_map(value) else value
        room -= len(items)
        budget.spend(len(items))
        if levels == 0:
            raise Trouble(codes.LIMIT_EXPRESSION, f"the lists nest more than {MAX_LEVELS} deep")
        for item in items if room >= 0 else ():
            room = _room_after(item, budget, room, levels - 1)
    if room < 0:
        raise Trouble(codes.LIMIT_EXPRESSION, f"the values have more than {MAX_ITEMS:,} items together")
    return room


def _truth(value: Any) -> bool:
    if type(value) not in _KINDS:
        raise Trouble(codes.EXPRESSION_TYPE, f"{_kind(value)} is neither true nor false")
    return bool(value)


# ------------------------------------------------------------------------------------------------------- functions


def _listed(arguments: tuple[Any, ...], what: str) -> Sequence[Any]:
    """The numbers that `min(a, b)` or `min(list)` speaks of."""
    items = arguments[0] if len(arguments) == 1 and _is_list(arguments[0]) else arguments
    if not items:
        raise Trouble(codes.EXPRESSION_VALUE, f"{what} of no numbers")
    return [_number(item, what) for item in items]


def _min(*values: Any) -> Any:
    return min(_listed(values, "`min`"))


def _max(*values: Any) -> Any:
    return max(_listed(values, "`max`"))


def _sum(values: Any) -> Any:
    """Adds one by one: Python's own `sum` rounds differently from version to version."""
    if not _is_list(values):
        raise Trouble(codes.EXPRESSION_TYPE, f"`sum` takes a list, not {_kind(values)}")
    total = 0
    for value in values:
        total = _bounded(total + _number(value, "`sum`"))
    return total


def _len(values: Any) -> int:
    if not _is_list(values) and not _is_map(values):
        raise Trouble(codes.EXPRESSION_TYPE, f"`len` takes a list or a map, not {_kind(values)}")
    return len(values)


def _range(*bounds: Any) -> list[int]:
    numbers = [_whole(bound, "a bound of `range`") for bound in bounds]
    if len(numbers) == 3 and numbers[2] == 0:
        raise Trouble(codes.EXPRESSION_VALUE, "the step of `range` is 0")
    found = range(*numbers)
    if len(found) > MAX_ITEMS:
        raise Trouble(codes.LIMIT_EXPRESSION, f"the list would have {len(found):,} items, more than {MAX_ITEMS:,}")
    return list(found)


def _abs(value: Any) -> Any:
    return abs(_number(value, "`abs`"))


def _round(value: Any, digits: Any = None) -> Any:
    _number(value, "`round`")
    if digits is None:
        return round(value)
    if abs(_whole(digits, "the number of digits")) > MAX_DIGITS:
        raise Trouble(codes.EXPRESSION_VALUE, f"`round` keeps at most {MAX_DIGITS} digits, not {_show(digits)}")
    return round(value, digits)


def _ceil(value: Any) -> int:
    return math.ceil(_number(value, "`ceil`"))


def _floor(value: Any) -> int:
    return math.floor(_number(value, "`floor`"))


def _sqrt(value: Any) -> float:
    if _number(value, "`sqrt`") < 0:
        raise Trouble(codes.EXPRESSION_VALUE, f"`sqrt` of a negative number, {_show(value)}")
    return math.sqrt(value)


def _log2(value: Any) -> float:
    if _number(value, "`log2`") <= 0:
        raise Trouble(codes.EXPRESSION_VALUE, f"`log2` takes numbers above 0, not {_show(value)}")
    return math.log2(value)


def make_divisible(value: Any, divisor: Any = 8) -> int:
    """The rule of MobileNet: the nearest multiple, at least one, and never below 90 % of the value.

    >>> make_divisible(32 * 1.4)
    48
    """
    _number(value, "`make_divisible`")
    if _whole(divisor, "the divisor") < 1:
        raise Trouble(codes.EXPRESSION_VALUE, f"the divisor of `make_divisible` is at least 1, not {_show(divisor)}")
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

_ARGUMENTS: dict[str, tuple[int, int]] = {
    "min": (1, MAX_CHARACTERS),
    "max": (1, MAX_CHARACTERS),
    "range": (1, 3),
    "round": (1, 2),
    "make_divisible": (1, 2),
}
"""The least and largest number of arguments, where it is not one."""

# ------------------------------------------------------------------------------------------------------- operators


def _power(base: Any, exponent: Any) -> Any:
    """Refuses before computing: 2**40 is beyond the largest number already."""
    if type(base) is int and type(exponent) is int and abs(base) > 1 and exponent > 40:
        raise Trouble(codes.LIMIT_MAGNITUDE, "the number is larger than 10^12 in magnitude")
    if base < 0 and type(exponent) is float and not exponent.is_integer():
        raise Trouble(codes.EXPRESSION_VALUE, f"{_show(base)} has no real power {_show(exponent)}")
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


def _calculate(symbol: str, left: Any, right: Any) -> Any:
    if type(left) not in _NUMBERS or type(right) not in _NUMBERS:
        wrong = right if type(left) in _NUMBERS else left
        raise Trouble(codes.EXPRESSION_TYPE, f"`{symbol}` works on numbers, not on {_kind(wrong)}")
    _bounded(left)
    _bounded(right)
    try:
        return _bounded(_ARITHMETIC[symbol](left, right))
    except ZeroDivisionError:
        raise Trouble(codes.EXPRESSION_VALUE, f"division by zero: `{left} {symbol} {right}`") from None
    except OverflowError:
        return _bounded(math.inf)


def _order(symbol: str, left: Any, right: Any) -> bool:
    if type(left) not in _NUMBERS or type(right) not in _NUMBERS:
        wrong = right if type(left) in _NUMBERS else left
        raise Trouble(codes.EXPRESSION_TYPE, f"`{symbol}` orders numbers, not {_kind(wrong)}")
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
    if _is_list(left) and _is_list(right):
        return len(left) == len(right) and all(
            _equal(one, other, budget, levels - 1) for one, other in zip(left, right, strict=True)
        )
    if _is_map(left) and _is_map(right):
        return left.keys() == right.keys() and all(
            _equal(value, right[key], budget, levels - 1) for key, value in left.items()
        )
    return _equal_plain(left, right)


def _equal_plain(left: Any, right: Any) -> bool:
    kinds: set[type] = {type(left), type(right)}
    if not kinds <= _KINDS.keys():
        wrong = left if type(left) not in _KINDS else right
        raise Trouble(codes.EXPRESSION_TYPE, f"{_kind(wrong)} cannot be compared")
    if bool in kinds and kinds & _NUMBERS:
        raise Trouble(codes.EXPRESSION_TYPE, "a truth value and a number cannot be compared")
    return left == right if type(left) is type(right) or kinds <= _NUMBERS else False


def _contains(item: Any, items: Any, budget: Budget) -> bool:
    if not _is_list(items):
        raise Trouble(codes.EXPRESSION_TYPE, f"`in` looks into a list, not into {_kind(items)}")
    return any(_equal(item, one, budget) for one in items)


def _compare(symbol: str, left: Any, right: Any, budget: Budget) -> bool:
    if symbol in _ORDERS:
        return _order(symbol, left, right)
    if symbol in ("==", "!="):
        return _equal(left, right, budget) == (symbol == "==")
    return _contains(left, right, budget) == (symbol == "in")


def _no_field(value: object, name: str, known: Sequence[str]) -> Trouble:
    near = closest(name, known)
    help = f"did you mean `{near}`?" if near else ""
    return Trouble(codes.EXPRESSION_VALUE, f"{_kind(value)} has no field `{name[:40]}`", help)


def _field(value: Any, name: str) -> Any:
    if _is_map(value):
        if name not in value:
            raise _no_field(value, name, [str(key) for key in value])
        return value[name]
    fields = _fields_of(value)
    if not fields:
        raise Trouble(codes.EXPRESSION_TYPE, f"{_kind(value)} has no fields; `.{name[:40]}` reads a map or a tensor")
    if name not in fields:
        raise _no_field(value, name, sorted(fields))
    found = cast("Fields", value).field(name)
    return list(cast("tuple[Any, ...]", found)) if isinstance(found, tuple) else found


def _item(value: Any, index: Any) -> Any:
    if _is_map(value):
        if not isinstance(index, str):
            raise Trouble(codes.EXPRESSION_TYPE, f"the key of a map is a text, not {_show(index)}")
        return _field(value, index)
    if not _is_list(value):
        raise Trouble(codes.EXPRESSION_TYPE, f"an index reads a list or a map, not {_kind(value)}")
    if not -len(value) <= _whole(index, "an index") < len(value):
        raise Trouble(codes.EXPRESSION_VALUE, f"index {index} is out of range: the list has {len(value)} items")
    return value[index]


def _part(value: Any, bounds: Sequence[Any], budget: Budget) -> list[Any]:
    if not _is_list(value):
        raise Trouble(codes.EXPRESSION_TYPE, f"a slice reads a list, not {_kind(value)}")
    start, stop, step = (None if bound is None else _whole(bound, "a bound of a slice") for bound in bounds)
    if step == 0:
        raise Trouble(codes.EXPRESSION_VALUE, "the step of a slice is 0")
    found = list(value[start:stop:step])
    budget.spend(len(found))
    return found


# ------------------------------------------------------------------------------------------------------------ tree


@dataclass(slots=True)
class Run:
    """One evaluation: where names are looked up, what is left, and the variables of the comprehensions around."""

    lookup: Lookup
    budget: Budget
    variables: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Node(ABC):
    """A part of an expression, and where it stands in the text."""

    start: int
    end: int

    @abstractmethod
    def value(self, run: Run) -> Any:
        """The value; `Trouble` that is raised here is placed by `_at`."""


def _at(node: Node, run: Run) -> Any:
    """The value of a node, for one step; trouble gets the place of the innermost node."""
    budget = run.budget
    budget.steps_left -= 1
    try:
        if budget.steps_left < 0:
            budget.spend(0)
        return node.value(run)
    except Trouble as trouble:
        raise ExpressionError(trouble.code, trouble.message, node.start, node.end, trouble.help) from None


@dataclass(frozen=True, eq=False, repr=False)
class Constant(Node):
    """A number, text, truth value or null."""

    constant: int | float | str | bool | None

    def value(self, run: Run) -> Any:
        return self.constant


@dataclass(frozen=True, eq=False, repr=False)
class Name(Node):
    """A value from outside, or a variable of a comprehension."""

    name: str

    def value(self, run: Run) -> Any:
        if self.name in run.variables:
            return run.variables[self.name]
        try:
            found = run.lookup(self.name)
        except KeyError as unknown:
            raise self._unknown([str(one) for one in unknown.args[1:]]) from None
        return _bounded(found) if type(found) in _NUMBERS else found

    def _unknown(self, known: Sequence[str]) -> Trouble:
        near = closest(self.name, known)
        listed = ", ".join(dict.fromkeys(known[:12]))
        help = f"did you mean `{near}`?" if near else f"the names here are {listed}" if listed else ""
        if self.name in FUNCTIONS:
            help = f"`{self.name}` is a function: call it, as in `{self.name}(...)`"
        return Trouble(codes.UNKNOWN_VALUE, f"no value `{self.name[:40]}` can be seen from here", help)


@dataclass(frozen=True, eq=False, repr=False)
class Unary(Node):
    """`-x`, `+x` or `not x`."""

    symbol: str
    operand: Node

    def value(self, run: Run) -> Any:
        operand = _at(self.operand, run)
        if self.symbol == "not":
            return not _truth(operand)
        _number(operand, f"`{self.symbol}`")
        return -operand if self.symbol == "-" else operand


@dataclass(frozen=True, eq=False, repr=False)
class Binary(Node):
    """Arithmetic on two numbers."""

    symbol: str
    left: Node
    right: Node

    def value(self, run: Run) -> Any:
        return _calculate(self.symbol, _at(self.left, run), _at(self.right, run))


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Node):
    """`a < b <= c`: each operand is evaluated at most once, and none after the first that fails."""

    first: Node
    rest: tuple[tuple[str, Node], ...]

    def value(self, run: Run) -> bool:
        left = _at(self.first, run)
        for symbol, node in self.rest:
            right = _at(node, run)
            if not _compare(symbol, left, right, run.budget):
                return False
            left = right
        return True


@dataclass(frozen=True, eq=False, repr=False)
class Logic(Node):
    """`and` and `or`: the operand that decided, as in Python."""

    decisive: bool
    operands: tuple[Node, ...]

    def value(self, run: Run) -> Any:
        found = None
        for operand in self.operands:
            found = _at(operand, run)
            if _truth(found) == self.decisive:
                break
        return found


@dataclass(frozen=True, eq=False, repr=False)
class Conditional(Node):
    """`a if test else b`."""

    test: Node
    then: Node
    otherwise: Node

    def value(self, run: Run) -> Any:
        return _at(self.then if _truth(_at(self.test, run)) else self.otherwise, run)


@dataclass(frozen=True, eq=False, repr=False)
class Listing(Node):
    """`[a, b]`, or `a, b`."""

    items: tuple[Node, ...]

    def value(self, run: Run) -> Any:
        return _collect((_at(item, run) for item in self.items), run.budget)


@dataclass(frozen=True, eq=False, repr=False)
class Loop:
    """`for a, b in rows if test` inside a comprehension."""

    names: tuple[str, ...]
    unpacks: bool
    iterable: Node
    tests: tuple[Node, ...]

    def bind(self, item: Any, run: Run) -> None:
        """Gives the variables their values."""
        if not self.unpacks:
            run.variables[self.names[0]] = item
            return
        if not _is_list(item) or len(item) != len(self.names):
            found = f"a list of {len(item)}" if _is_list(item) else _kind(item)
            raise Trouble(codes.EXPRESSION_VALUE, f"{len(self.names)} variables need as many values, not {found}")
        run.variables.update(zip(self.names, item, strict=True))


@dataclass(frozen=True, eq=False, repr=False)
class Comprehension(Node):
    """`[item for x in xs if test]`."""

    item: Node
    loops: tuple[Loop, ...]

    def value(self, run: Run) -> Any:
        inner = Run(run.lookup, run.budget, dict(run.variables))
        return _collect(self._items(inner, self.loops), run.budget)

    def _items(self, run: Run, loops: tuple[Loop, ...]) -> Iterator[Any]:
        if not loops:
            yield _at(self.item, run)
            return
        loop = loops[0]
        items = _at(loop.iterable, run)
        if not _is_list(items):
            raise Trouble(codes.EXPRESSION_TYPE, f"`for` goes through a list, not {_kind(items)}")
        for item in items:
            run.budget.spend(1)
            loop.bind(item, run)
            if all(_truth(_at(test, run)) for test in loop.tests):
                yield from self._items(run, loops[1:])


@dataclass(frozen=True, eq=False, repr=False)
class Field(Node):
    """`s.kernel`: a key of a map, or a field of a tensor."""

    owner: Node
    name: str

    def value(self, run: Run) -> Any:
        return _field(_at(self.owner, run), self.name)


@dataclass(frozen=True, eq=False, repr=False)
class Item(Node):
    """`list[0]` or `map["key"]`."""

    owner: Node
    index: Node

    def value(self, run: Run) -> Any:
        return _item(_at(self.owner, run), _at(self.index, run))


@dataclass(frozen=True, eq=False, repr=False)
class Slice(Node):
    """`list[start:stop:step]`."""

    owner: Node
    bounds: tuple[Node | None, Node | None, Node | None]

    def value(self, run: Run) -> Any:
        owner = _at(self.owner, run)
        return _part(owner, [None if bound is None else _at(bound, run) for bound in self.bounds], run.budget)


@dataclass(frozen=True, eq=False, repr=False)
class Application(Node):
    """A call of one of `FUNCTIONS`."""

    name: str
    arguments: tuple[Node, ...]

    def value(self, run: Run) -> Any:
        arguments = _collect((_at(argument, run) for argument in self.arguments), run.budget)
        found = FUNCTIONS[self.name][0](*arguments)
        if isinstance(found, list):
            run.budget.spend(len(cast("list[Any]", found)))
            return cast("list[Any]", found)
        return _bounded(found)


# ------------------------------------------------------------------------------------------------------ conversion

_SYMBOLS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.UAdd: "+",
    ast.USub: "-",
    ast.Not: "not",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}
_REFUSED_SYMBOLS: dict[type[ast.AST], str] = {
    ast.BitAnd: "`&`",
    ast.BitOr: "`|`",
    ast.BitXor: "`^`",
    ast.LShift: "`<<`",
    ast.RShift: "`>>`",
    ast.MatMult: "`@`",
    ast.Invert: "`~`",
    ast.Is: "`is`",
    ast.IsNot: "`is not`",
}
_SYMBOL_HELPS = {
    "`&`": "write `and`",
    "`|`": "write `or`",
    "`^`": "a power is written `**`",
    "`~`": "write `not`",
    "`is`": "write `==`",
    "`is not`": "write `!=`",
}
_REFUSED: dict[type[ast.AST], str] = {
    ast.Lambda: "a `lambda`",
    ast.JoinedStr: "an f-string",
    ast.NamedExpr: "an assignment (`:=`)",
    ast.GeneratorExp: "a generator",
    ast.SetComp: "a set comprehension",
    ast.DictComp: "a map comprehension",
    ast.Set: "a set",
    ast.Dict: "a map",
    ast.Starred: "a star (`*`)",
    ast.Await: "`await`",
    ast.Yield: "`yield`",
    ast.YieldFrom: "`yield from`",
}


@dataclass
class Conversion:
    """Rebuilds Python's tree from our own nodes, refusing all that is not listed here."""

    text: str
    names: set[str]
    encoded: bytes | None

    def node(self, tree: ast.expr, depth: int, bound: frozenset[str]) -> Node:
        """The node for a tree, `depth` levels down, where `bound` are the variables of comprehensions."""
        start, end = self.place(tree)
        if depth > MAX_LEVELS:
            raise _too_deep(start, end)
        convert = _CONVERSIONS.get(type(tree))
        if convert is None:
            advice = "write a list, as in `sum([n for n in rows])`" if isinstance(tree, ast.GeneratorExp) else ""
            raise _not_allowed(_REFUSED.get(type(tree), "this construct"), start, end, advice)
        return convert(self, tree, depth + 1, bound)

    def nodes(self, trees: Sequence[ast.expr], depth: int, bound: frozenset[str]) -> tuple[Node, ...]:
        """The nodes for several trees side by side."""
        return tuple(self.node(tree, depth, bound) for tree in trees)

    def place(self, tree: ast.expr | ast.keyword) -> tuple[int, int]:
        """Python counts bytes of UTF-8, and the bracket that `_python_tree` put before the text."""
        return self._characters(tree.col_offset) - 1, self._characters(tree.end_col_offset or 0) - 1

    def _characters(self, count: int) -> int:
        return count if self.encoded is None else len(self.encoded[:count].decode("utf-8"))

    def symbol(self, sign: ast.AST, start: int, end: int) -> str:
        """How an operator is written, if it is allowed."""
        symbol = _SYMBOLS.get(type(sign))
        if symbol is None:
            refused = _REFUSED_SYMBOLS[type(sign)]
            raise _not_allowed(f"the operator {refused}", start, end, _SYMBOL_HELPS.get(refused, ""))
        return symbol

    def constant(self, tree: ast.Constant, depth: int, bound: frozenset[str]) -> Node:
        """Numbers, texts and truth values; no bytes, complex numbers or ellipsis."""
        start, end = self.place(tree)
        if tree.value is not None and type(tree.value) not in (int, float, str, bool):
            raise _not_allowed(f"a constant like `{self.text[start:end][:40]}`", start, end)
        if type(tree.value) in _NUMBERS:
            _bounded_at(cast("int | float", tree.value), start, end)
        return Constant(start, end, cast("int | float | str | bool | None", tree.value))

    def name(self, tree: ast.Name, depth: int, bound: frozenset[str]) -> Node:
        """A name as written: Python would read some foreign letters as the plain ones they look like."""
        start, end = self.place(tree)
        name = self.exact(tree.id, start, end)
        if name in _WORDS:
            return Constant(start, end, _WORDS[name])
        if name not in bound:
            self.names.add(name)
        return Name(start, end, name)

    def exact(self, name: str, start: int, end: int) -> str:
        """The name, if the text has the very same letters at its place."""
        if self.text[start:end] != name:
            message = f"the name is not written in plain letters, as `{name[:40]}` is"
            raise ExpressionError(codes.EXPRESSION_SYNTAX, message, start, end)
        return name

    def unary(self, tree: ast.UnaryOp, depth: int, bound: frozenset[str]) -> Node:
        """`-x`, `not x`."""
        start, end = self.place(tree)
        return Unary(start, end, self.symbol(tree.op, start, end), self.node(tree.operand, depth, bound))

    def binary(self, tree: ast.BinOp, depth: int, bound: frozenset[str]) -> Node:
        """`a + b`."""
        start, end = self.place(tree)
        symbol = self.symbol(tree.op, start, end)
        return Binary(start, end, symbol, self.node(tree.left, depth, bound), self.node(tree.right, depth, bound))

    def comparison(self, tree: ast.Compare, depth: int, bound: frozenset[str]) -> Node:
        """`a < b < c`."""
        start, end = self.place(tree)
        symbols = [self.symbol(sign, start, end) for sign in tree.ops]
        first, *rest = self.nodes([tree.left, *tree.comparators], depth, bound)
        return Comparison(start, end, first, tuple(zip(symbols, rest, strict=True)))

    def logic(self, tree: ast.BoolOp, depth: int, bound: frozenset[str]) -> Node:
        """`a and b`."""
        return Logic(*self.place(tree), isinstance(tree.op, ast.Or), self.nodes(tree.values, depth, bound))

    def conditional(self, tree: ast.IfExp, depth: int, bound: frozenset[str]) -> Node:
        """`a if test else b`."""
        return Conditional(*self.place(tree), *self.nodes([tree.test, tree.body, tree.orelse], depth, bound))

    def listing(self, tree: ast.List | ast.Tuple, depth: int, bound: frozenset[str]) -> Node:
        """`[a, b]`."""
        return Listing(*self.place(tree), self.nodes(tree.elts, depth, bound))

    def comprehension(self, tree: ast.ListComp, depth: int, bound: frozenset[str]) -> Node:
        """`[a for b in c]`; each `for` is a level of its own."""
        loops: list[Loop] = []
        for generator in tree.generators:
            depth += 1
            iterable = self.node(generator.iter, depth, bound)
            names = self.targets(generator)
            bound = bound | set(names)
            tests = self.nodes(generator.ifs, depth, bound)
            loops.append(Loop(names, not isinstance(generator.target, ast.Name), iterable, tests))
        return Comprehension(*self.place(tree), self.node(tree.elt, depth, bound), tuple(loops))

    def targets(self, generator: ast.comprehension) -> tuple[str, ...]:
        """The variables that a comprehension binds."""
        target = generator.target
        start, end = self.place(target)
        if generator.is_async:
            raise _not_allowed("`async`", start, end)
        parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
        names = [part.id for part in parts if isinstance(part, ast.Name) and part.id not in _WORDS]
        if len(names) != len(parts) or len(set(names)) != len(names):
            raise _not_allowed("a variable that is not one plain name", start, end)
        return tuple(self.exact(name, *self.place(part)) for name, part in zip(names, parts, strict=True))

    def field(self, tree: ast.Attribute, depth: int, bound: frozenset[str]) -> Node:
        """`s.kernel`."""
        start, end = self.place(tree)
        self.exact(tree.attr, end - len(tree.attr), end)
        return Field(start, end, self.node(tree.value, depth, bound), tree.attr)

    def item(self, tree: ast.Subscript, depth: int, bound: frozenset[str]) -> Node:
        """`list[0]`, `map["key"]` or `list[1:3]`."""
        start, end = self.place(tree)
        owner = self.node(tree.value, depth, bound)
        if not isinstance(tree.slice, ast.Slice):
            return Item(start, end, owner, self.node(tree.slice, depth, bound))
        bounds = (tree.slice.lower, tree.slice.upper, tree.slice.step)
        first, last, step = (None if one is None else self.node(one, depth, bound) for one in bounds)
        return Slice(start, end, owner, (first, last, step))

    def application(self, tree: ast.Call, depth: int, bound: frozenset[str]) -> Node:
        """A call of one of our functions, by its name."""
        start, end = self.place(tree)
        name = self.function(tree.func)
        least, most = _ARGUMENTS.get(name, (1, 1))
        arguments = [*tree.args, *(self.keyword(name, tree, one) for one in tree.keywords)]
        if not least <= len(arguments) <= most:
            counts = "1 argument" if most == 1 else "1 or more arguments" if most > 3 else f"1 to {most} arguments"
            message = f"`{name}` takes {counts}, not {len(arguments)}"
            raise ExpressionError(codes.EXPRESSION_TYPE, message, start, end)
        return Application(start, end, name, self.nodes(arguments, depth, bound))

    def function(self, tree: ast.expr) -> str:
        """The name of an allowed function."""
        start, end = self.place(tree)
        if not isinstance(tree, ast.Name):
            raise _not_allowed("a call of anything but a function's name", start, end, _FUNCTION_HELP)
        if self.exact(tree.id, start, end) not in FUNCTIONS:
            near = closest(tree.id, list(FUNCTIONS))
            help = f"did you mean `{near}`?" if near else _FUNCTION_HELP
            raise _not_allowed(f"the function `{tree.id[:40]}`", start, end, help)
        return tree.id

    def keyword(self, name: str, tree: ast.Call, one: ast.keyword) -> ast.expr:
        """The one argument that may be given by name is the second of `make_divisible`."""
        if (name, one.arg, len(tree.args), len(tree.keywords)) != ("make_divisible", "divisor", 1, 1):
            written = f"`{one.arg[:40]}=`" if one.arg else "`**`"
            raise _not_allowed(f"the argument {written} of `{name}`", *self.place(one))
        return one.value


_FUNCTION_HELP = "the functions are " + ", ".join(f"`{name}`" for name in FUNCTIONS)
_CONVERSIONS: dict[type[ast.AST], Callable[..., Node]] = {
    ast.Constant: Conversion.constant,
    ast.Name: Conversion.name,
    ast.UnaryOp: Conversion.unary,
    ast.BinOp: Conversion.binary,
    ast.Compare: Conversion.comparison,
    ast.BoolOp: Conversion.logic,
    ast.IfExp: Conversion.conditional,
    ast.List: Conversion.listing,
    ast.Tuple: Conversion.listing,
    ast.ListComp: Conversion.comprehension,
    ast.Attribute: Conversion.field,
    ast.Subscript: Conversion.item,
    ast.Call: Conversion.application,
}
"""The allow-list."""


def _not_allowed(what: str, start: int, end: int, help: str = "") -> ExpressionError:
    return ExpressionError(codes.NOT_ALLOWED, f"{what} is not allowed in an expression", start, end, help)


def _too_deep(start: int, end: int) -> ExpressionError:
    message = f"the expression nests more than {MAX_LEVELS} levels deep"
    help = "split it with `let`, or add a long list up with `sum([...])`"
    return ExpressionError(codes.LIMIT_EXPRESSION, message, start, end, help)


def _bounded_at(value: float, start: int, end: int) -> None:
    try:
        _bounded(value)
    except Trouble as trouble:
        raise ExpressionError(trouble.code, trouble.message, start, end) from None


# --------------------------------------------------------------------------------------------------------- parsing

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_PREFIX = re.compile(r"(?<!\w)[bfrtu]{1,2}\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Expression:
    """A parsed expression, and the names that it reads from outside."""

    text: str
    tree: Node
    names: frozenset[str]


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Parses a bare expression, as in `when:` or inside `$(...)`."""
    if len(text) > MAX_CHARACTERS:
        message = f"the expression has {len(text):,} characters, more than {MAX_CHARACTERS:,}"
        raise ExpressionError(codes.LIMIT_EXPRESSION, message, 0, len(text))
    if not text.strip():
        raise ExpressionError(codes.EXPRESSION_SYNTAX, "the expression is empty", 0, len(text))
    _check_brackets(text)
    tree = _python_tree(text)
    conversion = Conversion(text, set(), None if text.isascii() else f"({text})".encode())
    node = conversion.node(tree, 1, frozenset())
    return Expression(text, node, frozenset(conversion.names))


def _check_brackets(text: str) -> None:
    """Brackets that nest and close, quotes that close: Python's parser is not asked about anything else."""
    end = _walk(text, 0, None)
    if end < len(text):
        message = f"`{text[end]}` closes no bracket"
        raise ExpressionError(codes.EXPRESSION_SYNTAX, message, end, end + 1)


def _walk(text: str, start: int, closing: str | None) -> int:
    """The offset of the bracket that closes what was opened before `start`, or the end of the text."""
    open_brackets: list[int] = []
    index = start
    while index < len(text):
        sign = text[index]
        if sign in "\"'":
            _check_prefix(text, start, index)
            index = _after_quote(text, index)
            continue
        if sign in _CLOSING:
            open_brackets.append(index)
            if len(open_brackets) > MAX_LEVELS:
                raise _too_deep(index, index + 1)
        elif sign in ")]}":
            if not open_brackets:
                return index
            _check_pair(text, open_brackets.pop(), index)
        elif sign in "#\\":
            raise _not_allowed(f"`{sign}`", index, index + 1)
        index += 1
    if open_brackets:
        raise _unclosed(text, open_brackets[-1])
    return index


def _check_prefix(text: str, start: int, index: int) -> None:
    """Refuses f-strings and bytes before Python reads them: what an f-string holds would be parsed out of our sight."""
    found = _PREFIX.search(text, max(start, index - 3), index)
    if found:
        raise _not_allowed(f"the prefix `{found[0]}` of a quoted text", found.start(), index + 1)


def _after_quote(text: str, start: int) -> int:
    """The offset after a quoted text; without escapes, it ends at the next quote of its kind."""
    end = text.find(text[start], start + 1)
    if end < 0:
        message = f"the quote `{text[start]}` is not closed"
        raise ExpressionError(codes.EXPRESSION_SYNTAX, message, start, len(text), "close the quoted text")
    inner = text[start:end]
    if "\\" in inner or "\n" in inner or "\r" in inner:
        raise _not_allowed("a backslash or line break in a quoted text", start, end + 1)
    return end + 1


def _check_pair(text: str, start: int, end: int) -> None:
    if _CLOSING[text[start]] != text[end]:
        message = f"`{text[start]}` is closed by `{text[end]}`"
        raise ExpressionError(codes.EXPRESSION_SYNTAX, message, start, end + 1)


def _unclosed(text: str, start: int) -> ExpressionError:
    help = f"add the missing `{_CLOSING[text[start]]}`"
    return ExpressionError(codes.EXPRESSION_SYNTAX, f"`{text[start]}` is not closed", start, start + 1, help)


_BLANKS = str.maketrans(dict.fromkeys("\r\n\t\f\v", " "))


def _python_tree(text: str) -> ast.expr:
    """Python's tree of the text, on one line and in brackets, so that one may break and indent it at will."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(f"({text.translate(_BLANKS)})", mode="eval").body
    except SyntaxError as error:
        raise _syntax_error(text, error) from None
    except (RecursionError, MemoryError):
        raise _too_deep(0, len(text)) from None
    except ValueError:
        message = "the expression holds a character that is not allowed"
        raise ExpressionError(codes.EXPRESSION_SYNTAX, message, 0, len(text)) from None


_MISTAKES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\$"), "inside an expression names are written without `$`"),
    (re.compile(r"&&"), "write `and`"),
    (re.compile(r"\|\|"), "write `or`"),
    (re.compile(r"!(?!=)"), "write `not`"),
    (re.compile(r"\?"), "write `a if test else b`"),
    (re.compile(r"[×·]"), "write `*`"),
    (re.compile(r"÷"), "write `/`"),
    (re.compile(r"[−–]"), "write `-`"),
    (re.compile(r"(?<![=<>!:])=(?!=)"), "equality is written `==`"),
)
"""Ways to write it in other languages, tried in order once Python's parser has refused."""
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")


def _syntax_error(text: str, error: SyntaxError) -> ExpressionError:
    if keyword.iskeyword(text.strip()):
        message = f"`{text.strip()}` is a word of the expression language and names no value"
        return ExpressionError(codes.EXPRESSION_SYNTAX, message, *_stripped(text))
    plain = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), text)
    for pattern, help in _MISTAKES:
        found = pattern.search(plain)
        if found:
            message = f"`{found[0]}` is not part of the expression language"
            return ExpressionError(codes.EXPRESSION_SYNTAX, message, found.start(), found.end(), help)
    first, last = _stripped(text)
    start = min(max(first, (error.offset or 0) - 2), last - 1)
    return ExpressionError(codes.EXPRESSION_SYNTAX, "the expression is not well-formed here", start, last)


def _stripped(text: str) -> tuple[int, int]:
    """Where the text starts and ends without the blanks around it."""
    start = len(text) - len(text.lstrip())
    return start, start + len(text.strip())


def evaluate(expression: Expression, lookup: Lookup, budget: Budget) -> Any:
    """The value of an expression; `lookup` raises `KeyError(name, *known)` for a name that it does not know."""
    return _at(expression.tree, Run(lookup, budget, {}))


# ------------------------------------------------------------------------------------------------------- templates


@dataclass(frozen=True)
class Template:
    """A text with expressions in it; `starts` says where in the text each part stands."""

    parts: tuple[str | Expression, ...]
    starts: tuple[int, ...]


_REFERENCE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


@lru_cache(maxsize=4096)
def template(text: str) -> Template | None:
    """The parts of a text with `$name`, `$map.field` or `$(...)`; `None` where it has no `$`; `$$` is a plain `$`."""
    if "$" not in text:
        return None
    parts: list[tuple[int, str | Expression]] = []
    index = 0
    while index < len(text):
        part, after = _next_part(text, index)
        parts.append((_inside(text, index) if isinstance(part, Expression) else index, part))
        index = after
    merged = _merged(parts)
    return Template(tuple(part for _, part in merged), tuple(start for start, _ in merged))


def _inside(text: str, index: int) -> int:
    """Where the expression itself starts, after `$` or `$(`."""
    return index + 2 if text[index + 1] == "(" else index + 1


def _next_part(text: str, index: int) -> tuple[str | Expression, int]:
    """The part that starts at `index`, and where the next one does."""
    if text[index] != "$":
        end = text.find("$", index)
        return text[index : end if end >= 0 else len(text)], end if end >= 0 else len(text)
    if text.startswith("$$", index):
        return "$", index + 2
    if text.startswith("$(", index):
        end = _closing_bracket(text, index)
        return _parse_at(text, index + 2, end), end + 1
    found = _REFERENCE.match(text, index + 1)
    if found is None:
        message = "`$` is followed by neither a name nor `(`"
        help = "write `$name` or `$(...)`, or `$$` for a plain `$`"
        raise ExpressionError(codes.EXPRESSION_SYNTAX, message, index, index + 1, help)
    return _parse_at(text, found.start(), found.end()), found.end()


def _closing_bracket(text: str, index: int) -> int:
    """Where the `$(` at `index` is closed; quotes and brackets inside are passed over."""
    end = _walk(text, index + 2, ")")
    if end == len(text):
        message = "`$(` is not closed"
        raise ExpressionError(codes.EXPRESSION_SYNTAX, message, index, index + 2, "add the missing `)`")
    if text[end] != ")":
        message = f"`$(` is closed by `{text[end]}`"
        raise ExpressionError(codes.EXPRESSION_SYNTAX, message, index, end + 1, "close it with `)`")
    return end


def _parse_at(text: str, start: int, end: int) -> Expression:
    try:
        return parse(text[start:end])
    except ExpressionError as error:
        raise error.shifted(start) from None


def _merged(parts: list[tuple[int, str | Expression]]) -> list[tuple[int, str | Expression]]:
    """Texts side by side become one: `a$$b` is one part."""
    merged: list[tuple[int, str | Expression]] = []
    for start, part in parts:
        if merged and isinstance(part, str) and isinstance(merged[-1][1], str):
            merged[-1] = merged[-1][0], merged[-1][1] + part
        else:
            merged.append((start, part))
    return merged


def fill(template: Template, lookup: Lookup, budget: Budget) -> Any:
    """The value of a lone expression, or else the parts joined as text; errors are placed in the template's text."""
    first = template.parts[0]
    if len(template.parts) == 1 and isinstance(first, Expression):
        return _value_at(first, template.starts[0], lookup, budget)
    texts: list[str] = []
    room = MAX_TEXT
    for part, start in zip(template.parts, template.starts, strict=True):
        text = part if isinstance(part, str) else _as_text(_value_at(part, start, lookup, budget), part, start)
        room -= len(text)
        if room < 0:
            raise ExpressionError(codes.LIMIT_NAME, f"the text has more than {MAX_TEXT:,} characters", start, start)
        texts.append(text)
    return "".join(texts)


def _value_at(part: Expression, start: int, lookup: Lookup, budget: Budget) -> Any:
    try:
        return evaluate(part, lookup, budget)
    except ExpressionError as error:
        raise error.shifted(start) from None


def _as_text(value: Any, part: Expression, start: int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return _WORDS_OF[value]
    if isinstance(value, (int, float)):
        return repr(value)
    message = f"{_kind(value)} cannot stand inside a text"
    raise ExpressionError(codes.EXPRESSION_TYPE, message, start, start + len(part.text))


# --------------------------------------------------------------------------------------------------------- clauses


@dataclass(frozen=True)
class Clause:
    """`a, b in rows`; the text of `iterable` is padded with blanks, so that its offsets are those in the clause."""

    names: tuple[str, ...]
    iterable: Expression


_CLAUSE = re.compile(r"(?P<names>.*?)\bin\b(?P<iterable>.*)", re.DOTALL)
_CLAUSE_HELP = "write `name in list`, or `a, b in rows`"


def parse_clause(text: str) -> Clause:
    """Parses the clause of a `for:`."""
    found = _CLAUSE.fullmatch(text)
    if found is None or not found["names"].strip() or not found["iterable"].strip():
        message = "a `for` names its variables and a list"
        raise ExpressionError(codes.LOOP_FORM, message, *_stripped(text), _CLAUSE_HELP)
    names: list[str] = []
    start = 0
    for written in found["names"].split(","):
        names.append(_variable(written, start, names))
        start += len(written) + 1
    return Clause(tuple(names), parse(" " * found.start("iterable") + found["iterable"]))


def _variable(written: str, offset: int, taken: Sequence[str]) -> str:
    """One variable of a clause: an identifier, and no other's."""
    start, end = _stripped(written)
    name = written[start:end]
    place = offset + start, offset + end
    if not name.isidentifier() or keyword.iskeyword(name) or name in _WORDS:
        raise ExpressionError(codes.LOOP_FORM, f"`{name[:40]}` cannot name a variable", *place, _CLAUSE_HELP)
    if name in taken:
        raise ExpressionError(codes.LOOP_FORM, f"the variable `{name[:40]}` stands here twice", *place, _CLAUSE_HELP)
    return name
