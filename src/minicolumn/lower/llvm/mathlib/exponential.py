"""e^x and its relatives: x = n ln 2 + r with |r| <= ln(2)/2, a polynomial in r, and 2^n made of its bits.

The reduction is Cody & Waite's (Software Manual for the Elementary Functions, 1980, chapter 6), with fma in
place of short constants. n comes from adding 1.5 2^digits, which leaves it in the low bits as well, so that
nothing is converted.
"""

from __future__ import annotations

from dataclasses import dataclass

from minicolumn.lower.llvm.mathlib.core import Lanes, at_least, at_most, choose, fma, polynomial

# ln 2 as a number of the format and what is left of it; 1 / ln 2.
LN2 = {"float": (0.693147182, -1.90465421e-09), "double": (0.6931471805599453, 2.3190468138462996e-17)}
LOG2E = 1.4426950408889634

# e^r = 1 + r + r^2 q(r), with the smallest error relative to e^r: 2^-28.3 and 2^-57.9.
EXP = {
    "float": (0.49999994, 0.166665211, 0.041668389, 0.00836873427, 0.00138145499),
    "double": (
        0.5000000000000011,
        0.16666666666666413,
        0.041666666666529885,
        0.008333333333494819,
        0.0013888888943713752,
        0.00019841269506017513,
        2.4801493002458907e-05,
        2.7557586679566446e-06,
        2.7630285839036175e-07,
        2.5000027503323618e-08,
    ),
}
# The same, relative to e^r - 1: 2^-31.8 and 2^-58.4.
EXPM1 = {
    "float": (0.5, 0.166666672, 0.0416663252, 0.00833322015, 0.00139432366, 0.000199621805),
    "double": (
        0.5000000000000001,
        0.1666666666666667,
        0.04166666666665226,
        0.00833333333332614,
        0.001388888889560756,
        0.00019841269874817797,
        2.480157452489702e-05,
        2.7557255394687753e-06,
        2.756793257682633e-07,
        2.5105222210820327e-08,
        1.7687794457889765e-09,
    ),
}
# 2^r = 1 + r q(r) for |r| <= 1/2: 2^-28.5 and 2^-55.7.
EXP2 = {
    "float": (0.693147242, 0.240226522, 0.0555031039, 0.00961769279, 0.00134066434, 0.000155947666),
    "double": (
        0.6931471805599457,
        0.24022650695910097,
        0.05550410866479039,
        0.009618129107607003,
        0.0013333558153440174,
        0.00015403530441571853,
        1.525272738495823e-05,
        1.3215442675491443e-06,
        1.0180647772749785e-07,
        7.072570374808532e-09,
        4.078052337397705e-10,
    ),
}
# Where e^x has surely left the format: below it is 0, above it is infinite, and 2^n still fits two factors.
RANGE = {"float": (-104.5, 89.5), "double": (-746.0, 710.5)}
# The same for e^x - 1, where 2^(n - 1) is one factor.
TOP_EXPM1 = {"float": 88.9, "double": 710.0}
RANGE2 = {"float": (-151.0, 129.0), "double": (-1077.0, 1025.0)}


@dataclass(frozen=True)
class Rounded:
    """An integer n, as a number and in the low bits of integers, more by an offset there."""

    number: Lanes
    bits: Lanes


def rounded(x: Lanes, times: float, offset: int = 0) -> Rounded:
    """Return the integer nearest to x times a number, which must be below 2^(digits - 2); NaN stays NaN."""
    rounder = x.format.rounder + offset
    high = fma(x, times, rounder)
    return Rounded(high - rounder, high.bits())


def reduced(x: Lanes, offset: int) -> tuple[Rounded, Lanes]:
    """Return n and r of x = n ln 2 + r."""
    n = rounded(x, LOG2E, offset)
    high, low = LN2[x.format.element]
    return n, fma(n.number, -low, fma(n.number, -high, x))


