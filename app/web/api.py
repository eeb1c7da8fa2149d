"""The API under the app's own address."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from forecasts.access.oidc_settings import SignIn
from forecasts.common.errors import DatabaseError, LedgerError
from forecasts.common.extras import install_command
from forecasts.common.settings import Settings
from forecasts.ledger import database, schema
from forecasts.ledger.outages import outages

_PATHS = ("/api/", "/mcp")
_NOT_INSTALLED = (
    f"The API needs packages that are not installed. Install them with: {install_command('api')}\n"
)


class Api:
    """The middleware: requests to the API go there, all others to the app.

    The API is made at its first request: most who open the app have no bots.
    """

    def __init__(self, app: ASGIApp, sign_in: SignIn | None) -> None:
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
