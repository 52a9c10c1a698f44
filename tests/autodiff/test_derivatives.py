"""grad, value_and_grad, vjp, jvp, jacobian, hessian: their contract, on any nest of arguments."""

from __future__ import annotations

import dataclasses
from collections import namedtuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn.tree import flatten, map_leaves

Pair = namedtuple("Pair", ["left", "right"])


@dataclasses.dataclass(frozen=True)
class Box:
    """A dataclass of parameters."""

    weight: Any
    rest: Any = None


_leaf = st.sampled_from([(), (2,), (1, 3), (0,)]).map(lambda s: np.full(s, 0.5)) | st.floats(-1, 1)
_trees = st.recursive(
    _leaf | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.sampled_from(["b", "a", "w", "very long"]), inner, max_size=3)
        | st.builds(Pair, inner, inner)
        | st.builds(Box, inner, inner)
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(_trees)
def test_gradients_are_nested_as_arguments_are(tree: Any) -> None:
    def energy(t: Any) -> Any:
        return sum(
            (np.sum(w * x * x) for w, x in enumerate(flatten(t)[0], start=1)), 0.0 * np.sum(np.ones(1))
        )

    slope = mc.grad(energy)(tree)
    assert flatten(slope)[1] == flatten(tree)[1]
    for w, (g, x) in enumerate(zip(flatten(slope)[0], flatten(tree)[0], strict=True), start=1):
        np.testing.assert_array_equal(g, 2.0 * w * np.asarray(x))
    if flatten(tree)[0]:
        compiled = mc.compile(mc.grad(energy))(tree)
        assert flatten(compiled)[1] == flatten(tree)[1]


@settings(max_examples=50, deadline=None)
@given(_trees, _trees)
def test_outputs_may_be_nested_too(inputs: Any, outputs: Any) -> None:
    def f(t: Any) -> Any:
        total = sum((np.sum(x) for x in flatten(t)[0]), 0.0)
        return map_leaves(lambda y: y * total, outputs)

    out, pull = mc.vjp(f, inputs)
    assert flatten(out)[1] == flatten(outputs)[1]
    assert flatten(pull(out)[0])[1] == flatten(inputs)[1]
    ones = map_leaves(lambda x: np.ones_like(x, dtype=float), inputs)
    assert flatten(mc.jvp(f, (inputs,), (ones,))[1])[1] == flatten(outputs)[1]


def test_argnums() -> None:
    f = lambda a, b, c=1.0: a * b**2 * c  # noqa: E731
    assert mc.grad(f)(2.0, 3.0) == 9.0
    assert mc.grad(f, 1)(2.0, 3.0) == 12.0
    assert mc.grad(f, -1)(2.0, 3.0) == 12.0
    assert mc.grad(f, argnums=(1, 0))(2.0, 3.0) == (12.0, 9.0)
    assert mc.grad(f, [0])(2.0, 3.0) == (9.0,)
    assert mc.grad(f, (0, -1))(2.0, 3.0, 4.0) == (36.0, 18.0)
    assert mc.grad(f)(2.0, 3.0, c=2.0) == 18.0
    assert mc.grad(f, np.int64(1))(2.0, 3.0) == 12.0
    assert mc.value_and_grad(f, (0, 1))(2.0, 3.0) == (18.0, (9.0, 12.0))
    with pytest.raises(mc.TraceError, match=r"argument 5.* 2 positional"):
        mc.grad(f, 5)(1.0, 2.0)


