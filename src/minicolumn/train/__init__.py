"""Training: batches, epochs, callbacks, history."""

from minicolumn.train.callbacks import Callback, EarlyStopping, KeepBest, Training
from minicolumn.train.fit import fit
from minicolumn.train.history import History
from minicolumn.train.run import Progress, Run

__all__ = ["Callback", "EarlyStopping", "History", "KeepBest", "Progress", "Run", "Training", "fit"]
