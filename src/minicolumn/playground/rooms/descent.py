"""The room `descent`: optimizers that race on one surface, from starts that are dragged by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar

import numpy as np

from minicolumn.errors import DataError
from minicolumn.explain import SURFACES
from minicolumn.explain.contours import levels_of
from minicolumn.explain.paths import ends_of, steps_until, width_of
from minicolumn.explain.stationary import Derivatives, Stationary, derivatives_of, find_stationary
from minicolumn.explain.surfaces import Surface
from minicolumn.explain.walk import Walker, best_rate, walker_of
from minicolumn.optim import OPTIMIZERS, Optimizer
from minicolumn.playground.frames import Frame
from minicolumn.playground.lines import line
from minicolumn.playground.room import Room
from minicolumn.registry import Choice, Integer, Listed, Number, Part, Record, read_text

SIDE = 120
KEPT = 200  # compiled walks; all go where there would be more
LEAST = 1e-8  # of heights that are drawn
OPTIMIZER = Part(
    help="An optimizer, with a learning rate or without.", words="an optimizer such as sgd:momentum=0.9",
    registry=lambda: OPTIMIZERS, accepts=lambda value: isinstance(value, Optimizer),
)  # fmt: skip
RACERS = ("sgd", "sgd:momentum=0.9", "sgd:momentum=0.9,nesterov=true", "rmsprop", "adam")
# From where the paths part best.
STARTS = {
    "parabola": (-3.6, 1.5), "rosenbrock": (-1.5, 2.4), "himmelblau": (-0.4, -4.2), "beale": (0.0, -2.0),
    "rastrigin": (-1.7, 2.2), "saddle": (-1.8, 0.02),
}  # fmt: skip
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


@dataclass(frozen=True)
class Ground:
    """A surface with what is worked out of it once.

    values      over a grid of its bounds, the upper left corner first, [side, side]
    minima      all of its minima in there, the local ones too, the lowest first
    """

    surface: Surface
    derivatives: Derivatives
    values: Any
    minima: tuple[Stationary, ...]

    @classmethod
    def of(cls, surface: Surface) -> Ground:
        """Evaluate a surface; its minima are found by Newton's method from the lowest points of the grid."""
        (left, right), (bottom, top) = surface.bounds
        points = np.stack(np.meshgrid(np.linspace(left, right, SIDE), np.linspace(top, bottom, SIDE)))
        derivatives = derivatives_of(surface)
        flat = points.reshape(2, -1).T
        values = derivatives.value(flat).reshape(SIDE, SIDE)
        inside = values[1:-1, 1:-1]
        around = [
            values[1 + down : SIDE - 1 + down, 1 + along : SIDE - 1 + along]
            for down in (-1, 0, 1) for along in (-1, 0, 1) if down or along
        ]  # fmt: skip
        lowest = points[:, 1:-1, 1:-1][:, (inside <= np.min(around, axis=0))].T
        steepest = float(np.linalg.norm(derivatives.gradient(flat), axis=1).max())
        found = find_stationary(derivatives, lowest, steepest, width_of(surface.bounds))[0]
        return cls(surface, derivatives, values, tuple(s for s in found if s.kind == "minimum"))


class DescentRoom(Room):
    """Paths of optimizers, as `mc.descent` has them, from the same start, with the values along them.

    Where no rate is said each gets the one of a grid whose path settles first, as `mc.descent` finds it. What
    was compiled is kept, so that a start that is dragged is raced from at once.
    """

    name = "descent"
    verbs: ClassVar[Mapping[str, tuple[type[Record], str]]] = {"open": (Race, "race"), "race": (Race, "race")}

    def __init__(self) -> None:
        self._grounds: dict[str, Ground] = {}
        self._walkers: dict[tuple[str, str, int], Walker] = {}

    def race(self, said: Race) -> list[Frame]:
        """Answer with the surface and the paths.

        Errors      DataError for a start outside of the picture
        """
        surface = SURFACES[said.surface]
        (left, right), (bottom, top) = surface.bounds
        start = said.start or STARTS[said.surface]
        if not (left <= start[0] <= right and bottom <= start[1] <= top):
            raise DataError(line("startOutside", bounds=str(surface.bounds), start=str(tuple(start))))
        if said.surface not in self._grounds:
            self._grounds[said.surface] = Ground.of(surface)
        ground = self._grounds[said.surface]
        walks = [self._walk(text, said, np.array([start])) for text in said.optimizers]
        rates, paths, values = [w[0] for w in walks], *(np.concatenate([w[i] for w in walks]) for i in (1, 2))
        stationary, racers = _told(ground, said.optimizers, rates, paths, values)
        says: dict[str, Any] = {
            "surface": said.surface, "surfaces": list(SURFACES), "formula": surface.formula,
            "source": surface.source, "bounds": [[left, right], [bottom, top]], "start": list(start),
            "minima": [_point(ground, s) for s in ground.minima], "value": surface.value,
            "stationary": stationary, "levels": levels_of(ground.values, 18).tolist(),
            "learning_rate": said.learning_rate, "steps": said.steps, "choices": list(OPTIMIZERS),
            "racers": racers,
        }  # fmt: skip
        # For a logarithmic axis: the height over the lowest minimum, between what can be told apart.
        above = np.clip(values - surface.value, LEAST, 10.0 * (ground.values.max() - surface.value))
        return [self.frame("state", says, ground=ground.values, paths=paths, values=values, above=above)]

    def _walk(self, text: str, said: Race, start: Any) -> tuple[float, Any, Any]:
        """Return the rate that is taken, the path [1, steps + 1, 2] and the values along it."""
        surface, rule = SURFACES[said.surface], OPTIMIZERS.make(text)
        key = (said.surface, text, said.steps)
        if key not in self._walkers:
            if len(self._walkers) >= KEPT:
                self._walkers.clear()
            self._walkers[key] = walker_of(surface, rule, said.steps)
        walk = partial(self._walkers[key], start)
        if said.learning_rate is not None:
            rate = said.learning_rate
        elif "learning_rate" in read_text(text)[1]:
            rate = rule.learning_rate
        else:
            rate = best_rate(walk, rule, surface, start, width_of(surface.bounds))
        rate = float(rule.with_rate(rate).learning_rate)
        return rate, *walk(rate)


def _told(
    ground: Ground, optimizers: tuple[str, ...], rates: list[float], paths: Any, values: Any
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the stationary points that were reached, labelled for all, and how each racer ended."""
    bounds = ground.surface.bounds
    stationary, reached, endings = ends_of(ground.derivatives, paths, values, bounds)
    racers = []
    for k, text in enumerate(optimizers):
        end = reached[k]
        settled = None if end is None else steps_until(paths[k], stationary[end], width_of(bounds))
        racers.append({
            "optimizer": text, "learning_rate": rates[k], "ending": endings[k], "settled": settled,
            "reached": end, "end": paths[k, -1].tolist(), "value": float(values[k, -1]),
        })  # fmt: skip
    return [_point(ground, s) for s in stationary], racers


def _point(ground: Ground, s: Stationary) -> dict[str, Any]:
    lowest = s.kind == "minimum" and s.value <= ground.surface.value + 1e-9  # Newton's method leaves less
    return {"label": s.label, "kind": s.kind, "point": list(s.point), "value": s.value, "lowest": lowest}
