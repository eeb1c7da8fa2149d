"""The head of a page as a chat or a search engine gets it, without sign-in or scripts."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Event

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from starlette.responses import HTMLResponse
from starlette.testclient import TestClient

from app.web import previews
from app.web.previews import Heads
from forecasts.access.members import member_or_new
from forecasts.access.oidc_settings import SignIn
from forecasts.ledger import database
from forecasts.ledger.models import Visibility
from tests.conftest import ask, day, say

pytestmark = pytest.mark.slow

PAGE = HTMLResponse("<head><title>Streamlit</title></head>", headers={"etag": "x"})
BASE = "https://ledger.example.org"
HOSTILE = '</title><script>alert("x")</script> & so on?'
NOTHING = """\
<head><title>Forecast Ledger</title>
<meta property="og:title" content="Forecast Ledger">
<meta property="og:type" content="website">
<meta property="og:site_name" content="Forecast Ledger">
<link rel="manifest" href="/app.webmanifest">
<link rel="apple-touch-icon" href="/app-icon.png"></head>"""


@pytest.fixture
def client(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A stranger to a ledger whose members sign in."""
    with database.writing(engine) as session:
        alice, bob = (member_or_new(session, name, now=day(0)) for name in ("alice", "bob"))
        close = {"scheduled_close_time": datetime(2099, 1, 31, tzinfo=UTC)}
        open_ = ask(session, alice, slug="open", title=HOSTILE, **close)
        hidden = ask(session, alice, slug="hidden", title="Hidden?", crowd_hidden=True, **close)
        secret = ask(session, alice, slug="secret", visibility=Visibility.author, **close)
        for question in (open_, hidden, secret):
            for who, p in ((alice, 0.6), (bob, 0.7))[: 1 if question is secret else 2]:
                say(session, question, who, p, 1)
        ask(session, alice, slug="ended", title="Ended?", scheduled_close_time=day(4))
    monkeypatch.setattr(previews, "engine_of", lambda _: engine)
    monkeypatch.setenv("FORECASTS_PUBLIC_PREVIEWS", "true")
    sign_in = SignIn.model_construct(
        redirect_uri=f"{BASE}/oauth2callback", client_secret=SecretStr("x")
    )
    return TestClient(Heads(PAGE, sign_in), base_url="http://inside:8501")


def test_a_link_to_a_public_question_shows_what_a_stranger_may_see(client: TestClient) -> None:
    found = client.get("/question?slug=open")
    assert "etag" not in found.headers
    title = "&lt;/title&gt;&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; so on?"
    said = "Open until 31 January 2099. Crowd of 2: 65%."
    for line in (
        f"<title>{title} · Forecast Ledger</title>",
        f'<meta property="og:title" content="{title}">',
        f'<meta property="og:description" content="{said}">',
        '<meta property="og:type" content="website">',
        '<meta property="og:site_name" content="Forecast Ledger">',
        f'<meta property="og:url" content="{BASE}/question?slug=open">',
        f'<meta name="description" content="{said}">',
    ):
        assert line in found.text
    assert "65%" not in (hidden := client.get("/question?slug=hidden").text)
    assert 'og:description" content="Open until 31 January 2099."' in hidden
    assert (
        'og:description" content="Awaiting resolution."' in client.get("/question?slug=ended").text
    )


def test_any_other_link_shows_the_name_alone(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in ("/question?slug=secret", "/question?slug=none", "/question", "/?slug=open"):
        assert client.get(address).text == NOTHING, address
    monkeypatch.delenv("FORECASTS_PUBLIC_PREVIEWS")
    assert client.get("/question?slug=open").text == NOTHING


def test_a_ledger_that_does_not_answer_keeps_no_page_waiting(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = Event()
    monkeypatch.setattr(previews, "PATIENCE", 0.05)
    monkeypatch.setattr(previews, "preview", lambda _: over.wait(10) and ("Too late?", ""))
    try:
        for _ in range(9):  # more than are read at once
            assert client.get("/question?slug=open").text == NOTHING
    finally:
        over.set()
