"""The route /health of the API and the app: whether the ledger can be read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from forecasts.common.errors import LedgerError
from forecasts.ledger import schema
from forecasts.ledger.outages import outages

WAITS = 5.0  # seconds
WELL = "The ledger can be read.\n"
UNAVAILABLE = "The ledger is unavailable at the moment.\n"


class Health:
    """The route. It needs no sign-in, so it tells no details.

    Requests share a reading that has not ended: however many there are, they take one thread and
    one connection. ``engine``: returns the ledger's.
    """

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine
        self._reading: asyncio.Task[bool] | None = None

    async def answer(self, _: Request) -> Response:
        """Return 200 if the ledger can be read, 503 if not, or not in time."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(run_in_threadpool(is_readable, self._engine))
        ended, _running = await asyncio.wait([self._reading], timeout=WAITS)
        is_well = any(reading.result() for reading in ended)
        return PlainTextResponse(
            WELL if is_well else UNAVAILABLE,
            status_code=200 if is_well else 503,
            headers={"cache-control": "no-store"},
        )


def is_readable(engine: Callable[[], Engine]) -> bool:
    """Return whether the ledger can be read; an outage is noticed."""
    try:
        with outages.watched() as read:
            schema.require_ready(engine())
            read()
    except LedgerError:
        return False
    return True
