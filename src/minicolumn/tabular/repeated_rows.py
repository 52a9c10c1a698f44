"""How many rows of a table are there more than once."""

from __future__ import annotations

import numpy as np

Array = np.ndarray
_BLOCK = 65_536  # rows that are copied at once


def repeated_share(X: Array, y: Array) -> float:
    """Return which share of the rows repeat others to the bit, target and all.

        hash of a row = sum over its 32-bit words of  word * an odd number of its own,  modulo 2^64

    so that eight bytes a row are kept, whatever the number of columns.

    X           [rows, features]; y: their targets [rows]
    Source      multilinear hashing: Dietzfelbinger 1996, "Universal hashing and k-wise independent random
                variables via integer arithmetic without primes"

    >>> X = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [1.0, 2.0]])
    >>> repeated_share(X, np.array([5.0, 5.0, 5.0, 6.0]))
    0.25
    """
    blocks = [slice(first, first + _BLOCK) for first in range(0, len(X), _BLOCK)]
    words = (np.column_stack([X[block], y[block]]).view(np.uint32).astype(np.uint64) for block in blocks)
    found = [each @ _odd_numbers(each.shape[1]) for each in words]
    return 1.0 - len(np.unique(np.concatenate(found))) / len(X)


def _odd_numbers(count: int) -> Array:
    """Return the same odd numbers below 2^63 each time, uint64 [count]."""
    return np.random.default_rng(0).integers(1, 2**63, count, np.uint64) | np.uint64(1)
