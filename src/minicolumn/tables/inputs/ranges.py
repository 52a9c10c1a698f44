"""What was seen of a column in training: its range and its share of missing values, to notice drift by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.errors import ModelFileError
from minicolumn.tables import state
from minicolumn.tables.inputs.scale import Array


@dataclass(frozen=True, slots=True)
class Seen:
    """The range of the finite numbers of a column in the training rows, and the share that was missing.

    >>> Seen.of(np.array([1.0, np.nan, 3.0, 2.0]))
    Seen(low=1.0, high=3.0, missing=0.25)
    """

    low: float
    high: float
    missing: float

    @classmethod
    def of(cls, x: Array) -> Seen:
        """Return what was seen in some rows, [rows]; the range 0 to 0 where there was no number."""
        known = x[np.isfinite(x)]
        missing = share_missing(x)
        return cls(float(known.min()), float(known.max()), missing) if len(known) else cls(0.0, 0.0, missing)

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values: low, high, missing."""
        return {"low": self.low, "high": self.high, "missing": self.missing}

    @classmethod
    def from_json(cls, value: object, where: str) -> Seen:
        """Return the record that `to_json` described; ModelFileError, naming `where`, for anything else."""
        have = state.fields(value, where, ("low", "high", "missing"))
        low, high = (state.number(have[name], f"{where}.{name}") for name in ("low", "high"))
        if low > high:
            raise ModelFileError(f"{where}: the range is reversed")
        return cls(low, high, state.share(have["missing"], f"{where}.missing"))


def share_missing(x: Array) -> float:
    """Return the share of numbers that are not finite; 0 of no rows."""
    return float(np.mean(~np.isfinite(x))) if len(x) else 0.0
