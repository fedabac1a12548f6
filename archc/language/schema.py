"""The JSON Schema of the language (draft 2020-12), from the document's skeleton and the operators' fields.

Editors complete operators and options from it. The compiler validates each operator's arguments by the same fragments.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from archc.diagnostics import codes
from archc.language.allowances import ALLOWED
from archc.language.spec import TYPES
from archc.language.validation import EXPECT_KEYS, SOURCE_KEYS, TOP_KEYS
from archc.operators import OPERATORS, Operator, Role, fields_of

EXPRESSION = {"type": "string", "pattern": "\\$", "description": "an expression: `$name` or `$(...)`"}
STEP_KEY_DOCS: dict[str, dict[str, Any]] = {
    "as": {"description": "names the step's output, and its layers", "anyOf": [{"type": ["string", "integer"]}, {"type": "array", "items": {"type": "string"}}]},
    "from": {"description": "the inputs, instead of the flowing tensor", "anyOf": [{"type": ["string", "integer"]}, {"type": "array", "items": {"type": ["string", "integer"]}}]},
    "when": {"description": "a bare expression; where it is false the step is the identity", "type": ["string", "boolean"]},
    "repeat": {"description": "runs the step this many times in a row; `index` counts from 0", "anyOf": [{"type": "integer", "minimum": 0}, EXPRESSION]},
    "for": {"description": "runs the step for each item: `n in repeats`", "type": "string"},
    "index": {"description": "the counter's name in this loop", "type": "string"},
    "share": {"description": "steps with one name use the same weights", "type": ["string", "integer"]},
    "trainable": {"description": "false freezes all weights of the step", "anyOf": [{"type": "boolean"}, EXPRESSION]},
    "doc": {"description": "a sentence for people", "type": "string"},
    "allow": {"description": "warnings that are meant in all that the step expands to, each with its reason", "$ref": "#/$defs/allow"},
}


def schema() -> dict[str, Any]:
    """The schema as plain data."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "archc spec",
        "description": "A network or a family of networks, as archc compiles it.",
        "type": "object",
        "required": ["archc"],
        "properties": _top(),
        "additionalProperties": False,
        "$defs": {
            "steps": {"description": "steps, run one after the other", "type": "array", "items": {"$ref": "#/$defs/step"}},
            "body": {"anyOf": [{"$ref": "#/$defs/steps"}, {"$ref": "#/$defs/step"}]},
            "step": _step(),
            "branches": {
                "description": "tensors by name, or named branches, each a list of steps",
                "anyOf": [
                    {"type": "array", "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/steps"}, {"type": "object"}]}},
                    {"type": "object", "additionalProperties": {"anyOf": [{"$ref": "#/$defs/steps"}, {"type": ["string", "null", "integer", "boolean"]}, {"type": "object"}]}},
                ],
            },
            "shape": {"description": "sizes without the batch axis; null leaves one open", "type": "array", "minItems": 1, "items": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}, EXPRESSION]}},
            "input": {"anyOf": [{"$ref": "#/$defs/shape"}, EXPRESSION, {"type": "object", "properties": {"shape": {"$ref": "#/$defs/shape"}, "dtype": {"type": "string"}}, "required": ["shape"], "additionalProperties": False}]},
            "allow": {"type": "object", "properties": {one: {"type": "string", "minLength": 1, "description": codes.CODES[one].explanation} for one in ALLOWED}, "additionalProperties": False},
            "parameter": {"description": f"a type ({', '.join(TYPES)}), a default, or a mapping of type (or list, for a list of a type), default, min, max, enum, doc"},
            "macro": _macro(),
            "variant": {"type": ["object", "null"], "properties": {"like": {"type": ["string", "integer"]}, "default": {"type": "boolean"}, **{key: value for key, value in _top().items() if key in _VARIANT}}},
        },
    }


_VARIANT = ("title", "aliases", "input", "inputs", "outputs", "layers", "implementation", "doc", "source", "expect", "allow")


