"""`Monitor`: a callback that shows a training live in a browser.

    training -> Recorder -> Board <- MonitorRoom <- page

One server a process serves all its trainings, in threads of its own, until the process ends; a child process
has none. What goes wrong with it is said in one line, and the training goes on.
"""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar
from weakref import WeakKeyDictionary

from minicolumn.errors import MinicolumnError, one_line
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
    """What shows the trainings of a process: a board, their recorders, and the server that the first starts.

    say     takes a line for the reader

    A child process, forked or spawned, shows nothing: each would serve a page of its own, and of a search in
    parallel nobody could find the one that matters. A line says so, once in each.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.board = Board()
        self.server: PlaygroundServer | None = None
        self._say, self._process = say, os.getpid()
        self._recorders: WeakKeyDictionary[Trainer, Recorder] = WeakKeyDictionary()
        self._starting, self._was_tried = threading.Lock(), False
        self._count = 0
        self._refused_in = 0  # the child process that was told that it shows nothing

    def session(self) -> Session:
        """Return the session of a page."""
        from minicolumn import __version__

        return Session({"monitor": lambda: MonitorRoom(self.board)}, {"version": __version__})

    def begin(self, trainer: Trainer, said: Monitor) -> None:
        """Show a training from now on; start the server, and open a browser, for the first one."""
        with self._watching(trainer):
            number = self._number(said.port, said.browser)
            if number is not None:
                self._recorders[trainer] = Recorder(
                    trainer, number, self.board.put, said.name or "", classes=said.classes or ()
                )

    def recorder(self, trainer: Trainer) -> Recorder | None:
        """Return what records a training of this process; None for one that is not shown."""
        return self._recorders.get(trainer) if self._process == os.getpid() else None

    def show(self, trainer: Trainer, recorder: Recorder) -> None:
        """Show where a training stands, if it is time."""
        if recorder.is_due:
            with self._watching(trainer):
                recorder.show(trainer)

    def end(self, trainer: Trainer) -> None:
        """Show how a training ended."""
        if (recorder := self.recorder(trainer)) is not None:
            with self._watching(trainer):
                recorder.end(trainer)

    @contextmanager
    def _watching(self, trainer: Trainer) -> Iterator[None]:
        """Let what fails within end the showing alone: whatever it is, the training is worth more."""
        try:
            yield
        except Exception as error:
            self._recorders.pop(trainer, None)
            fault = "" if isinstance(error, MinicolumnError) else f"{type(error).__name__}: "
            self._say(f"the training is not shown: {fault}{one_line(error)}; it goes on")
            _log.debug("the training is not shown", exc_info=error)

    def _number(self, port: int | None, browser: bool) -> int | None:
        """Return a number for a new training; None where there is no server, which was said."""
        process = os.getpid()
        # Before the lock, which another thread may have held as this process was forked.
        if process != self._process or multiprocessing.parent_process() is not None:
            if self._refused_in != process:
                self._refused_in = process
                self._say("the training is not shown: a child process serves no page; it goes on")
            return None
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
        if browser:
            open_browser(server.address(once=True), self._say)


def _say(line: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


# One for the process, as its page and its port are: records of `Monitor` hold nothing, and may be copied.
_hub = Hub(_say)


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
    could not be served at all, which one line on standard error says. Of child processes, such as those of a
    search with `n_jobs=2`, nothing is shown; a line says that, too.

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
        _hub.begin(trainer, self)

    def on_chunk(self, trainer: Trainer, done: int, loss: float) -> None:
        """Show where it stands, if it is time."""
        if done < trainer.steps and (recorder := _hub.recorder(trainer)) is not None:
            recorder.note_batch(trainer.epoch + done / trainer.steps, loss)
            _hub.show(trainer, recorder)

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        """Note the epoch, and show where it stands, if it is time."""
        if (recorder := _hub.recorder(trainer)) is not None:
            recorder.note_epoch(row)  # a microsecond: short epochs take but a few
            _hub.show(trainer, recorder)

    def on_end(self, trainer: Trainer) -> None:
        """Show how it ended; the page stays."""
        _hub.end(trainer)

    def quiet_epochs(self, trainer: Trainer) -> float:
        """Return infinity: it only watches."""
        return math.inf
