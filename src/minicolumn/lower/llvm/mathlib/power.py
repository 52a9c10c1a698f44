"""x^y = 2^(y log2 |x|), with the sign and the special cases of C99 (annex F.9.4.4).

The logarithm needs as many digits more than the result as the largest exponent has bits: in double it is the
sum of two numbers, in float it is computed in double, which takes fewer instructions than two floats.
Source: Muller, Elementary Functions, 3rd ed., section 11.4; double-double arithmetic of Dekker 1971.
"""

from __future__ import annotations

from math import inf, nan

from minicolumn.lower.llvm.mathlib.core import (
    Lanes,
    at_least,
    at_most,
    choose,
    fast_two_sum,
    fma,
    horner,
    polynomial,
    two_product,
)
from minicolumn.lower.llvm.mathlib.exponential import LN2, exp_sum, factor, rounded
from minicolumn.lower.llvm.mathlib.logarithm import LOG2E, split, split_normal

# 2 atanh(s) = 2 s + s z q(z) with z = s^2: 2^-43.9; 2^r = 1 + r q(r): 2^-32.0.
ATANH_SHORT = (
    0.6666666667581984,
    0.39999995614838435,
    0.2857210995542546,
    0.22176153256521236,
    0.19584690429671145,
)
EXP2_SHORT = (
    0.6931471838165676,
    0.2402265092077069,
    0.055504003755924805,
    0.009618056924170577,
    0.0013341951214520967,
    0.00015461365735010304,
    1.3359710939193302e-05,
)
# atanh(s) = s (1 + z / 3 + z^2 q(z)): 2^-73.5.
ATANH_LONG = (
    0.1999999999999999,
    0.14285714285722576,
    0.11111111108763676,
    0.090909094357197,
    0.0769227839691314,
    0.06668160202059759,
    0.05837378802473006,
    0.05994761379738947,
)
THIRD = (0.3333333333333333, 1.850371707708594e-17)


def power(x: Lanes, y: Lanes) -> Lanes:
    """x^y, as C's pow: 1 for y = 0 or x = 1, NaN for negative x unless y is an integer."""
    a = abs(x)
    size = _size_float(a, y) if x.format.element == "float" else _size_double(a, y)
    size = choose(y.equals(0.0) | a.equals(1.0), 1.0, size)
    b = abs(y)
    whole = _is_integer(b)
    odd = whole & (_is_integer(b * 0.5) ^ 1)
    negative = (x.bits() < 0) & odd
    signed = choose(negative, -size, size)
    meaningless = (x < 0.0) & (a < inf) & (whole ^ 1)
    number = choose(meaningless, nan, signed)
    # 1^y and x^0 are 1 even where the other is NaN; (-1)^NaN is not.
    return choose(y.equals(0.0) | x.equals(1.0), 1.0, choose(y.equals(y), number, y))


def _is_integer(a: Lanes) -> Lanes:
    """Return where a number that is not negative is an integer; those of at least 2^digits all are."""
    large = 2.0**a.format.digits
    return (a >= large) | ((a + large) - large).equals(a)


def _log_edges(log: Lanes, a: Lanes) -> Lanes:
    return choose(a.equals(0.0), -inf, choose(a < inf, log, a))


def _size_float(a: Lanes, y: Lanes) -> Lanes:
    """Return a^y for a >= 0 or NaN, in double up to the last rounding."""
    wide, times = a.to("fpext", "double"), y.to("fpext", "double")
    k, f = split_normal(wide)
    s = f / (2.0 + f)
    z = s * s
    log_e = fma(s * z, horner(z, ATANH_SHORT), s + s)
    log_2 = _log_edges(fma(log_e, LOG2E["double"][0], k), wide)
    p = at_least(at_most(log_2 * times, 200.0), -200.0)
    n = rounded(p, 1.0, p.format.bias)
    r = p - n.number
    return (fma(horner(r, EXP2_SHORT), r, 1.0) * factor(n)).to("fptrunc", "float")


def _size_double(a: Lanes, y: Lanes) -> Lanes:
    """Return a^y for a >= 0 or NaN."""
    high, low = log_sum(a)
    product, left = two_product(y, _log_edges(high, a))
    # Past any exponent that counts, what is left over may be NaN.
    left = choose(abs(product) < 1000.0, fma(y, low, left), 0.0)
    return exp_sum(product, left)


def log_sum(a: Lanes) -> tuple[Lanes, Lanes]:
    """Return log(a) for positive finite a as a number and what its rounding left over, to about 2^-64."""
    k, f = split(a)
    u, u_left = fast_two_sum(f.number(2.0), f)
    inverse = 1.0 / u
    s = f * inverse
    s_left = fma(-s, u_left, fma(-s, u, f)) * inverse
    head, tail = _twice_atanh(s, s_left)
    ln2, ln2_left = LN2["double"]
    whole, whole_left = two_product(k, ln2)
    total, left = fast_two_sum(whole, head)
    return fast_two_sum(total, left + (fma(k, ln2_left, whole_left) + tail))


def _twice_atanh(s: Lanes, s_left: Lanes) -> tuple[Lanes, Lanes]:
    """Return 2 atanh(s) as two numbers: 2 s (1 + t) with t = z (1/3 + z q(z))."""
    z, z_left = two_product(s, s)
    z_left = fma(s + s, s_left, z_left)
    w, w_left = fast_two_sum(z.number(THIRD[0]), z * polynomial(z, ATANH_LONG))
    t, t_left = two_product(z, w)
    t_left = t_left + fma(z, w_left + THIRD[1], z_left * w)
    double = s + s
    more, more_left = two_product(double, t)
    more_left = fma(double, t_left, fma(s_left + s_left, 1.0 + t, more_left))
    head, left = fast_two_sum(double, more)
    return head, left + more_left
