"""Embedding layers: learned vectors for categories."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Annotated, Any, final

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.nn.layer import Array, Deterministic, Param, Params, Shape, computed
from minicolumn.nn.layers.dense import LARGEST_SIZE
from minicolumn.registry import Custom, Integer, Search, refuse

MOST_COLUMNS = 100_000
LEVELS = Integer(help="How many categories there are.", ge=1, le=LARGEST_SIZE)
DIM = Integer(help="Length of each vector.", ge=1, le=LARGEST_SIZE, search=Search(1, 64, log=True))


@final
@dataclass(frozen=True, repr=False)
class Embedding(Deterministic):
    """Look a learned vector up for each category: ``y = table[x]``.

    levels      how many categories there are; codes run from 0 to levels - 1
    dim         length of each vector
    x           integer codes (or integers held as floats), [batch] or [batch, k]
    params      table [levels, dim], drawn from N(0, 1)
    Returns     [batch, dim] or [batch, k, dim]
    Errors      codes outside 0 .. levels - 1 are the caller's to refuse: whoever encodes the table knows them
    Source      Guo & Berkhahn 2016 (arXiv 1604.06737)

    >>> Embedding(3, 2).apply({"table": np.arange(6.0).reshape(3, 2)}, np.array([2, 0]))
    array([[4., 5.],
           [0., 1.]])
    """

    levels: Annotated[int, LEVELS]
    dim: Annotated[int, DIM]

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) > 1:
            raise ShapeError(f"Embedding: rows have shape {list(input_shape)}, expected [] or [k]")
        return (*input_shape, self.dim)

    def declare(self, input_shape: Shape) -> Params:
        self.output_shape(input_shape)
        return {"table": Param((self.levels, self.dim), "normal", "table")}

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        return params["table"][_rows_of(x, self.levels)]

    def lookups(self, columns: Array) -> list[tuple[Array, int]]:
        return [(columns.reshape(-1), self.levels)]


def _rows_of(codes: Array, levels: int) -> Array:
    """Return codes as indices; one below 0 becomes one past the end, or NumPy would count from there."""
    found = codes.astype(np.int32)
    return np.where(found < 0, np.int32(levels), found)


def embedding_dim(levels: int) -> int:
    """Return a customary vector length for a category.

        min(600, round(1.6 levels^0.56))

    Source      fastai, ``emb_sz_rule``

    >>> [embedding_dim(levels) for levels in (2, 10, 1000)]
    [2, 6, 77]
    """
    return min(600, round(1.6 * levels**0.56))


def _pairs(value: Any) -> Any:
    """Return (column, levels) pairs as plain integers."""
    if not isinstance(value, list | tuple) or len(value) > MOST_COLUMNS or not all(map(_is_pair, value)):
        return NotImplemented
    return tuple((int(column), int(levels)) for column, levels in value)


def _is_pair(pair: Any) -> bool:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        return False
    return is_column(pair[0]) and is_column(pair[1]) and pair[1] >= 1


def is_column(value: Any) -> bool:
    """Return whether a value is the number of a column, or of its categories."""
    return isinstance(value, Integral) and not isinstance(value, bool) and 0 <= int(value) <= LARGEST_SIZE


EMBEDDINGS = Custom(
    help="Which columns hold codes, and how many categories each has.",
    words="(column >= 0, levels >= 1) pairs",
    form=_pairs,
)


@final
@dataclass(frozen=True, repr=False)
class ColumnEmbedding(Deterministic):
    """Replace the columns that hold category codes by learned vectors.

        y = [the other columns, in order | table_c[x_c] for each listed column c, in the order listed]

    embeddings  ((column, levels), ...): which columns hold codes, and how many categories each has
    dim         length of every vector; None takes ``embedding_dim(levels)`` for each
    x           [batch, features]; the listed columns hold integers 0 .. levels - 1 as floats
    params      column number as text -> table [levels, dim], drawn from N(0, 1)
    Returns     [batch, features - listed + sum of the vectors' lengths]
    Errors      DataError for a column listed twice, ShapeError for a column that the input lacks
    Source      Guo & Berkhahn 2016 (arXiv 1604.06737)
    Differs     Keras and PyTorch want one input a column; here codes travel inside the one float matrix,
                exactly up to 2**24 categories in float32.

    >>> layer = ColumnEmbedding(((0, 2),), dim=1)
    >>> layer.apply({"0": np.array([[10.0], [20.0]])}, np.array([[1.0, 7.0], [0.0, 8.0]]))
    array([[ 7., 20.],
           [ 8., 10.]])
    """

    embeddings: Annotated[tuple[tuple[int, int], ...], EMBEDDINGS]
    dim: Annotated[int | None, DIM] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if len({column for column, _ in self.embeddings}) < len(self.embeddings):
            refuse(self, "embeddings", "each column once")

    def _dim(self, levels: int) -> int:
        return embedding_dim(levels) if self.dim is None else self.dim

    def output_shape(self, input_shape: Shape) -> Shape:
        last = max((column for column, _ in self.embeddings), default=-1)
        if len(input_shape) != 1 or last >= input_shape[0]:
            raise ShapeError(
                f"ColumnEmbedding: rows have shape {list(input_shape)}, expected [features > {last}]"
            )
        added = sum(self._dim(levels) for _, levels in self.embeddings)
        return (input_shape[0] - len(self.embeddings) + added,)

    def declare(self, input_shape: Shape) -> Params:
        self.output_shape(input_shape)
        pairs = self.embeddings
        return {
            str(column): Param((levels, self._dim(levels)), "normal", "table") for column, levels in pairs
        }

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        self.output_shape(x.shape[1:])
        kept = [x[:, first:last] for first, last in self._runs(x.shape[1])]
        found = [params[str(c)][_rows_of(x[:, c], levels)] for c, levels in self.embeddings]
        return np.concatenate([*kept, *found], axis=1) if kept or found else x

    @property
    def operations(self) -> int:
        return 1 + 4 * len(self.embeddings)  # a kernel for the code, one for the vector

    def moved(self, columns: Array) -> Array:
        kept = [columns[:, first:last] for first, last in self._runs(columns.shape[1])]
        added = self.output_shape(columns.shape[1:])[0] - columns.shape[1] + len(self.embeddings)
        return np.concatenate([*kept, computed((added,))], axis=1)

    def lookups(self, columns: Array) -> list[tuple[Array, int]]:
        return [(columns[0, column : column + 1], levels) for column, levels in self.embeddings]

    def _runs(self, features: int) -> list[tuple[int, int]]:
        """Return the stretches of neighbouring columns that hold no codes."""
        listed = sorted(column for column, _ in self.embeddings)
        bounds = zip([-1, *listed], [*listed, features], strict=True)
        return [(before + 1, after) for before, after in bounds if before + 1 < after]
