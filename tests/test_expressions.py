"""Expressions: what they compute, where they say an error is, and that nothing gets out of them."""

from __future__ import annotations

import tracemalloc
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archc.language.expressions import (
    FUNCTIONS,
    Budget,
    Expression,
    ExpressionError,
    evaluate,
    fill,
    parse,
    parse_clause,
    template,
)


class Tensor:
    """A value with fields, as the graph's tensors are."""

    FIELDS: ClassVar[frozenset[str]] = frozenset({"channels", "height", "width", "rank", "shape"})
    secret = "never read"

    def field(self, name: str) -> Any:
        return {"channels": 64, "height": 32, "width": None, "rank": 3, "shape": (32, None, 64)}[name]


VALUES: dict[str, Any] = {
    "filters": 64,
    "rate": 0.5,
    "act": "relu",
    "on": True,
    "none": None,
    "counts": [3, 4, 6, 3],
    "rows": [[1, 2], [3, 4]],
    "s": {"kernel": 3, "stride": 2, "inner": {"deep": 7}},
    "input": Tensor(),
    "größe": 5,
}


def value(text: str, budget: Budget | None = None) -> Any:
    return evaluate(parse(text), VALUES.__getitem__, budget or Budget())


def refusal(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        value(text, Budget(1_000_000))
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4 * filters", 256),
        ("filters / 2", 32.0),
        ("filters // 2", 32),
        ("-7 // 2", -4),
        ("-7 % 3", 2),
        ("2 ** 10", 1024),
        ("2 ** -1", 0.5),
        ("-filters", -64),
        ("1 < 2 <= 2", True),
        ("1 < 2 > 2", False),
        ("act == 'relu'", True),
        ("act != \"relu\"", False),
        ("act == 1", False),
        ("none == null", True),
        ("input.width == null", True),
        ("true and not false", True),
        ("True and not False", True),
        ("null or 3", 3),
        ("0 and 1 / 0", 0),
        ("1 if on else 1 / 0", 1),
        ("3 in counts", True),
        ("'a' not in ['b', 'c']", True),
        ("counts[0]", 3),
        ("counts[-1]", 3),
        ("counts[1:3]", [4, 6]),
        ("counts[::-1]", [3, 6, 4, 3]),
        ("counts[:9]", [3, 4, 6, 3]),
        ("[1, 2] == [1, 2.0]", True),
        ("s == s", True),
        ("1, 2", [1, 2]),
        ("(1, 2) == [1, 2]", True),
        ("s.kernel", 3),
        ("s['stride']", 2),
        ("s.inner.deep", 7),
        ("input.channels", 64),
        ("input.shape", [32, None, 64]),
        ("[x * y for x in counts if x > 3 for y in [1, 2]]", [4, 8, 6, 12]),
        ("[a + b for a, b in rows]", [3, 7]),
        ("[[x for x in r] for r in rows]", [[1, 2], [3, 4]]),
        ("[filters for filters in [1]]", [1]),
        ("sum(counts[:2]) + 1", 8),
        ("sum([])", 0),
        ("min(3, 1, 2)", 1),
        ("max(counts)", 6),
        ("len(counts) + len(s)", 7),
        ("range(3)", [0, 1, 2]),
        ("range(3, 0, -1)", [3, 2, 1]),
        ("abs(-2)", 2),
        ("round(0.5)", 0),
        ("round(1.5)", 2),
        ("round(2.5)", 2),
        ("round(-2.5)", -2),
        ("round(0.126, 2)", 0.13),
        ("ceil(0.29 * 100)", 29),
        ("floor(0.29 * 100)", 28),
        ("sqrt(16)", 4.0),
        ("log2(8)", 3.0),
        ("größe + 1", 6),
        ("  1 +\n  2 ", 3),
        ("1_000", 1000),
        ("'(' == \"(\"", True),
    ],
)
def test_values(text: str, expected: Any) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("number", "divisor", "expected"),
    [
        (44.8, 8, 48),  # 44.8 + 4 = 48.8 -> 48
        (32 * 0.75, 8, 24),
        (24 * 0.35, 8, 8),  # 8.4 + 4 = 12.4 -> 8, and 8 >= 7.56
        (11.9, 8, 16),  # 15.9 -> 8, below 10.71, so 16
        (3, 8, 8),
        (12, 8, 16),  # 16 -> 16
        (16 * 1.1, 8, 16),  # 17.6 + 4 = 21.6 -> 16, and 16 >= 15.84
        (18, 8, 24),  # 22 -> 16, below 16.2, so 24
        (10, 1, 10),
        (35, 10, 40),
    ],
)
def test_make_divisible_by_hand(number: float, divisor: int, expected: int) -> None:
    assert value(f"make_divisible({number}, {divisor})") == expected
    assert value(f"make_divisible({number}, divisor={divisor})") == expected
    assert type(value(f"make_divisible({number})")) is int


