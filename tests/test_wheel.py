"""The built package alone: a wheel in a virtual environment without any framework, outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of a virtual environment that holds the wheel and its dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT)], check=True)
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    wheel = next(folder.glob("archc-*.whl"))
    subprocess.run([str(programs / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install", str(wheel)], check=True)
    return programs


def run(programs: Path, folder: Path, *words: str) -> str:
    """What an archc command prints, run in a folder with only the wheel and its environment in reach."""
    environment = {"PATH": str(folder), "HOME": str(folder)}
    done = subprocess.run([str(programs / "archc"), *words], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_is_no_framework(installed: Path, tmp_path: Path) -> None:
    code = "import importlib.util as u; print([one for one in ('keras', 'tensorflow', 'jax', 'torch') if u.find_spec(one)])"
    done = subprocess.run([str(installed / "python"), "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_commands_work_anywhere(installed: Path, tmp_path: Path) -> None:
    assert "138,357,544" in run(installed, tmp_path, "check", "vgg:D")
    assert "vgg:D" in run(installed, tmp_path, "list")
    assert "61,706" in run(installed, tmp_path, "stats", "lenet")
    assert run(installed, tmp_path, "expand", "lenet").startswith("archc: 1\n")
    run(installed, tmp_path, "draw", "resnet:50", "--emit", "svg,png", "-o", "figures")
    assert (tmp_path / "figures" / "resnet-50.png").read_bytes().startswith(b"\x89PNG")


def test_every_kind_that_needs_no_framework_is_built(installed: Path, tmp_path: Path) -> None:
    run(installed, tmp_path, "build", "lenet", "--emit", "config,python,dot,svg,html,keras,stats,spec", "-o", "out")
    names = {"lenet-keras.config.json", "lenet-keras.py", "lenet-keras.dot", "lenet-keras.svg", "lenet-keras.html", "lenet-keras.keras", "lenet-keras.stats.json", "lenet-keras.expanded.yaml"}
    assert {one.name for one in (tmp_path / "out").iterdir()} == names


def test_an_own_spec_uses_a_shipped_library(installed: Path, tmp_path: Path) -> None:
    spec = tmp_path / "mine.yaml"
    spec.write_text(
        "archc: 1\nname: mine\ninput: [32, 32, 3]\nuse: archc:blocks/residual.yaml\n"
        "layers:\n  - conv_bn: {filters: 16, kernel: 3}\n  - basic: 16\n  - global_avg_pool\n  - dense: 10\n",
        encoding="utf-8",
    )
    assert "mine" in run(installed, tmp_path, "check", "mine.yaml")
    run(installed, tmp_path, "build", "mine.yaml", "-o", "out")
    assert (tmp_path / "out" / "mine.keras").exists()
