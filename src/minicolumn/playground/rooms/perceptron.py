"""The room `perceptron`: a threshold unit that learns by its own mistakes, and what it cannot learn."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from minicolumn import random
from minicolumn.nn.classic import LTU, perceptron_rule, separation
from minicolumn.playground.allowance import Allowance
from minicolumn.playground.frames import Frame
from minicolumn.playground.room import Nothing, Room
from minicolumn.registry import Choice, Integer, Number, Record

Array = np.ndarray
CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
TABLES: Mapping[str, tuple[int, ...]] = {"and": (0, 0, 0, 1), "or": (0, 1, 1, 1), "xor": (0, 1, 1, 0)}
CLOUDS = ("clouds", "overlap")
POINTS = 40
MOST_PATH = 500  # corrections that the path of the weights shows, and epochs whose mistakes are told
NOTHING_SEEN: Mapping[str, Any] = {"row": None, "wrong": False, "look": None}
MOST_EPOCHS = 10_000  # in which a cycle is looked for: rows that overlap go on without one


@dataclass(frozen=True, kw_only=True)
class Rows(Record):
    """What is to be learnt."""

    data: Annotated[str, Choice(help="Rows by their name.", choices=(*TABLES, *CLOUDS))] = "or"
    learning_rate: Annotated[float, Number(help="How far a correction goes.", gt=0, le=10)] = 1.0
    seed: Annotated[int, Integer(help="Of the clouds.", ge=0, lt=2**31)] = 0


@dataclass(frozen=True, kw_only=True)
class Speed(Record):
    """How many rows a second are looked at while it runs."""

    rows_per_second: Annotated[float, Number(help="Rows a second.", gt=0, le=10_000)] = 4.0


class PerceptronRoom(Room):
    """A perceptron that looks at one row after the other and corrects itself where it is wrong.

        sign (x w + b) <= 0:   w += learning_rate * sign * x,   b += learning_rate * sign

    A `state` has the rows and what planes can do about them; a `tick` each look at a row: the weights, the
    row, whether it was wrong, and as `look` what it saw: x, its sign, the sum x w + b, and w and b before
    the correction. It stops after an epoch without a mistake; where no plane divides the rows it
    never does, and goes round.
    """

    name = "perceptron"
    verbs: ClassVar[Mapping[str, tuple[type[Record], str]]] = {
        "open": (Rows, "open"),
        "step": (Nothing, "step"),
        "epoch": (Nothing, "epoch"),
        "run": (Speed, "run"),
        "pause": (Nothing, "pause"),
        "reset": (Nothing, "reset"),
    }

    def __init__(self) -> None:
        self._running, self._speed, self._allowance = False, 4.0, Allowance()
        self._begin(Rows())

    def _begin(self, said: Rows) -> None:
        self._said = said
        self.X, self.signs = _rows(said)
        self.weight, self.bias = np.zeros((2, 1)), np.zeros(1)
        self._looked, self._corrections = 0, 0
        self._mistakes, self._path = deque([0], MOST_PATH), deque([np.zeros(3)], MOST_PATH)
        self._seen = {self._bytes(): 0}  # weights at the end of an epoch -> the first such epoch
        self._cycle: tuple[int, int] | None = None
        self._converged, self._running, self._allowance = False, False, Allowance()

    def open(self, said: Rows) -> list[Frame]:
        """Begin with these rows and zero weights."""
        self._begin(said)
        return [self._state(), self._tick()]

    def reset(self, said: Nothing) -> list[Frame]:
        """Begin anew with the same rows."""
        return self.open(self._said)

    def step(self, said: Nothing) -> list[Frame]:
        """Look at the next row."""
        self._running = False
        return [self._tick(self._look())]

    def epoch(self, said: Nothing) -> list[Frame]:
        """Look at all rows that are left of the epoch."""
        self._running = False
        seen = self._look()
        while self._looked % len(self.X):
            seen = self._look()
        return [self._tick(seen)]

    def run(self, said: Speed) -> list[Frame]:
        """Look at row after row."""
        self._running, self._speed = not self._converged, said.rows_per_second
        return [self._tick()]

    def pause(self, said: Nothing) -> list[Frame]:
        """Stop looking."""
        self._running = False
        return [self._tick()]

    @property
    def running(self) -> bool:
        return self._running

    def work(self, seconds: float, draw: bool = True) -> list[Frame]:
        """Look at as many rows as the speed allows."""
        seen = None
        for _ in range(self._allowance.due(self._speed, seconds)):
            if self._running:
                seen = self._look()
        return [self._tick(seen)] if seen is not None and (draw or not self._running) else []

    def _look(self) -> Mapping[str, Any]:
        """Look at the next row, and correct what is wrong; return what was seen, as a tick tells it."""
        place = self._looked % len(self.X)
        if place == 0 and self._looked:
            self._mistakes.append(0)
        x, sign = self.X[place], self.signs[place]
        total = float((x @ self.weight + self.bias)[0])
        wrong = bool(sign[0] * total <= 0)
        look = {
            "x": x.tolist(), "sign": int(sign[0]), "sum": total,
            "weight": self.weight[:, 0].tolist(), "bias": float(self.bias[0]),
        }  # fmt: skip
        self.weight, self.bias = perceptron_rule(self.weight, self.bias, x, sign, self._said.learning_rate)
        self._looked += 1
        if wrong:
            self._corrections += 1
            self._mistakes[-1] += 1
            self._path.append(np.array([*self.weight[:, 0], self.bias[0]]))
        if self._looked % len(self.X) == 0:
            self._end_epoch()
        return {"row": place, "wrong": wrong, "look": look}

    def _end_epoch(self) -> None:
        epoch = self._looked // len(self.X)
        if self._mistakes[-1] == 0:
            self._converged, self._running = True, False
        if self._cycle is None and not self._converged and epoch <= MOST_EPOCHS:
            before = self._seen.setdefault(self._bytes(), epoch)
            self._cycle = None if before == epoch else (before, epoch)

    def _bytes(self) -> bytes:
        return self.weight.tobytes() + self.bias.tobytes()

    def _state(self) -> Frame:
        found = separation(self.X, self.signs, np.ones(1, int))
        bound = float(found.bound[0])
        says = {
            "data": self._said.data, "choices": [*TABLES, *CLOUDS], "learning_rate": self._said.learning_rate,
            "seed": self._said.seed, "separable": bool(found.margin[0] > 0), "margin": float(found.margin[0]),
            "bound": bound, "radius": found.radius, "range": _range(self.X),
        }  # fmt: skip
        return self.frame("state", says, X=self.X, signs=self.signs[:, 0])

    def _tick(self, seen: Mapping[str, Any] = NOTHING_SEEN) -> Frame:
        answers = np.where(LTU(self.weight, self.bias)(self.X)[:, 0], 1, -1)
        says = {
            **seen, "weight": self.weight[:, 0].tolist(), "bias": float(self.bias[0]), "looked": self._looked,
            "epoch": self._looked // len(self.X), "corrections": self._corrections,
            "mistakes": list(self._mistakes), "converged": self._converged, "running": self._running,
            "cycle": self._cycle, "right": int((answers == self.signs[:, 0]).sum()), "rows": len(self.X),
        }  # fmt: skip
        return self.frame("tick", says, path=np.array(self._path), answers=answers.astype(np.int32))


def _rows(said: Rows) -> tuple[Array, Array]:
    """Return rows [rows, 2] and signs [rows, 1]."""
    if said.data in TABLES:
        return CORNERS, np.where(np.array(TABLES[said.data])[:, None] > 0, 1.0, -1.0)
    signs = np.where(np.arange(POINTS) % 2 == 0, 1.0, -1.0)
    center = 1.6 if said.data == "clouds" else 0.6
    noise = random.normal(random.key(said.seed), (POINTS, 2), np.float64)
    if said.data == "clouds":  # cut off, so that a line divides them
        noise = np.clip(noise, -1.4, 1.4)
    return signs[:, None] * center + 0.7 * noise, signs[:, None]


def _range(X: Array) -> list[list[float]]:
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.25 * (high - low)
    return [[float(a), float(b)] for a, b in zip(low - margin, high + margin, strict=True)]
