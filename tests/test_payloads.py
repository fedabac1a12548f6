"""What was tried on systems of this kind, tried here: escapes from expressions, and YAML that expands or loads code."""

from __future__ import annotations

import tracemalloc

import pytest

from archc import CompileError, load
from tests.test_expressions import ESCAPES, RESOURCES

HEAD = "archc: 1\nname: t\ninput: [8]\n"
MORE = (
    "__import__('os').system('id')", "eval('1')", "exec('1')", "open('/etc/passwd').read()", "getattr(n, 'real')", "globals()", "locals()", "vars()", "dir()", "type(n)", "object()",
    "(lambda: 1)()", "[x for x in ().__class__.__mro__]", "n.__class__.__base__", "n.real.__class__", "rows.append(1)", "rows.__len__()", "'x'.join(rows)", "'{}'.format(n)", "f'{n}'",
    "f'{n!r:>{n}}'", "'%s' % n", "'a' + 'b'", "'a' * 9", "b'a'", "1 << 99", "1 >> 1", "~1", "1 & 2", "1 | 2", "1 ^ 2", "n @ n", "1j", "...", "(yield)", "(await n)", "*rows", "{**n}", "{1, 2}",
    "(x for x in rows)", "(n := 3)", "print(n)", "input()", "breakpoint()", "quit()", "help(n)", "memoryview(n)", "bytearray(9)", "super()", "classmethod(n)", "property()", "pow(9, 9)", "hash(n)",
    "id(n)", "iter(rows)", "next(rows)", "map(abs, rows)", "sorted(rows)", "zip(rows, rows)", "enumerate(rows)", "reversed(rows)", "slice(1)", "str(n)", "int('9')", "bool(n)", "list(rows)", "dict(a=1)",
    "min(rows, key=abs)", "max(*rows)", "abs(x=1)", "rows[0].bit_length()", "n.numerator", "input.shape.index(8)", "9 ** 9 ** 9", "9.9 ** 999", "0.0 ** -1", "range(10 ** 9)", "range(10 ** 12)",
    "[0] * 10 ** 9", "rows * 10 ** 9", "[[i for i in range(99999)] for j in range(99999)]", "round(1, 10 ** 9)", "round(1, -10 ** 9)", "sum([10 ** 12, 10 ** 12])", "10 ** 400", "-10 ** 400", "1e400", "1e308 * 10",
    "'" + "x" * 1990, "(" * 60 + "1" + ")" * 60, "[" * 60 + "]" * 60, "-" * 1990 + "1", "not " * 490 + "true", "1 if " * 300, "a" * 1999, "1" * 1999, "0x" + "f" * 1990, "\u0430bs(n)", "n\u200b", "\x00", "\\x41", "#", "`n`", "n; n", "n\nn = 3",
    "import os", "del n", "assert n", "raise n", "return n", "class A: pass", "while 1: pass", "n = 3", "n == 3 = 3", "@n", "$n", "${n}", "!!python/name:os.system", "nonlocal n", "global n", "async", "match n",
)


PAYLOADS = [one for one in dict.fromkeys((*ESCAPES, *RESOURCES, *MORE)) if not one.startswith("1)")]  # `$(1) + (2)` is a text


@pytest.mark.parametrize("text", PAYLOADS, ids=lambda one: ascii(one)[:40].replace("\\", "/"))
def test_an_expression_never_gets_out(text: str) -> None:
    """Refused at once, with little memory, in words."""
    quoted = "".join(f"\\u{ord(sign):04x}" if not " " < sign < "\x7f" or sign in '"\\' else sign for sign in text)
    spec = f'{HEAD}params: {{n: 3, rows: [1, 2]}}\nlet: {{x: "$({quoted})"}}\nlayers: [dense: $n]\n'.encode()
    tracemalloc.start()
    try:
        with pytest.raises(CompileError) as problem:
            load("-", spec).compile()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert {one.code.id[:2] for one in problem.value.diagnostics} <= {"E1", "E5", "E7"}, problem.value
    assert most < 100 << 20


def nested(first: str, form: str, levels: int = 9, width: int = 9) -> str:
    """Values by aliases, each level ten times the one before."""
    lines = [f"a0: &a0 {first}"]
    lines += [f"a{at}: &a{at} {form.format(', '.join([f'*a{at - 1}'] * width))}" for at in range(1, levels)]
    return "params:\n" + "".join(f"  {line}\n" for line in lines)


