"""Trials: the score over folds, its error, differences fold by fold, and who wins."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from minicolumn.errors import DataError
from minicolumn.tune import Candidate, Trial
from minicolumn.tune.evaluate import value_at
from minicolumn.tune.score import Score
from minicolumn.tune.trial import gain, ranked, smallest_within, standard_error, summary_of

UP, DOWN = Score("r2", True), Score("log_loss", False)
finite = st.floats(-10, 10)
curves_of_folds = st.integers(1, 5).flatmap(
    lambda epochs: st.lists(st.lists(finite, min_size=epochs, max_size=epochs), min_size=2, max_size=5)
)


@given(curves_of_folds, st.sampled_from([UP, DOWN]))
def test_the_score_is_the_best_mean_and_its_error_is_scipys(curves: list[list[float]], score: Score) -> None:
    found, values = summary_of(curves, score), np.array(curves)
    means = values.mean(axis=0)
    assert found.score == pytest.approx(means.max() if score.higher_is_better else means.min())
    assert means[found.epoch - 1] == found.score
    assert found.by_fold == tuple(values[:, found.epoch - 1])
    assert found.error == pytest.approx(float(stats.sem(values[:, found.epoch - 1])), abs=1e-12)
    later = means[found.epoch :]
    assert not (later == found.score).any()  # of equal ones the last


@given(curves_of_folds)
def test_what_is_no_number_is_never_the_score(curves: list[list[float]]) -> None:
    broken = [[math.nan, *curve] for curve in curves]
    assert summary_of(broken, UP).score == summary_of(curves, UP).score
    assert math.isnan(summary_of([[math.nan]], UP).score)
    assert summary_of([[], [1.0]], UP).epoch == 0


def test_a_difference_leaves_out_what_makes_folds_hard(trial: Any) -> None:
    c = Candidate((8,), "constant", "relu")
    one, other = trial(c, (0.5, 0.7, 0.9), 10), trial(c, (0.4, 0.61, 0.79), 10)
    better, error = gain(one, other, UP)
    assert better == pytest.approx(0.1)
    assert error == pytest.approx(stats.sem([0.1, 0.09, 0.11]))
    assert error < one.error / 10
    assert gain(one, other, DOWN)[0] == pytest.approx(-0.1)
    assert gain(trial(c, (0.5,), 1), trial(c, (0.4,), 1), UP)[1] == 0.0


def test_the_winner_is_the_smallest_within_one_standard_error(trial: Any) -> None:
    def made(width: int, by_fold: tuple[float, ...]) -> Trial:
        return trial(Candidate((width,), "constant", "relu"), by_fold, 10 * width)

    best, near, far = made(64, (0.80, 0.90, 0.85)), made(8, (0.79, 0.91, 0.84)), made(4, (0.7, 0.8, 0.75))
    assert ranked([far, near, best], UP) == [best, near, far]
    assert smallest_within([far, near, best], UP) == near
    assert smallest_within([far, best], UP) == best
    assert smallest_within([], UP) is None
    failed = Trial(3, near.candidate, "failed", 1, reason="x")
    assert smallest_within([failed, best], UP) == best
    assert smallest_within([far, near, best], DOWN) == far


@given(curves_of_folds, st.sampled_from([UP, DOWN]), st.data())
def test_the_value_at_a_resource_is_the_mean_of_the_best_so_far(
    curves: list[list[float]], score: Score, data: Any
) -> None:
    epochs = len(curves[0])
    resource = data.draw(st.integers(1, epochs * len(curves)))
    flat = [(fold, value) for fold, curve in enumerate(curves) for value in curve][:resource]
    best = max if score.higher_is_better else min
    folds = {fold for fold, _ in flat}
    expected = np.mean([best(value for fold, value in flat if fold == place) for place in folds])
    assert value_at(curves, epochs, resource, score) == pytest.approx(expected)
    assert math.isnan(value_at(curves, epochs, epochs * len(curves) + 1, score))


@given(curves_of_folds, st.sampled_from(["finished", "pruned", "failed"]), st.text(max_size=20))
def test_a_trial_survives_json(curves: list[list[float]], state: Any, reason: str) -> None:
    rounded = tuple(tuple(float(f"{v:.6g}") for v in curve) for curve in curves)
    made = Trial(3, Candidate((8, 4), "free", "relu"), state, 99, rounded, reason=reason, error=0.25)
    again = Trial.from_json(json.loads(json.dumps(made.to_json(), allow_nan=False)))
    assert repr(again) == repr(made)


@pytest.mark.parametrize(
    "change",
    [
        {"number": -1}, {"number": 1.5}, {"state": "lost"}, {"curves": 3}, {"curves": [[None, "x"]]},
        {"score": "1"},
        {"score": True}, {"reason": 3}, {"more": 1}, {"candidate": {}}, {"parameters": None},
    ],
)  # fmt: skip
def test_a_trial_from_json_is_checked(change: dict[str, Any]) -> None:
    said = Trial(0, Candidate((8,), "constant", "relu"), "finished", 1).to_json()
    with pytest.raises(DataError):
        Trial.from_json(said | change)


def test_the_standard_error_of_one_value_is_unknown() -> None:
    assert math.isnan(standard_error([1.0]))


def test_a_fold_that_ended_early_has_no_value_behind_its_end() -> None:
    curves, score = [[0.5, 0.7], [0.8]], Score("r2", True)
    values = [value_at(curves, 4, resource, score) for resource in range(1, 9)]
    assert values == pytest.approx([0.5, 0.7, math.nan, math.nan, 0.75, *[math.nan] * 3], nan_ok=True)
