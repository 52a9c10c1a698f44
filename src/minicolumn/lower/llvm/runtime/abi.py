"""The table of addresses that a program is called with: what lies in which slot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Slots of the table that every program has, before inputs, outputs, lengths and constants.
ARENA, STATUS, HOST, TIMES, WATCH, FIRST = range(6)
# Words of the memory at WATCH: whether a loop was left, how many iterations come next for all of a team, the
# function that looks for signals, an exception (kind, value, traceback), and when each loop last looked.
STOPPED, AGREED, LOOK, ERROR = range(4)
LOOKED = ERROR + 3
# Larger constants are handed over in the table instead of being part of the code.
CODE_CONSTANT_BYTES = 4096


def table_of(arrays: int, lengths: int, constants: Sequence[np.ndarray]) -> np.ndarray:
    """Return a table that holds the addresses of constants and lacks all else.

    arrays      how many inputs and outputs there are
    lengths     how many symbolic dimensions
    """
    words = np.zeros(FIRST + arrays + lengths + len(constants), np.uint64)
    words[len(words) - len(constants) :] = [c.ctypes.data for c in constants]
    return words
