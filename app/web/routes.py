"""The answers that are not pages: the calendar feed, the health check, and the app's manifest."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import cache, partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from forecasts.access import oidc_settings
from forecasts.agenda import calendar_feed
from forecasts.common.errors import DatabaseError, LedgerError
from forecasts.common.settings import Settings
from forecasts.ledger import database, schema
from forecasts.ledger.clock import ledger_clock
from forecasts.ledger.outages import outages

WAITS = 5.0  # seconds
NOT_FOUND = "No such calendar: the address was revoked or is incomplete.\n"
_WELL = "The ledger can be read.\n"
_UNAVAILABLE = "The ledger is unavailable at the moment.\n"
engine_of = cache(partial(database.open_engine, begin=False))


def calendar(request: Request) -> Response:
    """Return the calendar at a secret address; 404 for any other address.

    The address itself grants access, without sign-in, and is never logged.
    """
    chosen = oidc_settings.configured_sign_in()
    base = str(request.base_url).rstrip("/") if chosen is None else chosen.base
    try:
        shown = calendar_feed.token_in(str(request.path_params["name"]))
        engine = engine_of(Settings().database_url)
        now = ledger_clock(engine, lambda: datetime.now(UTC))()
        with database.reading(engine) as ledger:
            content = calendar_feed.feed(ledger, shown, app_url=base, now=now)
    except DatabaseError as error:
        outages.noticed(error)
        return PlainTextResponse(_UNAVAILABLE, status_code=503)
    except LedgerError:
        return PlainTextResponse(NOT_FOUND, status_code=404)
    headers = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}
    return Response(content, media_type="text/calendar", headers=headers)


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


_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
    '<rect width="100" height="100" rx="20" fill="#00629b"/>'
    '<g fill="none" stroke="#fff" stroke-width="8"><circle cx="50" cy="50" r="32"/>'
    '<circle cx="50" cy="50" r="14"/></g></svg>'
)
_MANIFEST = {
    "name": "Forecast Ledger",
    "short_name": "Forecasts",
    "start_url": "/",
    "display": "minimal-ui",
    "background_color": "#ffffff",
    "theme_color": "#00629b",
    "icons": [{"src": "/app-icon.svg", "sizes": "any", "type": "image/svg+xml"}],
    # Articles reads these parameters, from here as from the bookmarklet.
    "share_target": {
        "action": "/articles",
        "method": "GET",
        "params": {"title": "title", "text": "text", "url": "url"},
    },
}


async def manifest(_: Request) -> Response:
    """Return the web app manifest: phones that install the app can share pages with it."""
    return JSONResponse(_MANIFEST, media_type="application/manifest+json")


async def icon(_: Request) -> Response:
    """Return the icon that the manifest names."""
    return Response(_ICON, media_type="image/svg+xml")
