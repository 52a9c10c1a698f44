"""The exact remainder, by long division: each iteration takes off digits - 1 bits of the quotient."""

from __future__ import annotations

from math import inf, nan

from minicolumn.lower.llvm.codegen.emit import Value
from minicolumn.lower.llvm.mathlib.core import Lanes, at_least, choose, fma, with_sign


def fmod(x: Lanes, y: Lanes) -> Lanes:
    """x - y trunc(x / y), exact, with the sign of x; NaN for infinite x or y = 0."""
    a, b = abs(x), abs(y)
    usable = (a < inf) & (b > 0.0)
    divides = usable & (b < inf)
    first, divisor = choose(divides, a, 0.0), choose(divides, b, 1.0)
    step = x.format.digits - 1
    f, below = x.f, _exponent(divisor)
    # Lanes that are through stay as they are, so the longest division says how many iterations there are.
    stop = f.op("add", _largest(_exponent(first) - below), Value("1", "i64"))
    with f.loop(0, stop, step, carried=(first.value,)) as loop:
        loop.next(_turn(Lanes(f, loop.carried[0]), divisor, below).value)
    # An infinite y leaves a finite x as it is.
    result = choose(divides, with_sign(Lanes(f, loop.results[0]), x), x)
    return choose(usable, result, nan)


def _exponent(a: Lanes) -> Lanes:
    """Return the biased exponent of the highest bit, below 1 for subnormal numbers; a low one for 0."""
    format = a.format
    small = a < format.smallest
    field = choose(small, a * 2.0**format.digits, a).bits() >> format.digits
    return field - choose(small, field.number(format.digits), 0)


def _largest(x: Lanes) -> Value:
    f = x.f
    if x.lanes == 1:
        return Lanes(f, x.value).to("sext", "i64").value
    element = x.format.integer
    most = f.call(f"llvm.vector.reduce.smax.v{x.lanes}{element}", element, x.value)
    return Lanes(f, most).to("sext", "i64").value


def _turn(r: Lanes, divisor: Lanes, below: Lanes) -> Lanes:
    """Return r less a multiple of the divisor, at least digits - 1 bits shorter or below it."""
    format = r.format
    shift = at_least(_exponent(r) - below - (format.digits - 1), 0)
    half = shift >> 1
    multiple = divisor * _two_to(half) * _two_to(shift - half)
    large = 2.0**format.digits
    quotient = (r / multiple + large) - large
    # Rounded to nearest, the quotient may be one too large. The difference is exact: a multiple of the last
    # place of the divisor, and below it.
    rest = fma(-quotient, multiple, r)
    return choose(rest < 0.0, rest + multiple, rest)


def _two_to(k: Lanes) -> Lanes:
    return ((k + k.format.bias) << k.format.digits).as_float()