@given(st.floats(0, 10**6), st.integers(1, 64))
def test_make_divisible_is_a_multiple_and_keeps_nine_tenths(number: float, divisor: int) -> None:
    found = FUNCTIONS["make_divisible"][0](number, divisor)
    assert found % divisor == 0
    assert found >= max(divisor, 0.9 * number)
    assert found - number <= 1.5 * divisor


NUMBERS = st.integers(-20, 20).map(str)
TREES = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "<", "==", "and", "or"]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
        inner.map(lambda one: f"(-{one})"),
        st.tuples(inner, inner, inner).map(lambda three: f"({three[0]} if {three[1]} else {three[2]})"),
    ),
    max_leaves=8,
)


@given(TREES)
def test_agrees_with_python(text: str) -> None:
    """Where our value exists, it is Python's, of the same type."""
    try:
        found = value(text)
    except ExpressionError as error:
        assert error.code.id in ("E504", "E505", "E705")
        return
    expected = eval(text)
    assert found == expected
    assert type(found) is type(expected)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (parse, template, parse_clause):
        try:
            read(text)
        except ExpressionError as error:
            assert 0 <= error.start <= error.end <= len(text)


PIECES = st.lists(st.sampled_from([*"()[]{},.:$'\"#\\=+-*/ 1é", "a", "for", "in", "if", "f'", "sum", "lambda", "\n"]))


@given(PIECES.map("".join))
def test_any_pieces_are_evaluated_or_refused(text: str) -> None:
    try:
        value(text)
    except ExpressionError as error:
        assert 0 <= error.start <= error.end <= len(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a + b.c", {"a", "b"}),
        ("[x for x in xs if x > y]", {"xs", "y"}),
        ("[x for x in x]", {"x"}),
        ("[x for x in xs] + x", {"xs", "x"}),
        ("[y for x in xs for y in x]", {"xs"}),
        ("max(1, n)", {"n"}),
        ("true or null", set[str]()),
    ],
)
def test_names(text: str, names: set[str]) -> None:
    assert parse(text).names == names


