"""A page's socket: its messages to the worker, the worker's frames to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from minicolumn.errors import DataError
from minicolumn.playground.lines import line
from minicolumn.playground.room import Session, failure
from minicolumn.playground.server.limits import Bucket, Limits
from minicolumn.playground.server.worker import Worker

POLICY, FAULT, BUSY = 1008, 1011, 1013  # codes of a close: RFC 6455 and its registry
MOST_REFUSED = 2_000  # messages over the limit, one after another, until the socket is closed
Outbox = asyncio.Queue[bytes | None]  # frames that wait for the socket; None once the session has ended


class Pages:
    """The pages that are connected: each has a worker, which counts until its thread has ended."""

    def __init__(self, make: Callable[[], Session], limits: Limits) -> None:
        self._make, self.limits = make, limits
        self._workers: set[Worker] = set()

    @property
    def full(self) -> bool:
        """Whether no further page is taken."""
        return len(self._workers) >= self.limits.pages

    def __len__(self) -> int:
        return len(self._workers)

    def open(self, outbox: Outbox) -> Worker:
        """Start a worker whose frames go to a queue of this event loop."""
        loop = asyncio.get_running_loop()

        def deliver(data: bytes) -> None:
            loop.call_soon_threadsafe(outbox.put_nowait, data)

        def ended() -> None:
            with suppress(RuntimeError):  # the loop is closed already
                loop.call_soon_threadsafe(outbox.put_nowait, None)
                loop.call_soon_threadsafe(self._workers.discard, worker)

        worker = Worker(self._make, deliver, ended, self.limits)
        self._workers.add(worker)
        worker.start()
        return worker

    def close(self, seconds: float) -> bool:
        """End all workers; wait for so long at most, and return whether all have ended."""
        workers, until = list(self._workers), time.monotonic() + seconds
        for worker in workers:
            worker.close()
        ended = [worker.join(max(0.0, until - time.monotonic())) for worker in workers]
        return all(ended)


async def serve_page(socket: WebSocket, pages: Pages) -> None:
    """Carry messages and frames until the page is closed."""
    await socket.accept()
    if pages.full:
        await socket.close(BUSY, "too many pages are open")
        return
    outbox: Outbox = asyncio.Queue()
    worker = pages.open(outbox)
    tasks = [
        asyncio.create_task(_read(socket, worker, pages.limits)),
        asyncio.create_task(_write(socket, worker, outbox, pages.limits)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        worker.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(socket: WebSocket, worker: Worker, limits: Limits) -> None:
    """Hand the page's messages to the worker; those over its limits are refused, and many of them end it."""
    bucket, refused = Bucket(limits.rate, limits.burst, time.monotonic()), 0
    while (message := await socket.receive())["type"] == "websocket.receive":
        text = message.get("text")
        why = _refusal(text, bucket, worker)
        if why:
            refused += 1
            if refused == 1 and not worker.crowded:
                worker.give([failure("", DataError(why), "")])
            if refused >= MOST_REFUSED:
                await _close(socket, POLICY, str(why))
                return
        elif not _acknowledges(text):
            refused = 0


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):  # a page that is gone, or takes nothing
        async with asyncio.timeout(1):
            await socket.close(code, reason)


def _refusal(text: str | None, bucket: Bucket, worker: Worker) -> str:
    """Hand a message to the worker, or return why it is refused."""
    if not _acknowledges(text) and not bucket.take(time.monotonic()):
        return line("tooMany")
    if text is None:
        return line("onlyText")
    return "" if worker.offer(text) else line("tooMuch")


def _acknowledges(text: str | None) -> bool:
    """Return whether a message says "seen"; were those lost, nothing would be drawn any more."""
    return text is not None and len(text) < 100 and '"seen"' in text


async def _write(socket: WebSocket, worker: Worker, outbox: Outbox, limits: Limits) -> None:
    """Send the worker's frames; a page that takes none for long is let go, and one without a session told."""
    while (data := await outbox.get()) is not None:
        try:
            async with asyncio.timeout(limits.patience):
                await socket.send_bytes(data)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            return
        worker.sent(len(data))
    await _close(socket, FAULT, "the session ended by a fault of its own")
