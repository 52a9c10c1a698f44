"""The history: rows by number, columns by name."""

from __future__ import annotations

import numpy as np
import pytest

import minicolumn as mc

ROWS = [
    {"epoch": 1, "loss": 3.0, "val_loss": 2.0},
    {"epoch": 2, "loss": 1.0},
    {"epoch": 3, "loss": 1.0, "val_loss": 2.0},
]


def test_rows_and_columns() -> None:
    history = mc.History(ROWS)
    assert len(history) == 3
    assert history[0] == ROWS[0]
    assert history[-1]["epoch"] == 3
    assert history[1:] == ROWS[1:]
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert history.names == ("epoch", "loss", "val_loss")
    np.testing.assert_array_equal(history["val_loss"], [2.0, np.nan, 2.0])


def test_the_best_of_equal_rows_is_the_last() -> None:
    history = mc.History(ROWS)
    assert history.best("loss") == 2
    assert history.best("val_loss") == 2
    assert history.best("epoch", lower=False) == 2
    assert history.best("loss", lower=False) == 0
    assert mc.History().best() == -1
    assert mc.History([{"loss": np.nan}]).best("loss") == -1


def test_an_unknown_column_is_answered_with_the_nearest() -> None:
    with pytest.raises(mc.DataError, match="no 'val_los'; did you mean 'val_loss'"):
        mc.History(ROWS)["val_los"]
    assert len(mc.History()["loss"]) == 0


def test_it_shows_its_last_row() -> None:
    assert repr(mc.History()) == "History(no epochs)"
    assert repr(mc.History(ROWS)) == "History(3 epochs; last: loss=1, val_loss=2)"
