"""JavaScript: numbers, expressions and loops over typed arrays, in any browser and in Node.js.

Expressions are computed in double precision; what is stored in an array of float32 is rounded there.
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
from minicolumn.lower.source.language import INFIX, Expression, Language, call, called, infix

# int64 lies in doubles, which hold every index exactly.
TYPES = {
    "float32": "Float32Array",
    "float64": "Float64Array",
    "int32": "Int32Array",
    "int64": "Float64Array",
    "uint32": "Uint32Array",
    "bool": "Uint8Array",
}


def number(value: Any) -> str:
    """Return a NumPy number as a literal of JavaScript, exact.

    >>> number(np.float32(0.1)), number(np.float64(0.1)), number(np.float32(-np.inf)), number(np.int32(3))
    ('0.10000000149011612', '0.1', '-Infinity', '3')
    """
    if np.asarray(value).dtype.kind != "f":
        return str(int(value))
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(float(value))


def _cast(node: Node, x: str) -> str:
    before, after = node.inputs[0].array_type.dtype, node.array_type.dtype
    if after.kind == "b":
        return f"({x} != 0)"
    if after == np.float32:
        return call("Math.fround", x)
    if before.kind == "f" and after.kind in "iu":
        return call("toInteger", x)
    return f"(+{x})" if before.kind == "b" else x


def _rounded(name: str) -> Expression:
    return lambda node, x: call(name, x) if node.inputs[0].array_type.is_float else x


def _bits(sign: str) -> Expression:
    """Return how bits are combined; of truth values the result is one again."""
    return lambda node, x, y: f"(({x} {sign} {y}) != 0)" if _is_bool(node) else f"({x} {sign} {y})"


def _is_bool(node: Node) -> bool:
    return node.array_type.dtype.kind == "b"


def _of_floats(text: str, otherwise: str) -> Expression:
    return lambda node, x: text.replace("x", x) if node.inputs[0].array_type.is_float else otherwise


MAPS: Mapping[Op, Expression] = {
    **INFIX,
    e.DIVIDE: infix("/"),
    e.POWER: called("Math.pow"),
    e.ABSOLUTE: called("Math.abs"),
    e.SIGN: called("Math.sign"),
    e.FLOOR: _rounded("Math.floor"),
    e.CEIL: _rounded("Math.ceil"),
    e.TRUNC: _rounded("Math.trunc"),
    e.RINT: _rounded("roundEven"),
    e.MAXIMUM: called("Math.max"),
    e.MINIMUM: called("Math.min"),
    e.CAST: _cast,
    e.LOGISTIC: called("logistic"),
    e.SOFTPLUS: called("softplus"),
    e.LOGADDEXP: called("logaddexp"),
    e.FMOD: infix("%"),
    e.HYPOT: called("Math.hypot"),
    e.CBRT: called("Math.cbrt"),
    s.ERF: lambda node, x: f"(1 - erfc({x}))",
    s.ERFC: called("erfc"),
    b.EQUAL: infix("=="),
    b.NOT_EQUAL: infix("!="),
    b.BITWISE_AND: _bits("&"),
    b.BITWISE_OR: _bits("|"),
    b.BITWISE_XOR: _bits("^"),
    b.INVERT: lambda node, x: f"(!{x})" if _is_bool(node) else f"(~{x})",
    b.ISNAN: _of_floats("Number.isNaN(x)", "false"),
    b.ISINF: _of_floats("(Math.abs(x) === Infinity)", "false"),
    b.ISFINITE: _of_floats("Number.isFinite(x)", "true"),
    b.SIGNBIT: _of_floats("(x < 0 || Object.is(x, -0))", "false"),
}
_NAMES = {
    "exp": "exp", "expm1": "expm1", "log": "log", "log2": "log2", "log10": "log10", "log1p": "log1p",
    "sqrt": "sqrt", "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh",
    "arccosh": "acosh", "arctanh": "atanh",
}  # fmt: skip
MAPS = {
    **MAPS,
    e.EXP2: lambda node, x: f"Math.pow(2, {x})",
    **{op_named(name): called(f"Math.{there}") for name, there in _NAMES.items()},
}
HELPERS: Mapping[str, str] = {
    "toInteger": """function toInteger(x) {
  return x >= -2147483648 && x < 2147483648 ? Math.trunc(x) : -2147483648;
}""",
    "within": """function within(i, n) {
  i = i < 0 ? i + n : i;
  return i < 0 ? 0 : i >= n ? n - 1 : i;
}""",
    "roundEven": """function roundEven(x) {
  const r = Math.round(x);
  return Math.abs(x % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
}""",
    "logistic": """function logistic(x) {
  const s = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : s) / (1 + s);
}""",
    "softplus": """function softplus(x) {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}""",
    "logaddexp": """function logaddexp(x, y) {
  return x === y ? x + Math.LN2 : Math.max(x, y) + Math.log1p(Math.exp(-Math.abs(x - y)));
}""",
    # Abramowitz & Stegun 7.1.5 and 7.1.14: the power series near 0, a continued fraction further out.
    "erfc": """function erfc(x) {
  const z = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (z < 2.5) {
    let term = z, sum = z;
    for (let n = 1; n < 60; ++n) { term *= -z * z / n; sum += term / (2 * n + 1); }
    return 1 - Math.sign(x) * 2 / Math.sqrt(Math.PI) * sum;
  }
  let rest = z;
  for (let n = 60; n > 0; --n) rest = z + n / 2 / rest;
  const tail = z < 27 ? Math.exp(-z * z) / rest / Math.sqrt(Math.PI) : 0;
  return x < 0 ? 2 - tail : tail;
}""",
}

JAVASCRIPT = Language(
    name="JavaScript",
    types=TYPES,
    number=number,
    maps=MAPS,
    local=lambda type, name, value: f"const {name} = {value};",
    variable=lambda type, name, value: f"let {name} = {value};",
    row=lambda type, name, count: f"const {name} = new {type}({count});",
    loop=lambda counter, count: f"for (let {counter} = 0; {counter} < {count}; ++{counter}) {{",
    within=lambda index, count: f"within({index}, {count})",
    helpers=HELPERS,
)
