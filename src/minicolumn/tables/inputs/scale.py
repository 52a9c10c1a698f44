"""Feature scaling: robust and standard scalers of single columns, as plain NumPy that can be traced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from minicolumn.errors import ModelFileError
from minicolumn.tables import state

Array = np.ndarray[Any, np.dtype[Any]]
Scaling = Literal["robust", "standard"]
SCALINGS: tuple[Scaling, ...] = get_args(Scaling)
_FAR = 1e9  # scaled numbers stop here, so that no square leaves float32


@dataclass(frozen=True, slots=True)
class Scaler:
    """A fitted scaler of one column.

        x' = (x - center) * factor,     where smooth:   x'' = x' / sqrt(1 + (x'/3)^2)

    center      median or mean of the training rows
    factor      1 / (q75 - q25) or 1 / standard deviation; 0 for a constant
    smooth      whether large values are clipped smoothly, to (-3, 3)

    Values that are not finite become the center, 0 once scaled: median or mean imputation.

    Source      Holzmueller, Grinsztajn & Steinwart 2024, RealMLP-TD-S (arXiv 2407.04491), section 3
    Differs     scikit-learn's RobustScaler and StandardScaler keep NaN and do not clip

    >>> scaler = Scaler.fit(np.array([1.0, 2.0, 3.0, 4.0, 1000.0]), "robust")
    >>> scaler.apply(np.array([3.0, np.nan, 1000.0])).round(2)
    array([0., 0., 3.])
    """

    center: float
    factor: float  # 0 for a constant
    smooth: bool

    @classmethod
    def fit(cls, x: Array, scaling: Scaling) -> Scaler:
        """Return the scaler of the finite numbers among x [rows]; with none of them it gives 0 everywhere.

        scaling     "robust": median and quartiles; "standard": mean and standard deviation
        """
        x = x[np.isfinite(x)]
        if not len(x):
            return cls(0.0, 0.0, scaling == "robust")
        with np.errstate(all="ignore"):
            center, spread = _quartiles(x) if scaling == "robust" else _mean_and_std(x)
            factor = float(1.0 / spread) if spread > 0 else 0.0
        return cls(center, factor if np.isfinite(factor) else 0.0, scaling == "robust")

    def apply(self, x: Array) -> Array:
        """Return x [rows] scaled; what is not finite becomes the center.

        Before smooth clipping numbers stop at +-1e9, so that no square leaves float32. It can be traced.
        """
        return _scaled(x, self.center, self.factor, self.smooth)

    def to_json(self) -> dict[str, Any]:
        """Return the scaler as JSON values: center, factor, smooth."""
        return {"center": self.center, "factor": self.factor, "smooth": self.smooth}

    @classmethod
    def from_json(cls, value: object, where: str) -> Scaler:
        """Return a scaler from JSON values; ModelFileError, naming `where`, for what is none."""
        have = state.fields(value, where, ("center", "factor", "smooth"))
        factor = state.number(have["factor"], f"{where}.factor")
        if factor < 0:
            raise ModelFileError(f"{where}.factor: is negative")
        return cls(
            state.number(have["center"], f"{where}.center"),
            factor,
            state.flag(have["smooth"], f"{where}.smooth"),
        )


def apply_each(scalers: Sequence[Scaler], x: Array) -> Array:
    """Return the columns of x [rows, columns] scaled, each by its own scaler, by one chain of operations.

    scalers     all of them smooth, or none
    """
    center, factor = (np.array([getattr(each, name) for each in scalers]) for name in ("center", "factor"))
    return _scaled(x, center, factor, scalers[0].smooth)


def _scaled(x: Array, center: float | Array, factor: float | Array, smooth: bool) -> Array:
    with np.errstate(all="ignore"):
        x = np.where(np.isfinite(x), x, center)
        x = np.clip((x - center) * factor, -_FAR, _FAR)
        return x / np.sqrt(1.0 + (x / 3.0) ** 2) if smooth else x


def _quartiles(x: Array) -> tuple[float, float]:
    """Return the median and q75 - q25, or half the range where the quartiles meet (RealMLP-TD-S)."""
    low, middle, high = np.quantile(x, [0.25, 0.5, 0.75])
    spread = high - low if high > low else (np.max(x) - np.min(x)) / 2
    return float(middle), float(spread)


def _mean_and_std(x: Array) -> tuple[float, float]:
    """Return mean and (population) standard deviation, through x / max|x| so that no square overflows."""
    top = float(np.max(np.abs(x))) or 1.0
    scaled = x / top
    return float(np.mean(scaled)) * top, float(np.std(scaled)) * top
