"""A small room, a server on a free port, and a page without a browser, for tests and long scripts."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Annotated, Any, ClassVar

import numpy as np
from websockets.sync.client import ClientConnection, connect

from minicolumn.playground.frames import Frame, decoded
from minicolumn.playground.room import Nothing, Room, Session
from minicolumn.playground.server.assets import Asset
from minicolumn.playground.server.limits import Limits
from minicolumn.playground.server.serving import PlaygroundServer
from minicolumn.registry import Integer, Record

ASSETS = {"/": Asset("text/html; charset=utf-8", b"<p>"), "/app.js": Asset("text/javascript", b"1")}


@dataclass(frozen=True, kw_only=True)
class Sized(Record):
    """A message with a number."""

    n: Annotated[int, Integer(help="How many.", ge=0, le=2**31)] = 0


class CountingRoom(Room):
    """Counts while it runs, and can do everything that is hard on a server."""

    name = "counting"
    verbs: ClassVar[Mapping[str, tuple[type[Record], str]]] = {
        "open": (Sized, "open"),
        "run": (Sized, "run"),
        "unnumbered": (Nothing, "unnumbered"),
        "pause": (Nothing, "pause"),
        "big": (Sized, "big"),
        "sleep": (Sized, "sleep"),
        "fault": (Nothing, "fault"),
        "bad_frame": (Nothing, "bad_frame"),
        "fault_at_work": (Nothing, "fault_at_work"),
    }
    made: ClassVar[int] = 0  # big frames
    alive: ClassVar[int] = 0  # rooms whose thread has not let go of them
    asleep: ClassVar[threading.Event] = threading.Event()
    wake: ClassVar[threading.Event] = threading.Event()

    def __init__(self) -> None:
        self.count = self.until = self.ticks = 0
        self.failing = self.numberless = False
        type(self).alive += 1

    def __del__(self) -> None:
        type(self).alive -= 1

    def open(self, said: Sized) -> list[Frame]:
        self.count = said.n
        return [self.frame("state", {"count": self.count})]

    def run(self, said: Sized) -> list[Frame]:
        self.until = self.count + (said.n or 2**40)
        return []

    def unnumbered(self, said: Nothing) -> list[Frame]:
        self.numberless, self.until = True, 2**40
        return []

    def pause(self, said: Nothing) -> list[Frame]:
        self.until = 0
        return [self.frame("state", {"count": self.count})]

    def big(self, said: Sized) -> list[Frame]:
        type(self).made += 1
        return [self.frame("state", {}, zeros=np.zeros(said.n, np.uint8))]

    def sleep(self, said: Sized) -> list[Frame]:
        type(self).asleep.set()
        self.wake.wait(said.n / 1000)
        return [self.frame("state", {"count": self.count})]

    def fault(self, said: Nothing) -> list[Frame]:
        raise ZeroDivisionError("a secret of the inside")

    def bad_frame(self, said: Nothing) -> list[Frame]:
        return [self.frame("state", {"what": object()})]

    def fault_at_work(self, said: Nothing) -> list[Frame]:
        self.failing, self.until = True, 2**40
        return []

    @property
    def running(self) -> bool:
        return self.count < self.until

    def work(self, seconds: float, draw: bool = True) -> list[Frame]:
        if self.failing:
            raise ZeroDivisionError("at work")
        time.sleep(seconds / 10)
        self.count = min(self.count + 1, self.until)
        self.ticks += 1
        wanted = draw or not self.running
        number = {} if self.numberless else {"tick": self.ticks}
        return [self.frame("tick", {"count": self.count, **number})] if wanted else []


def counting_session() -> Session:
    return Session({"counting": CountingRoom}, {"version": "0"})


@dataclass
class Page:
    """A page without a browser: its socket."""

    socket: ClientConnection

    def say(self, do: str, room: str | None = "counting", **said: Any) -> None:
        self.socket.send(json.dumps({"do": do, **({"room": room} if room else {}), **said}))

    def hear(self, seconds: float = 30.0) -> Frame:
        message = self.socket.recv(timeout=seconds)
        assert isinstance(message, bytes)
        return decoded(message)

    def hear_all(self, seconds: float) -> list[Frame]:
        """Return what is heard until nothing is, for so long."""
        frames = []
        while True:
            try:
                frames.append(self.hear(seconds))
            except TimeoutError:
                return frames

    def ask(self, do: str, room: str | None = "counting", **said: Any) -> Frame:
        """Say something, and return the frame that answers it."""
        self.say(do, room, id=77, **said)
        while True:
            frame = self.hear()
            if frame.says.get("id") == 77:
                return frame


def exchanged(server: PlaygroundServer, token: str) -> tuple[int, str]:
    """Return the status and the cookie that a token is exchanged for."""
    link = HTTPConnection("127.0.0.1", server.port, timeout=30)
    link.request("POST", "/token", json.dumps({"token": token}), {"Origin": server.origin})
    answer = link.getresponse()
    answer.read()
    link.close()
    return answer.status, (answer.getheader("set-cookie") or "").partition(";")[0]


@contextmanager
def page(server: PlaygroundServer, cookie: str | None = None, **options: Any) -> Iterator[Page]:
    """Open a page of a server."""
    cookie = exchanged(server, server.key.token)[1] if cookie is None else cookie
    with connect(
        f"ws://127.0.0.1:{server.port}/socket",
        origin=options.pop("origin", server.origin),
        additional_headers={"Cookie": cookie},
        compression=options.pop("compression", None),
        max_size=None,
        **options,
    ) as socket:
        yield Page(socket)


@contextmanager
def served(make: Callable[[], Session] = counting_session, **limits: Any) -> Iterator[PlaygroundServer]:
    """Run a server on a free port, in a thread."""
    server = PlaygroundServer(make, port=0, limits=Limits(**limits), assets=ASSETS)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def soon(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait until something is true, for so long at most."""
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return true()
