"""The remainder of huge numbers by pi/2: 192 bits of 2/pi, chosen by the exponent, times the digits of x.

Source: Payne & Hanek 1983 (Radian reduction for trigonometric functions); a lane at a time, as it is rare.
"""

from __future__ import annotations

from itertools import pairwise
from math import nan

from minicolumn.lower.llvm.codegen.emit import Function, Module, Value, element_of
from minicolumn.lower.llvm.mathlib.core import Lanes, choose, fast_two_sum, flip_sign, fma, two_product

# Enough for the largest double: its exponent, and two words more.
_WORDS = 20
_HALF_PI = (1.5707963267948966, 6.123233995736766e-17)
_FOUND = "{ i64, double, double }"
_NAME = "mc.remainder_by_half_pi"


def two_over_pi_words() -> list[int]:
    """Return 64 zero bits and the bits of 2/pi after the point, in words of 64."""
    bits = 64 * (_WORDS - 1)
    unit = 1 << (bits + 32)
    pi = 16 * _arctan_of_inverse(5, unit) - 4 * _arctan_of_inverse(239, unit)
    digits = (2 * unit * unit // pi) >> 32
    return [0] + [digits >> (bits - 64 * (k + 1)) & (2**64 - 1) for k in range(_WORDS - 1)]


def _arctan_of_inverse(x: int, unit: int) -> int:
    """Return arctan(1 / x) in units (Machin 1706 made pi of two of these)."""
    term, total, k = unit // x, 0, 1
    while term:
        total += term // k if k % 4 == 1 else -(term // k)
        term, k = term // (x * x), k + 2
    return total


def reduced_huge(x: Lanes, large: Lanes, near: tuple[Lanes, ...]) -> tuple[Lanes, Lanes, Lanes]:
    """Return the quadrant and both parts of the remainder, anew in the lanes that are large."""
    f = x.f
    # The table is read by the exponent, so no small number may get there.
    safe = choose(large, x, 2.0**30)
    stop = f.let("i64", f"select i1 {_any(large).text}, i64 {x.lanes}, i64 0")
    with f.loop(0, stop, carried=[part.value for part in near]) as loop:
        held = [Lanes(f, v) for v in loop.carried]
        new = _one_lane(_pick(safe, loop.counter), x)
        put = [_put(h, one, loop.counter) for h, one in zip(held, new, strict=True)]
        loop.next(*(choose(large, p, h).value for p, h in zip(put, held, strict=True)))
    q, r, left = (Lanes(f, v) for v in loop.results)
    return q, r, left


def _any(mask: Lanes) -> Value:
    if mask.lanes == 1:
        return mask.value
    return mask.f.call(f"llvm.vector.reduce.or.v{mask.lanes}i1", "i1", mask.value)


def _pick(x: Lanes, place: Value) -> Lanes:
    element = element_of(x.value.type)
    if x.lanes > 1:
        x = Lanes(x.f, x.f.let(element, f"extractelement {x.value}, {place}"))
    return x.to("fpext", "double")


def _put(x: Lanes, one: Lanes, place: Value) -> Lanes:
    if x.lanes == 1:
        return one
    return Lanes(x.f, x.f.let(x.value.type, f"insertelement {x.value}, {one.value}, {place}"))


def _one_lane(x: Lanes, like: Lanes) -> tuple[Lanes, Lanes, Lanes]:
    """Return the parts of one lane, in the types of lanes like these."""
    f, element = x.f, like.format.element
    if _NAME not in f.module.functions:
        _define(f.module)
    found = f.call(_NAME, _FOUND, x.value)
    types = ("i64", "double", "double")
    q, r, left = (Lanes(f, f.let(t, f"extractvalue {found}, {k}")) for k, t in enumerate(types))
    short = r.to("fptrunc", element)
    if element == "float":
        left = (r - short.to("fpext", "double")).to("fptrunc", element)
    return q.to("trunc", like.format.integer), short, left


def _define(module: Module) -> None:
    f = Function(module, _NAME, [("x", "double")], _FOUND, "internal noinline nounwind memory(none)")
    x = Lanes(f, f.parameters["x"])
    result = Value("poison", _FOUND)
    for k, part in enumerate(_payne_hanek(x, module.array("mc.two_over_pi", "i64", two_over_pi_words()))):
        result = f.let(_FOUND, f"insertvalue {result}, {part.value}, {k}")
    f.finish(result)


def _payne_hanek(x: Lanes, table: Value) -> tuple[Lanes, Lanes, Lanes]:
    """Return the quadrant and remainder of one number of at least 2^16; of an infinite one NaN."""
    bits = x.bits()
    field = (bits >> 52) & 0x7FF
    digits = (bits & (2**52 - 1)) | 2**52
    # x = digits 2^e with e = field - 1075, and bits of 2/pi before number e - 2 only give multiples of 4.
    w = _window(table, field + (64 - 2 - 1075))
    product = _product(digits, w)
    # product 2^-126 is x 2/pi modulo 4: the quadrant is its nearest integer.
    q = (product + 2**125) >> 126
    rest = product - (q << 126)
    r, left = _times_half_pi(rest)
    negative, q64 = bits < 0, q.to("trunc", "i64")
    r = choose(field.equals(0x7FF), nan, flip_sign(r, x))
    return choose(negative, 0 - q64, q64), r, flip_sign(left, x)


def _window(table: Value, start: Lanes) -> list[Lanes]:
    """Return three words from a bit on, the first bit in the highest place."""
    f, first, shift = start.f, start >> 6, start & 63
    words = [Lanes(f, f.load("i64", f.at(f.at(table, first.value, "i64"), k, "i64"))) for k in range(4)]
    return [a.intrinsic("fshl", b, shift) for a, b in pairwise(words)]


def _product(digits: Lanes, w: list[Lanes]) -> Lanes:
    """Return the upper 128 of the lower 192 bits of a product."""
    wide = digits.to("zext", "i128")
    high, middle, low = (wide * part.to("zext", "i128") for part in w)
    return (high << 64) + middle + (low >> 64)


def _times_half_pi(rest: Lanes) -> tuple[Lanes, Lanes]:
    """Return rest 2^-126 pi/2 for a signed integer that is not zero, and what rounding left over."""
    f = rest.f
    size = Lanes(f, f.call("llvm.abs.i128", "i128", rest.value, Value("false", "i1")))
    zeros = Lanes(f, f.call("llvm.ctlz.i128", "i128", size.value, Value("false", "i1"))) & 127
    top = Lanes(f, f.let("i128", f"shl {size.value}, {zeros.value.text}")) >> 64
    top = top.to("trunc", "i64")
    # 53 digits and the 11 below them are numbers each; 2^-62 2^-zeros is where they stand.
    upper, lower = ((top & part).to("uitofp", "double") for part in (-2048, 2047))
    scale = ((zeros.number(1023 - 62) - zeros).to("trunc", "i64") << 52).as_float()
    scale = choose(rest < 0, -scale, scale)
    product, left = two_product(upper, _HALF_PI[0])
    r, left = fast_two_sum(product, fma(lower, _HALF_PI[0], fma(upper, _HALF_PI[1], left)))
    return r * scale, left * scale
