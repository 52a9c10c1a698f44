"""Fail the Nth call to the system, N = 1, 2, ... until nothing fails: the file stays whole, the answer clear.

The same loop over real system calls, under strace, is `long_faults.py`.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import long_faults
import pytest
from model_samples import numbered, small

from minicolumn.model.artifact import save_artifact


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let fsync return at once: which calls are made is at stake here, not what the disk does."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


CALLS = ("open", "write", "fsync", "replace", "fchmod", "fstat", "lstat", "stat", "scandir", "close")
ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EMFILE)


class Faults:
    """Counts the calls and fails the chosen one, or every one from there on."""

    def __init__(self, nth: int, error: int, for_ever: bool) -> None:
        self.nth, self.error, self.for_ever = nth, error, for_ever
        self.count = self.injected = 0
        self.thread = threading.get_ident()

    def wrap(self, real: Callable[..., Any], closing: bool) -> Callable[..., Any]:
        """Return a function that counts, and fails when its turn comes."""

        def call(*arguments: Any, **options: Any) -> Any:
            if threading.get_ident() != self.thread:  # of another test, in the background
                return real(*arguments, **options)
            self.count += 1
            if self.count == self.nth or (self.for_ever and self.count > self.nth):
                self.injected += 1
                if closing:
                    real(*arguments, **options)  # Linux closes the handle even when close reports an error
                raise OSError(self.error, os.strerror(self.error))
            return real(*arguments, **options)

        return call


def _held(folder: Path) -> list[str]:
    """Return what this process holds open in a folder."""
    found = []
    for handle in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # threads of other tests open and close theirs
            found.append(os.readlink(f"/proc/self/fd/{handle}"))
    return [path for path in found if path.startswith(str(folder.resolve()))]


def test_what_is_held_open_is_seen(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w"):
        assert len(_held(tmp_path)) == 1
    assert _held(tmp_path) == []


@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for ever"])
@pytest.mark.parametrize("situation", long_faults.SITUATIONS, ids=lambda s: s.__name__)
@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.get)
def test_every_failing_call_ends_cleanly(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    situation: Callable[[Path], Path],
    error: int,
    for_ever: bool,
) -> None:
    nth = 0
    for nth in range(1, 200):
        folder = tmp_path / str(nth)
        folder.mkdir()
        path, faults = situation(folder), Faults(nth, error, for_ever)
        with monkeypatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, faults.wrap(getattr(os, name), name == "close"))
            message = long_faults.save_once(path)
        assert long_faults.judge_save(path, message, faults.injected) == "", (nth, message)
        if not faults.injected:
            break
        save_artifact(numbered(small(), long_faults.NEW), path)  # the next save works
        assert long_faults.judge_save(path, "", 0) == ""
    assert nth > 8
    assert _held(tmp_path) == []


@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for ever"])
def test_every_failing_call_of_a_load_ends_cleanly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, for_ever: bool
) -> None:
    path = long_faults.old_file(tmp_path)
    nth = 0
    for nth in range(1, 50):
        faults = Faults(nth, errno.EIO, for_ever)
        with monkeypatch.context() as patch:
            for name in ("open", "fstat", "close"):
                patch.setattr(os, name, faults.wrap(getattr(os, name), name == "close"))
            message = long_faults.load_once(path)
        assert long_faults.judge_load(path, message, faults.injected) == ""
        if not faults.injected:
            break
    assert nth > 3
    assert _held(tmp_path) == []
