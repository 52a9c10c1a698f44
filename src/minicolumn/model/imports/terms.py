"""Normal forms of elementwise expressions: so an activation is known however an exporter spells it.

    x * Sigmoid(x), Sigmoid(x) * x          silu
    0.5 * x * (1 + Erf(x / sqrt(2)))        gelu

A term is a function of one array. Products and sums are flattened, their constants are multiplied and added
up, and their operands are sorted, so that equal functions written in another order are equal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from minicolumn.errors import ModelFileError

MAX_PARTS = 256  # of a function; sixteen activations in a row, written out, are about a hundred


@dataclass(frozen=True, order=True)
class Term:
    """A function of the array x: x itself, a call of a named function, a product or a sum.

    kind "x"            x
    kind "call"         name(operands[0])
    kind "product"      number * operands[0] * operands[1] * ...
    kind "sum"          number + operands[0] + operands[1] + ...
    parts               how many terms it is made of, as a tree; two of bounded size are soon compared

    Errors      ModelFileError for more than MAX_PARTS
    """

    kind: str
    name: str = ""
    number: float = 0.0
    operands: tuple[Term, ...] = ()
    parts: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = 1 + sum(term.parts for term in self.operands)
        if parts > MAX_PARTS:
            raise ModelFileError(f"computes a function of its rows of more than {MAX_PARTS} parts")
        object.__setattr__(self, "parts", parts)


X = Term("x")


def call(name: str, of: Term) -> Term:
    """Return a named function of a term."""
    return Term("call", name, 0.0, (of,))


def product(*parts: Term | float) -> Term:
    """Return a product of terms and numbers, flattened and sorted.

    >>> product(X, 2.0, call("tanh", X)) == product(call("tanh", X), product(0.5, X), 4.0)
    True
    """
    number, factors = 1.0, []
    for part in parts:
        if not isinstance(part, Term):
            number *= part
        elif part.kind == "product":
            number *= part.number
            factors += part.operands
        else:
            factors.append(part)
    factors = sorted(factors)
    return factors[0] if number == 1.0 and len(factors) == 1 else Term("product", "", number, tuple(factors))


def total(*parts: Term | float) -> Term:
    """Return a sum of terms and numbers, flattened and sorted.

    >>> total(1.0, X) == total(X, 0.5, 0.5)
    True
    """
    number, summands = 0.0, []
    for part in parts:
        if not isinstance(part, Term):
            number += part
        elif part.kind == "sum":
            number += part.number
            summands += part.operands
        else:
            summands.append(part)
    summands = sorted(summands)
    return summands[0] if number == 0.0 and len(summands) == 1 else Term("sum", "", number, tuple(summands))


def alike(one: Term, other: Term) -> bool:
    """Return whether two terms are equal up to the rounding of their numbers to float32.

    >>> alike(product(1 / math.sqrt(2), X), product(0.70710677, X))
    True
    """
    if (one.kind, one.name, len(one.operands)) != (other.kind, other.name, len(other.operands)):
        return False
    if not math.isclose(one.number, other.number, rel_tol=1e-6, abs_tol=1e-12):
        return False
    return all(alike(a, b) for a, b in zip(one.operands, other.operands, strict=True))


def affine(term: Term) -> tuple[float, Term, float] | None:
    """Return (a, t, b) for a term a t + b with t no product or sum; None where it has another form."""
    shift = 0.0
    if term.kind == "sum" and len(term.operands) == 1:
        shift, term = term.number, term.operands[0]
    factor = 1.0
    if term.kind == "product" and len(term.operands) == 1:
        factor, term = term.number, term.operands[0]
    return (factor, term, shift) if term.kind in ("x", "call") else None


def activation_of(term: Term) -> str | None:
    """Return the name of the activation that a term of several uses of x is; None where none is known.

    >>> activation_of(product(call("logistic", X), X))
    'silu'
    """
    return next((name for name, form in FORMS if alike(term, form)), None)


# What `call` may name beside activations: parts of the forms below, and of nothing else.
PARTS = ("erf", "abs", "reciprocal", "above", "where")


def above(term: Term, level: float) -> Term:
    """Return whether a term is above a level."""
    return Term("call", "above", level, (term,))


def where(test: Term, yes: Term, no: Term) -> Term:
    """Return one term where a test holds, another elsewhere."""
    return Term("call", "where", 0.0, (test, yes, no))


_CUBED = total(X, product(0.044715, X, X, X))
FORMS: tuple[tuple[str, Term], ...] = (
    ("silu", product(X, call("logistic", X))),
    ("mish", product(X, call("tanh", call("softplus", X)))),
    ("gelu", product(0.5, X, total(1.0, call("erf", product(1 / math.sqrt(2), X))))),
    ("gelu_tanh", product(0.5, X, total(1.0, call("tanh", product(math.sqrt(2 / math.pi), _CUBED))))),
    ("hard_silu", product(X, call("hard_sigmoid", X))),
    ("hard_silu", product(1 / 6, X, call("relu6", total(3.0, X)))),
    ("softsign", product(X, call("reciprocal", total(1.0, call("abs", X))))),
    # Above 20 softplus is x to within 2.1e-9, which is how PyTorch computes it.
    ("softplus", where(above(X, 20.0), X, call("softplus", X))),
    ("tanh_shrink", total(X, product(-1.0, call("tanh", X)))),
)
