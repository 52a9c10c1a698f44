"""The room `overfitting`: a network as it is, with early stopping, a penalty and dropout, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from minicolumn.playground.network.setup import Setup
from minicolumn.playground.rooms.race import RaceRoom

UNITS = (32, 32)


class OverfittingRoom(RaceRoom):
    """A network far too large for its few, noisy points, four times: one may learn them by heart."""

    name = "overfitting"
    usual: ClassVar[Mapping[str, Any]] = {"dataset": "circle", "noise": 25, "points": 120}
    train_percent = 40

    def candidates(self, common: Setup) -> Sequence[tuple[str, Setup]]:
        plain = replace(common, units=UNITS, activations=("tanh",))
        return [
            ("plain", plain),
            ("early_stopping", replace(plain, patience=30)),
            ("l2", replace(plain, regularization="l2", regularization_rate=0.01)),
            ("dropout", replace(plain, dropout=0.4)),
        ]
