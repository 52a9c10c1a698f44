"""The page's files: both languages say the same, what is named is there, and nothing comes from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from minicolumn.data.points.points import DATASETS
from minicolumn.playground.sessions import ROOMS

STATIC = Path(str(files("minicolumn.playground") / "static"))
OWN = sorted(path for path in STATIC.rglob("*.js"))
NAMES = [path.relative_to(STATIC).as_posix() for path in OWN]
IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*"(\.{1,2}/[^"]+)\"""")
KEY = re.compile(r"""\bt\(\s*"([\w.]+)\"""")


def _said(language: str) -> dict[str, str]:
    return dict(_flat(json.loads((STATIC / "lang" / f"{language}.json").read_text("utf-8"))))


def _flat(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


EN, KO = _said("en"), _said("ko")


def test_both_languages_have_the_same_keys() -> None:
    assert sorted(EN) == sorted(KO)
    assert len(EN) > 200


def test_texts_take_the_same_values() -> None:
    def values(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    assert {key for key in EN if values(EN[key]) != values(KO[key])} == set()
    assert {key for key in EN if not EN[key].strip() or not KO[key].strip()} == set()


@pytest.mark.parametrize("path", OWN, ids=NAMES)
def test_every_text_and_module_that_a_script_names_is_there(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
    assert {key for key in KEY.findall(text) if key not in EN} == set()
    for name in IMPORT.findall(text):
        if "${" not in name:
            assert (path.parent / name).resolve().is_file(), name


@pytest.mark.parametrize("path", OWN, ids=NAMES)
def test_scripts_load_nothing_from_elsewhere_and_evaluate_nothing(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)
    assert not re.search(r"\beval\(|new Function|innerHTML|document\.write", text)


def test_the_entry_has_no_script_or_style_of_its_own() -> None:
    text = (STATIC / "index.html").read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\son\w+=|https?://", text)
    for name in re.findall(r"""(?:src|href)="([^"]+)\"""", text):
        assert (STATIC / name).is_file(), name


def test_the_page_knows_the_rooms_and_the_data_sets() -> None:
    app = (STATIC / "app.js").read_text("utf-8")
    listed = re.search(r"export const ROOMS = (\[[^\]]*\])", app)
    assert listed
    assert re.findall(r"\w+", listed[1]) == list(ROOMS)
    for room in ROOMS:
        assert {f"{room}.name", f"{room}.title", f"{room}.lead"} <= set(EN)
    assert {f"network.set.{name}" for name in DATASETS} <= set(EN)


def test_libraries_come_with_their_licences() -> None:
    text = (STATIC / "lib" / "LICENSES.txt").read_text("utf-8")
    for path in (STATIC / "lib").glob("*.mjs"):
        assert path.name in text
    assert text.count("WITHOUT WARRANTY OF ANY KIND") >= 2
    assert "Apache License" in text
