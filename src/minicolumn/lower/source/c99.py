"""C99: numbers, expressions and loops in C, with functions of its own library alone.

Differs     generators that call libraries of their own; here what C lacks is a function of a few lines beside
            those that need it. Nothing is out of bounds or undefined, whatever the inputs: conversions to
            integers are checked, indices are brought into range.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np

from minicolumn.ir.graph import Node
from minicolumn.ir.op import Op
from minicolumn.ir.ops import elementwise as e
from minicolumn.ir.ops import logic as b
from minicolumn.ir.ops import special as s
from minicolumn.lower.source.language import INFIX, Expression, Language, bare, call, infix, joined_truth
from minicolumn.lower.source.program import SourceProgram

Array = np.ndarray[Any, np.dtype[Any]]
TYPES = {
    "float32": "float",
    "float64": "double",
    "int32": "int32_t",
    "int64": "int64_t",
    "uint32": "uint32_t",
    "bool": "uint8_t",
    "int8": "int8_t",
}


def number(value: Any) -> str:
    """Return a NumPy number as a literal of C, exact.

    >>> number(np.float32(0.1)), number(np.float64(-2)), number(np.float32(np.inf)), number(np.bool_(True))
    ('0.1f', '-2.0', 'INFINITY', '1')
    """
    dtype = np.asarray(value).dtype
    if dtype.kind == "u" and value >= 2**31:  # else a long, in which nothing wraps around
        return f"{int(value)}u"
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


def _chosen(node: Node, test: str, yes: str, no: str) -> str:
    if node.array_type.dtype == np.float32:
        return call("choose_f32", test, yes, no)
    return f"({test} ? {yes} : {no})"


def _divided(node: Node, x: str, y: str) -> str:
    return f"({x} / {y})"


def _absolute(node: Node, x: str) -> str:
    if node.inputs[0].array_type.is_float:
        return _of_type("fabs")(node, x)
    return x if node.array_type.dtype.kind in "ub" else _helper("absolute")(node, x)


def _sign(node: Node, x: str) -> str:
    if node.array_type.is_float:
        return _helper("sign")(node, x)
    return f"({x} > 0)" if node.array_type.dtype.kind == "u" else f"(({x} > 0) - ({x} < 0))"


def _arithmetic(sign: str, name: str) -> Expression:
    """Return how sums and products are written: of signed integers by functions, which wrap around."""
    plain, wrapped = infix(sign), _helper(name)
    return lambda node, x, y: (wrapped if node.array_type.dtype.kind == "i" else plain)(node, x, y)


def _negated(node: Node, x: str) -> str:
    return _helper("minus")(node, "0", x) if node.array_type.dtype.kind == "i" else f"(-{x})"


def _power(node: Node, x: str, y: str) -> str:
    return (_of_type("pow") if node.array_type.is_float else _helper("power"))(node, x, y)


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
    e.ADD: _arithmetic("+", "plus"),
    e.SUBTRACT: _arithmetic("-", "minus"),
    e.MULTIPLY: _arithmetic("*", "times"),
    e.NEGATIVE: _negated,
    e.WHERE: _chosen,
    e.DIVIDE: _divided,
    e.ABSOLUTE: _absolute,
    e.SIGN: _sign,
    e.FLOOR: _rounded("floor"),
    e.CEIL: _rounded("ceil"),
    e.TRUNC: _rounded("trunc"),
    e.RINT: _rounded("rint"),
    e.MAXIMUM: _helper("larger"),
    e.MINIMUM: _helper("smaller"),
    e.POWER: _power,
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
# Functions that C's library has under NumPy's names, but for "asin" instead of "arcsin".
LIBRARY = (
    e.EXP, e.EXP2, e.EXPM1, e.LOG, e.LOG2, e.LOG10, e.LOG1P, e.SQRT,
    e.SIN, e.COS, e.TAN, e.SINH, e.COSH, e.TANH, e.ARCSIN,
    e.ARCCOS, e.ARCTAN, e.ARCTAN2, e.ARCSINH, e.ARCCOSH, e.ARCTANH,
)  # fmt: skip


def library_name(op: Op) -> str:
    """Return what the libraries of C and JavaScript call a function of NumPy.

    >>> library_name(e.ARCTAN2)
    'atan2'
    """
    return op.numpy.__name__.replace("arc", "a")


# Of these there are functions without branches for float; for double C's library is taken.
_VECTORIZED = (e.EXP, e.EXPM1, e.TANH)


def _vectorized(name: str) -> Expression:
    return lambda node, x: (_helper(name) if _is_single(node) else _of_type(name))(node, x)


MAPS = {
    **MAPS,
    **{op: _of_type(library_name(op)) for op in LIBRARY},
    **{op: _vectorized(library_name(op)) for op in _VECTORIZED},
}


def _for_both(text: str) -> dict[str, str]:
    """Return a function for float and for double: TYPE, its name's end and the library's f filled in."""
    found = {}
    for letters, type, f in (("f32", "float", "f"), ("f64", "double", "")):
        filled = text.replace("LETTERS", letters).replace("TYPE", type).replace("F(", f"{f}(")
        found[filled.split("(")[0].split()[-1]] = filled
    return found


def _for_integers(text: str, letters: str = "i32 i64 u32") -> dict[str, str]:
    """Return a function for integers: TYPE, UNSIGNED and LETTERS filled in."""
    found = {}
    for letter in letters.split():
        bits = letter[1:]
        signed = f"int{bits}_t" if letter[0] == "i" else f"uint{bits}_t"
        filled = text.replace("LETTERS", letter).replace("UNSIGNED", f"uint{bits}_t").replace("TYPE", signed)
        found[filled.split("(")[0].split()[-1]] = filled
    return found


def _joining(name: str, sign: str) -> dict[str, str]:
    """Return a sum or product of integers that wraps around, where C's own would be undefined."""
    return _for_integers(f"""static TYPE {name}_LETTERS(TYPE x, TYPE y) {{
  return (TYPE)((UNSIGNED)x {sign} (UNSIGNED)y);
}}""")


