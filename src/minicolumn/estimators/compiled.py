"""The network that an estimator's settings ask for, and its compiled forward pass."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from minicolumn.estimators.network import Activation, build_network
from minicolumn.model.compute import Forward, forward
from minicolumn.nn import Ensemble, Layer, Loss
from minicolumn.nn.outputs import NumberOutputs, Outputs
from minicolumn.registry import is_plain


def compiled(
    sizes: ArrayLike,
    activation: Activation | Sequence[Activation],
    units: int,
    dropout: float | Sequence[float],
    input_dropout: float,
    members: int,
    loss: Loss | None,
    outputs: Outputs,
) -> tuple[Layer, Forward]:
    """Return a network and its compiled forward pass; see `build_network` for the first five.

    members     0 for one network, else the network is an `Ensemble` of so many
    loss        None for an own function

    Both are shared between estimators of equal settings, so that a grid search compiles once; not where a
    setting is an own function, whose equality says nothing.
    """
    settings = (sizes, activation, units, dropout, input_dropout, members, loss, outputs)
    return (_kept if is_plain(settings) else _make)(*settings)


def _make(
    sizes: ArrayLike,
    activation: Activation | Sequence[Activation],
    units: int,
    dropout: float | Sequence[float],
    input_dropout: float,
    members: int,
    loss: Loss | None,
    outputs: Outputs,
) -> tuple[Layer, Forward]:
    end = outputs.end if isinstance(outputs, NumberOutputs) else ()
    network: Any = build_network(sizes, activation, units, dropout, input_dropout, end)
    if members:
        average: Any = outputs.average
        network = Ensemble(*[network] * members, average=average)
    return network, forward(network, loss, outputs)


_kept = functools.lru_cache(maxsize=32)(_make)
