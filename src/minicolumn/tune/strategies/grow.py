"""Growth: start small, and widen or deepen the best network with its weights, by Net2Net.

    seedling -> trained -> wider, deeper, each with its weights, trained for half as long -> the better -> ...

A lineage ends when two sizes in a row do not help, or the space has no larger one; then another begins, with
other rates. The first has those of the table's own recipe. With several threads lineages grow side by side.

Source      Chen, Goodfellow & Shlens 2016, "Net2Net" (arXiv 1511.05641); greedily from the best so far:
            Elsken, Metzen & Hutter 2017, "Simple and efficient architecture search" (arXiv 1711.04528)
Differs     theirs grows convolutional networks by chance and keeps the best of several children
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.tune.candidate import Candidate
from minicolumn.tune.parts import TOPOLOGY, Choices, Interval, Part, nearest
from minicolumn.tune.strategies.strategy import Ground, Remembering
from minicolumn.tune.trial import Trial, gain

_PATIENCE = 2  # sizes in a row that do not help
_ATTEMPTS = 100  # draws of rates in vain, after which all counts as tried
Steps = Generator[list[Candidate], None, None]


@dataclass
class Lineage:
    """A network that grows: what it is to try next, and how it goes on once that is known."""

    name: str
    steps: Steps
    wanted: list[Candidate]


class Grow(Remembering):
    """Search by growing networks that keep what they have learnt; see the module."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._shape = _growing_shape(ground)
        self._names: dict[Candidate, str] = {}
        self._seedlings: set[Candidate] = set()
        self._growing: list[Lineage] = []
        self._sown = 0

    # The protocol -------------------------------------------------------------------------------------------

    def ask(self) -> Candidate | None:
        while True:
            for lineage in list(self._growing):
                found = self._next_of(lineage)
                if found is not None:
                    self._out.add(found)
                    self._names[found] = lineage.name
                    return found
            if len(self._growing) >= self.ground.threads or not self._sow():
                return None

    def step_of(self, candidate: Candidate) -> str:
        return self._names.get(candidate, "")

    # Lineages -----------------------------------------------------------------------------------------------

    def _next_of(self, lineage: Lineage) -> Candidate | None:
        """Return what a lineage wants tried next; None where it waits, or is over and taken away."""
        while all(candidate in self._known for candidate in lineage.wanted):
            following = next(lineage.steps, None)
            if following is None:
                self._growing.remove(lineage)
                return None
            lineage.wanted = following
        return next(filter(self._is_new, lineage.wanted), None)

    def _sow(self) -> bool:
        """Begin another lineage; return whether there is one that has not been."""
        for _ in range(_ATTEMPTS):
            seedling = self._seedling(self._sown)
            self._sown += 1
            if seedling not in self._seedlings:
                self._seedlings.add(seedling)
                name = f"lineage {len(self._seedlings)}"
                steps = self._growth(name, seedling)
                self._growing.append(Lineage(name, steps, next(steps)))
                return True
        return False

    def _seedling(self, number: int) -> Candidate:
        """Return the smallest network of the space: with the rates of the recipe, later with drawn ones."""
        rng = np.random.default_rng([self.ground.seed, number])
        parts = {name: p for name, p in self.ground.space.said().items() if name not in TOPOLOGY}
        start: Mapping[str, Any] = self.ground.start
        values = {
            name: nearest(part, start[name]) if number == 0 and name in start else _drawn(part, rng)
            for name, part in parts.items()
        }
        hidden = (_listed(self.ground, "width")[0],) * _listed(self.ground, "layers")[0]
        return Candidate(hidden, self._shape, **values)

    def _growth(self, name: str, seedling: Candidate) -> Steps:
        """Yield the sizes that are to be tried, step by step; each is judged when the next is asked for."""
        yield [seedling]
        kept, in_vain = self._known[seedling], 0
        self.story.append(f"{_titled(name)} begins with {self._told(kept)}.")
        best = kept
        while in_vain < _PATIENCE and kept.is_finished and (ways := self._larger(kept.candidate)):
            yield ways
            children = [self._known[way] for way in ways if self._known[way].is_finished]
            if not children:
                break
            kept = max(children, key=lambda child: self.ground.score.sign * child.score)
            better, error = gain(kept, best, self.ground.score)
            helps = better > 0.0
            best, in_vain = (kept, 0) if helps else (best, in_vain + 1)
            word = "better" if helps else "worse"
            said = f"{word} by {abs(better):.2g} +- {error:.2g}" if better else "as good"
            self.story.append(f"{_titled(name)} grows to {self._told(kept)}: {said}.")
        self.story.append(f"{_titled(name)} ends at {best.candidate.words}.")

    def _larger(self, candidate: Candidate) -> list[Candidate]:
        """Return the networks that a network can grow into: a size wider, and a layer deeper."""
        hidden, widths = candidate.hidden, _listed(self.ground, "width")
        wider = [next((w for w in widths if w > units), None) for units in hidden]
        found: list[tuple[int, ...]] = []
        if all(w is not None for w in wider):
            found.append(tuple(w for w in wider if w is not None))
        if self._shape == "free" and len(hidden) > 1:
            grown = [(*hidden[:k], w, *hidden[k + 1 :]) for k, w in enumerate(wider) if w is not None]
            found += [one for one in grown if one not in found]
        if len(hidden) + 1 in _listed(self.ground, "layers"):
            found.append(hidden + hidden[-1:])
        past = (*candidate.grown_from, hidden)
        return [replace(candidate, hidden=one, grown_from=past) for one in found]

    def _told(self, trial: Trial) -> str:
        """Return a trial in words: its layers, and its score."""
        words = "-".join(map(str, trial.candidate.hidden)) + f" {trial.candidate.activation}"
        if not trial.is_finished:
            return f"{words}, which {trial.state}"
        bar = "" if math.isnan(trial.error) else f" +- {trial.error:.2g}"
        return f"{words}, {self.ground.score.name} {trial.score:.4g}{bar}"


def _growing_shape(ground: Ground) -> str:
    """Return the shape of networks that grow: free where the space has it, else constant.

    Errors      DataError for a space that has neither
    """
    shapes = ground.space.part("shape")
    assert isinstance(shapes, Choices)  # the space is complete
    found = next((shape for shape in ("free", "constant") if shape in shapes), None)
    if found is None and max(_listed(ground, "layers")) > 1:
        raise DataError(f"grow: shape is {shapes}; a network that grows is constant or free")
    return found or "constant"


def _listed(ground: Ground, name: str) -> list[int]:
    """Return the values of a part that holds integers, the smallest first."""
    part = ground.space.part(name)
    assert isinstance(part, Choices)
    return sorted(part.values)


def _drawn(part: Part, rng: np.random.Generator) -> Any:
    """Return a value of a part by chance, of three digits."""
    if isinstance(part, Choices):
        return part.values[int(rng.integers(len(part.values)))]
    assert isinstance(part, Interval)
    low, high = (math.log(part.low), math.log(part.high)) if part.log else (part.low, part.high)
    value = rng.uniform(low, high)
    return nearest(part, float(f"{math.exp(value) if part.log else value:.3g}"))


def _titled(name: str) -> str:
    return f"{name[0].upper()}{name[1:]}"
