"""The dictionary from operators to Keras: one function each, and `lower`, which applies it to a graph.

Names: where one part of a node holds its weights, that part has the node's own name; else the last part has. The
others have the node's name, `_` and what they do (`conv1_pad`), with a number where that name is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from archc.backends.keras import composites
from archc.backends.keras.layers import KerasCall, KerasLayer, KerasModel, KerasTensor
from archc.backends.keras.parts import (
    Cell,
    Part,
    Ref,
    activation,
    cropping,
    initializer,
    nothing,
    thaw,
    zero_padding,
)
from archc.graph.graph import Graph, Node
from archc.operators import Operator, shape_rules
from archc.operators import activation as act
from archc.operators import merging as merge
from archc.operators.convolution import Conv, ConvTranspose, DepthwiseConv, SeparableConv
from archc.operators.dense import Dense, Embedding
from archc.operators.escape import Identity, Input, KerasEscape, LayerEscape
from archc.operators.normalisation import BatchNorm, GroupNorm, LayerNorm, Lrn, Normalize, Rescale, Scale
from archc.operators.pooling import AdaptiveAvgPool, AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from archc.operators.regularisation import Dropout, DropPath, GaussianDropout, GaussianNoise, SpatialDropout
from archc.operators.reshaping import (
    ChannelShuffle,
    Crop,
    Flatten,
    Pad,
    Permute,
    Reshape,
    Resize,
    Select,
    Slice,
    Split,
    Upsample,
)


def input_(operator: Input, cell: Cell) -> Ref:
    config = {
        "batch_shape": [None, *operator.shape],
        "dtype": operator.dtype,
        "sparse": False,
        "ragged": False,
        "optional": False,
    }
    return cell.layer("InputLayer", config)


def conv(operator: Conv, cell: Cell) -> Ref:
    kernel, stride, dilation = operator.windows(cell.axes)
    source, word = composites.keras_padding(cell, operator.padding, kernel, stride, dilation, cell.shared)
    config = {
        "filters": operator.filters,
        "kernel_size": list(kernel),
        "strides": list(stride),
        "padding": word,
        "data_format": "channels_last",
        "dilation_rate": list(dilation),
        "groups": operator.groups,
        "activation": activation(operator.activation),
        "use_bias": operator.bias,
        "kernel_initializer": initializer(operator.kernel_initializer),
        "bias_initializer": initializer(operator.bias_initializer),
        **nothing(
            "kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint"
        ),
    }
    return cell.layer(f"Conv{cell.axes}D", config, source, weights=cell.node.weights)


def depthwise_conv(operator: DepthwiseConv, cell: Cell) -> Ref:
    kernel, stride, dilation = operator.windows(cell.axes)
    source, word = composites.keras_padding(cell, operator.padding, kernel, stride, dilation, cell.shared)
    config = {
        "depth_multiplier": operator.multiplier,
        "kernel_size": list(kernel),
        "strides": list(stride),
        "padding": word,
        "data_format": "channels_last",
        "dilation_rate": list(dilation),
        "activation": activation(operator.activation),
        "use_bias": operator.bias,
        "depthwise_initializer": initializer(operator.kernel_initializer),
        "bias_initializer": initializer(operator.bias_initializer),
        **nothing(
            "depthwise_regularizer",
            "bias_regularizer",
            "activity_regularizer",
            "depthwise_constraint",
            "bias_constraint",
        ),
    }
    return cell.layer(f"DepthwiseConv{cell.axes}D", config, source, weights=cell.node.weights)


def separable_conv(operator: SeparableConv, cell: Cell) -> Ref:
    kernel, stride, dilation = operator.windows(cell.axes)
    source, word = composites.keras_padding(cell, operator.padding, kernel, stride, dilation, cell.shared)
    config = {
        "depth_multiplier": operator.multiplier,
        "filters": operator.filters,
        "kernel_size": list(kernel),
        "strides": list(stride),
        "padding": word,
        "data_format": "channels_last",
        "dilation_rate": list(dilation),
        "activation": activation(operator.activation),
        "use_bias": operator.bias,
        "depthwise_initializer": initializer(operator.depthwise_initializer),
        "pointwise_initializer": initializer(operator.pointwise_initializer),
        "bias_initializer": initializer(operator.bias_initializer),
        **nothing(
            "depthwise_regularizer",
            "pointwise_regularizer",
            "bias_regularizer",
            "activity_regularizer",
            "depthwise_constraint",
            "pointwise_constraint",
            "bias_constraint",
        ),
    }
    return cell.layer(f"SeparableConv{cell.axes}D", config, source, weights=cell.node.weights)


def global_pool(operator: GlobalAvgPool | GlobalMaxPool, cell: Cell) -> Ref:
    kind = "Average" if isinstance(operator, GlobalAvgPool) else "Max"
    config = {"data_format": "channels_last", "keepdims": operator.keep_dims}
    return cell.layer(f"Global{kind}Pooling{cell.axes}D", config)


def adaptive_avg_pool(operator: AdaptiveAvgPool, cell: Cell) -> Ref:
    size = shape_rules.per_axis(operator.size, cell.axes)
    config = {"output_size": list(size), "data_format": "channels_last"}
    return cell.layer(f"AdaptiveAveragePooling{cell.axes}D", config)


def dense(operator: Dense, cell: Cell) -> Ref:
    config = {
        "units": operator.units,
        "activation": activation(operator.activation),
        "use_bias": operator.bias,
        "kernel_initializer": initializer(operator.kernel_initializer),
        "bias_initializer": initializer(operator.bias_initializer),
        **nothing(
            "kernel_regularizer", "bias_regularizer", "kernel_constraint", "bias_constraint", "quantization_config"
        ),
    }
    return cell.layer("Dense", config, weights=cell.node.weights)


def embedding(operator: Embedding, cell: Cell) -> Ref:
    config = {
        "input_dim": operator.vocabulary,
        "output_dim": operator.size,
        "embeddings_initializer": initializer(operator.initializer),
        **nothing("embeddings_regularizer", "activity_regularizer", "embeddings_constraint"),
        "mask_zero": False,
        "quantization_config": None,
    }
    return cell.layer("Embedding", config, weights=cell.node.weights)


def batch_norm(operator: BatchNorm, cell: Cell) -> Ref:
    config = {
        "axis": -1,
        "momentum": operator.momentum,
        "epsilon": operator.epsilon,
        "center": operator.center,
        "scale": operator.scale,
        "beta_initializer": initializer("zeros"),
        "gamma_initializer": initializer(operator.gamma_initializer),
        "moving_mean_initializer": initializer("zeros"),
        "moving_variance_initializer": initializer("ones"),
        **_UNREGULARISED,
        "synchronized": False,
        "renorm": False,
        "renorm_clipping": None,
        "renorm_momentum": 0.99,
    }
    return cell.layer("BatchNormalization", config, weights=cell.node.weights)


_UNREGULARISED = nothing("beta_regularizer", "gamma_regularizer", "beta_constraint", "gamma_constraint")


def layer_norm(operator: LayerNorm, cell: Cell) -> Ref:
    config = {
        "axis": [-1],
        "epsilon": operator.epsilon,
        "center": operator.center,
        "scale": operator.scale,
        "rms_scaling": False,
        "beta_initializer": initializer("zeros"),
        "gamma_initializer": initializer("ones"),
        **_UNREGULARISED,
    }
    return cell.layer("LayerNormalization", config, weights=cell.node.weights)


def group_norm(operator: GroupNorm, cell: Cell) -> Ref:
    config = {
        "groups": operator.groups,
        "axis": -1,
        "epsilon": operator.epsilon,
        "center": operator.center,
        "scale": operator.scale,
        "beta_initializer": initializer("zeros"),
        "gamma_initializer": initializer("ones"),
        **_UNREGULARISED,
    }
    return cell.layer("GroupNormalization", config, weights=cell.node.weights)


def scale(operator: Scale, cell: Cell) -> Ref:
    """A product that is written as one along the channels, since Keras has no layer for it alone."""
    axes = "abcdefgh"[: len(cell.shape) + 1]
    config = {
        "output_shape": [*[None] * cell.axes, cell.shape[-1]] if cell.shared else list(cell.shape),
        "equation": f"{axes},{axes[-1]}->{axes}",
        "activation": "linear",
        "bias_axes": axes[-1] if operator.bias else None,
        "kernel_initializer": initializer(f"constant:{float(operator.initial)!r}"),
        "bias_initializer": initializer("zeros"),
        **nothing(
            "kernel_regularizer",
            "bias_regularizer",
            "activity_regularizer",
            "kernel_constraint",
            "bias_constraint",
            "quantization_config",
        ),
    }
    if not cell.shared or cell.shape.count(None) > 1:
        return cell.layer("EinsumDense", config, weights=cell.node.weights)
    open_sizes = (*[None] * cell.axes, cell.shape[-1])
    scaled = cell.layer("EinsumDense", config, weights=cell.node.weights, shape=open_sizes)
    target = [-1 if one is None else one for one in cell.shape]
    return cell.layer("Reshape", {"target_shape": target}, scaled, suffix="sizes")


def rescale(operator: Rescale, cell: Cell) -> Ref:
    return cell.layer("Rescaling", {"scale": thaw(operator.factor), "offset": thaw(operator.offset)})


def normalize(operator: Normalize, cell: Cell) -> Ref:
    if operator.adapt:
        config = {"axis": [-1], "invert": False, "mean": None, "variance": None}
        return cell.layer("Normalization", config, weights=cell.node.weights)
    count = max(len(one) if isinstance(one, tuple) else 0 for one in (operator.mean, operator.variance))

    def listed(value: float | tuple[float, ...]) -> Any:
        if isinstance(value, tuple):
            return [float(one) for one in value]
        return [float(value)] * count if count else float(value)

    config = {
        "axis": [-1] if count else [],
        "invert": False,
        "mean": listed(operator.mean),
        "variance": listed(operator.variance),
    }
    return cell.layer("Normalization", config)


def relu(operator: act.Relu, cell: Cell) -> Ref:
    if not operator.non_default():
        return cell.layer("Activation", {"activation": "relu"})
    largest = None if operator.max_value is None else float(operator.max_value)
    return _relu(cell, largest, float(operator.negative_slope), float(operator.threshold))


def relu6(operator: act.Relu6, cell: Cell) -> Ref:
    return _relu(cell, 6.0, 0.0, 0.0)


def _relu(cell: Cell, largest: float | None, slope: float, threshold: float) -> Ref:
    return cell.layer("ReLU", {"max_value": largest, "negative_slope": slope, "threshold": threshold})


def leaky_relu(operator: act.LeakyRelu, cell: Cell) -> Ref:
    return cell.layer("LeakyReLU", {"negative_slope": operator.slope})


def prelu(operator: act.Prelu, cell: Cell) -> Ref:
    config = {
        "alpha_initializer": initializer(f"constant:{float(operator.initial)!r}"),
        **nothing("alpha_regularizer", "alpha_constraint"),
        "shared_axes": list(range(1, cell.axes + 1)) if operator.shared and cell.axes else None,
    }
    return cell.layer("PReLU", config, weights=cell.node.weights)


def elu(operator: act.Elu, cell: Cell) -> Ref:
    return cell.layer("ELU", {"alpha": operator.alpha})


def softmax(operator: act.Softmax, cell: Cell) -> Ref:
    axis = shape_rules.resolve_axis(operator.axis, cell.shape) or 0
    if axis == cell.axes:
        return cell.layer("Activation", {"activation": "softmax"})
    return cell.layer("Softmax", {"axis": axis + 1})


def plain_activation(operator: Operator, cell: Cell) -> Ref:
    return cell.layer("Activation", {"activation": activation(operator.name)})


def abs_(operator: act.Abs, cell: Cell) -> Ref:
    return cell.operation("Absolute", {})


def merged(operator: Operator, cell: Cell) -> Ref:
    return cell.layer(operator.name.capitalize(), {}, *cell.inputs, as_list=True)


def concat(operator: merge.Concat, cell: Cell) -> Ref:
    axis = shape_rules.resolve_axis(operator.axis, cell.shape) or 0
    place = -1 if axis == cell.axes else axis + 1
    return cell.layer("Concatenate", {"axis": place}, *cell.inputs, as_list=True)


def flatten(operator: Flatten, cell: Cell) -> Ref:
    return cell.layer("Flatten", {"data_format": "channels_last"})


def reshape(operator: Reshape, cell: Cell) -> Ref:
    return cell.layer("Reshape", {"target_shape": list(operator.shape)})


def permute(operator: Permute, cell: Cell) -> Ref:
    return cell.layer("Permute", {"dims": list(operator.order)})


def pad(operator: Pad, cell: Cell) -> Ref:
    pads = operator.pads(cell.shape)
    if operator.mode != "zeros":
        widths = [[0, 0], *[list(one) for one in pads], [0, 0]]
        return cell.operation("Pad", {"pad_width": widths, "mode": operator.mode}, keywords={"constant_values": None})
    if not any(sum(one) for one in pads):
        return cell.layer("Identity", {})
    return zero_padding(cell, cell.inputs[0], pads, cell.shape, "")


def crop(operator: Crop, cell: Cell) -> Ref:
    return cropping(cell, cell.inputs[0], operator.crops(cell.shape))


def upsample(operator: Upsample, cell: Cell) -> Ref:
    size = shape_rules.per_axis(operator.size, cell.axes)
    if cell.axes == 1:
        return cell.layer("UpSampling1D", {"size": size[0]})
    config: dict[str, Any] = {"size": list(size), "data_format": "channels_last"}
    if cell.axes == 2:
        config["interpolation"] = operator.interpolation
    return cell.layer(f"UpSampling{cell.axes}D", config)


def resize(operator: Resize, cell: Cell) -> Ref:
    height, width = shape_rules.per_axis(operator.size, 2)
    config = {
        "data_format": "channels_last",
        "height": height,
        "width": width,
        "interpolation": operator.interpolation,
        "crop_to_aspect_ratio": False,
        "pad_to_aspect_ratio": False,
        "fill_mode": "constant",
        "fill_value": 0.0,
        "antialias": False,
    }
    return cell.layer("Resizing", config)


def select(operator: Select, cell: Cell) -> Ref:
    return composites.take(cell, list(operator.channels), -1)


def split(operator: Split, cell: Cell) -> tuple[Ref, ...]:
    parts: int | list[int] = operator.parts if isinstance(operator.parts, int) else _starts(operator.parts)
    first = cell.operation("Split", {"indices_or_sections": parts, "axis": -1})
    return tuple(Ref(first.part, index) for index in range(len(cell.node.shapes)))


def _starts(sizes: tuple[int, ...]) -> list[int]:
    return [sum(sizes[:index]) for index in range(1, len(sizes))]


def dropout(operator: Dropout, cell: Cell) -> Ref:
    return cell.layer("Dropout", {"rate": operator.rate, "seed": None, "noise_shape": None})


def spatial_dropout(operator: SpatialDropout, cell: Cell) -> Ref:
    """As Keras's own layers do it, whose configs (3.15) lack `trainable`, which its other layers have."""
    shape = [None, *[1] * cell.axes, None]
    return cell.layer("Dropout", {"rate": operator.rate, "seed": None, "noise_shape": shape})


