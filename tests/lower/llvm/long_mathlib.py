"""Sweep all float32 numbers, print the largest errors: `python long_mathlib.py [--stride N] [NAME ...]`.

All 2^32 take some minutes a function; a prime stride such as 61 gives a fair sample in seconds.
Functions of two operands are tried on random pairs of bits, as many as the sweep has numbers.
"""

from __future__ import annotations

import argparse

import numpy as np
from test_mathlib import BINARY, compiled, float_errors

from minicolumn.lower.llvm.mathlib import BOUNDS, MATH

BLOCK = 1 << 20


def sweep(name: str, stride: int) -> tuple[float, float]:
    """Return the largest error and where it is."""
    run, random = compiled("float", 8), np.random.default_rng(0)
    worst, place = -1.0, 0.0
    for start in range(0, 2**32, BLOCK * stride):
        bits = np.arange(start, min(start + BLOCK * stride, 2**32), stride, dtype=np.uint64)
        x = bits.astype(np.uint32).view(np.float32)
        y = random.integers(0, 2**32, x.size, np.uint32).view(np.float32) if name in BINARY else None
        errors = float_errors(name, run, x, y)
        at = int(np.argmax(errors))
        if errors[at] > worst:
            worst, place = float(errors[at]), float(x[at])
    return worst, place


def main() -> None:
    """Print a line for each function."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="functions; all of them unless given")
    parser.add_argument("--stride", type=int, default=1)
    arguments = parser.parse_args()
    for name in arguments.names or MATH:
        worst, place = sweep(name, arguments.stride)
        print(f"{name:11s} {worst:7.4f} ulp at {place!r}, bound {BOUNDS.get((name, 'float'))}", flush=True)


if __name__ == "__main__":
    main()
