"""Writing a file as a whole, and reading one: the old bytes, the new bytes, or one clear line."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from minicolumn.errors import DataError, ModelFileError
from minicolumn.model import files
from minicolumn.model.files import read_whole, write_atomically, write_together


def listing(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def failing() -> Iterator[bytes]:
    yield b"half"
    raise RuntimeError("the model broke")


def test_new_file_gets_the_mode_of_the_umask(tmp_path: Path) -> None:
    target, old = tmp_path / "m.safetensors", os.umask(0o027)
    try:
        write_atomically(target, [b"ab", memoryview(b"cd")])
    finally:
        os.umask(old)
    assert target.read_bytes() == b"abcd"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert listing(tmp_path) == ["m.safetensors"]


def test_old_file_keeps_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "m"
    target.write_bytes(b"old")
    target.chmod(0o604)
    write_atomically(target, [b"new"])
    assert (target.read_bytes(), stat.S_IMODE(target.stat().st_mode)) == (b"new", 0o604)


def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "m", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_atomically(link, [b"new"])
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_dangling_link_gets_its_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", [b"new"])
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop", "device"])
def test_what_is_not_a_file_is_refused_and_stays(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "m"
    make = {
        "folder": target.mkdir,
        "pipe": lambda: os.mkfifo(target),
        "loop": lambda: target.symlink_to(target),
        "device": lambda: target.symlink_to("/dev/null"),
    }
    make[kind]()
    with pytest.raises(DataError, match=r"^cannot write .*m: .*(folder|regular file|symbolic links)"):
        write_atomically(target, [b"new"])
    assert listing(tmp_path) == ["m"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no folder .*nowhere$"):
        write_atomically(tmp_path / "nowhere" / "m", [b"new"])


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "x" * 300, "a/b\nc"])
def test_impossible_names_are_refused_in_one_line(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        write_atomically(name, [b"new"])
    assert str(caught.value).isprintable()
    with pytest.raises(ModelFileError) as unread:
        read_whole(name, 10)
    assert str(unread.value).isprintable()
    assert listing(tmp_path) == []


def test_a_longest_name_is_written(tmp_path: Path) -> None:
    write_atomically(tmp_path / ("é" * 127), [b"new"])  # 254 of the 255 bytes that a name may have
    assert (tmp_path / ("é" * 127)).read_bytes() == b"new"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; run as another user")
def test_a_read_only_folder_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(DataError, match="Permission denied; nothing was written"):
            write_atomically(tmp_path / "m", [b"new"])
    finally:
        tmp_path.chmod(0o700)


def test_a_write_protected_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m").write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda *_: False)  # what the system says to all but root
    with pytest.raises(DataError, match="write-protected; the old file is untouched"):
        write_atomically(tmp_path / "m", [b"new"])
    assert (tmp_path / "m").read_bytes() == b"old"


def test_an_error_of_the_writer_passes_and_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"old")
    with pytest.raises(RuntimeError, match="the model broke"):
        write_atomically(tmp_path / "m", failing())
    assert (tmp_path / "m").read_bytes() == b"old"
    assert listing(tmp_path) == ["m"]


def _temporary_prefix(target: Path) -> str:
    """Return how the names of the temporary files begin that are written for a target."""
    seen: list[str] = []

    def chunks() -> Iterator[bytes]:
        seen.extend(set(listing(target.parent)) - {target.name})
        yield b"old"

    write_atomically(target, chunks())
    [name] = seen
    assert name.startswith(".minicolumn-")
    assert name.endswith(".tmp")
    return name[: name.rindex("-") + 1]


def test_leftovers_of_the_dead_go_and_of_the_living_stay(tmp_path: Path) -> None:
    target = tmp_path / "m"
    prefix = _temporary_prefix(target)
    dead, living, other, link = (tmp_path / f"{prefix}{n}.tmp" for n in ("dead", "living", "x.keep", "link"))
    stranger = tmp_path / ".minicolumn-0000000000000000-00.tmp"  # of another target
    for path in (dead, living, other, stranger):
        path.write_bytes(b"half")
    link.symlink_to(other)
    other = other.rename(tmp_path / "precious")
    with open(living, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        write_atomically(target, [b"new"])
    assert not dead.exists()
    assert living.exists()
    assert stranger.exists()
    assert link.is_symlink()
    assert other.exists()
    write_atomically(target, [b"new"])
    assert not living.exists()


def test_a_temporary_file_taken_before_its_lock_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = fcntl.flock, []

    def unlinked_first(handle: int, operation: int) -> None:  # as another process may do at this very moment
        if not seen:
            seen.append(os.readlink(f"/proc/self/fd/{handle}"))
            os.unlink(seen[0])
        real(handle, operation)

    monkeypatch.setattr(fcntl, "flock", unlinked_first)
    write_atomically(tmp_path / "m", [b"new"])
    assert len(seen) == 1
    assert (tmp_path / "m").read_bytes() == b"new"
    assert listing(tmp_path) == ["m"]


def test_a_folder_that_cannot_be_synced_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync

    def fsync(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(5, "Input/output error")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(
        DataError, match=r"^wrote .*m, but its folder could not be synced: Input/output error"
    ):
        write_atomically(tmp_path / "m", [b"new"])
    assert (tmp_path / "m").read_bytes() == b"new"


def test_reading_gives_the_bytes_up_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"abc")
    assert read_whole(tmp_path / "m", 3) == b"abc"
    with pytest.raises(ModelFileError, match="too large for a model: 3 bytes; at most 2"):
        read_whole(tmp_path / "m", 2)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # opening it the plain way would wait for a writer, for ever
    for path, kind in ((tmp_path / "pipe", "regular"), (tmp_path, "folder"), (Path("/dev/zero"), "regular")):
        with pytest.raises(ModelFileError, match=kind):
            read_whole(path, 10)


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "iris.safetensors").write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"no such file; did you mean 'iris\.safetensors'\?"):
        read_whole(tmp_path / "iriss.safetensors", 10)
    with pytest.raises(ModelFileError, match="there is no folder"):
        read_whole(tmp_path / "nowhere" / "m", 10)


@pytest.mark.parametrize("change", [b"", b"ab", b"abcd"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: bytes
) -> None:
    (tmp_path / "m").write_bytes(b"abc")
    real = os.fstat

    def fstat(handle: int) -> os.stat_result:
        found = real(handle)
        (tmp_path / "m").write_bytes(change)
        return found

    monkeypatch.setattr(os, "fstat", fstat)
    with pytest.raises(ModelFileError, match="changed while it was being read"):
        read_whole(tmp_path / "m", 100)


def test_an_interrupt_between_any_two_lines_leaves_the_old_file_or_the_new_one_and_nothing_else(
    tmp_path: Path,
) -> None:
    target, seen, old_ones, number = tmp_path / "m", 0, 0, 0

    def interrupt_at(number: int) -> Callable[[FrameType, str, Any], Any]:
        def trace(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal seen
            if frame.f_code.co_filename != files.__file__:
                return None
            if event == "line":
                seen += 1
                if seen == number:
                    raise KeyboardInterrupt
            return trace

        return trace

    for number in range(1, 1000):
        target.write_bytes(b"old")
        seen, before = 0, sys.gettrace()
        sys.settrace(interrupt_at(number))
        try:
            write_atomically(target, [b"new", b" bytes"])
        except KeyboardInterrupt:
            sys.settrace(before)
            assert listing(tmp_path) == ["m"], number
            assert target.read_bytes() in (b"old", b"new bytes")
            old_ones += target.read_bytes() == b"old"
        else:
            sys.settrace(before)
            break
    assert 30 < old_ones < number < 999  # some come after the rename


def test_of_several_files_it_is_told_how_many_are_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may rename one and refuse the next: then "nothing was written" would be a lie."""
    real = os.replace

    def replace(source: str, target: str) -> None:
        if target.endswith("b.c"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(DataError, match=r"b\.c.*1 of 2 files are in place"):
        write_together({tmp_path / "a.h": [b"new"], tmp_path / "b.c": [b"new"]})
    with pytest.raises(DataError, match=r"b\.c.*nothing was written"):
        write_together({tmp_path / "b.c": [b"new"], tmp_path / "c.h": [b"new"]})
    assert listing(tmp_path) == ["a.h"]
