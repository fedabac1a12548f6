"""Every entry of every table loads and is whole; what is generated and committed is fresh."""

from __future__ import annotations

import ast
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from archc import backends, commands
from archc.diagnostics.codes import CODES
from archc.language.catalogue import shipped_root
from archc.language.document import decode, plain, read
from archc.language.schema import schema_text
from archc.language.spec import STEP_KEYS
from archc.operators import OPERATORS, Role, fields_of

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "archc").rglob("*.py"))
SPECS = sorted([*shipped_root().glob("*.yaml"), *shipped_root().glob("blocks/*.yaml")])
VALIDATOR: Any = jsonschema.Draft202012Validator


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_commands(name: str) -> None:
    """A command's module has its sentence, examples, arguments and `run`."""
    module = import_module(f"archc.commands.{name}_command" if name == "list" else f"archc.commands.{name}")
    assert module.__doc__
    assert module.__doc__.splitlines()[0].endswith(".")
    assert f"archc {name}" in module.EXAMPLES
    assert callable(module.add_arguments)
    assert callable(module.run)


@pytest.mark.parametrize("name", backends.BACKENDS)
def test_backends(name: str) -> None:
    """A backend loads by its name, and says it."""
    found = backends.backend(name)
    assert found.name == ("diagram" if name in backends.DIAGRAMS else name)
    assert callable(found.emit)


def test_diagrams_are_backends() -> None:
    assert set(backends.DIAGRAMS) <= set(backends.BACKENDS)


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name: str) -> None:
    """An operator is documented; its positional names are fields; its fragments are schemas that take the defaults."""
    operator = OPERATORS[name]
    assert operator.name == name
    assert isinstance(operator.role, Role)
    assert operator.__doc__
    assert operator.__doc__.strip().split("\n\n")[0].endswith((".", ":"))
    fields = fields_of(operator)
    names = [one.name for one in fields]
    assert set(operator.positional) <= set(names)
    assert len(set(names)) == len(names)
    assert not set(names) & {*STEP_KEYS, "branches"}
    for one in fields:
        assert one.doc
        VALIDATOR.check_schema(dict(one.kind.schema))
        if not one.required and not isinstance(one.default, tuple) and not hasattr(one.default, "keys"):
            assert VALIDATOR(dict(one.kind.schema)).is_valid(one.default), one.name


def test_operators_names_are_no_step_keys() -> None:
    assert not set(OPERATORS) & {*STEP_KEYS, "steps", "branches"}


def test_codes_are_unique() -> None:
    assert len({one.word for one in CODES.values()}) == len(CODES)
    assert len({one.id[1:] for one in CODES.values()}) == len(CODES)


@pytest.mark.parametrize("id", CODES)
def test_codes(id: str) -> None:
    """A code has a form, a word and whole sentences; a bad example comes with its mend."""
    code = CODES[id]
    assert id == code.id
    assert id[0] in "EW"
    assert id[1:].isdecimal()
    assert len(id) == 4
    assert code.word == code.word.lower()
    assert code.explanation.endswith(".")
    assert code.good or not code.bad


def test_the_committed_schema_is_fresh() -> None:
    text = (ROOT / "docs" / "archc.schema.json").read_text(encoding="utf-8")
    assert text == schema_text(), "archc schema > docs/archc.schema.json"


def test_the_schema_is_a_schema() -> None:
    VALIDATOR.check_schema(json.loads(schema_text()))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_shipped_specs_are_valid_under_the_schema(path: Path) -> None:
    """What editors say of a spec agrees with the compiler: no shipped spec is marked as wrong."""
    value = plain(read(decode(path.name, path.read_bytes())))
    problems = [f"{list(one.absolute_path)}: {one.message[:200]}" for one in VALIDATOR(json.loads(schema_text())).iter_errors(value)]
    assert problems == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_evaluated(path: Path) -> None:
    """No source calls `eval`, `exec`, `compile` or a YAML loader that builds objects; pickles are not read."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            assert name not in ("eval", "exec", "builtins.eval", "builtins.exec", "__import__")
            assert name not in ("yaml.load", "yaml.safe_load", "yaml.full_load", "yaml.unsafe_load", "yaml.load_all")
            assert name not in ("pickle.load", "pickle.loads", "os.system", "os.popen")
            assert not any(one.arg == "shell" and getattr(one.value, "value", None) is True for one in node.keywords)
        if isinstance(node, ast.Import):
            assert not {one.name for one in node.names} & {"pickle", "marshal", "shelve"} or path.name in ("torch_file.py", "cifar.py")  # their own unpicklers know tensors and arrays alone: test_weights, test_data