def reduced_wide(x: Lanes) -> tuple[Rounded, Lanes]:
    """Return n and r of x = n ln 2 + r, for `scaled`: twice the bias is in the bits of n."""
    return reduced(x, 2 * x.format.bias)


def scaled(x: Lanes, n: Rounded) -> Lanes:
    """Return x 2^n, also where 2^n or the result is no normal number: half of n at a time, rounded once."""
    digits = x.format.digits
    half = n.bits >> 1
    first, second = (half << digits).as_float(), ((n.bits - half) << digits).as_float()
    return x * first * second


def factor(n: Rounded) -> Lanes:
    """Return 2^n times what the offset of n has beyond the bias, a normal number."""
    return (n.bits << n.number.format.digits).as_float()


def exp_reduced(r: Lanes) -> Lanes:
    """Return e^r for |r| <= ln(2)/2."""
    return fma(fma(r, polynomial(r, EXP[r.format.element]), 1.0), r, 1.0)


def expm1_reduced(r: Lanes) -> Lanes:
    """Return e^r - 1 for |r| <= ln(2)/2, precise relative to itself."""
    return fma(r * r, polynomial(r, EXPM1[r.format.element]), r)


def exp(x: Lanes) -> Lanes:
    """e^x.  Source: Cody & Waite 1980; own minimax coefficients."""
    low, high = RANGE[x.format.element]
    n, r = reduced_wide(at_least(at_most(x, high), low))
    return scaled(exp_reduced(r), n)


def exp_falling(x: Lanes) -> Lanes:
    """Return e^x for x <= 0 or NaN."""
    n, r = reduced_wide(at_least(x, RANGE[x.format.element][0]))
    return scaled(exp_reduced(r), n)


def exp_sum(high: Lanes, low: Lanes, times: Lanes | None = None) -> Lanes:
    """Return e^(high + low) times a factor, where low is what the rounding of high left over."""
    bottom, top = RANGE[high.format.element]
    n, r = reduced_wide(at_least(at_most(high, top), bottom))
    tail = r * r * polynomial(r, EXP[r.format.element])
    # e^(r + low) = e^r + low e^r, and the rounded e^r will do as a factor of low.
    more = r + fma(low, 1.0 + (r + tail), tail)
    return scaled(1.0 + more if times is None else fma(more, times, times), n)


def exp2(x: Lanes) -> Lanes:
    """2^x; exact for integers.  Source: as exp, but nothing is lost in the reduction."""
    low, high = RANGE2[x.format.element]
    x = at_least(at_most(x, high), low)
    n = rounded(x, 1.0, 2 * x.format.bias)
    r = x - n.number
    return scaled(fma(polynomial(r, EXP2[r.format.element]), r, 1.0), n)


def expm1_scaled(x: Lanes, less: int) -> Lanes:
    """Return (e^x - 1) 2^-less for x within the range of e^(x - less ln 2), NaN allowed."""
    n, r = reduced(x, x.format.bias - less)
    scale = factor(n)
    return fma(expm1_reduced(r), scale, scale - 2.0**-less)


def expm1(x: Lanes) -> Lanes:
    """e^x - 1, precise also near 0: 2^n (e^r - 1) + (2^n - 1).

    Source: Muller, Elementary Functions, 3rd ed., section 11.3.
    """
    high = TOP_EXPM1[x.format.element]
    lowest = -(x.format.digits + 3) * 0.7
    # By halves, because 2^n itself may be infinite where the result is not.
    half = expm1_scaled(at_least(at_most(x, high), lowest), 1)
    return choose(abs(x) < 2.0 ** -(x.format.digits + 2), x, half + half)


def logistic(x: Lanes) -> Lanes:
    """1 / (1 + e^-x) as s / (1 + s) or 1 / (1 + s) with s = e^-|x|, which is precise however small it is."""
    s = exp_falling(-abs(x))
    return choose(x < 0.0, s, 1.0) / (1.0 + s)
