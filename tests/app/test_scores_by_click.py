"""From Today to what a resolved question earned, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from forecasts.access.members import member_or_new
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, schema
from forecasts.questions import registry
from forecasts.resolution import confirmation
from forecasts.updates import updates
from forecasts.updates.values import Value
from tests.app.browsing import IN_BROWSER, PATIENCE, Watch, free_port, launched, serving

pytestmark = IN_BROWSER


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[str]:
    """The app on a ledger with two questions that resolved over a week ago."""
    folder: Path = tmp_path_factory.mktemp("scored")
    ledger = folder / "ledger.sqlite3"
    engine = database.open_engine(sqlite_url(ledger))
    schema.migrate(engine)
    begun = datetime.now(UTC) - timedelta(days=20)
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=begun)
        for day, (slug, p) in enumerate({"ferry": 0.9, "quay": 0.2}.items()):
            text = registry.question_text(
                title=f"Will the {slug} open?",
                open_time=begun,
                scheduled_close_time=begun + timedelta(days=10),
            )
            question = registry.register(session, text, member=alice, now=begun, slug=slug)
            for at, value in ((0, 0.5), (5, p)):
                moment = begun + timedelta(days=at)
                updates.update(
                    session, question, Value(probability=value), member=alice, now=moment
                )
            known = begun + timedelta(days=10 + day)
            confirmation.confirm(session, question, "yes", known_at=known, now=known, member=alice)
    engine.dispose()
    with serving(browser, folder, ledger, free_port(), FORECASTS_MEMBER="alice") as base:
        yield base


@pytest.mark.parametrize("width", [1280, pytest.param(390, marks=pytest.mark.long)])
def test_what_a_question_earned_is_two_clicks_from_today(
    browser: Browser, base: str, width: int
) -> None:
    with browser.new_context(viewport={"width": width, "height": 844}) as context:
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        watch, page = Watch(base), context.new_page()
        watch.over(page)
        page.goto(base)
        page.get_by_test_id("stMain").get_by_role("link", name="My scores").click()
        _shows(page, "Will the quay open?", "updates lost 0.195")
        rows = page.get_by_test_id("stDataFrame")
        rows.scroll_into_view_if_needed()
        rows.click(position={"x": 20, "y": 38 + 35 + 17})
        _shows(page, "Will the ferry open?", "updates earned 0.120")
        assert watch.red == []
        assert watch.outside == []


def test_a_score_on_today_opens_its_row(browser: Browser, base: str) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(base)
        page.get_by_role("link", name="Brier 0.130").click()
        _shows(page, "Will the ferry open?", "updates earned 0.120")


def _shows(page: Page, title: str, earned: str) -> None:
    card = page.locator(".st-key-card-scored")
    expect(card.get_by_role("link", name=title)).to_be_visible()
    expect(card.get_by_text(earned)).to_be_visible()
