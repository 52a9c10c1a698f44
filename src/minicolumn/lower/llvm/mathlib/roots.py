"""Cube root and length.

Source: the cube root starts from a third of the exponent's bits, as in fdlibm's method, then Halley's
iteration (Muller, Elementary Functions, 3rd ed., chapter 5) and one correction by an exact residual.
"""

from __future__ import annotations

from math import inf

from minicolumn.lower.llvm.mathlib.core import Lanes, choose, fma, two_product, with_sign


def cbrt(x: Lanes) -> Lanes:
    """Cube root, with the sign of x."""
    format = x.format
    a = abs(x)
    # Numbers whose residual would be subnormal are lifted by a power of 8.
    lift = 3 * (2 * (format.digits + 1) // 3)
    small = a < format.smallest * 2.0**format.digits
    b = choose(small, a * 2.0**lift, a)
    y = _third_of_exponent(b)
    for _ in range(1 if format.element == "float" else 2):
        # y (y^3 + 2 b) / (2 y^3 + b), a quarter of each sum so that none overflows.
        cube = y * y * (y * 0.25)
        y = y * (fma(b, 0.5, cube) / fma(b, 0.25, cube + cube))
    square, left = two_product(y, y)
    residual = fma(square, y, -b) + left * y
    y = y - residual / (3.0 * square)
    y = choose(small, y * 2.0 ** (-lift // 3), y)
    return choose((a > 0.0) & (a < inf), with_sign(y, x), x)


def _third_of_exponent(b: Lanes) -> Lanes:
    """Return the cube root of a positive normal number to within a twentieth, by a third of its bits."""
    format = b.format
    # 0.033 balances the error of taking the bits for a logarithm.
    offset = int((format.bias * 2 / 3 - 0.033) * 2**format.digits)
    if format.element == "float":
        bits = b.bits()
        return (Lanes(b.f, b.f.op("udiv", bits.value, bits.number(3).value)) + offset).as_float()
    # The upper half is enough; its third is a product with 2^32 / 3, for want of 64-bit division.
    third = ((b.bits() >> 32) * 0x55555556) >> 32
    return ((third << 32) + offset).as_float()


def hypot(x: Lanes, y: Lanes) -> Lanes:
    """sqrt(x^2 + y^2) without overflow or underflow on the way; infinite if one of the two is."""
    a, b = abs(x), abs(y)
    larger = choose(a > b, a, b)
    scale, back = _scales(larger)
    a, b = a * scale, b * scale
    larger, smaller = choose(a > b, a, b), choose(a > b, b, a)
    length = fma(larger, larger, smaller * smaller).intrinsic("sqrt") * back
    return choose(abs(x).equals(inf) | abs(y).equals(inf), inf, length)


def _scales(size: Lanes) -> tuple[Lanes, Lanes]:
    """Return a power of two that brings squares of this size into range, and its inverse."""
    bias = size.format.bias
    huge, tiny = size > 2.0 ** (bias // 2 - 1), size < 2.0 ** -(bias // 3)
    down, up = 2.0 ** -(bias // 2 + 8), 2.0 ** (3 * bias // 4 + 5)
    scale = choose(huge, size.number(down), choose(tiny, size.number(up), 1.0))
    return scale, choose(huge, size.number(1 / down), choose(tiny, size.number(1 / up), 1.0))
