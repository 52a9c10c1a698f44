"""Batched inference: predictions, losses and scores of a network, in blocks and for any weights.

Rows go through the compiled network in blocks of 256, so memory does not depend on their number and one
compiled program serves every number of rows. What is left over goes by eights, filled up with zeros; behind
many blocks it fills one more up, so that no other program is compiled for it.

    rows [n, *input_shape]  ->  [n // 256, 256, *input_shape] through one loop, then the rest

Differs     scikit-learn's MLP goes through all rows at once, so its memory grows with their number.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.ir.graph import Graph
from minicolumn.lower.compile import call_by_rows, call_directly, compile, graph_with_dims
from minicolumn.lower.signature import Unseen, signature_of
from minicolumn.lower.turns import Turns
from minicolumn.model.mean_loss import ROWS, Blocks, MeanLoss, Measured, mean
from minicolumn.model.rows import LabeledRows, is_sparse
from minicolumn.model.scores import Metric, measure
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.extent import extent, first_bad_code
from minicolumn.nn.layer import Layer, named_layers
from minicolumn.nn.layers.containers import Sequential
from minicolumn.nn.losses import Loss
from minicolumn.nn.outputs import ClassOutputs, Outputs
from minicolumn.registry import is_on, is_plain
from minicolumn.trace.loops import scan
from minicolumn.trace.tracer import constant
from minicolumn.tree import Mismatch, leaves, map_leaves

if TYPE_CHECKING:
    from minicolumn.lower.fast_call import RowsCall

Array = np.ndarray
Program = Callable[[Any, Array], Array]
ByBlocks = Callable[[Any, Array, int], Array]  # of weights and rows, in blocks of a size
# What is left of blocks of ROWS is worked on by eights. Products of five rows and more add up in the same
# order however many there are, so that a row gets the same bits whatever stands beside it.
EIGHT = 8
# Rows may be so many times as few as those before them that are added to fill one more block of ROWS up.
FILLED = 8
# Bytes of weights of a wide network, where products are cut by the number of rows, and one row takes far less
# than eight: there fewer rows than FEW are worked on one by one.
WIDE, FEW = 1 << 21, 16
# Kinds of few rows, by weights and shape, that a network keeps programs for.
KEPT = 16
# Bytes of input per call: more would not be faster, and an interrupt would wait longer.
CALL_BYTES = 1 << 24


class Forward:
    """The compiled forward pass of a network, for any number of rows, without dropout or noise.

    network     the layers
    loss        what to measure; a record says what the outputs mean, too. None measures nothing
    outputs     what the outputs mean where the loss does not say so; None takes them as they are
    backend     what computes; threads: the most that native code may use

    Weights are arguments of every method, so one object serves all epochs of a training. A copy or an
    unpickled object finds the programs anew. See `forward`, which keeps one for equal networks.

    >>> from minicolumn.nn import Dense
    >>> net = Dense(2)
    >>> forward(net, None).predict(net.init(0, (3,)), np.zeros((5, 3), np.float32)).shape
    (5, 2)
    """

    def __init__(
        self,
        network: Layer,
        loss: Loss | Callable[..., Any] | None,
        outputs: Outputs | None = None,
        backend: str = "native",
        threads: int | None = None,
    ) -> None:
        self._made_of = network, loss, outputs, backend, threads
        record = loss if isinstance(loss, Loss) else None
        meaning = record.outputs if record else outputs
        activation = activation_by_name(meaning.activation if meaning else "linear").function
        measured = record.measured() if record else loss
        self.record = record

        def apply(params: Any, x: Array) -> Any:
            return activation(network.apply(params, x))

        def predict(params: Any, blocks: Array) -> Any:
            return scan(lambda state, x: (state, apply(params, x)), (), blocks)[1]

        def codes(params: Any, blocks: Array) -> Any:
            classes = meaning
            assert isinstance(classes, ClassOutputs)  # of others nobody asks for class numbers
            return scan(lambda state, x: (state, classes.codes(apply(params, x))), (), blocks)[1]

        def block(params: Any, x: Array, y: Array, weight: Array) -> Any:
            assert measured is not None  # whoever has no loss asks for none
            z = network.apply(params, x)
            return measured(z, y, weight), activation(z)

        self._apply = apply
        self._wide: dict[tuple[int, ...], bool] = {}
        # Weights that decay, and probabilities far from 1, may be subnormal numbers, which take far longer.
        lower = functools.partial(compile, backend=backend, threads=threads, flush_subnormals=True)
        self._outputs = lower(predict, dims={1: "blocks"})
        # Too little to wake anybody for: one thread does it, whoever asks, and no loss takes part in it.
        self._few = (
            FewRows(apply, lower(predict, dims={1: "blocks"}), backend == "native")
            if loss is None and threads == 1
            else forward(network, None, meaning, backend, 1)._few
        )
        self._codes = lower(codes, dims={1: "blocks"})
        self._mean_loss = MeanLoss(block, backend, threads, fills=record is not None)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what the object was made of: programs are not copied, but found or compiled anew."""
        return forward, self._made_of

    def predict(self, params: Any, X: Any) -> Array:
        """Return the predictions, [rows, outputs], or [rows] where the network has one output.

        params      the weights, as the network declares them
        X           [rows, *input_shape], dense or sparse, any real dtype
        """
        return _flat(self.outputs(params, X))

    def predict_again(self, params: Any, X: Any, row: tuple[int, ...]) -> Array | None:
        """Return `predict` of a few rows by the last call's program; None where rows or weights look new.

        This leaves out all checks but those of dtype, shape and layout: some microseconds a call.
        """
        return self._few.again(params, X, row)

    def outputs(self, params: Any, X: Any) -> Array:
        """Return the predictions with the axis of outputs, [rows, outputs], also where there is but one."""
        return self._in_calls(self._outputs, self._few, params, X)

    def codes(self, params: Any, X: Any) -> Array:
        """Return each row's class number, int32 [rows]: the argmax of its outputs, the first of equal ones.

        Of a single output it is 0 or 1.
        """
        return self._in_calls(self._codes, Filled(self._codes), params, X)

    def _in_calls(self, many: Program, few: ByBlocks, params: Any, X: Any) -> Array:
        """Run the rows in calls of at most 16 MiB of input, so that an interrupt is heeded between them."""
        dtype, wide = dtype_of(params), self._is_wide(params, X.shape[1:])
        parts = []
        for part in _calls(X, dtype):
            rows = _in_dtype(X[part], dtype)
            with self._refusing_codes(rows, part.start):
                parts.append(_in_blocks(many, few, wide, params, rows))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    @contextmanager
    def _refusing_codes(self, X: Array, first: int | None = 0) -> Iterator[None]:
        """Turn an index out of range into a DataError that names the row and the column of the code.

        X           the rows; first: the number of the first of them, None of a single row
        """
        try:
            yield
        except IndexError:
            lookups = extent(self._made_of[0], X.shape[1:]).lookups
            raise _bad_code(first_bad_code(lookups, X), X, first) from None

    def _is_wide(self, params: Any, input_shape: tuple[int, ...]) -> bool:
        """Return whether the weights take more than 2 MiB; counted once for each shape of inputs."""
        if input_shape not in self._wide:
            self._wide[input_shape] = sum(leaf.nbytes for leaf in leaves(params)) > WIDE
        return self._wide[input_shape]

    def predictor(self, params: Any, input_shape: tuple[int, ...]) -> Callable[[Array], Array]:
        """Return a function of one row; see `Model.predictor`."""
        dtype = dtype_of(params)
        one = np.zeros(input_shape, dtype)
        held = map_leaves(constant, params)
        forward = lambda x: self._apply(held, np.reshape(x, (1, *input_shape)))[0]  # noqa: E731
        call = call_directly(forward, one, flush_subnormals=True)
        if not any(layer.looks_up for _, layer in named_layers(self._made_of[0])):
            return call

        def predict(x: Array) -> Array:
            try:
                return call(x)
            except IndexError:
                with self._refusing_codes(np.asarray(x, dtype).reshape(1, *input_shape), None):
                    raise

        return predict

    def graph(self, params: Any, example: Array, inputs: Callable[[Array], Array] | None = None) -> Graph:
        """Return the prediction as a graph over a symbolic batch; see `Model.graph`.

        example     of what the graph takes, [1, ...]; only its shape and dtype matter
        inputs      what makes the network's inputs of that; by default they are it
        """
        dtype, held = dtype_of(params), map_leaves(constant, params)

        def predict(x: Array) -> Array:
            out = self._apply(held, (x if inputs is None else inputs(x)).astype(dtype))
            return out[:, 0] if out.ndim == 2 and out.shape[1] == 1 else out

        return graph_with_dims(predict, {0: "batch"}, example)

    def loss(self, params: Any, rows: LabeledRows) -> float:
        """Return the mean loss, weighted if the rows have weights; NaN where all weights are 0.

        rows        with targets, dense or sparse; blocks are averaged by their sums of weights, in float64
        """
        if is_sparse(rows.X):
            blocks = [rows.take(part).dense() for part in _calls(rows.X, rows.X.dtype)]
            totals = [len(b) if b.weight is None else np.sum(b.weight, dtype=np.float64) for b in blocks]
            return mean([self.loss(params, b) for b in blocks], np.array(totals, np.float64))
        with self._refusing_codes(rows.X):
            return self._mean_loss.of(params, rows)

    def blocks(self, rows: LabeledRows, weights: int) -> Blocks:
        """Cut dense rows for many measurements of a network of so many numbers."""
        return self._mean_loss.blocks(rows, weights)

    def losses(self, stack: Any, blocks: Blocks) -> Array:
        """Return the losses of several weights, as `loss` gives that of each, in one call.

        stack       weights with an axis in front, [count, ...]
        blocks      the rows, cut once by `blocks`
        Returns     float64 [count]
        """
        return self._mean_loss.of_several(stack, blocks)

    def measured(self, params: Any, rows: LabeledRows, size: int = ROWS) -> Measured:
        """Return `loss` and `outputs` of labeled rows, one or more, in one pass.

        size        rows of a block at most; another size is another program
        """
        if is_sparse(rows.X):
            return Measured(self.loss(params, rows), self.outputs(params, rows.X))
        with self._refusing_codes(rows.X):
            return self._mean_loss.measured(params, rows, size)

    def measured_several(self, stack: Any, blocks: Blocks) -> Measured:
        """Return the losses of several weights and what each predicts, as `measured` does, in one call.

        stack, blocks   as for `losses`
        Returns     loss float64 [count]; outputs [count, rows, outputs]
        """
        return self._mean_loss.measured_several(stack, blocks)

    def scores(
        self,
        outputs: Array,
        rows: LabeledRows,
        metrics: Sequence[str | Metric] | None = None,
    ) -> dict[str, float]:
        """Return the wanted metrics by name; by default those that go with the loss and these targets.

        outputs     what was predicted for these rows, as `outputs` gives it
        """
        return measure(self.record, rows.y, _flat(outputs), rows.weight, metrics)


