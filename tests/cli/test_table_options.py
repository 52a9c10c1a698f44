"""Options on tables reach the training and the predictions, or are refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars
import pytest

ROWS = 120
FRAME = polars.DataFrame(
    {
        "name": [f"n{i}" for i in range(ROWS)],
        "x": [f"{i * 37 % 100},5 kg" for i in range(ROWS)],
        "level": [-999 if i % 6 == 0 else i % 11 for i in range(ROWS)],
        "land": [("NA", "DE", "FR")[i % 3] for i in range(ROWS)],
        "day": [f"{i % 28 + 1:02d}.{i % 12 + 1:02d}.2024" for i in range(ROWS)],
        "group": [i % 9 for i in range(ROWS)],
        "two": [i % 2 for i in range(ROWS)],
        "first": [int(i == 0) for i in range(ROWS)],
        "grade": [1 + i % 3 for i in range(ROWS)],
        "kind": ["hi" if i * 37 % 100 > 50 else "lo" for i in range(ROWS)],
        "y": [f"{i * 37 % 100 * 2},25" for i in range(ROWS)],
    }
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    FRAME.write_csv(tmp_path / "t.csv")
    return tmp_path / "t.csv"


def train(cli: Any, table: Path, *words: str) -> Any:
    return cli("train", table, *words, "--hidden", "8", "--epochs", "2", "--out", "m.safetensors")


def test_every_part_of_a_column_is_shown(cli: Any, table: Path) -> None:
    said = ("--id", "name", "--weight", "two", "--groups", "group", "--drop", "kind", "--number", "level")
    found = train(cli, table, "--target", "y", *said)
    assert found.code == 0, found.err
    assert "11 columns" in found.out
    assert "a number, written like 1234,5" in found.out
    for name, kind in (("name", "id"), ("two", "weight"), ("group", "groups"), ("kind", "dropped")):
        assert any(line.split()[:2] == [name, kind] for line in found.out.splitlines()), name
    assert all(len(line) <= 80 for line in found.out.splitlines())


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_identifiers_are_carried_into_every_format(
    cli: Any, table: Path, tmp_path: Path, suffix: str
) -> None:
    assert train(cli, table, "--target", "kind", "--id", "name", "-q").code == 0
    out = tmp_path / f"p{suffix}"
    assert cli("predict", "m.safetensors", table, "--out", out).code == 0
    readers: dict[str, Any] = {
        ".csv": polars.read_csv,
        ".tsv": lambda path: polars.read_csv(path, separator="\t"),
        ".jsonl": polars.read_ndjson,
        ".parquet": polars.read_parquet,
    }
    assert readers[suffix](out)["name"].to_list() == FRAME["name"].to_list()


def test_an_identifier_that_new_rows_lack_is_said(cli: Any, table: Path, tmp_path: Path) -> None:
    assert train(cli, table, "--target", "kind", "--id", "name", "-q").code == 0
    FRAME.drop("name").write_csv(tmp_path / "new.csv")
    found = cli("predict", "m.safetensors", tmp_path / "new.csv")
    assert found.code == 0
    assert "no column 'name' to carry" in found.err
    assert found.out.startswith("prediction,")


def test_an_identifier_called_like_a_prediction_is_refused(cli: Any, table: Path, tmp_path: Path) -> None:
    FRAME.rename({"name": "prediction"}).write_csv(table)
    assert train(cli, table, "--target", "kind", "--id", "prediction", "-q").code == 0
    found = cli("predict", "m.safetensors", table)
    assert found.code == 2
    assert "'prediction' is also the name" in found.err
    assert cli("predict", "m.safetensors", table, "--id", "").code == 0


def test_nested_identifiers_are_text_where_a_format_has_no_lists(cli: Any, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    FRAME.with_columns(polars.Series("name", [[i, i + 1] for i in range(ROWS)])).write_parquet(path)
    assert train(cli, path, "--target", "kind", "--id", "name", "-q").code == 0
    found = cli("predict", "m.safetensors", path)
    assert found.code == 0
    assert found.out.splitlines()[1].startswith('"[0, 1]",')


def test_what_means_missing_holds_in_training_and_evaluation(cli: Any, table: Path) -> None:
    said = ("--missing=-999", "--not-missing", "NA")
    found = train(cli, table, "--target", "kind", *said)
    assert "20 missing" in found.out
    assert "3 levels" in found.out
    assert cli("evaluate", "m.safetensors", table).code == 0
    labels = train(cli, table, "--target", "land", "--drop", "kind")
    assert "40 rows whose target reads 'NA'" in labels.out
    assert "--not-missing NA" in " ".join(labels.out.split())


def test_a_schema_file_yields_to_options_and_to_another_target(cli: Any, table: Path) -> None:
    file = ("--write-schema", "s.toml")
    assert cli("inspect", table, "--target", "kind", "--groups", "group", *file).code == 0
    assert train(cli, table, "--schema", "s.toml", "--time-order", "day", "-q").code == 0
    found = train(cli, table, "--schema", "s.toml", "--target", "y", "--json", "-q")
    assert found.code == 0
    assert json.loads(found.out)["task"] == "regression"
    assert cli("inspect", table, *file).code == 0
    found = train(cli, table, "--schema", "s.toml", "--target", "grade", "--json", "-q")
    assert found.code == 0
    assert json.loads(found.out)["task"] == "multiclass"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (("--groups", "two"), "has 2 groups; at least 3"),
        (("--weight", "first"), "is 0 in all"),
        (("--weight", "land"), "weight: column 'land', row"),
        (("--class-weight", "hi=0,lo=0"), "every class weighs 0"),
        (("--class-weight", "balancd"), "did you mean 'balanced'"),
        (("--class-weight", "high=2"), "is no class of the target"),
        (("--threshold", "cost:false_positve=2"), "did you mean 'false_positive'"),
        (("--threshold", "f2"), "expected a number between 0 and 1, f1"),
        (("--time-order", "land"), "expected dates, times or numbers"),
        (
            ("--time-order", "day", "--groups", "group"),
            "--groups: the rows are split by time already; say one of the two",
        ),
        (("--folds", "1"), "from 2 to 100"),
        (("--folds", "10", "--groups", "group"), "need as many groups"),
        (("--task", "binry"), "did you mean 'binary'"),
        (("--number", "land"), "holds no numbers"),
        (("--id", "nane"), "did you mean 'name'"),
        (("--id", "kind"), "'kind' is the target"),
        (("--missing", "hi"), "two classes at least"),
    ],
)
def test_what_cannot_be_meant_is_one_line(cli: Any, table: Path, said: tuple[str, ...], message: str) -> None:
    found = train(cli, table, "--target", "kind", *said, "-q")
    assert found.code == 2, found.err
    assert message in found.err
    assert found.err.startswith("error: ")
    assert found.err.count("\n") == 1


def test_a_threshold_needs_two_classes(cli: Any, table: Path) -> None:
    found = train(cli, table, "--target", "grade", "--threshold", "f1", "-q")
    assert found.code == 2
    assert "has not two classes" in found.err


def test_options_on_tables_are_refused_of_a_model(cli: Any, table: Path) -> None:
    assert train(cli, table, "--target", "kind", "-q").code == 0
    for said in (("--write-schema", "s.toml"), ("--drop", "x"), ("--target", "y")):
        found = cli("inspect", "m.safetensors", *said)
        assert found.code == 2
        assert found.err.startswith(f"error: {said[0]} says something of a table")


def test_a_class_that_no_training_row_has_is_said(cli: Any, table: Path) -> None:
    FRAME.with_columns(
        kind=polars.Series(["late" if i > 100 else "early" for i in range(ROWS)])
    ).with_columns(day=polars.Series(range(ROWS))).write_csv(table)
    found = train(cli, table, "--target", "kind", "--time-order", "day")
    assert "none of the rows that train is of class 'late'" in found.out


@pytest.mark.parametrize(
    ("said", "begins"),
    [
        (("--target", "Species", "--threshold", "f1"), "error: --threshold: "),
        (("--target", "Body Mass (g)", "--class-weight", "balanced"), "error: --class-weight: "),
        (("--target", "Species", "--time-order", "Island"), "error: --time-order: "),
        (("--target", "Species", "--weight", "Comments"), "error: --weight: "),
    ],
)
def test_what_the_plan_refuses_begins_with_the_option(cli: Any, said: tuple[str, ...], begins: str) -> None:
    found = cli("train", "penguins", *said)
    assert (found.code, found.err.count("\n")) == (2, 1)
    assert found.err.startswith(begins)
