"""The checker of derivatives, and that it can fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.autodiff.check import DerivativeError, check_grads
from minicolumn.ir.op import Op
from minicolumn.ir.ops.rules import mapped

X = np.array([0.3, -1.2])


def _sine(slope: Any) -> Op:
    """Return an operation whose value is sin(x) and whose rule is what a test wants."""
    return Op("sine", "map", mapped("sine", 1, "f"), np.sin, (lambda g, out, x: g * slope(x),))


def test_right_rules_pass() -> None:
    for order in (1, 2, 3):
        check_grads(_sine(np.cos), (X,), order=order)
    check_grads(lambda p, n: {"y": p["w"] ** n, "count": n}, ({"w": X, "name": "w"}, 3))
    check_grads(lambda x: np.sum(x), (np.zeros((0, 2)),))
    check_grads(lambda x, y: x * y, (1e8, np.array([1e-8, 2.0])))
    check_grads(lambda x: 3.0, (1.0,))


def test_a_wrong_rule_fails() -> None:
    for modes, word in ((("fwd",), "fwd"), (("rev",), "rev"), (("fwd", "rev"), "fwd")):
        with pytest.raises(
            DerivativeError, match=f"order 1, {word}, argument 0: .* by the rules, .* by finite"
        ):
            check_grads(_sine(np.sin), (X,), modes=modes)
    with pytest.raises(AssertionError):
        check_grads(_sine(lambda x: np.cos(x) * 1.001), (X,))
    with pytest.raises(mc.MinicolumnError, match="nan"):
        check_grads(_sine(lambda x: np.cos(x) + np.nan), (X,))


def test_a_wrong_second_order_fails() -> None:
    def blind(x: Any) -> Any:
        return np.cos(mc.stop_gradient(x))

    check_grads(_sine(blind), (X,), order=1)
    for mode in ("fwd", "rev"):
        with pytest.raises(DerivativeError, match=f"order 2, {mode}, argument 0"):
            check_grads(_sine(blind), (X,), order=2, modes=(mode,))


def test_the_argument_is_named() -> None:
    f = lambda a, p: np.sum(a) + np.sum(_sine(np.sin)(p["w"][1]))  # noqa: E731
    with pytest.raises(DerivativeError, match=r"argument 1\.w\.1: "):
        check_grads(f, (X, {"w": (X, X)}))


def test_kinks_are_found_out() -> None:
    with pytest.raises(DerivativeError):
        check_grads(np.abs, (np.array([1e-9]),), seed=1)


def test_seeds_and_tolerances() -> None:
    nearly = _sine(lambda x: np.cos(x) * (1.0 + 1e-4))
    check_grads(nearly, (X,), rtol=1e-3, order=1)
    check_grads(nearly, (X,), atol=1e-2, order=1)
    for seed in range(3):
        with pytest.raises(DerivativeError):
            check_grads(nearly, (X,), order=1, seed=seed)
    check_grads(np.sin, (X,), rtol=1e-10, atol=1e-10)  # what the step promises, with room to spare


def test_float32_is_checked_in_float64() -> None:
    check_grads(np.tanh, (X.astype(np.float32),), rtol=1e-9, atol=1e-9)


def test_refusals() -> None:
    with pytest.raises(mc.TraceError, match=r"tuple of arguments, such as \(x,\), got a ndarray"):
        check_grads(np.sin, X)  # type: ignore[arg-type]
    with pytest.raises(mc.TraceError, match="modes"):
        check_grads(np.sin, (X,), modes=("forward",))
    with pytest.raises(mc.TraceError, match="order 0"):
        check_grads(np.sin, (X,), order=0)
