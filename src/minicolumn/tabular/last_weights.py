"""The last epoch's weights in place of the best one's, where the difference may be chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from minicolumn.model.rows import LabeledRows
from minicolumn.train.callbacks import Callback
from minicolumn.train.trainer import Trainer


@dataclass(frozen=True)
class LastUnlessWorse(Callback):
    """Hand the last epoch's weights back, unless the best epoch's are better by more than chance explains.

        last    if   e_last - e_best <= max(1, sqrt(e_best (1 - e_best / n)))     e: errors of n rows held out

    at the end of all epochs; where a training was ended before, the rate has not fallen, and the best epoch
    stays. Of epochs that are equally good to all that can be told, the one behind the fall of the rate is the
    surest. Where classes overlap, the last one has learnt their noise by heart, and is far worse.

    Source      the rule of one standard error: Breiman, Friedman, Olshen & Stone 1984, "Classification and
                Regression Trees", section 3.4.3

    >>> LastUnlessWorse()
    LastUnlessWorse()
    """

    def on_end(self, trainer: Trainer) -> None:
        held = trainer.held_rows
        if held is None or trainer.stopped != "all epochs" or not trainer.history:
            return
        rows, accuracy = _worth(held), trainer.history["val_accuracy"]
        fewest, last = (rows * (1.0 - share) for share in (max(accuracy), accuracy[-1]))
        # Accuracies are float32: so near to a whole row is a whole row.
        if last - fewest <= 1e-3 + max(1.0, math.sqrt(fewest * (1.0 - fewest / rows))):
            trainer.keep_last()


def _worth(held: LabeledRows) -> float:
    """Return how many rows of equal weight would tell as much: (sum w)^2 / sum w^2 (Kish 1965)."""
    if held.weight is None:
        return float(len(held))
    weight = held.weight.astype(np.float64)
    return float(weight.sum() ** 2 / (weight**2).sum())
