"""Every layer in a training: native code against the reference, and statistics that only layers move."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn import nn, optim, random
from minicolumn.autodiff.derivatives import value_and_grad
from minicolumn.lower.compile import graph_of
from minicolumn.train.step import Data, State, Step, Steps, train_steps
from minicolumn.tree import flatten, map_leaves, named_leaves

KNOTS = ((0, (-0.5, 0.1, 0.5)), (3, (-1.0, 0.2)))


def layers(width: int) -> dict[str, nn.Layer]:
    """Return a layer of each kind, for rows of so many numbers."""
    return {
        "activation": nn.Activation("glu"),
        "alpha dropout": nn.AlphaDropout(0.2),
        "batch norm": nn.BatchNorm(),
        "ascending": nn.MonotoneQuantiles(),
        "concatenate": nn.Concatenate(
            nn.Sequential(), nn.Dense(4, "relu"), nn.Sequential(nn.BatchNorm(affine=False))
        ),
        "dense": nn.Dense(5, "sparsemax", initializer=nn.Orthogonal(gain=2.0)),
        "dropout": nn.Dropout(0.2),
        "gaussian dropout": nn.GaussianDropout(0.2),
        "gaussian noise": nn.GaussianNoise(0.3),
        "column splines": nn.ColumnSplines(5, KNOTS),
        "ensemble": nn.Ensemble(nn.Dense(4, "tanh"), nn.Sequential(nn.Dropout(0.1), nn.Dense(4))),
        "heads": nn.Heads(a=nn.Dense(2), b=nn.Sequential(nn.LayerNorm(), nn.Dense(3, "silu"))),
        "layer norm": nn.LayerNorm(),
        "noisy relu": nn.NoisyReLU(),
        "piecewise dense": nn.PiecewiseDense(5, KNOTS, "selu"),
        "prelu": nn.PReLU(),
        "prelu, shared": nn.PReLU(shared=True),
        "reshape": nn.Reshape((width,)),
        "residual": nn.Residual(nn.Sequential(nn.BatchNorm(), nn.Dense(width, "relu"), nn.Dropout(0.1))),
        "rms norm": nn.RMSNorm(),
    }


LAYERS = layers(6)
# These are trained in tests/lower/llvm/test_epochs.py, those of members in test_members.py, those that stay
# as they are in test_transfer.py.
ELSEWHERE = {
    nn.ColumnEmbedding, nn.Embedding, nn.Flatten, nn.Formulas, nn.PiecewiseLinear, nn.Scale, nn.Sequential,
    nn.BatchEnsemble, nn.MeanOfMembers, nn.MemberDense, nn.Members,
    nn.Frozen, nn.Standardize,
}  # fmt: skip


def _net(name: str) -> nn.Sequential:
    return nn.Sequential(nn.Dense(6, "tanh"), LAYERS[name], nn.Dense(3))


def _fit(data: Any, net: Any, **settings: Any) -> mc.Run:
    chosen = {"optimizer": mc.optim.Adam(0.02), "batch_size": 8, "epochs": 3} | settings
    return mc.fit(net, *data, **chosen)


def test_every_layer_is_trained() -> None:
    public = {kind for kind in vars(nn).values() if isinstance(kind, type) and issubclass(kind, nn.Layer)}
    assert {type(layer) for layer in LAYERS.values()} | ELSEWHERE == public - {nn.Layer}


@pytest.mark.parametrize("name", LAYERS)
def test_native_training_is_the_references(name: str, blobs: Any) -> None:
    settings = {"dtype": np.float64, "regularizer": nn.L2(0.01), "batch_size": 7}
    whole = [part[:42] for part in blobs]  # batches of one odd size: half as much to compile
    native, reference = (_fit(whole, _net(name), backend=b, **settings) for b in ("native", "reference"))
    for (path, found), (_, expected) in zip(
        *map(named_leaves, (native.params, reference.params)), strict=True
    ):
        # 18 steps in float64: sums in another order, and Adam's divisions by roots of small numbers.
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10, err_msg=path)
    np.testing.assert_allclose(native.history["loss"], reference.history["loss"], rtol=1e-10)


def _stack(width: int) -> nn.Sequential:
    """Return a network of all layers, each behind a `Dense` of this many outputs."""
    parts = [part for layer in layers(width).values() for part in (nn.Dense(width), layer)]
    return nn.Sequential(*parts, nn.Dense(7))


@pytest.mark.slow
def test_the_number_of_threads_changes_no_bit(same_bits: Any) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((600, 20)).astype(np.float32), rng.integers(0, 7, 600)
    one, two = (mc.fit(_stack(96), X, y, batch_size=300, epochs=1, threads=threads) for threads in (1, 2))
    assert same_bits(one.params, two.params)


def test_what_was_trained_is_saved(blobs: Any, tmp_path: Path) -> None:
    run = _fit(blobs, _stack(6), epochs=1, backend="reference")
    run.save(tmp_path / "m.safetensors")
    again = mc.load(tmp_path / "m.safetensors")
    assert again.network == _stack(6)
    np.testing.assert_array_equal(again.predict(blobs[0]), run.predict(blobs[0]))


# Running statistics -----------------------------------------------------------------------------------------


def _inputs(net: nn.Layer, optimizer: optim.Optimizer, steps: int = 1) -> tuple[Any, ...]:
    """Return the arguments of an epoch: 30 rows of 5 features and 3 classes, batches of 8."""
    params = net.init(0, (5,), np.float64)
    X, y = random.normal(random.key(1), (30, 5), np.float64), np.arange(30, dtype=np.int32) % 3
    order = np.random.default_rng(0).integers(0, 30, (steps, 8)).astype(np.int32)
    rates, numbers = np.full(steps, 0.1), np.arange(steps, dtype=np.uint32)
    state = State(params, optimizer.start(params))
    return state, Data(X, y, np.ones(30)), Steps(order, rates, numbers), random.stream(0, "dropout")


@pytest.mark.parametrize("name", optim.OPTIMIZERS)
def test_no_optimizer_penalty_or_constraint_moves_statistics(name: str) -> None:
    net = nn.Sequential(nn.BatchNorm(momentum=0.5), nn.Dense(4, "tanh"), nn.BatchNorm(), nn.Dense(3))
    optimizer = optim.optimizer_by_name(name)
    args = _inputs(net, optimizer)

    def everything(params: Any) -> Any:
        return sum(np.sum((leaf - 3.0) ** 2) for _, leaf in named_leaves(params))

    def shifted(params: Any) -> Any:
        return map_leaves(lambda leaf: leaf + 1.0, params)

    loss = nn.LOSSES["softmax_cross_entropy"].function
    state, _ = train_steps(Step(net, loss, optimizer, everything, shifted))(*args)
    _, observed = net.apply_training(args[0].params, args[1].X[args[2].order[0]])
    moved = 0
    for (path, found), (_, seen), (_, before) in zip(
        *map(named_leaves, (state.params, observed, args[0].params)), strict=True
    ):
        if nn.is_statistic(path):
            np.testing.assert_allclose(found, seen, rtol=1e-13)  # the same sums in another order
            moved += int((found != before).any())
        else:
            assert (found != seen).any()
    assert moved == 4


def test_without_statistics_the_step_is_the_plain_one() -> None:
    inner = nn.Sequential(nn.Dense(6, "relu"), nn.Dropout(0.1))
    net = nn.Sequential(
        nn.Scale(), nn.Dense(6, "tanh"), nn.Dropout(0.3), nn.Residual(inner), nn.LayerNorm(), nn.Dense(3)
    )
    optimizer, loss = optim.Adam(), nn.LOSSES["softmax_cross_entropy"].function
    args = _inputs(net, optimizer, steps=3)

    def plain_epoch(state: State, data: Data, steps: Steps, key: Any) -> Any:
        weight: Any = data.weight

        def step(state: State, own_step: Steps) -> Any:
            rows, rate, number = own_step.order, own_step.rates, own_step.numbers
            own, (x, y, w) = random.fold_in(key, number), (a[rows] for a in (data.X, data.Y, weight))

            def objective(params: Any) -> Any:
                plain = loss(net.apply(params, x, key=own, training=True), y, w)
                penalty = nn.L2(0.01)(params)
                return plain + penalty, (plain, penalty)

            (_, losses), slopes = value_and_grad(objective, has_aux=True)(state.params)
            updates, moments = optimizer.step(slopes, state.moments, state.params, rate)
            return State(optim.apply_updates(state.params, updates), moments), losses

        return mc.scan(step, state, steps)

    found = graph_of(train_steps(Step(net, loss, optimizer, nn.L2(0.01))), *args)
    assert _text(found) == _text(graph_of(plain_epoch, *args))


def _text(graph: Any) -> list[str]:
    """Return a graph's lines without the names and places of the functions that it came from."""
    return [line.split("#")[0].rstrip() for line in str(graph).splitlines()][1:]