def test_aux() -> None:
    def f(x: Any) -> Any:
        y = np.sum(x**2)
        return y, {"half": y / 2.0, "name": "f", "mask": x > 1, "n": 3}

    slope, aux = mc.grad(f, has_aux=True)(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(slope, [2.0, 4.0])
    assert (aux["half"], aux["name"], aux["n"]) == (2.5, "f", 3)
    assert type(aux["half"]) is np.float64
    (value, _), slope = mc.value_and_grad(f, has_aux=True)(np.array([1.0, 2.0]))
    assert value == 5.0
    out, pull, aux = mc.vjp(f, np.array([1.0, 2.0]), has_aux=True)
    assert (out, pull(1.0)[0].tolist(), aux["half"]) == (5.0, [2.0, 4.0], 2.5)
    with pytest.raises(mc.TraceError, match="pair"):
        mc.grad(lambda x: x, has_aux=True)(1.0)


def test_keeps_dtypes_and_kinds() -> None:
    for x, kind in (
        (2.0, np.float64),
        (2, np.float64),
        (np.float32(2.0), np.float32),
        (np.float64(2.0), np.float64),
    ):
        value, slope = mc.value_and_grad(lambda x: x**3)(x)
        assert (type(slope), type(value)) == (kind, kind)
        assert (value, slope) == (8.0, 12.0)
    w = np.ones(3, np.float32)
    assert mc.grad(lambda w, s: np.sum(w * s), 0)(w, 2.0).dtype == np.float32
    assert mc.grad(lambda w, s: np.sum(w * s), 1)(w, 2.0).dtype == np.float64
    value = mc.value_and_grad(lambda s: np.sum(w * s))(2.0)[0]
    assert value.dtype == np.float32  # as without a derivative: a number does not widen an array
    assert mc.grad(lambda w: np.sum(w.astype(np.float64) ** 2))(w).dtype == np.float32


def test_results_may_be_written_to_and_share_nothing() -> None:
    x, y = np.ones(3), np.ones(3)
    for f in (
        lambda x: np.sum(x * 1.0),
        lambda x: np.sum(x + y),
        lambda x: np.sum(np.broadcast_to(x, (2, 3))),
    ):
        value, slope = mc.value_and_grad(f)(x)
        slope[:] = 7.0
        assert (x.tolist(), y.tolist()) == ([1.0] * 3, [1.0] * 3)
        assert f(x) == value
    out, pull = mc.vjp(lambda x: x, x)
    out[:] = 7.0
    u = np.ones(3)
    g = pull(u)[0]
    g[:] = 9.0
    assert (x.tolist(), u.tolist()) == ([1.0] * 3, [1.0] * 3)
    np.testing.assert_array_equal(pull(u)[0], np.ones(3))
    both = mc.vjp(lambda x: (x, x), x)[0]
    both[0][:] = 5.0
    assert np.all(both[1] == 1.0)


def test_pull_may_be_called_again() -> None:
    out, pull = mc.vjp(lambda a, b: {"sum": a + b, "product": a * b}, 2.0, np.array([1.0, 3.0]))
    for _ in range(2):
        da, db = pull({"sum": np.ones(2), "product": np.zeros(2)})
        assert (da, db.tolist()) == (2.0, [1.0, 1.0])
    da, db = pull({"sum": np.zeros(2), "product": np.array([1.0, 10.0])})
    assert (da, db.tolist()) == (31.0, [2.0, 20.0])
    assert out["product"].tolist() == [2.0, 6.0]


def test_constant_functions() -> None:
    np.testing.assert_array_equal(mc.grad(lambda x: 3.0)(np.ones(2)), np.zeros(2))
    np.testing.assert_array_equal(mc.compile(mc.grad(lambda x: 3.0))(np.ones(2)), np.zeros(2))
    np.testing.assert_array_equal(mc.jacobian(lambda x: np.ones(3))(np.ones(2)), np.zeros((3, 2)))
    np.testing.assert_array_equal(mc.hessian(lambda x: np.sum(x))(np.ones(2)), np.zeros((2, 2)))
    out, tangent = mc.jvp(lambda x: (x, np.ones(2)), (1.0,), (1.0,))
    assert (out[0], tangent[0], tangent[1].tolist()) == (1.0, 1.0, [0.0, 0.0])
    assert mc.grad(lambda x: np.sum(np.round(x)))(1.5) == 0.0
    assert mc.grad(lambda x, y: y, 0)(1.0, 2.0) == 0.0


def test_unused_and_empty_arguments() -> None:
    slope = mc.grad(lambda p: np.sum(p["used"]))(
        {"used": np.ones(2), "unused": np.ones((2, 2)), "none": None}
    )
    np.testing.assert_array_equal(slope["unused"], np.zeros((2, 2)))
    assert slope["none"] is None
    assert mc.grad(np.sum)(np.zeros((0, 3))).shape == (0, 3)
    assert mc.jacobian(lambda x: x * 2.0)(np.zeros(0)).shape == (0, 0)
    assert mc.jacobian(lambda x: x[:0])(np.ones(3)).shape == (0, 3)
    assert mc.grad(lambda p: 1.0)({}) == {}


@given(st.data())
def test_of_joined_columns_only_those_that_depend_are_sought(data: st.DataObject) -> None:
    widths = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    learnt = data.draw(st.lists(st.booleans(), min_size=len(widths), max_size=len(widths)))
    stacked = data.draw(st.sampled_from([(), (2,)]))  # of a product that broadcasts
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal((3, n)) for n in widths]
    weights = rng.standard_normal((*stacked, sum(widths), 7))

    def loss(parts: Any) -> Any:
        return np.sum(np.tanh(np.concatenate(parts, axis=1) @ weights))

    def of_learnt(given: Any) -> Any:
        chosen = iter(given)
        return loss([next(chosen) if own else part for part, own in zip(parts, learnt, strict=True)])

    variables = [part for part, own in zip(parts, learnt, strict=True) if own]
    expected = [g for g, own in zip(mc.grad(loss)(parts), learnt, strict=True) if own]
    slope = mc.grad(of_learnt)
    for found in (slope(variables), mc.compile(slope)(variables)):
        for one, other in zip(found, expected, strict=True):
            # Columns of a product are sums of the same terms, perhaps in another order.
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
    if variables:
        first, last = learnt.index(True), len(learnt) - learnt[::-1].index(True)
        shape = [*stacked, 3, sum(widths[first:last])]
        products = [line for line in str(mc.inspect(slope, variables)).splitlines() if " = matmul(" in line]
        assert f"f64{shape}".replace(" ", "") in products[-1]


