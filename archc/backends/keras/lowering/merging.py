"""Merges as Keras layers."""

from __future__ import annotations

from archc.backends.keras.lowering.parts import Cell, Ref
from archc.operators import Operator, shape_rules
from archc.operators.merging import Concat


def merged(operator: Operator, cell: Cell) -> Ref:
    return cell.layer(operator.name.capitalize(), {}, *cell.inputs, as_list=True)


def concat(operator: Concat, cell: Cell) -> Ref:
    axis = shape_rules.resolve_axis(operator.axis, cell.shape) or 0
    place = -1 if axis == cell.axes else axis + 1
    return cell.layer("Concatenate", {"axis": place}, *cell.inputs, as_list=True)
