"""Numbers as columns of the matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.tables import state
from minicolumn.tables.scale import Array, Scaler, Scaling
from minicolumn.tables.values import NUMBER_FORMS, not_numbers, numbers, refuse

if TYPE_CHECKING:
    import polars


@dataclass(frozen=True, slots=True)
class NumberInput:
    """A number: scaled, the median where missing, and an indicator if some were missing in training."""

    name: str
    form: str
    scale: Scaler
    indicator: bool

    @classmethod
    def fit(cls, series: polars.Series, form: str, scaling: Scaling) -> NumberInput:
        """Return the scale of a column's numbers."""
        x = numbers(series, form).to_numpy()
        return cls(series.name, form, Scaler.fit(x, scaling), bool(not np.isfinite(x).all()))

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the matrix columns."""
        return (self.name, f"{self.name} missing") if self.indicator else (self.name,)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of what is read."""
        return (self.name,)

    def read(self, series: polars.Series) -> Array:
        """Return the numbers, float64 [rows, 1], NaN where missing; DataError for words among them."""
        if series.dtype.is_temporal() and str(series.dtype)[:8] != "Duration":
            raise DataError(f"column {self.name!r}: found {series.dtype} values, expected numbers")
        values = numbers(series, self.form)
        if len(odd := not_numbers(series, values)):
            refuse(series, str(odd[0]), "a number")
        return values.to_numpy()[:, None]

    def encoded(self, values: Array) -> Array:
        """Return the matrix columns [rows, features] of what was read; it can be traced."""
        scaled = self.scale.apply(values)
        return np.concatenate([scaled, ~np.isfinite(values)], axis=1) if self.indicator else scaled

    def to_json(self) -> dict[str, Any]:
        """Return the fitted state as JSON values."""
        scale = self.scale.to_json()
        return {
            "kind": "number",
            "name": self.name,
            "form": self.form,
            "scale": scale,
            "indicator": self.indicator,
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> NumberInput:
        """Return the fitted state from JSON values."""
        have = state.fields(value, where, ("kind", "name", "form", "scale", "indicator"))
        return cls(
            state.name(have["name"], f"{where}.name"),
            state.choice(have["form"], f"{where}.form", NUMBER_FORMS),
            Scaler.from_json(have["scale"], f"{where}.scale"),
            state.flag(have["indicator"], f"{where}.indicator"),
        )
