"""What operators say of shapes, weights, costs and mistakes; no framework is loaded."""

from __future__ import annotations

from typing import Any

import pytest

from archc.diagnostics import codes
from archc.operators import OPERATORS, Operator, Problem, Shape, Window, fields_of, make
from archc.operators.shape_rules import broadcast, padding_of, window_size

jsonschema = pytest.importorskip("jsonschema")


def problems(name: str, *shapes: Shape, **values: Any) -> list[Problem]:
    return list(make(OPERATORS[name], values).check(shapes))


def facts(name: str, *shapes: Shape, **values: Any) -> tuple[Shape, int, int | None]:
    """Output shape, number of weights, multiply-accumulates."""
    operator = make(OPERATORS[name], values)
    assert not [one for one in operator.check(shapes) if not one.warning]
    outputs = operator.shapes(shapes)
    return outputs[0], sum(one.size for one in operator.weights(shapes)), operator.macs(shapes, outputs)


TABLE: list[tuple[str, str, Shape, dict[str, Any], Shape, int, int | None]] = [
    (
        "T1",
        "conv",
        (27, 27, 96),
        {"filters": 256, "kernel": 5, "padding": 2, "groups": 2, "bias": False},
        (27, 27, 256),
        307_200,
        223_948_800,
    ),
    ("T2", "depthwise_conv", (56, 56, 32), {"kernel": 3, "padding": "same", "bias": False}, (56, 56, 32), 288, 903_168),
    (
        "T3",
        "depthwise_conv",
        (56, 56, 32),
        {"kernel": 3, "padding": "same", "multiplier": 2, "bias": False},
        (56, 56, 64),
        576,
        1_806_336,
    ),
    ("T4", "conv", (16, 16, 8), {"filters": 8, "kernel": 3, "dilation": 2, "bias": False}, (12, 12, 8), 576, 82_944),
    ("T5", "conv", (16, 16, 8), {"filters": 8, "kernel": 3, "padding": "same"}, (16, 16, 8), 584, 147_456),
    (
        "T6",
        "conv_transpose",
        (16, 16, 8),
        {"filters": 16, "kernel": 2, "stride": 2, "bias": False},
        (32, 32, 16),
        512,
        131_072,
    ),
    ("T7", "conv_transpose", (2, 2, 3), {"filters": 1, "kernel": 2, "stride": 2}, (4, 4, 1), 13, 48),
    (
        "T8",
        "conv_transpose",
        (8, 8, 4),
        {"filters": 4, "kernel": 3, "stride": 2, "padding": 1, "output_padding": 1, "groups": 4, "bias": False},
        (16, 16, 4),
        36,
        2_304,
    ),
    ("T9", "conv_transpose", (1, 1, 32), {"filters": 1, "kernel": 3, "bias": False}, (3, 3, 1), 288, 288),
    ("T15", "dense", (10, 64), {"units": 32}, (10, 32), 2_080, 20_480),
    ("T17", "relu", (16, 16, 8), {}, (16, 16, 8), 0, 0),
    ("T18", "batch_norm", (16, 16, 8), {}, (16, 16, 8), 32, 0),
    ("T19", "conv", (128, 32), {"filters": 32, "kernel": 3, "padding": 4, "stride": 2}, (67, 32), 3_104, 205_824),
    ("T23 floor", "max_pool", (112, 112, 64), {"size": 3, "stride": 2}, (55, 55, 64), 0, 0),
    ("T23 ceil", "max_pool", (112, 112, 64), {"size": 3, "stride": 2, "rounding": "ceil"}, (56, 56, 64), 0, 0),
    ("T23 same", "max_pool", (112, 112, 64), {"size": 3, "stride": 2, "padding": "same"}, (56, 56, 64), 0, 0),
    ("T24 floor", "max_pool", (64, 64, 1), {"size": 3, "stride": 2, "padding": 1}, (32, 32, 1), 0, 0),
    (
        "T24 ceil",
        "max_pool",
        (64, 64, 1),
        {"size": 3, "stride": 2, "padding": 1, "rounding": "ceil"},
        (33, 33, 1),
        0,
        0,
    ),
    ("LeNet C1", "conv", (32, 32, 1), {"filters": 6, "kernel": 5}, (28, 28, 6), 156, 117_600),
    ("open size", "conv", (None, None, 3), {"filters": 8, "kernel": 3}, (None, None, 8), 224, None),
    ("3-D", "conv", (8, 8, 8, 2), {"filters": 4, "kernel": 3}, (6, 6, 6, 4), 220, 46_656),
    ("separable", "separable_conv", (8, 8, 4), {"filters": 5, "padding": "same"}, (8, 8, 5), 61, 3_584),
    ("flatten", "flatten", (5, 5, 16), {}, (400,), 0, 0),
    ("flatten open", "flatten", (None, 5, 16), {}, (None,), 0, 0),
    ("reshape", "reshape", (7, 7, 8), {"shape": [49, -1]}, (49, 8), 0, 0),
    ("permute", "permute", (2, 3, 4), {"order": [3, 1, 2]}, (4, 2, 3), 0, 0),
    ("pad", "pad", (4, 5, 1), {"amounts": [1, [0, 2]]}, (6, 7, 1), 0, 0),
    ("pad_channels", "pad_channels", (4, 5, 8), {"filters": 12}, (4, 5, 12), 0, 0),
    ("crop", "crop", (64, 64, 1), {"to": 55}, (55, 55, 1), 0, 0),
    ("upsample", "upsample", (4, None, 1), {"size": 2}, (8, None, 1), 0, 0),
    ("global", "global_avg_pool", (None, None, 8), {}, (8,), 0, 0),
    ("global kept", "global_avg_pool", (7, 7, 8), {"keep_dims": True}, (1, 1, 8), 0, 0),
    ("select", "select", (9, 9, 6), {"channels": [0, 2, 5]}, (9, 9, 3), 0, 0),
    ("slice", "slice", (9, 9, 6), {"axis": "height", "start": -3}, (3, 9, 6), 0, 0),
    ("scale", "scale", (7, 7, 8), {"bias": True}, (7, 7, 8), 16, 0),
    ("prelu", "prelu", (7, 7, 8), {}, (7, 7, 8), 8, 0),
    ("embedding", "embedding", (20,), {"vocabulary": 100, "size": 16}, (20, 16), 1_600, 0),
]


