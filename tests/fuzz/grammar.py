"""Bytes -> specs: each byte is a choice, so that a fuzzer which changes bytes changes choices.

What is made is nearly always well-formed, often sound, and now and then wrong in one place.
"""

from __future__ import annotations

import json
from typing import Any

from archc.operators import OPERATORS, Field, Role, fields_of

WORDS = ("a", "b", "c", "n", "stem", "block", "filters", "index", "_", "input", "1x1", "x")
EXPRESSIONS = (
    "$n", "$filters", "$(n + 1)", "$(index)", "$(2 * n // 3)", "$(rows[0])", "$(rows[index])", "$(len(rows))", "$(max(1, n))", "$(input.channels)",
    "$(_.height)", "$(n if n > 1 else 1)", "$([i for i in range(n)])", "$(sum(rows[:1]))", "$(rows)", "$(make_divisible(n * 1.4, 8))", "$(n / 0)",
    "$(round(n / 2))", "$({a: 1}.a)", "$(-n)", "$(n ** 2)", "$nowhere", "$(min(rows) + abs(-n))", "a$(n)b", "$(rows[-1:])", "$(not n == 2)", "$(",
)
CONDITIONS = ("n > 1", "index > 0", "input.channels != n", "true", "false", "n", "_.rank == 3 and n", "len(rows) == 2", "index % 2 == 0", "$n")
CLAUSES = ("n in rows", "i in range(3)", "i, j in table", "x in [1, 2, 4]", "filters in rows", "a, b in table", "n in rows[1:]", "i in n", "i in", "a, b, c in table")
ODD: tuple[Any, ...] = (
    None, True, False, -1, 0, 1.5, 10**12, 10**9, "", "no", "$n", "$(n)", "relu", [], {}, [1], [[1, 2], [3, 4]], {"a": 1}, "same", "_", "input", "é", "a b", 1e-9,
)


class Choices:
    """Bytes read one by one; where they end, every choice is the first."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.macros: tuple[str, ...] = ("conv_bn_relu",)

    def below(self, count: int) -> int:
        """A number from 0 up to `count`, which is not reached."""
        self.at += 1
        return self.data[self.at - 1] % count if self.at <= len(self.data) else 0

    def rarely(self, odds: int) -> bool:
        """True once in `odds`."""
        return self.below(odds) == odds - 1

    def of(self, options: Any) -> Any:
        """One of some options."""
        return options[self.below(len(options))]


def spec(data: bytes) -> str:
    """The text of a spec."""
    choices = Choices(data)
    found: dict[str, Any] = {"archc": 1, "name": "net"}
    found["params"] = {"n": choices.of((2, 1, 3, 8, "int", {"type": "int", "default": 2})), "rows": choices.of(([4, 8], [1, 2, 3], [2], [])), "table": [[1, 2], [3, 4]]}
    if choices.rarely(4):
        found["params"]["body"] = {"type": "steps", "default": steps(choices, 1)}
    if choices.rarely(4):
        found["let"] = {"m": choices.of(EXPRESSIONS)}
    found["use"] = ["archc:blocks/inception.yaml"] if not choices.rarely(12) else choices.of((["../x.yaml"], "archc:../x", "/dev/zero"))
    shape = choices.of(([8, 8, 4], [8, 8, 3], [16], [6, 4], [4, 6, 6, 2], [None, None, 4], [1, 1, 1], [3, 32, 32], "$rows"))
    if choices.rarely(6):
        found["inputs"] = {"a": shape, "b": choices.of((shape, [4], {"shape": [8, 8, 4], "dtype": "float32"}))}
    else:
        found["input"] = shape
    if choices.below(2):
        found["macros"] = {"block": macro(choices)}
        choices.macros += ("block", "block")
    if choices.rarely(6):
        found["notation"] = {"c<k>-<n>": steps(choices, 1), "x": steps(choices, 1)}
        choices.macros += ("c3-8", "x")
    found["layers"] = steps(choices, 3)
    if choices.rarely(6):
        found["outputs"] = choices.of((["a"], ["_"], ["a", "b"], {"out": "_"}, []))
    if choices.rarely(6):
        found["variants"] = {"p": {"n": choices.of((1, 2, 5)), "default": True}, "q": {"like": "p", "layers": steps(choices, 1)}}
    if choices.rarely(6):
        found["expect"] = {"params": choices.of((0, 10, {"about": 5, "within": "10%"}, {"value": 3, "paper": 4})), "output": [4]}
    if choices.rarely(5):
        spoil(choices, found)
    return json.dumps(found, indent=1, ensure_ascii=False)


def macro(choices: Choices) -> Any:
    """A macro's declaration."""
    if choices.rarely(4):
        return steps(choices, 1)
    found: dict[str, Any] = {"params": {"filters": choices.of(("int", 4, "list", {"type": "int", "min": 1})), "stride": 1}, "body": steps(choices, 2)}
    if choices.rarely(5):
        found["inputs"] = ["a", "b"]
    if choices.rarely(5):
        found["outputs"] = ["a", "_"]
    if choices.rarely(5):
        found["let"] = {"m": choices.of(EXPRESSIONS)}
    return found


