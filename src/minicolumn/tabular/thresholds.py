"""Decision thresholds: from which probability on the second of two classes is predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from minicolumn.errors import DataError, did_you_mean
from minicolumn.registry import read_text

Array = np.ndarray
Rule = Literal["fixed", "f1", "cost"]
FORMS = "a number between 0 and 1, f1, or cost:false_positive=1,false_negative=5"


@dataclass(frozen=True, slots=True)
class Threshold:
    """How the decision threshold between two classes is chosen.

    rule        "fixed" at `value`; or on held-out rows "f1": the greatest F1 score of the second class,
                "cost": the least sum of what wrong predictions cost
    false_positive, false_negative      the cost of the second class predicted wrongly, and of one missed

    >>> Threshold("cost", false_negative=5.0).best(np.array([0.1, 0.3, 0.8]), np.array([0, 1, 1]))
    0.2
    """

    rule: Rule
    value: float = 0.5
    false_positive: float = 1.0
    false_negative: float = 1.0

    def best(self, p: Array, y: Array, weight: Array | None = None) -> float:
        """Return the threshold for held-out rows.

        p           probability of the second class, [rows]; y: class codes, 0 or 1
        weight      of the rows, >= 0, [rows]: one of w counts as w equal ones; None for 1 each
        Returns     a number between 0 and 1, in the middle between two probabilities; of equally good ones
                    the nearest to 1/2
        """
        if self.rule == "fixed":
            return self.value
        levels = np.unique(p.astype(np.float64))
        cuts = np.concatenate([[levels[0] / 2], (levels[1:] + levels[:-1]) / 2, [(levels[-1] + 1) / 2]])
        order = np.argsort(p, kind="stable")
        below = np.searchsorted(p[order], cuts)
        each = np.ones(len(y)) if weight is None else weight.astype(np.float64)[order]
        ones = np.concatenate([[0.0], np.cumsum(each * y[order])])
        both = np.concatenate([[0.0], np.cumsum(each)])
        missed, hit = ones[below], ones[-1] - ones[below]
        wrong = both[-1] - both[below] - hit
        if self.rule == "f1":
            loss = -2.0 * hit / np.maximum(2.0 * hit + wrong + missed, 1e-300)
        else:
            loss = self.false_positive * wrong + self.false_negative * missed
        # Sums of weights in another order differ in their last places.
        good = np.flatnonzero(loss <= loss.min() + 1e-12 * np.abs(loss).max())
        return float(cuts[good[np.argmin(np.abs(cuts[good] - 0.5))]])


def check_threshold(where: str, given: Any) -> Threshold | None:
    """Return the rule that a number or a text stands for; None stays None.

    Errors      DataError for anything else

    >>> check_threshold("threshold", "cost:false_negative=5").false_negative
    5.0
    """
    if given is None or isinstance(given, Threshold):
        return given
    try:
        value = float(given)
    except (TypeError, ValueError):
        return _rule(where, given)
    if not 0.0 < value < 1.0:
        raise DataError(f"{where}: expected {FORMS}, got {given!r:.60}")
    return Threshold("fixed", value)


def _rule(where: str, given: Any) -> Threshold:
    """Return the rule that a text stands for: a name, with costs behind a colon."""
    if not isinstance(given, str):
        raise DataError(f"{where}: expected {FORMS}, got {given!r:.60}")
    name, costs = read_text(given)
    if name == "f1" and not costs:
        return Threshold("f1")
    sides = ("false_positive", "false_negative")
    if name != "cost" or not set(costs) <= set(sides):
        odd = next((side for side in costs if side not in sides), "")
        hint = did_you_mean(odd, sides) if name == "cost" else did_you_mean(name, ["f1", "cost"])
        raise DataError(f"{where}: expected {FORMS}, got {given!r:.60}{hint}")
    try:
        amounts = {side: float(cost) for side, cost in costs.items()}
    except ValueError:
        amounts = {"": 0.0}
    if not all(0.0 < cost < np.inf for cost in amounts.values()):
        raise DataError(f"{where}: costs are numbers > 0, got {given!r:.60}")
    return Threshold("cost", **amounts)
