"""The picture of a learner: what is sent when it changes, and what is sent as it moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.nn import Dropout
from minicolumn.nn.formula import parse_formula
from minicolumn.playground.lines import line, meant
from minicolumn.playground.links import write_link
from minicolumn.playground.network.columns import units_of
from minicolumn.playground.network.health import layer_norms
from minicolumn.playground.network.learner import Learner
from minicolumn.playground.network.maps import Maps
from minicolumn.playground.network.plane import HIGH, LOW, SIDE, Plane
from minicolumn.playground.network.setup import OWN, TABLE, controls, to_json
from minicolumn.playground.network.thumbnails import thumbnails
from minicolumn.playground.network.whole import FIXED
from minicolumn.tree import leaves

Array = np.ndarray
Says = dict[str, Any]
Arrays = dict[str, Array]


class Picture:
    """What is drawn of a learner, over a plane of its inputs.

    learner     what is drawn
    before      the picture before a change, whose plane goes on
    axes, at    of the plane: two inputs by number, or "pca", and where the others stand
    """

    def __init__(
        self,
        learner: Learner,
        before: Picture | None = None,
        axes: Any = None,
        at: dict[str, Any] | None = None,
    ) -> None:
        self.learner = learner
        self.axes, self.at = (axes, at or {}) if before is None else (before.axes, before.at)
        self.plane = plane_of(learner, self.axes, self.at)
        grid = self.plane.grid()
        self.maps = Maps(learner.architecture, grid, learner.task.shown)

    def state(self, *, with_controls: bool = False, hidden: Sequence[str] = ()) -> tuple[Says, Arrays]:
        """Return what changes seldom; with all controls for a page that does not have them.

        hidden      controls that its link hides
        """
        learner = self.learner
        setup, task, points, plane = learner.setup, learner.task, learner.points, self.plane
        units, params, whole = learner.architecture.units, learner.trainer.params, learner.whole
        activations = whole.names if whole else [*setup.activations, task.ending]
        says = {
            "setup": to_json(setup),
            "inputs": [{"name": n, "formula": f} for n, f in zip(learner.names, setup.features, strict=True)],
            "columns": list(points.inputs), "column_names": list(learner.column_names),
            "units": units_of(learner.table.encoder) if learner.table else [None] * len(points.inputs),
            "layers": [
                {"units": count, "activation": activation}
                for count, activation in zip(units, activations, strict=True)
            ],
            "whole": whole is not None, "fixed": list(FIXED) if whole else [],
            "outputs": list(task.classes) if task.outputs > 1 else list(task.classes[1:] or ("y",)),
            "task": task.kind, "classes": list(task.classes), "loss": task.loss,
            "parameters": sum(leaf.size for leaf in leaves(params)),
            "rows": {"train": int((~points.held).sum()), "test": int(points.held.sum())},
            "range": [[plane.low[0], plane.high[0]], [plane.low[1], plane.high[1]]],
            "axes": list(plane.names), "target": {"center": task.center, "scale": task.scale},
            "link": write_link(setup, hidden) if setup.dataset not in (OWN, TABLE) else "",
        }  # fmt: skip
        if with_controls:
            says |= {"controls": controls(), "datasets": list(thumbnails())}
        shown = plane.project(points.X).astype(np.float32)
        targets = points.y if task.classes else (points.y - task.center) / task.scale
        return says, {
            "points": shown, "targets": targets.astype(np.float32), "held": points.held.astype(np.uint8),
            "features": self._features(),
        }  # fmt: skip

    def _features(self) -> Array:
        """Return the maps of the inputs, each scaled to its own range of the plane."""
        points, grid = self.learner.points, self.plane.grid()
        columns = dict(zip(points.inputs, grid.T, strict=True))
        found = []
        for text in self.learner.setup.features:
            with np.errstate(all="ignore"):
                values = np.broadcast_to(parse_formula(text, points.inputs)(columns), (SIDE * SIDE,))
            found.append(_levels(values).reshape(SIDE, SIDE))
        return np.stack(found) if found else np.zeros((0, SIDE, SIDE), np.uint8)

    def _next_step(self, norms: bool) -> Says:
        """Return what the next step is about: who dropout silences, and norms where they are watched.

        Of its first row alone, since dropout draws anew for each.
        """
        learner = self.learner
        whole = learner.trainer.gradients()
        passed, dropped = whole.layers, []
        for layer, end in enumerate(learner.drawn.ends[:-1]):
            if isinstance(passed[end + 1].layer, Dropout):
                before, after = passed[end].outputs[0], passed[end + 1].outputs[0]
                dropped += [[layer, int(unit)] for unit in np.flatnonzero((after == 0) & (before != 0))]
        return {"dropped": dropped} | ({"norms": layer_norms(learner, whole)} if norms else {})

    def tick(self, norms: bool = False) -> tuple[Says, Arrays]:
        """Return what moves: weights, maps, losses and scores.

        norms   whether those of weights and gradients are told, see `layer_norms`
        """
        learner = self.learner
        params, trainer = learner.trainer.params, learner.trainer
        measured = learner.measured()
        says = {
            "step": learner.step, "epoch": learner.epoch,
            "learning_rate": trainer.learning_rate, "loss": measured["loss"], "scores": measured["scores"],
            "seconds": learner.seconds, "steps_per_second": learner.steps_per_second,
        }  # fmt: skip
        if learner.whole is None and (norms or learner.setup.dropout):
            says |= self._next_step(norms)
        weights = [leaf.ravel() for leaf in learner.architecture.arrays(params)]
        arrays = {"weights": np.concatenate(weights).astype(np.float32), "maps": self.maps(params)}
        if "confusion" in measured:
            arrays["confusion"] = measured["confusion"]
        return says, arrays


def check_view(inputs: Sequence[str], axes: Any, at: Mapping[str, float]) -> None:
    """Refuse a plane along inputs, or at values of inputs, that there are not."""
    if axes != "pca" and max(axes) >= len(inputs):
        raise DataError(line("viewAxes", count=len(inputs), given=max(axes)))
    for name in at:
        if name not in inputs:
            raise DataError(
                line("viewInput", name=repr(name[:60]), hint=meant(name[:60], inputs, listed=True))
            )


def plane_of(learner: Learner, axes: Any, at: dict[str, Any]) -> Plane:
    """Return the plane that is drawn: for two inputs all there is, in the range of the generators.

    Of more inputs, the two with the most values, where the page has not chosen.
    """
    points, own = learner.points, learner.setup.dataset in (OWN, TABLE)
    if axes == "pca" and len(points.inputs) > 2:
        return Plane.of_components(points.X)
    if len(points.inputs) == 1:
        axes = (0, 0)
    elif axes is None or axes == "pca" or max(axes) >= len(points.inputs):
        axes = _telling(points.X)
    places = {points.inputs.index(name): float(v) for name, v in at.items() if name in points.inputs}
    low, high = (LOW, HIGH) if not own or _fits(points.X) else (None, None)
    return Plane.of_inputs(points.X, points.inputs, axes, places, low, high)


def _telling(X: Array) -> tuple[int, int]:
    """Return the two columns with the most values, the first ones where they have equally many."""
    counts = [-len(np.unique(column)) for column in X.T]
    first, second = sorted(np.argsort(counts, kind="stable")[:2].tolist())
    return first, second


def _fits(X: Array) -> bool:
    """Return whether points lie in the range of the generators, and fill some of it."""
    return (
        X.shape[1] == 2 and bool(np.abs(X).max(initial=0.0) <= HIGH[0]) and bool(np.ptp(X, axis=0).max() > 1)
    )


def _levels(values: Array) -> Array:
    """Return numbers as bytes, the largest distance from 0 at the ends."""
    finite = np.where(np.isfinite(values), values, 0.0)
    most = float(np.abs(finite).max()) or 1.0
    return np.clip(127.5 + 127.5 * finite / most, 0, 255).astype(np.uint8)
