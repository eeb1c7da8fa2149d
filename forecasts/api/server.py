"""The API as an application: its routes, its errors, its documents.

``forecasts api`` serves it alone, ``forecasts app`` under the app's own origin.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import Engine
from starlette.middleware import Middleware

import scoring
from forecasts.api import docs_page, problems
from forecasts.api.caller import SECURITY, Ground, Reads
from forecasts.api.gate import Gate
from forecasts.api.mcp.server import route as mcp_route
from forecasts.api.metaculus.router import router as metaculus
from forecasts.api.v1 import articles, forecasts, outcomes, questions, records
from forecasts.common.errors import BadInput
from forecasts.common.settings import Settings
from forecasts.views.problems import ProblemDocument

ROUTERS = (
    *(one.router for one in (questions, forecasts, outcomes, articles)),
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
        status: {
            "model": ProblemDocument,
            "content": {problems.MEDIA_TYPE: {}},
            "description": description,
        }
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
    app = FastAPI(
        title="Forecast Ledger",
        description=DESCRIPTION,
        version=scoring.__version__,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        middleware=[Middleware(Gate, hosts=hosts)],
    )
    app.state.ground = Ground(engine, clock, settings or Settings())
    problems.add_handlers(app)
    app.include_router(v1)
    app.add_api_route(f"{PREFIX}/docs", _docs, include_in_schema=False)
    app.include_router(metaculus, include_in_schema=False)
    app.router.routes.append(mcp_route(app.state.ground))
    return app
