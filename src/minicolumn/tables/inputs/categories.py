"""Categorical and boolean encoders: signs, one-hot columns, or integer codes for an embedding.

Each input has the same four parts, which `Encoder` puts side by side:

    fit       what is learnt from the training rows: the levels, whether an indicator is needed
    read      raw cells to numbers, float64 [rows, columns]: NumPy and polars, not traceable
    encoded   those numbers to features, [rows, features]: plain arithmetic, traceable into `Model.graph`
    to_json   the fitted state; from_json reads it back, every field checked

Differs     scikit-learn's OneHotEncoder and OrdinalEncoder raise for a level not seen in training unless
            told otherwise; here it has an encoding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.tables import state
from minicolumn.tables.inputs.scale import Array
from minicolumn.tables.values import MISSING, NO, YES, labels, per_text, without_point_zero

if TYPE_CHECKING:
    import polars

MOST_LEVELS = 10_000  # of one category; rarer levels than these are read as "other"
MOST_ONE_HOT = 9  # levels, "missing" among them; a category of more is an embedding code
OTHER, GAP = 0, 1  # the first two codes of an embedding
FEWEST_ROWS = 2  # of a level that is not read as "other", where nothing else is said


@dataclass(frozen=True, slots=True)
class BooleanInput:
    """A boolean column encoded as a sign: +1, -1, and 0 where missing or unknown.

    name        of the column
    indicator   whether a second feature, 1 where there is no value, follows: if there were gaps in training
    gaps        share of the training rows without a value

    Spellings   true/false, yes/no, y/n, t/f, 1/0, on/off in any case; 1.0 and 0.0
    Differs     pandas makes objects of a column of True, False and gaps; polars reads only true and false.

    >>> import polars
    >>> column = polars.Series("smoker", ["yes", "no", "?"])
    >>> boolean = BooleanInput.fit(column)
    >>> boolean.features, boolean.encoded(boolean.read(column)).tolist()
    (('smoker', 'smoker missing'), [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    """

    name: str
    indicator: bool
    gaps: float

    @classmethod
    def fit(cls, series: polars.Series) -> BooleanInput:
        """Return the encoder of a column; it has an indicator if any training row had no value."""
        gaps = float(np.mean(_signs(series) == 0))
        return cls(series.name, gaps > 0, gaps)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features: the column, and its indicator if there is one."""
        return (self.name, f"{self.name} missing") if self.indicator else (self.name,)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of what `read` gives: the column."""
        return (self.name,)

    def read(self, series: polars.Series) -> Array:
        """Return +1, -1 or 0, float64 [rows, 1]; what is not a boolean is 0, never an error."""
        return _signs(series)[:, None].astype(np.float64)

    def encoded(self, values: Array) -> Array:
        """Return the features [rows, 1 or 2] of what `read` gave; it can be traced."""
        return np.concatenate([values, values == 0], axis=1) if self.indicator else values

    def to_json(self) -> dict[str, Any]:
        """Return the fitted state as JSON values, with "kind": "boolean"."""
        return {"kind": "boolean", "name": self.name, "indicator": self.indicator, "gaps": self.gaps}

    @classmethod
    def from_json(cls, value: object, where: str) -> BooleanInput:
        """Return the encoder that `to_json` described; ModelFileError, naming `where`, for anything else."""
        have = state.fields(value, where, ("kind", "name", "indicator", "gaps"))
        return cls(
            state.name(have["name"], f"{where}.name"),
            state.flag(have["indicator"], f"{where}.indicator"),
            state.share(have["gaps"], f"{where}.gaps"),
        )


def _signs(series: polars.Series) -> Array:
    """Return +1, -1 or 0, int8 [rows]: yes, no, anything else.

    What a cell is does not hang on the cells beside it: "01" is no boolean, also among numbers alone.
    """
    if series.dtype.is_numeric():
        x = series.to_numpy()
        return (x == 1).astype(np.int8) - (x == 0)
    return per_text(series, _sign, np.int8)


def _sign(word: str) -> int:
    """Return +1, -1 or 0 for one text in any case; "1.0" and "0.0" are read as 1 and 0.

    >>> _sign("Yes"), _sign("0.0"), _sign("yes.0")
    (1, -1, 0)
    """
    word = without_point_zero(word).lower()
    return (word in YES) - (word in NO)


@dataclass(frozen=True, slots=True)
class CategoryInput:
    """A categorical column in one of three encodings, chosen by the number of levels seen in training.

    two levels, none missing     one signed feature, -1 and +1; 0 for anything else
    at most 9, missing counted   one-hot: a 0/1 feature a level; all 0 for a level not seen in training
    more                         integer codes for an embedding: 0 other, 1 missing, then the levels

    Levels stand by how often they were seen, then by spelling. In a category of codes a level seen once
    is read as "other", which so is learnt too; so is what exceeds the 10,000 most frequent.

    name        of the column
    levels      texts, the most frequent first; "1.0" is the level "1"
    missing     whether values were missing in training: then missing is a level of its own
    gaps        share of the training rows without a value
    others      share of the training rows whose level was read as "other"
    found       how many levels there were, those read as "other" among them

    Source      Guo & Berkhahn 2016 (arXiv 1604.06737) for embeddings of the codes
    Differs     scikit-learn's OneHotEncoder has a column for each of two levels, and groups rare ones only
                if told to (min_frequency); pandas' get_dummies keeps no levels for later rows.

    >>> import polars
    >>> column = polars.Series("size", ["S", "M", "S", "L"])
    >>> category = CategoryInput.fit(column)
    >>> category.features
    ('size=S', 'size=L', 'size=M')
    >>> category.encoded(category.read(polars.Series("size", ["M", "XL"]))).tolist()
    [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """

    name: str
    levels: tuple[str, ...]
    missing: bool
    gaps: float
    others: float
    found: int

    @classmethod
    def fit(
        cls, series: polars.Series, missing: frozenset[str] = MISSING, least: int = FEWEST_ROWS
    ) -> CategoryInput:
        """Return the encoder of a column: its levels in the training rows, the most frequent first.

        missing     spellings of missing, in lower case
        least       rows that a level needs; those with fewer are read as "other"

        Levels seen once are left to "other" only where more than 9 others remain, so that a small table
        with many rare levels keeps them; those with fewer than a larger `least` in any case.
        """
        text = labels(series, missing).alias("level")
        counts = text.drop_nulls().value_counts(name="rows")
        counts = counts.sort(["rows", "level"], descending=[True, False])
        found, gaps = counts.height, text.null_count()
        if counts.height + (gaps > 0) > MOST_ONE_HOT:
            often = counts.filter(counts["rows"] >= least)
            enough = least > FEWEST_ROWS or often.height + (gaps > 0) > MOST_ONE_HOT
            counts = (often if enough else counts).head(MOST_LEVELS)
        kept = int(counts["rows"].sum() or 0)
        rows = max(len(text), 1)
        others = (len(text) - gaps - kept) / rows
        return cls(series.name, tuple(counts["level"].to_list()), gaps > 0, gaps / rows, others, found)

    @property
    def embedded(self) -> bool:
        """Whether the column is encoded as integer codes, for an embedding table of len(levels) + 2 rows."""
        return len(self.levels) + self.missing > MOST_ONE_HOT

    @property
    def _signed(self) -> bool:
        """Whether the column is encoded as one feature, -1 or +1."""
        return len(self.levels) == 2 and not self.missing

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features: "name", "name=LEVEL" for each level, "name missing"."""
        if self.embedded:
            return (self.name,)
        if self._signed:
            return (f"{self.name}={self.levels[1]}",)
        shown = tuple(f"{self.name}={level}" for level in self.levels)
        return (*shown, f"{self.name} missing") if self.missing else shown

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of what `read` gives: the column."""
        return (self.name,)

    def read(self, series: polars.Series) -> Array:
        """Return the codes as numbers, float64 [rows, 1]; an unknown level is 0, never an error."""
        return self.codes(series)[:, None].astype(np.float64)

    def encoded(self, values: Array) -> Array:
        """Return the features [rows, features] of what `read` gave; it can be traced."""
        if self.embedded:
            return values
        if self._signed:
            return 1.0 * (values == 3) - (values == 2)
        codes = [*range(2, 2 + len(self.levels)), *([GAP] if self.missing else [])]
        return 1.0 * (values == np.array(codes, np.float64))

    def codes(self, series: polars.Series) -> Array:
        """Return the integer codes, int32 [rows]: 0 other, 1 missing, 2 and on the levels in their order.

        A missing value is other where none was missing in training: nothing was learnt for it.
        """
        known = {level: place for place, level in enumerate(self.levels, 2)}

        def code(word: str) -> int:
            level = without_point_zero(word)
            return known.get(level, GAP if level.lower() in MISSING else OTHER)

        return per_text(series, code, np.int32)

    def to_json(self) -> dict[str, Any]:
        """Return the fitted state as JSON values, with "kind": "category"."""
        return {
            "kind": "category",
            "name": self.name,
            "levels": list(self.levels),
            "missing": self.missing,
            "gaps": self.gaps,
            "others": self.others,
            "found": self.found,
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> CategoryInput:
        """Return the encoder that `to_json` described; ModelFileError, naming `where`, for anything else."""
        names = ("kind", "name", "levels", "missing", "gaps", "others", "found")
        have = state.fields(value, where, names)
        levels = state.items(have["levels"], f"{where}.levels", state.text, MOST_LEVELS)
        return cls(
            state.name(have["name"], f"{where}.name"),
            state.distinct(levels, f"{where}.levels"),
            state.flag(have["missing"], f"{where}.missing"),
            state.share(have["gaps"], f"{where}.gaps"),
            state.share(have["others"], f"{where}.others"),
            state.count(have["found"], f"{where}.found"),
        )
