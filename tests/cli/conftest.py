"""What every test of the command line needs: a run in this process, small tables, a trained model."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import minicolumn
from minicolumn.cli import main

# Enough to be better than a guess, little enough to take a second.
QUICK = ("--hidden", "8", "--epochs", "6")


@dataclass(frozen=True)
class Result:
    """What a run left: its exit code and what it wrote."""

    code: int
    out: str
    err: str


Cli = Callable[..., Result]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*args: object) -> Result:
        capfd.readouterr()
        code = main([str(arg) for arg in args])
        said = capfd.readouterr()
        return Result(code, str(said.out), str(said.err))

    return run


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """The environment of a process that imports the minicolumn which is tested here."""
    source = str(Path(minicolumn.__file__).parents[1])
    return {**os.environ, "PYTHONPATH": source}


@pytest.fixture(scope="session")
def quick() -> tuple[str, ...]:
    """Options of a training that is over at once."""
    return QUICK


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table of classes and one of numbers, both learnable."""
    folder = tmp_path_factory.mktemp("tables")
    draw = random.Random(0)
    shops = ["size,colour,note,kind"]
    houses = ["area,floor,price"]
    for row in range(120):
        size, colour = draw.uniform(0, 10), draw.choice(["red", "blue", ""])
        kind = "=big" if size > 6 else "mid" if size > 3 else 'sm"all, really'
        shops.append(f'{size:.3f},{colour},row {row},"{kind.replace(chr(34), chr(34) * 2)}"')
        area, floor = draw.uniform(20, 200), draw.randrange(1, 9)
        houses.append(f"{area:.1f},{floor},{3000 * area + 9000 * floor:.0f}")
    (folder / "shops.csv").write_text("\n".join(shops) + "\n")
    (folder / "houses.csv").write_text("\n".join(houses) + "\n")
    return folder


@pytest.fixture(scope="session")
def models(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of each table."""
    folder = tmp_path_factory.mktemp("models")
    for name, target in (("shops", "kind"), ("houses", "price")):
        place = str(folder / f"{name}.safetensors")
        words = ["train", str(tables / f"{name}.csv"), "--target", target, *QUICK, "--out", place, "--quiet"]
        assert main(words) == 0
    return folder
