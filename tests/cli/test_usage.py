"""Arguments, help and version: what can be said without any table."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

COMMANDS = ("train", "evaluate", "predict", "inspect", "bench")


def test_alone_it_shows_help(cli: Any) -> None:
    alone, asked = cli(), cli("--help")
    assert alone == asked
    assert alone.code == 0
    assert all(name in alone.out for name in COMMANDS)
    assert alone.err == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_each_command_teaches(cli: Any, name: str) -> None:
    found = cli(name, "--help")
    assert found.code == 0
    assert f"Usage  minicolumn {name}" in found.out
    assert f"  minicolumn {name} " in found.out.partition("Examples")[2], "an example"
    assert found == cli(name, "-h")
    assert max(map(len, found.out.splitlines())) <= 80


def test_help_names_every_option(cli: Any) -> None:
    import typer

    from minicolumn.cli.app import app

    shown = cli("train", "--help").out
    params = typer.main.get_command(app).commands["train"].params  # type: ignore[attr-defined]
    missing = [name for param in params for name in param.opts if name.startswith("--") and name not in shown]
    assert missing == []


def test_version(cli: Any) -> None:
    from minicolumn import __version__

    assert cli("--version").out == f"minicolumn {__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian"], "unknown command 'trian'; did you mean 'train'?"),
        (
            ["fly"],
            "the commands are train, tune, evaluate, predict, inspect, export, import, zoo, playground",
        ),
        (["train"], "DATA is missing"),
        (["predict", "m.safetensors"], "DATA is missing"),
        (["train", "penguins", "--epocs", "3"], "unknown option '--epocs'; did you mean '--epochs'?"),
        (["train", "penguins", "-z"], "unknown option '-z'"),
        (["train", "penguins", "--seed", "x"], "--seed: expected an integer"),
        (["train", "penguins", "--learning-rate", "fast"], "--learning-rate: expected a number"),
        (["train", "penguins", "--out"], "--out needs a value"),
        (["train", "penguins", "iris"], "extra argument"),
        (
            ["train", "penguins", "--epochs", "0"],
            "--epochs: expected an integer, 1 <= epochs <= ",
        ),
        (
            ["train", "penguins", "--epochs", "-1"],
            "--epochs: expected an integer, 1 <= epochs <= ",
        ),
        (
            ["train", "penguins", "--batch-size", "0"],
            "--batch-size: expected an integer, 1 <= batch_size <= ",
        ),
        (
            ["train", "penguins", "--patience", "0"],
            "--patience: expected an integer, 1 <= patience <= ",
        ),
        (["train", "penguins", "--seed", "-1"], "--seed: expected an integer, 0 <= seed <= 4,294,967,295"),
        (
            ["train", "penguins", "--learning-rate", "nan"],
            "--learning-rate: expected a number > 0, got nan",
        ),
        (["train", "penguins", "--learning-rate", "0"], "--learning-rate: expected a number > 0, got 0"),
        (["train", "penguins", "--dropout", "1"], "--dropout: expected a number, 0 <= dropout < 1, got 1.0"),
        (
            ["train", "penguins", "--test-fraction", "1"],
            "--test-fraction: expected a number, 0 <",
        ),
        (
            ["train", "penguins", "--validation-fraction", "inf"],
            "fraction: expected a number, 0 <",
        ),
        (["train", "penguins", "--hidden", "0"], "--hidden: expected units"),
        (["train", "penguins", "--hidden", "-3"], "--hidden: expected units"),
        (["train", "penguins", "--hidden", "a,b"], "--hidden: expected units"),
        (["train", "penguins", "--hidden", ""], "--hidden: expected units"),
        (["train", "penguins", "--hidden", "8,"], "--hidden: expected units"),
        (["train", "penguins", "--hidden", "9" * 30], "--hidden: expected units"),
        (["train", "penguins", "--hidden", ",".join(["8"] * 99)], "at most 64 layers"),
        (["train", "penguins", "--activation", "rellu"], "unknown activation 'rellu'; did you mean 'relu'?"),
        (["train", "penguins", "--optimizer", "adm"], "unknown optimizer 'adm'; did you mean 'adam'?"),
        (["train", "penguins", "--plot", "curves.gif"], "--plot: 'curves.gif' does not end in"),
        (["train", "penguins", "--plot", "curves"], "--plot: 'curves' does not end in"),
        (
            ["train", "penguins", "--task", "regresion"],
            "unknown task 'regresion'; did you mean 'regression'?",
        ),
    ],
)
def test_misuse_is_one_line_and_code_2(cli: Any, words: list[str], said: str) -> None:
    found = cli(*words)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("error: ")
    assert said in found.err
    assert found.err.count("\n") == 1


def test_a_file_in_place_of_a_command_is_understood(cli: Any, tmp_path: Any) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    assert "minicolumn train rows.csv" in cli("rows.csv").err


def test_plot_without_matplotlib_is_refused_before_the_training(cli: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = cli("train", "penguins", "--plot", "curves.png")
    assert found.code == 2
    assert "pip install 'minicolumn[plot]'" in found.err


def test_help_loads_nothing_heavy(environment: dict[str, str]) -> None:
    code = (
        "import sys; from minicolumn.cli import main; assert main(['train', '--help']) == 0;"
        "heavy = {'polars', 'sklearn', 'scipy', 'matplotlib', 'minicolumn.nn', 'minicolumn.train'}"
        " & set(sys.modules);"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr


def test_python_m_and_a_closed_reader(environment: dict[str, str]) -> None:
    done = subprocess.run(
        f"{sys.executable} -m minicolumn train --help | true",
        shell=True,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.stderr == ""


def test_defaults_in_the_help_are_those_of_the_recipe(cli: Any) -> None:
    from minicolumn.tabular import TableSettings, recipe

    shown = " ".join(cli("train", "--help").out.split())
    numbers, two, many = recipe.NUMBERS, recipe.TWO_CLASSES, recipe.MANY_CLASSES
    assert two.learning_rate == many.learning_rate
    assert numbers.dropout == many.dropout
    settings = TableSettings("y")
    for text in (
        f"layer. [default: {','.join(map(str, recipe.HIDDEN))}]",
        f"step goes. [default: {two.learning_rate:g}; {numbers.learning_rate:g} for numbers]",
        f"silence. [default: {many.dropout:g}; {two.dropout:g} for two classes]",
        f"rows. [default: {recipe.FEWEST_EPOCHS} to {numbers.most_epochs}, by the table]",
        f"test on. [default: {settings.test_fraction:g}]",
        f"to stop. [default: {settings.validation_fraction:g}]",
        f"same model. [default: {settings.seed}]",
    ):
        assert text in shown, text
