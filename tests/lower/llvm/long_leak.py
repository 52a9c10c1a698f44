"""Does making and loading code leak? `python tests/lower/llvm/long_leak.py [compiles] [loads]`."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from minicolumn.lower.llvm.codegen.emit import Function, Module, const
from minicolumn.lower.llvm.runtime import jit

PIECES = 5


def text(terms: int) -> str:
    """Return a small module; each number of terms makes another one."""
    module = Module()
    f = Function(module, "run", [("x", "double")], "double")
    value = const("double", 1.0)
    for j in range(8):
        value = f.op("fadd", f.op("fmul", value, f.parameters["x"]), const("double", 1.0 / (terms + j + 1)))
    f.finish(value)
    return str(module)


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure(label: str, iterations: int, work: Callable[[int], object]) -> None:
    """Print the time and the growth of each fifth of the iterations; the first fifth is the warm-up."""
    for piece in range(PIECES):
        gc.collect()
        before, start = resident(), time.perf_counter()
        for k in range(iterations // PIECES):
            work(piece * iterations + k)
        seconds, size = time.perf_counter() - start, iterations // PIECES
        grown = (resident() - before) / size
        print(
            f"{label:24} {piece + 1}/{PIECES}  {1e3 * seconds / size:7.3f} ms  {grown:9.1f} bytes each",
            flush=True,
        )


def load_and_call(code: bytes) -> None:
    """Load, call and forget."""
    loaded = jit.Loaded(code)
    ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(loaded.address("run"))(0.5)


def main() -> None:
    """Measure compiling at each level, and loading."""
    compiles, loads = (int(a) for a in (*sys.argv[1:3], *("2000", "20000")[len(sys.argv) - 1 :]))
    target = jit.host_target()
    for level in (0, 2, 3):
        measure(
            f"compile at level {level}",
            compiles,
            lambda k, level=level: jit.compile_object(text(k), target, level),
        )
    code = jit.compile_object(text(1), target)
    measure("load, call, forget", loads, lambda k: load_and_call(code))


if __name__ == "__main__":
    main()
