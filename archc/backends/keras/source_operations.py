"""Operations as calls of `keras.ops`, whose functions take no names: Keras names those by itself, `pad`, `pad_1`.

Where a layer has such a name, Keras might give it a second time, and refuse the model. Then a function of the file
makes the operations, each under the name that it has in the other outputs.
"""

from __future__ import annotations

import re
from typing import Any

from archc.backends.keras.layers import KerasModel, snake_case
from archc.backends.keras.lowering.parts import OPERATIONS
from archc.backends.keras.source_text import literal

_FIRST = {"Pad": "pad_width", "Split": "indices_or_sections"}
_DEFAULTS: dict[tuple[str, str], Any] = {
    ("Pad", "mode"): "constant",
    ("Pad", "constant_values"): None,
    ("OnesLike", "dtype"): None,
}
_NOTHING = object()

NAMED = f'''def operation(class_name, *, name, **config):
    """An operation with a name of its own; the one that `keras.ops` would give it may be taken."""
    return saving.deserialize_keras_object(
        {{
            "module": {literal(OPERATIONS)},
            "class_name": class_name,
            "config": {{"name": name, **config}},
            "registered_name": class_name,
        }}
    )'''.splitlines()


def takes_names(model: KerasModel) -> bool:
    """True where Keras might give an operation the name of a layer."""
    automatic = {snake_case(one.class_name) for one in model.layers if one.is_operation}
    return any(re.sub(r"_\d+$", "", one.name) in automatic for one in model.layers if not one.is_operation)


def is_first(class_name: str, key: str) -> bool:
    """True for what a function takes after the tensors, by position."""
    return key[0] == "*" or _FIRST.get(class_name) == key


def is_default(class_name: str, key: str, value: Any) -> bool:
    """True for what a function would take by itself."""
    return _DEFAULTS.get((class_name, key), _NOTHING) == value
