"""C99: numbers, expressions and loops in C, with functions of its own library alone.

Differs     generators that call libraries of their own; here what C lacks is a function of a few lines beside
            those that need it. Nothing is out of bounds or undefined, whatever the inputs: conversions to
            integers are checked, indices are brought into range.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minicolumn.ir.graph import Node
from minicolumn.ir.op import Op, op_named
from minicolumn.ir.ops import elementwise as e
from minicolumn.ir.ops import logic as b
from minicolumn.ir.ops import special as s
from minicolumn.lower.source.language import INFIX, Expression, Language, bare, call, infix

TYPES = {
    "float32": "float",
    "float64": "double",
    "int32": "int32_t",
    "int64": "int64_t",
    "uint32": "uint32_t",
    "bool": "uint8_t",
}


def number(value: Any) -> str:
    """Return a NumPy number as a literal of C, exact.

    >>> number(np.float32(0.1)), number(np.float64(-2)), number(np.float32(np.inf)), number(np.bool_(True))
    ('0.1f', '-2.0', 'INFINITY', '1')
    """
    dtype = np.asarray(value).dtype
    if dtype.kind != "f":
        return str(int(value)) if value >= 0 or int(value) > -(2**31) else f"({int(value) + 1} - 1)"
    if np.isnan(value):
        return "NAN"
    if np.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    text = np.format_float_scientific(value, unique=True, trim="0", exp_digits=1)
    digits, _, power = text.partition("e")
    short = np.format_float_positional(value, unique=True, trim="0") if -5 < int(power) < 7 else ""
    shown = short or (digits if int(power) == 0 else f"{digits}e{int(power)}")
    return shown + ("f" if dtype == np.float32 else "")


def _of_type(name: str) -> Expression:
    """Return how a function of the library is written: with an f for float."""
    return lambda node, *operands: call(f"{name}{'f' * _is_single(node)}", *operands)


def _helper(name: str) -> Expression:
    """Return how a function of ours is written: by the type of its operands."""
    return lambda node, *operands: call(f"{name}_{_letter(node)}", *operands)


def _is_single(node: Node) -> bool:
    return node.inputs[0].array_type.dtype == np.float32


def _letter(node: Node) -> str:
    dtype = node.inputs[0].array_type.dtype
    return {"float32": "f32", "float64": "f64", "int32": "i32", "int64": "i64"}.get(dtype.name, "u32")


def _divided(node: Node, x: str, y: str) -> str:
    return f"({x} / {y})"


def _absolute(node: Node, x: str) -> str:
    if node.inputs[0].array_type.is_float:
        return _of_type("fabs")(node, x)
    return f"({x} < 0 ? -{x} : {x})"


def _rounded(name: str) -> Expression:
    function = _of_type(name)
    return lambda node, x: function(node, x) if node.inputs[0].array_type.is_float else x


def _cast(node: Node, x: str) -> str:
    before, after = node.inputs[0].array_type.dtype, node.array_type.dtype
    if before == after:
        return x
    if after.kind == "b":
        return f"({x} != 0)"
    if before.kind == "f" and after.kind in "iu":
        return call(f"to_{TYPES[after.name].removesuffix('_t')}", x)
    return f"({TYPES[after.name]})({bare(x)})"


def _test(of_floats: str, otherwise: str) -> Expression:
    return lambda node, x: f"({call(of_floats, x)} != 0)" if node.inputs[0].array_type.is_float else otherwise


def _inverted(node: Node, x: str) -> str:
    return f"(!{x})" if node.array_type.dtype.kind == "b" else f"(~{x})"


MAPS: Mapping[Op, Expression] = {
    **INFIX,
    e.DIVIDE: _divided,
    e.ABSOLUTE: _absolute,
    e.SIGN: lambda node, x: f"(({x} > 0) - ({x} < 0))" if not _is_float(node) else _helper("sign")(node, x),
    e.FLOOR: _rounded("floor"),
    e.CEIL: _rounded("ceil"),
    e.TRUNC: _rounded("trunc"),
    e.RINT: _rounded("rint"),
    e.MAXIMUM: _helper("larger"),
    e.MINIMUM: _helper("smaller"),
    e.POWER: _of_type("pow"),
    e.CAST: _cast,
    e.LOGISTIC: _helper("logistic"),
    e.SOFTPLUS: _helper("softplus"),
    e.LOGADDEXP: _helper("logaddexp"),
    e.FMOD: _of_type("fmod"),
    e.HYPOT: _of_type("hypot"),
    e.CBRT: _of_type("cbrt"),
    s.ERF: _of_type("erf"),
    s.ERFC: _of_type("erfc"),
    b.EQUAL: infix("=="),
    b.NOT_EQUAL: infix("!="),
    b.BITWISE_AND: infix("&"),
    b.BITWISE_OR: infix("|"),
    b.BITWISE_XOR: infix("^"),
    b.INVERT: _inverted,
    b.ISNAN: _test("isnan", "0"),
    b.ISINF: _test("isinf", "0"),
    b.ISFINITE: _test("isfinite", "1"),
    b.SIGNBIT: _test("signbit", "0"),
}
# Functions that C's library has under the names of the operations, but for those in C_NAMES.
_LIBRARY = "exp exp2 expm1 log log2 log10 log1p sqrt sin cos tan sinh cosh tanh"
_C_NAMES = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh",
    "arccosh": "acosh", "arctanh": "atanh",
}  # fmt: skip
MAPS = {
    **MAPS,
    **{op_named(name): _of_type(name) for name in _LIBRARY.split()},
    **{op_named(name): _of_type(there) for name, there in _C_NAMES.items()},
}


def _is_float(node: Node) -> bool:
    return node.inputs[0].array_type.is_float


def _for_both(text: str) -> dict[str, str]:
    """Return a function for float and for double: TYPE, its name's end and the library's f filled in."""
    found = {}
    for letters, type, f in (("f32", "float", "f"), ("f64", "double", "")):
        filled = text.replace("LETTERS", letters).replace("TYPE", type).replace("F(", f"{f}(")
        found[filled.split("(")[0].split()[-1]] = filled
    return found


HELPERS: Mapping[str, str] = {
    # NaN and what an integer cannot hold become the smallest integer, as on most processors.
    "to_int32": """static int32_t to_int32(double x) {
  return x >= -2147483648.0 && x < 2147483648.0 ? (int32_t)x : INT32_MIN;
}""",
    "to_int64": """static int64_t to_int64(double x) {
  return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? (int64_t)x : INT64_MIN;
}""",
    "to_uint32": """static uint32_t to_uint32(double x) {
  return x > -1.0 && x < 4294967296.0 ? (uint32_t)x : 0;
}""",
    "within": """static int32_t within(int64_t i, int32_t n) {
  i = i < 0 ? i + n : i;
  return i < 0 ? 0 : i >= n ? n - 1 : (int32_t)i;
}""",
    **_for_both("""static TYPE larger_LETTERS(TYPE x, TYPE y) {
  return x >= y || isnan(x) ? x : y;
}"""),
    **_for_both("""static TYPE smaller_LETTERS(TYPE x, TYPE y) {
  return x <= y || isnan(x) ? x : y;
}"""),
    "larger_i32": "static int32_t larger_i32(int32_t x, int32_t y) {\n  return x >= y ? x : y;\n}",
    "larger_i64": "static int64_t larger_i64(int64_t x, int64_t y) {\n  return x >= y ? x : y;\n}",
    "larger_u32": "static uint32_t larger_u32(uint32_t x, uint32_t y) {\n  return x >= y ? x : y;\n}",
    "smaller_i32": "static int32_t smaller_i32(int32_t x, int32_t y) {\n  return x <= y ? x : y;\n}",
    "smaller_i64": "static int64_t smaller_i64(int64_t x, int64_t y) {\n  return x <= y ? x : y;\n}",
    "smaller_u32": "static uint32_t smaller_u32(uint32_t x, uint32_t y) {\n  return x <= y ? x : y;\n}",
    **_for_both("""static TYPE sign_LETTERS(TYPE x) {
  return isnan(x) ? x : (TYPE)((x > 0) - (x < 0));
}"""),
    **_for_both("""static TYPE logistic_LETTERS(TYPE x) {
  const TYPE s = expF(-fabsF(x));
  return (x >= 0 ? 1 : s) / (1 + s);
}"""),
    **_for_both("""static TYPE softplus_LETTERS(TYPE x) {
  return (x > 0 || isnan(x) ? x : 0) + log1pF(expF(-fabsF(x)));
}"""),
    **_for_both("""static TYPE logaddexp_LETTERS(TYPE x, TYPE y) {
  return x == y ? x + (TYPE)0.693147180559945309 : (x > y ? x : y) + log1pF(expF(-fabsF(x - y)));
}"""),
}

C99 = Language(
    name="C",
    types=TYPES,
    number=number,
    maps=MAPS,
    local=lambda type, name, value: f"const {type} {name} = {value};",
    variable=lambda type, name, value: f"{type} {name} = {value};",
    row=lambda type, name, count: f"{type} {name}[{count}] = {{0}};",
    loop=lambda counter, count: f"for (int32_t {counter} = 0; {counter} < {count}; ++{counter}) {{",
    within=lambda index, count: f"within({index}, {count})",
    helpers=HELPERS,
)
