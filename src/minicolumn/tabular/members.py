"""Members of an ensemble for a table: which rows each learns from, and which it holds out.

    learnt rows -> folds -> member i holds fold i mod folds out and learns from the rest, by its own seed

Every row of a fold that some member holds out is predicted by networks that have not seen it: out-of-fold
predictions. From these come each member's best epoch and temperature, the choice among members, the decision
threshold, and a score of the whole on rows that it learns from.

Source      Breiman 1996, "Out-of-bag estimation"; k-fold bagging as in AutoGluon (arXiv 2003.06505)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.errors import DataError
from minicolumn.tables import Schema
from minicolumn.tables.overrides import Overrides
from minicolumn.tabular.recipe import Recipe
from minicolumn.tabular.splits import group_numbers, time_numbers

if TYPE_CHECKING:
    import polars

Array = np.ndarray
# With fewer folds members would learn from few rows, with more each would be judged by few.
FEWEST_FOLDS, MOST_FOLDS = 5, 8
# What lanes are filled by on any machine, and of so many rows one may be left over.
LANES, MOST_LEFT = 16, 64


@dataclass(frozen=True, eq=False)
class Member:
    """One network of an ensemble.

    number      from 0; seed: of its weights, batches and dropout
    held        the rows that it holds out, among those that are learnt from, by number and in order
    recipe      its network, and how it is trained
    """

    number: int
    seed: int
    held: Array
    recipe: Recipe

    def kept(self, rows: int) -> Array:
        """Return the rows that it learns from, of so many."""
        return np.setdiff1d(np.arange(rows), self.held, assume_unique=True)


def members_of(recipes: Sequence[Recipe], folds: Sequence[Array], seed: int) -> tuple[Member, ...]:
    """Return a member for each recipe; the i-th holds fold i mod folds out.

    seed        of the whole: that of a member is drawn from it and its number
    """
    return tuple(
        Member(n, int(np.random.SeedSequence([seed, n]).generate_state(1)[0]), folds[n % len(folds)], recipe)
        for n, recipe in enumerate(recipes)
    )


def whole_batches(rows: int, held: int, batch: int) -> tuple[int, int]:
    """Return how many rows to hold out, and rows of a step, so that an epoch is steps of one length.

    A shorter last step is a second program, of which compiling takes as long as of the first.

    rows        that are learnt from; held: of them held out, at least; batch: rows of a step, about, from 16
    Returns     a multiple of 16, as lanes are filled by, for a step where that leaves few rows over; those
                left over are held out, too: fewer than 1 in 64, or than there are steps

    >>> whole_batches(3450, 432, 256)  # 3450 - 458 = 11 * 272
    (458, 272)
    >>> whole_batches(750, 94, 64)  # 750 - 100 = 10 * 65
    (100, 65)
    """
    kept = rows - held
    near = range(batch - batch // 8, min(batch + batch // 8, kept) + 1)
    for size in sorted((size for size in near if not size % LANES), key=lambda size: abs(size - batch)):
        if kept % size <= kept // MOST_LEFT:
            return held + kept % size, size
    steps = max(1, round(kept / batch))
    return held + kept % steps, kept // steps


def lengthened(folds: Sequence[Array], length: int) -> list[Array]:
    """Return folds of at least so many rows: what a fold lacks is taken from the next one, evenly spaced.

    folds       each as row numbers in order; two or more, and at least half as long as they shall be

    >>> lengthened([np.array([0, 2, 4, 6]), np.array([1, 3, 5, 7])], 5)
    [array([0, 1, 2, 4, 6]), array([0, 1, 3, 5, 7])]
    """
    found = []
    for place, fold in enumerate(folds):
        more = np.setdiff1d(folds[(place + 1) % len(folds)], fold, assume_unique=True)
        lacking = max(length - len(fold), 0)
        some = np.linspace(0, len(more) - 1, lacking).astype(np.int64)
        found.append(np.sort(np.concatenate([fold, more[some]])))
    return found


def folds_of(
    frame: polars.DataFrame,
    schema: Schema,
    target: Array,
    said: Overrides,
    members: int,
    share: float,
    seed: int,
    batch: int | None = None,
) -> tuple[list[Array], int | None]:
    """Return the folds of the rows that are learnt from, each as row numbers in order.

    frame       these rows, raw; target: their class codes or numbers
    members     how many networks there will be
    share       of the rows in the one fold that there is where rows have an order in time: the latest
    batch       rows of a step, if about so many will do
    Returns     as many folds as members, from 5 to 8 where there are rows enough, and the rows of a step of
                which the others make whole ones. Classes are spread evenly over the folds, and all rows of a
                group are in one; then steps are as they were. Without groups folds are equally long, and a
                few rows are in two
    Errors      DataError for rows or groups too few to hold any out
    """
    rows = frame.height
    if schema.time_order:
        times = time_numbers(frame[schema.time_order], said)
        held = int(np.ceil(share * rows))
        if not 0 < held < rows:
            raise DataError(f"{rows} rows leave none to learn from with the latest held out")
        held, batch = (held, None) if batch is None else whole_batches(rows, held, batch)
        return [np.sort(np.argsort(times, kind="stable")[-held:])], batch
    found = fold_units(frame, schema)
    if found < 2:
        what = "groups: 1 group" if schema.groups else f"{rows} row"
        raise DataError(
            f"{what} cannot be held out in turns; at least 2 are needed, or one network: members=1"
        )
    folds = dealt_folds(frame, schema, target, min(max(members, FEWEST_FOLDS), MOST_FOLDS, found), seed)
    if schema.groups or batch is None:
        return folds, None
    length, batch = whole_batches(rows, len(folds[0]), batch)
    return lengthened(folds, length), batch


def fold_units(frame: polars.DataFrame, schema: Schema) -> int:
    """Return how many rows, or groups of rows, can be dealt out to folds."""
    return len(np.unique(group_numbers(frame[schema.groups]))) if schema.groups else frame.height


def dealt_folds(frame: polars.DataFrame, schema: Schema, target: Array, folds: int, seed: int) -> list[Array]:
    """Return so many folds of rows, each as row numbers in order: stratified by class, or of whole groups."""
    rng = np.random.default_rng(seed)
    if schema.groups:
        return _by_group(group_numbers(frame[schema.groups]), folds, rng)
    rows = frame.height
    classes = np.zeros(rows, np.int64) if schema.task == "regression" else target
    # Class by class, in an order by chance, dealt out like cards: each fold gets its share of each class.
    # Folds are equally long, a few rows being dealt twice: members of one shape share compiled programs.
    order = np.lexsort((rng.random(rows), classes))
    dealt = np.concatenate([order, order[: -rows % folds]])
    return [np.sort(dealt[place::folds]) for place in range(folds)]


def _by_group(groups: Array, folds: int, rng: np.random.Generator) -> list[Array]:
    """Return folds of whole groups, nearly equally long: the largest first, each into the emptiest."""
    _, inverse, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    fold, filled = np.zeros(len(sizes), np.int64), np.zeros(folds, np.int64)
    for group in np.lexsort((rng.random(len(sizes)), -sizes)):
        fold[group] = np.argmin(filled)
        filled[fold[group]] += sizes[group]
    return [np.flatnonzero(fold[inverse] == place) for place in range(folds)]
