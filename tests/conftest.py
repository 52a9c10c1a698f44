"""What all tests share."""

from __future__ import annotations

import functools
import gc
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import minicolumn as mc
from minicolumn.ir import ops  # noqa: F401  (fills the operation table)
from minicolumn.ir.graph import Node
from minicolumn.ir.op import op_named
from minicolumn.ir.verify import infer_type
from minicolumn.lower.llvm.runtime.cache import MAX_BYTES
from minicolumn.lower.llvm.runtime.cache import VARIABLE as CACHE
from minicolumn.lower.llvm.runtime.thread_count import cores
from minicolumn.passes.pipeline import VARIABLE
from minicolumn.tree import flatten

os.environ.setdefault(VARIABLE, "1")  # what passes make is checked, in subprocesses too
# A time limit of single examples tells how loaded the machine is, and nothing of what is tested. The same
# examples each time: a change is judged by what it changes. `--hypothesis-profile=search` draws others.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("tests", settings.get_profile("search"), derandomize=True)
settings.load_profile("tests")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
MOST_WORKERS = 8  # each imports everything, 5 s of processor time, and takes half a GiB
GARBAGE = 20_000  # new objects between two searches for garbage, which take twice as long with Python's 700


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return how many processes `-n auto` is: one a core for whole folders, none for chosen files and tests.

    A single file is over before a second process has imported what it needs.
    """
    return 0 if _are_chosen(config) or cores() == 1 else min(cores(), MOST_WORKERS)


def _are_chosen(config: pytest.Config) -> bool:
    """Return whether one or two files or tests are to run, and not whole folders."""
    paths = [config.invocation_params.dir / arg.partition("::")[0] for arg in config.args]
    return any(path.is_file() for path in paths) and len(paths) < 3


def pytest_configure(config: pytest.Config) -> None:
    """Keep native code in a folder of this run, for all its processes; let Ctrl-C interrupt.

    A whole run makes more programs than the user's cache holds, and would push out what lies there. Chosen
    files find in that one what they compiled the last time. A shell that starts this in the background has
    Ctrl-C ignored, and every process that a test interrupts would inherit that and go on for ever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput") or CACHE in os.environ or _are_chosen(config):
        return
    os.environ[CACHE] = folder = tempfile.mkdtemp(prefix="minicolumn-tests-", dir=_memory())
    config.add_cleanup(functools.partial(shutil.rmtree, folder, ignore_errors=True))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect with the garbage collector at rest, and keep it from what was collected ever after.

    All tests and modules live to the end, so there is nothing to find among them. To walk through them again
    and again took a third of the collection's processor time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(GARBAGE, *gc.get_threshold()[1:])
        gc.enable()


def _memory() -> str | None:
    """Return a folder in memory, where entries need not wait for a disk, if there is one with room."""
    there = os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > 4 * MAX_BYTES
    return "/dev/shm" if there else None


@pytest.fixture(scope="session")
def graphs() -> ModuleType:
    """Return tests/graphs.py, the maker of random programs."""
    spec = importlib.util.spec_from_file_location(
        "minicolumn_test_graphs", Path(__file__).with_name("graphs.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name while they are made.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def apply(name: str, *operands: Node, **attrs: Any) -> Node:
    """Return a node of an operation, with the type its rule gives."""
    op = op_named(name)
    return Node(op, operands, attrs, infer_type(op, tuple(n.type for n in operands), attrs))


def bits(values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return what must be the same for two results to be the same: dtype, shape and every bit."""
    return [(v.dtype, v.shape, v.tobytes()) for v in map(np.asarray, values)]


@pytest.fixture(name="apply", scope="session")
def apply_fixture() -> Callable[..., Node]:
    """Return `apply`."""
    return apply


@pytest.fixture(name="bits", scope="session")
def bits_fixture() -> Callable[[Sequence[Any]], list[tuple[Any, ...]]]:
    """Return `bits`."""
    return bits


@pytest.fixture(scope="session")
def same_bits() -> Callable[[Any, Any], bool]:
    """Return whether two trees of arrays have the same structure, dtypes, shapes and bits."""

    def same(a: Any, b: Any) -> bool:
        (left, form), (right, other) = flatten(a), flatten(b)
        pairs = zip(left, right, strict=True)
        return form == other and all(x.dtype == y.dtype and x.tobytes() == y.tobytes() for x, y in pairs)

    return same


def _stretch() -> float:
    """Return how many times as long as alone this thread takes for a little work now."""
    began, worked = time.perf_counter(), time.thread_time()
    while time.thread_time() < worked + 0.02:
        pass
    return (time.perf_counter() - began) / 0.02


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Check that something takes no longer, but for what others who load the machine stretch any work by."""
    before, began = _stretch(), time.perf_counter()
    yield
    took = time.perf_counter() - began
    assert took <= seconds * max(1.0, before, _stretch()), f"{took:.2f} s"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium without a window; skipped where it or Playwright is missing. A process can have but one."""
    api = pytest.importorskip(
        "playwright.sync_api", reason="needs playwright: pip install 'minicolumn[test]'"
    )
    if CHROMIUM is None:
        pytest.skip("needs chromium: apt install chromium")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@pytest.fixture(scope="session")
def within() -> Callable[[float], AbstractContextManager[None]]:
    """Return `_within`."""
    return _within


class Spy(mc.Callback):
    """Notes what it is told, and can be told what to do at a certain moment: {("epoch", 2): action}."""

    def __init__(self, actions: dict[Any, Callable[[Any], None]] | None = None) -> None:
        self.actions = actions or {}
        self.told: list[Any] = []
        self.params: list[Any] = []

    def _note(self, what: Any, training: Any) -> None:
        self.told.append(what)
        self.actions.get(what, lambda _: None)(training)

    def on_start(self, training: Any) -> None:
        self.params.append(training.params)
        self._note("start", training)

    def on_chunk(self, training: Any, done: int, loss: float) -> None:
        self._note(("chunk", len(training.history) + 1, done), training)

    def on_epoch(self, training: Any, row: Any) -> None:
        self.params.append(training.params)
        self._note(("epoch", row["epoch"]), training)

    def on_end(self, training: Any) -> None:
        self._note("end", training)


@pytest.fixture(scope="session")
def spy() -> type[Spy]:
    """Return `Spy`."""
    return Spy


def _interrupt(_: Any) -> None:
    raise KeyboardInterrupt


@pytest.fixture(scope="session")
def interrupt() -> Callable[[Any], None]:
    """Return an action that stands for Ctrl-C."""
    return _interrupt
