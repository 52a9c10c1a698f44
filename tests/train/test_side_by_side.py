"""Trainings in several threads of a process: each has the bits and the callbacks that it would have alone."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minicolumn as mc

TIMINGS = ("seconds", "steps_per_second")


class Diary(mc.Callback):
    """Writes down what it is told of epochs, and where; then does something."""

    def __init__(self, then: Callable[[int], None] = lambda epoch: None) -> None:
        self.told: list[Any] = []
        self.threads: set[int] = set()
        self._then = then

    def on_epoch(self, trainer: Any, row: Any, /) -> None:
        """Note the epoch's figures and the weights."""
        figures = {name: value for name, value in row.items() if name not in TIMINGS}
        self.told.append((figures, _bits(trainer.params)))
        self.threads.add(threading.get_ident())
        self._then(len(self.told))


def _bits(params: Any) -> list[bytes]:
    return [np.asarray(leaf).tobytes() for leaf in mc.tree.leaves(params)]


def _data(rows: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(rows)
    return rng.standard_normal((rows, 12)).astype(np.float32), rng.integers(0, 3, rows)


def _network(units: int) -> Any:
    return mc.nn.Sequential(mc.nn.Dense(units, "relu"), mc.nn.Dropout(0.2), mc.nn.Dense(3))


def _trainings(threads: int | None) -> list[Callable[[Diary], mc.Run]]:
    """Return trainings of one network and of others, some of which share their programs."""
    kinds = [(400, 64, 1), (400, 64, 2), (300, 16, 1), (900, 96, 3)]

    def training(rows: int, units: int, seed: int) -> Callable[[Diary], mc.Run]:
        X, y = _data(rows)
        return lambda diary: mc.fit(
            _network(units), X, y, seed=seed, epochs=6, batch_size=128, optimizer=mc.optim.Adam(0.01),
            validation_fraction=0.2, metrics=["accuracy"], callbacks=[diary], threads=threads,
        )  # fmt: skip

    return [training(*kind) for kind in kinds]


def test_trainings_that_share_four_cores() -> None:
    # Whatever this machine has: with four cores, trainings share them out and go back and forth.
    code = (
        "import os, sys, pytest\n"
        "os.cpu_count = lambda: 4\n"
        "os.sched_getaffinity = lambda process: {0, 1, 2, 3}\n"
        "sys.exit(pytest.main(['-p', 'no:cacheprovider', *sys.argv[1:]]))"
    )
    test = f"{__file__}::{test_trainings_in_threads_give_the_bits_of_each_alone.__name__}[None]"
    done = subprocess.run([sys.executable, "-c", code, test], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("threads", [None, 1, 3])
def test_trainings_in_threads_give_the_bits_of_each_alone(threads: int | None) -> None:
    trainings = _trainings(threads)
    alone = [Diary() for _ in trainings]
    expected = [train(diary) for train, diary in zip(trainings, alone, strict=True)]
    together, found, ready = (
        [Diary() for _ in trainings],
        dict[int, mc.Run](),
        threading.Barrier(len(trainings)),
    )

    def work(number: int) -> None:
        ready.wait()
        found[number] = trainings[number](together[number])

    workers = [threading.Thread(target=work, args=(number,)) for number in range(len(trainings))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for number, run in enumerate(expected):
        assert _bits(found[number].params) == _bits(run.params)
        assert together[number].told == alone[number].told
        assert len(together[number].told) == 6
        assert together[number].threads == {workers[number].ident}


@pytest.mark.skipif(not hasattr(signal, "raise_signal"), reason="needs signals")
def test_an_interrupt_ends_the_main_threads_training_alone() -> None:
    train, other = _trainings(None)[:2]
    expected = other(Diary())
    found: list[mc.Run] = []
    begun, interrupted = threading.Event(), threading.Event()

    def wait(epoch: int) -> None:
        begun.set()
        assert epoch != 3 or interrupted.wait(60)  # the other is still at it while this one is interrupted

    worker = threading.Thread(target=lambda: found.append(other(Diary(wait))))
    worker.start()
    assert begun.wait(60)
    handler = signal.getsignal(signal.SIGINT)
    run = train(Diary(lambda epoch: signal.raise_signal(signal.SIGINT) if epoch == 2 else None))
    interrupted.set()
    worker.join()
    assert (run.stopped, len(run.history)) == ("interrupted", 2)
    assert (found[0].stopped, len(found[0].history)) == ("all epochs", 6)
    assert _bits(found[0].params) == _bits(expected.params)
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_training_that_fails_leaves_the_other_alone() -> None:
    train, other = _trainings(None)[:2]
    expected, found = other(Diary()), []
    begun, failed = threading.Event(), threading.Event()

    def wait(epoch: int) -> None:
        begun.set()
        assert epoch != 3 or failed.wait(60)

    def fail(epoch: int) -> None:
        raise KeyError("a callback's own")

    worker = threading.Thread(target=lambda: found.append(other(Diary(wait))))
    worker.start()
    assert begun.wait(60)
    with pytest.raises(KeyError, match="own"):
        train(Diary(fail))
    failed.set()
    worker.join()
    assert _bits(found[0].params) == _bits(expected.params)
