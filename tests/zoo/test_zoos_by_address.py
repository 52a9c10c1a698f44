"""Zoos of others: added by folder or address, pinned, checked before anything is opened, there offline."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minicolumn as mc
from minicolumn.cli.run import run
from minicolumn.errors import DataError
from minicolumn.zoo import Zoo, download, indexed, known
from minicolumn.zoo.download import Patience, check_address
from minicolumn.zoo.index import index_from_json, index_to_json, sha256
from minicolumn.zoo.indexed import kept_folder
from tests.zoo.zoo_server import Server, dripping, redirect, send, serving

BITS = [[0.0, 1.0], [1.0, 1.0]]


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexed, "default_folder", lambda: tmp_path / "cache" / "native")
    monkeypatch.setattr(known, "settings_folder", lambda: tmp_path / "settings")


@pytest.fixture
def files() -> dict[str, bytes]:
    """The files of a zoo with two networks, its index among them."""
    entries = {}
    for name in ("xor", "playground/circle"):
        path = Zoo().path(name)
        entries[name] = (path.with_suffix(".toml").read_bytes(), path.read_bytes())
    found = {"index.json": index_to_json(entries)}
    for name, (recipe, model) in entries.items():
        found |= {f"{name}.toml": recipe, f"{name}.safetensors": model}
    return found


@pytest.fixture
def server(files: dict[str, bytes]) -> Iterator[Server]:
    with serving() as served:
        served.files = {f"/zoo/{name}": data for name, data in files.items()}
        yield served


def kept() -> set[str]:
    folder = kept_folder()
    assert folder is not None
    return {path.name for path in folder.glob("*")} if folder.exists() else set()


# By address -------------------------------------------------------------------------------------------------


def test_a_zoo_is_added_pinned_and_loaded(server: Server, files: dict[str, bytes]) -> None:
    added = mc.zoo.add("school", server.address, sha256(files["index.json"]))
    assert added.sha256 == sha256(files["index.json"])
    assert [entry.name for entry in mc.zoo.entries("school")] == ["playground/circle", "xor"]
    assert np.array_equal(mc.zoo.load("school:xor").predict(BITS), mc.zoo.load("xor").predict(BITS))
    assert mc.zoo.load("school:playground/circle").classes == ("-1", "+1")


@pytest.mark.parametrize("tail", ["", "index.json"])
def test_the_address_may_be_the_folder_or_its_index(server: Server, tail: str) -> None:
    assert mc.zoo.add("school", server.address + tail).address == server.address


def test_what_was_fetched_is_there_offline_and_fetched_once(server: Server) -> None:
    mc.zoo.add("school", server.address)
    mc.zoo.load("school:xor")
    before = len(server.asked)
    server.files.clear()
    assert mc.zoo.load("school:xor").input_shape == (2,)
    assert len(server.asked) == before
    with pytest.raises(DataError, match="answers 404"):
        mc.zoo.load("school:playground/circle")


def test_a_kept_file_that_was_changed_is_fetched_again(server: Server, files: dict[str, bytes]) -> None:
    mc.zoo.add("school", server.address)
    mc.zoo.load("school:xor")
    folder = kept_folder()
    assert folder is not None
    path = folder / sha256(files["xor.safetensors"])
    path.write_bytes(path.read_bytes()[:-1])
    mc.zoo.load("school:xor")
    assert path.read_bytes() == files["xor.safetensors"]


def test_an_index_that_changed_is_refused_until_it_is_pinned_anew(server: Server) -> None:
    with pytest.raises(DataError, match="is not the one that was expected"):
        mc.zoo.add("school", server.address, "0" * 64)
    assert mc.zoo.zoos() == ()
    assert kept() == set()


@pytest.mark.parametrize("name", ["xor.toml", "xor.safetensors"])
def test_another_file_than_the_indexs_is_never_opened(server: Server, name: str) -> None:
    mc.zoo.add("school", server.address)
    before = kept()
    data = bytearray(server.files[f"/zoo/{name}"])
    data[-2] ^= 1
    server.files[f"/zoo/{name}"] = bytes(data)
    with pytest.raises(DataError, match="is not the file that was pinned"):
        mc.zoo.load("school:xor") if name.endswith("safetensors") else mc.zoo.entries("school")
    assert not {sha256(bytes(data))} & kept()
    assert before <= kept()


def test_a_connection_that_ends_early_leaves_nothing(server: Server, files: dict[str, bytes]) -> None:
    mc.zoo.add("school", server.address)
    before = kept()
    whole = files["xor.safetensors"]
    server.odd["/zoo/xor.safetensors"] = lambda handler: send(handler, whole[:500], len(whole))
    with pytest.raises(DataError, match=r"ended after 500 of [\d,]+ bytes"):
        mc.zoo.load("school:xor")
    assert kept() == before
    del server.odd["/zoo/xor.safetensors"]
    assert mc.zoo.load("school:xor").input_shape == (2,)


def test_more_bytes_than_the_index_tells_are_not_read(server: Server, files: dict[str, bytes]) -> None:
    mc.zoo.add("school", server.address)
    long = files["xor.safetensors"] + b"more"
    server.files["/zoo/xor.safetensors"] = long
    with pytest.raises(DataError, match="at most"):
        mc.zoo.load("school:xor")

    def untold(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(long)

    server.odd["/zoo/xor.safetensors"] = untold
    with pytest.raises(DataError, match="has more than"):
        mc.zoo.load("school:xor")


def test_redirects_are_followed_to_addresses_that_may_be_opened(server: Server) -> None:
    root = server.address.removesuffix("zoo/")
    server.odd["/moved/index.json"] = redirect("/zoo/index.json")
    assert mc.zoo.add("moved", root + "moved/").open().names == ["playground/circle", "xor"]
    for to in ("http://example.org/index.json", "file:///etc/passwd", "ftp://127.0.0.1/index.json"):
        server.odd["/away/index.json"] = redirect(to)
        with pytest.raises(DataError, match=r"expected an address that begins with https|not allowed"):
            mc.zoo.add("away", root + "away/")
    server.odd["/round/index.json"] = redirect("/round/index.json")
    with pytest.raises(DataError, match="answers 302"):
        mc.zoo.add("round", root + "round/")


def test_who_is_silent_or_slow_is_left(server: Server) -> None:
    server.odd["/slow"] = dripping(b"x" * 1000, 0.02)
    address = server.address.removesuffix("/zoo/") + "/slow"
    with pytest.raises(DataError, match="too slow"):
        download.download(address, 1000, Patience(silence=5.0, start=0.1, slowest=1e9))
    server.odd["/slow"] = dripping(b"xx", 1.5)
    with pytest.raises(DataError, match="is silent"):
        download.download(address, 1000, Patience(silence=0.2))


def test_who_is_away_is_said(tmp_path: Path) -> None:
    with serving() as gone:
        address = gone.address
    with pytest.raises(DataError, match="cannot be reached"):
        mc.zoo.add("gone", address)
    assert mc.zoo.zoos() == ()


def test_a_full_disk_keeps_nothing_and_loses_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    mc.zoo.add("school", server.address)

    def full(*said: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    assert mc.zoo.load("school:xor").input_shape == (2,)  # from what was read; it is fetched again next time
    with pytest.raises(DataError, match="No space left"):
        mc.zoo.add("second", server.address)
    monkeypatch.undo()


def test_a_list_survives_a_full_disk(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mc.zoo.add("school", server.address)
    listed = (tmp_path / "settings" / "zoos.json").read_bytes()
    with monkeypatch.context() as broken:
        broken.setattr(os, "write", lambda *said: 0)
        with pytest.raises(DataError, match="the old file is untouched"):
            mc.zoo.remove("school")
    assert (tmp_path / "settings" / "zoos.json").read_bytes() == listed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"minicolumn_zoo": 1}', "expected minicolumn_zoo and entries"),
        ('{"minicolumn_zoo": 2, "entries": {}}', "is of version 2"),
        ('{"minicolumn_zoo": 1, "entries": []}', "entries by name"),
        ('{"minicolumn_zoo": 1, "entries": {"../a": {}}}', "no name of an entry"),
        ('{"minicolumn_zoo": 1, "entries": {"a/../../b": {}}}', "no name of an entry"),
        ('{"minicolumn_zoo": 1, "entries": {"C:a": {}}}', "no name of an entry"),
        ('{"minicolumn_zoo": 1, "entries": {"a": {}, "a": {}}}', "twice|duplicate|two"),
        ('{"minicolumn_zoo": 1, "entries": {"a": {"recipe": "x", "model": "y", "bytes": 1}}}', "64 hex"),
        ('{"minicolumn_zoo": 1, "entries": {"a": {"recipe": "%s", "model": "%s", "bytes": 0}}}', "bytes"),
        ('{"minicolumn_zoo": 1, "entries": {"a": {"recipe": "%s", "model": "%s", "bytes": 1e99}}}', "bytes"),
        ("[" * 100, "nest|deep"),
        ("\xff", "utf-8|JSON"),
    ],
)
def test_an_index_is_read_strictly(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        index_from_json(text.replace("%s", "0" * 64).encode("latin-1"), "index.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/zoo/",
        "ftp://example.org/zoo/",
        "file:///etc",
        "https://",
        "https://user:secret@example.org/",
        "https://example.org/a b",
        "https://example.org:port/",
        "https://exa\nmple.org/",
    ],
)
def test_an_address_is_https_and_plain(address: str) -> None:
    with pytest.raises(DataError) as caught:
        check_address(address)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


# By folder, and the list ------------------------------------------------------------------------------------


def folder_of(tmp_path: Path, files: dict[str, bytes], index: bool) -> Path:
    for name, data in files.items():
        path = tmp_path / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if index or name != "index.json":
            path.write_bytes(data)
    return tmp_path / "own"


def test_a_folder_is_taken_as_it_is_or_pinned_by_its_index(tmp_path: Path, files: dict[str, bytes]) -> None:
    mc.zoo.add("live", folder_of(tmp_path, files, index=False))
    assert mc.zoo.load("live:xor").input_shape == (2,)
    folder = folder_of(tmp_path, files, index=True)
    assert mc.zoo.add("pinned", folder).sha256 == sha256(files["index.json"])
    assert mc.zoo.load("pinned:playground/circle").input_shape == (2,)
    (folder / "xor.safetensors").write_bytes(files["xor.safetensors"][:-1] + b"\0")
    with pytest.raises(DataError, match="is not the file that was pinned"):
        mc.zoo.load("pinned:xor")


def test_names_are_plain_and_taken_once(tmp_path: Path, files: dict[str, bytes]) -> None:
    folder = folder_of(tmp_path, files, index=True)
    mc.zoo.add("school", folder)
    with pytest.raises(DataError, match="already"):
        mc.zoo.add("school", folder)
    for name in ("", "../x", "School", "hf", "a:b", "a" * 50):
        with pytest.raises(DataError, match="expected a name"):
            mc.zoo.add(name, folder)
    with pytest.raises(DataError, match="did you mean 'school'"):
        mc.zoo.remove("shool")
    with pytest.raises(DataError, match="did you mean 'school'"):
        mc.zoo.load("shool:xor")
    with pytest.raises(DataError, match="did you mean 'xor'"):
        mc.zoo.load("school:xr")
    mc.zoo.remove("school")
    assert mc.zoo.zoos() == ()


def test_a_list_that_was_broken_by_hand_is_said(tmp_path: Path) -> None:
    (tmp_path / "settings").mkdir()
    for text in ("{", "{}", '{"zoos": [{"name": "a"}]}', '{"zoos": [1]}'):
        (tmp_path / "settings" / "zoos.json").write_text(text)
        with pytest.raises(DataError, match=r"zoos\.json"):
            mc.zoo.zoos()


def test_the_folder_of_settings_is_the_platforms() -> None:
    home = Path("/home/someone")
    assert known.settings_folder is not None
    found = [_settings({}, platform, home) for platform in ("linux", "darwin", "win32")]
    tails = (".config/minicolumn", "Library/Application Support/minicolumn", "AppData/Roaming/minicolumn")
    assert [path.as_posix() for path in found] == [f"/home/someone/{tail}" for tail in tails]
    assert _settings({"XDG_CONFIG_HOME": "relative"}, "linux", home) == found[0]


_settings = known.settings_folder  # before any test puts another in its place


# On the command line ----------------------------------------------------------------------------------------


def test_the_command_line_adds_lists_uses_and_removes(
    server: Server, files: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def last(*words: str) -> dict[str, Any]:
        assert run([*words, "--json"]) == 0
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    assert last("zoo", "add", "school", server.address)["sha256"] == sha256(files["index.json"])
    assert [each["name"] for each in last("zoo", "zoos")["zoos"]] == ["school"]
    assert "school:xor" in [entry["name"] for entry in last("zoo", "list")["entries"]]
    out = tmp_path / "c.safetensors"
    assert last("zoo", "get", "school:playground/circle", "--out", str(out))["model"] == str(out)
    assert out.read_bytes() == files["playground/circle.safetensors"]
    assert last("zoo", "verify", "school:playground/circle")["entries"][0]["holds"]
    assert last("zoo", "remove", "school")["name"] == "school"
    assert last("zoo", "zoos")["zoos"] == []


def test_an_index_is_written_for_a_folder(
    tmp_path: Path, files: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(tmp_path, files, index=False)
    assert run(["zoo", "index", "--zoo", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (folder / "index.json").read_bytes() == files["index.json"]
    assert told["sha256"] == sha256(files["index.json"])


def test_a_zoo_that_is_gone_does_not_break_the_list(
    tmp_path: Path, files: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(tmp_path, files, index=True)
    mc.zoo.add("school", folder)
    (folder / "index.json").unlink()
    assert run(["zoo", "list"]) == 0
    shown = capsys.readouterr().out
    assert "penguins" in shown
    assert "school: cannot open" in shown
