"""How many parts: what the system allows, and a choice that is never wrong for long."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicolumn.lower.llvm.runtime import thread_count
from minicolumn.lower.llvm.runtime.thread_count import ThreadTuner, ThreadTuners, cores

ALL = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def system(root: Path, groups: str) -> Path:
    """Write which control groups this process is in."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    return root


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    if hasattr(os, "sched_getaffinity"):
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)))
    monkeypatch.setattr(os, "cpu_count", lambda: 64)


V2 = {
    "max 100000\n": 64,
    "200000 100000\n": 2,
    "150000 100000\n": 2,
    "50000 100000\n": 1,
    "1 0\n": 64,
    "nonsense": 64,
    "": 64,
}


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("limit", V2)
def test_second_kind_of_control_groups(tmp_path: Path, limit: str) -> None:
    (tmp_path / "sys/fs/cgroup/a/b").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/a/cpu.max").write_text(limit)
    (tmp_path / "sys/fs/cgroup/a/b/cpu.max").write_text("max 100000")
    assert cores(system(tmp_path, "0::/a/b\n"), {}) == V2[limit]


@pytest.mark.usefixtures("many")
def test_inside_a_container_the_topmost_group_counts(tmp_path: Path) -> None:
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/cpu.max").write_text("300000 100000\n")
    assert cores(system(tmp_path, "0::/../../elsewhere\n"), {}) == 3


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(("quota", "expected"), [("-1", 64), ("250000", 3), ("10000", 1)])
@pytest.mark.parametrize("mount", ["cpu,cpuacct", "cpu"])
def test_first_kind_of_control_groups(tmp_path: Path, quota: str, expected: int, mount: str) -> None:
    folder = tmp_path / "sys/fs/cgroup" / mount / "job"
    folder.mkdir(parents=True)
    (folder / "cpu.cfs_quota_us").write_text(quota + "\n")
    (folder / "cpu.cfs_period_us").write_text("100000\n")
    groups = "5:cpuset:/other\n4:cpu,cpuacct:/job\n1:name=systemd:/x\n0::/\n"
    assert cores(system(tmp_path, groups), {}) == expected


@pytest.mark.usefixtures("many")
def test_threads_asked_for(tmp_path: Path) -> None:
    asked = {
        "3": 3,
        " 2 ": 2,
        "4,2": 4,
        "0": 64,
        "-1": 64,
        "": 64,
        "many": 64,
        "3x": 64,
        "100": 64,
        "1" * 30: 64,
    }
    for text, expected in asked.items():
        assert cores(tmp_path, {"OMP_NUM_THREADS": text}) == expected, text


def test_this_computer() -> None:
    assert 1 <= cores() <= ALL
    assert cores(Path("/nowhere"), {}) == ALL


# ThreadTuner ---------------------------------------------------------------------------------------------


def spent(
    tuner: ThreadTuner, one: float, many: float, calls: int, noise: np.ndarray | None = None
) -> tuple[ThreadTuner, float]:
    """Return the tuner and the seconds after some calls that take so long each."""
    total = 0.0
    for k in range(calls):
        seconds = (one if tuner.parts == 1 else many) * (1.0 if noise is None else float(noise[k]))
        total += seconds
        tuner = tuner.after(seconds)
    return tuner, total


TIMES = st.floats(1e-6, 1.0)


