"""Limits: each is told with its value and how to raise it, and a call can raise it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from archc import CompileError, load
from archc.commands import main
from archc.diagnostics.limits import LIMITS, limits, raised

HEAD = "archc: 1\nname: t\ninput: [8]\n"
REACHED: dict[str, tuple[str, int]] = {
    # the limit: a text that goes beyond it where it is that low
    "file": (HEAD + "layers: [relu]\n", 20),
    "nesting": (HEAD + "params: {a: [[[1]]]}\nlayers: [relu]\n", 3),
    "aliases": (HEAD + "params: {a: &a [1, 2], b: *a}\nlayers: [relu]\n", 2),
    "text": (HEAD + "title: abcdef\nlayers: [relu]\n", 5),
    "expression": (HEAD + "layers: [dense: $(1 + 1 + 1)]\n", 5),
    "items": (HEAD + "let: {a: '$([1, 2, 3])'}\nlayers: [relu]\n", 2),
    "depth": (HEAD + "macros: {a: [relu], b: [a]}\nlayers: [b]\n", 1),
    "repeat": (HEAD + "layers: [{repeat: 3, relu: }]\n", 2),
    "nodes": (HEAD + "layers: [relu, tanh]\n", 2),
    "work": (HEAD + "layers: [relu, tanh, {repeat: 9, when: index > 9, relu: }]\n", 15),
    "parameters": (HEAD + "layers: [dense: 8]\n", 71),
}


@pytest.mark.parametrize("name", REACHED)
def test_a_limit_is_told_with_its_value_and_can_be_raised(name: str) -> None:
    text, value = REACHED[name]
    with raised({name: value}), pytest.raises(CompileError) as problem:
        load("-", text.encode()).compile()
    found = problem.value.diagnostics[0]
    assert found.code.id.startswith("E7")
    assert f"{value:,}" in found.message
    assert f"--limit {name}=" in found.help
    load("-", text.encode()).compile()


def test_libraries_have_limits(tmp_path: Path) -> None:
    for one in ("a", "b"):
        (tmp_path / f"{one}.yaml").write_text("archc: 1\nname: x\nmacros: {" + one + ": [relu]}\n")
    (tmp_path / "net.yaml").write_text(HEAD + "use: [a.yaml, b.yaml]\nlayers: [a, b]\n")
    for name, value in (("files", 1), ("total", 50)):
        with raised({name: value}), pytest.raises(CompileError) as problem:
            load(str(tmp_path / "net.yaml")).compile()
        assert problem.value.diagnostics[0].code.id == "E701"
        assert f"{value} " in problem.value.diagnostics[0].message
    load(str(tmp_path / "net.yaml")).compile()


def test_every_limit_is_tested_here() -> None:
    assert {*REACHED, "files", "total"} == set(LIMITS)


def test_a_call_raises_a_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For all the commands that take a spec; after it the limit is what it was."""
    path = tmp_path / "net.yaml"
    path.write_text(HEAD + "layers: [{repeat: 110000, when: index < 2, relu: }]\n")
    for command in (["check"], ["stats"], ["expand"], ["build", "--emit", "stats", "-o", str(tmp_path)], ["draw", "--emit", "dot", "-o", str(tmp_path)]):
        before = limits()
        assert main([*command, str(path)]) == 1
        assert main([*command, str(path), "--limit", "repeat=110000"]) == 0
        assert limits() == before
    assert "E708" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["nodes", "nodes=", "nodes=0", "nodes=-1", "nodes=1e9", "nodes=" + "9" * 30, "nods=3", "=3", "nodes=٣", "nesting=129"])
def test_a_limit_that_is_none_is_a_wrong_call(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "lenet", "--limit", word]) == 2
    assert "E006" in capsys.readouterr().err


def test_raised_to_the_highest_nothing_breaks(tmp_path: Path) -> None:
    """The deepest lists, macros and expressions that can be allowed do not exhaust the stack."""
    most = {name: one.metadata["most"] for name, one in LIMITS.items()}
    deep = most["nesting"] // 2 - 4
    names = [f"{one}{other}" for one in "abcdefgh" for other in "abcdefghijklmnop"][: most["depth"]]
    texts = (
        HEAD + "params: {a: " + "[" * (most["nesting"] - 3) + "1" + "]" * (most["nesting"] - 3) + "}\nlayers: [relu]\n",
        HEAD + "layers: " + "[{steps: " * deep + "[relu]" + "}]" * deep + "\n",
        HEAD + f"macros:\n  {names[0]}: [relu]\n" + "".join(f"  {name}: [{{steps: [{{steps: [{before}]}}]}}]\n" for before, name in itertools.pairwise(names)) + f"layers: [{names[-1]}]\n",
    )
    with raised(most):
        for text in texts:
            load("-", text.encode()).compile()
