"""Training data: the rows that are trained on, the validation rows held out, and the digest of either."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import ArrayLike

from minicolumn import random
from minicolumn.errors import DataError, ShapeError
from minicolumn.model.rows import LabeledRows, check_inputs, check_rows, is_sparse
from minicolumn.nn.ending import check_probabilities
from minicolumn.nn.layer import Layer
from minicolumn.train.settings import Settings
from minicolumn.train.types import Inputs, Validation


def check_data(
    who: str,
    network: Layer,
    settings: Settings,
    X: Inputs,
    y: ArrayLike,
    weight: ArrayLike | None = None,
    validation_data: Validation | None = None,
    fraction: float = 0.0,
) -> tuple[LabeledRows, LabeledRows | None]:
    """Return the rows to train on, and the validation rows held out if any.

    who         asks, for messages: "fit", "change", ...
    X, y        [rows, *input_shape], and targets as the loss takes them
    weight      [rows], >= 0, or None; rows of weight 0 are left out of training, not of validation
    fraction    of all rows to hold out, 0 <= fraction < 1; drawn by the seed's stream "split", stratified by
                class where y holds class numbers. Or validation_data, not both
    Errors      ShapeError where shapes do not fit, DataError for values that cannot be used
    Differs     Keras' validation_split takes the last rows as they stand, which in a sorted table may all be
                of one class
    """
    rows = _rows(who, network, settings, X, y, weight)
    if validation_data is not None:
        if fraction:
            raise DataError(f"{who}: give validation_data or validation_fraction, not both")
        return _weighing(rows), _validation(who, network, settings, rows, validation_data)
    if fraction:
        return _held_out(who, settings, _weighing(rows), fraction)
    if settings.metrics:
        raise DataError(
            f"{who}: metrics are measured on held-out rows; give validation_data or validation_fraction"
        )
    return _weighing(rows), None


def check_shape(who: str, X: Inputs, input_shape: tuple[int, ...]) -> None:
    """Refuse rows of another shape than the training's.

    input_shape     of one row, without the batch axis
    Errors          ShapeError
    """
    found = tuple(check_inputs(who, X).shape[1:])
    if found != input_shape:
        raise ShapeError(f"{who}: X has rows of shape {list(found)}, the training's are {list(input_shape)}")


def _rows(
    who: str, network: Layer, settings: Settings, X: Inputs, y: ArrayLike, weight: ArrayLike | None
) -> LabeledRows:
    """Return checked rows for a network, whose output shape says what targets may be."""
    outputs = network.output_shape(check_inputs(who, X).shape[1:])
    check_probabilities(who, network, settings.rule, outputs)
    return check_rows(who, X, y, weight, settings.dtype, settings.rule, outputs)


def _weighing(rows: LabeledRows) -> LabeledRows:
    """Leave rows without weight out: a batch of such rows alone would have no mean."""
    return rows if rows.weight is None or rows.weight.all() else rows.take(np.flatnonzero(rows.weight))


def _validation(
    who: str, network: Layer, settings: Settings, rows: LabeledRows, data: Validation
) -> LabeledRows:
    """Return validation rows, which must have the shapes of the training rows, one row each."""
    if not isinstance(data, tuple | list) or len(data) not in (2, 3):
        raise DataError(f"{who}: validation_data must be (X, y) or (X, y, sample_weight)")
    X, y, weight = (*data, None) if len(data) == 2 else data
    shape = check_inputs(f"{who}: validation_data", X).shape[1:]
    if shape != rows.X.shape[1:]:
        raise ShapeError(
            f"{who}: validation rows have shape {list(shape)}, training rows {list(rows.X.shape[1:])}"
        )
    held = _rows(f"{who}: validation_data", network, settings, X, y, weight)
    if held.y.shape[1:] != rows.y.shape[1:]:
        found, expected = list(held.y.shape[1:]), list(rows.y.shape[1:])
        raise ShapeError(f"{who}: validation targets have shape {found} a row, training targets {expected}")
    return held


def _held_out(
    who: str, settings: Settings, rows: LabeledRows, fraction: float
) -> tuple[LabeledRows, LabeledRows]:
    """Split rows at random into training and held-out rows, stratified where y holds class numbers.

    Both keep the order that they had, so that without shuffling a training sees them as they stand.
    """
    from minicolumn.tables.split import split_rows

    classes = rows.y if rows.y.dtype.kind == "i" and rows.y.ndim == 1 else None
    seed = int(random.stream(settings.seed, "split")[1])  # 32 bits are what scikit-learn's splitter takes
    try:
        train, held = split_rows(classes, len(rows), fraction, seed)
    except (DataError, TypeError) as error:
        raise DataError(f"{who}: validation_fraction: {error}") from None
    return rows.take(np.sort(train)), rows.take(np.sort(held))


def fingerprint(rows: LabeledRows | None) -> str:
    """Return the SHA-256 of some rows as they are computed with, in hexadecimal; "" for none.

    Dtypes and shapes are hashed with the bytes, so a reshaped or converted table has another digest.
    """
    if rows is None:
        return ""
    digest = hashlib.sha256()
    inputs = (rows.X.data, rows.X.indices, rows.X.indptr) if is_sparse(rows.X) else (rows.X,)
    for array in (*inputs, rows.y, *(() if rows.weight is None else (rows.weight,))):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    return digest.hexdigest()
