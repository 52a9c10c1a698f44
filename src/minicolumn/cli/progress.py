"""Training progress on a terminal: a live bar, or short lines where nothing can be redrawn."""

from __future__ import annotations

import math

from rich.console import Console

from minicolumn.cli.screen import is_live
from minicolumn.train import Callback, Trainer
from minicolumn.train.history import Row
from minicolumn.train.progress import ProgressBar, speed

_LINES = 10  # short lines a training, where no bar can be drawn


def watch(console: Console, as_json: bool) -> tuple[Callback, ...]:
    """Return the callbacks that show a training on this console: none for ``--quiet``."""
    if console.quiet:
        return ()
    if is_live(console):
        return (ProgressBar(console),)
    return () if as_json else (ShortLines(console),)


class ShortLines(Callback):
    """A callback that prints the first epoch, about every tenth of the whole, and the last one.

    Logs of batch jobs stay short so.
    """

    def __init__(self, console: Console) -> None:
        self.console = console

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        """Print losses and speed where a line is due."""
        every = max(1, -(-trainer.epochs // _LINES))
        last = row["epoch"] == trainer.epochs or trainer.stop_reason
        if row["epoch"] == 1 or row["epoch"] % every == 0 or last:
            parts = [f"  epoch {row['epoch']}/{trainer.epochs}", f"loss {row['loss']:.4f}"]
            parts += [f"val_loss {row['val_loss']:.4f}"] if "val_loss" in row else []
            self.console.print("  ".join([*parts, speed(row["steps_per_second"])]), soft_wrap=True)

    def quiet_epochs(self, trainer: Trainer) -> float:
        """Return infinity: it only watches."""
        return math.inf
