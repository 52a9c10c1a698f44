"""Trainings shown live: what is put on the board, what the room tells, and that no training is harmed."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from joblib import Parallel, delayed
from page_samples import page

import minicolumn as mc
from minicolumn.errors import DataError
from minicolumn.playground import monitoring
from minicolumn.playground.board import MOST_RUNS, Board, WatchedRun
from minicolumn.playground.monitoring import Hub
from minicolumn.playground.recorder import Recorder
from minicolumn.playground.rooms.monitor import MonitorRoom
from minicolumn.train.backward import backward_pass, norm

RNG = np.random.default_rng(0)
X = RNG.standard_normal((120, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
NET = mc.nn.Sequential(mc.nn.Dense(6, activation="tanh"), mc.nn.Dropout(0.1), mc.nn.Dense(3))
SAID = {"epochs": 12, "validation_fraction": 0.25, "metrics": ["accuracy"]}


class Shown(Hub):
    """A hub whose lines are kept."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        super().__init__(self.lines.append)

    @property
    def last(self) -> WatchedRun:
        return self.board.runs[-1]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capfd: Any) -> Iterator[Shown]:
    """A process in which nothing was trained yet, without a display."""
    hub = Shown()
    monkeypatch.setattr(monitoring, "_hub", hub)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    yield hub
    if hub.server is not None:
        hub.server.stop()


class Clock:
    """A clock that goes on by as much each time it is looked at."""

    def __init__(self, seconds: float) -> None:
        self.now, self.seconds = 0.0, seconds

    def __call__(self) -> float:
        self.now += self.seconds
        return self.now


def test_the_end_of_a_training_is_on_the_board_and_its_bits_are_the_same(shown: Shown) -> None:
    run, alone = mc.fit(NET, X, Y, monitor=True, **SAID), mc.fit(NET, X, Y, **SAID)
    for one, other in zip(_leaves(run.params), _leaves(alone.params), strict=True):
        assert np.array_equal(one, other)
    seen = shown.last
    assert (seen.epoch, seen.stopped, seen.about["epochs"]) == (12, "all epochs", 12)
    assert [row["loss"] for row in seen.rows] == run.history["loss"].tolist()
    assert seen.about["rows"] == {"train": 90, "held": 30}
    assert [layer["kind"] for layer in seen.about["layers"]] == ["Dense", "Dropout", "Dense"]
    assert seen.about["normed"] == ["0", "2"]
    at, *norms = seen.weight_norms[-1]
    assert (at, norms) == (12, [norm(run.params["0"]), norm(run.params["2"])])
    assert seen.confusion is not None
    assert seen.confusion.sum() == 30
    assert seen.confusion.trace() / 30 == pytest.approx(run.history["val_accuracy"][-1])  # a float32 mean
    line, hint = shown.lines
    assert line.startswith("the training is shown at http://127.0.0.1:")
    assert "no display" in hint


@pytest.mark.parametrize(
    ("said", "told"), [(("low", "middle", "high"), True), (("a", "b"), False), (None, False)]
)
def test_classes_are_named_where_their_names_are_known(shown: Shown, said: Any, told: bool) -> None:
    mc.fit(NET, X, Y, callbacks=[mc.Monitor(browser=False, classes=said)], **SAID)
    assert shown.last.about["classes"] == (list(said) if told else [])


def test_the_classes_of_a_table_are_named(shown: Shown) -> None:
    run = mc.fit_table("penguins", epochs=2, hidden=(8,), monitor=True)
    assert shown.last.about["classes"] == list(run.model.classes or ())
    assert "Adelie" in shown.last.about["classes"][0]


