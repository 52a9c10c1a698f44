"""Drift detection: rows unlike those of the training, and levels that the encoder cut off."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.tables.encode import Encoder
from minicolumn.tables.inputs.by_kind import Input
from minicolumn.tables.inputs.categories import MOST_LEVELS, BooleanInput, CategoryInput
from minicolumn.tables.inputs.datetimes import DatetimeInput, elapsed_days
from minicolumn.tables.inputs.numbers import NumberInput
from minicolumn.tables.inputs.ranges import Seen, share_missing
from minicolumn.tables.inputs.scale import Array
from minicolumn.tables.typed import Remark
from minicolumn.tables.values import MISSING, labels

if TYPE_CHECKING:
    import polars

_MORE = 0.1  # by so much a share must have changed, beyond what chance does
_FEWEST = 5  # rows of which all say something of their column
_RARE = 0.01  # what never came in the training may come this often
_SURELY = float(np.log(10_000))
_FEW = 0.01  # so many numbers may lie far outside


def drift(encoder: Encoder, typed: polars.DataFrame) -> tuple[Remark, ...]:
    """Return one remark a column whose values are unlike those of the training.

    encoder     fitted to the training rows
    typed       the new rows, of `Encoder.typed`
    Looks at    levels that are new, numbers and dates beyond the range of the training by more than its
                width, and shares of missing values that changed by more than 0.1 and three standard errors

    Differs     tests of distributions (Kolmogorov-Smirnov) say that large tables always differ; here a remark
                means that the network has learnt nothing of what it now sees
    """
    if not typed.height:
        return ()
    said = ((part.name, _drift_of(part, typed[part.name])) for part in encoder.inputs)
    return tuple(Remark(name, "drift", text) for name, text in said if text)


def cut_off(encoder: Encoder) -> tuple[Remark, ...]:
    """Return a remark for every category that has more levels than are kept."""
    return tuple(
        Remark(
            part.name,
            "levels",
            f"{part.found:,} levels, the {MOST_LEVELS:,} most frequent are kept; the others, "
            f"{part.others:.1%} of the rows, are one",
        )
        for part in encoder.inputs
        if isinstance(part, CategoryInput) and len(part.levels) == MOST_LEVELS and part.others
    )


def _drift_of(part: Input, series: polars.Series) -> str:
    """Return what is unlike the training in one column, or ""."""
    if isinstance(part, CategoryInput):
        return _levels(part, series)
    if isinstance(part, NumberInput):
        return _amounts(part.seen, part.read(series)[:, 0], lambda x: f"{x:.6g}")
    if isinstance(part, DatetimeInput):
        return _amounts(part.seen, elapsed_days(series), _day)
    return _signs(part, series)


def _signs(part: BooleanInput, series: polars.Series) -> str:
    """Return what is unlike the training in a column of booleans."""
    gaps = float(np.mean(part.read(series) == 0))
    return _share(gaps, part.gaps, len(series), "is neither yes nor no")


def _levels(part: CategoryInput, series: polars.Series) -> str:
    """Return what is unlike the training in a column of levels."""
    text = labels(series, MISSING - {level.lower() for level in part.levels})
    gaps = _share(text.null_count() / len(text), part.gaps, len(text), "is missing")
    known = text.drop_nulls()
    if known.is_empty():
        return gaps
    new = known.filter(~known.is_in(list(part.levels)))
    share = len(new) / len(text)
    if part.others < 0 or not _is_more(share, part.others, len(text)):
        return gaps
    example = new.value_counts(sort=True).row(0)[0][:30]
    usual = ", ".join(map(repr, part.levels[:3]))
    if len(new) == len(known):
        return f"none of its levels was seen in training: {example!r}, for example; usual are {usual}"
    return f"{share:.0%} of the rows have levels not seen in training, such as {example!r}; usual are {usual}"


def _amounts(seen: Seen, x: Array, show: Callable[[float], str]) -> str:
    """Return what is unlike the training among numbers, [rows], NaN where missing."""
    known = x[np.isfinite(x)]
    width = seen.high - seen.low
    far = (known < seen.low - width) | (known > seen.high + width)
    if seen.missing >= 0 and len(known) and far.mean() > _FEW:
        return (
            f"{far.mean():.0%} of the numbers lie far outside the training's {show(seen.low)} to "
            f"{show(seen.high)}; the farthest is {show(_farthest(known, seen))}"
        )
    return _share(share_missing(x), seen.missing, len(x), "is missing")


def _farthest(known: Array, seen: Seen) -> float:
    """Return the number that is farthest from the middle of the range."""
    return float(known[np.argmax(np.abs(known - (seen.low + seen.high) / 2))])


def _day(days: float) -> str:
    """Return a number of days since 1970-01-01 as a date."""
    return str(np.datetime64("1970-01-01") + np.timedelta64(int(days), "D"))


def _share(now: float, then: float, rows: int, what: str) -> str:
    """Return a line where a share of the rows changed by more than chance does, else ""."""
    if then < 0:  # unknown
        return ""
    if not (_is_more(now, then, rows) or _is_more(1 - now, 1 - then, rows)):
        return ""
    return f"{now:.0%} of the rows: {what}; in training {then:.0%}"


def _is_more(now: float, then: float, rows: int) -> bool:
    """Return whether a share grew by more than 0.1, and by more than chance does, or to 1; from 5 rows on.

    By chance it would be so large in at most exp(-rows KL(now || then)) of all tables of so many rows, by
    Chernoff's bound; that is asked to be one in ten thousand.
    """
    if rows < _FEWEST or now <= then + _MORE:
        return False
    return (now == 1.0 and then < 0.9) or rows * _divergence(now, max(then, _RARE)) > _SURELY


def _divergence(p: float, q: float) -> float:
    """Return the Kullback-Leibler divergence of one yes-or-no share from another, 0 < q < 1."""
    return sum(a * float(np.log(a / b)) for a, b in ((p, q), (1 - p, 1 - q)) if a > 0)
