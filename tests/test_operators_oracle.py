"""Real Keras agrees with what operators say of themselves and with what they are lowered to."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from archc.backends.keras.config import config_text
from archc.backends.keras.layers import KerasModel
from archc.backends.keras.lowering import LOWERINGS, lower
from archc.diagnostics import Origin, Source, Span
from archc.graph.graph import Graph, Group, Node, Tensor
from archc.operators import OPERATORS, Operator, Shape, make
from tests.references import REFERENCES

np = pytest.importorskip("numpy")
ORIGIN = Origin(Span(Source("test", ""), 0, 0))
ROOT = Group("network", "", "network", None)


def graph_of(
    operator: Operator, *inputs: Shape, calls: int = 1, trainable: bool = True, dtype: str = "float32"
) -> Graph:
    """A network of one operation; with several calls, each reads inputs of its own and shares its weights."""
    nodes: list[Node] = []
    sources: list[int] = []
    outputs: list[tuple[str, Tensor]] = []
    first: int | None = None
    for call in range(calls):
        read: list[Tensor] = []
        for number, shape in enumerate(inputs[call::calls] if calls > 1 else inputs):
            source = OPERATORS["input"]
            index = len(nodes)
            made = make(source, {"shape": list(shape), "dtype": dtype})
            nodes.append(Node(index, f"in{call}_{number}", made, (), (), (shape,), ORIGIN, ROOT))
            sources.append(index)
            read.append(Tensor(index))
        shapes = tuple(nodes[one.node].shape for one in read)
        assert not [one for one in operator.check(shapes) if not one.warning]
        index = len(nodes)
        made = operator.shapes(shapes)
        node = Node(index, "op", operator, tuple(read), shapes, made, ORIGIN, ROOT, trainable=trainable, shared=first)
        first = index if first is None else first
        nodes.append(node)
        outputs += [(f"out{call}_{number}", Tensor(index, number)) for number in range(len(made))]
    return Graph("net", "", "", "", {}, tuple(nodes), tuple(sources), tuple(outputs), ROOT)


def loaded(lowered: KerasModel) -> Any:
    """The model as plain Keras makes it from our config."""
    import keras

    return keras.models.model_from_json(config_text(lowered))


def case(name: str, shape: Shape | list[Shape], /, **values: Any) -> Any:
    shapes = shape if isinstance(shape, list) else [shape]
    words = [f"{key}={value}" for key, value in values.items()]
    return pytest.param(name, shapes, values, id=" ".join([name, *map(str, shapes), *words]).replace(" ", ""))


IMAGE = (12, 10, 4)
PER_RANK: list[Shape] = [(9, 4), (9, 8, 4), (6, 7, 5, 4)]
OPEN: list[Shape] = [(None, 4), (None, None, 4), (None, 7, None, 4)]


def windows() -> list[Any]:
    """Convolutions and pools over ranks, kernels, strides and paddings."""
    found: list[Any] = []
    for shape, kernel, stride, padding in itertools.product(PER_RANK, (1, 2, 3), (1, 2), ("same", "valid", 1)):
        if padding == 1 and kernel == 1:
            continue
        found.append(case("conv", shape, filters=6, kernel=kernel, stride=stride, padding=padding))
        found.append(case("conv_transpose", shape, filters=6, kernel=kernel, stride=stride, padding=padding))
        if len(shape) < 4:
            found.append(case("depthwise_conv", shape, kernel=kernel, stride=stride, padding=padding, multiplier=2))
            found.append(case("separable_conv", shape, filters=5, kernel=kernel, stride=stride, padding=padding))
        for rounding in ("floor", "ceil"):
            options: dict[str, Any] = {"size": kernel, "stride": stride, "padding": padding, "rounding": rounding}
            found.append(case("max_pool", shape, **options))
            found += [case("avg_pool", shape, **options, count_include_pad=one) for one in (True, False)]
    return found


CASES = [
    *windows(),
    *[case("conv", shape, filters=4, kernel=3, padding="same", activation="swish") for shape in OPEN],
    *[case("conv", shape, filters=4, kernel=3, stride=2, padding=1) for shape in OPEN],
    *[case("max_pool", shape, size=3, stride=2, padding=1) for shape in OPEN],
    *[case("avg_pool", shape, size=3, stride=2, padding=1, count_include_pad=False) for shape in OPEN],
    case("conv", (9, 4), filters=4, kernel=3, padding="causal", dilation=2),
    case("conv", IMAGE, filters=8, kernel=[3, 5], stride=[2, 1], padding=[1, [2, 0]], groups=2, bias=False),
    case("conv", IMAGE, filters=8, kernel=3, dilation=2, kernel_initializer="he_normal", bias_initializer="ones"),
    case("conv_transpose", IMAGE, filters=8, kernel=3, stride=2, padding=1, output_padding=1, groups=4),
    case("conv_transpose", IMAGE, filters=8, kernel=3, stride=2, padding="valid", groups=2, bias=False),
    case("conv_transpose", IMAGE, filters=8, kernel=3, stride=2, padding="same", output_padding=1),
    case("conv_transpose", (5, 4), filters=8, kernel=2, stride=3),
    case("conv_transpose", IMAGE, filters=8, kernel=3, padding=1, groups=2, activation="softmax"),
    case("conv_transpose", IMAGE, filters=8, kernel=3, groups=2, activation="log_softmax"),
    case("conv_transpose", IMAGE, filters=8, kernel=3, dilation=2),
    *[case(name, shape) for name in ("global_avg_pool", "global_max_pool") for shape in [*PER_RANK, *OPEN]],
    *[case(name, IMAGE, keep_dims=True) for name in ("global_avg_pool", "global_max_pool")],
    *[case("adaptive_avg_pool", shape, size=3) for shape in PER_RANK],
    *[case("dense", shape, units=7, activation="tanh") for shape in [(4,), *PER_RANK, *OPEN]],
    case("dense", (4,), units=7, bias=False),
    *[case("batch_norm", shape) for shape in [(4,), *PER_RANK, *OPEN]],
    case("batch_norm", IMAGE, momentum=0.9, epsilon=1e-5, scale=False),
    case("batch_norm", IMAGE, center=False, gamma_initializer="zeros"),
    *[case(name, shape) for name in ("layer_norm",) for shape in [(4,), *PER_RANK, *OPEN]],
    case("layer_norm", IMAGE, center=False, epsilon=1e-6),
    *[case("group_norm", shape, groups=2) for shape in [*PER_RANK, *OPEN]],
    *[case("instance_norm", shape) for shape in [*PER_RANK, *OPEN]],
    case("instance_norm", IMAGE, epsilon=1e-5, center=False, scale=False),
    *[
        case("lrn", shape, size=size, divide=divide)
        for shape in [(6,), *PER_RANK, *OPEN]
        for size, divide in ((3, False), (5, True))
    ],
    *[case("scale", shape, initial=0.5, bias=bias) for shape in [(4,), *PER_RANK, *OPEN] for bias in (True, False)],
    case("rescale", IMAGE, factor=0.5, offset=[1.0, 2.0, 3.0, 4.0]),
    case("rescale", IMAGE, factor=2),
    case("normalize", IMAGE, mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 2.0, 3.0, 4.0]),
    case("normalize", IMAGE, mean=[1.0, 2.0, 3.0, 4.0], variance=2.0),
    case("normalize", IMAGE, mean=0.5, variance=2.0),
    *[case("normalize", shape, adapt=True) for shape in [(4,), *PER_RANK, *OPEN]],
    *[
        case(name, shape)
        for name, one in OPERATORS.items()
        if one.role.value == "activation"
        for shape in [(4,), IMAGE]
    ],
    case("relu", IMAGE, max_value=6, negative_slope=0.1, threshold=0.5),
    case("prelu", IMAGE, shared=False),
    case("softmax", IMAGE, axis="height"),
    *[
        case(name, [IMAGE, IMAGE])
        for name in ("add", "subtract", "multiply", "average", "maximum", "minimum", "concat")
    ],
    *[case(name, [IMAGE, IMAGE, IMAGE]) for name in ("add", "multiply", "average", "maximum", "minimum", "concat")],
    *[case(name, [IMAGE, (1, 1, 4)]) for name in ("add", "subtract", "multiply", "average", "maximum", "minimum")],
    case("multiply", [IMAGE, (4,)]),
    case("multiply", [(4,), IMAGE]),
    case("multiply", [(None, None, 4), (1, 1, 4)]),
    case("add", [(None, None, 4), IMAGE]),
    case("concat", [(12, 10, 3), IMAGE]),
    case("concat", [(None, None, 3), IMAGE]),
    case("concat", [IMAGE, (None, None, 3)]),
    case("concat", [(12, None, 4), IMAGE], axis="width"),
    case("concat", [(3, 10, 4), IMAGE], axis="height"),
    *[case("flatten", shape) for shape in [(4,), *PER_RANK, (None, 5, 4)]],
    case("reshape", IMAGE, shape=[-1, 4]),
    case("reshape", IMAGE, shape=[480]),
    case("reshape", (None, 10, 4), shape=[-1, 4]),
    case("permute", IMAGE, order=[3, 1, 2]),
    *[case("pad", shape, amounts=2) for shape in [*PER_RANK, *OPEN]],
    case("pad", IMAGE, amounts=0),
    case("pad", IMAGE, amounts=[[0, 1], 2]),
    *[case("pad", IMAGE, amounts=[1, [2, 0]], mode=mode) for mode in ("reflect", "symmetric")],
    *[case("pad_channels", shape, filters=7) for shape in [(4,), *PER_RANK, *OPEN]],
    case("pad_channels", IMAGE, filters=4),
    *[case("crop", shape, amounts=1) for shape in [*PER_RANK, *OPEN]],
    case("crop", IMAGE, to=[7, 6]),
    *[case("upsample", shape, size=2) for shape in [*PER_RANK, *OPEN]],
    case("upsample", IMAGE, size=[2, 3], interpolation="bilinear"),
    case("resize", IMAGE, size=[5, 20]),
    case("resize", (None, None, 3), size=7, interpolation="nearest"),
    case("select", IMAGE, channels=[3, 0]),
    case("select", (None, None, 4), channels=[0, 1]),
    case("split", IMAGE, parts=2),
    case("split", (None, None, 4), parts=[1, 3]),
    case("split", IMAGE, parts=[4]),
    case("slice", IMAGE, start=1),
    case("slice", IMAGE, start=1, stop=-1),
    case("slice", IMAGE, stop=3),
    case("slice", IMAGE, axis="height", start=2, stop=-1),
    case("slice", IMAGE, axis="width", step=2),
    case("slice", IMAGE),
    case("slice", (6, 4), axis="length", stop=1),
    *[case("channel_shuffle", shape, groups=2) for shape in [(4,), *PER_RANK, *OPEN]],
    *[
        case("depth_to_space", shape, block=2, order=order)
        for shape in [(5, 4), (None, 4), (3, 5, 8), (None, 3, 8), (2, 3, 4, 16)]
        for order in ("positions", "channels")
    ],
    *[
        case("space_to_depth", shape, block=2, order=order)
        for shape in [(6, 3), (None, 3), (6, 4, 3), (6, None, 3), (4, 2, 6, 3)]
        for order in ("positions", "channels")
    ],
    case("conv", IMAGE, filters=8, kernel=3, kernel_initializer={"scale": 2, "mode": "fan_out"}),
    case("dense", (4,), units=7, kernel_initializer={"scale": 0.5, "mode": "fan_avg", "distribution": "uniform"}),
    case("dropout", IMAGE, rate=0.3),
    *[case("spatial_dropout", shape) for shape in PER_RANK],
    *[case("drop_path", shape, rate=0.2) for shape in [(4,), IMAGE]],
    case("gaussian_noise", IMAGE, stddev=0.1),
    case("gaussian_dropout", IMAGE),
    case("identity", IMAGE),
    case("keras", IMAGE, **{"class": "UnitNormalization", "config": {"axis": [-1]}}),
    case(
        "keras",
        (5, 4),
        **{
            "class": "SimpleRNN",
            "config": {"units": 3},
            "output": [3],
            "weights": [[4, 3], [3, 3], [3]],
        },
    ),
]


@pytest.mark.keras
@pytest.mark.parametrize(("name", "shapes", "values"), CASES)
def test_keras_agrees(name: str, shapes: list[Shape], values: dict[str, Any]) -> None:
    """Plain Keras loads the layers; their shapes, weights and configs are the ones that we state."""
    operator = make(OPERATORS[name], values)
    graph = graph_of(operator, *shapes)
    lowered = lower(graph)
    model = loaded(lowered)
    node = graph.nodes[-1]
    assert [tuple(one.shape[1:]) for one in model.outputs] == list(node.shapes)
    expected = [(one.shape, one.trainable) for one in node.weights]
    assert [(tuple(one.shape), one.trainable) for one in model.weights] == expected
    assert model.count_params() == sum(one.size for one in node.weights)
    for layer in lowered.layers:
        real = operation(model, layer.name)
        if name != "keras":
            assert without_name(real.get_config()) == dict(layer.config), layer.class_name
    check_intermediate_shapes(lowered, model)
    check_fans(model, node)
    if name not in ("keras", "embedding"):
        assert entries(model.to_json()) == entries(config_text(lowered))


def entries(text: str) -> list[dict[str, Any]]:
    """The layers of a model's JSON, without the shapes that they are built with."""
    found = json.loads(text)["config"]["layers"]
    return [{key: value for key, value in one.items() if key != "build_config"} for one in found]


