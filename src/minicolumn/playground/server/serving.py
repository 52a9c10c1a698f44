"""The server that runs: its socket, its address, its start and its end."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from minicolumn.errors import DataError
from minicolumn.playground.room import Session
from minicolumn.playground.server.app import build_app
from minicolumn.playground.server.assets import Assets, package_assets
from minicolumn.playground.server.connection import Pages
from minicolumn.playground.server.guard import LOOPBACK, Key, allowed_hosts
from minicolumn.playground.server.limits import Limits

HOST, PORT, PORTS = "127.0.0.1", 8089, 100  # the first port that is tried, and how many
FAREWELL = 0.3  # seconds that a page which takes nothing is given as the server ends
_MOST_CONNECTIONS = 256  # pages, and what browsers open for their files


class PlaygroundServer:
    """The playground's server, on a port that is bound when this is made.

    make        makes the session of each page
    host        an address or a name of this machine; others than 127.0.0.1 and ::1 can be reached by others
    port        None is the first free one from 8089 on; 0 any
    Errors      DataError for a port that is in use, and a host that is none of this machine
    """

    def __init__(
        self,
        make: Callable[[], Session],
        *,
        host: str = HOST,
        port: int | None = None,
        limits: Limits | None = None,
        assets: Assets | None = None,
    ) -> None:
        limits = limits or Limits()
        self._socket = bind(host, port)
        self.port: int = self._socket.getsockname()[1]
        self.key = Key(self.port)
        self.pages = Pages(make, limits)
        names = host_names(host)
        self.origin = f"http://{names[0]}:{self.port}"
        hosts = allowed_hosts(self.port, names)
        app = build_app(self.pages, self.key, hosts, package_assets() if assets is None else assets)
        self._server = uvicorn.Server(_config(app, limits))
        self._thread: threading.Thread | None = None

    def address(self, query: str = "", *, once: bool = False) -> str:
        """Return the address to open, with a token in its fragment.

        query       what stands before the fragment, such as "?lang=ko"
        once        whether its token is good for one use alone
        """
        return f"{self.origin}/{query}#t={self.key.token_for_once() if once else self.key.token}"

    def run(self) -> None:
        """Serve until interrupted; the interrupt is raised again once all is closed."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self.pages.close(FAREWELL)

    def start(self) -> None:
        """Serve in a thread of its own, until `stop`.

        Errors      DataError where it ended before it served; the thread says why
        """
        self._thread = threading.Thread(target=self.run, name="playground server", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.005)
        if not self._server.started:
            raise DataError("the playground's server ended as it began")

    def stop(self) -> None:
        """End the server that `start` began."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()


def _config(app: Any, limits: Limits) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        log_level=logging.ERROR,
        access_log=False,
        http=_http(limits),
        ws=_PageSocket,
        ws_max_size=limits.message_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=1,
    )


def _http(limits: Limits) -> type[asyncio.Protocol]:
    """Return HTTP whose clients must finish their requests in time: uvicorn waits for ever."""

    class Patient(H11Protocol):
        _late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._expect()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._expect()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._forget()

        def _expect(self) -> None:
            unfinished = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
            if not unfinished or self.transport.get_protocol() is not self:
                self._forget()
            elif self._late is None:
                self._late = self.loop.call_later(limits.patience, self._give_up)

        def _forget(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

        def _give_up(self) -> None:
            if self.transport.get_protocol() is self:
                self.transport.abort()

    return Patient


class _PageSocket(WebSocketsSansIOProtocol):
    """A WebSocket whose end does not wait for a page that takes nothing."""

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        self.loop.call_later(FAREWELL, self.transport.abort)


def bind(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens; with no port the first free one from 8089 on.

    Errors      DataError, with a free port where the one asked for is in use
    """
    if port is not None:
        try:
            return _listening(host, port)
        except OSError as error:
            raise DataError(_why_not(host, port, error)) from None
    for tried in range(PORT, PORT + PORTS):
        try:
            return _listening(host, tried)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise DataError(_why_not(host, tried, error)) from None
    raise DataError(f"the ports {PORT} to {PORT + PORTS - 1} are all in use; name another: --port N")


def _listening(host: str, port: int) -> socket.socket:
    host = HOST if host == "localhost" else host  # which is ::1 first on some machines
    family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    found = socket.socket(family, kind, protocol)
    try:
        # Else a port that was served a moment ago counts as in use; on Windows the option would share it.
        option = socket.SO_REUSEADDR if sys.platform != "win32" else socket.SO_EXCLUSIVEADDRUSE
        found.setsockopt(socket.SOL_SOCKET, option, 1)
        found.bind(place)
        found.listen(128)
    except OSError:
        found.close()
        raise
    return found


def _why_not(host: str, port: int, error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"--host: {host!r} is no address of this machine; leave it out for {HOST}"
    if error.errno != errno.EADDRINUSE:
        return f"--port: {port} cannot be served: {error.strerror}"
    with bind(host, None) as free:
        return f"--port: {port} is in use; {free.getsockname()[1]} is free"


def host_names(host: str) -> list[str]:
    """Return the names by which a server that is bound to a host may be asked for; the first is printed.

    >>> host_names("127.0.0.1")
    ['127.0.0.1', 'localhost', '[::1]']
    """
    if host in ("127.0.0.1", "localhost", "::1"):
        first = "[::1]" if host == "::1" else HOST
        return [first, *(name for name in LOOPBACK if name != first)]
    name = f"[{host.lower()}]" if ":" in host else host.lower()
    return [*_own_names(), *LOOPBACK] if host in ("0.0.0.0", "::") else [name]


def _own_names() -> list[str]:
    """Return the addresses and the name of this machine, as others would write them."""
    name = socket.gethostname().lower()
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)}
    except OSError:
        found = set()
    return [name, *sorted(f"[{address}]" if ":" in address else address for address in found)]
