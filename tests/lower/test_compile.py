"""`compile`: one trace for each kind of arguments, the function's own values, and nothing shared."""

from __future__ import annotations

import functools
import sys
import threading
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import minicolumn as mc


class Traces:
    """Counts how often a function is run, which is how often it is traced."""

    def __init__(self, function: Any) -> None:
        self.function, self.count = function, 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.count += 1
        return self.function(*args, **kwargs)


def _counted(function: Any) -> tuple[Any, Traces]:
    traces = Traces(function)
    return mc.compile(traces), traces


# Values -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    x: Any
    y: Any


def test_results_are_those_of_the_function_in_every_nest() -> None:
    def f(p: Point, scale: Any, *, parts: Any) -> Any:
        return {
            "point": Point(p.x * scale, p.y - scale),
            "sum": [np.sum(part) for part in parts],
            "none": None,
        }

    args = (Point(np.arange(3.0), np.ones((2, 2), np.float32)), 2.0)
    parts = (np.ones(3, np.int32), np.array([4.0]))
    expected, found = f(*args, parts=parts), mc.compile(f)(*args, parts=parts)
    np.testing.assert_array_equal(found["point"].x, expected["point"].x)
    assert found["point"].y.dtype == np.float32
    assert found["sum"] == expected["sum"]
    assert found["none"] is None


def test_keywords_and_positions_are_the_functions_own() -> None:
    fast = mc.compile(lambda x, /, y=2.0, *, z: x * y + z)
    assert fast(3.0, z=1.0) == 7.0
    assert fast(3.0, 4.0, z=1.0) == 13.0
    assert fast(3.0, z=0.5, y=1.0) == 3.5
    with pytest.raises(TypeError, match="z"):
        fast(3.0)


def test_the_wrapper_keeps_name_and_docstring() -> None:
    def tidy(x: Any) -> Any:
        """Return it."""
        return x

    assert (mc.compile(tidy).__name__, mc.compile(tidy).__doc__) == ("tidy", "Return it.")
    assert mc.compile(functools.partial(lambda a, b: a - b, 5.0))(2.0) == 3.0


def test_nan_and_infinity_travel_without_a_warning() -> None:
    fast = mc.compile(lambda x: (np.log(x), 1.0 / x, np.exp(x * 1000.0)))
    log, inverse, large = fast(np.array([-1.0, 0.0, 1.0]))
    assert np.isnan(log[0])
    assert np.isinf(inverse[1])
    assert np.isinf(large[2])


# Tracing ----------------------------------------------------------------------------------------------------


def test_one_trace_for_each_shape_and_dtype() -> None:
    fast, traces = _counted(lambda x: np.sum(x * 2))
    for x in (np.ones(3), np.zeros(3), np.ones(4), np.ones(3, np.float32), np.ones((3, 1)), np.ones(3)):
        assert fast(x) == np.sum(x * 2)
        assert fast(x).dtype == np.sum(x * 2).dtype
    assert traces.count == 4


def test_values_of_numbers_are_data_and_their_types_are_not() -> None:
    fast, traces = _counted(lambda x, k: x * k)
    x = np.ones(2, np.float32)
    for k in (2, 3, 2.5, 3.5, np.float64(2.0), np.float32(2.0), np.array(2.0)):
        expected = x * k
        assert fast(x, k).dtype == expected.dtype, repr(k)
        np.testing.assert_array_equal(fast(x, k), expected)
    # int, float, float64 (a scalar and an array without axes are one type), float32
    assert traces.count == 4


def test_other_hashable_arguments_are_part_of_the_program() -> None:
    def f(x: Any, how: Any) -> Any:
        if how is None:
            return x
        if how is True:
            return -x
        return {"double": 2 * x, "half": x / 2}.get(how, 10 * x)

    fast, traces = _counted(f)
    # Decimal(1) == True, and they have one hash; still they are two programs.
    for how in (None, True, False, "double", "half", Decimal(1)):
        assert fast(3.0, how) == f(3.0, how), how
        assert fast(4.0, how) == f(4.0, how), how
    assert traces.count == 6


