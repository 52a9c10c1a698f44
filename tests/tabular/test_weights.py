"""Weights of rows in all that is chosen and told after the training: a row of weight w counts as w rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicolumn.model import metrics
from minicolumn.model.weighted_scores import WEIGHTED, weighted_decision_scores, weighted_scores
from minicolumn.nn import Loss
from minicolumn.nn.outputs import Point
from minicolumn.tables import Overrides
from minicolumn.tabular import TableRun, TableSettings, plan_table, train_plan
from minicolumn.tabular.calibrate import best_factor
from minicolumn.tabular.choice import believed, gap_of_numbers, gap_of_right_answers
from minicolumn.tabular.thresholds import check_threshold

Array = np.ndarray
SUMS: dict[str, Any] = {"rtol": 1e-9}  # the same float64 sums in another order
COUNTS = st.lists(st.integers(0, 4), min_size=2, max_size=30).filter(lambda counts: sum(counts) > 1)


def _classes(counts: Array, classes: int) -> tuple[Array, Array]:
    """Return probabilities and codes of as many rows as counts."""
    rng = np.random.default_rng(len(counts) + int(counts.sum()))
    logits = rng.normal(0.0, 2.0, (len(counts), classes))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return p, rng.integers(0, classes, len(counts))


@given(COUNTS, st.sampled_from([2, 3]))
@settings(deadline=None, max_examples=40)
def test_every_usual_score_of_weights_is_that_of_repeated_rows(given_counts: list[int], classes: int) -> None:
    counts = np.array(given_counts)
    p, codes = _classes(counts, classes)
    outputs = Loss("softmax_cross_entropy").outputs
    again = codes.repeat(counts), p.repeat(counts, axis=0)
    found, wanted = weighted_scores(outputs, codes, p, counts), metrics.usual_scores(outputs, *again)
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    guess = p.argmax(axis=1)
    wanted = metrics.decision_scores(again[0], guess.repeat(counts), classes)
    assert weighted_decision_scores(codes, guess, classes, counts) == pytest.approx(wanted, rel=1e-9)
    y, guessed = np.log(p[:, 0]), p[:, 1]
    wanted = metrics.usual_scores(Point(), y.repeat(counts), guessed.repeat(counts))
    assert weighted_scores(Point(), y, guessed, counts) == pytest.approx(wanted, rel=1e-7, abs=1e-9)


def test_every_usual_score_has_a_weighted_form() -> None:
    usual = {name for name, score in metrics.METRICS.items() if score.usual}
    assert usual <= WEIGHTED.keys()


@given(COUNTS, st.sampled_from(["f1", "cost:false_positive=1,false_negative=5"]))
@settings(deadline=None, max_examples=40)
def test_the_threshold_of_weights_is_that_of_repeated_rows(given_counts: list[int], rule: str) -> None:
    counts = np.array(given_counts)
    p, y = _classes(counts, 2)
    threshold = check_threshold("", rule)
    assert threshold is not None
    some = counts > 0
    found = threshold.best(p[some, 1], y[some], counts[some])
    assert found == threshold.best(p[:, 1].repeat(counts), y.repeat(counts))
    scaled = threshold.best(p[some, 1], y[some], 0.3 * counts[some])
    assert scaled == found


def test_the_temperature_of_weights_is_that_of_repeated_rows_and_knows_no_unit() -> None:
    p, y = _classes(np.ones(400), 3)
    counts = np.tile([0, 1, 2, 1], 100)  # as many rows as there were, so that the prior weighs the same
    found = best_factor(p, y, counts)
    assert found == pytest.approx(best_factor(p.repeat(counts, axis=0), y.repeat(counts)), rel=2e-6)
    assert found == pytest.approx(best_factor(p, y, 1e6 * counts), rel=2e-6)  # the search ends within 1e-6
    assert found != pytest.approx(best_factor(p, y), rel=1e-3)
    assert best_factor(p, y, np.ones(400)) == best_factor(p, y)


def test_members_are_compared_by_weighted_losses() -> None:
    rng = np.random.default_rng(0)
    losses, weight = [rng.gamma(2.0, size=50) for _ in range(3)], rng.integers(0, 3, 50).astype(np.float64)
    losses[1] = losses[1] + 3.0
    alike = [np.ones(50)] * 3
    np.testing.assert_allclose(believed(losses, alike), believed(losses), **SUMS)
    np.testing.assert_allclose(believed(losses, [7.0 * w for w in alike]), believed(losses), **SUMS)
    # A member whose bad rows weigh nothing is as good as the others.
    bad = np.where(np.arange(50) < 25, 9.0, losses[0])
    ignored = np.where(np.arange(50) < 25, 0.0, 1.0)
    judged = believed([*losses[:1] * 2, bad], [ignored] * 3)
    np.testing.assert_allclose(judged, np.average(losses[0], weights=ignored), **SUMS)
    assert believed([*losses[:1] * 2, bad])[2] > 2.0 * judged[2]
    p = rng.uniform(0.1, 0.9, (3, 50, 1))
    for gap in (gap_of_numbers, gap_of_right_answers):
        counts = weight.astype(int)
        np.testing.assert_allclose(gap(p, weight), gap(p.repeat(counts, axis=1), None), **SUMS)
        np.testing.assert_allclose(gap(p, np.ones(50)), gap(p, None), **SUMS)


# Through the whole training ---------------------------------------------------------------------------------

ROWS = 160
SMALL: dict[str, Any] = {"hidden": (8,), "epochs": 4, "batch_size": 32}


def _frame(odd: bool) -> polars.DataFrame:
    """Return rows of which every third weighs nothing; of these the labels are those of others where odd."""
    rng = np.random.default_rng(1)
    size = rng.standard_normal(ROWS)
    weight = np.where(np.arange(ROWS) % 3, 1.0 + np.arange(ROWS) % 2, 0.0)
    label = size + 0.5 * rng.standard_normal(ROWS) > 0
    if odd:
        label[weight == 0] = rng.permutation(label[weight == 0])
    return polars.DataFrame(
        {
            "size": size,
            "weight": weight,
            "group": [f"g{n}" for n in range(ROWS)],
            "two": np.where(label, "large", "small"),
        }
    )


def _run(frame: polars.DataFrame, members: int) -> TableRun:
    # Groups of one row: splits that do not depend on labels.
    overrides = Overrides(weight="weight", groups="group")
    said = TableSettings(
        "two", overrides=overrides, members=members, threshold=check_threshold("", "f1"), **SMALL
    )
    test = frame[:40].with_columns(two=polars.Series(["large", "small"] * 20))
    return train_plan(plan_table(frame[40:], said, test))


@pytest.mark.parametrize("members", [1, 4])
def test_rows_that_weigh_nothing_change_nothing(members: int) -> None:
    one, other = _run(_frame(odd=False), members), _run(_frame(odd=True), members)
    assert one.model.training["temperature"] == other.model.training["temperature"]
    assert one.model.table is not None
    assert other.model.table is not None
    assert one.model.table.threshold == other.model.table.threshold != 0.5
    assert one.out_of_fold == other.out_of_fold
    assert one.metrics == other.metrics
    if members > 1:
        assert one.model.training["members"] == other.model.training["members"]


@pytest.mark.parametrize("members", [1, 4])
def test_class_weights_are_in_every_loss_and_in_no_score(members: int) -> None:
    frame = _frame(odd=False).with_columns(
        two=polars.Series(["rare" if n % 5 else "usual" for n in range(ROWS)])
    )
    said = TableSettings("two", overrides=Overrides(drop=("group", "weight")), members=members, **SMALL)
    plan = plan_table(frame, replace(said, class_weight={"usual": 3.0}))
    for part in (plan.train, *([plan.validation] if members == 1 else [])):
        assert part.weight is None
        usual = part.y == plan.schema.classes.index("usual")
        np.testing.assert_array_equal(part.loss_weight, np.where(usual, 3.0, 1.0))
        np.testing.assert_array_equal(part.given()[2], part.loss_weight)  # type: ignore[misc]
    heavy = plan_table(
        frame.with_columns(weight=polars.lit(2.0)),
        replace(said, class_weight={"usual": 3.0}, overrides=Overrides(drop=("group",), weight="weight")),
    )
    assert set(np.asarray(heavy.train.loss_weight)) == {2.0, 6.0}
    assert set(np.asarray(heavy.train.weight)) == {2.0}
