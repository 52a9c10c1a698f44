"""Predictions of a few rows, again and again: the same results and refusals as the first time."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import minicolumn as mc
from minicolumn.ir.interpret import interpret
from minicolumn.lower import fast_call
from minicolumn.lower.llvm.runtime import jit
from minicolumn.model import Model, compute

FAN_IN = 3
X = np.random.default_rng(0).standard_normal((40, FAN_IN)).astype(np.float32)


class Kept(np.ndarray):
    """An array of a kind of its own."""


def _model(
    outputs: int = 3,
    row: tuple[int, ...] = (FAN_IN,),
    dtype: Any = np.float32,
    widths: tuple[int, ...] = (8,),
) -> Model:
    """Return a model that shares no program with others."""
    own = lambda x: np.tanh(x)  # noqa: E731  own functions are never kept
    hidden = [mc.nn.Dense(width, own) for width in widths]
    net = mc.nn.Sequential(mc.nn.Flatten(), *hidden, mc.nn.Dense(outputs))
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
# Calls of a small network keep Python's lock; eight rows of the other take more operations than may do so.
@pytest.mark.parametrize("widths", [(8,), (400, 400)], ids=["with Python's lock", "without"])
def test_any_input_gives_what_it_gives_the_first_time(outputs: int, widths: tuple[int, ...]) -> None:
    assert (8 * widths[0] * widths[-1] > fast_call.BRIEF) == (len(widths) > 1)
    model = _model(outputs, widths=widths)
    for given_ in _inputs():
        expected = _outcome(lambda given_=given_: _model(outputs, widths=widths).predict(given_))
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
def test_rows_that_look_like_the_last_ones_go_straight_to_machine_code() -> None:
    model = _model()
    first = model.predict(X[:1])
    for rows in (X[:1].copy(), X[:30]):
        again, calls = _calls(lambda rows=rows: model.predict(rows))
        np.testing.assert_array_equal(again[:1], first)
        # Nested lists take the usual way, with checks and a conversion.
        same, usual = _calls(lambda rows=rows: model.predict(rows.tolist()))
        np.testing.assert_array_equal(same, again)
        model.predict(rows)
        assert calls < usual / 2, "a closer look was taken"


def _calls(run: Callable[[], Any]) -> tuple[Any, int]:
    """Return a result, and how many Python functions were called for it."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        found = run()
    finally:
        sys.setprofile(before)
    return found, count


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
    for _ in range(2):
        np.testing.assert_array_equal(flat.predict(x), square.predict(x.reshape(2, 2, 3)))
        with pytest.raises(mc.ShapeError):
            flat.predict(x.reshape(2, 2, 3))
        np.testing.assert_array_equal(flat.predict(x), square.predict(x.reshape(2, 2, 3)))
        with pytest.raises(mc.ShapeError):
            square.predict(x)


def test_wide_networks_go_row_by_row() -> None:
    wide = _model(widths=(700, 800))
    assert sum(leaf.nbytes for leaf in mc.tree.leaves(wide.params)) > compute.WIDE
    [expected] = interpret(wide.graph())(X)
    for rows in (1, 2, 15, 16, 17, 40):
        for _ in range(2):
            # Sums of 800 float32 terms, which one row adds up in another order than many.
            np.testing.assert_allclose(wide.predict(X[:rows]), expected[:rows], rtol=1e-5, atol=1e-6)


def test_many_kinds_of_weights_take_turns() -> None:
    net = mc.nn.Sequential(mc.nn.Dense(3))
    fans = range(1, compute.KEPT + 5)  # more kinds than a network keeps programs for
    models = [Model(net, net.init(fan, (fan,)), (fan,), "squared_error") for fan in fans]
    rows = [np.ones((3, fan), np.float32) for fan in fans]
    first = [model.predict(x) for model, x in zip(models, rows, strict=True)]
    for model, x, found in zip(models, rows, first, strict=True):
        # A few roundings of sums of at most some twenty float32 terms.
        layer = model.params["0"]
        np.testing.assert_allclose(found, x @ layer["weight"] + layer["bias"], rtol=1e-5, atol=1e-6)
    for model, x, found in reversed(list(zip(models, rows, first, strict=True))):
        np.testing.assert_array_equal(model.predict(x), found)


def test_models_that_have_predicted_can_be_copied_and_sent() -> None:
    net = mc.nn.Sequential(mc.nn.Dense(4, "relu"), mc.nn.Dense(2))
    model = Model(net, net.init(0, (FAN_IN,)), (FAN_IN,), "softmax_cross_entropy")
    expected = model.predict(X[:1])
    for other in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.predict(X[:1]), expected)
    model.params["0"]["weight"][:] = 0
    assert (copy.deepcopy(model).predict(X[:1]) == model.predict(X[:1])).all()
