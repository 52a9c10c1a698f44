"""What each map computes for one element, or for one vector of elements: a table of emitters.

An emitter is ``(function, node, *operands) -> result``; operands are LLVM values of the operand's dtype with
any number of lanes, and lanes never mix.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minicolumn.ir.graph import Node
from minicolumn.ir.op import Op, op_named
from minicolumn.ir.ops import elementwise as e
from minicolumn.ir.ops import logic as b
from minicolumn.lower.llvm import mathlib
from minicolumn.lower.llvm.codegen.emit import (
    Function,
    Value,
    const,
    element_of,
    is_float,
    lanes_of,
    literal_integer,
    llvm_type,
    vector,
)

Emitter = Callable[..., Value]


def is_native(node: Node) -> bool:
    """Return whether a map can be computed within a loop, on the dtypes it has here."""
    return node.op in MAPS and node.array_type.dtype.kind not in node.op.host


def emit_map(f: Function, node: Node, operands: list[Value]) -> Value:
    """Return a map's value for these operands."""
    return MAPS[node.op](f, node, *operands)


def ulp_of(node: Node) -> float:
    """Return the units in the last place by which a map on floats may be off; 0 where it is rounded once."""
    name = _LIBRARY.get(node.op)
    return mathlib.BOUNDS[name, llvm_type(node.array_type.dtype)] if name and is_native(node) else 0.0


def _dtype(node: Node) -> np.dtype:
    return node.inputs[0].array_type.dtype


def _is_signed(node: Node) -> bool:
    return _dtype(node).kind == "i"


# Arithmetic -------------------------------------------------------------------------------------------------


def _arithmetic(floating: str, integer: str, boolean: str | None = None) -> Emitter:
    def emit(f: Function, node: Node, x: Value, y: Value) -> Value:
        if element_of(x.type) == "i1" and boolean:
            return f.op(boolean, x, y)
        return f.op(floating if is_float(x.type) else integer, x, y)

    return emit


def _negative(f: Function, node: Node, x: Value) -> Value:
    return f.op("fneg", x) if is_float(x.type) else f.op("sub", const(x.type, 0), x)


def _absolute(f: Function, node: Node, x: Value) -> Value:
    if is_float(x.type):
        return f.intrinsic("fabs", x)
    if not _is_signed(node):
        return x
    return f.select(f.compare("slt", x, const(x.type, 0)), f.op("sub", const(x.type, 0), x), x)


def _sign(f: Function, node: Node, x: Value) -> Value:
    zero, one = const(x.type, 0), const(x.type, 1)
    if is_float(x.type):
        # NaN compares false with everything and so stays what it is.
        below = f.select(f.compare("olt", x, zero), const(x.type, -1), f.op("fadd", x, zero))
        return f.select(f.compare("ogt", x, zero), one, below)
    if not _is_signed(node):
        return f.convert("zext", f.compare("ne", x, zero), element_of(x.type))
    below = f.select(f.compare("slt", x, zero), const(x.type, -1), zero)
    return f.select(f.compare("sgt", x, zero), one, below)


def _rounded(intrinsic: str) -> Emitter:
    return lambda f, node, x: f.intrinsic(intrinsic, x) if is_float(x.type) else x


def _floor_divide(f: Function, node: Node, x: Value, y: Value) -> Value:
    if is_float(x.type):
        return _float_divmod(f, x, y)[0]
    return _integer_divmod(f, node, x, y)[0]


def _remainder(f: Function, node: Node, x: Value, y: Value) -> Value:
    if is_float(x.type):
        return _float_divmod(f, x, y)[1]
    return _integer_divmod(f, node, x, y)[1]


def _fmod(f: Function, node: Node, x: Value, y: Value) -> Value:
    if is_float(x.type):
        return mathlib.call(f, _LIBRARY[e.FMOD], x, y)
    safe, zero = _safe_divisor(f, node, x, y)
    rest = f.op("srem" if _is_signed(node) else "urem", x, safe)
    return f.select(zero, const(x.type, 0), rest)


