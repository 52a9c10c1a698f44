"""A second opinion on what a native program returns: NumPy's meaning of every operation, node by node, and
how sure each element of it is.

Most operations have one right answer, down to the bit: arithmetic is rounded correctly, elementary functions
are the same code for any number of lanes (so one of 256 elements stands for all of them; `test_mathlib` holds
it against exact values), running sums go one after the other. Sums and products of floats may be added up in
any order; they have one right answer too where nothing is rounded, which is why data comes in halves and
quarters. What is left has a bound, or is in doubt, and so is all that is computed from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from minicolumn.ir.graph import CONST, Graph, Node, input_node
from minicolumn.ir.op import op_named
from minicolumn.ir.shapes import ArrayType
from minicolumn.ir.verify import infer_type
from minicolumn.lower.llvm.mathlib import MATH
from minicolumn.lower.native import NativeProgram

# How sure an element is: to the bit; but for the sign of a zero; not at all.
SURE, UNSIGNED, DOUBTFUL = 0, 1, 2
BLOCK = 256
# Fractions of 2**-GRID are exact in sums of up to 2**(bits - GRID).
GRID = {4: 8, 8: 20}
BITS = {4: 24, 8: 53}
# A zero's sign matters to these.
SIGN_READERS = {
    "divide",
    "power",
    "arctan2",
    "signbit",
    "xlogy",
    "xlog1py",
    "remainder",
    "fmod",
    "floor_divide",
    "gamma",
    "gammasgn",
}


@dataclass(frozen=True)
class Opinion:
    """A value, how sure each element is, and for what is not sure a bound on its error, if there is one."""

    value: np.ndarray
    doubt: np.ndarray
    bound: np.ndarray | None = None


def sure(value: Any) -> Opinion:
    """Return a value without any doubt."""
    value = np.asarray(value)
    return Opinion(value, np.zeros(value.shape, np.int8))


def opinions(graph: Graph, args: Sequence[np.ndarray]) -> list[Opinion]:
    """Return what a graph's outputs should be."""
    with np.errstate(all="ignore"):
        return _evaluate(graph, [sure(a) for a in args])


def _evaluate(graph: Graph, args: Sequence[Opinion]) -> list[Opinion]:
    values: dict[Node, Any] = dict(zip(graph.inputs, args, strict=True))
    for node in graph.nodes:
        if node not in values:
            values[node] = _applied(node, [values[x] for x in node.inputs])
    return [values[node] for node in graph.outputs]


def _applied(node: Node, operands: list[Any]) -> Any:
    if node.op is CONST:
        return sure(node.attrs["value"])
    if node.op.name == "scan":
        return _scanned(node, operands)
    if node.op.name == "item":
        return operands[0][node.attrs["index"]]
    arrays = [o.value for o in operands]
    value = np.asarray(_meaning(node)(*arrays))
    found = _DOUBTS.get(node.op.name) or _BY_KIND[node.op.kind]
    doubt, bound = found(node, operands, value)
    doubt = np.broadcast_to(doubt, value.shape).astype(np.int8)
    return Opinion(value, np.where((doubt == UNSIGNED) & (value != 0), SURE, doubt), bound)


def _scanned(node: Node, operands: list[Opinion]) -> list[Opinion]:
    a = node.attrs
    consts, carry, length, body = a["consts"], a["carry"], a["length"], a["body"]
    fixed, state, rows = operands[:consts], operands[consts : consts + carry], operands[consts + carry :]
    types = [y.array_type for y in body.outputs[carry:]]
    ys = [sure(np.zeros((length, *t.shape), t.dtype)) for t in types]
    for i in reversed(range(length)) if a["reverse"] else range(length):
        out = _evaluate(body, [*fixed, *state, *(Opinion(r.value[i], r.doubt[i]) for r in rows)])
        state = out[:carry]
        for y, o in zip(ys, out[carry:], strict=True):
            y.value[i], y.doubt[i] = o.value, o.doubt
    return [*state, *ys]


# Elementary functions ---------------------------------------------------------------------------------------


def _meaning(node: Node) -> Callable[..., Any]:
    # A power of a root is expanded, and its power is one of the library too.
    in_library = node.op.name in MATH or node.op.name == "root_power"
    if in_library and node.op.name != "fmod" and node.array_type.is_float:
        return lambda *operands: elementary(node.op.name, operands)
    return lambda *operands: node.op.numpy(*operands, **node.attrs)


