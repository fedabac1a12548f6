"""The language: what a text means, what it becomes, and what is said where it is wrong."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from archc import Compiled, CompileError, Family, load
from archc.diagnostics import Diagnostic
from archc.graph.graph import Graph, Node
from archc.language.catalogue import AddressError
from archc.language.document import decode, plain, read

HEAD = "archc: 1\nname: t\n"


def family(text: str) -> Family:
    return load("-", (text if text.startswith("archc") else HEAD + text).encode())


def net(layers: str, *, input: str = "[8, 8, 4]", rest: str = "", variant: str = "", **values: Any) -> Compiled:
    """The compiled network of a list of steps; `layers` is written in block style."""
    lines = "".join(f"  {line}\n" for line in layers.strip("\n").splitlines())
    return family(f"input: {input}\nlayers:\n{lines}{rest}").compile(variant, values)


def graph(layers: str, **more: Any) -> Graph:
    return net(layers, **more).graph


def names(layers: str, **more: Any) -> list[str]:
    return [one.name for one in graph(layers, **more).nodes][1:]


def node(graph: Graph, name: str) -> Node:
    return next(one for one in graph.nodes if one.name == name)


def reads(graph: Graph, name: str) -> list[str]:
    return [graph.nodes[one.node].name for one in node(graph, name).inputs]


def wrong(text: str, **values: Any) -> list[Diagnostic]:
    """The diagnostics of a text that does not compile, in any of its variants."""
    try:
        loaded = family(text)
    except CompileError as problem:
        return list(problem.diagnostics)
    for variant in loaded:
        try:
            loaded.compile(variant, values)
        except CompileError as problem:
            return list(problem.diagnostics)
    pytest.fail("it compiled")


def bad(layers: str, *, input: str = "[8, 8, 4]", rest: str = "") -> list[Diagnostic]:
    lines = "".join(f"  {line}\n" for line in layers.strip("\n").splitlines())
    return wrong(f"input: {input}\nlayers:\n{lines}{rest}")


def ids(found: list[Diagnostic]) -> list[str]:
    return [one.code.id for one in found]


def only(found: list[Diagnostic], code: str) -> Diagnostic:
    """The one diagnostic there is, of this code."""
    assert ids(found) == [code], [f"{one.code.id} {one.span}: {one.message}" for one in found]
    return found[0]


def warned(layers: str, **more: Any) -> list[str]:
    return ids(list(net(layers, **more).warnings))


# The scalar rule

SCALARS: list[tuple[str, Any]] = [
    ("true", True), ("false", False), ("True", "True"), ("TRUE", "TRUE"), ("False", "False"), ("yes", "yes"), ("no", "no"),
    ("Yes", "Yes"), ("NO", "NO"), ("on", "on"), ("off", "off"), ("On", "On"), ("y", "y"), ("n", "n"),
    ("null", None), ("", None), ("Null", "Null"), ("NULL", "NULL"), ("~", "~"), ("None", "None"),
    ("0", 0), ("1", 1), ("-1", -1), ("42", 42), ("+1", "+1"), ("010", "010"), ("00", "00"), ("-07", "-07"), ("0x10", "0x10"),
    ("0o17", "0o17"), ("0b11", "0b11"), ("1_000", "1_000"), ("1,000", "1,000"), ("1000000000000", 10**12),
    ("1.5", 1.5), ("-0.5", -0.5), ("1.0", 1.0), (".5", ".5"), ("5.", "5."), ("1e3", 1000.0), ("1e-3", 0.001), ("1E-3", 0.001),
    ("1.5e+2", 150.0), ("1e", "1e"), ("e5", "e5"), ("1.2.3", "1.2.3"), ("01.5", "01.5"),
    (".nan", ".nan"), (".inf", ".inf"), ("-.inf", "-.inf"), ("nan", "nan"), ("inf", "inf"), ("Infinity", "Infinity"),
    ("12:30", "12:30"), ("1:2:3", "1:2:3"), ("2024-01-02", "2024-01-02"), ("190:20:30.15", "190:20:30.15"), ("3x3", "3x3"),
    ('"64"', "64"), ("'1e-3'", "1e-3"), ('"true"', "true"), ("'null'", "null"), ('""', ""), ("conv3-64", "conv3-64"), ("=", "="),
    ("text with spaces", "text with spaces"), ("$(a + b)", "$(a + b)"), ("50%", "50%"),
]


@pytest.mark.parametrize(("text", "value"), SCALARS, ids=[text or "nothing" for text, _ in SCALARS])
def test_scalar_rule(text: str, value: Any) -> None:
    found = plain(read(decode("t.yaml", f"key: {text}\n".encode())))
    assert found == {"key": value}
    assert type(found["key"]) is type(value)
    assert plain(read(decode("t.yaml", f"[{text}, 1]\n".encode())))[0] == value if text not in ("", "1,000", "=") else True


@pytest.mark.parametrize("key", ["18", "1e-3", "true", "no", "12:30", "0x10", '"64"', "3a"])
def test_keys_are_text(key: str) -> None:
    assert list(plain(read(decode("t.yaml", f"{key}: 1\n".encode())))) == [key.strip('"')]


@pytest.mark.parametrize(
    ("step", "code", "hint"),
    [
        ("conv: {filters: 8, bias: no}", "E203", "false"),
        ("conv: {filters: 8, bias: yes}", "E203", "true"),
        ("conv: {filters: 8, bias: on}", "E203", "true"),
        ("conv: {filters: 8, bias: off}", "E203", "false"),
        ("conv: {filters: 8, bias: None}", "E203", "null"),
        ("conv: {filters: 010}", "E203", "10"),
        ('conv: {filters: "64"}', "E203", "64"),
        ("conv: {filters: 1_000}", "E203", ""),
        ("conv: {filters: 0x10}", "E203", ""),
        ("conv: {filters: 8.0}", "E203", "8"),
        ("conv: {filters: true}", "E203", ""),
        ("conv: {filters: 0}", "E204", ""),
        ("conv: {filters: -3}", "E204", ""),
        ("dropout: .nan", "E203", ""),
        ("dropout: .inf", "E203", ""),
        ("conv: {filters: 8, kernel: 3:3}", "E203", "["),
    ],
)
def test_look_alikes_are_refused(step: str, code: str, hint: str) -> None:
    found = only(bad(f"- {step}"), code)
    assert hint in found.help
    assert found.span is not None


@pytest.mark.parametrize("text", ["9999999999999", "1e13", "1e400", "-1e300", "9" * 5000])
def test_numbers_have_a_limit(text: str) -> None:
    assert "E705" in ids(wrong(f"input: [{text}]\nlayers: [relu]\n"))


# The text

@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "E110"),
        ("# only a comment\n", "E110"),
        ("archc: 1\nname: t\nname: u\ninput: [4]\nlayers: [relu]\n", "E103"),
        ("archc: 1\nname: t\ninput: [4]\nlayers: [{dense: {units: 1, units: 2}}]\n", "E103"),
        ("archc: 1\nname: !!str t\ninput: [4]\nlayers: [relu]\n", "E104"),
        ("archc: 1\nname: t\ninput: [4]\nlayers: [!python/object:os.system relu]\n", "E104"),
        ("archc: 1\nname: t\ninput: [4]\nlayers:\n\t- relu\n", "E105"),
        ("archc: 1\nname: t\nbase: &b {a: 1}\nc: {<<: *b}\n", "E106"),
        ("%YAML 1.1\n---\narchc: 1\n", "E108"),
        ("archc: 1\n---\narchc: 1\n", "E109"),
        ("archc: 1\nname: *nowhere\n", "E111"),
        ("archc: 1\nname: &a [*a]\n", "E111"),
        ("archc: 1\n[a, b]: 1\n", "E112"),
        ("archc: 1\n? {a: 1}\n: 1\n", "E112"),
        ("archc: 1\nname: t\u00a0\nlayers: [relu]\n", "E113"),
        ("archc: 1\nname: t\nlayers: [relu\n", "E101"),
        ("archc: 1\nname: 'a\n", "E101"),
        ("archc: 1\nname: " + "[" * 100 + "]" * 100 + "\n", "E702"),
        ("archc: 1\nname: " + "x" * 20000 + "\n", "E709"),
        ("just text\n", "E203"),
        ("[1, 2]\n", "E203"),
    ],
)
def test_what_is_no_spec(text: str, code: str) -> None:
    with pytest.raises(CompileError) as problem:
        load("-", text.encode())
    assert code in ids(list(problem.value.diagnostics))


@pytest.mark.parametrize("data", [b"\xff\xfea\x00", b"archc: 1\nname: \xe9\n", b"\x00\x01\x02", b"x" * (1 << 21)])
def test_bytes_that_are_no_text(data: bytes) -> None:
    with pytest.raises(CompileError):
        load("-", data)


def test_a_duplicate_key_says_where_the_first_is() -> None:
    found = only(wrong("archc: 1\nname: t\ninput: [4]\ninput: [5]\nlayers: [relu]\n"), "E103")
    assert found.span is not None
    assert found.span.position == (4, 1)
    assert found.notes[0].span is not None
    assert found.notes[0].span.position == (3, 1)


def test_aliases_stand_for_their_values() -> None:
    assert names("- &c {conv: 4}\n- *c\n- concat: {a: &b [conv: 2], b: *b}") == ["conv", "conv_2", "a_conv", "b_conv", "concat"]


def test_aliases_of_groups_have_layers_of_their_own() -> None:
    assert names("- steps: &g [conv: 4, relu]\n- steps: *g") == ["conv", "relu", "conv_2", "relu_2"]


def test_an_alias_bomb_is_counted_and_not_expanded() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{after}: &{after} [{', '.join([f'*{before}'] * 10)}]\n"
    start = time.monotonic()
    found = wrong(f"archc: 1\nname: t\n{bomb}")
    assert ids(found) == ["E703"]
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("layers: [{conv: {filters: $(max(8, 4))}}]", '"$(max(8, 4))"'),
        ("layers: [{conv: {filters: $([8, 4][0])}}]", '"$([8, 4][0])"'),
        ("layers: [{for: t, c in rows, conv: 8}]", '"t, c in rows"'),
    ],
)
def test_unquoted_expressions_in_flow_style(text: str, quoted: str) -> None:
    found = wrong(f"input: [8, 8, 4]\n{text}\n")
    assert found[0].code.id in ("E102", "E101")
    assert quoted in found[0].help


# The form of a spec

@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("layer: [relu]\ninput: [4]\nlayers: [relu]", "E201", "layers"),
        ("input: [4]\nlayers: [relu]\nexpect: {parms: 3}", "E201", "params"),
        ("input: [4]\nlayers: [relu]\nsource: {titel: x}", "E201", "title"),
        ("input: [4]\nlayers: [relu]\nmacros: {m: {boddy: [relu], body: [relu]}}", "E201", "body"),
        ("input: [4]\nlayers: [relu]\nparams: {a: {type: int, defualt: 3}}", "E201", "default"),
        ("input: [4]\nlayers: [relu]\nvariants: {a: {alias: x}}", "E201", "aliases"),
        ("input: {shap: [4], shape: [4]}\nlayers: [relu]", "E201", "shape"),
        ("layers: [relu]", "E202", "input"),
        ("input: [4]", "E202", "layers"),
        ("input: [4]\nlayers: [rellu]", "E207", "relu"),
        ("input: [8, 8, 4]\nlayers: [conv2d: 8]", "E207", "conv"),
        ("input: [8, 8, 4]\nlayers: [conv:8]", "E207", "space"),
        ("input: [8, 8, 4]\nlayers: [conv: {filters: 8, kernal: 3}]", "E208", "kernel"),
        ("input: [8, 8, 4]\nlayers: [conv: {filters: 8, strides: 3}]", "E208", "stride"),
        ("input: [8, 8, 4]\nlayers: [conv: {kernel: 3}]", "E202", "filters"),
        ("input: [8, 8, 4]\nlayers: [conv]", "E202", "filters"),
        ("input: [4]\nlayers: [dense: [1, relu, 3]]", "E209", "units, activation"),
        ("input: [4]\nlayers: [relu: 3]", "E209", ""),
        ("input: [4]\nlayers: [{dense: 3, activation: relu}]", "E206", "dense: {activation"),
        ("input: [4]\nlayers: [{dense: 3, whem: true}]", "E206", "when"),
        ("input: [4]\nlayers: [{when: true}]", "E206", ""),
        ("input: [4]\nlayers: [[relu]]", "E206", "steps"),
        ("input: [4]\nlayers: [{dense: 3, repeat: 2, for: a in b}]", "E211", "nest"),
        ("input: [4]\nlayers: [{dense: 3, index: i}]", "E211", "repeat"),
        ("input: [4]\nlayers: [{dense: 3, as: my-name}]", "E212", ""),
        ("input: [4]\nlayers: [{dense: 3, as: input}]", "E402", ""),
        ("input: [4]\nlayers: [add: 3]", "E210", "add"),
        ("input: [4]\nlayers: [add: {when: [relu], b: []}]", "E402", ""),
        ("input: [4]\nlayers: [relu]\nmacros: {conv: {body: [relu]}}", "E402", ""),
        ("input: [4]\nlayers: [relu]\nmacros: {side: {body: [relu]}}", "E402", ""),
        ("input: [4]\nlayers: [relu]\nmacros: {m: {params: {a: 1}}}", "E214", "body"),
        ("input: [4]\nlayers: [relu]\nparams: {a: {typ: int}}", "E215", ""),
        ("input: [4]\nlayers: [relu]\nparams: {a: {type: integer}}", "E215", "int"),
        ("input: [4]\nlayers: [relu]\nparams: {layers: 3}", "E402", ""),
        ("input: [4]\nlayers: [relu]\nparams: {my-name: 3}", "E212", ""),
        ("input: [4]\nlayers: [relu]\nnotation: {'c<n>-<n>': relu}", "E402", ""),
        ("input: [4]\ninputs: {a: [4]}\nlayers: [relu]", "E206", ""),
        ("input: 4\nlayers: [relu]", "E203", "["),
        ("input: [0]\nlayers: [relu]", "E204", ""),
        ("input: [4]\nlayers: []", "E411", ""),
        ("input: [4]\nlayers: [relu]\noutputs: [nope]", "E407", "as"),
        ("input: [4]\nlayers: [{relu, as: end}]\noutputs: [edn]", "E407", "end"),
    ],
)
def test_form(text: str, code: str, hint: str) -> None:
    found = only(wrong(text + "\n"), code)
    assert hint in found.help or hint in found.message


@pytest.mark.parametrize("version", ["2", "'1'", "1.0", "true", "one"])
def test_the_language_version(version: str) -> None:
    assert ids(wrong(f"archc: {version}\nname: t\ninput: [4]\nlayers: [relu]\n")) == ["E205"]


def test_a_missing_version_or_name() -> None:
    assert ids(wrong("archc: 1\ninput: [4]\nlayers: [relu]\n")) == ["E202"]
    with pytest.raises(CompileError) as problem:
        load("-", b"name: t\ninput: [4]\nlayers: [relu]\n")
    assert ids(list(problem.value.diagnostics)) == ["E202"]


# Arguments

@pytest.mark.parametrize(
    "step",
    [
        "conv: {filters: 8, kernel: 3}", "conv: [8, 3]", "conv: [$width, 3]", "conv: {filters: $(2 * 4), kernel: $k}",
        "conv: $both", "conv: $named", "conv: [$width, $(k)]",
    ],
)
def test_arguments_bind_in_one_way(step: str) -> None:
    made = graph(f"- {step}", rest="params: {width: 8, k: 3, both: [8, 3], named: {default: {filters: 8, kernel: 3}}}\n").nodes[1]
    assert made.shape == (6, 6, 8)


def test_a_scalar_is_the_first_argument_and_nothing_is_none() -> None:
    assert graph("- dense: 3", input="[4]").nodes[1].shape == (3,)
    assert graph("- max_pool:").nodes[1].shape == (4, 4, 4)
    assert graph("- max_pool").nodes[1].shape == (4, 4, 4)
    assert graph("- max_pool: {}").nodes[1].shape == (4, 4, 4)
    assert graph("- {max_pool: , as: x}").nodes[1].name == "x"


def test_a_list_is_the_first_parameter_where_that_is_a_list() -> None:
    assert graph("- reshape: [2, 2]", input="[4]").nodes[1].shape == (2, 2)
    assert graph("- wide: [2, 3]", input="[4]", rest="macros: {wide: {params: {sizes: {list: int}}, body: [{for: n in sizes, dense: $n}]}}\n").nodes[-1].shape == (3,)


def test_macro_arguments_by_position_name_and_default() -> None:
    rest = "macros: {m: {params: {a: int, b: $(a + 1), c: 2}, body: [dense: $(100 * a + 10 * b + c)]}}\n"
    for step, units in [("m: 1", 122), ("m: [1, 5]", 152), ("m: {a: 3}", 342), ("m: {c: 9, a: 1}", 129), ("m: [1, 2, 3]", 123)]:
        assert graph(f"- {step}", input="[4]", rest=rest).nodes[-1].shape == (units,)


@pytest.mark.parametrize(
    ("step", "code", "hint"),
    [
        ("m: {a: 1, d: 2}", "E208", ""), ("m", "E202", "a"), ("m: {b: 1}", "E202", "a"), ("m: [1, 2, 3]", "E209", "by position"),
        ("m: x", "E203", ""), ("m: 1.5", "E203", ""), ("m: {a: true}", "E203", ""), ("m: {a: 0}", "E204", ""),
        ("m: {a: 99}", "E204", ""), ("m: {a: 1, b: lnear}", "E204", "linear"),
    ],
)
def test_wrong_macro_arguments(step: str, code: str, hint: str) -> None:
    rest = "macros: {m: {params: {a: {type: int, min: 1, max: 50}, b: {default: linear, enum: [linear, relu]}}, body: [{dense: [$a, $b]}]}}\n"
    assert hint in only(bad(f"- {step}", input="[4]", rest=rest), code).help


@pytest.mark.parametrize(
    ("kind", "good", "other"),
    [
        ("int", "3", "3.5"), ("float", "3", "x"), ("bool", "true", "1"), ("str", "x", "3"), ("list", "[1]", "1"),
        ("map", "{a: 1}", "[1]"), ("steps", "[relu]", "$(1 + 1)"), ("macro", "id", "ix"), ("{list: int}", "[1, 2]", "[1, x]"),
    ],
)
def test_parameter_types(kind: str, good: str, other: str) -> None:
    use = {"steps": "- $p", "macro": "- $p: {}"}.get(kind, "- {relu, when: p == p}")
    rest = f"macros:\n  id: [relu]\n  m:\n    params: {{p: {kind}}}\n    body:\n      {use}\n"
    assert graph(f"- m: {{p: {good}}}\n- id", rest=rest)
    assert bad(f"- m: {{p: {other}}}\n- id", rest=rest)[0].code.id in ("E203", "E207", "E503")


# Conditions and loops

def test_when() -> None:
    assert names("- {relu, when: true}\n- {relu, when: false}\n- {relu, when: 1 < 2}\n- {relu, when: $(1 > 2)}\n- {relu, when: input.channels == 4}") == ["relu", "relu_3", "relu_5"]


def test_a_false_when_is_the_identity_and_binds_its_name() -> None:
    made = graph("- {conv: 8, as: a}\n- {conv: 9, when: false, as: b}\n- {conv: 3, from: a, as: c, when: false}\n- concat: [b, input, c, _]")
    assert reads(made, "concat") == ["a", "input", "a", "a"]


def test_a_false_when_hands_several_tensors_on() -> None:
    rest = "macros: {swap: {inputs: [x, y], outputs: [y2, x2], body: [{relu, from: y, as: y2}, {relu, from: x, as: x2}]}}\n"
    made = graph("- {conv: 2, as: a}\n- {conv: 3, as: b}\n- {swap: , from: [a, b], as: [c, d], when: false}\n- concat: [c, d]", rest=rest)
    assert reads(made, "concat") == ["a", "b"]
    made = graph("- {conv: 2, as: a}\n- {conv: 3, as: b}\n- {swap: , from: [a, b], as: [c, d]}\n- concat: [c, d]", rest=rest)
    assert reads(made, "concat") == ["c_y2", "c_x2"]


@pytest.mark.parametrize(("condition", "code"), [("1", "E504"), ("nope", "E503"), ("1 +", "E501"), ("input", "E504"), ("input.chanels > 1", "E505")])
def test_wrong_conditions(condition: str, code: str) -> None:
    assert ids(bad(f"- {{relu, when: {condition}}}"))[0] == code


def test_repeat_and_index() -> None:
    made = graph("- repeat: 3\n  conv: {filters: $(index + 1)}")
    assert [(one.name, one.shape[-1]) for one in made.nodes[1:]] == [("conv1", 1), ("conv2", 2), ("conv3", 3)]
    assert names("- {repeat: 0, relu: }\n- conv: 2") == ["conv"]
    assert names("- {repeat: $n, relu: }", rest="params: {n: 2}\n") == ["relu1", "relu2"]


@pytest.mark.parametrize("count", ["-1", "1.5", "x", "true", "$(7 / 2)", "null"])
def test_wrong_repeats(count: str) -> None:
    assert len(bad(f"- {{repeat: {count}, relu: }}")) == 1


def test_for_over_lists_rows_and_maps() -> None:
    rest = "params:\n  widths: [2, 3]\n  rows: [[4, 1], [5, 3]]\n  maps: [{k: 1, n: 6}, {n: 7, k: 3}]\n"
    layers = "- {for: n in widths, conv: $n}\n- for: n, k in rows\n  conv: [$n, $k]\n- for: k, n in maps\n  conv: [$n, $k]\n- for: m in maps\n  conv: [$m.n, $(m.k)]"
    made = graph(layers, rest=rest)
    assert [one.shape for one in made.nodes[1:]] == [(8, 8, 2), (8, 8, 3), (8, 8, 4), (6, 6, 5), (6, 6, 6), (4, 4, 7), (4, 4, 6), (2, 2, 7)]


@pytest.mark.parametrize(
    ("clause", "code"),
    [("n", "E211"), ("n of rows", "E211"), ("n in 3", "E211"), ("a, b, c in rows", "E211"), ("a, a in rows", "E211"), ("a, x in maps", "E211"), ("n in nope", "E503"), ("n in input", "E211"), ("n in [1, 2", "E501")],
)
def test_wrong_clauses(clause: str, code: str) -> None:
    assert ids(bad(f"- for: \"{clause}\"\n  relu:", rest="params: {rows: [[1, 2]], maps: [{a: 1}]}\n"))[0] == code


def test_nested_loops_with_an_outer_index() -> None:
    made = graph("- for: n in counts\n  index: position\n  as: stage\n  steps:\n    - repeat: $n\n      as: block\n      conv: $(10 * position + index + 1)", rest="params: {counts: [1, 2]}\n")
    assert [(one.name, one.shape[-1]) for one in made.nodes[1:]] == [("stage1_block1", 1), ("stage2_block1", 11), ("stage2_block2", 12)]


def test_an_inner_index_hides_the_outer() -> None:
    made = graph("- repeat: 2\n  steps:\n    - {repeat: 2, conv: $(index + 1)}\n    - conv: $(10 + index)")
    assert [one.shape[-1] for one in made.nodes[1:]] == [1, 2, 10, 1, 2, 11]


def test_stochastic_depth_over_all_blocks() -> None:
    layers = "- for: n in counts\n  index: position\n  steps:\n    - repeat: $n\n      dropout: $(drop * (sum(counts[:position]) + index) / sum(counts))"
    made = graph(layers, rest="params: {counts: [1, 2, 1], drop: 0.4}\n")
    assert [round(one.operator.attributes()["rate"], 6) for one in made.nodes[1:]] == [0, 0.1, 0.2, 0.3]


def test_a_loop_variable_may_not_hide_another_value() -> None:
    for layers in ("- for: w in [1]\n  relu:", "- for: n in [1]\n  steps:\n    - for: n in [2]\n      relu:", "- {relu, as: t}\n- for: t in [1]\n  relu:", "- repeat: 2\n  index: w\n  relu:"):
        only(bad(layers + "\n- dense: $w", rest="params: {w: 3}\n"), "E402")


# Tensors and their names

def test_from_and_as() -> None:
    made = graph("- {conv: 2, as: a}\n- {conv: 3, from: input, as: b}\n- {relu, from: a}\n- concat: [_, b, a, input]")
    assert reads(made, "b") == ["input"]
    assert reads(made, "relu") == ["a"]
    assert reads(made, "concat") == ["relu", "b", "a", "input"]


def test_the_flowing_tensor_can_be_named_in_from() -> None:
    made = graph("- {conv: 2, as: a}\n- conv: 3\n- {concat, from: [_, a]}\n- {relu, from: _}")
    assert reads(made, "concat") == ["conv", "a"]
    assert reads(made, "relu") == ["concat"]


@pytest.mark.parametrize(
    ("layers", "code"),
    [
        ("- {relu, from: enc9}", "E401"),
        ("- {relu, as: enc1}\n- {relu, from: enc2}", "E401"),
        ("- {relu, as: a}\n- {relu, as: a}", "E402"),
        ("- {relu, as: w}\n- conv: $w", "E402"),
        ("- repeat: 2\n  steps: [{relu, as: a}, {conv: 2, as: a}]", "E402"),
        ("- {concat: {l: [{relu, as: a}], r: [conv: 2]}}\n- {relu, from: a}", "E401"),
        ("- {relu, as: a}\n- concat: {l: [{relu, as: a}], r: [conv: 2]}", "E402"),
        ("- {relu, as: [a, b]}", "E206"),
    ],
)
def test_wrong_names(layers: str, code: str) -> None:
    only(bad(layers, rest="params: {w: 3}\n" if "$w" in layers else ""), code)


def test_a_loop_binds_a_name_anew() -> None:
    made = graph("- {conv: 3, as: x}\n- {repeat: 2, from: x, conv: 4, as: x}\n- {relu, from: x}\n- {repeat: 2, relu: , as: y}\n- concat: [x, y]")
    assert reads(made, "x_2_1") == ["x"]
    assert reads(made, "x_2_2") == ["x_2_1"]
    assert reads(made, "relu") == ["x_2_2"]
    assert reads(made, "concat") == ["x_2_2", "y2"]


def test_a_loop_binds_anew_what_a_merge_in_it_reads() -> None:
    made = graph("- {conv: 8, as: x}\n- {repeat: 2, steps: [{conv: 8}, {add: [_, x], as: x}]}\n- {relu, from: x}")
    assert reads(made, "steps1_x") == ["steps1_conv", "x"]
    assert reads(made, "steps2_x") == ["steps2_conv", "steps1_x"]
    assert reads(made, "relu") == ["steps2_x"]
    named = graph("- {conv: 8, as: x}\n- {repeat: 2, as: unit, add: {new: [conv: 8], old: x}}\n- {repeat: 2, steps: [{add: {new: [conv: 8], old: x}, as: x}]}")
    assert reads(named, "steps2_x") == ["steps2_x_new_conv", "steps1_x"]
    only(bad("- {conv: 8, as: x}\n- {repeat: 2, steps: [{conv: 8, as: x}]}"), "E402")


def test_u_net() -> None:
    layers = """
