"""The API as an application: its routes, its errors, its documents.

``forecasts api`` serves it alone, ``forecasts app`` under the app's own origin.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import scoring
from forecasts.api import docs_page, problems
from forecasts.api.caller import SECURITY, Caller, Ground, Reads, sent_token
from forecasts.api.health import Health
from forecasts.api.mcp.server import route as mcp_route
from forecasts.api.metaculus.router import router as metaculus
from forecasts.api.openapi import Documented
from forecasts.api.problems import plain, status_and_kind
from forecasts.api.v1 import articles, forecasts, questions, records
from forecasts.common.errors import BadInput, LedgerError, command
from forecasts.common.ip_addresses import is_loopback
from forecasts.common.limits import format_bytes
from forecasts.common.settings import Settings

ROUTERS = (
    questions.router,
    forecasts.router,
    questions.outcomes,
    articles.router,
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
        middleware=[Middleware(Gate, hosts=hosts)],
    )
    app.state.ground = Ground(engine, clock, settings or Settings())
    problems.add_handlers(app)
    app.include_router(v1)
    app.add_api_route(f"{PREFIX}/docs", _docs, include_in_schema=False)
    app.add_api_route(
        "/health", Health(lambda: app.state.ground.engine).answer, include_in_schema=False
    )
    app.include_router(metaculus, include_in_schema=False)
    app.router.routes.append(mcp_route(app.state.ground))
    return app


STRANGERS_BYTES = 1_000_000  # of a request, kept in memory before its token is checked
MOST_BYTES = 50_000_000  # of a request: a batch of 10,000 forecasts with their reasons has 10 MB


class Gate:
    """Checks on every request before any handler: its host, its origin, its size.

    A page of another site can send requests to this machine, also under a name of its own that
    points here (DNS rebinding). It has no token, but it need not even learn that a ledger is here.
    ``hosts``: names under which the API is served besides this machine's.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = frozenset(host.casefold() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if (refusal := self._refusal(Headers(scope=scope))) is not None:
            await refusal(scope, receive, send)
            return
        size, is_known = 0, False

        async def limited() -> Message:
            nonlocal size, is_known
            message = await receive()
            size += len(message.get("body", b""))
            if size > MOST_BYTES:
                raise HTTPException(413, f"A request has at most {format_bytes(MOST_BYTES)}")
            if size > STRANGERS_BYTES and not is_known:
                await run_in_threadpool(_require_token, scope)
                is_known = True
            return message

        await self._app(scope, limited, send)

    def _refusal(self, headers: Headers) -> Response | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        try:
            name = (urlsplit(f"//{host}").hostname or "").casefold()
        except ValueError:
            name = ""
        if not is_loopback(name) and name not in self._hosts:
            remedy = f"Its owner can add the name: {command('api', name='HOST')}"
            return plain(403, "This ledger is not served under this name.", remedy)
        if origin is not None and origin.partition("://")[2] != host:
            remedy = "Send the request from a program, or from a page of the ledger's own address."
            return plain(403, "Another site's page may not use this ledger.", remedy)
        return None


def _require_token(scope: Scope) -> None:
    """Refuse, with HTTPException, a request without a valid token."""
    try:
        with Caller(scope["app"].state.ground, sent_token(Headers(scope=scope))).admitted():
            pass
    except LedgerError as error:
        raise HTTPException(status_and_kind(error)[0], error.message.rstrip(".")) from None
