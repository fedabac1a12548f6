"""The tree of an expression: a class for each construct, and how it is evaluated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from archc.diagnostics import closest, codes
from archc.language.expressions.errors import ExpressionError, Trouble
from archc.language.expressions.functions import FUNCTIONS
from archc.language.expressions.limits import MAX_MAGNITUDE
from archc.language.expressions.operators import calculate, compare, field_of, item_of, part_of
from archc.language.expressions.values import (
    LOOK_ALIKES,
    NUMBERS,
    Budget,
    Lookup,
    bounded,
    collected,
    is_list,
    kind,
    number,
    truth,
)


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
        """The value; `Trouble` that is raised here is placed by `value_at`."""


def value_at(node: Node, run: Run) -> Any:
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
    """A value from outside, or a variable of a comprehension; where `maybe_text`, perhaps a text without its quotes."""

    name: str
    maybe_text: bool = False

    def value(self, run: Run) -> Any:
        if self.name in run.variables:
            return run.variables[self.name]
        try:
            found = run.lookup(self.name)
        except KeyError as unknown:
            raise self._unknown([str(one) for one in unknown.args[1:2_000]]) from None
        if type(found) in NUMBERS and not -MAX_MAGNITUDE <= found <= MAX_MAGNITUDE:
            bounded(found)
        return found

    def _unknown(self, known: Sequence[str]) -> Trouble:
        if self.name == "_":
            return Trouble(codes.UNKNOWN_VALUE, "`_` is the flowing tensor, and there is none here", "read a tensor by its name")
        near = closest(self.name, known)
        listed = ", ".join(dict.fromkeys(known[:12]))
        help = f"did you mean `{near}`?" if near else f"the names here are {listed}" if listed else ""
        if self.name.lower() in LOOK_ALIKES:
            help = f"write `{LOOK_ALIKES[self.name.lower()]}`"
        elif self.name in FUNCTIONS:
            help = f"`{self.name}` is a function: call it, as in `{self.name}(...)`"
        elif self.maybe_text:
            quoted = f"a text is written in quotes: `'{self.name[:40]}'`"
            help = f"{help} Or is it a text? `'{self.name[:40]}'`" if near else f"{quoted}; {help}" if help else quoted
        return Trouble(codes.UNKNOWN_VALUE, f"no value `{self.name[:40]}` can be seen from here", help)


@dataclass(frozen=True, eq=False, repr=False)
class Unary(Node):
    """`-x`, `+x` or `not x`."""

    symbol: str
    operand: Node

    def value(self, run: Run) -> Any:
        operand = value_at(self.operand, run)
        if self.symbol == "not":
            return not truth(operand)
        number(operand, f"`{self.symbol}`")
        return -operand if self.symbol == "-" else operand


@dataclass(frozen=True, eq=False, repr=False)
class Binary(Node):
    """Arithmetic on two numbers."""

    symbol: str
    left: Node
    right: Node

    def value(self, run: Run) -> Any:
        return calculate(self.symbol, value_at(self.left, run), value_at(self.right, run))


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Node):
    """`a < b <= c`: each operand is evaluated at most once, and none after the first that fails."""

    first: Node
    rest: tuple[tuple[str, Node], ...]

    def value(self, run: Run) -> bool:
        left = value_at(self.first, run)
        for symbol, node in self.rest:
            right = value_at(node, run)
            if not compare(symbol, left, right, run.budget):
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
            found = value_at(operand, run)
            if truth(found) == self.decisive:
                break
        return found


@dataclass(frozen=True, eq=False, repr=False)
class Conditional(Node):
    """`a if test else b`."""

    test: Node
    then: Node
    otherwise: Node

    def value(self, run: Run) -> Any:
        return value_at(self.then if truth(value_at(self.test, run)) else self.otherwise, run)


@dataclass(frozen=True, eq=False, repr=False)
class Listing(Node):
    """`[a, b]`, or `a, b`."""

    items: tuple[Node, ...]

    def value(self, run: Run) -> Any:
        return collected((value_at(item, run) for item in self.items), run.budget)


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
        if not is_list(item) or len(item) != len(self.names):
            found = f"a list of {len(item)}" if is_list(item) else kind(item)
            raise Trouble(codes.EXPRESSION_VALUE, f"{len(self.names)} variables need as many values, not {found}")
        run.variables.update(zip(self.names, item, strict=True))


@dataclass(frozen=True, eq=False, repr=False)
class Comprehension(Node):
    """`[item for x in xs if test]`."""

    item: Node
    loops: tuple[Loop, ...]

    def value(self, run: Run) -> Any:
        inner = Run(run.lookup, run.budget, dict(run.variables))
        return collected(self._items(inner, self.loops), run.budget)

    def _items(self, run: Run, loops: tuple[Loop, ...]) -> Iterator[Any]:
        if not loops:
            yield value_at(self.item, run)
            return
        loop = loops[0]
        items = value_at(loop.iterable, run)
        if not is_list(items):
            raise Trouble(codes.EXPRESSION_TYPE, f"`for` goes through a list, not {kind(items)}")
        for item in items:
            run.budget.spend(1)
            loop.bind(item, run)
            if all(truth(value_at(test, run)) for test in loop.tests):
                yield from self._items(run, loops[1:])


@dataclass(frozen=True, eq=False, repr=False)
class Field(Node):
    """`s.kernel`: a key of a map, or a field of a tensor."""

    owner: Node
    name: str

    def value(self, run: Run) -> Any:
        return field_of(value_at(self.owner, run), self.name)


@dataclass(frozen=True, eq=False, repr=False)
class Item(Node):
    """`list[0]` or `map["key"]`."""

    owner: Node
    index: Node

    def value(self, run: Run) -> Any:
        return item_of(value_at(self.owner, run), value_at(self.index, run))


@dataclass(frozen=True, eq=False, repr=False)
class Slice(Node):
    """`list[start:stop:step]`."""

    owner: Node
    bounds: tuple[Node | None, Node | None, Node | None]

    def value(self, run: Run) -> Any:
        owner = value_at(self.owner, run)
        return part_of(owner, [None if bound is None else value_at(bound, run) for bound in self.bounds], run.budget)


@dataclass(frozen=True, eq=False, repr=False)
class Application(Node):
    """A call of one of `FUNCTIONS`."""

    name: str
    arguments: tuple[Node, ...]

    def value(self, run: Run) -> Any:
        given = self.arguments
        values = [value_at(given[0], run)] if len(given) == 1 else (value_at(argument, run) for argument in given)
        arguments = collected(values, run.budget)
        found = FUNCTIONS[self.name][0](*arguments)
        if isinstance(found, list):
            run.budget.spend(len(cast("list[Any]", found)))
            return cast("list[Any]", found)
        return bounded(found)


@dataclass(frozen=True)
class Expression:
    """A parsed expression, and the names that it reads from outside."""

    text: str
    tree: Node
    names: frozenset[str]


NO_VARIABLES: dict[str, Any] = {}
"""Those of an expression as a whole; a comprehension adds its own to a copy."""


def evaluate(expression: Expression, lookup: Lookup, budget: Budget) -> Any:
    """The value of an expression; `lookup` raises `KeyError(name, *known)` for a name that it does not know."""
    return value_at(expression.tree, Run(lookup, budget, NO_VARIABLES))
