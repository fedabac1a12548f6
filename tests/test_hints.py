"""Hints that say what to write are followed to the letter, and then the spec compiles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_golden import GOLDEN, check

PROJECTED = [one for one in sorted(GOLDEN.glob("E301-*/*.yaml")) if "shortcut: []" in one.read_text(encoding="utf-8") and "project `shortcut`" in one.with_suffix(".txt").read_text(encoding="utf-8")]
HINT = re.compile(r"project `shortcut`: `- (?P<step>[^`]*)`(?:, under `when: (?P<when>[^`]*)`)?")


@pytest.mark.parametrize("path", PROJECTED, ids=lambda one: one.stem)
def test_the_projection_that_is_advised_mends_every_call(path: Path, tmp_path: Path) -> None:
    """Also where a macro is called with other values than those of the call that was told."""
    hint = HINT.search(path.with_suffix(".txt").read_text(encoding="utf-8"))
    assert hint is not None
    when = f', when: "{hint["when"]}"' if hint["when"] else ""
    text = path.read_text(encoding="utf-8").replace("shortcut: []", f"shortcut: [{{{hint['step']}{when}}}]")
    (tmp_path / "net.yaml").write_text(text, encoding="utf-8")
    assert check(tmp_path, "net.yaml") == (0, "")


def test_such_hints_are_there() -> None:
    assert len(PROJECTED) >= 8
