"""The learning curves of a training: what was measured in each epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from minicolumn.errors import DataError, did_you_mean
from minicolumn.model.files import PathLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = dict[str, Any]


def history_rows(
    epochs: Sequence[int],
    figures: Mapping[str, Sequence[Any]],
    rates: Sequence[float],
    seconds: float,
    steps: int,
) -> list[Row]:
    """Return the rows of some epochs.

    epochs      their numbers, from 1
    figures     columns: of the rows trained on, then of those held out
    rates       the learning rates of the last steps
    seconds     that each took, over so many steps
    """
    count, speed = len(epochs), steps / max(seconds, 1e-9)
    names = ("epoch", *figures, "learning_rate", "seconds", "steps_per_second")
    times = [seconds] * count, [speed] * count
    values = zip(epochs, *figures.values(), rates, *times, strict=False)
    return [dict(zip(names, row, strict=True)) for row in values]


class History(Sequence[Row]):
    """The learning curves: one row an epoch, of loss, val_loss, metrics, learning rate and speed.

        epoch               from 1
        loss                sum over steps of batch loss * rows of the batch / rows, each before its step
        penalty             the same of the regularizer's share, where there is one; not part of loss
        val_loss, val_...   on held-out rows, with the weights after the epoch
        learning_rate       of the last step
        seconds             of training, compiling included, measuring not
        steps_per_second    of this epoch

    An integer gives a row, a name gives a column as an array float64 [epochs], with NaN where an epoch has no
    such figure.

    rows        the figures
    kept        the epoch whose weights were kept, counted from 1; None where that is not known
    most        of so many rows at most every second one is dropped, see `limit`; None keeps one an epoch
    every       rows are kept of epochs that are multiples of it, 1 without a limit
    epochs      epochs noted, of which rows may have been dropped
    Errors      DataError for a name that is no column
    Differs     Keras has a dict of lists, skorch a list with slices of its own, scikit-learn `loss_curve_`.
                As there, loss is a running mean over weights that move: it may lie above val_loss.

    >>> history = History([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}])
    >>> history["loss"], history[-1]["epoch"]
    (array([0.5 , 0.25]), 2)
    """

    def __init__(self, rows: Sequence[Row] = (), kept: int | None = None) -> None:
        self.rows: list[Row] = list(rows)
        self.kept = kept
        self.most: int | None = None
        self.every, self.epochs = 1, len(self.rows)
        self._gains: dict[
            tuple[str, float, bool], tuple[int, float, int]
        ] = {}  # how far `waited` has looked, by what it looks at

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @overload
    def __getitem__(self, key: int) -> Row: ...
    @overload
    def __getitem__(self, key: slice) -> list[Row]: ...
    @overload
    def __getitem__(self, key: str) -> np.ndarray: ...
    def __getitem__(self, key: int | slice | str) -> Row | list[Row] | np.ndarray:
        if not isinstance(key, str):
            return self.rows[key]
        if self.rows and key not in self.names:
            raise DataError(f"the history has no {key!r}{did_you_mean(key, self.names)}")
        return np.array([row.get(key, np.nan) for row in self.rows], np.float64)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all columns, in the order in which they first came."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row))

    def best(self, monitor: str = "val_loss", lower: bool = True) -> int:
        """Return the index of the best row, of equal ones the first; -1 for none.

        monitor     a column; NaN in it is never best
        lower       whether less is better
        Errors      DataError for a name that is no column

        >>> History([{"loss": 3.0}, {"loss": 1.0}, {"loss": 1.0}, {"loss": 2.0}]).best("loss")
        1
        """
        values = self[monitor] if lower else -self[monitor]
        if not len(values) or np.all(np.isnan(values)):
            return -1
        return int(np.flatnonzero(values == np.nanmin(values))[0])

    def add(self, row: Row, epoch: int) -> None:
        """Set the row of an epoch, counted from 1; rows from there on, if any, are dropped."""
        self.extend([row], epoch)

    def extend(self, rows: Sequence[Row], epoch: int) -> None:
        """Set the rows from an epoch on, counted from 1, in place of all that stand there."""
        self.cut(epoch - 1)
        self.rows += rows if self.every == 1 else [row for row in rows if row["epoch"] % self.every == 0]
        self.epochs = epoch - 1 + len(rows)
        self._thin()

    def pass_by(self, rows: Sequence[Row], epoch: int) -> None:
        """Pass on to an epoch; of those in between, the rows that are not kept were left out.

        rows        those of multiples of `every`
        epoch       the last that was passed, whether it has a row or not
        """
        self.cut(min(self.epochs, epoch))
        self.rows += rows
        self.epochs = epoch
        self._thin()

    def cut(self, epochs: int) -> None:
        """Drop the rows of all epochs beyond so many."""
        if epochs >= self.epochs:
            return
        self._gains.clear()
        if len(self.rows) == self.epochs:
            del self.rows[epochs:]
        else:  # some were dropped
            self.rows = [row for row in self.rows if row["epoch"] <= epochs]
        self.epochs = epochs

    def since(self, epoch: int) -> list[Row]:
        """Return the rows of epochs after this one, counted from 1."""
        if len(self.rows) == self.epochs:
            return self.rows[epoch:]
        return [row for row in reversed(self.rows) if row["epoch"] > epoch][::-1]

    def copy(self) -> History:
        """Return a history with the same rows, to which no others are added."""
        found = History(self.rows, self.kept)
        found.most, found.every, found.epochs = self.most, self.every, self.epochs
        return found

    def limit(self, most: int | None) -> None:
        """Keep so many rows at most: thinning by a stride that doubles.

            more than `most` rows:      every *= 2,  rows stay of epochs that are multiples of `every`

        So there are between most / 2 and most rows, evenly spaced, however long a training lasts. Rows that
        were dropped do not come back.

        most        at least 2; None keeps one row for each epoch that is still to come

        >>> history = History([{"epoch": k, "loss": 1 / k} for k in range(1, 10)])
        >>> history.limit(4)
        >>> [row["epoch"] for row in history], history.every, history.epochs
        ([2, 4, 6, 8], 2, 9)
        """
        self.most = most
        self.every = self.every if most is not None else 1
        self._gains.clear()
        self._thin()

    def _thin(self) -> None:
        while self.most is not None and len(self.rows) > self.most:
            self.every *= 2
            self.rows = [row for row in self.rows if row["epoch"] % self.every == 0]

    def waited(self, monitor: str, min_delta: float = 0.0, lower: bool = True) -> int:
        """Return the epochs since a figure was last better by `min_delta`: the counter of early stopping.

            epoch e is better  if  figure(e) < best - min_delta,  then best = figure(e)
            waited = epochs - last better epoch

        The first epoch counts as better than nothing, NaN never does. Each call looks at new rows alone.

        monitor     a column; lower: whether less is better
        Errors      DataError for a name that is no column

        >>> History([{"loss": 3.0}, {"loss": 2.0}, {"loss": 2.5}]).waited("loss")
        1
        """
        if self.rows and monitor not in self.rows[-1] and monitor not in self.names:
            raise DataError(f"the history has no {monitor!r}{did_you_mean(monitor, self.names)}")
        looked, best, gain = self._gains.get((monitor, min_delta, lower), (0, float("inf"), 0))
        for epoch, row in enumerate(self.rows[looked:], looked + 1):
            value = float(row.get(monitor, float("nan"))) * (1.0 if lower else -1.0)
            if value < best - min_delta:
                best, gain = value, epoch
        self._gains[monitor, min_delta, lower] = len(self.rows), best, gain
        return len(self.rows) - gain

    def plot(
        self, path: PathLike | None = None, ax: Axes | None = None, kept: int | None = None, label: str = ""
    ) -> Axes:
        """Draw the learning curves: the losses by epoch, and below them each metric of the validation rows.

        path        file to write: .png, .svg, .pdf, .jpg or .webp; None writes none
        ax          axes of matplotlib to draw the losses into; None makes a picture of its own
        kept        the epoch to mark; None marks `kept`, or the one of the lowest loss where that is None
        label       in front of the names in the legend, where several histories share axes; they then have
                    colours of their own
        Returns     the axes of the losses
        Errors      DataError without any epoch, without matplotlib, or for another suffix
        """
        from minicolumn.train.history_picture import plot_history

        return plot_history(self, path, ax, self.kept if kept is None else kept, label)

    def __repr__(self) -> str:
        if not self.rows:
            return "History(no epochs)"
        last = ", ".join(f"{k}={v:.4g}" for k, v in self.rows[-1].items() if isinstance(v, float))
        return f"History({len(self.rows)} epochs; last: {last})"


def mean_history(histories: Sequence[History]) -> History:
    """Return the mean of several learning curves: of each figure over those that had the epoch.

    >>> one, other = History([{"epoch": 1, "loss": 2.0}]), History([{"epoch": 1, "loss": 4.0}, {"loss": 1.0}])
    >>> mean_history([one, other])["loss"].tolist()
    [3.0, 1.0]
    """
    longest = max(map(len, histories))
    names = dict.fromkeys(name for history in histories for row in history.rows for name in row)
    means, counts = {}, {}
    for name in names:  # by columns: rows are thousands
        total, counts[name] = np.zeros(longest), np.zeros(longest, np.int64)
        for history in histories:
            total[: len(history)] += [row.get(name, 0.0) for row in history.rows]
            counts[name][: len(history)] += [name in row for row in history.rows]
        means[name] = (total / np.maximum(counts[name], 1)).tolist()
    rows = [{name: means[name][epoch] for name in names if counts[name][epoch]} for epoch in range(longest)]
    return History([{**row, "epoch": epoch} for epoch, row in enumerate(rows, 1)])
