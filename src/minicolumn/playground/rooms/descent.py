"""The room `descent`: optimizers that race on one surface, from starts that are dragged by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from minicolumn.errors import DataError
from minicolumn.explain import SURFACES, descent
from minicolumn.optim import OPTIMIZERS, Optimizer
from minicolumn.playground.frames import Frame
from minicolumn.playground.room import Room
from minicolumn.registry import Choice, Integer, Listed, Number, Part, Record

SIDE = 120
OPTIMIZER = Part(
    help="An optimizer, with a learning rate or without.", words="an optimizer such as sgd:momentum=0.9",
    registry=lambda: OPTIMIZERS, accepts=lambda value: isinstance(value, Optimizer),
)  # fmt: skip
RACERS = ("sgd", "sgd:momentum=0.9", "sgd:momentum=0.9,nesterov=true", "rmsprop", "adam")
COORDINATE = Number(help="A coordinate.", ge=-100, le=100)


@dataclass(frozen=True, kw_only=True)
class Race(Record):
    """A surface, a start, and who races from it."""

    surface: Annotated[str, Choice(help="A function of two variables.", choices=tuple(SURFACES))] = (
        "himmelblau"
    )
    start: Annotated[
        tuple[float, ...] | None,
        Listed(help="Where all begin.", of=COORDINATE, words="two numbers", least=2, longest=2),
    ] = None
    optimizers: Annotated[
        tuple[str, ...],
        Listed(help="Who races.", words="1 to 6 optimizers", least=1, longest=6,
               of=Part(help="An optimizer.", words=OPTIMIZER.words, registry=lambda: OPTIMIZERS,
                       accepts=OPTIMIZER.accepts, as_text=True)),
    ] = RACERS  # fmt: skip
    learning_rate: Annotated[float | None, Number(help="Of all; None finds each its own.", gt=0, le=100)] = (
        None
    )
    steps: Annotated[int, Integer(help="Steps.", ge=1, le=2_000)] = 150


class DescentRoom(Room):
    """Paths of `mc.descent`, one an optimizer, from the same start, with the values along them.

    Where no rate is said each gets the one of a grid whose path settles first, as `mc.descent` finds it.
    """

    name = "descent"
    verbs: ClassVar[Mapping[str, tuple[type[Record], str]]] = {"open": (Race, "race"), "race": (Race, "race")}

    def race(self, said: Race) -> list[Frame]:
        """Answer with the surface and the paths.

        Errors      DataError for a start outside of the picture
        """
        surface = SURFACES[said.surface]
        (low_x, high_x), (low_y, high_y) = surface.bounds
        start = said.start or (low_x + 0.15 * (high_x - low_x), low_y + 0.8 * (high_y - low_y))
        if not (low_x <= start[0] <= high_x and low_y <= start[1] <= high_y):
            raise DataError(f"descent: start: expected a point within {surface.bounds}, got {tuple(start)}")
        runs = [self._run(text, said, start) for text in said.optimizers]
        x, y = np.linspace(low_x, high_x, SIDE), np.linspace(high_y, low_y, SIDE)
        points = np.stack(np.meshgrid(x, y))
        says: dict[str, Any] = {
            "surface": said.surface, "surfaces": list(SURFACES), "formula": surface.formula,
            "source": surface.source, "bounds": [[low_x, high_x], [low_y, high_y]], "start": list(start),
            "minima": [list(map(float, point)) for point in surface.minima], "value": surface.value,
            "steps": said.steps, "choices": list(OPTIMIZERS),
            "racers": [run[0] for run in runs],
        }  # fmt: skip
        paths = np.stack([run[1] for run in runs])
        values = np.stack([run[2] for run in runs])
        ground = np.asarray(surface(points), np.float64)
        return [self.frame("state", says, ground=ground, paths=paths, values=values)]

    def _run(self, text: str, said: Race, start: Any) -> tuple[dict[str, Any], Any, Any]:
        rule = OPTIMIZERS.make(text)
        if said.learning_rate is not None:
            rule = rule.with_rate(said.learning_rate)
        own = said.learning_rate is not None or "learning_rate" in text
        found = descent(said.surface, [list(start)], optimizer=rule if own else text, steps=said.steps)
        settled = found.settled[0]
        told = {
            "optimizer": text, "learning_rate": float(found.optimizer.learning_rate),
            "ending": found.endings[0], "settled": settled, "end": found.paths[0, -1].tolist(),
            "value": float(found.values[0, -1]),
        }  # fmt: skip
        return told, found.paths[0], found.values[0]
