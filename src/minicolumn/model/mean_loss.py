"""The mean loss of a network over labeled rows, for one set of weights or for many in one native call.

With the loss, where they are asked for, the predictions for these rows: one pass for both.

    loss = sum_b share_b loss(block b) / sum_b share_b,      share_b = the block's sum of weights

Blocks are added up in float64 from the first to the last: a loss has the same bits however it is asked for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.lower.compile import compile
from minicolumn.model.rows import LabeledRows
from minicolumn.trace.loops import scan
from minicolumn.tree import leaves, map_leaves

Array = np.ndarray
# Rows of a block: few enough that what is between layers stays in the cache.
ROWS = 256
# A network of so few weights is measured by smaller blocks that are gathered: such a loop runs in registers,
# with the rows along the lanes.
TINY, LANES = 512, 32
# Products of so many rows and more add up in one order, unless the network is larger than this.
FEWEST, LARGE = 5, 1 << 18


@dataclass(frozen=True, eq=False)
class Blocks:
    """Labeled rows cut into blocks, once for many measurements.

    rows        X, y and weights, [rows, ...] each, where blocks are gathered from them; else None
    whole       of gathered blocks, which rows and their sums of weights, [blocks, size] and [blocks]; else
                X, y, weights and sums of weights, [blocks, ...] each; None where there is no whole block
    last        the same of the rows that are left, as one block; None where there are none
    shares      the sums of the weights, float64 [blocks]; total: of all
    weights     how many numbers the network has that they are cut for
    """

    rows: tuple[Array, Array, Array] | None
    whole: tuple[Array, ...] | None
    last: tuple[Array, ...] | None
    shares: Array
    total: float
    weights: int

    @property
    def inputs(self) -> Array:
        """Return the inputs of the rows that are cut, [rows, *input_shape]; of blocks that are not gathered."""
        parts = [part[0] for part in (self.whole, self.last) if part is not None]
        return np.concatenate([part.reshape(-1, *part.shape[2:]) for part in parts])

    @property
    def give_outputs(self) -> bool:
        """Whether predictions by these blocks have the same bits as by any others.

        Blocks that are gathered run in registers; products of fewer than five rows, or of large networks, add
        up in another order.
        """
        rest = FEWEST if self.last is None else self.last[0].shape[1]
        return TINY < self.weights <= LARGE and bool(len(self.shares)) and rest >= FEWEST

    @classmethod
    def of(cls, rows: LabeledRows, weights: int) -> Blocks:
        """Cut rows into blocks; their inputs must be dense.

        weights     how many numbers the network has
        """
        weight = np.ones(len(rows), rows.X.dtype) if rows.weight is None else rows.weight
        data = np.ascontiguousarray(rows.X), np.ascontiguousarray(rows.y), np.ascontiguousarray(weight)
        gathered = weights <= TINY
        size = LANES if gathered else ROWS
        cut = len(rows) - len(rows) % size
        shares = np.asarray(np.sum(data[2][:cut].reshape(-1, size), axis=1, dtype=np.float64))
        rest = np.sum(data[2][cut:], dtype=np.float64)
        whole: Any = None
        last: Any = None
        if gathered:
            order = np.arange(len(rows), dtype=np.int32)
            whole = (order[:cut].reshape(-1, size), shares) if cut else None
            last = (order[None, cut:], np.atleast_1d(rest)) if cut < len(rows) else None
        else:
            whole = (*(a[:cut].reshape(-1, size, *a.shape[1:]) for a in data), shares) if cut else None
            last = (*(a[None, cut:] for a in data), np.atleast_1d(rest)) if cut < len(rows) else None
        shares = np.append(shares, rest) if cut < len(rows) else shares
        return cls(data if gathered else None, whole, last, shares, _total(shares), weights)


class MeanLoss:
    """The compiled mean loss over rows.

    block_loss      (params, x, y, weight) -> the weighted mean loss of a block, one number
    with_outputs    the same, and the predictions, [rows, outputs], beside it; None where nobody asks for them
    backend         what computes; threads: the most that native code may use

    Programs are compiled for the shapes that come: one for any number of blocks and of weights, and one for
    each number of rows that are left over.

    >>> def squared(params, x, y, weight):
    ...     return np.sum(weight * (x[:, 0] * params["w"] - y) ** 2) / np.sum(weight)
    >>> rows = LabeledRows(np.ones((3, 1)), np.zeros(3))
    >>> loss = MeanLoss(squared)
    >>> loss.of({"w": np.array(2.0)}, rows)
    4.0
    >>> loss.of_several({"w": np.array([1.0, 3.0])}, Blocks.of(rows, weights=1)).tolist()
    [1.0, 9.0]
    """

    def __init__(
        self,
        block_loss: Callable[..., Any],
        backend: str = "native",
        threads: int | None = None,
        with_outputs: Callable[..., tuple[Any, Any]] | None = None,
    ) -> None:
        def by_blocks(params: Any, x: Array, y: Array, weight: Array) -> Any:
            return scan(lambda state, rows: (state, block_loss(params, *rows)), (), (x, y, weight))[1]

        def several(stack: Any, data: Any, whole: Any, last: Any) -> Any:
            def of_one(state: Any, params: Any) -> tuple[Any, Any]:
                def block(total: Any, given: Any) -> tuple[Any, None]:
                    *rows, share = given
                    rows = rows if data is None else [array[rows[0]] for array in data]
                    loss = block_loss(params, *rows).astype(np.float64)
                    return total + np.where(share > 0.0, loss * share, 0.0), None

                total: Any = np.float64(0.0)
                for part in (whole, last):
                    if part is not None:
                        total, _ = scan(block, total, part)
                return state, total

            return scan(of_one, (), stack, length=None if any(True for _ in leaves(stack)) else 1)[1]

        def several_with_outputs(stack: Any, whole: Any, last: Any) -> Any:
            def of_one(state: Any, params: Any) -> tuple[Any, Any]:
                def block(total: Any, given: Any) -> tuple[Any, Any]:
                    *rows, share = given
                    assert with_outputs is not None  # else nobody asks for them
                    loss, outputs = with_outputs(params, *rows)
                    loss = loss.astype(np.float64)
                    return total + np.where(share > 0.0, loss * share, 0.0), outputs

                total: Any = np.float64(0.0)
                found = []
                for part in (whole, last):
                    if part is not None:
                        total, outputs = scan(block, total, part)
                        found.append(outputs)
                return state, (total, tuple(found))

            return scan(of_one, (), stack)[1]

        # Weights that decay, and probabilities far from 1, may be subnormal numbers, which take far longer.
        lower = functools.partial(compile, backend=backend, threads=threads, flush_subnormals=True)
        self._by_blocks = lower(by_blocks, dims={1: "blocks", 2: "blocks", 3: "blocks"})
        self._several = lower(several, dims={0: "states", 1: "rows", 2: "blocks"})
        self._several_with_outputs = lower(several_with_outputs, dims={0: "states", 1: "blocks"})

    def of(self, params: Any, rows: LabeledRows) -> float:
        """Return the mean loss over dense rows; NaN where all weights are 0.

        Blocks of a tiny network go the way of `of_several`, so that both give the same bits.
        """
        cut = Blocks.of(rows, sum(np.size(leaf) for leaf in leaves(params)))
        if cut.rows is not None:
            return float(self.of_several(map_leaves(lambda a: np.asarray(a)[None], params), cut)[0])
        losses = [self._by_blocks(params, *part[:3]) for part in (cut.whole, cut.last) if part is not None]
        return mean(np.concatenate(losses), cut.shares) if losses else float("nan")

    def of_several(self, stack: Any, blocks: Blocks) -> Array:
        """Return the losses of several weights, as `of` gives that of each, in one call.

        stack       weights with an axis in front, [count, ...]; a network without any counts once
        Returns     float64 [count]
        """
        if not blocks.total:
            return np.full(next((len(leaf) for leaf in leaves(stack)), 1), np.nan)
        return self._several(stack, blocks.rows, blocks.whole, blocks.last) / blocks.total

    def with_outputs(self, stack: Any, blocks: Blocks) -> tuple[Array, Array]:
        """Return what `of_several` does, and the predictions, [count, rows, outputs], in one call.

        blocks      that `give_outputs`
        """
        totals, parts = self._several_with_outputs(stack, blocks.whole, blocks.last)
        outputs = [part.reshape(len(part), -1, *part.shape[3:]) for part in parts]
        with np.errstate(invalid="ignore", divide="ignore"):  # where all weights are 0 it is NaN
            losses = totals / blocks.total
        return losses, outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=1)


def _total(terms: Array) -> float:
    """Return a sum added from the first to the last, as a compiled loop adds; `np.sum` adds in pairs."""
    return float(np.add.accumulate(terms)[-1]) if len(terms) else 0.0


def mean(values: Sequence[float] | Array, shares: Array) -> float:
    """Return the mean of blocks weighted by their shares; a block whose weights are all 0 does not count.

    >>> mean([1.0, 4.0, float("nan")], np.array([2.0, 1.0, 0.0]))
    2.0
    """
    total = _total(shares)
    terms = np.where(shares > 0, np.asarray(values, np.float64) * shares, 0.0)
    return _total(terms) / total if total else float("nan")
