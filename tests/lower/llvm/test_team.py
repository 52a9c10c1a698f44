"""Threads: meetings that hold, runs that nothing tears, forks and exits."""

from __future__ import annotations

import ctypes
import functools
import gc
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicolumn.lower.llvm.codegen.emit import Function, Module, Value, index
from minicolumn.lower.llvm.runtime import jit, team
from minicolumn.lower.llvm.runtime.team import Team

pytestmark = pytest.mark.skipif(not jit.available(), reason=jit.why_missing())
SOURCE = str(Path(team.__file__).parents[4])
ROUNDS, FAULTS, FIRST, APART = (
    0,
    1,
    16,
    16,
)  # places in the table; each part's slot has a cache line to itself


def meetings() -> str:
    """Return a module whose `run` writes a slot, meets the others, and counts slots that are not as new."""
    module = Module()
    barrier = team.emit_barrier(module)
    parameters = [("table", "ptr"), ("team", "ptr"), ("part", "i64"), ("parts", "i64")]
    f = Function(module, "run", parameters)
    table, crew, part, parts = (f.parameters[name] for name, _ in parameters)
    with f.loop(0, f.load("i64", f.at(table, ROUNDS, "i64"))) as loop:
        f.store(loop.counter, slot(f, table, part))
        f.call(barrier, "void", crew, parts)
        with f.loop(0, parts, 1, [index(0)]) as other:
            seen = f.load("i64", slot(f, table, other.counter))
            wrong = f.convert("zext", f.compare("ne", seen, loop.counter), "i64")
            other.next(f.op("add", other.carried[0], wrong))
        faults = f.at(table, FAULTS, "i64")
        f.line(f"atomicrmw add {faults}, {other.results[0]} monotonic, align 8")
        f.call(barrier, "void", crew, parts)
        loop.next()
    f.finish()
    return str(module)


def slot(f: Function, table: Value, part: Value) -> Value:
    place = f.op("add", f.op("mul", part, index(APART)), index(FIRST))
    return f.at(table, place, "i64")


@functools.cache
def code() -> jit.Loaded:
    return jit.Loaded(jit.compile_object(meetings(), jit.host_target()))


def barrier(crew: Team, parts: int, rounds: int) -> int:
    """Run the meetings, check every one, and return how many parts there were."""
    table = np.zeros(FIRST + APART * 16, np.int64)
    table[ROUNDS] = rounds
    used = crew.run(code().address("run"), table.ctypes.data, parts)
    slots = table[FIRST::APART]
    assert table[FAULTS] == 0
    assert slots[:used].tolist() == [rounds - 1] * used
    assert not slots[used:].any()
    return used


@pytest.mark.parametrize(("parts", "rounds"), [(1, 10_000), (2, 10_000), (3, 1_000), (4, 1_000), (7, 100)])
def test_all_meet_in_every_round(parts: int, rounds: int) -> None:
    # More parts than cores make each meeting wait for the scheduler, hence fewer rounds.
    assert barrier(Team(), parts, rounds) == parts


def test_many_short_runs_with_changing_numbers_of_parts() -> None:
    crew = Team()
    for iteration in range(300):
        parts = 1 + iteration * 7 % 3
        assert barrier(crew, parts, 3) == parts


def test_members_go_to_sleep_and_wake_again() -> None:
    crew = Team()
    for iteration in range(10):
        assert barrier(crew, 2, 5) == 2
        time.sleep(0.002 * iteration)
    before, start = time.process_time(), time.perf_counter()
    time.sleep(0.3)
    # Asleep they take nothing; the bound leaves room for what else this process does.
    assert time.process_time() - before < 0.5 * (time.perf_counter() - start)


