"""Atomic file writes and bounded reads: a crash leaves the old file or the new one, never half of one.

Source      POSIX rename(2), which replaces a file in one step, and fsync(2) of file and directory
Differs     `pathlib.Path.write_bytes`, `joblib.dump` and `torch.save` truncate the old file first
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import secrets
import stat
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from minicolumn.errors import DataError, ModelFileError, did_you_mean, reason

try:
    import fcntl
except ImportError:  # Windows has no advisory locks; there leftovers stay until someone removes them
    fcntl = None

_log = logging.getLogger(__name__)

PathLike = str | bytes | os.PathLike[str] | os.PathLike[bytes]

_NO_DIRECTORY_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}  # file systems that cannot sync a folder
_NOT_DURABLE = (
    "wrote {}, but its folder could not be synced: {}; "
    "the new file is in place and may be lost if the power fails now"
)
_PREFIX, _SUFFIX = ".minicolumn-", ".tmp"


def write_atomically(path: PathLike, chunks: Iterable[bytes | memoryview]) -> None:
    """Replace a file as a whole: at every instant the path holds the old file or the new one.

        temporary file beside the target -> write -> fsync -> rename over the target -> fsync of the folder

    path        a file that exists (its permissions are kept) or not (the umask decides); a symbolic link
                stays one, and the file it points to is replaced
    chunks      the bytes in order
    Errors      DataError in one line, with what became of the old file. The temporary file is removed;
                one that a killed process left behind is removed by the next save to the same path.
    Differs     `open(path, "wb")` empties the old file first, so a kill or a full disk leaves neither.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = pathlib.Path(folder, "note.txt")
    ...     write_atomically(target, [b"one ", b"two"])
    ...     target.read_bytes()
    b'one two'
    """
    write_together({path: chunks})


def write_together(files: Mapping[PathLike, Iterable[bytes | memoryview]]) -> None:
    """Replace several files, none of them before all are on the disk.

    files       the chunks of each, in order; what holds for one in `write_atomically` holds for each
    Errors      DataError in one line, with what became of the old files: they are untouched, but where the
                system renames some and refuses another

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_together({pathlib.Path(folder, "a.h"): [b"int f(void);"], pathlib.Path(folder, "a.c"): []})
    ...     sorted(path.name for path in pathlib.Path(folder).iterdir())
    ['a.c', 'a.h']
    """
    staged: list[_Staged] = []
    path, old, done = next(iter(files), ""), None, 0
    with ExitStack() as stack:
        try:
            for path, chunks in files.items():
                target, old = _resolve(path), None
                old = _old_file(target, shown(path))
                _remove_leftovers(target)
                staged.append(_stage(stack, path, target, old, chunks))
            for each in staged:
                path, old = each.path, each.old
                os.replace(each.temporary, each.target)
                done += 1
            for each in staged:
                path = each.path
                _sync_folder(each.folder)
        except _NotDurable as error:
            raise DataError(_NOT_DURABLE.format(shown(path), reason(error))) from None
        except OSError as error:
            kept = "nothing was written" if old is None else "the old file is untouched"
            kept = f"{done} of {len(files)} files are in place" if done else kept
            raise DataError(f"cannot write {shown(path)}: {reason(error)}; {kept}") from None


@dataclass(frozen=True)
class _Staged:
    """A new file that is on the disk under another name, and what it is to replace."""

    path: PathLike
    target: str
    old: os.stat_result | None
    temporary: str
    folder: int | None


def _stage(
    stack: ExitStack,
    path: PathLike,
    target: str,
    old: os.stat_result | None,
    chunks: Iterable[bytes | memoryview],
) -> _Staged:
    """Write a file beside its target, durable and locked, so nobody takes it for a leftover.

    It is gone when the stack closes, unless it was renamed.
    """
    # Before the rename: nothing may be left to fail but the sync.
    folder = _open_folder(os.path.dirname(target))
    stack.callback(_close, folder)
    temporary = _name_beside(target)
    # Ctrl-C may come between any two lines: the name is known before there is a file of it.
    stack.callback(_unlink, temporary)
    handle = _create(temporary, 0o666 if old is None else 0o600)
    stack.callback(_close, handle)
    _fill(handle, chunks, old)
    return _Staged(path, target, old, temporary, folder)


def _unlink(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)


def read_whole(path: PathLike, limit: int) -> bytearray:
    """Read a regular file of at most ``limit`` bytes, opened exactly once.

    limit       bytes; a larger file is refused before any is read
    Returns     the bytes, exactly as many as the system stated
    Errors      ModelFileError in one line: no such file (with the nearest name), a folder, pipe or device,
                too large, not readable, or changed while it was being read.
    """
    try:
        handle = os.open(os.fsdecode(path), _read_flags())
    except (OSError, ValueError) as error:
        raise ModelFileError(f"cannot open {shown(path)}: {_why_not_opened(path, error)}") from None
    try:
        return _read_handle(handle, limit)
    except OSError as error:
        raise ModelFileError(f"cannot read {shown(path)}: {reason(error)}") from None
    except ModelFileError as error:
        raise ModelFileError(f"{shown(path)} {error}") from None
    finally:
        _close(handle)


def shown(path: PathLike) -> str:
    """Return a path as one printable line, for messages; what cannot be printed is escaped."""
    text = os.fsdecode(path)
    return text if text.isprintable() and text else ascii(text)


class _NotDurable(OSError):
    """The rename happened and the folder could not be synced."""


def _resolve(path: PathLike) -> str:
    """Return the path with every symbolic link followed."""
    text = os.fsdecode(path)
    try:
        return os.path.realpath(text, strict=True)
    except FileNotFoundError:  # a new file, perhaps behind a link that points to nothing yet
        return os.path.realpath(text)
    except (OSError, ValueError) as error:  # ValueError: a NUL or half a character in the name
        raise DataError(f"cannot write {shown(path)}: {reason(error)}; nothing was written") from None


def _old_file(target: str, name: str) -> os.stat_result | None:
    """Return what stands at the target, None for nothing; refuse what must not be replaced."""
    try:
        old = os.lstat(target)  # links have been followed: this is the thing itself
    except FileNotFoundError:
        _require_folder(os.path.dirname(target), name)
        return None
    if stat.S_ISDIR(old.st_mode):
        raise DataError(f"cannot write {name}: it is a folder; give the name of a file in it")
    if not stat.S_ISREG(old.st_mode):
        raise DataError(f"cannot write {name}: it is not a regular file; choose another name")
    if not os.access(target, os.W_OK):  # the rename would succeed, but the file says: do not change me
        raise DataError(f"cannot write {name}: the file is write-protected; the old file is untouched")
    return old


def _require_folder(folder: str, name: str) -> None:
    """Refuse a folder that is not there; any other trouble with it is the system's to name."""
    try:
        os.stat(folder)
    except FileNotFoundError:
        raise DataError(f"cannot write {name}: there is no folder {shown(folder)}") from None


