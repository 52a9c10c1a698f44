"""Ensembles of a table: who learns from which rows, what is chosen and averaged, and what is said of it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn.errors import DataError, DivergenceError
from minicolumn.tables import Overrides, infer_schema
from minicolumn.tabular import TableRun, TableSettings, budget, ensemble, pipeline, plan_table, train_plan
from minicolumn.tabular.budget import Deadline
from minicolumn.tabular.calibrate import best_factor
from minicolumn.tabular.choice import believed, choose, gap_of_numbers, gap_of_right_answers
from minicolumn.tabular.efforts import EFFORTS
from minicolumn.tabular.ensemble import EnsembleRun, joined, out_of_fold, train_members
from minicolumn.tabular.members import FEWEST_FOLDS, MOST_FOLDS, folds_of, members_of, whole_batches

ROWS = 160
SMALL: dict[str, Any] = {"hidden": (8,), "epochs": 4, "batch_size": 32}


def _table(rows: int = ROWS) -> polars.DataFrame:
    rng = np.random.default_rng(1)
    size, kind = rng.standard_normal(rows), rng.integers(0, 3, rows)
    score = 20.0 * size + 10.0 * kind + rng.standard_normal(rows)
    return polars.DataFrame(
        {
            "size": [f"{value:.4f}" for value in size],
            "kind": [["oak", "elm", "fir"][value] for value in kind],
            "tree": [f"t{n % 23}" for n in range(rows)],
            "day": [f"2024-{1 + n // 28 % 12:02}-{1 + n % 28:02}" for n in range(rows)],
            "heavy": [f"{1 + n % 3}" for n in range(rows)],
            "two": [["small", "large"][int(value > 0)] for value in size],
            "three": [["low", "mid", "top"][int(value)] for value in np.digitize(score, [0.0, 20.0])],
            "score": [f"{value:.3f}" for value in score],
        }
    )


FRAME = _table()
SCHEMA = infer_schema(FRAME, "three")
TARGETS = ("two", "three", "score")


def _settings(target: str, members: int = 4, **said: Any) -> TableSettings:
    dropped = {*TARGETS, "tree", "day", "heavy"} - {target, *said.pop("keep", ())}
    overrides = Overrides(drop=tuple(sorted(dropped)), **said.pop("overrides", {}))
    return TableSettings(target, overrides=overrides, members=members, **{**SMALL, **said})


def _run(target: str, members: int = 4, **said: Any) -> TableRun:
    return train_plan(plan_table(FRAME, _settings(target, members, **said)))


@pytest.fixture(scope="module")
def runs() -> dict[str, TableRun]:
    return {target: _run(target) for target in TARGETS}


def _ensemble(run: TableRun) -> EnsembleRun:
    assert isinstance(run.run, EnsembleRun)
    return run.run


# Folds ----------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=90), st.integers(2, 12), st.integers(0, 5))
def test_folds_hold_each_row_out_and_each_class_evenly(codes, members, seed):
    target = np.array(codes)
    folds, batch = folds_of(FRAME[: len(codes)], SCHEMA, target, Overrides(), members, 0.2, seed)
    assert batch is None
    assert len(folds) == min(max(members, FEWEST_FOLDS), MOST_FOLDS, len(codes))
    assert len({len(fold) for fold in folds}) == 1, "members of one shape share their programs"
    times = np.bincount(np.concatenate(folds), minlength=len(codes))
    assert times.min() == 1
    assert times.sum() - len(codes) < len(folds), "few rows are held out twice"
    for code in set(codes):
        shares = [int(np.sum(target[fold] == code)) for fold in folds]
        assert max(shares) - min(shares) <= 2
    assert all(np.array_equal(fold, np.unique(fold)) for fold in folds)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, len(FRAME)), st.integers(2, 12), st.integers(16, 64), st.booleans())
def test_rows_that_are_not_held_out_make_whole_steps(rows, members, batch, in_time):
    frame, target = FRAME[:rows], np.arange(rows) % 3
    said = {"time_order": "day", "keep": ("day",)} if in_time else {}
    schema = replace(SCHEMA, time_order="day") if in_time else SCHEMA
    plain, _ = folds_of(frame, schema, target, Overrides(**said), members, 0.2, 0)
    folds, size = folds_of(frame, schema, target, Overrides(**said), members, 0.2, 0, batch)
    assert size is not None
    assert {len(fold) for fold in folds} == {len(folds[0])}
    kept = rows - len(folds[0])
    assert kept > 0
    assert kept % size == 0
    # A step is about as long as was asked for, and few rows more are held out, none of them twice by one.
    assert 2 / 3 * min(batch, kept) < size + 1 <= 3 / 2 * batch + 1
    assert len(folds[0]) - len(plain[0]) <= max(kept // size, (rows - len(plain[0])) / 64)
    for longer, fold in zip(folds, plain, strict=True):
        assert set(fold) <= set(longer)
        assert np.array_equal(longer, np.unique(longer))


@given(st.integers(2, 10**6), st.integers(2, 8), st.sampled_from([32, 64, 128, 256]))
def test_few_rows_are_left_over_for_whole_steps(rows, folds, batch):
    held = -(-rows // folds)
    longer, size = whole_batches(rows, held, batch)
    assert (rows - longer) % size == 0
    assert 0 <= longer - held <= max((rows - held) // 32, 1)


def test_who_says_how_many_rows_a_step_has_has_them():
    plan = plan_table(FRAME, _settings("score", 4, batch_size=20))
    assert {member.recipe.batch_size for member in plan.members} == {plan.recipe.batch_size} == {20}
    plan = plan_table(FRAME, _settings("score", 4))
    for member in plan.members:
        assert member.recipe.batch_size == plan.recipe.batch_size
        assert len(member.kept(len(plan.train.X))) % plan.recipe.batch_size == 0


def test_groups_stay_whole_and_time_holds_the_latest_out():
    plan = plan_table(FRAME, _settings("score", 6, keep=("tree",), overrides={"groups": "tree"}))
    trees = plan.train.frame["tree"].to_numpy()
    for member in plan.members:
        kept = member.kept(len(trees))
        assert not set(trees[kept]) & set(trees[member.held])
        assert len(kept) + len(member.held) == len(trees)
    plan = plan_table(FRAME, _settings("score", 3, keep=("day",), overrides={"time_order": "day"}))
    days = plan.train.frame["day"].to_numpy()
    for member in plan.members:
        assert days[member.held].min() >= days[member.kept(len(days))].max()


def test_each_member_has_a_seed_of_its_own_which_the_others_do_not_move():
    recipe = plan_table(FRAME, _settings("score")).recipe
    few, many, others = (
        members_of([recipe] * n, [np.array([0])], seed) for n, seed in ((3, 7), (9, 7), (9, 8))
    )
    assert [member.seed for member in few] == [member.seed for member in many[:3]]
    assert len({member.seed for member in (*many, *others)}) == 18


def test_who_says_a_patience_has_the_best_epoch_kept():
    epochs = {"epochs": 60, "learning_rate": 0.5}
    patient = _ensemble(_run("three", 3, patience=2, **epochs)).members
    assert all(len(trained.run.history) < 60 for trained in patient)
    assert all(trained.run.best_epoch == len(trained.run.history) - 2 for trained in patient)
    assert {len(trained.run.history) for trained in _ensemble(_run("three", 3, **epochs)).members} == {60}


def test_members_differ_in_what_nobody_said():
    many = polars.concat([FRAME] * 26)  # of fewer numbers all members learn alike

    def ways(frame: polars.DataFrame, target: str = "score", **said: Any) -> set[tuple[str, float]]:
        members = plan_table(frame, _settings(target, 8, **said)).members
        return {(repr(m.recipe.network), m.recipe.optimizer.learning_rate) for m in members}

    assert len(ways(many)) == 8
    assert len(ways(many, dropout=0.1)) == 2
    assert len(ways(many, dropout=0.0, learning_rate=0.01)) == 1
    assert len(ways(many, optimizer="sgd")) == 4
    assert len(ways(FRAME)) == len(ways(FRAME, "three")) == 1


# Training -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_the_whole_predicts_the_mean_of_its_members(target, runs, tmp_path):
    run = runs[target]
    kept = _ensemble(run).kept
    X = run.model.table.matrix(run.model.table.typed(FRAME).frame)  # type: ignore[union-attr]
    mean = np.mean([trained.model.predict(X) for trained in kept], axis=0)
    # Another order of float32 sums: some units in the last place of numbers below 4.
    np.testing.assert_allclose(run.model.predict(X), mean, rtol=1e-5, atol=2e-6)
    predict = run.model.predictor()
    np.testing.assert_allclose(predict(X[3].astype(np.float32)).ravel(), mean[3], rtol=1e-5, atol=2e-6)
    run.save(tmp_path / "m.safetensors")
    loaded = mc.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.predict(X), run.model.predict(X))
    np.testing.assert_array_equal(loaded.predict_table(FRAME), run.predict(FRAME))
    assert loaded.members == len(kept) == len(loaded.training["members"])


@pytest.mark.parametrize("target", TARGETS)
def test_out_of_fold_predictions_come_from_who_has_not_seen_the_row(target, runs):
    run, plan = runs[target], plan_table(FRAME, _settings(target))
    found, rows = out_of_fold(_ensemble(run).kept, len(plan.train.X))
    for row in (0, 17, 55):
        asked = [t for t in _ensemble(run).kept if row in t.member.held]
        if not asked:
            assert row not in rows
            continue
        expected = np.mean([t.model.predict(plan.train.X[[row]]).ravel() for t in asked], axis=0)
        np.testing.assert_allclose(found[rows == row][0], expected, rtol=1e-4, atol=1e-6)
    assert run.out_of_fold is not None
    assert set(run.out_of_fold) == set(run.metrics)


def test_the_bits_do_not_depend_on_how_many_train_at_once(same_bits):
    plan = plan_table(FRAME, _settings("three", 5))
    one, three = train_members(plan, threads=1)[0], train_members(plan, threads=3)[0]
    for a, b in zip(one, three, strict=True):
        same_bits(a.model.params, b.model.params)
        np.testing.assert_array_equal(a.held_out, b.held_out)


def test_what_the_user_says_holds_for_every_member():
    run = _run("score", 3, loss=mc.nn.Loss("quantile", levels=(0.1, 0.5, 0.9)), activation=("tanh",))
    bands = run.model.predict_interval_table(FRAME, 0.8)
    assert (bands[:, 0] <= bands[:, 1]).all()
    assert "interval_coverage" in run.metrics
    assert "tanh" in repr(run.model.network)
    weighted = _run("score", 3, keep=("heavy",), overrides={"weight": "heavy"})
    assert np.isfinite(weighted.metrics["r2"])
    chosen = _run("two", 3, threshold=mc.tabular.thresholds.check_threshold("threshold", "f1"))
    assert 0.0 < chosen.model.table.threshold < 1.0  # type: ignore[union-attr]


def test_what_is_said_of_a_run():
    text = repr(_run("two")).splitlines()
    assert text[1] == "  120 rows trained, each held out by some members, 40 tested"
    assert text[2].startswith("  4 networks of up to 4 epochs in ")
    assert text[3].split() == ["on", "the", "test", "rows", "model", "baseline", "out", "of", "fold"]


# Choice ---------------------------------------------------------------------------------------------------


def test_the_gap_is_what_the_mean_loses_less_than_its_members():
    rng = np.random.default_rng(0)
    y, p = rng.standard_normal((50, 1)), rng.standard_normal((4, 50, 1))
    lost = np.mean((p - y) ** 2, axis=(1, 2)).mean() - np.mean((p.mean(axis=0) - y) ** 2)
    assert gap_of_numbers(p) == pytest.approx(lost, rel=1e-12)
    p = rng.uniform(0.01, 1.0, (4, 50, 1))
    lost = -np.log(p).mean() + np.log(p.mean(axis=0)).mean()
    assert gap_of_right_answers(p) == pytest.approx(lost, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 7), st.integers(0, 3), st.integers(0, 1000))
def test_members_that_are_clearly_worse_come_last_and_only_if_they_help(good, bad, seed):
    rng = np.random.default_rng(seed)
    losses = np.array([1.0] * good + [5.0] * bad)
    found = choose(losses, 0.1 * rng.standard_normal((good + bad, 30, 1)), gap_of_numbers)
    assert sorted(found.order) == list(range(good + bad))
    assert set(found.order[:good]) == set(range(good))
    assert found.count == good
    assert found.losses[0] == pytest.approx(1.0)


def test_luck_is_not_believed():
    rng = np.random.default_rng(0)
    alike = [rng.exponential(1.0, 40) for _ in range(8)]
    assert np.ptp(believed(alike)) < 0.2 * np.ptp([each.mean() for each in alike])
    worse = believed([*alike, 9.0 + rng.exponential(1.0, 40)])
    assert worse[-1] > 8 * worse[0]


def test_one_row_shows_no_member_to_be_worse():
    worse = [np.array([0.1]), np.array([0.2]), np.array([50.0])]
    assert (believed(worse) == 0.2).all()
    assert believed([*worse, np.array([9.0, 9.1, 9.2])])[3] > 8.0


def test_the_smallest_model_is_a_prefix_that_loses_little_more(runs):
    model = runs["score"].model
    losses = [part["expected_loss"] for part in model.training["members"]]
    for within in (0.0, 0.02, 0.5, 100.0):
        small = model.smallest(within)
        assert losses[small.members - 1] <= losses[-1] * (1 + within)
        assert small.members == 1 or losses[small.members - 2] > losses[-1] * (1 + within)
    one = model.smallest(1e9)
    assert one.members == 1
    rows = model.table.matrix(model.table.typed(FRAME).frame)  # type: ignore[union-attr]
    np.testing.assert_allclose(
        one.predict(rows), _ensemble(runs["score"]).kept[0].model.predict(rows), rtol=1e-5, atol=1e-6
    )
    with pytest.raises(DataError, match="one network"):
        one.smallest()
    for odd in (-1, float("nan"), float("inf"), 10**400, True):
        with pytest.raises(DataError, match="within"):
            model.smallest(odd)
    for told in (
        None,
        [],
        {"a": 1},
        [3, 4],
        [{"expected_loss": 1.0}],
        [{"expected_loss": True}] * model.members,
    ):
        with pytest.raises(DataError, match="nothing is known"):
            replace(model, training={"members": told}).smallest()


# What goes wrong ------------------------------------------------------------------------------------------


def test_rare_classes_and_few_rows_are_learnt_from():
    frame = FRAME.with_columns(polars.Series("three", ["odd", *FRAME["three"].to_list()[1:]]))
    run = train_plan(plan_table(frame, _settings("three", 3), FRAME.filter(polars.col("three") != "odd")))
    assert run.schema.classes == ("low", "mid", "odd", "top")
    few = train_plan(plan_table(FRAME[:6], _settings("score", 8), FRAME[100:]))
    assert few.rows["train"] == 6
    assert _ensemble(few).members[0].member.held.size >= 1


def test_members_that_diverge_are_dropped_and_if_all_do_the_first_is_told():
    plan = plan_table(FRAME, _settings("score", 3))
    first, second, third = plan.members
    wild = replace(second, recipe=replace(second.recipe, optimizer=mc.optim.SGD(1e30)))
    run = train_plan(replace(plan, members=(first, wild, third)))
    assert _ensemble(run).diverged == (1,)
    assert [trained.member.number for trained in _ensemble(run).members] == [0, 2]
    assert repr(run).splitlines()[2].endswith("averaged, 1 diverged")
    plan = plan_table(FRAME, _settings("score", 3, optimizer=mc.optim.SGD(1e30)))
    with pytest.raises(DivergenceError, match="learning rate"):
        train_plan(plan)


def test_an_interrupt_keeps_the_members_so_far():
    @contextmanager
    def interrupting() -> Iterator[Any]:
        def watch(progress: Any) -> None:
            if sum(progress.ended) >= 2 and not told.is_set():
                told.set()
                raise KeyboardInterrupt

        yield watch

    told = threading.Event()
    plan = plan_table(FRAME, _settings("score", 40, epochs=300))
    run = train_plan(plan, watch=interrupting())
    assert _ensemble(run).stopped == "interrupted"
    assert 2 <= len(_ensemble(run).members) < 40
    assert np.isfinite(run.metrics["r2"])


def test_an_interrupt_while_what_was_learnt_is_judged_loses_nothing(monkeypatch):
    judged, told = [], threading.Event()

    def impatient(*given: Any) -> Any:
        judged.append(given)
        signal.raise_signal(signal.SIGINT)
        return best_factor(*given)

    def interrupting(progress: Any) -> None:
        if sum(progress.ended) >= 2 and not told.is_set():
            told.set()
            raise KeyboardInterrupt

    monkeypatch.setattr(ensemble, "best_factor", impatient)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run = ensemble.train_ensemble(plan_table(FRAME, _settings("two", 40, epochs=300)), interrupting)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(judged) == 1
    assert len(run.members) >= 2
    assert run.stopped == "interrupted"


def test_rows_that_weigh_nothing_are_told_before_anything_is_trained():
    few = FRAME.with_columns(heavy=polars.Series(["1" if n < 3 else "0" for n in range(ROWS)]))
    with pytest.raises(
        DataError, match=r"^weight: column 'heavy' is 0 in all 24 rows that network \d of 4 holds out"
    ):
        plan_table(few, _settings("score", keep=("heavy",), overrides={"weight": "heavy"}))
    rare = FRAME.with_columns(two=polars.Series(["odd", *["usual"] * (ROWS - 1)]))
    with pytest.raises(
        DataError, match=r"^class_weight: it is 0 in all \d+ rows that network \d of 4 learns"
    ):
        plan_table(
            rare, _settings("two", class_weight={"usual": 0.0}), FRAME[:1].with_columns(two=polars.lit("odd"))
        )


def test_how_many_networks_there_are_goes_by_effort_and_rows_and_by_what_is_said():
    few = {
        effort: plan_table(FRAME, replace(_settings("score"), effort=effort, members=None))
        for effort in EFFORTS
    }
    assert {effort: len(plan.members) for effort, plan in few.items()} == {
        "quick": 4,
        "normal": 8,
        "high": 16,
    }
    assert few["quick"].settings.members == 4  # so the card says what makes the same again
    many = replace(_settings("score"), effort="quick", members=None)
    assert [len(plan_table(_table(rows), many).members) for rows in (3_996, 4_000)] == [4, 2]
    said = plan_table(FRAME, replace(_settings("score", 3, epochs=None), effort="quick"))
    own = plan_table(FRAME, replace(_settings("score", epochs=None), effort="quick", members=None))
    assert len(said.members) == 3
    assert said.recipe.epochs == own.recipe.epochs


def test_a_quick_effort_is_one_model_as_others_are(tmp_path):
    run = mc.fit_table(FRAME, "two", drop=["three", "score"], effort="quick", hidden=(8,), batch_size=32)
    assert len(_ensemble(run).members) == 4
    assert {member.run.history.epochs for member in _ensemble(run).members} == {8}
    run.save(tmp_path / "quick.safetensors")
    opened = mc.load(tmp_path / "quick.safetensors")
    np.testing.assert_array_equal(opened.predict_table(FRAME), run.predict(FRAME))


def test_what_follows_one_training_is_refused_for_several():
    plan = plan_table(FRAME, _settings("score", 3))
    with pytest.raises(DataError, match="members=1"):
        train_plan(plan, callbacks=[mc.EarlyStopping()])
    with pytest.raises(DataError, match="unknown effort 'hihg'; did you mean 'high'"):
        mc.fit_table(FRAME, "score", effort="hihg")
    with pytest.raises(DataError, match="members"):
        mc.fit_table(FRAME, "score", members=0)
    for odd in ("soon", 0, "0m", -1.0, float("nan")):
        with pytest.raises(DataError, match=r"^fit_table: time: expected"):
            mc.fit_table(FRAME, "score", time=odd)


@pytest.fixture
def processor_time(monkeypatch):
    """Let budgets be counted by processor time, which the machine's other work does not move."""
    clock = SimpleNamespace(monotonic=time.process_time, perf_counter=time.process_time)
    for module in (budget, ensemble, pipeline):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(ensemble, "cores", lambda: 1)  # one training at a time