# The package has a function under the same name as the module.
KEEP = sys.modules["minicolumn.lower.compile"].KEEP


def test_only_the_programs_used_last_are_kept() -> None:
    traces = Traces(lambda x: x + 1.0)
    fast = mc.compile(traces, backend="reference")
    for n in (*range(1, KEEP + 1), 1, KEEP + 1):  # 1 was used after 2, so 2 goes
        fast(np.ones(n))
    assert traces.count == KEEP + 1
    fast(np.ones(1))
    fast(np.ones(3))
    assert traces.count == KEEP + 1
    fast(np.ones(2))
    assert traces.count == KEEP + 2


# Of more shapes than are kept, so that programs also come and go, and of few that are compiled.
@pytest.mark.parametrize(("backend", "shapes"), [("reference", 2 * KEEP), ("native", 8)])
def test_two_threads_may_call_at_once(backend: Any, shapes: int) -> None:
    fast = mc.compile(lambda x: np.sum(np.exp(x)) + np.sum(x), backend=backend)
    wrong: list[str] = []
    start = threading.Barrier(4)

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        start.wait()
        for _ in range(150):
            x = rng.standard_normal(int(rng.integers(1, shapes)))
            # An ulp of each exp, added up in another order.
            if not np.isclose(fast(x), np.sum(np.exp(x)) + np.sum(x), rtol=1e-14, atol=1e-14):
                wrong.append(str(x))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# Nothing is shared ------------------------------------------------------------------------------------------


def test_results_are_writable_and_share_nothing_with_arguments() -> None:
    x = np.arange(6.0).reshape(2, 3)
    fast = mc.compile(lambda x: [x, x.T, x[0], x.reshape(-1), np.broadcast_to(x[0], (4, 3)), x + 0.0])
    for found, expected in zip(fast(x), [x, x.T, x[0], x.reshape(-1), np.stack([x[0]] * 4), x], strict=True):
        np.testing.assert_array_equal(found, expected)
        assert not np.shares_memory(found, x)
        found[...] = 7.0
    np.testing.assert_array_equal(x, np.arange(6.0).reshape(2, 3))


def test_results_share_nothing_with_each_other() -> None:
    first, second, third = mc.compile(lambda x: (np.exp(x), np.exp(x), np.exp(x).reshape(3, 1)))(np.zeros(3))
    first[:] = 5.0
    assert list(second) == [1.0, 1.0, 1.0]
    assert list(third.ravel()) == [1.0, 1.0, 1.0]


def test_writing_to_a_result_does_not_change_the_program() -> None:
    table = np.ones(3)

    def f(x: Any) -> Any:
        state, _ = mc.scan(lambda s, _: (table, None), np.zeros(3), length=2)
        return table, state, np.zeros(2), x

    fast = mc.compile(f)
    for _ in range(2):
        whole, state, zeros, _ = fast(1.0)
        assert (list(whole), list(state), list(zeros)) == ([1.0] * 3, [1.0] * 3, [0.0] * 2)
        whole[:], state[:], zeros[:] = 9.0, 9.0, 9.0
    assert list(table) == [1.0] * 3


def test_arrays_closed_over_are_taken_as_they_were() -> None:
    table = np.arange(3.0)
    fast = mc.compile(lambda x: x + table)
    assert list(fast(np.zeros(3))) == [0.0, 1.0, 2.0]
    table[:] = 9.0
    assert list(fast(np.zeros(3))) == [0.0, 1.0, 2.0]


# Within other transformations -------------------------------------------------------------------------------