def test_jacobian_shapes() -> None:
    x, y = np.arange(3.0), np.ones((2, 2))
    j = mc.jacobian(lambda x, y: np.sum(y) * x[:2], (0, 1))(x, y)
    assert (j[0].shape, j[1].shape) == ((2, 3), (2, 2, 2))
    nested = mc.jacobian(lambda p: {"y": p["a"] * p["b"]})({"a": x, "b": 2.0})
    np.testing.assert_array_equal(nested["y"]["a"], 2.0 * np.eye(3))
    np.testing.assert_array_equal(nested["y"]["b"], x)
    assert mc.jacobian(np.sin)(0.0) == 1.0
    assert mc.jacobian(lambda x: np.outer(x, x))(x).shape == (3, 3, 3)
    assert mc.jacobian(lambda x: x)(np.ones(2, np.float32)).dtype == np.float32


def test_hessian_is_symmetric_and_right() -> None:
    a = np.random.default_rng(0).standard_normal((4, 4))
    h = mc.hessian(lambda x: x @ a @ x)(np.ones(4))
    np.testing.assert_allclose(h, a + a.T, rtol=1e-13)  # the sums of a few products
    x = np.random.default_rng(1).standard_normal(3)
    h = mc.hessian(lambda x: np.logaddexp.reduce(x))(x)
    p = np.exp(x - np.logaddexp.reduce(x))
    np.testing.assert_allclose(h, np.diag(p) - np.outer(p, p), rtol=1e-13, atol=1e-15)
    both = mc.hessian(lambda a, b: a**2 * b, (0, 1))(2.0, 3.0)
    assert both == ((6.0, 4.0), (4.0, 0.0))


def test_any_order() -> None:
    f, signs = np.sin, (np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin)
    for i in range(8):
        f = mc.grad(f)  # type: ignore[arg-type]
        np.testing.assert_allclose(f(0.3), signs[i % 4](0.3), rtol=1e-13)
    power = lambda x: x**5  # noqa: E731
    for expected in (5.0, 20.0, 60.0, 120.0, 120.0, 0.0):
        power = mc.grad(power)
        np.testing.assert_allclose(power(1.0), expected, rtol=1e-14)
    assert mc.compile(mc.grad(mc.grad(mc.grad(lambda x: x**5))))(1.0) == pytest.approx(60.0, rel=1e-14)


