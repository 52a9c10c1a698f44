"""Embedding layers: learned vectors for categories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Annotated, Any, final

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.nn.layer import Array, Deterministic, Layer, Param, Params, Shape, computed
from minicolumn.nn.layers.dense import LARGEST_SIZE
from minicolumn.registry import Boolean, Custom, Integer, Search, refuse

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


def check_listed_once(layer: Layer, name: str) -> None:
    """Refuse the setting of a layer, pairs of a column and something, that lists a column twice."""
    listed = [column for column, _ in getattr(layer, name)]
    if len(set(listed)) < len(listed):
        refuse(layer, name, "each column once")


def check_has_columns(layer: Layer, pairs: Sequence[tuple[int, Any]], input_shape: Shape) -> None:
    """Refuse rows that are no vectors, or lack a listed column; ShapeError."""
    last = max((column for column, _ in pairs), default=-1)
    if len(input_shape) != 1 or last >= input_shape[0]:
        raise ShapeError(
            f"{type(layer).__name__}: rows have shape {list(input_shape)}, expected [features > {last}]"
        )


def rows_of_codes(codes: Array, levels: Array) -> Array:
    """Return the row of each code in a table where the rows of each column stand below those before.

    codes       int32 [batch, columns]; levels: of each column, int32 [columns]
    Returns     int32 [batch, columns]. A code out of its own column's range becomes one past the end: the
                next column's rows are not for it
    """
    before = np.cumsum(levels, dtype=np.int32) - levels
    return np.where((codes < 0) | (codes >= levels), np.int32(levels.sum()), codes + before)


EMBEDDINGS = Custom(
    help="Which columns hold codes, and how many categories each has.",
    words="(column >= 0, levels >= 1) pairs",
    form=_pairs,
)


SHARED = Boolean(help="Whether columns whose vectors are equally long share one table.")


@final
@dataclass(frozen=True, repr=False)
class ColumnEmbedding(Deterministic):
    """Replace the columns that hold category codes by learned vectors.

        y = [the other columns, in order | table_c[x_c] for each listed column c, in the order listed]

    With ``shared`` the tables of equally long vectors stand below each other in one, and all their columns
    are looked up by one gather, table_d[x_c + levels of the columns before c]: what is computed grows with
    the number of lengths, not of columns. The lengths come in the order in which they are first met.

    embeddings  ((column, levels), ...): which columns hold codes, and how many categories each has
    dim         length of every vector; None takes ``embedding_dim(levels)`` for each
    shared      whether columns whose vectors are equally long share one table
    x           [batch, features]; the listed columns hold integers 0 .. levels - 1 as floats
    params      column number as text -> table [levels, dim], drawn from N(0, 1); shared: "dim_8" -> table
                [sum of levels, 8], and so on
    Returns     [batch, features - listed + sum of the vectors' lengths]
    Errors      DataError for a column listed twice, and for more than 10,000,000 rows of a shared table;
                ShapeError for a column that the input lacks
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
    shared: Annotated[bool, SHARED] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_listed_once(self, "embeddings")
        if self.shared and any(block.levels > LARGEST_SIZE for block in self._blocks):
            refuse(self, "embeddings", f"at most {LARGEST_SIZE:,} levels of all columns that share a table")

    def _dim(self, levels: int) -> int:
        return embedding_dim(levels) if self.dim is None else self.dim

    def output_shape(self, input_shape: Shape) -> Shape:
        check_has_columns(self, self.embeddings, input_shape)
        added = sum(self._dim(levels) for _, levels in self.embeddings)
        return (input_shape[0] - len(self.embeddings) + added,)

    def declare(self, input_shape: Shape) -> Params:
        self.output_shape(input_shape)
        if self.shared:
            return {block.name: Param((block.levels, block.dim), "normal", "table") for block in self._blocks}
        pairs = self.embeddings
        return {
            str(column): Param((levels, self._dim(levels)), "normal", "table") for column, levels in pairs
        }

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        self.output_shape(x.shape[1:])
        kept = [x[:, first:last] for first, last in self._runs(x.shape[1])]
        found = [*self._found(params, x)]
        return np.concatenate([*kept, *found], axis=1) if kept or found else x

    def _found(self, params: Params, x: Array) -> Iterator[Array]:
        """Yield the vectors that were looked up, [batch, length]: of each column, or of each shared table."""
        if self.shared:
            for block in self._blocks:
                vectors = params[block.name][block.rows(x)]
                yield np.reshape(vectors, (vectors.shape[0], len(block.columns) * block.dim))
        else:
            for column, levels in self.embeddings:
                yield params[str(column)][_rows_of(x[:, column], levels)]

    def vectors(self, params: Params) -> list[Array]:
        """Return the vectors of each listed column, [levels, length], in the order of the outputs."""
        if not self.shared:
            return [params[str(column)] for column, _ in self.embeddings]
        return [part for block in self._blocks for part in np.split(params[block.name], block.ends)]

    @property
    def order(self) -> list[int]:
        """The listed columns, in the order in which their vectors stand in the outputs."""
        if not self.shared:
            return [column for column, _ in self.embeddings]
        return [column for block in self._blocks for column in block.columns]

    @property
    def _blocks(self) -> list[_Block]:
        """The shared tables: one for each length of vectors."""
        found: dict[int, list[tuple[int, int]]] = {}
        for column, levels in self.embeddings:
            found.setdefault(self._dim(levels), []).append((column, levels))
        return [_Block(dim, tuple(pairs)) for dim, pairs in found.items()]

    @property
    def operations(self) -> int:
        # A kernel for the code and one for the vector, of each column or of all that share a table.
        return 1 + (10 * len(self._blocks) if self.shared else 4 * len(self.embeddings))

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


@dataclass(frozen=True)
class _Block:
    """The columns that share a table of vectors of one length.

    dim     length of each vector
    pairs   ((column, levels), ...)
    """

    dim: int
    pairs: tuple[tuple[int, int], ...]

    @property
    def name(self) -> str:
        """The table's name among the parameters."""
        return f"dim_{self.dim}"

    @property
    def columns(self) -> list[int]:
        """The columns that hold the codes, in the order listed."""
        return [column for column, _ in self.pairs]

    @property
    def levels(self) -> int:
        """How many rows the table has."""
        return sum(levels for _, levels in self.pairs)

    @property
    def ends(self) -> list[int]:
        """Where the rows of each column but the last end."""
        return np.cumsum([levels for _, levels in self.pairs])[:-1].tolist()

    def rows(self, x: Array) -> Array:
        """Return the row of the table for each code, int32 [batch, columns]; see `rows_of_codes`."""
        first, n = self.columns[0], len(self.pairs)
        adjoin = self.columns == list(range(first, first + n))
        codes = (x[:, first : first + n] if adjoin else x[:, np.array(self.columns)]).astype(np.int32)
        levels = np.array([levels for _, levels in self.pairs], np.int32)
        return rows_of_codes(codes, levels)
