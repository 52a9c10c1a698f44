"""How far two correct lowerings may differ: a bound for each operation, and how a difference travels on.

All bounds are absolute, float64, one for each element. Infinity is "anything may come out", as where a sum
may overflow on its way in one order and not in another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import prod

import numpy as np

from minicolumn.ir.graph import Node
from minicolumn.ir.op import Kind, Op
from minicolumn.ir.ops.elementwise import CAST
from minicolumn.ir.ops.indexing import GATHER, SCATTER_ADD
from minicolumn.ir.ops.order import CUMPROD, CUMSUM, SORT
from minicolumn.ir.ops.products import MATMUL
from minicolumn.ir.ops.reductions import ALL, ANY, ARGMAX, ARGMIN, MAX, MIN, PROD, SUM
from minicolumn.ir.shapes import TupleType
from minicolumn.lower.llvm.codegen.scalar import ulp_of

Array = np.ndarray
# None is no doubt at all; an operation with several results has one for each of them.
Doubt = Array | None

EXACT = "moved, compared or rounded once, so the same everywhere"
WHOLE = "integers and truth values are exact"
OUTSIDE = "exact, but for floats outside of the integer's range, which have no meaning as one"


def allowed(node: Node, operands: Sequence[Array], value: Array) -> tuple[Array, str]:
    """Return how far a result on the same operands may be from the reference's, and why."""
    if value.dtype.kind != "f":
        return (_cast(operands[0], value), OUTSIDE) if node.op is CAST else (np.zeros(value.shape), WHOLE)
    if node.op in _SUMS:
        terms, magnitude = _SUMS[node.op](node, operands)
        return _of_sum(terms, magnitude, value), f"{terms} terms x eps x the sum of their magnitudes"
    ulp = ulps(node, value)
    if not ulp:
        return np.zeros(value.shape), EXACT
    return ulp * _last_place(node, operands, value), f"{ulp:g} units in the last place"


def ulps(node: Node, value: Array) -> float:
    """Return the units in the last place that an elementary function may differ by."""
    if value.dtype.kind != "f":
        return 0.0
    own = node.op.ulp if node.op.expansion else ulp_of(node)
    return own + node.op.ulp if own else 0.0  # correctly rounded, or the very same function


def _cast(x: Array, value: Array) -> Array:
    if x.dtype.kind != "f" or value.dtype.kind == "b":
        return np.zeros(value.shape)
    info = np.iinfo(value.dtype)
    inside = (x > float(info.min) - 1) & (x < float(info.max) + 1)
    return np.where(inside, 0.0, np.inf)


def agree(found: Array, expected: Array, bound: Array | float) -> Array:
    """Return where two results agree: NaN with NaN, infinities with themselves, numbers within the bound."""
    if found.dtype.kind != "f":
        return (found == expected) | np.isinf(bound)
    # Just below the largest number a rounding more makes infinity: that is one place, not an infinite way.
    top = float(np.finfo(found.dtype).max)
    a, b = (np.clip(x.astype(np.float64), -top, top) for x in (found, expected))
    rounded = (np.asarray(bound) > 0) & (np.abs(a - b) <= bound)
    return (found == expected) | (np.isnan(a) & np.isnan(b)) | rounded | np.isinf(bound)


def _last_place(node: Node, operands: Sequence[Array], value: Array) -> Array:
    size = np.abs(value)
    if node.op.ulp_of_operands:  # the result may cancel
        size = np.maximum.reduce(np.broadcast_arrays(size, *map(np.abs, operands), value.dtype.type(1)))
    return np.spacing(np.minimum(np.nan_to_num(size, nan=0.0), np.finfo(value.dtype).max)).astype(np.float64)


# Sums and products: their order is free -------------------------------------------------------------------


def _of_sum(terms: int, magnitude: Array, value: Array) -> Array:
    """Return the bound of two orders: each rounds (terms - 1) times by at most eps / 2 of the magnitude."""
    info = np.finfo(value.dtype)
    bound = terms * (float(info.eps) * magnitude + float(info.smallest_subnormal))
    bound = np.where(magnitude > float(info.max), np.inf, bound)
    return np.broadcast_to(bound if terms > 1 else np.zeros(()), value.shape)


def _finite(x: Array) -> Array:
    # What is not finite decides the result whatever the order; the bound is about the rest.
    return np.where(np.isfinite(x), np.abs(x), 0).astype(np.float64)


