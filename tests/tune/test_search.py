"""The search: candidates on folds, side by side; budgets, failures, interrupts, rows that nobody looks at."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import polars
import pytest

import minicolumn as mc
from minicolumn.errors import DataError, DivergenceError
from minicolumn.model.metrics import METRICS
from minicolumn.tune import Candidate, Space
from minicolumn.tune.build import Workshop
from minicolumn.tune.evaluate import Watcher, evaluate
from minicolumn.tune.score import Score
from minicolumn.tune.search import Progress
from minicolumn.tune.session import SearchPlan, Shown, run_search
from minicolumn.tune.trial import Trial, summary_of

Plan = Callable[..., SearchPlan]
NEVER = Watcher(lambda: False)


def _watched(watch: Callable[[Progress], None]) -> Shown:
    @contextmanager
    def shown(plan: SearchPlan) -> Iterator[Callable[[Progress], None]]:
        yield watch

    return Shown(search=shown)


def _first(plan: SearchPlan) -> Candidate:
    """Return one candidate of a plan's space."""
    return plan.setup.space.draw(lambda name, part: getattr(part, "values", (0.05,))[0])


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_a_trial_is_what_scikit_learn_would_measure(task: str, plan: Plan) -> None:
    """Each fold's score is that of the network which was trained without it, on the rows that it held out."""
    made = plan(task, folds=3)
    workshop, score = made.workshop, made.setup.score
    candidate = _first(made)
    trial = evaluate(workshop, candidate, NEVER)
    assert trial is not None
    assert trial.state == "finished"
    assert [len(curve) for curve in trial.curves] == [workshop.epochs] * 3
    encoder, train = workshop.table.encoder, workshop.table.train
    for number, fold in enumerate(workshop.data.folds):
        run = workshop.trainer(candidate, number, []).run()
        said = run.model.predict(train.X[fold.held])
        if task == "regression":
            pair = encoder.in_unit(train.y[fold.held]), encoder.in_unit(said.reshape(-1))
        else:
            pair = train.y[fold.held], said
        expected = METRICS[score.name].function(*pair)
        assert trial.curves[number][-1] == pytest.approx(expected, rel=1e-5)
        assert not set(fold.kept) & set(fold.held)


def test_threads_and_order_change_no_trial(plan: Plan) -> None:
    one = run_search(plan(threads=1, trials=4), refit=False)
    two = run_search(plan(threads=2, trials=4), refit=False)
    assert {(t.candidate, t.by_fold) for t in one.records} == {(t.candidate, t.by_fold) for t in two.records}


def test_test_rows_take_no_part_in_the_search(plan: Plan) -> None:
    """With other values in the test rows every trial, the winner and its weights are the same bits."""
    rng = np.random.default_rng(1)
    a = rng.standard_normal(100)
    table = polars.DataFrame({"a": a, "b": rng.standard_normal(100), "y": 2 * a})
    first = plan(table=table)
    tested = set(first.workshop.table.test.frame["a"].to_list())
    spoilt = table.with_columns(
        y=polars.when(polars.col("a").is_in(tested)).then(1000.0).otherwise(polars.col("y"))
    )
    second = plan(table=spoilt)
    one, two = run_search(first), run_search(second)
    assert [(t.candidate, t.by_fold, t.curves) for t in one.records] == [
        (t.candidate, t.by_fold, t.curves) for t in two.records
    ]
    assert one.setup == two.setup
    assert str(one.best_model.params) == str(two.best_model.params)
    assert one.refit is not None
    assert two.refit is not None
    assert one.refit.out_of_fold == two.refit.out_of_fold
    assert one.metrics != two.metrics


def test_test_rows_are_those_of_train(plan: Plan, frame: Any) -> None:
    ours = plan("binary").workshop.table.test.frame
    table = frame("binary")
    run = mc.fit_table(table, "y", members=1, epochs=1, hidden=4)
    assert run.rows["test"] == ours.height
    from minicolumn.tabular import TableSettings, plan_table

    assert plan_table(table, TableSettings("y")).test.frame.equals(ours)