def test_predictions_use_the_running_statistics(blobs: Any) -> None:
    X, y = blobs
    net = nn.Sequential(nn.BatchNorm(momentum=0.5), nn.Dense(8, "tanh"), nn.BatchNorm(), nn.Dense(3))
    run = _fit((X * 100 + 5, y), net, epochs=30, dtype=np.float64, validation_data=(X * 100 + 5, y))
    assert run.evaluate(X * 100 + 5, y)["accuracy"] > 0.6
    # One row gives what it gives among others, so nothing of its batch is looked at.
    together, alone = run.predict(X * 100 + 5), run.predict(X[:1] * 100 + 5)
    np.testing.assert_allclose(alone[0], together[0], rtol=1e-12)
    # Half of every batch is kept, so the running mean is about that of the last few batches.
    assert abs(run.params["0"]["mean"] - (X * 100 + 5).mean(axis=0)).max() < 60
    assert (run.params["0"]["variance"] > 1000).all()


@pytest.mark.parametrize("batch_size", [1, 46])
def test_batches_of_one_row_are_trained_on_too(batch_size: int, blobs: Any) -> None:
    net = nn.Sequential(nn.Dense(4), nn.BatchNorm(), nn.Dense(3))
    run = _fit(blobs, net, batch_size=batch_size, epochs=2)
    assert np.isfinite(run.history["loss"]).all()
    assert (run.params["1"]["variance"] >= 0).all()


