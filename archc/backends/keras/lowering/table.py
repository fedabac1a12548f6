"""The table of lowerings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archc.backends.keras.lowering import (
    activation,
    convolution,
    dense,
    escape,
    merging,
    normalisation,
    pooling,
    regularisation,
    reshaping,
)
from archc.backends.keras.lowering.parts import Cell, Ref
from archc.operators import Operator
from archc.operators.activation import (
    Abs,
    Elu,
    Exponential,
    Gelu,
    HardSigmoid,
    HardSwish,
    LeakyRelu,
    Linear,
    LogSoftmax,
    Mish,
    Prelu,
    Relu,
    Relu6,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Softsign,
    Swish,
    Tanh,
)
from archc.operators.convolution import Conv, ConvTranspose, DepthwiseConv, SeparableConv
from archc.operators.dense import Dense, Embedding
from archc.operators.escape import Identity, Input, KerasEscape, LayerEscape
from archc.operators.merging import Add, Average, Concat, Maximum, Minimum, Multiply, Subtract
from archc.operators.normalisation import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, Lrn, Normalize, Rescale, Scale
from archc.operators.pooling import AdaptiveAvgPool, AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from archc.operators.regularisation import Dropout, DropPath, GaussianDropout, GaussianNoise, SpatialDropout
from archc.operators.reshaping import (
    ChannelShuffle,
    Crop,
    Flatten,
    Pad,
    PadChannels,
    Permute,
    Reshape,
    Resize,
    Select,
    Slice,
    Split,
    Upsample,
)
from archc.operators.space import DepthToSpace, SpaceToDepth

Lowering = Callable[[Any, Cell], "Ref | tuple[Ref, ...]"]

LOWERINGS: dict[type[Operator], Lowering] = {
    Input: escape.input_,
    Conv: convolution.conv,
    DepthwiseConv: convolution.depthwise_conv,
    SeparableConv: convolution.separable_conv,
    ConvTranspose: convolution.conv_transpose,
    MaxPool: pooling.max_pool,
    AvgPool: pooling.avg_pool,
    GlobalAvgPool: pooling.global_pool,
    GlobalMaxPool: pooling.global_pool,
    AdaptiveAvgPool: pooling.adaptive_avg_pool,
    Dense: dense.dense,
    Embedding: dense.embedding,
    BatchNorm: normalisation.batch_norm,
    LayerNorm: normalisation.layer_norm,
    GroupNorm: normalisation.group_norm,
    InstanceNorm: normalisation.instance_norm,
    Lrn: normalisation.lrn,
    Scale: normalisation.scale,
    Rescale: normalisation.rescale,
    Normalize: normalisation.normalize,
    Relu: activation.relu,
    Relu6: activation.relu6,
    LeakyRelu: activation.leaky_relu,
    Prelu: activation.prelu,
    Elu: activation.elu,
    Selu: activation.plain_activation,
    Gelu: activation.plain_activation,
    Silu: activation.plain_activation,
    Swish: activation.plain_activation,
    Sigmoid: activation.plain_activation,
    HardSigmoid: activation.plain_activation,
    HardSwish: activation.plain_activation,
    Mish: activation.plain_activation,
    Tanh: activation.plain_activation,
    Softplus: activation.plain_activation,
    Softsign: activation.plain_activation,
    Softmax: activation.softmax,
    LogSoftmax: activation.plain_activation,
    Exponential: activation.plain_activation,
    Linear: activation.plain_activation,
    Abs: activation.abs_,
    Add: merging.summed,
    Subtract: merging.merged,
    Multiply: merging.merged,
    Average: merging.summed,
    Maximum: merging.merged,
    Minimum: merging.merged,
    Concat: merging.concat,
    Flatten: reshaping.flatten,
    Reshape: reshaping.reshape,
    Permute: reshaping.permute,
    Pad: reshaping.pad,
    PadChannels: reshaping.pad_channels,
    Crop: reshaping.crop,
    Upsample: reshaping.upsample,
    Resize: reshaping.resize,
    Select: reshaping.select,
    Split: reshaping.split,
    Slice: reshaping.slice_,
    ChannelShuffle: reshaping.channel_shuffle,
    DepthToSpace: reshaping.depth_to_space,
    SpaceToDepth: reshaping.space_to_depth,
    Dropout: regularisation.dropout,
    SpatialDropout: regularisation.spatial_dropout,
    DropPath: regularisation.drop_path,
    GaussianNoise: regularisation.gaussian_noise,
    GaussianDropout: regularisation.gaussian_dropout,
    Identity: escape.identity,
    KerasEscape: escape.keras_escape,
    LayerEscape: escape.layer_escape,
}
"""What each operator becomes, in the order of OPERATORS."""
