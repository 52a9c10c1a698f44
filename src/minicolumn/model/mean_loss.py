"""The mean loss of a network over labeled rows, for one set of weights or for many in one native call.

    loss = sum_b share_b loss(block b) / sum_b share_b,      share_b = the block's sum of weights

Blocks are added up in float64 from the first to the last: a loss has the same bits however it is asked for.
The predictions come in the same pass, where they are asked for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

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
# Of so many rows that are measured one may be there to fill a block up.
MOST_FILLED = 32


class Measured(NamedTuple):
    """What one pass over labeled rows finds.

    loss        the mean loss; of several weights float64 [count]
    outputs     what is predicted for each row, [rows, ...]; of several weights [count, rows, ...]
    """

    loss: Any
    outputs: Array


@dataclass(frozen=True, eq=False)
class Blocks:
    """Labeled rows cut into blocks, once for many measurements.

    Blocks are equally long, so that one program measures any number of them: the last one, which stands by
    itself, is filled up with copies of the last row, of weight 0. Own losses may know no weights, and of tiny
    networks blocks are short: there the last one is shorter, or there is none.

    rows        X, y and weights, [rows, ...] each, where blocks are gathered from them; else None
    whole       of gathered blocks, which rows and their sums of weights, [blocks, size] and [blocks]; else
                X, y, weights and sums of weights, [blocks, ...] each; None where there is no whole block, and
                a last one may not be filled up
    last        the same of the rows that are left, as one block; None where there are none
    shares      the sums of the weights, float64 [blocks]; total: of all
    count       of the rows, without those that fill up
    """

    rows: tuple[Array, Array, Array] | None
    whole: tuple[Array, ...] | None
    last: tuple[Array, ...] | None
    shares: Array
    total: float
    count: int

    @classmethod
    def of(cls, rows: LabeledRows, weights: int, size: int = ROWS, fills: bool = False) -> Blocks:
        """Cut rows into blocks; their inputs must be dense.

        weights     how many numbers the network has; size: rows of a block at most
        fills       whether the last block may be filled up
        """
        weight = np.ones(len(rows), rows.X.dtype) if rows.weight is None else rows.weight
        data = np.ascontiguousarray(rows.X), np.ascontiguousarray(rows.y), np.ascontiguousarray(weight)
        gathered = weights <= TINY
        size = LANES if gathered else even_size(len(rows), size)
        count, fills = len(rows), fills and not gathered
        cut = (count - 1 if fills and count else count) // size * size
        shares = np.asarray(np.sum(data[2][:cut].reshape(-1, size), axis=1, dtype=np.float64))
        rest = np.sum(data[2][cut:], dtype=np.float64)
        whole: Any = None
        last: Any = None
        if gathered:
            order = np.arange(count, dtype=np.int32)
            whole = (order[:cut].reshape(-1, size), shares) if cut else None
            last = (order[None, cut:], np.atleast_1d(rest)) if cut < count else None
        else:
            if cut or fills:
                whole = (*(a[:cut].reshape(cut // size, size, *a.shape[1:]) for a in data), shares)
            if cut < count:
                left = [a[cut:] for a in data]
                left = _filled_up(left[0], left[1], left[2], size - len(left[0])) if fills else left
                last = (*(a[None] for a in left), np.atleast_1d(rest))
        shares = np.append(shares, rest) if cut < count else shares
        return cls(data if gathered else None, whole, last, shares, _total(shares), count)


def even_size(rows: int, most: int = ROWS) -> int:
    """Return how many rows blocks have, of which filling up the last one takes few more.

    Of many rows that is the most, so that one program serves any number of them.

    >>> even_size(458), even_size(100), even_size(100_000)
    (229, 100, 256)
    """
    blocks = max(-(-rows // most), 1)
    return most if blocks * most - rows <= rows // MOST_FILLED else -(-rows // blocks) or 1


def _filled_up(X: Array, y: Array, weight: Array, count: int) -> tuple[Array, Array, Array]:
    """Return rows with so many copies of the last one, of weight 0, behind them."""
    X, y = (np.concatenate([a, np.repeat(a[-1:], count, axis=0)]) for a in (X, y))
    return X, y, np.concatenate([weight, np.zeros(count, weight.dtype)])


class MeanLoss:
    """The compiled mean loss over rows, and what is predicted for them.

    block           (params, x, y, weight) -> the weighted mean loss of a block, one number, and the
                    predictions of its rows
    backend         what computes; threads: the most that native code may use
    fills           whether a row of weight 0 adds nothing to the loss of its block

    Programs are compiled for the shapes that come, one for any number of equal blocks and of weights; with
    predictions they are others.

    >>> def squared(params, x, y, weight):
    ...     z = x[:, 0] * params["w"]
    ...     return np.sum(weight * (z - y) ** 2) / np.sum(weight), z
    >>> rows = LabeledRows(np.ones((3, 1)), np.zeros(3))
    >>> loss = MeanLoss(squared)
    >>> loss.of({"w": np.array(2.0)}, rows)
    4.0
    >>> loss.measured({"w": np.array(2.0)}, rows)
    Measured(loss=4.0, outputs=array([2., 2., 2.]))
    >>> loss.of_several({"w": np.array([1.0, 3.0])}, Blocks.of(rows, weights=1)).tolist()
    [1.0, 9.0]
    """

    def __init__(
        self,
        block: Callable[..., Any],
        backend: str = "native",
        threads: int | None = None,
        fills: bool = False,
    ) -> None:
        def found(params: Any, rows: Any, predict: bool) -> Any:
            loss, outputs = block(params, *rows)
            return loss, outputs if predict else ()

        def by_blocks(params: Any, x: Array, y: Array, weight: Array, predict: bool) -> Any:
            return scan(lambda state, rows: (state, found(params, rows, predict)), (), (x, y, weight))[1]

        def several(stack: Any, data: Any, whole: Any, last: Any, predict: bool) -> Any:
            def of_one(state: Any, params: Any) -> tuple[Any, Any]:
                def added(total: Any, given: Any) -> tuple[Any, Any]:
                    *rows, share = given
                    rows = rows if data is None else [array[rows[0]] for array in data]
                    loss, outputs = found(params, rows, predict)
                    return total + np.where(share > 0.0, loss.astype(np.float64) * share, 0.0), outputs

                total: Any = np.float64(0.0)
                outputs = []
                for part in (whole, last):
                    if part is not None:
                        total, own = scan(added, total, part)
                        outputs.append(own)
                return state, (total, outputs)

            return scan(of_one, (), stack, length=None if any(True for _ in leaves(stack)) else 1)[1]

        # Weights that decay, and probabilities far from 1, may be subnormal numbers, which take far longer.
        lower = functools.partial(compile, backend=backend, threads=threads, flush_subnormals=True)
        self._alone, self._fills = threads == 1, fills
        self._by_blocks = lower(by_blocks, dims={1: "blocks", 2: "blocks", 3: "blocks"})
        self._several = lower(several, dims={0: "states", 1: "rows", 2: "blocks"})

    def blocks(self, rows: LabeledRows, weights: int, size: int = ROWS) -> Blocks:
        """Cut dense rows into blocks for a network of so many numbers."""
        return Blocks.of(rows, weights, size, self._fills)

    def of(self, params: Any, rows: LabeledRows) -> float:
        """Return the mean loss over dense rows; NaN where all weights are 0.

        Blocks of a tiny network, and of all on one thread, go the way of `of_several`: both give the same
        bits, and one program less is compiled.
        """
        return self._measured(params, rows, ROWS, False)[0]

    def measured(self, params: Any, rows: LabeledRows, size: int = ROWS) -> Measured:
        """Return the mean loss over dense rows, one or more, and what is predicted for them, in one pass.

        size        rows of a block at most
        """
        loss, outputs = self._measured(params, rows, size, True)
        return Measured(loss, outputs[0])

    def _measured(self, params: Any, rows: LabeledRows, size: int, predict: bool) -> tuple[float, Array]:
        cut = self.blocks(rows, sum(np.size(leaf) for leaf in leaves(params)), size)
        # Several threads share the blocks of one loss, but not those of several; one may do all alike.
        if cut.rows is not None or self._alone:
            losses, outputs = self._of_several(
                map_leaves(lambda a: np.asarray(a)[None], params), cut, predict
            )
            return float(losses[0]), outputs
        parts = [part for part in (cut.whole, cut.last) if part is not None and len(part[0])]
        found = [self._by_blocks(params, *part[:3], predict) for part in parts]
        loss = mean(np.concatenate([losses for losses, _ in found]), cut.shares) if found else float("nan")
        return loss, _rows([outputs for _, outputs in found], 0)[None, : cut.count] if predict else np.empty(
            0
        )

    def of_several(self, stack: Any, blocks: Blocks) -> Array:
        """Return the losses of several weights, as `of` gives that of each, in one call.

        stack       weights with an axis in front, [count, ...]; a network without any counts once
        Returns     float64 [count]
        """
        if not blocks.total:
            return np.full(next((len(leaf) for leaf in leaves(stack)), 1), np.nan)
        return self._of_several(stack, blocks, False)[0]

    def measured_several(self, stack: Any, blocks: Blocks) -> Measured:
        """Return the losses of several weights and what each predicts, as `measured` does, in one call."""
        return Measured(*self._of_several(stack, blocks, True))

    def _of_several(self, stack: Any, blocks: Blocks, predict: bool) -> tuple[Array, Array]:
        totals, outputs = self._several(stack, blocks.rows, blocks.whole, blocks.last, predict)
        losses = totals / blocks.total if blocks.total else np.full(len(totals), np.nan)
        return losses, _rows(outputs, 1)[:, : blocks.count] if predict else np.empty(0)


def _rows(parts: Sequence[Array], axis: int) -> Array:
    """Return blocks of rows as rows: [blocks, size, ...] each, behind so many other axes."""
    # The rows are counted: of no states, -1 would tell nothing.
    joined = [
        part.reshape(*part.shape[:axis], part.shape[axis] * part.shape[axis + 1], *part.shape[axis + 2 :])
        for part in parts
    ]
    return joined[0] if len(joined) == 1 else np.concatenate(joined, axis=axis)


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
