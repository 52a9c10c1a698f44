"""Address-space limits (RLIMIT_AS): libraries that end the process for want of memory are not begun.

OpenBLAS, LLVM and the allocator of polars abort where the system gives them no address space, and nobody can
catch that. Under a limit it is known beforehand how much there is; without one the system gives any amount.
"""

from __future__ import annotations

import os
import sys

from minicolumn.errors import MinicolumnError

# What is reserved on the way through NumPy, polars, scikit-learn and LLVM: 1,650 MiB on two cores, measured,
# 140 while LLVM works, 25 for each thread of polars. About 300 MiB of it are used.
_TABLES, _TABLES_A_CORE = 1_760 << 20, 32 << 20
# NumPy with OpenBLAS' buffers for two cores: 123 MiB. LLVM: 170 MiB.
_NUMPY, _LLVM = 136 << 20, 184 << 20
# scikit-learn with SciPy: 250 MiB.
_SKLEARN = 272 << 20
# Polars alone: 940 MiB with its threads for two cores.
_POLARS = 1_000 << 20


class NoRoomError(MinicolumnError, MemoryError):
    """A limit on the process' address space leaves too little for what is to be done."""


def check_room(needed: int, what: str) -> None:
    """Refuse what would end the process under a limit of address space that leaves too little.

    needed      bytes of address space, which is more than the memory that is used
    what        begins the message: "compiling"
    Errors      NoRoomError, one line; never where there is no limit
    """
    left = address_space_left()
    if left is not None and left < needed:
        raise NoRoomError(
            f"{what} needs about {needed >> 20:,} MiB of address space and the limit of this process leaves "
            f"{left >> 20:,}; raise it (ulimit -v)"
        )


def address_space_left() -> int | None:
    """Return how many bytes a limit on the address space leaves; None where there is no limit."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return None
        with open("/proc/self/statm") as statm:
            pages = int(statm.read().split()[0])
        return max(limit - pages * resource.getpagesize(), 0)
    except (ImportError, OSError, ValueError):  # another system
        return None


def check_room_for_tables(what: str) -> None:
    """Refuse what is done with a table, from its file to a network, where there is no room for it."""
    check_room(_TABLES + _TABLES_A_CORE * (os.cpu_count() or 1), what)


def check_room_for_arrays(what: str) -> None:
    """Refuse to load NumPy and LLVM where there is no room for them."""
    check_room(_NUMPY + _LLVM, what)


def check_room_for_numpy(what: str) -> None:
    """Refuse to load NumPy where there is no room for it."""
    if "numpy" not in sys.modules:
        check_room(_NUMPY, what)


def check_room_for_llvm(what: str) -> None:
    """Refuse to load LLVM where there is no room for it."""
    if "llvmlite" not in sys.modules:
        check_room(_LLVM, what)


def check_room_for_sklearn(what: str) -> None:
    """Refuse to load scikit-learn where there is no room for it."""
    if "sklearn" not in sys.modules:
        check_room(_SKLEARN, what)


def check_room_for_polars(what: str) -> None:
    """Refuse to load polars where there is no room for it."""
    if "polars" not in sys.modules:
        check_room(_POLARS + _TABLES_A_CORE * (os.cpu_count() or 1), what)
