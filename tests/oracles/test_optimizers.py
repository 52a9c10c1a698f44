"""Optimizers, wrappers and schedules beside PyTorch's and Optax's. Needs the extra `oracles`, and Optax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn import optim

pytestmark = pytest.mark.oracles
torch = pytest.importorskip("torch", reason="PyTorch is not installed; pip install 'minicolumn[oracles]'")
jax = pytest.importorskip("jax", reason="JAX is not installed; pip install 'minicolumn[oracles]'")
optax = pytest.importorskip("optax", reason="Optax is not installed; pip install optax")


@pytest.fixture(autouse=True)
def double_precision() -> Any:
    """Let PyTorch keep its scalars, such as NAdam's product of momenta, in float64 too."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


STEPS = 200
START = np.random.default_rng(0).standard_normal((4, 3))
CURVES = np.random.default_rng(1).uniform(0.1, 5.0, (4, 3))
# The same sums in float64, in another order, over two hundred steps of a valley that does not enlarge them.
RTOL, ATOL = 1e-9, 1e-11


def slope(p: Any, t: int) -> Any:
    """Return the slope of a bent valley that also drifts, so that signs turn and moments never settle."""
    return CURVES * p + np.cos(3.0 * p) + np.sin(0.7 * t)


def ours(optimizer: optim.Optimizer, rates: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the parameters after each step, and the weights to keep."""
    params, points, kept = {"weight": START}, [], []
    moments = optimizer.start(params)
    for t in range(STEPS):
        rate = None if rates is None else float(rates[t])
        updates, moments = optimizer.step({"weight": slope(params["weight"], t)}, moments, params, rate)
        params = optim.apply_updates(params, updates)
        points.append(params["weight"])
        kept.append(optimizer.weights(params, moments)["weight"])
    return np.array(points), np.array(kept)


def with_torch(make: Callable[[Any], Any], before: Callable[[Any], Any] = lambda p: None) -> np.ndarray:
    tensor = torch.tensor(START, requires_grad=True)
    theirs, points = make([tensor]), []
    for t in range(STEPS):
        tensor.grad = torch.tensor(slope(tensor.detach().numpy(), t))
        before([tensor])
        theirs.step()
        points.append(tensor.detach().numpy().copy())
    return np.array(points)


def with_optax(theirs: Any, kept: Any = lambda state, params: params) -> tuple[np.ndarray, np.ndarray]:
    params, points, weights = jax.numpy.asarray(START), [], []
    state, update = theirs.init(params), jax.jit(theirs.update)
    for t in range(STEPS):
        updates, state = update(jax.numpy.asarray(slope(np.asarray(params), t)), state, params)
        params = optax.apply_updates(params, updates)
        points.append(np.asarray(params))
        weights.append(np.asarray(kept(state, params)))
    return np.array(points), np.array(weights)


TORCH: dict[str, tuple[optim.Optimizer, Callable[[Any], Any]]] = {
    "adadelta": (
        optim.Adadelta(0.5, weight_decay=0.1),
        lambda p: torch.optim.Adadelta(p, 0.5, weight_decay=0.1),
    ),
    "adagrad": (
        optim.AdaGrad(0.1, initial=0.1, weight_decay=0.1),
        lambda p: torch.optim.Adagrad(p, 0.1, initial_accumulator_value=0.1, eps=1e-7, weight_decay=0.1),
    ),
    "adamax": (optim.AdaMax(0.02, eps=0.0), lambda p: torch.optim.Adamax(p, 0.02, eps=1e-300)),
    "adamw": (optim.AdamW(0.02), lambda p: torch.optim.AdamW(p, 0.02)),
    "amsgrad": (
        optim.AMSGrad(0.02, b2=0.9, weight_decay=0.1),
        lambda p: torch.optim.Adam(p, 0.02, (0.9, 0.9), weight_decay=0.1, amsgrad=True),
    ),
    # PyTorch's warm-up of b1 is over at once where its decay is large.
    "nadam": (optim.NAdam(0.02), lambda p: torch.optim.NAdam(p, 0.02, momentum_decay=1e6)),
    "radam": (
        optim.RAdam(0.02, eps=0.0, weight_decay=0.1),
        lambda p: torch.optim.RAdam(p, 0.02, eps=0.0, weight_decay=0.1),
    ),
    "radam, short memory": (
        optim.RAdam(0.02, b2=0.9, eps=0.0),
        lambda p: torch.optim.RAdam(p, 0.02, (0.9, 0.9), eps=0.0),
    ),
    "rmsprop": (
        optim.RMSProp(0.02, decay=0.99, momentum=0.5, weight_decay=0.1),
        lambda p: torch.optim.RMSprop(p, 0.02, alpha=0.99, momentum=0.5, weight_decay=0.1),
    ),
    "rprop": (optim.Rprop(0.01), lambda p: torch.optim.Rprop(p, 0.01)),
    "rprop, narrow": (
        optim.Rprop(0.1, shrink=0.3, grow=1.5, least=0.2, most=2.0),
        lambda p: torch.optim.Rprop(p, 0.1, etas=(0.3, 1.5), step_sizes=(0.02, 0.2)),
    ),
}


@pytest.mark.parametrize("name", TORCH)
def test_pytorchs_path(name: str) -> None:
    optimizer, theirs = TORCH[name]
    np.testing.assert_allclose(ours(optimizer)[0], with_torch(theirs), RTOL, ATOL)


def test_muon_is_pytorchs_but_in_double_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("this PyTorch has no Muon; 2.9 or later has")
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)  # its iteration rounds to 8 bits
    for nesterov in (False, True):
        theirs = with_torch(
            lambda p, nesterov=nesterov: torch.optim.Muon(
                p,
                0.02,
                weight_decay=0.1,
                momentum=0.9,
                nesterov=nesterov,
                eps=0.0,
                adjust_lr_fn="match_rms_adamw",
            )
        )
        optimizer = optim.Muon(0.02, 0.9, nesterov, weight_decay=0.1, eps=0.0)
        np.testing.assert_allclose(ours(optimizer)[0], theirs, RTOL, ATOL)


@pytest.mark.parametrize("bound", ["norm", "value"])
def test_clipping_is_pytorchs(bound: str) -> None:
    clip = {"norm": torch.nn.utils.clip_grad_norm_, "value": torch.nn.utils.clip_grad_value_}[bound]
    theirs = with_torch(lambda p: torch.optim.SGD(p, 0.1, momentum=0.9), lambda p: clip(p, 0.7))
    optimizer = optim.Clipped(optim.SGD(0.1, momentum=0.9), **{bound: 0.7})
    np.testing.assert_allclose(ours(optimizer)[0], theirs, RTOL, ATOL)


OPTAX: dict[str, tuple[optim.Optimizer, Any]] = {
    "adadelta": (optim.Adadelta(0.5), optax.adadelta(0.5, rho=0.9, eps=1e-6)),
    "adam": (optim.Adam(0.02), optax.adam(0.02)),
    "adamw": (optim.AdamW(0.02, weight_decay=0.1), optax.adamw(0.02, weight_decay=0.1)),
    "lion": (optim.Lion(0.01, weight_decay=0.1), optax.lion(0.01, weight_decay=0.1)),
    "muon": (
        optim.Muon(0.02, nesterov=False, weight_decay=0.1, eps=0.0),
        optax.contrib.muon(0.02, nesterov=False, weight_decay=0.1, eps=0.0, consistent_rms=0.2),
    ),
    "nadam": (optim.NAdam(0.02), optax.nadam(0.02)),
    "radam": (optim.RAdam(0.02), optax.radam(0.02)),
    "rmsprop": (optim.RMSProp(0.02), optax.rmsprop(0.02, decay=0.9, eps=1e-8, eps_in_sqrt=False)),
}


@pytest.mark.parametrize("name", OPTAX)
def test_optaxs_path(name: str) -> None:
    optimizer, theirs = OPTAX[name]
    np.testing.assert_allclose(ours(optimizer)[0], with_optax(theirs)[0], RTOL, ATOL)


@pytest.mark.parametrize("b1", [0.9, 0.5])
@pytest.mark.parametrize("warm", [False, True])
def test_schedule_free_is_optaxs(b1: float, warm: bool) -> None:
    rates = 0.02 * np.minimum(np.arange(1, STEPS + 1) / 20, 1.0) if warm else np.full(STEPS, 0.02)
    theirs = optax.contrib.schedule_free(
        optax.chain(
            optax.scale_by_rms(0.999, eps=1e-8, eps_in_sqrt=False, bias_correction=True),
            optax.add_decayed_weights(0.1),
            optax.scale_by_learning_rate(lambda count: jax.numpy.asarray(rates)[count]),
        ),
        learning_rate=lambda count: jax.numpy.asarray(rates)[count - 1],
        b1=b1,
    )
    found, kept = ours(optim.ScheduleFreeAdamW(1.0, b1, weight_decay=0.1), rates)
    points, weights = with_optax(theirs, optax.contrib.schedule_free_eval_params)
    np.testing.assert_allclose(found, points, RTOL, ATOL)
    np.testing.assert_allclose(kept, weights, RTOL, ATOL)


def test_the_mean_of_weights_is_optaxs() -> None:
    points, kept = ours(optim.Averaged(optim.Adam(0.02), decay=0.95))
    average = optax.ema(0.95, debias=True)
    state = average.init(jax.numpy.asarray(START))
    for point, weights in zip(points, kept, strict=True):
        expected, state = average.update(jax.numpy.asarray(point), state)
        np.testing.assert_allclose(weights, expected, RTOL, ATOL)


# Schedules --------------------------------------------------------------------------------------------------

TOTAL = 80
WITH_OPTAX: dict[str, tuple[optim.Schedule, Any]] = {
    "cosine": (optim.Cosine(end=0.1), optax.cosine_decay_schedule(1.0, TOTAL, alpha=0.1)),
    "exponential": (optim.Exponential(end=0.05), optax.exponential_decay(1.0, TOTAL, 0.05)),
    "polynomial": (optim.Polynomial(end=0.1, power=3), optax.polynomial_schedule(1.0, 0.1, 3, TOTAL)),
    "linear": (optim.Polynomial(), optax.linear_schedule(1.0, 0.0, TOTAL)),
    "piecewise constant": (
        optim.PiecewiseConstant(at=(0.25, 0.5), factors=(1.0, 0.5, 0.05)),
        optax.join_schedules([optax.constant_schedule(x) for x in (1.0, 0.5, 0.05)], [20, 40]),
    ),
    "one cycle": (
        optim.OneCycle(rise=0.25, div_factor=10, final_div_factor=100),
        optax.cosine_onecycle_schedule(TOTAL, 1.0, pct_start=0.25, div_factor=10, final_div_factor=100),
    ),
    "restarts": (
        optim.CosineRestarts(cycles=4, t_mult=1, end=0.1),
        optax.sgdr_schedule(
            [
                {"init_value": 1.0, "peak_value": 1.0, "warmup_steps": 0, "decay_steps": 20, "end_value": 0.1}
                for _ in range(4)
            ]
        ),
    ),
}


@pytest.mark.parametrize("name", WITH_OPTAX)
def test_optaxs_schedule(name: str) -> None:
    schedule, theirs = WITH_OPTAX[name]
    expected = [float(theirs(jax.numpy.asarray(step, float))) for step in range(TOTAL)]
    np.testing.assert_allclose(
        schedule(np.arange(TOTAL), TOTAL), expected, rtol=1e-9, atol=1e-12
    )  # cosines cancel


def _rates(make: Callable[[Any], Any], steps: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 1.0)
    scheduler, rates = make(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def test_restarts_are_pytorchs() -> None:
    theirs = _rates(
        lambda o: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 10, T_mult=2, eta_min=0.1), 70
    )
    found = optim.CosineRestarts(cycles=3, t_mult=2, end=0.1)(np.arange(70), 70)
    np.testing.assert_allclose(found, theirs, rtol=1e-12)


@pytest.mark.parametrize(("shape", "name"), [("linear", "linear"), ("cosine", "cos")])
def test_one_cycle_is_pytorchs(shape: str, name: str) -> None:
    # PyTorch has its top at step 0.3 * total - 1 and its end on the last step, not after it.
    theirs = _rates(
        lambda o: torch.optim.lr_scheduler.OneCycleLR(
            o, 1.0, total_steps=TOTAL + 1, pct_start=(0.3 * TOTAL + 1) / (TOTAL + 1), anneal_strategy=name,
            cycle_momentum=False,
        ),
        TOTAL,
    )  # fmt: skip
    found = optim.OneCycle(rise=0.3, shape=shape)(np.arange(TOTAL), TOTAL)
    np.testing.assert_allclose(found, theirs, rtol=1e-9)


def test_a_plateau_is_pytorchs_with_one_epoch_less_of_patience() -> None:
    values = np.abs(np.random.default_rng(5).standard_normal(60)).round(1)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=2, threshold=0.2, threshold_mode="abs", min_lr=0.01
    )
    callback = mc.ReduceOnPlateau(0.5, patience=3, min_delta=0.2, minimum=0.01)
    training: Any = mc.train.Tracker()
    for epoch, value in enumerate(values, 1):
        row = {"epoch": epoch, "loss": float(value)}
        training.add(row, None)
        callback.on_epoch(training, row)
        theirs.step(value)
        assert training.rate_factor == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-15)
    assert training.rate_factor < 0.1
