"""What `archc check` says of wrong specs, held to golden texts: one file per case, one folder per code.

A case is `<code>-<word>/<case>.yaml`; `<case>.args` holds further words of the call, `<case>.txt` the exit code and then
all of stderr. Files in `lib/` are libraries of the cases beside it. `accepted/` holds specs that must pass in silence.
"""

from __future__ import annotations

import io
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import yaml

from archc.commands import main
from archc.diagnostics.codes import CODES
from archc.language import document

GOLDEN = Path(__file__).resolve().parent / "golden" / "diagnostics"
CASES = sorted(GOLDEN.glob("*/*.yaml"))
PLACE = re.compile(r"(?:--> |at )(?P<place>[^ ]+:\d+:\d+)")

ELSEWHERE = {
    "E001": "a file that is not there: test_commands",
    "E002": "an unknown name: test_commands",
    "E003": "an unknown variant: test_commands",
    "E004": "a family without a default: test_commands",
    "E005": "an unknown parameter: test_commands",
    "E006": "a wrong option: test_commands",
    "E250": "a recipe: test_recipes",
    "E850": "a data set's files: test_training",
    "E851": "a run's folder: test_training",
    "E852": "a training: test_training",
    "E853": "a training: test_training",
    "E854": "a run's folder: test_training",
    "E855": "devices and processes: test_spread",
    "E312": "needs Keras or a module: the tests of the Keras backend",
    "E701": "files too large to store: test_limits below",
    "E801": "the machine: test_commands",
    "E802": "the machine: the diagram's tests",
    "E803": "the machine: the tests of the Keras backend",
    "E805": "the machine: test_compare, test_extras",
    "E806": "the machine: test_extras",
    "E804": "a file of weights: test_weights",
}
"""Codes that `check` does not give to a small spec, and where they are tested instead."""


def check(folder: Path, name: str, words: tuple[str, ...] = ()) -> tuple[int, str]:
    """The exit code and stderr of `archc check`, called in a folder."""
    before = Path.cwd()
    errors = io.StringIO()
    os.chdir(folder)
    try:
        with redirect_stderr(errors), redirect_stdout(io.StringIO()):
            code = main(["check", name, *words])
    finally:
        os.chdir(before)
    return code, errors.getvalue()


def run(path: Path) -> tuple[int, str]:
    arguments = path.with_suffix(".args")
    return check(path.parent, path.name, tuple(arguments.read_text().split()) if arguments.exists() else ())


def sane(code: int, text: str) -> None:
    """Whatever a spec holds: no traceback, and an exit code that is documented."""
    assert "Traceback" not in text
    assert "RecursionError" not in text
    assert "fault of archc" not in text, text
    assert code in (0, 1, 2, 3)


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_diagnostics(path: Path, update_golden: bool) -> None:
    """The text is the golden one, holds the folder's code, and the check leaves no file behind."""
    if path.parent.name.startswith("E101") and document.LOADER is yaml.SafeLoader:
        pytest.skip("without libyaml the parser speaks of other places")
    before = sorted(path.parent.iterdir())
    code, text = run(path)
    sane(code, text)
    assert sorted(path.parent.iterdir()) == before
    wanted = path.parent.name.split("-")[0]
    if wanted == "accepted":
        assert (code, text) == (0, "")
    else:
        assert f"[{wanted}]" in text
        assert code == (0 if wanted[0] == "W" and "--strict" not in _words(path) else 1)
    golden = path.with_suffix(".txt")
    found = f"{code}\n{text}"
    if update_golden:
        golden.write_text(found, encoding="utf-8", newline="\n")
    assert golden.read_text(encoding="utf-8") == found


def _words(path: Path) -> str:
    arguments = path.with_suffix(".args")
    return arguments.read_text() if arguments.exists() else ""


def crlf_cases() -> Iterator[Path]:
    """The cases with plain line ends, but for those whose message counts bytes or characters."""
    for path in CASES:
        data = path.read_bytes()
        if b"\r" not in data and b"\0" not in data and not path.parent.name.startswith("E107"):
            yield path


