"""Decoding apart: a file that could end this process is first decoded in another one, bounded in memory.

Decoders of Parquet, Arrow and spreadsheets panic, or ask for more memory than there is, on a few damaged
files in a thousand and on files made for that: the process is aborted, and what it says goes to standard
error. Here that process is a child, and its end becomes one line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import resources
from typing import Any

from minicolumn.errors import DataError
from minicolumn.tables.files import decoding
from minicolumn.tables.files.reading import gibibytes, too_large


@dataclass(frozen=True)
class Answer:
    """What a decoder found, and the text that it gave."""

    found: dict[str, Any]
    data: bytes


def run_apart(job: str, data: bytes, name: str, limit: int, sheet: str | int | None = None) -> Answer:
    """Decode bytes in a process of its own.

    job         see `decoding.answer`
    limit       bytes that the decoded table may take; the process may take twice as much
    Errors      DataError: the file is damaged, or takes more; ValueError, with the decoder's line, where
                it was refused
    """
    found, text = _asked(job, data, limit, sheet)
    if "too_large" in found:
        raise too_large(name, f"holds {found['too_large']}", limit)
    if "unfit" in found:
        raise DataError(f"{name}: {found['unfit']}")
    if "error" in found:
        raise ValueError(found["error"])
    if "ended" in found:
        raise DataError(
            f"{name}: cannot be decoded with {gibibytes(limit)} of memory: it is damaged, or takes more; "
            "allow more by --max-memory"
        )
    return Answer(found, text)


def _asked(job: str, data: bytes, limit: int, sheet: str | int | None) -> tuple[dict[str, Any], bytes]:
    """Return the answer of the other process; found["ended"] where it died."""
    told = json.dumps({"job": job, "limit": limit, "sheet": sheet, "path": sys.path})
    program = resources.files("minicolumn.tables.files").joinpath("decoding.py").read_text("utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", program, told],
            input=data,
            capture_output=True,
            check=False,
            env={**os.environ, "RUST_BACKTRACE": "0"},
        )
    except (OSError, TypeError, ValueError):  # no interpreter to start, as in a frozen program
        return _asked_here(job, data, limit, sheet)
    line, _, text = done.stdout.partition(b"\n")
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if done.returncode != 0 or not isinstance(found, dict):
        return {"ended": done.returncode}, b""
    return found, text


def _asked_here(job: str, data: bytes, limit: int, sheet: str | int | None) -> tuple[dict[str, Any], bytes]:
    """Return the answer by this process, where no other one can be started."""
    try:
        return decoding.answer(job, data, limit, sheet)
    except decoding.TooLarge as error:
        return {"too_large": str(error)}, b""
    except decoding.Unfit as error:
        return {"unfit": str(error)}, b""
    except Exception as error:
        return {"error": (str(error).splitlines() or [type(error).__name__])[0]}, b""
