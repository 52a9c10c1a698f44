"""`minicolumn tune`: what is said, what is saved, and each misuse in one line."""

from __future__ import annotations

import inspect
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import minicolumn as mc
from minicolumn.cli.tune import TuneOptions
from minicolumn.tune import STRATEGIES
from minicolumn.tune.parts import RULES

SMALL = (
    "--layers", "1", "--width", "4,8", "--activation", "relu", "--ramps", "false", "--schedule", "cosine",
    "--batch-size", "32", "--epochs", "3", "--folds", "2", "--trials", "3", "--threads", "1",
)  # fmt: skip


def test_penguins_need_nothing_but_their_name(cli: Any, tmp_path: Path) -> None:
    found = cli("tune", "penguins", *SMALL)
    assert found.code == 0, found.err
    assert found.err == ""
    for said in (
        "344 rows, 17 columns", "learning rate", "from 0.01 to 0.2, by factors", "until 3 trials",
        "course, by accuracy over 2 folds", "trial 1  4 relu  accuracy", "Few neurons first", "Ranking",
        "3 candidates finished", "Winner", "Test", "out of fold", "Confusion", "penguins.safetensors",
        "--resume",
    ):  # fmt: skip
        assert said in found.out, said
    assert {entry.name for entry in tmp_path.iterdir()} == {"penguins.safetensors", "penguins.journal"}
    assert mc.load("penguins.safetensors").training["search"]["trials"] == 3
    predicted = cli("predict", "penguins.safetensors", "penguins")
    assert predicted.code == 0
    # Sentences of the course are wrapped by who reads them.
    lines = [line for line in found.out.splitlines() if not re.match(r"\w.*\.$", line)]
    assert max(map(len, lines)) <= 80


def test_json_is_that_of_train_with_trials_and_best(cli: Any, tables: Path) -> None:
    found = cli("tune", tables / "houses.csv", "--target", "price", "--json", *SMALL)
    said = json.loads(found.out)
    trained = json.loads(
        cli("train", tables / "houses.csv", "--target", "price", "--json", "--epochs", "2").out
    )
    assert set(trained) <= set(said)
    assert said["trials"] == 3
    assert said["best"]["score"] >= said["winner"]["score"]
    assert said["best"]["hidden"] in ([4], [8])
    assert said["stopped"] == "trials"
    assert said["story"]
    assert set(said["metrics"]) == set(said["out_of_fold"]) == {"r2", "rmse", "mae"}


def test_a_search_is_gone_on_with(cli: Any, tables: Path) -> None:
    data = (tables / "houses.csv", "--target", "price", "--strategy", "random", *SMALL)
    assert cli("tune", *data).code == 0
    found = cli("tune", *data, "--resume", "--trials", "5", "--json")
    assert json.loads(found.out)["trials"] == 5
    assert "trial 5" in found.err
    other = cli("tune", *data, "--resume", "--seed", "1")
    assert other.code == 2
    assert "its search was with seed 0, not 1" in other.err
    afresh = cli("tune", *data, "--json")
    assert json.loads(afresh.out)["trials"] == 3


def test_a_file_says_the_space_and_options_go_before_it(cli: Any, tables: Path, tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text('layers = 1\nwidth = "8"\nlearning_rate = "0.01..0.02"\n')
    found = cli("tune", tables / "houses.csv", "--target", "price", "--space", "space.toml", *SMALL)
    assert found.code == 0, found.err
    assert "from 0.01 to 0.02" in found.out
    assert "4, 8" in found.out


BAD: list[tuple[tuple[str, ...], str]] = [
    (("--layers", "0"), "--layers: expected an integer"),
    (("--layers", "4-1"), "--layers: expected a span such as 1-4"),
    (("--width", "wide"), "--width: expected an integer"),
    (("--activation", "rellu"), "--activation: unknown activation 'rellu'; did you mean"),
    (("--shape", "funnel"), "--shape: funnel needs 2 hidden layers or more"),
    (("--learning-rate", "0.1..0.01"), "--learning-rate: expected an interval"),
    (("--trials", "0"), "--trials: expected an integer >= 1, got 0"),
    (("--time", "0s"), "--time: expected a time above 0"),
    (("--folds", "500"), "--folds: expected a number from 2 to 20"),
    (("--score", "accuracy"), "--score: 'accuracy' does not fit a regression task"),
    (("--strategy", "bayes"), "--strategy: unknown strategy 'bayes'"),
    (("--winner", "bst"), "--winner: unknown rule 'bst'; did you mean 'best'?"),
    (("--space", "none.toml"), "--space: cannot read 'none.toml'"),
    (("--storage", "no/where.journal"), "--storage: cannot open 'no/where.journal'"),
    (("--resume",), "--resume: 'houses.journal' holds no search of minicolumn"),
    (("--out", "no/where.safetensors"), "--out: cannot write"),
    (("--trails", "3"), "unknown option '--trails'; did you mean '--trials'?"),
]


@pytest.mark.parametrize(("words", "said"), BAD, ids=lambda value: str(value)[:40])
def test_each_misuse_is_one_line(words: tuple[str, ...], said: str, cli: Any, tables: Path) -> None:
    found = cli("tune", tables / "houses.csv", "--target", "price", *SMALL, *words)
    assert found.code == 2
    assert said in found.err
    assert found.err.count("\n") == 1


def test_a_journal_is_no_table(cli: Any, tables: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("dear diary\n")
    found = cli("tune", tables / "houses.csv", "--target", "price", *SMALL, "--storage", "notes.txt")
    assert found.code == 2
    assert "--storage: 'notes.txt' is no journal of a search" in found.err
    assert (tmp_path / "notes.txt").read_text() == "dear diary\n"


def test_nothing_finished_is_told(cli: Any, tables: Path) -> None:
    found = cli("tune", tables / "houses.csv", "--target", "price", *SMALL, "--optimizer", "sgd",
                "--learning-rate", "0.9e38", "--epochs", "9")  # fmt: skip
    assert found.code == 2
    assert "nothing was saved: none of" in found.err
    assert "diverged" in found.err


def test_ctrl_c_keeps_everything(environment: dict[str, str], tables: Path, tmp_path: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "minicolumn",
        "tune",
        str(tables / "houses.csv"),
        "--target",
        "price",
        *SMALL,
    ]
    words += ["--strategy", "random", "--trials", "100000", "--epochs", "40"]
    process = subprocess.Popen(
        words, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "trial 3" in line:
            break
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "the best of them is saved in houses.safetensors" in err
    assert "Ranking" in out
    assert mc.load(tmp_path / "houses.safetensors").training["search"]["trials"] >= 3


def test_options_are_the_keywords_of_tune_and_the_parts_of_a_space() -> None:
    keywords = set(inspect.signature(mc.tune).parameters) - {"refit", "progress", "executor"}
    options = {field.name for field in fields(TuneOptions)} - {"out", "as_json", "quiet", "html", "plot"}
    options = {name for name in options if name not in RULES}
    assert options - {"no_header"} == keywords - {"header"}
    assert set(RULES) <= {field.name for field in fields(TuneOptions)}


def test_help_tells_every_strategy(cli: Any) -> None:
    said = cli("tune", "--help").out
    assert all(name in said for name in STRATEGIES)
    assert "--resume" in said
