"""Trainings side by side: the runs that each would be by itself, whatever ends first."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.train.callbacks import Callback
from minicolumn.train.side_by_side import Progress, run_side_by_side

X = np.linspace(-1.0, 1.0, 60).reshape(30, 2)
Y = X[:, :1] * X[:, 1:]
NET = mc.nn.Sequential(mc.nn.Dense(4, "tanh"), mc.nn.Dense(1))


class Waiting(Callback):
    """Ends an epoch only when it may."""

    def __init__(self, may: threading.Event, begun: threading.Event) -> None:
        self.may, self.begun = may, begun

    def on_epoch(self, trainer: mc.Trainer, row: Any) -> None:
        self.begun.set()
        assert self.may.wait(60)


def maker(seed: int, *own: Callback, **said: Any) -> Any:
    settings = {
        "loss": "squared_error",
        "optimizer": "adam",
        "epochs": 5,
        "batch_size": 8,
        "threads": 1,
        **said,
    }

    def make(callbacks: Sequence[Callback]) -> mc.Trainer:
        return mc.Trainer(NET, X, Y, seed=seed, callbacks=[*own, *callbacks], **settings)

    return make


def test_the_bits_depend_on_nothing_but_the_training(same_bits):
    alone = [maker(seed)([]).run() for seed in range(5)]
    for threads in (1, 2, 5):
        for one, other in zip(alone, run_side_by_side([maker(s) for s in range(5)], threads), strict=True):
            assert isinstance(other, mc.train.Run)
            same_bits(one.params, other.params)


def test_one_that_diverges_is_told_and_the_others_go_on():
    wild = maker(1, optimizer=mc.optim.SGD(1e30))
    first, second, third = run_side_by_side([maker(0), wild, maker(2)], 2)
    assert isinstance(second, mc.DivergenceError)
    assert isinstance(first, mc.train.Run)
    assert isinstance(third, mc.train.Run)


def test_what_a_maker_raises_comes_out_and_the_others_end_first():
    may, begun = threading.Event(), threading.Event()

    def broken(callbacks: Any) -> Any:
        assert begun.wait(60)
        may.set()
        raise mc.DataError("no such rows")

    with pytest.raises(mc.DataError, match="no such rows"):
        run_side_by_side([maker(0, Waiting(may, begun), epochs=10_000), broken], 2)
    assert threading.active_count() == 1 or not any("training" in t.name for t in threading.enumerate())


def test_an_interrupt_ends_those_that_run_and_no_other_begins():
    may, begun = threading.Event(), threading.Event()
    makers = [maker(n, Waiting(may, begun), epochs=10_000) for n in range(3)]
    seen: list[Progress] = []

    def watch(progress: Progress) -> None:
        if not seen:
            assert begun.wait(60)
            seen.append(progress)
            threading.Timer(0.1, may.set).start()
            raise KeyboardInterrupt

    first, second, third = run_side_by_side(makers, 1, watch=watch)
    assert isinstance(first, mc.train.Run)
    assert first.stopped == "interrupted"
    assert 1 <= len(first.history) < 10_000
    assert (second, third) == (None, None)


def test_how_far_they_are_is_told_while_they_run():
    shares: list[float] = []
    run_side_by_side(
        [maker(n, epochs=40) for n in range(2)], 1, watch=lambda progress: shares.append(progress.share)
    )
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert Progress.of_none(0).share == 0.0


def test_none_begins_that_may_not():
    answers = iter([True, False, True])
    endings = run_side_by_side([maker(n) for n in range(4)], 1, may_begin=lambda: next(answers))
    assert [ending is not None for ending in endings] == [True, True, False, True]


def test_no_thread_is_left():
    before = threading.active_count()
    run_side_by_side([maker(0), maker(1)], 2)
    until = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() <= before
