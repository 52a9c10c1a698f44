"""Training benchmark: seconds a step, and whether all sides compute the same losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

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
    shown: Sequence[str] | None = None,
) -> Comparison:
    """Time all sides on a training workload.

    torch_compile   whether torch.compile takes part, which takes long to begin
    shown           names of the sides to time; None: all
    Returns         a `Comparison`, in seconds a step
    """
    problem = Problem(workload)
    more = {"compiled": True} if torch_compile else {}
    sides = [*ours.training(problem), *peer_sides(peers, "training", problem, more=more)]
    sides = [side for side in sides if shown is None or side.name in shown]
    return alternate(sides, control, seconds, watch=watch)


def agreement(
    workload: Workload,
    peers: Sequence[str],
    losses_of: Callable[[Sequence[str], Problem], Mapping[str, Any]] = peer_losses,
) -> dict[str, float | None]:
    """Return the largest relative difference of each peer's losses from ours, over the first steps.

    Dropout is left out, since each library draws its own masks.

    losses_of   gives the losses of peers on a problem, [steps] by name
    Returns     by peer; None where it is not finite. Peers that cannot start from given weights are left out.
    """
    steps = _CHECKED_IF_LARGE if workload.flops > _LARGE else _CHECKED
    problem = Problem(replace(workload, dropout=0.0), steps)
    found = losses_of(peers, problem)
    own = ours.losses(problem) if found else np.empty(0)
    return {peer: _distance(np.asarray(losses), own) for peer, losses in found.items()}


def _distance(losses: np.ndarray, own: np.ndarray) -> float | None:
    """Return the largest relative difference of losses; None where it is not finite."""
    far = np.abs(losses / own - 1).max()
    return float(far) if np.isfinite(far) else None


def verdicts(apart: dict[str, float | None], sides: Sequence[str]) -> dict[str, bool]:
    """Return by name whether a side trains the same network, within 1e-4; unchecked sides are left out.

    A side's name begins with its library's. Where every peer differs from us, we are the one that is wrong.
    """
    good = {peer: far is not None and far <= TOLERANCE for peer, far in apart.items()}
    found = {side: good[peer] for side in sides for peer in good if side.lower().startswith(_STEMS[peer])}
    return found | ({ours.NAME: any(good.values())} if good else {})


_STEMS = {"JAX": "jax", "PyTorch": ("pytorch", "torch")}
