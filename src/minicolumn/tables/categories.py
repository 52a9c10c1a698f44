"""Categories and truths as columns of the matrix."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.tables import state
from minicolumn.tables.scale import Array
from minicolumn.tables.values import MISSING, NO, YES, labels, numbers, per_text

if TYPE_CHECKING:
    import polars

MOST_LEVELS = 10_000  # of one category; rarer levels than these are read as "other"
MOST_ONE_HOT = 9  # levels, "missing" among them; a category of more is an embedding code
OTHER, GAP = 0, 1  # the first two codes of an embedding


@dataclass(frozen=True, slots=True)
class BooleanInput:
    """A truth: +1 or -1, and 0 where missing or unknown; an indicator if some were missing in training."""

    name: str
    indicator: bool

    @classmethod
    def fit(cls, series: polars.Series) -> BooleanInput:
        """Return whether an indicator is needed."""
        return cls(series.name, bool(np.any(_signs(series) == 0)))

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the matrix columns."""
        return (self.name, f"{self.name} missing") if self.indicator else (self.name,)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of what is read."""
        return (self.name,)

    def read(self, series: polars.Series) -> Array:
        """Return +1, -1 or 0, float64 [rows, 1]."""
        return _signs(series)[:, None].astype(np.float64)

    def encoded(self, values: Array) -> Array:
        """Return the matrix columns [rows, features] of what was read; it can be traced."""
        return np.concatenate([values, values == 0], axis=1) if self.indicator else values

    def to_json(self) -> dict[str, Any]:
        """Return the fitted state as JSON values."""
        return {"kind": "boolean", "name": self.name, "indicator": self.indicator}

    @classmethod
    def from_json(cls, value: object, where: str) -> BooleanInput:
        """Return the fitted state from JSON values."""
        have = state.fields(value, where, ("kind", "name", "indicator"))
        return cls(
            state.name(have["name"], f"{where}.name"), state.flag(have["indicator"], f"{where}.indicator")
        )


def _signs(series: polars.Series) -> Array:
    """Return +1, -1 or 0 [rows] for yes, no and anything else."""
    x = numbers(series)
    if x.null_count() == series.null_count():  # 0 and 1, the common case
        x = x.to_numpy()
        return (x == 1).astype(np.int8) - (x == 0)
    return per_text(series, _sign, np.int8)


def _sign(word: str) -> int:
    """Return +1, -1 or 0 for one word; 1.0 and 0.0 are read as well."""
    word = re.sub(r"\.0+$", "", word.lower())
    return (word in YES) - (word in NO)


@dataclass(frozen=True, slots=True)
class CategoryInput:
    """A category, in one of three layouts, chosen by the levels seen in training.

    two levels, none missing     one column, -1 and +1; 0 for anything else
    at most 9, missing counted   one column a level, 0 or 1; all 0 for a level not seen in training
    more                         one column of codes: 0 other, 1 missing, then the levels

    Levels stand by how often they were seen, then by spelling. In a category of codes a level seen once
    is read as "other", which so is learnt too; so is what exceeds the 10,000 most frequent.
    """

    name: str
    levels: tuple[str, ...]
    missing: bool

    @classmethod
    def fit(cls, series: polars.Series) -> CategoryInput:
        """Return the levels of a column, the most frequent first."""
        text = labels(series).alias("level")
        counts = text.drop_nulls().value_counts(name="rows")
        counts = counts.sort(["rows", "level"], descending=[True, False])
        missing = text.null_count() > 0
        if counts.height + missing > MOST_ONE_HOT:
            often = counts.filter(counts["rows"] > 1)
            counts = (often if often.height + missing > MOST_ONE_HOT else counts).head(MOST_LEVELS)
        return cls(series.name, tuple(counts["level"].to_list()), missing)

    @property
    def embedded(self) -> bool:
        """Whether the column is one of codes."""
        return len(self.levels) + self.missing > MOST_ONE_HOT

    @property
    def _signed(self) -> bool:
        return len(self.levels) == 2 and not self.missing

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the matrix columns."""
        if self.embedded:
            return (self.name,)
        if self._signed:
            return (f"{self.name}={self.levels[1]}",)
        shown = tuple(f"{self.name}={level}" for level in self.levels)
        return (*shown, f"{self.name} missing") if self.missing else shown

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of what is read."""
        return (self.name,)

    def read(self, series: polars.Series) -> Array:
        """Return the codes, float64 [rows, 1]."""
        return self.codes(series)[:, None].astype(np.float64)

    def encoded(self, values: Array) -> Array:
        """Return the matrix columns [rows, features] of what was read; it can be traced."""
        if self.embedded:
            return values
        if self._signed:
            return 1.0 * (values == 3) - (values == 2)
        codes = [*range(2, 2 + len(self.levels)), *([GAP] if self.missing else [])]
        return 1.0 * (values == np.array(codes, np.float64))

    def codes(self, series: polars.Series) -> Array:
        """Return 0 for other, 1 for missing, 2... for the levels [rows]."""
        known = {level: place for place, level in enumerate(self.levels, 2)}
        return per_text(
            series, lambda word: known.get(word, GAP if word.lower() in MISSING else OTHER), np.int32
        )

    def to_json(self) -> dict[str, Any]:
        """Return the fitted state as JSON values."""
        return {"kind": "category", "name": self.name, "levels": list(self.levels), "missing": self.missing}

    @classmethod
    def from_json(cls, value: object, where: str) -> CategoryInput:
        """Return the fitted state from JSON values."""
        have = state.fields(value, where, ("kind", "name", "levels", "missing"))
        levels = state.items(have["levels"], f"{where}.levels", state.text, MOST_LEVELS)
        return cls(
            state.name(have["name"], f"{where}.name"),
            state.distinct(levels, f"{where}.levels"),
            state.flag(have["missing"], f"{where}.missing"),
        )
