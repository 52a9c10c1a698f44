"""The process of a command: Ctrl-C and want of memory end it in one line, also while its parts are loaded."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

from minicolumn.address_space import NoRoomError, address_space_left, check_room

INTERRUPTED, CHANGE_SOMETHING = 130, 2
# What typer and rich take of address space, 12 MiB; commands ask for more before they load it.
LOADING_BYTES = 24 << 20
# Under a limit that leaves less than this, errors of any kind are taken for want of memory: an extension
# that cannot be mapped is an ImportError, and a thread that cannot be started a panic.
SHORT_OF_MEMORY = 64 << 20


def run_in_process(args: Sequence[str] | None) -> int:
    """Run the command line as `main` does; Ctrl-C before there is anything to save ends the process at once.

    args        the words after the program's name; None for those of this process, which is then about to end
    """
    if args is None:
        _set_handler(signal.default_int_handler, _end)
    try:
        check_room(LOADING_BYTES, "minicolumn")
        from minicolumn.cli.run import run

        code = run(sys.argv[1:] if args is None else args)
    except NoRoomError as error:
        code = say(str(error))
    except (Exception, _panic()) as error:
        code = _refused(error)
    if args is None:  # the code is known, and what is left is to end
        raise_interrupts()
        _set_handler(signal.default_int_handler, signal.SIG_IGN)
    return code


def raise_interrupts() -> None:
    """From now on let Ctrl-C raise KeyboardInterrupt, since there is something to save or to tidy up."""
    _set_handler(_end, signal.default_int_handler)


def say(message: str) -> int:
    """Write an error in one line with what is there without loading anything, and return the code for it."""
    with suppress(OSError):
        os.write(2, f"error: {' '.join(message.split())}\n".encode("ascii", "backslashreplace"))
    return CHANGE_SOMETHING


def _refused(error: BaseException) -> int:
    """Say that memory is wanting, if it is; any other error is a fault of the program, and stays one."""
    left = address_space_left()
    if not isinstance(error, MemoryError) and (left is None or left >= SHORT_OF_MEMORY):
        raise error
    remedy = "" if left is None else "; raise the limit on its address space (ulimit -v)"
    return say(f"this process has not enough memory{remedy}")


def _panic() -> type[BaseException]:
    """Return the class of a panic in polars, which is no Exception; Exception where polars is not loaded."""
    polars = sys.modules.get("polars")
    return getattr(getattr(polars, "exceptions", None), "PanicException", Exception)


def _set_handler(before: Any, after: Any) -> None:
    """Exchange one handler of Ctrl-C for another, unless somebody else handles it."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is before:
        signal.signal(signal.SIGINT, after)


def _end(number: int, frame: FrameType | None) -> None:
    """End the process.

    Raised as an exception it could be lost: what is raised in a callback of the import system or in a
    destructor is printed and forgotten.
    """
    with suppress(OSError):  # the cursor may be hidden
        os.write(2, b"\x1b[?25h\n" * os.isatty(2) + b"interrupted; nothing was saved\n")
    os._exit(INTERRUPTED)