@pytest.mark.parametrize("kind", ["groups", "time_order"])
def test_folds_heed_groups_and_time(kind: str, plan: Plan) -> None:
    rng = np.random.default_rng(0)
    rows = 90
    table = polars.DataFrame({
        "a": rng.standard_normal(rows), "g": [f"g{n % 9}" for n in range(rows)], "t": rng.permutation(rows),
        "y": rng.standard_normal(rows),
    })  # fmt: skip
    column = {"groups": "g", "time_order": "t"}[kind]
    made = plan(table=table, folds=3, **{kind: column})
    values = made.workshop.table.train.frame[column].to_numpy()
    lengths = set()
    for fold in made.workshop.data.folds:
        kept, held = values[fold.kept], values[fold.held]
        if kind == "groups":
            assert not set(kept) & set(held)
        else:
            assert kept.max() < held.min()
            lengths.add(len(kept))
    assert kind == "groups" or len(lengths) == 1


# What ends a search -----------------------------------------------------------------------------------------


def test_a_budget_of_time_ends_it_and_one_trial_is_finished(plan: Plan) -> None:
    study = run_search(plan(time=0.001, trials=None), refit=False)
    assert study.stopped == "out of time"
    assert len(study.ranked) == 1


def test_a_score_that_is_good_enough_ends_it(plan: Plan) -> None:
    study = run_search(plan(trials=50, target_score=-100.0), refit=False)
    assert (study.stopped, len(study.records)) == ("target score", 1)


def test_a_space_that_is_used_up_ends_it(plan: Plan) -> None:
    space = {
        "layers": 1, "width": 4, "activation": "relu", "ramps": False, "schedule": "cosine", "batch_size": 32,
        "dropout": 0.1, "learning_rate": (0.01, 0.05), "weight_decay": 0.01,
    }  # fmt: skip
    study = run_search(plan(space=space, strategy="grid", trials=9), refit=False)
    assert (study.stopped, len(study.records)) == ("all tried", 2)


def test_a_grid_is_of_what_was_said_and_of_networks(plan: Plan) -> None:
    """What nobody spoke of is as the recipe of tables has it, not a grid of its own."""
    space = plan(strategy="grid", space={"learning_rate": (0.01, 0.05)}).setup.space
    searched = {name for name, part in space.said().items() if len(part.values) > 1}  # type: ignore[union-attr]
    assert searched == {"layers", "width", "shape", "learning_rate"}


def test_an_interrupt_keeps_everything(plan: Plan) -> None:
    sent: list[int] = []

    def stop(progress: Progress) -> None:
        if len(progress.trials) >= 2 and not sent:  # two may end at once, after a third
            sent.append(len(progress.trials))
            signal.raise_signal(signal.SIGINT)

    study = run_search(plan(trials=None, time=600.0, threads=2), _watched(stop))
    assert study.stopped == "interrupted"
    assert len(study.records) >= 2
    assert study.best_model is not None
    assert threading.active_count() < 20


# What becomes of candidates ---------------------------------------------------------------------------------


