"""Single flight: of several threads that want the same made, one makes it and the others wait."""

from __future__ import annotations

import os
import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any


class Turns:
    """One thread at a time for each key, for what is too much work to be done twice.

    Whoever had to wait should look whether it has been made meanwhile. A forked child does not wait for
    threads that only its parent has.
    """

    def __init__(self) -> None:
        self._locks: dict[tuple[int, Hashable], Any] = {}

    @contextmanager
    def of(self, key: Hashable) -> Iterator[None]:
        """Wait until no other thread of this process is within this context for the key."""
        own = os.getpid(), key
        try:
            with self._locks.setdefault(own, threading.RLock()):
                yield
        finally:
            self._locks.pop(own, None)  # those who wait have it; who comes later finds what was made