def c_text(name: str) -> str:
    """Return a function that stands in a file of its own."""
    return files("minicolumn.lower.source").joinpath("c_text", f"{name}.c").read_text().rstrip()


def _products() -> dict[str, str]:
    """Return the functions that multiply a row with a packed weight."""
    written = _for_both(c_text("product"))
    return {f"product_{letters}": written[f"panels_{letters}"] for letters in ("f32", "f64")}


HELPERS: Mapping[str, str] = {
    "ALWAYS_INLINE": c_text("processor"),
    **{
        name: c_text(name)
        for name in ("bits", "choose_f32", "choose_f64", "exp_f32", "expm1_f32", "tanh_f32")
    },
    "exp_f64": "static double exp_f64(double x) {\n  return exp(x);\n}",
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
    **_for_both("""static inline TYPE larger_LETTERS(TYPE x, TYPE y) {
  return choose_LETTERS((x >= y) | (x != x), x, y);
}"""),
    **_for_both("""static inline TYPE smaller_LETTERS(TYPE x, TYPE y) {
  return choose_LETTERS((x <= y) | (x != x), x, y);
}"""),
    **_for_integers("static TYPE larger_LETTERS(TYPE x, TYPE y) {\n  return x >= y ? x : y;\n}"),
    **_for_integers("static TYPE smaller_LETTERS(TYPE x, TYPE y) {\n  return x <= y ? x : y;\n}"),
    **_joining("plus", "+"),
    **_joining("minus", "-"),
    **_joining("times", "*"),
    **_for_integers(
        """static TYPE absolute_LETTERS(TYPE x) {
  return x < 0 ? (TYPE)(0 - (UNSIGNED)x) : x;
}""",
        "i32 i64",
    ),
    **_for_integers("""static TYPE power_LETTERS(TYPE x, TYPE y) {
  UNSIGNED found = 1;
  for (; y > 0; --y) found *= (UNSIGNED)x;
  return (TYPE)found;
}"""),
    **_for_both("""static TYPE sign_LETTERS(TYPE x) {
  return isnan(x) ? x : (TYPE)((x > 0) - (x < 0));
}"""),
    **_for_both("""static TYPE log1p_exp_LETTERS(TYPE x) {
  return log1pF(expF(x));
}""")
    | {"log1p_exp_f32": c_text("log1p_exp_f32")},
    **_for_both("""static inline TYPE logistic_LETTERS(TYPE x) {
  const TYPE s = exp_LETTERS(-fabsF(x));
  const TYPE top = choose_LETTERS(x >= 0, 1, s);
  return top / (1 + s);
}"""),
    **_for_both("""static inline TYPE softplus_LETTERS(TYPE x) {
  const TYPE above = choose_LETTERS(x <= 0, 0, x);
  return above + log1p_exp_LETTERS(-fabsF(x));
}"""),
    **_for_both("""static inline TYPE logaddexp_LETTERS(TYPE x, TYPE y) {
  return x == y ? x + (TYPE)0.693147180559945309 : (x > y ? x : y) + log1p_exp_LETTERS(-fabsF(x - y));
}"""),
    **_products(),
    "product_i8": c_text("product_i8"),
}


