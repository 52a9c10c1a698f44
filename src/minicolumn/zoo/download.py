"""Downloads for zoos: bounded in size and in time, over https, and whole or not at all.

Source      RFC 9110 (HTTP semantics): Content-Length, redirects
Differs     `urllib.request.urlopen` follows redirects to http and ftp, reads without a limit, and has a
            timeout for each wait, none for the whole; a connection that ends early gives a short answer
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minicolumn.errors import DataError, MinicolumnError, reason
from minicolumn.model.files import shown

_LOOPBACK = ("127.0.0.1", "::1", "localhost")  # whose traffic nobody else can change
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Patience:
    """How long a download may take.

    silence     seconds without a byte
    start       seconds, and as many more as `slowest` bytes a second would need for the largest size allowed
    """

    silence: float = 15.0
    start: float = 30.0
    slowest: float = 50_000.0

    def seconds(self, limit: int) -> float:
        """Return the seconds that a download of so many bytes may take."""
        return self.start + limit / self.slowest


def check_address(address: str) -> str:
    """Return an address that may be opened: https, or http of this machine itself.

    Errors      DataError for others, and for one that carries a password

    >>> check_address("https://example.org/zoo/")
    'https://example.org/zoo/'
    """
    try:
        parts = urllib.parse.urlsplit(address)
        host, user = parts.hostname, parts.username
        _ = parts.port
    except ValueError as error:
        raise DataError(f"zoo: {shown(address)} is no address: {error}") from None
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    if not safe or not host or not address.isascii() or not address.isprintable() or " " in address:
        raise DataError(f"zoo: {shown(address)}: expected an address that begins with https://")
    if user is not None or parts.password is not None:
        raise DataError("zoo: an address with a user or a password in it is kept in a file; leave them out")
    return address


def download(address: str, limit: int, patience: Patience = Patience()) -> bytes:
    """Return what an address holds: all of it, at most `limit` bytes.

    Errors      DataError, in one line: no connection, an answer other than 200, too many bytes, too few, too
                slow, or a redirect to an address that may not be opened
    """
    request = urllib.request.Request(
        check_address(address), headers={"User-Agent": "minicolumn", "Accept-Encoding": "identity"}
    )
    ends = time.monotonic() + patience.seconds(limit)
    try:
        with _OPENER.open(request, timeout=patience.silence) as answer:
            return _body(answer, address, limit, lambda: time.monotonic() > ends)
    except MinicolumnError:
        raise
    except urllib.error.HTTPError as error:
        with error:
            raise DataError(f"zoo: {shown(address)} answers {error.code} {_plain(error.reason)}") from None
    except TimeoutError:
        raise DataError(f"zoo: {shown(address)} is silent; try again later") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        found = getattr(error, "reason", error)
        if isinstance(found, TimeoutError):
            raise DataError(f"zoo: {shown(address)} is silent; try again later") from None
        words = reason(found) if isinstance(found, BaseException) else str(found)
        raise DataError(f"zoo: {shown(address)} cannot be reached: {_plain(words)}") from None


def _plain(words: object) -> str:
    """Return what a server or a library said as one short line of printable letters."""
    line = " ".join(str(words).split())[:120]
    return line if line.isprintable() else ascii(line)


def _body(answer: Any, address: str, limit: int, is_late: Callable[[], bool]) -> bytes:
    """Read a whole answer."""
    told = answer.headers.get("Content-Length", "")
    size = int(told) if told.isascii() and told.isdigit() and len(told) < 16 else None
    if size is not None and size > limit:
        raise DataError(f"zoo: {shown(address)} has {size:,} bytes; at most {limit:,} are read")
    data = bytearray()
    while chunk := answer.read1(_CHUNK):
        data += chunk
        if len(data) > limit:
            raise DataError(f"zoo: {shown(address)} has more than {limit:,} bytes, which is all that is read")
        if is_late():
            raise DataError(f"zoo: {shown(address)} is too slow; try again later")
    if size is not None and len(data) != size:
        raise DataError(f"zoo: {shown(address)} ended after {len(data):,} of {size:,} bytes; try again")
    return bytes(data)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects, to addresses that may be opened."""

    max_redirections = 5
    max_repeats = 2

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


# Without the handlers of ftp, file and data addresses that `build_opener` would add.
def _opener() -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        _Redirects(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


_OPENER = _opener()
