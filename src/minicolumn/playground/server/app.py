"""The app: what is answered where.

GET  /, /app.js, ...    the page's files
POST /token             {"token": "..."}: the cookie, 204; a wrong one 403
GET  /token             204 where the cookie is good, 403 where it is not
WS   /socket            messages and frames
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from minicolumn.playground.server.assets import Asset, Assets
from minicolumn.playground.server.connection import Pages, serve_page
from minicolumn.playground.server.guard import Guard, Key

EXCHANGE, SOCKET = "/token", "/socket"
MOST_TOKEN_BYTES = 1_024


def build_app(pages: Pages, key: Key, hosts: Iterable[str], assets: Assets) -> ASGIApp:
    """Return the playground as an ASGI app: a closed list of addresses behind the guard."""

    async def page(socket: WebSocket) -> None:
        await serve_page(socket, pages)

    async def exchange(request: Request) -> Response:
        return await _exchanged(request, key, pages.limits.patience)

    routes: list[BaseRoute] = [Route(path, _answering(asset)) for path, asset in assets.items()]
    routes += [Route(EXCHANGE, exchange, methods=["GET", "POST"]), WebSocketRoute(SOCKET, page)]
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return Guard(app, key, hosts, assets, EXCHANGE)


def _answering(asset: Asset) -> Callable[[Request], Awaitable[Response]]:
    response = Response(asset.data, media_type=asset.type)

    async def answer(request: Request) -> Response:
        return response

    return answer


async def _exchanged(request: Request, key: Key, patience: float) -> Response:
    """Give the cookie for the token; a GET has come past the guard, so that its cookie is good."""
    if request.method != "POST":
        return Response(status_code=204)
    body = b""
    try:
        async with asyncio.timeout(patience):
            async for piece in request.stream():
                body += piece
                if len(body) > MOST_TOKEN_BYTES:
                    return PlainTextResponse("this is no token\n", 413)
    except (TimeoutError, ClientDisconnect):
        return PlainTextResponse("the token did not come\n", 408)
    if not key.takes(_token(body)):
        return PlainTextResponse("open the address that the terminal shows\n", 403)
    return Response(status_code=204, headers={"set-cookie": key.set_cookie})


def _token(body: bytes) -> str:
    try:
        said = json.loads(body)
        return str(said["token"]) if isinstance(said, dict) else ""
    except (ValueError, KeyError, RecursionError):
        return ""
