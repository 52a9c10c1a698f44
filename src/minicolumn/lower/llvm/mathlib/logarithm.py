"""Logarithms: x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), and log(1 + f) = f + (a smaller part).

Source: fdlibm's method for the reduction; in float a polynomial in f, in double the series of 2 atanh(s) with
s = f / (2 + f), Muller, Elementary Functions, 3rd ed., section 11.3.2. Own minimax coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan

from minicolumn.lower.llvm.mathlib.core import Lanes, choose, fma, polynomial, with_sign
from minicolumn.lower.llvm.mathlib.exponential import LN2, exp2, exp_falling

# log(1 + f) = f - f^2 / 2 + f^3 q(f), relative to the logarithm: 2^-27.4.
LOG = (
    0.333333313,
    -0.250008225,
    0.200012416,
    -0.166233301,
    0.142013878,
    -0.131600752,
    0.127643347,
    -0.0763841271,
)
# 2 atanh(s) = 2 s + s z q(z) with z = s^2, relative to s: 2^-58.5.
ATANH = (
    0.6666666666666735,
    0.3999999999941316,
    0.2857142874275852,
    0.22222198531968085,
    0.18183566622919783,
    0.1531398802714886,
    0.1479661130262455,
)
# The bits of sqrt(1/2), where one power of two hands over to the next.
SQRT_HALF = {"float": 0x3F3504F3, "double": 0x3FE6A09E667F3BCD}
LOG2E = {"float": (1.44269502, 1.92596303e-08), "double": (1.4426950408889634, 2.0355273740931033e-17)}
LOG10E = {"float": (0.434294492, -1.010305e-08), "double": (0.4342944819032518, 1.098319650216765e-17)}
LOG10_2 = {"float": (0.30103001, -1.43209888e-08), "double": (0.3010299956639812, -2.8037281277851704e-18)}


@dataclass(frozen=True)
class Parts:
    """log = k ln 2 + head + tail, where head is exact and tail is small beside it."""

    k: Lanes
    head: Lanes
    tail: Lanes

    def total(self) -> Lanes:
        """Return the sum."""
        high, low = LN2[self.k.format.element]
        return fma(self.k, high, self.head + fma(self.k, low, self.tail))


def log1p_near(f: Lanes) -> Lanes:
    """Return log(1 + f) - f for 1 + f in [sqrt(1/2), sqrt(2)]."""
    if f.format.element == "float":
        return f * f * fma(f, polynomial(f, LOG), -0.5)
    s = f / (2.0 + f)
    z = s * s
    half_square = f * f * 0.5
    return s * fma(z, polynomial(z, ATANH), half_square) - half_square


def biased_exponent(u: Lanes) -> tuple[Lanes, Lanes]:
    """Return k + bias of u = 2^k m, m in [sqrt(1/2), sqrt(2)), and the bits of m less those of sqrt(1/2)."""
    format = u.format
    apart = u.bits() - (SQRT_HALF[format.element] - format.one)
    return apart >> format.digits, apart & ((1 << format.digits) - 1)


def as_number(biased: Lanes) -> Lanes:
    """Return 2^digits + k + bias as a number; a conversion of 64-bit integers would take AVX-512."""
    format = biased.format
    return (biased | ((format.bias + format.digits) << format.digits)).as_float()


def split(x: Lanes) -> tuple[Lanes, Lanes]:
    """Return k and f of x = 2^k (1 + f), for positive x that may be subnormal."""
    format = x.format
    small = x < format.smallest
    biased, apart = biased_exponent(choose(small, x * 2.0**format.digits, x))
    offset = 2.0**format.digits + format.bias
    k = as_number(biased) - choose(small, x.number(offset + format.digits), offset)
    return k, (apart + SQRT_HALF[format.element]).as_float() - 1.0


def split_normal(x: Lanes) -> tuple[Lanes, Lanes]:
    """Return k and f of x = 2^k (1 + f), for positive normal x."""
    biased, apart = biased_exponent(x)
    k = as_number(biased) - (2.0**x.format.digits + x.format.bias)
    return k, (apart + SQRT_HALF[x.format.element]).as_float() - 1.0


def parts(x: Lanes) -> Parts:
    """Return the parts of log(x) for positive finite x."""
    k, f = split(x)
    return Parts(k, f, log1p_near(f))


def with_edges(y: Lanes, x: Lanes) -> Lanes:
    """Return y as the logarithm of x, put right where x is NaN, infinite, zero or negative."""
    finite = choose(x < inf, y, x)
    return choose(x > 0.0, finite, choose(x.equals(0.0), x.number(-inf), nan))


def log(x: Lanes) -> Lanes:
    """Natural logarithm: k ln 2 + log(1 + f)."""
    return with_edges(parts(x).total(), x)


def _in_base(p: Parts, per_e: tuple[float, float], per_2: tuple[float, float]) -> Lanes:
    """Return the sum of parts in another base, each constant as a number and what is left of it."""
    low = fma(p.head, per_e[1], p.tail * per_e[0])
    return fma(p.k, per_2[0], fma(p.head, per_e[0], fma(p.k, per_2[1], low)))


def log2(x: Lanes) -> Lanes:
    """Logarithm to base 2; exact for powers of 2."""
    return with_edges(_in_base(parts(x), LOG2E[x.format.element], (1.0, 0.0)), x)


def log10(x: Lanes) -> Lanes:
    """Logarithm to base 10."""
    return with_edges(_in_base(parts(x), LOG10E[x.format.element], LOG10_2[x.format.element]), x)


def parts1p(x: Lanes) -> Parts:
    """Return the parts of log(1 + x) for finite x > -1 that are not tiny."""
    format = x.format
    biased, _ = biased_exponent(1.0 + x)
    # The rounded 1 + x gives k only; f = 2^-k x + (2^-k - 1) comes from x itself, in one rounding. For the
    # largest k 2^-k is no normal number, but 2^(2 - k) is.
    four = ((biased.number(2 * format.bias + 2) - biased) << format.digits).as_float()
    f = fma(x * 0.25, four, fma(four, 0.25, -1.0))
    return Parts(as_number(biased) - (2.0**format.digits + format.bias), f, log1p_near(f))


def log1p_edges(y: Lanes, x: Lanes) -> Lanes:
    """Return y as log(1 + x), put right where x is NaN, infinite, tiny, -1 or less."""
    normal = choose(abs(x) < 2.0 ** -(x.format.digits + 2), x, choose(x < inf, y, x))
    return choose(x > -1.0, normal, choose(x.equals(-1.0), x.number(-inf), nan))


def log1p(x: Lanes) -> Lanes:
    """log(1 + x), precise also near 0."""
    return log1p_edges(parts1p(x).total(), x)


def log1p_unit(e: Lanes) -> Lanes:
    """Return log(1 + e) for e in [0, 1] or NaN."""
    upper = e > 0.41421356
    f = choose(upper, fma(e, 0.5, -0.5), e)
    k = choose(upper, 1.0, e.number(0.0))
    return Parts(k, f, log1p_near(f)).total()


def softplus(x: Lanes) -> Lanes:
    """log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)."""
    return choose(x < 0.0, 0.0, x) + log1p_unit(exp_falling(-abs(x)))


def _add_exponentials(x: Lanes, y: Lanes, smaller: Lanes) -> Lanes:
    """Return the larger operand plus a term; equal infinities, which have no difference, stay."""
    larger = choose(x > y, x, y)
    total = choose(abs(larger).equals(inf), larger, larger + smaller)
    return choose(x.equals(x) & y.equals(y), total, x + y)


def logaddexp(x: Lanes, y: Lanes) -> Lanes:
    """log(e^x + e^y) = max + log(1 + e^-|x - y|); its bound is in ulp of the largest of x, y, result."""
    return _add_exponentials(x, y, log1p_unit(exp_falling(-abs(x - y))))


def logaddexp2(x: Lanes, y: Lanes) -> Lanes:
    """log2(2^x + 2^y), as logaddexp."""
    return _add_exponentials(x, y, log1p_unit(exp2(-abs(x - y))) * LOG2E[x.format.element][0])


def _zero_times(x: Lanes, y: Lanes, product: Lanes) -> Lanes:
    return choose(x.equals(0.0) & y.equals(y), 0.0, product)


def xlogy(x: Lanes, y: Lanes) -> Lanes:
    """x log(y), and 0 where x = 0 and y is a number."""
    return _zero_times(x, y, x * log(y))


def xlog1py(x: Lanes, y: Lanes) -> Lanes:
    """x log(1 + y), and 0 where x = 0 and y is a number."""
    return _zero_times(x, y, x * log1p(y))


# Inverse hyperbolic functions ------------------------------------------------------------------------------


def _log1p_of(w: Lanes, large: Lanes, x: Lanes) -> Lanes:
    """Return log(1 + w), or log(2 x) where x is so large that 1 does not count."""
    p = parts1p(choose(large, x, w))
    more = Parts(p.k + choose(large, 1.0, x.number(0.0)), p.head, p.tail)
    return choose(x < inf, more.total(), x)


def arcsinh(x: Lanes) -> Lanes:
    """log1p(a + a^2 / (1 + sqrt(a^2 + 1))) with a = |x|, and the sign of x.  Source: fdlibm's method."""
    a = abs(x)
    large = a > 2.0 ** (x.format.digits + 3)
    square = a * a
    root = fma(a, a, 1.0).intrinsic("sqrt")
    result = _log1p_of(a + square / (1.0 + root), large, a)
    return choose(a < 2.0 ** -(x.format.digits // 2 + 2), x, with_sign(result, x))


def arccosh(x: Lanes) -> Lanes:
    """log1p(t + sqrt(t (t + 2))) with t = x - 1; NaN below 1.  Source: fdlibm's method."""
    t = x - 1.0
    large = x > 2.0 ** (x.format.digits + 3)
    root = fma(t, t, t + t).intrinsic("sqrt")
    result = choose(t.equals(0.0), 0.0, _log1p_of(t + root, large, x))
    return choose(x < 1.0, nan, result)


def arctanh(x: Lanes) -> Lanes:
    """log1p(2 a + 2 a^2 / (1 - a)) / 2 with a = |x|, and the sign of x; NaN beyond 1."""
    a = abs(x)
    double = a + a
    result = choose(a > 1.0, nan, log1p(fma(double, a / (1.0 - a), double)) * 0.5)
    return choose(a < 2.0 ** -(x.format.digits // 2 + 2), x, with_sign(result, x))
