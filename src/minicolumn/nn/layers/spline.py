"""Additive first layers of tables: every output is a sum of functions of one column each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, final

import numpy as np

from minicolumn.errors import ShapeError
from minicolumn.nn.layer import Array, Deterministic, Param, Params, Shape
from minicolumn.nn.layers.dense import LARGEST_SIZE
from minicolumn.nn.layers.embeddings import EMBEDDINGS
from minicolumn.nn.layers.piecewise import KNOTS
from minicolumn.registry import Integer, Search, refuse


@final
@dataclass(frozen=True, repr=False)
class ColumnSplines(Deterministic):
    """Add up a function of each column: a linear spline of numbers, a vector of codes, a weight of the rest.

        y = x W  +  sum over c in knots of spline_c(x_c)  +  sum over c in embeddings of table_c[x_c]  +  b

        spline_c(x) = (1 - t) T_c[j] + t T_c[j + 1],    x = (1 - t) knot_j + t knot_j+1

    T_c holds the values of the spline at its knots; beyond the outermost ones it stays as it is there. It is
    what a `Dense` layer behind a `PiecewiseLinear` and a `ColumnEmbedding` computes, and takes two rows of a
    table for each column where that takes as many as there are ramps. `folded` turns one into the other.

    units       outputs
    knots       ((column, (knot, knot, ...)), ...), as of `PiecewiseLinear`
    embeddings  ((column, levels), ...), as of `ColumnEmbedding`
    x           [batch, features]; columns of embeddings hold codes 0 .. levels - 1
    params      weight [features without embeddings, units]; splines [all knots, units]; tables [all levels,
                units]; bias [units]
    Errors      DataError for a column listed twice, ShapeError for a column that the input lacks
    Source      linear splines in a basis of hats: de Boor 1978, "A Practical Guide to Splines"

    >>> layer = ColumnSplines(1, knots=((0, (0.0, 1.0, 3.0)),))
    >>> params = {"weight": np.zeros((1, 1)), "splines": np.array([[0.0], [5.0], [7.0]]), "bias": np.zeros(1)}
    >>> layer.apply(params, np.array([[0.5], [2.0], [9.0]])).ravel()
    array([2.5, 6. , 7. ])
    """

    units: Annotated[int, Integer(help="Outputs.", ge=1, le=LARGEST_SIZE, search=Search(4, 512, log=True))]
    knots: Annotated[tuple[tuple[int, tuple[float, ...]], ...], KNOTS] = ()
    embeddings: Annotated[tuple[tuple[int, int], ...], EMBEDDINGS] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("knots", "embeddings"):
            listed = [column for column, _ in getattr(self, name)]
            if len(set(listed)) < len(listed):
                refuse(self, name, "each column once")
        if {column for column, _ in self.knots} & self._codes:
            refuse(self, "knots", "columns of numbers, not of codes")

    @property
    def _codes(self) -> set[int]:
        return {column for column, _ in self.embeddings}

    def output_shape(self, input_shape: Shape) -> Shape:
        last = max([column for column, _ in (*self.knots, *self.embeddings)], default=-1)
        if len(input_shape) != 1 or last >= input_shape[0]:
            raise ShapeError(
                f"ColumnSplines: rows have shape {list(input_shape)}, expected [features > {last}]"
            )
        return (self.units,)

    def declare(self, input_shape: Shape) -> Params:
        self.output_shape(input_shape)
        plain = input_shape[0] - len(self.embeddings)
        found = {"weight": Param((plain, self.units), "lecun_normal")} if plain else {}
        if self.knots:
            found["splines"] = Param(
                (sum(len(knots) for _, knots in self.knots), self.units), "zeros", "table"
            )
        if self.embeddings:
            found["tables"] = Param(
                (sum(levels for _, levels in self.embeddings), self.units), "zeros", "table"
            )
        return {**found, "bias": Param((self.units,))}

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        self.output_shape(x.shape[1:])
        z: Any = params["bias"]
        if (plain := self._plain(x)) is not None:
            z = z + plain @ params["weight"]
        if self.knots:
            z = z + self._splines(params["splines"], x)
        if self.embeddings:
            z = z + np.sum(params["tables"][self._rows(x)], axis=1)
        return z

    def _plain(self, x: Array) -> Array | None:
        """Return the columns that hold no codes, None where there are none."""
        kept = [column for column in range(x.shape[1]) if column not in self._codes]
        return None if not kept else x if len(kept) == x.shape[1] else x[:, np.array(kept)]

    def _splines(self, values: Array, x: Array) -> Array:
        """Return the sum of the splines, [batch, units].

        values      at the knots of all columns, one below the other
        """
        stretches = np.array([len(knots) - 1 for _, knots in self.knots])
        most = int(stretches.max())
        # A stretch that is not there begins where no number is, and so is never entered.
        low = np.full((len(stretches), most), np.finfo(np.float32).max, x.dtype)
        width = np.ones_like(low)
        for place, (_, knots) in enumerate(self.knots):
            low[place, : len(knots) - 1] = knots[:-1]
            width[place, : len(knots) - 1] = np.diff(np.array(knots, x.dtype))
        column = x[:, np.array([column for column, _ in self.knots])]
        # How many stretches a number has passed, whole ones and the share of the last.
        passed = np.sum(np.clip((column[:, :, None] - low) / width, 0.0, 1.0), axis=2)
        first = np.minimum(passed.astype(np.int32), (stretches - 1).astype(np.int32))
        share = (passed - first.astype(x.dtype))[:, :, None]
        rows = first + (np.cumsum(stretches + 1) - (stretches + 1)).astype(np.int32)
        below, above = values[rows], values[rows + np.int32(1)]
        return np.sum(below + share * (above - below), axis=1)

    def _rows(self, x: Array) -> Array:
        """Return the row of the tables for each code, int32 [batch, columns].

        A code out of its own column's range becomes one past the end: the next column's rows are not for it.
        """
        codes = x[:, np.array([column for column, _ in self.embeddings])].astype(np.int32)
        levels = np.array([levels for _, levels in self.embeddings], np.int32)
        before = np.cumsum(levels, dtype=np.int32) - levels
        return np.where((codes < 0) | (codes >= levels), np.int32(levels.sum()), codes + before)

    @property
    def operations(self) -> int:
        return 24

    def lookups(self, columns: Array) -> list[tuple[Array, int]]:
        return [(columns[0, column : column + 1], levels) for column, levels in self.embeddings]
