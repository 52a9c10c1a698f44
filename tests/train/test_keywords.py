"""The keywords of a training: one record declares them, and every other list of them agrees."""

from __future__ import annotations

import inspect
import sys
from typing import Any, get_type_hints

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.registry import REQUIRED
from minicolumn.tabular.limits import LIMITS
from minicolumn.train.settings import KNOWN, NAMES, Keywords, Settings, check_settings
from minicolumn.train.trainer import KEYWORDS

X = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64)
FIT = {
    name: parameter
    for name, parameter in inspect.signature(mc.fit).parameters.items()
    if parameter.kind is not parameter.VAR_KEYWORD  # takes what other libraries call something, to refuse it
}
DATA = ("network", "X", "y")


def test_all_lists_of_keywords_agree() -> None:
    assert tuple(Keywords.__annotations__) == NAMES
    assert [name for name in FIT if name in NAMES] == list(NAMES)
    beside = [name for name in FIT if name not in (*NAMES, *DATA)]
    assert set(beside) == set(KEYWORDS) - set(NAMES)
    own = inspect.signature(mc.Trainer).parameters
    assert set(beside) == set(own) - {*DATA, "settings"}
    for name in beside:
        assert (FIT[name].default, FIT[name].annotation) == (own[name].default, own[name].annotation)


@pytest.mark.parametrize("name", NAMES)
def test_a_keyword_has_one_type_one_default_and_a_line_of_help(name: str) -> None:
    hints, wide = get_type_hints(mc.fit), get_type_hints(Keywords)
    assert hints[name] == wide[name]
    assert check_settings("fit", {name: FIT[name].default}) == Settings()
    setting = KNOWN[name]
    assert setting.default is not REQUIRED
    assert setting.help.endswith(".")
    if name in LIMITS:
        assert LIMITS[name].expected.startswith(setting.wanted.partition(",")[0].partition(" >=")[0])


def test_fit_hands_every_keyword_on(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, Any] = {}

    class Told(mc.Trainer):
        def __init__(self, **said: Any) -> None:
            found.update(said)

        def run(self) -> Any:
            return None

    monkeypatch.setattr(sys.modules["minicolumn.train.fitting"], "Trainer", Told)
    marks = {name: object() for name in FIT}
    mc.fit(**marks)  # type: ignore[arg-type]
    assert found == marks


def test_texts_with_settings_are_records() -> None:
    text = {
        "regularizer": "l2:rate=1e-4", "constraint": "max_norm:limit=3",
        "optimizer": "clipped:optimizer=sgd,norm=1", "schedule": "warm_up:inner=cosine,fraction=0.2",
        "loss": "softmax_focal", "metrics": "auc,f1:average=weighted",
    }  # fmt: skip
    record = {
        "regularizer": mc.nn.L2(1e-4), "constraint": mc.nn.MaxNorm(3),
        "optimizer": mc.optim.Clipped(mc.optim.SGD(), 1),
        "schedule": mc.optim.WarmUp(mc.optim.Cosine(), 0.2), "loss": mc.nn.Loss("softmax_focal"),
        "metrics": ["roc_auc", "f1:average=weighted"],
    }  # fmt: skip
    found = check_settings("fit", text)
    assert found == check_settings("fit", record)
    assert found.metrics == ("roc_auc", "f1:average=weighted")


