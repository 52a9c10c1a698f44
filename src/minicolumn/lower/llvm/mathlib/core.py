"""Lanes with operators, floating-point formats, and what the functions of the library share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from minicolumn.lower.llvm.codegen.emit import Function, Value, const, element_of, is_float, lanes_of


@dataclass(frozen=True)
class Format:
    """A binary floating-point format.

    digits      fraction bits that are stored
    bias        of the exponent
    smallest    normal number
    """

    element: str
    integer: str
    digits: int
    bias: int

    @property
    def smallest(self) -> float:
        """The smallest normal number."""
        return 2.0 ** (1 - self.bias)

    @property
    def largest(self) -> float:
        """The largest finite number."""
        return (2.0 - 2.0**-self.digits) * 2.0**self.bias

    @property
    def sign(self) -> int:
        """The sign bit, as the integer it is."""
        return -(1 << (31 if self.integer == "i32" else 63))

    @property
    def exponent_bits(self) -> int:
        """How many bits the exponent takes."""
        return self.bias.bit_length() + 1

    @property
    def one(self) -> int:
        """The bits of 1.0."""
        return self.bias << self.digits

    @property
    def rounder(self) -> float:
        """1.5 2^digits: a small number added to it is rounded to an integer, left in the low bits."""
        return 1.5 * 2.0**self.digits


_FORMATS = (Format("float", "i32", 23, 127), Format("double", "i64", 52, 1023))
FORMATS = {name: f for f in _FORMATS for name in (f.element, f.integer)}


@dataclass(frozen=True, eq=False)
class Lanes:
    """A value of any number of lanes, with the operators of its element type; plain numbers are splat."""

    f: Function
    value: Value

    @property
    def format(self) -> Format:
        """The floating-point format of the lanes, or that of their bits."""
        return FORMATS[element_of(self.value.type)]

    @property
    def lanes(self) -> int:
        """How many lanes there are."""
        return lanes_of(self.value.type)

    def number(self, number: float | int) -> Lanes:
        """Return a number in every lane, in the type of these."""
        return Lanes(self.f, const(self.value.type, number))

    def lift(self, other: Lanes | float) -> Lanes:
        """Return a number as lanes, and lanes as they are."""
        return other if isinstance(other, Lanes) else self.number(other)

    def _apply(self, floating: str, integer: str, other: Lanes | float) -> Lanes:
        opcode = floating if is_float(self.value.type) else integer
        return Lanes(self.f, self.f.op(opcode, self.value, self.lift(other).value))

    def _compare(self, floating: str, integer: str, other: Lanes | float) -> Lanes:
        predicate = floating if is_float(self.value.type) else integer
        return Lanes(self.f, self.f.compare(predicate, self.value, self.lift(other).value))

    def __add__(self, other: Lanes | float) -> Lanes:
        return self._apply("fadd", "add", other)

    def __radd__(self, other: float) -> Lanes:
        return self.number(other) + self

    def __sub__(self, other: Lanes | float) -> Lanes:
        return self._apply("fsub", "sub", other)

    def __rsub__(self, other: float) -> Lanes:
        return self.number(other) - self

    def __mul__(self, other: Lanes | float) -> Lanes:
        return self._apply("fmul", "mul", other)

    def __rmul__(self, other: float) -> Lanes:
        return self * other

    def __truediv__(self, other: Lanes | float) -> Lanes:
        return self._apply("fdiv", "", other)

    def __rtruediv__(self, other: float) -> Lanes:
        return self.number(other) / self

    def __neg__(self) -> Lanes:
        return Lanes(self.f, self.f.let(self.value.type, f"fneg {self.value}"))

    def __abs__(self) -> Lanes:
        return self.intrinsic("fabs")

    def __lt__(self, other: Lanes | float) -> Lanes:
        return self._compare("olt", "slt", other)

    def __le__(self, other: Lanes | float) -> Lanes:
        return self._compare("ole", "sle", other)

    def __gt__(self, other: Lanes | float) -> Lanes:
        return self._compare("ogt", "sgt", other)

    def __ge__(self, other: Lanes | float) -> Lanes:
        return self._compare("oge", "sge", other)

    def equals(self, other: Lanes | float) -> Lanes:
        """Compare for equality; nothing equals NaN."""
        return self._compare("oeq", "eq", other)

    def differs(self, other: Lanes | float) -> Lanes:
        """Compare for difference; NaN differs from everything."""
        return self._compare("une", "ne", other)

    def __and__(self, other: Lanes | int) -> Lanes:
        return self._apply("", "and", other)

    def __or__(self, other: Lanes | int) -> Lanes:
        return self._apply("", "or", other)

    def __xor__(self, other: Lanes | int) -> Lanes:
        return self._apply("", "xor", other)

    def __lshift__(self, other: int) -> Lanes:
        return self._apply("", "shl", other)

    def __rshift__(self, other: int) -> Lanes:
        """Shift right and fill with zeros."""
        return self._apply("", "lshr", other)

    def intrinsic(self, name: str, *others: Lanes) -> Lanes:
        """Apply an intrinsic of one type."""
        return Lanes(self.f, self.f.intrinsic(name, self.value, *(o.value for o in others)))

    def bits(self) -> Lanes:
        """Return the bits of floating-point lanes as integers."""
        return Lanes(self.f, self.f.convert("bitcast", self.value, self.format.integer))

    def as_float(self) -> Lanes:
        """Return the floating-point lanes with these bits."""
        return Lanes(self.f, self.f.convert("bitcast", self.value, self.format.element))

    def to(self, opcode: str, element: str) -> Lanes:
        """Convert each lane."""
        return Lanes(self.f, self.f.convert(opcode, self.value, element))


def fma(a: Lanes, b: Lanes | float, c: Lanes | float) -> Lanes:
    """Return a b + c, rounded once."""
    return a.intrinsic("fma", a.lift(b), a.lift(c))


def choose(mask: Lanes, a: Lanes | float, b: Lanes | float) -> Lanes:
    """Choose by lane; at least one of the two must be lanes."""
    like = a if isinstance(a, Lanes) else b
    assert isinstance(like, Lanes), "two plain numbers have no type"
    return Lanes(mask.f, mask.f.select(mask.value, like.lift(a).value, like.lift(b).value))


def at_most(x: Lanes, bound: float | Lanes) -> Lanes:
    """Return min(x, bound); NaN stays NaN."""
    return choose(x > bound, bound, x)


def at_least(x: Lanes, bound: float | Lanes) -> Lanes:
    """Return max(x, bound); NaN stays NaN."""
    return choose(x < bound, bound, x)


def with_sign(x: Lanes, sign: Lanes) -> Lanes:
    """Return x, which is not negative, with the sign of the other."""
    return (x.bits() | (sign.bits() & x.format.sign)).as_float()


def flip_sign(x: Lanes, sign: Lanes) -> Lanes:
    """Return x with its sign changed where the other is negative."""
    return (x.bits() ^ (sign.bits() & x.format.sign)).as_float()


def horner(x: Lanes, coefficients: Sequence[float]) -> Lanes:
    """Return c0 + c1 x + c2 x^2 + ... with one fma a coefficient."""
    total = x.number(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = fma(total, x, c)
    return total


def polynomial(x: Lanes, coefficients: Sequence[float]) -> Lanes:
    """Return c0 + c1 x + c2 x^2 + ...; long ones as even and odd powers, which halves the waiting."""
    if len(coefficients) <= 5:
        return horner(x, coefficients)
    square = x * x
    return fma(horner(square, coefficients[1::2]), x, horner(square, coefficients[::2]))


def two_product(a: Lanes, b: Lanes | float) -> tuple[Lanes, Lanes]:
    """Return a b as a number and what its rounding left over (Dekker 1971, with fma)."""
    product = a * b
    return product, fma(a, b, -product)


def fast_two_sum(a: Lanes, b: Lanes) -> tuple[Lanes, Lanes]:
    """Return a + b as a number and what its rounding left over; |a| >= |b| or a = 0 (Dekker 1971)."""
    total = a + b
    return total, b - (total - a)