def test_all_modes_agree_on_second_derivatives() -> None:
    f = lambda x: np.sum(np.tanh(x) * np.roll(x, 1) ** 2)  # noqa: E731
    x, v = np.array([0.3, -1.2, 0.8]), np.array([1.0, 0.5, -2.0])
    hv = mc.hessian(f)(x) @ v
    over = (
        mc.jvp(mc.grad(f), (x,), (v,))[1],  # forward over reverse
        mc.grad(lambda x: np.sum(mc.grad(f)(x) * v))(x),  # reverse over reverse
        mc.grad(lambda x: mc.jvp(f, (x,), (v,))[1])(x),  # reverse over forward
        mc.compile(lambda x, v: mc.jvp(mc.grad(f), (x,), (v,))[1])(x, v),
    )
    for found in over:
        np.testing.assert_allclose(found, hv, rtol=1e-12)
    twice = mc.jvp(lambda x: mc.jvp(f, (x,), (v,))[1], (x,), (v,))[1]  # forward over forward
    np.testing.assert_allclose(twice, v @ hv, rtol=1e-12)


# Perturbations that must not be confused --------------------------------------------------------------------


def test_inner_derivative_over_an_outer_variable() -> None:
    # Siskind & Pearlmutter 2005: d/dx (x * d/dy (x + y)) = 1, and 2 where the two are confused.
    assert mc.grad(lambda x: x * mc.grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert mc.jvp(lambda x: x * mc.jvp(lambda y: x + y, (1.0,), (1.0,))[1], (1.0,), (1.0,))[1] == 1.0
    assert mc.grad(lambda x: x * mc.jvp(lambda y: x + y, (1.0,), (1.0,))[1])(1.0) == 1.0
    assert mc.jvp(lambda x: x * mc.grad(lambda y: x + y)(1.0), (1.0,), (1.0,))[1] == 1.0


@pytest.mark.parametrize("transform", [lambda f: f, mc.compile], ids=["plain", "compiled"])
def test_nested_over_the_same_value(transform: Any) -> None:
    f = lambda x: mc.grad(lambda y: y * y * x)(x) + mc.grad(lambda y: x * x * y)(x)  # noqa: E731
    # 2 x x + x x = 3 x^2, and its derivative 6 x.
    assert transform(f)(2.0) == 12.0
    assert transform(mc.grad(f))(2.0) == 12.0
    assert transform(mc.grad(mc.grad(f)))(2.0) == 6.0


def test_closures_three_deep() -> None:
    f = lambda x: mc.grad(lambda y: mc.grad(lambda z: x * y**2 * z**3)(y))(x)  # noqa: E731
    # d/dz = 3 x y^2 z^2 at z = y: 3 x y^4; d/dy = 12 x y^3 at y = x: 12 x^4; d/dx = 48 x^3.
    assert mc.grad(f)(2.0) == pytest.approx(384.0, rel=1e-14)
    assert mc.compile(mc.grad(f))(2.0) == pytest.approx(384.0, rel=1e-14)


def test_a_pull_used_inside_another_derivative() -> None:
    def f(x: Any) -> Any:
        out, pull = mc.vjp(lambda y: np.sin(y) * x, x)
        return out + pull(x)[0]

    # sin(x) x + x * cos(x) x
    g = lambda x: np.sin(x) * x + x * x * np.cos(x)  # noqa: E731
    assert mc.grad(f)(0.7) == pytest.approx(mc.grad(g)(0.7), rel=1e-14)


def test_functions_defined_outside() -> None:
    kept: dict[str, Any] = {}

    def outer(x: Any) -> Any:
        kept["pull"] = mc.vjp(lambda y: y * x, 2.0)[1]
        return kept["pull"](1.0)[0] * x

    assert mc.grad(outer)(3.0) == 6.0
    assert kept["pull"](1.0)[0] == 3.0  # outside of everything now: plain values


def test_control_flow_on_values() -> None:
    def collatz(x: Any) -> Any:
        steps = 0
        while x > 1.0 and steps < 50:
            x = x / 2.0 if np.floor(x) % 2 == 0 else 3.0 * x + 1.0
            steps += 1
        return x

    assert mc.grad(collatz)(8.0) == 0.125
    recursive = lambda x, n: x if n == 0 else x * recursive(x, n - 1)  # noqa: E731
    assert mc.grad(recursive)(2.0, 3) == 32.0
    assert mc.grad(lambda x: max(x, 1.0) * min(x, 5.0))(2.0) == 4.0
    assert mc.grad(lambda x: sum(sorted([x, 2.0 * x, -x])[1:]))(1.5) == 3.0
    assert mc.grad(lambda x: x if x in np.array([1.0, 2.0]) else -x)(2.0) == 1.0


def test_stop_gradient() -> None:
    assert mc.grad(lambda x: x * mc.stop_gradient(x))(3.0) == 3.0
    assert mc.compile(mc.grad(lambda x: x * mc.stop_gradient(x)))(3.0) == 3.0
    assert mc.grad(mc.grad(lambda x: x * mc.stop_gradient(x) ** 2))(3.0) == 0.0
    frozen = mc.stop_gradient({"a": np.ones(2), "n": "word"})
    assert frozen["n"] == "word"
    x = np.ones(2)

    def f(x: Any) -> Any:
        y = mc.stop_gradient(x)
        y[:] = 5.0  # an array of its own
        return np.sum(x * y)

    np.testing.assert_array_equal(mc.grad(f)(x), [5.0, 5.0])
    np.testing.assert_array_equal(x, np.ones(2))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mc.grad(lambda x: x)(np.ones(2)), mc.ShapeError, r"shape \[2\].*mc\.jacobian"),
        (lambda: mc.grad(lambda x: (x, x))(1.0), mc.ShapeError, "tuple"),
        (lambda: mc.grad(lambda x: {"a": x})(1.0), mc.ShapeError, "dict"),  # type: ignore[arg-type]
        (lambda: mc.grad(lambda x: None)(1.0), mc.ShapeError, "NoneType"),  # type: ignore[arg-type]
        (lambda: mc.grad(lambda x: "word")(1.0), mc.TraceError, "returned a str"),  # type: ignore[arg-type]
        (lambda: mc.grad(lambda x: x > 0)(1.0), mc.TraceError, "bool"),
        (lambda: mc.grad(np.sum)(np.arange(3)), mc.TraceError, "argument 0, of dtype int64.*astype"),
        (lambda: mc.grad(lambda x, i: x, 1)(1.0, np.arange(3)), mc.TraceError, "argument 1, of dtype int64"),
        (
            lambda: mc.grad(lambda p: p["w"][0])({"w": [1.0, np.arange(2)]}),
            mc.TraceError,
            r"argument 0\.w\.1, of dtype",
        ),
        (lambda: mc.jacobian(lambda x, i: x, 1)(1.0, "word"), mc.TraceError, "argument 1, a str"),
        (lambda: mc.grad(lambda x: x)(True), mc.TraceError, "argument 0, a bool"),
        (lambda: mc.grad(lambda x: x)(1j), mc.TraceError, "argument 0, a complex"),
        (lambda: mc.grad(lambda x: x)(np.ones(2, complex)), mc.TraceError, "complex128"),
        (lambda: mc.vjp(np.sin, np.ones(2))[1](np.ones(3)), mc.ShapeError, r"\[3\], its output \[2\]"),
        (lambda: mc.vjp(np.sin, 1.0)[1]((1.0,)), mc.ShapeError, "structure"),
        (lambda: mc.jvp(np.sin, (1.0,), (1.0, 2.0)), mc.ShapeError, "nested as primals"),
        (lambda: mc.jvp(np.sin, (np.ones(2),), (np.ones(3),)), mc.ShapeError, r"\[3\]"),
    ],
)
def test_refusals(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_wrapped_functions_keep_their_names() -> None:
    def loss(x: Any) -> Any:
        """Return the loss."""
        return x

    for g in (mc.grad(loss), mc.value_and_grad(loss), mc.jacobian(loss), mc.compile(loss)):
        assert (g.__name__, g.__doc__) == ("loss", "Return the loss.")
    assert mc.grad(np.tanh)(0.0) == 1.0


def test_int8_and_float16_are_taken_as_what_graphs_have() -> None:
    x = np.ones(3)
    assert mc.grad(lambda x: np.sum(x * np.arange(3, dtype=np.int8)))(x).tolist() == [0.0, 1.0, 2.0]
    assert mc.grad(lambda x: np.sum(x * np.ones(3, np.uint16)))(x).tolist() == [1.0, 1.0, 1.0]
