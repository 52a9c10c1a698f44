"""The curves of a training as a picture, for the command line."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from minicolumn.picture import check_file
from minicolumn.train.history_picture import draw_history

if TYPE_CHECKING:
    from minicolumn.train import History


def check_picture(path: str) -> None:
    """Refuse a picture that could not be drawn, before the training."""
    check_file("--plot", path)


def draw_curves(history: History, best_epoch: int, title: str, suffix: str) -> bytes:
    """Return a picture of losses and metrics by epoch, with the epoch whose weights were kept."""
    stream = io.BytesIO()
    figure = draw_history(history, best_epoch, title).figure
    figure.savefig(stream, format=suffix.removeprefix("."), dpi=160)
    return stream.getvalue()
