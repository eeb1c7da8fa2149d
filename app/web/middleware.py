"""What every request passes before Streamlit sees it.

Without sign-in: requests of this machine to this machine, and no others. That is looked at here as
well as at the start, since another server than ours may serve the app; and a page from elsewhere
whose name was made to point to this machine (DNS rebinding) is turned away by the host it names.

With sign-in: the page that somebody wanted is kept while they sign in, in a cookie, and opened
afterwards. Only pages of this app are. Over HTTPS every cookie is kept to HTTPS.
"""

from __future__ import annotations

from collections.abc import Iterable
from http.cookies import SimpleCookie
from urllib.parse import quote, unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forecasts.access.oidc_settings import SignIn, is_loopback

NEXT = "forecasts_next"
FAILED = "not_signed_in"  # in the query of the page to which a sign-in that failed leads
_SIGNED_IN = "_streamlit_user="
_PATIENCE = 600  # seconds that somebody may take to sign in
_LONGEST = 2000  # signs of an address that is kept
_TURNED_AWAY = (
    "This ledger is not served under this name: without sign-in it answers to the machine that it "
    "runs on only, and with sign-in to its own pages."
)


_UNREACHED = (
    "Nobody can sign in at the moment: the provider {} did not answer as it should. Go back and "
    "try again in a moment; the log of the server says more."
)


class Gate:
    """The middleware; ``sign_in`` is None where nobody signs in."""

    def __init__(self, app: ASGIApp, sign_in: SignIn | None) -> None:
        self._app = app
        self._sign_in = sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or turn it away."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif self._admits(scope):
            await self._app(scope, receive, _Answer(scope, send, self._sign_in))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": _TURNED_AWAY})
        else:
            await PlainTextResponse(_TURNED_AWAY, status_code=403)(scope, receive, send)

    def _admits(self, scope: Scope) -> bool:
        if self._sign_in is None and not _stays_here(scope):
            return False
        asked = Headers(scope=scope)
        origin = asked.get("origin")
        if scope["type"] == "http" or origin is None:
            return True
        # A page of this app, and none that another site shows.
        bases = (self._sign_in.base,) if self._sign_in is not None else ()
        hosts = {asked.get("host"), *(urlsplit(base).netloc for base in bases)}
        return urlsplit(origin).netloc in hosts


def _stays_here(scope: Scope) -> bool:
    """Return whether the request came to the loopback address, and to a name of it."""
    address = (scope.get("server") or ("",))[0]
    host = urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname or ""
    return is_loopback(str(address)) and is_loopback(host)


class _Answer:
    """Sends on what the app answers, with the headers that it needs."""

    def __init__(self, scope: Scope, send: Send, sign_in: SignIn | None) -> None:
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
            if self._sign_in is not None and self._is_login() and message["status"] >= 400:
                self._answered = True
                said = _UNREACHED.format(self._sign_in.issuer)
                await PlainTextResponse(said, status_code=502)(self._scope, _no_more, self._send)
                return
            headers = MutableHeaders(scope=message)
            # No other site learns which page was open, or shows one inside its own.
            headers.setdefault("referrer-policy", "same-origin")
            headers.setdefault("x-frame-options", "SAMEORIGIN")
            if self._sign_in is not None:
                self._keep_page(message["status"], headers, self._sign_in)
        await self._send(message)

    def _keep_page(self, status: int, headers: MutableHeaders, sign_in: SignIn) -> None:
        path, asked = str(self._scope["path"]), Headers(scope=self._scope)
        if self._is_login():
            page = page_of(asked.get("referer", ""), sign_in.base)
            headers.append("set-cookie", _cookie(page, _PATIENCE))
        elif path.endswith("/oauth2callback") and 300 <= status < 400:
            if _SIGNED_IN in "\n".join(headers.getlist("set-cookie")):
                headers["location"] = sign_in.base + kept_page(asked.getlist("cookie"))
            elif b"state=" in self._scope["query_string"]:  # else they have signed out
                headers["location"] = f"{sign_in.base}/?{FAILED}="
            headers.append("set-cookie", _cookie("", 0))
        if sign_in.encrypted:
            _keep_to_https(headers)


async def _no_more() -> Message:
    return {"type": "http.disconnect"}


def page_of(address: str, base: str) -> str:
    """Return the path and query of a page of the app at ``base``; "/" for anything else."""
    if not address.startswith(f"{base}/"):
        return "/"
    return _safe(address.removeprefix(base))


def kept_page(cookies: Iterable[str]) -> str:
    """Return the page that was kept in a cookie; "/" where there is none, or no page of this app.

    It is looked at again: a cookie is what the browser says.
    """
    for line in cookies:
        kept = SimpleCookie(line).get(NEXT)
        if kept is not None:
            return _safe(unquote(kept.value))
    return "/"


def _safe(page: str) -> str:
    """Return ``page`` where it is a path of the same site, with or without a query; else "/"."""
    plain = page.isascii() and page.isprintable() and not {" ", "\\", "#"} & set(page)
    # "//host" is another site, and so are the signs that browsers read as slashes.
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
