"""Regularisation as Keras layers."""

from __future__ import annotations

from archc.backends.keras.lowering.parts import Cell, Ref
from archc.operators.regularisation import Dropout, DropPath, GaussianDropout, GaussianNoise, SpatialDropout


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