- repeat: 3
  steps:
    - {conv: [$(8 * 2 ** index), 3, 1, same], as: enc$(index)}
    - max_pool: 2
- conv: [64, 3, 1, same]
- repeat: 3
  steps:
    - conv_transpose: {filters: 8, kernel: 2, stride: 2}
    - concat: [_, enc$(2 - index)]
    - conv: [$(8 * 2 ** (2 - index)), 3, 1, same]
"""
    made = graph(layers, input="[16, 16, 3]")
    joins = [one for one in made.nodes if one.operator.name == "concat"]
    assert [one.shape for one in joins] == [(4, 4, 40), (8, 8, 24), (16, 16, 16)]
    assert [made.nodes[one.inputs[1].node].shape[-1] for one in joins] == [32, 16, 8]


def test_a_false_when_names_the_u_nets_skip_too() -> None:
    made = graph("- {repeat: 2, conv: 2, when: index == 1, as: enc$(index)}\n- concat: [enc1, enc0]")
    assert reads(made, "concat") == ["enc1_2", "input"]


def test_tensors_of_the_body_around_are_seen_in_branches() -> None:
    made = graph("- {conv: 4, as: a}\n- conv: 5\n- add: {l: [{conv: 4, from: a}], r: [{relu, from: input}]}")
    assert reads(made, "l_conv") == ["a"]
    assert reads(made, "r_relu") == ["input"]


def test_input_is_the_macros_own_in_all_its_text() -> None:
    rest = "macros:\n  res:\n    params: {body: steps}\n    body:\n      - conv: 4\n      - repeat: 2\n        steps: [add: {a: [$body], b: input}]\n"
    made = graph("- {conv: 4, as: stem}\n- res: {body: [conv: 4]}", rest=rest)
    assert reads(made, "res_steps1_add") == ["res_steps1_a_conv", "stem"]
    assert reads(made, "res_steps2_add") == ["res_steps2_a_conv", "stem"]
    assert reads(made, "res_steps2_a_conv") == ["res_steps1_add"]


def test_input_of_a_passed_body_is_that_of_its_writer() -> None:
    rest = "macros:\n  wrap:\n    params: {body: steps}\n    body: [{relu, as: mine}, $body]\n  outer:\n    body: [{conv: 3, as: first}, {wrap: {body: [concat: [_, input, first]]}, as: w}]\n"
    made = graph("- {conv: 2, as: stem}\n- outer", rest=rest)
    assert reads(made, "outer_w_concat") == ["outer_w_mine", "stem", "outer_first"]
    made = graph("- {conv: 2, as: stem}\n- wrap: {body: [concat: [_, input, stem]]}", rest=rest.split("  outer")[0])
    assert reads(made, "wrap_concat") == ["wrap_mine", "input", "stem"]


def test_steps_of_the_family_name_tensors_of_the_network() -> None:
    rest = "params: {f: {type: steps, default: [{conv: 4, as: q}]}}\n"
    assert reads(graph("- $f\n- conv: 4\n- {relu, from: q}", rest=rest), "relu") == ["q"]
    variants = "params: {f: steps}\nvariants: {v: {f: [{conv: 4, as: q}, {relu, from: input}]}}\n"
    assert reads(graph("- $f\n- {tanh, from: q}", rest=variants, variant="v"), "tanh") == ["q"]


def test_a_passed_body_does_not_see_the_names_of_the_macro() -> None:
    rest = "macros:\n  wrap:\n    params: {body: steps, secret: 3}\n    body: [{conv: $secret, as: mine}, $body]\n"
    assert ids(bad("- wrap: {body: [{relu, from: mine}]}", rest=rest)) == ["E401"]
    assert ids(bad("- wrap: {body: [conv: $secret]}", rest=rest)) == ["E503"]
    made = graph("- wrap: {body: [{relu, as: mine}, concat: [mine, input]]}", rest=rest)
    assert len(made.nodes) == 4


def test_passed_bodies_see_the_loop_they_are_written_in() -> None:
    rest = "macros: {twice: {params: {body: steps}, body: [{repeat: 2, steps: [$body]}]}}\n"
    made = graph("- repeat: 2\n  index: at\n  twice: {body: [conv: $(10 * at + 1)]}", rest=rest)
    assert [one.shape[-1] for one in made.nodes[1:]] == [1, 1, 11, 11]


def test_macros_see_the_family_and_not_their_callers() -> None:
    rest = "params: {w: 3}\nlet: {v: $(w + 1)}\nmacros: {m: {params: {w: 9}, body: [conv: $w, conv: $v]}, k: [conv: $w], bad: [conv: $n]}\n"
    made = graph("- m\n- k", rest=rest.replace(", bad: [conv: $n]", ""))
    assert [one.shape[-1] for one in made.nodes[1:]] == [9, 4, 3]
    assert ids(bad("- m\n- k\n- for: n in [1]\n  bad:", rest=rest)) == ["E503"]


def test_a_macro_does_not_see_the_networks_tensors() -> None:
    assert ids(bad("- {relu, as: a}\n- m", rest="macros: {m: [{relu, from: a}]}\n")) == ["E401"]


def test_values_and_tensors_of_a_macro_share_one_namespace() -> None:
    only(bad("- {conv: 2, as: a}\n- {m: 1, from: [a, input]}", rest="macros: {m: {params: {x: int}, inputs: [x, y], body: [{concat, from: [x, y]}]}}\n"), "E402")
    only(bad("- m: 1", rest="macros: {m: {params: {x: int}, let: {x: 3}, body: [conv: $x]}}\n"), "E402")
    only(bad("- m: 1", rest="macros: {m: {params: {x: int}, body: [{conv: $x, as: x}]}}\n"), "E402")


def test_a_typed_list_has_a_default_limits_and_a_sentence() -> None:
    for declared in ("{list: int, default: [3, 5], min: 1, doc: of each}", "{type: {list: int}, default: [3, 5], min: 1}"):
        rest = f"params: {{widths: {declared}}}\n"
        layers = "- {for: width in widths, conv: $width}"
        assert [one.shape for one in graph(layers, rest=rest).nodes][1:] == [(8, 8, 3), (8, 8, 5)]
        assert ids(wrong(f"input: [8, 8, 4]\nlayers:\n  {layers}\n{rest}", widths=[3, 0])) == ["E204"]
        assert ids(wrong(f"input: [8, 8, 4]\nlayers:\n  {layers}\n{rest}", widths=[3, "a"])) == ["E203"]
    only(bad("- conv: 4", rest="params: {widths: {list: int, type: int, default: 3}}\n"), "E215")


def test_a_merge_leaves_out_the_tensor_of_a_side_that_does_not_run() -> None:
    layers = "- {side: [conv: 4], when: on, as: more}\n- {add: {body: [conv: 4], input: input, more: more}, as: sum}\n- {relu, from: sum}"
    assert reads(graph(layers, rest="params: {on: true}\n"), "sum") == ["sum_body_conv", "input", "more_conv"]
    assert reads(graph(layers, rest="params: {on: false}\n"), "sum") == ["sum_body_conv", "input"]
    layers = "- {side: [conv: 4], when: on, as: more}\n- {add: {body: [conv: 4], more: more}, as: sum}\n- {relu, from: sum}\n- {concat: [_, more]}"
    made = graph(layers, rest="params: {on: false}\n")
    assert [one.name for one in made.nodes] == ["input", "sum_body_conv", "relu"]
    assert reads(made, "relu") == ["sum_body_conv"]
    lone = "- {side: [conv: 4], when: on, as: more}\n- add: [more]\n- conv: 4"
    only(bad(lone, rest="params: {on: false}\n"), "E306")
    only(bad("- {side: [conv: 4], when: on, as: more}\n- {conv: 4, from: more}", rest="params: {on: false}\n"), "E401")


LISTS: list[tuple[str, dict[str, Any]]] = [
    ("pad: [[0, 1], [0, 1]]", {"amounts": ((0, 1), (0, 1))}),
    ("pad: [[$a, $a], 2]", {"amounts": ((1, 1), 2)}),
    ("crop: [[1, 2], [1, 2]]", {"amounts": ((1, 2), (1, 2))}),
    ("split: [1, 3]", {"parts": (1, 3)}),
    ("resize: [20, 30]", {"size": (20, 30)}),
    ("resize: [20, nearest]", {"size": 20, "interpolation": "nearest"}),
    ("resize: [$a, $b]", {"size": (1, 2)}),
    ("resize: $c", {"size": (4, 5)}),
    ("resize: [[20, 30], nearest]", {"size": (20, 30), "interpolation": "nearest"}),
    ("upsample: [3, 2]", {"size": (3, 2)}),
    ("rescale: [0.5, 1]", {"factor": 0.5, "offset": 1}),
    ("rescale: [1, 2, 3, 4]", {"factor": (1, 2, 3, 4)}),
    ("max_pool: [3, 2]", {"size": 3, "stride": 2}),
]


@pytest.mark.parametrize(("step", "attributes"), LISTS, ids=[step for step, _ in LISTS])
def test_a_list_is_the_first_argument_where_it_does_not_fit_by_position(step: str, attributes: dict[str, Any]) -> None:
    rest = "params: {a: 1, b: 2, c: [4, 5]}\n" if "$" in step else ""
    assert graph(f"- {step}", rest=rest).nodes[1].operator.non_default() == attributes


@pytest.mark.parametrize(("step", "code"), [("resize: [20, 30.5]", "E203"), ("resize: [1, 2, 3, 4]", "E209"), ("resize: [$a, 0.5]", "E203"), ("avg_pool: [3, valid]", "E203")])
def test_a_list_that_fits_in_no_way_shows_the_form_by_name(step: str, code: str) -> None:
    found = only(bad(f"- {step}", rest="params: {a: 1}\n" if "$" in step else ""), code)
    assert found.help is not None and "goes by name, `{size: [...]}`" in found.help


UNITS = """
macros:
  basic: {params: {n: int}, body: [conv: $n]}
  deep: {params: {n: int}, body: [conv: $n, conv: $n]}
  ended: {params: {act: str}, body: [conv: 4, $act]}