@pytest.mark.parametrize(
    ("text", "code", "spoken_of"),
    [
        ("1 + (filters / 0)", "E505", "filters / 0"),
        ("1 + 7 % 0", "E505", "7 % 0"),
        ("0 ** -1 + 1", "E505", "0 ** -1"),
        ("1 + widht", "E503", "widht"),
        ("max + 1", "E503", "max"),
        ("counts[4] + 1", "E505", "counts[4]"),
        ("counts['a']", "E504", "counts['a']"),
        ("counts[true]", "E504", "counts[true]"),
        ("1 + s.kernal", "E505", "s.kernal"),
        ("s['kernal']", "E505", "s['kernal']"),
        ("input.chanels", "E505", "input.chanels"),
        ("input.secret", "E505", "input.secret"),
        ("filters.real", "E504", "filters.real"),
        ("act[0]", "E504", "act[0]"),
        ("act[0:1]", "E504", "act[0:1]"),
        ("2 * act", "E504", "2 * act"),
        ("1 + (on + 1)", "E504", "on + 1"),
        ("-on", "E504", "-on"),
        ("-act", "E504", "-act"),
        ("on == 1", "E504", "on == 1"),
        ("act < 'z'", "E504", "act < 'z'"),
        ("'r' in act", "E504", "'r' in act"),
        ("counts + counts", "E504", "counts + counts"),
        ("1 if input else 2", "E504", "1 if input else 2"),
        ("input == input", "E504", "input == input"),
        ("sqrt(-1)", "E505", "sqrt(-1)"),
        ("log2(0)", "E505", "log2(0)"),
        ("max([])", "E505", "max([])"),
        ("sum(3)", "E504", "sum(3)"),
        ("range(1, 2, 0)", "E505", "range(1, 2, 0)"),
        ("counts[::0]", "E505", "counts[::0]"),
        ("(-8) ** 0.5", "E505", "(-8) ** 0.5"),
        ("'größe' == größe + act", "E504", "größe + act"),
        ("\n  1 +\n  nope", "E503", "nope"),
        ("abs(1, 2)", "E504", "abs(1, 2)"),
        ("maxx(1, 2)", "E502", "maxx"),
        ("[a for a, b in counts]", "E505", "[a for a, b in counts]"),
        ("1 + 5000000000000", "E705", "5000000000000"),
        ("1 + (1 + 2", "E501", "("),
        ("1 + 2) + 3", "E501", ")"),
        ("[1, 2)", "E501", "[1, 2)"),
        ("a && b", "E501", "&&"),
        ("$a + 1", "E501", "$"),
        ("!skip", "E501", "!"),
        ("act = 'a=b'", "E501", "="),
        ("3 × 4", "E501", "×"),
        ("act == 'relu", "E501", "'relu"),
        ("class", "E501", "class"),
        ("", "E501", ""),
        ("   ", "E501", "   "),
    ],
)
def test_errors_are_placed(text: str, code: str, spoken_of: str) -> None:
    error = refusal(text)
    assert (error.code.id, text[error.start : error.end]) == (code, spoken_of)


def test_hints() -> None:
    assert "kernel" in refusal("s.kernal").help
    assert "channels" in refusal("input.chanels").help
    assert "max" in refusal("maxx(1, 2)").help
    assert "`1 / 0`" in refusal("1 / 0").message


