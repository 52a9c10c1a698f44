"""Additive first layers of tables: every output is a sum of functions of one column each.

Both look two rows of a table up for each column, where a product with all ramps would take as many as there
are ramps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, final

import numpy as np

from minicolumn.nn.layer import Array, Deterministic, Function, Param, Params, Shape
from minicolumn.nn.layers.dense import ACTIVATION, FASTER, LARGEST_SIZE, SCALE_RATE, activated, rule_of
from minicolumn.nn.layers.embeddings import EMBEDDINGS, check_has_columns, check_listed_once, rows_of_codes
from minicolumn.nn.layers.members import COUNT
from minicolumn.nn.layers.piecewise import KNOTS
from minicolumn.registry import Integer, Search, refuse
from minicolumn.trace.tracer import Traced, constant

Knots = tuple[tuple[int, tuple[float, ...]], ...]


def positions(knots: Knots, x: Array) -> tuple[Array, Array]:
    """Return where numbers lie between the knots of their columns.

    knots       ((column, (knot, knot, ...)), ...)
    x           [batch, features]
    Returns     the stretch that each listed column's number is in, int32 [batch, columns], from 0; and how
                much of it is behind, from 0 to 1: 0 before the first knot, 1 after the last

    >>> positions(((0, (0.0, 1.0, 3.0)),), np.array([[2.0], [-1.0], [9.0]]))
    (array([[1],
           [0],
           [1]], dtype=int32), array([[0.5],
           [0. ],
           [1. ]]))
    """
    stretches = np.array([len(each) - 1 for _, each in knots])
    # A stretch that is not there begins where no number is, and so is never entered.
    low = np.full((len(stretches), int(stretches.max())), np.finfo(np.float32).max, x.dtype)
    width = np.ones_like(low)
    for place, (_, each) in enumerate(knots):
        low[place, : len(each) - 1] = each[:-1]
        width[place, : len(each) - 1] = np.diff(np.array(each, x.dtype))
    column = x[:, np.array([column for column, _ in knots])]
    behind = np.sum(np.clip((column[:, :, None] - low) / width, 0.0, 1.0), axis=2)
    behind = np.minimum(
        behind, stretches.astype(x.dtype)
    )  # infinity has passed those that are not there, too
    # What is no number is in the last stretch, so that its place is one, and its share is NaN.
    inside = behind < (stretches - 1).astype(x.dtype)
    first = np.where(inside, behind, (stretches - 1).astype(x.dtype)).astype(np.int32)
    return first, behind - first.astype(x.dtype)


def interpolated(values: Array, rows: Array, share: Array) -> Array:
    """Return the sum over columns of what lies between two neighbouring rows of a table.

        y = sum over c of  values[rows_c] + share_c (values[rows_c + 1] - values[rows_c])

    values      [rows, units]; rows int32 [..., batch, columns]; share [batch, columns]
    Returns     [..., batch, units]
    """
    table: Any = values
    if isinstance(rows, Traced) and not isinstance(values, Traced):  # sums of constants are plain arrays
        table = constant(values)
    below, above = table[rows], table[rows + np.int32(1)]
    return np.sum(below + share[..., None] * (above - below), axis=-2)


@final
@dataclass(frozen=True, repr=False)
class ColumnSplines(Deterministic):
    """Add up a function of each column: a linear spline of numbers, a vector of codes, a weight of the rest.

        y = x W  +  sum over c in knots of spline_c(x_c)  +  sum over c in embeddings of table_c[x_c]  +  b

        spline_c(x) = (1 - t) T_c[j] + t T_c[j + 1],    x = (1 - t) knot_j + t knot_j+1

    T_c holds the values of the spline at its knots; beyond the outermost ones it stays as it is there. It is
    what a `Dense` layer behind a `PiecewiseLinear` and a `ColumnEmbedding` computes, and takes two rows of a
    table for each column where that takes as many as there are ramps. `mc.nn.folded` makes it of them.

    units       outputs
    knots       ((column, (knot, knot, ...)), ...), as of `PiecewiseLinear`
    embeddings  ((column, levels), ...), as of `ColumnEmbedding`
    members     of which each has its own sums of the same columns; 1 is a layer as any other
    x           [batch, features]; columns of embeddings hold codes 0 .. levels - 1
    Returns     [batch, units], of several members [batch, members, units]
    params      weight [features without embeddings, units]; splines [all knots, units]; tables [all levels,
                units]; bias [units]. Members' weights and biases stand beside each other, [..., members *
                units], and their tables below each other, so that all rows of one lie close together
    Errors      DataError for a column listed twice, ShapeError for a column that the input lacks
    Source      linear splines in a basis of hats: de Boor 1978, "A Practical Guide to Splines"

    >>> layer = ColumnSplines(1, knots=((0, (0.0, 1.0, 3.0)),))
    >>> params = {"weight": np.zeros((1, 1)), "splines": np.array([[0.0], [5.0], [7.0]]), "bias": np.zeros(1)}
    >>> layer.apply(params, np.array([[0.5], [2.0], [9.0]])).ravel()
    array([2.5, 6. , 7. ])
    """

    units: Annotated[int, Integer(help="Outputs.", ge=1, le=LARGEST_SIZE, search=Search(4, 512, log=True))]
    knots: Annotated[Knots, KNOTS] = ()
    embeddings: Annotated[tuple[tuple[int, int], ...], EMBEDDINGS] = ()
    members: Annotated[int, COUNT] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_listed_once(self, "knots")
        check_listed_once(self, "embeddings")
        if {column for column, _ in self.knots} & self._codes:
            refuse(self, "knots", "columns of numbers, not of codes")

    @property
    def _codes(self) -> set[int]:
        return {column for column, _ in self.embeddings}

    def output_shape(self, input_shape: Shape) -> Shape:
        check_has_columns(self, (*self.knots, *self.embeddings), input_shape)
        return (self.units,) if self.members == 1 else (self.members, self.units)

    def declare(self, input_shape: Shape) -> Params:
        self.output_shape(input_shape)
        plain, width = input_shape[0] - len(self.embeddings), self.members * self.units
        found = {"weight": Param((plain, width), "lecun_normal")} if plain else {}
        if self.knots:
            found["splines"] = Param((self.members * self._all_knots, self.units), "zeros", "table")
        if self.embeddings:
            found["tables"] = Param((self.members * self._all_levels, self.units), "zeros", "table")
        return {**found, "bias": Param((width,))}

    @property
    def _all_knots(self) -> int:
        return sum(len(knots) for _, knots in self.knots)

    @property
    def _all_levels(self) -> int:
        return sum(levels for _, levels in self.embeddings)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        self.output_shape(x.shape[1:])
        z: Any = params["bias"]
        if (plain := self._plain(x)) is not None:
            z = z + plain @ params["weight"]
        if self.members > 1:  # in front, so that the rows of one member's tables are looked up together
            rows = x.shape[0] if z.ndim == 2 else 1
            z = np.swapaxes(np.reshape(z, (rows, self.members, self.units)), 0, 1)
        if self.knots:
            z = z + self._splines(params["splines"], x)
        if self.embeddings:
            rows = self._of_members(self._rows(x), self._all_levels)
            z = z + np.sum(params["tables"][rows], axis=-2)
        return z if self.members == 1 else np.swapaxes(z, 0, 1)

    def _of_members(self, rows: Array, length: int) -> Array:
        """Return which rows of all members' tables are meant, [members, batch, columns].

        rows        of one member's, [batch, columns]; length: how many rows it has
        """
        if self.members == 1:
            return rows
        return rows + (np.arange(self.members, dtype=np.int32) * np.int32(length))[:, None, None]

    def _plain(self, x: Array) -> Array | None:
        """Return the columns that hold no codes, None where there are none."""
        kept = [column for column in range(x.shape[1]) if column not in self._codes]
        return None if not kept else x if len(kept) == x.shape[1] else x[:, np.array(kept)]

    def _splines(self, values: Array, x: Array) -> Array:
        """Return the sum of the splines, [batch, units], of several members [members, batch, units].

        values      at the knots of all columns, one below the other
        """
        passed, share = positions(self.knots, x)
        lengths = np.array([len(knots) for _, knots in self.knots])
        rows = passed + (np.cumsum(lengths) - lengths).astype(np.int32)
        return interpolated(values, self._of_members(rows, self._all_knots), share)

    def _rows(self, x: Array) -> Array:
        """Return the row of the tables for each code, int32 [batch, columns]."""
        codes = x[:, np.array([column for column, _ in self.embeddings])].astype(np.int32)
        return rows_of_codes(codes, np.array([levels for _, levels in self.embeddings], np.int32))

    @property
    def operations(self) -> int:
        return 24

    def lookups(self, columns: Array) -> list[tuple[Array, int]]:
        return [(columns[0, column : column + 1], levels) for column, levels in self.embeddings]


@final
@dataclass(frozen=True, repr=False)
class PiecewiseDense(Deterministic):
    """A dense layer of columns and their ramps, with a factor for each, as quick as if there were no ramps.

        y = activation([x | ramps] (f W) + bias_rate b),    f = (1 + 6 s) / sqrt(fan_in)

    It is what ``PiecewiseLinear(knots), Scale(), Dense(units, activation, parametrization="ntk")`` computes,
    to rounding, with the same parameters. What all ramps of a column add is a linear spline, of which the
    values at the knots are running sums of the ramps' weights: they are added up once a step, and each row
    looks two of them up for each column.

    units       outputs
    knots       ((column, (knot, knot, ...)), ...), as of `PiecewiseLinear`
    activation  as of `Dense`
    bias_rate   under Adam, the bias learns this many times as fast
    x           [batch, features]
    params      scale [features + ramps]; weight [features + ramps, units]; bias [units]
    Errors      DataError for knots that do not rise or a column listed twice; ShapeError for a column that
                the input lacks
    Source      ramps: Gorishniy, Rubachev & Babenko 2022 (arXiv 2203.05556); scale and NTK form: Holzmueller,
                Grinsztajn & Steinwart 2024 (arXiv 2407.04491)

    >>> layer = PiecewiseDense(1, ((0, (0.0, 1.0, 3.0)),))
    >>> weight = np.sqrt(3) * np.array([[0.0], [5.0], [2.0]])
    >>> params = {"scale": np.zeros(3), "weight": weight, "bias": np.ones(1)}
    >>> layer.apply(params, np.array([[2.0]])).round(6)  # 5, half of 2, and the bias
    array([[7.]])
    """

    units: Annotated[int, Integer(help="Outputs.", ge=1, le=LARGEST_SIZE, search=Search(4, 512, log=True))]
    knots: Annotated[Knots, KNOTS]
    activation: Annotated[str | Function, ACTIVATION] = "linear"
    bias_rate: Annotated[float, FASTER] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_listed_once(self, "knots")

    def output_shape(self, input_shape: Shape) -> Shape:
        check_has_columns(self, self.knots or ((0, ()),), input_shape)
        return (self.units,)

    def declare(self, input_shape: Shape) -> Params:
        self.output_shape(input_shape)
        fan_in = input_shape[0] + sum(len(knots) - 1 for _, knots in self.knots)
        scores = self.units * rule_of(self.activation).scores
        return {
            "scale": Param((fan_in,)),
            "weight": Param((fan_in, scores), "normal"),
            "bias": Param((scores,)),
        }

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        self.output_shape(x.shape[1:])
        features = x.shape[1]
        weight = params["weight"] * self.factors(params["scale"])[:, None]
        z = x @ weight[:features] + self.bias_rate * params["bias"]
        if self.knots:
            z = z + self._ramps(weight[features:], x)
        return activated(self.activation, z)

    def factors(self, scale: Array) -> Array:
        """Return what each weight is multiplied by, f [features + ramps]."""
        return (1.0 + SCALE_RATE * scale) * (1.0 / math.sqrt(scale.shape[0]))

    def _ramps(self, weight: Array, x: Array) -> Array:
        """Return what the ramps add, [batch, units].

        weight      of all ramps, [ramps, units]. It is summed up over all columns at once; what had been
                    summed up before a column began is taken off again
        """
        passed, share = positions(self.knots, x)
        lengths = np.array([len(knots) - 1 for _, knots in self.knots])
        begin = (np.cumsum(lengths) - lengths).astype(np.int32)
        sums = np.concatenate([np.zeros_like(weight[:1]), np.cumsum(weight, axis=0)])
        return interpolated(sums, passed + begin, share) - np.sum(sums[begin], axis=0)

    @property
    def operations(self) -> int:
        return 30

    @property
    def passes_gradient(self) -> bool:
        return rule_of(self.activation).trainable
