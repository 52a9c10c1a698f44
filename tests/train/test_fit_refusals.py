"""What `fit` refuses: one clear line, before anything is trained."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import minicolumn as mc

X = np.random.default_rng(0).standard_normal((12, 3))
Y = np.arange(12) % 2
NET = mc.nn.Sequential(mc.nn.Dense(4, "relu"), mc.nn.Dense(2))
ONE = mc.nn.Dense(1)
NAN = np.where(np.eye(12, 3) > 0, np.nan, X)
SQUARED: dict[str, Any] = {"network": ONE, "loss": "squared_error"}


def short(value: object) -> str:
    """Return a test's name for a value: the same in every process, so without addresses."""
    return re.sub(" at 0x[0-9a-f]+", "", str(value))[:40]


SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"network": 5}, "the network is a int, expected a layer"),
    ({"network": mc.nn.Dense}, "the network is a class Dense, expected a layer"),
    ({"network": [mc.nn.Dense(2)]}, "the network is a list"),
    ({"batch_size": 0}, "batch_size: expected an integer >= 1, got 0"),
    ({"batch_size": 8.0}, r"batch_size: expected an integer >= 1, got 8\.0"),
    ({"batch_size": True}, "batch_size: expected an integer >= 1, got True"),
    ({"epochs": 0}, "epochs: expected an integer >= 1, got 0"),
    ({"epochs": -3}, "epochs: expected an integer >= 1, got -3"),
    ({"threads": 0}, "threads: expected an integer >= 1, or None, got 0"),
    ({"seed": -1}, "seed: expected an integer, 0 <= seed < 18,446,744,073,709,551,616, got -1"),
    ({"seed": 0.5}, "seed: expected an integer"),
    ({"dtype": np.float16}, "dtype: expected float32 or float64, got the class float16"),
    ({"dtype": int}, "dtype: expected float32 or float64"),
    ({"dtype": None}, "dtype: expected float32 or float64, got None"),
    (
        {"backend": "refrence"},
        "backend: expected one of native, reference, got 'refrence'; did you mean 'reference'",
    ),
    ({"loss": "softmax_crossentropy"}, "did you mean 'softmax_cross_entropy'"),
    ({"loss": 3}, "loss: expected a name, a record such as .*, or a function, got 3"),
    ({"loss": lambda outputs, targets: 0.0}, r"takes \(outputs, targets, sample_weight\)"),
    ({"optimizer": "adm"}, "did you mean 'adam'"),
    ({"optimizer": mc.optim.Adam}, "optimizer: expected a name, or a record .*, got the class Adam"),
    ({"optimizer": 0.1}, "optimizer: expected a name, or a record .*, got 0.1"),
    ({"schedule": "cosin"}, "did you mean 'cosine'"),
    ({"schedule": mc.optim.Cosine}, "schedule: expected a name, a record .*, got the class Cosine"),
    ({"schedule": 0.5}, "schedule: expected a name, a record .*, got 0.5"),
    (
        {"regularizer": 0.1},
        r"regularizer: expected .* such as mc.nn.L2\(1e-4\), or a function, or None, got 0.1",
    ),
    (
        {"metrics": ["acuracy"], "validation_fraction": 0.5},
        "unknown metric 'acuracy'; did you mean 'accuracy'",
    ),
    (
        {"metrics": ["r2"], "validation_fraction": 0.5},
        "softmax_cross_entropy has no metric 'r2'; there are accuracy",
    ),
    ({"metrics": ["accuracy"]}, "metrics are measured on held-out rows"),
    ({"metrics": ["mae"], "loss": lambda a, b, c: np.sum(a)}, "with an own loss function give own functions"),
    ({"callbacks": [print]}, "callbacks holds a builtin_function_or_method"),
    ({"callbacks": [mc.EarlyStopping]}, "callbacks holds a class EarlyStopping"),
    ({"callbacks": [mc.EarlyStopping(monitor="val_acuracy")]}, "there is no 'val_acuracy' to watch"),
    ({"callbacks": [mc.KeepBest("val_loss")]}, "there is no 'val_loss' to watch; did you mean 'loss'"),
    (
        {"callbacks": [mc.KeepBest("loss"), mc.EarlyStopping()], "validation_fraction": 0.5},
        "two callbacks want",
    ),
]

