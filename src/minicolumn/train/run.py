"""What `fit` hands back: the trained model, how it came to be, and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minicolumn.model.files import PathLike
from minicolumn.model.model import Model
from minicolumn.model.scores import MetricLike
from minicolumn.nn.layer import Params
from minicolumn.optim import described as optimizer_as_json
from minicolumn.train.history import History
from minicolumn.train.settings import Settings
from minicolumn.train.snapshot import Snapshot
from minicolumn.train.types import Inputs

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Run:
    """What `fit` hands back: the trained model, and how it came to be.

    model           the network with its weights; `predict`, `evaluate` and `save` are its own
    history         one row an epoch
    stopped         "all epochs", "early stopping", "interrupted", or a callback's reason
    best_epoch      the epoch whose weights these are, counted from 1
    seconds         of training, with compiling
    steps_per_second of all steps together
    snapshot        where it stands, for `fit(..., resume=run)`
    """

    model: Model
    history: History
    stopped: str
    best_epoch: int
    seconds: float
    steps_per_second: float
    snapshot: Snapshot

    @property
    def params(self) -> Params:
        """Return the weights."""
        return self.model.params

    def predict(self, X: Inputs) -> Array:
        """Return `Model.predict`."""
        return self.model.predict(X)

    def predictor(self) -> Callable[[Array], Array]:
        """Return `Model.predictor`."""
        return self.model.predictor()

    def evaluate(
        self,
        X: Inputs,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        metrics: Sequence[MetricLike] | None = None,
    ) -> dict[str, float]:
        """Return `Model.evaluate`."""
        return self.model.evaluate(X, y, sample_weight, metrics=metrics)

    def save(self, path: PathLike) -> None:
        """Write the model file; see `Model.save`."""
        self.model.save(path)

    def __repr__(self) -> str:
        return f"Run({len(self.history)} epochs, {self.stopped}, best epoch {self.best_epoch})"


def described(
    settings: Settings,
    *,
    epochs: int,
    epochs_run: int,
    best_epoch: int,
    stopped: str,
    rows: int,
    seconds: float,
) -> dict[str, Any]:
    """Return the settings of a training and how it went as JSON, for the model file."""
    s = settings
    return {
        "loss": s.record.to_json() if s.record else "",
        "optimizer": optimizer_as_json(s.optimizer),
        "schedule": getattr(s.schedule, "__name__", type(s.schedule).__name__),
        "batch_size": s.batch_size,
        "epochs": epochs,
        "epochs_run": epochs_run,
        "best_epoch": best_epoch,
        "stopped": stopped,
        "rows": rows,
        "seed": s.seed,
        "dtype": str(s.dtype),
        "backend": s.backend,
        "seconds": round(seconds, 3),
    }
