"""Comparisons, logic and bits: maps through which no derivative flows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicolumn.ir.op import Op, define, same_dtype
from minicolumn.ir.ops.elementwise import same
from minicolumn.ir.shapes import DTYPES, ArrayType, Type, broadcast_shapes


def _truth(*types: ArrayType) -> Type:
    same_dtype("comparison", types)
    return ArrayType(DTYPES["bool"], broadcast_shapes(*(t.shape for t in types)))


def _test(name: str, numpy: Callable[..., Any]) -> Op:
    return define(name, kind="map", infer=_truth, numpy=numpy)


def _bits(name: str, numpy: Callable[..., Any]) -> Op:
    return define(name, kind="map", infer=same, numpy=numpy)


EQUAL = _test("equal", np.equal)
NOT_EQUAL = _test("not_equal", np.not_equal)
LESS = _test("less", np.less)
LESS_EQUAL = _test("less_equal", np.less_equal)
GREATER = _test("greater", np.greater)
GREATER_EQUAL = _test("greater_equal", np.greater_equal)
ISNAN = _test("isnan", np.isnan)
ISINF = _test("isinf", np.isinf)
ISFINITE = _test("isfinite", np.isfinite)
SIGNBIT = _test("signbit", np.signbit)

# On bool these are the logical operations, on integers the bitwise ones, as in NumPy.
BITWISE_AND = _bits("bitwise_and", np.bitwise_and)
BITWISE_OR = _bits("bitwise_or", np.bitwise_or)
BITWISE_XOR = _bits("bitwise_xor", np.bitwise_xor)
INVERT = _bits("invert", np.invert)
LEFT_SHIFT = _bits("left_shift", np.left_shift)
RIGHT_SHIFT = _bits("right_shift", np.right_shift)
