"""A search in PostgreSQL: a real server on loopback, found where Debian's package puts it, else skipped."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from minicolumn.errors import DataError
from minicolumn.tune.session import SearchPlan, run_search
from minicolumn.tune.storage import open_storage

pytest.importorskip("psycopg", reason="needs a driver: pip install 'minicolumn[postgresql]'")


def _as_owner(words: list[str]) -> list[str]:
    """Return a command as the server's own user, since PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *words] if os.geteuid() == 0 else words


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Callable[[], None]]]:
    """Start a server; give its URL, and what stops it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path("/usr/bin")]
    binaries = found[-1]
    if not (binaries / "initdb").exists():
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="minicolumn-pg-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data, run = str(folder / "data"), {"check": True, "capture_output": True, "cwd": "/"}
    subprocess.run(_as_owner([str(binaries / "initdb"), "-D", data, "-A", "trust", "-U", "ann"]), **run)  # type: ignore[call-overload]
    options = f"-p {port} -k {folder} -h 127.0.0.1 -F"
    control = [str(binaries / "pg_ctl"), "-D", data, "-w"]
    start = [*control, "-o", options, "-l", str(folder / "log"), "start"]
    subprocess.run(_as_owner(start), check=True, stdout=subprocess.DEVNULL, cwd="/")

    def stop() -> None:
        subprocess.run(_as_owner([*control, "-m", "immediate", "stop"]), capture_output=True, cwd="/")

    yield f"postgresql://ann:secret@127.0.0.1:{port}/postgres", stop
    stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_search_is_kept_gone_on_with_and_told_when_the_server_is_gone(
    server: tuple[str, Callable[[], None]], plan: Callable[..., SearchPlan]
) -> None:
    url, stop = server
    said: dict[str, Any] = {"strategy": "tpe", "storage": url}
    first = run_search(plan(**said, trials=2), refit=False)
    again = run_search(plan(**said, trials=4, resume=True), refit=False)
    assert [t.by_fold for t in again.records[:2]] == [t.by_fold for t in first.records]
    assert len(again.records) == 4
    with open_storage("storage", url) as storage:
        (search,) = storage.searches()
        assert [t.by_fold for t in search.trials] == [t.by_fold for t in again.records]
        stop()
        with pytest.raises(DataError) as gone:
            search.add(again.records[0])
    assert "\n" not in str(gone.value)
    with pytest.raises(DataError, match="cannot use postgresql") as refused, open_storage("storage", url):
        raise AssertionError
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)
