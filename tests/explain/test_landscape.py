"""Landscapes: the same losses as one by one, directions by their definition, paths, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.errors import DataError, ShapeError
from minicolumn.explain import TrajectoryRecorder
from minicolumn.explain.landscape import ROWS
from minicolumn.tree import flatten, map_leaves

Array = np.ndarray
# float32 losses of a mean over 300 rows, added up in another order: some tens of 2^-24.
CLOSE = 5e-6


@pytest.fixture(scope="module")
def problem() -> tuple[Array, Array]:
    """Return 300 rows of two classes, more than a block and not a multiple of one."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 3)).astype(np.float32)
    assert len(X) > ROWS
    assert len(X) % ROWS
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


@pytest.fixture(scope="module")
def trained(problem: Any) -> tuple[mc.Run, list[Any]]:
    net = mc.nn.Sequential(mc.nn.Dense(6, "tanh"), mc.nn.Dropout(0.2), mc.nn.Dense(2))
    recorder = TrajectoryRecorder()
    run = mc.fit(net, *problem, epochs=5, optimizer=mc.optim.Adam(0.02), callbacks=[recorder])
    return run, recorder.params


def moved(params: Any, directions: Any, a: float, b: float) -> Any:
    return map_leaves(lambda w, d, e: w + np.float32(a) * d + np.float32(b) * e, params, *directions)


def plain_loss(run: mc.Run, params: Any, X: Array, y: Array, weight: Array | None = None) -> float:
    loss = mc.nn.LOSSES[run.model.loss].function
    return float(loss(run.model.network.apply(params, X), y, weight))


def test_losses_are_those_of_the_moved_weights(trained: Any, problem: Any) -> None:
    run, _ = trained
    land = mc.landscape(run, *problem, points=5)
    assert land.losses.shape == (5, 5)
    for j, b in enumerate(land.b):
        for i, a in enumerate(land.a):
            expected = plain_loss(run, moved(run.params, land.directions, a, b), *problem)
            assert land.losses[j, i] == pytest.approx(expected, rel=CLOSE)
    assert land.losses[2, 2] == pytest.approx(land.centre, rel=1e-7)
    assert land.centre == pytest.approx(run.evaluate(*problem)["loss"], rel=CLOSE)


def test_weights_of_rows_count(trained: Any, problem: Any) -> None:
    run, _ = trained
    X, y = problem
    weight = (np.arange(300) % 3).astype(np.float32)
    land = mc.landscape(run, X, y, points=2, sample_weight=weight)
    assert land.centre == pytest.approx(plain_loss(run, run.params, X, y, weight), rel=CLOSE)


def test_random_directions_are_as_long_as_each_units_weights(trained: Any, problem: Any) -> None:
    run, _ = trained
    land = mc.landscape(run, *problem, points=2, seed=3)
    for direction in land.directions:
        for layer in ("0", "2"):
            own, drawn = run.params[layer]["weight"], direction[layer]["weight"]
            # Norms of float32 numbers: a few roundings of 2^-24.
            np.testing.assert_allclose(np.linalg.norm(drawn, axis=0), np.linalg.norm(own, axis=0), rtol=1e-6)
            assert not direction[layer]["bias"].any()
    again = mc.landscape(run, *problem, points=2, seed=3)
    np.testing.assert_array_equal(again.losses, land.losses)
    other = mc.landscape(run, *problem, points=2, seed=4)
    assert (other.losses != land.losses).any()


def test_a_path_is_seen_along_its_main_directions(trained: Any, problem: Any) -> None:
    run, params = trained
    assert len(params) == 6  # the start and five epochs
    land = mc.landscape(run, *problem, path=params, points=7)
    assert land.path is not None
    assert land.explained_variance_ratio is not None
    np.testing.assert_allclose(land.path[-1], 0.0, atol=1e-6)  # the last are the weights themselves
    flat = np.stack([np.concatenate([x.ravel() for x in flatten(p)[0]]) for p in params]).astype(np.float64)
    away = flat - flat[-1]
    values = np.linalg.svd(away, compute_uv=False) ** 2
    np.testing.assert_allclose(land.explained_variance_ratio, values[:2] / values.sum(), rtol=1e-6)
    # Pythagoras: what the picture shows of the path is that ratio of the squared distances.
    shown = (land.path**2).sum() / (away**2).sum()
    assert shown == pytest.approx(sum(land.explained_variance_ratio), rel=1e-6)
    assert land.a[0] < land.path[:, 0].min() < land.path[:, 0].max() < land.a[-1]
    assert "of the path" in str(land)


