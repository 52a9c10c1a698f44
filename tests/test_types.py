"""What type checkers make of a user's program: functions are callable, methods return what they return."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

import minicolumn as mc


class Stops(mc.Callback):
    def on_epoch(self, trainer: mc.Trainer, row: dict[str, float]) -> None:
        if row["loss"] < 0.1:
            trainer.stop("good enough")


X: NDArray[np.float64] = np.zeros((4, 2))
y: NDArray[np.int64] = np.array([0, 1, 0, 1])
net = mc.nn.Sequential(mc.nn.Dense(4, "relu"), mc.nn.Dense(2))
run = mc.fit(net, X, y, epochs=2, optimizer=mc.optim.Adam(1e-3), callbacks=[Stops(), mc.KeepBest("loss")])
assert_type(run, mc.Run)
trainer = mc.Trainer(net, X, y, loss="softmax_cross_entropy", batch_size=2)
assert_type(mc.Trainer.resume("it.safetensors", X, y), mc.Trainer)
assert_type(mc.MLPClassifier((8,), random_state=0).fit(X, y), mc.MLPClassifier)
assert_type(mc.MLPClassifier().partial_fit(X, y, classes=[0, 1]), mc.MLPClassifier)
assert_type(mc.MLPRegressor().fit(X, y), mc.MLPRegressor)
assert_type(mc.Perceptron().fit(X, y), mc.Perceptron)
assert_type(mc.load("it.safetensors"), mc.Model)
assert_type(mc.MLPClassifier.load("it.safetensors"), mc.MLPClassifier)
assert_type(mc.MLPRegressor.load("it.safetensors"), mc.MLPRegressor)


def power(x: NDArray[np.float64], exponent: int) -> np.floating:
    return np.sum(x**exponent)


mc.grad(power)(X, 2)
mc.compile(mc.grad(power))(X, 2)
mc.fit_table("penguins", epochs=1)
mc.grad(power)(X, "2")  # WRONG
"""


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_a_users_program_has_types(checker: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed; it comes with the extra dev")
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    options = (
        ["--strict", f"--cache-dir={tmp_path}"] if checker == "mypy" else ["--pythonpath", sys.executable]
    )
    found = subprocess.run(
        [sys.executable, "-m", checker, *options, str(script)], capture_output=True, text=True, cwd=tmp_path
    )
    wrong = PROGRAM.splitlines().index(next(x for x in PROGRAM.splitlines() if "WRONG" in x)) + 1
    errors = [line for line in found.stdout.splitlines() if "error" in line and "program.py:" in line]
    assert len(errors) == 1, found.stdout + found.stderr
    assert f"program.py:{wrong}:" in errors[0]
