"""The strategies by name."""

from __future__ import annotations

from collections.abc import Callable

from minicolumn.errors import DataError, did_you_mean
from minicolumn.tune.strategies.course import Course
from minicolumn.tune.strategies.grid import GridSearch
from minicolumn.tune.strategies.grow import Grow
from minicolumn.tune.strategies.sampled import asha, hyperband, random_search, tpe
from minicolumn.tune.strategies.strategy import Ground, Strategy

STRATEGIES: dict[str, Callable[[Ground], Strategy]] = {
    "course": Course,
    "random": random_search,
    "tpe": tpe,
    "asha": asha,
    "hyperband": hyperband,
    "grid": GridSearch,
    "grow": Grow,
}


def strategy_by_name(where: str, name: str) -> Callable[[Ground], Strategy]:
    """Return what makes a strategy; DataError for an unknown name, with the nearest.

    >>> strategy_by_name("strategy", "tpee")
    Traceback (most recent call last):
    minicolumn.errors.DataError: strategy: unknown strategy 'tpee'; did you mean 'tpe'?
    """
    if name not in STRATEGIES:
        hint = did_you_mean(str(name)[:40], STRATEGIES) or f"; expected {', '.join(STRATEGIES)}"
        raise DataError(f"{where}: unknown strategy {name!r:.60}{hint}")
    return STRATEGIES[name]
