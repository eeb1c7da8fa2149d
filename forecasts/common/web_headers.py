"""The rules for browsers: headers of every answer, and the pages that may use a server."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = {"x-content-type-options": "nosniff", "referrer-policy": "same-origin"}
# Answers of the API: nothing of them is a page, and none is kept.
OF_API = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}


class WebHeaders:
    """The middleware that adds headers to each answer, unless the answer has its own."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app, self._headers = app, _ALWAYS | dict(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; its answer comes back with the headers."""

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, answer if scope["type"] == "http" else send)


def is_own_page(origin: str, scheme: str, host: str) -> bool:
    """Return whether a page of ``origin`` belongs to the server at ``host``.

    ``scheme``: of the request. A server may not know that a proxy in front of it encrypts, so that
    https is always right; a page that came without encryption is never one of an encrypted server.

    >>> is_own_page("https://x.org", "http", "x.org"), is_own_page("http://x.org", "wss", "x.org")
    (True, False)
    """
    allowed = {"https"} if scheme in ("https", "wss") else {"http", "https"}
    return origin in {f"{one}://{host}" for one in allowed}
