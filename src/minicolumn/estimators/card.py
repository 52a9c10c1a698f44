"""The card of a fitted estimator: its rows, and the call that makes it again."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from minicolumn.model.card.derived import derived_card
from minicolumn.model.card.record import Card, clipped

if TYPE_CHECKING:
    from minicolumn.estimators.base import BaseMLP
    from minicolumn.model.model import Model

_LONGEST = 200  # letters of one parameter


def estimator_card(estimator: BaseMLP, model: Model) -> Card:
    """Return the card of an estimator whose network a model is."""
    rows = dict(getattr(estimator, "_rows", {}))
    split = "a validation set was held out, or given; no rows were tested" if "validation" in rows else ""
    return replace(derived_card(model), rows=rows, split=split, rebuild=clipped(call_of(estimator)))


def call_of(estimator: BaseMLP) -> str:
    """Return the call that fits an estimator with these parameters.

    >>> import minicolumn as mc
    >>> call_of(mc.MLPRegressor(hidden_layer_sizes=(8,), loss="huber"))
    "mc.MLPRegressor(hidden_layer_sizes=(8,), loss='huber').fit(X, y)"
    """
    defaults = inspect.signature(type(estimator)).parameters
    said = {
        name: value
        for name, value in estimator.get_params(deep=False).items()
        if not _same(value, defaults[name].default)
    }
    inside = ", ".join(f"{name}={_shown(value)}" for name, value in said.items())
    return f"mc.{type(estimator).__name__}({inside}).fit(X, y)"


def _same(value: Any, default: Any) -> bool:
    """Return whether a parameter is at its default; what cannot be compared is not."""
    return value is default or (type(value) is type(default) and bool(value == default))


def _shown(value: Any) -> str:
    """Return a parameter as one short line."""
    return clipped(" ".join(repr(value).split()), _LONGEST)
