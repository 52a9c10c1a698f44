"""How good are the rates that `find_learning_rate` suggests: beside a grid of fixed ones, and other choices.

    python benchmarks/learning_rates.py [--seeds 3] [--epochs 20]

Networks of 64 and 32 neurons, ReLU and tanh, under three optimizers on five data sets that come with
scikit-learn. For each choice the tables give, for each optimizer and for all, by how much the training loss
exceeds that of the best of 17 fixed rates (geometric mean and the worst case; at rates between two of the
grid, their losses' interpolation) and how far its rate is from the best one. Losses below a thousandth of the
first one count as that much.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes, load_digits, load_wine, make_moons

import minicolumn as mc
from minicolumn.train.rate_finder import RateFinding

Array = np.ndarray
Problem = tuple[str, Array, Array, int, str]
Tally = dict[str, list[tuple[float, float]]]  # by choice: logarithms of loss and rate over the best ones

GRID = np.geomspace(1e-4, 1.0, 17)
ENOUGH = 1e-3  # of the first loss
OPTIMIZERS = ("adam", "sgd", "momentum")
CHOICES: dict[str, Callable[[RateFinding], float]] = {
    "the suggestion": lambda found: found.suggestion,
    "the least loss": lambda found: float(found.rates[found.smoothed.argmin()]),
    "a tenth of it": lambda found: float(found.rates[found.smoothed.argmin()]) / 10.0,
    "a third of it": lambda found: float(found.rates[found.smoothed.argmin()]) / 3.0,
    "the valley": lambda found: float(found.rates[valley(found.smoothed)]),
    "the steepest": lambda found: float(found.rates[np.gradient(found.smoothed).argmin()]),
}


def valley(smoothed: Array) -> int:
    """Return the middle of the longest falling subsequence, as fastai does."""
    lengths = np.ones(len(smoothed), np.int64)
    for step in range(1, len(smoothed)):
        lengths[step] += np.max(lengths[:step], where=smoothed[:step] > smoothed[step], initial=0)
    end = int(lengths.argmax())
    return end - int(lengths[end]) // 2


def rows_of(load: Any) -> tuple[Array, Array]:
    """Return rows and targets of one of scikit-learn's sets."""
    return load(return_X_y=True)


def problems() -> Iterator[Problem]:
    """Yield name, rows, targets, outputs and loss."""
    scaled: Callable[[Array], Array] = lambda a: ((a - a.mean(axis=0)) / a.std(axis=0)).astype(np.float32)  # noqa: E731
    X, y = rows_of(load_digits)
    yield "digits", (X / 16.0).astype(np.float32), y, 10, "softmax_cross_entropy"
    X, y = rows_of(load_wine)
    yield "wine", scaled(X), y, 3, "softmax_cross_entropy"
    X, y = map(np.asarray, make_moons(2000, noise=0.2, random_state=0))
    yield "moons", X.astype(np.float32), y, 2, "softmax_cross_entropy"
    X, y = rows_of(load_diabetes)
    yield "diabetes", scaled(X), scaled(y[:, None]), 1, "squared_error"
    x = np.linspace(-1.0, 1.0, 500, dtype=np.float32)[:, None]
    yield "sine", x, np.sin(6.0 * x), 1, "squared_error"


def losses_of_the_grid(net: Any, X: Array, y: Array, rule: Any, loss: str, epochs: int) -> Array:
    """Return the last training loss at each fixed rate; infinite where it diverged."""
    last = np.full(len(GRID), np.inf)
    for place, rate in enumerate(GRID.tolist()):
        optimizer = rule.with_rate(rate)
        try:
            run = mc.fit(net, X, y, loss=loss, optimizer=optimizer, epochs=epochs, seed=0, progress=False)
        except mc.DivergenceError:
            continue
        last[place] = run.history["loss"][-1]
    return last


def excess(rate: float, grid: Array, first: float) -> float:
    """Return the logarithm of the loss at a rate over the best of the grid."""
    logs = np.log(np.clip(np.nan_to_num(grid, posinf=100.0 * first), ENOUGH * first, 100.0 * first))
    return float(np.interp(np.log(rate), np.log(GRID), logs) - logs.min())


def tried(net: Any, X: Array, y: Array, rule: Any, loss: str, grid: Array, seed: int, tally: Tally) -> float:
    """Enter how each choice does for one trial of rates; return the suggestion."""
    found = mc.train.find_learning_rate(net, X, y, loss=loss, optimizer=rule, seed=seed)
    first, best = float(found.losses[:5].mean()), GRID[grid.argmin()]
    for choice, rate_of in CHOICES.items():
        rate = rate_of(found)
        tally[choice].append((excess(rate, grid, first), float(np.log10(rate / best))))
    return found.suggestion


def _joined(tallies: Iterable[Tally]) -> Tally:
    every = list(tallies)
    return {choice: [pair for tally in every for pair in tally[choice]] for choice in CHOICES}


def main() -> None:
    parser = argparse.ArgumentParser(description="suggested learning rates beside a grid of fixed ones")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    options = parser.parse_args()
    tallies: dict[str, Tally] = {rule: {name: [] for name in CHOICES} for rule in OPTIMIZERS}
    for name, X, y, outputs, loss in problems():
        for activation, optimizer in product(("relu", "tanh"), OPTIMIZERS):
            hidden = (mc.nn.Dense(units, activation) for units in (64, 32))
            net = mc.nn.Sequential(*hidden, mc.nn.Dense(outputs))
            rule = mc.optim.optimizer_by_name(optimizer)
            grid = losses_of_the_grid(net, X, y, rule, loss, options.epochs)
            seeds = range(options.seeds)
            said = [tried(net, X, y, rule, loss, grid, seed, tallies[optimizer]) for seed in seeds]
            print(f"{name:9} {activation:5} {optimizer:9} best {GRID[grid.argmin()]:.2g}, suggested", end=" ")
            print(*(f"{rate:.2g}" for rate in said), sep=", ", flush=True)
    for optimizer, tally in [*tallies.items(), ("all", _joined(tallies.values()))]:
        print(f"\n{optimizer:15} loss over the best: mean   worst   rate over the best")
        for choice, pairs in tally.items():
            above, away = np.array(pairs).T
            mean, worst, rate = np.exp(above.mean()), np.exp(above.max()), 10 ** away.mean()
            print(f"{choice:15} {mean:>24.2f} {worst:>7.1f}   {rate:>18.2f}")


if __name__ == "__main__":
    main()
