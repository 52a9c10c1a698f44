"""Races: several networks that learn the same points side by side, each with something else changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np

from minicolumn.data.points.points import make_points
from minicolumn.errors import DivergenceError
from minicolumn.playground.allowance import AT_ONCE, Allowance, work_of_step
from minicolumn.playground.frames import Frame
from minicolumn.playground.network.learner import Learner
from minicolumn.playground.network.maps import Maps
from minicolumn.playground.network.plane import HIGH, LOW, Plane
from minicolumn.playground.network.setup import Setup
from minicolumn.playground.room import Epochs, Nothing, Room
from minicolumn.registry import Choice, Integer, Record
from minicolumn.tree import leaves

NOTED = 100  # points of a curve, of many epochs at once
MOST_CURVE = 400  # points of each curve; every second one goes where there would be more


@dataclass(frozen=True, kw_only=True)
class Start(Record):
    """The points that all learn; what is not said is the room's own."""

    dataset: Annotated[
        str | None, Choice(help="A data set.", choices=("circle", "xor", "gauss", "moons", "spiral"))
    ] = None
    noise: Annotated[int | None, Integer(help="Noise of the points, in percent.", ge=0, le=80)] = None
    points: Annotated[int | None, Integer(help="How many points.", ge=20, le=1_000)] = None
    seed: Annotated[int, Integer(help="Of points and weights.", ge=0, lt=10**5)] = 0


class Runner:
    """One of the networks in a race: its learner, its curve, and whether it goes on.

    maps        of a network of the same shape, compiled before; None compiles its own
    """

    def __init__(self, name: str, learner: Learner, maps: Maps | None = None) -> None:
        self.name, self.learner, self.stopped = name, learner, ""
        self.curve: list[tuple[float, float, float]] = []  # epoch, loss on training points, on test points
        self._best: tuple[float, float] | None = None  # test loss and epoch of the best row, kept or not
        if maps is None:
            plane = Plane.of_inputs(learner.points.X, learner.points.inputs, (0, 1), low=LOW, high=HIGH)
            maps = Maps(learner.architecture, plane.grid(), learner.task.shown)
        self.maps = maps

    def advance(self, epochs: int) -> None:
        """Train for so many epochs, unless it stopped."""
        if self.stopped:
            return
        try:
            self.learner.advance(epochs=epochs)
        except DivergenceError as error:
            self.stopped = error.cause or "diverged"
        self.stopped = self.stopped or (self.learner.trainer.stopped or "")

    @property
    def work_of_epoch(self) -> int:
        """What an epoch costs, see `work_of_step`."""
        trainer = self.learner.trainer
        return trainer.steps * work_of_step(trainer)

    @property
    def seconds_an_epoch(self) -> float:
        """How long an epoch is expected to take."""
        trainer = self.learner.trainer
        return trainer.steps * trainer.seconds_a_step

    def note(self) -> dict[str, Any]:
        """Note where it stands in the curve, and return its losses and scores."""
        measured = self.learner.measured()
        loss, epoch = measured["loss"], float(self.learner.epoch)
        if not self.curve or epoch > self.curve[-1][0]:
            self.curve.append((epoch, loss["train"], loss["test"]))
            self.curve = self.curve[::2] if len(self.curve) > MOST_CURVE else self.curve
            if self._best is None or loss["test"] < self._best[0]:
                self._best = loss["test"], epoch
        return measured

    def told(self) -> dict[str, Any]:
        """Return where it stands, and note it in the curve."""
        measured = self.note()
        loss = measured["loss"]
        assert self._best is not None  # the first row is one
        return {
            "name": self.name, "epoch": self.learner.epoch, "loss": loss, "scores": measured["scores"],
            "stopped": self.stopped or None, "best": {"epoch": self._best[1], "test": self._best[0]},
        }  # fmt: skip

    @property
    def map(self) -> Any:
        """The map of its output, uint8 [side, side]."""
        return self.maps(self.learner.trainer.params)[-1]