def drop_path(operator: DropPath, cell: Cell) -> Ref:
    shape = [None, *[1] * len(cell.shape)]
    return cell.layer("Dropout", {"rate": operator.rate, "seed": None, "noise_shape": shape})


def gaussian_noise(operator: GaussianNoise, cell: Cell) -> Ref:
    return cell.layer("GaussianNoise", {"stddev": operator.stddev, "seed": None})


def gaussian_dropout(operator: GaussianDropout, cell: Cell) -> Ref:
    return cell.layer("GaussianDropout", {"rate": operator.rate, "seed": None})


def identity(operator: Identity, cell: Cell) -> Ref:
    return cell.layer("Identity", {})


def keras_escape(operator: KerasEscape, cell: Cell) -> Ref:
    """The config is what the spec states; Keras fills in its own defaults."""
    several = len(cell.inputs) > 1
    return cell.layer(operator.class_, thaw(operator.config), *cell.inputs, weights=cell.node.weights, as_list=several)


def layer_escape(operator: LayerEscape, cell: Cell) -> Ref:
    module, _, name = operator.class_.partition(":")
    return cell.layer(
        name,
        thaw(operator.config),
        *cell.inputs,
        weights=cell.node.weights,
        as_list=len(cell.inputs) > 1,
        module=module,
    )


