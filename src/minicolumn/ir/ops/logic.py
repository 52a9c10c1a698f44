"""Comparison, boolean and bitwise operations: maps through which no derivative flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.ir.notation import infix
from minicolumn.ir.op import CHEAP, Op, define
from minicolumn.ir.ops.rules import EVERY, mapped
from minicolumn.ir.shapes import DTYPES, ArrayType

if TYPE_CHECKING:
    from minicolumn.ir.arrays import ArrayFunction


def _test(name: str, numpy: ArrayFunction, operands: int = 2, **traits: Any) -> Op:
    together = mapped(name, operands, EVERY)

    def infer(*types: ArrayType) -> ArrayType:
        return together(*types).with_dtype(DTYPES["bool"])

    return define(name, kind="map", infer=infer, numpy=numpy, vjp=None, cost=CHEAP, **traits)


def _bits(name: str, numpy: ArrayFunction, operands: int = 2, kinds: str = "iub", **traits: Any) -> Op:
    infer = mapped(name, operands, kinds)
    return define(name, kind="map", infer=infer, numpy=numpy, vjp=None, cost=CHEAP, **traits)


EQUAL = _test("equal", np.equal, formula=infix("==", 2))
NOT_EQUAL = _test("not_equal", np.not_equal, formula=infix("!=", 2))
LESS = _test("less", np.less, formula=infix("<", 2))
LESS_EQUAL = _test("less_equal", np.less_equal, formula=infix("<=", 2))
GREATER = _test("greater", np.greater, formula=infix(">", 2))
GREATER_EQUAL = _test("greater_equal", np.greater_equal, formula=infix(">=", 2))
ISNAN = _test("isnan", np.isnan, 1)
ISINF = _test("isinf", np.isinf, 1)
ISFINITE = _test("isfinite", np.isfinite, 1)
SIGNBIT = _test("signbit", np.signbit, 1, zero_signs=(0,))

# On bool these are the logical operations, on integers the bitwise ones, as in NumPy.
BITWISE_AND = _bits("bitwise_and", np.bitwise_and, formula=infix("&", 3))
BITWISE_OR = _bits("bitwise_or", np.bitwise_or, formula=infix("|", 3))
BITWISE_XOR = _bits("bitwise_xor", np.bitwise_xor, formula=infix("^", 3))
INVERT = _bits("invert", np.invert, 1)
LEFT_SHIFT = _bits("left_shift", np.left_shift, kinds="iu", formula=infix("<<", 3))
RIGHT_SHIFT = _bits("right_shift", np.right_shift, kinds="iu", formula=infix(">>", 3))