@pytest.mark.parametrize(("title", "name", "shape", "values", "output", "weights", "macs"), TABLE)
def test_facts(
    title: str, name: str, shape: Shape, values: dict[str, Any], output: Shape, weights: int, macs: int | None
) -> None:
    """Shapes, weights and costs, among them the cases that other tools got wrong (T numbers)."""
    assert facts(name, shape, **values) == (output, weights, macs)


def test_split_has_several_outputs() -> None:
    """Equal parts, or parts of given sizes."""
    split = make(OPERATORS["split"], {"parts": [16, 48]})
    assert split.shapes(((7, 7, 64),)) == ((7, 7, 16), (7, 7, 48))
    assert make(OPERATORS["split"], {"parts": 2}).shapes(((8,),)) == ((4,), (4,))


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation", "pads"),
    [
        (4, 3, 2, 1, (0, 1)),
        (224, 7, 2, 1, (2, 3)),
        (224, 3, 2, 1, (0, 1)),
        (10, 6, 1, 1, (2, 3)),
        (10, 6, 1, 2, (5, 5)),
        (5, 1, 2, 1, (0, 0)),
        (None, 3, 1, 1, (1, 1)),
    ],
)
def test_same_padding(size: int | None, kernel: int, stride: int, dilation: int, pads: tuple[int, int]) -> None:
    """`same` pads as little as it can, and more after than before."""
    assert padding_of("same", (size,), (kernel,), (stride,), (dilation,)) == (pads,)


def test_padding_reported_by_windows() -> None:
    """The padding that results is reported per side; where it depends on an open size, it is unknown."""
    conv = make(OPERATORS["conv"], {"filters": 1, "kernel": 7, "stride": 2, "padding": "same"})
    assert conv.window(((224, 224, 3),)) == Window((7, 7), (2, 2), (1, 1), ((2, 3), (2, 3)))
    window = conv.window(((None, 224, 3),))
    assert window is not None and window.padding is None
    causal = make(OPERATORS["conv"], {"filters": 1, "kernel": 3, "dilation": 2, "padding": "causal"})
    assert causal.window(((9, 1),)) == Window((3,), (1,), (2,), ((4, 0),))


@pytest.mark.parametrize(
    ("size", "pad", "kernel", "stride", "count"), [(112, 0, 3, 2, 56), (4, 0, 3, 2, 2), (3, 1, 2, 3, 2)]
)
def test_rounding_up(size: int, pad: int, kernel: int, stride: int, count: int) -> None:
    """The last window starts inside the input or the padding before it."""
    assert window_size(pad, size, kernel, stride, rounding="ceil") == count


