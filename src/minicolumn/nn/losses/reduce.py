"""Reduction of losses: fitting targets to outputs, and the (weighted) mean over the rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minicolumn.errors import ShapeError

Array = np.ndarray

# Where the exponential goes on as its tangent: e^40 is 2e17, more than any count, and far from float32's end.
EXPONENT = 40.0


def show(names: tuple[Any, ...]) -> str:
    """Return a shape as text."""
    return f"[{', '.join(map(str, names))}]"


def check_outputs(name: str, outputs: Array, expected: str = "[batch, ...]", axes: int = 0) -> None:
    """Refuse outputs that the loss cannot take; ``axes`` is how many they must have, 0 for any number."""
    shape = outputs.shape
    if len(shape) < 1 or 0 in shape or len(shape) != (axes or len(shape)):
        hint = ", not empty" if 0 in shape else ""
        raise ShapeError(f"{name}: outputs have shape {show(shape)}, expected {expected}{hint}")


def mean(name: str, rows: Array, weight: Array | None) -> Any:
    """Average over the rows: ``sum(w l) / sum(w)``."""
    batch = rows.shape[0]
    if weight is None:
        return np.sum(rows) / batch
    if weight.shape != (batch,):
        found = show(weight.shape)
        raise ShapeError(f"{name}: sample_weight has shape {found}, expected [batch] = [{batch}]")
    weight = weight.astype(rows.dtype)
    return np.sum(weight * rows) / np.sum(weight)


def finite_unless_shared(share: Array, x: Array) -> Array:
    """Return x with 0 in place of infinities that have no share, whose product with it would be NaN.

    >>> finite_unless_shared(np.array([0.0, 1.0, 0.0]), np.array([np.inf, np.inf, 2.0]))
    array([ 0., inf,  2.])
    """
    return np.where(np.isinf(x) & (share == 0), np.zeros((), x.dtype), x)


def alike(name: str, outputs: Array, targets: Array) -> Array:
    """Return the targets in the outputs' shape and dtype; [batch] is taken for [batch, 1]."""
    check_outputs(name, outputs)
    if targets.shape == outputs.shape[:1] and outputs.shape[1:] == (1,):
        targets = targets.reshape(outputs.shape)
    if targets.shape != outputs.shape:
        hint = ""
        if targets.shape == (*outputs.shape, 1):
            hint = "; did you mean targets.ravel()?"
        elif len(outputs.shape) == 2 and targets.shape == outputs.shape[:1]:
            hint = f"; the network has {outputs.shape[1]} outputs a row for 1 target a row"
        found, expected = show(targets.shape), show(outputs.shape)
        raise ShapeError(f"{name}: targets have shape {found}, outputs {expected}, expected the same{hint}")
    return targets.astype(outputs.dtype)


def one_each(name: str, outputs: Array, targets: Array, size: int, what: str) -> Array:
    """Return the targets as [batch, ..., 1] beside outputs [batch, ..., size] that describe one each."""
    shape = outputs.shape
    check_outputs(name, outputs, f"[batch, ..., {size}]")
    if len(shape) < 2 or shape[-1] != size:
        raise ShapeError(f"{name}: outputs have shape {show(shape)}, expected [batch, ..., {size}]: {what}")
    if targets.shape not in (shape[:-1], (*shape[:-1], 1)):
        found, expected = show(targets.shape), show(shape[:-1])
        raise ShapeError(
            f"{name}: targets have shape {found}, expected {expected} for outputs {show(shape)}: {what}"
        )
    return targets.astype(outputs.dtype).reshape((*shape[:-1], 1))


def per_row(values: Array) -> Array:
    """Average what a row's outputs lost."""
    if len(values.shape) == 1:
        return values
    flat = values.reshape((values.shape[0], math.prod(values.shape[1:])))
    return np.sum(flat, axis=1) / flat.shape[1]


def bounded_exp(x: Array) -> Array:
    """Return e^x up to x = 40, and from there on its tangent, so that a loss far off is large but finite.

    >>> bounded_exp(np.array([0.0, 41.0])) / np.exp([0.0, 40.0])
    array([1., 2.])
    """
    return np.exp(np.minimum(x, EXPONENT)) * (1.0 + np.maximum(x - EXPONENT, 0.0))
