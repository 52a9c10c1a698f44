"""Hyperbolic functions from e^|x|, or m = e^|x| - 1 where that is small, and the sign of x.

Source: Muller, Elementary Functions, 3rd ed., section 11.3.3 (the identities); own minimax coefficients.
"""

from __future__ import annotations

from minicolumn.lower.llvm.mathlib.core import Lanes, at_most, choose, fma, polynomial, with_sign
from minicolumn.lower.llvm.mathlib.exponential import (
    EXP,
    LN2,
    LOG2E,
    exp_reduced,
    expm1_scaled,
    factor,
    reduced,
    rounded,
)

# Where tanh has become 1, and where sinh and cosh have become infinite.
ONE = {"float": 10.0, "double": 20.0}
INFINITE = {"float": 89.7, "double": 710.6}
# tanh x = x + x z q(z) with z = x^2 for |x| <= 5/8: 2^-27.8 and 2^-56.4.
TANH = {
    "float": (
        -0.333332807,
        0.133314416,
        -0.0537396111,
        0.0206387304,
        -0.00570456963,
    ),
    "double": (
        -0.33333333333332854,
        0.13333333333261974,
        -0.05396825393121283,
        0.021869487574833042,
        -0.008863220986061415,
        0.0035919890399201465,
        -0.0014549581895242302,
        0.0005863142821512764,
        -0.00022855963707919455,
        7.713915427776909e-05,
        -1.6070014240404266e-05,
    ),
}


def tanh(x: Lanes) -> Lanes:
    """x + x^3 q(x^2) up to 5/8, and 1 - 2 / (e^(2 |x|) + 1) beyond."""
    element = x.format.element
    a = at_most(abs(x), ONE[element])
    z = a * a
    near = fma(a * z, polynomial(z, TANH[element]), a)
    # a = n ln(2)/2 + r; n is so small that the second half of ln 2 is not missed. The polynomial is e^(2 r).
    n = rounded(a, 2 * LOG2E, x.format.bias)
    r = fma(n.number, -0.5 * LN2[element][0], a)
    q = polynomial(r, [c * 4 * 2**k for k, c in enumerate(EXP[element])])
    far = 1.0 - 2.0 / fma(fma(fma(r, q, 2.0), r, 1.0), factor(n), 1.0)
    return with_sign(choose(a > 0.625, far, near), x)


def sinh(x: Lanes) -> Lanes:
    """(m + m / (m + 1)) / 2, from a quarter of m, which is finite wherever the result is."""
    a = at_most(abs(x), INFINITE[x.format.element])
    quarter = expm1_scaled(a, 2)
    half = quarter + quarter
    result = half + quarter / fma(quarter, 2.0, 0.5)
    # Below, a quarter of a subnormal number would lose bits; sinh x is x there.
    return choose(abs(x) < 2.0 ** -(x.format.digits // 2 + 2), x, with_sign(result, x))


def cosh(x: Lanes) -> Lanes:
    """(e^|x| + e^-|x|) / 2, from a quarter of e^|x|, which is finite wherever the result is."""
    n, r = reduced(at_most(abs(x), INFINITE[x.format.element]), x.format.bias - 2)
    quarter = exp_reduced(r) * factor(n)
    return fma(quarter, 2.0, 0.125 / quarter)
