"""Same seed, same bits, whatever versions are installed: a digest a training, to compare environments by.

    python benchmarks/version_bits.py > a.txt; OTHER/bin/python benchmarks/version_bits.py | diff a.txt -

A digest is of all weights, of the history of losses and of the predictions, and holds on this computer only:
what a processor can fuse and how wide its vectors are shapes code, and with it roundings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

import minicolumn as mc
from minicolumn.tree import flatten

OPTIMIZERS = ("sgd:momentum=0.9", "adam", "adamw", "rmsprop", "lion", "radam", "muon", "schedule_free_adamw")


def main() -> None:
    """Print a line a training: its name and its digest."""
    for name, arrays in trainings():
        whole = b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)
        print(f"{name:24} {hashlib.sha256(whole).hexdigest()[:32]}")


def trainings() -> Iterator[tuple[str, list[Any]]]:
    """Give the name of each training, and the arrays that came of it."""
    X, y = rows()
    dense = mc.nn.Sequential(
        mc.nn.Dense(24, "relu"), mc.nn.Dropout(0.2), mc.nn.Dense(12, "gelu"), mc.nn.Dense(3)
    )
    for optimizer in OPTIMIZERS:
        yield f"dense {optimizer}", trained(dense, X, y, optimizer)
    normed = mc.nn.Sequential(mc.nn.Dense(16), mc.nn.BatchNorm(), mc.nn.Dense(3, "tanh"))
    yield "batch norm", trained(normed, X, y, "adam")
    codes = np.stack([y, (y * 7 + np.arange(len(y))) % 5], axis=1).astype(np.float32)
    embedded = mc.nn.Sequential(
        mc.nn.ColumnEmbedding(((0, 3), (1, 5))), mc.nn.Dense(8, "mish"), mc.nn.Dense(3)
    )
    yield "embedding", trained(embedded, np.concatenate([codes, X[:, :4]], axis=1), y, "adam")
    run = mc.fit_table("penguins", "Species", epochs=3, seed=0)
    yield "table", [np.asarray(leaf) for leaf in flatten(run.model.params)[0]]


def rows() -> tuple[np.ndarray, np.ndarray]:
    """Return inputs of three clouds, made by arithmetic whose bits no library decides, and their classes."""
    grid = (np.arange(600 * 10, dtype=np.int64) * 7919 % 1009).reshape(600, 10)
    y = (np.arange(600) % 3).astype(np.int32)
    X = grid.astype(np.float32) / np.float32(1009) + np.eye(3, 10, dtype=np.float32)[y]
    return X, y


def trained(net: Any, X: np.ndarray, y: np.ndarray, optimizer: str) -> list[Any]:
    """Return the weights, the losses and the predictions of a short training."""
    run = mc.fit(
        net, X, y, loss="softmax_cross_entropy", optimizer=optimizer, epochs=3, batch_size=64,
        validation_fraction=0.1, seed=7,
    )  # fmt: skip
    held = [np.asarray(leaf) for leaf in flatten(run.params)[0]]
    return [*held, run.history["loss"], run.history["val_loss"], run.model.predict(X)]


if __name__ == "__main__":
    main()