DATA: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"X": NAN}, mc.DataError, "X holds NaN or infinity; fill or drop"),
    ({"X": np.full((12, 3), np.inf)}, mc.DataError, "X holds NaN or infinity"),
    ({"X": np.full((12, 3), 1e300)}, mc.DataError, "numbers too large for float32; scale them"),
    ({"X": np.full((12, 3), "a")}, mc.DataError, "X must be an array of numbers"),
    ({"X": np.full((12, 3), None)}, mc.DataError, "X must be an array of numbers"),
    ({"X": X + 0j}, mc.DataError, "X must be an array of numbers"),
    ({"X": 3.0}, mc.DataError, "X must be an array of numbers"),
    ({"X": X[:0], "y": Y[:0]}, mc.ShapeError, "expected the same, and at least one"),
    ({"X": X[:11]}, mc.ShapeError, "X has 11 rows and y 12; expected the same"),
    ({"X": X[:, 0]}, mc.ShapeError, r"inputs have shape \[batch\], expected \[batch, fan_in"),
    ({"y": 1}, mc.ShapeError, "y is one number"),
    ({"y": np.array(list("ab" * 6))}, mc.DataError, "y must hold numbers.*np.unique"),
    ({"y": np.where(Y, np.nan, 0.0)}, mc.DataError, "y holds NaN or infinity; drop the rows"),
    ({"y": Y + 1}, mc.DataError, "from 1 to 2, but the network has 2 outputs, for classes 0 to 1"),
    ({"y": Y - 1}, mc.DataError, "class numbers from -1 to 0"),
    ({"y": Y + 2**32}, mc.DataError, "class numbers from"),
    ({"y": Y + 0.5}, mc.DataError, "0.5; class numbers are whole"),
    ({"y": Y[:, None]}, mc.ShapeError, r"did you mean labels.ravel\(\)"),
    ({"y": np.ones((12, 5))}, mc.ShapeError, r"labels have shape \[12, 5\]"),
    ({"y": np.ones((12, 3)), **SQUARED}, mc.ShapeError, r"targets have shape \[12, 3\], outputs \[12, 1\]"),
    ({"y": Y * 1e300, **SQUARED}, mc.DataError, "y holds numbers too large for float32"),
    ({"y": Y + 1, "network": ONE, "loss": "binary_cross_entropy"}, mc.DataError, "from 1 to 2.*0 to 1"),
    ({"y": Y - 1, "network": ONE, "loss": "poisson"}, mc.DataError, "poisson takes targets from 0 on"),
    ({"y": Y, "network": ONE, "loss": "gamma"}, mc.DataError, "gamma takes targets above 0"),
    ({"y": Y + 1, "network": ONE, "loss": "hinge"}, mc.DataError, "hinge takes targets from 0 to 1"),
    (
        {"y": Y, "loss": mc.nn.Loss("quantile", levels=(0.1, 0.5, 0.9))},
        mc.ShapeError,
        r"outputs have shape \[12, 2\], expected \[batch, ..., 3\]: one output for each",
    ),
    ({"sample_weight": np.ones(11)}, mc.DataError, "one finite number >= 0 for each of the 12 rows"),
    ({"sample_weight": -np.ones(12)}, mc.DataError, "finite number >= 0"),
    ({"sample_weight": np.zeros(12)}, mc.DataError, "not all 0"),
    ({"sample_weight": np.full(12, np.nan)}, mc.DataError, "finite number >= 0"),
    ({"sample_weight": ["a"] * 12}, mc.DataError, "finite number >= 0"),
    ({"validation_fraction": 1.0}, mc.DataError, "validation_fraction: .*between 0 and 1"),
    ({"validation_fraction": -0.1}, mc.DataError, "validation_fraction: "),
    ({"validation_fraction": "some"}, mc.DataError, "validation_fraction: "),
    ({"validation_fraction": 0.1, "validation_data": (X, Y)}, mc.DataError, "not both"),
    ({"validation_data": X}, mc.DataError, r"validation_data must be \(X, y\) or"),
    ({"validation_data": (X,)}, mc.DataError, r"validation_data must be \(X, y\) or"),
    ({"validation_data": (X[:, :2], Y)}, mc.ShapeError, r"rows have shape \[2\], training rows \[3\]"),
    ({"validation_data": (X, Y[:5])}, mc.ShapeError, "validation_data: X has 12 rows and y 5"),
    ({"validation_data": (X, Y + 1)}, mc.DataError, "validation_data: y holds class numbers from 1 to 2"),
    ({"validation_data": (X, np.eye(2)[Y])}, mc.ShapeError, r"validation targets have shape \[2\] a row"),
    ({"validation_data": (NAN, Y)}, mc.DataError, "validation_data: X holds NaN"),
    ({"params": {}}, mc.ShapeError, "params hold nothing; the network has 0.weight"),
    ({"params": NET.init(0, (4,))}, mc.ShapeError, r"0.weight must hold finite numbers of shape \[3, 4\]"),
]  # fmt: skip


