"""The JSON Schema of recipes (draft 2020-12), from the settings' fields; editors complete keys and choices from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from archc.operators import fields_of
from archc.training.data.sets import DATA_SETS
from archc.training.options import LOSSES, OPTIMISERS, SCHEDULES, Run, Start, Stop
from archc.training.preparation import AUGMENTING, PREPARING
from archc.training.recipe import KEYS, REQUIRED, VERSION
from archc.training.settings import Setting, as_operator


def schema() -> dict[str, Any]:
    """The schema as plain data."""
    fragments: dict[str, Any] = {
        "archc": {"const": VERSION},
        "recipe": {"type": ["string", "integer"]},
        "title": {"type": "string"},
        "doc": {"type": "string"},
        "source": {"type": "object"},
        "network": {"type": "string"},
        "params": {"type": "object"},
        "start": arguments(Start),
        "data": choice(DATA_SETS),
        "prepare": {"type": "array", "items": choice(PREPARING)},
        "augment": {"type": "array", "items": choice(AUGMENTING)},
        "optimiser": choice(OPTIMISERS),
        "schedule": choice(SCHEDULES),
        "loss": choice(LOSSES),
        "stop": arguments(Stop),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "archc recipe",
        "description": "How a network is trained, as archc does it.",
        "type": "object",
        "required": list(REQUIRED),
        "properties": {**{key: {**fragments[key], "description": doc} for key, doc in KEYS.items()}, **named(Run)},
        "additionalProperties": False,
    }


def choice(table: Mapping[str, type[Setting]]) -> dict[str, Any]:
    """One of a table: a word, or a mapping of one word to its arguments."""
    properties = {name: {**arguments(one), "description": summary(one)} for name, one in table.items()}
    return {"anyOf": [{"enum": list(table)}, {"type": "object", "properties": properties, "minProperties": 1, "maxProperties": 1, "additionalProperties": False}]}


def arguments(setting: type[Setting]) -> dict[str, Any]:
    """The forms of a setting's arguments: by name, by position, or the first alone."""
    forms: list[dict[str, Any]] = [{"type": "object", "properties": named(setting), "additionalProperties": False}, {"type": "null"}]
    if setting.positional:
        first = next(one for one in fields_of(as_operator(setting)) if one.name == setting.positional[0])
        forms += [dict(first.kind.schema), {"type": "array", "maxItems": len(setting.positional)}]
        if first.kind.schema.get("type") == "array":
            forms.pop()
    return {"anyOf": forms}


def named(setting: type[Setting]) -> dict[str, Any]:
    """The fields of a setting by name."""
    found: dict[str, Any] = {}
    for one in fields_of(as_operator(setting)):
        value: Any = one.default
        default: dict[str, Any] = {} if one.required else {"default": [*value] if isinstance(value, tuple) else value}  # pyright: ignore[reportUnknownArgumentType]
        found[one.name] = {**one.kind.schema, "description": one.doc, **default}
    return found


def summary(setting: type[Setting]) -> str:
    """The first paragraph of a setting's docstring, on one line."""
    return " ".join((setting.__doc__ or "").split("\n\n")[0].split())


def schema_text() -> str:
    """The schema as JSON text, as it is committed under `docs/`."""
    return f"{json.dumps(schema(), indent=1, ensure_ascii=False)}\n"
