"""Limits of the address space: one clear line, no abort, and nothing of the failure stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import minicolumn as mc
from minicolumn import address_space

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="needs RLIMIT_AS as Linux has it"
)
LIMIT = (
    "import resource, sys; most = resource.getrlimit(resource.RLIMIT_AS)[1]; limit = sys.argv.pop(1); "
    "resource.setrlimit(resource.RLIMIT_AS, (most if limit == 'no' else int(limit) << 20, most));"
)


def run(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own."""
    where = {**os.environ, "PYTHONPATH": str(Path(mc.__file__).parents[1]), "MINICOLUMN_CACHE_DIR": "off"}
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, capture_output=True, text=True, env=where, timeout=120)


# Where Python itself has just begun; where NumPy, polars, scikit-learn and LLVM ended the process.
@pytest.mark.parametrize("limit", ["24", "120", "360", "700", "1330", "1600"])
def test_a_command_without_room_is_refused_before_any_library_can_end_it(limit: str, tmp_path: Path) -> None:
    code = f"{LIMIT} from minicolumn.cli import main; sys.exit(main())"
    done = run(code, limit, "train", "penguins", "--out", str(tmp_path / "m.safetensors"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: minicolumn")
    assert "raise it (ulimit -v)" in done.stderr
    assert list(tmp_path.iterdir()) == []


FIT = (
    LIMIT
    + """
import minicolumn as mc
def fit():
    mc.nn, mc.fit
    import numpy as np
    X = np.eye(4, 3)
    return mc.fit(mc.nn.Dense(2), X, np.array([0, 1, 0, 1]), epochs=2, seed=0).predict(X).tobytes().hex()
try:
    print(fit())
except mc.MinicolumnError as error:
    print(isinstance(error, MemoryError), error)
resource.setrlimit(resource.RLIMIT_AS, (most, most))
print(fit())
"""
)


def test_training_goes_on_as_if_nothing_had_been_once_there_is_room() -> None:
    results = [run(FIT, limit) for limit in ("64", "200", "no")]
    assert [done.stderr for done in results] == [""] * 3  # no warning of the reference either
    (numpy, *first), (llvm, *second), (expected, *third) = (done.stdout.splitlines() for done in results)
    assert numpy.startswith("True minicolumn needs about 136 MiB")
    assert llvm.startswith("True native code needs about 184 MiB")
    assert first == second == third == [expected]


def test_an_error_for_want_of_memory_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from minicolumn.cli import main, process, run

    def fail(words: list[str]) -> int:
        raise ImportError("failed to map segment from shared object")

    monkeypatch.setattr(run, "_guarded", fail)
    with pytest.raises(ImportError):  # a fault of the installation, where there is memory
        main(["train"])
    monkeypatch.setattr(process, "address_space_left", lambda: 1 << 20)
    monkeypatch.setattr(process, "check_room", lambda *_: None)
    assert main(["train"]) == 2
    message = "error: this process has not enough memory; raise the limit on its address space (ulimit -v)\n"
    assert capfd.readouterr() == ("", message)


def test_room_is_asked_for_only_before_something_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address_space, "address_space_left", lambda: 0)
    address_space.check_room_for_numpy("this")  # numpy is loaded here
    monkeypatch.delitem(sys.modules, "numpy")
    with pytest.raises(address_space.NoRoomError, match="this needs about 136 MiB of address space"):
        address_space.check_room_for_numpy("this")
