"""The kinds of attributes: JSON Schema fragments (draft 2020-12, plain keywords, no `$ref`) with a name for prose.

JSON Schema takes 3.0 for an integer; the language does not. Validation refuses floats where a fragment says `integer`
before the fragment is asked, so no kind repeats it.
"""

from __future__ import annotations

from archc.operators.base import Kind

INTEGER = Kind("a whole number", {"type": "integer"})
POSITIVE = Kind("a whole number from 1", {"type": "integer", "minimum": 1})
NUMBER = Kind("a number", {"type": "number"})
POSITIVE_NUMBER = Kind("a number above 0", {"type": "number", "exclusiveMinimum": 0})
NOT_NEGATIVE = Kind("a number from 0", {"type": "number", "minimum": 0})
OPTIONAL_INTEGER = Kind("a whole number or null", {"type": ["integer", "null"]})
OPTIONAL_NUMBER = Kind("a number from 0, or null", {"type": ["number", "null"], "minimum": 0})
BOOLEAN = Kind("`true` or `false`", {"type": "boolean"})
TEXT = Kind("a text", {"type": "string", "minLength": 1})
RATE = Kind("a rate from 0 and below 1", {"type": "number", "minimum": 0, "exclusiveMaximum": 1})
FRACTION = Kind("a number from 0 to 1", {"type": "number", "minimum": 0, "maximum": 1})
MAP = Kind("a mapping", {"type": "object"})

SIZE = Kind(
    "a whole number from 1, or one for each spatial axis",
    {
        "type": ["integer", "array"],
        "minimum": 1,
        "items": {"type": "integer", "minimum": 1},
        "minItems": 1,
        "maxItems": 3,
    },
)
OPTIONAL_SIZE = Kind(
    "a whole number from 1, or one for each spatial axis, or null",
    {
        "type": ["integer", "array", "null"],
        "minimum": 1,
        "items": {"type": "integer", "minimum": 1},
        "minItems": 1,
        "maxItems": 3,
    },
)
OPTIONAL_AMOUNT = Kind(
    "a whole number from 0, or one for each spatial axis, or null",
    {
        "type": ["integer", "array", "null"],
        "minimum": 0,
        "items": {"type": "integer", "minimum": 0},
        "minItems": 1,
        "maxItems": 3,
    },
)
_PAIR = {
    "type": ["integer", "array"],
    "minimum": 0,
    "items": {"type": "integer", "minimum": 0},
    "minItems": 2,
    "maxItems": 2,
}
AMOUNTS = Kind(
    "an amount for all sides, or for each spatial axis a number or a pair [before, after]",
    {"type": ["integer", "array"], "minimum": 0, "items": _PAIR, "minItems": 1, "maxItems": 3},
)
OPTIONAL_AMOUNTS = Kind(
    "an amount for all sides, or for each spatial axis a number or a pair [before, after], or null",
    {"type": ["integer", "array", "null"], "minimum": 0, "items": _PAIR, "minItems": 1, "maxItems": 3},
)


def _padding(words: str) -> Kind:
    return Kind(
        f"{words.replace('|', ', ')}, an amount for all sides, or for each spatial axis a number or a pair",
        {
            "type": ["string", "integer", "array"],
            "pattern": f"^({words})$",
            "minimum": 0,
            "items": _PAIR,
            "minItems": 1,
            "maxItems": 3,
        },
    )


PADDING = _padding("same|valid")
CAUSAL_PADDING = _padding("same|valid|causal")

