"""From a table to a trained model and an honest score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

import minicolumn as mc
from minicolumn.errors import DataError
from minicolumn.model import metrics
from minicolumn.tables import Overrides, read_table
from minicolumn.tabular import TablePlan, TableRun, TableSettings, plan_table, train_plan
from minicolumn.tabular.pipeline import data_hash

ROWS = 120
QUICK: dict[str, Any] = {"hidden": (8,), "epochs": 2, "batch_size": 32}


def _table(rows: int = ROWS) -> polars.DataFrame:
    """Return words, as a file would hold them: every kind of column, with gaps, and three targets."""
    rng = np.random.default_rng(1)
    size, day = rng.standard_normal(rows), rng.integers(1, 28, rows)
    kind = rng.integers(0, 3, rows)
    score = 50.0 + 20.0 * size + 10.0 * kind + rng.standard_normal(rows)
    return polars.DataFrame(
        {
            "size": ["?" if i % 17 == 3 else f"{v:.4f}" for i, v in enumerate(size)],
            "kind": [["oak", "elm", "fir"][k] for k in kind],
            "wet": [["yes", "no"][int(v)] for v in rng.integers(0, 2, rows)],
            "day": [f"2024-03-{d:02}" for d in day],
            "two": [["small", "large"][int(v > 0)] for v in size],
            "three": [["low", "mid", "top"][int(v)] for v in np.digitize(score, [45.0, 65.0])],
            "score": [f"{v:.3f}" for v in score],
        }
    )


FRAME = _table()
TARGETS = {"two": "binary", "three": "multiclass", "score": "regression"}


def _frames(plan: TablePlan) -> list[polars.DataFrame]:
    return [part.frame for part in (plan.train, plan.validation, plan.test)]


def _settings(target: str, **changed: Any) -> TableSettings:
    others = tuple(name for name in TARGETS if name != target)
    drop = Overrides(drop=changed.pop("drop", others))
    return TableSettings(target, overrides=drop, **{**QUICK, **changed})


def train_table(frame: polars.DataFrame, settings: TableSettings, test: Any = None, **how: Any) -> TableRun:
    return train_plan(plan_table(frame, settings, test), **how)


@pytest.fixture(scope="module")
def runs() -> dict[str, TableRun]:
    """Return a run for each task."""
    return {target: train_table(FRAME, _settings(target)) for target in TARGETS}


@pytest.mark.parametrize("target", TARGETS)
def test_a_run_adds_up(target: str, runs: dict[str, TableRun], tmp_path: Path) -> None:
    done = runs[target]
    assert done.schema.task == TARGETS[target]
    assert tuple(done.metrics) == tuple(done.baseline) == metrics.SCORES[TARGETS[target]]
    assert all(np.isfinite(v) for v in (*done.metrics.values(), *done.baseline.values()))
    assert sum(done.rows.values()) == ROWS
    assert done.rows["test"] == ROWS // 4
    assert len(done.history) == 2
    assert done.model.metrics == {"test": done.metrics, "baseline": done.baseline}
    if target == "score":
        assert done.confusion is None
    else:
        assert done.confusion is not None
        assert done.confusion.sum() == done.rows["test"]
        assert np.trace(done.confusion) / done.rows["test"] == pytest.approx(done.metrics["accuracy"])
    done.model.save(tmp_path / "m.safetensors")
    found = mc.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(found.predict_table(FRAME), done.model.predict_table(FRAME))
    assert found.metrics == done.model.metrics


@pytest.mark.parametrize("target", TARGETS)
def test_scores_are_those_of_the_rows_set_apart(target: str, runs: dict[str, TableRun]) -> None:
    plan = plan_table(FRAME, _settings(target))
    assert runs[target].model.evaluate_table(plan.test.frame) == runs[target].metrics


def test_the_parts_are_apart_and_keep_the_shares() -> None:
    ready = plan_table(FRAME.with_row_index("row"), _settings("three", drop=("two", "score", "row")))
    rows = [set(part["row"]) for part in _frames(ready)]
    assert sum(map(len, rows)) == len(set.union(*rows)) == ROWS
    whole = FRAME["three"].value_counts(normalize=True).sort("three")["proportion"].to_numpy()
    for part in _frames(ready):
        shares = part["three"].value_counts(normalize=True).sort("three")["proportion"].to_numpy()
        np.testing.assert_allclose(shares, whole, atol=1 / part.height)  # a row more or less


@pytest.mark.parametrize("part", ["train", "validation", "test"])
@pytest.mark.parametrize("target", ["three", "score"])
def test_the_encoder_sees_training_rows_alone(part: str, target: str) -> None:
    frame = FRAME.with_row_index("row")
    settings = _settings(target, drop=tuple({*TARGETS, "row"} - {target}))
    ready = plan_table(frame, settings)
    row = getattr(ready, part).frame["row"][0]
    here = polars.col("row") == row
    changed = frame.with_columns(
        size=polars.when(here).then(polars.lit("1000.5")).otherwise("size"),
        score=polars.when(here).then(polars.lit("99999.5")).otherwise("score"),
    )
    again = plan_table(changed, settings)
    assert (again.encoder == ready.encoder) == (part != "train")
    assert again.train.frame["row"].to_list() == ready.train.frame["row"].to_list()


def test_the_same_seed_gives_the_same_bits(runs: dict[str, TableRun], same_bits: Any) -> None:
    again = train_table(FRAME, _settings("three"))
    assert same_bits(again.model.params, runs["three"].model.params)
    assert again.metrics == runs["three"].metrics
    assert again.model.data_hash == runs["three"].model.data_hash
    other = plan_table(FRAME, _settings("three", seed=1))
    assert not other.test.frame.equals(plan_table(FRAME, _settings("three")).test.frame)


def test_what_was_prepared_is_used_as_it_is(runs: dict[str, TableRun], same_bits: Any) -> None:
    settings = _settings("three")
    done = train_plan(plan_table(FRAME, settings))
    assert same_bits(done.model.params, runs["three"].model.params)


def test_rows_to_test_on_may_be_given() -> None:
    test = _table(50).with_columns(extra=polars.lit(1))
    done = train_table(FRAME, _settings("two"), test=test)
    assert done.rows == {"train": 102, "validation": 18, "test": 50}
    assert done.metrics == done.model.evaluate_table(test)
    with pytest.raises(mc.DataError, match="no target column 'two'"):
        train_table(FRAME, _settings("two"), test=test.drop("two"))


def test_an_interrupted_training_is_scored_too(spy: Any, interrupt: Any) -> None:
    for when, epochs in ((("epoch", 1), 1), ("start", 0)):
        done = train_table(FRAME, _settings("two"), callbacks=[spy({when: interrupt})])
        assert done.run.stopped == "interrupted"
        assert len(done.history) == epochs
        assert np.isfinite(list(done.metrics.values())).all()


@pytest.mark.parametrize("target", ["two", "score"])
def test_very_small_tables(target: str) -> None:
    done = train_table(FRAME[:8], _settings(target))
    assert done.rows == {"train": 5, "validation": 1, "test": 2}
    assert set(done.metrics) <= set(metrics.SCORES[TARGETS[target]])


def test_a_class_of_one_row_is_trained_on() -> None:
    seventh = polars.int_range(ROWS) == 7
    rare = FRAME.with_columns(three=polars.when(seventh).then(polars.lit("rare")).otherwise("three"))
    ready = plan_table(rare, _settings("three"))
    assert ready.train.frame["three"].to_list().count("rare") == 1
    done = train_plan(ready)
    assert done.confusion is not None
    assert done.confusion.shape == (4, 4)


def test_what_a_table_must_have() -> None:
    with pytest.raises(mc.DataError, match="did you mean 'score'"):
        train_table(FRAME, _settings("scores"))
    alone = _settings("two", drop=("size", "kind", "wet", "day", "three", "score"))
    with pytest.raises(mc.DataError, match="column"):
        train_table(FRAME, alone)
    with pytest.raises(mc.DataError, match="share of test rows"):
        train_table(FRAME, _settings("two", test_fraction=1.5))


def test_the_hash_is_that_of_the_training_rows() -> None:
    assert data_hash(FRAME) == data_hash(_table())
    assert data_hash(FRAME) != data_hash(FRAME[::-1])
    assert data_hash(FRAME) != data_hash(FRAME.rename({"size": "Size"}))
    assert data_hash(FRAME).startswith("sha256:")


def test_penguins_are_told_apart() -> None:
    frame = read_table("penguins")
    done = train_table(frame, TableSettings("Species", epochs=12, hidden=(32,), seed=3))
    # A dozen epochs of a small network; a guess is right in 44 of 100 rows.
    assert done.metrics["accuracy"] > 0.9 > 2 * done.baseline["accuracy"]
    assert done.metrics["log_loss"] < 0.5 * done.baseline["log_loss"]


def test_a_description_too_large_for_a_file_is_refused_before_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import polars

    monkeypatch.setattr("minicolumn.model.documents.MAX_BYTES", 1_000_000)  # not 128 MiB

    labels = [f"{i:04d} " + "x" * 6000 for i in range(300)]
    frame = polars.DataFrame(
        {"kind": labels * 4, "size": [float(i) for i in range(1200)], "y": ["a", "b"] * 600}
    )
    with pytest.raises(DataError, match=r"description of .*the column 'kind' takes most of it; leave it out"):
        train_table(frame, TableSettings("y", epochs=1))


def test_plain_gradient_descent_learns_by_the_rate_it_is_given() -> None:
    import polars

    rng = np.random.default_rng(0)
    x = rng.standard_normal(600)
    frame = polars.DataFrame({"x": x, "z": rng.standard_normal(600), "y": 3.0 * x + 1.0})
    settings = TableSettings("y", hidden=(8,), optimizer="sgd", learning_rate=0.1, epochs=12, dropout=0.0)
    assert train_table(frame, settings).metrics["r2"] > 0.9