@settings(deadline=None)
@given(TIMES, TIMES, st.integers(0, 2_000))
def test_it_costs_little_over_the_better_choice(one: float, many: float, calls: int) -> None:
    # Half of the first trials may be spent on the worse one; after that SHARE of the time, one more try, and
    # one that comes early.
    _, total = spent(ThreadTuner(8), one, many, calls)
    start = (thread_count.TRIALS // 2 + 2) * abs(one - many)
    assert total <= (1 + thread_count.SHARE) * min(one, many) * calls + start + 1e-9


@settings(max_examples=40, deadline=None)
@given(TIMES, TIMES, st.integers(0, 2**32 - 1))
def test_with_noise_too(one: float, many: float, seed: int) -> None:
    # Times vary by a quarter either way; a choice can then be wrong only where both are about as good.
    noise = np.random.default_rng(seed).uniform(0.75, 1.25, 1_000)
    _, total = spent(ThreadTuner(2), one, many, 1_000, noise)
    start = (thread_count.TRIALS // 2 + 2) * 1.25 * abs(one - many)
    assert total <= 1.2 * min(one, many) * 1_000 + start


@settings(deadline=None)
@given(st.floats(1.3, 20.0), st.booleans())
def test_it_notices_when_things_change(factor: float, many_first: bool) -> None:
    fast, slow = 1e-3, 1e-3 * factor
    before = (slow, fast) if many_first else (fast, slow)
    tuner, _ = spent(ThreadTuner(2), before[0], before[1], 500)
    tuner, _ = spent(tuner, before[1], before[0], 200 + int(60 * factor))
    chosen = []
    for _ in range(10):
        chosen.append(tuner.parts)
        tuner, _ = spent(tuner, before[1], before[0], 1)
    assert chosen.count(1 if many_first else 2) >= 9  # one may be the other's iteration to be tried again


def test_it_leaves_a_choice_at_once_when_it_becomes_slow() -> None:
    tuner, _ = spent(ThreadTuner(2), 2e-3, 1e-3, 100)
    assert tuner.parts == 2
    tuner, _ = spent(tuner, 2e-3, 1.0, 2)
    assert tuner.parts == 1


@given(st.lists(TIMES, max_size=100), st.integers(1, 8))
def test_the_same_times_give_the_same_choices(times: list[float], most: int) -> None:
    first = second = ThreadTuner(most)
    for seconds in times:
        assert first.parts == second.parts
        assert first.parts in (1, most)
        first, second = first.after(seconds, 3), second.after(seconds, 3)
    assert first == second


def test_one_core_is_one_part() -> None:
    tuner = ThreadTuner(1)
    for seconds in (1.0, 0.1, 0.0):
        assert tuner.parts == 1
        tuner = tuner.after(seconds)


def test_calls_that_went_otherwise_than_chosen() -> None:
    tuner = ThreadTuner(2)
    for _ in range(100):  # another run holds the threads each time
        tuner = tuner.after(1e-3, parts=1)
    assert tuner.parts == 2
    tuner, _ = spent(tuner, 1e-3, 0.5e-3, 10)
    assert tuner.parts == 2
    assert tuner.after(1e-3, parts=1).parts == 2


def test_steps_are_what_is_compared() -> None:
    tuner = ThreadTuner(2)
    for _ in range(20):
        steps = 100 if tuner.parts == 2 else 10
        tuner = tuner.after(steps * (1e-3 if tuner.parts == 2 else 2e-3), steps)
    assert tuner.parts == 2


def test_a_neighbour_during_the_trials_is_forgotten_soon() -> None:
    tuner = ThreadTuner(2)
    for _ in range(thread_count.TRIALS):  # two parts are in fact twice as fast, but share a core just now
        tuner = tuner.after(1.4e-3 if tuner.parts == 2 else 1e-3)
    assert tuner.parts == 1
    tuner, _ = spent(tuner, 1e-3, 0.5e-3, thread_count.AGAIN_CALLS + 1)
    assert tuner.parts == 2


def test_hiccups_do_not_move_it() -> None:
    tuner, _ = spent(ThreadTuner(2), 1.7e-3, 1e-3, 50)
    for k in range(40):
        slow = 1.5 if k % 4 == 0 else 1.0  # every fourth call is late by half
        tuner = tuner.after((1e-3 if tuner.parts == 2 else 1.7e-3) * slow)
    assert tuner.parts == 2


def test_what_is_clear_takes_fewer_trials() -> None:
    tuner = ThreadTuner(2)
    chosen = []
    for _ in range(thread_count.TRIALS):
        chosen.append(tuner.parts)
        tuner = tuner.after(1e-3 if tuner.parts == 2 else 2e-3)
    assert chosen == [2, 1, 2, 2, 2, 2]


# ThreadTuners --------------------------------------------------------------------------------------------


def chosen_by(tuners: ThreadTuners, sizes: tuple[int, ...], rounds: int) -> list[int]:
    """Return the parts of the last round of calls, each of which costs 50 microseconds more for each part."""
    parts: list[int] = []
    for _ in range(rounds):
        parts = []
        for steps in sizes:
            parts.append(tuners.of(steps).parts)
            tuners.note(steps, steps * 20e-6 / parts[-1] + 50e-6 * parts[-1])
    return parts


def test_short_calls_say_nothing_about_long_ones() -> None:
    # A prediction calls its program twice: for whole blocks of rows, and for the rest of them.
    assert chosen_by(ThreadTuners(2), (1, 190), 8) == [1, 2]
    assert chosen_by(ThreadTuners(2), (190, 1), 8) == [2, 1]


def test_what_pays_for_short_calls_is_not_tried_again_for_longer_ones() -> None:
    tuners = ThreadTuners(2)
    assert chosen_by(tuners, (100,), 8) == [2]
    assert chosen_by(tuners, (1000, 250, 100_000), 1) == [2, 2, 2]
    assert tuners.of(1).parts == ThreadTuner(2).parts


def test_what_does_not_pay_for_long_calls_is_not_tried_for_shorter_ones() -> None:
    tuners = ThreadTuners(2)
    for _ in range(8):
        tuners.note(100, 1e-3 * tuners.of(100).parts)
    assert tuners.of(100).parts == tuners.of(3).parts == tuners.of(0).parts == 1
