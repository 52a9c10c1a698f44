"""Object code on disk: an entry is whole and ours, or it is thrown away and the code is made anew.

    entry = magic | version | header bytes | code bytes | key | SHA-256 of all the rest | header | code

The header is JSON and the code is an object file; nothing is ever unpickled. Entries are written aside,
synced and renamed, so that readers see a whole one or none. The folder must belong to the user and be
writable by nobody else, since whoever writes there chooses what this process runs.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import re
import secrets
import stat
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from minicolumn.errors import DataError

VARIABLE = "MINICOLUMN_CACHE_DIR"  # another place for the folder; "off" or empty: no cache
FOLDER = "native-v1"
MAX_BYTES = 256 * 1024**2  # of all entries
MAX_ENTRIES = 4096
MAX_ENTRY = 64 * 1024**2  # of one

_MAGIC, _VERSION = b"MCNATIVE", 1
_PREFIX = struct.Struct("<8sIIQ32s32s")
_SUFFIX, _ASIDE = ".obj", ".tmp-"
_SWEEP_EVERY = 16  # writes, on average
_ABANDONED = 3600.0  # seconds after which a file written aside has no writer any more
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_PLANTED = {errno.ELOOP, errno.EMLINK, errno.EACCES, errno.EPERM, errno.ENXIO, errno.EISDIR}

_log = logging.getLogger("minicolumn")


def key_of(*parts: str | bytes) -> str:
    """Return one key for several parts; every part counts, and so does where one ends and the next begins.

    >>> key_of("ab", "c") == key_of("a", "bc")
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(struct.pack("<cQ", b"s" if isinstance(part, str) else b"b", len(data)))
        digest.update(data)
    return digest.hexdigest()


def default_folder() -> Path | None:
    """Return the folder for this user's entries, or None where there is none or the cache is off."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        if named.strip().lower() in ("", "off"):
            return None
        try:
            return Path(named).expanduser().absolute() / FOLDER
        except RuntimeError:  # no such user
            return None
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        base = base if base.is_absolute() else Path.home() / ".cache"
    except RuntimeError:  # no home
        return None
    return base / "minicolumn" / FOLDER if base.is_absolute() else None


class _Bad(Exception):
    """An entry that must not be used, and why."""


# The bytes of an entry ------------------------------------------------------------------------------------


def _packed(key: str, header: dict[str, Any], code: bytes) -> bytes:
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    return _with_prefix(bytes.fromhex(key), text, code)


def _with_prefix(key: bytes, text: bytes, code: bytes) -> bytes:
    lengths = (_MAGIC, _VERSION, len(text), len(code), key)
    return _PREFIX.pack(*lengths, _checksum(lengths, text, code)) + text + code


def _checksum(lengths: tuple[Any, ...], text: bytes | memoryview, code: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(_PREFIX.pack(*lengths, b""))
    digest.update(text)
    digest.update(code)
    return digest.digest()


def _unpacked(key: str, data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the header and the code of an entry; raise _Bad if one bit of it is not as it was written."""
    if len(data) < _PREFIX.size:
        raise _Bad("it is cut short")
    *lengths, checksum = _PREFIX.unpack_from(data)
    magic, version, header_bytes, code_bytes, stored = lengths
    if magic != _MAGIC or version != _VERSION:
        raise _Bad("it is of another kind or version")
    if len(data) != _PREFIX.size + header_bytes + code_bytes:
        raise _Bad("its length is not what it says")
    middle = _PREFIX.size + header_bytes
    text, code = data[_PREFIX.size : middle], data[middle:]
    if checksum != _checksum(tuple(lengths), text, code):
        raise _Bad("its checksum is wrong")
    if stored.hex() != key:
        raise _Bad("it belongs to another key")
    return _header(text), code


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise _Bad("its header is no JSON object")
    return header


# The folder -----------------------------------------------------------------------------------------------


class _Entry(NamedTuple):
    name: str
    bytes: int
    time: float


class _Folder:
    """An open folder: names are looked up in it, whatever becomes of its path meanwhile."""

    def __init__(self, path: Path, handle: int | None) -> None:
        self._path, self._handle = path, handle

    def _at(self, name: str) -> str:
        return name if self._handle is not None else str(self._path / name)

    def open(self, name: str, flags: int) -> int:
        return os.open(self._at(name), flags, 0o600, dir_fd=self._handle)

    def remove(self, name: str) -> None:
        with suppress(OSError):
            try:
                os.unlink(self._at(name), dir_fd=self._handle)
            except (IsADirectoryError, PermissionError):
                os.rmdir(self._at(name), dir_fd=self._handle)

    def rename(self, name: str, to: str) -> None:
        os.replace(self._at(name), self._at(to), src_dir_fd=self._handle, dst_dir_fd=self._handle)

    def touch(self, name: str) -> None:
        with suppress(OSError):
            os.utime(self._at(name), dir_fd=self._handle)

    def entries(self) -> Iterator[_Entry]:
        for name in os.listdir(self._path if self._handle is None else self._handle):
            with suppress(OSError):
                found = os.stat(self._at(name), dir_fd=self._handle, follow_symlinks=False)
                yield _Entry(name, found.st_size, found.st_mtime)


