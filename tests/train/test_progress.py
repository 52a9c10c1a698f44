"""The progress bar: what it says, how often, and that it says nothing where nobody looks."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import minicolumn as mc
from minicolumn.train.progress import ProgressBar


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _terminal(width: int = 100) -> Console:
    return Console(
        file=io.StringIO(),
        force_terminal=True,
        width=width,
        color_system=None,
        legacy_windows=False,
        _environ={},
    )


def _text(bar: ProgressBar, training: Any, done: int) -> list[str]:
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(bar.draw(training, done))
    return [line.strip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def _training() -> mc.Trainer:
    X = np.ones((500, 1), np.float32)
    return mc.Trainer(
        mc.nn.Dense(1), X, X, loss="squared_error", epochs=4, batch_size=10, validation_data=(X, X)
    )


def test_it_says_how_far_how_fast_and_how_good() -> None:
    clock, training = Clock(), _training()
    bar = ProgressBar(_terminal(), clock)
    bar.on_start(training)
    first = _text(bar, training, 0)
    assert first[0].startswith("epoch 1/4")
    assert first[0].endswith("preparing")
    clock.now += 2.0
    bar.on_chunk(training, 10, 0.75)
    first, second = _text(bar, training, 10)
    assert first.endswith("5.0 steps/s  0:38 left")  # 10 of 200 steps in 2 s
    assert second == "loss 0.7500"
    clock.now += 8.0
    for epoch, value in enumerate((0.4, 0.6), 1):
        training.add({"epoch": epoch, "loss": 0.5, "val_loss": value}, None)
        bar.on_epoch(training, training.history[-1])
    first, second = _text(bar, training, 0)
    assert first.startswith("epoch 3/4")
    assert first.endswith("10.0 steps/s  0:10 left")  # half of the way in 10 s
    assert second == "loss 0.5000   val_loss 0.6000   best 0.4000 in epoch 1"
    bar.on_end(training)


def test_the_best_is_that_of_the_figure_that_is_watched() -> None:
    training = _training()
    training.figures += ("val_accuracy",)
    training.keep_best("val_accuracy")
    for epoch, value in enumerate((0.5, 0.9, 0.7), 1):
        training.add({"epoch": epoch, "loss": 1.0, "val_loss": 1.0, "val_accuracy": value}, None)
    bar = ProgressBar(_terminal(), Clock())
    assert _text(bar, training, 0)[1].endswith("val_accuracy 0.7000   best 0.9000 in epoch 2")


def test_it_draws_at_most_ten_times_a_second() -> None:
    clock, training, console = Clock(), _training(), _terminal()
    bar = ProgressBar(console, clock)
    bar.on_start(training)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    drawn = 0
    for step in range(1, 1001):  # a thousand chunks in a second
        clock.now += 0.001
        bar.on_chunk(training, step % 50, 0.5)
        now = console.file.getvalue()  # type: ignore[attr-defined]
        drawn += now != shown
        shown = now
    assert 9 <= drawn <= 10
    bar.on_end(training)


def test_the_terminal_is_left_as_it_was() -> None:
    console, training = _terminal(), _training()
    bar = ProgressBar(console)
    bar.on_start(training)
    bar.on_end(training)
    bar.on_end(training)  # twice does no harm, nor does an end without a start
    ProgressBar(console).on_end(training)
    written = console.file.getvalue()  # type: ignore[attr-defined]
    assert "epoch 1/4" in written
    assert (
        written.count("\x1b[?25l") == written.count("\x1b[?25h") == 1
    )  # the cursor is hidden and shown again
    assert written.endswith("\x1b[2K")  # the lines are wiped


@pytest.mark.parametrize("console", [Console(file=io.StringIO()), Console(file=io.StringIO(), quiet=True)])
def test_it_is_silent_where_nobody_looks(console: Console, blobs: Any, net: Any) -> None:
    mc.fit(net, *blobs, epochs=2, callbacks=[ProgressBar(console, Clock())])
    assert console.file.getvalue() == ""  # type: ignore[attr-defined]


def test_fit_writes_a_line_an_epoch_to_a_log(
    blobs: Any, net: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run = mc.fit(net, *blobs, epochs=3, progress=True, validation_fraction=0.2)
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert [line.split()[1] for line in lines] == ["1/3", "2/3", "3/3"]
    for line, row in zip(lines, run.history, strict=True):
        assert f"loss {row['loss']:.4f}   val_loss {row['val_loss']:.4f}" in line
        assert line.endswith("steps/s")
    mc.fit(net, *blobs, epochs=3)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_keeps_the_last_state(blobs: Any, net: Any) -> None:
    console = _terminal()
    run = mc.fit(net, *blobs, epochs=3, callbacks=[ProgressBar(console, keep=True)])
    written = console.file.getvalue()  # type: ignore[attr-defined]
    last = written.rpartition("\x1b[2K")[2]  # what stands there after the last wiping
    assert "epoch 3/3" in last
    assert f"loss {run.history[-1]['loss']:.4f}" in last
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 1


def test_an_interrupted_training_takes_it_away(blobs: Any, net: Any, spy: Any, interrupt: Any) -> None:
    console = _terminal()
    run = mc.fit(net, *blobs, epochs=3, callbacks=[ProgressBar(console), spy({("epoch", 2): interrupt})])
    assert run.stopped == "interrupted"
    assert console.file.getvalue().endswith("\x1b[2K")  # type: ignore[attr-defined]
