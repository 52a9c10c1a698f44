"""Epochs of 54-128-64-7 on Covertype (581,012 rows): seconds, beside JAX's scan, and memory.

    python benchmarks/covertype.py ../shared/data/covertype.csv.gz [--epochs 5] [--rounds 3]

Adam, batch 256, every row in every epoch, shuffled; the last short batch is trained on too (JAX leaves it
out). Both sides take turns, an epoch each. Memory is that of a process of its own that trains two epochs:
the most it ever held, less what it held with the data and before training. Twice: without and with a
program in the disk cache.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import minicolumn as mc

Array = np.ndarray
FEATURES, WIDTHS, BATCH = 54, (128, 64, 7), 256


def read(path: Path) -> tuple[Array, Array]:
    """Return standardised features, float32 [rows, 54], and classes from 0, int32 [rows]."""
    import polars

    frame = polars.read_csv(path)
    *features, target = frame.columns
    X = frame.select(features).to_numpy().astype(np.float32, order="C")
    y = frame[target].to_numpy().astype(np.int32)
    return (X - X.mean(0)) / (X.std(0) + np.float32(1e-6)), y - y.min()


def network() -> mc.nn.Sequential:
    """Return 54-128-64-7."""
    *hidden, outputs = WIDTHS
    return mc.nn.Sequential(*(mc.nn.Dense(n, activation="relu") for n in hidden), mc.nn.Dense(outputs))


def ours(X: Array, y: Array, epochs: int) -> Array:
    """Return the seconds of each epoch, as the training reports them."""
    run = mc.fit(network(), X, y, epochs=epochs, batch_size=BATCH, progress=False)
    return np.array([record["seconds"] for record in run.history])


def jax_epochs(X: Array, y: Array) -> Iterator[float]:
    """Give the seconds of one epoch after the other, compilation included in the first."""
    import jax

    from minicolumn.bench import with_jax
    from minicolumn.bench.workloads import Problem, workload_by_name

    problem = Problem(workload_by_name("tabular"), steps=1)
    problem.X, problem.Y = X, y
    rng, epoch = np.random.default_rng(0), jax.jit(with_jax._epoch(problem.workload), donate_argnums=0)
    state, data = with_jax._start(problem), with_jax._data(problem)
    while True:
        began = time.perf_counter()
        order = rng.permutation(len(X))[: len(X) // BATCH * BATCH].reshape(-1, BATCH).astype(np.int32)
        state, losses = epoch(state, *data, jax.numpy.asarray(order))
        losses.block_until_ready()
        yield time.perf_counter() - began


def times(X: Array, y: Array, epochs: int, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of epochs of each side, taking turns; first epochs, which compile, are left out."""
    found: dict[str, list[float]] = {"minicolumn": []}
    try:
        theirs = jax_epochs(X, y)
        next(theirs)
        found["JAX scan"] = []
    except ImportError:
        theirs = iter(())
    for _ in range(rounds):
        found["minicolumn"] += ours(X, y, epochs + 1)[1:].tolist()
        if "JAX scan" in found:
            found["JAX scan"] += [next(theirs) for _ in range(epochs)]
    return found


def held(field: str) -> float:
    """Return megabytes of memory of this process: VmRSS, what it holds now, or VmHWM, the most since then."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024 / 1e6


def memory(path: Path) -> None:
    """Print the megabytes of the data and what training took besides."""
    with np.load(path) as arrays:
        X, y = arrays["X"], arrays["y"]
    Path("/proc/self/clear_refs").write_text("5")  # forget the most so far: reading takes more than the data
    before = held("VmRSS")
    ours(X, y, epochs=2)
    print(f"data {(X.nbytes + y.nbytes) / 1e6:.0f} MB, training {held('VmHWM') - before:.0f} MB on top")


def in_a_process(X: Array, y: Array) -> Iterator[str]:
    """Give what `memory` prints, with an empty disk cache and with a filled one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "data.npz")
        np.savez(path, X=X, y=y)
        environment = {**os.environ, "MINICOLUMN_CACHE_DIR": str(Path(folder, "cache"))}
        for _ in range(2):
            words = [sys.executable, __file__, "--memory", str(path)]
            done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
            yield done.stdout.strip()


def report(found: dict[str, list[float]]) -> None:
    """Print best and median, and the ratio to ours."""
    for name, seconds in found.items():
        best, ratio = min(seconds), min(seconds) / min(found["minicolumn"])
        print(f"{name:12} {best:.3f} s best, {statistics.median(seconds):.3f} s median, {ratio:.2f} of ours")


def main() -> None:
    """Measure and print."""
    parser: Any = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--epochs", type=int, default=5, help="in a turn")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side")
    parser.add_argument("--memory", action="store_true", help="measure the memory for arrays in an .npz file")
    options = parser.parse_args()
    if options.memory:
        memory(options.file)
        return
    X, y = read(options.file)
    print("memory, first and then from the cache:", *in_a_process(X, y), sep="\n  ")
    report(times(X, y, options.epochs, options.rounds))


if __name__ == "__main__":
    main()