Lowering = Callable[[Any, Cell], "Ref | tuple[Ref, ...]"]

LOWERINGS: dict[type[Operator], Lowering] = {
    Input: input_,
    Conv: conv,
    DepthwiseConv: depthwise_conv,
    SeparableConv: separable_conv,
    ConvTranspose: composites.conv_transpose,
    MaxPool: composites.max_pool,
    AvgPool: composites.avg_pool,
    GlobalAvgPool: global_pool,
    GlobalMaxPool: global_pool,
    AdaptiveAvgPool: adaptive_avg_pool,
    Dense: dense,
    Embedding: embedding,
    BatchNorm: batch_norm,
    LayerNorm: layer_norm,
    GroupNorm: group_norm,
    Lrn: composites.lrn,
    Scale: scale,
    Rescale: rescale,
    Normalize: normalize,
    act.Relu: relu,
    act.Relu6: relu6,
    act.LeakyRelu: leaky_relu,
    act.Prelu: prelu,
    act.Elu: elu,
    act.Selu: plain_activation,
    act.Gelu: plain_activation,
    act.Silu: plain_activation,
    act.Swish: plain_activation,
    act.Sigmoid: plain_activation,
    act.HardSigmoid: plain_activation,
    act.HardSwish: plain_activation,
    act.Mish: plain_activation,
    act.Tanh: plain_activation,
    act.Softplus: plain_activation,
    act.Softsign: plain_activation,
    act.Softmax: softmax,
    act.LogSoftmax: plain_activation,
    act.Exponential: plain_activation,
    act.Linear: plain_activation,
    act.Abs: abs_,
    merge.Add: merged,
    merge.Subtract: merged,
    merge.Multiply: merged,
    merge.Average: merged,
    merge.Maximum: merged,
    merge.Minimum: merged,
    merge.Concat: concat,
    Flatten: flatten,
    Reshape: reshape,
    Permute: permute,
    Pad: pad,
    Crop: crop,
    Upsample: upsample,
    Resize: resize,
    Select: select,
    Split: split,
    Slice: composites.slice_,
    ChannelShuffle: composites.channel_shuffle,
    Dropout: dropout,
    SpatialDropout: spatial_dropout,
    DropPath: drop_path,
    GaussianNoise: gaussian_noise,
    GaussianDropout: gaussian_dropout,
    Identity: identity,
    KerasEscape: keras_escape,
    LayerEscape: layer_escape,
}
"""What each operator becomes, in the order of OPERATORS."""


