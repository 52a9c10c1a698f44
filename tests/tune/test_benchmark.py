"""The benchmark of strategies is a nested split: what is tested on is looked at by no choice."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars
import pytest

from minicolumn.tune import STRATEGIES

SPACE: dict[str, Any] = {
    "layers": 1,
    "width": (4, 8),
    "activation": "relu",
    "ramps": False,
    "schedule": "cosine",
}


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "tune_strategies.py"
    spec = importlib.util.spec_from_file_location("tune_strategies", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their annotations
    spec.loader.exec_module(module)
    return module


def _table() -> polars.DataFrame:
    a, b = np.random.default_rng(0).standard_normal((2, 120))
    return polars.DataFrame(
        {"row": np.arange(120.0) / 7 + a, "b": b, "y": [["no", "yes"][int(v)] for v in a > b]}
    )


def test_no_row_is_in_both_parts_and_none_is_lost(benchmark: ModuleType) -> None:
    table = _table()
    train, test = benchmark.split(table, benchmark.Task("y"), 3)
    assert train.height + test.height == table.height
    assert test.height == table.height // 4
    assert set(train["row"]) | set(test["row"]) == set(table["row"])
    assert not set(train["row"]) & set(test["row"])
    assert not test.equals(benchmark.split(table, benchmark.Task("y"), 4)[1])


@pytest.mark.parametrize("strategy", ["course", "tpe"])
def test_other_test_rows_change_no_trial_and_no_winner(benchmark: ModuleType, strategy: str) -> None:
    """With rows of nonsense: the same candidates, scores, winner and weights; another test score."""
    task = benchmark.Task("y")
    train, test = benchmark.split(_table(), task, 0)
    wrong = test.with_columns(
        polars.lit(9.0).alias("b"), polars.Series("y", ["yes" if v == "no" else "no" for v in test["y"]])
    )
    budget: dict[str, Any] = {"trials": 3, "space": SPACE, "epochs": 3, "folds": 2, "threads": 1}
    one, other = (benchmark.searched(train, rows, task, strategy, 0, **budget) for rows in (test, wrong))
    assert [(t.candidate, t.curves) for t in one.records] == [(t.candidate, t.curves) for t in other.records]
    assert one.winner.candidate == other.winner.candidate
    rows = train.drop("y")
    np.testing.assert_array_equal(one.predict(rows), other.predict(rows))
    assert one.metrics != other.metrics


def test_the_table_and_the_picture_are_of_all_results(
    benchmark: ModuleType, capsys: Any, tmp_path: Path
) -> None:
    scores = {"train": 0.8, "course": 0.9, "tpe": 0.85}
    results = [
        benchmark.Result("wine", entrant, seed, score + seed / 100, 1.0, 5)
        for entrant, score in scores.items()
        for seed in (0, 1)
    ]
    benchmark.show(results, [*scores])
    lines = capsys.readouterr().out.splitlines()
    assert "0.8050 +- 0.007" in lines[2]
    assert lines[3].split() == ["mean", "rank", "3.00", "1.00", "2.00"]
    benchmark.draw(results, [*scores], tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 1000


def test_its_strategies_are_those_that_there_are(benchmark: ModuleType) -> None:
    assert set(benchmark.STRATEGIES) == set(STRATEGIES) - {"grid"}  # which needs a finite space