def _flat(outputs: Array) -> Array:
    """Return predictions as [rows] where there is one output."""
    return outputs[:, 0] if outputs.ndim == 2 and outputs.shape[1] == 1 else outputs


class FewRows:
    """Inference of less than a block, on one thread, since it is too little to wake other threads for.

    It goes by smaller blocks, of which the last one is padded with zeros, in one native call. Where there
    is no native code it is a program of blocks. Up to 16 programs are kept, by layout of weights and rows.
    """

    def __init__(self, apply: Program, blocks: Program, native: bool = True) -> None:
        self._apply, self._blocks, self._native = apply, Filled(blocks), native
        self._calls: dict[Any, RowsCall | None] = {}
        self._turns = Turns()
        self._last: tuple[RowsCall, int] | None = None  # the last call, and for how many rows it may be used

    def again(self, params: Any, X: Any, row: tuple[int, ...]) -> Array | None:
        """Return the predictions of rows of a shape, if weights and rows look like the last ones did."""
        if self._last is None or type(X) is not np.ndarray or not X.ndim:
            return None
        (call, most), rows = self._last, len(X)
        if not 0 < rows <= most or call.row != row:
            return None
        try:
            out = call(params, X, rows)
        except Mismatch:
            return None
        return out[:, 0] if call.result == (1,) else out

    def __call__(self, params: Any, X: Array, size: int) -> Array:
        """Return the outputs, [rows, outputs], of rows in blocks of a size."""
        call = self._call_for(params, X, size) if self._native and len(X) else None
        if call is not None:
            self._last = call, FEW - 1 if size == 1 else ROWS - 1
            with suppress(Mismatch):
                return call(params, X, len(X))
        return self._blocks(params, X, size)

    def _call_for(self, params: Any, X: Array, size: int) -> RowsCall | None:
        """Return the native call for weights and rows that look like these; None without native code."""
        try:
            key = signature_of(params, []), X.dtype, X.shape[1:], size
        except Unseen:
            return None
        known = self._calls
        return known[key] if key in known else self._made(key, params, X, size)

    def _made(self, key: Any, params: Any, X: Array, size: int) -> RowsCall | None:
        """Return the native call for a key, which another thread may be making."""
        with self._turns.of(key):
            known = self._calls
            if key not in known:
                block = np.zeros((size, *X.shape[1:]), X.dtype)
                call = call_by_rows(self._apply, params, block, flush_subnormals=True)
                # A new dict, since other threads may be reading the old one.
                known = self._calls = {**(known if len(known) < KEPT else {}), key: call}
            return known[key]


