"""The API as an application: its routes, its errors, its documents.

``forecasts api`` serves it alone, ``forecasts app`` under the app's own origin.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.middleware import Middleware

import scoring
from forecasts.api import problems
from forecasts.api.caller import Ground
from forecasts.api.gate import Gate
from forecasts.api.metaculus.router import router as metaculus
from forecasts.common.settings import Settings

DESCRIPTION = "Questions, forecasts with their reasons, outcomes and scores of one ledger."


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
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        middleware=[Middleware(Gate, hosts=hosts)],
    )
    app.state.ground = Ground(engine, clock, settings or Settings())
    problems.add_handlers(app)
    app.include_router(metaculus)
    return app
