"""Elementary functions on lanes: own code with a stated bound, the same bits for any number of lanes.

Everything is arithmetic on lanes: no tables to gather from, no branch that depends on a lane except for the
remainder of huge angles, and no fast-math flag, so NaN goes in and comes out, and infinities and signed zeros
are as in C99.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from minicolumn.lower.llvm.codegen.emit import Function, Module, Value, element_of, lanes_of
from minicolumn.lower.llvm.mathlib import (
    error,
    exponential,
    hyperbolic,
    logarithm,
    power,
    remainder,
    roots,
    trigonometry,
)
from minicolumn.lower.llvm.mathlib.core import Lanes


@dataclass(frozen=True)
class Routine:
    """A function of the library.

    body            what computes it
    float, double   the largest error in units in the last place of the result. Those of float were found by a
                    sweep over every 61st of its numbers, those of double by samples from every binade; some
                    room was added.
    inline          whether it is short enough to be part of the loop that calls it, where its constants stay
                    in registers
    """

    body: Callable[..., Lanes]
    float: float
    double: float
    inline: bool = False

    @property
    def name(self) -> str:
        """Return the function's name, which is that of the operation it computes."""
        return self.body.__name__


ROUTINES = (
    Routine(exponential.exp, 1.0, 1.0, inline=True),
    Routine(exponential.exp2, 1.3, 1.3, inline=True),
    Routine(exponential.expm1, 1.6, 1.6, inline=True),
    Routine(exponential.logistic, 2.5, 2.5, inline=True),
    Routine(logarithm.log, 1.0, 1.0, inline=True),
    Routine(logarithm.log2, 1.2, 1.0, inline=True),
    Routine(logarithm.log10, 1.1, 1.0),
    Routine(logarithm.log1p, 1.6, 1.0, inline=True),
    Routine(logarithm.softplus, 2.0, 2.0, inline=True),
    Routine(logarithm.logaddexp, 2.7, 2.7),
    Routine(logarithm.logaddexp2, 3.0, 3.0),
    Routine(logarithm.xlogy, 2.0, 2.0),
    Routine(logarithm.xlog1py, 2.5, 2.2),
    Routine(logarithm.arcsinh, 2.0, 2.0),
    Routine(logarithm.arccosh, 2.0, 1.5),
    Routine(logarithm.arctanh, 2.0, 2.0),
    Routine(hyperbolic.tanh, 1.5, 1.5, inline=True),
    Routine(hyperbolic.sinh, 2.3, 2.3, inline=True),
    Routine(hyperbolic.cosh, 1.4, 1.4, inline=True),
    Routine(error.erf, 1.3, 1.3, inline=True),
    Routine(error.erfc, 3.5, 3.5),
    Routine(trigonometry.sin, 1.3, 1.3),
    Routine(trigonometry.cos, 1.3, 1.3),
    Routine(trigonometry.tan, 3.0, 3.0),
    Routine(trigonometry.arcsin, 2.5, 2.5),
    Routine(trigonometry.arccos, 1.3, 1.3),
    Routine(trigonometry.arctan, 2.2, 2.2),
    Routine(trigonometry.arctan2, 2.3, 2.3),
    Routine(power.power, 0.6, 1.2),
    Routine(roots.cbrt, 0.6, 0.6),
    Routine(roots.hypot, 1.2, 1.2, inline=True),
    Routine(remainder.fmod, 0.0, 0.0),
)
_INLINE = {r.name for r in ROUTINES if r.inline}


def _emitter(body: Callable[..., Lanes]) -> Callable[..., Value]:
    def emit(f: Function, *operands: Value) -> Value:
        return body(*(Lanes(f, operand) for operand in operands)).value

    emit.__doc__ = body.__doc__
    return emit


# What writes each function's instructions in place: f, then operands of one type.
MATH: dict[str, Callable[..., Value]] = {r.name: _emitter(r.body) for r in ROUTINES}

# The largest error of each function in units in the last place of its result.
BOUNDS: dict[tuple[str, str], float] = {
    (r.name, element): bound
    for r in ROUTINES
    for element, bound in (("float", r.float), ("double", r.double))
}


def call(f: Function, name: str, *operands: Value) -> Value:
    """Return a function of the library of operands of one type, each lane by itself.

        >>> module = Module()
        >>> f = Function(module, "g", [("x", "<8 x float>")], "<8 x float>")
        >>> print(call(f, "exp", f.parameters["x"]))
        <8 x float> %v1
        >>> list(module.functions)
        ['mc.exp.v8f32']

    name        one of MATH
    operands    one or two values of float or double, of any number of lanes
    The function is defined once in each module, private to it.
    """
    type = operands[0].type
    full = f"mc.{name}.{_short_type(type)}"
    if full not in f.module.functions:
        _define(f.module, full, name, type, len(operands))
    return f.call(full, type, *operands)


def _define(module: Module, full: str, name: str, type: str, arity: int) -> None:
    inline = " alwaysinline" if name in _INLINE else ""
    parameters = [(letter, type) for letter in "xy"[:arity]]
    f = Function(module, full, parameters, type, f"internal nounwind memory(none){inline}")
    f.finish(MATH[name](f, *f.parameters.values()))


def _short_type(type: str) -> str:
    short = {"float": "f32", "double": "f64"}[element_of(type)]
    return f"v{lanes_of(type)}{short}" if lanes_of(type) > 1 else short
