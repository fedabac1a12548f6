"""Layers as the calls that make them: which arguments of Keras's are worth writing, and how."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from archc.backends.keras.layers import KerasLayer
from archc.backends.keras.source_text import Code, literal

_SIZES = frozenset(
    ["kernel_size", "strides", "dilation_rate", "pool_size", "size", "padding", "cropping", "output_padding"]
)
_FIRST = {
    "Activation": "activation", "RepeatVector": "n", "Rescaling": "scale", "LSTM": "units", "GRU": "units",
    "SimpleRNN": "units", "Dense": "units", "Reshape": "target_shape", "Permute": "dims", "GaussianNoise": "stddev",
    "Embedding": "input_dim output_dim", "MultiHeadAttention": "num_heads key_dim", "Resizing": "height width",
    "CenterCrop": "height width",
}  # fmt: skip
_FIRST_BY_START = {
    "DepthwiseConv": "kernel_size", "Conv": "filters kernel_size", "SeparableConv": "filters kernel_size",
    "MaxPooling": "pool_size", "AveragePooling": "pool_size", "UpSampling": "size", "Cropping": "cropping",
    "ZeroPadding": "padding", "SpatialDropout": "rate", "Dropout": "rate", "GaussianDropout": "rate",
    "AlphaDropout": "rate",
}  # fmt: skip
_RNN = {"activation": "tanh", "recurrent_activation": "sigmoid", "dropout": 0.0, "recurrent_dropout": 0.0}
_COMMON: dict[str, Any] = {
    "strides": 1, "dilation_rate": 1, "padding": "valid", "groups": 1, "data_format": "channels_last",
    "activation": "linear", "use_bias": True, "depth_multiplier": 1, "output_padding": None, "axis": -1,
    "quantization_config": None, "shared_axes": None, "max_value": None, "negative_slope": 0.0, "threshold": 0.0,
    "keepdims": False, "momentum": 0.99, "epsilon": 0.001, "center": True, "scale": True, "synchronized": False,
    "renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99, "rms_scaling": False, "seed": None,
    "noise_shape": None, "offset": 0.0, "crop_to_aspect_ratio": False, "pad_to_aspect_ratio": False,
    "fill_mode": "constant", "fill_value": 0.0, "antialias": False, "mask_zero": False, "return_sequences": False,
    "return_state": False, "go_backwards": False, "stateful": False, "unroll": False, "zero_output_for_mask": False,
    "unit_forget_bias": True, "reset_after": True, "kernel_initializer": "glorot_uniform",
    "depthwise_initializer": "glorot_uniform", "pointwise_initializer": "glorot_uniform", "bias_initializer": "zeros",
    "alpha_initializer": "zeros", "beta_initializer": "zeros", "gamma_initializer": "ones",
    "moving_mean_initializer": "zeros", "moving_variance_initializer": "ones", "recurrent_initializer": "orthogonal",
    "embeddings_initializer": "random_uniform", "kernel_regularizer": None, "bias_regularizer": None,
    "activity_regularizer": None, "kernel_constraint": None, "bias_constraint": None, "depthwise_regularizer": None,
    "depthwise_constraint": None, "pointwise_regularizer": None, "pointwise_constraint": None,
    "alpha_regularizer": None, "alpha_constraint": None, "beta_regularizer": None, "beta_constraint": None,
    "gamma_regularizer": None, "gamma_constraint": None, "embeddings_regularizer": None,
    "embeddings_constraint": None, "recurrent_regularizer": None, "recurrent_constraint": None,
    "sparse": False, "ragged": False, "optional": False, "trainable": True,
}  # fmt: skip
_OWN: dict[str, dict[str, Any]] = {
    "LayerNormalization": {"axis": (-1,)},
    "LeakyReLU": {"negative_slope": 0.3},
    "ELU": {"alpha": 1.0},
    "UpSampling2D": {"interpolation": "nearest"},
    "Resizing": {"interpolation": "bilinear"},
    "RMSNormalization": {"epsilon": 1e-06},
    "GroupNormalization": {"groups": 32},
    "Normalization": {"axis": (-1,), "invert": False, "mean": None, "variance": None},
    "LSTM": _RNN,
    "GRU": _RNN,
    "SimpleRNN": _RNN,
    "InputLayer": {"dtype": "float32"},
    "MultiHeadAttention": {"dropout": 0.0, "use_gate": False, "output_shape": None, "attention_axes": None, "sliding_window": None},
}  # fmt: skip
_NOTHING = object()


def first_arguments(class_name: str) -> tuple[str, ...]:
    """The arguments that a class takes by position."""
    found = _FIRST.get(class_name)
    if found is None:
        found = next((one for start, one in _FIRST_BY_START.items() if class_name.startswith(start)), "")
    return tuple(found.split())


def is_default(class_name: str, key: str, value: Any) -> bool:
    """True for what Keras would take by itself."""
    if key in first_arguments(class_name) or class_name == "":
        return False
    default = _OWN.get(class_name, {}).get(key, _COMMON.get(key, _NOTHING))
    if "Pooling" in class_name and key == "strides":
        default = None
    return default is not _NOTHING and type(default) is type(value) and default == value


def values(layer: KerasLayer) -> dict[str, Any]:
    """The arguments of a layer, in Keras's order and at their shortest: `3` for `[3, 3]`, names for initialisers."""
    if layer.class_name == "InputLayer":
        return _input_values(layer.config)
    if layer.is_operation:
        return dict(layer.config)
    return {**_values(layer.class_name, layer.config), "trainable": layer.trainable}


