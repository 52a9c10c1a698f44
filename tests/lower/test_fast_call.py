"""Calls that are made again and again: they give what the first one gave, and are refused as it would be."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minicolumn as mc
from minicolumn.lower import compile as compiling
from minicolumn.lower import fast_call
from minicolumn.lower.llvm.runtime import jit
from minicolumn.tree import Mismatch, Structure, flatten, matcher

pytestmark = pytest.mark.skipif(not jit.available(), reason=jit.why_missing())


@pytest.fixture(params=[fast_call.BRIEF, 0], ids=["with Python's lock", "without"], autouse=True)
def brief(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_call, "BRIEF", request.param)


class Kept(np.ndarray):
    """An array of a kind of its own."""


class Pair(NamedTuple):
    w: Any
    b: Any


@dataclass
class Layer:
    w: Any
    b: Any


def _network(params: Any, x: Any) -> Any:
    layer = params["layers"][0]
    return {"y": np.tanh(x @ layer["w"] + layer["b"]), "mean": np.mean(layer["w"]), "k": params["k"] + 1}


def _params() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    layer = {"w": rng.standard_normal((3, 4)).astype(np.float32), "b": np.ones(4, np.float32)}
    return {"layers": [layer], "k": np.array(3, np.int32)}


def _xs() -> list[Any]:
    x = np.random.default_rng(1).standard_normal((5, 3)).astype(np.float32)
    unaligned = np.frombuffer(b"?" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape)
    frozen = x.copy()
    frozen.flags.writeable = False
    others = [x[:2], x[:0], x[:, :2], x[0], x[None], x.astype(np.float64), x.astype(np.int32), x.tolist()]
    odd = [x.view(Kept), np.asfortranarray(x), x[::-1], np.repeat(x, 2, 1)[:, ::2], unaligned, frozen]
    wrong = [None, 3.0, np.float32(2), "x", x.astype(np.float16), x.astype(x.dtype.newbyteorder()), object()]
    return [x, 2 * x, *others, *odd, *wrong]


def _changed(params: dict[str, Any]) -> Iterator[Any]:
    """Give weights that were replaced, moved or renamed, some of which do not fit."""
    layer = params["layers"][0]
    yield params
    for changed in (
        {**layer, "w": np.asfortranarray(layer["w"])},
        {**layer, "w": layer["w"].astype(np.float64)},
        {**layer, "w": layer["w"].tolist()},
        {**layer, "w": layer["w"][:, :3]},
        {**layer, "w": [layer["w"]]},
        {"b": layer["b"], "w": layer["w"]},
        {"w": layer["w"]},
        {**layer, "more": np.ones(2)},
        Layer(**layer),
        None,
    ):
        yield {**params, "layers": [changed]}
    yield {**params, "layers": (layer,)}
    yield {**params, "layers": [layer, layer]}
    yield {**params, "k": 3}
    yield {**params, "k": np.array([3], np.int32)}


def _outcome(call: Callable[[], Any]) -> Any:
    """Return the leaves of a result with their bits, or what was raised."""
    try:
        leaves, structure = flatten(call())
    except Exception as error:
        return type(error), str(error)
    return structure, [(type(x), np.asarray(x).dtype, np.shape(x), np.asarray(x).tobytes()) for x in leaves]


def _repeated(function: Callable[..., Any], *args: Any) -> Callable[..., Any]:
    """Return a compiled function that was called often enough with these arguments."""
    run = mc.compile(function)
    for _ in range(compiling.REPEATS + 2):
        run(*args)
    return run


def _is_fast(run: Any) -> bool:
    cells = dict(zip(run.__code__.co_freevars, run.__closure__, strict=True))
    return cells["fast"].cell_contents is not None


@pytest.mark.parametrize("number", range(len(_xs())))
def test_another_array_gives_what_it_gives_without_a_fast_way(number: int) -> None:
    x, params = _xs()[0], _params()
    run, other = _repeated(_network, params, x), _xs()[number]
    assert _is_fast(run)
    expected = _outcome(lambda: mc.compile(_network)(params, other))
    for _ in range(2):
        assert _outcome(lambda: run(params, other)) == expected
    assert _outcome(lambda: run(params, x)) == _outcome(lambda: mc.compile(_network)(params, x))


@pytest.mark.parametrize("number", range(len(list(_changed(_params())))))
def test_other_weights_give_what_they_give_without_a_fast_way(number: int) -> None:
    x, params = _xs()[0], _params()
    run, other = _repeated(_network, params, x), list(_changed(_params()))[number]
    assert _outcome(lambda: run(other, x)) == _outcome(lambda: mc.compile(_network)(other, x))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 9), min_size=20, max_size=60))
def test_any_sequence_of_calls(numbers: list[int]) -> None:
    xs, params = _xs()[:10], _params()
    run = mc.compile(_network)
    expected = {k: _outcome(lambda k=k: mc.compile(_network)(params, xs[k])) for k in set(numbers)}
    for k in numbers:
        repeats = compiling.REPEATS + 2 if k < 3 else 1
        for _ in range(repeats):
            assert _outcome(lambda k=k: run(params, xs[k])) == expected[k]


def test_numbers_of_calls_and_of_arguments() -> None:
    run = _repeated(lambda x, y=1.0: x * y, np.ones(3))
    assert _is_fast(run)
    np.testing.assert_array_equal(run(np.ones(3), 2.0), np.full(3, 2.0))
    np.testing.assert_array_equal(run(np.ones(3), y=np.full(3, 4.0)), np.full(3, 4.0))
    np.testing.assert_array_equal(run(np.ones(3)), np.ones(3))
    with pytest.raises(TypeError):
        run()


def test_changes_in_place_are_seen_and_results_are_new() -> None:
    x, params = np.ones((5, 3), np.float32), _params()
    run = _repeated(_network, params, x)
    first = run(params, x)
    kept = first["y"].copy()
    params["layers"][0]["b"][:] = 7.0
    second = run(params, x)
    assert _is_fast(run)
    np.testing.assert_array_equal(first["y"], kept)
    assert _outcome(lambda: second) == _outcome(lambda: mc.compile(_network)(params, x))
    assert (second["y"] != kept).any()


def test_the_order_of_a_dict_is_part_of_what_it_looks_like() -> None:
    def first(tree: Any) -> Any:
        return next(iter(tree.values())) * 1.0

    a, b = np.ones(2), np.zeros(2)
    run = _repeated(first, {"a": a, "b": b})
    np.testing.assert_array_equal(run({"b": b, "a": a}), b)


def test_an_argument_that_is_not_used_still_has_a_shape() -> None:
    run = _repeated(lambda x, y: x * y.shape[0], np.ones(2), np.zeros(3))
    assert _is_fast(run)
    np.testing.assert_array_equal(run(np.ones(2), np.zeros(5)), [5.0, 5.0])


@pytest.mark.parametrize("make", [tuple, list, lambda pair: Pair(*pair), lambda pair: Layer(*pair)])
def test_every_kind_of_container(make: Any) -> None:
    def function(tree: Any) -> Any:
        return (tree, None, [tree])

    tree = make([np.ones(2), np.zeros((2, 2), bool)])
    run = _repeated(function, tree)
    assert _is_fast(run) == (type(tree) is not Pair)  # named tuples always take a closer look
    assert _outcome(lambda: run(tree)) == _outcome(lambda: mc.compile(function)(tree))


def test_an_index_out_of_range_is_refused_as_always() -> None:
    x, places = np.arange(4.0), np.array([0, 3], np.int32)
    run = _repeated(lambda x, places: x[places], x, places)
    assert _is_fast(run)
    with pytest.raises(IndexError, match="outside of the array"):
        run(x, np.array([0, 4], np.int32))
    np.testing.assert_array_equal(run(x, places), [0.0, 3.0])


def test_inside_of_another_trace_it_is_traced() -> None:
    run = _repeated(lambda x: np.sum(x**3), np.ones(2))
    assert _is_fast(run)
    np.testing.assert_array_equal(mc.grad(run)(np.array([1.0, 2.0])), [3.0, 12.0])
    np.testing.assert_array_equal(mc.compile(lambda x: run(x) * 2)(np.ones(2)), 4.0)


def test_what_has_no_fast_way_stays_as_it_is() -> None:
    every: list[dict[str, Any]] = [{"dims": {0: "rows"}}, {"donate": (0,)}, {"backend": "reference"}]
    for options in every:
        run = mc.compile(lambda x: mc.scan(lambda s, row: (s, row * 2.0), (), x)[1], **options)
        expected = run(np.ones((3, 2))).copy()
        for _ in range(compiling.REPEATS + 2):
            np.testing.assert_array_equal(run(np.ones((3, 2))), expected)
        assert not _is_fast(run)


def test_threads_call_at_once() -> None:
    x, params = np.ones((5, 3), np.float32), _params()
    run, wrong = _repeated(_network, params, x), []

    def work(factor: np.float32) -> None:
        own = x * factor
        expected = np.tanh(own @ params["layers"][0]["w"] + params["layers"][0]["b"])
        for _ in range(300):
            # Sums of three terms and a tanh in float32: a few roundings apart.
            if not np.allclose(run(params, own)["y"], expected, rtol=1e-5, atol=1e-6):
                wrong.append(factor)

    threads = [threading.Thread(target=work, args=(np.float32(k),)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_threads_that_call_with_other_shapes_do_not_meet_half_of_a_change() -> None:
    run = mc.compile(lambda x: x * 2.0)
    faults: list[BaseException] = []
    before = sys.getswitchinterval()

    def work(size: int) -> None:
        x = np.ones(size)
        try:
            for _ in range(2000):
                if run(x).shape != (size,):
                    raise AssertionError(size)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(size,)) for size in (2, 3, 4)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not faults


def _covers(structure: Structure, other: Structure) -> bool:
    """Return whether a structure is another one, or would be if some of its leaves were containers."""
    if structure.kind is None:
        return True
    same = (structure.kind, structure.names) == (other.kind, other.names)
    return same and all(map(_covers, structure.children, other.children))


TREES: list[Any] = [
    {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1}, [1, 2], (1, 2), Pair(1, 2), Layer(1, 2), None, {}, [],
    {"a": (1, None), "b": 2}, {"a": (1, 2), "b": 2}, [[1], [2]], Layer([1], None), OrderedDict(a=1, b=2),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(TREES)))
def test_a_matcher_takes_trees_of_its_structure_alone(number: int) -> None:
    structure = flatten(TREES[number])[1]
    for other in TREES:
        # Leaves of the structure stand for whatever is there.
        whole = flatten(other)[1]
        found: list[Any] = []
        if _covers(structure, whole):
            matcher(structure)(other, found)
            assert len(found) == structure.leaf_count
            assert whole != structure or found == flatten(other)[0]
        else:
            with pytest.raises(Mismatch):
                matcher(structure)(other, found)
