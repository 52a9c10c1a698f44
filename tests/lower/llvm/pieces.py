"""What random programs are made of: lengths, names of operations, what takes what, and data."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from minicolumn.errors import MinicolumnError
from minicolumn.ir import ops  # noqa: F401  (fills the operation table)
from minicolumn.ir.graph import Node
from minicolumn.ir.op import OPS, Op
from minicolumn.ir.shapes import DTYPES, ArrayType
from minicolumn.ir.verify import infer_type
from minicolumn.lower.llvm.mathlib import MATH

# Lengths of axes: around one, two, four ... vectors of 4, 8 or 16 lanes.
LENGTHS = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65, 100, 257)
MOST_ELEMENTS = 3000
LEAVES = ("input", "const", "item")
FRACTIONS = {"add", "subtract", "multiply", "negative", "absolute", "sign", "floor", "ceil", "trunc", "rint"}
FRACTIONS |= {"maximum", "minimum", "where", "cast", "copy", "stop_gradient"}
MAPS = tuple(name for name, op in OPS.items() if op.kind == "map")
TESTS = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
TESTS |= {"isnan", "isinf", "isfinite", "signbit"}
BITS = {"bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift"}
COMMON = tuple(n for n in MAPS if n in FRACTIONS | TESTS | BITS or n in MATH)


def elements(rng: np.random.Generator, type: ArrayType, exact: bool, below: int | None = None) -> np.ndarray:
    """Return an array of a type; indices below a number, if one is given."""
    dtype, shape = type.dtype, type.shape
    if below is not None:
        return np.asarray(rng.integers(0 if dtype.kind == "u" else -below, max(below, 1), shape), dtype)
    if dtype.kind == "b":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype.kind != "f":
        return np.asarray(rng.integers(0 if dtype.kind == "u" else -9, 10, shape), dtype)
    if exact:
        return np.asarray(rng.integers(-8, 9, shape) / 4, dtype)
    values = rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 3, shape)
    special = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0], shape)
    return np.asarray(np.where(rng.random(shape) < 0.05, special, values), dtype)


@cache
def accepts(name: str, dtype: np.dtype) -> bool:
    """Return whether an operation takes arrays of a dtype."""
    op, x = OPS[name], ArrayType(dtype, (2, 2))
    if op.kind in ("shape", "index", "control") or name == "where":
        return True
    attrs: tuple[dict[str, Any], ...] = ({}, {"axes": (0,)}, {"axis": 0}, {"n": 1}, {"dtype": dtype})
    return any(_fits(op, (x,) * n, a) for n in (1, 2) for a in attrs) or _fits(op, (x,) * 3, {})


def _fits(op: Op, types: tuple[ArrayType, ...], attrs: dict[str, Any]) -> bool:
    try:
        infer_type(op, types, attrs)
    except (MinicolumnError, TypeError):
        return False
    return True


@cache
def arity(name: str) -> int:
    """Return how many operands a map has that differs from the others only in that."""
    x = ArrayType(next(d for d in DTYPES.values() if accepts(name, d)), (2,))
    return next(n for n in (1, 2, 3) if _fits(OPS[name], (x,) * n, {}))


def apply(name: str, *operands: Node, **attrs: Any) -> Node:
    """Return a node of an operation."""
    op = OPS[name]
    return Node(op, operands, attrs, infer_type(op, tuple(n.type for n in operands), attrs))
