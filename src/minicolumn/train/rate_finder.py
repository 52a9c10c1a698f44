"""Learning-rate range test: the rate grows step by step, and the loss shows where it helps and where not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minicolumn.errors import DataError
from minicolumn.model.files import PathLike
from minicolumn.nn.layer import Layer, Params
from minicolumn.nn.losses import Loss
from minicolumn.optim import Adam, Optimizer
from minicolumn.picture import BEHIND, FRONT, QUIET, check_file, curves, mark, new_axes, save
from minicolumn.registry import Integer
from minicolumn.train.batches import epoch_order
from minicolumn.train.data import check_data
from minicolumn.train.engine import Engine
from minicolumn.train.settings import check_network, check_settings
from minicolumn.train.snapshot import check_constrained, check_params
from minicolumn.train.step import State
from minicolumn.train.types import Constraint, Inputs, LossFunction, Regularizer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray

SMOOTHING = 0.9  # a mean over some ten steps
DIVERGED = 4.0  # times the least smoothed loss
# Times the suggestion is the rate of the least smoothed loss. Plain gradient descent breaks out at once where
# a training would; what remembers past gradients does so later.
BELOW, BELOW_PLAIN = 10.0, 3.0
FEWEST = 10  # steps in which a curve can be seen
STEPS = Integer(help="Steps of the trial.", name="steps", ge=FEWEST)


@dataclass(frozen=True, eq=False)
class RateFinding:
    """The result of a learning-rate range test, up to where it diverged.

    rates       float64 [steps]
    losses      float64 [steps], each of its own batch before the step of its rate
    smoothed    float64 [steps], their exponential moving average
    suggestion  a rate to train with
    diverged    whether the loss broke out before the highest rate
    """

    rates: Array
    losses: Array
    smoothed: Array
    suggestion: float
    diverged: bool

    def plot(self, path: PathLike | None = None, ax: Axes | None = None) -> Axes:
        """Draw the losses by learning rate on a logarithmic axis, with the suggestion.

        path        file to write: .png, .svg, .pdf, .jpg or .webp; None writes none
        ax          axes of matplotlib to draw into; None makes a picture of its own
        Returns     the axes
        Errors      DataError without matplotlib, or for another suffix
        """
        check_file("RateFinding.plot", path)
        axes = _draw(new_axes(7.2, 3.8) if ax is None else ax, self)
        if path is not None:
            save(axes, path)
        return axes

    def __repr__(self) -> str:
        end = "diverged at" if self.diverged else "up to"
        return f"RateFinding(suggestion={self.suggestion:.2g}, {end} {self.rates[-1]:.2g})"


def find_learning_rate(
    network: Layer,
    X: Inputs,
    y: ArrayLike,
    *,
    loss: str | Loss | LossFunction = "softmax_cross_entropy",
    optimizer: str | Optimizer = Adam(),  # noqa: B008  a frozen record
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    regularizer: str | Regularizer | None = None,
    constraint: str | Constraint | None = None,
    sample_weight: ArrayLike | None = None,
    seed: int = 0,
    dtype: DTypeLike = np.float32,
    threads: int | None = None,
    backend: str = "native",
    params: Params | None = None,
) -> RateFinding:
    """Learning-rate range test: train for some steps at ever larger rates, and suggest one to train with.

        rate_k = low (high / low)^(k / (steps - 1)),     k = 0 .. steps - 1
        s_k = 0.9 s_(k-1) + 0.1 loss_k,  smoothed_k = s_k / (1 - 0.9^(k+1))
        suggestion = rate at argmin smoothed / 10        (/ 3 for plain gradient descent)

    low, high   the first rate and the last, 0 < low < high
    steps       how many to take, at least 10; all in one native call, those after a divergence in vain
    others      as for `fit`; what it refuses is refused here too. The optimizer's own rate does not matter.
    Returns     a `RateFinding`; the given `params` are not changed
    Errors      DataError for numbers out of range, and where the loss breaks out within the first ten steps

    The losses are smoothed by a running mean of the last ten or so. The trial counts as diverged where that
    rises past four times its least value, or where a loss is no finite number; what follows is not looked at.
    The suggestion is a tenth of the rate at which the smoothed loss is least, for plain gradient descent a
    third: there the steps are about to be too long, and one run of a hundred steps does not show how long a
    whole training bears them. Two other customary choices suggest less: the steepest place is often one of
    chance among the smallest rates, where losses of single batches go up and down; the middle of the longest
    fall (the valley) is some three times lower. In `benchmarks/learning_rates.py` trainings by the suggestion
    end at 1.8 times the loss of the best of 17 fixed rates (geometric mean; Adam 1.9, plain gradient descent
    1.7, with momentum 1.8), by the valley at 4.9 times, by the steepest place at 12.5 times.

    Source      Smith 2017 (arXiv 1506.01186), section 3.3; the tenth as fastai's ``minimum``
    Differs     fastai smooths by 0.98, over fifty steps, suggests the valley unless asked, and knows no third

    >>> import minicolumn as mc
    >>> X = np.linspace(-1.0, 1.0, 64)[:, None]
    >>> net = mc.nn.Sequential(mc.nn.Dense(16, "tanh"), mc.nn.Dense(1))
    >>> found = mc.train.find_learning_rate(net, X, np.sin(3.0 * X), loss="squared_error")
    >>> bool(1e-3 < found.suggestion < 1e-1)
    True
    """
    chosen = {
        "loss": loss, "optimizer": optimizer, "regularizer": regularizer, "constraint": constraint,
        "batch_size": batch_size, "seed": seed, "dtype": dtype, "threads": threads, "backend": backend,
    }  # fmt: skip
    settings = check_settings("fit", chosen)
    check_network("fit", network, settings.rule)
    rates = _growing(low, high, steps)
    rows, _ = check_data("fit", network, settings, X, y, sample_weight)
    start = check_params("fit", network, settings, params, rows.X.shape[1:])
    check_constrained("fit", settings.constraint, start)
    order = _batches(settings.seed, len(rows), settings.batch_size, steps)
    engine = Engine(network, settings, rows, None)
    state = State(start, settings.optimizer.start(start, engine.roles))
    _, (losses, *_) = engine.take(state, order, rates.astype(settings.dtype), 0)
    below = BELOW_PLAIN if settings.optimizer.plain else BELOW
    return _judged(rates, losses.astype(np.float64), below)


def _growing(low: float, high: float, steps: int) -> Array:
    """Return the rates, a geometric sequence float64 [steps]."""
    numbers = (int, float, np.integer, np.floating)
    if not (isinstance(low, numbers) and isinstance(high, numbers) and 0 < low < high < np.inf):
        raise DataError(f"find_learning_rate: expected 0 < low < high, got low={low!r}, high={high!r}")
    STEPS.check(steps, "find_learning_rate")
    return np.geomspace(low, high, steps)


def _batches(seed: int, rows: int, batch_size: int, steps: int) -> Array:
    """Return the rows of each step, int32 [steps, batch]: epoch after epoch, each in its own order."""
    batch = min(batch_size, rows)
    epochs = -(-steps * batch // rows)
    orders = [epoch_order(seed, epoch, rows) for epoch in range(1, epochs + 1)]
    return np.concatenate(orders)[: steps * batch].reshape(steps, batch)


def _judged(rates: Array, losses: Array, below: float) -> RateFinding:
    """Return the part of a trial before it diverged, and the suggestion.

    below       what the rate of the least smoothed loss is divided by
    """
    smoothed = _smoothed(losses)
    broken = np.flatnonzero(~(smoothed <= DIVERGED * np.minimum.accumulate(smoothed)))
    end = int(broken[0]) if len(broken) else len(losses)
    if end < FEWEST:
        raise DataError(
            f"find_learning_rate: the loss broke out at rate {rates[end]:.2g} after {end} steps; lower low"
        )
    rates, losses, smoothed = rates[:end], losses[:end], smoothed[:end]
    suggestion = max(rates[smoothed.argmin()] / below, rates[0])
    return RateFinding(rates, losses, smoothed, float(suggestion), bool(len(broken)))


def _smoothed(losses: Array) -> Array:
    """Return the exponential moving average of losses, corrected for its start at zero as Adam's means."""
    mean, means = 0.0, []
    for step, loss in enumerate(losses, 1):
        mean = SMOOTHING * mean + (1.0 - SMOOTHING) * loss
        means.append(mean / (1.0 - SMOOTHING**step))
    return np.array(means)


def _draw(axes: Axes, finding: RateFinding) -> Axes:
    axes.plot(finding.rates, finding.losses, color=BEHIND, lw=1.0, label="each step")
    axes.plot(finding.rates, finding.smoothed, color=FRONT, lw=1.8, label="smoothed")
    height = float(np.interp(finding.suggestion, finding.rates, finding.smoothed))
    mark(axes, finding.suggestion, height, f"suggestion: {finding.suggestion:.2g}")
    axes.set_xscale("log")
    # The smoothed losses decide how high it goes: a single step just before the end may tower above them.
    least, most = float(finding.losses.min()), float(finding.smoothed.max())
    margin = 0.1 * (most - least) or 1.0
    axes.set_ylim(least - margin, most + margin)
    axes.set_xlabel("learning rate", color=QUIET)
    curves(axes, "training loss")
    return axes
