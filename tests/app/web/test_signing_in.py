"""A real sign-in in a real browser, by a real provider: OpenID Connect from end to end."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, expect

from forecasts.common.settings import sqlite_url
from tests.app.browsing import (
    IN_BROWSER,
    PATIENCE,
    Server,
    answering,
    current_field,
    free_port,
    said,
    serving,
)
from tests.app.conftest import write_question

pytestmark = IN_BROWSER
SECRETS = ("cl1ent-s3cret", "c00kie-s3cret-that-is-long-enough-0123")


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    issuer, log = f"http://127.0.0.1:{port}", tmp_path_factory.mktemp("provider") / "log"
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    with answering(command, f"{issuer}/.well-known/openid-configuration", log):
        yield issuer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, issuer: str) -> Iterator[Server]:
    """The app for a team, on a ledger with one question."""
    folder, port = tmp_path_factory.mktemp("served"), free_port()
    write_question(sqlite_url(ledger := folder / "ledger.sqlite3"), "quay")
    settings = {
        "ISSUER": issuer,
        "CLIENT_ID": "ledger",
        "CLIENT_SECRET": SECRETS[0],
        "REDIRECT_URI": f"http://127.0.0.1:{port}/oauth2callback",
        "COOKIE_SECRET": SECRETS[1],
        "ALLOWED_DOMAINS": "example.org",
    }
    environment = {f"FORECASTS_OIDC_{name}": value for name, value in settings.items()}
    with serving(folder, ledger, port, FORECASTS_MEMBER="eve", **environment) as base:
        yield Server(base, ledger)
    said = (folder / "log").read_text()
    assert not any(secret in said for secret in SECRETS)


@pytest.fixture
def context(browser: BrowserContext) -> Iterator[BrowserContext]:
    """The browser, which forgets the sign-in afterwards."""
    browser.set_default_timeout(PATIENCE)
    yield browser
    for page in browser.pages[1:]:
        page.close()
    browser.clear_cookies()


def test_sign_in_leads_to_the_wanted_page_to_forecast_until_it_ends_in_every_tab(
    context: BrowserContext, server: Server, issuer: str
) -> None:
    claims = {"email": "alice@example.org", "email_verified": True}
    assert context.request.put(f"{issuer}/users/u-1", data=claims).ok
    page = context.new_page()
    arrived = page.goto(f"{server.base}/question?slug=quay")
    assert arrived is not None
    assert "<title>Forecast Ledger</title>" in (sent := arrived.text())
    assert "Will the quay open?" not in sent
    expect(page.get_by_text("You have not signed in.")).to_be_visible()
    expect(page.get_by_text("Will the quay open?")).to_have_count(0)
    expect(page.get_by_role("link", name="Questions")).to_have_count(0)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_placeholder("sub").fill("u-1")
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_role("heading", name="Will the quay open?")).to_be_visible()
    expect(page).to_have_url(f"{server.base}/question?slug=quay")
    expect(page.get_by_text("You forecast as alice.")).to_be_visible()

    # The signed-in member acts, whatever the server's environment says.
    current_field(page, "Probability").fill("35%")
    page.keyboard.press("Tab")
    page.get_by_role("button", name=re.compile("^(Save|Update|Forecast)")).first.click()
    expect(said(page)).to_contain_text("Saved")
    with closing(sqlite3.connect(server.ledger)) as file:
        members = {handle for (handle,) in file.execute("SELECT handle FROM member")}
    assert members == {"alice", "bob (simulated)"}

    other = context.new_page()
    other.goto(f"{server.base}/questions")
    expect(other.get_by_text("You forecast as alice.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_text("You have not signed in.")).to_be_visible()
    other.get_by_role("link", name="Today").first.click()
    expect(other.get_by_text("You have signed out.")).to_be_visible()
    expect(other.get_by_text("You forecast as alice.")).to_have_count(0)


def test_a_state_that_is_forged_missing_another_s_or_used_signs_nobody_in(
    context: BrowserContext, server: Server, issuer: str
) -> None:
    claims = {"email": "bo@example.org", "email_verified": True}
    assert context.request.put(f"{issuer}/users/u-2", data=claims).ok
    page, answer = context.new_page(), f"{server.base}/oauth2callback"

    def authorized() -> str:
        """Return the address at which the provider would have this browser go on."""
        page.goto(server.base)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_placeholder("sub")).to_be_visible()
        sent = context.request.post(page.url, form={"sub": "u-2"}, max_redirects=0)
        return sent.headers["location"]

    def signs_in(address: str) -> bool:
        went_on = context.request.get(address, max_redirects=0)
        signed_in = any(one["name"].startswith("_streamlit_user") for one in context.cookies())
        to = "/" if signed_in or "state=" not in address else "/?not_signed_in="
        assert went_on.headers["location"].removeprefix(server.base) == to
        return signed_in

    theirs = authorized()  # they send it to someone else
    context.clear_cookies()
    assert not signs_in(theirs)
    given = authorized()
    code = parse_qs(urlsplit(given).query)["code"][0]
    for forged in ("", "&state=", "&state=forged", f"&{urlsplit(theirs).query}"):
        assert not signs_in(f"{answer}?code={code}{forged}")
    assert not signs_in(theirs)
    begun = context.cookies()
    assert signs_in(given)
    context.clear_cookies()
    assert not signs_in(given)
    context.add_cookies(begun)  # type: ignore[arg-type]
    assert not signs_in(given)  # since the provider takes a code once
