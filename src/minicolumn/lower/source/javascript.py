"""JavaScript: numbers, expressions and loops over typed arrays, in any browser and in Node.js.

Expressions are computed in double precision; what is stored in an array of float32 is rounded there.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.ir.graph import Node
from minicolumn.ir.op import Op
from minicolumn.ir.ops import elementwise as e
from minicolumn.ir.ops import logic as b
from minicolumn.ir.ops import special as s
from minicolumn.lower.source.c99 import LIBRARY, library_name
from minicolumn.lower.source.language import INFIX, Expression, Language, call, called, infix, joined_truth
from minicolumn.lower.source.program import SourceProgram

Array = np.ndarray[Any, np.dtype[Any]]
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
        return call({"int32": "toInt32", "int64": "toInt64"}.get(after.name, "toUint32"), x)
    return f"(+{x})" if before.kind == "b" else _whole(x, node)


def _whole(text: str, node: Node) -> str:
    """Return an integer within the range of its type, around which it wraps."""
    return {"int32": f"({text} | 0)", "uint32": f"({text} >>> 0)"}.get(node.array_type.dtype.name, text)


def _arithmetic(sign: str) -> Expression:
    return lambda node, x, y: _whole(f"({x} {sign} {y})", node)


def _times(node: Node, x: str, y: str) -> str:
    if node.array_type.dtype.itemsize == 4 and node.array_type.dtype.kind in "iu":
        return _whole(call("Math.imul", x, y), node)
    return f"({x} * {y})"


def _joined(dtype: np.dtype[Any], sign: str, total: str, value: str) -> str:
    """Return the line that adds or multiplies a value into a total."""
    if dtype.kind == "b":
        return joined_truth(sign, total, value)
    if dtype.name not in ("int32", "uint32"):
        return f"{total} {sign}= {value};"
    wrapped = "| 0" if dtype.kind == "i" else ">>> 0"
    joined = f"{total} + {value}" if sign == "+" else f"Math.imul({total}, {value})"
    return f"{total} = ({joined}) {wrapped};"


def _power(node: Node, x: str, y: str) -> str:
    if node.array_type.is_float:
        return call("Math.pow", x, y)
    is_long = node.array_type.dtype.itemsize > 4
    return call("longPower", x, y) if is_long else _whole(call("wholePower", x, y), node)


def _rounded(name: str) -> Expression:
    return lambda node, x: call(name, x) if node.inputs[0].array_type.is_float else x


def _bits(sign: str) -> Expression:
    """Return how bits are combined; of truth values the result is one again."""

    def write(node: Node, x: str, y: str) -> str:
        if _is_bool(node):
            return f"(({x} {sign} {y}) != 0)"
        _refuse_long(node)
        return _whole(f"({x} {sign} {y})", node)

    return write


def _inverted(node: Node, x: str) -> str:
    if _is_bool(node):
        return f"(!{x})"
    _refuse_long(node)
    return _whole(f"(~{x})", node)


def _refuse_long(node: Node) -> None:
    if node.array_type.dtype.itemsize > 4:
        raise DataError(f"the operation {node.op.name!r} on int64 cannot be written in JavaScript")


def _is_bool(node: Node) -> bool:
    return node.array_type.dtype.kind == "b"


def _of_floats(text: str, otherwise: str) -> Expression:
    return lambda node, x: text.replace("x", x) if node.inputs[0].array_type.is_float else otherwise


MAPS: Mapping[Op, Expression] = {
    **INFIX,
    e.ADD: _arithmetic("+"),
    e.SUBTRACT: _arithmetic("-"),
    e.MULTIPLY: _times,
    e.NEGATIVE: lambda node, x: _whole(f"(-{x})", node),
    e.DIVIDE: infix("/"),
    e.POWER: _power,
    e.ABSOLUTE: lambda node, x: _whole(call("Math.abs", x), node),
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
    b.INVERT: _inverted,
    b.ISNAN: _of_floats("Number.isNaN(x)", "false"),
    b.ISINF: _of_floats("(Math.abs(x) === Infinity)", "false"),
    b.ISFINITE: _of_floats("Number.isFinite(x)", "true"),
    b.SIGNBIT: _of_floats("(x < 0 || Object.is(x, -0))", "false"),
}
MAPS = {
    **MAPS,
    **{op: called(f"Math.{library_name(op)}") for op in LIBRARY},
    e.EXP2: lambda node, x: f"Math.pow(2, {x})",
}
HELPERS: Mapping[str, str] = {
    # As in C: NaN and what an integer cannot hold become the smallest. No integer is -0.
    "toInt32": """function toInt32(x) {
  return x >= -2147483648 && x < 2147483648 ? Math.trunc(x) + 0 : -2147483648;
}""",
    "toInt64": """function toInt64(x) {
  return x >= -9223372036854775808 && x < 9223372036854775808 ? Math.trunc(x) + 0 : -9223372036854775808;
}""",
    "toUint32": """function toUint32(x) {
  return x > -1 && x < 4294967296 ? Math.trunc(x) + 0 : 0;
}""",
    "within": """function within(i, n) {
  i = i < 0 ? i + n : i;
  return i < 0 ? 0 : i >= n ? n - 1 : i;
}""",
    "wholePower": """function wholePower(x, y) {
  let found = 1;
  for (; y > 0; --y) found = Math.imul(found, x);
  return found;
}""",
    "longPower": """function longPower(x, y) {
  let found = 1;
  for (; y > 0; --y) found *= x;
  return found;
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
    joined=_joined,
    within=lambda index, count: f"within({index}, {count})",
    helpers=HELPERS,
)


# Arrays -----------------------------------------------------------------------------------------------------

DECODED = """// Numbers from base64, in the byte order of files.
function decoded(text, Kind) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Kind(bytes.buffer);
}"""
_FEW = 64  # numbers that are written out; more are base64


def array_text(name: str, value: Array) -> str:
    """Return the definition of an array of constants, which calls `DECODED` if it is long."""
    kind = TYPES[value.dtype.name]
    stored = value.astype(np.float64) if value.dtype == np.int64 else value
    flat = np.ascontiguousarray(stored).reshape(-1)
    if len(flat) <= _FEW:
        return f"const {name} = new {kind}([{', '.join(map(number, flat))}]);"
    shown = base64.b64encode(flat.astype(flat.dtype.newbyteorder("<")).tobytes()).decode()
    return f'const {name} = decoded("{shown}", {kind});'


def workspace_text(program: SourceProgram) -> str:
    """Return the arrays between kernels, views of one buffer."""
    lines = [f"const workspace = new ArrayBuffer({max(program.size, 8)});"]
    for name, place in program.workspace.items():
        kind = TYPES[place.dtype.name]
        lines.append(f"const {name} = new {kind}(workspace, {place.offset}, {place.size});")
    return "\n".join(lines)
