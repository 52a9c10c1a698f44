"""Fail the 1st, 2nd, 3rd ... system call of a save, until a save meets no failure; once, and from there on.

    python tests/model/long_faults.py            Linux with strace

Each save runs in a process of its own under `strace -e inject`, in several situations (a new file, an old
one, a link, leftovers of a killed save). It must end in success or in one DataError of one line; the old file
or the new one must stand there whole; no temporary file may remain.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from model_samples import number_of, numbered, small

from minicolumn.errors import DataError, ModelFileError
from minicolumn.model.artifact import load_artifact, save_artifact
from minicolumn.model.files import _leftover_prefix

SAVE_CALLS = (
    "write",
    "fsync",
    "rename",
    "openat",
    "fchmod",
    "flock",
    "getdents64",
    "newfstatat,fstat,lstat",
    "close",
)
LOAD_CALLS = ("openat", "read", "newfstatat,fstat,lstat", "close")
ERRORS = ("ENOSPC", "EIO", "EROFS", "EMFILE", "EACCES", "EDQUOT", "EPERM", "ENOMEM")
LEFT = tuple(
    f"-{number}.tmp" for number in range(3)
)  # left by others; a save that meets errors may leave them there
OLD, NEW = 1, 2


@dataclass
class Tally:
    """What a campaign of faults found."""

    runs: int = 0
    faults: int = 0
    errors: int = 0
    failures: list[str] = field(default_factory=list)


def new_file(folder: Path) -> Path:
    return folder / "m.safetensors"


def old_file(folder: Path) -> Path:
    save_artifact(numbered(small(), OLD), new_file(folder))
    return new_file(folder)


def link(folder: Path) -> Path:
    target = folder / "link"
    target.symlink_to(old_file(folder))
    return target


def leftovers(folder: Path) -> Path:
    target = old_file(folder)
    for end in LEFT:
        (folder / f"{_leftover_prefix(str(target))[:-1]}{end}").write_bytes(b"half")
    return target


SITUATIONS: tuple[Callable[[Path], Path], ...] = (new_file, old_file, link, leftovers)


def save_once(path: Path) -> str:
    """Save and return what came of it."""
    try:
        save_artifact(numbered(small(), NEW), path)
    except DataError as error:
        return str(error)
    return ""


def load_once(path: Path) -> str:
    """Load and return what came of it."""
    try:
        number_of(load_artifact(path))
    except ModelFileError as error:
        return str(error)
    return ""


def judge_save(path: Path, message: str, injected: int) -> str:
    """Return what is wrong after a save that ended with a message, or nothing."""
    left = [name for name in os.listdir(path.parent) if name.endswith(".tmp")]
    left = [name for name in left if not (injected and name.endswith(LEFT))]
    found = number_of(load_artifact(path)) if path.exists() else 0
    if left:
        return f"left {left}"
    if not message or message.startswith("wrote "):
        return "" if found == NEW else f"reported as written, but the file holds {found}"
    if not re.fullmatch(r"cannot write .*; (the old file is untouched|nothing was written)", message):
        return f"unclear message {message!r}"
    if found == NEW or (found == 0 and "untouched" in message):
        return f"{message!r}, but the file holds {found}"
    return ""


def judge_load(path: Path, message: str, injected: int) -> str:
    """Return what is wrong after a load that ended with a message, or nothing."""
    if message and not re.fullmatch(rf"(cannot (open|read) )?{re.escape(str(path))}:? .*", message):
        return f"unclear message {message!r}"
    return "" if injected or not message else f"failed without a fault: {message!r}"


def faults(
    situation: Callable[[Path], Path], calls: str, error: str, mode: str, load: bool
) -> Iterator[tuple]:
    """Yield for N = 1, 2, ... the message, the number of injected errors and the verdict; end with none."""
    act, judge = (load_once, judge_load) if load else (save_once, judge_save)
    for nth in itertools.count(1):
        with tempfile.TemporaryDirectory() as folder:
            path = situation(Path(folder))
            message, injected = _run(act, path, f"{calls}:error={error}:when={nth}{mode}")
            yield message, injected, judge(path, message, injected)
        if not injected:
            return


def _run(act: Callable[[Path], str], path: Path, inject: str) -> tuple[str, int]:
    """Run an action in a child with errors injected from the moment it starts."""
    ours, theirs = socket.socketpair()
    with warnings.catch_warnings():
        # Python 3.12 and later warn of a fork beside threads, here those that NumPy's BLAS holds.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _child(act, path, theirs)
    theirs.close()
    calls = inject.split(":")[0]
    log = path.parent / "strace.log"
    command = ["strace", "-p", str(child), "-o", str(log), "-e", f"trace={calls}", "-e", f"inject={inject}"]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        if tracer.stderr is None or "attached" not in tracer.stderr.readline():
            raise RuntimeError("strace cannot attach to its own child here")
        ours.sendall(b"go")
        message = _receive(ours)
    finally:
        os.waitpid(child, 0)
        tracer.communicate()
    injected = log.read_text().count("(INJECTED)")
    log.unlink()
    return message, injected


def _receive(ours: socket.socket) -> str:
    """Return the child's message; it ends when the child does."""
    parts = []
    while part := ours.recv(65536):
        parts.append(part)
    text = b"".join(parts).decode()
    if not text.startswith("done:"):
        raise RuntimeError(f"the process died: {text!r}")
    return text.removeprefix("done:")


def _child(act: Callable[[Path], str], path: Path, theirs: socket.socket) -> None:
    """Wait for the word, act, and report through a system call that is never failed."""
    text = "died"
    try:
        theirs.recv(2)
        text = "done:" + act(path)
    except BaseException as error:
        text = f"{type(error).__name__}: {error}"
    finally:
        theirs.sendall(text.encode())
        os._exit(0)


def campaign(only: str = "", errors: tuple[str, ...] = ERRORS) -> Tally:
    """Inject every error into every call of every situation, or into the calls of one name."""
    tally = Tally()
    saves = itertools.product(SITUATIONS, SAVE_CALLS, errors, ("", "+"), (False,))
    loads = itertools.product((old_file, link), LOAD_CALLS, errors, ("", "+"), (True,))
    for situation, calls, error, mode, load in itertools.chain(saves, loads):
        if only not in ("", calls):
            continue
        for message, injected, wrong in faults(situation, calls, error, mode, load):
            tally.runs += 1
            tally.faults += injected > 0
            tally.errors += bool(message)
            if wrong:
                tally.failures.append(f"{situation.__name__}, {calls} {error}{mode}: {wrong}")
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description="fail every system call of a save, one by one")
    parser.add_argument("--only", choices=("", *SAVE_CALLS), default="", help="the system call to fail")
    parser.add_argument("--errors", nargs="+", choices=ERRORS, default=ERRORS)
    options = parser.parse_args()
    started = time.perf_counter()
    tally = campaign(options.only, tuple(options.errors))
    for line in tally.failures[:20]:
        print(line)
    seconds = time.perf_counter() - started
    print(
        f"{tally.runs} runs, {tally.faults} with an injected fault, {tally.errors} error messages, "
        f"{len(tally.failures)} failures, {seconds:.1f} s"
    )
    return 1 if tally.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
