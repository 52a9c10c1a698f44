"""Tables that a page sends as bytes: all formats of the tables stage, within limits, in their own units."""

from __future__ import annotations

import base64
import gzip
import io
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import openpyxl
import polars
import pytest

import minicolumn as mc
from minicolumn.playground.frames import Frame
from minicolumn.playground.network import table_files
from minicolumn.playground.network.room import NetworkRoom
from minicolumn.playground.room import Session
from minicolumn.playground.uploads import PART_BYTES

Array = np.ndarray
ROWS = 90
WIDTH = np.arange(ROWS) % 7 + 10.0
FRAME = polars.DataFrame(
    {
        "width": WIDTH,
        "petal length": (np.arange(ROWS) * 37 % 41) ** 2 + 0.5,
        "colour": np.where(np.arange(ROWS) % 3, "red", "blue"),
        "kind": np.where(WIDTH > 13, "cat", "dog"),
    }
)


class Page:
    """A page with one room: it sends messages and keeps the last frame of each kind."""

    def __init__(self) -> None:
        self.session = Session({"network": NetworkRoom})
        self.last: dict[str, Frame] = {}
        self("open", setup={"units": [3]})

    def __call__(self, do: str, **said: Any) -> Frame:
        frames = self.session.receive({"room": "network", "do": do, **said})
        self.last |= {frame.kind: frame for frame in frames}
        return frames[0] if frames else Frame("network", "nothing")

    def send(self, name: str, data: bytes, size: int = PART_BYTES) -> Frame:
        """Send a file in parts; return what answers the last."""
        parts, answer = max(1, -(-len(data) // size)), Frame("network", "nothing")
        for part in range(parts):
            piece = base64.b64encode(data[part * size : (part + 1) * size]).decode()
            answer = self("table", name=name, part=part, parts=parts, base64=piece)
        return answer

    def learn(self, column: str, data: bytes | None = None) -> Any:
        """Send the table, or this file, and learn a column; return the learner."""
        self.send("t.csv", FRAME.write_csv().encode() if data is None else data)
        assert self("target", column=column).kind == "state"
        return self.session._rooms["network"].learner  # type: ignore[attr-defined]


def _written(write: Callable[[io.BytesIO], Any]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def _book() -> bytes:
    held = openpyxl.Workbook()
    for row in [FRAME.columns, *FRAME.rows()]:
        held.worksheets[0].append(row)
    held.create_sheet("notes").append(["x"])
    return _written(held.save)


FILES: dict[str, Callable[[], bytes]] = {
    "t.csv": lambda: FRAME.write_csv().encode(),
    "t.tsv.gz": lambda: gzip.compress(FRAME.write_csv(separator="\t").encode()),
    "t.json": lambda: FRAME.write_json().encode(),
    "t.parquet": lambda: _written(FRAME.write_parquet),
    "t.arrow": lambda: _written(FRAME.write_ipc),
    "t.xlsx": _book,
}


@pytest.mark.parametrize("name", FILES)
def test_each_format_is_the_same_table(name: str) -> None:
    page = Page()
    columns = page.send(name, FILES[name](), size=700)
    assert [column["name"] for column in columns.says["columns"]] == FRAME.columns
    assert columns.says["rows"] == ROWS
    assert not any("--" in note for note in columns.says["said"])  # a page has no options
    assert page("target", column="kind").says["rows"]["train"] == ROWS // 2
    assert page("step", epochs=2).kind == "tick"


def _bomb() -> bytes:
    """A sheet of 10 MB of blanks in some 10 kB, as its archive says."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 10_000_000)
    return stream.getvalue()


def _many_rows() -> bytes:
    return _written(polars.select(a=polars.repeat(0, 2_000_000, dtype=polars.Int64)).write_parquet)


@pytest.mark.parametrize(
    ("name", "data", "word"),
    [
        ("t.gz", lambda: gzip.compress(b"a,b\n" + b"0,0\n" * 3_000_000, 1), "more than 8 MiB"),
        ("t.xlsx", _bomb, "more than 8 MiB"),
        ("t.parquet", _many_rows, "more than 8 MiB"),
        ("t.parquet", lambda: FILES["t.parquet"]()[:-90] + b"PAR1", "t.parquet"),
        ("t.xlsx", lambda: FILES["t.xlsx"]()[:-200], "t.xlsx"),
        ("t.json", lambda: b"[{]", "JSON"),
        ("t.pdf", lambda: b"%PDF-1.7 \x00\x01", "t.pdf"),
        ("../../etc/passwd", lambda: b" \n", "is empty"),
        ("t.parquet", lambda: _written(FRAME.clear().write_parquet), "no rows"),
    ],
)
def test_bad_files_get_one_clear_line(
    name: str, data: Callable[[], bytes], word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_files, "MOST_MEMORY", 8 << 20)
    page = Page()
    refused = page.send(name, data())
    assert refused.kind == "error"
    assert word in refused.says["message"]
    assert "\n" not in refused.says["message"]
    assert "--" not in refused.says["message"]
    assert page("target", column="a").kind == "error"  # no table is there
    assert page("step").kind == "tick"


def test_a_part_is_text_or_bytes() -> None:
    page = Page()
    for said in ({}, {"text": "a", "base64": "YQ=="}):
        assert "text, or bytes" in page("table", name="t.csv", **said).says["message"]
    assert "base64" in page("table", name="t.csv", base64="a,b").says["message"]
    assert page("table", name="t.csv", part=0, parts=2, base64="YSxi").kind == "nothing"
    assert page("table", name="t.csv", part=1, parts=2, text="\n1,2\n").says["rows"] == 1


def test_the_page_can_show_columns_in_their_own_units() -> None:
    page = Page()
    learner = page.learn("kind")
    says = page.last["state"].says
    names = dict(zip(says["column_names"], range(9), strict=False))
    for name in ("width", "petal length"):
        unit, x = says["units"][names[name]], learner.points.X[:, names[name]]
        s = x / np.sqrt(1 - (x / 3) ** 2) if unit["smooth"] else x
        raw = unit["center"] + s / unit["factor"]
        assert np.allclose(np.sort(raw), np.sort(FRAME[name].to_numpy()), rtol=1e-4)  # float32 rows
    assert [says["units"][i] for name, i in names.items() if "colour" in name] == [None] * (len(names) - 2)
    page("open")
    assert page.last["state"].says["units"] == [None, None]


def test_features_of_a_table_are_formulas_of_its_columns(tmp_path: Any) -> None:
    page = Page()
    learner = page.learn("kind")
    said = page("formula", text="width * `petal length` + x1^2").says["text"]
    at = dict(zip(learner.column_names, learner.points.inputs, strict=True))
    assert said == f"{at['width']}*{at['petal length']}+x1^2"
    assert "did you mean 'width'" in page("formula", text="widht^2").says["message"]
    assert page("set", changes={"features": [at["width"], said]}).kind == "state"
    shown = page.last["state"].says["inputs"]
    first = learner.column_names[0]
    assert [part["name"] for part in shown] == ["width", f"width*`petal length`+{first}^2"]
    page("step", epochs=30)
    path = tmp_path / "network.safetensors"
    path.write_bytes(page("export", what="model").arrays["bytes"].tobytes())
    learner = page.session._rooms["network"].learner  # type: ignore[attr-defined]
    points = learner.points
    expected = learner.task.answers(learner.trainer.outputs(points.X.astype(np.float32)))
    answers = mc.load(path).predict_table(FRAME)
    assert list(answers) == [points.classes[code] for code in expected]
    again = Page()
    again("load", name="n", base64=base64.b64encode(path.read_bytes()).decode())
    assert again.last["state"].says["inputs"] == shown
