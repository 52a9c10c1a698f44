"""Forward selection of an ensemble's members: in which order, and what the mean of the first few would lose.

    loss of the mean of S  =  mean over S of each one's loss  -  gap(S)

    squared error   gap:  mean over rows of the variance over S
    log loss        gap:  mean over rows of  log p_y - mean over S of log p_iy,  p the mean, y the right class

Each one's loss is known from the rows that it held out; the gap is taken from rows that most of them have
learnt from, where they agree more than on new ones. So what is expected of several is rather too high.

Source      Krogh & Vedelsby 1995, "Neural network ensembles, cross validation, and active learning"; forward
            selection: Caruana, Niculescu-Mizil, Crew & Ksikes 2004, "Ensemble selection from libraries of
            models"
Differs     Caruana's takes members repeatedly, by their loss on rows that all of them held out. Those rows
            would be lost to all; and who chooses among equals by few rows chooses by luck, so none is left
            out here but those which are clearly worse
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
Gap = Callable[[Array, Array | None], float]
TINY = 1e-30  # a probability that vanished still has a logarithm
# Members are judged by different rows, and few: only what lies beyond two standard errors is believed.
_ERRORS = 2.0


@dataclass(frozen=True)
class Choice:
    """The members of an ensemble in the order in which they were chosen.

    order       their places, the first one alone the best
    losses      expected of the mean of the first one, two, ..., by the rows held out
    count       how many are taken: those behind are clearly worse, and the mean would lose more with them
    """

    order: tuple[int, ...]
    losses: tuple[float, ...]
    count: int


def gap_of_numbers(predictions: Array, weight: Array | None = None) -> float:
    """Return the mean over rows of the variance over members.

    predictions [members, rows, outputs]
    weight      of the rows, [rows]; None for all alike
    """
    spread = np.sum(np.var(predictions, axis=0, dtype=np.float64), axis=-1)
    return float(np.average(spread, weights=weight))


def gap_of_right_answers(predictions: Array, weight: Array | None = None) -> float:
    """Return the mean over rows of how much less the mean loses than the members do, in log loss.

    predictions the probability of the right class, [members, rows, 1]
    weight      of the rows, [rows]; None for all alike
    """
    p = np.maximum(predictions.astype(np.float64), TINY)
    return float(np.average((np.log(p.mean(axis=0)) - np.log(p).mean(axis=0))[:, 0], weights=weight))


def believed(losses: Sequence[Array], weights: Sequence[Array | None] | None = None) -> Array:
    """Return each member's loss as far as the rows that it held out show it to be worse than the others.

        m  +  max(e - 2 s / sqrt(rows), 0),     m: the median of all, e: by how much a member's is above it

    losses      of each member, by the rows that it held out, [rows]; s: the standard deviation of their
                population, of which one row says nothing
    weights     of these rows; None for all alike. As many rows as (sum w)^2 / sum w^2 are counted then (Kish
                1965, "Survey sampling")
    Returns     float64 [members]

    >>> believed([np.array([0.9, 1.1]), np.array([0.9, 1.1]), np.array([2.9, 3.1])]).round(2)
    array([1. , 1. , 2.8])
    """
    found = [_mean_and_error(each, None if weights is None else weights[n]) for n, each in enumerate(losses)]
    means, errors = np.array(found).T
    centre = float(np.median(means))
    return centre + np.maximum(means - centre - _ERRORS * errors, 0.0)


def _mean_and_error(losses: Array, weight: Array | None) -> tuple[float, float]:
    """Return the weighted mean of some rows' losses, [rows], and its standard error; of one row infinity."""
    each = np.ones(len(losses)) if weight is None else weight.astype(np.float64)
    mean, rows = float(np.average(losses, weights=each)), each.sum() ** 2 / np.sum(each**2)
    if rows <= 1.0 + 1e-9:
        return mean, np.inf
    return mean, float(np.sqrt(np.average((losses - mean) ** 2, weights=each) / (rows - 1.0)))


def choose(losses: Array, predictions: Array, gap: Gap, weight: Array | None = None) -> Choice:
    """Choose members one by one: next comes the one with which the mean is expected to lose least.

    losses      of each member, as `believed` gives them, [members]: those above the least are clearly worse,
                and come last
    predictions of each for the same rows, [members, rows, outputs]
    weight      of these rows, [rows]; None for all alike

    >>> numbers = np.array([[[0.0]], [[2.0]], [[0.0]]])
    >>> choose(np.array([1.0, 1.0, 9.0]), numbers, gap_of_numbers)  # 0 and 1 err to opposite sides
    Choice(order=(0, 1, 2), losses=(1.0, 0.0, 2.7777777777777777), count=2)
    """
    order: list[int] = []
    expected: list[float] = []
    good = np.flatnonzero(losses <= losses.min())
    for group in (good.tolist(), np.setdiff1d(np.arange(len(losses)), good).tolist()):
        while group:
            tried = [[*order, place] for place in group]
            found = [float(np.mean(losses[each])) - gap(predictions[each], weight) for each in tried]
            best = int(np.argmin(found))
            order.append(group.pop(best))
            expected.append(found[best])
    count = len(good)
    while count < len(order) and expected[count] < expected[count - 1]:
        count += 1
    return Choice(tuple(order), tuple(expected), count)
