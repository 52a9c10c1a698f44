"""What tests of the search share: small tables, plans of searches, and trials that nobody trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars
import pytest

from minicolumn.tabular.plan import plan_table
from minicolumn.tune.api import asked_of, table_settings
from minicolumn.tune.candidate import Candidate
from minicolumn.tune.score import Score
from minicolumn.tune.session import SearchPlan, plan_search
from minicolumn.tune.space import Space
from minicolumn.tune.strategies import Ground
from minicolumn.tune.trial import Trial, standard_error

# A space of two programs, which compile in a second.
SMALL: dict[str, Any] = {
    "layers": 1, "width": (4, 8), "activation": "relu", "ramps": False, "schedule": "cosine",
    "batch_size": 32,
}  # fmt: skip
ASKED: dict[str, Any] = {
    "space": SMALL, "strategy": "random", "time": None, "trials": 4, "target_score": None, "score": None,
    "folds": 2, "winner": "smallest", "storage": None, "resume": False, "seed": 0, "threads": 1,
}  # fmt: skip


def _frame(task: str, rows: int = 120) -> polars.DataFrame:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, rows))
    number = 2.0 * a - b + 0.1 * rng.standard_normal(rows)
    target = {
        "regression": number,
        "binary": [["no", "yes"][int(v > 0)] for v in number],
        "multiclass": [["low", "mid", "high"][int(v > -1) + int(v > 1)] for v in number],
    }[task]
    return polars.DataFrame({"a": a, "b": b, "y": target})


@pytest.fixture(scope="session")
def frame() -> Callable[..., polars.DataFrame]:
    """Make a small table of a task that can be learnt."""
    return _frame


@pytest.fixture(scope="session")
def plan() -> Callable[..., SearchPlan]:
    """Plan a search on a small table; keywords are those of `tune`."""

    def make(task: str = "regression", *, table: polars.DataFrame | None = None, **said: Any) -> SearchPlan:
        given = {"target": "y", "epochs": 3, "seed": 0} | said
        settings = table_settings("tune", {**_nothing(), **given})
        found = plan_table(_frame(task) if table is None else table, settings)
        return plan_search(found, asked_of("tune", ASKED | given))

    return make


def _nothing() -> dict[str, Any]:
    """Return what `mc.tune` is given where nothing is said of the table."""
    import inspect

    from minicolumn.tune.api import tune

    return {name: p.default for name, p in inspect.signature(tune).parameters.items() if name != "data"}


@pytest.fixture(scope="session")
def whole() -> Space:
    """A space with nothing left to the table."""
    return Space(
        layers=(1, 2, 3), width=(8, 16, 32, 64), shape=("constant", "funnel", "free"),
        activation=("relu", "mish"), normalization="none", dropout="0.0..0.5", ramps=False, optimizer="adamw",
        learning_rate="0.001..0.1", weight_decay=0.01, schedule="cosine", batch_size=(32, 64),
        horizon=1.0,
    )  # fmt: skip


@pytest.fixture(scope="session")
def ground() -> Callable[..., Ground]:
    """Make what a strategy knows of a search."""

    def make(space: Space, **said: Any) -> Ground:
        start = {
            "layers": 3, "width": 64, "shape": "constant", "activation": "relu", "normalization": "none",
            "dropout": 0.1, "ramps": False, "optimizer": "adamw",
            "learning_rate": 0.01, "weight_decay": 0.01, "schedule": "cosine", "batch_size": 32,
            "horizon": 1.0,
        }  # fmt: skip
        usual = Ground(space, Score("r2", True), folds=4, epochs=8, seed=0, start=start)
        return replace(usual, **said)

    return make


@pytest.fixture(scope="session")
def trial() -> Callable[..., Trial]:
    """Make a finished trial of scores by fold, which nobody trained."""

    def make(candidate: Candidate, by_fold: tuple[float, ...], parameters: int, number: int = 0) -> Trial:
        curves = tuple((round(value - 0.1, 6), value) for value in by_fold)
        return Trial(
            number, candidate, "finished", parameters, curves, curves, float(np.mean(by_fold)),
            standard_error(by_fold), 2, by_fold, 0.5,
        )  # fmt: skip

    return make