def test_compile_within_compile_and_grad_and_the_other_way_round() -> None:
    inner = mc.compile(lambda x: np.sum(np.tanh(x) ** 2))
    x = np.array([0.3, -1.2])
    expected = mc.grad(lambda x: np.sum(np.tanh(x) ** 2))(x)
    for found in (mc.grad(inner)(x), mc.compile(mc.grad(inner))(x), mc.grad(mc.compile(inner))(x)):
        np.testing.assert_allclose(found, expected, rtol=1e-15)  # one rounding apart at most
    assert mc.compile(lambda x: inner(x) + 1.0)(x) == inner(x) + 1.0


def test_values_of_an_outer_trace_come_in_as_arguments() -> None:
    def closing(w: Any) -> Any:
        return mc.compile(lambda x: np.sum(x * w))(np.array([1.0, 2.0]))

    with pytest.raises(mc.TraceError, match="none of its arguments; pass it as an argument"):
        mc.grad(closing)(3.0)
    assert mc.grad(lambda w: mc.compile(lambda x, w: np.sum(x * w))(np.array([1.0, 2.0]), w))(3.0) == 3.0


# Errors -----------------------------------------------------------------------------------------------------


def test_what_cannot_be_an_argument() -> None:
    fast = mc.compile(lambda x: x)
    with pytest.raises(mc.TraceError, match=r"argument of type set is neither data nor hashable"):
        fast({1})
    for values in (np.ones(2, np.uint8), np.ones(2, np.float16), np.array(["a"]), np.ones(2, complex)):
        with pytest.raises(mc.TraceError, match=rf"dtype {values.dtype}.*astype\(np.float32\)"):
            fast(values)
    with pytest.raises(mc.MinicolumnError, match="object"):
        fast(2**70)


def test_what_cannot_be_a_result() -> None:
    with pytest.raises(mc.TraceError, match="returned a str; it may return arrays, numbers and"):
        mc.compile(lambda x: {"x": x, "name": "word"})(1.0)


def test_what_cannot_be_compiled() -> None:
    with pytest.raises(mc.DataError, match="expected a function, got a int"):
        mc.compile(3)  # type: ignore[arg-type]
    with pytest.raises(mc.DataError, match="unknown backend 'referense'; did you mean 'reference'"):
        mc.compile(np.sin, backend="referense")


def test_branching_on_values_says_what_to_write_instead() -> None:
    with pytest.raises(mc.TraceError, match=r"not known.*np\.where.*mc\.scan"):
        mc.compile(lambda x: x if x > 0 else -x)(1.0)


def test_a_failure_leaves_the_compiled_function_usable() -> None:
    def f(x: Any, how: str) -> Any:
        if how == "raise":
            raise RuntimeError("as asked")
        return np.linalg.solve(x, np.ones((2, 1)))

    fast = mc.compile(f)
    with pytest.raises(RuntimeError, match="as asked"):
        fast(np.eye(2), "raise")
    assert fast(np.eye(2), "go on").tolist() == [[1.0], [1.0]]
    with pytest.raises(np.linalg.LinAlgError):  # while it runs
        fast(np.zeros((2, 2)), "go on")
    assert fast(2.0 * np.eye(2), "go on").tolist() == [[0.5], [0.5]]


# Arguments that are given away ------------------------------------------------------------------------------


def _walk(state: Any, rows: Any) -> Any:
    return mc.scan(lambda s, x: ({"a": s["a"] + x, "b": s["b"] * x}, s["a"]), state, rows)


def _start() -> tuple[dict[str, np.ndarray], np.ndarray]:
    return {"a": np.arange(5.0), "b": np.ones(5)}, np.arange(15.0).reshape(3, 5)


