"""Checks on every request before Streamlit sees it.

Without sign-in, only this machine may send requests, and only to itself. The start-up check is
repeated here because another server than ours may serve the app. The Host header is checked
against DNS rebinding, in which a foreign page's name is made to point to this machine.

With sign-in, a cookie keeps the requested page of this app during the sign-in, which then opens it.
Over HTTPS every cookie is Secure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http.cookies import SimpleCookie
from urllib.parse import quote, unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forecasts.access.oidc_settings import SignIn
from forecasts.common.ip_addresses import is_loopback
from forecasts.common.web_headers import is_own_page

NEXT = "forecasts_next"
FAILED = "not_signed_in"  # query parameter of the page shown after a failed sign-in
_SIGNED_IN = re.compile('_streamlit_user=(?!""|;)')  # it is emptied after a failure
_SIGN_IN_SECONDS = 600  # for the visitor to sign in
_LONGEST = 2000  # characters of a remembered address
_REFUSED = (
    "This ledger is not served under this name. Without sign-in it answers only to its own "
    "machine, and with sign-in only to its own pages."
)
_PROVIDER_FAILED = (
    "Sign-in is unavailable: the provider {} did not answer as it should. Go back and try again "
    "in a moment. The server log has the details."
)


class Gate:
    """The middleware; ``sign_in`` is None without sign-in."""

    def __init__(self, app: ASGIApp, sign_in: SignIn | None) -> None:
        self._app = app
        self._sign_in = sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif self._admits(scope):
            answer = send if self._sign_in is None else _Answer(scope, send, self._sign_in)
            await self._app(scope, receive, answer)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": _REFUSED})
        else:
            await PlainTextResponse(_REFUSED, status_code=403)(scope, receive, send)

    def _admits(self, scope: Scope) -> bool:
        if self._sign_in is None and not _stays_here(scope):
            return False
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if scope["type"] == "http" or origin is None:
            return True
        # The socket must belong to a page of this app, not to another site's.
        is_encrypted = self._sign_in is not None and self._sign_in.encrypted
        scheme = "https" if is_encrypted else str(scope.get("scheme", "ws"))
        bases = () if self._sign_in is None else (self._sign_in.base,)
        hosts = [headers.get("host", ""), *(urlsplit(base).netloc for base in bases)]
        return any(is_own_page(origin, scheme, host) for host in hosts)


def _stays_here(scope: Scope) -> bool:
    """Return whether the request came to the loopback address under a loopback name."""
    address = (scope.get("server") or ("",))[0]
    host = urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname or ""
    return is_loopback(str(address)) and is_loopback(host)


class _Answer:
    """Forwards an answer of the app with sign-in, with the headers it needs."""

    def __init__(self, scope: Scope, send: Send, sign_in: SignIn) -> None:
        self._scope = scope
        self._send = send
        self._sign_in = sign_in
        self._answered = False

    def _is_login(self) -> bool:
        return str(self._scope["path"]).endswith("/auth/login")

    async def __call__(self, message: Message) -> None:
        if self._answered:
            return
        if message["type"] == "http.response.start":
            if self._is_login() and message["status"] >= 400:
                self._answered = True
                text = _PROVIDER_FAILED.format(self._sign_in.issuer)
                await PlainTextResponse(text, status_code=502)(
                    self._scope, _disconnected, self._send
                )
                return
            self._keep_page(message["status"], MutableHeaders(scope=message))
        await self._send(message)

    def _keep_page(self, status: int, headers: MutableHeaders) -> None:
        sign_in = self._sign_in
        path, request = str(self._scope["path"]), Headers(scope=self._scope)
        if self._is_login():
            page = page_of(request.get("referer", ""), sign_in.base)
            headers.append("set-cookie", _cookie(page, _SIGN_IN_SECONDS))
        elif path.endswith("/oauth2callback") and 300 <= status < 400:
            if any(map(_SIGNED_IN.match, headers.getlist("set-cookie"))):
                headers["location"] = sign_in.base + kept_page(request.getlist("cookie"))
            elif b"state=" in self._scope["query_string"]:  # without it, a sign-out
                headers["location"] = f"{sign_in.base}/?{FAILED}="
            headers.append("set-cookie", _cookie("", 0))
        if sign_in.encrypted:
            _keep_to_https(headers)


async def _disconnected() -> Message:
    return {"type": "http.disconnect"}


def page_of(address: str, base: str) -> str:
    """Return the path and query of a page of the app at ``base``; "/" for anything else."""
    if not address.startswith(f"{base}/"):
        return "/"
    return _safe(address.removeprefix(base))


def kept_page(cookies: Iterable[str]) -> str:
    """Return the page in the cookie; "/" if it is missing or not a page of this app.

    The page is checked again, because a browser can send any cookie.
    """
    for line in cookies:
        kept = SimpleCookie(line).get(NEXT)
        if kept is not None:
            return _safe(unquote(kept.value))
    return "/"


def _safe(page: str) -> str:
    """Return ``page`` if it is a path of this site, with or without a query; else "/"."""
    plain = page.isascii() and page.isprintable() and not {" ", "\\", "#"} & set(page)
    # "//host" is another site, and browsers read a backslash as a slash.
    if not plain or len(page) > _LONGEST or not page.startswith("/") or page.startswith("//"):
        return "/"
    path = urlsplit(page).path
    return "/" if path.endswith(("/auth/login", "/auth/logout", "/oauth2callback")) else page


def _cookie(page: str, seconds: int) -> str:
    return f"{NEXT}={quote(page, safe='')}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=lax"


def _keep_to_https(headers: MutableHeaders) -> None:
    cookies = headers.getlist("set-cookie")
    del headers["set-cookie"]
    for cookie in cookies:
        secure = "" if "; secure" in cookie.casefold() else "; Secure"
        headers.append("set-cookie", cookie + secure)
