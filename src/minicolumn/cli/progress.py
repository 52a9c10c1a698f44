"""Training progress on a terminal: a live bar, or short lines where nothing can be redrawn."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console

from minicolumn.cli.screen import is_live
from minicolumn.tabular.ensemble_progress import Watch, members_bar, members_lines
from minicolumn.train import Callback, Trainer
from minicolumn.train.history import Row
from minicolumn.train.progress import ProgressBar, speed

_LINES = 10  # short lines a training, where no bar can be drawn


def watch(console: Console, as_json: bool, monitor: str) -> tuple[Callback, ...]:
    """Return the callbacks that show a training on this console: none for ``--quiet``.

    monitor     figure that chooses the epoch whose weights are kept
    """
    if console.quiet:
        return ()
    if is_live(console):
        return (ProgressBar(console),)
    return () if as_json else (ShortLines(console, monitor),)


def watch_members(console: Console, as_json: bool, monitor: str) -> AbstractContextManager[Watch]:
    """Return what shows on this console how far the members of an ensemble are: nothing for ``--quiet``."""
    if is_live(console) and not console.quiet:
        return members_bar(console, monitor)
    if console.quiet or as_json:
        return nullcontext(lambda progress: None)
    return members_lines(console, monitor)


class ShortLines(Callback):
    """A callback that prints the first epoch, about every tenth of the whole, the last one and the kept one.

    monitor     figure by which an epoch is kept; it has its place in each line

    Logs of batch jobs stay short so.
    """

    only_watches = True

    def __init__(self, console: Console, monitor: str) -> None:
        self.console = console
        self.figures = dict.fromkeys(("loss", "val_loss", monitor))
        self._shown: set[int] = set()

    def on_start(self, trainer: Trainer) -> None:
        """Begin anew: nothing has been printed of this training."""
        self._shown = set()

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        """Print losses and speed where a line is due."""
        every = max(1, -(-trainer.epochs // _LINES))
        if row["epoch"] == 1 or row["epoch"] % every == 0 or row["epoch"] == trainer.epochs:
            self._print(trainer, row)

    def on_end(self, trainer: Trainer) -> None:
        """Print the last epoch, and the one whose weights are kept, where they have no line yet."""
        rows = list(trainer.history)
        for row in [*rows[-1:], *(row for row in rows if row["epoch"] == trainer.best_epoch)]:
            if row["epoch"] not in self._shown:
                self._print(trainer, row)

    def _print(self, trainer: Trainer, row: Row) -> None:
        """Print one line: epoch, losses, speed."""
        self._shown.add(row["epoch"])
        figures = [f"{name} {row[name]:.4g}" for name in self.figures if name in row]
        line = [f"  epoch {row['epoch']}/{trainer.epochs}", *figures, speed(row["steps_per_second"])]
        self.console.print("  ".join(line), soft_wrap=True)

    def quiet_epochs(self, trainer: Trainer) -> float:
        """Return infinity: it only watches."""
        return math.inf
