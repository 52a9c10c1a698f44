"""`Monitor`: a callback that shows a training live in a browser.

    training -> Recorder -> Board <- MonitorRoom <- page

One server a process serves all its trainings, in threads of its own, until the process ends. What goes wrong
with it is said in one line, and the training goes on.
"""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar
from weakref import WeakKeyDictionary

from minicolumn.errors import MinicolumnError
from minicolumn.playground.board import Board
from minicolumn.playground.browser import open_browser
from minicolumn.playground.recorder import Recorder
from minicolumn.playground.room import Session
from minicolumn.playground.rooms.monitor import MonitorRoom
from minicolumn.registry import Boolean, Integer, Listed, Text
from minicolumn.train import Callback, Trainer
from minicolumn.train.history import Row

if TYPE_CHECKING:
    from minicolumn.playground.server.serving import PlaygroundServer

_log = logging.getLogger("minicolumn.playground")


class Hub:
    """What shows the trainings of one process: a board, and the server that is started for the first of them.

    say     takes a line for the reader
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.board, self.process = Board(), os.getpid()
        self.server: PlaygroundServer | None = None
        self._say, self._starting = say, threading.Lock()
        self._count, self._was_tried = 0, False

    def session(self) -> Session:
        """Return the session of a page."""
        from minicolumn import __version__

        return Session({"monitor": lambda: MonitorRoom(self.board)}, {"version": __version__})

    def serve(self, port: int | None, browser: bool) -> int | None:
        """Return a number for a new training; start the server, and open a browser, for the first one.

        None where there is no server, which was said when it did not start.
        """
        with self._starting:
            if self.server is None and not self._was_tried:
                self._was_tried = True  # once: what fails then fails again
                self._start(port, browser)
            if self.server is None:
                return None
            self._count += 1
            return self._count

    def _start(self, port: int | None, browser: bool) -> None:
        from minicolumn.playground.server.serving import PlaygroundServer

        server = PlaygroundServer(self.session, port=port)
        server.start()
        self.server = server
        self._say(f"the training is shown at {server.address()}")
        if browser and multiprocessing.parent_process() is None:
            open_browser(server.address(once=True), self._say)


def _say(line: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


_hub = Hub(_say)
_recorders: WeakKeyDictionary[Trainer, Recorder] = WeakKeyDictionary()


def hub() -> Hub:
    """Return the hub of this process; a process that was forked has one of its own."""
    global _hub
    if _hub.process != os.getpid():
        _hub = Hub(_say)
    return _hub


@dataclass(frozen=True)
class Monitor(Callback):
    """Show a training live in a browser: curves, rates, norms of each layer, confusion matrix.

        mc.fit(net, X, y, monitor=True)     the same as callbacks=[mc.Monitor()], or callbacks="monitor"

    browser     whether to open a browser; the address is written to standard error in any case
    port        to serve at, on this machine alone; None takes a free one. The first training decides for all
    name        of the training, where a process has several
    classes     what the confusion matrix calls the classes, in the order of their codes; None numbers them

    One page shows all trainings of a process, and the last state of each for as long as the process lives.
    The training does not wait for it: it goes on, with the same bits, whether a page is open, closed or
    could not be served at all, which one line on standard error says.

    Differs     TensorBoard and Keras' callback for it write files, which another program reads; here nothing
                is written

    >>> import minicolumn as mc
    >>> mc.Monitor(browser=False, name="first")
    Monitor(browser=False, port=None, name='first', classes=None)
    """

    only_watches: ClassVar[bool] = True

    browser: Annotated[bool, Boolean(help="Whether to open a browser.")] = True
    port: Annotated[
        int | None, Integer(help="To serve at; None takes a free one.", ge=1, le=65_535, optional=True)
    ] = None
    name: Annotated[str | None, Text(help="Of the training.", longest=60)] = None
    classes: Annotated[
        tuple[str, ...] | None,
        Listed(
            help="Names of the classes.",
            of=Text(help="A name.", longest=1_000),
            words="names",
            longest=100_000,
        ),
    ] = None

    def on_start(self, trainer: Trainer) -> None:
        """Show the training, and start the server for the first one."""

        def begin() -> None:
            shown = hub()
            number = shown.serve(self.port, self.browser)
            if number is not None:
                _recorders[trainer] = Recorder(
                    trainer, number, shown.board.put, self.name or "", classes=self.classes or ()
                )

        self._watch(trainer, begin)

    def on_chunk(self, trainer: Trainer, done: int, loss: float) -> None:
        """Show where it stands, if it is time."""
        if done < trainer.steps and (recorder := _recorders.get(trainer)) is not None:
            recorder.note_batch(trainer.epoch + done / trainer.steps, loss)
            if recorder.is_due:
                self._watch(trainer, lambda: recorder.show(trainer))

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        """Note the epoch, and show where it stands, if it is time."""
        if (recorder := _recorders.get(trainer)) is not None:
            recorder.note_epoch(row)  # a microsecond: short epochs take but a few
            if recorder.is_due:
                self._watch(trainer, lambda: recorder.show(trainer))

    def on_end(self, trainer: Trainer) -> None:
        """Show how it ended; the page stays."""
        if (recorder := _recorders.get(trainer)) is not None:
            self._watch(trainer, lambda: recorder.end(trainer))

    def quiet_epochs(self, trainer: Trainer) -> float:
        """Return infinity: it only watches."""
        return math.inf

    def _watch(self, trainer: Trainer, look: Callable[[], None]) -> None:
        """Do what shows the training; where that fails it is not shown any more, and goes on."""
        try:
            look()
        except Exception as error:  # whatever it is, the training is worth more
            _recorders.pop(trainer, None)
            fault = "" if isinstance(error, MinicolumnError) else f"{type(error).__name__}: "
            line = " ".join(str(error).split())
            _say(f"the training is not shown: {fault}{line}; it goes on")
            _log.debug("the training is not shown", exc_info=error)
