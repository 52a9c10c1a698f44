"""Output files of a command: checked before the work, written atomically after it."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from minicolumn.errors import DataError, reason

if TYPE_CHECKING:
    from minicolumn.model import Model

_PROBE = bytes(1 << 16)


def check_writable(option: str, path: str, others: tuple[str, ...] = ()) -> None:
    """Refuse an output path that cannot be written, before any work is done for it.

    option      begins the message
    path        of the file to come; a file of 64 KiB is tried beside it
    others      further files of the command, none of which may be replaced
    Errors      DataError: the same file as another, a folder, write-protected, no such folder, a full disk
    """
    for source in others:
        if _same_file(path, source):
            raise DataError(f"{option}: {path!r} is the same file as {source!r}; choose another name")
    try:
        _try_writing(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise DataError(f"{option}: cannot write {path!r}: {reason(error)}") from None


def _same_file(one: str, other: str) -> bool:
    """Return whether two paths lead to one file, by links or by spelling."""
    try:
        return os.path.realpath(one) == os.path.realpath(other) or os.path.samefile(one, other)
    except (OSError, ValueError):  # one of them is not there, or cannot be
        return False


def _try_writing(path: str) -> None:
    """Raise OSError or ValueError where a file could not be written."""
    target = Path(os.path.realpath(path))
    if path.endswith(os.sep) or target.is_dir():
        raise ValueError("it is a folder; give the name of a file in it")
    if target.exists() and not target.is_file():
        raise ValueError("it is not a regular file; choose another name")
    if target.exists() and not os.access(target, os.W_OK):
        raise ValueError("the file is write-protected")
    if not target.parent.exists():
        raise ValueError(f"there is no folder {str(target.parent)!r}")
    with tempfile.TemporaryFile(dir=target.parent) as probe:
        probe.write(_PROBE)
        probe.flush()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignore SIGINT within the block: Ctrl-C waits until a file is finished, no longer."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def save_model(model: Model, path: str) -> None:
    """Save a model; where that fails, save it among the temporary files, so that the training is not lost.

    Errors      DataError that names the reason, and where the model is instead
    """
    with uninterrupted():
        try:
            model.save(path)
        except DataError as error:
            raise DataError(f"{error}; {_rescue(model, path)}") from None


def _rescue(model: Model, path: str) -> str:
    """Save a model to a temporary folder; return where it is."""
    try:
        other = os.path.join(tempfile.mkdtemp(prefix="minicolumn-"), os.path.basename(path))
        model.save(other)
    except (DataError, OSError):
        return "the model is lost"
    return f"the model is in {other!r} instead"


def file_size(path: str) -> str:
    """Return a file's size in decimal units (1 KB is 1000 bytes)."""
    size = os.path.getsize(path)
    for unit in ("bytes", "KB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}" if size < 100 or unit == "bytes" else f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
