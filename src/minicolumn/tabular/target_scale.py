"""Target scales: whether numbers of many magnitudes are learnt as they are or as asinh(y / unit)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from minicolumn.errors import DataError, did_you_mean
from minicolumn.model.metrics import regression_scores
from minicolumn.optim import LogCosine
from minicolumn.tables import Encoder
from minicolumn.tables.typed import Remark
from minicolumn.tabular.recipe import table_recipe
from minicolumn.train.fitting import fit

Array = np.ndarray
TargetScale = Literal["auto", "linear", "asinh"]
SCALES: tuple[TargetScale, ...] = get_args(TargetScale)
_MAGNITUDES = 100.0  # the ratio of the 95th to the 5th percentile of |y| from which both scales are tried
_LOW = 0.05
_ROWS, _EPOCHS = 20_000, 24  # of the trial; it is short, since it only has to tell the two apart


def check_target_scale(where: str, given: str | None) -> TargetScale:
    """Return the scale that a word stands for; None is "auto".

    >>> check_target_scale("target_scale", None)
    'auto'
    """
    for scale in SCALES:
        if given == scale or (given is None and scale == "auto"):
            return scale
    hint = did_you_mean(str(given), SCALES) or f"; expected {', '.join(SCALES)}"
    raise DataError(f"{where}: unknown scale {given!r:.60}{hint}")


def scaled_target(
    encoder: Encoder,
    asked: TargetScale,
    train: tuple[Callable[[], Array], Array],
    held: tuple[Callable[[], Array], Array],
    seed: int,
) -> tuple[Encoder, tuple[Remark, ...]]:
    """Return the encoder with its target on the scale that is asked for, or that fits better.

        linear      y' = (y - mean) / std
        asinh       t = asinh(y / unit),    y' = (t - mean) / std,      unit: the 5th percentile of |y|

    Far above the unit asinh is the logarithm of 2 y / unit; it takes 0 and negative numbers, too.

    encoder     of numbers, fitted
    asked       "auto" tries both where the numbers span more than two magnitudes: a small network is trained
                on each, and the one of the smaller RMSE on the held-out rows, in the target's unit, is taken
    train, held what makes the matrix, and the numbers, of the rows that train, and of those held out
    Source      Burbidge, Magee & Robb 1988, Alternative transformations to handle extreme values
    Differs     scikit-learn's TransformedTargetRegressor is told which function; it does not compare
    """
    unit = _unit(train[1])
    if asked == "linear" or unit == 0.0 or (asked == "auto" and not _spans_magnitudes(train[1])):
        return encoder, ()
    bent = on_asinh_scale(encoder, train[1], unit)
    if asked == "asinh":
        return bent, ()
    parts = [(matrix()[:_ROWS], y[:_ROWS]) for matrix, y in (train, held)]
    plain_error, bent_error = (_error(one, parts[0], parts[1], seed) for one in (encoder, bent))
    if not bent_error < plain_error:
        return encoder, ()
    text = (
        "spans many magnitudes and is learnt on an asinh scale: short trials on held-out rows had an RMSE of "
        f"{bent_error:.4g} with it, {plain_error:.4g} without; --target-scale linear says otherwise"
    )
    return bent, (Remark(encoder.target, "scale", text),)


def on_asinh_scale(encoder: Encoder, y: Array, unit: float) -> Encoder:
    """Return the encoder that standardises asinh(y / unit), fitted to the target's numbers y, [rows]."""
    t = np.arcsinh(y / unit)
    return replace(
        encoder, target_unit=unit, target_mean=float(np.mean(t)), target_scale=float(np.std(t)) or 1.0
    )


def _unit(y: Array) -> float:
    """Return the 5th percentile of the sizes of numbers that are not 0; 0 where there are none."""
    sizes = np.abs(y[y != 0])
    return float(np.quantile(sizes, _LOW)) if len(sizes) else 0.0


def _spans_magnitudes(y: Array) -> bool:
    """Return whether the 5th and the 95th percentile of the numbers' sizes are two magnitudes apart."""
    sizes = np.abs(y[y != 0])
    low, high = np.quantile(sizes, [_LOW, 1 - _LOW])
    return bool(high > _MAGNITUDES * low)


def _error(encoder: Encoder, train: tuple[Array, Array], held: tuple[Array, Array], seed: int) -> float:
    """Return the RMSE on held-out rows of a small network trained on a scale, in the target's unit."""
    X, y = train
    recipe = table_recipe(encoder, X, hidden=(64,), dropout=0.0, epochs=_EPOCHS)
    run = fit(
        recipe.network, X, encoder.standardise(y)[:, None], loss=recipe.loss, optimizer=recipe.optimizer,
        schedule=LogCosine(), batch_size=recipe.batch_size, epochs=_EPOCHS, seed=seed,
    )  # fmt: skip
    return regression_scores(held[1], encoder.decode_target(run.predict(held[0])))["rmse"]
