"""Same seed, same bits: trainings on many data sets, by one thread and by two, each in a process of its own.

    python tests/train/long_same_bits.py [--data ../shared/data] [--rows 20000]

Each set is read, encoded and trained on for two epochs, with dropout and held-out rows, in three processes:
one thread, two threads, two threads again. What is compared is a digest of all weights and of the history.
The last line is the sum of it all; the exit code is 1 if any two differ.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import minicolumn as mc
from minicolumn.lower import native
from minicolumn.lower.llvm.runtime.thread_count import TRIALS, ThreadTuner, ThreadTuners
from minicolumn.tables import Encoder, Overrides, infer_schema, read_table, with_target
from minicolumn.tree import flatten

HERE = Path(__file__).parent
WAYS = (1, 2, 2)  # threads, a process each
MADE = {"made_64": 64, "made_65": 65, "made_1000": 1000, "made_5000": 5000}  # rows


class Always(ThreadTuners):
    """Uses all threads, whatever the clock says."""

    def of(self, steps: int) -> ThreadTuner:
        return ThreadTuner(self.most, many=0.0, trials=TRIALS)

    def note(self, steps: int, seconds: float, parts: int | None = None) -> None:
        pass


def main() -> int:
    """Compare all ways of all sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parents[2] / "shared" / "data")
    parser.add_argument("--rows", type=int, default=20_000, help="at most so many of each set")
    parser.add_argument("--threads", type=int, help="only print this way's digests")
    options = parser.parse_args()
    if options.threads:
        digests(options.data, options.rows, options.threads)
        return 0
    ways = [way(options, threads) for threads in WAYS]
    differ = [name for name in ways[0] if any(other[name] != ways[0][name] for other in ways[1:])]
    print(f"{len(ways[0])} sets, {len(WAYS)} processes each, {len(differ)} differ {' '.join(differ)}")
    return 1 if differ else 0


def way(options: argparse.Namespace, threads: int) -> dict[str, str]:
    """Return the digest of each set from a process of its own."""
    command = [sys.executable, __file__, "--data", str(options.data), "--rows", str(options.rows)]
    done = subprocess.run(
        [*command, "--threads", str(threads)], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def digests(data: Path, rows: int, threads: int) -> None:
    """Print the digests of all sets."""
    native.ThreadTuners = Always
    found = {}
    for name, X, y in sets(data, rows):
        print(name, X.shape, file=sys.stderr, flush=True)
        found[name] = digest(X, y, threads)
    print(json.dumps(found))


def digest(X: np.ndarray, y: np.ndarray, threads: int) -> str:
    """Train on a set, and return a digest of what came of it."""
    classes = y.dtype.kind in "iu"
    outputs = int(y.max()) + 1 if classes else 1
    net = mc.nn.Sequential(
        mc.nn.Dense(96, "relu"), mc.nn.Dropout(0.2), mc.nn.Dense(40, "tanh"), mc.nn.Dense(outputs)
    )
    run = mc.fit(
        net, X, y, loss="softmax_cross_entropy" if classes else "squared_error", epochs=2, batch_size=256,
        validation_fraction=0.1, seed=7, threads=threads,
    )  # fmt: skip
    held = [np.asarray(leaf) for leaf in flatten(run.params)[0]]
    held += [run.history["loss"], run.history["val_loss"]]
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in held)).hexdigest()


def sets(data: Path, rows: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Give a name, inputs and targets of each set: tables, pictures, and a few that are made here."""
    sys.path.insert(0, str(HERE.parent / "tables"))
    from test_datasets import SETS  # pyright: ignore[reportMissingImports]  it lies beside, in tests/tables

    for name, expected in sorted(SETS.items()):
        path = data / f"{name}.csv.gz"
        if path.exists():
            yield name, *table(path, expected.target, expected.codes, rows)
    for name in ("mnist", "fashion_mnist"):
        found = [sorted((data / name).glob(f"t10k*{part}*")) for part in ("images", "labels")]
        if all(found):
            X, y = (numbers(files[-1]) for files in found)
            yield name, X.reshape(len(X), -1)[:rows].astype(np.float32) / 255, y[:rows].astype(np.int32)
    rng = np.random.default_rng(0)
    for name, count in MADE.items():
        X = rng.standard_normal((count, 21), np.float32)
        yield name, X, np.sin(X[:, 0] * 3).astype(np.float32)


def table(path: Path, target: str, codes: tuple[str, ...], rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrix and the targets of a table."""
    frame = read_table(path)
    frame = frame.sample(min(rows, frame.height), seed=0)  # some files are sorted by class
    schema = infer_schema(frame, target, Overrides(category=codes))
    kept = with_target(frame, schema)
    encoder = Encoder.fit(kept, schema)
    y = encoder.encode_target(kept)
    return encoder.transform(kept), y.astype(np.float32 if encoder.classes is None else np.int32)


def numbers(path: Path) -> np.ndarray:
    """Return the bytes of an idx file in its shape."""
    raw = gzip.decompress(path.read_bytes())
    dimensions = raw[3]
    shape = np.frombuffer(raw, ">u4", dimensions, 4).astype(int)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


if __name__ == "__main__":
    sys.exit(main())