class Filled:
    """A program of [blocks, size, ...] applied to rows, the last block padded with zeros."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def __call__(self, params: Any, X: Array, size: int) -> Array:
        """Return what the program makes of rows in blocks of a size."""
        blocks = -(-len(X) // size)
        filled = np.zeros((blocks * size, *X.shape[1:]), X.dtype)
        filled[: len(X)] = X
        return _rows(self._program(params, filled.reshape(blocks, size, *X.shape[1:])))[: len(X)]


def _in_blocks(many: Program, few: ByBlocks, wide: bool, params: Any, X: Array) -> Array:
    """Return what a program of [blocks, rows] makes of rows; few of them go by smaller blocks."""
    if wide and len(X) < FEW:
        return few(params, X, 1)
    whole = len(X) - len(X) % ROWS
    found = [_rows(many(params, _blocked(X[:whole])))] if whole else []
    if whole < len(X) or not found:  # no rows at all still have their shape
        rest = X[whole:]
        fills = wide or (ROWS - len(rest)) * FILLED <= whole
        found.append(Filled(many)(params, rest, ROWS) if fills else few(params, rest, EIGHT))
    return found[0] if len(found) == 1 else np.concatenate(found)


def _rows(blocks: Array) -> Array:
    """Return [blocks, size, ...] as [blocks * size, ...]."""
    return blocks.reshape(-1, *blocks.shape[2:])


def forward(
    network: Layer,
    loss: Loss | Callable[..., Any] | None,
    outputs: Outputs | None = None,
    backend: str = "native",
    threads: int | None = None,
) -> Forward:
    """Return the compiled forward pass of a network: one object for equal networks without own functions.

    Arguments are those of `Forward`; the 64 used last are kept.
    """
    loss = loss.measured() if isinstance(loss, Loss) else loss  # what a training and its model have in common
    said, network = None if isinstance(loss, Loss) else outputs, _as_it_predicts(network)
    if not is_plain((network, loss, said)):
        return Forward(network, loss, said, backend, threads)
    with _turns.of((network, loss, said, backend, threads)):  # else two threads at once are given two
        return _kept(network, loss, said, backend, threads)


_kept, _turns = functools.lru_cache(maxsize=64)(Forward), Turns()


def _as_it_predicts(network: Layer) -> Layer:
    """Return a network with dropout and noise that are on at one strength, which does not matter here.

    So networks that differ in it alone share their programs.
    """
    if isinstance(network, Sequential):
        return Sequential(*map(_as_it_predicts, network.layers))
    on = {name: 0.5 for name in network.live if is_on(getattr(network, name))}
    return replace(network, **on) if on else network  # type: ignore[type-var]  layers with settings are records


def dtype_of(params: Any) -> np.dtype:
    """Return the dtype of the weights, in which the network computes; float32 where it has none."""
    first = next(leaves(params), None)
    return np.dtype(np.float32) if first is None else first.dtype


def _bad_code(found: tuple[int, int, int] | None, X: Array, first: int | None) -> DataError:
    """Return the error of a code that no embedding has, if it is known which."""
    if found is None:
        return DataError("predict: the network looks up a code that its embedding has no row for")
    row, column, levels = found
    code, where = X.reshape(len(X), -1)[row, column], "" if first is None else f"row {first + row}, "
    return DataError(
        f"predict: X, {where}column {column}: {code:g} is no code of its embedding; "
        f"the codes go from 0 to {levels - 1}"
    )


def _in_dtype(X: Any, dtype: np.dtype) -> Array:
    """Return rows as the network takes them.

    Errors      DataError for a number that is too large for the dtype: its prediction would be NaN
    """
    X = X.toarray() if is_sparse(X) else X
    if X.dtype == dtype and X.flags.c_contiguous:
        return X
    try:
        with np.errstate(over="raise"):
            return np.ascontiguousarray(X, dtype)
    except FloatingPointError:
        largest = np.abs(np.where(np.isfinite(X), X, 0.0)).max()
        raise DataError(
            f"predict: X holds numbers up to {largest:g}, beyond the largest {dtype}; scale the columns"
        ) from None


def _blocked(array: Array) -> Array:
    """Return whole blocks of rows, [blocks, 256, ...], contiguous."""
    return np.ascontiguousarray(array).reshape(len(array) // ROWS, ROWS, *array.shape[1:])


def _calls(X: Any, dtype: np.dtype) -> Iterator[slice]:
    """Cut rows into calls; no rows at all are one empty call, so that results have their shape."""
    width = max(1, dtype.itemsize * math.prod(X.shape[1:]))
    step = max(ROWS, CALL_BYTES // width // ROWS * ROWS)
    return (slice(start, start + step) for start in range(0, max(X.shape[0], 1), step))