def operation(model: Any, name: str) -> Any:
    """A layer or operation; `get_layer` finds layers only."""
    return next(one for one in model.operations if one.name == name)


def without_name(config: dict[str, Any]) -> dict[str, Any]:
    import keras

    left = {key: value for key, value in config.items() if key not in ("name", "trainable")}
    if "trainable" in config and "batch_shape" not in config:
        left.pop("dtype", None)
    return json.loads(json.dumps(keras.saving.serialize_keras_object(left)))


def check_intermediate_shapes(lowered: KerasModel, model: Any) -> None:
    for layer in lowered.layers:
        real = operation(model, layer.name)
        outputs = real.output if isinstance(real.output, (list, tuple)) else [real.output]
        assert [tuple(one.shape[1:]) for one in outputs] == list(layer.calls[0].shapes), layer.name


def check_fans(model: Any, node: Node) -> None:
    from keras.src.initializers.random_initializers import compute_fans

    for weight in node.weights:
        assert compute_fans(weight.shape) == (weight.fan_in, weight.fan_out)


def test_every_operator_has_a_lowering() -> None:
    """LOWERINGS lists the operators in the order of OPERATORS, none missing."""
    assert list(LOWERINGS) == list(OPERATORS.values())


def test_every_operator_has_a_case() -> None:
    """An operator that is added joins the oracle's table."""
    covered = {one.values[0] for one in CASES}
    assert set(OPERATORS) - covered == {"input", "embedding", "layer"}


