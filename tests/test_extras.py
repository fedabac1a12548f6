"""Every command where only archc's own dependencies are installed: what a package is needed for is said, with what installs it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from archc.diagnostics.packages import OPTIONAL, MissingPackage, lacking, need

ROOT = Path(__file__).resolve().parent.parent
CALL = """
import sys
sys.modules.update(dict.fromkeys({gone!r}))
from archc.commands import main
sys.exit(main(sys.argv[1:]))
"""
RECIPE = "recipe: 1\nname: mine\nnetwork: lenet\ndata: {images: {folder: images}}\n"


def bare(folder: Path, *words: str, gone: tuple[str, ...] = tuple(OPTIONAL)) -> tuple[int, str, str]:
    """A call in a process that finds none of these packages."""
    done = subprocess.run([sys.executable, "-c", CALL.format(gone=gone), *words], cwd=folder, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"})
    assert "fault of archc" not in done.stderr and "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder, as far as it is read before Keras is needed."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"recipe": "mine", "classes": ["a"], "image": [8, 8, 1]}), encoding="utf-8")
    (folder / "best.keras").write_bytes(b"")
    return folder


NEEDS = {
    ("train", "lenet-digits"): ("E803", "pip install 'archc[tensorflow,train]'"),
    ("train", "lenet-digits", "--sweep", "seed=0,1"): ("E803", "pip install 'archc[tensorflow,train]'"),
    ("eval", "run"): ("E803", "pip install 'archc[tensorflow,train]'"),
    ("predict", "a.png", "--run", "run"): ("E803", "pip install 'archc[tensorflow,train]'"),
    ("train", "lenet-digits", "--ray", "local"): ("E806", "pip install 'archc[ray]'"),
    ("sweep", "vgg:A", "--set", "classes=5,6", "-o", "a.parquet"): ("E806", "pip install 'archc[parquet]'"),
    ("sweep", "vgg:A", "--set", "classes=5,6", "--ray", "local"): ("E806", "pip install 'archc[ray]'"),
    ("compare", "vgg:D", "--emit", "svg"): ("E805", "pip install 'archc[charts]'"),
    ("compare", "--preset", "ilsvrc", "-o", "figures"): ("E805", "pip install 'archc[charts]'"),
    ("draw", "lenet", "--emit", "pdf"): ("E802", "pip install 'archc[pdf]'"),
}


@pytest.mark.parametrize("words", NEEDS, ids=" ".join)
def test_a_missing_package_is_the_machines_fault_and_is_named(words: tuple[str, ...], run: Path) -> None:
    """One exit code, a diagnostic, and the command that installs what is missing."""
    code, _, errors = bare(run.parent, *words)
    wanted, install = NEEDS[words]
    assert f"error[{wanted}]" in errors and install in errors, errors
    assert code == 3


@pytest.mark.parametrize("words", [
    ("build", "lenet"), ("build", "lenet", "--emit", "html"), ("check", "lenet"), ("draw", "lenet"), ("stats", "lenet"), ("table", "vgg"), ("diff", "vgg:A", "vgg:B"),
    ("compare", "lenet"), ("compare", "vgg:D", "--emit", "vega,csv,markdown"), ("sweep", "vgg:A", "--set", "classes=5,6"), ("expand", "lenet"),
    ("list",), ("schema",), ("explain", "E806"), ("train", "lenet-digits", "--emit", "script"),
], ids=" ".join)
def test_all_else_works_without_any_extra(words: tuple[str, ...], tmp_path: Path) -> None:
    assert bare(tmp_path, *words)[0] == 0


def test_the_table_is_told_before_pictures_are_missed(tmp_path: Path) -> None:
    code, out, errors = bare(tmp_path, "compare", "--preset", "canziani", "-o", "figures")
    assert code == 3 and "AlexNet" in out
    assert "a chart as svg needs vl-convert, which is not installed" in errors


@pytest.mark.parametrize("module", OPTIONAL)
def test_an_import_that_fails_anywhere_is_told_in_words(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody asked for beforehand, such as the framework under Keras, has the same form."""
    found = lacking(ModuleNotFoundError("gone", name=f"{module}.inner"))
    assert found is not None and f"pip install {OPTIONAL[module].install}" in str(found)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingPackage, match="the work needs"):
        need(module, "the work")


def test_an_import_of_something_else_is_a_fault_of_archc() -> None:
    assert lacking(ModuleNotFoundError("gone", name="archc.nothing")) is None


def test_extras_are_those_of_the_package() -> None:
    """What is told to be installed can be."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = set(re.findall(r"^(\w+) = \[", text.partition("[project.optional-dependencies]")[2].partition("[project.scripts]")[0], re.MULTILINE))
    told = {one for package in OPTIONAL.values() for one in re.findall(r"archc\[(\w+)\]", package.install)}
    assert told <= extras
    listed = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"`{one}`" in listed for one in extras - {"dev", "checks"})
