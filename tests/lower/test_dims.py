"""Programs for arrays of any length: one trace, one piece of code, and a refusal where lengths matter."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn.lower.compile import graph_with_dims
from minicolumn.lower.native import NativeProgram, nests
from minicolumn.tree import flatten


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
        made.append(native.fingerprint(graph))
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


# Loops within loops -----------------------------------------------------------------------------------------

NAMES = {1: "rows", 2: "epochs steps", 3: "epochs steps", 4: "epochs steps", 5: "blocks"}


def _loss(params: Any, x: Any) -> Any:
    return np.mean(np.tanh(x @ params["w"]) @ params["v"]) ** 2


def _training(state: Any, X: Any, order: Any, rates: Any, numbers: Any, H: Any) -> Any:
    """Train over epochs of steps, and measure the loss of held-out blocks after each."""

    def epoch(state: Any, x: Any) -> Any:
        def step(state: Any, y: Any) -> Any:
            rows, rate, number = y
            loss, slope = mc.value_and_grad(_loss)(state, X[rows])
            rate = rate * np.where(number % 2 == 0, np.float32(1), np.float32(0.5))
            return {k: state[k] - rate * slope[k] for k in state}, loss

        state, losses = mc.scan(step, state, x)
        held = mc.scan(lambda _, h: (None, _loss(state, h)), None, H)[1]
        return state, (state, losses, held)

    return mc.scan(epoch, state, (order, rates, numbers))


def _arguments(rows: int, epochs: int, steps: int, blocks: int, batch: int, hidden: int) -> tuple[Any, ...]:
    rng, f32 = np.random.default_rng(rows + 7 * epochs + 49 * steps), np.float32
    state = {"w": rng.standard_normal((4, hidden), f32), "v": rng.standard_normal((hidden, 1), f32)}
    order = rng.integers(0, rows, (epochs, steps, batch)).astype(np.int32)
    numbers = np.arange(epochs * steps, dtype=np.uint32).reshape(epochs, steps)
    rates = rng.random((epochs, steps), f32) * f32(0.001)  # larger ones make more of each rounding
    X, H = rng.standard_normal((rows, 4), f32), rng.standard_normal((blocks, 16, 4), f32)
    return state, X, order, rates, numbers, H


# A batch that fits registers, and one that is worked on by kernels, shared between threads.
SIZES = {"in registers": (8, 5), "kernels": (100, 70), "threads": (128, 300)}
TRAININGS = {
    (kind, backend): mc.compile(
        _training, backend=backend, dims=NAMES, donate=(0,) if backend == "native" else ()
    )
    for kind in SIZES
    for backend in ("native", "reference")
}


@pytest.mark.parametrize("kind", SIZES)
@settings(max_examples=30, deadline=None)
@given(rows=st.integers(1, 40), epochs=st.integers(0, 4), steps=st.integers(0, 4), blocks=st.integers(0, 3))
def test_epochs_of_steps_are_one_program(kind: str, rows: int, epochs: int, steps: int, blocks: int) -> None:
    args = _arguments(rows, epochs, steps, blocks, *SIZES[kind])
    given = copy.deepcopy(args)
    found = TRAININGS[kind, "native"](*given)
    expected = TRAININGS[kind, "reference"](*args)
    assert found[0]["w"] is given[0]["w"]  # worked on where it lies
    assert (found[1][1].shape, found[1][2].shape) == ((epochs, steps), (epochs, blocks))
    assert found[1][0]["w"].shape == (epochs, *args[0]["w"].shape)
    for x, y in zip(flatten(found)[0], flatten(expected)[0], strict=True):
        # Sums of at most 300 products in float32, in another order: some 1e-6 of what they are made of.
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=2e-5)
    if epochs:
        np.testing.assert_array_equal(found[0]["w"], found[1][0]["w"][-1])


@pytest.mark.parametrize("kind", SIZES)
def test_lengths_of_the_call_or_of_the_program_give_the_same_bits(kind: str) -> None:
    args = _arguments(20, 3, 4, 2, *SIZES[kind])
    fixed = mc.compile(_training)(*copy.deepcopy(args))
    one = mc.compile(_training, dims=NAMES, threads=1)(*copy.deepcopy(args))
    many = mc.compile(_training, dims=NAMES)(*args)
    for x, y, z in zip(*(flatten(found)[0] for found in (fixed, one, many)), strict=True):
        np.testing.assert_array_equal(x, y)
        np.testing.assert_array_equal(x, z)


def test_loops_within_loops_in_the_shadow() -> None:
    shadowed = mc.compile(_training, dims=NAMES, shadow="reference")
    for lengths in ((9, 2, 2, 1), (5, 1, 0, 1)):
        args = _arguments(*lengths, *SIZES["in registers"])
        plain = TRAININGS["in registers", "native"](*copy.deepcopy(args))
        for x, y in zip(flatten(shadowed(*args))[0], flatten(plain)[0], strict=True):
            np.testing.assert_array_equal(x, y)


def test_the_states_of_both_loops_are_one_memory() -> None:
    graph = graph_with_dims(_training, NAMES, *_arguments(5, 2, 2, 1, *SIZES["threads"]))
    program = NativeProgram(graph)
    body = next(iter(program.emitted.schedule.inner.values()))
    state = [k for k, node in enumerate(body.graph.outputs[:2])]
    assert sorted(body.memory.results[node] for node in body.graph.outputs[:2]) == state
    assert [c.output for c in body.memory.copies] == [2, 3]  # the stack of states


def test_turns_of_loops_within_loops_are_counted_together() -> None:
    args = _arguments(5, 3, 4, 2, *SIZES["in registers"])
    graph = graph_with_dims(_training, NAMES, *args)
    named = {tuple(map(str, nest)) for nest in nests(graph)}
    assert named == {("epochs", "steps"), ("epochs", "blocks")}
    assert NativeProgram(graph)._steps(flatten(args)[0]) == 12


def test_rows_of_each_epoch() -> None:
    """Where a row lies follows from the lengths at every level: each epoch has rows of its own."""

    def run(X: Any, order: Any) -> Any:
        def epoch(total: Any, x: Any) -> Any:
            mine, order = x
            return mc.scan(lambda total, rows: (total + np.sum(mine[rows]), mine[rows]), total, order)

        return mc.scan(epoch, 0.0, (X, order))

    fast = mc.compile(run, dims={0: "epochs rows", 1: "epochs steps"})
    rng = np.random.default_rng(0)
    for epochs, rows, steps in ((2, 5, 3), (3, 1, 1), (0, 4, 2), (2, 4, 0), (2, 0, 0)):
        X, order = rng.random((epochs, rows, 2)), rng.integers(0, max(rows, 1), (epochs, steps, 3))
        total, picked = fast(X, order)
        assert picked.shape == (epochs, steps, 3, 2)
        expected = [[X[e][order[e, s]] for s in range(steps)] for e in range(epochs)]
        np.testing.assert_array_equal(picked, np.reshape(expected, picked.shape))
        np.testing.assert_allclose(total, picked.sum(), rtol=1e-12)  # another order of some 30 sums
    with pytest.raises(IndexError):
        fast(np.ones((2, 0, 2)), np.zeros((2, 1, 3), np.int64))
    with pytest.raises(IndexError):
        fast(np.ones((2, 4, 2)), np.full((2, 1, 3), 4))


def _stack_read_again(x: Any) -> Any:
    _, stack = mc.scan(lambda s, row: (s, row * 2), 0.0, x)
    return mc.scan(lambda s, row: (s + row, None), 0.0, stack)[0]


def _stack_of_stacks_not_read(x: Any) -> Any:
    return mc.scan(lambda s, _: mc.scan(lambda s, row: (s + row, row), s, x), 0.0, None, length=2)[0]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (_stack_read_again, r"f64\[rows\] that a loop makes is read but no result"),
        (_stack_of_stacks_not_read, r"nobody reads the f64\[2,rows\] that a loop makes"),
        (
            lambda x: mc.scan(lambda s, _: (s, None), x, None, length=2)[0],
            r"f64\[rows\] .*cannot be the state",
        ),
        (np.sum, r"sum \(at .*\) needs the length 'rows' of f64\[rows\]"),
    ],
)
def test_what_native_code_has_no_room_for_is_refused_and_the_reference_does_it(
    function: Any, message: str
) -> None:
    x = np.arange(3.0)
    with pytest.raises(mc.TraceError, match=message):
        mc.compile(function, dims={0: "rows"})(x)
    plain = mc.compile(function, backend="reference", dims={0: "rows"})
    np.testing.assert_array_equal(plain(x), mc.compile(function)(x))


def test_a_stack_may_be_read_where_it_is_a_result_too() -> None:
    def function(x: Any) -> Any:
        _, stack = mc.scan(lambda s, row: (s, row * 2), 0.0, x)
        return stack, mc.scan(lambda s, row: (s + row, None), 0.0, stack)[0]

    stack, total = mc.compile(function, dims={0: "rows"})(np.arange(4.0))
    np.testing.assert_array_equal(stack, 2 * np.arange(4.0))
    assert total == 12.0
