"""Environment of a benchmark: the processor, its features and caches, and the versions of all libraries."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

from minicolumn.lower.llvm.runtime.jit import available, host_target
from minicolumn.lower.llvm.runtime.thread_count import cores

_SHOWN = ("avx2", "fma", "avx512f", "avx512bf16", "amx-tile", "neon", "sve", "sve2")
_VERSIONS = ("numpy", "llvmlite", "jax", "torch", "scikit-learn", "onnxruntime")


def describe() -> dict[str, Any]:
    """Return the processor and the versions of libraries as JSON values.

    Returns     {"cpu", "cores" that this process may use, "of_cores", "caches", "features", "system",
                "python", "versions"}; what the system does not tell is empty
    """
    return {
        "cpu": _cpu_name(),
        "cores": cores(),
        "of_cores": os.cpu_count() or 1,
        "caches": _caches(),
        "features": _features(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version for name in ("minicolumn", *_VERSIONS) if (version := _version(name))},
    }


def use_cores(threads: int) -> None:
    """Restrict this process, ours and peers alike, to so many cores; call it before a peer is imported.

    threads     a count; the last ones of the allowed cores are taken
    """
    os.environ["OMP_NUM_THREADS"] = str(threads)  # heeded by PyTorch, and by us
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=threads)  # of NumPy's products, whose threads are there already


def _version(name: str) -> str:
    """Return a package's version; "" where it is not installed."""
    if name == "minicolumn":
        from minicolumn import __version__

        return __version__
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _cpu_name(file: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's name by the system, and by LLVM behind it."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    name = next(names, "") or platform.processor() or platform.machine()
    return f"{name} ({host_target().cpu})" if available() else name


def _features() -> list[str]:
    """Return the instruction set extensions that matter for speed, of those that LLVM found here."""
    if not available():
        return []
    listed = host_target().features.split(",")
    return [name for name in _SHOWN if f"+{name}" in listed]


def _caches(folder: Path = Path("/sys/devices/system/cpu/cpu0/cache")) -> dict[str, str]:
    """Return sizes of the data caches, {"L1d": "32K", ...}, as far as Linux tells; {} elsewhere."""
    found = {}
    for index in sorted(folder.glob("index*")):
        try:
            level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            found[f"L{level}{'d' if kind == 'Data' else ''}"] = size
    return found


def python() -> str:
    """Return the path of the interpreter that fresh processes are started with."""
    return sys.executable


def fresh_environment(**more: str) -> dict[str, str]:
    """Return the environment variables of a fresh process that imports the minicolumn at hand.

    more        further variables, which win
    """
    source = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(p for p in (source, os.environ.get("PYTHONPATH", "")) if p)
    return {**os.environ, "PYTHONPATH": path, **more}
