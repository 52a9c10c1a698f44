"""Training: a trainer one can hold, callbacks, history; and a trial of learning rates before it."""

from minicolumn.model.metrics import METRICS
from minicolumn.model.scores import Metric
from minicolumn.train.callbacks import (
    CALLBACKS,
    Callback,
    Checkpoint,
    EarlyStopping,
    KeepBest,
    ReduceOnPlateau,
)
from minicolumn.train.fit import fit
from minicolumn.train.history import History
from minicolumn.train.rate_finder import RateFinding, find_learning_rate
from minicolumn.train.run import Run
from minicolumn.train.snapshot import Snapshot
from minicolumn.train.tracker import Tracker
from minicolumn.train.trainer import Trainer

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
    "find_learning_rate",
    "fit",
]
