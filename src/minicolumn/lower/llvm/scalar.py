"""What each map computes for one element, or for one vector of elements: a table of emitters.

An emitter is ``(function, node, *operands) -> result``; operands are LLVM values of the operand's dtype with
any number of lanes, and lanes never mix.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minicolumn.ir.graph import Node
from minicolumn.lower.llvm import mathlib
from minicolumn.lower.llvm.emit import (
    Function,
    Value,
    const,
    element_of,
    is_float,
    lanes_of,
    llvm_type,
    vector,
)

Emitter = Callable[..., Value]


def is_native(node: Node) -> bool:
    """Return whether a map can be computed within a loop, on the dtypes it has here."""
    return (node.op.name, node.array_type.dtype.kind) not in _BY_HOST and node.op.name in MAPS


def emit_map(f: Function, node: Node, operands: list[Value]) -> Value:
    """Return a map's value for these operands."""
    return MAPS[node.op.name](f, node, *operands)


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
        return mathlib.call(f, "fmod", x, y)
    safe, zero = _safe_divisor(f, node, x, y)
    rest = f.op("srem" if _is_signed(node) else "urem", x, safe)
    return f.select(zero, const(x.type, 0), rest)


def _float_divmod(f: Function, x: Value, y: Value) -> tuple[Value, Value]:
    """Return floor(x / y) and the rest with the sign of y, as NumPy's divmod makes them of C's fmod."""
    zero, one = const(x.type, 0), const(x.type, 1)
    rest = mathlib.call(f, "fmod", x, y)
    quotient = f.op("fdiv", f.op("fsub", x, rest), y)
    apart = f.op("xor", f.compare("olt", y, zero), f.compare("olt", rest, zero))
    moved = f.op("and", f.compare("une", rest, zero), apart)
    quotient = f.select(moved, f.op("fsub", quotient, one), quotient)
    signed_zero = f.intrinsic("copysign", zero, y)
    modulo = f.select(f.compare("oeq", rest, zero), signed_zero, f.select(moved, f.op("fadd", rest, y), rest))
    # The quotient is a whole number but for rounding; take the nearest one.
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


MAPS: dict[str, Emitter] = {
    "add": _arithmetic("fadd", "add", "or"),
    "subtract": _arithmetic("fsub", "sub"),
    "multiply": _arithmetic("fmul", "mul", "and"),
    "divide": _arithmetic("fdiv", "sdiv"),
    "negative": _negative,
    "absolute": _absolute,
    "sign": _sign,
    "floor": _rounded("floor"),
    "ceil": _rounded("ceil"),
    "trunc": _rounded("trunc"),
    "rint": _rounded("roundeven"),
    "sqrt": _rounded("sqrt"),
    "floor_divide": _floor_divide,
    "remainder": _remainder,
    "fmod": _fmod,
    "maximum": _extreme(True),
    "minimum": _extreme(False),
    "where": lambda f, node, c, x, y: f.select(c, x, y),
    "cast": _cast,
    "stop_gradient": _same,
    "copy": _same,
    "equal": _compared("oeq", "eq", "eq"),
    "not_equal": _compared("une", "ne", "ne"),
    "less": _compared("olt", "slt", "ult"),
    "less_equal": _compared("ole", "sle", "ule"),
    "greater": _compared("ogt", "sgt", "ugt"),
    "greater_equal": _compared("oge", "sge", "uge"),
    "isnan": _float_test(lambda f, x: f.compare("uno", x, x), False),
    "isinf": _float_test(_infinite, False),
    "isfinite": _float_test(_finite, True),
    "signbit": _signbit,
    "bitwise_and": lambda f, node, x, y: f.op("and", x, y),
    "bitwise_or": lambda f, node, x, y: f.op("or", x, y),
    "bitwise_xor": lambda f, node, x, y: f.op("xor", x, y),
    "invert": _invert,
    "left_shift": _shift("shl"),
    "right_shift": _shift("lshr"),
    **{name: _in_library(name) for name in mathlib.MATH if name != "fmod"},
}
# Powers of integers take a loop for each element; SciPy's rarer functions have no emitter at all.
_BY_HOST = {("power", "i"), ("power", "u")}
