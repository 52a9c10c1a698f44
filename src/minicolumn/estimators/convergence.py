"""Convergence criteria of scikit-learn: when to stop, which weights to keep, when to lower the learning rate.

Early stopping on a held-out score, or a plateau of the training loss; "adaptive" divides the rate by 5 where
it would otherwise stop. The state goes on over several fits (`warm_start`, `partial_fit`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn.nn.layer import Params
from minicolumn.train import Callback, Trainer
from minicolumn.train.history import Row

Array = np.ndarray

# A rate at or below this is not lowered any more.
LEAST_RATE = 1e-6


@dataclass(frozen=True, eq=False)
class ConvergenceState:
    """The convergence state that one fit hands to the next: best figures, epochs without improvement, rate.

    best_loss   the least training loss of an epoch, penalty included
    best_score  the best score of the held-out rows; -inf where none were held out
    idle        epochs since the last improvement by `tol`; scikit-learn's `_no_improvement_count`
    factor      on the learning rate, a power of 1/5 that "adaptive" has come to
    best_epoch  of the best score, in the history; None where no rows were held out
    """

    best_loss: float = np.inf
    best_score: float = -np.inf
    idle: int = 0
    factor: float = 1.0
    best_epoch: int | None = None


class Convergence(Callback):
    """Stop a training by scikit-learn's criteria: no improvement by `tol` in more than `patience` epochs.

        improved    score >= best score + tol   where `early`,   else   loss <= best loss - tol
        idle        = 0 if improved else idle + 1;      stop where idle > patience

    A score that is NaN counts as improved, as in scikit-learn, which counts epochs with score < best + tol.

    tol         by how much a figure must be better to count
    patience    epochs that may pass without; may be infinite
    early       whether the held-out score decides, and the weights of its best epoch are kept
    score       returns the score of some weights on the held-out rows; None where there are none
    rate        of the optimizer, where it is divided by 5 instead of stopping, down to 1e-6; else None
    verbose     whether to write a line an epoch to standard output, in scikit-learn's words
    Differs     `mc.EarlyStopping` watches any column of the history and always hands back the best weights;
                here the last ones are kept unless `early`
    """

    def __init__(
        self,
        tol: float,
        patience: float,
        early: bool = False,
        score: Callable[[Params], float] | None = None,
        rate: float | None = None,
        verbose: bool = False,
    ) -> None:
        self.tol, self.patience, self.early, self.score = tol, patience, early, score
        self.rate, self.verbose = rate, verbose
        self.losses: list[float] = []
        self.scores: list[float] | None = None if score is None else []
        self.best_loss, self.best_score = np.inf, -np.inf
        self.best_params: Params | None = None
        self.best_epoch: int | None = None  # in the history, which goes on over several fits
        self.idle = 0
        self.factor = 1.0

    def on_start(self, trainer: Trainer) -> None:
        if self.score is not None:
            trainer.figures = (*trainer.figures, "val_score")
            trainer.higher_is_better = {**trainer.higher_is_better, "val_score": True}

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        self.losses.append(row["loss"] + row.get("penalty", 0.0))
        if self.verbose:  # a line takes longer to format than all the rest
            self._say(f"Iteration {len(self.losses)}, loss = {self.losses[-1]:.8f}")
        if self.score is not None and self.scores is not None:
            row["val_score"] = self.score(trainer.params)  # where `history_` and later callbacks see it
            self.scores.append(row["val_score"])
            if self.verbose:
                self._say(f"Validation score: {self.scores[-1]:f}")
        self._look(trainer)
        if self.idle > self.patience:
            self._stop_or_lower_rate(trainer)

    def quiet_epochs(self, trainer: Trainer) -> float:
        return self.patience + 1 - self.idle

    def _look(self, trainer: Trainer) -> None:
        """Count the epochs without gain, and keep the best."""
        loss, score = self.losses[-1], self.scores[-1] if self.scores else np.nan
        figure, best = (-score, -self.best_score) if self.early else (loss, self.best_loss)
        self.idle = int(idle_epochs(self.idle, figure, best, self.tol))
        self.best_loss = min(self.best_loss, loss)
        if score > self.best_score:
            self.best_score = score
            self.best_params, self.best_epoch = trainer.params, len(trainer.history)

    def _stop_or_lower_rate(self, trainer: Trainer) -> None:
        """Stop, or divide the learning rate by 5 where that is asked for and it is still above 1e-6."""
        figure = "Validation score" if self.early else "Training loss"
        said = f"{figure} did not improve more than tol={self.tol:f} for {self.patience} consecutive epochs."
        if self.rate is None or self.rate * self.factor <= LEAST_RATE:
            self._say(f"{said} Stopping.")
            trainer.stop("early stopping" if self.early else "converged")
            return
        self.factor /= 5.0
        self.idle = 0
        self._say(f"{said} Setting learning rate to {self.rate * self.factor:f}")

    def diverged(self) -> None:
        """Note an epoch in which the loss left the finite numbers: its figures are NaN."""
        self.losses.append(np.nan)
        if self.scores is not None:
            self.scores.append(float("nan"))

    def _say(self, line: str) -> None:
        say(self.verbose, line)


def idle_epochs(idle: int | Array, figure: float | Array, best: float | Array, tol: float) -> Any:
    """Return how many epochs in a row have failed to make a figure better than the best before by `tol`.

        0 where figure <= best - tol, else idle + 1;    a figure that is NaN does not count as a failure

    idle        before this epoch
    figure      of this epoch, lower is better: a number, or one for each of several units
    best        lowest of the epochs before, also of those that failed

    >>> idle_epochs(np.array([2, 2]), np.array([0.5, 0.9]), np.array([1.0, 1.0]), tol=0.2)
    array([0, 3])
    """
    return (idle + 1) * (figure > best - tol)  # without NumPy, which for two numbers takes far longer


def say(verbose: Any, *lines: str) -> None:
    """Write lines to standard output, where `verbose` asks for them."""
    if verbose:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