BOMBS = {
    "a billion laughs": nested("lol", "[{}]"),
    "in mappings": "params:\n  a0: &a0 {x: 1}\n" + "".join(f"  a{at}: &a{at} {{" + ", ".join(f"k{one}: *a{at - 1}" for one in range(9)) + "}\n" for at in range(1, 9)),
    "in steps": "layers:\n  - steps: &a0 [relu]\n" + "".join(f"  - steps: &a{at} [{', '.join(['{steps: *a' + str(at - 1) + '}'] * 9)}]\n" for at in range(1, 9)),
    "quadratic": "params:\n  a: &a [" + "x, " * 2000 + "x]\n  b: [" + "*a, " * 2000 + "*a]\n",
    "merge keys": "params:\n  a0: &a0 {x: 1}\n" + "".join(f"  a{at}: &a{at} {{<<: [{', '.join([f'*a{at - 1}'] * 9)}]}}\n" for at in range(1, 9)),
    "one merge key": "params: {a: &a {x: 1}, b: {<<: *a}}\n",
    "an alias of itself": "params: &a {b: *a}\n",
    "aliases in a ring": "params: &a [&b [*a, *b]]\n",
    "deep lists": "params: {a: " + "[" * 50_000 + "\n",
    "deep mappings": "params: " + "{a: " * 50_000 + "\n",
    "deep dashes": "layers:\n  " + "- " * 50_000 + "x\n",
    "deep keys": "params: " + "? " * 20_000 + "x\n",
    "deep by aliases": "params:\n  a0: &a0 [1]\n" + "".join(f"  a{at}: &a{at} [*a{at - 1}]\n" for at in range(1, 200)),
    "deep block scalars": "".join(" " * at + f"a{at}:\n" for at in range(1000)),
    "a python object": "params: {a: !!python/object/apply:os.system ['id']}\n",
    "a python name": "params: {a: !!python/name:os.system }\n",
    "a python module": "params: !!python/module:os\n",
    "a python tuple": "params: {a: !!python/tuple [1, 2]}\n",
    "a new object": "params: {a: !!python/object/new:type {args: [a, [], {}]}}\n",
    "a tag by address": "params: {a: !<tag:yaml.org,2002:python/object/apply:os.system> [id]}\n",
    "a tag by directive": "%TAG ! tag:yaml.org,2002:python/\n---\nparams: {a: !object/apply:os.system [id]}\n",
    "binary": "params: {a: !!binary aGVsbG8=}\n",
    "a set": "params: !!set {a, b}\n",
    "a long number": "params: {a: " + "9" * 500_000 + "}\n",
    "a long hexadecimal number": "params: {a: 0x" + "f" * 900_000 + "}\nlayers: [dense: $a]\n",
    "a number in base sixty": "params: {a: " + ":".join(["59"] * 3000) + "}\nlayers: [dense: $a]\n",
    "an exponent": "params: {a: 1e999999999}\n",
    "a long key": "? " + "x" * 100_000 + "\n: 1\n",
    "a long text": "title: " + "x" * 500_000 + "\n",
    "many documents": "---\n" * 50_000,
    "many anchors": "params:\n" + "".join(f"  a{at}: &a 1\n" for at in range(50_000)),
    "many equal keys": "params: {" + "a: 1, " * 100_000 + "}\n",
    "many escapes": 'title: "' + "\\x00" * 50_000 + '"\n',
    "many colons": "params: {a" + ":" * 100_000 + "}\n",
    "many open quotes": "params: [" + "'" * 99_999 + "\n",
    "a flow that never ends": "params: {" * 30 + "a: [" * 100 + "\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_yaml_bombs_are_refused_soon(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(CompileError) as problem:
            text = BOMBS[name] if BOMBS[name].startswith("%") else HEAD + BOMBS[name]
            load("-", (text + ("" if "layers" in text else "layers: [relu]\n")).encode()).compile()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(one.severity == "error" or one.code.id.startswith("W") for one in problem.value.diagnostics)
    assert len(str(problem.value)) < 2_000_000
    assert most < 200 << 20


def test_there_are_enough() -> None:
    assert len(PAYLOADS) >= 60
    assert len(BOMBS) >= 20