def _float_divmod(f: Function, x: Value, y: Value) -> tuple[Value, Value]:
    """Return floor(x / y) and the rest with the sign of y, as NumPy's divmod makes them of C's fmod."""
    zero, one = const(x.type, 0), const(x.type, 1)
    rest = mathlib.call(f, _LIBRARY[e.FMOD], x, y)
    quotient = f.op("fdiv", f.op("fsub", x, rest), y)
    apart = f.op("xor", f.compare("olt", y, zero), f.compare("olt", rest, zero))
    moved = f.op("and", f.compare("une", rest, zero), apart)
    quotient = f.select(moved, f.op("fsub", quotient, one), quotient)
    signed_zero = f.intrinsic("copysign", zero, y)
    modulo = f.select(f.compare("oeq", rest, zero), signed_zero, f.select(moved, f.op("fadd", rest, y), rest))
    # The quotient is an integer but for rounding; take the nearest one.
    floor = f.intrinsic("floor", quotient)
    up = f.compare("ogt", f.op("fsub", quotient, floor), const(x.type, 0.5))
    floor = f.select(up, f.op("fadd", floor, one), floor)
    plain = f.op("fdiv", x, y)
    floor = f.select(f.compare("oeq", quotient, zero), f.intrinsic("copysign", zero, plain), floor)
    return f.select(f.compare("oeq", y, zero), plain, floor), f.select(
        f.compare("oeq", y, zero), rest, modulo
    )


def _safe_divisor(f: Function, node: Node, x: Value, y: Value) -> tuple[Value, Value]:
    """Return a divisor that cannot trap, and where the true one is 0, for which NumPy's result is 0."""
    zero = f.compare("eq", y, const(y.type, 0))
    unsafe = zero
    if _is_signed(node):  # the most negative number has no opposite; dividing by 1 gives what NumPy gives
        lowest = np.iinfo(_dtype(node)).min
        wraps = f.op("and", f.compare("eq", x, const(x.type, lowest)), f.compare("eq", y, const(y.type, -1)))
        unsafe = f.op("or", zero, wraps)
    return f.select(unsafe, const(y.type, 1), y), zero


def _integer_divmod(f: Function, node: Node, x: Value, y: Value) -> tuple[Value, Value]:
    safe, by_zero = _safe_divisor(f, node, x, y)
    zero = const(x.type, 0)
    if not _is_signed(node):
        return (
            f.select(by_zero, zero, f.op("udiv", x, safe)),
            f.select(by_zero, zero, f.op("urem", x, safe)),
        )
    quotient, rest = f.op("sdiv", x, safe), f.op("srem", x, safe)
    apart = f.compare("slt", f.op("xor", rest, safe), zero)
    moved = f.op("and", f.compare("ne", rest, zero), apart)
    floor = f.select(moved, f.op("sub", quotient, const(x.type, 1)), quotient)
    modulo = f.select(moved, f.op("add", rest, safe), rest)
    return f.select(by_zero, zero, floor), f.select(by_zero, zero, modulo)


def larger(f: Function, x: Value, y: Value, signed: bool, most: bool = True) -> Value:
    """Return the larger (or smaller) of two values; NaN if either is NaN."""
    if is_float(x.type):
        first = f.compare("oge" if most else "ole", x, y)
        return f.select(f.op("or", first, f.compare("uno", x, x)), x, y)
    if element_of(x.type) == "i1":
        return f.op("or" if most else "and", x, y)
    return f.intrinsic(("s" if signed else "u") + ("max" if most else "min"), x, y)


def _extreme(most: bool) -> Emitter:
    return lambda f, node, x, y: larger(f, x, y, _is_signed(node), most)


def _in_library(name: str) -> Emitter:
    return lambda f, node, *operands: mathlib.call(f, name, *operands)


# Logic ------------------------------------------------------------------------------------------------------


def _compared(floating: str, signed: str, unsigned: str) -> Emitter:
    def emit(f: Function, node: Node, x: Value, y: Value) -> Value:
        return f.compare(floating if is_float(x.type) else signed if _is_signed(node) else unsigned, x, y)

    return emit


def _float_test(test: Callable[[Function, Value], Value], otherwise: bool) -> Emitter:
    def emit(f: Function, node: Node, x: Value) -> Value:
        return test(f, x) if is_float(x.type) else const(vector("i1", lanes_of(x.type)), otherwise)

    return emit


def _infinite(f: Function, x: Value) -> Value:
    return f.compare("oeq", f.intrinsic("fabs", x), const(x.type, float("inf")))


def _finite(f: Function, x: Value) -> Value:
    return f.compare("olt", f.intrinsic("fabs", x), const(x.type, float("inf")))


def _signbit(f: Function, node: Node, x: Value) -> Value:
    if is_float(x.type):
        x = f.convert("bitcast", x, "i32" if element_of(x.type) == "float" else "i64")
    elif not _is_signed(node):
        return const(vector("i1", lanes_of(x.type)), False)
    return f.compare("slt", x, const(x.type, 0))


def _invert(f: Function, node: Node, x: Value) -> Value:
    return f.op("xor", x, const(x.type, True if element_of(x.type) == "i1" else -1))


