"""Sine, cosine, tangent and their inverses.

Sources: the reduction by pi/2 in three parts is Cody & Waite's (1980), the one for huge arguments Payne &
Hanek's (1983), with integers; the identities are in Muller, Elementary Functions, 3rd ed., chapter 11.
Own minimax coefficients.
"""

from __future__ import annotations

from math import inf

from minicolumn.lower.llvm.mathlib.core import (
    Lanes,
    choose,
    flip_sign,
    fma,
    polynomial,
    two_product,
    with_sign,
)
from minicolumn.lower.llvm.mathlib.exponential import rounded
from minicolumn.lower.llvm.mathlib.huge import reduced_huge

TWO_OVER_PI = 0.6366197723675814
HALF_PI = {
    "float": (1.57079637, -4.37113883e-08, -1.71512451e-15),
    "double": (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
}
# Up to here the three parts give the remainder to full relative precision.
LARGEST = {"float": 1e5, "double": 1e7}
# sin x = x + x z q(z) for z = x^2, |x| <= pi/4: 2^-28.0 and 2^-57.9.
SIN = {
    "float": (
        -0.166666552,
        0.00833215099,
        -0.000195135275,
    ),
    "double": (
        -0.1666666666666663,
        0.00833333333332177,
        -0.00019841269829270694,
        2.75573134986881e-06,
        -2.505072687600142e-08,
        1.5894932432091824e-10,
    ),
}
# cos x = 1 - z / 2 + z^2 q(z): 2^-33.2 and 2^-64.1.
COS = {
    "float": (
        0.0416666456,
        -0.00138873316,
        2.44342173e-05,
    ),
    "double": (
        0.041666666666666595,
        -0.0013888888888873255,
        2.480158728891525e-05,
        -2.7557314182250243e-07,
        2.087569936749507e-09,
        -1.1358372407528133e-11,
    ),
}
# arcsin x = x + x z q(z) for |x| <= 1/2: 2^-27.6 and 2^-55.9.
ARCSIN = {
    "float": (0.166667536, 0.0749524161, 0.0454770848, 0.0241476409, 0.0422185101),
    "double": (
        0.16666666666665383,
        0.07500000000343073,
        0.044642856823470335,
        0.030381959331479743,
        0.022371753522250754,
        0.017359771079424362,
        0.013884599001325035,
        0.012173274937491672,
        0.006510873841958786,
        0.019573849319960007,
        -0.016293986554439525,
        0.03195890873462032,
    ),
}
# arctan x = x + x z q(z) for |x| <= tan(pi/8): 2^-25.6 and 2^-59.5.
ARCTAN = {
    "float": (-0.333329558, 0.199779272, -0.138798565, 0.0806031376),
    "double": (
        -0.333333333333332,
        0.1999999999995407,
        -0.14285714280247278,
        0.11111110786069502,
        -0.09090897834348265,
        0.07692061597925531,
        -0.06663119921906448,
        0.058480054546657265,
        -0.05039829524475583,
        0.03807790596496652,
        -0.017921816033636632,
    ),
}


def quadrant(x: Lanes) -> tuple[Lanes, Lanes, Lanes]:
    """Return q, r and what the rounding of r left over, of x = q pi/2 + r with |r| <= pi/4.

    The two low bits of q count.
    """
    large = abs(x) > LARGEST[x.format.element]
    # Any number will do where another way is taken, if it is finite.
    near = choose(large, x.number(0.0), x)
    n = rounded(near, TWO_OVER_PI)
    first, second, third = HALF_PI[x.format.element]
    exact = fma(n.number, -first, near)
    product, product_left = two_product(n.number, second)
    r = exact - product
    # What this left over is itself exact: `exact` is a multiple of a last place far above the product's.
    left = fma(n.number, -third, ((exact - r) - product) - product_left)
    return reduced_huge(x, large, (n.bits, r, left))


def sine_and_cosine(r: Lanes, left: Lanes) -> tuple[Lanes, Lanes]:
    """Return the sine and cosine of r + left for |r| <= pi/4."""
    z = r * r
    sine = r + fma(r * z, polynomial(z, SIN[r.format.element]), left)
    inner = fma(z, polynomial(z, COS[r.format.element]), -0.5)
    return sine, 1.0 + fma(z, inner, -r * left)


def _turned(q: Lanes, odd: Lanes, even: Lanes) -> Lanes:
    """Return one of the two by the low bit of q, with its sign changed if the next bit is set."""
    kept = choose((q & 1).equals(0), even, odd)
    format = kept.format
    sign = (q & 2) << (format.digits + format.exponent_bits - 1)
    return (kept.bits() ^ sign).as_float()


def sin(x: Lanes) -> Lanes:
    """Sine of x radians, for every finite x."""
    q, r, left = quadrant(x)
    sine, cosine = sine_and_cosine(r, left)
    # r = 0 has lost the sign of x = -0.
    return choose(x.equals(0.0), x, _turned(q, cosine, sine))


def cos(x: Lanes) -> Lanes:
    """Cosine of x radians, for every finite x."""
    q, r, left = quadrant(x)
    sine, cosine = sine_and_cosine(r, left)
    return _turned(q + 1, cosine, sine)


def tan(x: Lanes) -> Lanes:
    """Tangent of x radians, sin / cos or -cos / sin, for every finite x."""
    q, r, left = quadrant(x)
    sine, cosine = sine_and_cosine(r, left)
    odd = (q & 1).equals(1)
    ratio = choose(odd, -cosine, sine) / choose(odd, sine, cosine)
    return choose(x.equals(0.0), x, ratio)


def arcsin(x: Lanes) -> Lanes:
    """x + x z q(z), or pi/2 - 2 arcsin(sqrt((1 - |x|) / 2)) beyond 1/2; NaN beyond 1."""
    s, small = _arcsin_parts(x)
    high, low, _ = HALF_PI[x.format.element]
    return with_sign(choose(small, s, (low - (s + s)) + high), x)


def arccos(x: Lanes) -> Lanes:
    """pi/2 - arcsin x, or 2 arcsin(sqrt((1 - |x|) / 2)) beyond 1/2, from pi for negative x; NaN beyond 1."""
    s, small = _arcsin_parts(x)
    high, low, _ = HALF_PI[x.format.element]
    middle = high - (flip_sign(s, x) - low)
    double = s + s
    return choose(small, middle, choose(x < 0.0, 2.0 * high - (double - 2.0 * low), double))


def _arcsin_parts(x: Lanes) -> tuple[Lanes, Lanes]:
    """Return the arcsine of |x| or of sqrt((1 - |x|) / 2), and where it is the former."""
    a = abs(x)
    small = a < 0.5
    half = fma(a, -0.5, 0.5)
    z = choose(small, a * a, half)
    base = choose(small, a, half.intrinsic("sqrt"))
    return fma(base * z, polynomial(z, ARCSIN[x.format.element]), base), small


def arctan(x: Lanes) -> Lanes:
    """Inverse tangent."""
    a = abs(x)
    return with_sign(_arctan_ratio(a, a.number(1.0), None), x)


def arctan2(y: Lanes, x: Lanes) -> Lanes:
    """The angle of the point (x, y), from -pi to pi."""
    a, b = abs(y), abs(x)
    # Sums of huge lengths would overflow; only their ratio counts, and two infinities count as equal.
    huge = choose(a > b, a, b) > 2.0 ** (x.format.bias - 8)
    scale = choose(huge, x.number(2.0**-8), 1.0)
    both = a.equals(inf) & b.equals(inf)
    a, b = choose(both, 1.0, a * scale), choose(both, 1.0, b * scale)
    b = choose(a.equals(0.0) & b.equals(0.0), 1.0, b)
    return with_sign(_arctan_ratio(a, b, x), y)


def _arctan_ratio(a: Lanes, b: Lanes, sign: Lanes | None) -> Lanes:
    """Return the inverse tangent of a / b >= 0, less that from pi where `sign` is negative.

    Beyond tan(pi/8) the angle is taken from pi/4, beyond tan(3 pi/8) from pi/2.
    """
    middle, steep = a > 0.41421356237309503 * b, a > 2.414213562373095 * b
    over = choose(steep, -b, choose(middle, a - b, a))
    under = choose(steep, a, choose(middle, a + b, b))
    t = over / under
    z = t * t
    small = t * z * polynomial(z, ARCTAN[a.format.element])
    high, low, _ = HALF_PI[a.format.element]
    rights = choose(steep, a.number(1.0), choose(middle, a.number(0.5), 0.0))
    if sign is not None:
        # pi - angle: the base from pi, and everything else with the other sign.
        rights = choose(sign.bits() < 0, 2.0 - rights, rights)
        t, small = flip_sign(t, sign), flip_sign(small, sign)
    return fma(rights, high, t + fma(rights, low, small))
