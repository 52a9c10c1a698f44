"""Networks of members in training: each member's own loss is averaged, by all that differentiates it.

The objective is written out in NumPy, member by member; what is measured and predicted is of the mean.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special

import minicolumn as mc
from minicolumn import nn, random, tree
from minicolumn.nn.layers.ensemble import Averaged
from minicolumn.train.lbfgs import minimize_lbfgs
from minicolumn.train.step import loss_of

Array = np.ndarray
PENALTY = nn.PerRow(nn.L2(0.7))


def tabm(mean: Averaged = "probabilities", outputs: int = 3) -> nn.Sequential:
    """Return a network of four members with every layer for members."""
    return nn.Sequential(
        nn.Members(4), nn.BatchEnsemble(6, "tanh", inputs=False), nn.Dense(5, "tanh"),
        nn.BatchEnsemble(5, "silu"), nn.MemberDense(outputs), nn.MeanOfMembers(mean),
    )  # fmt: skip


def packed(members: int, mean: Averaged = "probabilities") -> nn.Sequential:
    """Return independent networks side by side."""
    return nn.Sequential(
        nn.Members(members, "none"), nn.MemberDense(5, "tanh"), nn.MemberDense(3), nn.MeanOfMembers(mean)
    )


def _fit(data: Any, net: Any, **settings: Any) -> mc.Run:
    # By the reference where nothing else is said, which has nothing to compile.
    chosen: dict[str, Any] = {
        "optimizer": mc.optim.SGD(0.1),
        "batch_size": 8,
        "epochs": 3,
        "dtype": np.float64,
    }
    chosen |= {"backend": "reference"} | settings
    return mc.fit(net, *data, **chosen)


def _close(found: Any, expected: Any, rtol: float = 1e-10) -> None:
    """Compare trees: sums in another order, over the steps of a training in float64."""
    for (path, a), (_, b) in zip(*map(tree.named_leaves, (found, expected)), strict=True):
        np.testing.assert_allclose(a, b, rtol, 1e-12, err_msg=path)


def _forward(p: Any, X: Array) -> Array:
    """Return the outputs of `tabm`, member by member as the paper writes them, [batch, 4, outputs]."""
    found = []
    for i in range(4):
        h = X * p["0"]["scale"][i]
        h = np.tanh((h @ p["1"]["weight"]) * p["1"]["outputs"]["scale"][i] + p["1"]["bias"][i])
        h = np.tanh(h @ p["2"]["weight"] + p["2"]["bias"])
        r, s = p["3"]["inputs"]["scale"][i], p["3"]["outputs"]["scale"][i]
        z = ((h * r) @ p["3"]["weight"]) * s + p["3"]["bias"][i]
        h = z * special.expit(z)
        found.append(h @ p["4"]["weight"][i] + p["4"]["bias"][i])
    return np.stack(found, axis=1)


def _objective(p: Any, X: Array, y: Array, weight: Array | None, smoothing: float, decay: float) -> float:
    """Return the mean over rows and members of the smoothed cross entropy, and the penalty of the batch."""
    w = np.ones(len(X)) if weight is None else weight
    shares = (1.0 - smoothing) * np.eye(3)[y] + smoothing / 3
    losses = [-np.sum(shares * special.log_softmax(z, axis=1), axis=1) for z in _forward(p, X).swapaxes(0, 1)]
    mean = np.mean([np.sum(w * rows) / np.sum(w) for rows in losses])
    weights = [p[layer]["weight"] for layer in "1234"]
    return float(mean + 0.5 * decay * sum(np.sum(a * a) for a in weights) / np.sum(w))


def _params(net: nn.Layer, features: int) -> Any:
    """Return parameters that differ from member to member, of which none stands at a kink."""
    params = net.init(3, (features,), np.float64)
    named, structure = tree.named_leaves(params), tree.flatten(params)[1]
    noise = [
        0.3 * random.normal(random.fold_in_name(random.key(7), path), leaf.shape, np.float64)
        for path, leaf in named
    ]
    return tree.unflatten(structure, [leaf + part for (_, leaf), part in zip(named, noise, strict=True)])


# The objective ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_objective_is_the_one_written_out(blobs: Any, weighted: bool, smoothing: float) -> None:
    X, y = blobs
    net, weight = tabm(), np.linspace(0.2, 3.0, len(y)) if weighted else None
    loss = nn.Loss("softmax_cross_entropy", label_smoothing=smoothing)

    def objective(params: Any) -> Any:
        return loss_of(net, loss, PENALTY, params, X, y.astype(np.int32), weight)[0]

    params = _params(net, 3)
    expected = _objective(params, X, y, weight, smoothing, 0.7)
    np.testing.assert_allclose(objective(params), expected, rtol=1e-13)
    mc.check_grads(objective, (params,), order=1)  # central differences in float64


def test_whatever_takes_gradients_takes_them_of_that_objective(blobs: Any) -> None:
    X, y = blobs
    net, weight, labels = tabm(), np.linspace(0.2, 3.0, len(y)), y.astype(np.int32)
    loss, params = nn.Loss("softmax_cross_entropy", label_smoothing=0.2), _params(net, 3)
    settings: dict[str, Any] = {"loss": loss, "regularizer": PENALTY, "sample_weight": weight}
    one_batch: dict[str, Any] = {"params": params, "dtype": np.float64, "batch_size": len(y), **settings}
    expected = _objective(params, X, y, weight, 0.2, 0.7)
    slopes = mc.grad(lambda p: loss_of(net, loss, PENALTY, p, X, labels, weight)[0])(params)
    seen = mc.Trainer(net, X, y, **one_batch).gradients()
    np.testing.assert_allclose(seen.loss + seen.penalty, expected, rtol=1e-12)
    _close(seen.gradients, slopes)
    assert seen.layers[-1].outputs.shape == (47, 4, 3)
    run = _fit(blobs, net, epochs=1, **one_batch)
    np.testing.assert_allclose(run.history["loss"][0] + run.history["penalty"][0], expected, rtol=1e-12)
    _close(run.params, tree.map_leaves(lambda p, g: p - 0.1 * g, params, slopes))
    found = minimize_lbfgs(net, X, labels, params, **settings, max_iter=3)
    np.testing.assert_allclose(found.loss, _objective(found.params, X, y, weight, 0.2, 0.7), rtol=1e-10)
    tried = mc.train.find_learning_rate(net, X, y, backend="reference", steps=10, **one_batch)
    np.testing.assert_allclose(tried.losses[0], seen.loss, rtol=1e-12)


def test_an_own_loss_is_given_each_members_row(wave: Any) -> None:
    def own(outputs: Any, targets: Any, weight: Any) -> Any:
        assert outputs.shape == targets.shape == (4 * 8, 1)
        assert weight.shape == (4 * 8,)
        return np.sum(weight * np.sum((outputs - targets) ** 2, axis=1)) / np.sum(weight)

    rows = [part[:48] for part in wave]
    runs = [_fit(rows, tabm("numbers", 1), loss=loss) for loss in (own, "squared_error")]
    _close(runs[0].params, runs[1].params)


def test_figures_and_predictions_are_of_the_mean(blobs: Any) -> None:
    X, y = blobs
    run = _fit(blobs, tabm(), validation_data=blobs, metrics=["accuracy"], epochs=20)
    mean = special.softmax(_forward(run.params, X), axis=2).mean(axis=1)
    np.testing.assert_allclose(run.predict(X), mean, rtol=1e-12)
    np.testing.assert_allclose(
        run.history["val_loss"][-1], -np.mean(np.log(mean[np.arange(47), y])), rtol=1e-12
    )
    assert run.history["val_accuracy"][-1] == np.mean(mean.argmax(axis=1) == y)
    # By Jensen's inequality the mean has a lower loss than its members have on the average.
    assert run.history["val_loss"][-1] < _objective(run.params, X, y, None, 0.0, 0.0)


def test_answers_of_yes_or_no_and_numbers(wave: Any) -> None:
    X, y = wave
    run = _fit((X, (y > 0).astype(int)), tabm(outputs=1), loss="binary_cross_entropy")
    mean = special.expit(_forward(run.params, X)).mean(axis=1)
    np.testing.assert_allclose(run.predict(X), mean[:, 0], rtol=1e-12)
    run = _fit(wave, tabm("numbers", 1), loss="squared_error")
    mean = _forward(run.params, X).mean(axis=1)
    np.testing.assert_allclose(run.predict(X), mean[:, 0], rtol=1e-11, atol=1e-14)


def test_heads_of_several_tasks_have_members_too(blobs: Any) -> None:
    X, y = blobs
    heads = nn.Heads(size=nn.Dense(1), kind=nn.Sequential(nn.Dropout(0.1), nn.Dense(3)))
    loss = nn.HeadsLoss(heads, {"size": "squared_error", "kind": "softmax_cross_entropy"})
    net = nn.Sequential(nn.Members(3), nn.BatchNorm(), nn.Dense(6, "relu"), heads, nn.MeanOfMembers())
    targets = loss.targets(size=X[:, 0], kind=y)
    run = _fit((X, targets), net, loss=loss, epochs=40, optimizer=mc.optim.Adam(0.02))
    assert run.history["loss"][-1] < 0.7 * run.history["loss"][0]
    assert (run.params["1"]["mean"] != 0).all()


# What members are equal to ----------------------------------------------------------------------------------


def test_members_of_equal_weights_are_one_network(blobs: Any) -> None:
    one = nn.Sequential(nn.Dense(5, "tanh"), nn.Dense(3))
    many = nn.Sequential(nn.Members(3, "none"), *one.layers, nn.MeanOfMembers("probabilities"))
    params = one.init(0, (3,), np.float64)
    weight = np.linspace(0.5, 2.0, 47)
    settings = {"optimizer": mc.optim.AdamW(0.01), "regularizer": "l2:rate=0.01", "sample_weight": weight}
    alone = _fit(blobs, one, params=params, **settings)
    shared = {"0": {}, "1": params["0"], "2": params["1"], "3": {}}
    together = _fit(blobs, many, params=shared, **settings)
    _close([together.params["1"], together.params["2"]], [alone.params["0"], alone.params["1"]])
    np.testing.assert_allclose(together.history["loss"], alone.history["loss"], rtol=1e-10)
    np.testing.assert_allclose(together.predict(blobs[0]), alone.predict(blobs[0]), rtol=1e-10)


def test_packed_networks_are_those_networks_trained_apart(blobs: Any) -> None:
    one, many = nn.Sequential(nn.Dense(5, "tanh"), nn.Dense(3)), packed(4)
    params = many.init(0, (3,), np.float64)
    # Of the mean over members each has a quarter of its gradient, so plain descent takes four times the rate.
    together = _fit(blobs, many, params=params, optimizer=mc.optim.SGD(0.4), epochs=5)
    for i in range(4):
        own = {str(k): {name: part[i] for name, part in params[str(k + 1)].items()} for k in range(2)}
        alone = _fit(blobs, one, params=own, optimizer=mc.optim.SGD(0.1), epochs=5)
        small, kept = nn.keep_members(many, together.params, [i])
        _close({k: {n: a[0] for n, a in kept[str(int(k) + 1)].items()} for k in "01"}, alone.params)
        found = special.softmax(small.apply(kept, blobs[0]), axis=1)
        np.testing.assert_allclose(found, alone.predict(blobs[0]), rtol=1e-9)


# Native code ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [tabm, lambda: packed(3)], ids=["tabm", "packed"])
def test_native_training_is_the_references(make: Any, blobs: Any) -> None:
    rows = [part[:42] for part in blobs]
    net = nn.Sequential(*make().layers[:-2], nn.Dropout(0.2), *make().layers[-2:])
    settings = {
        "optimizer": mc.optim.AdamW(0.02),
        "batch_size": 7,
        "sample_weight": np.linspace(0.5, 2.0, 42),
    }
    native, reference = (_fit(rows, net, backend=b, **settings) for b in ("native", "reference"))
    # 18 steps in float64: sums in another order, and Adam's divisions by roots of small numbers.
    _close(native.params, reference.params, rtol=1e-8)
    np.testing.assert_allclose(native.predict(rows[0]), reference.predict(rows[0]), rtol=1e-8)


def test_the_number_of_threads_changes_no_bit(same_bits: Any) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((512, 40)).astype(np.float32), rng.integers(0, 3, 512)
    net = nn.Sequential(
        nn.Members(8), nn.Dense(64, "relu"), nn.BatchEnsemble(64, "relu"), nn.MemberDense(64, "relu"),
        nn.MemberDense(3), nn.MeanOfMembers("probabilities"),
    )  # fmt: skip
    one, two = (mc.fit(net, X, y, batch_size=256, epochs=2, threads=threads) for threads in (1, 2))
    assert same_bits(one.params, two.params)
    assert same_bits([one.predict(X)], [two.predict(X)])


def test_decay_shrinks_the_weights_alone(blobs: Any) -> None:
    net = tabm()
    params = _params(net, 3)
    flat = lambda outputs, targets, weight: 0.0 * np.sum(outputs)  # noqa: E731
    run = _fit(
        blobs, net, params=params, loss=flat, optimizer=mc.optim.AdamW(0.1, weight_decay=0.5), epochs=1
    )
    moved = [
        path
        for (path, a), (_, b) in zip(*map(tree.named_leaves, (run.params, params)), strict=True)
        if (a != b).any()
    ]
    assert moved == ["1.weight", "2.weight", "3.weight", "4.weight"]


def test_what_was_trained_is_saved(blobs: Any, tmp_path: Path) -> None:
    net = nn.Sequential(nn.Members(4, "normal", blocks=(1, 2)), *tabm().layers[1:])
    run = _fit(blobs, net, epochs=1)
    run.save(tmp_path / "m.safetensors")
    again: Any = mc.load(tmp_path / "m.safetensors")
    assert again.network == net
    np.testing.assert_array_equal(again.predict(blobs[0]), run.predict(blobs[0]))


# Refusals ---------------------------------------------------------------------------------------------------

FRONT = (nn.Members(2), nn.MemberDense(3))


@pytest.mark.parametrize(
    ("layers", "loss", "said"),
    [
        (
            (*FRONT, nn.MeanOfMembers(), nn.Dense(3)),
            "softmax_cross_entropy",
            "layer 2 averages members, which only",
        ),
        (
            (nn.Residual(nn.Sequential(*FRONT, nn.MeanOfMembers())),),
            "softmax_cross_entropy",
            "layer 0.2 averages members",
        ),
        (
            (*FRONT, nn.MeanOfMembers("probabilities")),
            "squared_error",
            "squared_error knows none; end in MeanOfMembers of",
        ),
        (
            (*FRONT, nn.MeanOfMembers("probabilities")),
            "binary_cross_entropy",
            "takes 3 outputs for the classes of one softmax",
        ),
        (
            (nn.Members(2), nn.MemberDense(3, "softmax"), nn.MeanOfMembers("probabilities")),
            "softmax_cross_entropy",
            "the network ends in softmax",
        ),
        (FRONT, "softmax_cross_entropy", r"expected \[batch, classes\]"),
    ],
)
def test_what_members_cannot_learn_by_is_refused(layers: Any, loss: str, said: str, blobs: Any) -> None:
    X, y = blobs
    targets = y if loss == "softmax_cross_entropy" else np.eye(3)[y]
    with pytest.raises(mc.MinicolumnError, match=said) as refusal:
        _fit((X, targets), nn.Sequential(*layers), loss=loss)
    assert "\n" not in str(refusal.value)


def test_a_report_of_backpropagation_is_of_one_network(blobs: Any) -> None:
    net = packed(2)
    with pytest.raises(mc.DataError, match="backprop_report: each row has an error for every member"):
        mc.backprop_report(net, net.init(0, (3,)), blobs[0], blobs[1], "softmax_cross_entropy")