def test_a_candidate_that_diverges_is_a_failed_trial_with_its_reason(plan: Plan) -> None:
    space = {"layers": 1, "width": 4, "activation": "relu", "ramps": False, "schedule": "constant"}
    space |= {"optimizer": "sgd", "learning_rate": (1e-3, 0.9e38), "batch_size": 32, "dropout": 0.1}
    study = run_search(plan(space=space, trials=6, epochs=20), refit=False)
    failed = [t for t in study.records if t.state == "failed"]
    assert failed
    assert len(failed) < len(study.records)
    assert "diverged" in failed[0].reason
    assert study.winner is not None
    assert study.winner.candidate.learning_rate == 1e-3


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "the memory is not enough for it"),
        (DivergenceError("training diverged at step 3"), "training diverged at step 3"),
        (DataError("the training would take about 9 GB"), "the training would take about 9 GB"),
    ],
)
def test_each_failure_has_its_reason(
    error: Exception, words: str, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan()
    workshop = type(made.workshop)

    def fail(self: Any, candidate: Any, fold: int, callbacks: Any) -> Any:
        raise error

    monkeypatch.setattr(workshop, "trainer", fail)
    study = run_search(made)
    assert [t.state for t in study.records] == ["failed"] * 4
    assert study.records[0].reason == words
    with pytest.raises(DataError, match="none of 4 trials finished; the first failed"):
        study.best_model  # noqa: B018


def test_a_fault_of_the_program_is_not_hidden(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    made = plan()

    def fail(self: Any, candidate: Any, fold: int, callbacks: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(type(made.workshop), "trainer", fail)
    with pytest.raises(ZeroDivisionError):
        run_search(made)


def test_a_trial_without_prospect_is_pruned_at_a_rung(plan: Plan) -> None:
    made, asked = plan(folds=3, epochs=4), []

    def prune(resource: int, value: float) -> bool:
        asked.append((resource, value))
        return resource == 6

    candidate = _first(made)
    whole = evaluate(made.workshop, candidate, NEVER)
    trial = evaluate(made.workshop, candidate, Watcher(lambda: False, (2, 6, 9), prune))
    assert whole is not None
    assert trial is not None
    assert trial.state == "pruned"
    assert trial.reason == "no prospect after epoch 2 of fold 2"
    assert [len(curve) for curve in trial.curves] == [4, 2]
    assert trial.curves[0] == whole.curves[0]
    assert trial.curves[1] == whole.curves[1][:2]
    best = max(whole.curves[0]), max(whole.curves[1][:2])
    assert asked == [(2, max(whole.curves[0][:2])), (6, float(np.mean(best)))]
    assert trial.score == pytest.approx(np.mean(best))


def test_a_fold_ends_where_it_got_no_better_and_no_later_fold_goes_further(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(1).standard_normal((120, 3))  # learnt by heart, for worse scores
    made = plan(table=polars.DataFrame(noise, schema=["a", "b", "y"]), folds=3, epochs=60)
    candidate = replace(_first(made), horizon=1.0)
    patience = made.workshop.patience(candidate)
    trial = evaluate(made.workshop, candidate, NEVER)
    monkeypatch.setattr(Workshop, "patience", lambda self, candidate: math.inf)
    whole = evaluate(made.workshop, candidate, NEVER)
    assert trial is not None
    assert whole is not None
    assert patience == 30
    assert [len(curve) for curve in whole.curves] == [60, 60, 60]
    most = 60
    for curve, longer in zip(trial.curves, whole.curves, strict=True):
        ends = [n for n in range(1, 61) if n - _last_best(longer[:n], made.setup.score) >= patience]
        most = min([most, *ends])
        assert curve == longer[:most]
    assert len(trial.curves[0]) < 60  # or nothing was tested
    assert trial.by_fold == summary_of(trial.curves, made.setup.score).by_fold


def test_a_horizon_is_a_whole_training_of_fewer_epochs(plan: Plan) -> None:
    """Its curves are those of a search with so few epochs, with the schedule's end at theirs."""
    long, short = plan(folds=2, epochs=16), plan(folds=2, epochs=4)
    candidate = replace(_first(long), horizon=0.25)
    trial = evaluate(long.workshop, candidate, NEVER)
    other = evaluate(short.workshop, replace(candidate, horizon=1.0), NEVER)
    assert trial is not None
    assert other is not None
    assert [len(curve) for curve in trial.curves] == [4, 4]
    assert trial.curves == other.curves


def _last_best(curve: Sequence[float], score: Score) -> int:
    """Return the epoch of the best score, of equal ones the last, from 1."""
    return max(range(1, len(curve) + 1), key=lambda n: (score.sign * curve[n - 1], n))


def test_a_search_that_is_over_leaves_no_half_trial(plan: Plan) -> None:
    made = plan(epochs=50)
    candidate = _first(made)
    assert evaluate(made.workshop, candidate, Watcher(lambda: True)) is None


@pytest.mark.parametrize("strategy", ["asha", "hyperband", "tpe", "course"])
def test_every_strategy_searches(strategy: str, plan: Plan) -> None:
    study = run_search(plan("multiclass", strategy=strategy, trials=6, epochs=4, threads=2), refit=False)
    assert len(study.records) == 6
    assert study.best is not None
    assert not math.isnan(study.best.score)
    assert [t.number for t in study.records] == list(range(6))


# The winner -------------------------------------------------------------------------------------------------


def test_the_winner_is_trained_on_all_rows_to_the_epoch_of_its_score(plan: Plan) -> None:
    study = run_search(plan("binary", epochs=4))
    assert study.winner is not None
    assert study.refit is not None
    assert len(study.refit.history) == study.winner.epoch
    assert study.refit.rows == {"train": 90, "validation": 0, "test": 30}
    card = study.best_model.training["search"]
    assert (card["trials"], card["finished"], card["strategy"]) == (4, 4, "random")
    assert card["candidate"]["hidden"] == list(study.winner.candidate.hidden)
    assert Space.from_json(card["space"]) == study.setup.space


def test_out_of_fold_scores_are_of_the_searched_networks(plan: Plan) -> None:
    """Of numbers the mean over folds of the squared error is that of the out-of-fold predictions."""
    made = plan(score="rmse", folds=3)
    study = run_search(made)
    assert study.winner is not None
    assert study.refit is not None
    assert study.refit.out_of_fold is not None
    sizes = [len(fold.held) for fold in made.workshop.data.folds]
    assert len(set(sizes)) == 1
    squares = np.mean(np.square(study.winner.by_fold))
    assert study.refit.out_of_fold["rmse"] == pytest.approx(math.sqrt(squares), rel=1e-4)


def test_row_weights_and_class_weights_reach_the_winner(plan: Plan, frame: Any) -> None:
    table = frame("binary").with_columns(w=polars.lit(2.0))
    plain = run_search(plan(table=frame("binary"), trials=1))
    weighted = run_search(plan(table=table, weight="w", class_weight="balanced", trials=1))
    assert plain.refit is not None
    assert weighted.refit is not None
    assert weighted.refit.out_of_fold is not None
    assert set(weighted.refit.out_of_fold) == set(plain.metrics)


def test_a_winner_of_numbers_has_prediction_intervals(plan: Plan) -> None:
    study = run_search(plan(trials=1))
    assert "residuals" in study.best_model.training


@pytest.mark.parametrize("rule", ["smallest", "best"])
def test_the_winner_is_chosen_by_the_rule(rule: str, plan: Plan) -> None:
    study = run_search(plan(trials=6, winner=rule), refit=False)
    assert study.winner is not None
    assert study.best is not None
    assert study.winner.parameters <= study.best.parameters
    assert rule == "smallest" or study.winner is study.best


def test_a_trial_that_takes_long_is_seen_while_it_runs(plan: Plan) -> None:
    seen = []

    def look(progress: Progress) -> None:
        seen.extend(replace(standing) for standing in progress.standings)

    run_search(plan(trials=1, epochs=3000), _watched(look), refit=False)
    assert any(standing.epoch > 0 for standing in seen)


def test_an_interrupt_of_the_last_training_comes_out(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    made = plan()
    study = run_search(made, refit=False)
    from minicolumn.tune import winner as module

    monkeypatch.setattr(module, "run_side_by_side", lambda makers, threads, watch: [None] * len(makers))
    from minicolumn.tune.session import refit_winner

    with pytest.raises(KeyboardInterrupt):
        refit_winner(made, study)


def test_seconds_of_a_search_are_those_of_the_clock(plan: Plan) -> None:
    began = time.perf_counter()
    study = run_search(plan(trials=2), refit=False)
    assert 0.0 < study.seconds <= time.perf_counter() - began
    assert all(isinstance(t, Trial) and t.seconds <= study.seconds for t in study.records)
