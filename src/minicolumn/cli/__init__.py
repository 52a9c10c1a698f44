"""The command-line interface: `minicolumn train`, `evaluate`, `predict`, `inspect` and `bench`.

    app, run         the commands, and the exit codes of one run        declared, options   arguments
    train, ...       a command each; its docstring is its help          screen              the terminal
    *_report         results as tables for people                       help, usage         help, misuse
    process          what becomes of a process: interrupts and want of memory while it loads

Commands import what they need when they run, so that ``--help`` loads no network code.

Exit codes  0 done, 2 for what the user must change, 130 = 128 + SIGINT after Ctrl-C, as shells have it
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in `typing`, which takes longer to load than all of this
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    args        the words after the program's name; by default those of this process
    Returns     0 done, 2 the user must change something, 130 interrupted

    >>> main(["--version"])  # doctest: +ELLIPSIS
    minicolumn ...
    0
    """
    # Nothing is loaded outside of the block: whenever Ctrl-C comes, the process ends in one line.
    try:
        from minicolumn.cli.process import run_in_process

        return run_in_process(args)
    except KeyboardInterrupt:
        import os

        os.write(2, b"interrupted; nothing was saved\n")
        return 130


__all__ = ["main"]
