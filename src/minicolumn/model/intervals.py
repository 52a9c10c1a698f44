"""Prediction intervals and predictive distributions of a network's outputs, in the target's unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minicolumn.errors import DataError
from minicolumn.model.residuals import Residuals
from minicolumn.nn.outputs import NumberOutputs, Outputs

if TYPE_CHECKING:
    from minicolumn.tables.encode import Encoder

Array = np.ndarray
REMEDY = "mc.nn.Loss('quantile', levels=(0.05, 0.5, 0.95)) or 'gaussian_nll'"


def predicted_interval(
    outputs: Outputs | None, predictions: Array, coverage: float, residuals: Residuals | None = None
) -> Array:
    """Return prediction intervals, [rows, 2]: lower and upper ends.

    outputs     what the network's outputs mean
    predictions what it predicted, [rows, outputs], on the scale of the outputs
    coverage    0 < coverage < 1
    residuals   of rows held out in the training; without any the network has to model its uncertainty
    Errors      DataError where nothing tells an interval of that coverage, with what to do
    """
    if residuals is not None and isinstance(outputs, NumberOutputs):
        outputs.check(predictions)
        middle = outputs.middle(predictions.reshape(len(predictions), -1))
        if middle is not None:
            return np.maximum(middle.widened(residuals.radius(coverage))[:, 0], outputs.lowest)
    if not isinstance(outputs, NumberOutputs) or not outputs.is_distribution:
        raise DataError(
            "predict_interval: this network predicts no intervals; train with a loss that learns the "
            f"predictive uncertainty, {REMEDY}, by mc.fit_table, or mc.MLPRegressor(conformal_fraction=0.2)"
        )
    outputs.check(predictions)
    band = outputs.band(predictions.reshape(len(predictions), -1), coverage)
    if not band.is_whole:
        raise DataError(missing_levels(outputs, coverage))
    return band.widened()[:, 0]


def missing_levels(outputs: NumberOutputs, coverage: float) -> str:
    """Return which quantiles an interval would need that were not learnt."""
    wanted = f"{0.5 * (1 - coverage):g} and {0.5 * (1 + coverage):g}"
    return (
        f"predict_interval: a coverage of {coverage:g} lies between the quantiles {wanted}; the loss has "
        f"{', '.join(map(str, outputs.quantile_levels))}; fit with those levels, or hold rows out "
        "(conformal_fraction=0.2)"
    )


def distribution(outputs: NumberOutputs, predictions: Array, encoder: Encoder) -> dict[str, Array]:
    """Return the predictive distribution of each row in the target's unit, as columns by name, [rows] each.

    Returns     {"prediction": ..., and of quantiles "quantile 0.05": ..., of a normal distribution
                "standard deviation": ...}
    """
    outputs.check(predictions)
    expected = encoder.decode_target(outputs.expected(predictions))
    return {
        "prediction": expected,
        **outputs.described(predictions, encoder.decode_target, encoder.target_scale),
    }


def interval_scores(
    outputs: NumberOutputs, predictions: Array, targets: Array, weight: Array | None = None
) -> dict[str, float]:
    """Return the empirical and the nominal coverage of the widest prediction interval.

    targets     [rows], on the scale of the outputs
    weight      of the rows, [rows]; None for all alike
    Returns     {"interval_coverage": ..., "interval_level": ...}; nothing where outputs tell no interval
    """
    level = outputs.interval_level
    if level is None:
        return {}
    outputs.check(predictions)
    covered = outputs.widest_band(predictions).covered(targets[:, None], weight)
    return {"interval_coverage": covered, "interval_level": level}
