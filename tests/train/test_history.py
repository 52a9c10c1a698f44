"""The history: rows by number, columns by name."""

from __future__ import annotations

from pathlib import Path

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


def test_the_best_of_equal_rows_is_the_first() -> None:
    history = mc.History(ROWS)
    assert history.best("loss") == 1
    assert history.best("val_loss") == 0
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


def test_a_picture_of_losses_and_metrics(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    history = mc.History([{**row, "val_accuracy": 0.5, "val_f1": 0.25} for row in ROWS])
    axes = history.plot(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
    assert [a.get_ylabel() for a in axes.figure.axes] == ["loss", "validation accuracy", "validation f1"]
    training, validation, *_ = (np.asarray(line.get_xydata()) for line in axes.lines)
    np.testing.assert_array_equal(training, [[1.0, 3.0], [2.0, 1.0], [3.0, 1.0]])
    np.testing.assert_array_equal(validation[:, 1], [2.0, np.nan, 2.0])
    assert axes.get_title("right") == "lowest: epoch 1, 2"
    assert history.plot(kept=1).get_title("right") == "kept: epoch 1, 2"
    assert mc.History(ROWS, kept=1).plot().get_title("right") == "kept: epoch 1, 2"


def test_a_picture_goes_into_given_axes() -> None:
    figure = pytest.importorskip("matplotlib.figure", reason="matplotlib is not installed")
    axes = figure.Figure().subplots()
    assert mc.History([{"epoch": 1, "loss": 300.0}, {"epoch": 2, "loss": 1.0}]).plot(ax=axes) is axes
    assert axes.get_yscale() == "log"
    assert axes.get_xlabel() == "epoch"


def test_pictures_that_cannot_be_drawn_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    with pytest.raises(mc.DataError, match="no epoch yet"):
        mc.History().plot()
    with pytest.raises(mc.DataError, match="an epoch from 1 to 3, got 4"):
        mc.History(ROWS).plot(kept=4)
    with pytest.raises(mc.DataError, match=r"did you mean '\.png'"):
        mc.History(ROWS).plot("curves.pgn")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(mc.DataError, match=r"History\.plot needs matplotlib"):
        mc.History(ROWS).plot()


def test_histories_on_one_axes_are_told_apart() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    axes = mc.History(ROWS).plot(label="adam")
    mc.History(ROWS).plot(ax=axes, label="sgd")
    curves = [line for line in axes.lines if not str(line.get_label()).startswith("_")]
    names = ["adam: training", "adam: validation", "sgd: training", "sgd: validation"]
    assert [line.get_label() for line in curves] == names
    colours = [line.get_color() for line in curves]
    assert colours[0] == colours[1] != colours[2] == colours[3]
