"""Start-up benchmark: import time and first-call latency, each in a fresh process."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

from minicolumn.bench.machine import fresh_environment, python
from minicolumn.bench.sides import PEERS
from minicolumn.errors import MinicolumnError
from minicolumn.lower.llvm.runtime.cache import VARIABLE

_IMPORT = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"

Watch = Callable[[str], None]


def import_times(rounds: int, peers: Sequence[str], watch: Watch) -> dict[str, Any]:
    """Return the seconds of `import` in fresh processes, interleaved; NumPy alone is the floor.

    rounds      processes for each module, after one that warms the file cache
    Returns     {name: {"best", "median", "rounds"}}
    """
    ours = "minicolumn.lower.inspect, minicolumn.autodiff.check"  # the package itself loads nothing
    modules = {"numpy": "numpy", "minicolumn": ours, **{peer: PEERS[peer] for peer in peers}}
    seconds: dict[str, list[float]] = {name: [] for name in modules}
    for number in range(rounds + 1):
        for name, module in modules.items():
            watch(f"import {module}")
            found = float(_run(["-c", _IMPORT.format(module)], {}))
            if number:  # the first round reads the files into memory
                seconds[name].append(found)
    return {name: spread(found) for name, found in seconds.items()}


def first_calls(workload: str, rounds: int, peers: Sequence[str], watch: Watch) -> dict[str, Any]:
    """Return the seconds of a first call beyond later ones: cold, from the disk cache, and by stage.

    rounds      fresh processes for each; every cold one has an empty cache folder
    Returns     {"cold", "warm": spreads, "parts": {stage: seconds}, and "JAX" if it takes part}
    """
    cold, warm, parts, jax = [], [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="minicolumn-bench-") as folder:
            watch(f"{workload}, first call")
            cold.append(_first_call(workload, "whole", folder)["first_call"])
            warm.append(_first_call(workload, "whole", folder)["first_call"])
        parts.append(_first_call(workload, "parts", "off"))
        if "JAX" in peers:
            watch(f"{workload}, first call of JAX")
            jax.append(_first_call(workload, "jax", "off")["first_call"])
    found = {"cold": spread(cold), "warm": spread(warm), "parts": _fastest(parts)}
    return {**found, "JAX": spread(jax)} if jax else found


def _fastest(parts: list[dict[str, float]]) -> dict[str, float]:
    """Return the fastest of each stage."""
    return {name: min(each[name] for each in parts) for name in parts[0]}


def spread(seconds: Sequence[float]) -> dict[str, float | int]:
    """Return the fastest, the median, and how many there are.

    >>> spread([3.0, 1.0, 2.0])
    {'best': 1.0, 'median': 2.0, 'rounds': 3}
    """
    return {"best": min(seconds), "median": statistics.median(seconds), "rounds": len(seconds)}


def _first_call(workload: str, mode: str, cache: str) -> dict[str, float]:
    """Run `first_call` in a fresh process; cache: the folder of compiled code, or "off"."""
    words = ["-m", "minicolumn.bench.first_call", workload, mode]
    return json.loads(_run(words, {VARIABLE: cache}))


def _run(words: Sequence[str], more: dict[str, str]) -> str:
    """Run the interpreter in a fresh process and return its output.

    Errors      MinicolumnError with the last line of what went wrong
    """
    done = subprocess.run(
        [python(), *words], capture_output=True, text=True, env=fresh_environment(**more), check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise MinicolumnError(f"a fresh process failed: python {' '.join(words)[:60]}: {last}")
    return done.stdout
