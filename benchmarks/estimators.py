"""`mc.MLPClassifier` beside scikit-learn's: the same settings, the same rows, fit and predict in turns.

    python benchmarks/estimators.py [--data ../shared/data] [--rounds 3] [SET ...]

Each line: seconds of `fit` and of `predict` on the training rows, best and median, ours and scikit-
learn's, the ratio of the bests, and the loss that both came to. All settings are scikit-learn's defaults
(100 units, Adam, batches of 200) but for the epochs, of which both take the same number. Ours compiles
in its first fit of a kind; the code is on disk then. `first` is the first fit of a process, 200 epochs on
a hundred rows, with the import of each side and its first predict beside it. `search` is a grid search in
two processes. `digits` adds the network that a course asks for, 784-300-100-10 with dropout and early
stopping, on all of MNIST and Fashion-MNIST: seconds and test accuracy for three seeds.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier as Peer

import minicolumn as mc
from minicolumn.tables import Encoder, infer_schema, read_table, with_target

Array = np.ndarray
# Name: target, epochs, most rows.
TABLES = {
    "adult_income": ("income", 10, None),
    "letter_recognition": ("class", 10, None),
    "covertype": ("Cover_Type", 2, None),
    "a hundred rows": ("class", 50, 100),
}
FIRST = """
import importlib, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X, y = rng.normal(size=(100, 16)).astype(np.float32), rng.integers(0, 3, 100)
times = [time.perf_counter()]
model = importlib.import_module(sys.argv[1]).MLPClassifier(random_state=0)
times.append(time.perf_counter())
model.fit(X, y)
times.append(time.perf_counter())
model.predict(X)
times.append(time.perf_counter())
print(*np.diff(times))
"""
PAUSE = 0.1  # seconds; OpenBLAS' threads spin for 2^26 cycles, and whoever shares their cores waits for them
FILES = {"a hundred rows": "letter_recognition"}


def table(data: Path, name: str) -> tuple[Array, Array, int]:
    """Return features, class numbers, and how many epochs to train."""
    target, epochs, rows = TABLES[name]
    frame = read_table(data / f"{FILES.get(name, name)}.csv.gz")
    target = target if target in frame.columns else frame.columns[-1]
    schema = infer_schema(frame, target)
    frame = with_target(frame, schema)
    encoder = Encoder.fit(frame, schema)
    X, y = encoder.transform(frame), encoder.encode_target(frame)
    return X[:rows], y[:rows], epochs


def images(data: Path, name: str, part: str) -> tuple[Array, Array]:
    """Return pixels from 0 to 1, [rows, 784], and labels."""
    raw = [
        gzip.decompress((data / name / f"{part}-{kind}-ubyte.gz").read_bytes())
        for kind in ("images-idx3", "labels-idx1")
    ]
    pixels = np.frombuffer(raw[0], np.uint8, offset=16).reshape(-1, 784)
    return pixels.astype(np.float32) / 255, np.frombuffer(raw[1], np.uint8, offset=8)


def seconds(call: Callable[[], Any]) -> float:
    """Return how long a call took, once the other side's threads have stopped spinning."""
    time.sleep(PAUSE)
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def compare(name: str, X: Array, y: Array, epochs: int, rounds: int) -> None:
    """Print one line: both sides take turns."""
    settings = {"max_iter": epochs, "tol": 0.0, "n_iter_no_change": 10**6, "random_state": 0}
    sides: dict[str, Any] = {"ours": mc.MLPClassifier(**settings), "scikit-learn": Peer(**settings)}
    sides["ours"].fit(X, y)
    fits: dict[str, list[float]] = {side: [] for side in sides}
    predictions: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, model in sides.items():
            fits[side].append(seconds(lambda model=model: model.fit(X, y)))
            predictions[side].append(seconds(lambda model=model: model.predict(X)))
    for what, found in (("fit", fits), ("predict", predictions)):
        shown = ", ".join(
            f"{side} {min(s):.4f} best {statistics.median(s):.4f} median" for side, s in found.items()
        )
        print(f"{name:20} {what:8} {shown}: {min(found['scikit-learn']) / min(found['ours']):.1f}x")
    losses = ", ".join(f"{side} {model.loss_:.4f}" for side, model in sides.items())
    print(f"{name:20} {len(X)} rows, {X.shape[1]} features, {epochs} epochs; losses: {losses}")


