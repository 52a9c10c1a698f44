"""Make the pictures of README and catalogue: `python docs/make/pictures.py`, with the extra `plot`."""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.text import Text

import minicolumn as mc
from minicolumn.cli import main
from minicolumn.picture import BEHIND, FRONT, INK, PALE, new_figure, quiet

FOLDER = Path(__file__).resolve().parents[1] / "pictures"


def graph() -> None:
    """Draw the gradient of a small network's loss."""
    net = mc.nn.Sequential(mc.nn.Dense(8, activation="tanh"), mc.nn.Dense(1))

    def loss(params: dict, x: np.ndarray, y: np.ndarray) -> Any:
        return np.mean((net.apply(params, x) - y) ** 2)

    params, x = net.init(0, (2,)), np.zeros((32, 2), np.float32)
    look = mc.inspect(mc.grad(loss), params, x, np.zeros((32, 1), np.float32))
    (FOLDER / "graph.svg").write_text(look.svg())


def training() -> None:
    """Run the main job; keep what it prints as SVG, and the curves that it draws."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            main(["train", "penguins", "--plot", "curves.png"])
        shutil.copy("curves.png", FOLDER)
    text = said.getvalue()
    console = Console(record=True, width=82, file=io.StringIO())
    console.print(Text("$ minicolumn train penguins", "bold"))
    for line in text.splitlines():
        console.print(Text(line), soft_wrap=True)
    console.save_svg(str(FOLDER / "train.svg"), title="minicolumn")


def descent() -> None:
    """Draw four paths of Adam on Himmelblau's function."""
    starts = [[-1.0, 0.0], [0.5, -0.5], [-3.0, 1.0], [1.0, 1.0]]
    mc.descent(mc.explain.surfaces.himmelblau, starts, "adam").plot(FOLDER / "descent.png")


def _small_multiples(names: list[str]) -> tuple[Any, dict[str, Any]]:
    """Return a figure of small axes in rows of seven, each with its name."""
    rows = -(-len(names) // 7)
    figure = new_figure(9.6, 1.45 * rows)
    places = figure.subplots(rows, 7, squeeze=False).ravel()
    for axes in places[len(names) :]:
        axes.set_axis_off()
    named = dict(zip(names, places, strict=False))
    for name, axes in named.items():
        quiet(axes)
        axes.set_title(name, fontsize=9, color=INK)
        axes.tick_params(labelsize=7)
    return figure, named


def activations() -> None:
    """Draw each activation of one number with its slope."""
    figure, places = _small_multiples([name for name, rule in mc.nn.ACTIVATIONS.items() if not rule.by_row])
    for name, axes in places.items():
        f, end = mc.nn.ACTIVATIONS[name].function, 8.0 if name == "relu6" else 4.0
        x = np.linspace(-end, end, 401)
        axes.axhline(0.0, color=PALE, lw=0.7)
        axes.axvline(0.0, color=PALE, lw=0.7)
        axes.plot(x, mc.grad(lambda x, f=f: np.sum(f(x)))(x), color=BEHIND, lw=1.2)
        axes.plot(x, f(x), color=FRONT, lw=1.6)
        axes.set(xlim=(-end, end), ylim=(-0.55 * end, 0.8 * end))
        axes.set(xticks=[-end / 2, 0, end / 2], yticks=[-end / 2, 0, end / 2])
    figure.savefig(FOLDER / "activations.png", dpi=110)


def schedules() -> None:
    """Draw each schedule's factor over a run of 200 steps."""
    steps, (figure, places) = np.arange(200), _small_multiples(list(mc.optim.SCHEDULES))
    for name, axes in places.items():
        settings = {"steps": 40} if name == "inverse_time" else {}
        factors = mc.optim.schedule_by_name(name, **settings)(steps, 200)
        axes.plot(steps, np.broadcast_to(factors, steps.shape), color=FRONT, lw=1.6)
        axes.set(ylim=(-0.05, 1.1), xticks=[], yticks=[0, 1])
    figure.savefig(FOLDER / "schedules.png", dpi=110)


if __name__ == "__main__":
    graph()
    training()
    descent()
    activations()
    schedules()