def test_statistics_go_on_from_given_params(blobs: Any, same_bits: Any) -> None:
    net = nn.Sequential(nn.BatchNorm(), nn.Dense(3))
    settings = {"optimizer": mc.optim.SGD(0.1), "batch_size": 47, "shuffle": False}
    first = _fit(blobs, net, epochs=4, **settings)
    both = _fit(blobs, net, epochs=3, params=first.params, **settings)
    assert same_bits(both.params, _fit(blobs, net, epochs=7, **settings).params)


# Constraints, and what cannot learn -------------------------------------------------------------------------


def _halved(params: Any) -> Any:
    return map_leaves(lambda leaf: np.clip(leaf, -0.25, 0.25), params)


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("constraint", [nn.MaxNorm(0.5), nn.UnitNorm(), nn.NonNegative(), _halved])
def test_a_constraint_holds_after_every_step(
    backend: str, constraint: Any, blobs: Any, same_bits: Any
) -> None:
    net = nn.Sequential(nn.Dense(4, "tanh"), nn.BatchNorm(), nn.Dense(3))
    settings = {"backend": backend, "dtype": np.float64, "epochs": 1}
    free, bound = (_fit(blobs, net, constraint=c, **settings) for c in (None, constraint))
    assert not same_bits(free.params, bound.params)
    for layer in ("0", "2"):
        w = bound.params[layer]["weight"]
        np.testing.assert_allclose(constraint({"weight": w})["weight"], w, rtol=1e-12)  # a rounding or two
    assert not same_bits(bound.params["1"]["mean"], np.zeros(4))


@pytest.mark.parametrize(
    ("constraint", "said"),
    [
        (lambda params: params["weight"], "same structure, weight, bias; it gave one array"),
        (
            lambda params: {**params, "bias": params["bias"][:1]},
            r"float32 \[3\], float32 \[1\]; it must keep",
        ),
        (
            lambda params: {**params, "bias": params["bias"].astype(np.float64)},
            r"float64 \[3\]; it must keep",
        ),
    ],
)
def test_a_constraint_that_makes_something_else_is_refused(blobs: Any, constraint: Any, said: str) -> None:
    with pytest.raises(mc.ShapeError, match=said):
        mc.fit(nn.Dense(3), *blobs, constraint=constraint, epochs=1)


def test_a_constraint_that_is_none_is_refused(blobs: Any) -> None:
    for wrong in (2.0, nn.MaxNorm):
        with pytest.raises(
            mc.DataError, match=r"constraint: expected .* such as mc.nn.MaxNorm\(2\), or a function"
        ):
            _fit(blobs, nn.Dense(3), constraint=wrong)


@pytest.mark.parametrize(
    ("net", "where"),
    [
        (nn.Dense(3, "step"), r"the network is Dense\(3, activation='step'\)"),
        (nn.Sequential(nn.Dense(4, "step"), nn.Dense(3)), "layer 0 is Dense"),
        (
            nn.Sequential(nn.Residual(nn.Sequential(nn.Dense(3), nn.Activation("step"))), nn.Dense(3)),
            r"layer 0\.1 is",
        ),
        (nn.Concatenate(nn.Dense(2), nn.Dense(1, "step")), "layer 1 is Dense"),
    ],
)
def test_whoever_trains_through_a_step_is_told_why_nothing_would_move(
    net: Any, where: str, blobs: Any
) -> None:
    with pytest.raises(
        mc.DataError, match=f"fit: {where}.*derivative is 0 everywhere.*train with 'logistic'"
    ) as e:
        _fit(blobs, net)
    assert "\n" not in str(e.value)


def test_weights_of_the_logistic_fit_the_step(blobs: Any) -> None:
    soft, hard = (nn.Sequential(nn.Dense(16, name), nn.Dense(3)) for name in ("logistic", "step"))
    run = _fit(blobs, soft, epochs=2)
    outputs = hard.apply(run.params, blobs[0].astype(np.float32))
    assert outputs.shape == (47, 3)
    assert len(flatten(run.params)[0]) == 4
