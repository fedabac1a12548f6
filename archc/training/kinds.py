"""The kinds of values that recipes take, beside those of the operators."""

from __future__ import annotations

from archc.operators.base import Kind

AUTO_OR_BOOLEAN = Kind("`auto`, `true` or `false`", {"type": ["string", "boolean"], "pattern": "^auto$"})
COUNT = Kind("a whole number from 0", {"type": "integer", "minimum": 0})
RATE_LIST = Kind(
    "a list of rising numbers above 0", {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 1}
)
HOLDOUT = Kind(
    "a number of examples, or a fraction below 1",
    {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}]},
)
FRACTION_ABOVE = Kind("a fraction above 0 and below 1", {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1})
OPTIONAL_TEXT = Kind("a text or null", {"type": ["string", "null"], "minLength": 1})
OPTIONAL_ABOVE = Kind("a number above 0, or null", {"type": ["number", "null"], "exclusiveMinimum": 0})
OPTIONAL_POSITIVE = Kind("a whole number from 1, or null", {"type": ["integer", "null"], "minimum": 1})
SIDE = Kind("a whole number from 1 to 8192", {"type": "integer", "minimum": 1, "maximum": 8192})
OPTIONAL_SIDE = Kind("a whole number from 1 to 8192, or null", {"type": ["integer", "null"], "minimum": 1, "maximum": 8192})
IMAGE_SIZE = Kind(
    "a whole number from 1, or [height, width]",
    {
        "type": ["integer", "array"],
        "minimum": 1,
        "maximum": 8192,
        "items": {"type": "integer", "minimum": 1, "maximum": 8192},
        "minItems": 2,
        "maxItems": 2,
    },
)
SEED = Kind("a whole number from 0", {"type": "integer", "minimum": 0, "maximum": 2**31 - 1})
ANGLE = Kind("degrees, above 0 and at most 180", {"type": "number", "exclusiveMinimum": 0, "maximum": 180})

JOB_ADDRESSES, NUM_PROCESSES, PROCESS_ID = (f"KERAS_DISTRIBUTION_{one}" for one in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID"))
"""Keras's own variables: which processes make up a training, how many they are, and which one this is."""
DISTRIBUTE = ("auto", "data", "model")
"""What `--distribute` takes: batches are split, or weights too; `auto` splits batches where there are several devices."""


def words(*choices: str) -> Kind:
    """One of some words."""
    return Kind("a word", {"type": "string", "enum": list(choices)})


def word_list(*choices: str) -> Kind:
    """A list of some words, each once."""
    return Kind("a list of words", {"type": "array", "items": {"type": "string", "enum": list(choices)}, "uniqueItems": True})