@dataclass(slots=True)
class _Draft:
    """A layer whose calls are still being found."""

    part: Part
    name: str
    trainable: bool
    calls: list[KerasCall] = field(default_factory=list[KerasCall])

    def finish(self) -> KerasLayer:
        part = self.part
        return KerasLayer(
            part.module, part.class_name, self.name, part.config, part.weights, self.trainable, tuple(self.calls)
        )


@dataclass(slots=True)
class _Drafts:
    """The layers so far, the names that are taken, and where each node's weights and outputs are."""

    taken: set[str]
    layers: list[_Draft] = field(default_factory=list[_Draft])
    weighted: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    outputs: dict[int, tuple[KerasTensor, ...]] = field(default_factory=dict[int, tuple[KerasTensor, ...]])

    def name(self, node: Node, part: Part) -> str:
        """A name that no other layer has. The first call of a node's own name takes it as it is."""
        if not part.suffix and node.shared is None:
            return node.name
        base = f"{node.name}_{part.suffix}" if part.suffix else node.name
        number, found = 1, base
        while found in self.taken:
            number += 1
            found = f"{base}_{number}"
        self.taken.add(found)
        return found

    def add(self, node: Node, part: Part, inputs: tuple[KerasTensor, ...], again: int | None) -> KerasTensor:
        """A call: of a new layer, or (`again`) of one that is there."""
        call = KerasCall(inputs, part.as_list, part.shapes, node.index, part.arguments, part.keywords)
        if again is None:
            again = len(self.layers)
            self.layers.append(_Draft(part, self.name(node, part), node.trainable))
            if part.weights:
                self.weighted.setdefault(node.index, []).append(again)
        self.layers[again].calls.append(call)
        return KerasTensor(again, len(self.layers[again].calls) - 1)


