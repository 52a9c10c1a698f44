"""Training: batches, epochs, callbacks, history."""

from minicolumn.model.scores import Metric
from minicolumn.train.callbacks import Callback, EarlyStopping, KeepBest, Training
from minicolumn.train.fit import Run, fit
from minicolumn.train.history import History

__all__ = ["Callback", "EarlyStopping", "History", "KeepBest", "Metric", "Run", "Training", "fit"]
