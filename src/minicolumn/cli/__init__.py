"""The command-line interface: `minicolumn train`, `evaluate`, `predict`, `inspect` and `bench`.

    app, run         the commands, and the exit codes of one run        declared, options   arguments
    train, ...       a command each; its docstring is its help          screen              the terminal
    *_report         results as tables for people                       help, usage         help, misuse

Commands import what they need when they run, so that ``--help`` loads no network code.

Exit codes  0 done, 2 for what the user must change, 130 = 128 + SIGINT after Ctrl-C, as shells have it
"""

from __future__ import annotations

from minicolumn.cli.run import main

__all__ = ["main"]