def lower(graph: Graph) -> KerasModel:
    """The graph as Keras layers: each node becomes one or a few; a node that shares weights, another call."""
    varying = _varying(graph)
    drafts = _Drafts({node.name for node in graph.nodes})
    positive: list[bool] = []
    for node in graph.nodes:
        fed = bool(node.inputs) and all(positive[tensor.node] for tensor in node.inputs)
        positive.append(non_negative(node, fed))
        cell = Cell(node, shared=(node.index if node.shared is None else node.shared) in varying, positive=fed)
        found = LOWERINGS[type(node.operator)](node.operator, cell)
        inputs = tuple(drafts.outputs[tensor.node][tensor.output] for tensor in node.inputs)
        made = _place(drafts, cell, inputs)
        results = found if isinstance(found, tuple) else (found,)
        drafts.outputs[node.index] = tuple(_resolve(one, made, inputs) for one in results)
    return KerasModel(
        graph.slug,
        tuple(one.finish() for one in drafts.layers),
        tuple(drafts.outputs[index][0] for index in graph.inputs),
        tuple(drafts.outputs[tensor.node][tensor.output] for _, tensor in graph.outputs),
        tuple(name for name, _ in graph.outputs),
    )


NON_NEGATIVE = frozenset({"relu", "relu6", "sigmoid", "hard_sigmoid", "softmax", "softplus", "exponential", "abs"})
KEEPS_SIGN = frozenset(
    {"identity", "max_pool", "avg_pool", "global_avg_pool", "global_max_pool", "dropout", "spatial_dropout", "flatten"}
    | {"reshape", "permute", "select", "channel_shuffle", "concat", "add", "multiply", "average", "maximum", "minimum"}
)


