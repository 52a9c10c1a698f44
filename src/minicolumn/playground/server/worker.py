"""The thread that a page's session lives in: messages in by a queue, frames out as bytes.

A session is touched by its own thread alone. Between two looks at the messages the rooms that run go on for a
thirtieth of a second; while the page has two ticks that it has not seen, or takes nothing from its socket,
they go on without being asked for ticks.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from minicolumn.errors import DataError
from minicolumn.playground.frames import Frame, encoded
from minicolumn.playground.lines import line
from minicolumn.playground.room import Session, failure
from minicolumn.playground.server.limits import Limits

_log = logging.getLogger("minicolumn.playground")
OVERHEAD = 512  # bytes that a message takes up besides its text, about
_SHORT = 0.6  # of a slice: work that took less was waiting for its time, such as a slow run


class Worker:
    """A session in a thread of its own.

    make        makes the session, in the thread
    deliver     is given each frame's bytes, in the thread; RuntimeError where nobody takes them any more
    ended       is called when the thread has ended, in the thread
    """

    def __init__(
        self,
        make: Callable[[], Session],
        deliver: Callable[[bytes], None],
        ended: Callable[[], None],
        limits: Limits,
    ) -> None:
        self._make, self._deliver, self._ended, self._limits = make, deliver, ended, limits
        self._changed = threading.Condition()
        self._waiting: deque[str] = deque()
        self._waiting_bytes = self._unsent = self._ticks = 0
        self._closed = False
        self._unseen: list[tuple[str, int]] = []  # ticks under way: room and number, oldest first
        self._thread = threading.Thread(target=self._run, name="playground session", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def offer(self, text: str) -> bool:
        """Give the session a message; False where too many wait already."""
        size = len(text) + OVERHEAD
        with self._changed:
            if self._waiting_bytes + size > self._limits.waiting_bytes:
                return False
            self._waiting.append(text)
            self._waiting_bytes += size
            self._changed.notify()
        return True

    def give(self, frames: Iterable[Frame]) -> None:
        """Deliver frames to the page."""
        for frame in map(self._numbered, frames):
            try:
                data = encoded(frame)
            except Exception as error:  # a room said what no frame can hold
                data = encoded(failure(frame.room, error, frame.kind))
            else:
                if frame.kind == "tick":
                    self._unseen.append((frame.room, frame.says["tick"]))
            with self._changed:
                self._unsent += len(data)
            self._deliver(data)

    def _numbered(self, frame: Frame) -> Frame:
        """Return a tick with a number that the page can answer, where its room gave it none."""
        if frame.kind != "tick" or isinstance(frame.says.get("tick"), int):
            return frame
        self._ticks += 1
        return Frame(frame.room, frame.kind, {**frame.says, "tick": self._ticks}, frame.arrays)

    def sent(self, size: int) -> None:
        """Say that a frame of so many bytes has gone."""
        with self._changed:
            self._unsent -= size
            self._changed.notify()

    @property
    def crowded(self) -> bool:
        """Whether the page leaves too much of what it is sent."""
        return self._unsent >= self._limits.unsent_bytes

    def close(self) -> None:
        """End the thread, as soon as what it does is done."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify()

    def join(self, seconds: float) -> bool:
        """Wait for the thread's end, for so long at most, and return whether it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._live(self._make())
        except Exception as error:
            if not (self._closed and isinstance(error, RuntimeError)):  # which says that nobody takes frames
                _log.error("a session of the playground ended", exc_info=error)
        finally:
            self._ended()

    def _live(self, session: Session) -> None:
        due = time.monotonic()
        while self._next_is(due if session.running else None):
            self._answer(session)
            start = time.monotonic()
            if session.running and start >= due and not self._closed:
                self.give(session.work(self._limits.slice, self._may_draw()))
                took = time.monotonic() - start
                due = start + (self._limits.slice if took < _SHORT * self._limits.slice else took)

    def _next_is(self, due: float | None) -> bool:
        """Wait until there is a message to take, or work is due; False once closed."""
        with self._changed:
            while not self._closed and (self.crowded or not self._waiting):
                left = None if due is None else due - time.monotonic()
                if left is not None and left <= 0:
                    break
                self._changed.wait(left)
            return not self._closed

    def _answer(self, session: Session) -> None:
        """Answer messages that wait, for a slice of time at most."""
        until = time.monotonic() + self._limits.slice
        while (text := self._taken()) is not None:
            try:
                message = parsed(text)
            except DataError as error:
                self.give([failure("", error, "")])
                continue
            if isinstance(message, dict) and message.get("do") == "seen":
                self._see(message)
            else:
                self.give(session.receive(message))
            if time.monotonic() >= until:
                return

    def _taken(self) -> str | None:
        with self._changed:
            if self._closed or self.crowded or not self._waiting:
                return None
            text = self._waiting.popleft()
            self._waiting_bytes -= len(text) + OVERHEAD
            return text

    def _see(self, message: dict[str, Any]) -> None:
        """Note that the page has drawn a tick, and so all that were sent before it."""
        number, room = message.get("tick"), message.get("room")
        for place, (name, tick) in reversed(list(enumerate(self._unseen))):
            if tick == number and room in (None, name):
                del self._unseen[: place + 1]
                return

    def _may_draw(self) -> bool:
        return len(self._unseen) < self._limits.ticks and not self.crowded


def parsed(text: str) -> Any:
    """Return what a message says.

    Errors      DataError for what is no JSON

    >>> parsed('{"do": "hello"}')
    {'do': 'hello'}
    """
    try:
        return json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, json.JSONDecodeError) else "too deep, or too long a number"
        raise DataError(line("noJson", reason=reason)) from None


def _refused(word: str) -> Any:
    raise json.JSONDecodeError(f"{word} is no number of JSON", "", 0)
