"""`scan`: the same loop in Python, compiled, differentiated, and unrolled by hand."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.autodiff.check import check_grads

XS = np.random.default_rng(0).standard_normal((5, 3))
W = np.random.default_rng(1).standard_normal((3, 3)) / 2.0


def rnn(w: Any, h0: Any, xs: Any, reverse: bool = False) -> Any:
    def step(h: Any, x: Any) -> tuple[Any, Any]:
        h = np.tanh(w @ h + x)
        return h, np.sum(h**2)

    return mc.scan(step, h0, xs, reverse=reverse)


def unrolled(w: Any, h: Any, xs: Any, reverse: bool = False) -> Any:
    ys = []
    for i in reversed(range(len(xs))) if reverse else range(len(xs)):
        h = np.tanh(w @ h + xs[i])
        ys.append(np.sum(h**2))
    return h, np.stack(ys[::-1] if reverse else ys)


def _loss(loop: Any, reverse: bool) -> Any:
    def loss(w: Any, h: Any, xs: Any) -> Any:
        last, ys = loop(w, h, xs, reverse)
        return np.sum(last) + np.sum(ys * np.arange(5.0))

    return loss


# The products of a step are summed in the order of another lowering; 1e-12 leaves four digits for five steps.
CLOSE: Any = {"rtol": 1e-12, "atol": 1e-14}


@pytest.mark.parametrize("reverse", [False, True])
def test_all_forms_agree(reverse: bool) -> None:
    h0 = np.zeros(3)
    expected = unrolled(W, h0, XS, reverse)
    for a, b in zip(rnn(W, h0, XS, reverse), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(mc.compile(rnn)(W, h0, XS, reverse), expected, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize("reverse", [False, True])
def test_first_derivatives_agree(reverse: bool) -> None:
    args = (W, np.full(3, 0.1), XS)
    expected = mc.grad(_loss(unrolled, reverse), (0, 1, 2))(*args)
    slope = mc.grad(_loss(rnn, reverse), (0, 1, 2))
    for found in (
        slope(*args),
        mc.compile(slope)(*args),
        mc.grad(mc.compile(_loss(rnn, reverse)), (0, 1, 2))(*args),
    ):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, **CLOSE)


@pytest.mark.parametrize("reverse", [False, True])
def test_second_derivatives_agree(reverse: bool) -> None:
    args = (W, np.full(3, 0.1), XS)

    def second(loop: Any) -> Any:
        slope = mc.grad(_loss(loop, reverse), 0)
        return mc.grad(lambda w, h, xs: np.sum(slope(w, h, xs) * np.arange(9.0).reshape(3, 3)), (0, 1, 2))

    expected = second(unrolled)(*args)
    for found in (second(rnn)(*args), mc.compile(second(rnn))(*args)):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, **CLOSE)


def test_forward_mode_of_a_compiled_loop() -> None:
    args, tangents = (W, np.full(3, 0.1), XS), (W[::-1], np.ones(3), np.flip(XS))
    expected = mc.jvp(unrolled, args, tangents)
    found = mc.compile(lambda p, t: mc.jvp(rnn, p, t))(args, tangents)
    for a, b in zip((*found[0], *found[1]), (*expected[0], *expected[1]), strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)
    check_grads(lambda w, h: rnn(w, h, XS), (W, np.full(3, 0.1)))


def test_closures_over_traced_values() -> None:
    def f(a: Any) -> Any:
        b = a * 2.0
        total, _ = mc.scan(lambda s, x: (s * b + x * a, None), 0.0, XS[:, 0])
        return total

    by_hand = lambda a: sum(XS[i, 0] * a * (2.0 * a) ** (4 - i) for i in range(5))  # noqa: E731
    for g in (f, mc.compile(f)):
        np.testing.assert_allclose(g(0.7), by_hand(0.7), rtol=1e-14)
    np.testing.assert_allclose(mc.grad(f)(0.7), mc.grad(by_hand)(0.7), rtol=1e-13)
    np.testing.assert_allclose(mc.compile(mc.grad(f))(0.7), mc.grad(by_hand)(0.7), rtol=1e-13)
    np.testing.assert_allclose(
        mc.compile(mc.grad(mc.grad(f)))(0.7), mc.grad(mc.grad(by_hand))(0.7), rtol=1e-12
    )


def test_gradients_inside_the_step() -> None:
    def descend(x0: Any, rate: Any) -> Any:
        def step(x: Any, _: Any) -> tuple[Any, Any]:
            value, slope = mc.value_and_grad(lambda v: np.sum(v**4 - v**2))(x)
            return x - rate * slope, value

        return mc.scan(step, x0, length=20)

    x0 = np.array([1.0, -0.4])
    eager, compiled = descend(x0, 0.1), mc.compile(descend)(x0, 0.1)
    for a, b in zip(eager, compiled, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(np.abs(eager[0]), np.sqrt(0.5), rtol=1e-3)  # the minima, after 20 steps
    check_grads(lambda r: descend(x0, r)[0], (0.05,), order=1)
    found = mc.compile(mc.grad(lambda r: descend(x0, r)[1][-1]))(0.05)
    np.testing.assert_allclose(found, mc.grad(lambda r: descend(x0, r)[1][-1])(0.05), rtol=1e-12)


def test_nested_loops() -> None:
    def f(x: Any) -> Any:
        def outer(s: Any, row: Any) -> tuple[Any, Any]:
            inner, ys = mc.scan(lambda t, v: (t * x[0] + v, t), s, row)
            return inner, np.sum(ys) * x[1]

        total, ys = mc.scan(outer, np.sum(x), XS)
        return total + np.sum(ys)

    def by_hand(x: Any) -> Any:
        s, out = np.sum(x), 0.0
        for row in XS:
            before = 0.0
            for v in row:
                before = before + s
                s = s * x[0] + v
            out = out + before * x[1]
        return s + out

    x = np.array([0.5, 0.3])
    np.testing.assert_allclose(mc.compile(f)(x), by_hand(x), rtol=1e-14)
    np.testing.assert_allclose(mc.compile(mc.grad(f))(x), mc.grad(by_hand)(x), rtol=1e-12)
    np.testing.assert_allclose(mc.compile(mc.hessian(f))(x), mc.hessian(by_hand)(x), rtol=1e-11, atol=1e-12)


class State(NamedTuple):
    """A state of three dtypes."""

    x: Any
    count: Any
    bits: Any


def test_integer_state() -> None:
    def f(x0: Any, n: Any, seed: Any) -> Any:
        def step(s: State, row: Any) -> tuple[State, Any]:
            bits = s.bits * np.uint32(1664525) + np.uint32(1013904223)
            return State(s.x * 1.5 + row[0], s.count + 1, bits), {"bits": bits, "even": s.count % 2 == 0}

        return mc.scan(step, State(x0, n, seed), XS)

    args = (np.float64(0.5), np.int32(3), np.array([7], np.uint32))
    state, ys = f(*args)
    compiled, compiled_ys = mc.compile(f)(*args)
    assert (state.count, state.bits.dtype, ys["bits"].dtype) == (8, np.uint32, np.uint32)
    for a, b in zip((*state, *ys.values()), (*compiled, *compiled_ys.values()), strict=True):
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_array_equal(a, b)
    slope = mc.grad(lambda x: f(x, *args[1:])[0].x)
    assert slope(0.5) == mc.compile(slope)(0.5) == 1.5**5


def test_no_xs_and_length() -> None:
    state, ys = mc.scan(lambda s, x: (s * 2, s if x is None else 0), 1, length=5)
    assert state == 32
    np.testing.assert_array_equal(ys, [1, 2, 4, 8, 16])
    compiled = mc.compile(lambda s: mc.scan(lambda s, _: (s * 2, s), s, length=5))(1)
    assert compiled[0] == 32
    assert mc.scan(lambda s, x: (s + x, None), 0.0, XS[:, 0], length=5)[1] is None


def test_zero_length() -> None:
    def f(s: Any, xs: Any) -> Any:
        return mc.scan(lambda s, x: (s + x, {"twice": x * 2.0}), s, xs)

    for state, ys in (f(np.ones(3), np.zeros((0, 3))), mc.compile(f)(np.ones(3), np.zeros((0, 3)))):
        assert isinstance(state, np.ndarray)
        np.testing.assert_array_equal(state, np.ones(3))
        assert ys["twice"].shape == (0, 3)
    assert mc.scan(lambda s, x: (s + x, None), 0.0, np.zeros(0))[0] == 0.0
    for g in (mc.grad, lambda f: mc.compile(mc.grad(f))):
        np.testing.assert_array_equal(
            g(lambda s: np.sum(f(s, np.zeros((0, 3)))[0] ** 2))(np.ones(3)), 2.0 * np.ones(3)
        )


def test_numbers_as_state_take_the_dtype_they_meet() -> None:
    xs = np.ones(4, np.float32)
    for run in (
        lambda xs: mc.scan(lambda s, x: (s + x, s), 0.0, xs),
        lambda xs: mc.scan(lambda s, x: (s + x, s), 0, xs),
    ):
        eager, compiled = run(xs), mc.compile(run)(xs)
        assert eager[0].dtype == compiled[0].dtype == np.float32
        assert compiled[1].dtype == np.float32
        np.testing.assert_array_equal(eager[1], compiled[1])


def test_steps_may_branch_on_values_outside_compile() -> None:
    total, _ = mc.scan(lambda s, x: (s + x if x > 0 else s, None), 0.0, XS[:, 0])
    np.testing.assert_allclose(total, np.sum(np.maximum(XS[:, 0], 0.0)), rtol=1e-15)
    g = mc.grad(lambda xs: mc.scan(lambda s, x: (s + x if x > 0 else s, None), 0.0, xs)[0])(XS[:, 0])
    np.testing.assert_array_equal(g, XS[:, 0] > 0)


@pytest.mark.parametrize("transform", [lambda f: f, mc.compile], ids=["plain", "compiled"])
@pytest.mark.parametrize(
    ("step", "state", "xs", "message"),
    [
        (
            lambda s, x: (s.astype(np.float32), None),
            np.zeros(2),
            XS,
            "state must keep its type.*f64.*became f32",
        ),
        (lambda s, x: (np.stack([s, s]), None), np.zeros(2), XS, r"f64\[2\].*became f64\[2,2\]"),
        (lambda s, x: ({"a": s["a"][0]}, None), {"a": np.zeros(2)}, XS, r"a was f64\[2\], became f64\[\]"),
        (lambda s, x: ((s, s), None), np.zeros(2), XS, "state must keep its structure"),
        (lambda s, x: s, np.zeros(2), XS, r"pair \(state, y\)"),
        (lambda s, x: (s, None), np.zeros(2), None, "one common leading length"),
        (lambda s, x: (s, None), np.zeros(2), (XS, XS[:2]), r"\[5, 3\], \[2, 3\]"),
        (lambda s, x: (s, None), np.zeros(2), np.float64(1.0), "one common leading length"),
    ],
)
def test_refusals(transform: Any, step: Any, state: Any, xs: Any, message: str) -> None:
    with pytest.raises((mc.ShapeError, mc.TraceError), match=message):
        transform(lambda s: mc.scan(step, s, xs))(state)


def test_constants_in_compile_are_taken_as_they_were() -> None:
    table = np.arange(5000.0)
    f = mc.compile(lambda s: mc.scan(lambda s, x: (s + np.sum(x * table), None), s, np.ones(2))[0])
    expected = f(0.0)
    table[:] = -1.0
    assert f(0.0) == expected