def test_on_a_quadratic_loss_the_landscape_is_the_quadratic() -> None:
    X, y = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([1.0, -2.0])
    net = mc.nn.Dense(1, bias=False)
    start = {"weight": np.array([[1.0], [-1.0]])}
    run = mc.fit(net, X, y, loss="squared_error", optimizer="sgd", epochs=1, params=start, dtype=np.float64)
    land = mc.landscape(run, X, y, points=9)
    assert land.centre == 0.0
    assert land.lowest == (0.0, 0.0, 0.0)
    first, second = (d["weight"][:, 0] for d in land.directions)
    for j, b in enumerate(land.b):
        for i, a in enumerate(land.a):
            off = X @ (a * first + b * second)
            assert land.losses[j, i] == pytest.approx(np.mean(off**2), rel=1e-12, abs=1e-30)
    assert land.around(0.5) < land.around(1.0)
    assert np.isnan(land.around(50.0))


def test_an_own_loss_must_be_named(problem: Any) -> None:
    X, y = problem

    def hinge(outputs: Array, targets: Array, weight: Array | None) -> Any:
        return np.mean(np.maximum(0.0, 1.0 - outputs * (2.0 * targets - 1.0)))

    run = mc.fit(mc.nn.Dense(1), X, y, loss=hinge, epochs=1)
    with pytest.raises(DataError, match="pass it as loss="):
        mc.landscape(run, X, y)
    land = mc.landscape(run, X[:200], y[:200], loss=hinge, points=2)
    own = run.model.network.apply(run.params, X[:200])
    assert land.centre == pytest.approx(float(hinge(own, y[:200, None], None)), rel=CLOSE)


def test_pictures_show_weights_and_path(trained: Any, problem: Any, tmp_path: Path) -> None:
    run, params = trained
    axes = mc.landscape(run, *problem, points=7).plot(tmp_path / "land.png")
    assert (tmp_path / "land.png").read_bytes()[:4] == b"\x89PNG"
    assert [t.get_text()[:11] for t in axes.figure.legends[0].get_texts()] == ["the weights"]
    axes = mc.landscape(run, *problem, points=7, path=params).plot(tmp_path / "land.svg")
    assert axes.figure.legends[0].get_texts()[0].get_text() == "path of 6 weights"
    assert "% of the way" in axes.get_xlabel()
    with pytest.raises(DataError, match="suffix of a picture"):
        mc.landscape(run, *problem, points=2).plot(tmp_path / "land.txt")


def test_it_can_be_read(trained: Any, problem: Any) -> None:
    run, _ = trained
    land = mc.landscape(run.model, *problem, points=9)
    assert repr(land).startswith("Landscape(9 x 9 points along two random directions")
    assert "at the weights" in str(land)
    assert max(map(len, str(land).splitlines())) <= 100


def test_what_has_no_landscape_is_refused(trained: Any, problem: Any) -> None:
    run, params = trained
    X, y = problem
    for arguments, error, message in (
        ({"model": run.params}, DataError, "expected a model, a run of `fit` or a fitted estimator"),
        ({"X": X[:, :2]}, ShapeError, r"rows of shape \[2\]"),
        ({"points": 1}, DataError, "points: expected an integer >= 2, got 1"),
        ({"span": 0.0}, DataError, "span: expected a number > 0, got 0"),
        ({"span": "1"}, DataError, "span: expected a number > 0, got .1"),
        ({"loss": "squared_eror"}, DataError, "did you mean 'squared_error'"),
        ({"path": params[:2]}, DataError, "at least 3"),
        ({"path": [params[0]] * 3}, DataError, "does not move"),
        ({"path": [{"weight": np.zeros(3)}] * 3}, ShapeError, "another network"),
    ):
        given: Any = {"model": run, "X": X, "y": y, **arguments}
        if message == "does not move":
            given["path"] = [run.params] * 3
        with pytest.raises(error, match=message):
            mc.landscape(**given)


def test_the_settings_of_a_loss_count() -> None:
    X = np.random.default_rng(0).standard_normal((40, 2)).astype(np.float32)
    run = mc.fit(mc.nn.Dense(1), X, 3 * X[:, 0], loss=mc.nn.Loss("huber", delta=0.5), epochs=1)
    land = mc.landscape(run, X, 3 * X[:, 0], points=3)
    # Sums of 40 float32 losses in another order.
    assert land.centre == pytest.approx(run.evaluate(X, 3 * X[:, 0])["loss"], rel=1e-5)
