"""Who may speak to the playground: Host, Origin and cookie of every request.

    token   256 random bits in the fragment of the address that is printed, which no browser sends to a server
    cookie  256 other bits, which the page is given once it has shown the token: HttpOnly, SameSite=Strict

A page of another site can reach 127.0.0.1, and by a name of its own that it points there (DNS rebinding); it
cannot choose Host and Origin. What other programs of this machine can do, it cannot know: the token.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_BYTES = 32
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_READS = ("GET", "HEAD")


def _secret() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


class Key:
    """The secrets of one run of the server.

    token           opens the playground as often as it is shown
    cookie          what a page has once it has shown a token
    cookie_name     has the port, as cookies are shared among the ports of a machine
    """

    def __init__(self, port: int) -> None:
        self.token, self.cookie, self.cookie_name = _secret(), _secret(), f"minicolumn-{port}"
        self._once: list[str] = []

    def token_for_once(self) -> str:
        """Return a token that is good for one use: for a browser's command line, which others can see."""
        self._once.append(_secret())
        return self._once[-1]

    @property
    def set_cookie(self) -> str:
        """Value of the header that gives the cookie to a page."""
        return f"{self.cookie_name}={self.cookie}; HttpOnly; SameSite=Strict; Path=/"

    def takes(self, text: str) -> bool:
        """Return whether a text is a token, in a time that does not depend on how much of it is."""
        used = [token for token in self._once if _same(text, token)]
        for token in used:  # one by one: another thread may be adding
            self._once.remove(token)
        return _same(text, self.token) or bool(used)

    def is_in(self, headers: Iterable[str]) -> bool:
        """Return whether one of the Cookie headers has the cookie."""
        parts = [part.strip().partition("=") for header in headers for part in header.split(";")]
        good = [_same(value, self.cookie) for name, _, value in parts if name == self.cookie_name]
        return any(good)


def _same(text: str, secret: str) -> bool:
    return hmac.compare_digest(text.encode("utf-8", "replace"), secret.encode())


def allowed_hosts(port: int, names: Iterable[str] = LOOPBACK) -> frozenset[str]:
    """Return the values of Host that are this server.

    >>> sorted(allowed_hosts(80, ["localhost"]))
    ['localhost', 'localhost:80']
    """
    hosts = {f"{name}:{port}" for name in names}
    return frozenset(hosts | set(names) if port == 80 else hosts)


class Guard:
    """Stands before the app: lets through what may pass, and writes the headers of safety on every answer.

    hosts       values of Host that are this server
    public      paths that are read without the cookie: the page's own files, which hold no secret and are
                needed before it has one. Their Host and Origin are checked as all others'
    exchange    the path where a page shows the token; it has no cookie yet

    Of every request Host must be one of `hosts`. Origin must be that same host; only a GET or HEAD may be
    without, as browsers send none with those; a WebSocket never is. All else carries the cookie.
    """

    def __init__(
        self, app: ASGIApp, key: Key, hosts: Iterable[str], public: Iterable[str], exchange: str
    ) -> None:
        self._app, self._key, self._hosts = app, key, frozenset(hosts)
        self._public, self._exchange = frozenset(public), exchange

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        host, refusal = self._checked(scope)
        if refusal and scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal})
        elif refusal:
            await PlainTextResponse(refusal + "\n", 403)(scope, receive, _safe(send, ""))
        else:
            await self._app(scope, receive, _safe(send, host))

    def _checked(self, scope: Scope) -> tuple[str, str]:
        """Return the host that was asked for, and why it is refused, or an empty text."""
        host = _values(scope, b"host")
        if len(host) != 1 or host[0].lower() not in self._hosts:
            return "", "this address is not the playground's"
        origin, reads = _values(scope, b"origin"), scope["type"] == "http" and scope["method"] in _READS
        if origin != [f"http://{host[0].lower()}"] and not (reads and not origin):
            return "", "only the playground's own page may ask this"
        reading = reads and scope["path"] in self._public
        asking = scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == self._exchange
        if not (reading or asking or self._key.is_in(_values(scope, b"cookie"))):
            return "", "open the address that the terminal shows"
        return host[0].lower(), ""


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def _safe(send: Send, host: str) -> Send:
    """Return a `send` that writes the headers of safety on every answer."""

    async def sending(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            headers = MutableHeaders(scope=message)
            for name, value in _headers(host).items():
                headers[name] = value
        await send(message)

    return sending


def _headers(host: str) -> dict[str, str]:
    own = f"'self' ws://{host}" if host else "'self'"  # older browsers do not count a WebSocket as 'self'
    policy = f"default-src 'self'; connect-src {own}; object-src 'none'"
    return {
        "content-security-policy": f"{policy}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    }
