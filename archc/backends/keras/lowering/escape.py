"""Inputs, the identity, and layers that a spec names itself."""

from __future__ import annotations

from archc.backends.keras.lowering.parts import Cell, Ref, thaw
from archc.operators.escape import Identity, Input, KerasEscape, LayerEscape


def input_(operator: Input, cell: Cell) -> Ref:
    config = {
        "batch_shape": [None, *operator.shape],
        "dtype": operator.dtype,
        "sparse": False,
        "ragged": False,
        "optional": False,
    }
    return cell.layer("InputLayer", config)


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
