"""Inference benchmark: latency of one row, and throughput of many rows at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from minicolumn.bench import ours
from minicolumn.bench.sides import Side, peer_sides
from minicolumn.bench.timing import Comparison, Control, alternate
from minicolumn.bench.workloads import WORKLOADS, Problem

WORKLOAD = WORKLOADS["tabular"]
ROWS = {1: 200, 100_000: 1}  # rows: predictions a call
TITLE = "54-128-64-7 ReLU, softmax"
# Probabilities of one network in float32, whose sums over at most 128 numbers differ only in their order.
TOLERANCE = 1e-5


def measure(
    rows: int, peers: Sequence[str], control: Control, seconds: float, watch: Callable[[str], None]
) -> tuple[Comparison, dict[str, float | None]]:
    """Return the times of all sides, and the distance of each one's probabilities to those of `predict`.

    rows        1 or 100,000
    peers       names of `PEERS`; seconds: of alternating calls; watch: is told whose turn it is
    """
    problem = Problem(WORKLOAD, steps=1)
    X = np.random.default_rng(1).standard_normal((rows, WORKLOAD.features), np.float32)
    sides = [
        *ours.prediction(problem, X, ROWS[rows]),
        *peer_sides(peers, "prediction", problem, X, ROWS[rows]),
    ]
    return alternate(sides, control, seconds, watch=watch), distances(sides)


def distances(sides: Sequence[Side]) -> dict[str, float | None]:
    """Return the largest absolute difference of each side's probabilities to the first side's.

    None where they are not as many, or not finite.
    """
    own = np.asarray(sides[0].call())
    return {side.name: _distance(np.asarray(side.call()), own) for side in sides[1:]}


def _distance(found: np.ndarray, own: np.ndarray) -> float | None:
    """Return the largest absolute difference of two arrays; None for other sizes and for NaN."""
    # Sizes first: broadcasting would let one row stand for all of them.
    if found.size != own.size:
        return None
    far = np.abs(found.ravel() - own.ravel()).max()
    return float(far) if np.isfinite(far) else None


def verdicts(apart: dict[str, float | None]) -> dict[str, bool]:
    """Return by name whether a side gives the same probabilities, within 1e-5."""
    return {name: far is not None and far <= TOLERANCE for name, far in apart.items()}