def steps(choices: Choices, depth: int) -> list[Any]:
    """A list of steps."""
    return [step(choices, depth) for _ in range(1 + choices.below(4))]


def step(choices: Choices, depth: int) -> Any:
    """One step: an operation, and some of the step keys."""
    operation, arguments = call(choices, depth)
    if arguments is None and not choices.rarely(3):
        return operation
    found: dict[str, Any] = {operation: arguments}
    if choices.rarely(3):
        key = choices.of(("as", "repeat", "when", "for", "from", "index", "share", "trainable", "doc"))
        found[key] = key_value(choices, key)
        if choices.rarely(3):
            found["as"] = choices.of((*WORDS, "a$(index)", ["a", "b"]))
    return found


def key_value(choices: Choices, key: str) -> Any:
    """The value of a step key."""
    if choices.rarely(12):
        return choices.of(ODD)
    options: dict[str, Any] = {
        "as": WORDS, "repeat": (2, 0, 1, 3, "$n", "$(len(rows))", 1000), "when": CONDITIONS, "for": CLAUSES, "from": ("_", "input", "a", ["a", "b"], ["_", "input"]),
        "index": ("i", "index", "n"), "share": ("w", "w$(index)"), "trainable": (False, True), "doc": ("a sentence", "x\ny", "</svg>"),
    }
    return choices.of(options[key])


def call(choices: Choices, depth: int) -> tuple[str, Any]:
    """An operation and its arguments."""
    kind = choices.below(10)
    if kind < 5 or depth == 0:
        return operator(choices)
    if kind == 5:
        return choices.of(choices.macros) if not choices.rarely(12) else "$body", choices.of((None, 4, {"filters": 4}, "$n", [4, 2], {"filters": choices.of(EXPRESSIONS)}))
    if kind == 6:
        return choices.of(("steps", "side")), steps(choices, depth - 1)
    merges = [name for name, one in OPERATORS.items() if one.role is Role.MERGE]
    branches: Any = {name: steps(choices, depth - 1) for name in ("left", "right", "third")[: 2 + choices.below(2)]}
    if choices.rarely(3):
        branches[choices.of(("left", "skip"))] = choices.of(([], "input", "_", "a"))
    if choices.rarely(6):
        branches = choices.of((["_", "input"], [steps(choices, 0), []], {"for": choices.of(CLAUSES), "steps": steps(choices, 0)}, {"branches": branches}))
    return choices.of(("add", "concat", "concat", *merges)), branches


COMMON = ("conv", "relu", "batch_norm", "max_pool", "dense", "flatten", "global_avg_pool", "dropout")


def operator(choices: Choices) -> tuple[str, Any]:
    """An operator that is no merge, and arguments for it."""
    name = choices.of(COMMON if choices.below(2) == 0 else tuple(OPERATORS))
    kind = OPERATORS[name]
    fields = [one for one in fields_of(kind) if one.required or choices.rarely(4)]
    values = {one.name: attribute(choices, one) for one in fields}
    if len(values) == 1 and kind.positional[:1] == tuple(values) and choices.below(2) == 0:
        return name, next(iter(values.values()))
    return name, values or None


def attribute(choices: Choices, field: Field) -> Any:
    """A value for an attribute: one that its kind allows as a rule, an expression, or anything."""
    luck = choices.below(32)
    if luck == 31:
        return choices.of(ODD)
    if luck > 28:
        return choices.of(EXPRESSIONS)
    return allowed(choices, field.kind.schema)


def allowed(choices: Choices, schema: Any) -> Any:
    """A value of a JSON Schema fragment."""
    if "enum" in schema:
        return choices.of(schema["enum"])
    if "anyOf" in schema:
        return allowed(choices, choices.of(schema["anyOf"]))
    stated = schema.get("type", "integer")
    word = stated if isinstance(stated, str) else choices.of(stated)
    if word == "integer":
        return schema.get("minimum", 0) + choices.of((1, 3, 2, 0, 4, 8, 63))
    if word == "number":
        return choices.of((0.5, 0.1, 1, 0.001, 2.0, 0.9))
    if word == "boolean":
        return choices.below(2) == 0
    if word == "array":
        return [allowed(choices, schema.get("items", {})) for _ in range(schema.get("minItems", 1 + choices.below(3)))]
    if word == "string":
        return choices.of(("same", "valid", "relu", "softmax", "tanh", "channels", "causal", "zeros", "bilinear", "ceil", "Dropout", "a.b:C"))
    return {} if word == "object" else None


def spoil(choices: Choices, value: Any) -> None:
    """One place somewhere inside a value made wrong: removed, renamed or replaced."""
    while True:
        keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = choices.of(keys)
        if isinstance(value[key], dict | list) and not choices.rarely(4):
            value = value[key]
            continue
        kind = choices.below(3)
        if kind == 0:
            value[key] = choices.of(ODD)
        elif kind == 1:
            del value[key]
        elif isinstance(value, dict):
            value[choices.of((*WORDS, f"{key}x", "Conv", "branches"))] = value.pop(key)
        return
