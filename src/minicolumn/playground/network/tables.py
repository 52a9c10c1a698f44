"""Tables that the page sends: read and encoded by our tables, made points of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minicolumn import random
from minicolumn.data.points.points import Points
from minicolumn.errors import DataError
from minicolumn.playground.lines import line, meant
from minicolumn.playground.network.setup import MOST_FEATURES, MOST_POINTS, Setup
from minicolumn.playground.network.table_files import load_sent
from minicolumn.tables import (
    Encoder,
    Overrides,
    Schema,
    infer_schema,
    split_rows,
    with_target,
)

Array = np.ndarray
MOST_COLUMNS = 500
_SHOWN = 6  # names in a line


@dataclass(frozen=True, eq=False)
class SentTable:
    """A table that was read: what the page offers of it, and points once a target is chosen.

    name    of its file
    frame   its rows, cells as they are written
    notes   what was guessed while it was read
    """

    name: str
    frame: Any
    notes: tuple[str, ...]

    @classmethod
    def read(cls, name: str, data: bytes) -> SentTable:
        """Read the bytes of a file, see `load_sent`.

        Errors      DataError, one line, for what is no table, and for more than 500 columns
        """
        loaded = load_sent(name, data)
        if loaded.frame.width > MOST_COLUMNS:
            raise DataError(line("tooManyColumns", name=name, count=loaded.frame.width, most=MOST_COLUMNS))
        return cls(name, loaded.frame, loaded.notes)

    def described(self) -> dict[str, Any]:
        """Return what the page shows before a target is chosen."""
        names = self.frame.columns
        return {
            "name": self.name, "rows": self.frame.height, "suggested": names[-1], "said": list(self.notes),
            "columns": [{"name": name, "examples": _examples(self.frame[name])} for name in names],
        }  # fmt: skip

    def encoded(self, target: str, task: str | None, setup: Setup) -> EncodedTable:
        """Return the table as points to learn a column from.

        target      the column; task: by default found by its values
        setup       says how many rows are trained on, and by which seed
        Errors      DataError, one line, for a column that is not there or cannot be learnt
        """
        if target not in self.frame.columns:
            raise DataError(line("noColumn", name=repr(target), hint=meant(target, self.frame.columns)))
        frame, notes = _sampled(self.frame, setup.seed)
        schema = infer_schema(frame, target, task=task)
        schema, left_out = _narrow(frame, schema, target, task)
        known = with_target(frame, schema)
        if known.height < frame.height:
            without = line("rowsWithout", count=frame.height - known.height, name=repr(target))
            notes = (*notes, without)
        frame = known
        y = Encoder.of_target(schema).read_target(frame)
        held = held_rows(y, bool(schema.classes), setup.train_percent, setup.seed)
        encoder = Encoder.fit(frame[np.flatnonzero(~held).tolist()], schema)
        X, y = encoder.transform(frame).astype(np.float64), y.astype(np.float64)
        inputs = tuple(f"x{place + 1}" for place in range(X.shape[1]))
        points = Points(X, y, held, inputs, encoder.classes or ())
        return EncodedTable(points, encoder, schema, (*self.notes, *notes, *left_out))


@dataclass(frozen=True, eq=False)
class EncodedTable:
    """A table as points: encoded rows, and what encoded them.

    points      inputs named x1, x2, ...; encoder: makes rows of them; it names them in full
    said        what was guessed, and what was left out
    """

    points: Points
    encoder: Encoder
    schema: Schema
    said: tuple[str, ...]


def held_rows(y: Array, classes: bool, train_percent: int, seed: int) -> Array:
    """Return which rows are held out, bool [rows]: drawn by the seed, of each class the same share."""
    _, test = split_rows(y if classes else None, len(y), 1.0 - train_percent / 100, seed % 2**32)
    held = np.zeros(len(y), bool)
    held[test] = True
    return held


def _examples(series: Any) -> list[str]:
    found = series.drop_nulls().unique(maintain_order=True).head(3).to_list()
    return [str(value)[:40] for value in found]


def _sampled(frame: Any, seed: int) -> tuple[Any, tuple[str, ...]]:
    """Return at most as many rows as are drawn, by chance."""
    if frame.height <= MOST_POINTS:
        return frame, ()
    drawn = np.asarray(random.uniform(random.stream(seed, "split"), (frame.height,)))
    chosen = np.sort(np.argsort(drawn)[:MOST_POINTS])
    return frame[chosen.tolist()], (line("rowsDrawn", most=MOST_POINTS, count=frame.height),)


def _narrow(frame: Any, schema: Schema, target: str, task: str | None) -> tuple[Schema, tuple[str, ...]]:
    """Return the schema without columns that would be too many inputs, or embedded; say which."""
    encoder, kept, width = Encoder.fit(with_target(frame, schema), schema), 0, []
    for part in encoder.inputs:
        embedded = getattr(part, "embedded", False)
        if embedded or kept + len(part.features) > MOST_FEATURES:
            width.append(part.name)
        else:
            kept += len(part.features)
    if not width:
        return schema, ()
    if not kept:
        raise DataError(line("tooWide"))
    more = line("andMore", count=len(width) - _SHOWN) if len(width) > _SHOWN else ""
    said = line("leftOut", most=MOST_FEATURES, names=width[:_SHOWN], more=more)
    return infer_schema(frame, target, Overrides(drop=tuple(width)), task=task), (said,)
