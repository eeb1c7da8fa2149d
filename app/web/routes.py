"""The answers that are not pages: calendar feed, health check, the app's manifest, the API."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

import streamlit
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from forecasts.access import oidc_settings
from forecasts.agenda import calendar_feed
from forecasts.api.health import UNAVAILABLE, Health
from forecasts.common.errors import DatabaseError, LedgerError
from forecasts.common.extras import install_command
from forecasts.common.settings import Settings
from forecasts.ledger import database, schema
from forecasts.ledger.clock import ledger_clock
from forecasts.ledger.outages import outages

NOT_FOUND = "No such calendar: the address was revoked or is incomplete.\n"
engine_of = cache(partial(database.open_engine, begin=False))


def health() -> Health:
    """Return the route that tells whether the ledger of the settings can be read."""
    return Health(lambda: engine_of(Settings().database_url))


def calendar(request: Request) -> Response:
    """Return the calendar at a secret address; 404 for any other address.

    The address itself grants access, without sign-in, and is never logged.
    """
    chosen = oidc_settings.configured_sign_in()
    base = str(request.base_url).rstrip("/") if chosen is None else chosen.base
    try:
        shown = calendar_feed.token_in(str(request.path_params["name"]))
        with outages.watched():
            engine = engine_of(Settings().database_url)
            now = ledger_clock(engine, lambda: datetime.now(UTC))()
            with database.reading(engine) as ledger:
                content = calendar_feed.feed(ledger, shown, app_url=base, now=now)
    except DatabaseError:
        return PlainTextResponse(UNAVAILABLE, status_code=503)
    except LedgerError:
        return PlainTextResponse(NOT_FOUND, status_code=404)
    headers = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}
    return Response(content, media_type="text/calendar", headers=headers)


_TYPES = {
    ".webmanifest": "application/manifest+json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".js": "text/javascript",
}
FILES = ("app.webmanifest", "app-icon.png", "app-icon.svg", "service-worker.js")


async def file(request: Request) -> Response:
    """Return a file beside this module: the app's manifest, an icon or its worker.

    Phones that install the app by it can share pages with Articles, which reads its parameters
    from here as from the bookmarklet.
    """
    path = Path(__file__).with_name(Path(request.url.path).name)
    return Response(path.read_bytes(), media_type=_TYPES[path.suffix])


def page_headers() -> dict[str, str]:
    """Return the headers of pages: nothing from elsewhere is loaded, and no other site shows them.

    Streamlit's page has a script in it, which is allowed by its hash; components and charts come as
    blobs, styles and images in the page.
    """
    page = Path(streamlit.__file__).with_name("static") / "index.html"
    scripts = re.findall(rb"<script>(.*?)</script>", page.read_bytes(), re.DOTALL)
    hashes = (base64.b64encode(hashlib.sha256(one).digest()).decode() for one in scripts)
    allowed = {
        "default-src": "'self'",
        "script-src": " ".join(["'self' blob:", *(f"'sha256-{one}'" for one in hashes)]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' blob: data:",
        "font-src": "'self' data:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'self'",
    }
    policy = "; ".join(f"{name} {sources}" for name, sources in allowed.items())
    return {"content-security-policy": policy, "x-frame-options": "SAMEORIGIN"}


_PATHS = ("/api/", "/mcp")
_NOT_INSTALLED = (
    f"The API needs packages that are not installed. Install them with: {install_command('api')}\n"
)


class Api:
    """The middleware: requests to the API go there, all others to the app.

    The API is made at its first request: most who open the app have no bots.
    """

    def __init__(self, app: ASGIApp, sign_in: oidc_settings.SignIn | None) -> None:
        self._app = app
        self._hosts = () if sign_in is None else (sign_in.host,)
        self._api: ASGIApp | None = None
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the API or to the app."""
        if scope["type"] != "http" or not str(scope["path"]).startswith(_PATHS):
            await self._app(scope, receive, send)
            return
        try:
            api = await run_in_threadpool(self._made) if self._api is None else self._api
        except LedgerError as error:
            if isinstance(error, DatabaseError):
                outages.noticed(error)
            api = PlainTextResponse(f"The API is unavailable: {error}\n", status_code=503)
        except ImportError:
            api = PlainTextResponse(_NOT_INSTALLED, status_code=503)
        await api(scope, receive, send)

    def _made(self) -> ASGIApp:
        from forecasts.api.server import build

        with self._lock:
            if self._api is None:
                chosen = Settings()
                engine = database.open_engine(chosen.database_url)
                schema.make_ready(engine)
                self._api = build(
                    engine, clock=lambda: datetime.now(UTC), settings=chosen, hosts=self._hosts
                )
            return self._api
