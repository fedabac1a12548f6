"""What must hold for any bytes: diagnostics or a network, and nothing else comes out; a network's forms agree."""

from __future__ import annotations

import ast
import json
import keyword

from archc import CompileError, load
from archc.backends.expanded import expanded
from archc.backends.keras.config import config_text
from archc.diagnostics import Diagnostic
from archc.diagnostics.limits import raised
from archc.diagnostics.render import as_data, render
from archc.language.catalogue import AddressError
from archc.pipeline import Compiled, Family
from tests.fuzz.grammar import spec

LOWERED = {"work": 4_000, "nodes": 1_000}
"""Limits that keep instrumented code quick: what is long here is long for another reason."""
SMALL = 80
"""Nodes up to which a network is emitted too."""


def from_bytes(data: bytes) -> None:
    """The bytes are the spec, or where the first is even, the choices that make one."""
    if data[:1] and data[0] % 2 == 0:
        data = spec(data[1:]).encode()
    else:
        data = data[1:]
    examine(data)


def examine(data: bytes) -> None:
    """Loads and compiles what the bytes hold; raises whatever is archc's fault."""
    with raised(LOWERED):
        compile_all(data)


def compile_all(data: bytes) -> None:
    """Every network of the text, or why there is none."""
    try:
        family = load("-", data)
    except AddressError:
        return
    except CompileError as problem:
        tell(problem.diagnostics)
        return
    tell(family.notices)
    for name in list(family)[:4]:
        try:
            network = family.compile(name or None)
        except AddressError:
            continue
        except CompileError as problem:
            tell(problem.diagnostics)
            continue
        tell(network.warnings)
        if len(network.graph.nodes) <= SMALL:
            emit(family, network)


def tell(diagnostics: tuple[Diagnostic, ...]) -> None:
    """Each diagnostic renders, is data, and stands inside its text; errors are never without words."""
    for one in diagnostics:
        text = render(one)
        assert "Traceback" not in text and one.message
        assert all(sign.isprintable() or sign == "\n" for sign in text), "a control character reaches the terminal"
        json.dumps(as_data(one), allow_nan=False)
        if one.span is not None:
            assert 0 <= one.span.start <= one.span.end <= len(one.span.source.text) + 1


def emit(family: Family, network: Compiled) -> None:
    """The network's Python is Python, its config JSON, and its expanded spec is the same network."""
    plain = expanded(network.graph)
    again = load("-", plain.encode()).compile()
    names = [(one.name, one.operator, one.shapes) for one in network.graph.nodes]
    assert [(one.name, one.operator, one.shapes) for one in again.graph.nodes] == names, "expand gives another network"
    try:
        lowered = network.lowered
    except CompileError as problem:
        tell(problem.diagnostics)
        return
    json.loads(config_text(lowered), parse_constant=lambda word: (_ for _ in ()).throw(AssertionError(word)))
    tree = ast.parse(network.to_python())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [one.name for one in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            assert all(one.split(".")[0] in ALLOWED or not keyword.iskeyword(one) for one in modules)
    json.dumps(network.stats(), allow_nan=False)


ALLOWED = ("keras", "math")
