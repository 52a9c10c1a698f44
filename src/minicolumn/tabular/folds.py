"""Cross-validation of a training on a table: every row is tested once, by a network that has not seen it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.errors import DataError
from minicolumn.tables import infer_schema, with_target
from minicolumn.tables.encode import Encoder
from minicolumn.tabular.pipeline import TableRun, train_plan
from minicolumn.tabular.plan import plan_table
from minicolumn.tabular.settings import TableSettings
from minicolumn.tabular.splits import group_numbers, time_numbers

if TYPE_CHECKING:
    import polars

Array = np.ndarray
MOST_FOLDS = 100


@dataclass(frozen=True)
class Folds:
    """The scores of a cross-validation.

    metrics     of every fold, {score: value}
    baseline    of every fold, likewise

    >>> folds = Folds(({"r2": 0.5}, {"r2": 0.7}), ({"r2": 0.0}, {"r2": 0.0}))
    >>> round(folds.mean["r2"], 2), round(folds.deviation["r2"], 3)
    (0.6, 0.141)
    """

    metrics: tuple[dict[str, float], ...]
    baseline: tuple[dict[str, float], ...]

    @property
    def mean(self) -> dict[str, float]:
        """The mean of each score over the folds that have it."""
        return {name: float(np.mean(values)) for name, values in _by_name(self.metrics).items()}

    @property
    def deviation(self) -> dict[str, float]:
        """The standard deviation of each score among the folds, with n - 1."""
        return {
            name: float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
            for name, values in _by_name(self.metrics).items()
        }

    @property
    def baseline_mean(self) -> dict[str, float]:
        """The mean of each of the baseline's scores."""
        return {name: float(np.mean(values)) for name, values in _by_name(self.baseline).items()}


def cross_validate(
    frame: polars.DataFrame,
    settings: TableSettings,
    folds: int,
    *,
    watch: Callable[[int, TableRun], None] = lambda fold, run: None,
) -> Folds:
    """Train and test once for each fold of a table.

    frame       rows as `read_table` returns them
    settings    what the user said; its groups and its time order make the folds
    folds       how many, from 2 to 100; of time, each tests the next stretch on all rows before it
    watch       called after each fold with its number, from 1, and its run
    Errors      DataError as of `plan_table`, and for more folds than rows or groups
    Differs     scikit-learn's cross_validate is given a pipeline; here even the kinds of the columns are
                inferred without the tested rows

    Classes are spread evenly over the folds, and all rows of a group are in one.
    """
    schema = infer_schema(frame, settings.target, settings.overrides, task=settings.task)
    rows = with_target(frame, schema)
    parts = _folds(rows, settings, Encoder.of_target(schema).read_target(rows), schema.task, folds)
    runs = []
    for number, (kept, tested) in enumerate(parts, 1):
        run = train_plan(plan_table(rows[kept], settings, rows[tested]))
        runs.append((run.metrics, run.baseline))
        watch(number, run)
        if run.run.stopped == "interrupted":
            raise KeyboardInterrupt
    return Folds(tuple(metrics for metrics, _ in runs), tuple(baseline for _, baseline in runs))


def _folds(
    rows: polars.DataFrame, settings: TableSettings, target: Array, task: str, folds: int
) -> list[tuple[Array, Array]]:
    """Return the rows that train and those that are tested, for each fold."""
    from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit

    said, count = settings.overrides, rows.height
    if not 2 <= folds <= min(count, MOST_FOLDS):
        raise DataError(f"folds: expected a number from 2 to {min(count, MOST_FOLDS)}, got {folds}")
    if said.groups is not None:
        groups = group_numbers(rows[said.groups])
        if len(np.unique(groups)) < folds:
            raise DataError(f"folds: {folds} folds need as many groups, found {len(np.unique(groups))}")
        return list(GroupKFold(folds, shuffle=True, random_state=settings.seed).split(target, groups=groups))
    if said.time_order is not None:
        order = np.argsort(time_numbers(rows[said.time_order], said), kind="stable")
        return [(order[kept], order[tested]) for kept, tested in TimeSeriesSplit(folds).split(order)]
    if task == "regression" or np.bincount(target).min() < folds:
        return list(KFold(folds, shuffle=True, random_state=settings.seed).split(target))
    return list(StratifiedKFold(folds, shuffle=True, random_state=settings.seed).split(target, target))


def _by_name(rows: tuple[dict[str, float], ...]) -> dict[str, list[float]]:
    """Return the values of each score that any fold has."""
    found: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            found.setdefault(name, []).append(value)
    return found
