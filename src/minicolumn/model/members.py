"""Members of a model that averages several networks: how many there are, and a model of fewer."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, Any

from minicolumn.errors import DataError
from minicolumn.nn.layer import Layer
from minicolumn.nn.layers.containers import Sequential
from minicolumn.nn.layers.ensemble import Ensemble

if TYPE_CHECKING:
    from minicolumn.model.model import Model


def member_count(model: Model) -> int:
    """Return how many networks a model averages, 1 without an `Ensemble`."""
    place = _place(model.network)
    return 1 if place is None else len(_ensemble(model.network, place).members)


def smallest(model: Model, within: float) -> Model:
    """Return a model of the first members that lose little more than all of them; see `Model.smallest`."""
    if not isinstance(within, Real) or isinstance(within, bool) or not 0 <= within <= sys.float_info.max:
        raise DataError(f"smallest: within: expected a number >= 0, such as 0.01, got {within!r:.60}")
    if model.members == 1:
        raise DataError("smallest: this model is one network; there is none to leave out")
    losses = _expected(model)
    most = losses[-1] + float(within) * abs(losses[-1])
    return with_members(model, next(j for j, loss in enumerate(losses, 1) if loss <= most))


def _expected(model: Model) -> list[float]:
    """Return the expected losses of the first one, two, ... members; DataError where they are not known."""
    told = model.training.get("members")
    parts: list[Any] = told if isinstance(told, list) else []
    losses = [part.get("expected_loss") if isinstance(part, dict) else None for part in parts]
    known = [float(loss) for loss in losses if isinstance(loss, int | float) and not isinstance(loss, bool)]
    if not len(known) == len(losses) == model.members or not all(map(math.isfinite, known)):
        raise DataError(
            "smallest: nothing is known of what each member adds; `mc.fit_table` finds it in the training"
        )
    return known


def with_members(model: Model, count: int) -> Model:
    """Return a model of the first so many members of an ensemble.

    count       from 1 to `model.members`
    """
    place = _place(model.network)
    assert place is not None
    network = _ensemble(model.network, place)
    kept = Ensemble(*network.members[:count], average=network.average)
    params = {str(n): _at(model.params, place)[str(n)] for n in range(count)}
    training = dict(model.training)
    if isinstance(training.get("members"), list):
        training["members"] = training["members"][:count]
    if not place:
        return replace(model, network=kept, params=params, training=training, metrics={})
    assert isinstance(model.network, Sequential)
    layers = list(model.network.layers)
    layers[int(place)] = kept
    return replace(
        model,
        network=Sequential(*layers),
        params={**model.params, place: params},
        training=training,
        metrics={},
    )


def _place(network: Layer) -> str | None:
    """Return where the ensemble is among the parameters: "" where it is all, None where there is none."""
    if isinstance(network, Ensemble):
        return ""
    layers = network.layers if isinstance(network, Sequential) else ()
    found = [str(n) for n, layer in enumerate(layers) if isinstance(layer, Ensemble)]
    return found[0] if len(found) == 1 else None


def _ensemble(network: Layer, place: str) -> Ensemble:
    found: Any = network if not place else network.layers[int(place)]  # type: ignore[attr-defined]
    return found


def _at(params: Any, place: str) -> Any:
    return params if not place else params[place]