def _is_ours(found: os.stat_result) -> bool:
    """Return whether a folder or file belongs to this user, and nobody else may write to it."""
    if not hasattr(os, "getuid"):  # elsewhere the user's own folders are closed to others as they stand
        return True
    return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _read(folder: _Folder, name: str) -> bytes:
    try:
        handle = folder.open(name, _READ)
    except OSError as error:
        raise (_Bad("it cannot be opened as a file") if error.errno in _PLANTED else error) from None
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or not _is_ours(found):
        os.close(handle)
        raise _Bad("it is not a file of this user alone")
    with open(handle, "rb", buffering=0) as file:
        if found.st_size > MAX_ENTRY:
            raise _Bad("it is far too long")
        return file.read(found.st_size + 1)


def _write(folder: _Folder, name: str, data: bytes) -> None:
    aside = f"{_ASIDE}{os.getpid()}-{secrets.token_hex(8)}"
    try:
        with open(folder.open(aside, _WRITE), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        folder.rename(aside, name)
    except BaseException:
        folder.remove(aside)
        raise


class ObjectCache:
    """Object code by key, in a folder of this user's, or nowhere.

    Nothing that lies in the folder, or happens to it, raises an error: then there is no entry. The oldest
    entries make room for new ones; using one makes it young again. Safe with many processes at once.
    """

    def __init__(
        self, folder: Path | None, max_bytes: int = MAX_BYTES, max_entries: int = MAX_ENTRIES
    ) -> None:
        """Keep entries in a folder, which is made when it is first written to; with None keep nothing."""
        self.folder, self.max_bytes, self.max_entries = folder, max_bytes, max_entries
        self._refused = False

    @classmethod
    def default(cls) -> ObjectCache:
        """Return the cache in this user's cache folder, or where MINICOLUMN_CACHE_DIR says."""
        return cls(default_folder())

    def get(self, key: str) -> tuple[dict[str, Any], bytes] | None:
        """Return the header and the code kept under a key; a damaged entry is removed."""
        name = _name(key)
        try:
            with self._opened() as folder:
                return self._checked(folder, key, name) if folder else None
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.debug("native code is not read from %s: %s", self.folder, error)
        return None

    def put(self, key: str, header: dict[str, Any], code: bytes) -> None:
        """Keep a header of plain values, and code, under a key; without room or rights nothing happens."""
        name, data = _name(key), _packed(key, header, code)
        if self.folder is None or len(data) > min(MAX_ENTRY, self.max_bytes):
            return
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._opened() as folder:
                if folder:
                    _write(folder, name, data)
                    self._sweep_now_and_then(folder, key)
        except OSError as error:
            _log.debug("native code is not kept in %s: %s", self.folder, error)

    def sweep(self) -> None:
        """Remove the oldest entries until the rest is within the bounds, and what dead writers left."""
        with suppress(OSError), self._opened() as folder:
            if folder:
                self._sweep(folder)

    def _checked(self, folder: _Folder, key: str, name: str) -> tuple[dict[str, Any], bytes] | None:
        try:
            found = _unpacked(key, _read(folder, name))
        except _Bad as bad:
            folder.remove(name)
            _log.warning("a cached piece of native code was not used, since %s: %s", bad, name)
            return None
        folder.touch(name)
        return found

    @contextmanager
    def _opened(self) -> Iterator[_Folder | None]:
        """Open the folder, or give None where there is none that can be trusted."""
        if self.folder is None:
            yield None
            return
        if os.open not in os.supports_dir_fd:
            yield _Folder(self.folder, None)
            return
        handle = self._handle(self.folder)
        try:
            yield None if handle is None else _Folder(self.folder, handle)
        finally:
            if handle is not None:
                os.close(handle)

    def _handle(self, path: Path) -> int | None:
        try:
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR):
                raise
            return self._refuse("it is not a folder itself")
        if _is_ours(os.fstat(handle)):
            return handle
        os.close(handle)
        return self._refuse("it is not this user's alone; make it so with chmod 700, or remove it")

    def _refuse(self, why: str) -> None:
        if not self._refused:
            _log.warning("native code is not cached in %s: %s", self.folder, why)
        self._refused = True

    def _sweep_now_and_then(self, folder: _Folder, key: str) -> None:
        # Keys are spread evenly, so they serve as dice.
        if int(key[:8], 16) % _SWEEP_EVERY == 0:
            self._sweep(folder)

    def _sweep(self, folder: _Folder) -> None:
        found = sorted(folder.entries(), key=lambda entry: entry.time, reverse=True)
        entries = [entry for entry in found if not entry.name.startswith(_ASIDE)]
        total = 0
        for number, entry in enumerate(entries, 1):
            total += entry.bytes
            if number > self.max_entries or total > self.max_bytes:
                folder.remove(entry.name)
        for entry in found:
            if entry.name.startswith(_ASIDE) and entry.time < time.time() - _ABANDONED:
                folder.remove(entry.name)


def _name(key: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", key):
        raise DataError(f"a cache key has 64 hexadecimal digits, as key_of gives them; got {key!r}")
    return key + _SUFFIX
