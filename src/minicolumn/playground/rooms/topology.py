"""The room `topology`: few neurons in many layers against many neurons in few, trained side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from minicolumn.playground.network.setup import Setup
from minicolumn.playground.rooms.race import RaceRoom

SHAPES = ((), (4,), (32,), (8, 8), (16, 16), (8, 8, 8))


class TopologyRoom(RaceRoom):
    """Networks of other shapes on the same points: what width buys, what depth buys, and what both cost."""

    name = "topology"
    usual: ClassVar[Mapping[str, Any]] = {"dataset": "spiral", "noise": 5, "points": 400}

    def candidates(self, common: Setup) -> Sequence[tuple[str, Setup]]:
        return [
            ("-".join(map(str, units)) or "none", replace(common, units=units, activations=("tanh",)))
            for units in SHAPES
        ]
