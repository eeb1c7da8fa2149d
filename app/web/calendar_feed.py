"""The calendar feed, which calendar programs read without a page."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from forecasts.access import oidc_settings
from forecasts.agenda import calendar_feed
from forecasts.common.errors import DatabaseError, LedgerError
from forecasts.common.settings import Settings
from forecasts.ledger import database
from forecasts.ledger.clock import ledger_clock
from forecasts.ledger.outages import outages

engine_of = cache(database.open_engine)
NOT_FOUND = "No such calendar: the address was revoked or is incomplete.\n"


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
        return PlainTextResponse("The ledger is unavailable at the moment.\n", status_code=503)
    except LedgerError:
        return PlainTextResponse(NOT_FOUND, status_code=404)
    headers = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}
    return Response(content, media_type="text/calendar", headers=headers)
