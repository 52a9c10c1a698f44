"""Dates and times as columns of the matrix."""

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
    """A date-time: those of its parts that vary in training, scaled like numbers."""

    name: str
    form: str
    parts: tuple[tuple[str, Scaler], ...]
    indicator: bool

    @classmethod
    def fit(cls, series: polars.Series, form: str, scaling: Scaling) -> DatetimeInput:
        """Return the parts that vary and their scales."""
        timestamps = datetimes(series, form)
        values = ((part, _part(timestamps, part)) for part in DATE_PARTS)
        parts = tuple((part, Scaler.fit(x, scaling)) for part, x in values if _varies(x))
        return cls(series.name, form, parts, timestamps.null_count() > 0)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the matrix columns."""
        shown = tuple(f"{self.name}:{part}" for part, _ in self.parts)
        return (*shown, f"{self.name} missing") if self.indicator else shown

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of what is read: as many as there are features."""
        return self.features

    def read(self, series: polars.Series) -> Array:
        """Return the parts, float64 [rows, features], NaN where missing; DataError for what is no date-time."""
        timestamps = self._timestamps(series)
        found = np.zeros((len(series), len(self.features)))
        for place, (part, _) in enumerate(self.parts):
            found[:, place] = _part(timestamps, part)
        if self.indicator:
            found[:, -1] = timestamps.is_null().to_numpy()
        return found

    def encoded(self, values: Array) -> Array:
        """Return the matrix columns [rows, features] of what was read; it can be traced."""
        parts = [scale.apply(values[:, k : k + 1]) for k, (_, scale) in enumerate(self.parts)]
        return np.concatenate([*parts, values[:, len(parts) :]], axis=1)

    def _timestamps(self, series: polars.Series) -> polars.Series:
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
        """Return the fitted state as JSON values."""
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
        """Return the fitted state from JSON values."""
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
    have = state.fields(value, where, ("part", "scale"))
    return state.choice(have["part"], f"{where}.part", DATE_PARTS), Scaler.from_json(
        have["scale"], f"{where}.scale"
    )


def _part(timestamps: polars.Series, part: str) -> Array:
    """Return one part of timestamps [rows] as float64, NaN where missing."""
    import polars

    if part == "elapsed days":
        return timestamps.dt.timestamp("us").cast(polars.Float64).to_numpy() / 86_400e6
    method = {"day of year": "ordinal_day"}.get(part, part)
    return getattr(timestamps.dt, method)().cast(polars.Float64).to_numpy()


def _varies(x: Array) -> bool:
    x = x[np.isfinite(x)]
    return bool(len(x) and x.min() < x.max())
