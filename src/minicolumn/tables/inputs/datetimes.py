"""Date-time encoder: calendar and clock parts of dates and times as scaled features.

Differs     scikit-learn has no encoder of dates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.tables import state
from minicolumn.tables.inputs.ranges import Seen
from minicolumn.tables.inputs.scale import Array, Scaler, Scaling

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
    seen        the range of the training rows in days since 1970-01-01, and the share without a value

    Weekdays    are numbered as by ISO 8601. Times with an offset are taken in UTC.

    >>> import polars
    >>> column = polars.Series("sold", ["2024-01-30", "2024-02-29", "2024-03-01"]).str.to_datetime()
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
    seen: Seen

    @classmethod
    def fit(cls, series: polars.Series, form: str, scaling: Scaling) -> DatetimeInput:
        """Return the encoder of a typed column: the parts that vary in the training rows, and their scales.

        series      Datetime without a zone; form: how its text was written, "" for columns of a date type
        """
        values = ((part, _part(series, part)) for part in DATE_PARTS)
        parts = tuple((part, Scaler.fit(x, scaling)) for part, x in values if _varies(x))
        return cls(series.name, form, parts, series.null_count() > 0, Seen.of(elapsed_days(series)))

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
        """Return the parts, float64 [rows, features], NaN where missing, and the indicator as 0 or 1."""
        found = np.zeros((len(series), len(self.features)))
        for place, (part, _) in enumerate(self.parts):
            found[:, place] = _part(series, part)
        if self.indicator:
            found[:, -1] = series.is_null().to_numpy()
        return found

    def encoded(self, values: Array) -> Array:
        """Return the features [rows, features] of what `read` gave, the parts scaled; it can be traced."""
        parts = [scale.apply(values[:, k : k + 1]) for k, (_, scale) in enumerate(self.parts)]
        return np.concatenate([*parts, values[:, len(parts) :]], axis=1)

    def to_json(self) -> dict[str, Any]:
        """Return the fitted state as JSON values, with "kind": "datetime"."""
        parts = [{"part": part, "scale": scale.to_json()} for part, scale in self.parts]
        return {
            "kind": "datetime",
            "name": self.name,
            "form": self.form,
            "parts": parts,
            "indicator": self.indicator,
            "seen": self.seen.to_json(),
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> DatetimeInput:
        """Return the encoder that `to_json` described; ModelFileError, naming `where`, for anything else."""
        have = state.fields(value, where, ("kind", "name", "form", "parts", "indicator", "seen"))
        parts = state.items(have["parts"], f"{where}.parts", _part_from_json, len(DATE_PARTS))
        state.distinct(tuple(part for part, _ in parts), f"{where}.parts")
        return cls(
            state.name(have["name"], f"{where}.name"),
            state.form(have["form"], f"{where}.form", "datetime"),
            parts,
            state.flag(have["indicator"], f"{where}.indicator"),
            Seen.from_json(have["seen"], f"{where}.seen"),
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
        return elapsed_days(timestamps)
    method = {"day of year": "ordinal_day"}.get(part, part)
    return getattr(timestamps.dt, method)().cast(polars.Float64).to_numpy()


def elapsed_days(timestamps: polars.Series) -> Array:
    """Return days since 1970-01-01 with fractions, float64 [rows], NaN where missing."""
    import polars

    return timestamps.dt.timestamp("us").cast(polars.Float64).to_numpy() / 86_400e6


def _varies(x: Array) -> bool:
    """Return whether the finite numbers among x differ."""
    x = x[np.isfinite(x)]
    return bool(len(x) and x.min() < x.max())
