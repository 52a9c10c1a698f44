"""Candidates that grow from others: a larger network begins with the weights of the one before, by Net2Net.

    weights of a candidate = trained( grown( weights of its parent ) )     on the same rows, by the same seed

What a candidate's training gives depends on the candidate alone. Weights that are at hand are taken, others
are trained again: so a search can be resumed, and the winner learns from all rows the same way up.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from minicolumn.nn import Sequential
from minicolumn.nn.layer import Params
from minicolumn.tabular.plan import Given
from minicolumn.tabular.training import table_trainer
from minicolumn.train.callbacks import Callback
from minicolumn.train.net2net import grown_into
from minicolumn.train.trainer import Trainer
from minicolumn.tune.candidate import Candidate

if TYPE_CHECKING:
    from minicolumn.tune.build import Workshop

_MOST_KEPT = 256  # weights of so many folds
_ROWS = 2_000  # on which a layer more is to change nothing


@dataclass(eq=False)
class Nursery:
    """Trained weights by candidate and fold, the last that were needed; several threads share it."""

    _kept: OrderedDict[tuple[Candidate, int], Params] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __reduce__(self) -> tuple[type, tuple[()]]:
        """Go to another process empty: weights are trained again there, to the same bits."""
        return Nursery, ()

    def keep(self, candidate: Candidate, fold: int, params: Params) -> None:
        """Keep weights, and let go of those that were not needed for longest."""
        with self._lock:
            self._kept[candidate, fold] = params
            self._kept.move_to_end((candidate, fold))
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)

    def find(self, candidate: Candidate, fold: int) -> Params | None:
        """Return weights that are at hand."""
        with self._lock:
            found = self._kept.get((candidate, fold))
            if found is not None:
                self._kept.move_to_end((candidate, fold))
            return found


def grown_params(
    workshop: Workshop,
    candidate: Candidate,
    learnt: Given,
    fold: int | None,
    seed: int,
    callbacks: Sequence[Callback] = (),
) -> Params | None:
    """Return the weights with which a candidate begins; None where they are to be drawn.

    learnt      the rows of the fold that train, or all rows, whose fold is None
    callbacks   may end the training of a parent that has to be trained again
    """
    parent = candidate.parent
    if parent is None:
        return None
    nursery = workshop.nursery
    params = None if nursery is None or fold is None else nursery.find(parent, fold)
    if params is None:
        params = _trained(workshop, parent, learnt, fold, seed, callbacks)
    small, large = workshop.recipe(parent).network, workshop.recipe(candidate).network
    assert isinstance(small, Sequential)
    assert isinstance(large, Sequential)
    X = np.asarray(learnt[0][:_ROWS], np.float32)
    return grown_into(small, params, large, X, seed).params


def _trained(
    workshop: Workshop,
    candidate: Candidate,
    learnt: Given,
    fold: int | None,
    seed: int,
    callbacks: Sequence[Callback],
) -> Params:
    """Train a candidate as the search did, and return its weights."""
    start = grown_params(workshop, candidate, learnt, fold, seed, callbacks)
    recipe, heed = replace(workshop.recipe(candidate), metrics=()), _Heed(tuple(callbacks))
    trainer = table_trainer(recipe, learnt, None, [heed], seed=seed, threads=1, params=start)
    trainer.run()
    return trainer.params


@dataclass(frozen=True)
class _Heed(Callback):
    """Let other callbacks end a training which they do not note."""

    others: tuple[Callback, ...]

    only_watches = True

    def on_chunk(self, trainer: Trainer, done: int, loss: float) -> None:
        for other in self.others:
            other.on_chunk(trainer, done, loss)
