"""Numeric encoder: scaled numbers, median imputation, and missing-value indicators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.tables import state
from minicolumn.tables.inputs.ranges import Seen
from minicolumn.tables.inputs.scale import Array, Scaler, Scaling, apply_each

if TYPE_CHECKING:
    import polars


@dataclass(frozen=True, slots=True)
class NumberInput:
    """A numeric column, scaled, with the median where a value is missing.

    name        of the column
    form        how its numbers are written, as `Column.form`
    scale       fitted to the finite numbers of the training rows
    indicator   whether a second feature, 1 where there is no value, follows: if there were gaps in training
    seen        the range of the training rows and the share of those without a value

    NaN and infinity count as missing. Durations are numbers in seconds.

    Differs     scikit-learn's SimpleImputer adds an indicator only if asked (add_indicator)

    >>> import polars
    >>> column = polars.Series("price", [1.0, 3.0, None, 5.0])
    >>> number = NumberInput.fit(column, "", "standard")
    >>> number.encoded(number.read(column))[:, 1].tolist()
    [0.0, 0.0, 1.0, 0.0]
    """

    name: str
    form: str
    scale: Scaler
    indicator: bool
    seen: Seen

    @classmethod
    def fit(cls, series: polars.Series, form: str, scaling: Scaling) -> NumberInput:
        """Return the encoder of a typed column: the scale of its numbers, and whether any was missing."""
        x = _floats(series)
        return cls(series.name, form, Scaler.fit(x, scaling), bool(not np.isfinite(x).all()), Seen.of(x))

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features: the column, and its indicator if there is one."""
        return (self.name, f"{self.name} missing") if self.indicator else (self.name,)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of what `read` gives: the column."""
        return (self.name,)

    def read(self, series: polars.Series) -> Array:
        """Return the numbers of a typed column, float64 [rows, 1], NaN where missing."""
        return _floats(series)[:, None]

    def encoded(self, values: Array) -> Array:
        """Return the features [rows, 1 or 2] of what `read` gave; it can be traced."""
        scaled = self.scale.apply(values)
        return np.concatenate([scaled, ~np.isfinite(values)], axis=1) if self.indicator else scaled

    def to_json(self) -> dict[str, Any]:
        """Return the fitted state as JSON values, with "kind": "number"."""
        return {
            "kind": "number",
            "name": self.name,
            "form": self.form,
            "scale": self.scale.to_json(),
            "indicator": self.indicator,
            "seen": self.seen.to_json(),
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> NumberInput:
        """Return the encoder that `to_json` described; ModelFileError, naming `where`, for anything else."""
        have = state.fields(value, where, ("kind", "name", "form", "scale", "indicator", "seen"))
        return cls(
            state.name(have["name"], f"{where}.name"),
            state.form(have["form"], f"{where}.form", "number"),
            Scaler.from_json(have["scale"], f"{where}.scale"),
            state.flag(have["indicator"], f"{where}.indicator"),
            Seen.from_json(have["seen"], f"{where}.seen"),
        )


def encoded_together(parts: Sequence[NumberInput], values: Array) -> Array:
    """Return the features of number columns side by side, as `encoded` gives those of each.

    One chain of operations scales them all, so that graphs do not grow with the columns of a table.

    parts       whose scalers are all smooth, or none is
    values      what `read` gave of each, [rows, columns]; it can be traced
    """
    scaled = apply_each([part.scale for part in parts], values)
    flagged = [place for place, part in enumerate(parts) if part.indicator]
    if not flagged:
        return scaled
    both = np.concatenate([scaled, ~np.isfinite(values[:, np.array(flagged)])], axis=1)
    flags = {place: len(parts) + number for number, place in enumerate(flagged)}
    order = [at for place in range(len(parts)) for at in (place, flags.get(place)) if at is not None]
    return both[:, np.array(order)]


def _floats(series: polars.Series) -> Array:
    """Return a typed column as float64 [rows], NaN where missing."""
    return series.to_numpy().astype(np.float64, copy=False)
