"""The tests on each interpreter that is at hand, with the oldest and the newest versions that pyproject.toml allows: `make compat`.

An interpreter that is not at hand is skipped by its name; `floor` then holds the sources to Python 3.10 all the same.
"""

from __future__ import annotations

import nox

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["floor", "core"]

PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
WITH_KERAS = ["3.11", "3.12", "3.13"]
"""Keras 3.14, the oldest that has all that an archive of archc says, needs Python 3.11."""

CORE = [
    f"tests/test_{name}.py"
    for name in (
        "budget", "counting", "data", "diagram", "expression_texts", "expressions", "files", "graphs", "language", "lints", "meanings",
        "operators", "payloads", "receptive_field", "recipes", "report", "step_texts", "tables",
    )
]  # fmt: skip
"""Tests that need no framework, and of each part of archc those that are quick."""


def install(session: nox.Session, package: str, versions: str) -> None:
    """The package and what tests need, with the oldest or the newest dependencies; says which they are."""
    floors = ["--constraint", "tests/floors.txt"] if versions == "oldest" else ["--upgrade", "--upgrade-strategy", "eager"]
    session.install(*floors, package, "pytest>=8.0", "hypothesis>=6.100")
    session.run("pip", "freeze", "--exclude", "archc")


@nox.session(python=PYTHONS)
@nox.parametrize("versions", ["oldest", "newest"])
def core(session: nox.Session, versions: str) -> None:
    """What needs no framework."""
    install(session, ".", versions)
    session.run("python", "-m", "pytest", "-q", "-m", "not keras and not slow", *(session.posargs or CORE))


@nox.session(python=WITH_KERAS)
@nox.parametrize("versions", ["oldest", "newest"])
def keras(session: nox.Session, versions: str) -> None:
    """Archives, sources and models agree with Keras."""
    install(session, ".[tensorflow]", versions)
    session.run("python", "-m", "pytest", "-q", *(session.posargs or ["tests/test_archive.py", "tests/test_agreement.py"]), env={"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"})


@nox.session(python=False)
def floor(session: nox.Session) -> None:
    """No source uses what Python 3.10 lacks, whichever interpreters are at hand; pyright holds the types to it too."""
    session.run("vermin", "--quiet", "--no-tips", "--target=3.10-", "--violations", "archc", "tests", "noxfile.py", external=True)
