"""Write the golden files of this format: one of each kind of model, with rows and what it answers for them.

    python tests/model/make_golden.py

Run once for a format, before its first release, and never again: files that a release wrote do not change.
A kind that is there already is left as it is.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars
from minicolumn.playground.data.points import make_points
from sklearn.neural_network import MLPClassifier

import minicolumn as mc
from minicolumn.playground.network.exports import exported
from minicolumn.playground.network.learner import Learner
from minicolumn.playground.network.setup import Setup

GOLDEN = Path(__file__).parent / "golden"
FORMAT = 2
MOST_BYTES = 20_000
TINY: dict[str, Any] = {"hidden": (4,), "epochs": 3, "members": 1, "progress": False}


def table(rows: int = 64) -> polars.DataFrame:
    """Return a table with every kind of column, gaps and rare levels among them, and three targets."""
    dice = np.random.default_rng(5)
    size, town = dice.normal(10, 3, rows), dice.integers(0, 12, rows)
    mood = dice.integers(0, 3, rows)
    price = 3 * size + 2 * mood + 0.5 * town + dice.normal(0, 1, rows)
    return polars.DataFrame(
        {
            "size": [None if i % 13 == 5 else f"{x:.2f}" for i, x in enumerate(size)],
            "mood": [["good", "bad", "so-so"][k] for k in mood],
            "town": [f"town {k}" for k in town],
            "paid": [["yes", "no"][int(k)] for k in dice.integers(0, 2, rows)],
            "day": [f"2024-{1 + i % 12:02}-{1 + i % 27:02}" for i in range(rows)],
            "price": price.round(2),
            "dear": np.where(price > np.median(price), "dear", "cheap"),
            "class": np.array(["low", "middle", "high"])[np.digitize(price, np.quantile(price, [0.3, 0.7]))],
        }
    )


def of_table(target: str, without: tuple[str, ...] = (), **settings: Any) -> Callable[[], Any]:
    """Return what trains a model of the table for one of its targets."""
    drop = [*(name for name in ("price", "dear", "class") if name != target), *without]
    return lambda: mc.fit_table(table(), target, drop=drop, category=["town"], **{**TINY, **settings})


def points(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 [40, 3] and targets: "words", "labels" (two a row) or "numbers"."""
    dice = np.random.default_rng(7)
    X = dice.normal(size=(40, 3)).astype(np.float32)
    if kind == "numbers":
        return X, X[:, 0] * 2 - X[:, 1]
    if kind == "labels":
        return X, (X[:, :2] > 0).astype(int)
    return X, np.array(["none", "one", "two"])[(X[:, 0] > 0).astype(int) + (X[:, 1] > 0)]


def of_estimator(estimator: Any, kind: str) -> Callable[[], Any]:
    """Return what fits an estimator."""
    return lambda: estimator.fit(*points(kind))


def of_images() -> Any:
    """Return a network on images of 4 x 4 pixels, as the zoo trains them."""
    from minicolumn.zoo.rebuild import image_network

    dice = np.random.default_rng(9)
    X = dice.uniform(size=(30, 4, 4)).astype(np.float32)
    y = (X[:, :2].sum(axis=(1, 2)) > X[:, 2:].sum(axis=(1, 2))).astype(int)
    return mc.fit(image_network((4,), "relu", 0.25, 2), X, y, epochs=2, progress=False)


def of_sklearn() -> Any:
    """Return a network that scikit-learn trained."""
    X, y = points("words")
    return mc.from_sklearn(MLPClassifier((4,), max_iter=5, random_state=0).fit(X, y))


def of_tuning() -> Any:
    """Return the winner of a search of two candidates."""
    space = mc.tune.Space(layers=1, width=[2, 3], activation="relu", ramps=False)
    said: dict[str, Any] = {"trials": 2, "epochs": 2, "folds": 2, "strategy": "random", "threads": 1}
    return mc.tune(table(), "dear", drop=["price", "class", "town", "day"], space=space, **said)


class OfPlayground:
    """The network of the playground, as its page hands it out."""

    def save(self, path: Path) -> None:
        learner = Learner(Setup(), make_points("circle", rows=60, noise=0, train_percent=50, seed="1"))
        learner.advance(epochs=2)
        path.write_bytes(exported("model", learner)[2])


KINDS: dict[str, Callable[[], Any]] = {
    "table_two_classes": of_table("dear", threshold="f1"),
    "table_classes": of_table("class"),
    "table_numbers": of_table("price"),
    "table_quantiles": of_table("price", loss="quantile:levels=0.1+0.5+0.9"),
    "table_normal": of_table("price", loss="gaussian_nll"),
    "table_ensemble": of_table("class", ("day",), members=2, hidden=(3,)),
    "table_ensemble_numbers": of_table("price", ("day",), members=2, hidden=(3,)),
    "tuned": of_tuning,
    "classifier": of_estimator(mc.MLPClassifier((4,), max_iter=3, random_state=0, calibrate=True), "words"),
    "classifier_labels": of_estimator(mc.MLPClassifier((4,), max_iter=3, random_state=0), "labels"),
    "classifier_ensemble": of_estimator(
        mc.MLPClassifier((3,), max_iter=3, random_state=0, members=2), "words"
    ),
    "regressor": of_estimator(
        mc.MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, random_state=0, early_stopping=True), "numbers"
    ),
    "images": of_images,
    "imported": of_sklearn,
    "gates": lambda: mc.zoo.load("gates-1943"),
    "playground": OfPlayground,
}  # fmt: skip


def answers(model: mc.Model) -> dict[str, Any]:
    """Return rows and what a model answers for them, as JSON values."""
    if model.table is not None:
        names = [part.name for part in model.table.inputs]
        frame = table(16) if set(names) <= set(table(1).columns) else None
        if frame is None:
            cells = np.random.default_rng(3).uniform(-6, 6, (8, len(names)))
            frame = polars.DataFrame({name: cells[:, k] for k, name in enumerate(names)})
        rows = frame.select(names).to_dict(as_series=False)
        told = {k: np.asarray(v).tolist() for k, v in model.predict_distribution_table(frame).items()}
        return {"rows": rows, "predict_distribution_table": told}
    X = np.random.default_rng(3).normal(size=(8, *model.input_shape)).astype(np.float32)
    told = {"X": X.tolist(), "predict": model.predict(X).tolist()}
    if isinstance(model, mc.model.ClassifierModel):
        told["predict_proba"] = model.predict_proba(X).tolist()
    return told


def main() -> None:
    """Write what is not there yet."""
    listed = GOLDEN / f"format_{FORMAT}.json"
    known = json.loads(listed.read_text()) if listed.exists() else {}
    warnings.simplefilter("ignore")
    for name, make in KINDS.items():
        path = GOLDEN / f"format_{FORMAT}_{name}.safetensors"
        if path.exists():
            continue
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder, path.name)
            make().save(made)
            data = made.read_bytes()
        if len(data) > MOST_BYTES:
            raise SystemExit(f"{name}: {len(data):,} bytes; at most {MOST_BYTES:,}")
        path.write_bytes(data)
        known[name] = answers(mc.load(path))
        print(f"{name}: {len(data):,} bytes")
    listed.write_text(json.dumps(known, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