def _shift(opcode: str) -> Emitter:
    def emit(f: Function, node: Node, x: Value, y: Value) -> Value:
        # Shifting by the width or more is undefined to LLVM; to NumPy it leaves nothing but the sign.
        bits = 8 * _dtype(node).itemsize
        signed = opcode != "shl" and _is_signed(node)
        amount = literal_integer(y)
        if amount is not None and 0 <= amount < bits:
            return f.op("ashr" if signed else opcode, x, y)
        inside = f.compare("ult", y, const(y.type, bits))
        shifted = f.op(
            "ashr" if signed else opcode, x, f.select(inside, y, const(y.type, bits - 1 if signed else 0))
        )
        return shifted if signed else f.select(inside, shifted, const(x.type, 0))

    return emit


# Conversion -------------------------------------------------------------------------------------------------


def _cast(f: Function, node: Node, x: Value) -> Value:
    return convert(f, x, _dtype(node), node.array_type.dtype)


def convert(f: Function, x: Value, before: np.dtype, after: np.dtype) -> Value:
    """Return values of one dtype as another, as NumPy's astype does on x86."""
    to = element_of(llvm_type(after))
    if before == after:
        return x
    if after.kind == "b":
        zero = const(x.type, 0)
        return f.compare("une" if before.kind == "f" else "ne", x, zero)
    if before.kind == "f":
        return _from_float(f, x, after, to)
    if after.kind == "f":
        return f.convert("sitofp" if before.kind == "i" else "uitofp", x, to)
    if after.itemsize > before.itemsize:
        return f.convert("sext" if before.kind == "i" else "zext", x, to)
    return f.convert("trunc", x, to)  # the value as it is, where the width is the same


def _from_float(f: Function, x: Value, after: np.dtype, to: str) -> Value:
    if after.kind == "f":
        return f.convert("fpext" if to == "double" else "fptrunc", x, to)
    # Out of range and NaN give the lowest number, as the processor's instruction does; unsigned words are
    # the low half of a 64-bit conversion.
    wide = "i32" if after == np.int32 else "i64"
    lowest = -(2.0 ** (31 if wide == "i32" else 63))
    inside = f.op(
        "and", f.compare("oge", x, const(x.type, lowest)), f.compare("olt", x, const(x.type, -lowest))
    )
    whole = f.convert("fptosi", f.select(inside, x, const(x.type, 0)), wide)
    whole = f.select(inside, whole, const(whole.type, int(lowest)))
    return f.convert("trunc", whole, to)


def _same(f: Function, node: Node, x: Value) -> Value:
    return x


MAPS: dict[Op, Emitter] = {
    e.ADD: _arithmetic("fadd", "add", "or"),
    e.SUBTRACT: _arithmetic("fsub", "sub"),
    e.MULTIPLY: _arithmetic("fmul", "mul", "and"),
    e.DIVIDE: _arithmetic("fdiv", "sdiv"),
    e.NEGATIVE: _negative,
    e.ABSOLUTE: _absolute,
    e.SIGN: _sign,
    e.FLOOR: _rounded("floor"),
    e.CEIL: _rounded("ceil"),
    e.TRUNC: _rounded("trunc"),
    e.RINT: _rounded("roundeven"),
    e.SQRT: _rounded("sqrt"),
    e.FLOOR_DIVIDE: _floor_divide,
    e.REMAINDER: _remainder,
    e.FMOD: _fmod,
    e.MAXIMUM: _extreme(True),
    e.MINIMUM: _extreme(False),
    e.WHERE: lambda f, node, c, x, y: f.select(c, x, y),
    e.CAST: _cast,
    e.STOP_GRADIENT: _same,
    e.COPY: _same,
    b.EQUAL: _compared("oeq", "eq", "eq"),
    b.NOT_EQUAL: _compared("une", "ne", "ne"),
    b.LESS: _compared("olt", "slt", "ult"),
    b.LESS_EQUAL: _compared("ole", "sle", "ule"),
    b.GREATER: _compared("ogt", "sgt", "ugt"),
    b.GREATER_EQUAL: _compared("oge", "sge", "uge"),
    b.ISNAN: _float_test(lambda f, x: f.compare("uno", x, x), False),
    b.ISINF: _float_test(_infinite, False),
    b.ISFINITE: _float_test(_finite, True),
    b.SIGNBIT: _signbit,
    b.BITWISE_AND: lambda f, node, x, y: f.op("and", x, y),
    b.BITWISE_OR: lambda f, node, x, y: f.op("or", x, y),
    b.BITWISE_XOR: lambda f, node, x, y: f.op("xor", x, y),
    b.INVERT: _invert,
    b.LEFT_SHIFT: _shift("shl"),
    b.RIGHT_SHIFT: _shift("lshr"),
}
# Functions of the library bear the names of the operations that they compute.
_LIBRARY = {op_named(name): name for name in mathlib.MATH}
MAPS |= {op: _in_library(name) for op, name in _LIBRARY.items() if op not in MAPS}