def test_a_donated_state_is_worked_on_where_it_lies() -> None:
    state, rows = _start()
    expected = mc.compile(_walk, backend="reference")(*_start())
    donated = mc.compile(_walk, donate=(0,))
    held, seen = donated(state, rows)
    assert held["a"] is state["a"]
    assert held["b"] is state["b"]
    for name in "ab":
        np.testing.assert_array_equal(held[name], expected[0][name])
    np.testing.assert_array_equal(seen, expected[1])
    assert (rows == _start()[1]).all()
    kept = mc.compile(_walk)
    state, rows = _start()
    assert kept(state, rows)[0]["a"] is not state["a"]
    assert (state["a"] == _start()[0]["a"]).all()


def _twice() -> Any:
    one = np.arange(5.0)
    return {"a": one, "b": one}


def _overlapping() -> Any:
    room = np.arange(8.0)
    return {"a": room[:5], "b": room[3:]}


def _read_only() -> Any:
    state = _start()[0]
    state["a"].flags.writeable = False
    return state


@pytest.mark.parametrize("make", [_twice, _overlapping, _read_only])
def test_memory_that_cannot_be_given_away_is_copied(make: Any) -> None:
    rows, given, before = _start()[1], make(), make()
    found, _ = mc.compile(_walk, donate=(0,))(given, rows)
    expected, _ = mc.compile(_walk, backend="reference")(make(), rows)
    for name in "ab":
        np.testing.assert_array_equal(found[name], expected[name])
    for name in "ab" if make is not _read_only else "a":
        np.testing.assert_array_equal(given[name], before[name])


def test_rows_that_are_the_state_too_are_not_overwritten() -> None:
    rows = np.arange(15.0).reshape(3, 5)

    def function(state: Any, rows: Any) -> Any:
        last, _ = mc.scan(lambda s, x: (s + x, None), state, rows)
        return last, state * 2  # the first state is needed after the loop

    found = mc.compile(function, donate=(0,))(rows[0].copy(), rows)
    expected = mc.compile(function, backend="reference")(rows[0].copy(), rows)
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    shared = mc.compile(
        lambda state, rows: mc.scan(lambda s, x: (s + x.sum(), None), state, rows)[0], donate=(0,)
    )
    state = np.arange(15.0).reshape(3, 5)
    np.testing.assert_array_equal(shared(state, state), np.arange(15.0).reshape(3, 5) + 105)


@pytest.mark.parametrize("donate", [(2,), (0, 5), (-1,), (True,), ("state",)])
def test_donations_of_nothing_are_refused(donate: Any) -> None:
    with pytest.raises(mc.DataError, match="donate"):
        mc.compile(_walk, donate=donate)(*_start())


def test_long_chains_of_maps() -> None:
    def chain(x: Any) -> Any:
        for k in range(700):  # deeper than Python's stack, a few calls each
            x = np.maximum(x * 1.001, 0.001 * k)
        return x

    x = np.linspace(0, 1, 50)
    np.testing.assert_array_equal(mc.compile(chain)(x), mc.compile(chain, backend="reference")(x))
    assert np.isfinite(mc.compile(mc.grad(lambda x: np.sum(chain(x))))(x)).all()


@pytest.mark.parametrize("donate", [0, None, "0", (-1,), (True,), ("x",)])
def test_donated_arguments_are_named_by_position(donate: Any) -> None:
    with pytest.raises(mc.DataError, match="donate must hold positions"):
        mc.compile(lambda x: x, donate=donate)


@pytest.mark.parametrize("backend", [None, ["native"], 3, "nativ"])
def test_backends_that_do_not_exist(backend: Any) -> None:
    with pytest.raises(mc.DataError, match="compile: unknown backend"):
        mc.compile(lambda x: x, backend=backend)
    net, x = mc.nn.Sequential(mc.nn.Dense(2)), np.ones((4, 3))
    with pytest.raises(mc.DataError, match="fit: backend: expected one of native, reference"):
        mc.fit(net, x, np.zeros(4, int), backend=backend)


def test_numbers_of_numpys_are_numbers_of_threads() -> None:
    one: Any = np.int64(1)
    assert mc.compile(lambda x: x + 1, threads=one)(np.ones(1)) == 2
