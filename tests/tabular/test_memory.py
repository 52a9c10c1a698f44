"""The memory that a training takes: estimated by its parts, said where it is much, refused where it lacks."""

from __future__ import annotations

import numpy as np
import polars
import pytest

from minicolumn.errors import DataError
from minicolumn.nn import Dense, Sequential
from minicolumn.optim import SGD, AdamW, Averaged
from minicolumn.tabular import TableSettings, memory, plan_table
from minicolumn.tabular.memory import training_memory
from minicolumn.tabular.recipe import Recipe

GIB = 1 << 30


def recipe(optimizer: object) -> Recipe:
    network = Sequential(Dense(1_000, "relu"), Dense(1))
    return Recipe(network, lambda *_: 0.0, optimizer, None, 32, 1, 1, "val_loss", ())  # type: ignore[arg-type]


@pytest.mark.parametrize(("optimizer", "copies"), [(SGD(), 10), (AdamW(), 24), (Averaged(AdamW()), 31)])
def test_moments_are_counted(optimizer: object, copies: int):
    found = training_memory(recipe(optimizer), rows=500, features=10_000, table=7)
    assert found.weights == 4 * (10_000 * 1_000 + 1_000 + 1_000 + 1)
    assert (found.table, found.matrix) == (7, 4 * 500 * 10_000)
    # Beside the copies: compiling, and four times 32 rows of about 11,000 numbers.
    assert 5.5e6 < found.training - copies * found.weights - (40 << 20) < 6.5e6
    assert found.total == found.table + found.matrix + found.training


def frame() -> polars.DataFrame:
    rng = np.random.default_rng(0)
    return polars.DataFrame(
        {"x": rng.standard_normal(60), "z": rng.standard_normal(60), "y": ["a", "b"] * 30}
    )


def test_a_large_training_is_said_and_a_small_one_is_not(monkeypatch: pytest.MonkeyPatch):
    settings = TableSettings("y")
    monkeypatch.setattr(memory, "free_memory", lambda: 64 * GIB)
    assert not [remark for remark in plan_table(frame(), settings).remarks if remark.about == "memory"]
    monkeypatch.setattr(memory, "free_memory", lambda: 150 << 20)  # of which it takes more than a quarter
    (said,) = [remark for remark in plan_table(frame(), settings).remarks if remark.about == "memory"]
    assert str(said).startswith("2 features of 60 rows: about ")
    assert "MB of memory while training" in str(said)


def test_what_does_not_fit_is_refused_before_it_is_trained(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 30 << 20)
    with pytest.raises(
        DataError, match=r"would take about [0-9.]+ MB .* 31.5 MB are free; leave columns out, or"
    ):
        plan_table(frame(), TableSettings("y"))
    monkeypatch.setattr(memory, "free_memory", lambda: 100)
    with pytest.raises(
        DataError, match=r"60 rows of 2 features take 0.00048 MB as a matrix, 0.0001 MB are free"
    ):
        plan_table(frame(), TableSettings("y"))
    monkeypatch.setattr(memory, "free_memory", lambda: None)  # where the system does not say
    assert plan_table(frame(), TableSettings("y")).rows["train"]
