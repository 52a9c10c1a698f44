"""The same bits wherever a training runs: in threads, in other processes, after a fork, on any cores."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from joblib import Parallel, delayed

import minicolumn as mc

RNG = np.random.default_rng(0)
X = RNG.standard_normal((600, 20)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64)


def _weights(threads: int | None = None) -> bytes:
    """Train a network whose products are large enough to be shared out, and return its weights' bits."""
    net = mc.nn.Sequential(mc.nn.Dense(96, "relu"), mc.nn.Dense(96, "relu"), mc.nn.Dense(2))
    run = mc.fit(net, X, Y, epochs=2, batch_size=200, threads=threads)
    return b"".join(leaf.tobytes() for layer in run.params.values() for leaf in layer.values())


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_changes_no_bit(threads: int) -> None:
    assert _weights(threads) == _weights()


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_trainings_side_by_side_give_the_same_bits(backend: Any) -> None:
    expected = _weights()
    assert all(
        found == expected for found in Parallel(2, backend=backend)(delayed(_weights)() for _ in range(3))
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # newer Pythons warn where threads run
def test_a_forked_child_trains_with_threads_of_its_own() -> None:
    expected = _weights()
    child = os.fork()
    if child == 0:
        os._exit(0 if _weights() == expected else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
