"""From a table to a saved model, and what is said on the way."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

import minicolumn as mc
from minicolumn.cli.train_job import draw_curves

KEYS = {"members", "out_of_fold",
    "task", "rows", "columns", "metrics", "baseline", "threshold", "epochs", "seconds",
    "steps_per_second", "model",
}  # fmt: skip


def strict(text: str) -> Any:
    """Parse one line of JSON that has neither NaN nor Infinity."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    assert text.count("\n") == 1
    return json.loads(text, parse_constant=refuse)


def test_penguins_need_nothing_but_their_name(cli: Any, quick: tuple[str, ...], tmp_path: Path) -> None:
    found = cli("train", "penguins", *quick)
    assert found.code == 0, found.err
    assert found.err == ""
    for said in ("344 rows, 17 columns", "Species", "Individual ID  identifier", "always 'Anvers'",
                 "8 networks", "of 8 networks  val_accuracy", "out of fold", "balanced accuracy", "ROC AUC",
                 "baseline", "Confusion", "Gentoo",
                 "penguins.safetensors"):  # fmt: skip
        assert said in found.out, said
    assert [entry.name for entry in tmp_path.iterdir()] == ["penguins.safetensors"]
    assert mc.load("penguins.safetensors").table is not None
    assert max(map(len, found.out.splitlines())) <= 80


def test_json_of_classes(cli: Any, quick: tuple[str, ...]) -> None:
    found = cli("train", "penguins", "--json", "--seed", 1, *quick)
    said = strict(found.out)
    assert set(said) == KEYS
    assert said["task"] == "multiclass"
    assert (said["rows"], said["columns"], said["epochs"]) == (344, 17, 6)
    assert (
        set(said["metrics"])
        == set(said["baseline"])
        == {"accuracy", "balanced_accuracy", "log_loss", "roc_auc"}
    )
    assert said["members"] == 8
    assert set(said["out_of_fold"]) == set(said["metrics"])
    assert said["metrics"]["accuracy"] > said["baseline"]["accuracy"] + 0.2
    assert said["baseline"]["roc_auc"] == 0.5
    assert Path(said["model"]).exists()
    assert "Confusion" in found.err, "words for people go to stderr"
    assert "of 8 networks" not in found.err, "and no running lines"


def test_json_of_numbers(cli: Any, tables: Path, quick: tuple[str, ...]) -> None:
    found = cli("train", tables / "houses.csv", "--target", "price", "--json", "--quiet", *quick)
    said = strict(found.out)
    assert found.err == ""
    assert said["task"] == "regression"
    assert set(said["metrics"]) == set(said["baseline"]) == {"r2", "rmse", "mae"}
    assert said["metrics"]["rmse"] < said["baseline"]["rmse"]


def test_quiet_says_nothing(cli: Any, quick: tuple[str, ...], tmp_path: Path) -> None:
    found = cli("train", "penguins", "--quiet", "--out", "m.safetensors", *quick)
    assert (found.code, found.out, found.err) == (0, "", "")
    assert (tmp_path / "m.safetensors").exists()


def test_same_seed_same_file(cli: Any, quick: tuple[str, ...]) -> None:
    scores = [
        strict(cli("train", "penguins", "--json", "--seed", seed, *quick).out)["metrics"]
        for seed in (3, 3, 4)
    ]
    assert scores[0] == scores[1] != scores[2]


def test_options_reach_the_training(cli: Any, tables: Path) -> None:
    options = ["--hidden", "5,3", "--activation", "tanh", "--optimizer", "sgd", "--learning-rate", "0.01",
               "--batch-size", "16", "--epochs", "2", "--dropout", "0.25", "--drop", "note"]  # fmt: skip
    found = cli("train", tables / "shops.csv", "--target", "kind", *options)
    assert found.code == 0, found.err
    model = mc.load("shops.safetensors")
    shown = repr(model.network)
    assert "Dense(5" in shown
    assert "Dense(3" in shown
    assert "tanh" in shown
    assert "Dropout(0.25)" in shown
    assert model.training["batch_size"] == 16
    assert model.training["optimizer"]["name"] == "SGD"
    assert model.training["optimizer"]["learning_rate"] == 0.01
    assert "as you asked" in found.out


def test_column_options_take_names_with_commas_and_spaces(cli: Any, tmp_path: Path) -> None:
    rows = "\n".join(f"{i % 7},{i % 5},{i % 3},{i},{'yn'[i % 2]}" for i in range(40))
    (tmp_path / "t.csv").write_text(f'"a, b",c d,e,f,y\n{rows}\n')
    options = ["--drop", "a, b", "--drop", "c d, e", "--category", "f"]
    found = cli("train", "t.csv", "--target", "y", *options, "--hidden", 4, "--epochs", 1)
    assert found.code == 0, found.err
    schema = mc.load("t.safetensors").schema
    assert schema is not None
    assert schema.dropped == ("a, b", "c d", "e")
    assert [(column.name, column.kind) for column in schema.columns] == [("f", "category")]


