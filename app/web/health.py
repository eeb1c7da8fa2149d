"""The health check, with which a proxy or a monitor asks whether the app can read its ledger."""

from __future__ import annotations

import asyncio
from functools import cache, partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from forecasts.common.errors import DatabaseError, LedgerError
from forecasts.common.settings import Settings
from forecasts.ledger import database, schema
from forecasts.ledger.outages import outages

WAITS = 5.0  # seconds
_WELL = "The ledger can be read.\n"
_UNAVAILABLE = "The ledger is unavailable at the moment.\n"
engine_of = cache(partial(database.open_engine, begin=False))


class Health:
    """The route. It needs no sign-in, so it tells no details.

    Requests share a reading that has not ended: however many there are, they take one thread and
    one connection.
    """

    def __init__(self) -> None:
        self._reading: asyncio.Task[bool] | None = None

    async def answer(self, _: Request) -> Response:
        """Return 200 if the ledger can be read, 503 if not, or not in time."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(run_in_threadpool(is_readable))
        ended, _running = await asyncio.wait([self._reading], timeout=WAITS)
        is_well = any(reading.result() for reading in ended)
        return PlainTextResponse(
            _WELL if is_well else _UNAVAILABLE,
            status_code=200 if is_well else 503,
            headers={"cache-control": "no-store"},
        )


def is_readable() -> bool:
    """Return whether the ledger can be read; an outage is noticed."""
    try:
        schema.require_ready(engine_of(Settings().database_url))
    except LedgerError as error:
        if isinstance(error, DatabaseError):
            outages.noticed(error)
        return False
    outages.over()
    return True
