"""What other programs read from the app without a page: calendars."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from forecasts.access import oidc_settings
from forecasts.agenda import calendar_feed
from forecasts.common.errors import DatabaseError, LedgerError
from forecasts.common.settings import Settings
from forecasts.ledger import database

_NONE = "There is no such calendar: its address was revoked, or is not whole.\n"


def calendar(request: Request) -> Response:
    """Return the calendar of whose address that is; 404 for any other, whatever is wrong with it.

    The address is its own proof, so nobody has to have signed in; nothing of it is logged.
    """
    chosen = oidc_settings.configured_sign_in()
    base = str(request.base_url).rstrip("/") if chosen is None else chosen.base
    try:
        shown = calendar_feed.token_in(str(request.path_params["name"]))
        with database.reading(_engine(Settings().database_url)) as ledger:
            words = calendar_feed.feed(ledger, shown, at=base, now=datetime.now(UTC))
    except DatabaseError:
        return PlainTextResponse("The ledger cannot be used at the moment.\n", status_code=503)
    except LedgerError:
        return PlainTextResponse(_NONE, status_code=404)
    kept = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}
    return Response(words, media_type="text/calendar", headers=kept)


@cache
def _engine(url: str) -> Engine:
    return database.open_engine(url)
