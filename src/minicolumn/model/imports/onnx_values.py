"""Values of an ONNX graph as it is walked: constants, rows behind layers, functions not yet layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minicolumn.errors import ModelFileError
from minicolumn.model.imports.chain import Chain
from minicolumn.model.imports.onnx_graph import Node
from minicolumn.model.imports.terms import PARTS, Term, X, activation_of, affine

Array = np.ndarray


@dataclass(frozen=True)
class Batch:
    """What nodes are read by: the version of the operators, and the length of the batch where it is fixed."""

    opset: int
    length: int | None


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows behind some layers, and a function of them that is not a layer yet.

    both        whether these are the probabilities of two classes, 1 - p and p
    """

    chain: Chain
    term: Term = X
    both: bool = False

    def of_second(self) -> Rows:
        """Return the probability of the second of two classes."""
        return replace(self, both=False)


Value = Any  # Array or Rows or None
Values = dict[str, Value]
Operator = Callable[[Node, list[Value], Batch], Value]


def settle(value: Value) -> Rows:
    """Return rows whose function has become layers; ModelFileError where no layer computes it."""
    if not isinstance(value, Rows):
        raise ModelFileError("takes a constant where rows are expected")
    if value.both:
        raise ModelFileError("goes on from the probabilities of two classes")
    return Rows(_appended(value.chain, value.term, 0))


def _appended(chain: Chain, term: Term, depth: int) -> Chain:
    """Return a chain with a function of its rows as layers."""
    if depth > 16:
        raise ModelFileError("nests functions deeper than 16")
    if term.kind == "x":
        return chain
    if (name := activation_of(term)) is not None:
        return chain.activation(name)
    if (found := affine(term)) is None:
        raise ModelFileError("computes a function of its rows that is no activation here")
    factor, inner, shift = found
    if inner.kind == "call":
        if inner.name in PARTS:
            raise ModelFileError(f"has a function {inner.name} that is part of no activation here")
        chain = _appended(chain, inner.operands[0], depth + 1)
        chain = chain.activation(inner.name)
    if factor != 1.0:
        chain = chain.multiply(np.array(factor))
    return chain.add(np.array(shift)) if shift != 0.0 else chain


def rows_of(value: Value) -> Rows:
    """Return rows, with the function that is not a layer yet; the probabilities of two classes are none."""
    if not isinstance(value, Rows) or value.both:
        raise ModelFileError("takes something that is not rows")
    return value


def constant_of(value: Value, what: str) -> Array:
    """Return a constant of numbers."""
    if not isinstance(value, np.ndarray):
        raise ModelFileError(f"needs {what} as a constant")
    if value.dtype.kind not in "fiu":
        raise ModelFileError(f"has {what} that is no numbers")
    return value


def operand(values: list[Value], place: int) -> Value:
    """Return an operand; None where it is left out."""
    return values[place] if place < len(values) else None


def number_of(node: Node, name: str, default: float) -> float:
    """Return an attribute that is a finite number."""
    value = node.attributes.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ModelFileError(f"has an attribute {name} that is no number")
    return value


def integer_of(node: Node, name: str, default: int) -> int:
    """Return an attribute that is an integer, such as an axis or a flag."""
    value = node.attributes.get(name, default)
    if type(value) is not int:
        raise ModelFileError(f"has an attribute {name} that is no integer")
    return value


def integers_of(value: Any, what: str) -> list[int]:
    """Return a list of integers, from an attribute or a constant."""
    listed = value.reshape(-1)[:64].tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(listed, list) or not all(type(n) is int for n in listed):
        raise ModelFileError(f"needs {what} as constant integers")
    return listed
