"""Programs for arrays of any length: one trace, one piece of code, and a refusal where lengths matter."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import minicolumn as mc


def _picked(table: Any, order: Any) -> Any:
    def step(total: Any, rows: Any) -> Any:
        picked = table[rows]
        return total + np.sum(picked), np.sum(picked, axis=0)

    return mc.scan(step, np.zeros((), table.dtype), order)


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_one_program_serves_for_every_length(backend: str) -> None:
    traced = []

    def function(table: Any, order: Any) -> Any:
        traced.append(table.shape)
        return _picked(table, order)

    fast = mc.compile(function, backend=backend, dims={0: "rows", 1: "steps"})
    rng = np.random.default_rng(0)
    for rows, steps in ((5, 3), (50, 1), (7, 20), (1, 0), (1000, 2)):
        table, order = rng.standard_normal((rows, 4)), rng.integers(-rows, rows, (steps, 6))
        total, sums = fast(table, order)
        assert sums.shape == (steps, 4)
        np.testing.assert_allclose(sums, table[order].sum(axis=1), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(total, table[order].sum(), rtol=1e-10, atol=1e-10)
    assert len(traced) == 1


def test_indices_are_held_against_the_true_length() -> None:
    fast = mc.compile(_picked, dims={0: "rows", 1: "steps"})
    fast(np.ones((9, 2)), np.full((1, 2), 8))
    for wrong in (5, -6):
        with pytest.raises(IndexError):
            fast(np.ones((5, 2)), np.full((1, 2), wrong))


@pytest.mark.parametrize(
    "function",
    [
        lambda x, rows: np.sum(x) + x[rows][0, 0],
        lambda x, rows: x * 2.0,
        lambda x, rows: np.concatenate([x, x[rows]]),
        lambda x, rows: mc.scan(lambda s, r: (s + 1.0, r), x, rows)[0],
    ],
)
def test_a_length_that_matters_is_refused_with_the_place(function: Any) -> None:
    fast = mc.compile(function, dims={0: "rows"})
    with pytest.raises(mc.TraceError, match="length"):
        fast(np.ones((4, 2)), np.zeros(3, np.int64))


def test_arrays_of_one_group_share_a_length() -> None:
    fast = mc.compile(lambda x, y, rows: x[rows] + y[rows], dims={0: "rows", 1: "rows"})
    np.testing.assert_array_equal(fast(np.ones(3), np.ones(3), np.array([2])), [2.0])
    with pytest.raises(mc.DataError, match="rows is 3 in argument 0 and 4 in argument 1"):
        fast(np.ones(3), np.ones(4), np.array([2]))
    with pytest.raises(mc.DataError, match=re.escape("'rows' of argument 0, which has an array of shape []")):
        fast(np.float64(3.0), np.float64(3.0), np.array([2]))


def test_training_compiles_once_however_many_rows_and_epochs_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from minicolumn.lower import native

    made = []
    first = native.NativeProgram.__init__

    def counted(self: Any, graph: Any, *args: Any, **kwargs: Any) -> None:
        made.append(native.identity(graph))
        first(self, graph, *args, **kwargs)

    monkeypatch.setattr(native.NativeProgram, "__init__", counted)
    net = mc.nn.Sequential(mc.nn.Dense(5, "tanh"), mc.nn.Dense(2))  # as in no other test
    rng = np.random.default_rng(0)
    codes = []
    for rows, rate, epochs in ((64, 0.1, 2), (128, 0.01, 5), (640, 0.3, 1)):
        made.clear()
        X = rng.standard_normal((rows, 3))
        mc.fit(net, X, rng.integers(0, 2, rows), batch_size=32, epochs=epochs, optimizer=mc.optim.Adam(rate))
        codes.append(set(made))
    assert codes[0]
    assert codes[1:] == [set(), set()]


@pytest.mark.parametrize("width", [3, 100_000])
def test_an_empty_array_of_any_length_has_no_row_to_index(width: int) -> None:
    look = mc.compile(lambda x, i: x[i], dims={0: "rows"})
    empty, full = np.zeros((0, width)), np.ones((2, width))
    for index in (0, 5, -1):
        with pytest.raises(IndexError):
            look(empty, np.array([index]))
    np.testing.assert_array_equal(look(full, np.array([1])), full[1:])
    assert look(empty, np.zeros(0, np.int64)).shape == (0, width)
    total = mc.compile(
        lambda x, i: mc.scan(lambda s, r: (s + x[r].sum(), None), 0.0, i)[0], dims={0: "rows", 1: "steps"}
    )
    with pytest.raises(IndexError):
        total(empty, np.array([[0]]))
    assert total(empty, np.zeros((0, 1), np.int64)) == 0


def test_a_length_is_no_number() -> None:
    for function in (lambda x, i: x[i].sum() / len(x), lambda x, i: x[i].sum() * len(x)):
        with pytest.raises(mc.TraceError, match="the length 'rows' is not known while tracing; hand it over"):
            mc.compile(function, dims={0: "rows"})(np.ones(4), np.array([1]))


@pytest.mark.parametrize(
    "dims", [(0,), "0", {0: 3}, {-1: "rows"}, {0: " "}, 3, {True: "rows"}, {"x": "rows"}]
)
def test_names_by_position_are_asked_for(dims: Any) -> None:
    with pytest.raises(mc.DataError, match="dims must name leading axes of arguments by position"):
        mc.compile(lambda x: x, dims=dims)
    with pytest.raises(mc.DataError, match="'2x' cannot name a dimension"):
        mc.compile(lambda x: x, dims={0: "2x"})


def test_positions_beyond_the_arguments() -> None:
    with pytest.raises(mc.DataError, match="1 arguments were given"):
        mc.compile(lambda x: x, dims={5: "rows"})(np.ones(2))


def test_a_length_is_no_constant_in_disguise() -> None:
    fast = mc.compile(lambda x, i: x[i] + 1_000_003.0 / 1_000_033, dims={0: "rows"})
    np.testing.assert_array_equal(fast(np.ones(3), np.array([2])), [1 + 1_000_003.0 / 1_000_033])


def test_a_mean_over_unknown_rows_says_what_to_write() -> None:
    with pytest.raises(
        mc.TraceError, match=r"'rows' elements needs their number.*write np.sum\(...\) / number"
    ):
        mc.compile(lambda x: np.mean(x, axis=0), dims={0: "rows"})(np.ones((4, 2)))


def test_whole_numbers_index_such_an_axis_and_slices_do_not() -> None:
    look = mc.compile(lambda x: (x[0], x[-1], x[np.array([1, 0])]), dims={0: "rows"})
    for rows in (2, 5):
        x = np.arange(2.0 * rows).reshape(rows, 2)
        for found, expected in zip(look(x), (x[0], x[-1], x[[1, 0]]), strict=True):
            np.testing.assert_array_equal(found, expected)
    with pytest.raises(IndexError):
        look(np.ones((1, 2)))
    with pytest.raises(
        mc.TraceError, match="'rows' is not known while tracing, so such an axis cannot be cut"
    ):
        mc.compile(lambda x: x[1:], dims={0: "rows"})(np.ones(3))


def test_a_loop_may_count_to_such_a_length() -> None:
    def powers(x: Any, start: Any) -> Any:
        return mc.scan(lambda s, _: (s * 2, s), start, None, length=x.shape[0])

    for backend in ("native", "reference"):
        fast = mc.compile(powers, backend=backend, dims={0: "steps"})
        for steps in (0, 1, 5):
            last, each = fast(np.zeros(steps), 1.0)
            assert last == 2.0**steps
            np.testing.assert_array_equal(each, 2.0 ** np.arange(steps))


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_arrays_are_handed_through(backend: str) -> None:
    def function(x: Any, xs: Any) -> Any:
        return x, mc.scan(lambda _, row: (None, (row, row)), None, xs)[1]

    fast = mc.compile(function, backend=backend, dims={0: "rows", 1: "steps rows"})
    for rows, steps in ((3, 2), (0, 2), (4, 0)):
        x, xs = np.arange(2.0 * rows).reshape(rows, 2), np.arange(1.0 * steps * rows).reshape(steps, rows)
        same, (one, two) = fast(x, xs)
        for found, expected in ((same, x), (one, xs), (two, xs)):
            assert found.shape == expected.shape
            np.testing.assert_array_equal(found, expected)
