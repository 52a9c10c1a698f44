"""`minicolumn zoo`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minicolumn.cli.run import run


def test_it_lists_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["zoo", "list", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out.splitlines()[-1])["entries"]
    penguins = next(entry for entry in entries if entry["name"] == "penguins")
    assert set(penguins) == {"name", "title", "task", "metrics", "bytes", "licence"}
    assert penguins["task"] == "multiclass"
    assert penguins["metrics"]["accuracy"] > 0.9


def test_it_shows_what_a_network_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["zoo", "show", "mnist-mlp"]) == 0
    shown = capsys.readouterr().out
    assert "CC BY-SA 3.0" in shown
    assert "[bold]" not in shown
    assert "minicolumn zoo train mnist-mlp --data FOLDER" in shown


def test_what_it_gets_predicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(tmp_path / "p.safetensors")
    assert run(["zoo", "get", "penguins", "--out", model]) == 0
    assert run(["evaluate", model, "penguins", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["metrics"]["accuracy"] > 0.95


def test_it_trains_and_verifies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["zoo", "train", "gates-1943", "--out", str(tmp_path / "g.safetensors")]) == 0
    assert "the same bytes as the zoo's" in capsys.readouterr().out
    assert run(["zoo", "verify", "xor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["entries"] == [
        {"name": "xor", "holds": True, "computed": True}
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["zoo", "lst"], "unknown action 'lst'; did you mean 'list'"),
        (["zoo", "get"], "say which network"),
        (["zoo", "add"], "say the name it gets, and where it lies"),
        (["zoo", "remove"], "say which zoo; minicolumn zoo zoos shows them"),
        (["zoo", "push"], "say which model file, and where to"),
        (["zoo", "get", "penguin"], "did you mean 'penguins'"),
        (["zoo", "train", "adult-income"], "--data FOLDER"),
        (["zoo", "list", "--zoo", "/nowhere"], "is no folder"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    assert message in capsys.readouterr().err


def test_a_name_that_is_nearly_one_of_the_zoo_is_said_with_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for words in (["export", "penguin", "--to", "c"], ["evaluate", "penguin", "penguins"]):
        assert run(words) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert (
            "cannot open penguin: there is no such file, nor network of the zoo; did you mean 'penguins'?"
            in said
        )
    assert run(["export", str(tmp_path / "penguin.safetensors"), "--to", "c"]) == 2
    assert "zoo" not in capsys.readouterr().err


def test_names_stand_below_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["zoo", "verify", "playground/multi-gauss"]) == 0
    assert "playground/multi-gauss the file is" in capsys.readouterr().out


def test_what_goes_with_from_is_said_by_its_option(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for option, value in (("--freeze", "all"), ("--layer-rates", "1,1"), ("--unfreeze", "2")):
        assert run(["train", "penguins", option, value]) == 2
        assert f"{option}: goes with --from, a network to start from" in " ".join(
            capsys.readouterr().err.split()
        )
    assert not list(tmp_path.iterdir())