def test_members_end_with_their_team() -> None:
    gc.collect()
    before = set(threading.enumerate())  # those of other tests come and go
    crew = Team()
    assert barrier(crew, 3, 3) == 3
    members = {thread for thread in set(threading.enumerate()) - before if thread.name == "minicolumn"}
    assert len(members) == 2
    crew.close()
    assert barrier(crew, 2, 3) == 2
    del crew
    deadline = time.monotonic() + 10
    while members & set(threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not members & set(threading.enumerate())


def test_while_a_run_goes_on_others_go_alone() -> None:
    crew, used = Team(), []
    threads = [threading.Thread(target=lambda: used.append(barrier(crew, 2, 2_000))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(used) == 6
    assert set(used) <= {1, 2}
    assert 2 in used


def test_where_no_thread_can_start_the_caller_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert barrier(Team(), 2, 10) == 1


def test_a_run_within_a_run_goes_alone() -> None:
    crew, inner = Team(crews=1), []
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    callback = kind(lambda table, crew_, part, parts: inner.append(barrier(crew, 2, 10)))
    address = ctypes.cast(callback, ctypes.c_void_p).value
    assert address is not None
    assert crew.run(address, 0, 2) == 2
    assert inner == [1, 1]


def test_the_barrier_for_other_processors() -> None:
    arm = replace(jit.host_target(), triple="aarch64-unknown-linux-gnu", cpu="generic", features="+neon")
    texts = {}
    for architecture in ("x86_64", "AMD64", "aarch64", "arm64", "riscv64"):
        module = Module()
        team.emit_barrier(module, architecture)
        texts[architecture] = str(module).replace("internal void @mc.barrier", "void @mc.barrier")
    assert "\tisb" in jit.assembly(texts["aarch64"], arm)
    assert texts["arm64"] == texts["aarch64"]
    assert texts["AMD64"] == texts["x86_64"]
    for text in texts.values():
        assert "sched_yield" in text
    if jit.host_target().triple.startswith("x86_64"):
        assert "pause" in jit.assembly(texts["x86_64"], jit.host_target())


def test_crews_work_side_by_side() -> None:
    crew, inner = Team(crews=2), []
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
    callback = kind(
        lambda table, crew_, part, parts: inner.append(barrier(crew, 2, 10)) if not part else None
    )
    address = ctypes.cast(callback, ctypes.c_void_p).value
    assert address is not None
    assert crew.run(address, 0, 2) == 2
    assert inner == [2]


# Processes ------------------------------------------------------------------------------------------------


def python(code: str) -> str:
    """Run some code in another process after what this file defines, and return what it prints."""
    start = (
        "import importlib.util as u, sys\n"
        f"spec = u.spec_from_file_location('test_team', {__file__!r})\n"
        "t = u.module_from_spec(spec); sys.modules['test_team'] = t; spec.loader.exec_module(t)\n"
        "import os, signal, threading, time, warnings\n"
        "from minicolumn.lower.llvm.runtime.core_shares import shares\n"
        "warnings.simplefilter('ignore')  # newer Pythons warn of forks beside threads\n"
    )
    where = {**os.environ, "PYTHONPATH": SOURCE}
    out = subprocess.run(
        [sys.executable, "-c", start + code], capture_output=True, text=True, env=where, timeout=300
    )
    assert (out.returncode, out.stderr) == (0, "")
    return out.stdout


def test_the_interpreter_ends_at_once(within: Any) -> None:
    with within(50.0):
        assert python("print(t.barrier(t.team.shared(), 3, 10))") == "3\n"
        assert python("c = t.Team(); print(t.barrier(c, 2, 10)); time.sleep(0.05)") == "2\n"
        last = "threading.Thread(target=lambda: print(t.barrier(t.team.shared(), 2, 2000))).start()"
        assert python(last) in "12\n1\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_a_team_and_shares_of_its_own() -> None:
    out = python(
        "held = shares().take(2); print(held.__enter__(), t.barrier(t.team.shared(), 2, 10))\n"
        "busy = threading.Thread(target=t.barrier, args=(t.team.shared(), 2, 20_000)); busy.start()\n"
        "for iteration in range(4):\n"
        "    sys.stdout.flush()\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        with shares().take(2) as parts:\n"
        "            met = t.barrier(t.team.shared(), parts, 50), t.barrier(t.Team(), 3, 50)\n"
        "            print(parts, *met, flush=True)\n"
        "        os._exit(0)\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "busy.join(); print(t.barrier(t.team.shared(), 2, 10))\n"
    )
    assert out == "2 2\n" + "2 2 3\n" * 4 + "2\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_in_a_daemonic_worker() -> None:
    out = python(
        "import multiprocessing as m; print(t.barrier(t.team.shared(), 2, 10), flush=True)\n"
        "job = lambda: print(t.barrier(t.team.shared(), 2, 10))\n"
        "worker = m.get_context('fork').Process(target=job, daemon=True)\n"
        "worker.start(); worker.join(); print(worker.exitcode)\n"
    )
    assert out == "2\n2\n0\n"


@pytest.mark.skipif(not hasattr(os, "kill"), reason="needs signals")
def test_interrupts_tear_nothing() -> None:
    out = python(
        "main, stop, caught, done = threading.get_ident(), [], 0, 0\n"
        "def disturb():\n"
        "    count = 0\n"
        "    while not stop:\n"  # later on with pauses, in which a busy machine ends a barrier, too
        "        time.sleep(0.003 if count < 500 or count % 2 else 0.3)\n"
        "        os.kill(os.getpid(), signal.SIGINT); count += 1\n"
        "def on(*_):\n"
        "    if armed: raise KeyboardInterrupt\n"
        "armed = False; signal.signal(signal.SIGINT, on); crew = t.Team(); t.barrier(crew, 2, 10)\n"
        "threading.Thread(target=disturb, daemon=True).start(); end = time.monotonic() + 2\n"
        "while time.monotonic() < end or (min(caught, done) <= 10 and time.monotonic() < end + 200):\n"
        "    try:\n"
        "        armed = True; t.barrier(crew, 2, 20); done += 1\n"
        "    except KeyboardInterrupt: caught += 1\n"
        "    finally: armed = False\n"
        "stop.append(1); print(caught > 10, done > 10, t.barrier(crew, 2, 1000))\n"
    )
    assert out == "True True 2\n"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system places threads as it likes")
def test_a_thread_steps_aside_and_may_go_anywhere_again() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        for core in sorted(allowed):
            os.sched_setaffinity(0, {core})
            assert team.core_in_use() == core
            os.sched_setaffinity(0, allowed)
            team.step_aside(core)
            assert len(allowed) == 1 or team.core_in_use() != core
            assert os.sched_getaffinity(0) == allowed
            os.sched_setaffinity(0, {core})
            team.step_aside(core)  # nowhere else to go
            assert os.sched_getaffinity(0) == {core}
    finally:
        os.sched_setaffinity(0, allowed)


_FORKS = """
import os, signal, threading, time, warnings
import numpy as np, minicolumn as mc
warnings.simplefilter("ignore")  # Python 3.12 and later warn of forks beside threads
stop, begun, x = False, threading.Event(), np.ones((20, 50))
def compile_on():
    k = 0
    while not stop:
        k += 1
        mc.compile(lambda a: np.tanh(a @ a.T + k + 0.123))(x)
        begun.set()
thread = threading.Thread(target=compile_on)
thread.start()
begun.wait()  # a fork in the middle of an import would hang by Python's own locks
codes = []
for number in range(4):
    child = os.fork()
    if not child:
        signal.alarm(60)
        mc.compile(lambda a: a @ a.T * (1.77 + number))(x)
        os._exit(0)
    codes.append(os.waitpid(child, 0)[1])
stop = True
thread.join()
print(codes)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_can_compile_though_another_thread_was_compiling() -> None:
    environment = {**os.environ, "MINICOLUMN_CACHE_DIR": "off", "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [sys.executable, "-c", _FORKS], capture_output=True, text=True, env=environment, timeout=300
    )
    assert done.stdout.strip() == "[0, 0, 0, 0]", done.stderr[-2000:]
