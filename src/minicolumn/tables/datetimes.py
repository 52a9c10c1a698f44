"""Date-time encoder: calendar and clock parts of dates and times as scaled features.

Differs     scikit-learn has no encoder of dates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.tables import state
from minicolumn.tables.scale import Array, Scaler, Scaling
from minicolumn.tables.values import DATE_FORMS, date_form, datetimes, present, refuse, text_of

if TYPE_CHECKING:
    import polars

DATE_PARTS = ("year", "month", "day", "weekday", "day of year", "hour", "minute", "elapsed days")


@dataclass(frozen=True, slots=True)
class DatetimeInput:
    """A date-time column encoded by those of its parts that vary in training, scaled like numbers.

        year, month (1-12), day (1-31), weekday (1 Monday - 7 Sunday), day of year (1-366), hour, minute,
        elapsed days: days since 1970-01-01, with fractions

    name        of the column
    form        strptime format of its text; "" for typed columns, whose text is then examined anew
    parts       (part, fitted scale) pairs
    indicator   whether a feature follows that is 1 where there is no value

    Weekdays    are numbered as by ISO 8601. Times with an offset are taken in UTC.

    >>> import polars
    >>> column = polars.Series("sold", ["2024-01-30", "2024-02-29", "2024-03-01"])
    >>> parts = DatetimeInput.fit(column, "%Y-%m-%d", "standard")
    >>> [name for name in parts.features if "year" not in name]
    ['sold:month', 'sold:day', 'sold:weekday', 'sold:elapsed days']
    >>> parts.read(column)[:, 0]
    array([1., 2., 3.])
    """

    name: str
    form: str
    parts: tuple[tuple[str, Scaler], ...]
    indicator: bool

    @classmethod
    def fit(cls, series: polars.Series, form: str, scaling: Scaling) -> DatetimeInput:
        """Return the encoder of a column: the parts that vary in the training rows, and their scales.

        form        strptime format of the text, of `DATE_FORMS`; "" for columns of a date type
        """
        timestamps = datetimes(series, form)
        values = ((part, _part(timestamps, part)) for part in DATE_PARTS)
        parts = tuple((part, Scaler.fit(x, scaling)) for part, x in values if _varies(x))
        return cls(series.name, form, parts, timestamps.null_count() > 0)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features: "name:part" for each part, then the indicator if there is one."""
        shown = tuple(f"{self.name}:{part}" for part, _ in self.parts)
        return (*shown, f"{self.name} missing") if self.indicator else shown

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of what `read` gives: as many as there are features."""
        return self.features

    def read(self, series: polars.Series) -> Array:
        """Return the parts, float64 [rows, features], NaN where missing, and the indicator as 0 or 1.

        Errors      DataError with the row for text not written in the form, and for columns of numbers
        """
        timestamps = self._timestamps(series)
        found = np.zeros((len(series), len(self.features)))
        for place, (part, _) in enumerate(self.parts):
            found[:, place] = _part(timestamps, part)
        if self.indicator:
            found[:, -1] = timestamps.is_null().to_numpy()
        return found

    def encoded(self, values: Array) -> Array:
        """Return the features [rows, features] of what `read` gave, the parts scaled; it can be traced."""
        parts = [scale.apply(values[:, k : k + 1]) for k, (_, scale) in enumerate(self.parts)]
        return np.concatenate([*parts, values[:, len(parts) :]], axis=1)

    def _timestamps(self, series: polars.Series) -> polars.Series:
        """Return the column as Datetime without a zone, null where missing; DataError for other text.

        A column that was of a date type in training and comes as text now is read in the format that fits.
        """
        form = self.form
        if series.dtype.is_numeric() or series.dtype.is_nested():
            raise DataError(f"column {self.name!r}: found {series.dtype} values, expected dates or times")
        if not series.dtype.is_temporal():
            series = text_of(series)
            form = form or date_form(present(series.unique()).drop_nulls())[0] or "%Y-%m-%d"
        timestamps = datetimes(series, form)
        failed = series.filter(timestamps.is_null() & series.is_not_null())
        if len(failed) and len(odd := present(text_of(failed)).drop_nulls()):
            refuse(series, str(odd[0]), f"a date or time written as {form}")
        return timestamps

    def to_json(self) -> dict[str, Any]:
        """Return the fitted state as JSON values, with "kind": "datetime"."""
        parts = [{"part": part, "scale": scale.to_json()} for part, scale in self.parts]
        return {
            "kind": "datetime",
            "name": self.name,
            "form": self.form,
            "parts": parts,
            "indicator": self.indicator,
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> DatetimeInput:
        """Return the encoder that `to_json` described; ModelFileError, naming `where`, for anything else."""
        have = state.fields(value, where, ("kind", "name", "form", "parts", "indicator"))
        parts = state.items(have["parts"], f"{where}.parts", _part_from_json, len(DATE_PARTS))
        state.distinct(tuple(part for part, _ in parts), f"{where}.parts")
        return cls(
            state.name(have["name"], f"{where}.name"),
            state.choice(have["form"], f"{where}.form", DATE_FORMS),
            parts,
            state.flag(have["indicator"], f"{where}.indicator"),
        )


def _part_from_json(value: object, where: str) -> tuple[str, Scaler]:
    """Return one (part, scale) pair from JSON values."""
    have = state.fields(value, where, ("part", "scale"))
    return state.choice(have["part"], f"{where}.part", DATE_PARTS), Scaler.from_json(
        have["scale"], f"{where}.scale"
    )


def _part(timestamps: polars.Series, part: str) -> Array:
    """Return one calendar or clock part, float64 [rows], NaN where missing."""
    import polars

    if part == "elapsed days":
        return timestamps.dt.timestamp("us").cast(polars.Float64).to_numpy() / 86_400e6
    method = {"day of year": "ordinal_day"}.get(part, part)
    return getattr(timestamps.dt, method)().cast(polars.Float64).to_numpy()


def _varies(x: Array) -> bool:
    """Return whether the finite numbers among x differ."""
    x = x[np.isfinite(x)]
    return bool(len(x) and x.min() < x.max())
