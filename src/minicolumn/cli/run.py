"""One run of the command line: arguments in, an exit code out, every failure one line on stderr."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from minicolumn.errors import MinicolumnError, reason

DONE, CHANGE_SOMETHING, INTERRUPTED = 0, 2, 130


class Interrupted(Exception):
    """Ctrl-C, after what was learnt has been saved; the text says where."""


def run(words: Sequence[str]) -> int:
    """Run a command, its words as given after the program's name, and return its exit code."""
    with _calm():
        try:
            code = _guarded(list(words) or ["--help"])
            if sys.stdout is not None:  # closed by whoever started us
                sys.stdout.flush()
        except BrokenPipeError:
            return _reader_left()
        except OSError as error:
            return fail(f"cannot write: {reason(error)}")
    return code


def fail(message: str) -> int:
    """Say in one line on stderr what is wrong, and return the code for it."""
    from rich.text import Text

    from minicolumn.cli.screen import one_line, open_console

    text = Text.assemble(("error: ", "bold red"), one_line(message))
    open_console(to_stderr=True).print(text, soft_wrap=True)
    return CHANGE_SOMETHING


def _guarded(words: list[str]) -> int:
    """Run a command; turn what it raises on purpose into one line and a code."""
    import typer

    from minicolumn.cli.app import app
    from minicolumn.cli.usage import USAGE_ERROR, usage_line

    try:
        command = typer.main.get_command(app)
        code = command.main(words, prog_name="minicolumn", standalone_mode=False) or DONE
        return _say_interrupted() if code == INTERRUPTED else code  # typer turns Ctrl-C into this code
    except Interrupted as interrupted:
        return _say_interrupted(str(interrupted))
    except USAGE_ERROR as error:
        return fail(usage_line(error))
    except MinicolumnError as error:
        return fail(str(error))
    except MemoryError:
        return fail("the memory is not enough for this table; try fewer rows or columns (--drop)")
    except (KeyboardInterrupt, typer.Abort):
        return _say_interrupted()


def _say_interrupted(what: str = "interrupted; nothing was saved") -> int:
    """Say that the run was interrupted, and return the code for it, 130."""
    from minicolumn.cli.screen import one_line

    with suppress(OSError):
        sys.stderr.write(f"\n{one_line(what)}\n" if sys.stderr.isatty() else f"{one_line(what)}\n")
    return INTERRUPTED


def _reader_left() -> int:
    """Whoever read our output has seen enough; see that closing it stays silent too."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


@contextmanager
def _calm() -> Iterator[None]:
    """Keep warnings and log lines of libraries from the user, and let any terminal show any name."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):  # a stream that a test or a host program put there
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
