"""Requests before Streamlit sees them: this machine only without sign-in, deep links with it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from app.web.middleware import FAILED, NEXT, Gate, kept_page, page_of
from forecasts.access.oidc_settings import SignIn

HERE = "http://127.0.0.1:8501"
TEAM = SignIn(issuer="https://id.example", redirect_uri="https://ledger.example/oauth2callback")
PAGE = "/question?slug=quay&tab=2"
SIGNED_IN = "_streamlit_user=signed; Path=/; HttpOnly"
EMPTIED = (
    '_streamlit_user=""; expires=Wed, 02 Dec 2026 01:00:00 GMT; Max-Age=0; Path=/; SameSite=lax'
)


async def _streamlit(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer as Streamlit does: after signing in lead to the first page, with a cookie."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    callback = scope["path"] == "/oauth2callback"
    headers = {"location": "/"} if callback else {}
    if callback and b"refused" not in scope["query_string"]:
        headers["set-cookie"] = EMPTIED if b"used" in scope["query_string"] else SIGNED_IN
    await send(
        {
            "type": "http.response.start",
            "status": 302 if callback else 400 if b"unreached" in scope["query_string"] else 200,
            "headers": Headers(headers).raw,
        }
    )
    await send({"type": "http.response.body", "body": b"page"})


@dataclass
class Asking:
    """A browser at ``base`` that keeps the cookie of the requested page."""

    sign_in: SignIn | None
    base: str = HERE
    kept: dict[str, str] = field(default_factory=dict)

    def ask(self, path: str, **headers: str) -> tuple[int, Headers, str]:
        start, body, *_ = self._sent("http", path, headers)
        answered = Headers(raw=start["headers"])
        for cookie in answered.getlist("set-cookie"):
            name, _, value = cookie.split(";")[0].partition("=")
            self.kept[name] = value
            if "Max-Age=0" in cookie:
                del self.kept[name]
        return start["status"], answered, body["body"].decode()

    def talks(self, **headers: str) -> bool:
        [answer] = self._sent("websocket", "/stream", headers)
        assert answer["type"] == "websocket.accept" or answer["code"] == 1008
        return bool(answer["type"] == "websocket.accept")

    def _sent(self, kind: str, path: str, headers: dict[str, str]) -> list[Any]:
        at = urlsplit(self.base)
        kept = "; ".join(f"{name}={value}" for name, value in self.kept.items())
        sent: list[Message] = []
        scope = {
            "type": kind,
            "path": path.partition("?")[0],
            "query_string": path.partition("?")[2].encode(),
            # The browser connects to the name that it uses for the server.
            "server": (at.hostname, at.port),
            "headers": Headers({"host": at.netloc, "cookie": kept} | headers).raw,
        }

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            raise AssertionError("nothing is asked of the browser")

        asyncio.run(Gate(_streamlit, self.sign_in)(scope, receive, send))
        return sent


@pytest.mark.parametrize("base", [HERE, "http://[::1]:8501", "http://localhost:8501"])
def test_without_sign_in_this_machine_is_served(base: str) -> None:
    # The client connects to the name that it uses for the server.
    there = Asking(None, base)
    assert there.ask("/question")[2] == "page"
    assert there.talks()
    assert there.talks(origin=base)


@pytest.mark.parametrize("base", ["http://192.0.2.1:8501", "http://ledger.example"])
def test_without_sign_in_no_other_address_is(base: str) -> None:
    there = Asking(None, base)
    status, _, body = there.ask("/question")
    assert status == 403
    assert "Without sign-in" in body
    assert not there.talks()


def test_a_name_that_was_made_to_point_here_and_the_page_of_another_site_are_turned_away() -> None:
    there = Asking(None)
    assert there.ask("/", host="evil.example:8501")[0] == 403
    assert not there.talks(host="evil.example:8501", origin="http://evil.example:8501")
    assert not there.talks(origin="https://evil.example")
    assert not there.talks(origin="http://127.0.0.1:3000")
    assert not Asking(TEAM, TEAM.base).talks(origin="https://evil.example")
    behind_a_proxy = Asking(TEAM, "http://app:8501")  # which may use any host name
    assert behind_a_proxy.ask("/")[2] == "page"
    assert behind_a_proxy.talks(origin=TEAM.base)
    assert not behind_a_proxy.talks(origin=TEAM.base.replace("https", "http"))


def test_the_page_that_was_wanted_is_opened_after_signing_in() -> None:
    there = Asking(TEAM, TEAM.base)
    there.ask("/auth/login", referer=TEAM.base + PAGE)
    assert there.kept[NEXT] == quote(PAGE, safe="")
    assert there.ask("/oauth2callback")[1]["location"] == TEAM.base + PAGE
    assert NEXT not in there.kept


def test_a_refused_person_is_led_to_the_first_page_and_a_failure_to_where_it_is_said() -> None:
    there = Asking(TEAM, TEAM.base)
    there.ask("/auth/login", referer=TEAM.base + PAGE)
    assert there.ask("/oauth2callback?refused")[1]["location"] == "/"
    assert NEXT not in there.kept
    for way in ("refused", "used"):
        failed = there.ask(f"/oauth2callback?state=x&{way}")[1]["location"]
        assert failed == f"{TEAM.base}/?{FAILED}="


def test_a_provider_that_does_not_answer_is_said() -> None:
    status, _, body = Asking(TEAM, TEAM.base).ask("/auth/login?unreached")
    assert status == 502
    assert f"the provider {TEAM.issuer} did not answer as it should" in body
    assert "page" not in body


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://evil.example/question",
        f"{TEAM.base}.evil.example/",
        f"{TEAM.base}@evil.example/",
        f"{TEAM.base}//evil.example/",
        f"{TEAM.base}/\\evil.example",
        f"{TEAM.base}/\r\nSet-Cookie: a=b",
        f"{TEAM.base}/oauth2callback?code=1",
        f"{TEAM.base}/auth/logout",
        f"{TEAM.base}/{'x' * 3000}",
    ],
)
def test_an_unknown_page_is_not_kept(address: str) -> None:
    assert page_of(address, TEAM.base) == "/"


@pytest.mark.slow
@given(st.text())
def test_a_cookies_next_page_is_a_path_of_this_site(said: str) -> None:
    page = kept_page([f"a=b; {NEXT}={quote(said, safe='')}"])
    assert page.startswith("/")
    assert not page.startswith("//")
    assert page == "/" or page == said
    assert page.isprintable()


@pytest.mark.parametrize(
    "page",
    [
        "//evil.example/",
        "\\\\evil.example/",
        "/\\evil.example/",
        "https:evil.example/",
        "/\r\nx: y",
        "@evil.example/",
    ],
)
def test_a_cookie_with_another_site_in_it_leads_to_the_first_page(page: str) -> None:
    there = Asking(TEAM, TEAM.base)
    there.kept[NEXT] = quote(page, safe="")
    assert there.ask("/oauth2callback")[1]["location"] == f"{TEAM.base}/"


def test_over_https_every_cookie_is_kept_to_it() -> None:
    _, answered, _ = Asking(TEAM, TEAM.base).ask("/oauth2callback")
    cookies = answered.getlist("set-cookie")
    assert len(cookies) == 2
    [kept] = Asking(TEAM, TEAM.base).ask("/auth/login")[1].getlist("set-cookie")
    assert "; SameSite=lax" in kept
    assert "; Secure" in kept
    assert "HttpOnly" in kept
    assert all("; Secure" in cookie and "HttpOnly" in cookie for cookie in cookies)
    here = SignIn(issuer=TEAM.issuer, redirect_uri=f"{HERE}/oauth2callback")
    _, answered, _ = Asking(here).ask("/oauth2callback")
    assert not any("Secure" in cookie for cookie in answered.getlist("set-cookie"))
