"""Intervals by the residuals of held-out rows: they cover what they say, and files keep them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn.cli import main
from minicolumn.errors import DataError, ModelFileError
from minicolumn.estimators.intervals import conformal_radius
from minicolumn.model.residuals import MOST, Residuals, residuals_of
from minicolumn.nn.outputs import Normal, Point, Quantiles, Rate
from minicolumn.tables import Reading, load_frame

Array = np.ndarray


def _of(y: Array, weight: Array | None = None) -> Residuals:
    found = residuals_of(Point(), np.zeros((len(y), 1)), y, weight)
    assert found is not None
    return found


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_the_radius_is_the_conformal_quantile(sizes: list[float], coverage: float) -> None:
    y = np.array(sizes)
    try:
        expected = float(conformal_radius(np.abs(y)[:, None], coverage)[0])
    except DataError:
        with pytest.raises(DataError, match="rows held out in the training"):
            _of(y).radius(coverage)
        return
    assert _of(y).radius(coverage) == expected


def test_new_rows_are_covered_as_often_as_is_said() -> None:
    rng, trials = np.random.default_rng(0), 4_000
    drawn = rng.standard_t(3, (trials, 20))  # of 19 residuals the 16th is enough for exactly 16 / 20
    covered = np.mean([abs(row[-1]) <= _of(row[:-1]).radius(0.8) for row in drawn])
    assert covered == pytest.approx(0.8, abs=4 * np.sqrt(0.8 * 0.2 / trials))  # four binomial deviations


def test_many_residuals_are_thinned_to_the_wider_side() -> None:
    y = np.random.default_rng(1).standard_normal(50_000)
    found = _of(y)
    assert len(found.sizes) == MOST
    for coverage in (0.001, 0.5, 0.9, 0.99, 0.999, 0.9999):
        exact = float(conformal_radius(np.abs(y)[:, None], coverage)[0])
        assert exact <= found.radius(coverage)
        assert np.mean(np.abs(y) <= found.radius(coverage)) <= coverage + 2.0 / MOST


def test_weights_are_repetitions() -> None:
    rng = np.random.default_rng(2)
    y, counts = rng.standard_normal(100), np.tile([0, 1, 3, 0], 25)
    for coverage in (0.1, 0.5, 0.9):
        assert _of(y, counts).radius(coverage) == _of(y.repeat(counts)).radius(coverage)
        assert _of(y, 1e6 * counts).radius(coverage) == _of(y, counts).radius(coverage)


def test_spreads_and_rates_widen_where_they_are_large() -> None:
    normal = np.array([[0.0, 0.0], [0.0, np.log(4.0)]])
    band = Normal().middle(normal)
    np.testing.assert_allclose(band.residuals(np.array([[1.0], [1.0]])), [[1.0], [0.5]])
    rates = np.array([[1.0], [100.0]])
    np.testing.assert_allclose(Rate().middle(rates).residuals(rates + 5.0), [[5.0], [0.5]])
    assert residuals_of(Quantiles((0.1, 0.9)), normal, np.zeros(2)) is None
    assert residuals_of(Point(), np.full((3, 1), np.nan), np.zeros(3)) is None


def _rows(count: int, seed: int) -> polars.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2.0, 2.0, count)
    return polars.DataFrame(
        {"x": x, "z": rng.standard_normal(count), "y": 50 * np.sin(x) + 10 * rng.normal(size=count)}
    )


SMALL: dict[str, Any] = {"epochs": 12, "hidden": (16,), "batch_size": 32}


@pytest.fixture(scope="module")
def run() -> Any:
    return mc.fit_table(_rows(800, 0), "y", members=4, **SMALL)


def test_intervals_of_a_table_cover_what_they_say(run: Any, tmp_path: Path) -> None:
    new = _rows(2_000, 1)
    run.save(tmp_path / "m.safetensors")
    model = mc.load(tmp_path / "m.safetensors")
    for coverage in (0.5, 0.9):
        low, high = model.predict_interval_table(new, coverage).T
        np.testing.assert_array_equal(low, run.model.predict_interval_table(new, coverage)[:, 0])
        covered = np.mean((low <= new["y"].to_numpy()) & (new["y"].to_numpy() <= high))
        # Four deviations of a share of 2,000 rows and of a quantile of 480; predictions out of fold are of
        # fewer networks than the whole, by which intervals are too wide, here hardly.
        slack = 4 * np.sqrt(coverage * (1 - coverage) * (1 / 2_000 + 1 / 480))
        assert coverage - slack < covered < coverage + slack + 0.03
        middle = model.predict_table(new)
        np.testing.assert_allclose(0.5 * (low + high), middle, rtol=1e-4, atol=1e-3)


def test_one_network_and_other_losses_have_intervals_too() -> None:
    frame = _rows(300, 2).with_columns(y=polars.col("y").abs().round(0))
    losses = ("poisson", "gaussian_nll")
    told: list[dict[str, Any]] = [{"members": 1}, *({"members": 2, "loss": loss} for loss in losses)]
    for said in told:
        found = mc.fit_table(frame, "y", **SMALL, **said)
        low, high = found.model.predict_interval_table(frame, 0.8).T
        assert 0.6 < np.mean((low <= frame["y"].to_numpy()) & (frame["y"].to_numpy() <= high)) < 0.97
        if said.get("loss") == "poisson":
            assert low.min() >= 0.0
        if said.get("loss") == "gaussian_nll":
            assert np.std(high - low) > 0.0


def test_the_command_writes_the_ends(run: Any, tmp_path: Path, capsys: Any) -> None:
    model, rows = str(tmp_path / "m.safetensors"), str(tmp_path / "new.csv")
    run.save(model)
    _rows(20, 3).write_csv(rows)
    assert main(["predict", model, rows, "--interval", "0.9", "--quiet"]) == 0
    written = polars.read_csv(capsys.readouterr().out.encode())
    assert written.columns == ["prediction", "lower 0.9", "upper 0.9"]
    assert (written["lower 0.9"] < written["prediction"]).all()
    for wrong, told in (("1.5", "between 0 and 1"), ("0.9999", "rows held out")):
        assert main(["predict", model, rows, "--interval", wrong]) == 2
        assert told in capsys.readouterr().err
    classes = mc.fit_table("penguins", members=1, epochs=1, hidden=(4,))
    with pytest.raises(DataError, match="has classes; they have probabilities"):
        classes.model.predict_distribution_table(load_frame("penguins", Reading()).frame, 0.9)


@pytest.mark.parametrize(
    "told",
    [
        3, [], {}, {"levels": [0.5]}, {"levels": [0.5], "sizes": ["a"]},
        {"levels": [0.5, 0.2], "sizes": [1, 2]},
        {"levels": [0.5], "sizes": [-1.0]}, {"levels": [1.0], "sizes": [1.0]}, {"levels": [], "sizes": []},
        {"levels": [0.1] * 1001, "sizes": [0.1] * 1001}, {"levels": [True], "sizes": [1.0]},
    ],
    ids=str,
)  # fmt: skip
def test_damaged_residuals_are_refused(told: Any, run: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="is damaged: its residuals"):
        Residuals.from_json(told)
    model = replace(run.model, training={**run.model.training, "residuals": told})
    with pytest.raises(DataError, match="residuals"):
        model.save(tmp_path / "bad.safetensors")
