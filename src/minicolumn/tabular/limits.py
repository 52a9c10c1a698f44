"""Bounds of the hyperparameters of a training on a table: declared once, for Python and the command line.

This module loads nothing but the registry, so that ``--help`` is there at once.
"""

from __future__ import annotations

from minicolumn.registry import Integer, Number, Setting

MOST_UNITS, MOST_LAYERS = 65_536, 64
MOST = 2**31 - 1

LIMITS: dict[str, Setting] = {
    "test_fraction": Number(help="Share of the rows to test on.", gt=0, lt=1),
    "validation_fraction": Number(help="Share of the rest that says when to stop.", gt=0, lt=1),
    "dropout": Number(help="Share of units to silence.", ge=0, lt=1),
    "learning_rate": Number(help="How far a step goes.", gt=0),
    "clip_norm": Number(help="Longest gradient of a step; longer ones are shortened.", gt=0),
    "batch_size": Integer(help="Rows a step.", ge=1, le=MOST),
    "epochs": Integer(help="At most so often through the rows.", ge=1, le=MOST),
    "patience": Integer(help="Epochs without progress, then stop.", ge=1, le=MOST),
    "seed": Integer(help="The same seed gives the same model.", ge=0, le=2**32 - 1),
}
