"""The API as an application: its routes, its errors, its documents.

``forecasts api`` serves it alone, ``forecasts app`` under the app's own origin.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import Engine
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import scoring
from forecasts.api import docs_page, problems
from forecasts.api.caller import SECURITY, Caller, Ground, Reads, sent_token
from forecasts.api.health import Health
from forecasts.api.mcp.server import PATH as MCP_PATH
from forecasts.api.mcp.server import route as mcp_route
from forecasts.api.metaculus.router import router as metaculus
from forecasts.api.openapi import Documented
from forecasts.api.problems import TooLarge, TooMany, plain
from forecasts.api.v1 import articles, forecasts, news, questions, records, ties
from forecasts.common.errors import BadInput, LedgerError, command
from forecasts.common.ip_addresses import is_loopback
from forecasts.common.limits import format_bytes
from forecasts.common.memory import release_memory
from forecasts.common.settings import Settings
from forecasts.common.web_headers import OF_API, WebHeaders, is_own_page

ROUTERS = (
    questions.router,
    forecasts.router,
    questions.lints,
    questions.outcomes,
    ties.router,
    articles.router,
    news.router,
    records.members,
    records.router,
)
PREFIX = "/api/v1"
DESCRIPTION = "Questions, forecasts with their reasons, outcomes and scores of one ledger."


def _docs(request: Request) -> Response:
    """Show the documents, which need no token: they say nothing about the ledger."""
    return HTMLResponse(docs_page.page(request.app.openapi()), headers=docs_page.HEADERS)


async def require_known_parameters(request: Request, _caller: Reads) -> None:
    """Refuse a parameter that the operation does not have: it may be a mistyped filter."""
    document = request.app.openapi()["paths"][PREFIX + request.scope["route"].path]
    parameters = document[request.method.lower()].get("parameters", ())
    known = {one["name"] for one in parameters if one["in"] == "query"}
    if unknown := [name for name in request.query_params if name not in known]:
        raise BadInput(
            f"There is no parameter {unknown[0][:100]!r} here.",
            remedy=f"The parameters are: {', '.join(sorted(known)) or 'none'}.",
        )


v1 = APIRouter(
    prefix=PREFIX,
    dependencies=[SECURITY, Depends(require_known_parameters)],
    responses={
        status: problems.answer(description)
        for status, description in problems.DESCRIPTIONS.items()
    },
)
for router in ROUTERS:
    v1.include_router(router)


def build(
    engine: Engine,
    *,
    clock: Callable[[], datetime],
    settings: Settings | None = None,
    hosts: Collection[str] = (),
) -> FastAPI:
    """Return the API on a ledger that is ready to use.

    ``clock``: this machine's. ``hosts``: the names under which it is served, besides this
    machine's own.
    """
    app = Documented(
        title="Forecast Ledger",
        description=DESCRIPTION,
        version=scoring.__version__,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        middleware=[Middleware(WebHeaders, headers=OF_API), Middleware(Gate, hosts=hosts)],
    )
    app.state.ground = Ground(engine, clock, settings or Settings())
    problems.add_handlers(app)
    app.include_router(v1)
    app.add_api_route(f"{PREFIX}/docs", _docs, include_in_schema=False)
    app.add_api_route(
        "/health", Health(lambda: app.state.ground.engine).answer, include_in_schema=False
    )
    app.include_router(metaculus, include_in_schema=False)
    app.router.routes.append(mcp_route())
    return app


MOST_BYTES = 50_000_000  # of a request: a batch of 10,000 forecasts with their reasons has 10 MB
MOST_UNREAD = 200_000_000  # of all requests that are being read or answered
LARGE_BYTES, TIDY_S = 50_000, 10.0  # a request whose memory is given back, seconds after it
_OPEN = ("/health", f"{PREFIX}/docs", f"{PREFIX}/openapi.json")
# They read the whole ledger.
_READERS = {f"{PREFIX}/{of}" for of in ("attribution", "compare", "crowd", "report", "scores")}


class Gate:
    """Checks on every request before any handler: host, origin, token, turn, size, in this order.

    A page of another site can send requests to this machine, also under a name of its own that
    points here (DNS rebinding). It has no token, but it need not even learn that a ledger is here.
    ``hosts``: names under which the API is served besides this machine's.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = frozenset(host.casefold() for host in hosts)
        self._unread = 0  # bytes
        self._tidies: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None and scope["path"] in _OPEN:
            await self._app(scope, receive, send)
        elif refusal is None:
            try:
                await self._in_turn(scope, receive, send)
            except LedgerError as error:
                refusal = problems.response(error)
        if refusal is not None:
            await refusal(scope, receive, send)

    async def _in_turn(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on when it is its sender's turn; nothing of its body is read before."""
        headers, ground = Headers(scope=scope), scope["app"].state.ground
        secret = sent_token(headers)
        holder = await ground.holder_of(secret)
        if scope["method"] != "GET" and scope["path"] != MCP_PATH:  # by which models read, too
            ground.rows.require(holder.member)
        is_reader = scope["path"] in _READERS
        turns = ground.reader_turns if is_reader else ground.turns
        scope["caller"] = Caller(ground, secret, holder.scopes, turns.processor)
        async with turns.own(holder.member) as slots:
            try:
                body = await self._body(headers, receive)
            except ClientDisconnect:
                return  # there is nobody to answer
            try:
                async with slots:
                    await self._app(scope, _replay(body, receive), send)
            finally:
                self._unread -= len(body)
                if is_reader or len(body) > LARGE_BYTES:
                    self._give_back()

    def _give_back(self) -> None:
        """Give the memory of large requests back, some seconds after the last of them."""
        if self._tidies is not None:
            self._tidies.cancel()
        self._tidies = asyncio.get_running_loop().call_later(TIDY_S, release_memory)

    async def _body(self, headers: Headers, receive: Receive) -> bytes:
        """Return a body; TooLarge or TooMany beyond the limits."""
        body, more = bytearray(), True
        try:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                part, more = message.get("body", b""), message.get("more_body", False)
                body += part
                self._unread += len(part)
                if max(len(body), int(headers.get("content-length", 0))) > MOST_BYTES:
                    most = format_bytes(MOST_BYTES)
                    raise TooLarge(f"A request has at most {most}.", remedy="Divide it.")
                if self._unread > MOST_UNREAD:
                    raise TooMany("Too many large requests came at once.", "divide it", seconds=5)
        except BaseException:
            self._unread -= len(body)
            raise
        return bytes(body)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        try:
            name = (urlsplit(f"//{host}").hostname or "").casefold()
        except ValueError:
            name = ""
        if not is_loopback(name) and name not in self._hosts:
            remedy = f"Its owner can add the name: {command('api', name='HOST')}"
            return plain(403, "This ledger is not served under this name.", remedy)
        if origin is not None and not is_own_page(origin, scope["scheme"], host):
            remedy = "Send the request from a program, or from a page of the ledger's own address."
            return plain(403, "Another site's page may not use this ledger.", remedy)
        return None


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return ``receive`` of a request whose body has been read."""
    left = [body]

    async def received() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return received
