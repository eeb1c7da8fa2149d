"""A real sign-in in a real browser, by a real provider: OpenID Connect from end to end."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from forecasts.access.members import member_or_new
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, schema
from forecasts.questions import registry
from tests.app.browsing import IN_BROWSER, PATIENCE, Server, answering, free_port, serving

pytestmark = IN_BROWSER
SECRETS = ("cl1ent-s3cret", "c00kie-s3cret-that-is-long-enough-0123")


@dataclass
class Provider:
    """An identity provider whose claims the test can set."""

    issuer: str
    context: BrowserContext

    def knows(self, subject: str, **claims: Any) -> None:
        answer = self.context.request.put(f"{self.issuer}/users/{subject}", data=claims)
        assert answer.ok


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
    _furnish(sqlite_url(folder / "ledger.sqlite3"))
    settings = {
        "ISSUER": issuer,
        "CLIENT_ID": "ledger",
        "CLIENT_SECRET": SECRETS[0],
        "REDIRECT_URI": f"http://127.0.0.1:{port}/oauth2callback",
        "COOKIE_SECRET": SECRETS[1],
        "ALLOWED_DOMAINS": "example.org",
    }
    environment = {f"FORECASTS_OIDC_{name}": value for name, value in settings.items()}
    ledger = folder / "ledger.sqlite3"
    with serving(folder, ledger, port, FORECASTS_MEMBER="eve", **environment) as base:
        yield Server(base, ledger)
    said = (folder / "log").read_text()
    assert not any(secret in said for secret in SECRETS)


def _furnish(url: str) -> None:
    engine, now = database.open_engine(url), datetime.now(UTC)
    schema.migrate(engine)
    with database.writing(engine) as session:
        bob = member_or_new(session, "bob (simulated)", now=now)
        later = now + timedelta(days=400)
        text = registry.question_text(
            title="Will the quay open?", open_time=now, scheduled_close_time=later
        )
        registry.register(session, text, member=bob, now=now, slug="quay")
    engine.dispose()


@pytest.fixture
def context(browser: BrowserContext) -> Iterator[BrowserContext]:
    """The browser, which forgets the sign-in afterwards."""
    browser.set_default_timeout(PATIENCE)
    yield browser
    for page in browser.pages[1:]:
        page.close()
    browser.clear_cookies()


@pytest.fixture
def provider(issuer: str, context: BrowserContext) -> Provider:
    provider = Provider(issuer, context)
    provider.knows("u-1", email="alice@example.org", email_verified=True)
    return provider


@pytest.fixture
def page(context: BrowserContext) -> Page:
    expect.set_options(timeout=PATIENCE)
    return context.new_page()


def sign_in(page: Page, subject: str, button: str = "Sign in") -> None:
    page.get_by_role("button", name=button, exact=True).click()
    page.get_by_placeholder("sub").fill(subject)
    page.get_by_role("button", name="Authorize").click()


def members(server: Server) -> set[str]:
    with closing(sqlite3.connect(server.ledger)) as file:
        return {handle for (handle,) in file.execute("SELECT handle FROM member")}


def test_sign_in_leads_to_the_wanted_page_to_forecast_until_it_ends_in_every_tab(
    page: Page, context: BrowserContext, server: Server, provider: Provider
) -> None:
    page.goto(f"{server.base}/question?slug=quay")
    expect(page.get_by_text("You have not signed in.")).to_be_visible()
    expect(page.get_by_text("Will the quay open?")).to_have_count(0)
    expect(page.get_by_role("link", name="Questions")).to_have_count(0)
    sign_in(page, "u-1")
    expect(page.get_by_role("heading", name="Will the quay open?")).to_be_visible()
    expect(page).to_have_url(f"{server.base}/question?slug=quay")
    expect(page.get_by_text("You forecast as alice.")).to_be_visible()

    # The signed-in member acts, whatever the server's environment says.
    page.get_by_role("textbox", name=re.compile("Probability")).first.fill("35%")
    page.keyboard.press("Tab")
    page.get_by_role("button", name=re.compile("^(Save|Update|Forecast)")).first.click()
    expect(page.get_by_test_id("stToast")).to_be_visible()
    assert {"alice"} <= members(server)
    assert "eve" not in members(server)

    other = context.new_page()
    other.goto(f"{server.base}/questions")
    expect(other.get_by_text("You forecast as alice.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_text("You have not signed in.")).to_be_visible()
    other.get_by_role("link", name="Today").first.click()
    expect(other.get_by_text("You have signed out.")).to_be_visible()
    expect(other.get_by_text("You forecast as alice.")).to_have_count(0)
