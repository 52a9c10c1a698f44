"""Which rows make which step: shuffled orders, cut into batches and chunks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicolumn import random

Array = np.ndarray


def epoch_order(seed: int, epoch: int, rows: int, shuffle: bool = True) -> Array:
    """Return the order of the rows in one epoch, int32 [rows]; each has its own, whatever came before."""
    if not shuffle:
        return np.arange(rows, dtype=np.int32)
    return random.permutation(random.fold_in(random.stream(seed, "shuffle"), epoch), rows)


def chunks(order: Array, batch: int, most_steps: int) -> Iterator[Array]:
    """Cut an epoch into int32 [steps, batch] pieces of nearly equal length; the last short batch comes alone.

    Pieces of one length share one compiled program, so there are at most two lengths beside the short batch.

    >>> [piece.shape for piece in chunks(np.arange(11, dtype=np.int32), 2, most_steps=3)]
    [(3, 2), (2, 2), (1, 1)]
    """
    steps = len(order) // batch
    if steps:
        pieces = -(-steps // most_steps)
        whole = order[: steps * batch].reshape(steps, batch)
        yield from np.array_split(whole, pieces)
    if len(order) > steps * batch:
        yield order[steps * batch :].reshape(1, -1)


def steps_in(rows: int, batch: int) -> int:
    """Return how many steps an epoch has, the short one included."""
    return -(-rows // batch)
