"""Predicting with a saved model, scoring it, looking into it and into tables."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

import minicolumn as mc
from minicolumn.tables import read_table


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_predictions_are_those_of_the_model(cli: Any, models: Path, tables: Path) -> None:
    model, frame = mc.load(models / "shops.safetensors"), read_table(tables / "shops.csv")
    found = cli("predict", models / "shops.safetensors", tables / "shops.csv")
    assert found.code == 0
    # Of the label "=big": what is redirected is opened by a spreadsheet as a file of --out is.
    assert re.fullmatch(
        r"\d+ cells begin like a formula; a spreadsheet may run them: import them as text\n", found.err
    )
    rows = rows_of(found.out)
    labels = ["=big", "mid", 'sm"all, really']
    assert list(rows[0]) == ["prediction", *(f"probability {label}" for label in labels)]
    assert [row["prediction"] for row in rows] == list(model.predict_table(frame))
    shown = np.array([[float(row[f"probability {label}"]) for label in labels] for row in rows], np.float32)
    # Shortest decimal texts of float32 numbers name them exactly.
    np.testing.assert_array_equal(shown, model.predict_proba_table(frame))


def test_numbers_have_one_column(cli: Any, models: Path, tables: Path) -> None:
    model, frame = mc.load(models / "houses.safetensors"), read_table(tables / "houses.csv")
    rows = rows_of(cli("predict", models / "houses.safetensors", tables / "houses.csv").out)
    assert [list(row) for row in rows[:1]] == [["prediction"]]
    np.testing.assert_array_equal([float(row["prediction"]) for row in rows], model.predict_table(frame))


def test_order_and_further_columns_do_not_matter(
    cli: Any, models: Path, tables: Path, tmp_path: Path
) -> None:
    frame = read_table(tables / "shops.csv")
    other = frame.reverse().with_columns(polars.lit("x").alias("more")).select("more", "colour", "size")
    other.write_parquet(tmp_path / "other.parquet")
    straight = rows_of(cli("predict", models / "shops.safetensors", tables / "shops.csv").out)
    turned = rows_of(cli("predict", models / "shops.safetensors", "other.parquet").out)
    assert [row["prediction"] for row in turned] == [row["prediction"] for row in straight][::-1]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_files_of_each_format_read_back_the_same(
    cli: Any, models: Path, tables: Path, tmp_path: Path, suffix: str
) -> None:
    (tmp_path / f"p.{suffix}").write_text("older")
    found = cli("predict", models / "shops.safetensors", tables / "shops.csv", "--out", f"p.{suffix}")
    assert (found.code, found.out) == (0, "")
    assert "120 rows predicted" in found.err
    frame = read_table(tmp_path / f"p.{suffix}")
    model = mc.load(models / "shops.safetensors")
    assert frame["prediction"].to_list() == list(model.predict_table(read_table(tables / "shops.csv")))
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"p.{suffix}"]


def test_scores_are_those_of_the_model(cli: Any, models: Path, tables: Path) -> None:
    for name in ("shops", "houses"):
        model, frame = mc.load(models / f"{name}.safetensors"), read_table(tables / f"{name}.csv")
        found = cli("evaluate", models / f"{name}.safetensors", tables / f"{name}.csv", "--json")
        said = json.loads(found.out)
        assert said["metrics"] == model.evaluate_table(frame)
        assert set(said["baseline"]) == set(said["metrics"])
        assert (said["rows"], said["columns"]) == frame.shape
        assert "baseline" in found.err
        assert "Confusion" in cli("evaluate", models / "shops.safetensors", tables / "shops.csv").out
        quiet = cli("evaluate", models / f"{name}.safetensors", tables / f"{name}.csv", "--quiet")
        assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


def test_inspect_shows_a_model(cli: Any, models: Path, tmp_path: Path) -> None:
    found = cli("inspect", models / "shops.safetensors")
    assert (found.code, found.err) == (0, "")
    for said in (
        "Dense(8",
        "predicts",
        "kind",
        "size",
        "colour",
        "Adam",
        "learning_rate",
        "accuracy",
        "note",
    ):
        assert said in found.out, said
    assert max(map(len, found.out.splitlines())) <= 80
    said = json.loads(cli("inspect", models / "shops.safetensors", "--json").out)
    assert said["target"] == "kind"
    assert said["task"] == "multiclass"
    (tmp_path / "renamed").write_bytes((models / "shops.safetensors").read_bytes())
    assert cli("inspect", "renamed").code == 0, "a model is known by how it begins"


def test_inspect_shows_a_table(cli: Any, tables: Path) -> None:
    plain = cli("inspect", tables / "shops.csv")
    assert (plain.code, plain.err) == (0, "")
    assert "120 rows, 4 columns" in plain.out
    assert "identifier" in plain.out.partition("leaves out")[2]
    aimed = cli("inspect", tables / "shops.csv", "--target", "kind")
    assert "predicts  kind  3 classes" in aimed.out
    assert "Species" in cli("inspect", "penguins").out
    said = json.loads(cli("inspect", tables / "shops.csv", "--target", "kind", "--json").out)
    assert [column["name"] for column in said["columns"]] == ["size", "colour", "note"]
