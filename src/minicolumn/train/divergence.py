"""Divergence: a likely cause of a loss or weight that is NaN or infinite, as far as the data tell."""

from __future__ import annotations

import numpy as np

from minicolumn.model.rows import LabeledRows

# Numbers beyond this are the likelier cause of a divergence than the learning rate.
LARGE = 1e3


def why_diverged(rows: LabeledRows, rate: float, step: int, epoch: int, what: str) -> str:
    """Return the one line that says when a training diverged, of what, and what to try.

    rows    that were trained on: unscaled features or targets are the likeliest cause
    rate    the learning rate of the optimizer
    step    of the whole training, from 1
    epoch   from 1
    what    is no finite number any more: "the loss", "a weight" or "a prediction"

    >>> rows = LabeledRows(np.ones((2, 1)), np.array([0, 1], np.int32))
    >>> why_diverged(rows, 3.0, 7, 1, "the loss").partition("; ")[2]
    'the learning rate 3 is probably too large; try 0.1'
    """
    largest = float(abs(rows.X).max()) if rows.X.size else 0.0
    target = float(np.abs(rows.y).max(initial=0.0)) if rows.y.dtype.kind == "f" else 0.0
    if largest > LARGE:
        cause = f"X holds numbers up to {largest:.3g}; scale its columns to about 1"
    elif target > LARGE:
        cause = f"y holds numbers up to {target:.3g}; scale it to about 1"
    elif step == 1 and what == "the loss":
        cause = "it was none at the very first step, before any weight had moved; look at the loss function"
    else:
        better = min(rate / 3, 0.1)
        cause = f"the learning rate {rate:g} is probably too large; try {better:.2g}"
    return f"training diverged at step {step} (epoch {epoch}): {what} is no finite number any more; {cause}"