def test_a_long_training_tells_of_batches_and_gradients_and_a_short_epoch_of_none() -> None:
    trainer = mc.Trainer(NET, X, Y, **SAID)
    put: list[WatchedRun] = []
    recorder = Recorder(trainer, 1, put.append, clock=Clock(0.4))
    for epoch in range(1, 1201):
        recorder.note_epoch({"epoch": epoch, "loss": 1 / epoch})
    recorder.note_batch(0.5, 0.7)
    assert recorder.is_due
    for _ in range(3):
        recorder.show(trainer)
    last = put[-1]
    assert len(last.rows) <= 501
    assert (last.rows[0]["epoch"], last.rows[-1]["epoch"]) == (1, 1200)
    assert last.within == ((0.5, 0.7),)
    rows = trainer.train_rows.take(slice(0, 32))
    exact = backward_pass(NET, trainer.settings, trainer.params, rows).layers
    # float32, and native code adds in another order than NumPy.
    assert last.gradient_norms[-1][1:] == pytest.approx(
        [exact[0].gradient_norm, exact[2].gradient_norm], 1e-4
    )
    recorder.end(trainer)
    assert put[-1].stopped == "stopped"  # nobody said why


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")  # two epochs are enough here
def test_everything_that_trains_takes_it(shown: Shown) -> None:
    mc.Trainer(NET, X, Y, monitor=True, epochs=2, callbacks="monitor").run()
    mc.fit_table("penguins", epochs=1, hidden=(4,), monitor=True)
    mc.MLPClassifier((4,), max_iter=2, callbacks=["monitor:name=by name"]).fit(X, Y)
    mc.MLPRegressor(hidden_layer_sizes=(4,), max_iter=2, callbacks=mc.Monitor(browser=False)).fit(X, X[:, 0])
    mc.fit(NET, X, Y, loss=lambda out, y, w: np.mean((out[:, 0] - y) ** 2), epochs=2, monitor=True)
    assert [run.about["name"] for run in shown.board.runs] == ["", "", "by name", "", ""]
    assert [run.confusion is not None for run in shown.board.runs] == [True, True, True, False, False]
    assert sum("is shown at" in line for line in shown.lines) == 1
    assert not any("not shown" in line for line in shown.lines)


def test_what_is_wrongly_said_is_refused() -> None:
    with pytest.raises(DataError, match="monitor must be True or False, got 'val_loss'"):
        mc.fit(NET, X, Y, monitor="val_loss")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="did you mean 'monitor'"):
        mc.fit(NET, X, Y, callbacks="moniter")
    with pytest.raises(DataError, match=r"Monitor: port: expected an integer.* got 0$"):
        mc.fit(NET, X, Y, callbacks="monitor:port=0")


def test_a_port_in_use_is_said_once_and_the_training_goes_on(shown: Shown, capfd: Any) -> None:
    shown._say = monitoring._say
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = mc.Monitor(port=taken.getsockname()[1])
        for _ in range(2):
            assert mc.fit(NET, X, Y, epochs=2, callbacks=[busy]).stopped == "all epochs"
    said = capfd.readouterr().err.splitlines()
    assert [("is in use" in line, "it goes on" in line) for line in said] == [(True, True)]
    assert shown.board.runs == ()


def test_a_fault_of_the_recorder_ends_the_showing_alone(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recorder, "end", lambda *_: 1 / 0)
    assert mc.fit(NET, X, Y, epochs=2, monitor=True).stopped == "all epochs"
    assert shown.lines[-1] == "the training is not shown: ZeroDivisionError: division by zero; it goes on"


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_training_is_told_as_such(shown: Shown, error: type[BaseException]) -> None:
    class Cut(mc.Callback):
        def on_epoch(self, trainer: mc.Trainer, row: Any) -> None:
            if row["epoch"] == 3:
                raise error("own")

    raising = pytest.raises(RuntimeError, match="own") if error is RuntimeError else nullcontext()
    with raising:
        mc.fit(NET, X, Y, epochs=9, callbacks=[Cut()], monitor=True)
    assert (shown.last.epoch, shown.last.stopped) == (
        3, "interrupted" if error is KeyboardInterrupt else "stopped",
    )  # fmt: skip