@pytest.fixture
def never() -> mc.Callback:
    """Return a callback that fails the test once something has been trained."""

    class Never(mc.Callback):
        def on_chunk(self, training: Any, done: int, loss: float) -> None:
            pytest.fail("a step was trained before the refusal")

    return Never()


def _refused(changed: dict[str, Any], kind: type[Exception], message: str, never: mc.Callback) -> None:
    given = {"network": NET, "X": X, "y": Y, "epochs": 1} | changed
    given["callbacks"] = [never, *given.get("callbacks", ())]
    with pytest.raises(kind, match=message) as caught:
        mc.fit(given.pop("network"), given.pop("X"), given.pop("y"), **given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("changed", "message"), SETTINGS, ids=short)
def test_settings(changed: dict[str, Any], message: str, never: mc.Callback) -> None:
    _refused(changed, mc.DataError, message, never)


@pytest.mark.parametrize(("changed", "kind", "message"), DATA, ids=short)
def test_data(changed: dict[str, Any], kind: Any, message: str, never: mc.Callback) -> None:
    _refused(changed, kind, message, never)


def test_one_callback_alone_will_do() -> None:
    run = mc.fit(NET, X, Y, epochs=2, callbacks=mc.KeepBest())  # type: ignore[arg-type]
    assert len(run.history) == 2


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (lambda steps, total: "fast", "this one fails: could not convert string"),
        (lambda steps, total: np.ones(7), "this one fails: .*broadcast"),
        (lambda steps, total: 0.5 if steps > 3 else 1.0, "this one fails: The truth value of an array"),
        (lambda steps: 1.0, "this one fails: .*positional argument"),
        (lambda steps, total: None, "factors >= 0, this one gave nan"),
        (lambda steps, total: -1.0, "factors >= 0, this one gave -1"),
    ],
)
def test_schedules_that_give_no_factors_are_told(schedule: Any, message: str) -> None:
    with pytest.raises(mc.DataError, match=message):
        mc.fit(NET, X, Y, schedule=schedule, epochs=2, batch_size=2)


def test_what_is_no_list_of_metrics_is_told() -> None:
    with pytest.raises(mc.DataError, match="metrics is 3, expected names, functions or pairs"):
        mc.fit(mc.nn.Dense(1), np.ones((4, 2)), np.ones(4), loss="squared_error", metrics=3, epochs=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("last", "loss"),
    [
        (mc.nn.Dense(2, "softmax"), "softmax_cross_entropy"),
        (mc.nn.Dense(2, "softmax"), "kl_divergence"),
        (mc.nn.Dense(1, "sigmoid"), "binary_cross_entropy"),
        (mc.nn.Sequential(mc.nn.Dense(1), mc.nn.Activation("sigmoid")), "binary_focal"),
        (mc.nn.Dense(1, "exponential"), mc.nn.Loss("tweedie", power=1.3)),
    ],
)
def test_an_activation_that_the_loss_applies_is_not_applied_twice(last: Any, loss: Any) -> None:
    net = mc.nn.Sequential(mc.nn.Dense(4, "relu"), last)
    y = np.eye(2)[Y] if loss == "kl_divergence" else Y
    with pytest.raises(mc.DataError, match=r"^fit: the network ends in \w+, which the loss \w+ applies"):
        mc.fit(net, X, y, loss=loss, epochs=1)
    with pytest.raises(mc.DataError, match=r"^backprop_report: the network ends in"):
        mc.backprop_report(net, net.init(0, (3,)), X, y, loss=loss)
    for fine in ("squared_error", lambda out, t, w: np.mean((out - 0.5) ** 2)):
        target = y if np.ndim(y) == 2 else np.zeros((12, last.output_shape((4,))[0]))
        assert len(mc.fit(net, X, target, loss=fine, epochs=1).history) == 1
