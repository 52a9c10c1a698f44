"""The room `monitor`: trainings that run elsewhere in this process, shown live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from minicolumn.errors import DataError
from minicolumn.playground.board import Board, WatchedRun
from minicolumn.playground.frames import Frame
from minicolumn.playground.lines import line
from minicolumn.playground.room import Room
from minicolumn.registry import Integer, Record


@dataclass(frozen=True, kw_only=True)
class Shown(Record):
    """Which training is shown."""

    run: Annotated[int | None, Integer(help="Its number; None follows the newest.", ge=1, le=10**9)] = None


class MonitorRoom(Room):
    """Shows the trainings on a board; it computes nothing and changes nothing.

    A `state` has the list of trainings and what does not change of the one that is shown; a `tick` where
    that one stands: its figures, its curves, norms a layer, and the confusion matrix.

    board       where trainings put their snapshots
    """

    name = "monitor"
    verbs: ClassVar[Mapping[str, tuple[type[Record], str]]] = {"open": (Shown, "open")}

    def __init__(self, board: Board) -> None:
        self._board, self._chosen = board, 0  # 0 follows the newest
        self._told: WatchedRun | None = None
        self._listed: list[dict[str, Any]] = []
        self._is_open, self._ticks = False, 0

    def open(self, said: Shown) -> list[Frame]:
        """Show a training, or from now on the newest."""
        if said.run is not None and all(run.number != said.run for run in self._board.runs):
            raise DataError(line("runGone", number=said.run))
        self._chosen, self._is_open = said.run or 0, True
        return self._frames(fresh=True)

    @property
    def running(self) -> bool:
        """Whether there may be something new: always, once it was opened."""
        return self._is_open

    def work(self, seconds: float, draw: bool = True) -> list[Frame]:
        """Look whether something new is on the board."""
        return self._frames() if draw else []

    def _frames(self, fresh: bool = False) -> list[Frame]:
        runs = self._board.runs
        shown = _found(runs, self._chosen)
        listed = [_line(run) for run in runs]
        frames = []
        changed = self._told is None or shown is None or shown.number != self._told.number
        if fresh or listed != self._listed or (changed and shown is not self._told):
            about = {} if shown is None else dict(shown.about)
            says = {"runs": listed, "following": not self._chosen, "shown": shown and shown.number}
            frames.append(self.frame("state", {**says, "about": about}))
        if shown is not None and (fresh or shown is not self._told):
            self._ticks += 1
            frames.append(self._tick(shown))
        self._told, self._listed = shown, listed
        return frames

    def _tick(self, run: WatchedRun) -> Frame:
        names = list(dict.fromkeys(name for row in run.rows for name in row if name != "epoch"))
        says = {
            "tick": self._ticks, "number": run.number, "epoch": run.epoch, "step": run.step, "done": run.done,
            "seconds": run.seconds, "stopped": run.stopped, "running": run.stopped is None,
            "best_epoch": run.best_epoch, "columns": ["epoch", *names],
            "last": dict(run.rows[-1]) if run.rows else {},
        }  # fmt: skip
        table = [[_number(row.get(name)) for name in ("epoch", *names)] for row in run.rows]
        arrays = {
            "curve": np.array(table, np.float64).reshape(len(table), len(names) + 1),
            "within": np.array(run.within, np.float64).reshape(len(run.within), 2),
            "weights": _matrix(run.weight_norms), "gradients": _matrix(run.gradient_norms),
        }  # fmt: skip
        if run.confusion is not None:
            arrays["confusion"] = run.confusion.astype(np.int32)
        return self.frame("tick", says, **arrays)


def _found(runs: Sequence[WatchedRun], number: int) -> WatchedRun | None:
    """Return a training by its number; the newest for 0, and where it is gone."""
    chosen = [run for run in runs if run.number == number]
    return chosen[0] if chosen else (runs[-1] if runs else None)


def _line(run: WatchedRun) -> dict[str, Any]:
    return {"number": run.number, "name": run.about.get("name", ""), "stopped": run.stopped}


def _number(value: Any) -> float:
    """Return a figure of the history; of an own metric it may be anything."""
    return float(value) if isinstance(value, int | float | np.number) else np.nan


def _matrix(rows: Sequence[Sequence[float]]) -> np.ndarray:
    return np.array(rows, np.float64).reshape(len(rows), -1) if rows else np.zeros((0, 1))
