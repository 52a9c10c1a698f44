"""`train` with the catalogue: losses, optimizers and schedules by their names, with settings."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

import minicolumn as mc
from minicolumn.tables import infer_schema
from minicolumn.tables.encode import Encoder
from minicolumn.tabular.losses import fitting_losses

# Of penguins 219 rows are trained on, three batches of one size: half as much to compile.
TINY = ("--hidden", 4, "--epochs", 1, "--dropout", 0, "--batch-size", 73)
NUMBERS = ["squared_error", "absolute_error", "huber", "log_cosh", "quantile", "absolute_percentage_error",
           "squared_log_error", "poisson", "gamma", "tweedie", "gaussian_nll"]  # fmt: skip
CLASSES = ["softmax_cross_entropy", "softmax_focal", "kl_divergence"]


@pytest.fixture(scope="module")
def amounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table whose answer is an amount in the thousands, which two columns determine up to noise."""
    rng = np.random.default_rng(0)
    x, kind = rng.uniform(-1, 1, 400), rng.integers(0, 2, 400)
    amount = np.exp(8.0 + x + 0.5 * kind + 0.1 * rng.standard_normal(400)).round(1)
    place = tmp_path_factory.mktemp("amounts") / "amounts.csv"
    frame = polars.DataFrame({"x": x.round(4), "kind": np.array(["a", "b"])[kind], "amount": amount})
    frame.write_csv(place)
    return place


# One of each family, and a name that stands for another; estimators train every one.
@pytest.mark.parametrize("name", ["sgd", "momentum", "adam", "lion", "muon", "schedule_free_adamw"])
def test_optimizers_train(cli: Any, name: str) -> None:
    found = cli("train", "penguins", "--optimizer", name, *TINY)
    assert found.code == 0, found.err
    kind = type(mc.optim.optimizer_by_name(name))
    assert mc.load("penguins.safetensors").training["optimizer"]["name"] == kind.__name__


@pytest.mark.parametrize("name", [*mc.optim.SCHEDULES, "warm_up:inner=exponential", "step_decay:at=0.3+0.6"])
def test_every_schedule_trains(cli: Any, name: str) -> None:
    found = cli("train", "penguins", "--schedule", name, *TINY)
    assert found.code == 0, found.err
    shown = " ".join(found.out.split())
    kind = mc.optim.SCHEDULES[name.partition(":")[0]]
    assert f"; {kind.__name__}(" in shown, "what was asked for is repeated"
    assert mc.load("penguins.safetensors").training["schedule"]["name"] == kind.__name__


@pytest.mark.parametrize("name", CLASSES)
def test_every_loss_of_classes_trains(cli: Any, name: str) -> None:
    assert cli("train", "penguins", "--loss", name, *TINY).code == 0
    model = mc.load("penguins.safetensors")
    assert model.loss == name


@pytest.mark.parametrize("name", NUMBERS)
def test_every_loss_of_numbers_predicts_in_the_unit_of_the_target(cli: Any, amounts: Path, name: str) -> None:
    found = cli(
        "train", amounts, "--target", "amount", "--loss", name, "--hidden", 16, "--epochs", 30, "--json",
        "--batch-size", 51,  # of 255 rows, so batches of one size
    )  # fmt: skip
    assert found.code == 0, found.err
    model = mc.load("amounts.safetensors")
    assert model.loss == name
    frame = polars.read_csv(amounts)
    right = frame["amount"].to_numpy()
    guess = model.predict_table(frame)
    off = np.median(np.abs(np.log(np.maximum(guess, 1.0) / right)))
    assert off < 0.25, "always answering with the median is off by 0.55"


def test_activations_layer_by_layer_with_settings(cli: Any) -> None:
    words = ["--hidden", "6,5,4", "--activation", "mish,threshold:level=0.5,value=-1,leaky_relu:slope=0.2"]
    found = cli("train", "penguins", *words, "--epochs", 1, "--members", 1)
    assert found.code == 0, found.err
    assert "mish, threshold:level=0.5,value=-1.0, leaky_relu:slope=0.2" in " ".join(found.out.split())
    network = mc.load("penguins.safetensors").network
    assert isinstance(network, mc.nn.Sequential)
    kinds = (mc.nn.Dense, mc.nn.PiecewiseDense)
    dense = [layer for layer in network.layers if isinstance(layer, kinds)]
    assert [layer.activation for layer in dense[:-1]] == [
        "mish", "threshold:level=0.5,value=-1.0", "leaky_relu:slope=0.2",
    ]  # fmt: skip


