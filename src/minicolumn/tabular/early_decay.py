"""Early decay: a member whose held-out loss stalls lets its learning rate fall at once, and ends sooner."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from minicolumn.train.callbacks import Callback
from minicolumn.train.history import Row
from minicolumn.train.trainer import Trainer

_LEAST_PATIENCE = 8


@dataclass(frozen=True)
class EarlyDecay(Callback):
    """Let a rate that stays for half of the run fall from now on, where the held-out loss has stalled.

        after epoch e:   epochs = 2 e     if  e - best epoch >= max(8, share * epochs)  and  2 e < epochs

    With `FlatCosine`, half of 2 e epochs are behind, so the cosine begins at once and takes as long as what
    is behind. Elsewhere it is the whole run that gets shorter.

    share       of all epochs: so many without a smaller val_loss are waited for
    Source      the decay of a constant rate may begin whenever one likes: Hu et al. 2024, "MiniCPM" (WSD
                schedules, arXiv 2404.06395), section 4

    >>> EarlyDecay()
    EarlyDecay(share=0.125)
    """

    share: float = 1 / 8

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        if self.quiet_epochs(trainer) <= 0:
            trainer.change(epochs=2 * trainer.epoch)

    def quiet_epochs(self, trainer: Trainer) -> float:
        if 2 * trainer.epoch >= trainer.epochs:
            return math.inf
        patience = max(_LEAST_PATIENCE, round(self.share * trainer.epochs))
        return patience - trainer.waited("val_loss")

    def explains(self, name: str, planned: Any, stands: Any, trainer: Trainer) -> bool:
        """Return whether the epochs are twice as many as were behind when the rate began to fall."""
        return name == "epochs" and stands < planned and stands % 2 == 0 and stands // 2 <= trainer.epoch