def _terms(node: Node) -> int:
    return prod(node.inputs[0].array_type.shape[a] for a in node.attrs["axes"])


def _summed(node: Node, operands: Sequence[Array]) -> tuple[int, Array]:
    return _terms(node), np.sum(_finite(operands[0]), axis=node.attrs["axes"])


def _times(node: Node, operands: Sequence[Array]) -> tuple[int, Array]:
    # Factors below 1 are left out: partial products may be larger than the whole one, and may overflow.
    return _terms(node), np.prod(np.maximum(_finite(operands[0]), 1.0), axis=node.attrs["axes"])


def _multiplied(node: Node, operands: Sequence[Array]) -> tuple[int, Array]:
    x, y = operands
    # One term more: a product is rounded before it is added, unless both are fused.
    return x.shape[-1] + 1, np.matmul(_finite(x), _finite(y))


def _cumulated(node: Node, operands: Sequence[Array]) -> tuple[int, Array]:
    axis = node.attrs["axis"]
    return operands[0].shape[axis], np.cumsum(_finite(operands[0]), axis=axis)


def _cumulated_product(node: Node, operands: Sequence[Array]) -> tuple[int, Array]:
    axis = node.attrs["axis"]
    return operands[0].shape[axis], np.cumprod(np.maximum(_finite(operands[0]), 1.0), axis=axis)


_SUMS: dict[Op, Callable[[Node, Sequence[Array]], tuple[int, Array]]] = {
    SUM: _summed,
    PROD: _times,
    MATMUL: _multiplied,
    CUMSUM: _cumulated,
    CUMPROD: _cumulated_product,
}
_ANY_ORDER = (SUM, PROD, MATMUL)


# Doubt: how far two lowerings of a whole graph may drift apart --------------------------------------------


def doubt_of(node: Node, operands: Sequence[Array], doubts: Sequence[Doubt], value: Array) -> Doubt:
    """Return how far the results of two native programs may differ whose operands differ by `doubts`.

    Maps have the same bits on the same operands; sums and products may be added up in another order. The sign
    of a zero or of NaN may come from whichever was met first, so what reads it is in doubt.
    """
    own = None
    if node.op in _ANY_ORDER:
        own = allowed(node, operands, value)[0]
    elif node.op.zero_signs:
        signless = [_signless(operands[k]) for k in node.op.zero_signs]
        own = np.where(np.logical_or.reduce(np.broadcast_arrays(*signless)), np.inf, np.zeros(value.shape))
    if all(d is None for d in doubts):
        return own if own is not None and own.any() else None
    known = [np.zeros(x.shape) if d is None else d for x, d in zip(operands, doubts, strict=True)]
    rule = _unknown if node.op.jumps else _TRAVEL.get(node.op) or _TRAVEL.get(node.op.kind, _unknown)
    moved = np.asarray(rule(node, operands, known, value), np.float64)
    moved = np.where(np.isnan(moved), np.inf, moved)
    if value.dtype.kind != "f":
        moved = np.where(moved > 0, np.inf, 0.0)  # another integer is any number
    return moved if own is None else moved + own


def _signless(x: Array) -> Array:
    return (x == 0) | (x != x) if x.dtype.kind == "f" else np.zeros(x.shape, np.bool_)


def unknown(node: Node) -> list[Doubt]:
    """Return the doubt of a loop's results where nothing is known of them."""
    assert isinstance(node.type, TupleType)
    return [np.full(t.shape, np.inf) for t in node.type.items]


def _unknown(node: Node, operands: Sequence[Array], doubts: Sequence[Array], value: Array) -> Array:
    return np.full(value.shape, np.inf if any(d.any() for d in doubts) else 0.0)


def _mapped(node: Node, operands: Sequence[Array], doubts: Sequence[Array], value: Array) -> Array:
    """Return how far a map moves at the corners of its operands' boxes, and again for what lies between."""
    ends = [_ends(x, d) for x, d in zip(operands, doubts, strict=True)]
    centre = _wide(node, [e[0] for e in ends])
    with np.errstate(all="ignore"):
        ways = [_moved(_wide(node, corner), centre) for corner in product(*ends)]
        rounding = (2 * ulps(node, value) + 1) * _place_of(node, operands, value)
    far = 2 * np.maximum.reduce(ways)
    touched = np.logical_or.reduce(np.broadcast_arrays(*(d > 0 for d in doubts)))
    return np.where(touched, far + rounding, 0.0)


