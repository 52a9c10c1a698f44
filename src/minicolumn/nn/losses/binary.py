"""Losses of binary and multi-label classification: one boolean answer a row, or several."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from minicolumn.ir.ops.elementwise import SOFTPLUS
from minicolumn.nn.losses.reduce import Array, alike, finite_unless_shared, mean, per_row
from minicolumn.registry import Number, Search

SMOOTHING = Number(
    name="label_smoothing",
    help="Share of each target that is spread evenly over all answers.",
    ge=0,
    lt=1,
    search=Search(0.0, 0.3),
    training_only=True,
)
FOCUS = Number(
    name="gamma",
    help="The more, the less rows count that are already right.",
    ge=0,
    search=Search(0.0, 5.0),
)
BALANCE = Number(
    name="alpha",
    help="Share of the weight that yes gets.",
    gt=0,
    lt=1,
    optional=True,
    search=Search(0.05, 0.95),
)


def binary_cross_entropy(
    outputs: Array,
    targets: Array,
    sample_weight: Array | None = None,
    *,
    label_smoothing: Annotated[float, SMOOTHING] = 0.0,
) -> Any:
    """Return the mean cross entropy of yes-or-no targets, from logits.

        mean over rows and outputs of  t log(1 + e^-y) + (1 - t) log(1 + e^y),      t' = (1 - s) t + s / 2

    Both terms keep their relative precision however sure the network is.

    outputs         logits, [batch] or [batch, outputs, ...]
    targets         0 or 1 (or a share between), the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    label_smoothing how much of each target is spread evenly over yes and no, 0 <= s < 1
    Errors          ShapeError if the shapes differ; DataError for a smoothing outside [0, 1)

    >>> float(binary_cross_entropy(np.array([[0.0]]), np.array([1])).round(4))
    0.6931
    """
    smoothing = SMOOTHING.check(label_smoothing, "binary_cross_entropy")
    share = alike("binary_cross_entropy", outputs, targets)
    if smoothing:
        share = (1.0 - smoothing) * share + 0.5 * smoothing
    yes, no = _asked(share, outputs)
    rows = per_row(share * SOFTPLUS(-yes) + (1.0 - share) * SOFTPLUS(no))
    return mean("binary_cross_entropy", rows, sample_weight)


def binary_focal(
    outputs: Array,
    targets: Array,
    sample_weight: Array | None = None,
    *,
    gamma: Annotated[float, FOCUS] = 2.0,
    alpha: Annotated[float | None, BALANCE] = None,
) -> Any:
    """Return the cross entropy of yes-or-no targets with less weight for rows that are already right.

        mean of  -(1 - p)^gamma log p,      p = logistic(y) of the right answer,
                                            times alpha where t = 1 and 1 - alpha where t = 0

    outputs         logits, [batch] or [batch, outputs, ...]
    targets         0 or 1 (or a share between, which mixes the two), the same shape; [batch] will do for
                    [batch, 1]
    sample_weight   [batch], or None for all alike
    gamma           0 gives the cross entropy; the more, the less easy rows count
    alpha           share of the weight that yes gets; None weighs both with 1
    Errors          ShapeError if the shapes differ; DataError for settings out of range
    Source          Lin, Goyal, Girshick, He, Dollar 2017 (arXiv 1708.02002), equation 5

    >>> float(binary_focal(np.array([0.0]), np.array([1])).round(4))  # log(2) / 4
    0.1733
    """
    gamma = FOCUS.check(gamma, "binary_focal")
    alpha = BALANCE.check(alpha, "binary_focal")
    share = alike("binary_focal", outputs, targets)
    yes, no = (1.0, 1.0) if alpha is None else (alpha, 1.0 - alpha)
    of_yes, of_no = _asked(share, outputs)
    each = yes * share * focused(-of_yes, gamma) + no * (1.0 - share) * focused(of_no, gamma)
    return mean("binary_focal", per_row(each), sample_weight)


def _asked(share: Array, outputs: Array) -> tuple[Array, Array]:
    """Return the logits that yes is asked about, and those that no is."""
    return finite_unless_shared(share, outputs), finite_unless_shared(1.0 - share, outputs)


def focused(x: Array, gamma: float) -> Array:
    """Return -(1 - p)^gamma log p for p = logistic(-x): by how much the wrong answer leads is x."""
    # 1 - p = e^-softplus(-x): no power of a number near 0, whose slope would not be finite.
    return np.exp(-gamma * SOFTPLUS(-x)) * SOFTPLUS(x)


def hinge(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return the mean hinge loss of yes-or-no targets: nothing for answers that are right by a margin of 1.

        mean over rows and outputs of  max(0, 1 - s y),     s = 1 for yes, -1 for no

    The slope at the kink is the mean of both sides. Several outputs are as many yes-or-no answers: one class
    against the rest each. `categorical_hinge` is for one class out of several.

    outputs         margins, > 0 for yes; [batch] or [batch, outputs, ...]
    targets         0 or 1, the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    Errors          ShapeError if the shapes differ
    Source          Cortes & Vapnik 1995
    Differs         scikit-learn takes -1 and 1 as targets

    >>> float(hinge(np.array([0.5, 0.5]), np.array([1, 0])))  # (0.5 + 1.5) / 2
    1.0
    """
    short = _short("hinge", outputs, targets)
    return mean("hinge", per_row(short), sample_weight)


def squared_hinge(outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
    """Return the mean squared hinge loss of yes-or-no targets.

        mean over rows and outputs of  max(0, 1 - s y)^2,       s = 1 for yes, -1 for no

    Several outputs are as many yes-or-no answers: one class against the rest each.

    outputs         margins, > 0 for yes; [batch] or [batch, outputs, ...]
    targets         0 or 1, the same shape; [batch] will do for [batch, 1]
    sample_weight   [batch], or None for all alike
    Errors          ShapeError if the shapes differ

    >>> float(squared_hinge(np.array([0.5, 0.5]), np.array([1, 0])))  # (0.25 + 2.25) / 2
    1.25
    """
    short = _short("squared_hinge", outputs, targets)
    return mean("squared_hinge", per_row(short * short), sample_weight)


def _short(name: str, outputs: Array, targets: Array) -> Array:
    """Return what each margin lacks to 1."""
    return np.maximum(1.0 - (2.0 * alike(name, outputs, targets) - 1.0) * outputs, 0.0)
