"""What `fit` hands back: the trained model, how it came to be, and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.model.files import PathLike
from minicolumn.model.model import Model
from minicolumn.model.scores import MetricLike
from minicolumn.train.history import History, Row

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Progress:
    """Where a training stands between two epochs: all that it takes to go on with it.

    params          the weights after the last epoch
    moments         what the optimizer remembers; None starts it afresh
    steps           taken so far, over all epochs
    rows            of the history, one an epoch
    best_params     the weights of `best_epoch`, where a callback asked for the best ones
    best_epoch      counted from 1; 0 where there is none yet
    rate_factor     what callbacks have made of the learning rate
    """

    params: Any
    moments: Any = None
    steps: int = 0
    rows: tuple[Row, ...] = ()
    best_params: Any = None
    best_epoch: int = 0
    rate_factor: float = 1.0


@dataclass(frozen=True, eq=False)
class Run:
    """What `fit` hands back: the trained model, and how it came to be.

    model           the network with its weights; `predict`, `evaluate` and `save` are its own
    history         one row an epoch
    stopped         "all epochs", "early stopping", "interrupted", or a callback's reason
    best_epoch      the epoch whose weights these are, counted from 1
    seconds         of training, with compiling
    steps_per_second of all steps together
    progress        where it stands, for `fit(..., resume=run)`
    """

    model: Model
    history: History
    stopped: str
    best_epoch: int
    seconds: float
    steps_per_second: float
    progress: Progress

    @property
    def params(self) -> Any:
        """Return the weights."""
        return self.model.params

    def predict(self, X: Any) -> Array:
        """Return `Model.predict`."""
        return self.model.predict(X)

    def predictor(self) -> Callable[[Array], Array]:
        """Return `Model.predictor`."""
        return self.model.predictor()

    def evaluate(
        self, X: Any, y: Any, sample_weight: Any = None, *, metrics: Sequence[MetricLike] | None = None
    ) -> dict[str, float]:
        """Return `Model.evaluate`."""
        return self.model.evaluate(X, y, sample_weight, metrics=metrics)

    def save(self, path: PathLike) -> None:
        """Write the model file; see `Model.save`."""
        self.model.save(path)

    def __repr__(self) -> str:
        return f"Run({len(self.history)} epochs, {self.stopped}, best epoch {self.best_epoch})"
