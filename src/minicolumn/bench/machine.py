"""What was measured on: the processor, and the versions of everything that takes part."""

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
    """Return the machine and the versions, as JSON takes them; `cores` are those this process may use."""
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
    """Let this process, ours and peers alike, use so many cores; call it before a peer is imported."""
    os.environ["OMP_NUM_THREADS"] = str(threads)  # heeded by PyTorch, and by us
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=threads)  # of NumPy's products, whose threads are there already


def _version(name: str) -> str:
    if name == "minicolumn":
        from minicolumn import __version__

        return __version__
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _cpu_name(file: Path = Path("/proc/cpuinfo")) -> str:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    name = next(names, "") or platform.processor() or platform.machine()
    return f"{name} ({host_target().cpu})" if available() else name


def _features() -> list[str]:
    if not available():
        return []
    listed = host_target().features.split(",")
    return [name for name in _SHOWN if f"+{name}" in listed]


def _caches(folder: Path = Path("/sys/devices/system/cpu/cpu0/cache")) -> dict[str, str]:
    """Return {"L1d": "32K", ...}, as far as the system tells."""
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
    """Return the interpreter that fresh processes are started with."""
    return sys.executable


def fresh_environment(**more: str) -> dict[str, str]:
    """Return the environment of a fresh process that imports the minicolumn at hand."""
    source = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(p for p in (source, os.environ.get("PYTHONPATH", "")) if p)
    return {**os.environ, "PYTHONPATH": path, **more}