def test_what_an_optimizer_was_told_is_shown(cli: Any) -> None:
    found = cli("train", "penguins", "--optimizer", "sgd:momentum=0.9", "--clip-norm", "2", *TINY)
    assert found.code == 0, found.err
    assert ", momentum 0.9, gradients clipped at 2" in " ".join(found.out.split())


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        (
            "binary_cross_entropy:label_smoothing=0.1",
            mc.nn.Loss("softmax_cross_entropy", label_smoothing=0.1),
        ),
        ("binary_focal:gamma=1", mc.nn.Loss("softmax_focal", gamma=1)),
    ],
)
def test_losses_of_yes_or_no_are_those_of_two_classes(
    cli: Any, amounts: Path, asked: str, taken: Any
) -> None:
    found = cli("train", amounts, "--target", "kind", "--loss", asked, *TINY)
    assert found.code == 0, found.err
    assert mc.load("amounts.safetensors").loss_record == taken.measured()
    assert cli("train", "penguins", "--loss", asked, *TINY).code == 2


def test_a_model_that_is_no_better_than_the_baseline_says_so(cli: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = polars.DataFrame({"x": rng.normal(size=200), "y": rng.normal(size=200)})
    noise.write_csv(tmp_path / "noise.csv")
    words = ["--target", "y", "--learning-rate", 0.5, "--epochs", 30, "--dropout", 0, "--members", 1]
    assert "no better than the baseline" in cli("train", "noise.csv", *words).out
    learnt = cli("train", "penguins", "--hidden", 8, "--epochs", 20, "--members", 1)
    assert learnt.code == 0, learnt.err
    assert "no better than the baseline" not in learnt.out


def test_settings_reach_the_records(cli: Any, amounts: Path) -> None:
    words = [
        "--loss",
        "huber:delta=2",
        "--optimizer",
        "sgd:momentum=0.5,nesterov=true",
        "--learning-rate",
        "0.03",
    ]
    assert cli("train", amounts, "--target", "amount", *words, *TINY).code == 0
    model = mc.load("amounts.safetensors")
    assert model.loss_settings == {"delta": 2.0}
    described = model.training["optimizer"]
    assert {k: described[k] for k in ("name", "momentum", "nesterov", "learning_rate")} == {
        "name": "SGD", "momentum": 0.5, "nesterov": True, "learning_rate": 0.03,
    }  # fmt: skip


def test_the_lists_are_those_of_the_catalogue(amounts: Path) -> None:
    frame = polars.read_csv(amounts)
    for target, expected in (("amount", NUMBERS), ("kind", CLASSES)):
        schema = infer_schema(frame, target)
        assert fitting_losses(Encoder.fit(frame, schema)) == expected


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--optimizer", "sgd:momentun=1"],
            "--optimizer: sgd: unknown setting 'momentun'; did you mean 'momentum'",
        ),
        (["--optimizer", "quick"], "--optimizer: unknown optimizer 'quick'; there are sgd, "),
        (["--activation", "mish,tanh"], "--activation: 'mish,tanh' names 2 for 1 hidden layers"),
        (["--activation", "mis"], "--activation: unknown activation 'mis'; did you mean 'mish'"),
        (["--activation", "leaky_relu:slop=1"], "leaky_relu: unknown setting 'slop'; did you mean 'slope'"),
        (["--activation", "leaky_relu:slope=nan"], "leaky_relu: slope: expected a finite number, got nan"),
        (["--activation", "celu:alpha=0"], "celu: alpha: expected a number >= 1e-6, got 0"),
        (["--activation", "relu:slope=1"], "relu: unknown setting 'slope'; it has none"),
        (["--clip-norm", "0"], "--clip-norm: expected a number > 0, got 0"),
        (["--schedule", "step_decay:at=0.3,0.6"], "several numbers as 0.3+0.6"),
        (["--optimizer", "adam:b1"], "--optimizer: settings are written as name:setting=value"),
        (["--optimizer", "adam:"], "--optimizer: settings are written as name:setting=value"),
        (["--optimizer", "adam:b1=0.9,b1=0.8"], "--optimizer: b1 is set twice"),
        (["--optimizer", "sgd:nesterov=2"], "--optimizer: SGD: nesterov: expected a boolean, true or false"),
        (["--optimizer", "adam:learning_rate=nan"], "--optimizer: Adam: learning_rate: expected"),
        (
            ["--optimizer", "adam:learning_rate=1", "--learning-rate", "1"],
            "--learning-rate: the optimizer has a learning_rate already",
        ),
        (["--optimizer", "adam:name=1"], "--optimizer: adam: unknown setting 'name'"),
        (["--schedule", "step_decay:every=2"], "step_decay: unknown setting 'every'; there are factor, at"),
        (["--schedule", "cosin"], "--schedule: unknown schedule 'cosin'; did you mean 'cosine'"),
        (["--schedule", "step_decay:at=0.6+0.3"], "--schedule: StepDecay: at: expected ascending numbers"),
        (["--schedule", "warm_up:inner=warm_up"], "--schedule: WarmUp: inner: expected"),
        (["--loss", "hubber"], "--loss: unknown loss 'hubber'; did you mean 'huber'"),
        (["--loss", "huber:delta=-1"], "--loss: huber: delta: expected"),
        (
            ["--loss", "huber"],
            "loss 'huber' does not fit 'Species', a column of 3 classes; there are softmax",
        ),
        (["--loss", ""], "--loss: unknown loss ''"),
    ],
)
def test_misuse_is_one_line_before_anything_is_trained(cli: Any, words: list[str], said: str) -> None:
    found = cli("train", "penguins", *words, *TINY)
    assert found.code == 2
    assert said in found.err
    assert found.err.count("\n") == 1
    assert "epoch" not in found.out


