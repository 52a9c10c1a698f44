"""ONNX operators that move numbers, or compute the lengths by which they are moved; constants among them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from minicolumn.errors import ModelFileError
from minicolumn.model.imports.onnx_graph import Node
from minicolumn.model.imports.onnx_values import (
    Batch,
    Operator,
    Rows,
    Value,
    constant_of,
    integer_of,
    integers_of,
    operand,
    rows_of,
    settle,
)
from minicolumn.model.imports.terms import X, product, total
from minicolumn.nn.ending import ending

Array = np.ndarray


def _same(node: Node, values: list[Value], batch: Batch) -> Value:
    if values[0] is None:
        raise ModelFileError("takes nothing")
    return values[0]


def _cast(node: Node, values: list[Value], batch: Batch) -> Value:
    if isinstance(values[0], Rows) and integer_of(node, "to", 0) not in (1, 10, 11, 16):
        raise ModelFileError("turns rows into something else than floats")
    return _same(node, values, batch)


def _flatten(node: Node, values: list[Value], batch: Batch) -> Value:
    if integer_of(node, "axis", 1) != 1:
        raise ModelFileError("flattens behind another axis than the first")
    return Rows(settle(values[0]).chain.reshape((-1,)))


def _reshape(node: Node, values: list[Value], batch: Batch) -> Value:
    shape = integers_of(node.attributes.get("shape") if len(values) == 1 else values[1], "a shape")
    if isinstance(values[0], np.ndarray):
        return _reshaped(values[0], shape)
    rows = rows_of(values[0])
    own = rows.chain.shape
    if len(shape) == 1 and math.prod(own) == 1:  # one number a row
        return rows
    first, *rest = shape or [0]
    if first not in (-1, 0) and first != batch.length:
        raise ModelFileError(f"mixes rows by the shape {shape}")
    rest = [own[place] if n == 0 and place < len(own) else n for place, n in enumerate(rest)]
    if len(rest) > 8 or any(n < -1 for n in rest):
        raise ModelFileError(f"has an impossible shape {shape}")
    return rows if tuple(rest) == own else Rows(settle(rows).chain.reshape(tuple(rest)))


def _slice(node: Node, values: list[Value], batch: Batch) -> Value:
    """Take all features, as a graph does that names its outputs one by one and has a single one."""
    names = ("starts", "ends", "axes", "steps")
    by_name = len(values) == 1  # until opset 9
    given = [node.attributes.get(n) if by_name else operand(values, k) for k, n in enumerate(names, 1)]
    usual: list[Value] = [None, None, [0], [1]]
    said = [usual[k] if value is None else value for k, value in enumerate(given)]
    starts, ends, axes, steps = (integers_of(value, name) for value, name in zip(said, names, strict=True))
    rows = rows_of(values[0])
    shape = rows.chain.shape
    whole = starts == [0] and steps == [1] and len(ends) == 1
    if whole and len(shape) == 1 and axes in ([1], [-1]) and ends[0] >= shape[0]:
        return rows
    raise ModelFileError("takes some of its rows or features, for which there is no layer")


def _reshaped(constant: Array, shape: list[int]) -> Array:
    wanted = [
        constant.shape[place] if n == 0 and place < constant.ndim else n for place, n in enumerate(shape)
    ]
    try:
        return constant.reshape(wanted)
    except ValueError:
        raise ModelFileError(f"turns a constant of shape {list(constant.shape)} into {shape}") from None


def _squeeze(node: Node, values: list[Value], batch: Batch) -> Value:
    """Leave out or put in axes of length 1 of a constant; of rows only behind the last number."""
    axes = node.attributes.get("axes") if len(values) < 2 else values[1]
    if isinstance(values[0], np.ndarray):
        listed = tuple(integers_of(axes, "axes")) if axes is not None else None
        try:
            if node.op == "Squeeze":
                return np.squeeze(values[0], listed)
            return np.expand_dims(values[0], listed or ())
        except (ValueError, IndexError):
            raise ModelFileError("has axes that do not fit") from None
    rows = settle(values[0])
    if math.prod(rows.chain.shape) != 1:
        raise ModelFileError("changes the axes of its rows")
    return rows


def _transpose(node: Node, values: list[Value], batch: Batch) -> Value:
    array = constant_of(operand(values, 0), "what is transposed")
    axes = node.attributes.get("perm")
    axes = list(range(array.ndim))[::-1] if axes is None else integers_of(axes, "perm")
    if sorted(axes) != list(range(array.ndim)):
        raise ModelFileError("has a perm that is no order of the axes")
    return array.transpose(axes)


def _constant_node(node: Node, values: list[Value], batch: Batch) -> Value:
    for name, found in node.attributes.items():
        if name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
            return found if isinstance(found, np.ndarray) else np.array(found)
    raise ModelFileError("has no constant of numbers")


def _shape_of(node: Node, values: list[Value], batch: Batch) -> Value:
    if isinstance(values[0], np.ndarray):
        return np.array(values[0].shape, np.int64)
    return np.array([-1, *settle(values[0]).chain.shape], np.int64)


def _gather(node: Node, values: list[Value], batch: Batch) -> Value:
    array, places = constant_of(operand(values, 0), "an array"), constant_of(operand(values, 1), "an index")
    whole = array.ndim == 1 and places.size <= 64 and places.dtype.kind in "iu"
    if not whole or ((places < -len(array)) | (places >= len(array))).any():
        raise ModelFileError("looks something up that is no list of lengths")
    return array[places.astype(np.int64)]


def _concat(node: Node, values: list[Value], batch: Batch) -> Value:
    if values and all(isinstance(value, np.ndarray) and value.ndim == 1 for value in values):
        return np.concatenate([constant_of(value, "a length") for value in values])[:64]
    if len(values) == 2 and all(isinstance(value, Rows) for value in values):
        first, second = values
        same = first.chain is second.chain and first.term == total(1.0, product(-1.0, second.term))
        if same and not second.both and _ends_logistic(second):
            return replace(second, both=True)
    raise ModelFileError("lays two branches side by side, for which there is no layer")


def _ends_logistic(rows: Rows) -> bool:
    """Return whether rows are one probability each."""
    if rows.chain.shape != (1,):
        return False
    if rows.term == X:
        return ending(rows.chain.network) == "logistic"
    return (rows.term.kind, rows.term.name) == ("call", "logistic")


SHAPES: dict[str, Operator] = {
    "Identity": _same,
    "Dropout": _same,
    "Cast": _cast,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Slice": _slice,
    "Squeeze": _squeeze,
    "Unsqueeze": _squeeze,
    "Transpose": _transpose,
    "Constant": _constant_node,
    "Shape": _shape_of,
    "Gather": _gather,
    "Concat": _concat,
}
