"""What expressions, texts with expressions and clauses give, or why not, in full: one golden text for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from archc.language.expressions import Budget, ExpressionError, evaluate, fill, parse, parse_clause, template
from tests.test_expressions import ESCAPES, VALUES

GOLDEN = Path(__file__).resolve().parent / "golden" / "expressions.txt"

EXPRESSIONS = [
    # arithmetic
    "filters + 1", "filters - 1", "-filters", "+filters", "not filters", "2 * 3.5", "7 / 2", "7 // 2", "7 % 4", "-7 // 2", "2 ** 39", "2 ** 40", "2 ** 41",
    "1 ** 50", "(-1) ** 99", "2 ** -2", "(-8) ** 2.0", "(-8) ** 0.5", "0 ** -1", "1 / 0", "1 // 0", "1 % 0", "1000000 * 1000000", "1000000 * 1000001", "-1000000 * 1000001",
    "10.0 ** 300", "10.0 ** 12", "on + 1", "1 + on", "act * 2", "2 * act", "none - 1", "counts + 1", "s / 2", "input % 2", "1 + (2 + (3 + act))", "-act", "+on", "-none",
    # comparison
    "1 < 2", "2 < 2", "2 <= 2", "2 > 2", "2 >= 2", "1 < 2 < 3", "1 < 3 < 2", "3 > 2 >= 2", "act < 1", "1 < act", "on > 0", "counts >= 1", "1 == 1.0", "1 != 1.0", "act == 'relu'",
    "act == relu", "act != 'relu'", "act == none", "none == none", "on == true", "on == 1", "1 == on", "act == 1", "counts == [3, 4, 6, 3]", "counts == [3, 4, 6]", "counts == [3, 4, 6, 4]",
    "counts != act", "s == s", "s != s", "s.inner == s", "rows == rows", "input == 1", "1 == input", "[input] == [input]", "[on] == [1]",
    # membership and logic
    "3 in counts", "5 in counts", "3 not in counts", "5 not in counts", "'r' in act", "1 in 2", "on in [true]", "on in [1]", "[1, 2] in rows", "3 in s", "3 in none",
    "on and 3", "on or 3", "none and 3", "none or 3", "not on", "not none", "not []", "not [0]", "input and 1", "not input", "1 if on else 2", "1 if none else 2", "1 if input else 2", "0 or '' or []",
    # names and fields
    "widht", "filter", "act1", "relu", "yes", "no", "off", "None", "True", "max", "sqrt", "a_name_that_is_much_longer_than_forty_characters_and_goes_on", "act == softmaxx", "[relu, selu]", "act == filter",
    "größe", "grösse", "s.kernel", "s.kernal", "s.inner.deep", "s.inner.depth", "s['kernel']", "s['kernal']", "s[0]", "s[true]", "s[none]", "s.x", "input.channels", "input.chanels", "input.width", "input.shape",
    "input.secret", "input['channels']", "input[0]", "filters.real", "act.upper", "none.x", "counts.length", "on.x", "s.a_field_that_is_much_longer_than_forty_characters_and_goes_on",
    # items and slices
    "counts[0]", "counts[3]", "counts[4]", "counts[-1]", "counts[-4]", "counts[-5]", "[7][1]", "counts[0.0]", "counts[act]", "counts[on]", "act[0]", "filters[0]", "none[0]", "counts[:]", "counts[1:]", "counts[:1]",
    "counts[-2:]", "counts[::2]", "counts[::-1]", "counts[::0]", "counts[0.5:]", "counts[:act]", "counts[::on]", "act[:1]", "s[:1]", "rows[0][1]", "rows[1][2]", "[1, 2, 3][5:]",
    # lists
    "[]", "[1]", "[1, 'a', true]", "(1, 2)", "()", "[[1], [2, [3]]]", "[x for x in counts]", "[x * 2 for x in counts if x > 3]", "[a + b for a, b in rows]", "[b for a, b in rows if a > 1 if b > 1]", "[y for x in rows for y in x]",
    "[x for x in act]", "[x for x in 3]", "[x for x in s]", "[x for x in input]", "[a for a, b in counts]", "[a for a, b, c in rows]", "[a for a, b in [[1, 2, 3]]]", "[a for a, b in ['ab']]", "[a for a, b in [none]]",
    "[x for x in counts if input]", "[x for x in counts if act]", "[x for x in counts if none]", "[x for x in x]", "[(x) for (x) in counts]", "[x for x, x in rows]", "[x for [x, y] in rows]", "[x for x[0] in rows]", "[x for s.x in rows]",
    "[true for true in counts]", "[x for x in counts for x in rows]", "[index for index in range(3)]",
    # functions
    "min(3, 1, 2)", "min(counts)", "min([])", "min(3)", "min('a')", "min(on, 1)", "min()", "max(3, 1, 2)", "max(counts)", "max([])", "max(counts, 1)", "max(act)", "max()", "sum(counts)", "sum([])", "sum(3)", "sum(act)", "sum(['a'])",
    "sum(s)", "sum(1, 2)", "sum()", "len(counts)", "len(s)", "len(act)", "len(3)", "len(input)", "len(none)", "range(3)", "range(1, 3)", "range(5, 1, -2)", "range(0)", "range(-1)", "range(1, 2, 0)", "range(1.5)", "range(act)", "range(on)", "range()",
    "range(1, 2, 3, 4)", "range(100000)", "range(100001)", "range(999999999)", "abs(-3)", "abs(-2.5)", "abs(act)", "abs(on)", "abs(1, 2)", "round(2.5)", "round(3.5)", "round(2.345, 2)", "round(1234, -2)", "round(1.5, 15)", "round(1.5, 16)", "round(1, 99)", "round(1, -99)",
    "round(act)", "round(1, act)", "round(1, 1.5)", "round(1, none)", "round(1, 2, 3)", "ceil(1.1)", "ceil(-1.1)", "ceil(2)", "ceil(act)", "floor(1.9)", "floor(-1.1)", "floor(act)", "floor(none)", "sqrt(16)", "sqrt(2)", "sqrt(0)", "sqrt(-1)", "sqrt(-2.5)", "sqrt(act)",
    "log2(8)", "log2(1)", "log2(0.5)", "log2(0)", "log2(-4)", "log2(act)", "make_divisible(45)", "make_divisible(44.8)", "make_divisible(3)", "make_divisible(0)", "make_divisible(19)", "make_divisible(67.2, 10)", "make_divisible(7, 1)", "make_divisible(20, 16)",
    "make_divisible(21, divisor=4)", "make_divisible(22, divisor=8)", "make_divisible(22, 8, 1)", "make_divisible(act)", "make_divisible(1, act)", "make_divisible(1, 0)", "make_divisible(1, -8)", "make_divisible(1, 0.5)", "make_divisible()", "make_divisible(divisor=4)",
    "make_divisible(8, factor=4)", "make_divisible(8, 8, divisor=4)", "make_divisible(8, **s)", "make_divisible(*counts)", "round(1, ndigits=2)", "maxx(1, 2)", "foo(1)", "s.kernel(1)", "(max)(1, 2)", "max(1)(2)", "Max(1, 2)", "int(3)",
    # what is not well-formed or not allowed
    "", "   ", "1 +", "1 2", "* 2", "(1 + 2", "1 + 2)", "[1, 2", "[1, 2)", "(1]", "{1: 2", "}", "a && b", "a || b", "!on", "on ? 1 : 2", "3 × 4", "6 ÷ 2", "3 − 1", "3 – 1", "act = 'relu'", "act := 1", "(x := 1)", "$filters", "filters$", "'open", "\"open", "'a\\n'", "'a\nb'",
    "1 # one", "1 \\ 2", "f'{act}'", "b'a'", "r'a'", "u'a'", "rb'a'", "x'a'", "1j", "...", "1_000", "0x10", "0b1", "017", "1e3", "1e12", "1e13", "1000000000000", "1000000000001", "class", "if", "lambda", "lambda x: x", "yield", "await x", "(yield 1)", "{1, 2}", "{'a': 1}", "{x for x in counts}", "{x: x for x in counts}",
    "(x for x in counts)", "sum(x for x in counts)", "[*counts]", "max(*counts)", "1 & 2", "1 | 2", "1 ^ 2", "1 << 2", "1 >> 2", "1 @ 2", "~1", "on is true", "on is not true", "[x async for x in counts]", "1 if on", "on if", "not", "and 1", "1 <> 2", "1 = 2", "𝐟ilters", "s.𝐤ernel", "ﬁlters", "max(ﬁlters)", "𝐦ax(1, 2)",
    "x for x in counts", "input, 1 if input else 2", "\x00", "1;2", "import os", "1,", "1, 2", "' '", "'é' == act", "größe + act", "'größe' == größe + act", "\n1 +\n 2", "\t1\r\n", "'a' 'b'", "'a' + 'b'", "'a' * 3", "'%s' % 1", "'relu'.upper()", "(((((1)))))", "[[[[[]]]]]", "(" * 51 + "1" + ")" * 51, "-" * 60 + "1", "1" + " + 1" * 60, "[" * 60 + "]" * 60,
]  # fmt: skip

TEXTS = [
    "plain", "$filters", "$$filters", "a$$b", "$$", "$$$filters", "enc$(filters)", "enc$filters", "$(filters)x", "$s.kernel", "$s.kernel.x", "$s.kernal", "x$s.inner.deep", "$act-$filters", "$(act)_$(filters + 1)$$", "$", "$ x", "$1", "a$-", "$(", "$(1", "$(1]", "x$(1 + )", "x$()", "$(1 + 2) + $(3)",
    "x$on", "x$none", "x$rate", "x$counts", "x$s", "x$input", "$counts", "$input", "x$(1 / 0)", "x $(widht)", "$(max(1, [2, 3][0]))x", "$(')')", "$('a' == act)y", "${filters}", "$größe", "x$(10 ** 12)", "$filters$act", "$(filters)$(act)", "$_", "$a.b.", "x$(act)" + "y" * 30,
]  # fmt: skip

CLAUSES = [
    "x in counts", "a, b in rows", "a,b in rows", " x  in  counts ", "x in", "in counts", "x", "", "x on counts", "1 in counts", "x, x in rows", "x, in rows", ", x in rows", "true in counts", "class in counts", "x.y in counts", "x in 1 +", "x in [i for i in counts]", "x in widht", "x y in counts", "x\nin counts", "in in counts", "(a, b) in rows", "a_name_that_is_much_longer_than_forty_characters_and_goes_on_ in rows, x in rows",
    "größe in counts", "x in y in z", "null in rows", "$x in counts",
]  # fmt: skip


def lookup(name: str) -> Any:
    if name not in VALUES:
        raise KeyError(name, *VALUES)
    return VALUES[name]


def refusal(text: str, error: ExpressionError) -> str:
    help = f" | {error.help}" if error.help else ""
    return f"error[{error.code.id}] {error.start}-{error.end} {text[error.start : error.end]!r}: {error.message}{help}"


def told(text: str) -> str:
    try:
        expression = parse(text)
        names = f" of {', '.join(sorted(expression.names))}" if expression.names else ""
        found: Any = evaluate(expression, lookup, Budget(2_000_000))
    except ExpressionError as error:
        return refusal(text, error)
    shown = repr(found) if len(repr(found)) < 80 or not isinstance(found, list) else f"a list of {len(found)}"
    return ("a tensor" if found is VALUES["input"] else shown) + names


def told_of_text(text: str) -> str:
    try:
        parts = template(text)
        found = "no template" if parts is None else repr(fill(parts, lookup, Budget(1000)))
        found = "a tensor" if "Tensor object" in found else found
        return found if parts is None else f"{found} from {[(at, getattr(one, 'text', one)) for at, one in zip(parts.starts, parts.parts, strict=True)]}"
    except ExpressionError as error:
        return refusal(text, error)


def told_of_clause(text: str) -> str:
    try:
        clause = parse_clause(text)
        return f"{', '.join(clause.names)} of {evaluate(clause.iterable, lookup, Budget(1000))!r}"
    except ExpressionError as error:
        return refusal(text, error)


def cost(text: str) -> int:
    budget = Budget(1_000_000)
    evaluate(parse(text), lookup, budget)
    return 1_000_000 - budget.steps_left


COSTS = ["1", "1 + 2", "filters", "counts", "[1, 2, 3]", "rows", "rows == rows", "counts[1:]", "[x for x in counts]", "[x for x in counts if x > 3]", "[rows for x in counts]", "sum(counts)", "range(100)", "max(1, 2, 3)", "3 in counts", "1 if on else 2", "on and on and on", "1 < 2 < 3", "s.inner.deep", "-1", "s == s"]  # fmt: skip


def test_expression_texts(update_golden: bool) -> None:
    """Values, places, messages and hints, and the steps that expressions cost, are those of the golden text."""
    lines = ["# expressions", *(f"{text!r}: {told(text)}" for text in [*EXPRESSIONS, *ESCAPES])]
    lines += ["# texts", *(f"{text!r}: {told_of_text(text)}" for text in TEXTS)]
    lines += ["# clauses", *(f"{text!r}: {told_of_clause(text)}" for text in CLAUSES)]
    lines += ["# steps", *(f"{text!r}: {cost(text)}" for text in COSTS)]
    found = "\n".join(lines) + "\n"
    if update_golden:
        GOLDEN.write_text(found, encoding="utf-8", newline="\n")
    assert GOLDEN.read_text(encoding="utf-8") == found
