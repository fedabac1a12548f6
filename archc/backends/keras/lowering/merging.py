"""Merges as Keras layers."""

from __future__ import annotations

import math

from archc.backends.keras.lowering.parts import Cell, Ref
from archc.operators import Operator, product, shape_rules
from archc.operators.merging import Concat


def merged(operator: Operator, cell: Cell) -> Ref:
    return cell.layer(operator.name.capitalize(), {}, *cell.inputs, as_list=True)


def summed(operator: Operator, cell: Cell) -> Ref:
    """The smallest first: Keras 3.15 on TensorFlow may take a later input with one axis above 1 for a bias.

    It counts the batch among these axes: two examples of one value each would be added to two channels.
    """
    shapes = cell.node.input_shapes
    order = sorted(range(len(shapes)), key=lambda at: product(shapes[at]) or math.inf)
    return cell.layer(operator.name.capitalize(), {}, *(cell.inputs[at] for at in order), as_list=True)


def concat(operator: Concat, cell: Cell) -> Ref:
    axis = shape_rules.resolve_axis(operator.axis, cell.shape) or 0
    place = -1 if axis == cell.axes else axis + 1
    return cell.layer("Concatenate", {"axis": place}, *cell.inputs, as_list=True)
