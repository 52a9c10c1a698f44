"""Every feature once, in the order in which one meets them. Read it from top to bottom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.nn.constrain import CONSTRAINTS
from minicolumn.nn.outputs import Direction, NumberOutputs, Point
from minicolumn.nn.regularize import REGULARIZERS
from minicolumn.nn.serialize import LAYERS
from minicolumn.optim.catalogue import WRAPPERS
from minicolumn.registry import REQUIRED, Integer, Number, Part
from minicolumn.train.callbacks import CALLBACKS

# Derivatives ------------------------------------------------------------------------------------------------


def wave(x: Any) -> Any:
    return np.sum(np.tanh(x) ** 2)


def test_grad_of_a_numpy_function() -> None:
    x = np.array([0.5, -1.0, 2.0])
    slope = mc.grad(wave)(x)
    assert np.allclose(slope, 2 * np.tanh(x) * (1 - np.tanh(x) ** 2))


def test_python_may_branch_on_values() -> None:
    def steps_until_large(x: Any) -> Any:
        while x < 100.0:  # how often is known only when it runs
            x = x * x
        return x

    assert mc.grad(steps_until_large)(2.0) == 8 * 2.0**7  # ((2^2)^2)^2


def test_derivatives_of_anything_made_of_arrays() -> None:
    model = {"weight": np.ones((2, 1)), "bias": 0.5}
    loss, slopes = mc.value_and_grad(lambda m, x: np.sum((x @ m["weight"] + m["bias"]) ** 2))(
        model, np.eye(2)
    )
    assert loss == 4.5
    assert slopes["weight"].shape == (2, 1)
    assert slopes["bias"] == 6.0


def test_derivatives_of_any_order() -> None:
    cube = lambda x: x**3  # noqa: E731
    assert mc.grad(mc.grad(cube))(2.0) == 12.0
    assert np.array_equal(mc.hessian(lambda x: np.sum(x**3))(np.array([1.0, 2.0])), np.diag([6.0, 12.0]))


def test_many_outputs_forward_and_backward() -> None:
    f = lambda x: np.stack([x[0] * x[1], np.sin(x[0])])  # noqa: E731
    x = np.array([1.0, 2.0])
    matrix = mc.jacobian(f)(x)
    _, pull = mc.vjp(f, x)
    _, push = mc.jvp(f, (x,), (np.array([0.0, 1.0]),))
    assert np.array_equal(pull(np.array([1.0, 0.0]))[0], matrix[0])  # backward: a row
    assert np.array_equal(push, matrix[:, 1])  # forward: a column


def test_stop_gradient_makes_a_constant() -> None:
    assert mc.grad(lambda x: x * mc.stop_gradient(x))(3.0) == 3.0


# Programs ---------------------------------------------------------------------------------------------------


def test_compile_traces_once_for_each_shape() -> None:
    calls = []
    fast = mc.compile(lambda x: (calls.append(1), np.sum(np.exp(x)))[1])
    for x in (np.zeros(3), np.ones(3), np.zeros(4)):
        assert fast(x) == np.sum(np.exp(x))
    assert len(calls) == 2
    slope = mc.compile(mc.grad(wave))
    assert np.allclose(slope(np.ones(5)), mc.grad(wave)(np.ones(5)))


def test_scan_is_a_loop_that_stays_a_loop() -> None:
    def step(state: Any, x: Any) -> Any:
        state = 0.9 * state + x
        return state, state

    last, every = mc.compile(lambda xs: mc.scan(step, 0.0, xs))(np.ones(4))
    assert every.shape == (4,)
    assert last == every[-1]
    assert np.allclose(mc.grad(lambda xs: mc.scan(step, 0.0, xs)[0])(np.ones(3)), [0.81, 0.9, 1.0])


def test_inspect_shows_the_graph_and_counts() -> None:
    look = mc.inspect(wave, np.ones(3))
    assert "tanh" in look.text
    assert look.svg().startswith("<svg")
    assert look.dot().startswith("digraph")
    assert look.traversals.reverse == 2  # outputs + 1
    assert look.traversals.finite_differences == 4  # inputs + 1


def test_errors_say_what_to_do() -> None:
    with pytest.raises(mc.TraceError, match=r"use np\.where"):
        mc.compile(lambda x: x if x > 0 else -x)(1.0)
    with pytest.raises(mc.DataError, match="did you mean 'relu'"):
        mc.nn.Dense(3, activation="rellu")


# Networks ---------------------------------------------------------------------------------------------------

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
XOR = np.array([0, 1, 1, 0])
NET = mc.nn.Sequential(mc.nn.Dense(8, activation="tanh"), mc.nn.Dense(2))


def test_a_network_is_a_record_and_a_pure_function() -> None:
    assert repr(NET) == "Sequential(Dense(8, activation='tanh'), Dense(2))"
    params = NET.init(seed=0, input_shape=(2,))
    assert params["0"]["weight"].shape == (2, 8)
    assert NET.apply(params, X).shape == (4, 2)


def _needed(setting: Any) -> Any:
    """Return a value for a setting that has none by default."""
    if isinstance(setting, Part):
        return _example(setting.registry(), next(iter(setting.registry())))
    if isinstance(setting, Integer):
        return 2
    assert isinstance(setting, Number), f"say in WHOLE what {setting} may be"
    return 0.5


def _example(registry: Any, name: str) -> Any:
    """Return the record of an entry: all settings as they are, and those that must be said."""
    if name in WHOLE:
        return WHOLE[name]
    missing = {key: s for key, s in registry.settings(name).items() if s.default is REQUIRED}
    return registry.make(name, **{key: _needed(setting) for key, setting in missing.items()})


# What holds others, or is for certain columns; other entries are made from the settings that they declare.
WHOLE: dict[str, Any] = {
    "sequential": mc.nn.Sequential(mc.nn.Dense(6, "selu"), mc.nn.Dense(3)),
    "concatenate": mc.nn.Concatenate(mc.nn.Dense(2), mc.nn.Scale()),
    "residual": mc.nn.Residual(mc.nn.Dense(4, "gelu")),
    "frozen": mc.nn.Frozen(mc.nn.Dense(4, "tanh")),
    "heads": mc.nn.Heads(price=mc.nn.Dense(1), kind=mc.nn.Dense(3)),
    "activation": mc.nn.Activation("relu"),
    "piecewise_linear": mc.nn.PiecewiseLinear(((0, (0.0, 1.0, 2.0)),)),
    "piecewise_dense": mc.nn.PiecewiseDense(3, ((0, (0.0, 1.0, 2.0)),)),
    "column_splines": mc.nn.ColumnSplines(3, ((0, (0.0, 1.0, 2.0)),), ((1, 3),)),
    "reshape": mc.nn.Reshape((2, 2)),
    "ensemble": mc.nn.Ensemble(mc.nn.Dense(3), mc.nn.Dense(3, "tanh"), average="softmax"),
    "formulas": mc.nn.Formulas(("x1*x2", "sin(x3)"), ("x1", "x2", "x3", "x4")),
    "column_embedding": mc.nn.ColumnEmbedding(((0, 3),)),
    "batch_ensemble": mc.nn.Sequential(mc.nn.Members(3), mc.nn.BatchEnsemble(5, "relu")),
    "member_dense": mc.nn.Sequential(mc.nn.Members(3), mc.nn.MemberDense(5)),
    "mean_of_members": mc.nn.Sequential(mc.nn.Members(3), mc.nn.MeanOfMembers()),
    "elastic_net": mc.nn.ElasticNet(l1=0.1, l2=0.1),
    "per_row": mc.nn.PerRow(mc.nn.L2(0.5)),
    "clipped": mc.optim.Clipped(mc.optim.Adam(0.1), norm=1.0),
    "averaged": mc.optim.Averaged(mc.optim.Adam(0.1)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str) -> None:
    layer, rows = _example(LAYERS, name), np.ones((5, 4), np.float32)
    params = layer.init(0, (4,))
    training = layer.apply(params, rows, key=mc.random.key(0), training=True)
    for found in (layer.apply(params, rows), training):
        for out in mc.tree.leaves(found):
            assert np.isfinite(out).all()
    assert mc.nn.from_json(mc.nn.to_json(layer)) == layer
    if name != "heads":  # which have a shape each
        assert layer.apply(params, rows).shape == (5, *layer.output_shape((4,)))


@pytest.mark.parametrize("name", mc.nn.ACTIVATIONS)
def test_activations(name: str) -> None:
    activation = mc.nn.activation_by_name(name)
    x = np.array([[-2.3, -0.7, 0.3, 1.7]])  # beside the kinks
    assert np.isfinite(activation.function(x)).all()
    mc.check_grads(activation.function, (x,))


@pytest.mark.parametrize("name", mc.nn.LOSSES)
def test_losses(name: str) -> None:
    loss = mc.nn.Loss(name)
    means, end = loss.outputs, ()
    if isinstance(means, Point | Direction):  # of any number of numbers
        units, y = 2, np.array([[0.5, 1.5], [1.0, 0.2]])
    elif isinstance(means, NumberOutputs):
        units, end, y = means.width, means.end, np.array([0.5, 1.5])
    else:
        units, y = 3 if means.task == "multiclass" else 1, np.array([0, 1])
    net = mc.nn.Sequential(mc.nn.Dense(units), *end)
    settings: dict[str, Any] = {"loss": loss, "optimizer": mc.optim.Adam(0.01), "epochs": 20, "batch_size": 2}
    history = mc.fit(net, np.eye(2, dtype=np.float32), y, **settings).history
    assert history["loss"][-1] < history["loss"][0]


def test_a_loss_is_a_function_of_outputs_and_targets() -> None:
    loss = mc.nn.Loss("softmax_cross_entropy")
    assert float(loss(np.zeros((1, 2)), np.array([1]))) == pytest.approx(np.log(2))
    assert {"squared_error", "huber", "binary_cross_entropy"} < set(mc.nn.LOSSES)


@pytest.mark.parametrize("name", [*mc.optim.OPTIMIZERS, *WRAPPERS])
def test_optimizers_are_two_pure_functions(name: str) -> None:
    optimizer, p = _example(mc.optim.OPTIMIZERS, name), np.array([[3.0, -2.0]])
    valley = lambda p: np.sum(p**2)  # noqa: E731
    moments, before = optimizer.start(p), valley(p)
    for _ in range(20):
        updates, moments = optimizer.step(mc.grad(valley)(p), moments, p)
        p = mc.optim.apply_updates(p, updates)
    assert valley(p) < before


@pytest.mark.parametrize("name", mc.optim.SCHEDULES)
def test_schedules_say_by_what_a_rate_is_multiplied(name: str) -> None:
    factors = _example(mc.optim.SCHEDULES, name)(np.arange(50), 50)
    assert factors.shape == (50,)
    assert np.isfinite(factors).all()
    assert 0.0 < np.max(factors) <= 1.0


@pytest.mark.parametrize("name", mc.nn.INITIALIZERS)
def test_initializers(name: str) -> None:
    layer = mc.nn.Dense(3, initializer=name)
    weight = layer.init(7, (4,))["weight"]
    assert weight.shape == (4, 3)
    assert np.isfinite(weight).all()
    assert np.array_equal(weight, layer.init(7, (4,))["weight"])  # one seed, the same draws


@pytest.mark.parametrize("name", REGULARIZERS)
def test_regularizers_grow_with_the_weights(name: str) -> None:
    penalty, params = _example(REGULARIZERS, name), NET.init(0, (2,))
    assert 0.0 < penalty(params) < penalty(mc.tree.map_leaves(lambda leaf: 2 * leaf, params))


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraints_are_met_once_they_are_applied(name: str) -> None:
    constraint, params = _example(CONSTRAINTS, name), NET.init(0, (2,))
    far = mc.tree.map_leaves(lambda leaf: 9 * leaf, params)
    once = constraint(far)
    twice = constraint(once)
    for weights, again, before in zip(*map(mc.tree.leaves, (once, twice, far)), strict=True):
        assert np.allclose(weights, again)
        assert weights.ndim < 2 or not np.allclose(weights, before)


@pytest.mark.parametrize("name", CALLBACKS)
def test_callbacks_watch_a_training(name: str) -> None:
    run = _fitted(epochs=5, validation_data=(X, XOR), callbacks=[_example(CALLBACKS, name)])
    assert len(run.history) == 5
    assert run.stopped == "all epochs"


def test_random_numbers_are_named_streams_of_one_seed() -> None:
    key = mc.random.stream(7, "noise")
    assert np.array_equal(mc.random.normal(key, (3,)), mc.random.normal(key, (3,)))
    assert sorted(mc.random.permutation(key, 5)) == [0, 1, 2, 3, 4]


# Training ---------------------------------------------------------------------------------------------------


def _fitted(**settings: Any) -> mc.Run:
    settings.setdefault("epochs", 60)
    return mc.fit(NET, X, XOR, optimizer=mc.optim.Adam(0.1), batch_size=4, **settings)


def test_fit() -> None:
    run = _fitted()
    assert run.predict(X).argmax(axis=1).tolist() == [0, 1, 1, 0]
    assert run.evaluate(X, XOR)["accuracy"] == 1.0
    assert run.history["loss"][-1] < run.history["loss"][0]
    assert np.array_equal(run.predict(X), _fitted().predict(X))  # the same seed, the same bits


def test_many_members_in_one_network() -> None:
    members = mc.nn.Members(8), mc.nn.Dense(8, "tanh"), mc.nn.MemberDense(2)
    net = mc.nn.Sequential(*members, mc.nn.MeanOfMembers("probabilities"))
    run = mc.fit(net, X, XOR, optimizer=mc.optim.Adam(0.1), batch_size=4, epochs=60)
    few, params = mc.nn.keep_members(net, run.params, [0, 3])
    for outputs in (run.predict(X), few.apply(params, X)):
        assert outputs.argmax(axis=1).tolist() == [0, 1, 1, 0]


def test_own_loss_schedule_and_regularizer() -> None:
    def hinge(outputs: Any, targets: Any, sample_weight: Any) -> Any:
        sign = np.where(targets == 1, 1.0, -1.0)
        return np.mean(np.maximum(0.0, 1.0 - sign * (outputs[:, 1] - outputs[:, 0])))

    run = _fitted(loss=hinge, schedule=mc.optim.Cosine(), regularizer=mc.nn.L2(1e-4))
    assert run.predict(X).argmax(axis=1).tolist() == [0, 1, 1, 0]


def test_early_stopping_hands_back_the_best_weights() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 5)), rng.integers(0, 2, 60)  # noise: there is nothing to learn
    net = mc.nn.Sequential(mc.nn.Dense(32, "relu"), mc.nn.Dense(2))
    run = mc.fit(
        net, X, y, epochs=100, validation_fraction=0.3, metrics=["accuracy"], optimizer=mc.optim.Adam(0.02),
        callbacks=[mc.EarlyStopping(patience=3)],
    )  # fmt: skip
    assert run.stopped == "early stopping"
    assert run.best_epoch == run.history.best("val_loss") + 1 == len(run.history) - 3


def test_going_on_where_a_run_stood() -> None:
    first = _fitted(epochs=20)
    assert np.array_equal(_fitted(epochs=40, resume=first).predict(X), _fitted().predict(X))


def test_sparse_rows_and_penalties_per_row() -> None:
    from scipy import sparse

    penalty = mc.nn.PerRow(mc.nn.ElasticNet(l1=1e-4, l2=1e-4))
    run = mc.fit(NET, sparse.csr_array(X), XOR, optimizer=mc.optim.Adam(0.1), epochs=60, regularizer=penalty)
    assert run.predict(sparse.csr_array(X)).argmax(axis=1).tolist() == [0, 1, 1, 0]
    assert run.history["penalty"][-1] > 0


def test_estimators(tmp_path: Path) -> None:
    model = mc.MLPClassifier(
        (8,), "tanh", solver=mc.optim.Adam(0.1), max_iter=100, dropout=0.0, class_weight="balanced",
        callbacks=[mc.KeepBest("loss")], random_state=0, tol=0.0, n_iter_no_change=100,
    )  # fmt: skip
    with pytest.warns(UserWarning, match="converged"):
        model.fit(X, np.array(["no", "yes"])[XOR])
    assert model.predict(X).tolist() == ["no", "yes", "yes", "no"]
    model.save(tmp_path / "model.safetensors")
    assert mc.load(tmp_path / "model.safetensors").training["classes"] == ["no", "yes"]
    line = np.linspace(-1, 1, 50)[:, None]
    numbers = mc.MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", conformal_fraction=0.4, random_state=0)
    low, high = numbers.fit(line, line[:, 0] ** 2).predict_interval(line, coverage=0.8).T
    assert (low <= high).all()


def test_a_callback_of_ones_own() -> None:
    class Enough(mc.Callback):
        def on_epoch(self, training: Any, row: Any) -> None:
            if row["loss"] < 0.5:
                training.stop("good enough")

    assert _fitted(callbacks=[Enough()]).stopped == "good enough"


def test_divergence_names_its_cause() -> None:
    with pytest.raises(mc.DivergenceError, match="learning rate"):
        mc.fit(mc.nn.Dense(1), X, XOR, loss="squared_error", optimizer=mc.optim.SGD(1e4), epochs=50)


def test_the_model_file(tmp_path: Path) -> None:
    run = _fitted(epochs=2)
    run.save(tmp_path / "xor.safetensors")
    model = mc.load(tmp_path / "xor.safetensors")
    assert np.array_equal(model.predict(X), run.predict(X))
    (tmp_path / "xor.safetensors").write_bytes(b"something else")
    with pytest.raises(mc.ModelFileError, match=r"xor\.safetensors"):
        mc.load(tmp_path / "xor.safetensors")


# Where it began, and how it learns --------------------------------------------------------------------------


def test_neurons_of_1943_make_any_truth_table() -> None:
    xor = mc.nn.classic.circuit_of_table("0110")
    assert xor.truth_table() == mc.nn.classic.truth_table(lambda a, b: a != b, 2)
    assert len(xor.layers()) == 2


def test_one_perceptron_learns_or_but_not_xor() -> None:
    run = mc.nn.classic.train_perceptron(X, np.stack([X.any(axis=1), XOR], axis=1))
    assert run.separation.verdicts == ("divides all rows", "no plane divides the rows: this is XOR")
    assert run.updates[0] <= run.separation.bound[0]
    model = mc.Perceptron(tol=None, max_iter=20).fit(X, X.any(axis=1))
    assert model.score(X, X.any(axis=1)) == 1.0


def test_watching_gradient_descent() -> None:
    walk = mc.descent(mc.explain.surfaces.himmelblau, 8)
    assert set(walk.endings) == {"A", "B", "C", "D"}


def test_one_step_of_backpropagation_with_all_its_numbers() -> None:
    net = mc.nn.Sequential(mc.nn.Dense(2, activation="logistic"), mc.nn.Dense(1))
    report = mc.backprop_report(net, net.init(0, (2,)), X[1:2], [1.0])
    assert report.loss_after < report.loss
    assert "Backward pass" in str(report)


def test_the_landscape_around_the_weights() -> None:
    land = mc.landscape(_fitted(epochs=2), X, XOR, points=3)
    assert land.losses.shape == (3, 3)


# Tables -----------------------------------------------------------------------------------------------------


def test_from_a_table_to_a_model_that_takes_raw_rows(tmp_path: Path) -> None:
    run = mc.fit_table("penguins", epochs=5, hidden=16)  # or a file, a frame, a list of dicts
    assert run.metrics["accuracy"] > run.baseline["accuracy"]
    run.save(tmp_path / "penguins.safetensors")
    penguins = mc.tables.read_table("penguins")
    labels = mc.load(tmp_path / "penguins.safetensors").predict_table(penguins[:3])
    assert labels.tolist() == run.predict(penguins[:3]).tolist()


def test_a_model_taken_elsewhere(tmp_path: Path) -> None:
    model = mc.fit_table("penguins", epochs=2, hidden=8, members=1).model
    files = {"c": "species.c", "js": "species.mjs", "html": "species.html", "numpy": "species.py"}
    for to, name in files.items():  # each is run on rows whose answers are known before it is written
        assert model.export(to, tmp_path).rows > 10
        assert (tmp_path / name).exists()
    model.export("object", tmp_path / "board.o", target="aarch64-linux-gnu")  # for another processor


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from minicolumn.cli import main

    model, rows = str(tmp_path / "penguins.safetensors"), str(tmp_path / "rows.csv")
    options = ["--hidden", "16", "--epochs", "5", "--out", model, "--json"]
    assert main(["train", "penguins", "--target", "Species", *options]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary["task"] == "multiclass"
    assert summary["metrics"]["accuracy"] > summary["baseline"]["accuracy"]
    assert main(["evaluate", model, "penguins"]) == 0
    assert main(["predict", model, "penguins", "--out", rows]) == 0
    assert len(Path(rows).read_text().splitlines()) == 345  # a line for each penguin, and the names above
    assert main(["inspect", model]) == 0
    capsys.readouterr()
    assert main(["train", "penguins", "--target", "Specie"]) == 2
    assert "did you mean 'Species'" in capsys.readouterr().err


def test_networks_come_from_other_libraries_and_go_on_learning(tmp_path: Path) -> None:
    golden = Path(__file__).parent / "model" / "imports" / "golden"
    model = mc.from_onnx(golden / "sklearn_words.onnx")  # a scikit-learn pipeline, by skl2onnx
    assert model.classes == ("high", "low", "mid")
    assert mc.from_keras(golden / "keras_functional.keras").input_shape == (4,)
    assert mc.from_torch(golden / "torch_half.safetensors", activation="tanh").predict([[0.0] * 4]).shape == (
        1,
        2,
    )


def test_a_trained_network_starts_another_training() -> None:
    source = _fitted(epochs=5)
    start = mc.transfer(source.model, outputs=2, freeze=True)
    run = mc.fit(start.network, X, XOR, params=start.params, epochs=4, callbacks=[mc.Unfreeze(every=2)])
    assert run.model.network == source.model.network
