"""The worked examples run, print something, and come to what they promise."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

# What the result of each has to be. Margins are wide, since sums differ between instruction sets, and with
# them the paths of trainings: each task is far from them on the machines tried.
PROMISES: dict[str, Callable[[Any], bool]] = {
    "feature_importance": lambda r: min(r["a"], r["c"]) > 0.2 and max(r["b"], r["d"]) < 0.02,
    "images": lambda accuracy: accuracy > 0.88,
    "newton": lambda found: found[1][-1] < 1e-10 and found[1][:5] == sorted(found[1][:5], reverse=True),
    "own_layer": lambda accuracy: accuracy > 0.9,
    "own_optimizer": lambda losses: losses["Rprop"] < 0.25 * losses["SGD"],
    "physics_informed": lambda error: error < 0.02,
    "recurrent": lambda accuracy: accuracy > 0.88,
    "training_loop": lambda accuracy: accuracy > 0.97,
}


def test_each_example_has_a_promise_and_a_link() -> None:
    assert [path.stem for path in EXAMPLES] == sorted(PROMISES)
    readme = (ROOT / "README.md").read_text()
    assert [path.stem for path in EXAMPLES if f"(examples/{path.name})" not in readme] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_runs_and_keeps_its_promise(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(path.read_text().splitlines()) < 80
    found = runpy.run_path(str(path))["main"]()
    assert PROMISES[path.stem](found), found
    assert len(capsys.readouterr().out.splitlines()) >= 2
