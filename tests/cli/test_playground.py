"""`minicolumn playground`: what it says, what it refuses, how it begins and how it ends."""

from __future__ import annotations

import base64
import json
import re
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import polars
import pytest
from websockets.sync.client import connect

from minicolumn.cli.playground_job import opening_messages
from minicolumn.cli.screen import open_console
from minicolumn.errors import DataError
from minicolumn.playground import browser
from minicolumn.playground.frames import decoded
from minicolumn.playground.sessions import make_session
from minicolumn.playground.uploads import MOST_BYTES, PART_BYTES, Upload, model_messages, table_messages

PROGRAM = [sys.executable, "-m", "minicolumn", "playground"]
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/(\?lang=ko)?#t=([\w-]{43})\n")


def test_it_serves_until_it_is_interrupted(tmp_path: Path, environment: dict[str, str], within: Any) -> None:
    plain = {name: value for name, value in environment.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    words = [*PROGRAM, "penguins", "--port", "0", "--lang", "ko"]
    with subprocess.Popen(
        words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=plain
    ) as process:
        assert process.stdout is not None
        found = ADDRESS.fullmatch(process.stdout.readline())
        assert found is not None
        link = HTTPConnection("127.0.0.1", int(found[1]), timeout=20)
        link.request("GET", "/?lang=ko")
        answer = link.getresponse()
        assert answer.status == 200
        assert b"<html" in answer.read()
        origin = f"http://127.0.0.1:{found[1]}"
        link.request("POST", "/token", json.dumps({"token": found[3]}), {"Origin": origin})
        answer = link.getresponse()
        cookie = str(answer.getheader("set-cookie")).partition(";")[0]
        link.close()
        headers = {"Cookie": cookie}
        with connect(f"ws{origin[4:]}/socket", origin=origin, additional_headers=headers) as opened:  # type: ignore[arg-type]
            opened.send('{"do": "hello"}')
            said = opened.recv(timeout=60)
            assert isinstance(said, bytes)
            assert decoded(said).says["opening"] == 2, "the table, and its target"
            assert process.stderr is not None
            with within(2.0):  # a second, on a machine that is not busy; 0.2 s is usual
                process.send_signal(signal.SIGINT)
                err = [process.stderr.readline().rstrip("\n") for _ in range(3)]
        out, rest = process.communicate(timeout=60)
    assert (process.returncode, out, rest) == (130, "", "")
    assert err == [
        "there is no display for a browser; open the address above yourself",
        "the playground is open; Ctrl-C ends it",
        "the playground is closed",
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["penguins", "--target", "specis"], "--target: the table has no column 'specis'; did you mean 'Spe"),
        (["pengins"], "no file 'pengins'; did you mean 'penguins'?"),
        (["--target", "x"], "--target is a column of a table; name the table too"),
        (["--lang", "kr"], "--lang: the page does not speak 'kr'; there are en and ko"),
        (["--port", "65536"], "--port: expected an integer, 0 <= port <= 65,535"),
        (["--port", "http"], "--port: expected an integer; see minicolumn playground --help"),
        (["--host", "192.0.2.1"], "--host: '192.0.2.1' is no address of this machine"),
        (["--prot", "1"], "unknown option '--prot'; did you mean '--port'?"),
        (["a", "b"], "unexpected extra argument"),
        (["broken.safetensors"], "broken.safetensors"),
        (["broken.safetensors", "--target", "y"], "--target is a column of a table, and 'broken"),
        (["one.csv", "--target", "y"], "the target 'y' is 'a' in every row"),
        (["picture.csv"], "a PNG picture"),
        (["empty.csv"], "is empty"),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_is_refused_in_one_line(
    cli: Any, tmp_path: Path, words: list[str], line: str
) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    (tmp_path / "one.csv").write_text("x,y\n" + "1,a\n" * 30)
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (tmp_path / "empty.csv").write_bytes(b"")
    found = cli("playground", "--no-browser", *words)
    assert (found.code, found.out) == (2, ""), found
    assert found.err.startswith("error: ")
    assert line in found.err
    assert found.err.count("\n") == 1


def test_a_port_in_use_is_refused_with_a_free_one(cli: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = cli("playground", "--no-browser", "--port", port)
    assert (found.code, found.out) == (2, "")
    assert re.fullmatch(rf"error: --port: {port} is in use; \d+ is free\n", found.err)


def test_a_browser_is_opened_with_a_token_that_is_good_once(
    monkeypatch: pytest.MonkeyPatch, cli: Any
) -> None:
    seen: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(browser.webbrowser, "open", lambda address: not seen.append(address))

    def run(server: Any) -> None:
        until = time.monotonic() + 30
        while not seen and time.monotonic() < until:
            time.sleep(0.01)
        token = seen[0].partition("#t=")[2]
        assert [server.key.takes(token), server.key.takes(token)] == [True, False]
        server._socket.close()
        raise KeyboardInterrupt

    monkeypatch.setattr("minicolumn.playground.server.serving.PlaygroundServer.run", run)
    found = cli("playground", "--port", "0")
    assert found.code == 130
    assert len(seen) == 1
    assert seen[0].partition("#")[0] == found.out.partition("#")[0]
    assert "no browser" not in found.err


def received(messages: list[dict[str, Any]]) -> bytes:
    """Return the file that messages carry, as a room puts it together."""
    upload, whole = Upload(), None
    for message in messages:
        assert len(json.dumps(message, ensure_ascii=False).encode()) < 2**20
        data = base64.b64decode(message["base64"]) if "base64" in message else message["text"].encode()
        whole = upload.take(message["name"], message["part"], message["parts"], data)
    assert whole is not None
    return whole


def test_a_table_is_sent_whole_with_its_target(tables: Path) -> None:
    console = open_console(to_stderr=True, quiet=True)
    messages = opening_messages(str(tables / "shops.csv"), "kind", console)
    assert messages[-1] == {"room": "network", "do": "target", "column": "kind"}
    sent = polars.read_csv(received(messages[:-1]))
    assert sent.equals(polars.read_csv(tables / "shops.csv"))
    assert messages[0]["name"] == "shops.csv"
    assert len(opening_messages(str(tables / "houses.csv"), None, console)) == 1, (
        "a target can be chosen later"
    )
    assert opening_messages(None, None, console) == []


def test_a_model_is_sent_whole(models: Path) -> None:
    file = models / "shops.safetensors"
    messages = opening_messages(str(file), None, open_console(to_stderr=True, quiet=True))
    assert {message["do"] for message in messages} == {"load"}
    assert received(messages) == file.read_bytes()


@pytest.mark.parametrize("text", ["", "a" * (3 * PART_BYTES + 1), "é" * PART_BYTES, "𝄞" * PART_BYTES + "a"])
def test_files_in_parts_come_together_again(text: str) -> None:
    assert received(list(table_messages("t.csv", text))) == text.encode()
    assert received(list(model_messages("m", text.encode()))) == text.encode()


def test_a_table_is_learnt_when_the_page_says_so() -> None:
    opening = opening_messages("penguins", None, open_console(to_stderr=True, quiet=True))
    session = make_session(opening)
    assert session.receive({"do": "hello"})[0].says["opening"] == 2
    frames = session.receive({"do": "opening", "id": 3})
    assert {frame.says["id"] for frame in frames} == {3}
    assert [frame.kind for frame in frames] == ["state", "tick"], "no columns to choose a target from"
    assert [name.split()[0] for name in frames[0].says["classes"]] == ["Adelie", "Chinstrap", "Gentoo"]


def test_parts_out_of_order_and_too_many_are_refused() -> None:
    upload = Upload()
    for wrong in ((1, 2), (0, 0), (-1, 2), (2, 2)):
        with pytest.raises(DataError, match="out of order"):
            upload.take("t.csv", *wrong, b"x")
    assert upload.take("t.csv", 0, 3, b"x") is None
    with pytest.raises(DataError, match="out of order"):
        upload.take("t.csv", 2, 3, b"x")
    with pytest.raises(DataError, match="out of order"):
        upload.take("t.csv", 1, 3, b"x")  # what was begun is spoilt
    assert upload.take("t.csv", 0, 2, b"x" * MOST_BYTES) is None
    with pytest.raises(DataError, match="more than 32 MiB"):
        upload.take("t.csv", 1, 2, b"x")
    with pytest.raises(DataError, match="out of order"):
        upload.take("t.csv", 1, 2, b"x")
    assert upload.take("t.csv", 0, 1, b"whole") == b"whole"


def test_a_table_that_is_too_large_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    file.write_text("x,y\n" + "1,aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" * (MOST_BYTES // 30))
    with pytest.raises(DataError, match=r"has 3\d MiB, and the playground takes 32; take fewer rows"):
        opening_messages(str(file), None, open_console(to_stderr=True, quiet=True))
