"""Cards on the command line: commands write them, `inspect` shows them, as text, as JSON and as a page."""

from __future__ import annotations

import hashlib
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc


def test_train_writes_the_data_and_the_command(cli: Any, tables: Path, tmp_path: Path) -> None:
    table = tables / "shops.csv"
    said = ("--target", "kind", "--hidden", 4, "--epochs", 2, "--members", 1, "--quiet")
    assert cli("train", table, *said, "--out", "m.safetensors").code == 0
    card = mc.load(tmp_path / "m.safetensors").card
    assert card.data.name == "shops.csv"
    assert card.data.sha256 == {"shops.csv": hashlib.sha256(table.read_bytes()).hexdigest()}
    assert card.rebuild == "minicolumn train shops.csv --target kind --hidden 4 --epochs 2 --members 1"
    assert set(card.rows) == {"train", "validation", "test"}
    assert str(tables) not in json.dumps(card.to_json())  # folders say something of the machine alone


def test_the_command_of_a_card_makes_the_same_network(
    cli: Any, tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    said = ("--target", "kind", "--hidden", 4, "--epochs", 2, "--members", 1, "--seed", 5, "--quiet")
    assert cli("train", tables / "shops.csv", *said, "--out", tmp_path / "a.safetensors").code == 0
    first = mc.load(tmp_path / "a.safetensors")
    monkeypatch.chdir(tables)
    words = shlex.split(first.card.rebuild)[1:]
    assert cli(*words, "--out", tmp_path / "b.safetensors", "--quiet").code == 0
    again = mc.load(tmp_path / "b.safetensors")
    assert again.card == first.card
    assert again.metrics == first.metrics


def test_a_built_in_table_brings_its_licence(cli: Any, tmp_path: Path) -> None:
    assert cli("train", "penguins", "--hidden", 4, "--epochs", 1, "--members", 1, "--quiet").code == 0
    assert mc.load(tmp_path / "penguins.safetensors").card.data.licence == "CC0 1.0"
    text = cli("inspect", "penguins.safetensors").out
    assert "CC0 1.0" in text
    assert "minicolumn train penguins --hidden 4 --epochs 1 --members 1" in " ".join(text.split())


def test_tune_and_import_write_the_command(cli: Any, tables: Path, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    said = (
        "--target",
        "kind",
        "--trials",
        1,
        "--layers",
        1,
        "--width",
        4,
        "--epochs",
        1,
        "--folds",
        2,
        "--quiet",
    )
    told = ("--strategy", "random", "--out", "t.safetensors")
    assert cli("tune", tables / "shops.csv", *said, *told).code == 0
    card = mc.load(tmp_path / "t.safetensors").card
    assert card.rebuild.startswith("minicolumn tune shops.csv --target kind")
    assert card.data.sha256
    helper, f32 = onnx.helper, onnx.TensorProto.FLOAT
    w = onnx.numpy_helper.from_array(np.ones((3, 2), np.float32), "w")
    ends = [helper.make_tensor_value_info(name, f32, ["n", size]) for name, size in (("x", 3), ("y", 2))]
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", ends[:1], ends[1:], [w])
    onnx.save(helper.make_model(graph), tmp_path / "net.onnx")
    assert cli("import", "net.onnx", "--out", "i.safetensors").code == 0
    card = mc.load(tmp_path / "i.safetensors").card
    assert card.rebuild == "minicolumn import net.onnx"
    assert "onnx" in card.title


def test_inspect_writes_a_page(cli: Any, models: Path, tmp_path: Path) -> None:
    found = cli("inspect", models / "shops.safetensors", "--html", "page.html")
    assert found.code == 0
    page = (tmp_path / "page.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "page.html" in found.out
    before = page
    assert cli("inspect", models / "shops.safetensors", "--html", "page.html", "--json").code == 0
    assert (tmp_path / "page.html").read_text() == before  # the same file, the same page


def test_inspect_tells_the_card_in_json(cli: Any, models: Path) -> None:
    said = json.loads(cli("inspect", models / "shops.safetensors", "--json").out)
    assert said["card"]["title"]
    assert "card" not in said["training"]
    assert (said["format"], said["package"]) == (2, mc.__version__)


@pytest.mark.parametrize("others", [("--graph",), ("--plan",), ()])
def test_a_page_of_anything_else_is_refused_in_one_line(
    cli: Any, models: Path, tables: Path, tmp_path: Path, others: tuple[str, ...]
) -> None:
    file = models / "shops.safetensors" if others else tables / "shops.csv"
    found = cli("inspect", file, *others, "--html", "page.html")
    assert found.code == 2
    assert "--html" in found.err
    assert len(found.err.strip().splitlines()) == 1
    assert not (tmp_path / "page.html").exists()


def test_a_page_does_not_replace_the_model(cli: Any, tmp_path: Path) -> None:
    net = mc.nn.Dense(1)
    mc.Model(net, net.init(0, (2,)), (2,), "squared_error").save(tmp_path / "m.safetensors")
    before = (tmp_path / "m.safetensors").read_bytes()
    assert cli("inspect", "m.safetensors", "--html", "m.safetensors").code == 2
    assert (tmp_path / "m.safetensors").read_bytes() == before
    assert np.isfinite(mc.load(tmp_path / "m.safetensors").predict(np.zeros((1, 2)))).all()


def test_a_command_tells_no_folder_of_the_network_that_it_began_with(tmp_path: Path) -> None:
    from minicolumn.cli.card import written
    from minicolumn.cli.train import TrainOptions

    path = tmp_path / "old.safetensors"
    mc.zoo.load("xor").save(path)
    for said, told in ((str(path), "old.safetensors"), ("hf://a/b", "hf://a/b"), ("playground/xor",) * 2):
        options = TrainOptions(data="t.csv", init_from=said)
        assert written("train", options) == f"minicolumn train t.csv --from {told}"


def test_a_card_says_what_was_said_of_it(cli: Any, tables: Path, tmp_path: Path) -> None:
    words = (
        "--about",
        "Guesses what a shop sells.",
        "--limits",
        "Not for <b>toys</b>.",
        "--license",
        "CC BY 4.0",
    )
    told = ("--members", 1, "--epochs", 2, "--quiet", "--out", "said.safetensors")
    assert cli("train", tables / "shops.csv", "--target", "kind", *words, *told).code == 0
    card = mc.load(tmp_path / "said.safetensors").card
    assert (card.about, card.limits, card.data.licence) == (words[1], words[3], "CC BY 4.0")
    assert card.data.sha256
    assert "--about" not in card.rebuild  # which makes the weights again, not the words
    shown = cli("inspect", "said.safetensors", "--html", "said.html")
    page = (tmp_path / "said.html").read_text()
    for text in (words[1], "CC BY 4.0"):
        assert text in shown.out
        assert text in page
    assert "<b>toys</b>" in shown.out
    assert "<b>toys</b>" not in page


@pytest.mark.parametrize("odd", ["", "  ", "x" * 10_001, "\udcff"])
def test_words_that_no_card_holds_are_refused_before_the_training(
    cli: Any, tables: Path, tmp_path: Path, odd: str
) -> None:
    found = cli("train", tables / "shops.csv", "--target", "kind", "--about", odd, "--out", "odd.safetensors")
    assert found.code == 2
    assert "--about: expected a text" in found.err
    assert not (tmp_path / "odd.safetensors").exists()
