"""Warnings about what computes in silence: each lint tells its mistake, keeps still beside it, and can be allowed."""

from __future__ import annotations

import pytest

from archc import load
from archc.analyses.lints import LINTS, lint
from archc.diagnostics import Code
from archc.pipeline import Compiled

HEAD = "archc: 1\nname: t\n"


def network(text: str) -> Compiled:
    """The network of an example: a whole spec, a list of steps, or one step."""
    if "layers" not in text:
        step = text if text.startswith("- ") else f"- {text}"
        text = "layers:\n" + "".join(f"  {line}\n" for line in step.splitlines())
    if "input" not in text:
        text = f"input: [33, 33, 4]\n{text}"
    return load("-", f"{HEAD}{text}\n".encode()).compile()


def told(text: str) -> list[str]:
    return [one.code.id for one in network(text).warnings]


@pytest.mark.parametrize("code", [code for code, _ in LINTS], ids=lambda code: code.word)
def test_each_lint_tells_its_example_and_not_the_mended_one(code: Code) -> None:
    """The examples of `archc explain`, for every entry of the table."""
    assert code.id in told(code.bad)
    assert code.id not in told(code.good)


def test_the_table_has_a_code_once() -> None:
    ids = [code.id for code, _ in LINTS]
    assert len(set(ids)) == len(ids)


SILENT = {
    # the code: what is close to its mistake, and none
    "a bias that something else reads too": "- {conv: 8, as: a}\n- batch_norm\n- add: [a, _]",
    "a bias behind an activation": "- conv: [8, 3, 1, same, relu]\n- batch_norm",
    "a bias before another normalisation": "- conv: 8\n- layer_norm",
    "a bias that is an output": "input: [8, 8, 4]\noutputs: [a, b]\nlayers: [{conv: 8, as: a}, {batch_norm, as: b}]",
    "a projection with a stride": "conv: {filters: 8, stride: 2}",
    "a dilated kernel under its stride": "conv: {filters: 8, kernel: [1, 3], stride: [2, 3]}",
    "a pool that reads all": "max_pool: 3",
    "a pool that pads": "max_pool: {size: 2, padding: same}",
    "a pool whose rest is padding": "- pad: 1\n- max_pool: 2",
    "a pool of open sizes": "input: [null, null, 4]\nlayers: [max_pool: 2]",
    "a kernel as large as its map": "input: [3, 3, 4]\nlayers: [conv: [8, 3]]",
    "a kernel whose outer taps see the corners": "input: [2, 2, 4]\nlayers: [conv: [8, 3, 1, same]]",
    "a softmax over two": "input: [8]\nlayers: [dense: [2, softmax]]",
    "a softmax over positions": "input: [8, 1]\nlayers: [softmax: {axis: length}]",
    "activations with a layer between": "- conv: [8, 1, 1, valid, relu]\n- batch_norm\n- relu",
    "a high rate": "dropout: 0.8",
    "a dense layer inside": "- dense: 8\n- relu\n- conv: 8",
    "a dense layer on a sequence": "input: [10, 4]\nlayers: [dense: 8]",
    "a prediction for each position": "conv: [10, 1, 1, valid, softmax]",
    "the momentum of Keras": "batch_norm",
}


@pytest.mark.parametrize("name", SILENT)
def test_what_is_near_a_mistake_is_not_told(name: str) -> None:
    assert told(SILENT[name]) == []


def test_a_cause_is_told_once() -> None:
    """A macro that is called often has one mistake."""
    text = "input: [8]\nmacros: {m: [dense: 8, batch_norm]}\nlayers: [{m, repeat: 50}, m]"
    assert told(text) == ["W904"]
    assert len(list(lint(network(text).graph))) == 51


def test_an_allowance_at_a_call_holds_for_that_call() -> None:
    text = "input: [8]\nmacros: {{m: [dense: 8, batch_norm]}}\nlayers: [{{m, allow: {{W904: meant}}}}{}]"
    assert told(text.format("")) == []
    assert told(text.format(", m")) == ["W904"]


@pytest.mark.parametrize(("code", "text"), [
    ("W901", "allow: {W901: meant}\ninput: [8, 8, 4]\nlayers: [add: {a: [], b: [global_avg_pool: {keep_dims: true}]}]"),
    ("W902", "input: [8]\nlayers: [{dense: 8, as: a}, {concat: [a, a], allow: {W902: meant}}]"),
    ("W408", "allow: {W408: meant}\ninput: [8]\nmacros: {m: [relu]}\nlayers: [relu]"),
    ("W409", "allow: {W409: meant}\ninput: [8]\nparams: {a: 1}\nlayers: [relu]"),
    ("W410", "input: [8]\nlayers: [{side: [{relu, as: left}], allow: {W410: meant}}, dense: 2]"),
])
def test_other_warnings_can_be_allowed_too(code: str, text: str) -> None:
    family = load("-", f"{HEAD}{text}\n".encode())
    assert [*family.notices, *family.compile().warnings] == []
    assert family.unused_allowances() == []
    bare = load("-", f"{HEAD}{text}\n".replace("allow: {" + code + ": meant}", "doc: x").encode())
    assert code in [one.code.id for one in bare.compile().warnings]
