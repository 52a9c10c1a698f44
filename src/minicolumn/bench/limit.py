"""Machine peak: multiply-adds a second from registers, and bytes a second through memory.

They bound every step from below, as in the roofline model: no code can finish a step's products sooner.

Source      Williams, Waterman & Patterson 2009, Roofline (Communications of the ACM 52(4))
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from minicolumn.lower.llvm.codegen.emit import Function, Module, Value, const
from minicolumn.lower.llvm.runtime.jit import Loaded, Target, compile_object, host_target

# Enough independent sums to hide the latency of a multiply-add on two pipes, few enough for 16 registers.
SUMS = 12
ITERATIONS = 2_000_000
COPIED = 64 * 1024**2  # bytes, well past any core's share of the caches


def measure(
    cores: int, repeats: int = 15, iterations: int = ITERATIONS, copied: int = COPIED
) -> dict[str, Any]:
    """Measure peak float32 operations and copied bytes a second, for one core and for all.

    cores       threads that run at once
    repeats     repetitions, of which the fastest counts
    iterations  of the loop of multiply-adds; copied: bytes that a repetition copies
    Returns     {"cores", "flops_core", "flops", "bytes_core", "bytes"}: FLOP/s and bytes/s. A multiply-add is
                two operations; a copy counts each byte twice, as it is read and written.
    """
    peak = Peak(host_target(), iterations)
    copies = [_copy(copied) for _ in range(cores)]
    flops = {n: peak.flops * n / _fastest(peak.call, n, repeats) for n in {1, cores}}
    bytes_moved = {n: 2 * copied * n / _fastest(lambda k: copies[k](), n, repeats) for n in {1, cores}}
    return {
        "cores": cores,
        "flops_core": flops[1],
        "flops": flops[cores],
        "bytes_core": bytes_moved[1],
        "bytes": bytes_moved[cores],
    }


class Peak:
    """A compiled loop of fused multiply-adds that touches no memory: sums = sums * 0.5 + 1.

    flops   float32 operations that a call takes
    total   what a call leaves behind: the sum of all sums, float32 [lanes]
    """

    def __init__(self, target: Target, iterations: int = ITERATIONS) -> None:
        lanes = target.machine.lanes("float")
        self.flops = 2 * lanes * SUMS * iterations
        self._loaded = Loaded(compile_object(_text(target, iterations), target))
        self._run = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._loaded.address("run"))
        self.total = np.empty(lanes, np.float32)

    def call(self, core: int) -> None:
        """Run the loop once; it releases the GIL, so every core can run its own."""
        self._run(self.total.ctypes.data)


def _text(target: Target, iterations: int) -> str:
    """Return the loop as LLVM text: sums = sums * a + b, with a below 1 so that they stay finite."""
    module = Module()
    fn = Function(module, "run", [("out", "ptr")])
    type = target.machine.vector("float")
    a, b = (fn.splat(_opaque(fn, x), target.machine.lanes("float")) for x in (0.5, 1.0))
    fused = "+fma" in target.features.split(",") or not target.triple.startswith("x86")
    with fn.loop(0, iterations, carried=[const(type, k) for k in range(SUMS)]) as loop:
        loop.next(
            *(fn.fma(s, a, b) if fused else fn.op("fadd", fn.op("fmul", s, a), b) for s in loop.carried)
        )
    total = loop.results[0]
    for one in loop.results[1:]:
        total = fn.op("fadd", total, one)
    fn.store(total, fn.parameters["out"])
    fn.finish()
    return str(module)


def _opaque(fn: Function, number: float) -> Value:
    """Return a number that LLVM cannot see through."""
    room = fn.alloca("float")
    fn.line(f"store volatile {const('float', number)}, {room}, align 4")
    return fn.let("float", f"load volatile float, {room}, align 4")


def _copy(count: int) -> Callable[[], None]:
    """Return a function that copies so many bytes, in arrays of its own."""
    source, target = np.ones(count // 4, np.float32), np.zeros(count // 4, np.float32)
    return lambda: np.copyto(target, source)


def _fastest(call: Callable[[int], None], threads: int, repeats: int) -> float:
    """Return the seconds until all threads have done a call once, the fastest of some repetitions."""
    with ThreadPoolExecutor(threads) as pool:
        return min(_once(pool, call, threads) for _ in range(repeats + 1))


def _once(pool: ThreadPoolExecutor, call: Callable[[int], None], threads: int) -> float:
    """Return the seconds until all threads have done a call once."""
    began = time.perf_counter()
    list(pool.map(call, range(threads)))
    return time.perf_counter() - began
