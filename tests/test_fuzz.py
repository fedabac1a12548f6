"""What the fuzzer holds of any input, held of drawn ones in every run: `make fuzz` goes on from here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archc import CompileError, load
from tests.fuzz.__main__ import WORDS
from tests.fuzz.grammar import spec
from tests.fuzz.target import examine, from_bytes
from tests.strategies import specs

SPECS = sorted(Path(__file__).resolve().parent.glob("golden/diagnostics/*/*.yaml"))


@st.composite
def mutated(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> bytes:
    """A spec in which pieces were taken out, doubled, put elsewhere or replaced by words of the language."""
    text = draw(texts)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 30)))
        piece = text[start:end]
        change: Any = draw(st.sampled_from(["remove", "double", "move", "word", "character"]))
        if change == "move":
            to = draw(st.integers(0, len(text)))
            text = text[:to] + piece + text[to:]
        elif change == "double":
            text = text[:end] + piece + text[end:]
        else:
            new = draw(st.sampled_from(WORDS)) if change == "word" else draw(st.characters()) if change == "character" else ""
            text = text[:start] + new + text[end:]
    return text.encode("utf-8", "surrogatepass")


@given(mutated(specs()))
def test_mutated_specs_give_diagnostics(data: bytes) -> None:
    """Whatever becomes of a sound spec, the answer is a network or diagnostics with places in the text."""
    examine(data)


@given(st.sampled_from(SPECS).flatmap(lambda path: mutated(st.just(path.read_bytes().decode("utf-8", "replace")))))
def test_mutated_cases_give_diagnostics(data: bytes) -> None:
    examine(data)


@given(st.binary(max_size=200))
def test_specs_made_of_bytes(data: bytes) -> None:
    """The grammar's specs, which are sound more often than not, and wrong in one place else."""
    from_bytes(b"\0" + data)


@given(st.binary(max_size=200))
def test_bytes(data: bytes) -> None:
    from_bytes(b"\1" + data)


def test_the_grammar_makes_networks() -> None:
    """A fuzzer whose specs are all refused at the door tests the door alone."""
    import random

    draw = random.Random(0)
    sound = 0
    for _ in range(150):
        try:
            family = load("-", spec(draw.randbytes(draw.randrange(10, 80))).encode())
            sound += all(family.compile(name or None) is not None for name in family)
        except CompileError:
            continue
    assert sound >= 15


@pytest.mark.parametrize("wrong", [b"\1archc: 1\nname: \"a\\u202eb\"\n"])
def test_the_target_accepts_what_is_refused_in_words(wrong: bytes) -> None:
    from_bytes(wrong)
