"""Dense layers and embeddings as Keras layers."""

from __future__ import annotations

from archc.backends.keras.lowering.parts import Cell, Ref, activation, initializer, unregularised
from archc.operators.dense import Dense, Embedding


def dense(operator: Dense, cell: Cell) -> Ref:
    config = {
        "units": operator.units,
        "activation": activation(operator.activation),
        "use_bias": operator.bias,
        "kernel_initializer": initializer(operator.kernel_initializer),
        "bias_initializer": initializer(operator.bias_initializer),
        **unregularised("kernel", "bias"),
        "quantization_config": None,
    }
    return cell.layer("Dense", config, weights=cell.node.weights)


def embedding(operator: Embedding, cell: Cell) -> Ref:
    config = {
        "input_dim": operator.vocabulary,
        "output_dim": operator.size,
        "embeddings_initializer": initializer(operator.initializer),
        **unregularised("embeddings", activity=True),
        "mask_zero": False,
        "quantization_config": None,
    }
    return cell.layer("Embedding", config, weights=cell.node.weights)
