"""Training: the training loop as an object, callbacks, early stopping, checkpoints, learning-rate range test.

    fit -> Trainer.run -> Run           one call, from the first step to the last
    Trainer.advance / change / save     the same loop, held in hand between its steps
    Callback and its kinds              early stopping, plateau schedule, best weights, checkpoints
    find_learning_rate                  a trial of growing rates before the training proper

A *step* is one update of the weights from one mini-batch, an *epoch* one pass over all rows, every duration
is in seconds of wall time. The same seed gives the same bits, however a training is cut into calls.
"""

from minicolumn.model.metrics import METRICS
from minicolumn.model.scores import Metric
from minicolumn.train.callbacks import (
    CALLBACKS,
    Callback,
    Checkpoint,
    EarlyStopping,
    KeepBest,
    ReduceOnPlateau,
    Unfreeze,
)
from minicolumn.train.fitting import fit
from minicolumn.train.history import History
from minicolumn.train.rate_finder import RateFinding, find_learning_rate
from minicolumn.train.run import Run
from minicolumn.train.snapshot import Snapshot
from minicolumn.train.tracker import Tracker
from minicolumn.train.trainer import Trainer
from minicolumn.train.transfer import transfer

__all__ = [
    "CALLBACKS",
    "METRICS",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "History",
    "KeepBest",
    "Metric",
    "RateFinding",
    "ReduceOnPlateau",
    "Run",
    "Snapshot",
    "Tracker",
    "Trainer",
    "Unfreeze",
    "find_learning_rate",
    "fit",
    "transfer",
]