def _top() -> dict[str, Any]:
    fragments: dict[str, Any] = {
        "archc": {"const": 1},
        "name": {"type": ["string", "integer"]},
        "title": {"type": "string"},
        "doc": {"type": "string"},
        "source": {"type": "object", "properties": {key: {"type": ["string", "number"]} for key in SOURCE_KEYS}, "additionalProperties": False},
        "input": {"$ref": "#/$defs/input"},
        "inputs": {"type": "object", "additionalProperties": {"$ref": "#/$defs/input"}},
        "outputs": {"anyOf": [{"type": "array", "items": {"type": ["string", "integer"]}}, {"type": "object", "additionalProperties": {"type": ["string", "integer"]}}, {"type": "string"}]},
        "layers": {"$ref": "#/$defs/steps"},
        "params": {"type": "object", "additionalProperties": {"$ref": "#/$defs/parameter"}},
        "let": {"type": "object"},
        "macros": {"type": "object", "additionalProperties": {"$ref": "#/$defs/macro"}},
        "notation": {"type": "object", "additionalProperties": {"$ref": "#/$defs/body"}},
        "variants": {"type": "object", "additionalProperties": {"$ref": "#/$defs/variant"}},
        "use": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "expect": {"type": "object", "properties": {key: {} for key in EXPECT_KEYS}, "additionalProperties": False},
        "allow": {"$ref": "#/$defs/allow"},
        "implementation": {"type": "string"},
        "aliases": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    }
    return {key: {**fragments[key], "description": doc} for key, doc in TOP_KEYS.items()}


def _step() -> dict[str, Any]:
    arranging = {
        "steps": {"$ref": "#/$defs/steps", "description": "groups steps, for `when`, loops, `trainable` or a name"},
        "side": {"$ref": "#/$defs/steps", "description": "runs steps beside the flow and leaves the flow as it was"},
    }
    operators = {name: operator_schema(operator) for name, operator in OPERATORS.items() if operator.arity != (0, 0)}
    return {
        "anyOf": [
            {"type": "string", "description": "a word: an operator, a macro, a notation cell, or `$steps`", "anyOf": [{"enum": list(operators)}, {}]},
            {"type": "object", "description": "one operation, and step keys", "properties": {**STEP_KEY_DOCS, **arranging, **operators}, "minProperties": 1},
        ]
    }


def operator_schema(operator: type[Operator]) -> dict[str, Any]:
    """The forms that an operator's arguments may take: by name, by position, or the first alone."""
    fields = fields_of(operator)
    named = {one.name: _attribute(one.kind.schema, one.doc, one.default, one.required) for one in fields}
    by_name: dict[str, Any] = {"type": "object", "properties": named, "additionalProperties": False}
    if operator.role is Role.MERGE:
        by_name["properties"]["branches"] = {"$ref": "#/$defs/branches"}
        return {"description": _summary(operator), "anyOf": [by_name, {"$ref": "#/$defs/branches"}, {"type": "null"}]}
    forms: list[dict[str, Any]] = [by_name, {"type": "null"}, EXPRESSION]
    if operator.positional:
        first = next(one for one in fields if one.name == operator.positional[0])
        forms += [_plain(first.kind.schema), {"type": "array"}]
    return {"description": _summary(operator), "anyOf": forms}


def _plain(value: Any) -> Any:
    """A frozen fragment as dicts and lists, which JSON can hold; what a list or a mapping holds may be an expression too."""
    if isinstance(value, Mapping):
        return {key: _open(key, one) for key, one in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def _open(key: str, value: Any) -> Any:
    if key == "items":
        return {"anyOf": [_plain(value), EXPRESSION]}
    if key == "properties":
        return {name: {"anyOf": [_plain(one), EXPRESSION]} for name, one in value.items()}
    return _plain(value)


def _attribute(fragment: Any, doc: str, default: Any, required: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"description": doc, "anyOf": [_plain(fragment), EXPRESSION]}
    if not required and not isinstance(default, tuple):
        found["default"] = _plain(default)
    return found


def _summary(operator: type[Operator]) -> str:
    return " ".join((operator.__doc__ or operator.name).strip().split("\n\n")[0].split())


def _macro() -> dict[str, Any]:
    names = {"type": "array", "items": {"type": "string"}}
    return {
        "anyOf": [
            {"$ref": "#/$defs/steps"},
            {
                "type": "object",
                "properties": {
                    "doc": {"type": "string"},
                    "params": {"type": "object", "additionalProperties": {"$ref": "#/$defs/parameter"}},
                    "let": {"type": "object"},
                    "inputs": names,
                    "outputs": names,
                    "body": {"$ref": "#/$defs/body"},
                },
                "required": ["body"],
                "additionalProperties": False,
            },
        ]
    }


def schema_text() -> str:
    """The schema as JSON text, as it is committed under `docs/`."""
    return f"{json.dumps(schema(), indent=1, ensure_ascii=False)}\n"