ESCAPES = [
    "__import__('os').system('id')",
    "open('/etc/passwd').read()",
    "eval('1')",
    "exec('1')",
    "().__class__.__bases__[0].__subclasses__()",
    "''.__class__",
    "input.__class__",
    "input.field",
    "input.FIELDS",
    "s.__class__",
    "s.keys()",
    "s.get('kernel')",
    "act.format(1)",
    "'{0.__class__}'.format(s)",
    "'%s' % s",
    "'%1000000000d' % 1",
    "f'{filters}'",
    "f'{__import__(\"os\")}'",
    "rf'{filters}'",
    "b'abc'",
    "u'abc'",
    "'\\x41' == 'A'",
    "lambda: 1",
    "(lambda: 1)()",
    "(x := 1)",
    "x := 1",
    "x = 1",
    "(a for a in counts)",
    "a for a in counts",
    "{a for a in counts}",
    "{a: 1 for a in counts}",
    "{1, 2}",
    "{'a': 1}",
    "[*counts]",
    "*counts",
    "max(*counts)",
    "max(**s)",
    "max(1, 2, key=abs)",
    "sum(start=1)",
    "await filters",
    "yield 1",
    "yield from counts",
    "[a async for a in counts]",
    "[s.kernel for s.kernel in counts]",
    "[1 for counts[0] in counts]",
    "[1 for true in counts]",
    "1 << 1000000000",
    "1 >> 1",
    "~1",
    "1 | 2",
    "1 & 2",
    "1 ^ 2",
    "counts @ counts",
    "1 is 1",
    "1 is not 2",
    "1j",
    "...",
    "counts[...]",
    "s[1:2, 3]",
    "getattr(s, 'kernel')",
    "max.__call__(1, 2)",
    "max(1, 2).__class__",
    "abs.__globals__",
    "[max][0](1, 2)",
    "type(s)",
    "print(1)",
    "range.__init__",
    "1 # comment",
    "1; 2",
    "import os",
    "1) + (2",
    "1\\\n+ 2",
    "''' a ''' '",
    "ｆilters",
    "s.ｋernel",
    "filters\u200b",
    "1\0",
    "\ud800",
    "'\ud800' == 1 +",
    "del s",
    "return 1",
    "assert 1",
    "pass",
]
RESOURCES = [
    "9 ** 9 ** 9",
    "2 ** 41",
    "2 ** 1000000000000",
    "(-2) ** 999",
    "10.0 ** 400",
    "10 ** 13",
    "filters ** filters",
    "999999999999 * 999999999999",
    "1 / 1e-300",
    "1e999",
    "1e999 - 1e999",
    "9" * 1999,
    "0x" + "f" * 1990,
    "'a' * 1000000000",
    "counts * 1000000000",
    "[0] * 1000000000",
    "range(1000000000)",
    "range(1000000000000)",
    "range(-1000000000000, 1000000000000)",
    "round(1, -1000000000)",
    "round(1.5, 1000000000000)",
    "[range(50000) for a in range(1000)]",
    "(" * 900 + "1" + ")" * 900,
    "(" * 5000 + "1" + ")" * 5000,
    "[" * 900 + "]" * 900,
    "-" * 1990 + "1",
    "-" * 100_000 + "1",
    "not " * 490 + "1",
    "~" * 1990 + "1",
    "1+" * 990 + "1",
    "1**" * 600 + "1",
    "1 if 1 else " * 160 + "1",
    "s." * 990 + "s",
    "counts" + "[0]" * 600,
    "s" + "()" * 990,
    "[x " + "for x in counts " * 120 + "]",
    "lambda:" * 280 + "1",
    "(lambda a=" * 48 + "1" + ":1)" * 48,
    "{" * 49 + "a b" + "}" * 49,
    "(" * 49 + "a b" + ")" * 49,
    "max(a=" * 49 + "b c" + ")" * 49,
    "[a for a in " * 45 + "b c" + "]" * 45,
    "f'" + "{" * 100 + "1" + "}" * 100 + "'",
    "'" + "a" * 3000 + "'",
    " " * 3000,
]


@pytest.mark.parametrize("text", ESCAPES + RESOURCES, ids=lambda text: ascii(text)[:40].replace("\\", "/"))
def test_payloads_are_refused_with_little_memory(text: str) -> None:
    parse.cache_clear()
    refusal(text)
    tracemalloc.start()
    parse.cache_clear()
    refusal(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize(
    "text",
    [
        "[1 for a in range(1000) for b in range(1000) for c in range(1000) if false]",
        "[sum(range(1000)) for a in range(100000)]",
        "[a for a in [1] " + "for a in [[a,a,a,a]] " * 30 + "]",
        "[counts == counts for a in range(100000) for b in counts if false or counts != counts]",
        "[range(99999)[:] for a in range(1000) if range(90000)]",
        "[1 for a in range(100000) if 7 in range(90000)[8:]]",
    ],
)
def test_the_budget_ends_what_is_allowed_but_long(text: str) -> None:
    assert refusal(text).code.id == "E704"


def test_the_budget_is_shared() -> None:
    budget = Budget(12)
    assert value("1 + 2 + 3", budget) == 6
    assert budget.steps_left == 7
    with pytest.raises(ExpressionError, match="too many steps"):
        value("[1 for a in counts]", budget)


def test_lists_that_hold_one_list_many_times_count_as_often() -> None:
    """Otherwise a few lets would make a value that takes forever to compare or print."""
    values: dict[str, Any] = {"a": [0]}
    with pytest.raises(ExpressionError, match="more than 100,000 items together"):
        for _ in range(20):
            values["a"] = evaluate(parse("[a, a, a, a, a, a, a, a, a, a]"), values.__getitem__, Budget())


def test_numbers_from_outside_are_bounded_too() -> None:
    for number in (10**13, float("inf"), float("nan")):
        with pytest.raises(ExpressionError) as caught:
            evaluate(parse("1 + a"), {"a": number}.__getitem__, Budget())
        assert caught.value.code.id == "E705"


def filled(text: str) -> Any:
    found = template(text)
    assert found is not None
    return fill(found, VALUES.__getitem__, Budget())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$filters", 64),
        ("$(filters)", 64),
        ("$s.kernel", 3),
        ("$counts", [3, 4, 6, 3]),
        ("$on", True),
        ("$none", None),
        ("enc$(filters // 2)", "enc32"),
        ("enc$filters", "enc64"),
        ("$filters$act", "64relu"),
        ("a $on b $rate.", "a true b 0.5."),
        ("$$", "$"),
        ("$$filters", "$filters"),
        ("a$$b$$$filters", "a$b$64"),
        ("$(')' == ')')", True),
        ("x$(max(1, (2)))y", "x2y"),
        ("$(counts[0])", 3),
        ("$größe", 5),
    ],
)
def test_fill(text: str, expected: Any) -> None:
    found = filled(text)
    assert found == expected
    assert type(found) is type(expected)


