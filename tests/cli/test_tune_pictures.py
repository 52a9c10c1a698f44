"""`minicolumn tune --html --plot`: what is written, and what is refused before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SMALL = (
    "--layers", "1", "--width", "4,8", "--activation", "relu", "--ramps", "false", "--schedule", "cosine",
    "--batch-size", "32", "--epochs", "3", "--folds", "2", "--trials", "3", "--threads", "1",
)  # fmt: skip


def test_a_report_and_pictures_are_written(cli: Any, tmp_path: Path) -> None:
    found = cli("tune", "penguins", *SMALL, "--html", "r.html", "--plot", "pictures/of it")
    assert found.code == 0, found.err
    page = Path("r.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "Few neurons first" in page
    written = {path.name for path in Path("pictures/of it").iterdir()}
    assert written == {"pareto.png", "sizes.png", "curves.png", "topology.png"}
    assert "report in r.html" in found.out
    assert "no picture: Study.plot_importance: importance: it takes 8 finished trials" in found.out
    assert "pareto.png, sizes.png, curves.png, topology.png" in found.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--html", "no/such/r.html"), "--html: cannot write"),
        (("--html", "penguins.safetensors"), "--html: 'penguins.safetensors' is the same file"),
        (("--plot", "/dev/null/x"), "--plot: cannot make the folder"),
        (
            ("--cluster", "tcp://127.0.0.1:1", "--strategy", "asha"),
            "--strategy: asha prunes within trainings",
        ),
        (("--cluster", " "), "--cluster: expected an address"),
    ],
)
def test_what_cannot_be_written_is_refused_first(cli: Any, options: tuple[str, ...], message: str) -> None:
    found = cli("tune", "penguins", *SMALL, *options)
    assert found.code == 2
    assert message in found.err
    assert "trial 1" not in found.out


def test_without_matplotlib_pictures_are_refused_first(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "matplotlib" else find(name, *a)
    )
    found = cli("tune", "penguins", *SMALL, "--html", "r.html")
    assert found.code == 2
    assert "--html needs matplotlib, which is not installed: pip install 'minicolumn[plot]'" in found.err
