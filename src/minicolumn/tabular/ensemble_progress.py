"""Progress of an ensemble's training: a bar of all members, or short lines where none can be drawn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar as Bar
from rich.table import Table
from rich.text import Text

from minicolumn.train.progress import duration
from minicolumn.train.side_by_side import Progress

Watch = Callable[[Progress], None]
_LINES = 10  # a training, where no bar can be drawn


@contextmanager
def members_bar(console: Console, monitor: str, keep: bool = False) -> Iterator[Watch]:
    """Draw how far the members are while the block lasts.

        5 of 8 networks  ━━━━━━╸━━━━━━━━━━━━━━━━━━━━━━━━  0:07 left
        val_loss 0.3310, the mean of 6

    console     where to draw
    monitor     the figure that chooses each member's best epoch
    keep        whether the last state stays
    """
    began = time.monotonic()
    live = Live(console=console, auto_refresh=False, transient=not keep)
    with live:
        yield lambda progress: live.update(_drawn(progress, monitor, time.monotonic() - began), refresh=True)


@contextmanager
def members_lines(console: Console, monitor: str) -> Iterator[Watch]:
    """Print about ten lines while the block lasts, one each time that a further tenth is done."""
    said = 0

    def watch(progress: Progress) -> None:
        nonlocal said
        tenth = int(_LINES * progress.share)
        if tenth > said:
            said = tenth
            line = f"  {_how_many(progress)}  {_how_good(progress, monitor)}"
            console.print(line.rstrip(), soft_wrap=True)

    yield watch


def _drawn(progress: Progress, monitor: str, spent: float) -> RenderableType:
    """Return both lines."""
    share = progress.share
    left = f"{duration(spent * (1.0 - share) / share)} left" if share else "preparing"
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    grid.add_column(no_wrap=True, justify="right")
    bar = Bar(total=1.0, completed=share, complete_style="cyan", finished_style="cyan")
    grid.add_row(f"  {_how_many(progress)}", bar, left)
    return Group(grid, Text(f"  {_how_good(progress, monitor)}", "dim", no_wrap=True))


def _how_many(progress: Progress) -> str:
    return f"{sum(progress.ended)} of {len(progress.ended)} networks"


def _how_good(progress: Progress, monitor: str) -> str:
    """Return the mean of the newest figures of the members that have any."""
    figures = [row[monitor] for row in progress.rows if monitor in row]
    return f"{monitor} {np.mean(figures):.4g}, the mean of {len(figures)}" if figures else ""