def test_a_text_without_dollar_is_no_template() -> None:
    assert template("plain (text)") is None
    assert template("") is None


def test_parts_know_where_they_start() -> None:
    text = "a$$b$(1 + 2)c$s.kernel"
    found = template(text)
    assert found is not None
    written = [part.text if isinstance(part, Expression) else part for part in found.parts]
    assert written == ["a$b", "1 + 2", "c", "s.kernel"]
    assert found.starts == (0, 6, 12, 14)
    for part, start in zip(found.parts, found.starts, strict=True):
        assert not isinstance(part, Expression) or text.startswith(part.text, start)


@pytest.mark.parametrize(
    ("text", "code", "spoken_of"),
    [
        ("a$(1 + 2", "E501", "$("),
        ("a$((1 + 2)", "E501", "$("),
        ("a$(1 + 2]", "E501", "$(1 + 2]"),
        ("a$('b)", "E501", "'b)"),
        ("a$()", "E501", ""),
        ("a$(1 +)b", "E501", "+"),
        ("cost $5", "E501", "$"),
        ("cost $", "E501", "$"),
        ("${filters}", "E501", "$"),
        ("$($filters)", "E501", "$"),
        ("a$(1 + nope)b", "E503", "nope"),
        ("a$nope", "E503", "nope"),
        ("a$s.nope", "E505", "s.nope"),
        ("a$counts", "E504", "counts"),
        ("a$(none)", "E504", "none"),
        ("$lambda", "E501", "lambda"),
        ("x$(open('x'))", "E502", "open"),
    ],
)
def test_errors_in_templates_are_placed(text: str, code: str, spoken_of: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        filled(text)
    error = caught.value
    assert (error.code.id, text[error.start : error.end]) == (code, spoken_of)


def test_a_filled_text_is_bounded() -> None:
    found = template("$a$a")
    assert found is not None
    with pytest.raises(ExpressionError) as caught:
        fill(found, {"a": "x" * 9_000}.__getitem__, Budget())
    assert caught.value.code.id == "E709"


def test_clauses() -> None:
    one = parse_clause("n in repeats")
    assert (one.names, one.iterable.names) == (("n",), {"repeats"})
    two = parse_clause(" a , b in [[1, 2], [3, in_]] ")
    assert (two.names, two.iterable.names) == (("a", "b"), {"in_"})
    assert parse_clause("bin in inner").names == ("bin",)


@pytest.mark.parametrize(
    ("text", "code", "spoken_of"),
    [
        ("repeats", "E211", "repeats"),
        ("n of repeats", "E211", "n of repeats"),
        ("n in ", "E211", "n in"),
        ("in rows", "E211", "in rows"),
        ("1a in rows", "E211", "1a"),
        ("a, in rows", "E211", ""),
        ("a, a in rows", "E211", "a"),
        ("if in rows", "E211", "if"),
        ("true in rows", "E211", "true"),
        ("$n in rows", "E211", "$n"),
        ("n in a && b", "E501", "&&"),
        ("n in open('x')", "E502", "open"),
    ],
)
def test_errors_in_clauses_are_placed(text: str, code: str, spoken_of: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_clause(text)
    error = caught.value
    assert (error.code.id, text[error.start : error.end]) == (code, spoken_of)