notation: {c<n>: {conv: $n}}
"""


def test_a_text_names_the_macro_of_a_step() -> None:
    layers = "- for: unit, n in [['basic', 2], ['deep', 1]]\n  as: stage\n  steps: [{repeat: $n, $unit: 8, as: block}]"
    assert names(layers, rest=UNITS) == ["stage1_block1_conv", "stage1_block2_conv", "stage2_block1_conv", "stage2_block1_conv_2"]
    assert names("- {for: \"unit in ['basic', 'deep']\", $unit: 8}", rest=UNITS) == ["steps1_conv", "steps2_conv", "steps2_conv_2"]


def test_a_text_names_an_operator_or_a_cell() -> None:
    made = names("- ended: relu\n- ended: silu\n- ended: c8\n- {repeat: 2, ended: tanh, as: unit}", rest=UNITS)
    assert made[:6] == ["ended_conv", "ended_relu", "ended_2_conv", "ended_2_silu", "ended_3_conv", "ended_3_conv_2"]
    assert made[6:] == ["unit1_conv", "unit1_tanh", "unit2_conv", "unit2_tanh"]
    assert names("- {for: cell in table, $cell: }", rest=UNITS + "params: {table: [c4, relu, c8]}\n") == ["steps1_conv", "steps2", "steps3_conv"]
    poured = graph("- {for: cell in table, steps: [$cell]}", rest="params: {table: [max_pool, relu]}\n")
    assert [one.operator.name for one in poured.nodes] == ["input", "max_pool", "relu"]


def test_a_text_that_names_no_operation() -> None:
    found = only(bad("- ended: rleu", rest=UNITS), "E207")
    assert found.label == "`$act` is this text here"
    assert found.help is not None and "did you mean `relu`?" in found.help
    only(bad('- {for: "cell in [\'c8\']", $cell: 3}', rest=UNITS), "E209")


def test_several_inputs_and_outputs() -> None:
    text = "inputs: {image: [8, 8, 3], tabular: {shape: [12], dtype: float32}}\nlayers:\n  - {conv: 4, from: image}\n  - {global_avg_pool, as: seen}\n  - {dense: 4, from: tabular, as: told}\n  - {concat, from: [seen, told]}\n  - {dense: 2, as: main}\n  - {dense: 1, from: told, as: other}\noutputs: [main, other]\n"
    made = family(text)[""].graph
    assert [made.nodes[at].name for at in made.inputs] == ["image", "tabular"]
    assert [(name, made.shape(tensor)) for name, tensor in made.outputs] == [("main", (2,)), ("other", (1,))]
    assert reads(made, "concat") == ["seen", "told"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("inputs: {a: [4], b: [4]}\nlayers: [relu]", "E406"),
        ("inputs: {a: [4], b: [4]}\nlayers: [add: [_, a]]", "E406"),
        ("inputs: {a: [4], b: [4]}\nlayers: [{relu, from: a}]", "E412"),
        ("inputs: {a: [4]}\nlayers: [{relu, as: a}]", "E402"),
        ("input: [4]\nlayers: [{relu, as: x}]\noutputs: [x, x]", "E402"),
        ("inputs: {a-b: [4]}\nlayers: [relu]", "E212"),
    ],
)
def test_wrong_inputs_and_outputs(text: str, code: str) -> None:
    only(wrong(text + "\n"), code)


def test_an_open_size() -> None:
    made = graph("- conv: [4, 3]\n- global_avg_pool", input="[null, null, 3]")
    assert [one.shape for one in made.nodes] == [(None, None, 3), (None, None, 4), (4,)]


def test_what_reaches_no_output_is_left_out_with_a_warning() -> None:
    compiled = net("- {conv: 4, as: a}\n- {conv: 5, from: input}\n- {relu, from: a}")
    assert [one.name for one in compiled.graph.nodes] == ["input", "a", "relu"]
    assert ids(list(compiled.warnings)) == ["W410"]


# Macros with several inputs and outputs

def test_nasnet_hands_two_tensors_on() -> None:
    rest = "macros:\n  cell:\n    params: {n: int}\n    inputs: [cur, prev]\n    outputs: [out, cur]\n    body:\n      - {concat, from: [cur, prev]}\n      - {conv: $n, as: out}\n"
    made = graph("- {conv: 1, as: prev}\n- {conv: 2, as: cur}\n- {repeat: 3, from: [cur, prev], cell: $(4 + index), as: [cur, prev]}\n- relu", rest=rest)
    assert reads(made, "cur_2_1_concat") == ["cur", "prev"]
    assert reads(made, "cur_2_2_concat") == ["cur_2_1_out", "cur"]
    assert reads(made, "cur_2_3_concat") == ["cur_2_2_out", "cur_2_1_out"]
    assert reads(made, "relu") == ["cur_2_3_out"]


def test_after_several_outputs_the_first_flows_and_one_may_be_dropped() -> None:
    rest = "macros: {two: {outputs: [a, b], body: [{conv: 2, as: a}, {conv: 3, from: input, as: b}]}}\n"
    assert reads(graph("- {two, as: [x, y]}\n- concat: [_, y]", rest=rest), "concat") == ["x_a", "x_b"]
    assert reads(graph("- {two, as: [_, y]}\n- concat: [_, y]", rest=rest), "concat") == ["y_a", "y_b"]
    assert reads(graph("- two\n- relu", rest=rest), "relu") == ["two_a"]
    assert ids(bad("- {two, as: [x, y, z]}", rest=rest)) == ["E206"]


def test_the_wrong_number_of_inputs() -> None:
    rest = "macros: {two: {inputs: [a, b], body: [{concat, from: [a, b]}]}}\n"
    assert only(bad("- two", rest=rest), "E306").help
    only(bad("- {conv: 3, as: x}\n- {m, from: [x, input]}", rest="macros: {m: [relu]}\n"), "E306")


def test_macros_of_macros() -> None:
    rest = "macros:\n  a: {params: {n: int}, body: [conv: $n]}\n  b: {params: {n: int}, body: [conv: $n, relu]}\n  stack: {params: {unit: macro, n: 2}, body: [{repeat: 2, $unit: {n: $n}}]}\n"
    assert names("- stack: a\n- stack: {unit: b, n: 3}", rest=rest) == ["stack_a1_conv", "stack_a2_conv", "stack_2_b1_conv", "stack_2_b1_relu", "stack_2_b2_conv", "stack_2_b2_relu"]
    assert only(bad("- stack: stak\n- a: 1\n- b: 1", rest=rest), "E207").help == "did you mean `stack`?"


def test_steps_handed_on_from_macro_to_macro() -> None:
    rest = "macros:\n  inner: {params: {body: steps}, body: [conv: 1, $body, conv: 2]}\n  outer: {params: {unit: steps}, body: [{inner: {body: $unit}}, {inner: {body: [relu, $unit, conv: 7]}}]}\n"
    assert names("- outer: {unit: [conv: 8, conv: 9]}", rest=rest) == [
        "outer_inner_conv", "outer_inner_conv_2", "outer_inner_conv_3", "outer_inner_conv_4",
        "outer_inner_2_conv", "outer_inner_2_relu", "outer_inner_2_conv_2", "outer_inner_2_conv_3", "outer_inner_2_conv_4", "outer_inner_2_conv_5",
    ]


@pytest.mark.parametrize(
    "rest",
    [
        "macros: {a: [b], b: [a]}\n", "macros: {a: [a], b: [a]}\n", "macros: {a: [{add: {l: [b], r: []}}], b: [{steps: [a]}]}\n",
        "macros: {a: [x1], b: [a]}\nnotation: {x<n>: a}\n", "macros: {a: [b], b: [c1]}\nnotation: {c1: [c2], c2: [c1]}\n",
    ],
)
def test_recursion_is_an_error(rest: str) -> None:
    assert set(ids(bad("- a\n- b", rest=rest))) == {"E403"}


def test_steps_that_hold_themselves() -> None:
    assert ids(wrong("input: [4]\nlayers: [$f]\nparams: {f: steps}\nvariants: {x: {f: [relu, $f]}}\n"))[0] in ("E403", "E706")


def test_recursion_through_a_macro_parameter_ends() -> None:
    assert ids(bad("- a: a", rest="macros: {a: {params: {m: macro}, body: [$m: {m: $m}]}}\n"))[0] in ("E403", "E706")


def test_macros_nest_64_deep() -> None:
    rest = "macros:\n  m0: [relu]\n" + "".join(f"  m{at}: [{{concat: {{l: [{{steps: [m{at - 1}]}}], r: []}}}}]\n" for at in range(1, 64))
    assert len(graph("- m63", rest=rest).nodes) == 65
    rest += "  m64: [m63]\n  m65: [m64]\n"
    assert ids(bad("- m65", rest=rest)) == ["E706"]


# Sides

def test_a_side_leaves_the_flow_as_it_was() -> None:
    made = graph("- {conv: 2, as: a}\n- {side: [conv: 3, {relu, as: inner}], as: aux}\n- {conv: 4, as: main}", rest="outputs: [main, aux]\n")
    assert reads(made, "main") == ["a"]
    assert reads(made, "aux_conv") == ["a"]
    assert [name for name, _ in made.outputs] == ["main", "aux"]


def test_a_false_side_drops_its_output() -> None:
    rest = "params: {aux: true}\noutputs: [main, aux1]\n"
    layers = "- {side: [conv: 3], when: aux, as: aux1}\n- {conv: 4, as: main}"
    assert [name for name, _ in graph(layers, rest=rest).outputs] == ["main", "aux1"]
    assert [name for name, _ in graph(layers, rest=rest, aux=False).outputs] == ["main"]
    assert [one.name for one in graph(layers, rest=rest, aux=False).nodes] == ["input", "main"]


def test_a_false_side_binds_nothing() -> None:
    only(bad("- {side: [conv: 3], when: false, as: x}\n- {relu, from: x}"), "E401")
    only(bad("- m", rest="macros: {m: [{side: [conv: 3], when: false, as: x}, relu]}\noutputs: [x]\n"), "E407")


# Shared and frozen weights

def test_shared_weights_count_once_and_their_macs_each_time() -> None:
    one = net("- conv: [4, 3, 1, same]").analysed.cost
    compiled = net("- {conv: [4, 3, 1, same], share: k}\n- relu\n- {conv: [4, 3, 1, same], share: k}\n- {conv: [4, 3, 1, same], share: k}")
    assert (compiled.analysed.cost.params, compiled.analysed.cost.macs) == (one.params, 3 * (one.macs or 0))
    assert [made.shared for made in compiled.graph.nodes] == [None, None, None, 1, 1]


def test_a_shared_loop_and_a_shared_macro() -> None:
    rest = "macros: {tower: {params: {n: 4}, body: [conv: [$n, 3, 1, same], batch_norm, relu, conv: [$n, 3, 1, same]]}}\n"
    once = net("- tower", rest=rest).analysed.cost
    for layers in ("- {tower, share: t}\n- relu\n- {tower: , share: t}", "- {repeat: 2, tower: , share: t}", "- {tower, share: t, as: a}\n- {tower, share: t, as: b}"):
        twice = net(layers, rest=rest).analysed.cost
        assert (twice.params, twice.macs) == (once.params, 2 * (once.macs or 0))


def test_a_shared_group() -> None:
    layers = "- {steps: [conv: 4, batch_norm, conv: 4], share: s}\n- {steps: [conv: 4, batch_norm, conv: 4], share: s}"
    assert net(layers).analysed.cost.params == net("- conv: 4\n- batch_norm\n- conv: 4").analysed.cost.params


def test_a_siamese_network() -> None:
    text = "inputs: {a: [8, 8, 3], b: [8, 8, 3]}\nmacros: {tower: [conv: 4, flatten, dense: 5]}\nlayers:\n  - {tower, from: a, share: t, as: x}\n  - {tower, from: b, share: t, as: y}\n  - {subtract, from: [x, y]}\n"
    compiled = family(text)[""]
    assert compiled.analysed.cost.params == 3 * 4 + 4 + 8 * 8 * 4 * 5 + 5
    assert [one.name for one in compiled.graph.nodes if one.shared is not None] == ["y_conv", "y_dense"]


@pytest.mark.parametrize(
    "layers",
    [
        "- {conv: 4, share: k}\n- {conv: 5, share: k}",
        "- {conv: [4, 1], share: k}\n- {conv: [4, 3], share: k}",
        "- {conv: 5, share: k}\n- {conv: 5, share: k}",
        "- {conv: 4, share: k}\n- {dense: 4, share: k}",
        "- {conv: 4, share: k}\n- {m: 4, share: k}\n- {k: 4}",
        "- {m: 4, share: k}\n- {k: 4, share: k}",
        "- {m: 4, share: k}\n- {m: 5, share: k}\n- {k: 4}",
    ],
)
def test_weights_that_cannot_be_shared(layers: str) -> None:
    rest = "macros: {m: {params: {n: int}, body: [conv: $n]}, k: {params: {n: int}, body: [dense: $n]}}\n" if "m:" in layers else ""
    only(bad(layers, rest=rest), "E309")


def test_trainable_false_freezes_all_below() -> None:
    rest = "macros: {m: [conv: 4, {conv: 4, trainable: true}]}\n"
    compiled = net("- {m, trainable: false}\n- {conv: 4, trainable: true}\n- {conv: 4, trainable: $(1 > 2)}", rest=rest)
    assert [one.trainable for one in compiled.graph.nodes[1:]] == [False, False, True, False]
    assert (compiled.analysed.cost.trainable, compiled.analysed.cost.non_trainable) == (20, 60)
    assert ids(bad("- {conv: 4, trainable: no}")) == ["E203"]


# Layer names (design 2.3)

def test_a_label_is_the_name_or_the_operation_and_counts_from_the_second() -> None:
    assert names("- conv: 2\n- conv: 2\n- {conv: 2, as: x}\n- conv: 2\n- relu") == ["conv", "conv_2", "x", "conv_3", "relu"]


def test_the_first_of_several_names_is_the_label() -> None:
    rest = "macros: {two: {outputs: [a, b], body: [{conv: 2, as: a}, {conv: 3, as: b}]}}\n"
    assert names("- {two, as: [p, q]}\n- concat: [p, q]", rest=rest) == ["p_a", "p_b", "concat"]


def test_a_loop_adds_its_iteration() -> None:
    assert names("- {repeat: 2, conv: 2}\n- {repeat: 2, conv: 2}\n- {repeat: 2, conv: 2, as: b1}\n- {repeat: 2, conv: 2, as: stage}") == [
        "conv1", "conv2", "conv_2_1", "conv_2_2", "b1_1", "b1_2", "stage1", "stage2",
    ]


def test_branches_add_their_name_and_numbered_merges_their_label() -> None:
    layers = "- concat: {l: [conv: 2], r: [conv: 3]}\n- concat: {l: [conv: 2], r: [conv: 3]}\n- {concat: {l: [conv: 2], r: [conv: 3]}, as: m}\n- {repeat: 1, concat: {l: [conv: 2], r: [conv: 3]}}"
    assert names(layers) == [
        "l_conv", "r_conv", "concat", "concat_2_l_conv", "concat_2_r_conv", "concat_2", "m_l_conv", "m_r_conv", "m",
        "concat_3_1_l_conv", "concat_3_1_r_conv", "concat_3_1",
    ]


def test_a_merge_with_a_branch_named_like_one_above_adds_its_label() -> None:
    layers = "- add: {body: [conv: 4], old: []}\n- multiply: {body: [conv: 4], old: []}\n- multiply: {body: [conv: 4], old: []}"
    assert names(layers) == ["body_conv", "add", "multiply_body_conv", "multiply", "multiply_2_body_conv", "multiply_2"]
    layers = "- add: {old: [], body: [conv: 4]}\n- multiply: {old: [conv: 4], gate: []}\n- concat: [[conv: 4], [relu]]\n- maximum: [[conv: 8], []]"
    assert names(layers) == ["body_conv", "add", "old_conv", "multiply", "branch1_conv", "branch2_relu", "concat", "maximum_branch1_conv", "maximum"]
    skipped = "- {add: {body: [conv: 4], old: []}, when: 1 > 2}\n- multiply: {body: [conv: 4], old: []}"
    assert names(skipped) == ["multiply_body_conv", "multiply"]
    apart = "- {add: {body: [conv: 4], old: []}, as: sum}\n- multiply: {body: [conv: 4], old: []}"
    assert names(apart) == ["sum_body_conv", "sum", "body_conv", "multiply"]


def test_a_merge_named_as_its_operation_is_named() -> None:
    assert names("- {add: {left: [conv: 4], right: []}, as: add}") == ["add_left_conv", "add"]
    assert names("- {add: {left: [conv: 4], right: []}, as: _}") == ["left_conv", "add"]


def test_cells_steps_and_groups_add_nothing() -> None:
    rest = "notation: {c<n>: {conv: $n}, pair: [conv: 3, relu]}\nparams: {f: {type: steps, default: [c5, conv: 6]}}\n"
    assert names("- c2\n- conv: 3\n- pair\n- $f\n- steps: [conv: 7, {steps: [conv: 8]}]\n- {side: [conv: 9, relu], when: false}\n- conv: 4", rest=rest) == [
        "conv", "conv_2", "conv_3", "relu", "conv_4", "conv_5", "conv_6", "conv_7", "conv_9",
    ]


def test_named_and_looped_groups_have_labels() -> None:
    rest = "notation: {c<n>: {conv: $n}}\nparams: {f: {type: steps, default: [conv: 5]}}\n"
    layers = "- {c2, as: x}\n- {steps: [conv: 3], as: g}\n- {steps: [conv: 3, conv: 3], repeat: 2}\n- {$f: , repeat: 1}\n- {c2, repeat: 1}\n- {$f: , as: h}"
    assert names(layers, rest=rest) == [
        "x_conv", "g_conv", "steps1_conv", "steps1_conv_2", "steps2_conv", "steps2_conv_2", "steps_2_1_conv", "steps_3_1_conv", "h_conv",
    ]


def test_counting_goes_by_the_text_and_not_by_the_expansion() -> None:
    rest = "params: {on: true}\n"
    layers = "- conv: 2\n- {conv: 2, when: on}\n- conv: 2"
    assert names(layers, rest=rest) == ["conv", "conv_2", "conv_3"]
    assert names(layers, rest=rest, on=False) == ["conv", "conv_3"]


def test_a_step_at_the_end_renames_nothing() -> None:
    layers = "- conv: 2\n- concat: {l: [conv: 2], r: []}\n- {repeat: 2, conv: 2}"
    assert names(layers + "\n- concat: {l: [conv: 2], r: []}\n- conv: 2")[: len(names(layers))] == names(layers)


def test_macro_bodies_count_their_own_labels() -> None:
    rest = "macros: {m: [conv: 2, conv: 2], k: [m, m]}\n"
    assert names("- m\n- k\n- m", rest=rest) == [
        "m_conv", "m_conv_2", "k_m_conv", "k_m_conv_2", "k_m_2_conv", "k_m_2_conv_2", "m_2_conv", "m_2_conv_2",
    ]


def test_a_clash_of_layer_names() -> None:
    only(bad("- {conv: 2, as: conv_2}\n- conv: 2\n- conv: 2"), "E405")


# Merges

@pytest.mark.parametrize(
    ("merge", "expected"),
    [
        ("add: [_, input]", ["c", "input"]),
        ("add: [input, c]", ["input", "c"]),
        ("add: {a: [], b: input}", ["c", "input"]),
        ("add: {a: , b: input}", ["c", "input"]),
        ("add: {a: [relu], b: input}", ["a_relu", "input"]),
        ("add: {a: relu_tensor, b: input}", ["relu_tensor", "input"]),
        ("add: {a: {conv: 4}, b: input}", ["a_conv", "input"]),
        ("add: [{relu: }, input]", ["branch1_relu", "input"]),
        ("add: [[relu, relu], input]", ["branch1_relu_2", "input"]),
        ("{add: , from: [c, input]}", ["c", "input"]),
        ("{add: {a: [], b: input}, from: relu_tensor}", ["relu_tensor", "input"]),
        ("concat: {axis: channels, branches: [_, input]}", ["c", "input"]),
        ("concat: {axis: channels, branches: {a: [relu], b: input}}", ["a_relu", "input"]),
        ("concat: {branches: {a: [], b: [relu]}, axis: -1}", ["c", "b_relu"]),
        ("concat: {axis: height, branches: [a: [relu], b: []]}", ["a_relu", "c"]),
        ('concat: {for: "n in [1, 2]", steps: [conv: $n]}', ["steps1_conv", "steps2_conv"]),
        ("concat: {repeat: 2, steps: [conv: $(index + 1)]}", ["steps1_conv", "steps2_conv"]),
        ('concat: {branches: [pool: [relu], {for: "n in [1, 2]", steps: [conv: $n]}, last: input]}', ["pool_relu", "steps1_conv", "steps2_conv", "input"]),
        ('concat: [{repeat: 2, steps: [conv: 1]}, {repeat: 1, steps: [conv: 3]}]', ["steps1_conv", "steps2_conv", "steps_2_1_conv"]),
    ],
)
def test_forms_of_branches(merge: str, expected: list[str]) -> None:
    made = graph(f"- {{conv: 4, as: relu_tensor}}\n- {{relu: , as: c}}\n- {merge}")
    assert reads(made, made.nodes[-1].name) == expected


def test_lenets_c3_takes_its_own_channels_in_each_branch() -> None:
    rest = "params: {table: [[0, 1, 2], [1, 2, 3, 4]]}\n"
    made = graph("- concat: {for: maps in table, steps: [select: $maps, conv: [1, 5]]}", input="[14, 14, 6]", rest=rest)
    assert made.nodes[-1].shape == (10, 10, 2)
    assert [one.input_shapes[0][-1] for one in made.nodes if one.operator.name == "conv"] == [3, 4]


@pytest.mark.parametrize("merge", ["add: [_, _]", "add: {a: [], b: _}", "multiply: [c, _]", "add: {a: [{conv: 3, when: false}], b: []}", "{maximum: , from: [c, c]}"])
def test_merging_a_tensor_with_itself(merge: str) -> None:
    found = only(bad(f"- {{relu: , as: c}}\n- {merge}"), "E310")
    assert "input" in found.help


def test_concatenating_a_tensor_with_itself_is_a_warning() -> None:
    assert warned("- conv: 2\n- concat: [_, _]") == ["W902"]


@pytest.mark.parametrize(
    ("merge", "code"),
    [
        ("add: {a: [conv: 5], b: []}", "E301"), ("add: [_]", "E306"), ("add: {a: []}", "E306"), ("add", "E306"),
        ("concat: {a: [conv: [4, 3]], b: []}", "E301"), ("concat: {a: [flatten], b: []}", "E301"), ("add: [_, nope]", "E401"),
        ("concat: {axes: 1, branches: [_, input]}", "E208"), ("concat: {axis: 9, branches: [_, input]}", "E307"),
        ("add: {a-b: [], c: input}", "E212"), ("add: {for: n in rows}", "E210"), ('concat: {for: "n in [1]", steps: [relu], as: x}', "E210"),
    ],
)
def test_wrong_merges(merge: str, code: str) -> None:
    assert code in ids(bad(f"- conv: 4\n- {merge}"))


def test_a_clash_of_shapes_names_the_branches() -> None:
    found = only(bad("- add: {residual: [conv: 5], shortcut: []}"), "E301")
    assert "residual is 8x8x5" in found.label
    assert "shortcut is 8x8x4" in found.label
    assert "conv" in found.help


def test_gates_stretch_in_silence_and_others_with_a_warning() -> None:
    assert warned("- multiply: {features: [], gate: [global_avg_pool: {keep_dims: true}]}") == []
    assert warned("- add: {features: [], gate: [global_avg_pool: {keep_dims: true}]}") == ["W901"]


# Notation

def test_cells_bind_numbers_and_letters() -> None:
    rest = "notation:\n  conv<k>-<n>: {conv: {filters: $n, kernel: $k, padding: same}}\n  act-<name>: {conv: {filters: 2, activation: $name}}\n  maxpool: {max_pool: 2}\n"
    made = graph("- conv3-8\n- maxpool\n- act-tanh", rest=rest)
    assert [one.shape for one in made.nodes[1:]] == [(8, 8, 8), (4, 4, 8), (4, 4, 2)]
    assert node(made, "conv_2").operator.attributes()["activation"] == "tanh"


def test_lookup_goes_macro_operator_exact_cell_pattern() -> None:
    rest = "notation: {FC-<n>: {dense: $n}, FC-10: {dense: 99}}\nmacros: {m: [dense: 5]}\n"
    made = graph("- FC-9\n- FC-10\n- m", input="[4]", rest=rest)
    assert [one.shape for one in made.nodes[1:]] == [(9,), (99,), (5,)]


@pytest.mark.parametrize(
    ("word", "code"),
    [("c3-4", "E404"), ("conv-4", "E207"), ("conv3-64x", "E207"), ("conv-3-4", "E207"), ("conv3.5-4", "E207"), ("conv3-4: 5", "E209")],
)
def test_wrong_cells(word: str, code: str) -> None:
    cells = {"E404": "c<a>-<b>: relu, '<w>3-<n>': relu"}.get(code, "conv<k>-<n>: {conv: [$n, $k]}")
    assert code in ids(bad(f"- {word}", rest=f"notation: {{{cells}}}\n"))


def test_cells_see_the_names_around_them() -> None:
    rest = "params: {w: 3}\nnotation: {res: {add: {a: [conv: 4], b: input}}, wide: {conv: $w}}\nmacros: {m: [conv: 4, {concat: {l: [res], r: [wide]}}]}\n"
    made = graph("- {conv: 4, as: stem}\n- m", rest=rest)
    assert reads(made, "m_l_add") == ["m_l_a_conv", "stem"]


# Families

FAMILY = """
input: [8, 8, 3]
params: {w: 4, rows: {list: int}, act: {default: relu, enum: [relu, tanh]}, size: {default: 8, doc: the input's size}}
let: {twice: $(2 * w), all: "$([n * w for n in rows])"}
layers:
  - {for: n in all, conv: $n}
  - conv: {filters: $twice, activation: $act}
expect: {output: [8, 8, 8]}
variants:
  a: {rows: [1, 2], default: true, title: First, aliases: [first], expect: {params: 128}}
  b: {like: a, w: 5, act: tanh, input: [$size, 4, 1], expect: {params: 180, output: [8, 4, 10]}}
  50: {like: b, rows: [3], expect: {params: 190}}
  c: {like: 50, layers: [flatten], expect: {params: 0, output: [32]}}
"""


def test_variants_like_and_expectations() -> None:
    loaded = family(FAMILY)
    assert list(loaded) == ["a", "b", "50", "c"]
    shapes = {name: [one.shape for one in loaded[name].graph.nodes[1:]] for name in loaded}
    assert shapes["a"] == [(8, 8, 4), (8, 8, 8), (8, 8, 8)]
    assert shapes["b"] == [(8, 4, 5), (8, 4, 10), (8, 4, 10)]
    assert shapes["50"] == [(8, 4, 15), (8, 4, 10)]
    assert shapes["c"] == [(32,)]
    assert loaded[""].variant.name == "a" if loaded.choose(None) == "a" else False
    assert loaded.choose("first") == "a"
    assert (loaded["a"].graph.title, loaded["b"].graph.title) == ("First", "t b")
    assert {one.key: one.stated for one in loaded["b"].expectations} == {"params": 180, "output": [8, 4, 10]}


def test_values_from_outside() -> None:
    loaded = family(FAMILY)
    changed = loaded.compile("b", {"w": 2, "size": 16})
    assert changed.graph.nodes[0].shape == (16, 4, 1)
    assert ids(list(changed.warnings)) == ["W602"]
    assert changed.expectations == ()
    with pytest.raises(CompileError) as problem:
        loaded.compile("a", {"act": "rellu"})
    found = only(list(problem.value.diagnostics), "E204")
    assert "relu" in found.help
    with pytest.raises(AddressError, match="rowz"):
        loaded.compile("a", {"rowz": 1})
    with pytest.raises(CompileError):
        loaded.compile("a", {"rows": 3})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("variants: {a: {like: b}, b: {like: a}}", "E403"), ("variants: {a: {like: a}}", "E403"), ("variants: {a: {like: bb}, b: {}}", "E503"),
        ("variants: {a: {widht: 3}}\nparams: {width: 1}", "E201"), ("variants: {a: {}}\nparams: {width: int}", "E202"),
        ("variants: {a: {width: x}}\nparams: {width: int}", "E203"), ("variants: {a: {expect: {params: 1}}}", "E601"),
        ("variants: {a: {default: true}, b: {default: true}}", "E402"), ("variants: [a, b]", "E203"), ("variants: {a: 3}", "E203"),
        ("variants: {a: {aliases: [x]}, b: {aliases: [x]}}", "E402"),
    ],
)
def test_wrong_families(text: str, code: str) -> None:
    read_it = "{dense: $width}" if "width" in text else "{dense: 3}"
    assert code in ids(wrong(f"input: [4]\nlayers: [{read_it}]\n{text}\n"))


def test_a_family_without_a_default_asks_for_a_variant() -> None:
    with pytest.raises(AddressError, match="several variants"):
        family("input: [4]\nlayers: [relu]\nvariants: {a: {}, b: {}}\n").compile()
    with pytest.raises(AddressError) as problem:
        family("input: [4]\nlayers: [relu]\nvariants: {base: {}, bigger: {}}\n").compile("biger")
    assert "bigger" in problem.value.help


def test_unused_macros_and_parameters_are_warnings() -> None:
    loaded = family("input: [4]\nlayers: [dense: 3]\nparams: {a: 1, b: 2}\nlet: {c: $b}\nmacros: {m: [relu, k], k: {params: {x: 1}, body: [relu]}}\n")
    assert sorted(ids(list(loaded.notices))) == ["W408", "W408", "W409", "W409"]
    quiet = family("input: [4]\nlayers: [{m: 3, when: a}, {for: n in b, u: k}]\nparams: {a: true, b: [1]}\nmacros: {m: {params: {x: 1}, body: [dense: $x]}, k: [relu], u: {params: {f: macro}, body: [$f: {}]}}\n")
    assert quiet.notices == ()


# Libraries

LIBRARY = "archc: 1\nname: lib\nparams: {w: 3}\nlet: {v: $(w + 1)}\n"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def main(use: str, layers: str = "[m]", rest: str = "") -> str:
    return f"archc: 1\nname: t\nuse: {use}\ninput: [8, 8, 4]\nlayers: {layers}\n{rest}"


def compile_file(path: Path) -> Graph:
    return load(str(path)).compile().graph


def used(folder: Path, **files: str) -> list[str]:
    """The codes of what is wrong with `main` in a folder."""
    with pytest.raises(CompileError) as problem:
        compile_file(write(folder, **files) / "main.yaml")
    return ids(list(problem.value.diagnostics))


def test_a_library_sees_only_its_own_names(tmp_path: Path) -> None:
    write(tmp_path, main=main("[lib.yaml]", "[m, conv: $w]", "params: {w: 9}\n"), lib=LIBRARY + "macros: {m: [conv: $w, conv: $v]}\n")
    assert [one.shape[-1] for one in compile_file(tmp_path / "main.yaml").nodes] == [4, 3, 4, 9]
    assert used(tmp_path, main=main("[lib.yaml]", "[m, conv: $width]", "params: {width: 9}\n"), lib=LIBRARY + "macros: {m: [conv: $width]}\n") == ["E503"]


def test_libraries_of_libraries_diamonds_and_folders(tmp_path: Path) -> None:
    write(
        tmp_path, main=main("[blocks/left.yaml, blocks/right.yaml]", "[l, r]"),
        blocks__left=LIBRARY + "use: [base.yaml]\nmacros: {l: [base]}\n", blocks__right=LIBRARY + "use: base.yaml\nmacros: {r: [base]}\n",
        blocks__base=LIBRARY + "macros: {base: [conv: $w]}\n",
    )
    assert [one.name for one in compile_file(tmp_path / "main.yaml").nodes] == ["input", "l_base_conv", "r_base_conv"]
    assert used(tmp_path, main=main("[blocks/left.yaml, blocks/right.yaml]", "[base]")) == ["E207"]


def test_one_library_twice_is_one(tmp_path: Path) -> None:
    write(tmp_path, main=main("[lib.yaml, ./lib.yaml]"), lib=LIBRARY + "macros: {m: [conv: $v]}\n")
    assert len(compile_file(tmp_path / "main.yaml").nodes) == 2


def test_what_a_library_cannot_be(tmp_path: Path) -> None:
    lib = LIBRARY + "macros: {m: [relu]}\n"
    (tmp_path / "inside").mkdir()
    write(tmp_path, outside=lib)
    inside = tmp_path / "inside"
    assert used(inside, main=main("[nope.yaml]"))[0] == "E213"
    assert used(inside, main=main("[../outside.yaml]"))[0] == "E213"
    assert used(inside, main=main(f"[{tmp_path}/outside.yaml]"))[0] == "E213"
    (inside / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    assert used(inside, main=main("[link.yaml]"))[0] == "E213"
    assert used(inside, main=main("['https://example.org/x.yaml']"))[0] == "E213"
    assert used(inside, main=main("[3]"))[0] == "E213"
    assert used(inside, main=main("[net.yaml]"), net=lib + "input: [4]\nlayers: [relu]\n")[0] == "E213"
    assert "E403" in used(inside, main=main("[a.yaml]"), a=LIBRARY + "use: [b.yaml]\nmacros: {m: [relu]}\n", b=LIBRARY + "use: [a.yaml]\n")
    assert used(inside, main=main("[a.yaml, b.yaml]"), a=lib, b=lib) == ["E402"]
    assert used(inside, main=main("[a.yaml]", "[m]", "macros: {m: [relu]}\n"), a=lib) == ["E402"]
    assert used(inside, main=main("[a.yaml]"), a="archc: 1\nname: [\n") == ["E101"]


def test_mistakes_in_a_library_are_shown_there(tmp_path: Path) -> None:
    write(tmp_path, main=main("[lib.yaml]"), lib=LIBRARY + "macros:\n  m:\n    - covn: 3\n")
    with pytest.raises(CompileError) as problem:
        compile_file(tmp_path / "main.yaml")
    found = only(list(problem.value.diagnostics), "E207")
    assert found.span is not None
    assert found.span.source.name.endswith("lib.yaml")
    assert found.span.position == (7, 7)


# Diagnostics

def places(found: list[Diagnostic]) -> list[tuple[str, int]]:
    return [(one.code.id, one.span.position[0] if one.span else 0) for one in found]


def test_all_errors_in_one_run_at_their_places() -> None:
    assert places(bad("- conv: {filters: 8, kernal: 3}\n- covn: 3\n- dense: [1, relu, 3]\n- relu: 5")) == [("E208", 5), ("E207", 6), ("E209", 7), ("E209", 8)]
    assert places(bad("- {conv: 8, wehn: true}\n- {conv: 8, index: i}\n- [relu]\n- {when: true}", rest="outpust: [a]\n")) == [("E206", 5), ("E211", 6), ("E206", 7), ("E206", 8), ("E201", 9)]


def test_errors_of_form_and_of_words_in_one_run() -> None:
    assert places(bad("- covn: 3\n- {conv: 8, wehn: true}")) == [("E207", 5), ("E206", 6)]


def test_shape_errors_in_one_run_without_cascades() -> None:
    layers = """
- add: {a: [conv: 5], b: []}
- conv: 3
- add: [_, input]
- {from: input, conv: {filters: 3, kernel: 99}}
- flatten
- {conv: 3, as: x}
- {from: input, flatten: }
- conv: 2
- {relu, from: x}
"""
    found = bad(layers)
    assert places(found) == [("E301", 5), ("E303", 8), ("E302", 12)]


def test_static_and_shape_errors_in_one_run() -> None:
    assert ids(bad("- covn: 3\n- {from: input, add: {a: [conv: 5], b: []}}\n- conv: {filters: 8, kernal: 3}")) == ["E207", "E301", "E208"]


def test_one_diagnostic_though_the_macro_expands_300_times() -> None:
    rest = "macros:\n  m:\n    params: {n: int}\n    body:\n      - add: {a: [conv: $n], b: []}\n"
    found = only(bad("- {repeat: 150, m: 5, from: input}\n- {repeat: 150, m: 7, from: input}", rest=rest), "E301")
    assert found.span is not None
    assert found.span.text == "add"


def test_the_calls_that_led_there_with_their_values() -> None:
    rest = "macros:\n  inner:\n    params: {n: int, k: 3}\n    body:\n      - add: {a: [conv: $n], b: []}\n  outer:\n    params: {n: int}\n    body:\n      - inner: $(n + 1)\n"
    found = only(bad("- relu\n- outer: 6", rest=rest), "E301")
    notes = [one.message for one in found.notes]
    assert len(notes) == 2
    assert notes[0].startswith("in macro inner, called at <stdin>:15:9")
    assert "n = 7, k = 3" in notes[0]
    assert notes[1].startswith("in macro outer, called at <stdin>:6:5")
    assert "n = 6" in notes[1]


def test_a_failed_loop_name_does_not_cascade() -> None:
    only(bad("- {repeat: 2, from: input, conv: {filters: 3, kernel: 99}, as: enc$(index)}\n- concat: [enc1, enc0]"), "E303")


def test_expressions_over_a_failed_tensor_are_silent() -> None:
    only(bad("- {conv: {filters: 3, kernel: 99}, as: x}\n- {relu, when: x.channels > 3}\n- conv: $(x.channels)\n- m", rest="macros: {m: [{relu, when: input.channels > 1}]}\n"), "E303")


def test_a_wrong_parameter_is_one_mistake() -> None:
    only(wrong("input: [8, 8, 3]\nlayers: [{conv: $w}, {conv: $w}, {m: $w}]\nparams: {w: {type: int, default: x}}\nmacros: {m: {params: {n: int}, body: [conv: $n]}}\n"), "E203")


def test_errors_point_into_the_expression() -> None:
    found = only(bad("- conv: $(2 * widht + width)", rest="params: {width: 3}\n"), "E503")
    assert found.span is not None
    assert found.span.text == "widht"
    assert "width" in found.help


@pytest.mark.parametrize("value", ["$input", "$(input)", "$f", "$m"])
def test_what_is_no_value(value: str) -> None:
    rest = "params: {f: {type: steps, default: [relu]}, m: {type: macro, default: k}}\nmacros: {k: [relu]}\n"
    assert ids(bad(f"- conv: {{filters: {value}}}\n- $f\n- $m: {{}}", rest=rest))[0] in ("E203", "E504")


# Size

def chain(count: int) -> float:
    start = time.monotonic()
    made = graph(f"- {{repeat: {count}, m: }}", rest="macros: {m: [relu]}\n")
    assert len(made.nodes) == count + 1
    return time.monotonic() - start


def test_a_long_chain_takes_linear_time() -> None:
    chain(1000)
    small, large = chain(3_000), chain(24_000)
    assert large < 60
    assert large / max(small, 0.05) < 40


def test_limits_of_loops_and_nodes() -> None:
    only(bad("- {repeat: 100001, relu: }"), "E708")
    assert ids(bad("- repeat: 1000\n  steps:\n    - {repeat: 1000, relu: }"))[0] in ("E707", "E708")


def test_the_same_text_gives_the_same_graph() -> None:
    first, second = net("- conv: 3\n- concat: {a: [relu], b: []}"), net("- conv: 3\n- concat: {a: [relu], b: []}")
    assert [(one.name, one.shapes) for one in first.graph.nodes] == [(one.name, one.shapes) for one in second.graph.nodes]