def _fill(handle: int, chunks: Iterable[bytes | memoryview], old: os.stat_result | None) -> None:
    """Write every chunk, give the file the old one's permissions, and wait until the disk has it."""
    for chunk in chunks:
        rest = memoryview(chunk).cast("B")
        while rest:
            count = os.write(handle, rest)
            if count == 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            rest = rest[count:]
    if old is not None and hasattr(os, "fchmod"):
        os.fchmod(handle, stat.S_IMODE(old.st_mode) & 0o777)
    os.fsync(handle)


def _name_beside(target: str) -> str:
    """Return a path in the target's folder that nobody can guess."""
    name = f"{_leftover_prefix(target)}{secrets.token_hex(12)}{_SUFFIX}"
    return os.path.join(os.path.dirname(target), name)


def _create(path: str, mode: int) -> int:
    """Create and lock a new file."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    for _ in range(100):
        handle = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), mode)
        try:
            _lock(handle, wait=True)
            if fcntl is None or os.fstat(handle).st_nlink:
                return handle
        except BaseException:
            _close(handle)
            raise
        _close(handle)  # another save took the file, not locked yet, for a leftover: make a new one
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def _leftover_prefix(target: str) -> str:
    """Return how the names of one target's temporary files begin; short for any length of the name."""
    name = os.fsencode(os.path.basename(target))
    return f"{_PREFIX}{hashlib.sha256(name).hexdigest()[:16]}-"


def _remove_leftovers(target: str) -> None:
    """Remove temporary files of this target whose writer has died; what cannot be removed stays."""
    if fcntl is None:
        return
    prefix = _leftover_prefix(target)
    with suppress(OSError), os.scandir(os.path.dirname(target)) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and entry.name.endswith(_SUFFIX):
                with suppress(OSError):
                    _remove_if_dead(entry.path)


def _remove_if_dead(path: str) -> None:
    """Remove our own regular file if nobody holds its lock: a living writer always does."""
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(handle)
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and _lock(handle, wait=False):
            os.unlink(path)
            _log.info("removed %s, left behind by an interrupted save", shown(path))
    finally:
        _close(handle)


def _lock(handle: int, wait: bool) -> bool:
    """Lock a file until it is closed; False where it is locked already or cannot be locked."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # held by another, or a file system without locks, where no leftover is ever removed
        return False
    return True


def _close(handle: int | None) -> None:
    """Close a handle; nothing is lost if that fails, since fsync has reported every write by then."""
    if handle is not None:
        with suppress(OSError):
            os.close(handle)


def _open_folder(folder: str) -> int | None:
    """Open a folder to sync it later; None where folders cannot be opened."""
    if not hasattr(os, "O_DIRECTORY"):
        return None
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _sync_folder(folder: int | None) -> None:
    """Make a rename durable."""
    if folder is None:
        return
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_SYNC:
            raise _NotDurable(error.errno, reason(error)) from None


def _read_flags() -> int:
    """Return flags with which opening a pipe does not wait and a terminal is not taken over."""
    names = ("O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY", "O_BINARY")
    return os.O_RDONLY | sum(getattr(os, name, 0) for name in names)


def _read_handle(handle: int, limit: int) -> bytearray:
    """Read exactly the size that the system states, and see that the file ends there."""
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "not a regular file"
        raise ModelFileError(f"is {kind}; expected a model file")
    if found.st_size > limit:
        raise ModelFileError(f"is too large for a model: {found.st_size:,} bytes; at most {limit:,} are read")
    data = bytearray(found.st_size)
    view, filled = memoryview(data), 0
    with open(handle, "rb", buffering=0, closefd=False) as stream:
        while filled < len(data) and (count := stream.readinto(view[filled:])):
            filled += count
        if filled < len(data) or stream.read(1):
            raise ModelFileError("changed while it was being read; try again")
    return data


def _why_not_opened(path: PathLike, error: OSError | ValueError) -> str:
    """Return the reason, with the nearest model file's name where the file is missing."""
    if not isinstance(error, FileNotFoundError):
        return reason(error)
    wanted = Path(os.fsdecode(path))
    try:
        near = sorted(entry.name for entry in wanted.parent.iterdir() if entry.suffix == ".safetensors")
    except OSError:
        return f"there is no folder {shown(wanted.parent)}"
    return f"there is no such file{did_you_mean(wanted.name, near)}"
