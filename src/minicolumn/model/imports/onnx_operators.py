"""ONNX operators as layers: a table from an operator's name to what it appends to a chain.

A value is an array of constants, `Rows`, or `Rows` with a `Term` of what was computed of them element by
element since the last layer. Each entry of `OPERATORS` is ``(node, values, batch) -> value``.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from minicolumn.errors import ModelFileError, one_line
from minicolumn.model.imports.onnx_graph import Node
from minicolumn.model.imports.onnx_shapes import SHAPES
from minicolumn.model.imports.onnx_values import (
    Batch,
    Operator,
    Rows,
    Value,
    constant_of,
    integer_of,
    number_of,
    operand,
    rows_of,
    settle,
)
from minicolumn.model.imports.terms import Term, above, call, product, total, where

Array = np.ndarray
MAX_CONSTANT = 2**24


# Products ---------------------------------------------------------------------------------------------------


def _matmul(node: Node, values: list[Value], batch: Batch) -> Value:
    weight = constant_of(operand(values, 1), "the right operand of a product")
    return Rows(settle(values[0]).chain.dense(weight.astype(np.float64)))


def _gemm(node: Node, values: list[Value], batch: Batch) -> Value:
    if integer_of(node, "transA", 0) != 0:
        raise ModelFileError("transposes its rows")
    weight = constant_of(operand(values, 1), "its weight").astype(np.float64)
    weight = weight.T if integer_of(node, "transB", 0) else weight
    chain = settle(values[0]).chain
    if len(chain.shape) != 1:
        raise ModelFileError("multiplies rows of more than one axis")
    chain = chain.dense(weight * number_of(node, "alpha", 1.0))
    if operand(values, 2) is None:
        return Rows(chain)
    return Rows(chain.add(constant_of(values[2], "its bias") * number_of(node, "beta", 1.0)))


# Elementwise ------------------------------------------------------------------------------------------------


def _function(name: str) -> Operator:
    """Return the operator of an activation without settings."""

    def apply(node: Node, values: list[Value], batch: Batch) -> Value:
        rows = rows_of(values[0])
        return replace(rows, term=call(name, rows.term))

    return apply


def _with_setting(name: str, attribute: str, setting: str, default: float) -> Operator:
    """Return the operator of an activation with one setting."""

    def apply(node: Node, values: list[Value], batch: Batch) -> Value:
        value = number_of(node, attribute, default)
        chain = settle(values[0]).chain
        try:
            return Rows(chain.activation(f"{name}:{setting}={value!r}"))
        except ValueError as error:  # DataError of the setting
            raise ModelFileError(f"has {attribute} out of range: {one_line(error)}") from None

    return apply


def _hard_sigmoid(node: Node, values: list[Value], batch: Batch) -> Value:
    slope, middle = number_of(node, "alpha", 0.2), number_of(node, "beta", 0.5)
    if not (math.isclose(slope, 1 / 6, rel_tol=1e-6) and middle == 0.5):
        raise ModelFileError(f"is a hard sigmoid of slope {slope:g}; there is one of slope 1/6 here")
    return _function("hard_sigmoid")(node, values, batch)


def _selu(node: Node, values: list[Value], batch: Batch) -> Value:
    alpha, gamma = number_of(node, "alpha", 1.67326319), number_of(node, "gamma", 1.05070102)
    if not (math.isclose(alpha, 1.6732632, rel_tol=1e-5) and math.isclose(gamma, 1.050701, rel_tol=1e-5)):
        raise ModelFileError("is a SELU with other constants than its paper's")
    return _function("selu")(node, values, batch)


def _gelu(node: Node, values: list[Value], batch: Batch) -> Value:
    kind = node.attributes.get("approximate", "none")
    name = {"none": "gelu", "tanh": "gelu_tanh"}.get(kind) if isinstance(kind, str) else None
    if name is None:
        raise ModelFileError("is a GELU of an unknown kind")
    return _function(name)(node, values, batch)


def _swish(node: Node, values: list[Value], batch: Batch) -> Value:
    if number_of(node, "alpha", 1.0) != 1.0:
        raise ModelFileError("is a Swish with a factor other than 1")
    return _function("silu")(node, values, batch)


def _shrink(node: Node, values: list[Value], batch: Batch) -> Value:
    bias, level = number_of(node, "bias", 0.0), number_of(node, "lambd", 0.5)
    if bias not in (0.0, level):
        raise ModelFileError("shrinks by another number than its threshold")
    name = "soft_shrink" if bias else "hard_shrink"
    return _with_setting(name, "lambd", "threshold", 0.5)(node, values, batch)


def _clip(node: Node, values: list[Value], batch: Batch) -> Value:
    low, high = _end(node, values, 1, "min"), _end(node, values, 2, "max")
    known = {(0.0, 6.0): "relu6", (-1.0, 1.0): "hard_tanh"}
    name = "relu" if low == 0 and math.isnan(high) else known.get((low, high))
    if name is None:
        raise ModelFileError(f"clips to [{low:g}, {high:g}]; known are [0, 6], [-1, 1] and [0, any]")
    return _function(name)(node, values, batch)


def _end(node: Node, values: list[Value], place: int, name: str) -> float:
    """Return an end of the range of a Clip, from its operand or its attribute; NaN where there is none."""
    value = operand(values, place)
    if value is None:
        return number_of(node, name, 0.0) if name in node.attributes else math.nan
    end = constant_of(value, name)
    if end.size != 1:
        raise ModelFileError(f"has several numbers as {name}")
    return float(end.reshape(-1)[0])


def _arithmetic(node: Node, values: list[Value], batch: Batch) -> Value:
    """Apply Add, Sub, Mul or Div to rows and a constant, or to two functions of the same rows."""
    if len(values) != 2:
        raise ModelFileError("takes another number of operands than two")
    a, b = values
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return _folded(node.op, a, b)
    if isinstance(a, Rows) and isinstance(b, Rows):
        return _of_two(node.op, a, b)
    turned = isinstance(a, np.ndarray)
    rows, constant = (b, a) if turned else (a, b)
    constant = constant_of(constant, "an operand").astype(np.float64)
    rows = rows_of(rows)
    if constant.size == 1:
        return replace(rows, term=_of_number(node.op, rows.term, float(constant.reshape(-1)[0]), turned))
    chain = settle(rows).chain
    if node.op == "Div" and turned:
        raise ModelFileError("divides a constant by its rows")
    if node.op == "Sub":
        chain = chain.multiply(np.array(-1.0)) if turned else chain
        return Rows(chain.add(constant if turned else -constant))
    step = {"Add": chain.add, "Mul": chain.multiply, "Div": chain.divide}[node.op]
    return Rows(step(constant))


def _of_number(op: str, term: Term, number: float, turned: bool) -> Term:
    """Return a term with a number added, subtracted, multiplied or divided by."""
    if not math.isfinite(number) or (op == "Div" and (turned or number == 0)):
        raise ModelFileError("divides by its rows or by 0, or has a constant that is not finite")
    if op == "Add":
        return total(term, number)
    if op == "Sub":
        return total(product(-1.0, term), number) if turned else total(term, -number)
    return product(term, number if op == "Mul" else 1.0 / number)


def _of_two(op: str, a: Rows, b: Rows) -> Rows:
    """Return a sum or product of two functions of the same rows, or a skip connection."""
    if a.chain is b.chain and not a.both and not b.both:
        if op in ("Mul", "Div"):
            whole = product(a.term, b.term if op == "Mul" else call("reciprocal", b.term))
        else:
            whole = total(a.term, product(-1.0 if op == "Sub" else 1.0, b.term))
        return replace(a, term=whole)
    if op == "Add":
        one, other = settle(a).chain, settle(b).chain
        found = one.residual(other) if len(one.parts) <= len(other.parts) else other.residual(one)
        if found is not None:
            return Rows(found)
    raise ModelFileError("joins two branches of the network, for which there is no layer")


def _folded(op: str, a: Array, b: Array) -> Array:
    """Return what an operator makes of two constants."""
    a, b = constant_of(a, "an operand"), constant_of(b, "an operand")
    function = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide}[op]
    try:
        shape = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ModelFileError("has constants that do not fit each other") from None
    if math.prod(shape) > MAX_CONSTANT:
        raise ModelFileError("computes a constant that is too large")
    found = function(a, b)
    return found if a.dtype.kind == "f" or b.dtype.kind == "f" else np.trunc(found).astype(np.int64)


def _power(node: Node, values: list[Value], batch: Batch) -> Value:
    exponent = constant_of(operand(values, 1), "an exponent")
    rows = rows_of(values[0])
    if exponent.size != 1 or exponent.reshape(-1)[0] not in (2, 3):
        raise ModelFileError("raises to another power than 2 or 3")
    return replace(rows, term=product(*[rows.term] * int(exponent.reshape(-1)[0])))


def _negative(node: Node, values: list[Value], batch: Batch) -> Value:
    rows = rows_of(values[0])
    return replace(rows, term=product(-1.0, rows.term))


def _greater(node: Node, values: list[Value], batch: Batch) -> Value:
    level = constant_of(operand(values, 1), "a level")
    rows = rows_of(values[0])
    if level.size != 1:
        raise ModelFileError("compares its rows with several numbers")
    return replace(rows, term=above(rows.term, float(level.reshape(-1)[0])))


def _at_least(node: Node, values: list[Value], batch: Batch) -> Value:
    level = constant_of(operand(values, 1), "a level")
    if level.size != 1 or level.reshape(-1)[0] != 0:
        raise ModelFileError("asks whether its rows reach another level than 0")
    return _function("step")(node, values, batch)


def _where(node: Node, values: list[Value], batch: Batch) -> Value:
    if len(values) != 3:
        raise ModelFileError("takes another number of operands than three")
    test, yes, no = map(rows_of, values)
    if not test.chain is yes.chain is no.chain:
        raise ModelFileError("joins two branches of the network, for which there is no layer")
    return replace(test, term=where(test.term, yes.term, no.term))


# Norms ------------------------------------------------------------------------------------------------------


def _batch_norm(node: Node, values: list[Value], batch: Batch) -> Value:
    if len(values) < 5:
        raise ModelFileError("lacks scale, bias, mean or variance")
    if integer_of(node, "training_mode", 0):
        raise ModelFileError("normalizes by each batch, since it was exported while training")
    scale, bias, mean, variance = (constant_of(value, "a statistic") for value in values[1:5])
    chain = settle(values[0]).chain
    if len(chain.shape) != 1:
        raise ModelFileError("normalizes the second of more than two axes")
    keep = min(max(number_of(node, "momentum", 0.9), 0.0), 0.9999)
    return Rows(chain.batch_norm(mean, variance, scale, bias, number_of(node, "epsilon", 1e-5), keep))


def _layer_norm(node: Node, values: list[Value], batch: Batch) -> Value:
    chain = settle(values[0]).chain
    if integer_of(node, "axis", -1) not in (-1, len(chain.shape)):
        raise ModelFileError("normalizes over more than the last axis")
    bias = None if operand(values, 2) is None else constant_of(values[2], "its bias")
    scale = constant_of(operand(values, 1), "its scale")
    return Rows(chain.layer_norm(scale, bias, number_of(node, "epsilon", 1e-5)))


def _rms_norm(node: Node, values: list[Value], batch: Batch) -> Value:
    chain = settle(values[0]).chain
    if integer_of(node, "axis", -1) not in (-1, len(chain.shape)):
        raise ModelFileError("normalizes over more than the last axis")
    return Rows(
        chain.rms_norm(constant_of(operand(values, 1), "its scale"), number_of(node, "epsilon", 1e-5))
    )


def _prelu(node: Node, values: list[Value], batch: Batch) -> Value:
    return Rows(settle(values[0]).chain.prelu(constant_of(operand(values, 1), "its slope")))


def _softmax(name: str) -> Operator:
    def apply(node: Node, values: list[Value], batch: Batch) -> Value:
        rows = settle(values[0])
        rank = len(rows.chain.shape)
        if integer_of(node, "axis", -1 if batch.opset >= 13 else 1) not in (-1, rank) or not rank:
            raise ModelFileError("takes the softmax over another axis than the last")
        return Rows(rows.chain.activation(name))

    return apply


def _log(node: Node, values: list[Value], batch: Batch) -> Value:
    chain = settle(values[0]).chain
    last = chain.parts[-1][0] if chain.parts else None
    name = getattr(last, "function", getattr(last, "activation", ""))
    other = {"softmax": "log_softmax", "logistic": "log_sigmoid"}.get(name if isinstance(name, str) else "")
    if other is None:
        raise ModelFileError("takes the logarithm of something other than a softmax or logistic")
    return Rows(chain.without_last().activation(other))


def _scaler(node: Node, values: list[Value], batch: Batch) -> Value:
    chain = settle(values[0]).chain
    offset, scale = node.attributes.get("offset", [0.0]), node.attributes.get("scale", [1.0])
    plain = isinstance(offset, list) and isinstance(scale, list)
    if not plain or not all(isinstance(value, float) for value in (*offset, *scale)) or not all(scale):
        raise ModelFileError("has no numbers as offset and scale, or a scale of 0")
    return Rows(chain.standardize(np.array(offset), 1.0 / np.array(scale)))


OPERATORS: dict[str, Operator] = {
    "MatMul": _matmul,
    "Gemm": _gemm,
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), _arithmetic),
    "Pow": _power,
    "Neg": _negative,
    "Relu": _function("relu"),
    "Sigmoid": _function("logistic"),
    "Tanh": _function("tanh"),
    "Erf": _function("erf"),
    "Abs": _function("abs"),
    "Greater": _greater,
    "GreaterOrEqual": _at_least,
    "Where": _where,
    "Softplus": _function("softplus"),
    "Softsign": _function("softsign"),
    "Mish": _function("mish"),
    "HardSwish": _function("hard_silu"),
    "Exp": _function("exponential"),
    "Sin": _function("sine"),
    "LeakyRelu": _with_setting("leaky_relu", "alpha", "slope", 0.01),
    "Elu": _with_setting("elu", "alpha", "alpha", 1.0),
    "Celu": _with_setting("celu", "alpha", "alpha", 1.0),
    "ThresholdedRelu": _with_setting("threshold", "alpha", "level", 1.0),
    "HardSigmoid": _hard_sigmoid,
    "Selu": _selu,
    "Gelu": _gelu,
    "Swish": _swish,
    "Shrink": _shrink,
    "Clip": _clip,
    "PRelu": _prelu,
    "Softmax": _softmax("softmax"),
    "LogSoftmax": _softmax("log_softmax"),
    "Log": _log,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "RMSNormalization": _rms_norm,
    "ai.onnx.ml.Scaler": _scaler,
    **SHAPES,
}
