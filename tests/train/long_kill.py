"""Trainings that keep checkpoints, killed at random instants: they go on from the last one, to the same end.

    python tests/train/long_kill.py [--kills 1000] [--seed 0]

A child trains and writes a checkpoint after every call. It is killed (SIGKILL) after a random time and
started again from its file, until it has come to its end; then another one begins. The file must open each
time, the steps must never go back, and the weights at the end must be, to the bit, those of a training that
nobody killed. The last line is the sum of it all; the exit code is 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np

CHILD = """
import hashlib, sys, numpy as np, minicolumn as mc
from minicolumn.tree import leaves
Y = np.arange(600) % 3
X = np.random.default_rng(0).standard_normal((600, 3)) + np.eye(3)[Y]
net = mc.nn.Sequential(mc.nn.Dense(8, "tanh"), mc.nn.Dropout(0.3), mc.nn.Dense(3))
path, save = sys.argv[1], mc.Checkpoint(sys.argv[1], every=0.0)
try:
    trainer = mc.Trainer.resume(path, X, Y, callbacks=[save])
except mc.ModelFileError as error:
    if "no such file" not in str(error):
        raise
    trainer = mc.Trainer(net, X, Y, batch_size=4, epochs=400, callbacks=[save])
print(trainer.step, flush=True)
run = trainer.run()
print("done", hashlib.sha256(b"".join(leaf.tobytes() for leaf in leaves(run.params))).hexdigest(), flush=True)
"""


def child(path: Path) -> subprocess.Popen[str]:
    """Start or go on with a training."""
    command = [sys.executable, "-c", CHILD, str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until_killed(path: Path, delay: float) -> tuple[int, str, str]:
    """Return the step it began at, its last line, and what it complained of."""
    started = child(path)
    timer = threading.Timer(delay, started.kill)
    timer.start()
    out, err = started.communicate(timeout=300)
    timer.cancel()
    lines = out.splitlines()
    return (int(lines[0]) if lines else -1), (lines[-1] if lines else ""), err


def main() -> int:
    """Kill, go on, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, kills, trainings, faults, lost = np.random.default_rng(options.seed), 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        _, expected, _ = until_killed(Path(folder) / "whole.safetensors", 300.0)
        while kills < options.kills:
            path, before = Path(folder) / f"{trainings}.safetensors", 0
            trainings += 1
            while True:
                began, end, complaint = until_killed(path, float(rng.uniform(0.3, 1.6)))
                faults += "Error" in complaint
                lost += 0 <= began < before
                before = max(before, began)
                if end.startswith("done"):
                    faults += end != expected
                    break
                kills += 1
            print(f"{kills} kills, {trainings} trainings, {faults} faults, {lost} steps back", flush=True)
    return 1 if faults or lost else 0


if __name__ == "__main__":
    sys.exit(main())
