"""Whether every layer learns: norms of weights and gradients, dead neurons, vanishing gradients, in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicolumn.playground.lines import line
from minicolumn.playground.network.learner import Learner
from minicolumn.train.backward import BackwardPass

Array = np.ndarray
# Root mean squares of gradients of layers lie within a factor of some 30 where all of them learn; with this
# one a layer moves a thousand times more slowly than another.
VANISHED = 1e-3


def layer_norms(learner: Learner, passed: BackwardPass) -> list[dict[str, Any]]:
    """Return what is told of each drawn layer: weight, gradient (norms), dead (how many neurons), said.

    passed      of the next step, `Trainer.gradients`
    said        a line on what is wrong with the layer, or None
    """
    layers = [passed.layers[place] for place in learner.drawn.dense]
    sizes = [w.size + b.size for w, b in learner.weights]
    means = [layer.gradient_norm / size**0.5 for layer, size in zip(layers, sizes, strict=True)]
    found = []
    for place, (layer, dead) in enumerate(zip(layers, dead_neurons(learner), strict=True)):
        found.append(
            {
                "weight": layer.weight_norm,
                "gradient": layer.gradient_norm,
                "dead": dead,
                "said": _said(place, dead, learner.drawn.units[place], means),
            }
        )
    return found


def dead_neurons(learner: Learner) -> list[int]:
    """Return how many neurons of each layer give one answer to all points to train on, whatever they hear.

    Such a neuron stands where its activation is flat: no gradient passes it, and it does not come back by
    itself. One that hears the same from all points is not counted, as the fault lies before it.
    """
    points = learner.points
    rows = points.X[~points.held].astype(np.float32)
    params = learner.trainer.params
    outputs = learner.architecture.activations(params, rows)
    heard = rows
    for place, part in enumerate(learner.drawn.network.layers[: learner.drawn.dense[0]]):
        heard = np.asarray(part.apply(params[str(place)], heard))
    counts = []
    for (weight, bias), answer in zip(learner.weights, outputs, strict=True):
        sums = heard @ weight + bias
        counts.append(int(np.sum(_varies(sums) & ~_varies(np.asarray(answer)))))
        heard = np.asarray(answer)
    return counts


def _varies(values: Array) -> Array:
    """Return which columns hold more than one number, bool [columns]."""
    return (values != values[:1]).any(axis=0)


def _said(place: int, dead: int, units: int, means: list[float]) -> str | None:
    """Return what is wrong with a layer, in words."""
    if dead == units:
        return line("health.allDead", count=units)
    if dead:
        return line("health.dead", count=dead, units=units)
    largest = max(means)
    if np.isfinite(largest) and means[place] < VANISHED * largest:
        if means[place] == 0:
            return line("health.none")
        factor = largest / means[place]
        return line("health.vanishing", factor=int(float(f"{factor:.1g}")))
    return None
