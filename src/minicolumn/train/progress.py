"""A progress bar: two lines on a terminal, drawn anew while a training runs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar as Bar
from rich.table import Table
from rich.text import Text

from minicolumn.train.callbacks import Callback
from minicolumn.train.history import Row
from minicolumn.train.trainer import Trainer

# Ten drawings a second look smooth and cost a training nothing.
SECONDS_BETWEEN = 0.1
# Columns of the history that are no measure of how good it is.
_NOT_MEASURED = ("epoch", "learning_rate", "seconds", "steps_per_second")


class ProgressBar(Callback):
    """A progress bar: how far a training is, how fast and how good.

        epoch 3/20  ━━━━━━╸━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  812 steps/s  0:07 left
        loss 0.3121   val_loss 0.3310   best 0.3310 in epoch 2

    console     where to draw; None takes standard error
    clock       seconds, from any start
    keep        whether something stays: on a terminal the last state, elsewhere (in a log) a line an epoch;
                otherwise the lines go away when the training ends, and without a terminal nothing is written

    One bar is for one training at a time. The time left takes every
    step to last as long as the mean so far, compiling included, so it begins too high.
    """

    only_watches = True

    def __init__(
        self,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
        keep: bool = False,
    ) -> None:
        self.console = Console(stderr=True) if console is None else console
        self.clock, self.keep = clock, keep
        self._live: Live | None = None
        self._started = self._drawn = 0.0
        self._loss = float("nan")

    def on_start(self, trainer: Trainer) -> None:
        """Draw the empty bar."""
        self._started = self._drawn = self.clock()
        self._loss = float("nan")
        if self.console.is_terminal and not self.console.is_dumb_terminal and not self.console.quiet:
            first = self.draw(trainer, 0)
            self._live = Live(first, console=self.console, auto_refresh=False, transient=not self.keep)
            self._live.start(refresh=True)

    def on_chunk(self, trainer: Trainer, done: int, loss: float) -> None:
        """Draw how far the epoch is, if the last drawing is old enough."""
        self._loss = loss
        self._show(trainer, done)

    def on_epoch(self, trainer: Trainer, row: Row) -> None:
        """Draw what the epoch gave, if the last drawing is old enough; or write it as a line."""
        self._show(trainer, 0)
        if self.keep and self._live is None:
            self.console.print(Text(line_of(trainer, row)), soft_wrap=True)

    def quiet_epochs(self, trainer: Trainer) -> float:
        """Return infinity: it only watches."""
        return math.inf

    def on_end(self, trainer: Trainer) -> None:
        """Take the lines away, or leave how it ended."""
        if self._live is not None:
            if self.keep:
                self._live.update(self.draw(trainer, 0), refresh=True)
            self._live.stop()
            self._live = None

    def _show(self, trainer: Trainer, done: int) -> None:
        now = self.clock()
        if self._live is not None and now - self._drawn >= SECONDS_BETWEEN:
            self._drawn = now
            self._live.update(self.draw(trainer, done), refresh=True)

    def draw(self, trainer: Trainer, done: int) -> RenderableType:
        """Return both lines, with `done` steps of the running epoch behind."""
        grid = Table.grid(padding=(0, 2), expand=True)
        grid.add_column(no_wrap=True)
        grid.add_column(ratio=1)
        grid.add_column(no_wrap=True, justify="right")
        grid.add_row(*self._how_far(trainer, done))
        return Group(grid, Text(f"  {self._how_good(trainer)}", "dim", no_wrap=True))

    def _how_far(self, trainer: Trainer, done: int) -> tuple[RenderableType, ...]:
        behind = len(trainer.history) * trainer.steps + done
        share, spent = behind / (trainer.epochs * trainer.steps), self.clock() - self._started
        epoch = min(len(trainer.history) + 1, trainer.epochs)
        bar = Bar(total=1.0, completed=share, complete_style="cyan", finished_style="cyan")
        if not (behind and spent):
            return f"  epoch {epoch}/{trainer.epochs}", bar, "preparing"
        left = duration(spent * (1.0 - share) / share)
        return f"  epoch {epoch}/{trainer.epochs}", bar, f"{speed(behind / spent)}  {left} left"

    def _how_good(self, trainer: Trainer) -> str:
        history = trainer.history
        if not len(history):
            return "" if self._loss != self._loss else f"loss {self._loss:.4f}"
        last = history[-1]
        watched = trainer.monitor or ("val_loss" if "val_loss" in last else "loss")
        names = [name for name in dict.fromkeys(("loss", "val_loss", watched)) if name in last]
        best = history[history.best(watched, trainer.lower_is_better(watched))]
        figures = "   ".join(f"{name} {last[name]:.4f}" for name in names)
        return f"{figures}   best {best[watched]:.4f} in epoch {best['epoch']}"


def line_of(trainer: Trainer, row: Row) -> str:
    """Return an epoch as a line of a log: its number, what was measured, the speed.

    >>> from types import SimpleNamespace
    >>> line_of(SimpleNamespace(epochs=20), {"epoch": 3, "loss": 0.25, "steps_per_second": 1234.5})
    'epoch 3/20   loss 0.2500   1,234 steps/s'
    """
    figures = [f"{name} {value:.4f}" for name, value in row.items() if name not in _NOT_MEASURED]
    return "   ".join([f"epoch {row['epoch']}/{trainer.epochs}", *figures, speed(row["steps_per_second"])])


def duration(seconds: float) -> str:
    """Return a duration in seconds as on a clock, [h:]m:ss.

    >>> duration(5), duration(75.4), duration(3700)
    ('0:05', '1:15', '1:01:40')
    """
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def speed(steps_per_second: float) -> str:
    """Return steps a second with no more digits than they deserve.

    >>> speed(1234.5), speed(12.34)
    ('1,234 steps/s', '12.3 steps/s')
    """
    return f"{steps_per_second:,.{0 if steps_per_second >= 100 else 1}f} steps/s"
