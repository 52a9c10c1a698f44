"""Efforts: how many networks a table is learnt by, how large they are, and how long they learn.

This module loads nothing but errors, so that ``--help`` is there at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from minicolumn.errors import DataError, did_you_mean

MOST_MEMBERS = 64
FEW_ROWS = 3_000  # below so many that train, a network is compiled for longer than it learns


@dataclass(frozen=True)
class Effort:
    """How much is done for a table where nobody says more.

    members     networks whose predictions are averaged
    hidden      units of each hidden layer of a member
    share       of the usual epochs that a member learns
    few         what is done in its place for fewer than 3,000 rows; None for the same
    """

    members: int
    hidden: tuple[int, ...]
    share: float
    few: Effort | None = None

    def for_rows(self, rows: int) -> Effort:
        """Return what is done for a table of so many rows that train.

        >>> EFFORTS["quick"].for_rows(750).members, EFFORTS["quick"].for_rows(3_000).members
        (4, 2)
        """
        return self.few if self.few is not None and rows < FEW_ROWS else self


EFFORTS = {
    "quick": Effort(2, (128, 128, 128), 0.5, few=Effort(4, (128, 128, 128), 1 / 6)),
    "normal": Effort(8, (128, 128, 128), 1.0),
    "high": Effort(16, (192, 192, 192), 2.0),
}


def effort_by_name(where: str, name: str | None) -> Effort:
    """Return an effort; None is "normal".

    Errors      DataError for an unknown one, with the nearest name

    >>> effort_by_name("effort", None) is EFFORTS["normal"]
    True
    """
    if name is None:
        return EFFORTS["normal"]
    if not isinstance(name, str) or name not in EFFORTS:
        hint = did_you_mean(str(name)[:40], EFFORTS) or f"; expected {', '.join(EFFORTS)}"
        raise DataError(f"{where}: unknown effort {name!r:.60}{hint}")
    return EFFORTS[name]
