"""Checks on every request before any handler: its host, its origin, its size.

A page of another site can send requests to this machine, also under a name of its own that points
here (DNS rebinding). It has no token, but it need not even learn that a ledger is here.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forecasts.access.oidc_settings import is_loopback
from forecasts.api.caller import Caller, sent_token
from forecasts.api.problems import plain, status_and_kind
from forecasts.common.errors import LedgerError, command
from forecasts.common.limits import format_bytes

STRANGERS_BYTES = 1_000_000  # of a request, kept in memory before its token is checked
MOST_BYTES = 50_000_000  # of a request: a batch of 10,000 forecasts with their reasons has 10 MB


class Gate:
    """The middleware; ``hosts``: names under which the API is served besides this machine's."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = frozenset(host.casefold() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self._is_served(headers.get("host", "")):
            refusal = plain(
                403,
                "This ledger is not served under this name.",
                f"Its owner can add the name: {command('api', name='HOST')}",
            )
            await refusal(scope, receive, send)
            return
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != headers.get("host"):
            refusal = plain(
                403,
                "Another site's page may not use this ledger.",
                "Send the request from a program, or from a page of the ledger's own address.",
            )
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

    def _is_served(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").casefold()
        except ValueError:
            return False
        return is_loopback(name) or name in self._hosts


def _require_token(scope: Scope) -> None:
    """Refuse, with HTTPException, a request without a valid token."""
    try:
        with Caller(scope["app"].state.ground, sent_token(Headers(scope=scope))).admitted():
            pass
    except LedgerError as error:
        raise HTTPException(status_and_kind(error)[0], error.message.rstrip(".")) from None
