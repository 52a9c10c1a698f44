"""The pages of trainings shown live and of models that are told, in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from gestures import becomes, shown

import minicolumn as mc
from minicolumn.playground.board import Board, WatchedRun
from minicolumn.playground.recorder import Recorder
from minicolumn.playground.room import Session
from minicolumn.playground.rooms.monitor import MonitorRoom
from minicolumn.playground.server.serving import PlaygroundServer

Visit = Callable[..., Any]
X = np.random.default_rng(0).standard_normal((90, 2)).astype(np.float32)
NET = mc.nn.Sequential(mc.nn.Dense(5, activation="tanh"), mc.nn.Dense(2))


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def playground(board: Board) -> Iterator[PlaygroundServer]:
    """A server of this room alone."""
    server = PlaygroundServer(lambda: Session({"monitor": lambda: MonitorRoom(board)}), port=0)
    server.start()
    yield server
    server.stop()


class Watching(mc.Callback):
    """Shows a training on a board whose clock makes each epoch last a second."""

    def __init__(self, board: Board, number: int) -> None:
        self.board, self.number, self.now = board, number, 0.0

    def on_start(self, trainer: mc.Trainer) -> None:
        self.recorder = Recorder(
            trainer, self.number, self.board.put, clock=lambda: self.now, classes=("below", "above")
        )

    def on_epoch(self, trainer: mc.Trainer, row: Any) -> None:
        self.now += 1.0
        self.recorder.note_epoch(row)
        self.recorder.show(trainer)

    def on_end(self, trainer: mc.Trainer) -> None:
        self.recorder.end(trainer)


def _train(board: Board, number: int, epochs: int) -> mc.train.Run:
    return mc.fit(
        NET, X, (X[:, 0] > 0).astype(int), epochs=epochs, validation_fraction=0.2, metrics="accuracy",
        callbacks=[Watching(board, number)],
    )  # fmt: skip


def test_a_training_is_followed_and_others_can_be_chosen(visit: Visit, board: Board) -> None:
    page = visit("monitor")
    page.get_by_text("Nothing is being trained yet").wait_for()
    shown(page.locator("nav.rooms li")).to_have_text(["Training"], use_inner_text=True)
    run = _train(board, 1, 8)
    page.locator(".epoch-now b", has_text="8").wait_for()
    page.locator(".pill.ended", has_text="done: all epochs").wait_for()
    held = f"held-out rows {run.history['val_loss'][-1]:.4g}"
    shown(page.locator(".wide .legend")).to_contain_text(held, use_inner_text=True)
    cells = page.locator(".matrix td:not(.corner)")
    becomes(page, lambda: sum(map(int, cells.all_inner_texts())), 18)
    shown(page.locator(".matrix th")).to_have_text(["below", "above"] * 2, use_inner_text=True)
    shown(page.locator(".chart canvas")).to_have_count(5)
    page.get_by_role("switch", name="Log scale").first.press("Enter")
    page.locator(".wide [aria-checked=true]").wait_for()
    _train(board, 2, 3)
    page.locator(".epoch-now b", has_text="3").wait_for()
    page.get_by_label("Training", exact=True).first.select_option(label="Training 1 · done: all epochs")
    page.locator(".epoch-now b", has_text="8").wait_for()
    page.get_by_role("button", name="한국어").click()
    page.locator(".pill", has_text="완료: 모든 에포크").wait_for()


def test_odd_numbers_are_drawn_on_a_narrow_page(visit: Visit, board: Board) -> None:
    rows = tuple({"epoch": e, "loss": loss} for e, loss in enumerate([1e-11, None, 3e8, float("inf"), 0.0]))
    about = {
        "name": "", "layers": [], "normed": ["0"], "rows": {"train": 3, "held": 0}, "epochs": 5, "steps": 4,
        "parameters": 1, "loss": "own", "optimizer": "sgd", "batch_size": 1,
    }  # fmt: skip
    norms = ((5.0, 1e-30), (5.0, 2e-30))
    board.put(WatchedRun(number=1, about=about, rows=rows, gradient_norms=norms, weight_norms=norms, done=4))
    page = visit("monitor", width=390, height=844, locale="ko-KR")
    page.locator(".epoch-now").wait_for()
    page.get_by_role("switch").first.click()
    page.locator(".wide canvas").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    lines = page.evaluate("""async () => {
        const { logLines } = await import('/kit/curve.js');
        return [[0.0227, 0.9], [1e-11, 3e8], [0.3, 0.4], [0, 1], [1, 1]].map(([a, b]) => logLines(a, b));
    }""")
    assert lines[0] == [0.05, 0.1, 0.2, 0.5]
    assert lines[1][:2] == [1e-11, 1e-9]
    assert len(lines[1]) < 13
    assert lines[2:] == [[], [], []]