def first(rounds: int) -> None:
    """Print what the first fit of a process takes, code on disk; each process says so itself."""
    found: dict[str, list[list[float]]] = {"minicolumn": [], "sklearn.neural_network": []}
    for _ in range(rounds + 1):  # the first of ours may compile
        for module, times in found.items():
            done = subprocess.run([sys.executable, "-c", FIRST, module], capture_output=True, check=True)
            times.append([float(word) for word in done.stdout.split()])
    ours, theirs = ([min(column) for column in zip(*times[1:], strict=True)] for times in found.values())
    for what, a, b in zip(("import", "fit", "predict"), ours, theirs, strict=True):
        print(f"first in a process   {what:8} ours {a:.4f} best, scikit-learn {b:.4f} best: {b / a:.1f}x")


def search(rounds: int) -> None:
    """Print what a search over 12 fits in two processes takes, on the 1,797 small digits of scikit-learn."""
    X, y = load_digits(return_X_y=True)
    grid = {"alpha": [1e-4, 1e-2], "hidden_layer_sizes": [(64,), (32, 32)]}
    found: dict[str, list[float]] = {"ours": [], "scikit-learn": []}
    for _ in range(rounds + 1):  # the first of each starts the processes, and ours may compile
        for side, make in (("ours", mc.MLPClassifier), ("scikit-learn", Peer)):
            task = GridSearchCV(make(max_iter=30, random_state=0), grid, cv=3, n_jobs=2)
            found[side].append(seconds(lambda task=task: task.fit(X / 16.0, y)))
    for side, (first_time, *times) in found.items():
        print(f"search, two processes         {side} {min(times):.2f} best, {first_time:.2f} the first time")
    print(f"search, two processes         {min(found['scikit-learn'][1:]) / min(found['ours'][1:]):.1f}x")


def digits(data: Path, name: str) -> None:
    """Print seconds and test accuracy of 784-300-100-10 with dropout and early stopping, for three seeds.

    The dropout was chosen by validation scores, of six settings on MNIST and two on Fashion-MNIST.
    """
    (X, y), (X_test, y_test) = images(data, name, "train"), images(data, name, "t10k")
    for seed in range(3):
        model = mc.MLPClassifier(
            (300, 100), dropout=0.2, input_dropout=0.1, solver=mc.optim.Adam(2e-3), batch_size=128,
            learning_rate=mc.optim.Cosine(end=0.02), early_stopping=True, max_iter=30, tol=0.0,
            random_state=seed,
        )  # fmt: skip
        took = seconds(lambda model=model: model.fit(X, y))
        found = f"{took:.1f} s, {model.n_iter_} epochs, test accuracy {model.score(X_test, y_test):.4f}"
        print(f"{name:20} seed {seed}: {found}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "sets", nargs="*", help=f"of {', '.join([*TABLES, 'first', 'search', 'mnist', 'digits'])}"
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # that so few epochs do not converge
    for name in options.sets or [*TABLES, "first", "search", "mnist", "digits"]:
        if name in TABLES:
            compare(name, *table(options.data, name), options.rounds)
        elif name == "first":
            first(options.rounds)
        elif name == "search":
            search(options.rounds)
        elif name == "mnist":
            compare(name, *images(options.data, name, "train"), 2, options.rounds)
        else:
            digits(options.data, "mnist")
            digits(options.data, "fashion_mnist")


if __name__ == "__main__":
    main()