ROUNDING = Kind("`floor` or `ceil`", {"type": "string", "enum": ["floor", "ceil"]})
PAD_MODE = Kind("a way to fill the border", {"type": "string", "enum": ["zeros", "reflect", "symmetric"]})
INTERPOLATION = Kind("an interpolation", {"type": "string", "enum": ["nearest", "bilinear", "bicubic"]})
RESIZE_INTERPOLATION = Kind(
    "an interpolation", {"type": "string", "enum": ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]}
)
DTYPE = Kind(
    "a data type",
    {"type": "string", "enum": ["float32", "float16", "bfloat16", "float64", "int32", "int64", "uint8", "bool"]},
)
ACTIVATION = Kind(
    "an activation",
    {
        "type": "string",
        "enum": [
            "linear",
            "relu",
            "relu6",
            "leaky_relu",
            "elu",
            "selu",
            "gelu",
            "silu",
            "swish",
            "sigmoid",
            "hard_sigmoid",
            "hard_swish",
            "mish",
            "tanh",
            "softplus",
            "softsign",
            "softmax",
            "log_softmax",
            "exponential",
        ],
    },
)
INITIALIZER = Kind(
    "an initialiser, or `{scale, mode, distribution}` for variance scaling",
    {
        "anyOf": [
            {
                "type": "string",
                "enum": [
                    "glorot_uniform",
                    "glorot_normal",
                    "he_uniform",
                    "he_normal",
                    "lecun_uniform",
                    "lecun_normal",
                    "random_uniform",
                    "random_normal",
                    "truncated_normal",
                    "zeros",
                    "ones",
                ],
            },
            {
                "type": "object",
                "properties": {
                    "scale": {"type": "number", "exclusiveMinimum": 0},
                    "mode": {"type": "string", "enum": ["fan_in", "fan_out", "fan_avg"]},
                    "distribution": {"type": "string", "enum": ["truncated_normal", "untruncated_normal", "uniform"]},
                },
                "required": ["mode"],
                "additionalProperties": False,
            },
        ]
    },
)
DEPTH_ORDER = Kind("`positions` or `channels`", {"type": "string", "enum": ["positions", "channels"]})
SHAPE = Kind(
    "a shape without the batch axis, null for an open size",
    {"type": "array", "items": {"type": ["integer", "null"], "minimum": 1}, "maxItems": 8},
)
TARGET_SHAPE = Kind(
    "a shape, with -1 at most once for the size that is left over",
    {"type": "array", "items": {"type": "integer", "minimum": -1}, "minItems": 1, "maxItems": 8},
)
AXES = Kind(
    "a list of axes, counted from 1",
    {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 8, "uniqueItems": True},
)
AXIS = Kind(
    "an axis: channels, length, depth, height, width, or a number counted from 0 without the batch axis",
    {"type": ["string", "integer"], "pattern": "^(channels|length|depth|height|width)$"},
)
CHANNELS = Kind(
    "a list of channel numbers, counted from 0",
    {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
)
PARTS = Kind(
    "a number of equal parts, or a list of their sizes",
    {"type": ["integer", "array"], "minimum": 1, "items": {"type": "integer", "minimum": 1}, "minItems": 1},
)
NUMBERS = Kind(
    "a number, or one for each channel",
    {"type": ["number", "array"], "items": {"type": "number"}, "minItems": 1},
)
VARIANCES = Kind(
    "a number above 0, or one for each channel",
    {
        "type": ["number", "array"],
        "exclusiveMinimum": 0,
        "items": {"type": "number", "exclusiveMinimum": 0},
        "minItems": 1,
    },
)
OUTPUT_SHAPE = Kind(
    "`same`, or the shape without the batch axis",
    {
        "type": ["string", "array"],
        "pattern": "^same$",
        "items": {"type": ["integer", "null"], "minimum": 1},
        "maxItems": 8,
    },
)
WEIGHT_SHAPES = Kind(
    "a list of the weights' shapes",
    {"type": "array", "items": {"type": "array", "items": {"type": "integer", "minimum": 1}}},
)
KERAS_CLASS = Kind("the name of a Keras layer", {"type": "string", "pattern": "^[A-Z][A-Za-z0-9]*$"})
LAYER_CLASS = Kind(
    "the class of a layer, as `package.module:Name`",
    {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$"},
)