def _input_values(config: Mapping[str, Any]) -> dict[str, Any]:
    shape = tuple(config["batch_shape"])
    rest = {key: value for key, value in config.items() if key not in ("batch_shape", "name")}
    if shape[0] is None:
        return {"shape": shape[1:], **rest}
    return {"batch_shape": shape, **rest}


def _values(class_name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: _value(key, value) for key, value in config.items()}
    if "Pooling" in class_name and found.get("strides", _NOTHING) == found.get("pool_size"):
        found["strides"] = None
    first = [*first_arguments(class_name), "strides"]
    return {**{key: found[key] for key in first if key in found}, **found}


def _value(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return _serialised(value) if "class_name" in value else dict(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if isinstance(value, Sequence) and not isinstance(value, str):
        items: tuple[Any, ...] = tuple(_value("" if key not in _SIZES else key, one) for one in value)  # pyright: ignore[reportUnknownVariableType]
        if key in _SIZES and items and all(one == items[0] for one in items) and isinstance(items[0], int):
            return items[0] if not _unequal_pairs(value) else _tupled(value)  # pyright: ignore[reportUnknownArgumentType]
        return _tupled(value)
    return value


def _unequal_pairs(value: Sequence[Any]) -> bool:
    return any(isinstance(one, Sequence) and len(set(one)) > 1 for one in value)  # pyright: ignore[reportUnknownArgumentType]


def _tupled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _value("", value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_tupled(one) for one in value)  # pyright: ignore[reportUnknownVariableType]
    return value


def _serialised(value: Mapping[str, Any]) -> Any:
    """An object that Keras serialised: its short name where it is an initialiser without settings, else its call."""
    module, class_name, config = value.get("module"), value["class_name"], dict(value.get("config") or {})
    if module == "keras.initializers":
        own = {key: one for key, one in config.items() if one != _INITIALIZER_DEFAULTS.get((class_name, key))}
        if not own and class_name != "Constant":
            return re.sub(r"(?<!^)(?=[A-Z])", "_", class_name).lower()
        return Code(f"initializers.{class_name}({keywords(own)})", "initializers")
    if isinstance(module, str) and re.fullmatch(r"keras\.[a-z]+", module):
        short = module.split(".")[1]
        for unset in ("dtype", "trainable"):
            if unset == "dtype" or config.get(unset) is True:
                config.pop(unset, None)
        own = {key: one for key, one in _values(class_name, config).items() if not is_default(class_name, key, one)}
        needs = next((one.needs for one in own.values() if isinstance(one, Code)), short)
        return Code(f"{short}.{class_name}({keywords(own)})", short if needs == short else f"{short} {needs}")
    return Code(f"saving.deserialize_keras_object({literal(value)})", "saving")


_INITIALIZER_DEFAULTS: dict[tuple[str, str], Any] = {
    ("RandomUniform", "minval"): -0.05,
    ("RandomUniform", "maxval"): 0.05,
    ("RandomNormal", "mean"): 0.0,
    ("RandomNormal", "stddev"): 0.05,
    ("TruncatedNormal", "mean"): 0.0,
    ("TruncatedNormal", "stddev"): 0.05,
    ("VarianceScaling", "scale"): 1.0,
    ("VarianceScaling", "mode"): "fan_in",
    ("VarianceScaling", "distribution"): "truncated_normal",
    ("Orthogonal", "gain"): 1.0,
}


def keywords(arguments: Mapping[str, Any]) -> str:
    """Arguments by name."""
    return ", ".join(f"{key}={literal(value)}" for key, value in arguments.items())
