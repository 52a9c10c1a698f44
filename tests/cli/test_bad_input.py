"""Tables, models and places that cannot be used: one line that says what to do, code 2, nothing written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

GOOD = "x,y\n" + "".join(f"{i % 9},{'ab'[i % 2]}\n" for i in range(40))


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with what is in it."""
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def refused(cli: Any, folder: Path, *words: object) -> str:
    """Run, see that it was refused in one line and that no file changed, and return the line."""
    before = tree(folder)
    found = cli(*words)
    assert (found.code, found.out) == (2, ""), found
    assert found.err.startswith("error: ")
    assert found.err.count("\n") == 1
    assert "Traceback" not in found.err
    assert found.err.rstrip("\n").isprintable()
    assert tree(folder) == before
    return found.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("x,y\n", "no rows"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG picture"),
        (bytes(range(256)) * 40, "t.csv"),
        ("x,y\n1,a\n1,2,3\n", "line 3"),
        ("x,x,y\n1,2,a\n2,3,b\n", "'x'"),
        ("x,y\n" + "1,a\n2,a\n3,a\n" * 9, "two classes at least"),
        ("x,y\n" + "1,\n2,\n" * 9, "no value in any row"),
        ("x,y\n" + "".join(f"{i % 9},word{i}\n" for i in range(30)), "another label in every row"),
        ("y\n" + "a\nb\n" * 9, "no column is left"),
        ("x,y\n" + "1,a\n1,b\n" * 9, "no column is left"),
    ],
)
def test_a_table_that_cannot_be_used(cli: Any, tmp_path: Path, content: str | bytes, said: str) -> None:
    (tmp_path / "t.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    (tmp_path / "t.safetensors").write_bytes(b"an older model")
    assert said in refused(cli, tmp_path, "train", "t.csv", "--target", "y")


def test_names_that_do_not_exist(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(GOOD.replace("x,y", "income,kind"))
    assert "did you mean 'table.csv'?" in refused(cli, tmp_path, "train", "tabel.csv", "--target", "kind")
    assert "did you mean 'penguins'?" in refused(cli, tmp_path, "train", "penguin")
    assert "there is no folder" in refused(cli, tmp_path, "train", "no/such.csv", "--target", "kind")
    assert "did you mean 'kind'?" in refused(cli, tmp_path, "train", "table.csv", "--target", "knid")
    for option in ("--drop", "--category"):
        line = refused(cli, tmp_path, "train", "table.csv", "--target", "kind", option, "incom")
        assert f"{option}: " in line
        assert "did you mean 'income'?" in line
    assert "is the target" in refused(
        cli, tmp_path, "train", "table.csv", "--target", "kind", "--drop", "kind"
    )


@pytest.mark.parametrize(
    ("header", "guess"),
    [
        ("age,income", "the last column 'income' looks like one: --target income"),
        ("Species,age", "'Species' looks like one: --target Species"),
        ("age,net income", "the last column 'net income' looks like one: --target 'net income'"),
    ],
)
def test_a_missing_target_is_guessed(cli: Any, tmp_path: Path, header: str, guess: str) -> None:
    swapped = header.startswith("Species")
    rows = "".join(f"{'ab'[i % 2]},{i % 9}\n" if swapped else f"{i % 9},{'ab'[i % 2]}\n" for i in range(40))
    (tmp_path / "t.csv").write_text(f"{header}\n{rows}")
    line = refused(cli, tmp_path, "train", "t.csv")
    assert "--target is missing; the columns are " in line
    assert guess in line


def test_places_that_cannot_be_written(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(GOOD)
    (tmp_path / "folder").mkdir()
    places = {
        "t.csv": "is the same file as",
        "./folder/../t.csv": "is the same file as",
        "folder": "it is a folder",
        "folder/": "it is a folder",
        "t.csv/m.safetensors": "Not a directory",
        "nowhere/m.safetensors": "there is no folder",
        "m" * 300: "File name too long",
        "m\0": "null",
    }
    if Path("/dev/full").exists():
        places["/dev/full"] = "not a regular file"
    if Path("/proc/self").exists():
        places["/proc/m.safetensors"] = "cannot write"
    for place, said in places.items():
        line = refused(cli, tmp_path, "train", "t.csv", "--target", "y", "--out", place)
        assert line.startswith("error: --out: ")
        assert said in line
    line = refused(cli, tmp_path, "train", "t.csv", "--target", "y", "--plot", "nowhere/c.png")
    assert line.startswith("error: --plot: ")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write where permissions forbid it")
def test_a_read_only_folder(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(GOOD)
    (tmp_path / "shut").mkdir(mode=0o500)
    assert "ermission" in refused(
        cli, tmp_path, "train", "t.csv", "--target", "y", "--out", "shut/m.safetensors"
    )


def test_test_rows_are_looked_at_before_the_training(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(GOOD)
    for content, said in {
        "y\na\nb\n": "no column 'x'",
        "x\n1\n2\n": "'y'",
        "x,y\n1,c\n": "'c' is no class",
        "x,y\nmany,a\n": "'many'",
        "": "is empty",
    }.items():
        (tmp_path / "june.csv").write_text(content)
        line = refused(cli, tmp_path, "train", "t.csv", "--target", "y", "--test", "june.csv")
        assert said in line
    assert "no file" in refused(cli, tmp_path, "train", "t.csv", "--target", "y", "--test", "may.csv")


@pytest.mark.parametrize("command", ["predict", "evaluate", "inspect"])
def test_a_file_that_is_no_whole_model(
    cli: Any, tmp_path: Path, models: Path, tables: Path, command: str
) -> None:
    whole = (models / "shops.safetensors").read_bytes()
    damaged = {
        "cut": whole[:-7],
        "short": whole[:40],
        "nothing": b"",
        "longer": whole + b"\0",
        "tampered": whole.replace(b"sequential", b"sequentiel", 1),
        "other": b"\x80\x04\x95 a pickle",
        "text": GOOD.encode(),
    }
    data = [] if command == "inspect" else [tables / "shops.csv"]
    for name, content in damaged.items():
        place = tmp_path / f"{name}.safetensors"
        place.write_bytes(content)
        assert place.name in refused(cli, tmp_path, command, place, *data)
    assert "there is no such file" in refused(cli, tmp_path, command, "no.safetensors", *data)
    folder = tmp_path / "folder.safetensors"
    folder.mkdir()
    assert "folder" in refused(cli, tmp_path, command, folder, *data)


def test_rows_that_do_not_fit_the_model(cli: Any, tmp_path: Path, models: Path) -> None:
    (tmp_path / "t.csv").write_text("size,color,kind\n1,red,mid\n")
    shops = models / "shops.safetensors"
    assert "did you mean 'color'?" in refused(cli, tmp_path, "predict", shops, "t.csv")
    (tmp_path / "t.csv").write_text("size,colour\n1,red\n")
    assert "no target column 'kind'" in refused(cli, tmp_path, "evaluate", shops, "t.csv")
    (tmp_path / "t.csv").write_text("size,colour,kind\n1,red,huge\n")
    assert "'huge' is no class" in refused(cli, tmp_path, "evaluate", shops, "t.csv")
    (tmp_path / "t.csv").write_text("size,colour,kind\n1,red,\n")
    assert "no row has a target" in refused(cli, tmp_path, "evaluate", shops, "t.csv")


def test_predictions_replace_nothing_that_is_read(
    cli: Any, tmp_path: Path, models: Path, tables: Path
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_bytes((tables / "shops.csv").read_bytes())
    shops = models / "shops.safetensors"
    assert "is the same file as" in refused(cli, tmp_path, "predict", shops, rows, "--out", rows)
    assert "does not end in the suffix" in refused(cli, tmp_path, "predict", shops, rows, "--out", "p.xlsx")
    assert "does not end in the suffix" in refused(cli, tmp_path, "predict", shops, rows, "--out", shops)
    assert "there is no folder" in refused(cli, tmp_path, "predict", shops, rows, "--out", "no/p.csv")


def test_a_model_of_arrays_has_no_table(cli: Any, tmp_path: Path, tables: Path) -> None:
    import numpy as np

    import minicolumn as mc

    X = np.eye(4, dtype=np.float32)
    run = mc.fit(mc.nn.Sequential(mc.nn.Dense(2)), X, np.array([0, 1, 0, 1]), epochs=1)
    run.save(tmp_path / "arrays.safetensors")
    assert "trained on arrays" in refused(
        cli, tmp_path, "predict", "arrays.safetensors", tables / "shops.csv"
    )
    assert cli("inspect", "arrays.safetensors").code == 0


def test_testing_on_the_training_file_is_refused(tmp_path: Path, cli: Any) -> None:
    place = tmp_path / "rows.csv"
    place.write_text("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(40)))
    done = cli("train", place, "--target", "y", "--test", place)
    assert done.code == 2
    assert "--test is the same file as DATA" in done.err


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom", "/dev/null"])
def test_a_device_is_not_read(device: str, cli: Any) -> None:
    if not Path(device).exists():
        pytest.skip(f"there is no {device} on this system")
    done = cli("train", device, "--target", "y")
    assert done.code == 2
    assert "is a device" in done.err
