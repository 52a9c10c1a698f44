"""What one page may ask for: a declared record, and the bucket that counts messages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of the server.

    message_bytes   of one message
    pages           sockets at a time; a page that is closed counts until its thread has ended
    rate, burst     messages a second, and how many at once
    waiting_bytes   of messages that wait for the session
    unsent_bytes    of frames that wait for the page; with more no message is taken and no tick is drawn
    ticks           under way to the page, not yet seen by it
    slice           seconds of work between two looks at the messages
    patience        seconds that a page may leave a frame in its socket, or a client its request unfinished
    """

    message_bytes: int = 2**20
    pages: int = 64
    rate: float = 200.0
    burst: float = 400.0
    waiting_bytes: int = 48 * 2**20  # an upload of 32 MiB as base64
    unsent_bytes: int = 8 * 2**20
    ticks: int = 2
    slice: float = 1 / 30
    patience: float = 30.0


class Bucket:
    """A token bucket: so many a second, and so many at once.

    >>> bucket = Bucket(rate=1.0, burst=2.0, now=0.0)
    >>> [bucket.take(now) for now in (0.0, 0.0, 0.0, 1.0)]
    [True, True, False, True]
    """

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst, self._left, self._at = rate, burst, burst, now

    def take(self, now: float) -> bool:
        """Take one, and return whether there was one."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
