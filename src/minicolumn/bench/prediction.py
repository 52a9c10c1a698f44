"""Predictions of a trained network: one row at a time, and many rows at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from minicolumn.bench import ours
from minicolumn.bench.sides import Side, peer_sides
from minicolumn.bench.timing import Comparison, Control, alternate
from minicolumn.bench.workloads import WORKLOADS, Problem

WORKLOAD = WORKLOADS["tabular"]
ROWS = {1: 200, 100_000: 1}  # rows, and calls a turn
TITLE = "54-128-64-7 ReLU, softmax"
# Probabilities of one network in float32, whose sums over at most 128 numbers differ only in their order.
TOLERANCE = 1e-5


def measure(
    rows: int, peers: Sequence[str], control: Control, seconds: float, watch: Callable[[str], None]
) -> tuple[Comparison, dict[str, float]]:
    """Return the times of all sides, and how far each one's probabilities are from ours at most."""
    problem = Problem(WORKLOAD, steps=1)
    X = np.random.default_rng(1).standard_normal((rows, WORKLOAD.features), np.float32)
    sides = [
        *ours.prediction(problem, X, ROWS[rows]),
        *peer_sides(peers, "prediction", problem, X, ROWS[rows]),
    ]
    return alternate(sides, control, seconds, watch=watch), distances(sides)


def distances(sides: Sequence[Side]) -> dict[str, float]:
    """Return how far the answers of the others are from the first side's."""
    own = np.asarray(sides[0].call())
    return {side.name: float(np.abs(np.asarray(side.call()) - own).max()) for side in sides[1:]}
