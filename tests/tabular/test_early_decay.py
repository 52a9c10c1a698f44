"""Members whose held-out loss stalls: when the rate falls, how it ends, what goes on from a checkpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minicolumn.errors import DataError
from minicolumn.nn.losses import as_loss
from minicolumn.optim import FlatCosine
from minicolumn.tabular import TableSettings, plan_table
from minicolumn.tabular.early_decay import EarlyDecay
from minicolumn.tabular.repeated_rows import repeated_share
from minicolumn.tabular.training import resumed, table_trainer
from minicolumn.train.callbacks import Callback
from minicolumn.train.checkpoint import to_bytes
from minicolumn.train.trainer import Trainer


def frame(noise: float, rows: int = 200) -> polars.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 2))
    y = np.sin(x[:, 0]) + 0.5 * x[:, 1] + noise * rng.normal(size=rows)
    return polars.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y})


def planned(noise: float = 0.3, rows: int = 200, **said: Any) -> Any:
    """Return the plan of an ensemble of two small networks."""
    settings = TableSettings("y", members=2, hidden=(8,), **said)
    return plan_table(frame(noise, rows), settings)


def trainer_of(plan: Any, *callbacks: Callback) -> Trainer:
    member = plan.members[0]
    rows = plan.train.given(member.kept(len(plan.train.X))), plan.train.given(member.held)
    return table_trainer(member.recipe, *rows, callbacks, seed=member.seed, threads=1)


@pytest.fixture(scope="module")
def stalled() -> Trainer:
    trainer = trainer_of(planned())
    trainer.run()
    return trainer


def test_the_rate_falls_where_the_loss_stalls_and_for_as_long_as_it_stayed(stalled: Trainer) -> None:
    history = stalled.history
    losses, rates = np.array(history["val_loss"]), np.array(history["learning_rate"])
    assert planned().recipe.callbacks == (EarlyDecay(),)
    patience = 20  # an eighth of 160
    best, waited = np.minimum.accumulate(losses), np.zeros(len(losses), int)
    for epoch in range(1, len(losses)):
        waited[epoch] = 0 if losses[epoch] < best[epoch - 1] else waited[epoch - 1] + 1
    fell = int(np.argmax(waited >= patience)) + 1  # the first epoch, from 1, after which it has stalled
    assert 2 * fell == len(history) == stalled.epochs < 160
    assert stalled.stopped == "all epochs"
    assert np.ptp(rates[5:fell]) < 1e-6 * rates[5]  # behind the warm-up
    assert (np.diff(rates[fell:]) < 0).all()  # the warm-up shifts it by 1 % of what is left
    assert rates[-1] < 0.01 * rates[5]


@pytest.mark.parametrize("at_once", [1, 7])
def test_it_is_the_same_training_however_it_is_cut(at_once: int, stalled: Trainer, same_bits: Any) -> None:
    trainer = trainer_of(planned())
    while left := (trainer.epochs - trainer.epoch) * trainer.steps - trainer.done:
        trainer.advance(steps=min(at_once, left))
    assert same_bits(trainer.params, stalled.params)
    assert trainer.epoch == stalled.epoch


def test_noise_is_not_learnt_by_heart() -> None:
    """What is handed back is the best epoch, which of noise lies before the rate falls."""
    trainer = trainer_of(planned(noise=3.0))
    run = trainer.run()
    losses = trainer.history["val_loss"]
    assert run.best_epoch == int(np.argmin(losses)) + 1 < trainer.epoch // 2
    assert trainer.epoch < 80


@pytest.mark.parametrize(
    "said", [{"epochs": 160}, {"schedule": FlatCosine()}, {"patience": 160}, {"loss": as_loss("huber")}]
)
def test_who_says_how_long_to_learn_is_heard(said: dict[str, Any]) -> None:
    assert planned(**said).recipe.callbacks == ()


def test_rows_that_repeat_others_are_memorised() -> None:
    """As many of the rows to come will be there already, and what was memorised answers them."""
    once = frame(0.3, 200)
    for share, are_memorised in ((0.05, False), (0.3, True)):
        some = once[: int(share * 200)]
        for table, repeats in ((some, True), (some.with_columns(y=some["y"] + 1.0), False)):
            settings = TableSettings("y", members=2, hidden=(8,), test_fraction=0.0)
            recipe = plan_table(polars.concat([once, table]), settings, test=once).recipe
            assert (recipe.callbacks == ()) is (are_memorised and repeats)
            assert recipe.keeps_best is not (are_memorised and repeats)


@given(
    hnp.arrays(
        np.float32, st.tuples(st.integers(1, 30), st.integers(2, 3)), elements=st.sampled_from([0, 1, 2.5])
    )
)
def test_rows_that_are_there_again_are_counted(rows: np.ndarray) -> None:
    expected = 1 - len(np.unique(rows, axis=0)) / len(rows)
    assert repeated_share(rows[:, 1:], rows[:, 0]) == pytest.approx(expected)


def test_a_single_network_learns_as_it_did() -> None:
    single = plan_table(frame(0.3), TableSettings("y", members=1))
    assert single.recipe.callbacks == ()


class Kept(Callback):
    """Keep a checkpoint of one epoch."""

    only_watches = True

    def __init__(self, epoch: int) -> None:
        self.epoch, self.found = epoch, b""

    def on_epoch(self, trainer: Trainer, row: Any) -> None:
        if trainer.epoch == self.epoch:
            trainer.when_told(lambda: setattr(self, "found", to_bytes(trainer)))

    def quiet_epochs(self, trainer: Trainer) -> float:
        return np.inf


@pytest.mark.parametrize("where", ["early", "at the best", "behind it", "falling"])
def test_a_checkpoint_goes_on_to_the_bit(where: str, stalled: Trainer, same_bits: Any) -> None:
    plan, best = planned(), stalled.best_epoch
    epoch = {"early": 3, "at the best": best, "behind it": best + 1, "falling": stalled.epoch - 2}[where]
    kept = Kept(epoch)
    trainer_of(plan, kept).run()
    fresh, member = trainer_of(plan), plan.members[0]
    rows = plan.train.given(member.kept(len(plan.train.X))), plan.train.given(member.held)
    again = resumed(kept.found, fresh, *rows)
    assert again.epoch == epoch
    run = again.run()
    assert same_bits(again.params, stalled.params)
    assert run.best_epoch == best
    assert same_bits(run.params, stalled.best_params)
    with pytest.raises(DataError, match="was trained with seed"):
        resumed(kept.found, table_trainer(member.recipe, *rows, seed=7, threads=1), *rows)


def test_a_checkpoint_of_another_number_of_epochs_is_refused() -> None:
    plan = planned()
    member = plan.members[0]
    rows = plan.train.given(member.kept(len(plan.train.X))), plan.train.given(member.held)
    hung = member.recipe.callbacks
    for was, callbacks, now in ((100, (), hung), (100, hung, ()), (170, hung, hung), (99, hung, hung)):
        recipe = replace(member.recipe, epochs=was, callbacks=callbacks)
        trainer = table_trainer(recipe, *rows, seed=member.seed, threads=1)
        trainer.advance(epochs=2)
        other = replace(member.recipe, callbacks=now)
        planned_now = table_trainer(other, *rows, seed=member.seed, threads=1)
        with pytest.raises(DataError, match=f"was trained with epochs {was}, not 160"):
            resumed(to_bytes(trainer), planned_now, *rows)


def test_it_is_patient_for_a_few_epochs_at_least() -> None:
    class Stands:
        """What is asked of a trainer."""

        def __init__(self, epochs: int, waited: int) -> None:
            self.epoch, self.epochs, self.waits = 10, epochs, waited

        def waited(self, figure: str) -> int:
            return self.waits

    def left(*stands: int) -> float:
        trainer: Any = Stands(*stands)
        return EarlyDecay().quiet_epochs(trainer)

    assert [left(160, 3), left(40, 3), left(24, 8), left(20, 9)] == [17, 5, 0, np.inf]