def _joined(dtype: np.dtype[Any], sign: str, total: str, value: str) -> str:
    """Return the line that adds or multiplies a value into a total."""
    if dtype.kind == "b":
        return joined_truth(sign, total, value)
    if dtype.kind != "i":
        return f"{total} {sign}= {value};"
    name = {"+": "plus", "*": "times"}[sign]
    return f"{total} = {name}_i{8 * dtype.itemsize}({total}, {value});"


C99 = Language(
    name="C",
    types=TYPES,
    number=number,
    maps=MAPS,
    # A truth value as wide as a float: what is chosen by it can then be vectorized.
    local=lambda type, name, value: f"const {'int32_t' if type == 'uint8_t' else type} {name} = {value};",
    variable=lambda type, name, value: f"{type} {name} = {value};",
    row=lambda type, name, count: f"{type} {name}[{count}] = {{0}};",
    loop=lambda counter, count: f"for (int32_t {counter} = 0; {counter} < {count}; ++{counter}) {{",
    joined=_joined,
    within=lambda index, count: f"within({index}, {count})",
    helpers=HELPERS,
    eager=frozenset({e.WHERE}),
    packed={"float32": "product_f32", "float64": "product_f64"},
)


# Arrays -----------------------------------------------------------------------------------------------------


def array_text(name: str, value: Array) -> str:
    """Return the definition of an array of constants."""
    numbers = [number(x) for x in value.reshape(-1)] or ["0"]
    body = ",\n  ".join(", ".join(numbers[k : k + 12]) for k in range(0, len(numbers), 12))
    return f"static const {TYPES[value.dtype.name]} {name}[{len(numbers)}] = {{\n  {body}}};"


def workspace_text(program: SourceProgram) -> str:
    """Return the declarations of the arrays between kernels; those of a dtype share an arena."""
    lines, first = [], {}
    for dtype, offset, size in _arenas(program):
        lines.append(f"  {TYPES[dtype.name]} of_{dtype.name}[{size}];")
        first[dtype] = offset
    for name, place in program.workspace.items():
        at = (place.offset - first[place.dtype]) // place.dtype.itemsize
        start = f"of_{place.dtype.name}{f' + {at}' if at else ''}"
        lines.append(f"  {TYPES[place.dtype.name]} *const {name} = {start};")
    return "".join(f"{line}\n" for line in lines)


def stack_bytes(program: SourceProgram) -> int:
    """Return how many bytes the arrays between kernels take, and the row that a kernel keeps beside them."""
    return sum(size * dtype.itemsize for dtype, _, size in _arenas(program)) + program.row


def _arenas(program: SourceProgram) -> list[tuple[np.dtype[Any], int, int]]:
    """Return an arena for each dtype: where it begins in the workspace, and how many elements it has.

    One for all of them would be smaller, but C may take arrays of different types to lie apart.
    """
    found = []
    for dtype in dict.fromkeys(place.dtype for place in program.workspace.values()):
        places = [p for p in program.workspace.values() if p.dtype == dtype]
        first = min(p.offset for p in places)
        last = max(p.offset + p.size * dtype.itemsize for p in places)
        found.append((dtype, first, max(1, (last - first) // dtype.itemsize)))
    return found