@pytest.mark.keras
def test_embedding() -> None:
    """A vector for each whole number."""
    model = loaded(lower(graph_of(make(OPERATORS["embedding"], {"vocabulary": 9, "size": 3}), (5,), dtype="int32")))
    assert model(np.zeros((2, 5), "int32")).shape == (2, 5, 3)
    assert model.count_params() == 27


def run(name: str, *arrays: Any, model: Callable[[Any], None] | None = None, **values: Any) -> Any:
    """The output of one operator on arrays without a batch axis (an example is a batch of one)."""
    operator = make(OPERATORS[name], values)
    built = loaded(lower(graph_of(operator, *[one.shape for one in arrays])))
    if model:
        model(built)
    result = built([one[None] for one in arrays] if len(arrays) > 1 else arrays[0][None])
    return [np.asarray(one)[0] for one in result] if isinstance(result, (list, tuple)) else np.asarray(result)[0]


@pytest.mark.keras
@pytest.mark.parametrize("name", ["depth_to_space", "space_to_depth"])
@pytest.mark.parametrize("order", ["positions", "channels"])
@pytest.mark.parametrize("shape", [(6, 8), (4, 6, 8), (2, 4, 2, 8)])
def test_space_and_depth(name: str, order: str, shape: tuple[int, ...]) -> None:
    """Every value is where the docs say; one undoes the other."""
    x = drawn(*shape)
    values = {"block": 2, "order": order}
    y = run(name, x, **values)
    assert np.array_equal(y, REFERENCES[name](values, x))
    back = {"depth_to_space": "space_to_depth", "space_to_depth": "depth_to_space"}[name]
    assert np.array_equal(run(back, y, **values), x)


