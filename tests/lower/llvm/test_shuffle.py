"""Native permutations: NumPy's stable argsort of the same random words, bit for bit."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from guarded import Fences
from hypothesis import given, settings
from hypothesis import strategies as st

from minicolumn import random
from minicolumn.lower.llvm.codegen.shuffle import MANY, Shuffle, _scratch
from minicolumn.lower.llvm.runtime import jit

pytestmark = pytest.mark.skipif(not jit.available(), reason=jit.why_missing())
SOURCE = str(Path(random.__file__).parents[1])
KEYS = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
FEW = 50  # numbers from which on whole words are sorted, where that is to be tested without millions
LEVELS = [(), ("avx512f",), ("avx2",)] if jit.host_target().triple.startswith("x86_64") else [()]


@functools.cache
def shuffle(many: int = MANY, without: tuple[str, ...] = ()) -> Shuffle:
    return Shuffle(jit.host_target(without), many)


def words_of(key: np.ndarray, n: int) -> np.ndarray:
    """Return n words of a key by NumPy, whatever machine code there is by now."""
    counter = np.arange((n + 1) // 2, dtype=np.uint32)
    return np.concatenate(random.threefry2x32(key, (counter, np.zeros_like(counter))))[:n]


def expected(key: np.ndarray, first: int, count: int, n: int) -> np.ndarray:
    """Return the permutations by their definition, one word and one argsort after the other."""
    words = [words_of(random.fold_in(key, first + k), n) for k in range(count)]
    return np.array([np.argsort(row, kind="stable") for row in words]).reshape(count, n)


@settings(deadline=None, max_examples=300)  # timing on shared machines says nothing
@given(KEYS, st.integers(0, 2**32 - 4), st.integers(1, 3), st.integers(0, 5000), st.sampled_from([MANY, FEW]))
def test_permutations_are_stable_argsorts_of_the_words(key, first, count, n, many):
    key = np.array(key, np.uint32)
    found = shuffle(many).permutations(key, first, count, n)
    assert (found.shape, found.dtype) == ((count, n), np.int32)
    np.testing.assert_array_equal(found, expected(key, first, count, n))
    np.testing.assert_array_equal(shuffle(many).permutation(random.fold_in(key, first), n), found[0])


@settings(deadline=None, max_examples=100)  # timing on shared machines says nothing
@given(KEYS, st.integers(0, 1000))
def test_words_are_those_of_the_cipher(key, n):
    key = np.array(key, np.uint32)
    np.testing.assert_array_equal(shuffle(MANY).words(key, n), words_of(key, n))


def test_draws_are_the_same_with_machine_code_and_without(monkeypatch):
    drawn = []
    for native in (None, shuffle(MANY)):
        monkeypatch.setattr(random._NATIVE, "_shuffle", native)
        draws = [
            random.bits(random.key(3), (5, 7)),
            random.bits(random.key(3), ()),
            random.bits(random.key(3), (0,)),
        ]
        drawn.append(
            [*draws, *(random.normal(random.key(4), (9,), kind) for kind in (np.float32, np.float64))]
        )
    for one, other in zip(*drawn, strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


@pytest.mark.parametrize("without", LEVELS)
def test_every_width_of_vectors_gives_the_same(without):
    key = random.key(5)
    for n in (*range(1, 150), 2_047, 2_048, 2_049):
        found = shuffle(without=without).permutations(key, 7, 2, n)
        np.testing.assert_array_equal(found, expected(key, 7, 2, n))


@pytest.mark.parametrize("n", [65_536, 100_003, 1_000_000])
def test_large_permutations(n):
    np.testing.assert_array_equal(
        shuffle().permutations(random.key(1), 3, 1, n), expected(random.key(1), 3, 1, n)
    )


@pytest.mark.parametrize("many", [MANY, FEW])
def test_nothing_is_written_beside_the_order_and_the_scratch_memory(many):
    for n in (*range(130), 1_001):
        fences = Fences(odd=4)
        row, key = fences.room(4 * n).view(np.int32), random.key(n)
        room = fences.room(_scratch(n).nbytes, aligned=True)
        shuffle(many)._permute(key.ctypes.data, n, row.ctypes.data, room.ctypes.data)
        assert fences.broken() == 0
        np.testing.assert_array_equal(row, shuffle(many).permutation(key, n))


def test_orders_of_many_numbers_take_several_calls(monkeypatch):
    monkeypatch.setattr("minicolumn.lower.llvm.codegen.shuffle._MOST_NUMBERS", 250)
    np.testing.assert_array_equal(
        shuffle().permutations(random.key(2), 0, 7, 100), expected(random.key(2), 0, 7, 100)
    )


@settings(deadline=None, max_examples=300)
@given(st.data(), st.sampled_from([MANY, FEW]))
def test_words_that_agree_keep_their_order(data, many):
    # Words agree everywhere, in their leading bits, or nowhere; in either direction.
    pool = data.draw(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=8))
    shift = data.draw(st.sampled_from([0, 10, 21, 31]))
    n = data.draw(st.integers(0, 400))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    low = rng.integers(0, 1 << shift, n, np.uint64)
    words = (np.array(pool, np.uint64)[rng.integers(0, len(pool), n)] >> shift << shift | low).astype(
        np.uint32
    )
    if data.draw(st.booleans()):
        words = np.sort(words)[::-1].copy()
    before = words.copy()
    np.testing.assert_array_equal(shuffle(many).argsort(words), np.argsort(words, kind="stable"))
    np.testing.assert_array_equal(words, before)


def test_threads_shuffle_at_once():
    found: dict[int, np.ndarray] = {}

    def work(number):
        found[number] = np.concatenate(
            [shuffle().permutations(random.key(number), k, 3, 999) for k in range(50)]
        )

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, orders in found.items():
        once = [expected(random.key(number), k, 3, 999) for k in range(50)]
        np.testing.assert_array_equal(orders, np.concatenate(once))
    assert len(found) == 4


FORKED = """
import os, sys
import numpy as np
import minicolumn.lower.native
from minicolumn import random

