"""`minicolumn bench`, from the command line to its tables."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import minicolumn as mc
from minicolumn.cli import bench_report, main


def _part(**sides: tuple[float, bool | None]) -> dict[str, Any]:
    listed = {
        name.replace("_", " "): {"best": best, "median": best, "rounds": 3, "agrees": agrees, "note": ""}
        for name, (best, agrees) in sides.items()
    }
    control = {"best": 1.0, "worst": 1.3}
    about = {"title": "a-b-c", "unit": "a step", "apart": {"JAX": 0.5}, "rounds_repeated": 0, "steady": True}
    return {**about, "sides": listed, "control": control}


def _shown(show: Any, *args: Any) -> str:
    stream = io.StringIO()
    show(Console(file=stream, width=100, highlight=False), *args)
    return stream.getvalue()


def test_a_session_without_peers(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "result.json"
    words = ["bench", "playground", "--no-peers", "--seconds", "0.1", "--json", "--out", str(out)]
    assert main(words) == 0
    said = capfd.readouterr()
    result = json.loads(said.out)
    assert result == json.loads(out.read_text())
    assert set(result) == {"about", "playground", "limit"}
    assert set(result["playground"]["sides"]) == {"minicolumn"}
    assert result["playground"]["limit"] > 0
    assert "playground" in said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tabluar"], "unknown workload 'tabluar'; did you mean 'tabular'?"),
        (["fly"], "there are playground, tabular, mnist, wide, predict, startup"),
        (["--seconds", "0"], "--seconds: expected a number, 0 < seconds"),
        (["--seconds", "100000"], "seconds <= 86,400, got 100000"),
        (["--threads", "0"], "--threads: expected an integer, 1 <= threads <= "),
        (["--out", "/nowhere/x.json"], "--out: cannot write"),
    ],
)
def test_misuse_is_one_line(words: list[str], said: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words]) == 2
    assert said in capfd.readouterr().err


def test_without_native_code_there_is_nothing_to_measure() -> None:
    code = (
        "import sys; sys.modules['llvmlite'] = None\n"  # as where it is not installed
        "from minicolumn.cli import main; sys.exit(main(['bench', 'playground']))"
    )
    where = {**os.environ, "PYTHONPATH": str(Path(mc.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=where, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "llvmlite" in done.stderr


def test_a_peer_that_wins_is_shown_as_the_winner() -> None:
    shown = _shown(
        bench_report.show_summary, {"tabular": _part(minicolumn=(2.0, True), JAX_scan=(1.0, True))}
    )
    assert "JAX scan" in shown
    assert "0.50" in shown


def test_a_side_that_computes_something_else_has_no_ratio() -> None:
    part = _part(minicolumn=(1.0, True), JAX_scan=(5.0, False), other=(3.0, None))
    shown = _shown(bench_report.show_part, "tabular", part)
    assert "computes something else" in shown
    assert "5.00" not in shown.replace("5.00 s", "")
    assert "not all sides compute the same" in shown
    assert bench_report.best_peer(part) == ("other", 3.0)


def test_our_own_wrong_answer_is_never_compared() -> None:
    part = _part(minicolumn=(1e-6, False), other=(1.0, None))
    assert bench_report.fastest_of_ours(part) is None
    assert _shown(bench_report.show_summary, {"tabular": part}) == ""
    assert "1,000,000" not in _shown(bench_report.show_part, "tabular", part)


def test_a_busy_machine_is_said_to_be_one() -> None:
    part = {**_part(minicolumn=(1.0, True), other=(2.0, True)), "steady": False}
    assert "busy: the control moved by 30%" in _shown(bench_report.show_part, "tabular", part)
    assert "rough" in _shown(bench_report.show_summary, {"tabular": part})


def test_both_of_our_ways_to_predict_are_in_the_summary() -> None:
    part = _part(minicolumn_predict=(9.0, None), minicolumn_predictor=(1.0, True), other=(3.0, True))
    shown = _shown(bench_report.show_summary, {"predict": {"1 row": part}})
    assert "predict 1 row, predict " in shown
    assert "0.33" in shown
    assert "3.00" in shown
