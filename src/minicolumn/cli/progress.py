"""What is seen of a training while it runs: a live bar on a terminal, short lines elsewhere."""

from __future__ import annotations

import time

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from minicolumn.cli.screen import is_live
from minicolumn.train import Callback, Training
from minicolumn.train.callbacks import lower_is_better
from minicolumn.train.history import Row

_LINES = 10  # short lines a training, where no bar can be drawn


def watch(console: Console, as_json: bool) -> tuple[Callback, ...]:
    """Return the callbacks that show a training on this console."""
    if console.quiet:
        return ()
    if is_live(console):
        return (LiveBar(console),)
    return () if as_json else (ShortLines(console),)


def clock(seconds: float) -> str:
    """Return a duration as on a clock.

    >>> clock(5), clock(75.4), clock(3700)
    ('0:05', '1:15', '1:01:40')
    """
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def rate(steps_per_second: float) -> str:
    """Return a rate with no more digits than it deserves."""
    digits = 0 if steps_per_second >= 100 else 1
    return f"{steps_per_second:,.{digits}f} steps/s"


def best_so_far(training: Training) -> str:
    """Return the best figure of those by which the weights are chosen, and its epoch."""
    name = training.monitor or "loss"
    row = training.history[training.history.best(name, lower_is_better(name))]
    label = "" if name in ("loss", "val_loss") else f" {name.removeprefix('val_').replace('_', ' ')}"
    return f"best{label} {row[name]:.4f} in epoch {row['epoch']}"


class ShortLines(Callback):
    """The first epoch, about every tenth of the whole, and the last one."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def on_epoch(self, training: Training, row: Row) -> None:
        """Print one line where one is due."""
        every = max(1, -(-training.epochs // _LINES))
        if row["epoch"] == 1 or row["epoch"] % every == 0 or training.stop_reason:
            parts = [f"  epoch {row['epoch']}/{training.epochs}", f"loss {row['loss']:.4f}"]
            parts += [f"validation {row['val_loss']:.4f}"] if "val_loss" in row else []
            self.console.print("  ".join([*parts, rate(row["steps_per_second"])]), soft_wrap=True)


class LiveBar(Callback):
    """Two lines drawn anew: how far and how fast, and how good."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.live: Live | None = None
        self.training: Training | None = None
        self.done, self.loss, self.started = 0, float("nan"), 0.0

    def on_start(self, training: Training) -> None:
        """Draw the empty bar."""
        self.training, self.started = training, time.monotonic()
        self.live = Live(console=self.console, get_renderable=self.draw, refresh_per_second=8, transient=True)
        self.live.start()

    def on_chunk(self, training: Training, done: int, loss: float) -> None:
        """Note how far the epoch is."""
        self.done, self.loss = done, loss

    def on_epoch(self, training: Training, row: Row) -> None:
        """Begin the next epoch."""
        self.done = 0

    def on_end(self, training: Training) -> None:
        """Take the bar away; what comes after says what came out."""
        if self.live is not None:
            self.live.stop()

    def draw(self) -> RenderableType:
        """Return both lines as they are now."""
        if self.training is None:
            return Text("")
        grid = Table.grid(padding=(0, 2), expand=True)
        grid.add_column(no_wrap=True)
        grid.add_column(ratio=1)
        grid.add_column(no_wrap=True, justify="right")
        grid.add_row(*self._first_line(self.training))
        return Group(grid, self._second_line(self.training))

    def _first_line(self, training: Training) -> tuple[RenderableType, ...]:
        behind = len(training.history) * training.steps + self.done
        share = behind / (training.epochs * training.steps)
        epoch = min(len(training.history) + 1, training.epochs)
        spent = time.monotonic() - self.started
        left = f"{clock(spent * (1 - share) / share)} left" if share else "preparing"
        bar = ProgressBar(total=1.0, completed=share, complete_style="cyan", finished_style="cyan")
        speed = f"{rate(behind / spent)}  " if behind and spent else ""
        return f"  epoch {epoch}/{training.epochs}", bar, f"{speed}{left}"

    def _second_line(self, training: Training) -> Text:
        history = training.history
        if not len(history):
            return Text(f"  loss {self.loss:.4f}" if self.loss == self.loss else "", "dim")
        last = history[-1]
        text = f"  loss {last['loss']:.4f}"
        text += f"   validation {last['val_loss']:.4f}" if "val_loss" in last else ""
        return Text(f"{text}   {best_so_far(training)}", "dim")
