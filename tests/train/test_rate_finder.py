"""The trial of learning rates: its batches, its verdict, its suggestion and its picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.train import rate_finder
from minicolumn.train.rate_finder import RateFinding, find_learning_rate

BACKENDS = ["native", "reference"]


def _judged(losses: Any) -> RateFinding:
    return rate_finder._judged(np.geomspace(1e-6, 1.0, len(losses)), np.asarray(losses, np.float64), 10.0)


def test_losses_are_those_of_the_same_steps_by_hand(blobs: Any, net: Any) -> None:
    X, y = blobs
    found = find_learning_rate(net, X, y, optimizer="sgd", low=1e-3, high=0.5, steps=12, dtype=np.float64)
    np.testing.assert_allclose(found.rates, 1e-3 * 500 ** (np.arange(12) / 11), rtol=1e-12)
    params, losses = net.init(0, (3,), np.float64), []
    for rate, rows in zip(found.rates, rate_finder._batches(0, len(X), 32, 12), strict=True):

        def loss(params: Any, rows: Any = rows) -> Any:
            return mc.nn.LOSSES["softmax_cross_entropy"].function(net.apply(params, X[rows]), y[rows], None)

        value, grads = mc.value_and_grad(loss)(params)
        losses.append(value)
        params = mc.optim.apply_updates(
            params, mc.optim.SGD(float(rate)).step(grads, {"count": np.int32(0)}, params)[0]
        )
    np.testing.assert_allclose(found.losses, losses, rtol=1e-10)  # roundings of twelve steps in another order


def test_a_constraint_binds_the_trial_too(blobs: Any, net: Any) -> None:
    frozen = lambda params: {k: {n: 0.0 * v for n, v in part.items()} for k, part in params.items()}  # noqa: E731
    found = find_learning_rate(net, *blobs, constraint=frozen, steps=12)
    # With weights of 0 each batch loses log 3, to a rounding of float32.
    np.testing.assert_allclose(found.losses[1:], np.log(3.0), rtol=1e-6)


def test_every_row_comes_once_before_any_comes_again() -> None:
    order = rate_finder._batches(3, 10, 4, 7)
    assert (order.shape, order.dtype) == ((7, 4), np.int32)
    assert sorted(order.ravel()[:10]) == sorted(order.ravel()[10:20]) == list(range(10))
    assert order.ravel()[:10].tolist() != order.ravel()[10:20].tolist()
    assert rate_finder._batches(0, 3, 32, 5).shape == (5, 3)


def test_the_running_mean_starts_free() -> None:
    np.testing.assert_allclose(rate_finder._smoothed(np.full(5, 2.5)), 2.5, rtol=1e-15)
    np.testing.assert_allclose(
        rate_finder._smoothed(np.array([1.0, 2.0])), [1.0, (0.9 + 2.0) / 1.9], rtol=1e-12
    )


def test_the_suggestion_is_a_tenth_of_the_rate_of_the_least_smoothed_loss() -> None:
    flat, down, up = np.full(60, 2.0), np.linspace(2.0, 0.5, 20), np.linspace(0.5, 50.0, 20)
    found = _judged([*flat, *down, *up])
    assert found.suggestion == found.rates[found.smoothed.argmin()] / 10
    assert found.diverged
    assert len(found.rates) == len(found.losses) == len(found.smoothed) < 100
    assert found.smoothed[-1] <= 4 * found.smoothed.min()
    assert _judged(np.linspace(2.0, 3.0, 100)).suggestion == 1e-6  # it only rises: the lowest rate


def test_plain_gradient_descent_bears_a_third_of_that_rate(wave: Any) -> None:
    net = mc.nn.Sequential(mc.nn.Dense(16, "tanh"), mc.nn.Dense(1))
    for optimizer, below in ((mc.optim.SGD(0.1), 3.0), (mc.optim.SGD(0.1, momentum=0.9), 10.0)):
        found = mc.train.find_learning_rate(net, *wave, loss="squared_error", optimizer=optimizer)
        assert found.suggestion == found.rates[found.smoothed.argmin()] / below


@pytest.mark.parametrize(
    "around", [lambda sgd: mc.optim.Clipped(sgd, norm=1e6), mc.optim.Averaged], ids=["Clipped", "Averaged"]
)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_wrappers_get_the_suggestion_of_what_they_wrap(wave: Any, around: Any, momentum: float) -> None:
    net = mc.nn.Sequential(mc.nn.Dense(16, "tanh"), mc.nn.Dense(1))
    sgd = mc.optim.SGD(0.1, momentum=momentum)
    # To where both fall: past that, only one of the two clips.
    limits: Any = {"loss": "squared_error", "high": 0.3, "dtype": np.float64}
    found, expected = (find_learning_rate(net, *wave, optimizer=o, **limits) for o in (around(sgd), sgd))
    # The factor on a gradient that is not clipped is 1, an average changes no step: the same to roundings.
    assert found.suggestion == pytest.approx(expected.suggestion, rel=1e-6)


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_the_trial_ends_before_what_is_no_number(odd: float) -> None:
    found = _judged([*np.linspace(2.0, 1.0, 30), odd, *np.full(20, odd)])
    assert (len(found.rates), found.diverged) == (30, True)
    with pytest.raises(mc.DataError, match=r"broke out at rate .* after 5 steps; lower low"):
        _judged([1.0] * 5 + [odd] * 10)


@pytest.mark.parametrize("backend", BACKENDS)
def test_divergence_ends_the_trial_and_the_suggestion_trains(wave: Any, backend: str) -> None:
    net = mc.nn.Sequential(mc.nn.Dense(16, "relu"), mc.nn.Dense(1))
    settings: dict[str, Any] = {"loss": "squared_error", "backend": backend}
    found = find_learning_rate(net, *wave, optimizer="momentum", high=10.0, **settings)
    assert found.diverged
    assert 1e-4 < found.suggestion < 1.0
    assert "diverged at" in repr(found)
    run = mc.fit(net, *wave, optimizer=mc.optim.SGD(found.suggestion, momentum=0.9), epochs=100, **settings)
    assert run.history["loss"][-1] < 0.3 * run.history["loss"][0]


def test_the_same_seed_finds_the_same(blobs: Any, net: Any) -> None:
    one, two = (find_learning_rate(net, *blobs, seed=4, steps=20) for _ in range(2))
    np.testing.assert_array_equal(one.losses, two.losses)
    other = find_learning_rate(net, *blobs, seed=5, steps=20)
    assert not np.array_equal(one.losses, other.losses)
    assert not one.diverged
    assert repr(one) == f"RateFinding(suggestion={one.suggestion:.2g}, up to 10)"


@pytest.mark.parametrize(
    "optimizer", [*mc.optim.OPTIMIZERS, mc.optim.Averaged(mc.optim.Clipped(mc.optim.Adam(), 1.0))]
)
def test_every_optimizer_can_be_tried(blobs: Any, net: Any, optimizer: Any) -> None:
    found = find_learning_rate(
        net, *blobs, optimizer=optimizer, steps=20, high=0.1, regularizer=mc.nn.L2(1e-3)
    )
    assert found.rates[0] <= found.suggestion <= found.rates[-1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"low": 0}, "expected 0 < low < high, got low=0"),
        ({"low": 1.0, "high": 0.5}, "expected 0 < low < high"),
        ({"high": float("inf")}, "expected 0 < low < high"),
        ({"steps": 9}, "steps: expected an integer >= 10, got 9"),
        ({"steps": 20.0}, "steps: expected an integer >= 10, got 20.0"),
        ({"optimizer": "sdg"}, "did you mean 'sgd'"),
        ({"batch_size": 0}, "batch_size: expected an integer >= 1, got 0"),
    ],
)
def test_settings_out_of_range(blobs: Any, net: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(mc.DataError, match=message):
        find_learning_rate(net, *blobs, **settings)


def test_a_picture_is_drawn(tmp_path: Any) -> None:
    figure = pytest.importorskip("matplotlib.figure", reason="matplotlib is not installed")
    found = _judged([*np.full(20, 2.0), *np.linspace(2.0, 0.5, 20), *np.linspace(0.5, 50.0, 20)])
    found.plot(tmp_path / "rates.png")
    assert (tmp_path / "rates.png").read_bytes().startswith(b"\x89PNG")
    own = figure.Figure().subplots()
    assert found.plot(ax=own) is own
    single, smooth, mark, point = (line.get_xydata() for line in own.lines)
    np.testing.assert_array_equal(single, np.stack([found.rates, found.losses], axis=1))
    np.testing.assert_array_equal(smooth, np.stack([found.rates, found.smoothed], axis=1))
    assert mark[0][0] == point[0][0] == found.suggestion
    assert own.get_xscale() == "log"
    assert found.plot().figure is not own.figure


def test_without_matplotlib_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(mc.DataError, match=r"needs matplotlib, which is not installed: pip install"):
        _judged(np.linspace(2.0, 1.0, 20)).plot()
