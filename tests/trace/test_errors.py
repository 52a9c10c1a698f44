"""What cannot be traced says which function it was, and the nearest thing that works."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.special

import minicolumn as mc

X = np.array([[1.0, 0.2], [0.2, 2.0]])


def _assigned(x: Any) -> Any:
    x[0] = 1.0
    return x


def _added_at(x: Any) -> Any:
    x[0] += 1.0
    return x


def _into_plain(x: Any) -> Any:
    plain = np.zeros((2, 2))
    plain[0] = x[0]
    return plain


def _plain_in_place(x: Any) -> Any:
    plain = np.zeros((2, 2))
    plain += x
    return plain


ALWAYS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "assignment": (_assigned, r"np\.where\(mask, new, old\)"),
    "assignment of a sum": (_added_at, r"np\.where"),
    "assignment into a plain array": (_into_plain, r"np\.stack|np\.concatenate"),
    "in-place operator on a plain array": (_plain_in_place, "in-place"),
    "math.sin": (lambda x: math.sin(x[0, 0]), r"np\.sin .* in place of math\.sin.*mc\.stop_gradient"),
    "float": (lambda x: float(x[0, 0]), r"float\(\) of a value"),
    "int": (lambda x: int(x[0, 0]), r"int\(\) of a value"),
    "item": (lambda x: x[0, 0].item(), r"\.item\(\)"),
    "tolist": (lambda x: x.tolist(), r"\.tolist\(\)"),
    "np.array of a list": (lambda x: np.array([x[0, 0], x[0, 1]], dtype=float), r"np\.stack"),
    "np.asarray": (lambda x: np.asarray(np.tile(x, (9, 9))), "not needed"),
    "out of a ufunc": (lambda x: np.add(x, x, out=np.zeros((2, 2))), "out="),
    "out of a function": (lambda x: np.sum(x, out=np.zeros(())), "out="),
    "where of a ufunc": (lambda x: np.log(x, where=x > 0), r"np\.where\(mask, f\(x\), x\)"),
    "sort in place": (lambda x: x.sort(), r"np\.sort"),
    "fill": (lambda x: x.fill(0.0), r"np\.full_like"),
    "eig": (np.linalg.eig, r"np\.linalg\.eig cannot.*eigh"),
    "raw qr": (lambda x: np.linalg.qr(np.vstack([x, x]), mode="raw"), "mode='raw'.*complete"),
    "hermitian": (lambda x: np.linalg.svd(x, hermitian=True), "hermitian"),
    "cut off by value": (lambda x: np.linalg.pinv(x, rcond=x[0, 0]), "rcond.*known while tracing"),
    "lstsq": (lambda x: np.linalg.lstsq(x, x), r"np\.linalg\.pinv"),
    "fft": (np.fft.fft, r"np\.fft\.fft needs complex"),
    "unknown function": (np.histogram, r"np\.histogram"),
    "unknown ufunc": (lambda x: scipy.special.ellipk(x), "ellipk has no traced form"),
    "unknown method of a ufunc": (lambda x: np.add.reduceat(x, [0]), r"np\.add\.reduceat"),
    "reduce of a ufunc": (lambda x: np.hypot.reduce(x), r"np\.hypot\.reduce"),
    "copyto": (lambda x: np.copyto(np.zeros((2, 2)), x), r"np\.where"),
    "complex": (lambda x: x * 1j, "complex"),
    "unknown dtype": (lambda x: x.astype(np.float16), "float16.*float32"),
    "scipy logsumexp": (scipy.special.logsumexp, r"scipy\.special\.logsumexp .*np\.logaddexp\.reduce"),
    "scipy softmax": (scipy.special.softmax, r"scipy\.special\.softmax .*np\.exp"),
    "scipy log_softmax": (scipy.special.log_softmax, r"scipy\.special\.log_softmax .*logaddexp"),
    "scipy polygamma": (lambda x: scipy.special.polygamma(1, x), r"psi\(x\)"),
    "scipy expm": (scipy.linalg.expm, r"scipy\.linalg"),
    "quantile method": (lambda x: np.quantile(x, 0.5, method="middle"), "linear"),  # type: ignore[call-overload]
    "pad mode": (lambda x: np.pad(x, 1, mode="empty"), "edge"),
    "ix_": (lambda x: np.ix_(x[0], x[0]), r"rows\[:, None\]"),
    "unknown argument": (lambda x: np.quantile(x, 0.5, weights=[1.0, 2.0]), "weights"),
    "gradient of third order": (lambda x: np.gradient(x, edge_order=3), "edge_order"),  # type: ignore[call-overload]
}


@pytest.mark.parametrize("case", ALWAYS)
@pytest.mark.parametrize("transform", ["grad", "compile"])
def test_refusals(case: str, transform: str) -> None:
    f, message = ALWAYS[case]
    with pytest.raises(mc.TraceError, match=message):
        mc.compile(f)(X) if transform == "compile" else mc.vjp(f, X)


IN_COMPILE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "if": (lambda x: x if np.sum(x) > 0 else -x, r"cannot branch on it.*np\.where"),
    "while": (lambda x: [x for _ in iter(lambda: bool(x[0, 0] < 1), True)], r"mc\.scan"),
    "and": (lambda x: (x[0, 0] > 0) and x, r"np\.where"),
    "range": (lambda x: list(range(np.argmax(x))), "static"),
    "mask": (lambda x: x[x > 0], r"np\.where\(mask, x, 0\)"),
    "nonzero": (lambda x: np.nonzero(x > 0), "depends on values"),
    "argwhere": (lambda x: np.argwhere(x > 0), "depends on values"),
    "flatnonzero": (lambda x: np.flatnonzero(x > 0), "depends on values"),
    "where of one": (lambda x: np.where(x > 0), "depends on values"),
    "plain array by a traced index": (lambda x: X[np.argmax(x)], "make plain an argument|static"),
    "unique": (lambda x: np.unique(x), "shape depends on values"),
    "a string returned": (lambda x: "word", "returned a str"),
}


@pytest.mark.parametrize("case", IN_COMPILE)
def test_refusals_of_compile(case: str) -> None:
    f, message = IN_COMPILE[case]
    with pytest.raises(mc.TraceError, match=message):
        mc.compile(f)(X)


def test_the_line_is_named() -> None:
    def branching(x: Any) -> Any:
        y = np.sum(x)
        return y if y > 0 else x

    with pytest.raises(mc.TraceError, match=r"made at test_errors\.py:\d+"):
        mc.compile(branching)(X)


def test_values_may_be_looked_at_in_grad() -> None:
    def f(x: Any) -> Any:
        assert bool(x > 1) is True
        assert (isinstance(x > 1, np.bool_), bool(x < 1)) == (True, False)  # comparisons are plain
        assert f"{x:.1f}" == "2.0"
        assert float(mc.stop_gradient(x)) == 2.0
        assert math.sin(mc.stop_gradient(x)) == math.sin(2.0)
        assert isinstance(int(np.floor(mc.stop_gradient(x))), int)
        assert "2." in repr(x)
        return x * len(range(np.argmax(np.array([0.0, 1.0]))))

    assert mc.grad(f)(2.0) == 1.0


def test_shapes_are_named() -> None:
    v, w = np.ones(3), np.ones(4)
    for f, message in (
        (lambda x: x + w, r"\[3\] and \[4\]|shapes"),
        (lambda x: x @ w, r"\[1, 3\]|\[3\]"),
        (lambda x: np.reshape(x, (2, 2)), r"\[3\]"),
        (lambda x: np.concatenate([x, np.ones((2, 2))]), r"\[3\]"),
        (lambda x: np.stack([x, w]), r"\[3\]"),
        (lambda x: np.sum(x, axis=2), "axis 2"),
        (lambda x: np.max(x[:0]), "zero"),
    ):
        with pytest.raises(ValueError, match=message):
            mc.compile(f)(v)


def test_unknown_names_suggest_the_nearest() -> None:
    with pytest.raises(mc.TraceError, match="did you mean"):
        mc.compile(lambda x: scipy.special.expm1(x) + scipy.special.erfi(x))(X)


def test_what_outlives_its_trace() -> None:
    kept: list[Any] = []

    def keep(x: Any) -> Any:
        kept.append(x * 2.0)
        return np.sum(x)

    mc.grad(keep)(np.ones(3))
    # After grad the value is known, and is an array like any other.
    np.testing.assert_array_equal(np.asarray(kept[0]), 2.0 * np.ones(3))
    np.testing.assert_array_equal(kept[0] + 1.0, 3.0 * np.ones(3))
    assert isinstance(kept[0] + 1.0, np.ndarray)
    assert float(kept[0][0]) == 2.0
    # After compile there never was one.
    mc.compile(keep)(np.ones(3))
    with pytest.raises(mc.TraceError, match="outlived"):
        np.asarray(kept[1])
    with pytest.raises(mc.TraceError, match="none of its arguments"):
        mc.compile(lambda y: y + kept[1])(np.ones(3))


@pytest.mark.parametrize("transformed", [mc.grad, mc.compile, lambda f: mc.compile(mc.grad(f))])
def test_a_traced_value_is_not_written_into_a_plain_array(transformed: Any) -> None:
    def first(x: Any) -> Any:
        z = np.zeros(3)
        z[0] = x
        return np.sum(z)

    def in_a_loop(x: Any) -> Any:
        return mc.scan(lambda s, row: (s + first(row), None), 0.0, np.ones(2) * x)[0]

    for function in (first, in_a_loop):
        with pytest.raises(
            mc.TraceError, match=r"cannot be written into a plain NumPy array, as by z\[0\] = x"
        ):
            transformed(function)(1.0)


def test_an_own_value_error_stays_what_it_is() -> None:
    def refuses(x: Any) -> Any:
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$"):
        mc.compile(refuses)(1.0)
