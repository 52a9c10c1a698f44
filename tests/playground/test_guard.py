"""Who may speak to the playground: every mixture of Host, Origin, cookie, verb, path and upgrade."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import sys
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import unquote

import pytest
from page_samples import ASSETS, counting_session, exchanged, page, served

from minicolumn.playground.server.app import build_app
from minicolumn.playground.server.connection import Pages
from minicolumn.playground.server.guard import Guard, Key, allowed_hosts
from minicolumn.playground.server.limits import Limits

PORT = 8089
KEY, OTHER = Key(PORT), Key(PORT)
T = TypeVar("T")
EQUAL = "as the host"  # stands for the origin that fits the Host
GOOD_HOSTS = ("127.0.0.1:8089", "localhost:8089", "[::1]:8089", "LocalHost:8089")
HOSTS: list[list[str]] = [
    *([host] for host in GOOD_HOSTS),
    [], [""], ["127.0.0.1"], ["localhost"], ["127.0.0.1:8090"], ["127.0.0.1:80890"], ["127.0.0.1:08089"],
    ["evil.example:8089"], ["localhost.evil.example:8089"],
    ["127.0.0.1.evil.example:8089"], ["localhost.:8089"],
    ["127.0.0.1:8089@evil.example"], ["evil.example@127.0.0.1:8089"], ["0.0.0.0:8089"], ["127.1:8089"],
    ["2130706433:8089"], ["0x7f000001:8089"], ["[::ffff:127.0.0.1]:8089"], ["[::]:8089"], ["::1:8089"],
    ["127.0.0.1:8089, evil.example"],
    ["127.0.0.1:8089", "evil.example"], ["127.0.0.1:8089", "127.0.0.1:8089"],
    ["127.0.0.1:8089 "], ["\xa0localhost:8089"], ["127.0.0.1:8089/"],
]  # fmt: skip
ORIGINS: list[list[str]] = [
    [], [EQUAL], [""], ["null"], ["https://127.0.0.1:8089"], ["http://127.0.0.1"], ["http://127.0.0.1:8090"],
    ["http://evil.example"], ["http://evil.example:8089"], ["http://127.0.0.1:8089.evil.example"],
    ["file://"],
    ["http://localhost:8089/"], [EQUAL, EQUAL], [EQUAL, "http://evil.example"], ["HTTP://localhost:8089"],
]  # fmt: skip
GOOD_COOKIES = ("right", "among others", "second header", "after a stale one")
COOKIES: dict[str, list[str]] = {
    "absent": [],
    "empty": [f"{KEY.cookie_name}="],
    "wrong": [f"{KEY.cookie_name}={'x' * len(KEY.cookie)}"],
    "cut": [f"{KEY.cookie_name}={KEY.cookie[:-1]}"],
    "stale": [f"{OTHER.cookie_name}={OTHER.cookie}"],
    "of another port": [f"minicolumn-8090={KEY.cookie}"],
    "the token": [f"{KEY.cookie_name}={KEY.token}"],
    "no latin": [f"{KEY.cookie_name}=\xff\xfe"],
    "right": [f"{KEY.cookie_name}={KEY.cookie}"],
    "among others": [f"a=b; {KEY.cookie_name}={KEY.cookie}; c"],
    "second header": ["a=b", f"{KEY.cookie_name}={KEY.cookie}"],
    "after a stale one": [f"{KEY.cookie_name}={OTHER.cookie}; {KEY.cookie_name}={KEY.cookie}"],
}
VERBS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "WS")
PATHS = ("/", "/app.js", "/token", "/other", "/socket")


def scope(verb: str, path: str, headers: list[tuple[str, str]]) -> dict[str, Any]:
    """Return a request as uvicorn hands it on."""
    return {
        "type": "websocket" if verb == "WS" else "http",
        "method": verb,
        "path": path,
        "raw_path": path.encode("utf-8", "surrogateescape"),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        "subprotocols": [],
    }


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread of its own: here a browser that tests drive may have its loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def asked(app: Any, request: dict[str, Any], body: bytes = b"") -> list[dict[str, Any]]:
    """Return what an app answers to a request."""
    said: list[dict[str, Any]] = []
    first = "websocket.connect" if request["type"] == "websocket" else "http.request"
    waiting = [{"type": first, "body": body}, {"type": first.replace("connect", "disconnect"), "code": 1000}]

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    await app(request, receive, send)
    return said


def test_exactly_the_intended_set_passes() -> None:
    passed: list[str] = []

    async def inner(request: Any, receive: Any, send: Any) -> None:
        passed.append(request["path"])

    guard = Guard(inner, KEY, allowed_hosts(PORT), ("/", "/app.js"), "/token")

    async def all_cases() -> int:
        cases = 0
        mixed = itertools.product(HOSTS, ORIGINS, COOKIES, ("GET", "POST", "OPTIONS", "WS"), PATHS[::2])
        for hosts, origins, cookie, verb, path in mixed:
            fitting = f"http://{hosts[0].lower()}" if hosts else "http://127.0.0.1:8089"
            headers = [("host", host) for host in hosts]
            headers += [("origin", fitting if origin == EQUAL else origin) for origin in origins]
            headers += [("cookie", value) for value in COOKIES[cookie]]
            passed.clear()
            said = await asked(guard, scope(verb, path, headers))
            reads = verb in ("GET", "HEAD")
            intended = (
                len(hosts) == 1
                and hosts[0] in GOOD_HOSTS
                and (origins == [EQUAL] or (not origins and reads))
                and (
                    cookie in GOOD_COOKIES
                    or (reads and path in ("/", "/app.js"))
                    or (verb == "POST" and path == "/token")
                )
            )
            assert bool(passed) == intended, (hosts, origins, cookie, verb, path)
            if not intended and verb == "WS":
                assert [message["type"] for message in said] == ["websocket.close"]
            elif not intended:
                assert said[0]["status"] == 403
            cases += 1
        return cases

    assert run(all_cases()) >= 50_000


@pytest.fixture(scope="module")
def app() -> Any:
    """The whole app, behind its guard."""
    return build_app(Pages(counting_session, Limits()), KEY, allowed_hosts(PORT), ASSETS)


HERE = [("host", "127.0.0.1:8089"), ("origin", "http://127.0.0.1:8089")]
LET_IN = [*HERE, ("cookie", COOKIES["right"][0])]


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "WS"])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers", [LET_IN, HERE, []], ids=["let in", "no cookie", "nothing"])
def test_every_answer_has_the_headers_of_safety(app: Any, verb: str, path: str, headers: Any) -> None:
    said = run(asked(app, scope(verb, path, headers)))
    answered = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    assert answered["content-security-policy"].startswith("default-src 'self'; connect-src 'self'")
    assert "frame-ancestors 'none'" in answered["content-security-policy"]
    assert answered["x-content-type-options"] == "nosniff"
    assert answered["referrer-policy"] == "no-referrer"
    assert answered["cache-control"] == "no-store"
    assert not [name for name in answered if name.startswith("access-control")]
    if headers == LET_IN:
        files, token = path in ASSETS, path == "/token"
        expected = 404 if not (files or token) else 200 if files else 204
        if verb not in ("GET", "HEAD") and (files or token):
            expected = 403 if token and verb == "POST" else 405
        assert said[0]["status"] == expected


def exchange(app: Any, body: bytes) -> tuple[int, str]:
    """Return the status and the cookie that a body is exchanged for."""
    said = run(asked(app, scope("POST", "/token", HERE), body))
    return said[0]["status"], dict(said[0]["headers"]).get(b"set-cookie", b"").decode()


def test_the_token_is_exchanged_for_a_cookie(app: Any) -> None:
    status, cookie = exchange(app, json.dumps({"token": KEY.token}).encode())
    assert status == 204
    assert cookie == f"minicolumn-8089={KEY.cookie}; HttpOnly; SameSite=Strict; Path=/"
    assert KEY.token not in cookie
    assert len(KEY.token) >= 43, "256 bits"


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"token": ""}', b'{"token": null}', b'{"token": 1}', b"[" * 1_000,
     b'{"token": "\\ud800"}', json.dumps({"token": OTHER.token}).encode(),
     json.dumps({"token": KEY.token[:-1]}).encode(),
     json.dumps({"token": [KEY.token]}).encode(), KEY.token.encode()],
    ids=range(14),  # the keys are other ones in each process
)  # fmt: skip
def test_what_is_no_token_gets_no_cookie(app: Any, body: bytes) -> None:
    assert exchange(app, body) == (403, "")


def test_a_body_that_is_too_long_gets_no_cookie(app: Any) -> None:
    assert exchange(app, json.dumps({"token": KEY.token, "more": "x" * 2_000}).encode()) == (413, "")


def test_a_token_for_once_is_good_once() -> None:
    key = Key(1)
    first, second = key.token_for_once(), key.token_for_once()
    assert [key.takes(first), key.takes(first), key.takes(second), key.takes(second)] == [
        True,
        False,
        True,
        False,
    ]
    assert key.takes(key.token)
    assert key.takes(key.token)


def test_no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with served() as server:
        assert exchanged(server, server.key.token)[0] == 204
        with page(server) as opened:
            opened.ask("fault")
        secrets = (server.key.token, server.key.cookie)
    assert "ZeroDivisionError" in caplog.text
    # The client of this test logs its own headers.
    ours = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("websockets.client"))
    assert not [secret for secret in secrets if secret in ours or secret in repr(server.key)]


SEPARATORS = ("/", "\\", "%2f", "%5c", "%252f", "//", "/./", "%c0%af", "%ef%bc%8f")
UPS = ("..", ".", "%2e%2e", "..%00", "%252e%252e", "..;", "...", "%c0%ae%c0%ae", ".%2e")
FILES = (
    "etc/passwd",
    "index.html",
    "app.py",
    "proc/self/environ",
    "C:/windows/win.ini",
    "static/index.html",
    "guard.py",
)
STARTS = (
    "/",
    "/static",
    "/app.js",
    "//",
    "/token",
    "/socket",
    "file:///",
    "/~",
    "/%00",
    "http://127.0.0.1:8089/",
)


def spellings() -> list[str]:
    """Return addresses that lead out of a folder, if ever one was made a path."""
    return [
        f"{start}{middle}{separator}{file.replace('/', separator)}"
        for start, up, separator, file in itertools.product(STARTS, UPS, SEPARATORS, FILES)
        for middle in (separator.join([up] * count) for count in (1, 2, 6, 12))
    ]


def test_no_text_of_a_client_becomes_a_path(app: Any) -> None:
    opened: list[str] = []
    watching = [True]  # a hook cannot be taken off again

    def hook(event: str, about: tuple[Any, ...]) -> None:
        if watching[0] and event in ("open", "os.listdir", "os.scandir", "subprocess.Popen", "import"):
            opened.append(f"{event} {about}")

    async def all_spellings(paths: list[str]) -> list[int]:
        return [(await asked(app, scope("GET", unquote(path), LET_IN)))[0]["status"] for path in paths]

    paths = spellings()
    run(all_spellings(paths[:1]))  # imports what it needs
    sys.addaudithook(hook)
    try:
        found = run(all_spellings(paths))
    finally:
        watching[0] = False
    assert len(paths) >= 20_000
    assert set(found) == {404}
    assert opened == []
