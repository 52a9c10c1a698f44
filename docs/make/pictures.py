"""Make the pictures of the README: `python docs/make/pictures.py`, with the extra `plot` installed."""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.text import Text

import minicolumn as mc
from minicolumn.cli import main

FOLDER = Path(__file__).resolve().parents[1] / "pictures"


def graph() -> None:
    """Draw the gradient of a small network's loss."""
    net = mc.nn.Sequential(mc.nn.Dense(8, activation="tanh"), mc.nn.Dense(1))

    def loss(params: dict, x: np.ndarray, y: np.ndarray) -> np.ndarray:
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


if __name__ == "__main__":
    graph()
    training()
    descent()