def test_the_orders_of_depth() -> None:
    """TensorFlow's and PyTorch's documented examples: a position with the channels 0 to 7 becomes a square of two channels."""
    x = np.arange(8).reshape(1, 1, 8)
    assert REFERENCES["depth_to_space"]({"block": 2, "order": "positions"}, x)[..., 0].tolist() == [[0, 2], [4, 6]]
    assert REFERENCES["depth_to_space"]({"block": 2, "order": "channels"}, x)[..., 0].tolist() == [[0, 1], [2, 3]]


def drawn(*shape: int) -> Any:
    return np.random.default_rng(7).normal(size=shape).astype("float32")


@pytest.mark.keras
@pytest.mark.parametrize("divide", [False, True])
@pytest.mark.parametrize("size", [1, 3, 5, 7])
@pytest.mark.parametrize("shape", [(5,), (4, 6), (3, 4, 7), (2, 3, 4, 5)])
def test_lrn_is_the_formula(shape: tuple[int, ...], size: int, divide: bool) -> None:
    """Every value is divided by the power of the sum over its neighbouring channels."""
    x = drawn(*shape) * 50
    y = np.empty_like(x, dtype="float64")
    for channel in range(shape[-1]):
        near = x[..., max(0, channel - size // 2) : channel + size // 2 + 1].astype("float64")
        total = (near**2).sum(-1) * (1e-4 / size if divide else 1e-4)
        y[..., channel] = x[..., channel] / (2.0 + total) ** 0.75
    np.testing.assert_allclose(run("lrn", x, size=size, divide=divide), y, rtol=2e-6)


@pytest.mark.keras
@pytest.mark.parametrize(("divide", "value"), [(False, 23.2368), (True, 43.8691)])
def test_lrn_conventions(divide: bool, value: float) -> None:
    """Five channels of 100 with the paper's constants, alpha as in the paper and divided as in Caffe."""
    result = run("lrn", np.full((1, 1, 5), 100, "float32"), divide=divide)
    assert result[0, 0, 2] == pytest.approx(value, abs=5e-5)


def pooled(x: Any, size: int, stride: int, pad: int, ceil: bool, mode: str) -> Any:
    """Pooling of a matrix of channels by its definition, as Caffe and PyTorch have it."""

    def starts(length: int) -> list[int]:
        last = length + 2 * pad - size
        count = (-(-last // stride) if ceil else last // stride) + 1
        if ceil and (count - 1) * stride >= length + pad:
            count -= 1
        return [one * stride - pad for one in range(count)]

    rows, columns = starts(x.shape[0]), starts(x.shape[1])
    y = np.empty((len(rows), len(columns), x.shape[2]))
    for (i, top), (j, left) in itertools.product(enumerate(rows), enumerate(columns)):
        part = x[max(0, top) : top + size, max(0, left) : left + size].astype("float64")
        if mode == "max":
            y[i, j] = part.max((0, 1))
            continue
        height = min(top + size, x.shape[0] + pad) - top
        width = min(left + size, x.shape[1] + pad) - left
        count = height * width if mode == "include" else part.shape[0] * part.shape[1]
        y[i, j] = part.sum((0, 1)) / count
    return y


@pytest.mark.keras
@pytest.mark.parametrize("shape", [(7, 8, 2), (6, 11, 2), (4, 4, 1)])
@pytest.mark.parametrize(("size", "stride", "pad"), [(2, 2, 0), (3, 2, 0), (3, 2, 1), (2, 3, 1), (3, 3, 1), (3, 1, 2)])
@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("mode", ["max", "include", "exclude"])
def test_pools_with_borders(shape: tuple[int, ...], size: int, stride: int, pad: int, ceil: bool, mode: str) -> None:
    """Numeric padding and rounding up give each window's value by definition, for negative values too."""
    x = drawn(*shape) - 3
    values: dict[str, Any] = {"size": size, "stride": stride, "padding": pad, "rounding": "ceil" if ceil else "floor"}
    name = "max_pool" if mode == "max" else "avg_pool"
    if mode != "max":
        values["count_include_pad"] = mode == "include"
    np.testing.assert_allclose(run(name, x, **values), pooled(x, size, stride, pad, ceil, mode), rtol=1e-5)


@pytest.mark.keras
@pytest.mark.parametrize(("pad", "stride", "kernel"), [(1, 1, 3), (1, 2, 3), (3, 2, 7), (2, 1, 3)])
def test_numeric_padding_pads_both_sides(pad: int, stride: int, kernel: int) -> None:
    """A convolution with a number is the one without padding on an input with zeros around it."""
    import keras

    x, w = drawn(9, 8, 3), drawn(kernel, kernel, 3, 2)
    padded = np.pad(x, ((pad, pad), (pad, pad), (0, 0)))
    wanted = np.asarray(keras.ops.conv(padded[None], w, strides=stride, padding="valid"))[0]
    got = run(
        "conv",
        x,
        filters=2,
        kernel=kernel,
        stride=stride,
        padding=pad,
        bias=False,
        model=lambda model: model.set_weights([w]),
    )
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.keras
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(("stride", "pad", "extra"), [(1, 0, 0), (2, 1, 1), (2, 0, 1), (3, 1, 0), (3, 1, 2)])
def test_conv_transpose_is_the_scatter(groups: int, stride: int, pad: int, extra: int) -> None:
    """Every input adds its multiple of the kernel to the result, which a number then crops."""
    x, kernels = drawn(4, 5, 4), [drawn(3, 3, 3, 4 // groups) + index for index in range(groups)]
    full = np.zeros((3 * stride + 3 + extra, 4 * stride + 3 + extra, 3 * groups))
    for (i, j), group in itertools.product(itertools.product(range(4), range(5)), range(groups)):
        values = x[i, j, group * 4 // groups : (group + 1) * 4 // groups]
        full[i * stride : i * stride + 3, j * stride : j * stride + 3, group * 3 : group * 3 + 3] += (
            kernels[group] @ values
        )
    wanted = full[pad : full.shape[0] - pad, pad : full.shape[1] - pad]
    got = run(
        "conv_transpose",
        x,
        filters=3 * groups,
        kernel=3,
        stride=stride,
        padding=pad,
        output_padding=extra,
        groups=groups,
        bias=False,
        model=lambda model: model.set_weights(kernels),
    )
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.keras
def test_values_of_reshaping() -> None:
    """Operators that move values, against their definition in NumPy."""
    x = drawn(6, 5, 4)
    np.testing.assert_array_equal(run("channel_shuffle", x, groups=2), x[..., [0, 2, 1, 3]])
    np.testing.assert_array_equal(run("select", x, channels=[3, 1]), x[..., [3, 1]])
    np.testing.assert_array_equal(run("slice", x, start=1, stop=3), x[..., 1:3])
    np.testing.assert_array_equal(run("slice", x, axis="height", start=-3, step=2), x[-3::2])
    np.testing.assert_array_equal(run("slice", x, axis="width", start=1, stop=-1), x[:, 1:-1])
    np.testing.assert_array_equal(run("crop", x, to=[3, 2]), x[1:4, 1:3])
    np.testing.assert_array_equal(run("pad", x, amounts=[1, [0, 2]]), np.pad(x, ((1, 1), (0, 2), (0, 0))))
    np.testing.assert_array_equal(run("pad_channels", x, filters=7), np.pad(x, ((0, 0), (0, 0), (0, 3))))
    np.testing.assert_array_equal(run("abs", x), np.abs(x))
    for mode in ("reflect", "symmetric"):
        wanted = np.pad(x, ((2, 2), (2, 2), (0, 0)), mode=mode)
        np.testing.assert_array_equal(run("pad", x, amounts=2, mode=mode), wanted)
    for got, wanted in zip(run("split", x, parts=[1, 3]), (x[..., :1], x[..., 1:]), strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.keras
@pytest.mark.parametrize(("length", "size"), [(5, 3), (7, 7), (9, 4), (3, 5)])
def test_adaptive_windows(length: int, size: int) -> None:
    """Windows run from the floor to the ceiling of the even parts."""
    x = drawn(length, 2)
    bounds = [(at * length // size, -(-(at + 1) * length // size)) for at in range(size)]
    wanted = [x[start:stop].mean(0) for start, stop in bounds]
    np.testing.assert_allclose(run("adaptive_avg_pool", x, size=size), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.keras
def test_values_of_scales() -> None:
    """Constants and learned factors per channel."""
    x = drawn(6, 5, 4)
    four = np.arange(1, 5, dtype="float32")
    np.testing.assert_allclose(run("scale", x, initial=0.5), x * 0.5, rtol=1e-6)
    set_both = [four, -four]
    got = run("scale", x, bias=True, model=lambda model: model.set_weights(set_both))
    np.testing.assert_allclose(got, x * four - four, rtol=1e-5, atol=1e-6)
    got = run("rescale", x, factor=four.tolist(), offset=1)
    np.testing.assert_allclose(got, x * four + 1, rtol=1e-5, atol=1e-6)
    got = run("normalize", x, mean=four.tolist(), variance=4.0)
    np.testing.assert_allclose(got, (x - four) / 2, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run("multiply", x, four), x * four, rtol=1e-6)
    np.testing.assert_allclose(run("prelu", x), np.where(x > 0, x, 0.25 * x), rtol=1e-6)


@pytest.mark.keras
def test_drop_path_drops_whole_examples() -> None:
    """In inference it is the identity; in training an example is dropped or divided by the rate of survival."""
    model = loaded(lower(graph_of(make(OPERATORS["drop_path"], {"rate": 0.5}), (3, 3, 2))))
    x = np.ones((64, 3, 3, 2), "float32")
    np.testing.assert_array_equal(model(x), x)
    kept = np.asarray(model(x, training=True)).reshape(64, -1)
    assert {tuple(np.unique(one)) for one in kept} == {(0.0,), (2.0,)}


@pytest.mark.keras
@pytest.mark.parametrize("values", [{"padding": 1}, {"padding": "same"}, {"padding": 2, "stride": 2}])
def test_shared_weights_are_one_layer(values: dict[str, Any]) -> None:
    """Two calls on inputs of two sizes: one layer with weights, two calls, each with its own zeros around it."""
    operator = make(OPERATORS["conv"], {"filters": 2, "kernel": 3, **values})
    graph = graph_of(operator, (8, 8, 3), (5, 7, 3), calls=2)
    lowered = lower(graph)
    weighted = [one for one in lowered.layers if one.weights]
    assert [(one.name, len(one.calls)) for one in weighted] == [("op", 2)]
    assert len({one.name for one in lowered.layers}) == len(lowered.layers)
    model = loaded(lowered)
    assert model.count_params() == 56
    graph_shapes = [graph.shape(tensor) for _, tensor in graph.outputs]
    assert [tuple(one.shape[1:]) for one in model.outputs] == graph_shapes


@pytest.mark.keras
def test_shared_scale_keeps_sizes() -> None:
    """A layer that serves inputs of two sizes states none; what follows it still knows its own."""
    graph = graph_of(make(OPERATORS["scale"], {}), (8, 8, 3), (5, None, 3), calls=2)
    model = loaded(lower(graph))
    assert [tuple(one.shape[1:]) for one in model.outputs] == [(8, 8, 3), (5, None, 3)]
    assert model.count_params() == 3


def test_part_names() -> None:
    """The part with the weights has the node's own name, else the last part; no two layers share a name."""
    for name, shapes, values in (one.values for one in CASES):
        lowered = lower(graph_of(make(OPERATORS[name], values), *shapes))
        parts = [one for one in lowered.layers if one.class_name != "InputLayer"]
        weighted = [one for one in parts if one.weights]
        assert (weighted[0] if len(weighted) == 1 else parts[-1]).name == "op"
        assert len({one.name for one in parts}) == len(parts)


def test_lowering_is_linear_and_iterative() -> None:
    """A chain of 20,000 nodes is lowered without recursion."""
    first = graph_of(make(OPERATORS["conv"], {"filters": 3, "kernel": 3, "padding": 1}), (8, 8, 3))
    node = first.nodes[1]
    chain = [first.nodes[0]]
    for index in range(1, 20_001):
        chain.append(replace(node, index=index, name=f"op_{index}", inputs=(Tensor(index - 1),)))
    graph = replace(first, nodes=tuple(chain), outputs=(("out", Tensor(20_000)),))
    lowered = lower(graph)
    assert len(lowered.layers) == 20_001
    assert lowered.layers[-1].calls[0].inputs[0].layer == 19_999


@pytest.mark.keras
def test_frozen_weights() -> None:
    """`trainable: false` freezes the layer, moving statistics or not."""
    model = loaded(lower(graph_of(make(OPERATORS["batch_norm"], {}), (4, 4, 3), trainable=False)))
    assert not model.trainable_weights
    assert model.count_params() == 12


@pytest.mark.keras
def test_archives_with_operations_load_in_safe_mode(tmp_path: Any) -> None:
    """Keras saves the composites and loads them with nothing of ours, `safe_mode` on."""
    import keras

    for name, values in (("lrn", {}), ("max_pool", {"size": 3, "stride": 2, "padding": 1}), ("split", {"parts": 2})):
        model = loaded(lower(graph_of(make(OPERATORS[name], values), (7, 7, 4))))
        path = tmp_path / f"{name}.keras"
        model.save(path)
        again = keras.models.load_model(path, safe_mode=True)
        x = drawn(2, 7, 7, 4)
        for one, other in zip(flat(model(x)), flat(again(x)), strict=True):
            np.testing.assert_array_equal(one, other)


def flat(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (list, tuple)) else [result]
