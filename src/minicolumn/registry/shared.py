"""Ranges of keywords that trainings of all kinds take: `fit`, tables, estimators, and descents on surfaces.

The module loads nothing but settings, so that the help of a command is there at once.
"""

from __future__ import annotations

from minicolumn.registry.numbers import Integer, Number
from minicolumn.registry.setting import Search

BATCH_SIZE = Integer(help="Rows a step.", name="batch_size", ge=1, search=Search(16, 1024, log=True))
EPOCHS = Integer(help="Times through the rows.", name="epochs", ge=1, search=Search(5, 500, log=True))
PATIENCE = Integer(
    help="Epochs without a better figure.", name="patience", ge=1, search=Search(3, 50, log=True)
)
LEARNING_RATE = Number(
    help="How far a step goes.", name="learning_rate", gt=0, search=Search(1e-5, 1.0, log=True)
)
SEED = Integer(help="The same seed gives the same bits.", name="seed", ge=0, lt=2**64)
THREADS = Integer(help="The most that native code uses.", name="threads", ge=1, optional=True)
STEPS = Integer(help="Steps to take.", name="steps", ge=1)
UNITS = Integer(help="Outputs of a layer.", name="units", ge=1)
