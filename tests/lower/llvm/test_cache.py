"""The cache of object code: no damage, swap, plant, race or full disk gives a wrong answer or an error."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import resource
import shutil
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicolumn.errors import DataError
from minicolumn.lower.llvm.runtime import cache as cache_module
from minicolumn.lower.llvm.runtime.cache import ObjectCache, default_folder, key_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="attacks and limits here are those of POSIX")
KEY, OTHER = key_of("graph", "cpu"), key_of("another graph", "cpu")
HEADER = {"names": ["run"], "bytes": 64, "scale": 0.5}
CODE = bytes(range(256)) * 2
SOURCE = str(Path(cache_module.__file__).parents[4])


@pytest.fixture
def cache(tmp_path: Path) -> ObjectCache:
    return ObjectCache(tmp_path / "native")


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    """Give the list that warnings are added to."""
    messages: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())
    logging.getLogger("minicolumn").addHandler(handler)
    yield messages
    logging.getLogger("minicolumn").removeHandler(handler)


def entry(cache: ObjectCache, key: str = KEY) -> Path:
    assert cache.folder is not None
    return cache.folder / f"{key}.obj"


def put(cache: ObjectCache, key: str = KEY, code: bytes = CODE) -> bytes:
    cache.put(key, HEADER, code)
    return entry(cache, key).read_bytes()


def refuses(cache: ObjectCache, caplog: pytest.LogCaptureFixture, why: str = "") -> None:
    """Check that an entry is not used, is gone, and was warned of once."""
    caplog.clear()
    assert cache.get(KEY) is None
    assert re.search(why, caplog.text)
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert not os.path.lexists(entry(cache))
    assert cache.get(KEY) is None
    assert len(caplog.records) == 1


# Keys -----------------------------------------------------------------------------------------------------


@given(st.lists(st.one_of(st.text(), st.binary()), max_size=5), st.lists(st.one_of(st.text(), st.binary())))
def test_keys_are_equal_for_equal_parts_only(a: list[str | bytes], b: list[str | bytes]) -> None:
    assert (key_of(*a) == key_of(*b)) == (a == b)


def test_keys_do_not_run_together() -> None:
    assert len({key_of("ab", "c"), key_of("a", "bc"), key_of("abc"), key_of(b"abc"), key_of("abc", "")}) == 5
    assert re.fullmatch("[0-9a-f]{64}", key_of("\ud800"))


@pytest.mark.parametrize("key", ["", "..", "../" + KEY, KEY[:-1], KEY.upper(), KEY + "\n", "g" * 64])
def test_a_key_that_is_none_is_refused(cache: ObjectCache, key: str) -> None:
    with pytest.raises(DataError, match="64 hexadecimal"):
        cache.get(key)
    with pytest.raises(DataError, match="64 hexadecimal"):
        cache.put(key, {}, b"")


# What is kept ---------------------------------------------------------------------------------------------


@given(
    st.dictionaries(st.text(), st.one_of(st.integers(), st.text(), st.booleans(), st.lists(st.integers()))),
    st.binary(),
)
def test_what_is_put_is_got(
    tmp_path_factory: pytest.TempPathFactory, header: dict[str, object], code: bytes
) -> None:
    cache = ObjectCache(tmp_path_factory.getbasetemp() / "round-trip")
    cache.put(KEY, header, code)
    assert cache.get(KEY) == (header, code)


def test_an_empty_cache_is_silent_and_makes_no_folder(cache: ObjectCache, warnings: list[str]) -> None:
    assert cache.get(KEY) is None
    assert cache.folder is not None
    assert not cache.folder.exists()
    nowhere = ObjectCache(None)
    nowhere.put(KEY, HEADER, CODE)
    nowhere.sweep()
    assert nowhere.get(KEY) is None
    assert not warnings


def test_folder_and_entries_are_private(cache: ObjectCache) -> None:
    before = os.umask(0)
    try:
        put(cache)
    finally:
        os.umask(before)
    assert cache.folder is not None
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry(cache).stat().st_mode) == 0o600
    assert [p.name for p in cache.folder.iterdir()] == [entry(cache).name]  # nothing is left aside


def test_a_new_entry_takes_the_place_of_the_old(cache: ObjectCache) -> None:
    put(cache, code=b"old")
    put(cache, code=b"new")
    assert cache.get(KEY) == (HEADER, b"new")


def test_the_file_is_as_described(cache: ObjectCache) -> None:
    data = put(cache)
    text = json.dumps(HEADER, sort_keys=True, separators=(",", ":")).encode()
    start = struct.pack("<8sIIQ32s", b"MCNATIVE", 1, len(text), len(CODE), bytes.fromhex(KEY))
    checksum = hashlib.sha256(start + bytes(32) + text + CODE).digest()
    assert data == start + checksum + text + CODE


# Damage ---------------------------------------------------------------------------------------------------


def test_cut_short_at_every_byte(cache: ObjectCache, caplog: pytest.LogCaptureFixture) -> None:
    whole = put(cache)
    for length in range(len(whole)):
        entry(cache).write_bytes(whole[:length])
        refuses(cache, caplog)


def test_one_bit_flipped_in_every_byte(cache: ObjectCache, caplog: pytest.LogCaptureFixture) -> None:
    whole = put(cache)
    for place in range(len(whole)):
        bad = bytearray(whole)
        bad[place] ^= 1 << place % 8
        entry(cache).write_bytes(bad)
        refuses(cache, caplog)


def test_more_bytes_than_there_should_be(cache: ObjectCache, caplog: pytest.LogCaptureFixture) -> None:
    entry(cache).write_bytes(put(cache) + b"x")
    refuses(cache, caplog, "length")


def test_the_entry_of_another_key(cache: ObjectCache, caplog: pytest.LogCaptureFixture) -> None:
    put(cache)
    put(cache, OTHER, b"other")
    shutil.copy(entry(cache, OTHER), entry(cache))
    refuses(cache, caplog, "another key")
    assert cache.get(OTHER) == (HEADER, b"other")


GARBAGE = {
    "empty": b"",
    "zeros": bytes(1000),
    "an object file": b"\x7fELF" + bytes(500),
    "a pickle": b"cos\nsystem\n(S'touch planted'\ntR.",
    "huge header": struct.pack("<8sIIQ", b"MCNATIVE", 1, 2**32 - 1, 0) + bytes(64),
    "huge code": struct.pack("<8sIIQ", b"MCNATIVE", 1, 2, 2**64 - 1) + bytes(64) + b"{}",
    "lengths that wrap around": struct.pack("<8sIIQ", b"MCNATIVE", 1, 2, 2**64 - 2) + bytes(64),
    "another version": struct.pack("<8sIIQ", b"MCNATIVE", 2, 0, 0) + bytes(64),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_planted_garbage(cache: ObjectCache, caplog: pytest.LogCaptureFixture, name: str) -> None:
    put(cache)
    entry(cache).write_bytes(GARBAGE[name])
    refuses(cache, caplog)


@pytest.mark.parametrize("text", [b"[]", b"1", b"", b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 10_000])
def test_a_header_that_is_none_though_its_checksum_is_right(
    cache: ObjectCache, caplog: pytest.LogCaptureFixture, text: bytes
) -> None:
    put(cache)
    entry(cache).write_bytes(cache_module._with_prefix(bytes.fromhex(KEY), text, CODE))
    refuses(cache, caplog, "JSON")


def test_a_file_that_is_far_too_long_is_not_read(
    cache: ObjectCache, caplog: pytest.LogCaptureFixture
) -> None:
    put(cache)
    os.truncate(entry(cache), 2**40)  # sparse: it takes no room, but reading it would
    refuses(cache, caplog, "too long")
    cache.put(KEY, {}, bytes(cache_module.MAX_ENTRY))
    assert cache.get(KEY) is None


def test_an_entry_that_others_may_write_to(cache: ObjectCache, caplog: pytest.LogCaptureFixture) -> None:
    put(cache)
    entry(cache).chmod(0o622)
    refuses(cache, caplog, "this user alone")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_an_entry_and_a_folder_of_somebody_else(cache: ObjectCache, caplog: pytest.LogCaptureFixture) -> None:
    put(cache)
    os.chown(entry(cache), 12345, -1)
    refuses(cache, caplog, "this user alone")
    put(cache)
    assert cache.folder is not None
    os.chown(cache.folder, 12345, -1)
    assert cache.get(KEY) is None
    assert "this user's alone" in caplog.text


# Links, pipes, folders ------------------------------------------------------------------------------------


def test_a_link_in_place_of_an_entry(
    cache: ObjectCache, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole, target = put(cache), tmp_path / "target"
    target.write_bytes(whole)
    entry(cache).unlink()
    entry(cache).symlink_to(target)
    refuses(cache, caplog, "cannot be opened")
    assert target.read_bytes() == whole  # the link went, not what it points at
    entry(cache).symlink_to(target)
    put(cache, code=b"new")
    assert target.read_bytes() == whole
    assert not entry(cache).is_symlink()


def test_a_pipe_in_place_of_an_entry_does_not_hang(
    cache: ObjectCache, caplog: pytest.LogCaptureFixture
) -> None:
    put(cache)
    entry(cache).unlink()
    os.mkfifo(entry(cache), 0o600)
    refuses(cache, caplog, "not a file")


def test_a_folder_in_place_of_an_entry(cache: ObjectCache, warnings: list[str]) -> None:
    put(cache)
    entry(cache).unlink()
    entry(cache).mkdir()
    assert cache.get(KEY) is None
    cache.put(KEY, HEADER, CODE)
    assert cache.get(KEY) == (HEADER, CODE)  # an empty folder is removed like any other misfit


def test_a_full_folder_in_place_of_an_entry(cache: ObjectCache, warnings: list[str]) -> None:
    put(cache)
    entry(cache).unlink()
    (entry(cache) / "inside").mkdir(parents=True)
    before = len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else 0
    for _ in range(20):
        assert cache.get(KEY) is None
        cache.put(KEY, HEADER, CODE)
    assert not before or len(os.listdir("/dev/fd")) <= before  # no descriptor is left open


@pytest.mark.parametrize("kind", ["link", "dangling link", "file", "open to the group", "open to all"])
def test_a_folder_that_cannot_be_trusted_is_refused_with_one_warning(
    cache: ObjectCache, tmp_path: Path, warnings: list[str], kind: str
) -> None:
    put(cache)
    folder, real = cache.folder, tmp_path / "real"
    assert folder is not None
    if kind.startswith("open"):
        folder.chmod(0o770 if "group" in kind else 0o707)
    else:
        folder.rename(real)
        folder.symlink_to(real if kind == "link" else tmp_path / "none") if "link" in kind else folder.touch()
    seen = sorted(real.rglob("*"))
    for _ in range(3):
        assert cache.get(KEY) is None
        cache.put(OTHER, HEADER, CODE)
        cache.sweep()
    assert len(warnings) == 1
    assert str(folder) in warnings[0]
    assert sorted(real.rglob("*")) == seen


# No room, no rights, no home ------------------------------------------------------------------------------


def python(code: str, **environment: str) -> str:
    """Run some code in another process, and return what it prints; warnings are errors."""
    where = {"PATH": os.environ["PATH"], "PYTHONPATH": SOURCE, **environment}
    start = f"from minicolumn.lower.llvm.runtime.cache import *; KEY = {KEY!r}; import os, sys, time\n"
    out = subprocess.run(
        [sys.executable, "-W", "error", "-c", start + code], capture_output=True, text=True, env=where
    )
    assert out.returncode == 0, out.stderr
    return out.stdout + out.stderr


def test_a_full_disk(cache: ObjectCache) -> None:
    put(cache)
    out = python(
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        f"cache = ObjectCache(Path({str(cache.folder)!r}))\n"
        f"cache.put(KEY, {{}}, bytes(100_000)); cache.put({OTHER!r}, {{}}, bytes(100_000))\n"
        f"print(len(cache.get(KEY)[1]), cache.get({OTHER!r}), os.listdir(cache.folder))"
    )
    assert out == f"{len(CODE)} None ['{KEY}.obj']\n"


def test_a_full_file_system(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "none", place]).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        cache = ObjectCache(place / "native")
        for k in range(40):
            cache.put(key_of(str(k)), HEADER, bytes(10_000))
        kept = sum(cache.get(key_of(str(k))) == (HEADER, bytes(10_000)) for k in range(40))
        assert 0 < kept < 7
        assert not list((place / "native").glob(".tmp*"))
        assert not subprocess.run([mount, "-o", "remount,ro", place]).returncode
        cache.put(KEY, HEADER, b"")
        assert cache.get(KEY) is None
        assert cache.get(key_of("0")) == (HEADER, bytes(10_000))
        assert ObjectCache(place / "new").get(KEY) is None
        ObjectCache(place / "new").put(KEY, HEADER, b"")
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_folder_that_may_only_be_read(cache: ObjectCache, warnings: list[str]) -> None:
    put(cache)
    assert cache.folder is not None
    cache.folder.chmod(0o500)
    try:
        assert cache.get(KEY) == (HEADER, CODE)
        cache.put(OTHER, HEADER, CODE)
    finally:
        cache.folder.chmod(0o700)
    assert not warnings


def test_a_folder_that_cannot_be_made(tmp_path: Path, warnings: list[str]) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file" / "native", Path("/proc/native"), tmp_path / ("x" * 300)):
        cache = ObjectCache(folder)
        cache.put(KEY, HEADER, CODE)
        assert cache.get(KEY) is None
    assert len(warnings) == 1  # for the file in the way


def test_too_many_open_files(cache: ObjectCache, warnings: list[str]) -> None:
    put(cache)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = []
    highest = max(map(int, os.listdir("/dev/fd")))  # other tests of this process may hold many
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, highest + 64), hard))
    try:
        with suppress(OSError):
            while True:
                opened.append(os.open("/dev/null", os.O_RDONLY))
        assert cache.get(KEY) is None
        cache.put(OTHER, HEADER, CODE)
        os.close(opened.pop())  # enough for the folder, not for the entry
        assert cache.get(KEY) is None
    finally:
        for handle in opened:
            os.close(handle)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert cache.get(KEY) == (HEADER, CODE)
    assert not warnings


PLACES = [
    ({"HOME": "/h"}, "/h/.cache/minicolumn/native-v1"),
    ({"HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/x/minicolumn/native-v1"),
    ({"HOME": "/h", "XDG_CACHE_HOME": "not/absolute"}, "/h/.cache/minicolumn/native-v1"),
    ({"HOME": "/h", "MINICOLUMN_CACHE_DIR": "/c"}, "/c/native-v1"),
    ({"HOME": "/h", "MINICOLUMN_CACHE_DIR": "off"}, "None"),
    ({"HOME": "/h", "MINICOLUMN_CACHE_DIR": ""}, "None"),
    ({"HOME": "relative"}, "None"),
]


@pytest.mark.parametrize(("environment", "place"), PLACES)
def test_the_default_folder(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], place: str) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", "MINICOLUMN_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert str(default_folder()) == place
    assert str(ObjectCache.default().folder) == place


def test_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("MINICOLUMN_CACHE_DIR", raising=False)
    monkeypatch.setattr(Path, "home", none)
    assert default_folder() is None


# Bounds ---------------------------------------------------------------------------------------------------


def test_the_oldest_make_room_and_use_makes_young(tmp_path: Path) -> None:
    cache = ObjectCache(tmp_path / "native", max_entries=3)
    keys = [key_of(str(k)) for k in range(6)]
    for age, key in enumerate(keys):
        put(cache, key)
        os.utime(entry(cache, key), (age, age))
    assert cache.get(keys[0]) is not None
    cache.sweep()
    assert [cache.get(key) is not None for key in keys] == [True, False, False, False, True, True]


def test_bytes_are_bounded_too_and_it_happens_by_itself(tmp_path: Path) -> None:
    cache = ObjectCache(tmp_path / "native", max_bytes=100_000)
    for k in range(300):
        cache.put(key_of(str(k)), {}, bytes(5_000))
    held = sum(path.stat().st_size for path in (tmp_path / "native").iterdir())
    # Beyond the bound are only the writes since the last sweep: one in 16 sweeps, and 100 in a row that do
    # not have a chance of 0.2 %; the keys are the same each time.
    assert held < 100_000 + 100 * 5_100
    cache.sweep()
    assert sum(path.stat().st_size for path in (tmp_path / "native").iterdir()) <= 100_000
    cache.put(KEY, {}, bytes(200_000))
    assert cache.get(KEY) is None


def test_what_a_killed_writer_left_goes_after_a_while(cache: ObjectCache) -> None:
    put(cache)
    assert cache.folder is not None
    old, young = cache.folder / ".tmp-1-old", cache.folder / ".tmp-2-young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    cache.sweep()
    assert not old.exists()
    assert young.exists()


# Many processes -------------------------------------------------------------------------------------------

WORKER = """
cache = ObjectCache(Path(sys.argv[1] if len(sys.argv) > 1 else os.environ["FOLDER"]), max_entries=12)
keys = [key_of(str(k)) for k in range(16)]
bad = hits = 0
for iteration in range(150):
    key = keys[(iteration * 7 + int(os.environ["NUMBER"])) % 16]
    code = key.encode() * 50
    found = cache.get(key)
    hits += found is not None
    bad += found is not None and found != ({"key": key}, code)
    cache.put(key, {"key": key}, code)