def _ends(x: Array, doubt: Array) -> list[Array]:
    """Return an operand as it is, and as far to both sides as it may be."""
    if not doubt.any():
        return [_as_wide(x)]
    if x.dtype.kind == "b":
        return [x, x ^ (doubt > 0)]
    if x.dtype.kind != "f":
        return [x, np.where(doubt > 0, x + x.dtype.type(1), x)]
    wide = _as_wide(x)
    return [wide, wide - doubt, wide + doubt]


def _as_wide(x: Array) -> Array:
    return x.astype(np.float64) if x.dtype.kind == "f" else x


def _wide(node: Node, operands: Sequence[Array]) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(node.op.numpy(*operands, **node.attrs))


def _moved(corner: Array, centre: Array) -> Array:
    same = (corner == centre) | ((corner != corner) & (centre != centre))
    way = np.abs(corner.astype(np.float64) - centre.astype(np.float64))
    return np.where(same, 0.0, np.where(np.isnan(way), np.inf, way))


def _place_of(node: Node, operands: Sequence[Array], value: Array) -> Array | float:
    return _last_place(node, operands, value) if value.dtype.kind == "f" else 0.0


def _carried(node: Node, operands: Sequence[Array], doubts: Sequence[Array], value: Array) -> Array:
    return np.asarray(node.op.numpy(*doubts, **node.attrs))


def _gathered(node: Node, operands: Sequence[Array], doubts: Sequence[Array], value: Array) -> Array:
    if any(d.any() for d in doubts[1:]):
        return np.full(value.shape, np.inf)
    return doubts[0][tuple(operands[1:])]


def _scattered(node: Node, operands: Sequence[Array], doubts: Sequence[Array], value: Array) -> Array:
    if any(d.any() for d in doubts[2:]):
        return np.full(value.shape, np.inf)
    magnitude, moved = _finite(operands[0]), np.array(doubts[0])
    np.add.at(magnitude, tuple(operands[2:]), _finite(operands[1]))
    np.add.at(moved, tuple(operands[2:]), doubts[1])
    if value.dtype.kind != "f":
        return moved
    return moved + _of_sum(len(operands[1].ravel()) + 1, magnitude + moved, value)


def _sum(node: Node, operands: Sequence[Array], doubts: Sequence[Array], value: Array) -> Array:
    return np.sum(doubts[0], axis=node.attrs["axes"])


def _extreme(node: Node, operands: Sequence[Array], doubts: Sequence[Array], value: Array) -> Array:
    return np.max(doubts[0], axis=node.attrs["axes"], initial=0.0)


def _some(node: Node, operands: Sequence[Array], doubts: Sequence[Array], value: Array) -> Array:
    axes = node.attrs["axes"] if "axes" in node.attrs else node.attrs["axis"]
    return np.max(doubts[0], axis=axes, initial=0.0)


def _product(node: Node, operands: Sequence[Array], doubts: Sequence[Array], value: Array) -> Array:
    x, y = map(_finite, operands)
    dx, dy = doubts
    return np.matmul(dx, y + dy) + np.matmul(x, dy)


def _running(node: Node, operands: Sequence[Array], doubts: Sequence[Array], value: Array) -> Array:
    return np.cumsum(doubts[0], axis=node.attrs["axis"]) + allowed(node, operands, value)[0]


def _sorted(node: Node, operands: Sequence[Array], doubts: Sequence[Array], value: Array) -> Array:
    # Sorting never moves two arrays further apart than their furthest elements were.
    worst = np.max(doubts[0], axis=node.attrs["axis"], keepdims=True, initial=0.0)
    return np.broadcast_to(worst, value.shape)


_TRAVEL: dict[Op | Kind, Callable[[Node, Sequence[Array], Sequence[Array], Array], Array]] = {
    "map": _mapped,
    "shape": _carried,
    GATHER: _gathered,
    SCATTER_ADD: _scattered,
    SUM: _sum,
    MAX: _extreme,
    MIN: _extreme,
    ALL: _some,
    ANY: _some,
    ARGMAX: _some,
    ARGMIN: _some,
    MATMUL: _product,
    CUMSUM: _running,
    SORT: _sorted,
}
