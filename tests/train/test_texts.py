"""Texts with settings stand for records wherever a part is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn import nn, optim

NET = nn.Sequential(nn.Dense(4, "leaky_relu:slope=0.3"), nn.Dense(1))
PAIRS: list[dict[str, tuple[str, Any]]] = [
    {"loss": ("huber:delta=0.25", nn.Loss("huber", delta=0.25))},
    {"optimizer": ("adam:learning_rate=0.01,b1=0.8", optim.Adam(0.01, b1=0.8))},
    {"optimizer": ("nesterov:learning_rate=0.01", optim.SGD(0.01, momentum=0.9, nesterov=True))},
    {"optimizer": ("clipped:optimizer=(sgd:learning_rate=0.1),norm=0.5", optim.Clipped(optim.SGD(0.1), 0.5))},
    {"schedule": ("step_decay:factor=0.5,at=0.3+0.6", optim.StepDecay(0.5, at=(0.3, 0.6)))},
    {"schedule": ("warm_up:inner=(cosine:end=0.1),fraction=0.4", optim.WarmUp(optim.Cosine(0.1), 0.4))},
]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: next(iter(pair.values()))[0])
def test_a_training_takes_the_text_as_the_record(wave: Any, pair: Any) -> None:
    settings: dict[str, Any] = {"loss": "squared_error", "epochs": 3, "backend": "reference"}
    by_text, by_record = (
        mc.fit(NET, *wave, **settings | {name: values[kind] for name, values in pair.items()})
        for kind in (0, 1)
    )
    np.testing.assert_array_equal(by_text.predict(wave[0]), by_record.predict(wave[0]))
    kept = ("loss", "optimizer", "schedule")
    assert [by_text.model.training[k] for k in kept] == [by_record.model.training[k] for k in kept]


def test_quantiles_by_text(wave: Any) -> None:
    X, y = wave
    net = nn.Sequential(nn.Dense(8, "tanh"), nn.Dense(3), nn.MonotoneQuantiles())
    run = mc.fit(net, X, y, loss="quantile:levels=0.05+0.5+0.95", epochs=2)
    assert run.model.loss_record == nn.Loss("quantile", levels=(0.05, 0.5, 0.95))


def test_rate_finder_and_heads_take_texts(wave: Any) -> None:
    found = mc.train.find_learning_rate(
        NET, *wave, loss="huber:delta=0.5", optimizer="sgd:momentum=0.5", steps=12
    )
    same = mc.train.find_learning_rate(
        NET, *wave, loss=nn.Loss("huber", delta=0.5), optimizer=optim.SGD(momentum=0.5), steps=12
    )
    np.testing.assert_array_equal(found.losses, same.losses)
    heads = nn.Heads(a=nn.Dense(1), b=nn.Dense(2))
    loss = nn.HeadsLoss(heads, {"a": "huber:delta=2", "b": "softmax_focal:gamma=1"})
    assert loss.losses == (nn.Loss("huber", delta=2), nn.Loss("softmax_focal", gamma=1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "huber:delta=0"}, "huber: delta: expected a number > 0, got 0.0"),
        ({"loss": "huber:detla=1"}, "huber: unknown setting 'detla'; did you mean 'delta'"),
        ({"optimizer": "adam:b1=1.5"}, "Adam: b1: expected a number, 0 <= b1 < 1, got 1.5"),
        ({"optimizer": "adam:b1=big"}, "Adam: b1: expected a number, 0 <= b1 < 1, got 'big'"),
        ({"schedule": "cosine:end"}, "settings are written as name:setting=value"),
        ({"schedule": "warm_up:inner=cosin"}, "unknown schedule 'cosin'; did you mean 'cosine'"),
    ],
)
def test_what_a_text_may_not_say(wave: Any, settings: Any, message: str) -> None:
    with pytest.raises(mc.DataError, match=message):
        mc.fit(NET, *wave, **{"loss": "squared_error"} | settings)
