"""Predictions of a few rows, again and again: the same results and refusals as the first time."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import minicolumn as mc
from minicolumn.lower import fast_call
from minicolumn.lower.llvm.runtime import jit
from minicolumn.model import Model, compute

FAN_IN = 3
X = np.random.default_rng(0).standard_normal((40, FAN_IN)).astype(np.float32)


class Kept(np.ndarray):
    """An array of a kind of its own."""


def _model(outputs: int = 3, row: tuple[int, ...] = (FAN_IN,), dtype: Any = np.float32) -> Model:
    """Return a model that shares no program with others."""
    own = lambda x: np.tanh(x)  # noqa: E731  own functions are never kept
    net = mc.nn.Sequential(mc.nn.Flatten(), mc.nn.Dense(8, own), mc.nn.Dense(outputs))
    return Model(
        net, net.init(1, row, dtype), row, "softmax_cross_entropy" if outputs > 1 else "squared_error"
    )


def _outcome(call: Callable[[], Any]) -> Any:
    try:
        found = call()
    except Exception as error:
        return type(error), str(error)
    return type(found), found.dtype, found.shape, found.tobytes()


def _inputs() -> list[Any]:
    x = X[:5]
    unaligned = np.frombuffer(b"?" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape)
    holes = x.copy()
    holes[1, 1], holes[3, 0] = np.nan, np.inf
    alike = [X[:1], X[:8], X[:9], X[:17], X, np.repeat(X, 20, 0), x[:0], holes, 1e-42 * x]
    odd = [x.view(Kept), np.asfortranarray(x), x[::-1], np.repeat(x, 2, 1)[:, ::2], unaligned]
    kinds = [
        np.float64,
        np.float16,
        np.int8,
        np.bool_,
        np.longdouble,
        object,
        complex,
        "U",
        x.dtype.newbyteorder(),
    ]
    other = [x.astype(kind) for kind in kinds]
    shapes = [x[0], x[None], x[:, :2], x[:, :, None], x.ravel(), x[0, 0], np.float32(1)]
    return [
        *alike,
        *odd,
        *other,
        *shapes,
        x.tolist(),
        sparse.csr_matrix(x),
        sparse.coo_array(x),
        None,
        "x",
        [[1]],
        [],
    ]


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("brief", [fast_call.BRIEF, 0])
def test_any_input_gives_what_it_gives_the_first_time(
    outputs: int, brief: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_call, "BRIEF", brief)
    model = _model(outputs)
    for given_ in _inputs():
        expected = _outcome(lambda given_=given_: _model(outputs).predict(given_))
        model.predict(X[:2])
        for _ in range(2):
            assert _outcome(lambda given_=given_: model.predict(given_)) == expected


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, len(_inputs()) - 1), min_size=2, max_size=12))
def test_any_sequence_of_inputs(numbers: list[int]) -> None:
    model, inputs = _model(), _inputs()
    for k in numbers:
        expected = _outcome(
            lambda k=k: Model(model.network, model.params, (FAN_IN,), model.loss).predict(inputs[k])
        )
        assert _outcome(lambda k=k: model.predict(inputs[k])) == expected


@pytest.mark.skipif(not jit.available(), reason=jit.why_missing())
def test_rows_that_look_like_the_last_ones_go_straight_to_machine_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = _model()
    first = model.predict(X[:1])
    monkeypatch.setattr(Model, "_inputs", lambda *_: pytest.fail("a closer look was taken"))
    np.testing.assert_array_equal(model.predict(X[:1].copy()), first)
    np.testing.assert_array_equal(model.predict(X[:30])[:1], first)


def _changes(params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    weight = params["1"]["weight"]
    for other in (
        2 * weight,
        np.asfortranarray(weight),
        weight.astype(np.float64),
        weight.view(Kept),
        weight[::-1],
    ):
        yield {**params, "1": {**params["1"], "weight": other}}
    yield {**params, "1": {**params["1"], "weight": weight[:, :4]}}
    yield {**params, "1": {"weight": weight}}
    yield {name: params[name] for name in reversed(params)}


def test_weights_may_be_changed_in_place_or_replaced() -> None:
    model = _model()
    before = model.predict(X[:2])
    model.params["1"]["weight"][:] *= 2
    changed = model.predict(X[:2])
    assert (changed != before).any()
    np.testing.assert_array_equal(changed, _fresh(model, model.params).predict(X[:2]))
    for params in _changes(copy.deepcopy(model.params)):
        expected = _outcome(lambda params=params: _fresh(model, params).predict(X[:2]))
        model.predict(X[:2])
        former = dict(model.params)
        model.params.clear()
        model.params.update(params)
        assert _outcome(lambda: model.predict(X[:2])) == expected
        model.params.clear()
        model.params.update(former)


def _fresh(model: Model, params: Any) -> Model:
    return Model(model.network, params, model.input_shape, model.loss)


def test_models_of_one_network_with_rows_of_other_shapes() -> None:
    net = mc.nn.Sequential(mc.nn.Flatten(), mc.nn.Dense(2))
    params = net.init(0, (6,))
    flat, square = Model(net, params, (6,), "squared_error"), Model(net, params, (2, 3), "squared_error")
    x = np.arange(12, dtype=np.float32).reshape(2, 6)
    assert flat._forward is square._forward
    for _ in range(2):
        np.testing.assert_array_equal(flat.predict(x), square.predict(x.reshape(2, 2, 3)))
        with pytest.raises(mc.ShapeError):
            flat.predict(x.reshape(2, 2, 3))
        np.testing.assert_array_equal(flat.predict(x), square.predict(x.reshape(2, 2, 3)))
        with pytest.raises(mc.ShapeError):
            square.predict(x)


def test_wide_networks_go_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = _model()
    expected = narrow.predict(X)
    monkeypatch.setattr(compute, "WIDE", 0)
    wide = _model()
    for rows in (1, 2, 15, 16, 17, 40):
        for _ in range(2):
            # Products of one row add up in another order: a few roundings in float32.
            np.testing.assert_allclose(wide.predict(X[:rows]), expected[:rows], rtol=1e-5, atol=1e-6)


def test_many_kinds_of_weights_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "KEPT", 2)
    model = _model()
    kinds = [model.params, *list(_changes(model.params))[:4], _model(dtype=np.float64).params]
    for _ in range(2):
        for params in kinds:
            own = replace(model, params=params)
            assert _outcome(lambda own=own: own.predict(X[:3])) == _outcome(
                lambda params=params: _fresh(model, params).predict(X[:3])
            )


def test_models_that_have_predicted_can_be_copied_and_sent() -> None:
    net = mc.nn.Sequential(mc.nn.Dense(4, "relu"), mc.nn.Dense(2))
    model = Model(net, net.init(0, (FAN_IN,)), (FAN_IN,), "softmax_cross_entropy")
    expected = model.predict(X[:1])
    for other in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.predict(X[:1]), expected)
    model.params["0"]["weight"][:] = 0
    assert (copy.deepcopy(model).predict(X[:1]) == model.predict(X[:1])).all()
