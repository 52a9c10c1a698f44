"""Benchmarks of the search: nested splits, equal budgets, and files that are taken up again."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars
import pytest

import minicolumn as mc
from minicolumn.tune import STRATEGIES

SPACE: dict[str, Any] = {
    "layers": 1,
    "width": (4, 8),
    "activation": "relu",
    "ramps": False,
    "schedule": "cosine",
}


def _loaded(name: str) -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their annotations
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    return _loaded("tune_strategies")


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


# What a search wins over the default ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scores() -> ModuleType:
    return _loaded("tune_scores")


def test_other_test_rows_change_nothing_but_the_two_scores(benchmark: ModuleType, scores: ModuleType) -> None:
    """With rows of nonsense the winner is the same, and so is how many trials there were."""
    task = benchmark.Task("y")
    train, test = benchmark.split(_table(), task, 0)
    wrong = test.with_columns(polars.Series("y", ["yes" if v == "no" else "no" for v in test["y"]]))
    budget: dict[str, Any] = {"trials": 2, "space": SPACE, "epochs": 3, "folds": 2, "threads": 1}
    one, other = (
        scores.compared("t", train, rows, task, 0, "random", 60.0, **budget) for rows in (test, wrong)
    )
    assert (one.winner, one.weights, one.trials) == (other.winner, other.weights, other.trials)
    assert one.default == pytest.approx(1.0 - other.default)  # right where the other is wrong
    assert one.tuned == pytest.approx(1.0 - other.tuned)


def test_pairs_are_told(scores: ModuleType) -> None:
    pairs = [
        scores.Pair(table, seed, "course", 10.0, 0.5, 0.5 + gain + seed / 100, 1.0, 9.0, 4, 50, "8 relu")
        for table, gain in (("wine", 0.1), ("beer", -0.2))
        for seed in (0, 1)
    ]
    assert len({pair.kind for pair in pairs}) == 4
    lines = scores.shown(pairs)
    assert lines[1].split()[:5] == ["wine", "0.5000", "0.6050", "0.1050", "0.0050"]
    assert lines[-1] == "the search is better on 1 of 2 tables, by the mean over the seeds"


def test_what_was_measured_is_read_back(benchmark: ModuleType, tmp_path: Path) -> None:
    """A line that was torn off is none, and is done again."""
    measured, path = _loaded("measured"), tmp_path / "found.csv"
    found = [benchmark.Result("wine", entrant, 1, 1 / 3, 2.5, 7, 99) for entrant in ("train", "tpe")]
    assert measured.known(path, benchmark.Result) == []
    measured.keep(found, path, benchmark.Result)
    assert measured.known(path, benchmark.Result) == found
    path.write_text(path.read_text()[:-6])
    assert measured.known(path, benchmark.Result) == found[:1]
    path.write_text("a,b\n1,2\n")
    with pytest.raises(mc.DataError, match="other columns than this benchmark writes"):
        measured.known(path, benchmark.Result)


# Trials a minute beside other libraries ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def speeds() -> ModuleType:
    return _loaded("tune")


def test_a_line_tells_the_median_speed_and_how_many_times_as_fast_ours_is(speeds: ModuleType) -> None:
    found = [
        speeds.Measured("t", cores, side, 10, seconds / cores, 1.0, 0.9)
        for side, times in ((speeds.COLD, (30, 20, 60)), (speeds.SKLEARN, (120, 100, 60)))
        for seconds in times
        for cores in (1, 2)
    ]
    assert speeds.speed_of(found, "t", 1, speeds.COLD) == 20.0
    words = speeds.line_of(found, "t", 1, speeds.SKLEARN).split()
    assert words[-6:] == ["6.0", "(10.0)", "1.00", "0.9000", "3.33", "nan"]
    assert [line.split()[-1] for line in speeds.gains(found)] == ["2.00", "2.00"]


def test_all_sides_are_given_the_same_candidates(speeds: ModuleType, tmp_path: Path) -> None:
    _table().write_csv(tmp_path / "t.csv")
    whole = speeds.planned(tmp_path / "t.csv", "y", trials=6, epochs=10, cores=1)
    for candidate in speeds.candidates_of(whole):  # nobody trains for less than the others
        assert whole.workshop.epochs_of(candidate) == 10
        assert whole.workshop.patience(candidate) >= 10
    plan = speeds.planned(tmp_path / "t.csv", "y", trials=6, epochs=2, cores=1)
    candidates = speeds.candidates_of(plan)
    assert len(set(candidates)) == 6
    asked: list[tuple[Any, ...]] = []

    def train(candidate: Any, learnt: Any, held: Any, epochs: int) -> float:
        assert len(learnt[0]) + len(held[0]) == 90  # of 120 rows, a quarter tests
        asked.append((candidate.layers, candidate.width, candidate.learning_rate, candidate.batch_size))
        return 0.5

    pytest.importorskip("optuna")
    assert speeds.by_optuna(plan, 1, train) == [0.5] * 6
    said = [(c.layers, c.width, c.learning_rate, c.batch_size) for c in candidates for _ in range(3)]
    assert asked == said


def test_without_a_name_all_tables_are_measured() -> None:
    speeds = _loaded("tune")
    assert speeds.parsed([]).sets == speeds.parsed(["adult_income", "letter_recognition"]).sets
    with pytest.raises(SystemExit):
        speeds.parsed(["adult"])
