"""Checks on every request before any handler: its host, its origin, its size.

A page of another site can send requests to this machine, also under a name of its own that points
here (DNS rebinding). It has no token, but it need not even learn that a ledger is here.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forecasts.access.oidc_settings import is_loopback
from forecasts.api.problems import plain
from forecasts.common.limits import format_bytes

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
            refusal = plain(403, "This ledger is not served under this name.")
            await refusal(scope, receive, send)
            return
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("host"):
            refusal = plain(403, "Another site's page may not use this ledger.")
            await refusal(scope, receive, send)
            return
        size = 0

        async def limited() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MOST_BYTES:
                raise HTTPException(413, f"A request has at most {format_bytes(MOST_BYTES)}")
            return message

        await self._app(scope, limited, send)

    def _is_served(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").casefold()
        except ValueError:
            return False
        return is_loopback(name) or name in self._hosts
