"""How things look: progress, scores, confusion, and text that stays text."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from minicolumn.cli import main
from minicolumn.cli.columns import listed, parse_columns
from minicolumn.cli.progress import ShortLines, watch
from minicolumn.cli.score_report import show_confusion
from minicolumn.cli.screen import is_live, one_line, visible
from minicolumn.cli.source import short_name
from minicolumn.nn import Dense
from minicolumn.train import Trainer
from minicolumn.train.progress import ProgressBar


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def console_on(stream: io.StringIO, **more: Any) -> Console:
    return Console(file=stream, width=80, highlight=False, markup=False, **more)


def trained(epochs: int, of: int) -> Trainer:
    X = np.ones((100, 1), np.float32)
    training = Trainer(Dense(1), X, X, loss="squared_error", epochs=of, batch_size=10, validation_data=(X, X))
    training.keep_best()
    for epoch in range(1, epochs + 1):
        row = {
            "epoch": epoch,
            "loss": 2.0 / epoch,
            "val_loss": abs(epoch - 3.0) + 1.0,
            "steps_per_second": 12345.6,
        }
        training.history.rows.append(row)
    return training


@pytest.mark.parametrize("epochs", [1, 7, 10, 95, 1000])
def test_short_lines_are_few_and_end_with_the_last(epochs: int) -> None:
    stream = io.StringIO()
    lines = ShortLines(console_on(stream), "val_loss")
    training = trained(epochs, epochs)
    for row in training.history:
        lines.on_epoch(training, row)
    said = stream.getvalue().splitlines()
    assert 1 <= len(said) <= 12
    assert f"epoch 1/{epochs}" in said[0]
    assert f"epoch {epochs}/{epochs}" in said[-1]


def test_who_gets_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    plain, terminal = console_on(io.StringIO()), console_on(Terminal(), force_terminal=True)
    assert not is_live(plain)
    assert is_live(terminal)
    assert isinstance(watch(terminal, as_json=True, monitor="val_loss")[0], ProgressBar)
    assert isinstance(watch(plain, as_json=False, monitor="val_loss")[0], ShortLines)
    assert watch(plain, as_json=True, monitor="val_loss") == ()
    silent = console_on(Terminal(), force_terminal=True, quiet=True)
    assert watch(silent, as_json=False, monitor="val_loss") == ()
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert not is_live(console_on(io.StringIO())), "colour may be forced into a log; a moving bar may not"
    monkeypatch.setenv("TERM", "dumb")
    assert not is_live(console_on(Terminal(), force_terminal=True))


@pytest.mark.parametrize("classes", [2, 3, 7, 9, 26, 200])
def test_confusion_fits_the_screen(classes: int) -> None:
    stream = io.StringIO()
    counts = np.arange(classes * classes).reshape(classes, classes) * 37
    show_confusion(console_on(stream), counts, [f"class with a long name {i}" for i in range(classes)])
    assert max(map(len, stream.getvalue().splitlines())) <= 80
    assert ("Confusion" in stream.getvalue()) == (classes < 10)
    assert f"{counts.max() if classes < 26 else counts[-1, -2]:,}" in stream.getvalue()


@given(st.text())
def test_no_text_steers_the_terminal(text: str) -> None:
    assert visible(text).isprintable()
    assert "\n" not in one_line(text)


@given(st.lists(st.text(min_size=1), unique=True, min_size=1), st.data())
def test_any_column_can_be_named_by_its_own_option(names: list[str], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(names), unique=True))
    assert parse_columns("--drop", chosen, names) == tuple(chosen)


@given(st.lists(st.text("abc", min_size=1, max_size=3), max_size=30))
def test_a_list_says_how_many_are_left_out(names: list[str]) -> None:
    said = listed(names, most=12)
    assert said.count("'") == 2 * min(len(names), 12)
    assert (f"and {len(names) - 12} more" in said) == (len(names) > 12)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("penguins", "penguins"),
        ("a/b.csv.gz", "b"),
        ("x.PARQUET", "x"),
        (".csv", "model"),
        ("two.parts.tsv", "two.parts"),
    ],
)
def test_short_names(source: str, name: str) -> None:
    assert short_name(source) == name


def test_a_terminal_without_unicode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"{i % 9},{'äß'[i % 2]}\n" for i in range(40))
    (tmp_path / "t.csv").write_text(f"größe,art\n{rows}", encoding="utf-8")
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["inspect", str(tmp_path / "t.csv"), "--target", "art"]) == 0
    assert b"gr\\xf6\\xdfe" in raw.getvalue()
    monkeypatch.undo()


def test_many_columns_are_told_in_about_two_lines(cli: Any, tmp_path: Path) -> None:
    names = [f"c{k:03}" for k in range(100)]
    rows = [",".join(str(0.5 * (row + k)) for k in range(101)) for row in range(12)]
    (tmp_path / "wide.csv").write_text("\n".join([",".join([*names, "y"]), *rows]) + "\n")
    told = " ".join(cli("inspect", "wide.csv", "--target", "y").out.split())
    shown = [name for name in names if f"{name}," in told or f"{name} and" in told]
    assert shown == names[: len(shown)]
    assert 10 <= len(shown) < 100
    assert f"{shown[-1]} and {100 - len(shown)} more" in told
