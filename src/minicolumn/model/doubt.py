"""What a network says of its own doubt: outputs that describe one number, as bands, and in its unit."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.errors import DataError
from minicolumn.nn.losses import Loss

if TYPE_CHECKING:
    from minicolumn.tables.encode import Encoder

Array = np.ndarray
_EXACT = 1e-9  # two levels that differ by less are one: 0.05 and (1 - 0.9) / 2 are
# What a normal distribution's interval is measured at, where nobody says how wide it should be.
USUAL = 0.9


@dataclass(frozen=True, eq=False)
class Band:
    """What a network's outputs say about where the truth lies, before anything is measured.

    lower, upper    [rows, outputs]
    scale           by what the band is widened, [rows, outputs] or 1
    is_whole        whether it has the coverage that was asked for, if the network is right
    """

    lower: Array
    upper: Array
    scale: Array | float = 1.0
    is_whole: bool = False

    def residuals(self, targets: Array) -> Array:
        """Return by how much the band would have to be wider to hold each target; less than 0 within it."""
        return np.maximum(self.lower - targets, targets - self.upper) / self.scale

    def widened(self, radius: Array | float) -> Array:
        """Return the ends, [rows, outputs, 2]; a band that narrows to less than nothing is its middle."""
        lower, upper = self.lower - radius * self.scale, self.upper + radius * self.scale
        middle = 0.5 * (lower + upper)
        return np.stack([np.minimum(lower, middle), np.maximum(upper, middle)], axis=-1)


def band_of(record: Loss | None, outputs: Array, coverage: float) -> Band:
    """Return the band that outputs stand for.

        a quantile for each of several levels    those nearest to (1 - coverage) / 2 and (1 + coverage) / 2
        mean and spread of a normal distribution mean -+ z spread,  z its quantile at (1 + coverage) / 2
        one number for each target               that number

    Errors      DataError for a coverage outside (0, 1)
    Source      Romano, Patterson & Candes 2019, "Conformalized quantile regression" (arXiv 1905.03222); of
                normal distributions: Lei et al. 2018, section 5.2
    """
    if not isinstance(coverage, Real) or not 0 < coverage < 1:
        raise DataError(f"predict_interval: coverage must be a number between 0 and 1, got {coverage!r}")
    low, high = 0.5 * (1.0 - coverage), 0.5 * (1.0 + coverage)
    if record is not None and record.name == "gaussian_nll":
        mean, spread = mean_and_spread(outputs)
        reach = NormalDist().inv_cdf(high) * spread
        return Band(mean - reach, mean + reach, spread, is_whole=True)
    levels = np.array(record.levels if record is not None else ())
    if len(levels) > 1:
        first, last = int(np.argmin(np.abs(levels - low))), int(np.argmin(np.abs(levels - high)))
        whole = abs(levels[first] - low) < _EXACT and abs(levels[last] - high) < _EXACT
        return Band(outputs[:, first : first + 1], outputs[:, last : last + 1], is_whole=whole)
    return Band(outputs, outputs)


def mean_and_spread(outputs: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation, [rows, 1] each, of outputs for `gaussian_nll`."""
    return outputs[:, :1], np.exp(0.5 * outputs[:, 1:])


def describes_one(record: Loss | None) -> bool:
    """Return whether several outputs of a network describe one number."""
    return record is not None and record.width > 1


def check_width(record: Loss, outputs: Array) -> None:
    """Refuse the outputs of a network, from a file perhaps, that are not what its loss describes."""
    if outputs.ndim != 2 or outputs.shape[1] != record.width:
        raise DataError(
            f"the network gives {list(outputs.shape[1:])} numbers a row; {record} describes {record.width}"
        )


def doubt_in_unit(record: Loss, outputs: Array, encoder: Encoder) -> dict[str, Array]:
    """Return by name what outputs say beside the number to expect, in the target's unit, [rows] each."""
    check_width(record, outputs)
    if record.name == "gaussian_nll":
        spread = mean_and_spread(outputs.astype(np.float64))[1][:, 0]
        return {"standard deviation": spread * encoder.target_scale}
    columns = zip(record.levels, outputs.T, strict=True)
    return {f"quantile {level:g}": encoder.decode_target(column) for level, column in columns}


def coverage_scores(record: Loss, outputs: Array, targets: Array) -> dict[str, float]:
    """Return what share of the targets lies within the widest interval that outputs tell, and what should.

    targets     [rows], on the scale of the outputs
    """
    check_width(record, outputs)
    if record.name == "gaussian_nll":
        band, level = band_of(record, outputs, USUAL), USUAL
    else:
        band, level = Band(outputs[:, :1], outputs[:, -1:]), record.levels[-1] - record.levels[0]
    inside = band.residuals(targets[:, None]) <= 0.0
    return {"interval_coverage": float(np.mean(inside)), "interval_level": level}