def test_a_training_by_texts_is_that_by_records() -> None:
    net = mc.nn.Sequential(mc.nn.Dense(4, "tanh"), mc.nn.Dense(2))
    about: dict[str, Any] = {"epochs": 6, "batch_size": 8, "validation_fraction": 0.25}
    by_text = mc.fit(
        net, X, Y, regularizer="elastic_net:l1=1e-3,l2=1e-2", constraint="max_norm:limit=0.5",
        callbacks=["early_stopping:patience=2,monitor=val_accuracy", mc.train.KeepBest("val_accuracy")],
        metrics=["accuracy"], **about,
    )  # fmt: skip
    by_record = mc.fit(
        net, X, Y, regularizer=mc.nn.ElasticNet(1e-3, 1e-2), constraint=mc.nn.MaxNorm(0.5),
        callbacks=[mc.EarlyStopping(2, monitor="val_accuracy"), mc.train.KeepBest("val_accuracy")],
        metrics="accuracy", **about,
    )  # fmt: skip
    assert [row["loss"] for row in by_text.history.rows] == [row["loss"] for row in by_record.history.rows]
    assert np.array_equal(by_text.predict(X), by_record.predict(X))
    trainer = mc.Trainer(net, X, Y, callbacks="keep_best:monitor=loss,reduce_on_plateau:patience=3")
    assert trainer.callbacks == (mc.train.KeepBest("loss"), mc.train.ReduceOnPlateau(patience=3))
    trainer.change(constraint="unit_norm", regularizer="l1:rate=0.1")
    assert trainer.settings.constraint == mc.nn.UnitNorm()
    assert trainer.settings.regularizer == mc.nn.L1(0.1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"regularizer": "l22"}, "fit: regularizer: unknown regularizer 'l22'; did you mean 'l2'"),
        ({"regularizer": "l2"}, "fit: regularizer: l2: rate is missing: a number >= 0"),
        ({"regularizer": "l2:rates=1"}, "fit: regularizer: l2: unknown setting 'rates'; did you mean 'rate'"),
        ({"constraint": "maxnorm"}, "fit: constraint: unknown constraint 'maxnorm'; did you mean 'max_norm'"),
        ({"constraint": "max_norm:limit=0"}, "fit: constraint: MaxNorm: limit: expected a number > 0, got 0"),
        ({"constraint": mc.nn.MaxNorm}, "fit: constraint: expected a name, .*, got the class MaxNorm"),
        ({"shuffle": "no"}, "fit: shuffle: expected a boolean, true or false, got 'no'"),
        ({"metrics": "f1:avrage=micro"}, "f1: unknown setting 'avrage'; did you mean 'average'"),
        ({"metrics": "f1:average=mean"}, "f1: average: expected one of macro, micro, weighted, got 'mean'"),
        ({"metrics": "auc,roc_auc"}, "two metrics are called 'roc_auc'"),
    ],
)
def test_texts_that_are_wrong_are_answered_with_what_is_right(given: Any, message: str) -> None:
    with pytest.raises(mc.DataError, match=message) as caught:
        check_settings("fit", given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        ("early_stoping", "callbacks: unknown callback 'early_stoping'; did you mean 'early_stopping'"),
        (["early_stopping:patients=3"], "unknown setting 'patients'; did you mean 'patience'"),
        ("early_stopping:patience=0", "EarlyStopping: patience: expected an integer >= 1, got 0"),
    ],
)
def test_callbacks_that_are_none(callbacks: Any, message: str) -> None:
    net = mc.nn.Dense(2)
    with pytest.raises(mc.DataError, match=f"fit: .*{message}"):
        mc.fit(net, X, Y, callbacks=callbacks)
    with pytest.raises(mc.DataError, match=message):
        mc.MLPClassifier((4,), callbacks=callbacks).fit(X, Y)
    with pytest.raises(mc.DataError, match=f"fit_table: .*{message}"):
        mc.fit_table("penguins", callbacks=callbacks)


def test_estimators_take_texts_too() -> None:
    model = mc.MLPClassifier((4,), constraint="max_norm:limit=0.5", callbacks="early_stopping:monitor=loss")
    with pytest.raises(mc.DataError, match="constraint: max_norm: unknown setting 'limt'; did you mean"):
        mc.MLPClassifier((4,), constraint="max_norm:limt=1").fit(X, Y)
    with pytest.raises(ValueError, match="did you mean 'max_norm'"):
        mc.MLPClassifier((4,), constraint="max_nrm").fit(X, Y)
    with pytest.warns(match="converged"):
        model.set_params(max_iter=3).fit(X, Y)
    assert all(np.linalg.norm(w, axis=0).max() <= 0.5 + 1e-6 for w in model.coefs_)
