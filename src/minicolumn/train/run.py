"""The result of a training: the trained model, its learning curves, and the state to go on from."""

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
from minicolumn.train.history import History
from minicolumn.train.settings import Settings
from minicolumn.train.settings_json import described_settings
from minicolumn.train.snapshot import Snapshot
from minicolumn.train.types import Inputs

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Run:
    """The result of `fit`: the trained model, and how it came to be.

    model           the network with its weights; `predict`, `evaluate` and `save` are its own
    history         one row an epoch
    stopped         "all epochs", "early stopping", "interrupted", or a callback's reason
    best_epoch      the epoch whose weights these are, counted from 1
    seconds         of wall time, with compiling and measuring
    steps_per_second of all steps together, over these seconds
    snapshot        where it stands, for `fit(..., resume=run)`

    Differs     Keras' `fit` returns the history and changes the model in place, scikit-learn's returns the
                estimator; here the network is a record without weights, and each run has its own

    >>> import numpy as np, minicolumn as mc
    >>> X, line = np.linspace(-1.0, 1.0, 40)[:, None], mc.nn.Dense(1)
    >>> run = mc.fit(line, X, 2 * X, loss="squared_error", epochs=10)
    >>> run
    Run(10 epochs, all epochs, weights of epoch 10)
    >>> run.predict(X).shape, sorted(run.evaluate(X, 2 * X))
    ((40,), ['loss', 'mae', 'r2', 'rmse'])
    >>> mc.fit(line, X, 2 * X, loss="squared_error", epochs=5, resume=run).history[-1]["epoch"]
    15
    """

    model: Model
    history: History
    stopped: str
    best_epoch: int
    seconds: float
    steps_per_second: float
    snapshot: Snapshot

    @property
    def steps(self) -> int:
        """Return how many steps were taken in all."""
        return self.snapshot.step

    @property
    def params(self) -> Params:
        """Return the weights that were handed back, by layer and name; those of `best_epoch`."""
        return self.model.params

    def predict(self, X: Inputs) -> Array:
        """Return the network's outputs after the loss's output activation; see `Model.predict`.

        X           [rows, *input_shape]
        Returns     float [rows, outputs]; float [rows] where the network has one output
        Errors      ShapeError for rows of another shape, DataError for what holds no numbers
        """
        return self.model.predict(X)

    def predictor(self) -> Callable[[Array], Array]:
        """Return a function that predicts one row in microseconds; see `Model.predictor`."""
        return self.model.predictor()

    def evaluate(
        self,
        X: Inputs,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        metrics: Sequence[MetricLike] | None = None,
    ) -> dict[str, float]:
        """Return the loss of some rows, and scores by name; see `Model.evaluate`.

        X, y            as for `fit`
        sample_weight   [rows], or None
        Errors          ShapeError and DataError as for `fit`, DataError for a loss that is one's own function
        """
        return self.model.evaluate(X, y, sample_weight, metrics=metrics)

    def save(self, path: PathLike) -> None:
        """Write the model file, a `.safetensors` that `mc.load` opens; see `Model.save`.

        What it takes to train on is not in it: see `Trainer.save`.
        """
        self.model.save(path)

    def __repr__(self) -> str:
        return f"Run({self.history.epochs} epochs, {self.stopped}, weights of epoch {self.best_epoch})"


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
    """Return a training as metadata for the model file: its settings and how it went, as JSON values."""
    return {
        **described_settings(settings),
        "epochs": epochs,
        "epochs_run": epochs_run,
        "best_epoch": best_epoch,
        "stopped": stopped,
        "rows": rows,
        "seconds": round(seconds, 3),
    }