def test_losses_that_do_not_take_the_targets(cli: Any, amounts: Path, tmp_path: Path) -> None:
    frame = polars.read_csv(amounts).with_columns(polars.col("amount") - 4000.0)
    frame.write_csv(tmp_path / "below.csv")
    found = cli("train", "below.csv", "--target", "amount", "--loss", "poisson", *TINY)
    assert found.code == 2
    assert "the target 'amount' goes from -" in found.err
    assert "poisson takes numbers from 0 on" in found.err


@pytest.mark.parametrize(
    ("loss", "columns"),
    [
        ("quantile:levels=0.05+0.5+0.95", ["quantile 0.05", "quantile 0.5", "quantile 0.95"]),
        ("quantile:levels=0.3", []),
        ("gaussian_nll", ["standard deviation"]),
    ],
)
def test_networks_that_learn_their_predictive_uncertainty(
    cli: Any, amounts: Path, loss: str, columns: list[str]
) -> None:
    words = ["--target", "amount", "--loss", loss, "--hidden", "32,32", "--epochs", 40, "--dropout", 0]
    found = cli("train", amounts, *words, "--json")
    assert found.code == 0, found.err
    scores = json.loads(found.out)["metrics"]
    assert scores["r2"] > 0.8
    assert ("interval_coverage" in scores) == bool(columns)
    if columns:
        assert scores["interval_level"] == pytest.approx(0.9, rel=1e-12)  # 0.95 - 0.05
        assert abs(scores["interval_coverage"] - 0.9) < 0.2  # 100 rows: a deviation of 0.03; and it overfits
        assert "share of rows inside the prediction interval" in " ".join(found.err.split())
    found = cli("predict", "amounts.safetensors", amounts)
    assert found.code == 0, found.err
    answers = polars.read_csv(io.StringIO(found.out))
    assert answers.columns == ["prediction", *columns]
    right, guess = polars.read_csv(amounts)["amount"].to_numpy(), answers["prediction"].to_numpy()
    if len(columns) == 3:
        low, middle, high = (answers[name].to_numpy() for name in columns)
        assert (low <= middle).all()
        assert (middle <= high).all()
        np.testing.assert_array_equal(guess, middle)
        assert 0.75 < np.mean((low <= right) & (right <= high)) < 0.99
    elif columns:
        within = np.abs(right - guess) <= 1.645 * answers["standard deviation"].to_numpy()
        assert 0.75 < np.mean(within) < 0.99
    assert cli("evaluate", "amounts.safetensors", amounts).code == 0
    assert cli("inspect", "amounts.safetensors").code == 0
