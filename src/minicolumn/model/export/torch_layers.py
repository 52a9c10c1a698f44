"""Layers as modules of PyTorch: a table from each kind of layer to the text that makes it and its state.

    Dense           nn.Linear, the weight transposed, and the module of its activation
    BatchNorm       nn.BatchNorm1d: scale, bias, mean, variance -> weight, bias, running_mean, running_var

Where torch has a layer it is taken; for the others (ramps, columns of codes, averages of networks) the
source has a short module of its own, `torch_modules.txt`. What has no row is an error that names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.folding import standard_dense
from minicolumn.nn.layer import Layer, Params
from minicolumn.nn.layers.containers import Concatenate, Frozen, Residual, Sequential
from minicolumn.nn.layers.dense import Activation, Dense, Flatten, PReLU, Reshape, Scale
from minicolumn.nn.layers.embeddings import ColumnEmbedding, Embedding
from minicolumn.nn.layers.ensemble import Ensemble, MeanOfMembers, average_of
from minicolumn.nn.layers.members import BatchEnsemble, MemberDense, Members
from minicolumn.nn.layers.monotone import MonotoneQuantiles
from minicolumn.nn.layers.noise import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from minicolumn.nn.layers.norm import BatchNorm, LayerNorm, RMSNorm, Standardize
from minicolumn.nn.layers.piecewise import PiecewiseLinear
from minicolumn.nn.layers.spline import PiecewiseDense

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Module:
    """A module of PyTorch.

    text        of the expression that makes it
    state       its own arrays, by their names in torch
    parts       the modules within it, by the names that torch gives them
    activation  our name of it, where it is one
    eps         of a norm
    silent      whether it does nothing when predicting
    """

    text: str
    state: Mapping[str, Array] = field(default_factory=dict)
    parts: Mapping[str, Module] = field(default_factory=dict)
    activation: str = ""
    eps: float | None = None
    silent: bool = False

    def state_dict(self, prefix: str = "") -> dict[str, Array]:
        """Return all arrays by their names in a `state_dict`."""
        found = {prefix + name: array for name, array in self.state.items()}
        for name, part in self.parts.items():
            found |= part.state_dict(f"{prefix}{name}.")
        return found


def modules_of(layer: Layer, params: Params, shape: Shape) -> list[Module]:
    """Return the modules that compute what a layer does, one after the other.

    shape       of the layer's inputs, of one row
    Errors      DataError, naming it, for a layer or an activation that PyTorch has no line for here
    """
    if type(layer) not in LAYERS:
        raise DataError(f"export: the layer {type(layer).__name__} has no line in PyTorch here")
    return LAYERS[type(layer)](layer, params, shape)


def _in_order(layers: list[tuple[Layer, Params]], shape: Shape) -> list[Module]:
    found = []
    for layer, own in layers:
        found += modules_of(layer, own, shape)
        shape = layer.output_shape(shape)
    return found


def _sequential(layer: Sequential, params: Params, shape: Shape) -> list[Module]:
    return _in_order([(inner, params[name]) for name, inner in layer.inside], shape)


def holding(name: str, parts: list[Module], listed: bool = False) -> Module:
    """Return a module that holds others, by their numbers.

    listed      whether it takes them as a list
    """
    inner = ", ".join(part.text for part in parts)
    text = f"{name}([{inner}])" if listed else f"{name}({inner})"
    return Module(text, parts={str(k): part for k, part in enumerate(parts)})


def _whole(layer: Layer, params: Params, shape: Shape) -> Module:
    """Return one module for a layer, however many that takes."""
    parts = modules_of(layer, params, shape)
    return parts[0] if len(parts) == 1 else holding("nn.Sequential", parts)


def _concatenate(layer: Concatenate, params: Params, shape: Shape) -> list[Module]:
    parts = [_whole(inner, params[name], shape) for name, inner in layer.inside]
    return [holding("Concatenate", parts, listed=True)]


_MEANS = {
    "numbers": "MeanOfNumbers", "exponential": "MeanOfExponentials", "softmax": "MeanOfSoftmax",
    "logistic": "MeanOfLogistic", "normal": "MeanOfNormal",
}  # fmt: skip


def _ensemble(layer: Ensemble, params: Params, shape: Shape) -> list[Module]:
    parts = [_whole(inner, params[name], shape) for name, inner in layer.inside]
    return [holding("Beside", parts, listed=True), _mean(layer, layer.output_shape(shape))]


def _mean(layer: Ensemble | MeanOfMembers, outputs: Shape) -> Module:
    """Return the module that averages members, [rows, members, outputs]."""
    return Module(f"{_MEANS[average_of(layer.average, outputs[-1])]}()")


# Dense layers and activations -------------------------------------------------------------------------------

_ACTIVATIONS: Mapping[str, str] = {
    "logistic": "nn.Sigmoid()", "tanh": "nn.Tanh()", "hard_tanh": "nn.Hardtanh()",
    "hard_sigmoid": "nn.Hardsigmoid()", "softsign": "nn.Softsign()", "relu": "nn.ReLU()",
    "relu6": "nn.ReLU6()", "leaky_relu": "nn.LeakyReLU({slope})", "threshold": "nn.Threshold({level}, {value})",
    "elu": "nn.ELU({alpha})", "celu": "nn.CELU({alpha})", "selu": "nn.SELU()", "softplus": "nn.Softplus()",
    "hard_shrink": "nn.Hardshrink({threshold})", "soft_shrink": "nn.Softshrink({threshold})",
    "tanh_shrink": "nn.Tanhshrink()", "mish": "nn.Mish()", "silu": "nn.SiLU()",
    "hard_silu": "nn.Hardswish()", "gelu": "nn.GELU()", "gelu_tanh": "nn.GELU(approximate='tanh')",
    "glu": "nn.GLU()", "log_sigmoid": "nn.LogSigmoid()", "softmax": "nn.Softmax(dim=-1)",
    "log_softmax": "nn.LogSoftmax(dim=-1)",
}  # fmt: skip


def _activation(function: Any) -> list[Module]:
    """Return the module of an activation; none for the identity."""
    name = activation_by_name(function).name if isinstance(function, str) else ""
    kind = name.partition(":")[0]
    if kind == "linear":
        return []
    if kind not in _ACTIVATIONS:
        raise DataError(f"export: the activation {name or 'of your own'} has no line in PyTorch here")
    rule = activation_by_name(name)
    changed = getattr(rule.function, "keywords", {})
    values = {key: repr(float(changed.get(key, s.default))) for key, s in rule.settings.items()}
    return [Module(_ACTIVATIONS[kind].format(**values), activation=name)]


def _linear(weight: Array, bias: Array | None) -> Module:
    """Return the module of a product with a weight [fan_in, units]."""
    fan_in, units = weight.shape
    state = {"weight": np.ascontiguousarray(weight.T)} | ({} if bias is None else {"bias": bias})
    return Module(f"nn.Linear({fan_in}, {units}{', bias=False' * (bias is None)})", state)


def _dense(layer: Dense, params: Params, shape: Shape) -> list[Module]:
    _, own = standard_dense(layer, params)
    return [_linear(own["weight"], own.get("bias")), *_activation(layer.activation)]


def _prelu(layer: PReLU, params: Params, shape: Shape) -> list[Module]:
    if len(shape) > 1 and not layer.shared:
        raise DataError("export: PReLU of rows that are no vectors has no line in PyTorch here")
    return [Module(f"nn.PReLU({params['slope'].size})", {"weight": params["slope"]})]


def _scale(layer: Scale, params: Params, shape: Shape) -> list[Module]:
    factor = (1.0 + layer.rate * np.asarray(params["scale"], np.float64)).astype(params["scale"].dtype)
    return [Module(f"Scale({shape[-1]})", {"factor": factor})]


def _reshape(layer: Reshape, params: Params, shape: Shape) -> list[Module]:
    flat = [Module("nn.Flatten()")] if len(shape) != 1 else []
    return [*flat, Module(f"nn.Unflatten(1, {layer.shape})")]


# Norms ------------------------------------------------------------------------------------------------------


def _batch_norm(layer: BatchNorm, params: Params, shape: Shape) -> list[Module]:
    if len(shape) != 1:
        raise DataError("export: BatchNorm of rows that are no vectors has no line in PyTorch here")
    state = {"running_mean": params["mean"], "running_var": params["variance"]}
    state["num_batches_tracked"] = np.zeros((), np.int64)
    momentum = float(np.format_float_positional(1.0 - layer.momentum, precision=12))
    told = f"eps={layer.eps!r}, momentum={momentum!r}" + ", affine=False" * (not layer.affine)
    return [Module(f"nn.BatchNorm1d({shape[0]}, {told})", {**_affine(layer, params), **state}, eps=layer.eps)]


def _layer_norm(layer: LayerNorm, params: Params, shape: Shape) -> list[Module]:
    told = f"eps={layer.eps!r}" + ", elementwise_affine=False" * (not layer.affine)
    return [Module(f"nn.LayerNorm({shape[-1]}, {told})", _affine(layer, params), eps=layer.eps)]


def _affine(layer: BatchNorm | LayerNorm, params: Params) -> dict[str, Array]:
    return {"weight": params["scale"], "bias": params["bias"]} if layer.affine else {}


def _rms_norm(layer: RMSNorm, params: Params, shape: Shape) -> list[Module]:
    return [Module(f"nn.RMSNorm({shape[-1]}, eps={layer.eps!r})", {"weight": params["scale"]})]


def _standardize(layer: Standardize, params: Params, shape: Shape) -> list[Module]:
    state = {name: params[name] for name in ("mean", "deviation")}
    return [Module(f"Standardize({shape[-1]})", state)]


# Columns of tables ------------------------------------------------------------------------------------------


def _embedding(layer: Embedding, params: Params, shape: Shape) -> list[Module]:
    return [Module(f"CodeEmbedding({layer.levels}, {layer.dim})", {"weight": params["table"]})]


def _column_embedding(layer: ColumnEmbedding, params: Params, shape: Shape) -> list[Module]:
    columns, tables = layer.order, layer.vectors(params)
    kept = [column for column in range(shape[0]) if column not in columns]
    sizes = [table.shape for table in tables]
    state = {f"tables.{k}.weight": table for k, table in enumerate(tables)}
    return [Module(f"ColumnEmbedding({columns}, {kept}, {sizes})", state)]


def _ramps(layer: PiecewiseLinear | PiecewiseDense) -> list[Module]:
    if not layer.knots:
        return []
    columns = [column for column, knots in layer.knots for _ in knots[1:]]
    low = np.concatenate([knots[:-1] for _, knots in layer.knots])
    high = np.concatenate([knots[1:] for _, knots in layer.knots])
    return [Module(f"PiecewiseLinear({columns})", {"low": low, "high": high})]


def _piecewise_dense(layer: PiecewiseDense, params: Params, shape: Shape) -> list[Module]:
    dtype = params["weight"].dtype
    weight = layer.factors(np.asarray(params["scale"], np.float64))[:, None] * params["weight"]
    bias = layer.bias_rate * np.asarray(params["bias"], np.float64)
    linear = _linear(weight.astype(dtype), bias.astype(dtype))
    return [*_ramps(layer), linear, *_activation(layer.activation)]


# Members ----------------------------------------------------------------------------------------------------


def _members(layer: Members, params: Params, shape: Shape) -> list[Module]:
    factor = params.get("scale", np.ones((layer.count, shape[0]), np.float32))
    factor = factor if layer.blocks is None else np.repeat(factor, layer.blocks, axis=1)
    return [Module(f"Members({layer.count}, {shape[0]})", {"factor": factor})]


def _batch_ensemble(layer: BatchEnsemble, params: Params, shape: Shape) -> list[Module]:
    (members, fan_in), scores = shape, params["weight"].shape[1]
    dtype = params["weight"].dtype
    state = {
        "linear.weight": np.ascontiguousarray(params["weight"].T),
        "inputs": params["inputs"]["scale"] if layer.inputs else np.ones((members, fan_in), dtype),
        "outputs": params["outputs"]["scale"] if layer.outputs else np.ones((members, scores), dtype),
        "bias": params["bias"] if layer.bias else np.zeros((members, scores), dtype),
    }
    return [Module(f"BatchEnsemble({members}, {fan_in}, {scores})", state), *_activation(layer.activation)]


def _member_dense(layer: MemberDense, params: Params, shape: Shape) -> list[Module]:
    weight = np.ascontiguousarray(np.swapaxes(params["weight"], 1, 2))
    members, scores, fan_in = weight.shape
    bias = params["bias"] if layer.bias else np.zeros((members, scores), weight.dtype)
    module = Module(f"MemberLinear({members}, {fan_in}, {scores})", {"weight": weight, "bias": bias})
    return [module, *_activation(layer.activation)]


def _of_text(
    text: Callable[[Any], str], silent: bool = False
) -> Callable[[Any, Params, Shape], list[Module]]:
    """Return the row of a layer without arrays."""
    return lambda layer, params, shape: [Module(text(layer), silent=silent)]


LAYERS: Mapping[type, Callable[[Any, Params, Shape], list[Module]]] = {
    Sequential: _sequential,
    Residual: lambda layer, params, shape: [holding("Residual", modules_of(layer.inner, params, shape))],
    Frozen: lambda layer, params, shape: modules_of(layer.inner, params, shape),
    Concatenate: _concatenate,
    Ensemble: _ensemble,
    Dense: _dense,
    Activation: lambda layer, params, shape: _activation(layer.function),
    PReLU: _prelu,
    Scale: _scale,
    Flatten: _of_text(lambda layer: "nn.Flatten()"),
    Reshape: _reshape,
    BatchNorm: _batch_norm,
    LayerNorm: _layer_norm,
    RMSNorm: _rms_norm,
    Standardize: _standardize,
    Embedding: _embedding,
    ColumnEmbedding: _column_embedding,
    PiecewiseLinear: lambda layer, params, shape: _ramps(layer),
    PiecewiseDense: _piecewise_dense,
    MonotoneQuantiles: _of_text(lambda layer: "MonotoneQuantiles()"),
    Dropout: _of_text(lambda layer: f"nn.Dropout({float(layer.rate)!r})", silent=True),
    AlphaDropout: _of_text(lambda layer: f"nn.AlphaDropout({float(layer.rate)!r})", silent=True),
    GaussianDropout: _of_text(lambda layer: f"GaussianDropout({float(layer.rate)!r})", silent=True),
    GaussianNoise: _of_text(lambda layer: f"GaussianNoise({float(layer.stddev)!r})", silent=True),
    Members: _members,
    BatchEnsemble: _batch_ensemble,
    MemberDense: _member_dense,
    MeanOfMembers: lambda layer, params, shape: [_mean(layer, layer.output_shape(shape))],
}
