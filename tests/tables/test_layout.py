"""Layouts of text as offices, agencies and spreadsheets write it: each is read right, each guess is said."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from minicolumn import errors
from minicolumn.tables.files.delimited import load_delimited
from minicolumn.tables.files.read import load_table
from minicolumn.tables.files.reading import Reading

TITLE = "1 title line was left out above the names"
FOOTER = "1 footer line was left out below the rows"
INDEX = "column 1 has no name and is called 'Unnamed: 0'"
WORLD_BANK = """"Data Source","World Development Indicators",

"Last Updated Date","2020-01-01",

"Country Name","Country Code","1960","1961",
"Aruba","ABW","54608","55811",
"Chad","TCD","","3",
"""
LAYOUTS = {
    "World Bank": (
        WORLD_BANK,
        ["Country Name", "Country Code", "1960", "1961"],
        [("Aruba", "ABW", "54608", "55811"), ("Chad", "TCD", "", "3")],
        (
            "2 title lines were left out above the names",
            "column 5 has neither a name nor values and was left out",
        ),
    ),
    "a title, a blank line, a footer": (
        "Report 2020\n\na,b,c\n1,2,3\n4,5,6\n\nSource: an office\n",
        ["a", "b", "c"],
        [("1", "2", "3"), ("4", "5", "6")],
        (TITLE, FOOTER),
    ),
    "a title above names with ;": (
        "Prices\na;b;c\n1,5;x;3\n4;y;6\n",
        ["a", "b", "c"],
        [("1,5", "x", "3"), ("4", "y", "6")],
        (TITLE,),
    ),
    "a title filled up with separators": (
        "Prices,,\n,,\na,b,c\nx,2,3\n",
        ["a", "b", "c"],
        [("x", "2", "3")],
        ("2 title lines were left out above the names",),
    ),
    "sep=": ("sep=;\na;b\n1,5;2\n", ["a", "b"], [("1,5", "2")], ("separator ';' from the line sep=;",)),
    "separators at all ends": (
        "a,b,\n1,2,\n3,4,\n",
        ["a", "b"],
        [("1", "2"), ("3", "4")],
        ("column 3 has neither a name nor values and was left out",),
    ),
    "separators at the ends of rows": (
        "a,b\n1,2,\n3,4,\n",
        ["a", "b"],
        [("1", "2"), ("3", "4")],
        ("column 3 has neither a name nor values and was left out",),
    ),
    "names again": (
        "a,b\n1,2\na,b\n3,4\na , b\n5,6\n",
        ["a", "b"],
        [("1", "2"), ("3", "4"), ("5", "6")],
        ("2 repeated lines of names were left out",),
    ),
    "units in brackets": (
        "time,speed,who\n(s),[m/s],\n1,2,x\n3,4,y\n",
        ["time", "speed", "who"],
        [("1", "2", "x"), ("3", "4", "y")],
        ("a line of units below the names was left out ('(s)', '[m/s]')",),
    ),
    "units": (
        "t,v,who\n°C,kg/m3,-\n1,2,x\n3,4,y\n",
        ["t", "v", "who"],
        [("1", "2", "x"), ("3", "4", "y")],
        ("a line of units below the names was left out ('°C', 'kg/m3', '-')",),
    ),
    "an index without a name": (",a\n0,x\n1,y\n", ["Unnamed: 0", "a"], [("0", "x"), ("1", "y")], (INDEX,)),
    "a column without a name": (
        "a, ,c\n1,2,3\n",
        ["a", "column_2", "c"],
        [("1", "2", "3")],
        ("column 2 has no name and is called 'column_2'",),
    ),
    "names of rows, as R writes them": (
        '"a" "b"\n"x 1" 5 6\n"x 2" 7 8\n',
        ["Unnamed: 0", "a", "b"],
        [("x 1", "5", "6"), ("x 2", "7", "8")],
        ("separator space was found; --separator to say otherwise", INDEX),
    ),
    "aligned by blanks": (
        "  x     y\n 1.0    2\n 10.5   3\n",
        ["x", "y"],
        [("1.0", "2"), ("10.5", "3")],
        ("separator space was found; --separator to say otherwise",),
    ),
    "::": (
        "a::b::c\n1::x::3\n4::y::6\n",
        ["a", "b", "c"],
        [("1", "x", "3"), ("4", "y", "6")],
        ("separator '::' was found; --separator to say otherwise",),
    ),
    "^": ("a^b\n1^x\n", ["a", "b"], [("1", "x")], ("separator '^' was found; --separator to say otherwise",)),
    "quotes after a blank": (
        'a, b\nx, "b, c"\ny, "d"\n',
        ["a", "b"],
        [("x", "b, c"), ("y", "d")],
        ("quotes that follow a blank were read as quotes",),
    ),
    "single quotes": (
        "a,b\n'x,y',2\nz,3\n",
        ["a", "b"],
        [("x,y", "2"), ("z", "3")],
        ("single quotes were read as quotes; --quote to say otherwise",),
    ),
    "comments": (
        "# x, y\n#z\nYYYY MM  T\n2000 1  3.2\n2000 2  4.2\n",
        ["YYYY", "MM", "T"],
        [("2000", "1", "3.2"), ("2000", "2", "4.2")],
        (
            "2 lines that begin with '#' were left out; --comment to say otherwise",
            "separator space was found; --separator to say otherwise",
        ),
    ),
    "text aligned by blanks": (
        "name   age\nann b   3\n",
        ["name   age"],
        [("ann b   3",)],
        ("one column was found; --separator space if blanks separate columns",),
    ),
    "the end of DOS": ("#a,b\n1,2\n\x1a", ["#a", "b"], [("1", "2")], ()),
    "CR ends lines, LF is in a field": ('a,b\r"x\ny",1\rz,2\r', ["a", "b"], [("x\ny", "1"), ("z", "2")], ()),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_layouts(tmp_path: Path, layout: str, ends: str) -> None:
    text, names, rows, notes = LAYOUTS[layout]
    path = tmp_path / "t.csv"
    path.write_bytes(text.replace("\n", ends if "\r" not in text else "\n").encode())
    loaded = load_table(path)
    assert loaded.frame.columns == names
    assert [tuple(cell or "" for cell in row) for row in loaded.frame.rows()] == rows
    assert loaded.notes == notes


@pytest.mark.parametrize(
    "first", ["PAR1", "ARROW1", "ORC", "RDX", "GIF8", "BZh", "FEA1", "PK", "{}", "[x", "sep"]
)
def test_a_first_name_may_be_that_of_another_format(tmp_path: Path, first: str) -> None:
    (tmp_path / "t.csv").write_text(f"{first},b\n1,2\n")
    loaded = load_table(tmp_path / "t.csv")
    assert (loaded.frame.columns, loaded.frame.rows(), loaded.notes) == ([first, "b"], [("1", "2")], ())


def test_arff_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.arff").write_text("% x\n@RELATION r\n@attribute a real\n@data\n1,2\n3,4\n")
    with pytest.raises(errors.DataError, match="ARFF file; its rows are read by --skip-rows 4 --no-header"):
        load_table(tmp_path / "t.arff")
    loaded = load_table(tmp_path / "t.arff", Reading(skip_rows=4, header=False))
    assert loaded.frame.rows() == [("1", "2"), ("3", "4")]


def test_names_like_a_row_are_said() -> None:
    row = "the names look like a row ('5.1', '3.5', '0.2', 'setosa', ...); --no-header where a file has none"
    assert load_delimited(b"5.1,3.5,0.2,setosa\n4.9,3,0.2,setosa\n", "t").notes == (row,)
    for names in (b"id,1960,1961,1962", b"0,1,2,3", b"1,2,3,4", b"q,0.5,x,y"):
        assert load_delimited(names + b"\n1,2,3,4\n", "t").notes == ()


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2,3,4\n5,6,7,8\n",  # not names below a title
        "a,b,c\n1,2\n3,4\n",
        "a,b,c\n1,2,3\n4,5\n",  # a row cut short is no footer
        "a,b,c\n1,2,3\n4\n",
        "a,b,c\n1,2,3\nxyz\n",
        "a,b,c\n1,2,3\nSource: x\n4,5,6\n",  # nor is it one in the middle
        "x\n1,2\n3,4\n",
        "name,of\nx,1,2\nx,3,4\n",  # the rows' names would be no names
        'a,b\n1,"2\n3,4\n',
        "tags\na, b\nc\nd, e, f\n",
    ],
)
def test_what_is_ragged_is_refused(text: str) -> None:
    with pytest.raises(errors.DataError, match=r"line [0-9]+ "):
        load_delimited(text.encode(), "t.csv")


SAYINGS = {
    "no header": ({"header": False}, "1,2\n3,4\n", ["column_1", "column_2"], [("1", "2"), ("3", "4")]),
    "skip rows": ({"skip_rows": 2}, "x\ny,z\na,b\n1,2\n", ["a", "b"], [("1", "2")]),
    "comment": ({"comment": "#"}, "#'x \"y\na,b\n#,\n1,2\n", ["a", "b"], [("1", "2")]),
    "separator": ({"separator": "::"}, "a::b\n1:::\n", ["a", "b"], [("1", ":")]),
    "not sep=": ({"separator": ","}, "sep=;\na,b\n1;,2\n", ["a", "b"], [("1;", "2")]),
    "blanks": ({"separator": "space"}, 'a  b\n x "y z" \n', ["a", "b"], [("x", "y z")]),
    "of two bytes": ({"separator": "§"}, "a§b\n1§2\n", ["a", "b"], [("1", "2")]),
    "quote": ({"quote": "'"}, "a,b\n'1',\"\n", ["a", "b"], [("1", '"')]),
    "no quotes": ({"quote": "none"}, 'a,b\n"1,2"\n"3,4\n', ["a", "b"], [('"1', '2"'), ('"3', "4")]),
    "no quotes between blanks": (
        {"quote": "none", "separator": " "},
        'a b\n"1 2\n',
        ["a", "b"],
        [('"1', "2")],
    ),
    "one column": ({"separator": ";"}, "a,b\n1,2\n", ["a,b"], [("1,2",)]),
    "latin-1": ({"encoding": "latin-1"}, "a\n\x81é\n", ["a"], [("\x81é",)]),
    "utf-16": ({"encoding": "utf-16-le"}, "a\né\n", ["a"], [("é",)]),
    "shift_jis": ({"encoding": "shift_jis"}, "a\nテ\n", ["a"], [("テ",)]),
}


@pytest.mark.parametrize("saying", SAYINGS)
def test_what_is_said_is_not_guessed(tmp_path: Path, saying: str) -> None:
    said, text, names, rows = SAYINGS[saying]
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(said.get("encoding", "utf-8")))
    loaded = load_table(path, Reading(**said))
    assert loaded.frame.columns == names
    assert loaded.frame.rows() == rows
    assert loaded.notes == ()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"encoding": "utf-9"}, "encoding is 'utf-9'"),
        ({"encoding": "rot13"}, "encoding is 'rot13'"),
        ({"header": 1}, "header is 1"),
        ({"skip_rows": -1}, "skip_rows is -1"),
        ({"skip_rows": True}, "skip_rows is True"),
        ({"comment": " "}, "comment is ' '"),
        ({"separator": ""}, "separator is ''"),
        ({"separator": "x"}, "a letter"),
        ({"separator": '"'}, "a quote"),
        ({"separator": "x" * 9}, "up to 8"),
        ({"quote": "''"}, "quote is"),
        ({"quote": "^", "separator": "^"}, "are both"),
        ({"max_memory": 0}, "max_memory is 0"),
        ({"sheet": 0}, "sheet is 0"),
        ({"sheet": 1.5}, "sheet is 1.5"),
    ],
)
def test_what_cannot_be_meant_is_refused(said: dict[str, object], words: str) -> None:
    with pytest.raises(errors.DataError, match=words):
        Reading(**said)  # type: ignore[arg-type]


def test_the_encoding_is_guessed_and_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("a,b\nx,1\ncafé,2 €\n".encode("cp1252"))
    loaded = load_table(path)
    assert loaded.frame.row(1) == ("café", "2 €")
    expected = "read as cp1252, since it is not UTF-8 (byte 0xe9 in line 3); --encoding to say otherwise"
    assert loaded.notes == (expected,)
    path.write_bytes(b"a,b\n\x81\xe9,1\n")
    assert load_table(path).notes[0].startswith("read as latin-1,")
    with pytest.raises(errors.DataError, match=r"is not UTF-8 \(byte 0x81 in line 2\); leave --encoding out"):
        load_table(path, Reading(encoding="utf-8"))
    path.write_bytes("a,b\nx,1\n".encode("utf-32"))
    assert load_table(path).frame.rows() == [("x", "1")]


CELL = st.one_of(
    st.sampled_from(
        ["", "Total", "Source: me", "Note", "s", "(m)", "1 2", "a;b", "1,5", "it's", 'a "b"', "x|y", "a::b"]
    ),
    st.integers(-999, 9999).map(str),
    st.text(st.sampled_from("ab1 ,;|\t\n'\"^~:.é#="), max_size=6),
)
NAME = st.sampled_from(["x", "year", "first name", "a b", "Total", "Source", "t (s)", "date time", "m"])


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    """Return a well-formed text, as Python's csv module writes it, and its separator."""
    width = draw(st.integers(1, 5))
    # Where there is one column, no separator is seen, and it is a comma as ever.
    separator = draw(st.sampled_from(",;\t|")) if width > 1 else ","
    # Nor do names of one column have blanks: lines of a blank each are two columns, and that is said.
    name = NAME if width > 1 else NAME.filter(lambda name: " " not in name)
    names = draw(st.lists(name, min_size=width, max_size=width, unique=True))
    rows = draw(st.lists(st.tuples(*[CELL] * width), min_size=1, max_size=8))
    text = io.StringIO()
    quoting: Any = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    ends = draw(st.sampled_from(["\n", "\r\n"]))
    csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=ends).writerows([names, *rows])
    return text.getvalue(), separator


@given(written())
@example(("Total\nTotal\n", ","))
def test_what_is_well_formed_is_read_as_it_stands(text_and_separator: tuple[str, str]) -> None:
    text, separator = text_and_separator
    names, *rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row]
    # Of one column a cell may well be the name; of several, a row that is all names is no row.
    again = sum(row == names for row in rows) if len(names) > 1 else 0
    assume(again < len(rows))
    loaded = load_delimited(text.encode(), "t.csv")
    found = [[cell or "" for cell in row] for row in loaded.frame.rows()]
    units = any("units" in note for note in loaded.notes)
    if not again and not units:
        assert (loaded.frame.columns, found, loaded.notes) == (names, rows, ())
    # Rows that are the names or units to the letter are left out even here: nothing tells them apart.
    assert len(found) == len(rows) - again - units
