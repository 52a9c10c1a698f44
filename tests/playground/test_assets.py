"""The page's files: all are there, with their types, and what they name is among them."""

from __future__ import annotations

import re
from pathlib import Path

import minicolumn.playground
from minicolumn.playground.server.assets import TYPES, package_assets

STATIC = Path(minicolumn.playground.__file__).with_name("static")


def test_every_file_of_the_page_is_an_asset_with_its_type() -> None:
    assets = package_assets()
    files = {f"/{path.relative_to(STATIC).as_posix()}": path for path in STATIC.rglob("*") if path.is_file()}
    assert set(assets) == {"/", *files}
    for address, path in files.items():
        assert assets[address].data == path.read_bytes()
        assert assets[address].type == TYPES.get(path.suffix, "text/plain; charset=utf-8")
    assert assets["/"] == assets["/index.html"]


def test_what_the_page_names_is_there_and_all_of_it_is_ours() -> None:
    assets = package_assets()
    page = assets["/"].data.decode()
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert named
    assert {f"/{name}" for name in named} <= set(assets)
    assert not re.findall(r"<script>|<style|style=|\son\w+=", page), (
        "which the content security policy refuses"
    )