def test_own_test_rows(cli: Any, tables: Path, tmp_path: Path, quick: tuple[str, ...]) -> None:
    lines = (tables / "houses.csv").read_text().splitlines()
    (tmp_path / "june.csv").write_text("\n".join([lines[0], *lines[-7:]]) + "\n")
    found = cli("train", tables / "houses.csv", "--target", "price", "--test", "june.csv", *quick)
    assert found.code == 0, found.err
    assert "Test  7 rows" in found.out


def test_curves(cli: Any, quick: tuple[str, ...], tmp_path: Path) -> None:
    assert cli("train", "penguins", "--plot", "c.svg", *quick).code == 0
    assert "<svg" in (tmp_path / "c.svg").read_text()


@pytest.mark.parametrize("more", [{}, {"val_loss": 0.01}, {"val_loss": 2.0, "val_accuracy": 0.5}])
def test_curves_of_any_history(more: dict[str, float]) -> None:
    history = mc.History([{"epoch": 1, "loss": 9.0, **more}, {"epoch": 2, "loss": 0.1, **more}])
    for epochs in (history, mc.History(history[:1])):
        assert draw_curves(epochs, 1, "prices in $, or $$", ".png")[:4] == b"\x89PNG"


def test_a_strange_table_is_shown_as_plain_text(cli: Any, tmp_path: Path) -> None:
    rows = "\n".join(f"{i % 9},{i % 4},{'ab'[i % 2]}" for i in range(40))
    (tmp_path / "t.csv").write_text(f"[bold]x[/bold],:smile:\x1b[31m,y\n{rows}\n")
    found = cli("train", "t.csv", "--target", "y", "--hidden", 4, "--epochs", 1)
    assert found.code == 0, found.err
    assert "[bold]x[/bold]" in found.out
    assert ":smile:\\x1b[31m" in found.out
    assert "\x1b" not in found.out


def test_an_empty_column_is_left_out(cli: Any, tmp_path: Path) -> None:
    rows = "\n".join(f"{i % 9},,{'ab'[i % 2]}" for i in range(40))
    (tmp_path / "t.csv").write_text(f"x,nothing,y\n{rows}\n?,,\n")
    found = cli("train", "t.csv", "--target", "y", "--hidden", 4, "--epochs", 1)
    assert found.code == 0, found.err
    assert "nothing" in found.out.partition("leaves out")[2]
    assert "1 row without a target left out" in found.out


def test_many_columns_are_shown_kind_by_kind(cli: Any, tmp_path: Path) -> None:
    names = [f"measure {i}" for i in range(60)]
    rows = "\n".join(
        ",".join([*(str((i * 7 + j) % 11 / 2) for j in range(60)), "ab"[i % 2]]) for i in range(30)
    )
    (tmp_path / "wide.csv").write_text(",".join([*names, "y"]) + "\n" + rows + "\n")
    found = cli("train", "wide.csv", "--target", "y", "--hidden", 4, "--epochs", 1)
    assert "60 columns" in found.out
    assert len(found.out.splitlines()) < 45
    assert max(map(len, found.out.splitlines())) <= 80


def test_a_built_in_name_yields_to_a_file(
    cli: Any, tables: Path, tmp_path: Path, quick: tuple[str, ...]
) -> None:
    (tmp_path / "penguins").write_text((tables / "houses.csv").read_text())
    assert "--target is missing" in cli("train", "penguins").err
    assert cli("train", "penguins", "--target", "price", *quick).code == 0


def test_a_failed_save_leaves_the_model_elsewhere(
    cli: Any, quick: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def full(source: Any, target: Any, **where: Any) -> None:  # a disk that fills up while the training runs
        if Path(target).parent == tmp_path:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target, **where)

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "rescue"))
    (tmp_path / "rescue").mkdir()
    found = cli("train", "penguins", *quick)
    assert found.code == 2
    assert "ROC AUC" in found.out, "the scores are not lost"
    assert found.err.count("\n") == 1
    assert "No space left on device" in found.err
    [rescued] = (tmp_path / "rescue").rglob("*.safetensors")
    assert repr(str(rescued)) in found.err
    assert not list(tmp_path.glob("*.safetensors"))
    assert mc.load(rescued).table is not None


def test_diverging_is_one_line_and_keeps_what_was_good(cli: Any, tables: Path, tmp_path: Path) -> None:
    words = ["train", tables / "houses.csv", "--target", "price", "--hidden", 4, "--optimizer", "sgd"]
    found = cli(*words, "--learning-rate", "1e30", "--epochs", 3)
    assert found.code == 2
    assert found.err.count("\n") == 1
    assert "diverged" in found.err
    assert "learning rate" in found.err
    assert (tmp_path / "houses.safetensors").exists() == ("are saved in" in found.err)


def test_the_kept_epoch_and_what_chose_it_are_among_the_lines(cli: Any) -> None:
    found = cli("train", "penguins", "--members", 1, "--hidden", 8, "--epochs", 40, "--patience", 3)
    kept = re.search(r"weights of epoch (\d+) kept", found.out)
    assert kept is not None
    line = next(line for line in found.out.splitlines() if f"epoch {kept[1]}/40" in line)
    assert "val_accuracy" in line
