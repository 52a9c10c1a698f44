"""Weights of the rows of a table: a column of them, and class weights against imbalance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import DataError, did_you_mean
from minicolumn.tables import Schema
from minicolumn.tables.overrides import Overrides
from minicolumn.tables.typed import Expected, typed_columns

if TYPE_CHECKING:
    import polars

Array = np.ndarray
_LEAST, _MOST = 1e-30, 1e30  # of the largest weight: losses of such weights are still finite and not 0
ClassWeight = Any  # "balanced", or {label: weight}


def row_weights(frame: polars.DataFrame, schema: Schema, said: Overrides) -> Array | None:
    """Return the weights of labeled rows, float64 [rows], from the column that holds them; None for none.

    Errors      DataError, with the row, for what is no number >= 0, where all are 0, and where the largest
                is out of the range of float32
    """
    if not schema.weight:
        return None
    form = said.hint(schema.weight).form
    typed = typed_columns(
        frame, [Expected(schema.weight, "number", form, "weight: column")], said.missing, strict=True
    )
    weights = typed.frame[schema.weight].to_numpy().astype(np.float64)
    odd = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(odd):
        raise DataError(
            f"weight: column {schema.weight!r}, row {int(odd[0]) + 1}: expected a number >= 0 in every row"
        )
    if not weights.any():
        raise DataError(f"weight: column {schema.weight!r} is 0 in every row; there is nothing to learn from")
    if not _LEAST <= weights.max() <= _MOST:
        raise DataError(
            f"weight: column {schema.weight!r} goes up to {weights.max():g}, out of the range of float32; "
            "scale the weights to about 1"
        )
    return weights


def check_class_weight(where: str, given: ClassWeight) -> ClassWeight:
    """Return class weights as they are said: None, "balanced", or weights by label.

    Errors      DataError for another word, and for weights that are no numbers >= 0

    >>> check_class_weight("class_weight", {"yes": 5, "no": 1})
    {'yes': 5.0, 'no': 1.0}
    """
    if given is None or given == "balanced":
        return given
    if not isinstance(given, Mapping):
        hint = did_you_mean(str(given), ["balanced"])
        raise DataError(f"{where}: expected 'balanced' or weights by class, got {given!r:.60}{hint}")
    weights = {}
    for label, weight in given.items():
        if not isinstance(weight, int | float) or isinstance(weight, bool) or not 0 <= weight < np.inf:
            raise DataError(f"{where}: the weight of {label!r:.40} is {weight!r:.40}, expected a number >= 0")
        weights[str(label)] = float(weight)
    return weights


def class_weights(given: ClassWeight, classes: tuple[str, ...], codes: Array) -> Array | None:
    """Return the weight of each class, float64 [classes]; None where nothing is said.

        balanced    w_c = rows / (classes * rows of c),     as scikit-learn's class_weight="balanced"

    codes       class codes of the training rows; a class of none of them weighs 1 if balanced
    Errors      DataError for classes that the target lacks, and where the target is a number
    """
    if given is None:
        return None
    if not classes:
        raise DataError("class_weight: the target is a number; class weights are for classes")
    counts = np.bincount(codes, minlength=len(classes))
    if given == "balanced":
        with np.errstate(divide="ignore"):
            return np.where(counts, len(codes) / (np.count_nonzero(counts) * counts), 1.0)
    for label in given:
        if label not in classes:
            hint = did_you_mean(label, classes) or f"; the classes are {', '.join(map(repr, classes[:8]))}"
            raise DataError(f"class_weight: {label!r} is no class of the target{hint}")
    if not any(given.get(label, 1.0) for label in classes):
        raise DataError("class_weight: every class weighs 0; there is nothing to learn from")
    return np.array([given.get(label, 1.0) for label in classes])
