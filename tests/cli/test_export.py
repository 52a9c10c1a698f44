"""`minicolumn export`: what it writes, says, and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import minicolumn as mc
from minicolumn.cli import main


@pytest.fixture
def model(tmp_path: Path) -> str:
    net = mc.nn.Sequential(mc.nn.Dense(3, "tanh"), mc.nn.Dense(2))
    path = tmp_path / "m.safetensors"
    mc.Model(net, net.init(0, (3,)), (3,), "softmax_cross_entropy").save(path)
    return str(path)


def test_the_files_and_what_ran_them_are_told(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", model, "--to", "numpy", "--out", str(tmp_path / "net.py"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["to"] == "numpy"
    assert said["checked"] == "Python"
    assert said["files"] == [str(tmp_path / "net.py")]
    assert said["rows"] > 10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "say what to export to: --to c"),
        (["--to", "cpp"], "unknown format 'cpp'"),
        (["--to", "c", "--target", "wasm32"], "a target is of object code"),
        (["--to", "object", "--target", "z80"], "no object code for 'z80'"),
        (["--to", "c", "--out", "here.txt"], "neither a folder nor a file whose name ends in .c"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    model: str, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", model, *options]) == 2
    error = capsys.readouterr().err.strip()
    assert message in " ".join(error.split())
    assert "Traceback" not in error
