"""Measurements in a CSV file that is whole at any time, so that a benchmark can be ended and taken up again.

A measurement is a frozen dataclass of numbers and words; the columns are its fields.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from minicolumn.errors import DataError

T = TypeVar("T")
_KINDS: dict[str, Any] = {"int": int, "float": float, "str": str}


def known(path: Path | None, kind: type[T]) -> list[T]:
    """Return what a file holds; a torn last line is none. DataError where it is no such benchmark's."""
    if path is None or not path.exists():
        return []
    columns = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    with open(path, newline="") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames is not None and list(rows.fieldnames) != columns:
            raise DataError(f"{path}: it has other columns than this benchmark writes; give another --csv")
        return [_read(row, kind) for row in rows if None not in row.values()]


def _read(row: dict[str, str], kind: type[T]) -> T:
    return kind(**{f.name: _KINDS[str(f.type)](row[f.name]) for f in fields(kind)})  # type: ignore[arg-type]


def keep(measured: Iterable[Any], path: Path, kind: type) -> None:
    """Write all aside and put the file in its place."""
    aside = path.with_name(f"{path.name}.tmp")
    with open(aside, "w", newline="") as file:
        rows = csv.DictWriter(file, [field.name for field in fields(kind)])
        rows.writeheader()
        rows.writerows([asdict(each) for each in measured])
    os.replace(aside, path)