def test_broadcast() -> None:
    """Sizes are aligned at the channels; 1 stretches, open sizes stay open."""
    assert broadcast([(28, 28, 8), (1, 1, 8)]) == (28, 28, 8)
    assert broadcast([(8,), (28, 28, 8)]) == (28, 28, 8)
    assert broadcast([(None, 28, 8), (28, 28, 8)]) == (None, 28, 8)
    assert broadcast([(28, 28, 8), (28, 28, 4)]) is None


WRONG: list[tuple[Any, str, list[Shape], dict[str, Any]]] = [
    (codes.RANK, "conv", [(10,)], {"filters": 3}),
    (codes.RANK, "max_pool", [(10,)], {}),
    (codes.RANK, "depthwise_conv", [(4, 4, 4, 1)], {}),
    (codes.DOES_NOT_FIT, "conv", [(3, 9, 1)], {"filters": 3, "kernel": 5}),
    (codes.DOES_NOT_FIT, "conv", [(4, 4, 1)], {"filters": 3, "kernel": 3, "dilation": 2}),
    (codes.DOES_NOT_FIT, "max_pool", [(1, 1, 8)], {}),
    (codes.DOES_NOT_FIT, "max_pool", [(8, 8, 8)], {"size": 2, "padding": 2}),
    (codes.DOES_NOT_FIT, "pad_channels", [(4, 4, 3)], {"filters": 2}),
    (codes.DOES_NOT_FIT, "crop", [(4, 4, 1)], {"amounts": 2}),
    (codes.DOES_NOT_FIT, "crop", [(4, 4, 1)], {"to": 5}),
    (codes.DOES_NOT_FIT, "select", [(4, 4, 3)], {"channels": [3]}),
    (codes.DOES_NOT_FIT, "slice", [(4, 4, 3)], {"start": 3}),
    (codes.DOES_NOT_FIT, "pad", [(4, 4, 3)], {"amounts": 4, "mode": "reflect"}),
    (codes.DOES_NOT_FIT, "conv_transpose", [(1, 1, 3)], {"filters": 1, "padding": 1}),
    (codes.DOES_NOT_DIVIDE, "conv", [(8, 8, 6)], {"filters": 8, "groups": 4}),
    (codes.DOES_NOT_DIVIDE, "conv", [(8, 8, 8)], {"filters": 6, "groups": 4}),
    (codes.DOES_NOT_DIVIDE, "group_norm", [(8, 8, 8)], {}),
    (codes.DOES_NOT_DIVIDE, "channel_shuffle", [(8, 8, 8)], {"groups": 3}),
    (codes.DOES_NOT_DIVIDE, "split", [(8, 8, 8)], {"parts": [3, 4]}),
    (codes.DOES_NOT_DIVIDE, "depth_to_space", [(8, 8, 6)], {"block": 2}),
    (codes.DOES_NOT_DIVIDE, "space_to_depth", [(8, 7, 6)], {"block": 2}),
    (codes.UNKNOWN_SIZE, "depth_to_space", [(None, None, 4)], {"block": 2}),
    (codes.RANK, "depth_to_space", [(4,)], {"block": 2}),
    (codes.RANK, "instance_norm", [(4,)], {}),
    (codes.UNKNOWN_SIZE, "dense", [(None,)], {"units": 3}),
    (codes.UNKNOWN_SIZE, "conv", [(8, 8, None)], {"filters": 3}),
    (codes.UNKNOWN_SIZE, "adaptive_avg_pool", [(None, 8, 3)], {"size": 2}),
    (codes.UNKNOWN_SIZE, "max_pool", [(None, 8, 3)], {"rounding": "ceil"}),
    (codes.UNKNOWN_SIZE, "slice", [(None, 3)], {"axis": "length", "stop": 1}),
    (codes.AXIS, "softmax", [(8, 3)], {"axis": "height"}),
    (codes.AXIS, "concat", [(8, 3), (8, 3)], {"axis": 2}),
    (codes.AXIS, "permute", [(8, 3)], {"order": [1, 3]}),
    (codes.ELEMENTS_DIFFER, "reshape", [(7, 7, 3)], {"shape": [7, 22]}),
    (codes.ELEMENTS_DIFFER, "reshape", [(7, 7, 3)], {"shape": [4, -1]}),
    (codes.COMBINATION, "conv", [(9, 9, 3)], {"filters": 1, "stride": 2, "dilation": 2}),
    (codes.COMBINATION, "conv", [(9, 9, 3)], {"filters": 1, "padding": "causal"}),
    (codes.COMBINATION, "depthwise_conv", [(9, 9, 3)], {"stride": [1, 2]}),
    (codes.COMBINATION, "crop", [(9, 9, 3)], {}),
    (codes.COMBINATION, "conv_transpose", [(9, 9, 3)], {"filters": 1, "stride": 2, "output_padding": 2}),
    (codes.COMBINATION, "conv_transpose", [(9, 9, 3)], {"filters": 1, "stride": 2, "padding": "same", "output_padding": 0}),
    (codes.COMBINATION, "upsample", [(9, 3)], {"interpolation": "bilinear"}),
    (codes.WRONG_VALUE, "conv", [(9, 9, 3)], {"filters": 1, "kernel": [3]}),
    (codes.WRONG_VALUE, "lrn", [(9, 9, 3)], {"size": 4}),
    (codes.WRONG_VALUE, "reshape", [(9, 9, 3)], {"shape": [-1, -1]}),
    (codes.WRONG_VALUE, "rescale", [(9, 9, 3)], {"offset": [1.0, 2.0]}),
    (codes.SHAPES_DIFFER, "add", [(28, 28, 128), (28, 28, 64)], {}),
    (codes.SHAPES_DIFFER, "multiply", [(28, 28, 128), (64,)], {}),
    (codes.SHAPES_DIFFER, "concat", [(28, 28, 128), (14, 14, 64)], {}),
    (codes.SHAPES_DIFFER, "concat", [(28, 28, 128), (128,)], {}),
    (codes.BROADCAST, "add", [(28, 28, 8), (1, 1, 8)], {}),
    (codes.BROADCAST, "multiply", [(28, 28, 8), (28, 28, 1)], {}),
]


