"""Training: batches, epochs, callbacks, history; and a trial of learning rates before it."""

from minicolumn.model.scores import Metric
from minicolumn.train.callbacks import Callback, EarlyStopping, KeepBest, ReduceOnPlateau, Training
from minicolumn.train.fit import fit
from minicolumn.train.history import History
from minicolumn.train.rate_finder import RateFinding, find_learning_rate
from minicolumn.train.run import Progress, Run

__all__ = [
    "Callback",
    "EarlyStopping",
    "History",
    "KeepBest",
    "Metric",
    "Progress",
    "RateFinding",
    "ReduceOnPlateau",
    "Run",
    "Training",
    "find_learning_rate",
    "fit",
]