@pytest.mark.usefixtures("processor_time")
def test_a_budget_leaves_members_out_then_epochs_and_refuses_less_than_one():
    slow = _settings("score", 16, epochs=100_000, time=3.0)
    run = train_plan(plan_table(FRAME, slow))
    assert len(_ensemble(run).members) < 16
    assert len(run.history) < 100_000
    assert _ensemble(run).seconds < 15.0  # a loaded machine compiles for longer than the budget
    with pytest.raises(DataError, match="too few: compiling took"):
        train_plan(plan_table(FRAME, _settings("score", 2, time=1e-6)))


@pytest.mark.usefixtures("processor_time")
@pytest.mark.parametrize(("members", "seconds"), [(2, 4.0), (6, 4.0)])
def test_a_budget_is_not_exceeded_by_more_than_a_tenth(members, seconds):
    plan = plan_table(FRAME, _settings("score", members, epochs=10**6, patience=10**6, time=seconds))
    began = time.process_time()
    run = train_plan(plan).run  # compiles, too, and scores
    used = (
        time.process_time() - began
    )  # of one thread: one network alone would have as many as there are cores
    assert run.stopped in ("out of time", "all epochs")  # as many as fit
    assert used <= 1.1 * seconds


def test_after_the_time_no_member_begins_and_those_without_an_epoch_are_left_out(monkeypatch):
    monkeypatch.setattr(ensemble, "fitted_to", lambda plan, maker, began, *_: (plan, Deadline(began + 0.5)))
    plan = plan_table(FRAME, _settings("score", 12, epochs=100_000, time=0.5))
    trained, _, stopped = train_members(plan, threads=2)
    assert stopped == "out of time"
    assert len(trained) <= 2
    assert len({bool(each.run.history.epochs) for each in trained}) == 1


def test_one_network_predicts_a_row_as_it_predicts_many():
    model = _run("score", 1).model
    X = model.table.matrix(model.table.typed(FRAME).frame)  # type: ignore[union-attr]
    np.testing.assert_allclose(model.predictor()(X[5])[0], model.predict(X)[5], rtol=1e-5, atol=2e-6)


def test_one_model_joins_itself():
    model = _ensemble(_run("score", 2)).members[0].model
    assert joined([model]) is model