class RaceRoom(Room):
    """Networks side by side on the same points; what tells them apart is the room's own.

    A `state` has the points and who races; a `tick` where each stands, its map and its curve.
    """

    verbs: ClassVar[Mapping[str, tuple[type[Record], str]]] = {
        "open": (Start, "open"),
        "run": (Epochs, "run"),
        "pause": (Nothing, "pause"),
        "step": (Epochs, "step"),
        "reset": (Nothing, "reset"),
    }
    usual: ClassVar[Mapping[str, Any]] = {"dataset": "moons", "noise": 20, "points": 200}
    train_percent: ClassVar[int] = 50
    epochs_a_second: ClassVar[float] = 60.0

    def __init__(self) -> None:
        self._said = replace(Start(), **self.usual)
        self._runners: list[Runner] = []
        self._running, self._allowance = False, Allowance()
        self._end: int | None = None  # the epoch at which a run ends
        self._hurried = False  # whether it is a long step, as fast as it goes

    def candidates(self, common: Setup) -> Sequence[tuple[str, Setup]]:
        """Return who races, by name, made of what they have in common."""
        raise NotImplementedError(f"{type(self).__name__} lacks candidates")

    def open(self, said: Start) -> list[Frame]:
        """Begin a race."""
        own = {name: value for name, value in self.usual.items() if getattr(said, name) is None}
        self._said, self._running, self._allowance = replace(said, **own), False, Allowance()
        what = {name: getattr(self._said, name) for name in self.usual}
        common = Setup(
            **what, data_seed=f"0.{said.seed:05d}", seed=said.seed, train_percent=self.train_percent,
            optimizer="adam", learning_rate=0.02, batch_size=8,
        )  # fmt: skip
        points = make_points(
            common.dataset, rows=common.points, noise=common.noise, seed=common.data_seed,
            train_percent=common.train_percent,
        )  # fmt: skip
        maps = {runner.name: runner.maps for runner in self._runners}
        self._runners = [
            Runner(name, Learner(setup, points), maps.get(name)) for name, setup in self.candidates(common)
        ]
        return [self._state(), self._tick()]

    def reset(self, said: Nothing) -> list[Frame]:
        """Begin anew, with other points and weights."""
        return self.open(replace(self._said, seed=(self._said.seed + 1) % 10**5))

    def run(self, said: Epochs) -> list[Frame]:
        """Let all run."""
        if not self._runners:
            self.open(self._said)
        self._running, self._hurried = True, False
        self._end = None if said.epochs is None else self._epoch + said.epochs
        return [self._tick()]

    def pause(self, said: Nothing) -> list[Frame]:
        """Let all stand."""
        self._running = False
        return [self._tick()] if self._runners else self.open(self._said)

    def step(self, said: Epochs) -> list[Frame]:
        """Go so many epochs at once, one where nothing is said; their curves are noted on the way.

        What takes long goes on as a run that ends there.
        """
        if not self._runners:
            self.open(self._said)
        self._running, left = False, said.epochs or 1
        if left * sum(runner.work_of_epoch for runner in self._runners) > AT_ONCE:
            self._running, self._hurried, self._end = True, True, self._epoch + left
            return [self._tick()]
        every = -(-left // NOTED)
        while left > 0:
            self._advance(min(every, left))
            left -= every
            for runner in self._runners:
                runner.note()
        return [self._tick()]

    @property
    def _epoch(self) -> int:
        return max(runner.learner.epoch for runner in self._runners)

    @property
    def running(self) -> bool:
        return self._running

    def work(self, seconds: float, draw: bool = True) -> list[Frame]:
        """Let all go on for as many epochs as the time allows."""
        epochs = (
            self._fitting(seconds) if self._hurried else self._allowance.due(self.epochs_a_second, seconds)
        )
        if not epochs:
            return []
        self._advance(epochs if self._end is None else min(epochs, self._end - self._epoch))
        ended = self._end is not None and self._epoch >= self._end
        if ended or all(runner.stopped for runner in self._runners):
            self._running = False
        return [self._tick()] if draw or not self._running else []

    def _fitting(self, seconds: float) -> int:
        """Return how many epochs of all fit into a time, one at least."""
        going = [runner for runner in self._runners if not runner.stopped]
        return max(1, int(seconds / max(1e-9, sum(runner.seconds_an_epoch for runner in going))))

    def _advance(self, epochs: int) -> None:
        for runner in self._runners:
            runner.advance(epochs)

    def _state(self) -> Frame:
        points = self._runners[0].learner.points
        says = {
            "dataset": self._said.dataset, "noise": self._said.noise, "count": self._said.points,
            "seed": self._said.seed, "range": [[LOW[0], HIGH[0]], [LOW[1], HIGH[1]]],
            "racers": [
                {
                    "name": runner.name, "units": list(runner.learner.setup.units),
                    "parameters": sum(leaf.size for leaf in leaves(runner.learner.first)),
                }
                for runner in self._runners
            ],
        }  # fmt: skip
        return self.frame(
            "state", says, points=points.X.astype(np.float32), targets=points.y.astype(np.float32),
            held=points.held.astype(np.uint8),
        )  # fmt: skip

    def _tick(self) -> Frame:
        told = [runner.told() for runner in self._runners]
        curves = {
            f"curve{place}": np.array(runner.curve, np.float64) for place, runner in enumerate(self._runners)
        }
        says = {"racers": told, "running": self._running, "epoch": self._epoch}
        return self.frame("tick", says, maps=np.stack([runner.map for runner in self._runners]), **curves)