def non_negative(node: Node, fed: bool) -> bool:
    """True where no value of the node is below zero; `fed` says that of its inputs. Then a border of zeros never wins a maximum."""
    operator = node.operator
    if isinstance(operator, act.Relu):
        return operator.negative_slope == 0 and operator.threshold >= 0
    if operator.name in NON_NEGATIVE or getattr(operator, "activation", None) in NON_NEGATIVE:
        return True
    return fed and operator.name in KEEPS_SIGN


def _varying(graph: Graph) -> set[int]:
    """The nodes whose weights have calls on inputs of different sizes."""
    return {
        node.shared
        for node in graph.nodes
        if node.shared is not None and graph.nodes[node.shared].input_shapes != node.input_shapes
    }


def _place(drafts: _Drafts, cell: Cell, inputs: tuple[KerasTensor, ...]) -> list[KerasTensor]:
    node = cell.node
    first_call = iter(() if node.shared is None else drafts.weighted.get(node.shared, ()))
    made: list[KerasTensor] = []
    for part in cell.parts:
        again = next(first_call, None) if part.weights else None
        read = tuple(_resolve(one, made, inputs) for one in part.inputs)
        made.append(drafts.add(node, part, read, again))
    return made


def _resolve(ref: Ref, made: list[KerasTensor], inputs: tuple[KerasTensor, ...]) -> KerasTensor:
    if ref.part < 0:
        return inputs[ref.output]
    place = made[ref.part]
    return KerasTensor(place.layer, place.call, ref.output)