print(bad, hits > 0)
"""


def test_eight_processes_at_once(cache: ObjectCache) -> None:
    assert cache.folder is not None
    where = {"PATH": os.environ["PATH"], "PYTHONPATH": SOURCE, "FOLDER": str(cache.folder)}
    code = "from minicolumn.lower.llvm.runtime.cache import *\nimport sys, os\n" + WORKER
    workers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code],
            env={**where, "NUMBER": str(k)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for k in range(8)
    ]
    for worker in workers:
        out, errors = worker.communicate(timeout=120)
        assert (out, errors, worker.returncode) == ("0 True\n", "", 0)
    assert not list(cache.folder.glob(".tmp*"))


def test_killed_while_writing(cache: ObjectCache) -> None:
    code = f"cache = ObjectCache(Path({str(cache.folder)!r}))\nprint('on', flush=True)\n"
    code += "while True: cache.put(KEY, {'n': 1}, os.urandom(1) * 300_000)"
    start = f"from minicolumn.lower.llvm.runtime.cache import *; KEY = {KEY!r}; import os\n"
    where = {"PATH": os.environ["PATH"], "PYTHONPATH": SOURCE}
    found = None
    for iteration in range(5):
        worker = subprocess.Popen([sys.executable, "-c", start + code], env=where, stdout=subprocess.PIPE)
        assert worker.stdout is not None
        worker.stdout.readline()
        time.sleep(0.05 + 0.013 * iteration)
        worker.kill()
        worker.communicate()
        found = cache.get(KEY)
        assert found is None or found == ({"n": 1}, found[1][:1] * 300_000)
    assert found is not None