@pytest.mark.parametrize("path", list(crlf_cases()), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_line_ends_move_no_position(path: Path, tmp_path: Path) -> None:
    """With CRLF line ends every diagnostic stands at the same line and column, in libraries too."""
    if path.parent.name.startswith("E101") and document.LOADER is yaml.SafeLoader:
        pytest.skip("without libyaml the parser speaks of other places")
    for one in (path, *path.parent.glob("lib/*.yaml")):
        copy = tmp_path / one.relative_to(path.parent)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(one.read_bytes().replace(b"\n", b"\r\n"))
    code, text = check(tmp_path, path.name, tuple(_words(path).split()))
    expected_code, _, expected = path.with_suffix(".txt").read_text(encoding="utf-8").partition("\n")
    assert code == int(expected_code)
    assert PLACE.findall(text) == PLACE.findall(expected)


def test_every_code_has_a_case() -> None:
    """Each code has a folder with a case, or a line in `ELSEWHERE` that says where it is tested."""
    covered = {path.parent.name.split("-")[0] for path in CASES}
    assert sorted(set(CODES) - covered - set(ELSEWHERE)) == []


def test_folders_have_their_codes_names() -> None:
    folders = {path.parent.name for path in CASES} - {"accepted"}
    assert folders <= {f"{one.id}-{one.word}" for one in CODES.values()}


def test_golden_files_have_cases() -> None:
    """No golden text or argument file is left over from a case that is gone."""
    strays = [one for kind in ("txt", "args") for one in GOLDEN.glob(f"*/*.{kind}") if not one.with_suffix(".yaml").exists()]
    assert strays == []


HEAD = "archc: 1\nname: net\ninput: [32, 32, 3]\n"


def _bad_steps(count: int) -> str:
    return HEAD + "layers:\n" + "".join(f"  - covn: {index + 1}\n" for index in range(count))


def _macros(count: int) -> str:
    return HEAD + "macros:\n" + "".join(f"  m{index}: [conv: 8]\n" for index in range(count)) + "layers:\n" + "".join(f"  - m{index}\n" for index in range(count))


GENERATED: dict[str, tuple[Callable[[], str], int, str]] = {
    # name: the text, the exit code, what stderr holds
    "hexadecimal_of_a_million_digits": (lambda: HEAD + "layers:\n  - conv: 0x" + "f" * 900_000 + "\n", 1, "error[E709]"),
    "digits": (lambda: HEAD + "layers:\n  - conv: " + "9" * 9_000 + "\n", 1, "error[E705]"),
    "file_too_large": (lambda: HEAD + "# " + "x" * (1 << 20) + "\n", 1, "error[E701]"),
    "brackets": (lambda: HEAD + "layers: " + "[" * 100_000 + "\n", 1, "error[E702]"),
    "dashes": (lambda: HEAD + "layers:\n" + "- " * 100_000 + "\n", 1, "error[E702]"),
    "open_bracket_in_a_long_file": (lambda: HEAD + "layers: [\n" + "  relu,\n" * 10_000, 1, ":4:9"),
    "open_quote_in_a_long_file": (lambda: HEAD + 'title: "a\n' + "# x\n" * 10_000, 1, ":4:8"),
    "brackets_in_an_expression": (lambda: HEAD + "layers:\n  - conv: $(" + "(" * 5_000 + "1" + ")" * 5_000 + ")\n", 1, "error[E70"),
    "minuses": (lambda: HEAD + "layers:\n  - conv: $(" + "-" * 100_000 + "1)\n", 1, "error[E70"),
    "mistakes": (lambda: _bad_steps(500), 1, "and 480 more"),
    "wrong_shape_once": (lambda: HEAD + "layers:\n  - flatten\n  - conv: 8\n" + "  - conv: [8, 3]\n" * 499, 1, "error[E302]"),
    "macros": (lambda: _macros(5_000), 0, ""),
    "inputs": (lambda: HEAD + "layers:\n  - {conv: 8, as: a}\n  - concat: [" + ", ".join(["a"] * 5_000) + "]\n", 0, "warning[W902]"),
    "layers": (lambda: HEAD + "layers:\n  - {repeat: 20000, relu: }\n", 0, ""),
}


@pytest.mark.parametrize("name", GENERATED)
def test_limits(name: str, tmp_path: Path) -> None:
    """Texts too large to store end soon, and are refused or accepted in words."""
    text, expected, part = GENERATED[name]
    (tmp_path / "net.yaml").write_text(text(), encoding="utf-8")
    start = time.perf_counter()
    code, errors = check(tmp_path, "net.yaml")
    assert time.perf_counter() - start < 20
    sane(code, errors)
    assert code == expected, errors
    assert part in errors
    assert len(errors) < 40_000
    if name in ("wrong_shape_once", "brackets"):
        assert errors.count("error[") == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_regular_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    code, text = check(tmp_path, "pipe.yaml")
    assert code == 2
    assert "not a regular file" in text


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("archc: 1\nmacros:\n  hidden: [relu]\n")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (inside / "net.yaml").write_text(HEAD + "use: [link.yaml]\nlayers: [flatten]\n")
    code, text = check(inside, "net.yaml")
    assert code == 1
    assert "error[E213]" in text
    assert "hidden" not in text


def test_a_library_in_another_spelling_is_the_same_file(tmp_path: Path) -> None:
    """A cycle of libraries is seen through `./` and links."""
    (tmp_path / "a.yaml").write_text("archc: 1\nuse: [./link.yaml]\nmacros: {}\n")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "a.yaml")
    (tmp_path / "net.yaml").write_text(HEAD + "use: [a.yaml]\nlayers: [flatten]\n")
    code, text = check(tmp_path, "net.yaml")
    assert code == 1
    assert "error[E403]" in text
