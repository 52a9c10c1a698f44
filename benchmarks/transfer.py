"""Transfer with few rows: Fashion-MNIST with 500 labelled images, from scratch and from a trained network.

    python benchmarks/transfer.py --data FOLDER          with fashion_mnist/ and mnist/ in it, as IDX files

Two sources: a network trained on MNIST (60,000 digits), and one trained on five classes of Fashion-MNIST
(30,000 images) when the other five are to be learnt. The table has the accuracy on all test images of the
classes asked for, one run a seed; the seed draws the 500 rows, the new weights and the order of the rows. All
starts get the same epochs, batch size and optimizer. Network and classes were settled with seeds 3 and 4.
"""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np

import minicolumn as mc

ROWS, EPOCHS, SEEDS = 500, 40, (0, 1, 2)
HIDDEN = (300, 100)
# T-shirt, pullover, dress, sandal, sneaker; and to be learnt: trouser, coat, shirt, bag, ankle boot.
KNOWN, NEW = (0, 2, 3, 5, 7), (1, 4, 6, 8, 9)


def images(folder: Path, name: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images [rows, 784] in [0, 1] and labels."""
    X = mc.data.read_idx(folder / name / f"{part}-images-idx3-ubyte.gz")
    y = mc.data.read_idx(folder / name / f"{part}-labels-idx1-ubyte.gz")
    return X.reshape(len(X), -1).astype(np.float32) / 255, y.astype(np.int64)


def of_classes(X: np.ndarray, y: np.ndarray, classes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of some classes, which are numbered from 0."""
    kept = np.isin(y, classes)
    return X[kept], np.searchsorted(classes, y[kept])


def network(outputs: int) -> mc.nn.Sequential:
    """Return the network of this page, 784-300-100-outputs with dropout."""
    hidden = [layer for units in HIDDEN for layer in (mc.nn.Dense(units, "relu"), mc.nn.Dropout(0.3))]
    return mc.nn.Sequential(*hidden, mc.nn.Dense(outputs))


def source_of(X: np.ndarray, y: np.ndarray) -> mc.Model:
    """Return the network that is started from."""
    settings: dict[str, Any] = {"epochs": 10, "batch_size": 128, "optimizer": mc.optim.Adam(1e-3)}
    return mc.fit(network(int(y.max()) + 1), X, y, **settings).model


def accuracies(source: mc.Model, train: Any, test: Any, seed: int) -> dict[str, float]:
    """Return the accuracy of each way to learn from 500 rows."""
    X, y = train
    rows = np.random.default_rng(seed).permutation(len(X))[:ROWS]
    outputs = int(y.max()) + 1
    adam = mc.optim.Adam(1e-3)

    def score(start: mc.Model | None, **more: Any) -> float:
        net = network(outputs) if start is None else start.network
        said = {"optimizer": adam, "epochs": EPOCHS, "batch_size": 32, "seed": seed, **more}
        run = mc.fit(net, X[rows], y[rows], params=None if start is None else start.params, **said)
        return run.evaluate(*test)["accuracy"]

    slowly = mc.optim.Layerwise(adam, factors=(0.1, 0.3, 1.0))
    return {
        "from scratch": score(None),
        "frozen": score(mc.transfer(source, outputs, freeze=True, seed=seed)),
        "fine-tuned": score(mc.transfer(source, outputs, seed=seed)),
        "layer-wise rates": score(mc.transfer(source, outputs, seed=seed), optimizer=slowly),
        "frozen for 20 epochs": score(
            mc.transfer(source, outputs, freeze=True, seed=seed), callbacks=[mc.Unfreeze(every=20)]
        ),
    }


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    folder = parser.parse_args().data
    fashion, held = (images(folder, "fashion_mnist", part) for part in ("train", "t10k"))
    cases = {
        "ten classes, from a network of MNIST": (images(folder, "mnist", "train"), fashion, held),
        "five classes, from a network of the other five": (
            of_classes(*fashion, KNOWN), of_classes(*fashion, NEW), of_classes(*held, NEW),
        ),
    }  # fmt: skip
    print(f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}")
    for title, (known, train, test) in cases.items():
        source = source_of(*known)
        found = [accuracies(source, train, test, seed) for seed in SEEDS]
        print(f"\n{title}\n\n| start | {' | '.join(f'seed {seed}' for seed in SEEDS)} | mean |")
        print(f"|---|{'---|' * (len(SEEDS) + 1)}")
        for name in found[0]:
            shares = [one[name] for one in found]
            print(f"| {name} | {' | '.join(f'{share:.3f}' for share in shares)} | {np.mean(shares):.3f} |")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
