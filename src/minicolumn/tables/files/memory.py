"""Free memory: what this process may still take, by the machine, its control group and its own limits."""

from __future__ import annotations

import os
from pathlib import Path

from minicolumn.address_space import address_space_left

MOST_BY_DEFAULT = 4 << 30  # bytes that reading a table may take, unless the user allows more
_LEAST_BY_DEFAULT = 64 << 20  # below this even small tables would be refused for want of an exact figure


def default_limit() -> int:
    """Return how many bytes reading a table may take by default: half of what is free, at most 4 GiB."""
    free = free_memory()
    return MOST_BY_DEFAULT if free is None else max(_LEAST_BY_DEFAULT, min(MOST_BY_DEFAULT, free // 2))


def free_memory() -> int | None:
    """Return the bytes that this process may still take; None where the system does not say.

    The least of: available memory (/proc/meminfo), what is left to the control group, and what is left
    to the process under its limit of address space.
    """
    found = [size for size in (_available(), _left_to_group(), address_space_left()) if size is not None]
    return max(0, min(found)) if found else None


def _available() -> int | None:
    """Return MemAvailable; elsewhere than under Linux a half of the physical memory."""
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return None


def _left_to_group() -> int | None:
    """Return what is left to the control group, by version 2 or 1 of the interface.

    Cached files count as used there, but make room where memory is asked for.
    """
    for folder, most, used in (
        ("/sys/fs/cgroup", "memory.max", "memory.current"),
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        limit, taken = _text(f"{folder}/{most}").strip(), _text(f"{folder}/{used}").strip()
        if limit.isdecimal() and taken.isdecimal():
            stat = dict(
                line.split()[:2] for line in _text(f"{folder}/memory.stat").splitlines() if " " in line
            )
            cached = sum(int(stat.get(name, 0)) for name in ("active_file", "inactive_file"))
            return int(limit) - max(0, int(taken) - cached)
    return None


def _text(path: str) -> str:
    """Return a file of the kernel, or nothing where there is none."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""
