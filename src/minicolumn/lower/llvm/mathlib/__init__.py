"""Elementary functions on lanes: own code with a stated bound, the same bits for any number of lanes.

Everything is arithmetic on lanes: no tables to gather from, no branch that depends on a lane except for the
remainder of huge angles, and no fast-math flag, so NaN goes in and comes out, and infinities and signed zeros
are as in C99.
"""

from __future__ import annotations

from collections.abc import Callable

from minicolumn.lower.llvm.emit import Function, Module, Value, element_of, lanes_of
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

_BODIES: dict[str, Callable[..., Lanes]] = {
    body.__name__: body
    for body in (
        exponential.exp,
        exponential.exp2,
        exponential.expm1,
        exponential.logistic,
        logarithm.log,
        logarithm.log2,
        logarithm.log10,
        logarithm.log1p,
        logarithm.softplus,
        logarithm.logaddexp,
        logarithm.logaddexp2,
        logarithm.xlogy,
        logarithm.xlog1py,
        logarithm.arcsinh,
        logarithm.arccosh,
        logarithm.arctanh,
        hyperbolic.tanh,
        hyperbolic.sinh,
        hyperbolic.cosh,
        error.erf,
        error.erfc,
        trigonometry.sin,
        trigonometry.cos,
        trigonometry.tan,
        trigonometry.arcsin,
        trigonometry.arccos,
        trigonometry.arctan,
        trigonometry.arctan2,
        power.power,
        roots.cbrt,
        roots.hypot,
        remainder.fmod,
    )
}
# Short enough to be part of the loop that calls them, where their constants stay in registers.
_SHORT = {
    "erf",
    "exp",
    "exp2",
    "expm1",
    "logistic",
    "log",
    "log2",
    "log1p",
    "tanh",
    "sinh",
    "cosh",
    "hypot",
    "softplus",
}


def _emitter(body: Callable[..., Lanes]) -> Callable[..., Value]:
    def emit(f: Function, *operands: Value) -> Value:
        return body(*(Lanes(f, operand) for operand in operands)).value

    emit.__doc__ = body.__doc__
    return emit


# What writes each function's instructions in place: f, then operands of one type.
MATH: dict[str, Callable[..., Value]] = {name: _emitter(body) for name, body in _BODIES.items()}

# The largest error in units in the last place of the result, in float and in double. Those of float were
# found by a sweep over every 61st of its numbers, those of double by samples from every binade; some room was
# added.
_BOUNDS = {
    "exp": (1.0, 1.0),
    "exp2": (1.3, 1.3),
    "expm1": (1.6, 1.6),
    "logistic": (2.5, 2.5),
    "log": (1.0, 1.0),
    "log2": (1.2, 1.0),
    "log10": (1.1, 1.0),
    "log1p": (1.6, 1.0),
    "softplus": (2.0, 2.0),
    "logaddexp": (2.7, 2.7),
    "logaddexp2": (3.0, 3.0),
    "xlogy": (2.0, 2.0),
    "xlog1py": (2.5, 2.2),
    "arcsinh": (2.0, 2.0),
    "arccosh": (2.0, 1.5),
    "arctanh": (2.0, 2.0),
    "tanh": (1.5, 1.5),
    "sinh": (2.3, 2.3),
    "cosh": (1.4, 1.4),
    "erf": (1.3, 1.3),
    "erfc": (3.5, 3.5),
    "sin": (1.3, 1.3),
    "cos": (1.3, 1.3),
    "tan": (3.0, 3.0),
    "arcsin": (2.5, 2.5),
    "arccos": (1.3, 1.3),
    "arctan": (2.2, 2.2),
    "arctan2": (2.3, 2.3),
    "power": (0.6, 1.2),
    "cbrt": (0.6, 0.6),
    "hypot": (1.2, 1.2),
    "fmod": (0.0, 0.0),
}
BOUNDS: dict[tuple[str, str], float] = {
    (name, element): bound
    for name, both in _BOUNDS.items()
    for element, bound in zip(("float", "double"), both, strict=True)
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
    inline = " alwaysinline" if name in _SHORT else ""
    parameters = [(letter, type) for letter in "xy"[:arity]]
    f = Function(module, full, parameters, type, f"internal nounwind memory(none){inline}")
    f.finish(MATH[name](f, *f.parameters.values()))


def _short_type(type: str) -> str:
    short = {"float": "f32", "double": "f64"}[element_of(type)]
    return f"v{lanes_of(type)}{short}" if lanes_of(type) > 1 else short
