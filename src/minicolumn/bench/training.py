"""Trainings: microseconds a step, and whether all sides do the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from minicolumn.bench import ours
from minicolumn.bench.sides import peer_losses, peer_sides
from minicolumn.bench.timing import Comparison, Control, alternate
from minicolumn.bench.workloads import Problem, Workload

# A few steps from the same weights, on the same rows. Each is a chain of float32 sums in another order, and
# Adam's first steps, g / sqrt(g^2), turn the noise of a gradient near 0 into a step of full size.
TOLERANCE = 1e-4
_CHECKED, _CHECKED_IF_LARGE, _LARGE = 20, 3, 1e9


def measure(
    workload: Workload,
    peers: Sequence[str],
    control: Control,
    seconds: float,
    watch: Callable[[str], None],
    torch_compile: bool = False,
) -> Comparison:
    """Return the times of all sides on a training."""
    problem = Problem(workload)
    more = {"compiled": True} if torch_compile else {}
    sides = [*ours.training(problem), *peer_sides(peers, "training", problem, more=more)]
    return alternate(sides, control, seconds, watch=watch)


def agreement(workload: Workload, peers: Sequence[str]) -> dict[str, float]:
    """Return how far the losses of others are from ours, relatively, at most over some steps; no dropout."""
    steps = _CHECKED_IF_LARGE if workload.flops > _LARGE else _CHECKED
    problem = Problem(replace(workload, dropout=0.0), steps)
    found = {peer: np.asarray(losses) for peer, losses in peer_losses(peers, problem).items()}
    own = ours.losses(problem) if found else np.empty(0)
    return {peer: float(np.abs(losses / own - 1).max()) for peer, losses in found.items()}