key = random.key(3)
order = random.permutation(key, 100_000)
assert random._NATIVE._shuffle is not None
child = os.fork()
if not child:
    os._exit(not np.array_equal(random.permutation(key, 100_000), order))
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""

# Few numbers load nothing; many do, and give the same.
LATER = """
import sys
import numpy as np
from minicolumn import random

key = random.key(3)
first = random.permutations(key, 0, 4, 1000)
assert random._NATIVE._shuffle is None
assert "llvmlite" not in sys.modules and "minicolumn.lower.llvm.runtime.jit" not in sys.modules
for _ in range(400):
    assert np.array_equal(random.permutations(key, 0, 4, 1000), first)
assert random._NATIVE._shuffle is not None
"""


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(FORKED, marks=pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")),
        LATER,
    ],
    ids=["a forked process", "loading"],
)
def test_in_a_process_of_its_own(code):
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_native_code_numpy_shuffles(monkeypatch):
    monkeypatch.setattr(random, "_NATIVE", random._Native())
    monkeypatch.setattr(jit, "available", lambda: False)
    key = random.key(4)
    found = random.permutations(key, 0, 2, 1 << 20)
    assert random._NATIVE._shuffle is None
    np.testing.assert_array_equal(found, shuffle().permutations(key, 0, 2, 1 << 20))


def test_public_functions_take_the_keys_that_they_took(monkeypatch):
    native = random._Native()
    monkeypatch.setattr(native, "_shuffle", shuffle())
    monkeypatch.setattr(random, "_NATIVE", native)
    key = random.key(2**40 + 7)
    spread = np.repeat(key, 2)[::2]
    for same in (key, spread, key.astype(np.uint32).view()):
        alone = np.argsort(random.bits(key, (77,)), kind="stable")
        np.testing.assert_array_equal(random.permutation(same, 77), alone)
        np.testing.assert_array_equal(random.permutations(same, 1, 2, 77), expected(key, 1, 2, 77))
    assert random.permutation(key, 0).shape == (0,)
    assert random.permutations(key, 0, 0, 5).shape == (0, 5)
