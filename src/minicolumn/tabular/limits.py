"""Bounds of the hyperparameters of a training on a table: declared once, for Python and the command line.

This module loads nothing but the registry, so that ``--help`` is there at once.
"""

from __future__ import annotations

from dataclasses import replace

from minicolumn.registry import Integer, Number, Setting
from minicolumn.registry.shared import BATCH_SIZE, EPOCHS, LEARNING_RATE, PATIENCE, SEED
from minicolumn.tabular.efforts import MOST_MEMBERS

MOST_UNITS, MOST_LAYERS = 65_536, 64
MOST = 2**31 - 1

LIMITS: dict[str, Setting] = {
    "test_fraction": Number(help="Share of the rows to test on.", gt=0, lt=1),
    "validation_fraction": Number(help="Share of the rest that says when to stop.", gt=0, lt=1),
    "dropout": Number(help="Share of units to silence.", ge=0, lt=1),
    "learning_rate": LEARNING_RATE,
    "clip_norm": Number(help="Longest gradient of a step; longer ones are shortened.", gt=0),
    "batch_size": replace(BATCH_SIZE, le=MOST),
    "epochs": replace(EPOCHS, help="At most so often through the rows.", le=MOST),
    "patience": replace(PATIENCE, help="Epochs without progress, then stop.", le=MOST),
    "members": Integer(help="Networks whose predictions are averaged.", ge=1, le=MOST_MEMBERS),
    # Of a split, which NumPy's older generators draw, only so many seeds are known.
    "seed": replace(SEED, help="The same seed gives the same model.", le=2**32 - 1, lt=float("inf")),
}
