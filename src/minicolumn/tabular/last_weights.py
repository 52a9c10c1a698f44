"""The last epoch's weights in place of the best one's, where the difference may be chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

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
        rows, accuracy = len(held), trainer.history["val_accuracy"]
        fewest, last = (round(rows * (1.0 - share)) for share in (max(accuracy), accuracy[-1]))
        if last - fewest <= max(1.0, math.sqrt(fewest * (1.0 - fewest / rows))):
            trainer.keep_last()