def test_a_checkpoint_does_not_hold_it(shown: Shown, tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    mc.fit(NET, X, Y, epochs=2, monitor=True, callbacks=["early_stopping:monitor=loss", mc.Checkpoint(path)])
    [kept] = mc.Trainer.resume(path, X, Y).callbacks
    assert isinstance(kept, mc.EarlyStopping)


def test_a_page_sees_it_over_its_socket(shown: Shown) -> None:
    mc.fit(NET, X, Y, monitor=True, **SAID)
    assert shown.server is not None
    with page(shown.server) as opened:
        assert opened.ask("hello", None).says["rooms"] == ["monitor"]
        assert opened.ask("open", "monitor").kind == "state"
        tick = opened.hear()
        assert (tick.kind, tick.says["epoch"], tick.says["running"]) == ("tick", 12, False)
        assert tick.arrays["curve"].shape == (12, len(tick.says["columns"]))
        mc.fit(NET, X, Y, epochs=3, monitor=True)
        assert opened.hear().says["runs"][-1]["number"] == 2  # it follows the newest by itself


def _lines_of_a_child(number: int) -> list[str]:
    """Train twice, shown, in another process, and return what was said there."""
    lines: list[str] = []
    monitoring._hub._say = lines.append
    for _ in range(2):
        mc.fit(NET, X, Y, epochs=2, monitor=True)
    return lines + [f"served by {number}"] * (monitoring._hub.server is not None)


REFUSED = ["the training is not shown: a child process serves no page; it goes on"]


def test_a_child_process_serves_no_page() -> None:
    assert Parallel(2, backend="loky")(delayed(_lines_of_a_child)(n) for n in range(1)) == [REFUSED]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # newer Pythons warn where threads run
def test_a_forked_process_serves_no_page_though_its_parent_does(shown: Shown) -> None:
    mc.fit(NET, X, Y, epochs=1, monitor=True)
    said = len(shown.lines)
    with shown._starting:  # as if another thread were at it in this moment
        child = os.fork()
        if child == 0:
            good = _lines_of_a_child(0)[:1] == REFUSED and len(shown.board.runs) == 1
            os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(shown.lines) == said


# The room ---------------------------------------------------------------------------------------


def _run(number: int, **more: Any) -> WatchedRun:
    about = {"name": f"n{number}", "layers": [], "normed": []}
    return WatchedRun(number=number, about=about, **more)


def test_the_room_tells_what_is_new_and_nothing_twice() -> None:
    board = Board()
    room = MonitorRoom(board)
    [state] = room.receive("open", {})
    assert (state.says["shown"], state.says["runs"], room.running) == (None, [], True)
    assert room.work(0.03) == []
    board.put(_run(1, epoch=1, rows=({"epoch": 1, "loss": 0.5, "own": "text", "f1": None},)))
    assert room.work(0.03, draw=False) == []
    state, tick = room.work(0.03)
    assert (state.says["shown"], tick.says["columns"]) == (1, ["epoch", "loss", "own", "f1"])
    assert np.array_equal(tick.arrays["curve"], [[1, 0.5, np.nan, np.nan]], equal_nan=True)
    assert room.work(0.03) == []
    board.put(_run(1, epoch=2))
    [tick] = room.work(0.03)
    assert (tick.kind, tick.says["epoch"], tick.says["tick"]) == ("tick", 2, 2)


def test_a_chosen_training_stays_until_it_is_gone() -> None:
    board = Board()
    room = MonitorRoom(board)
    for number in (1, 2):
        board.put(_run(number))
    assert room.receive("open", {"run": 1})[0].says["shown"] == 1
    board.put(_run(3))
    [state] = room.work(0.03)  # another is listed, the same is shown
    assert (state.says["shown"], len(state.says["runs"]), state.says["following"]) == (1, 3, False)
    for number in range(4, MOST_RUNS + 3):
        board.put(_run(number))
    assert room.work(0.03)[0].says["shown"] == MOST_RUNS + 2
    with pytest.raises(DataError, match="training 1 is not there any more"):
        room.receive("open", {"run": 1})


def _leaves(params: Any) -> list[Any]:
    return [part for layer in params.values() for part in layer.values()]
