"""The Python API: what is shown of it, and what its exceptions say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import archc

FAMILY = """archc: 1
name: fam
input: [8, 8, 3]
params: {classes: 10, size: 4}
layers: [flatten, dense: $classes, dense: $size]
variants: {a: {aliases: [first]}, b: {classes: 5}}
"""


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fam.yaml").write_text(FAMILY, encoding="utf-8")
    return "fam.yaml"


def test_dir_shows_what_users_call_and_nothing_else() -> None:
    """Whatever was loaded before; and all of it is there."""
    code = "import archc; before = dir(archc); archc.compile('lenet'); assert before == dir(archc); print(*(one for one in before if one[0] != '_'))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent).stdout.split()
    assert told == sorted(archc.__all__)
    assert all(getattr(archc, one) is not None for one in told)


@pytest.mark.parametrize(("call", "parts"), [
    (lambda: archc.compile("fam.yaml:a", clases=100), ("no parameter `clases`", "did you mean `classes`?")),
    (lambda: archc.compile("fam.yaml:a", depth=100), ("its parameters are classes, size",)),
    (lambda: archc.compile("fam.yaml:z"), ("no variant `z`", "its variants are a, b")),
    (lambda: archc.load("fam.yaml")["z"], ("its variants are a, b",)),
    (lambda: archc.compile("fam.yaml"), ("several variants", "fam:a, fam:b")),
    (lambda: archc.compile("nosuch"), ("there is no spec `nosuch`", "alexnet")),
    (lambda: archc.load("fam.yaml:b"), ("is one network", 'archc.compile("fam.yaml:b")', 'archc.load("fam.yaml")["b"]')),
    (lambda: archc.load("vgg16"), ("is one network", 'archc.compile("vgg16")', 'archc.load("vgg")["D"]')),
    (lambda: archc.load("vgg:d"), ('archc.load("vgg")["D"]',)),
    (lambda: archc.compile("fam.yaml:a", input=[4, 4, 3]), ("`input` is a key of the spec", "variants: {mine: {input: [4, 4, 3]}}", "params: {size: 224}")),
    (lambda: archc.compile("fam.yaml:a", outputs=["x"]), ("`outputs` is a key of the spec", "not a parameter")),
])
def test_what_an_address_error_says_has_its_hint(call: object, parts: tuple[str, ...], family: str) -> None:
    with pytest.raises(archc.AddressError) as found:
        call()  # type: ignore[operator]
    assert all(one in str(found.value) for one in parts), str(found.value)


def test_a_compile_error_says_what_was_given(family: str) -> None:
    """The place is in the spec; what led to it was not."""
    with pytest.raises(archc.CompileError) as found:
        archc.compile("fam.yaml:a", classes="x")
    assert "with classes = x, given by the call" in str(found.value)
    assert [one.code.id for one in found.value.diagnostics] == ["E203"]


def test_a_family_is_readable() -> None:
    assert repr(archc.load("lenet")) == "<Family lenet: keras, original>"
    assert repr(archc.load("vgg:*")).startswith("<Family vgg: A, A-LRN, B,") and repr(archc.load("vgg")).endswith(", ... (13)>")


def test_numbers_of_numpy_and_tuples_are_values() -> None:
    import numpy

    assert archc.compile("vgg:A", classes=numpy.int64(5)).analysed.cost.params == archc.compile("vgg:A", classes=5).analysed.cost.params


def test_a_folder_is_told_as_one(family: str, tmp_path: Path) -> None:
    """With or without a slash, and the working folder too."""
    (tmp_path / "empty").mkdir()
    for address, hint in ((".", "'*.yaml'"), (f"{tmp_path}", "*.yaml'"), ("empty", "no .yaml file"), ("empty/", "no .yaml file")):
        with pytest.raises(archc.AddressError, match="is a folder, not a spec") as found:
            archc.load(address)
        assert hint in str(found.value)