@pytest.mark.parametrize(("code", "name", "shapes", "values"), WRONG)
def test_mistakes(code: Any, name: str, shapes: list[Shape], values: dict[str, Any]) -> None:
    """Each mistake is found once, with its code, a message in lower case without a full stop, and a hint."""
    found = problems(name, *shapes, **values)
    assert [one.code for one in found] == [code]
    problem = found[0]
    assert problem.warning == code.id.startswith("W")
    assert problem.help and problem.message[0].islower() + (problem.message[0] == "`") + problem.message[0].isdigit()
    assert not problem.message.endswith(".")


def test_messages() -> None:
    """The arithmetic is shown, and inputs can be called by name."""
    [problem] = problems("conv", (3, 9, 1), filters=3, kernel=5, padding=[[0, 1], 0])
    assert problem.message == ("the window of `conv` is 5 along the height, but the padded input has 3 + 0 + 1 = 4")
    [problem] = problems("add", (28, 28, 128), (28, 28, 64))
    assert problem.label.format("residual", "shortcut") == "residual is 28x28x128, shortcut is 28x28x64"
    assert problem.projects
    [problem] = problems("reshape", (7, 7, 3), shape=[7, 22])
    assert problem.message == "`reshape` cannot make 7x22 of 7x7x3: its 147 elements are not 154"


def test_gates_are_silent() -> None:
    """`multiply` stretches C and 1x1xC over space without a word."""
    assert not problems("multiply", (28, 28, 8), (1, 1, 8))
    assert not problems("multiply", (8,), (28, 28, 8))
    assert not problems("multiply", (None, 28, 8), (28, 28, 8), (8,))
    assert not problems("add", (None, 28, 8), (28, 28, 8))


def with_defaults(operator: type[Operator]) -> dict[str, Any]:
    return {one.name: EXAMPLES.get((operator.name, one.name), one.default) for one in fields_of(operator)}


EXAMPLES: dict[tuple[str, str], Any] = {
    ("input", "shape"): [8, 8, 3],
    **{(name, "filters"): 8 for name in ("conv", "separable_conv", "conv_transpose")},
    ("adaptive_avg_pool", "size"): 2,
    ("dense", "units"): 10,
    ("embedding", "vocabulary"): 10,
    ("embedding", "size"): 3,
    ("reshape", "shape"): [64, 3],
    ("permute", "order"): [2, 1, 3],
    ("pad", "amounts"): [1, [0, 1]],
    ("pad_channels", "filters"): 8,
    ("resize", "size"): [4, 4],
    ("select", "channels"): [0, 1],
    ("channel_shuffle", "groups"): 3,
    ("depth_to_space", "block"): 2,
    ("space_to_depth", "block"): 2,
    ("gaussian_noise", "stddev"): 0.1,
    ("keras", "class"): "Dropout",
    ("keras", "config"): {"rate": 0.5},
    ("keras", "weights"): [],
    ("layer", "class"): "a.b:C",
    ("layer", "config"): {},
    ("layer", "weights"): [],
}


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator(name: str) -> None:
    """Fields have docs and schemas that their defaults satisfy; operators are hashable and equal by value."""
    operator = OPERATORS[name]
    assert operator.name == name and operator.__doc__ and "frozen" not in operator.__doc__
    values = with_defaults(operator)
    assert set(operator.positional) <= set(values)
    for field in fields_of(operator):
        jsonschema.Draft202012Validator.check_schema(field.kind.schema)
        assert "$ref" not in str(field.kind.schema) and field.doc.endswith(".") and field.kind.name
        jsonschema.validate(values[field.name], field.kind.schema)
        if "boolean" not in str(field.kind.schema):
            assert list(jsonschema.Draft202012Validator(field.kind.schema).iter_errors(True))
    made = make(operator, values)
    assert made == make(operator, values) and hash(made) == hash(make(operator, values))
    assert list(made.attributes()) == [one.name for one in fields_of(operator)]
    assert set(made.non_default()) <= set(values)


