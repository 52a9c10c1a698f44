"""The error function and its complement.

Source: erfc by the map t = (x - 4) / (x + 4) of Shepherd & Laframboise 1981; own minimax coefficients.
"""

from __future__ import annotations

from minicolumn.lower.llvm.mathlib.core import Lanes, at_most, choose, fma, polynomial, two_product, with_sign
from minicolumn.lower.llvm.mathlib.exponential import exp_reduced, exp_sum, factor, reduced

# erf x = x + x q(x^2) for |x| <= 1: 2^-29.7 and 2^-68.7.
NEAR = {
    "float": (
        0.128379166,
        -0.37612626,
        0.112836003,
        -0.0268544443,
        0.00518953661,
        -0.000802085444,
        7.88916514e-05,
    ),
    "double": (
        0.1283791670955126,
        -0.37612638903183754,
        0.1128379167095512,
        -0.026866170645129868,
        0.005223977625423609,
        -0.0008548327021955975,
        0.00012055332903811123,
        -1.4925647594473676e-05,
        1.6462045980426493e-06,
        -1.636464955420209e-07,
        1.4792469709482079e-08,
        -1.2164969228736782e-09,
        8.710468198728566e-11,
        -4.233135001273787e-12,
    ),
}
# erf x = 1 - e^(x q(x)) beyond: 2^-32.4 and 2^-61.6.
FAR = {
    "float": (
        -1.12856793,
        -0.635551393,
        -0.10540431,
        0.0228216927,
        -0.00302034849,
        8.19098132e-05,
        3.92943693e-05,
        -4.42639339e-06,
    ),
    "double": (
        -1.1283792032604703,
        -0.6366193438051998,
        -0.10277499300715826,
        0.01913678544050501,
        0.0001887732082190363,
        -0.0016588947860287644,
        0.0005373791934195672,
        3.3132044605372687e-05,
        -0.00011741959861404656,
        6.795434146610083e-05,
        -2.551966715049323e-05,
        7.170563790678038e-06,
        -1.5656306525056678e-06,
        2.668232353000169e-07,
        -3.498519789282073e-08,
        3.416337532734031e-09,
        -2.3421012318570826e-10,
        1.0058875584346625e-11,
        -2.0357379956681286e-13,
    ),
}
# (1 + 2 x) e^(x^2) erfc(x) in t = (x - 4) / (x + 4): 2^-25.8 and 2^-59.5.
COMPLEMENT = {
    "float": (
        1.23299515,
        -0.13962093,
        0.0153773827,
        0.0680882111,
        -0.100998066,
        0.0938674435,
        -0.0665254742,
        0.0363579504,
        -0.016275594,
        0.00664423686,
        0.000763503427,
    ),
    "double": (
        1.2329951186255526,
        -0.13962111684056253,
        0.015379652102619622,
        0.06809705425469532,
        -0.10103906603629773,
        0.09373283499825626,
        -0.06633036581236003,
        0.03716751553897759,
        -0.016197734056208744,
        0.0050319699648831775,
        -0.0007577732992378637,
        -0.00019925662551473176,
        0.000150621723460451,
        -2.4399442283051896e-05,
        -1.1222182994465635e-05,
        5.7101968931058745e-06,
        2.9416180543194473e-07,
        -8.259666313386794e-07,
        7.410530787729228e-08,
        1.1033302890537375e-07,
        -1.7469619785104735e-08,
        -1.40705916031616e-08,
        1.6772550057771706e-09,
        1.1981311813575067e-09,
    ),
}
# Where erf has become 1 and where erfc has become 0; the polynomials end just beyond.
ONE = {"float": 3.93, "double": 5.93}
NOTHING = {"float": 10.1, "double": 27.3}


def near(x: Lanes) -> Lanes:
    """Return erf(x) for |x| <= 1."""
    return fma(x, polynomial(x * x, NEAR[x.format.element]), x)


def erf(x: Lanes) -> Lanes:
    """2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x."""
    a = at_most(abs(x), ONE[x.format.element])
    n, r = reduced(a * polynomial(a, FAR[x.format.element]), x.format.bias)
    far = fma(exp_reduced(r), -factor(n), 1.0)
    return with_sign(choose(a < 1.0, near(a), far), x)


def erfc(x: Lanes) -> Lanes:
    """1 - erf(x), precise relative to itself however small: e^(-x^2) times a polynomial, over 1 + 2 x."""
    a = at_most(abs(x), NOTHING[x.format.element])
    # t = (a - 4) / (a + 4) again by its residual, because the polynomial is steep.
    inverse = 1.0 / (a + 4.0)
    t = fma(inverse, -8.0, 1.0)
    t = fma(inverse, fma(t, -a, fma(t + 1.0, -4.0, a)), t)
    square, left = two_product(a, a)
    p = polynomial(t, COMPLEMENT[x.format.element])
    width = 1.0 / fma(a, 2.0, 1.0)
    ratio = p * width
    ratio = fma(fma(ratio * -2.0, a, p) - ratio, width, ratio)
    far = exp_sum(-square, -left, ratio)
    return choose(a < 0.75, 1.0 - near(x), choose(x < 0.0, 2.0 - far, far))