def elementary(name: str, operands: Sequence[np.ndarray]) -> np.ndarray:
    """Return an elementary function as the library has it, in blocks of 256."""
    operands = np.broadcast_arrays(*operands)
    shape, dtype = operands[0].shape, operands[0].dtype
    flat = [np.ones(-(-x.size // BLOCK) * BLOCK, dtype) for x in operands]
    for to, x in zip(flat, operands, strict=True):
        to[: x.size] = x.ravel()
    program = _block_program(name, dtype, len(operands))
    blocks = [program(*(x[i : i + BLOCK] for x in flat))[0] for i in range(0, len(flat[0]), BLOCK)]
    return np.concatenate([np.empty(0, dtype), *blocks])[: operands[0].size].reshape(shape)


@cache
def _block_program(name: str, dtype: np.dtype, count: int) -> NativeProgram:
    inputs = tuple(input_node(ArrayType(dtype, (BLOCK,))) for _ in range(count))
    op = op_named(name)
    return NativeProgram(
        Graph(inputs, (Node(op, inputs, {}, infer_type(op, tuple(i.type for i in inputs), {})),))
    )


# Doubt ------------------------------------------------------------------------------------------------------

Doubt = tuple[Any, np.ndarray | None]


def _map_doubt(node: Node, operands: list[Opinion], value: np.ndarray) -> Doubt:
    worst = np.maximum.reduce(np.broadcast_arrays(*(o.doubt for o in operands)))
    if node.op.name in SIGN_READERS:
        worst = np.where(worst == UNSIGNED, DOUBTFUL, worst)
    if node.op.name == "signbit" and operands[0].value.dtype.kind == "f":
        # Which of two NaN an addition passes on is the processor's business, and so is its sign.
        worst = np.where(np.isnan(operands[0].value), DOUBTFUL, worst)
    if (
        node.op.name in ("maximum", "minimum", "remainder", "fmod", "floor_divide")
        and value.dtype.kind == "f"
    ):
        worst = np.maximum(worst, np.where(value == 0, UNSIGNED, SURE))
    return worst, None


def _cast_doubt(node: Node, operands: list[Opinion], value: np.ndarray) -> Doubt:
    x, doubt = operands[0].value, operands[0].doubt
    if x.dtype.kind == "f" and value.dtype.kind in "iu":
        # Floats outside of an integer's range, and NaN, have no meaning as one.
        low, high = (
            (0.0, 2.0**32) if value.dtype.kind == "u" else (-(2.0 ** (8 * value.dtype.itemsize - 1)),) * 2
        )
        high = abs(high)
        inside = (x > low - 1) & (x < high)
        doubt = np.where(inside, doubt, DOUBTFUL)
    return doubt, None


def _moved_doubt(node: Node, operands: list[Opinion], value: np.ndarray) -> Doubt:
    return node.op.numpy(*(o.doubt.astype(np.int32) for o in operands), **node.attrs), None


def _gather_doubt(node: Node, operands: list[Opinion], value: np.ndarray) -> Doubt:
    return node.op.numpy(operands[0].doubt, *(o.value for o in operands[1:])), None


def _whole_doubt(node: Node, operands: list[Opinion], value: np.ndarray) -> Doubt:
    worst = max((int(o.doubt.max(initial=SURE)) for o in operands), default=SURE)
    return DOUBTFUL if worst else SURE, None


def _order_doubt(node: Node, operands: list[Opinion], value: np.ndarray) -> Doubt:
    worst = operands[0].doubt.max(axis=node.attrs["axis"], keepdims=True, initial=SURE)
    return np.where(worst, DOUBTFUL, SURE), None


def _axes(node: Node) -> tuple[int, ...]:
    return node.attrs["axes"] if "axes" in node.attrs else (node.attrs["axis"],)


def _reduced_doubt(node: Node, operands: list[Opinion], value: np.ndarray) -> Doubt:
    x, axes = operands[0], _axes(node)
    worst = x.doubt.max(axis=axes, initial=SURE)
    if value.dtype.kind != "f":
        return worst, None
    if node.op.name in ("max", "min"):
        return np.maximum(worst, UNSIGNED), None
    terms = int(np.prod([x.value.shape[a] for a in axes]))
    whole = _whole_parts if node.op.name == "sum" else _whole_factors
    exact = whole(x.value, axes) | (terms <= 2)
    bound = None
    if node.op.name == "sum" and not (worst == DOUBTFUL).any():
        # Each of `terms` additions rounds a partial sum, which the sum of all magnitudes exceeds.
        # Both orders may be wrong by that much.
        bound = 2 * terms * _eps(value) * np.abs(x.value).sum(axis=axes, dtype=np.float64)
    return np.where(exact, np.maximum(worst, UNSIGNED), DOUBTFUL), bound


def _eps(value: np.ndarray) -> float:
    return float(np.finfo(value.dtype).eps)


def _finite(x: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(x), x, 0).astype(np.float64)


def _whole_parts(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Return where a sum is exact in every order: of few small multiples of one fraction."""
    parts = _finite(x) * 2.0 ** GRID[x.dtype.itemsize]
    whole = (parts == np.rint(parts)).all(axis=axes)
    return whole & (np.abs(parts).sum(axis=axes) < 2.0 ** BITS[x.dtype.itemsize])


def _whole_factors(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Return where a product is exact in every order: of few small multiples of 1/16."""
    parts = np.abs(_finite(x)) * 16
    whole = (parts == np.rint(parts)).all(axis=axes)
    return whole & (np.maximum(parts, 1).prod(axis=axes) < 2.0 ** BITS[x.dtype.itemsize])


def _product_doubt(node: Node, operands: list[Opinion], value: np.ndarray) -> Doubt:
    a, b = operands
    rows = a.doubt.max(axis=-1, initial=SURE)[..., :, None]
    cols = b.doubt.max(axis=-2, initial=SURE)[..., None, :]
    worst = np.maximum(rows, cols)
    if value.dtype.kind != "f":
        return worst, None
    half = 2.0 ** (GRID[value.itemsize] / 2)
    x, y = _finite(a.value) * half, _finite(b.value) * half
    whole = (x == np.rint(x)).all(axis=-1)[..., :, None] & (y == np.rint(y)).all(axis=-2)[..., None, :]
    exact = whole & (np.abs(x) @ np.abs(y) < 2.0 ** BITS[value.itemsize])
    bound, terms = None, a.value.shape[-1]
    if not (worst == DOUBTFUL).any():
        # As for sums; a product is rounded once more before it is added, if it is not fused.
        bound = (
            2
            * (terms + 1)
            * _eps(value)
            * (np.abs(a.value.astype(np.float64)) @ np.abs(b.value.astype(np.float64)))
        )
    return np.where(exact, np.maximum(worst, UNSIGNED), DOUBTFUL), bound


_BY_KIND: dict[str, Callable[[Node, list[Opinion], np.ndarray], Doubt]] = {
    "map": _map_doubt,
    "shape": _moved_doubt,
    "index": _whole_doubt,
    "reduce": _reduced_doubt,
    "product": _product_doubt,
    "order": _order_doubt,
    "linalg": _whole_doubt,
}
_DOUBTS = {"cast": _cast_doubt, "gather": _gather_doubt}


# Judgement --------------------------------------------------------------------------------------------------


def judge(results: Sequence[np.ndarray], expected: Sequence[Opinion]) -> list[str]:
    """Return what is wrong with results, one line for each wrong output."""
    assert len(results) == len(expected)
    lines = ((k, _fault(np.asarray(r), e)) for k, (r, e) in enumerate(zip(results, expected, strict=True)))
    return [f"output {k}: {fault}" for k, fault in lines if fault]


def _fault(result: np.ndarray, expected: Opinion) -> str:
    value, doubt = expected.value, expected.doubt
    if result.shape != value.shape or result.dtype != value.dtype:
        return f"{result.dtype}{list(result.shape)} instead of {value.dtype}{list(value.shape)}"
    wrong = (doubt < DOUBTFUL) & ~_same(result, value, doubt == SURE)
    if expected.bound is not None:
        wrong |= (doubt == DOUBTFUL) & ~_near(result, value, expected.bound)
    if not wrong.any():
        return ""
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    return (
        f"{result[place]!r} instead of {value[place]!r} at {list(place)}; {wrong.sum()} of {wrong.size} wrong"
    )


def _same(a: np.ndarray, b: np.ndarray, signed: np.ndarray) -> np.ndarray:
    if a.dtype.kind != "f":
        return a == b
    return ((a == b) & (~signed | (np.signbit(a) == np.signbit(b)))) | (np.isnan(a) & np.isnan(b))


def _near(a: np.ndarray, b: np.ndarray, bound: np.ndarray) -> np.ndarray:
    # What is not finite has no bound on its error, and what comes near to overflowing may do so in one order.
    with np.errstate(all="ignore"):
        close = np.abs(a.astype(np.float64) - b) <= bound
    return np.where(np.isfinite(bound) & (bound < 1e30), close, True)


def same_bits(some: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> bool:
    """Return whether two lists of results are the same bits, where every NaN is the same NaN.

    Its sign and payload mean nothing in IEEE 754. A processor takes them from either operand of a product,
    by an order that LLVM chooses anew for each place in a register tile.
    """
    return [_one_nan(x).tobytes() for x in some] == [_one_nan(x).tobytes() for x in others]


def _one_nan(x: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(x), x.dtype.type(np.nan), x) if x.dtype.kind == "f" else x


def share_judged(expected: Sequence[Opinion]) -> tuple[int, int]:
    """Return how many elements are judged, and how many there are."""
    judged = sum(int((e.doubt < DOUBTFUL).sum()) if e.bound is None else e.doubt.size for e in expected)
    return judged, sum(e.doubt.size for e in expected)
