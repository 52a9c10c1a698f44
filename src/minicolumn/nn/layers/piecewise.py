"""Piecewise linear encoding of numbers: ramps between knots, so that a network sees thresholds."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from numbers import Real
from typing import Annotated, Any, final

import numpy as np

from minicolumn.errors import DataError
from minicolumn.nn.layer import Array, Deterministic, Params, Shape, computed
from minicolumn.nn.layers.embeddings import MOST_COLUMNS, check_has_columns, check_listed_once, is_column
from minicolumn.registry import Custom

MOST_KNOTS = 1_000


def _listed(value: Any) -> Any:
    """Return (column, knots) pairs as plain numbers."""
    if not isinstance(value, list | tuple) or len(value) > MOST_COLUMNS or not all(map(_is_pair, value)):
        return NotImplemented
    return tuple((int(column), tuple(map(float, knots))) for column, knots in value)


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list | tuple) and len(pair) == 2 and is_column(pair[0]) and _do_rise(pair[1])


def _do_rise(knots: Any) -> bool:
    """Return whether values are knots: two or more numbers, each larger than the one before in float32."""
    if (
        not isinstance(knots, list | tuple)
        or not 2 <= len(knots) <= MOST_KNOTS
        or not all(map(_is_knot, knots))
    ):
        return False
    return all(np.float32(low) < np.float32(high) for low, high in itertools.pairwise(knots))


def _is_knot(value: Any) -> bool:
    """Return whether a number is one in float32 too, with room for the differences of two."""
    return isinstance(value, Real) and not isinstance(value, bool) and bool(-1e38 <= value <= 1e38)  # type: ignore[operator]


KNOTS = Custom(
    help="The knots of each column that gets ramps.",
    words="(column >= 0, two or more rising finite knots) pairs",
    form=_listed,
)


@final
@dataclass(frozen=True, repr=False)
class PiecewiseLinear(Deterministic):
    """Put ramps beside the columns: how much of each stretch between two knots a number has passed.

        y = [x | ramps],    ramp_k = min(1, max(0, (x_c - knot_k) / (knot_k+1 - knot_k)))

    A linear layer behind it is a linear spline in each listed column, with its bends at the knots.

    knots       ((column, (knot, knot, ...)), ...): rising (in float32), two at least for each listed column
    x           [batch, features]
    Returns     [batch, features + one for every stretch]
    Errors      DataError for knots that do not rise or a column listed twice, ShapeError for a column that
                the input lacks
    Source      Gorishniy, Rubachev, Babenko 2022 (arXiv 2203.05556), section 3.2
    Differs     the number itself stays beside its ramps, and the outermost ramps end at the outermost knots:
                the paper lets them run on

    >>> layer = PiecewiseLinear(((0, (0.0, 1.0, 3.0)),))
    >>> layer.apply({}, np.array([[2.0, 7.0]]))
    array([[2. , 7. , 1. , 0.5]])
    """

    knots: Annotated[tuple[tuple[int, tuple[float, ...]], ...], KNOTS]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_listed_once(self, "knots")

    def output_shape(self, input_shape: Shape) -> Shape:
        check_has_columns(self, self.knots, input_shape)
        return (input_shape[0] + sum(len(knots) - 1 for _, knots in self.knots),)

    def apply(self, params: Params, x: Array, *, key: Array | None = None, training: bool = False) -> Array:
        self.output_shape(x.shape[1:])
        if not self.knots:
            return x
        columns = np.concatenate([[column] * (len(knots) - 1) for column, knots in self.knots])
        low = np.concatenate([knots[:-1] for _, knots in self.knots]).astype(x.dtype)
        high = np.concatenate([knots[1:] for _, knots in self.knots]).astype(x.dtype)
        ramps = np.clip((x[:, columns] - low) / (high - low), 0.0, 1.0)
        return np.concatenate([x, ramps], axis=1)

    @property
    def operations(self) -> int:
        return 6

    def moved(self, columns: Array) -> Array:
        added = self.output_shape(columns.shape[1:])[0] - columns.shape[1]
        return np.concatenate([columns, computed((added,))], axis=1)


def choose_knots(x: Array, stretches: int) -> tuple[float, ...]:
    """Return knots for a column of numbers: half by where the rows lie, half by which numbers there are.

        all distinct numbers                                            if there are at most stretches + 1
        quantiles of the rows  and  quantiles of the distinct numbers   otherwise

    Rows alone would give a column that is mostly 0 no knot above 0; distinct numbers alone would give
    a column with a long tail few knots where its rows lie.

    x           [rows], finite
    stretches   how many stretches between knots are wanted at most
    Errors      DataError for fewer than 2 stretches

    >>> choose_knots(np.array([3.0, 1.0, 1.0, 2.0]), 8)
    (1.0, 2.0, 3.0)
    """
    if stretches < 2:
        raise DataError(f"choose_knots: stretches: expected at least 2, got {stretches!r}")
    values = np.asarray(x, np.float32)
    distinct = np.unique(values)
    if len(distinct) > stretches + 1:
        shares = np.linspace(0.0, 1.0, stretches // 2 + 1)
        by_row, by_value = np.quantile(values, shares), np.quantile(distinct, shares)
        distinct = np.unique(np.concatenate([by_row, by_value]).astype(np.float32))
    return tuple(map(float, distinct))
