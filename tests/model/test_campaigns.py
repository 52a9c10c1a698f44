"""The long scripts of this folder, a little of each; by hand they run for hours."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from model_samples import artifact_of

from minicolumn.model.artifact import save_artifact
from minicolumn.nn import Dense, Sequential

HERE = Path(__file__).parent


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(script_environment: dict[str, str]) -> Run:
    """Return what runs a script and gives its exit code and its last line."""

    def call(script: str, *options: str) -> tuple[int, str]:
        command = [sys.executable, str(HERE / script), *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=script_environment)
        assert done.stderr == ""
        return done.returncode, done.stdout.splitlines()[-1]

    return call


@pytest.mark.slow
def test_mutants_load_whole_or_are_refused_within_bounded_memory_and_without_side_effects(run: Run) -> None:
    code, last = run("long_fuzz.py", "--mutants", "5000", "--seed", "1")
    assert code == 0, last
    assert re.match(r"5000 mutants, \d{3,} loaded, .* 0 failures", last)


def test_files_whose_parts_do_not_go_together_are_refused_as_they_are_opened(run: Run) -> None:
    code, last = run("long_fuzz.py", "--meanings", "300", "--seed", "1", "--sample", "0.1")
    assert code == 0, last
    assert re.match(r"\d{3} mutants, \d{3} loaded, .* 0 failures", last)


@pytest.mark.slow
def test_saves_survive_being_killed(run: Run) -> None:
    code, last = run("long_kill.py", "--kills", "200")
    assert code == 0, last
    inside = re.match(
        r"200 kills, (\d+) with a temporary file left, \d+ acknowledged saves, 0 failures", last
    )
    assert inside is not None
    assert int(inside[1]) > 5, last  # the kills do strike inside a save


@pytest.mark.slow
def test_the_kill_test_sees_a_plain_save_break(run: Run) -> None:
    code, last = run("long_kill.py", "--kills", "50", "--control")
    assert code == 1, last


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_faults_under_strace_end_cleanly(run: Run) -> None:
    code, last = run("long_faults.py", "--only", "rename", "--errors", "ENOSPC")
    assert code == 0, last


LIMITED = """
import resource, sys
from minicolumn.errors import ModelFileError
from minicolumn.model.artifact import load_artifact
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for path in sys.argv[2:]:
    try:
        print("weights", sum(a.size for p in load_artifact(path).params.values() for a in p.values()))
    except ModelFileError as error:
        print(str(error))
"""


def test_loading_takes_at_most_300_mib_and_three_times_the_file(
    tmp_path: Path, script_environment: dict[str, str]
) -> None:
    large, cut = (tmp_path / f"{name}.safetensors" for name in ("large", "cut"))
    # 32 MiB in one tensor, the worst case
    save_artifact(artifact_of(Sequential(Dense(2048)), (4096,)), large)
    shutil.copy(large, cut)
    os.truncate(cut, cut.stat().st_size - 1)
    limit = 300 * 1024**2 + 3 * large.stat().st_size
    command = [sys.executable, "-c", LIMITED, str(limit), str(large), str(cut)]
    done = subprocess.run(command, capture_output=True, text=True, env=script_environment)
    assert done.stderr == ""
    weights, refusal = done.stdout.splitlines()
    assert weights == f"weights {2048 * 4097}"
    assert "cut.safetensors is damaged: it holds" in refusal
