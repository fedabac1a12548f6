"""Normalisation as Keras layers; Keras has no LRN, which is made exactly of stock parts."""

from __future__ import annotations

from typing import Any

from archc.backends.keras.lowering.parts import (
    Cell,
    Ref,
    initializer,
    pool_config,
    sides,
    thaw,
    unregularised,
)
from archc.operators.normalisation import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, Lrn, Normalize, Rescale, Scale
from archc.operators.shape_rules import known


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
        **unregularised("beta", "gamma"),
        "synchronized": False,
        "renorm": False,
        "renorm_clipping": None,
        "renorm_momentum": 0.99,
    }
    return cell.layer("BatchNormalization", config, weights=cell.node.weights)


def layer_norm(operator: LayerNorm, cell: Cell) -> Ref:
    config = {
        "axis": [-1],
        "epsilon": operator.epsilon,
        "center": operator.center,
        "scale": operator.scale,
        "rms_scaling": False,
        "beta_initializer": initializer("zeros"),
        "gamma_initializer": initializer("ones"),
        **unregularised("beta", "gamma"),
    }
    return cell.layer("LayerNormalization", config, weights=cell.node.weights)


def group_norm(operator: GroupNorm, cell: Cell) -> Ref:
    return _grouped(operator, operator.groups, cell)


def instance_norm(operator: InstanceNorm, cell: Cell) -> Ref:
    return _grouped(operator, known(cell.shape[-1]), cell)


def _grouped(operator: GroupNorm | InstanceNorm, groups: int, cell: Cell) -> Ref:
    config = {
        "groups": groups,
        "axis": -1,
        "epsilon": operator.epsilon,
        "center": operator.center,
        "scale": operator.scale,
        "beta_initializer": initializer("zeros"),
        "gamma_initializer": initializer("ones"),
        **unregularised("beta", "gamma"),
    }
    return cell.layer("GroupNormalization", config, weights=cell.node.weights)


def lrn(operator: Lrn, cell: Cell) -> Ref:
    """Squares, their mean over neighbouring channels, a factor and an offset, a power, and the product with the input.

    Padding and pooling are told that channels come first: then they work on the last axis. Zeros around the channels
    make the mean the sum over those that are there, divided by the size.
    """
    source = cell.inputs[0]
    shape = cell.shape if cell.axes else (1, *cell.shape)
    if not cell.axes:
        source = cell.layer("Reshape", {"target_shape": list(shape)}, source, suffix="in", shape=shape)
    axes, half, channels = len(shape) - 1, operator.size // 2, shape[-1]
    around = None if channels is None else channels + 2 * half
    squares = cell.layer("Multiply", {}, source, source, suffix="square", shape=shape, as_list=True)
    wide = cell.layer(
        f"ZeroPadding{axes}D",
        {"padding": sides([*[(0, 0)] * (axes - 1), (half, half)]), "data_format": "channels_first"},
        squares,
        suffix="pad",
        shape=(*shape[:-1], around),
    )
    ones = (1,) * (axes - 1)
    mean = cell.layer(
        f"AveragePooling{axes}D",
        pool_config((*ones, operator.size), (*ones, 1), "valid", "channels_first"),
        wide,
        suffix="mean",
        shape=shape,
    )
    factor = operator.alpha if operator.divide else operator.alpha * operator.size
    base = cell.layer("Rescaling", {"scale": factor, "offset": operator.k}, mean, suffix="base", shape=shape)
    power = cell.operation("Power", {}, base, suffix="power", shapes=(shape,), arguments=(-float(operator.beta),))
    suffix = "" if cell.axes else "out"
    result = cell.layer("Multiply", {}, source, power, suffix=suffix, shape=shape, as_list=True)
    return result if cell.axes else cell.layer("Reshape", {"target_shape": list(cell.shape)}, result)


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
        **unregularised("kernel", "bias", activity=True),
        "quantization_config": None,
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
