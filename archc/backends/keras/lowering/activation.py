"""Activations as Keras layers."""

from __future__ import annotations

from archc.backends.keras.lowering.parts import Cell, Ref, activation, initializer, unregularised
from archc.operators import Operator, shape_rules
from archc.operators.activation import Abs, Elu, LeakyRelu, Prelu, Relu, Relu6, Softmax


def relu(operator: Relu, cell: Cell) -> Ref:
    if not operator.non_default():
        return cell.layer("Activation", {"activation": "relu"})
    largest = None if operator.max_value is None else float(operator.max_value)
    return _relu(cell, largest, float(operator.negative_slope), float(operator.threshold))


def relu6(operator: Relu6, cell: Cell) -> Ref:
    return _relu(cell, 6.0, 0.0, 0.0)


def _relu(cell: Cell, largest: float | None, slope: float, threshold: float) -> Ref:
    return cell.layer("ReLU", {"max_value": largest, "negative_slope": slope, "threshold": threshold})


def leaky_relu(operator: LeakyRelu, cell: Cell) -> Ref:
    return cell.layer("LeakyReLU", {"negative_slope": operator.slope})


def prelu(operator: Prelu, cell: Cell) -> Ref:
    config = {
        "alpha_initializer": initializer(f"constant:{float(operator.initial)!r}"),
        **unregularised("alpha"),
        "shared_axes": list(range(1, cell.axes + 1)) if operator.shared and cell.axes else None,
    }
    return cell.layer("PReLU", config, weights=cell.node.weights)


def elu(operator: Elu, cell: Cell) -> Ref:
    return cell.layer("ELU", {"alpha": operator.alpha})


def softmax(operator: Softmax, cell: Cell) -> Ref:
    axis = shape_rules.resolve_axis(operator.axis, cell.shape) or 0
    if axis == cell.axes:
        return cell.layer("Activation", {"activation": "softmax"})
    return cell.layer("Softmax", {"axis": axis + 1})


def plain_activation(operator: Operator, cell: Cell) -> Ref:
    return cell.layer("Activation", {"activation": activation(operator.name)})


def abs_(operator: Abs, cell: Cell) -> Ref:
    return cell.operation("Absolute", {})
