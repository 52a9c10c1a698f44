"""Which weights a member of many classes hands back: the last ones, unless the best are surely better."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicolumn.model.rows import LabeledRows
from minicolumn.tabular import TableSettings, plan_table
from minicolumn.tabular.last_weights import LastUnlessWorse, _worth
from minicolumn.tabular.training import resumed, table_trainer
from minicolumn.train.checkpoint import to_bytes
from minicolumn.train.trainer import Trainer


def planned(right: float, **said: Any) -> Any:
    """Return the plan of two members for three classes, of which so many are what the columns say."""
    rng = np.random.default_rng(0)
    x, told = rng.normal(size=(800, 4)), rng.integers(0, 3, 800)
    x[:, 0] += 4.0 * told
    y = np.where(rng.random(800) < right, told, rng.integers(0, 3, 800))
    columns = {f"x{n}": x[:, n] for n in range(4)}
    frame = polars.DataFrame({**columns, "y": [["low", "mid", "top"][code] for code in y]})
    return plan_table(frame, TableSettings("y", members=2, hidden=(32,), **said))


def trainer_of(plan: Any) -> tuple[Trainer, Any]:
    member = plan.members[0]
    rows = plan.train.given(member.kept(len(plan.train.X))), plan.train.given(member.held)
    return table_trainer(member.recipe, *rows, seed=member.seed, threads=1), rows


@pytest.mark.parametrize("right", [1.0, 0.5])
def test_it_is_the_last_one_unless_more_than_chance_is_lost(right: float) -> None:
    plan = planned(right)
    trainer, _ = trainer_of(plan)
    run = trainer.run()
    accuracy, rows = np.array(run.history["val_accuracy"]), len(plan.members[0].held)
    fewest, errors = round((1 - accuracy.max()) * rows), round((1 - accuracy[-1]) * rows)
    last = errors - fewest <= max(1, math.sqrt(fewest * (1 - fewest / rows)))
    assert run.best_epoch == (len(accuracy) if last else int(np.argmax(accuracy)) + 1)
    assert last == (right > 0.9)  # both ways are taken
    assert len(accuracy) == trainer.epochs


@given(st.lists(st.integers(0, 20), min_size=1, max_size=12))
def test_the_rule(right: list[int]) -> None:
    class Told:
        """What is asked of a trainer."""

        stopped, kept_last = "all epochs", False
        held_rows = LabeledRows(np.zeros((20, 1)), np.zeros(20), None)

        @property
        def history(self) -> dict[str, list[float]]:
            return {"val_accuracy": [count / 20 for count in right]}

        def keep_last(self) -> None:
            self.kept_last = True

    told: Any = Told()
    LastUnlessWorse().on_end(told)
    fewest, errors = 20 - max(right), 20 - right[-1]
    assert told.kept_last == (errors - fewest <= 1 or (errors - fewest) ** 2 <= fewest * max(right) / 20)


def test_rows_that_weigh_little_tell_little() -> None:
    weight = np.array([1.0] * 5 + [1e-9] * 100)
    assert _worth(LabeledRows(np.zeros((105, 1)), np.zeros(105), weight)) == pytest.approx(5.0, rel=1e-6)


def test_who_says_a_patience_has_the_best_epoch_kept() -> None:
    assert planned(1.0, patience=5).recipe.callbacks == ()
    assert planned(1.0, epochs=9).recipe.callbacks == (LastUnlessWorse(),)


@pytest.mark.parametrize("right", [1.0, 0.0])
def test_a_checkpoint_of_the_end_hands_the_same_back(right: float, same_bits: Any) -> None:
    plan = planned(right, epochs=30)
    trainer, rows = trainer_of(plan)
    run = trainer.run()
    fresh, _ = trainer_of(plan)
    again = resumed(to_bytes(trainer), fresh, *rows).run()
    assert same_bits(again.params, run.params)
    assert again.best_epoch == run.best_epoch
