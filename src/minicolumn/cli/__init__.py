"""The command line: `minicolumn train DATA --target COLUMN` and what belongs to it."""

from __future__ import annotations

from minicolumn.cli.run import main

__all__ = ["main"]
