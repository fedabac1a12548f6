"""Python's syntax tree -> our own, through an allow-list: what is not listed here cannot be run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from archc.diagnostics import closest, codes
from archc.language.expressions.errors import ExpressionError, Trouble, not_allowed, too_deep
from archc.language.expressions.functions import ARGUMENTS, FUNCTIONS
from archc.language.expressions.limits import MAX_LEVELS
from archc.language.expressions.tree import (
    Application,
    Binary,
    Comparison,
    Comprehension,
    Conditional,
    Constant,
    Field,
    Item,
    Listing,
    Logic,
    Loop,
    Name,
    Node,
    Slice,
    Unary,
)
from archc.language.expressions.values import NUMBERS, WORDS, bounded

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
            raise too_deep(start, end)
        convert = _CONVERSIONS.get(type(tree))
        if convert is None:
            advice = "write a list, as in `sum([n for n in rows])`" if isinstance(tree, ast.GeneratorExp) else ""
            raise not_allowed(_REFUSED.get(type(tree), "this construct"), start, end, advice)
        return convert(self, tree, depth + 1, bound)

    def nodes(self, trees: Sequence[ast.expr], depth: int, bound: frozenset[str]) -> tuple[Node, ...]:
        """The nodes for several trees side by side."""
        return tuple(self.node(tree, depth, bound) for tree in trees)

    def place(self, tree: ast.expr | ast.keyword) -> tuple[int, int]:
        """Python counts bytes of UTF-8, and the brackets that `_python_tree` put around the text, which `1, 2` takes for its own."""
        start, end = self._characters(tree.col_offset) - 1, self._characters(tree.end_col_offset or 0) - 1
        return max(start, 0), min(end, len(self.text))

    def _characters(self, count: int) -> int:
        return count if self.encoded is None else len(self.encoded[:count].decode("utf-8"))

    def symbol(self, sign: ast.AST, start: int, end: int) -> str:
        """How an operator is written, if it is allowed."""
        symbol = _SYMBOLS.get(type(sign))
        if symbol is None:
            refused = _REFUSED_SYMBOLS[type(sign)]
            raise not_allowed(f"the operator {refused}", start, end, _SYMBOL_HELPS.get(refused, ""))
        return symbol

    def constant(self, tree: ast.Constant, depth: int, bound: frozenset[str]) -> Node:
        """Numbers, texts and truth values; no bytes, complex numbers or ellipsis."""
        start, end = self.place(tree)
        if tree.value is not None and type(tree.value) not in (int, float, str, bool):
            raise not_allowed(f"a constant like `{self.text[start:end][:40]}`", start, end)
        if type(tree.value) in NUMBERS:
            _bounded_at(cast("int | float", tree.value), start, end)
        return Constant(start, end, cast("int | float | str | bool | None", tree.value))

    def name(self, tree: ast.Name, depth: int, bound: frozenset[str]) -> Node:
        """A name as written: Python would read some foreign letters as the plain ones they look like."""
        start, end = self.place(tree)
        name = self.exact(tree.id, start, end)
        if name in WORDS:
            return Constant(start, end, WORDS[name])
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
        if set(symbols) <= {"==", "!="}:
            rest = _maybe_texts(rest)
        return Comparison(start, end, first, tuple(zip(symbols, rest, strict=True)))

    def logic(self, tree: ast.BoolOp, depth: int, bound: frozenset[str]) -> Node:
        """`a and b`."""
        return Logic(*self.place(tree), isinstance(tree.op, ast.Or), self.nodes(tree.values, depth, bound))

    def conditional(self, tree: ast.IfExp, depth: int, bound: frozenset[str]) -> Node:
        """`a if test else b`."""
        return Conditional(*self.place(tree), *self.nodes([tree.test, tree.body, tree.orelse], depth, bound))

    def listing(self, tree: ast.List | ast.Tuple, depth: int, bound: frozenset[str]) -> Node:
        """`[a, b]`."""
        return Listing(*self.place(tree), _maybe_texts(self.nodes(tree.elts, depth, bound)))

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
            raise not_allowed("`async`", start, end)
        parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
        names = [part.id for part in parts if isinstance(part, ast.Name) and part.id not in WORDS]
        if len(names) != len(parts) or len(set(names)) != len(names):
            raise not_allowed("a variable that is not one plain name", start, end)
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
        least, most = ARGUMENTS.get(name, (1, 1))
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
            raise not_allowed("a call of anything but a function's name", start, end, _FUNCTION_HELP)
        if self.exact(tree.id, start, end) not in FUNCTIONS:
            near = closest(tree.id, list(FUNCTIONS))
            help = f"did you mean `{near}`?" if near else _FUNCTION_HELP
            raise not_allowed(f"the function `{tree.id[:40]}`", start, end, help)
        return tree.id

    def keyword(self, name: str, tree: ast.Call, one: ast.keyword) -> ast.expr:
        """The one argument that may be given by name is the second of `make_divisible`."""
        if (name, one.arg, len(tree.args), len(tree.keywords)) != ("make_divisible", "divisor", 1, 1):
            written = f"`{one.arg[:40]}=`" if one.arg else "`**`"
            raise not_allowed(f"the argument {written} of `{name}`", *self.place(one))
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


def _maybe_texts(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """In lists, and behind `==`, stand texts as well as names, and people leave out their quotes."""
    return tuple(replace(one, maybe_text=True) if isinstance(one, Name) else one for one in nodes)


def _bounded_at(value: float, start: int, end: int) -> None:
    try:
        bounded(value)
    except Trouble as trouble:
        raise ExpressionError(trouble.code, trouble.message, start, end) from None
