"""Functions of one array with next to nothing around them: whatever they are given, they answer or refuse."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.lower import compile as compiling
from minicolumn.lower.compile import call_directly, graph_of
from minicolumn.lower.llvm.runtime import jit
from minicolumn.lower.native import NativeProgram
from minicolumn.lower.single_array_call import MOST_STACK, takes_single_array

ROW = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], np.float32)


def _double(x: Any) -> Any:
    return x * 2.0


@pytest.fixture(params=["direct", "reference", "checked"])
def double(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], np.ndarray]:
    if request.param == "reference":
        monkeypatch.setattr(jit, "available", lambda: False)
    if request.param == "checked":
        monkeypatch.setattr("minicolumn.lower.single_array_call.MOST_STACK", -1)
    return call_directly(_double, ROW)


class Kept(np.ndarray):
    """An array of a kind of its own."""


def test_whatever_holds_the_same_numbers_gives_the_same(double: Callable[[Any], np.ndarray]) -> None:
    spread = np.zeros((2, 6), np.float32)[:, ::2]
    spread[...] = ROW
    swapped = ROW.astype(ROW.dtype.newbyteorder())
    alike: list[Any] = [
        ROW,
        ROW.tolist(),
        ROW.astype(np.float64),
        ROW.astype(np.int8),
        np.asfortranarray(ROW),
    ]
    alike += [spread, swapped, ROW.view(Kept), ROW.astype(object), tuple(map(tuple, ROW.tolist()))]
    for given in alike:
        found = double(given)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, 2 * ROW)


@pytest.mark.parametrize("shape", [(), (6,), (3, 2), (2, 2), (2, 4), (1, 2, 3), (0, 3)])
def test_another_shape_is_refused(double: Callable[[Any], np.ndarray], shape: tuple[int, ...]) -> None:
    with pytest.raises(mc.ShapeError, match=r"expected one row of shape \[2, 3\], got"):
        double(np.zeros(shape, np.float32))


@pytest.mark.parametrize("given", ["abc", object(), [["a", 1.0, 2.0]], {"x": 1}, [[1.0], [1.0, 2.0]]])
def test_what_holds_no_numbers_is_refused(double: Callable[[Any], np.ndarray], given: Any) -> None:
    with pytest.raises(mc.DataError, match="expected an array of float32"):
        double(given)
    with pytest.raises(mc.ShapeError):
        double(3)


def test_every_kind_of_object_is_looked_at_before_it_is_read(double: Callable[[Any], np.ndarray]) -> None:
    for given in (None, 3, 1.5, "", (), b"", compiling, int, Ellipsis, np.float32(1), iter([])):
        with pytest.raises(mc.MinicolumnError):
            double(given)


def test_programs_that_need_more_than_a_small_stack_go_the_other_way() -> None:
    wide = np.ones((MOST_STACK // 4, 1), np.float32)
    program = NativeProgram(graph_of(lambda x: np.tanh(wide @ x).T @ wide, np.ones((1, 1), np.float32)))
    assert not takes_single_array(program)
    run = call_directly(lambda x: np.tanh(wide @ x).T @ wide, np.ones((1, 1), np.float32))
    found: list[np.ndarray] = []
    former = threading.stack_size(64 * 1024)  # a thread with next to no stack
    try:
        thread = threading.Thread(target=lambda: found.append(run(np.ones((1, 1), np.float32))))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(former)
    # A sum of 8,192 equal terms in float32, in blocks.
    np.testing.assert_allclose(found[0], len(wide) * np.tanh(1.0), rtol=1e-5)
