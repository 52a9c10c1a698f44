"""Data hazards: where a barrier must stand, before a kernel touches what another thread may still be at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from minicolumn.ir.shapes import ArrayType
from minicolumn.passes.memory import bytes_of

# A place in memory: what it belongs to (the arena, or an array of its own) and the bytes from where to where.
Region = tuple[Any, int, int]
# Where an array ends whose length is not known: behind all others.
UNKNOWN_END = 1 << 62


def region_of(owner: Any, type: ArrayType) -> Region:
    """Return the region of a whole array that has memory of its own."""
    return owner, 0, UNKNOWN_END if type.dims else max(bytes_of(type), 1)


@dataclass(frozen=True)
class Access:
    """A region that a kernel reads or writes.

    rows    if each thread touches its own rows only: how many rows the region consists of; else 0
    """

    region: Region
    rows: int = 0


@dataclass(frozen=True)
class _Touch:
    access: Access
    writes: bool
    solo: bool

    @property
    def owner(self) -> Any:
        """Return what the region belongs to."""
        return self.access.region[0]


class Hazards:
    """What has been touched since all threads last met, by owner, and by one thread or by all."""

    def __init__(self) -> None:
        self._touched: dict[tuple[Any, bool], dict[_Touch, None]] = {}

    def must_wait(self, reads: Iterable[Access], writes: Iterable[Access], solo: bool) -> bool:
        """Return whether a barrier must stand before this work, and note the work itself.

        Work of one thread alone needs no barrier after earlier work of the same thread, nor does work on rows
        with earlier work on the same rows.
        """
        new = [_Touch(r, False, solo) for r in reads] + [_Touch(w, True, solo) for w in writes]
        wait = any(_clash(old, touch) for touch in new for old in self._others(touch))
        if wait:
            self.met()
        for touch in new:
            self._touched.setdefault((touch.owner, touch.solo), {})[touch] = None
        return wait

    def _others(self, new: _Touch) -> Iterable[_Touch]:
        """Return what the same owner has been touched by, of more than this one thread."""
        alone = () if new.solo else self._touched.get((new.owner, True), ())
        return (*self._touched.get((new.owner, False), ()), *alone)

    def met(self) -> None:
        """Note that all threads have met."""
        self._touched = {}


def _clash(old: _Touch, new: _Touch) -> bool:
    """Return whether two threads must not be at these places of one owner at once."""
    if not (old.writes or new.writes) or (old.solo and new.solo):
        return False
    if old.access.rows and old.access == new.access:
        return False
    (_, low, high), (_, start, stop) = old.access.region, new.access.region
    return low < stop and start < high
