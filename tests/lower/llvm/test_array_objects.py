"""Where arrays lie, as machine code reads it: the same as NumPy tells, for every kind of array."""

from __future__ import annotations

import numpy as np
import pytest
from guarded import NO_CACHE

from minicolumn.ir.graph import Graph
from minicolumn.lower.compile import graph_of, graph_with_dims
from minicolumn.lower.llvm.runtime import array_objects, call_frame
from minicolumn.lower.llvm.runtime.abi import FIRST
from minicolumn.lower.llvm.runtime.array_objects import are_readable
from minicolumn.lower.native import KEPT, NativeProgram
from minicolumn.trace.loops import scan


def _graph() -> Graph:
    sums = lambda x, y: scan(lambda s, row: (s + row, s * 2), y, x)  # noqa: E731
    return graph_with_dims(sums, {0: "rows"}, np.ones((3, 2)), np.ones(2))


def test_numpys_arrays_are_as_expected_here() -> None:
    assert are_readable()  # else everything still works, a microsecond an array later


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_machine_code_and_numpy_tell_the_same(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    program = NativeProgram(_graph(), cache=NO_CACHE)
    arrays = [np.ones((rows, 2)), np.ones(2), np.empty(2), np.empty((rows, 2))]
    read = program.frame(np.empty(4096, np.uint8), ())
    assert read.point_to(arrays)
    monkeypatch.setattr(call_frame, "are_readable", lambda: False)
    asked = program.frame(np.empty(4096, np.uint8), ())
    assert asked.point_to(arrays)
    np.testing.assert_array_equal(read._words[FIRST : FIRST + 5], asked._words[FIRST : FIRST + 5])
    assert read._words[FIRST + 4] == rows
    assert list(read._words[FIRST : FIRST + 4]) == [a.ctypes.data for a in arrays]


def _odd(x: np.ndarray) -> list[np.ndarray]:
    """Return arrays of the same numbers that lie in memory in every other way."""
    unaligned = np.frombuffer(b"?" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape)
    spread = np.zeros((2 * len(x), 2 * x.shape[1]))[::2, ::-2]
    spread[...] = x
    frozen = x.copy()
    frozen.flags.writeable = False
    return [np.asfortranarray(x), unaligned, spread, frozen, x[::-1].copy()[::-1], x.view(np.ndarray)]


@pytest.mark.parametrize("readable", [True, False])
def test_arrays_that_lie_otherwise_give_the_same(readable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_frame, "are_readable", lambda: readable)
    x = np.random.default_rng(0).standard_normal((3, 4))
    program = NativeProgram(graph_of(lambda x: np.sum(x * 2, axis=0), x), cache=NO_CACHE)
    expected = program(x)[0].tobytes()
    for other in _odd(x):
        np.testing.assert_array_equal(other, x)
        assert program(other)[0].tobytes() == expected


def test_a_frame_is_used_again_also_after_an_index_out_of_range() -> None:
    x, places = np.arange(5.0), np.array([1, 2], np.int32)
    program = NativeProgram(graph_of(lambda x, k: x[k], x, places), cache=NO_CACHE)
    for _ in range(3 * KEPT):
        with pytest.raises(IndexError, match="outside"):
            program(x, np.array([1, 9], np.int32))
        np.testing.assert_array_equal(program(x, places)[0], [1.0, 2.0])
    assert len(program._frames) == 1


def test_another_build_of_python_has_code_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    program = NativeProgram(graph_of(lambda x: x + 1, np.ones(3)), cache=NO_CACHE)
    before = program._key()
    monkeypatch.setattr(array_objects, "DATA", array_objects.DATA + 16)  # as without the interpreter's lock
    assert program._key() != before