@pytest.mark.parametrize(
    ("name", "attribute", "value"),
    [
        ("conv", "filters", 0),
        ("conv", "kernel", [3, 0]),
        ("conv", "kernel", []),
        ("conv", "padding", "SAME"),
        ("conv", "padding", -1),
        ("conv", "padding", [[1, 2, 3]]),
        ("max_pool", "padding", "causal"),
        ("conv", "activation", "rellu"),
        ("dropout", "rate", 1),
        ("dropout", "rate", -0.1),
        ("select", "channels", [-1]),
        ("batch_norm", "epsilon", 0),
        ("normalize", "variance", [1.0, 0.0]),
        ("keras", "class", "os:system"),
        ("layer", "class", "package.module"),
    ],
)
def test_schemas_refuse(name: str, attribute: str, value: Any) -> None:
    """Values out of range are refused by the attribute's own fragment."""
    [field] = [one for one in fields_of(OPERATORS[name]) if one.name == attribute]
    assert list(jsonschema.Draft202012Validator(field.kind.schema).iter_errors(value))


SHAPES: list[Shape] = [
    (),
    (1,),
    (6,),
    (None,),
    (4, 6),
    (None, 6),
    (4, None),
    (5, 4, 6),
    (None, None, 6),
    (5, 4, None),
    (1, 1, 1),
    (3, 4, 5, 6),
    (None, 4, None, 6),
    (2, 3, 4, 5, 6),
    (None, None, None, None),
]
VARIATIONS: dict[str, list[Any]] = {
    "kernel": [1, 3, [2, 1], [1, 1, 5]],
    "stride": [1, 2, [1, 2]],
    "padding": ["same", "valid", 1, [[0, 1], 1], "causal"],
    "dilation": [2, [1, 2]],
    "size": [1, 3, [2, 2]],
    "rounding": ["ceil"],
    "groups": [1, 2, 3],
    "parts": [2, [2, 4]],
    "axis": ["height", "length", "channels", 0, -1, 7],
    "start": [-2, 9],
    "stop": [-1, 1],
    "amounts": [1, [1, [0, 2]], None],
    "to": [1, [2, 3], 9],
    "mode": ["reflect", "symmetric"],
    "shape": [[-1], [6], [2, -1], [0]],
    "order": [[1], [2, 1], [1, 3, 2]],
    "output_padding": [0, 1, [0, 1]],
    "mean": [[0.5] * 6],
    "shared": [False],
    "interpolation": ["bilinear"],
}


@pytest.mark.parametrize("name", [one for one in OPERATORS if one != "input"])
def test_no_shape_is_a_surprise(name: str) -> None:
    """Whatever the shapes and values: problems, or sound shapes, weights, costs and windows; never a traceback."""
    operator = OPERATORS[name]
    base = with_defaults(operator)
    fields = {one.name: one.kind.schema for one in fields_of(operator)}
    variants = [base]
    for key, values in VARIATIONS.items():
        if key in fields:
            allowed = jsonschema.Draft202012Validator(fields[key])
            variants += [{**one, key: value} for one in variants[:12] for value in values if allowed.is_valid(value)]
    for values in variants:
        made = make(operator, values)
        for shapes in inputs_for(operator):
            if [one for one in made.check(shapes) if not one.warning]:
                continue
            outputs = made.shapes(shapes)
            assert all(size is None or size >= 1 for one in outputs for size in one), (values, shapes, outputs)
            assert all(one.size >= 1 for one in made.weights(shapes))
            macs = made.macs(shapes, outputs)
            assert macs is None or macs >= 0
            made.window(shapes)


def inputs_for(operator: type[Operator]) -> list[tuple[Shape, ...]]:
    if operator.arity[0] < 2:
        return [(one,) for one in SHAPES]
    return [(one, other) for one in SHAPES for other in SHAPES]
