"""Control flow, graphs within graphs: the loop (`scan`), and taking one result out of several."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.ir.graph import Graph
from minicolumn.ir.interpret import interpret, run_loop
from minicolumn.ir.op import define
from minicolumn.ir.shapes import ArrayType, Length, TupleType, Type, is_length


def _scanned(*types: ArrayType, body: Graph, consts: int, carry: int, length: Length, reverse: bool) -> Type:
    counted = min(consts, carry) >= 0 and is_length(length)
    if not counted or consts + carry > len(types) or carry > len(body.outputs):
        raise ShapeError(
            f"scan: {consts} constants and {carry} states do not fit {len(types)} operands and "
            f"{len(body.outputs)} results of the body"
        )
    rows = types[consts + carry :]
    for t in rows:
        if not t.shape or t.shape[0] != length:
            raise ShapeError(f"scan: every array of xs needs {length} rows along its first axis, got {t}")
    expected = (*types[: consts + carry], *(t.with_shape(t.shape[1:]) for t in rows))
    found = tuple(i.type for i in body.inputs)
    if found != expected:
        raise ShapeError(
            f"scan: the body takes {', '.join(map(str, found))}, not {', '.join(map(str, expected))}"
        )
    for before, after in zip(types[consts:], body.outputs[:carry], strict=False):
        if after.type != before:
            raise ShapeError(f"scan: the state must keep its type; {before} became {after.type}")
    ys = (y.array_type.with_shape((length, *y.array_type.shape)) for y in body.outputs[carry:])
    return TupleType((*types[consts : consts + carry], *ys))


def _item(values: Type, *, index: int) -> Type:
    if not isinstance(values, TupleType) or not 0 <= index < len(values.items):
        raise ShapeError(f"item: {values} has no item {index}")
    return values.items[index]


def _scan(*operands: np.ndarray, **attrs: Any) -> tuple[np.ndarray, ...]:
    return run_loop(interpret(attrs["body"]), attrs, *operands)


SCAN = define(
    "scan",
    kind="control",
    infer=_scanned,
    numpy=_scan,
    vjp=None,
    kernel="scan",
    doc="""Run the body over the rows of xs, each time with the state that the last run left.

    Operands are the constants the body reads, the first state, then xs. Results are the last state and the
    stacked ys. Its derivative is built in `minicolumn.autodiff.loops`.""",
)
ITEM = define(
    "item",
    kind="control",
    infer=_item,
    numpy=lambda values, *, index: values[index],
    vjp=None,
    kernel="result",
    doc="One of the results of an operation that has several.",
)
