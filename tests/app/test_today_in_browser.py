"""Today in a real browser: the first card in sight, several confirmed, and what was earned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from forecasts.access.members import member_or_new
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, schema
from forecasts.ledger.models import Question
from forecasts.questions import registry
from forecasts.resolution import confirmation
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.app.browsing import DONE, IN_BROWSER, Watch, serving, tab

pytestmark = IN_BROWSER


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app on a ledger: two questions resolved over a week ago, three open, two of them due."""
    folder: Path = tmp_path_factory.mktemp("scored")
    ledger = folder / "ledger.sqlite3"
    engine = database.open_engine(sqlite_url(ledger))
    schema.migrate(engine)
    begun = datetime.now(UTC) - timedelta(days=20)
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=begun)

        def asked(slug: str, days: int, *forecasts: float) -> Question:
            text = registry.question_text(
                title=f"Will the {slug} of the northern harbour open to passengers this season?",
                open_time=begun,
                scheduled_close_time=begun + timedelta(days=days),
            )
            question = registry.register(session, text, member=alice, now=begun, slug=slug)
            for place, p in enumerate(forecasts):
                moment = begun + timedelta(days=5 * place)
                updates.update(session, question, Value(probability=p), member=alice, now=moment)
            return question

        for day, (slug, p) in enumerate({"ferry": 0.9, "quay": 0.2}.items()):
            question, known = asked(slug, 10, 0.5, p), begun + timedelta(days=10 + day)
            confirmation.confirm(session, question, "yes", known_at=known, now=known, member=alice)
        asked("lock", 90)
        asked("bridge", 90, 0.3)
        asked("tunnel", 90, 0.4)
    engine.dispose()
    with serving(folder, ledger, FORECASTS_MEMBER="alice") as base:
        yield base


SCREENS = [(1280, 800), pytest.param((390, 844), marks=pytest.mark.long)]


@contextmanager
def opened(browser: BrowserContext, base: str, screen: tuple[int, int]) -> Iterator[Page]:
    """Yield Today on a screen of that size; nothing red, and no request to elsewhere."""
    watch = Watch(base)
    with tab(browser, *screen) as page:
        watch.over(page)
        page.goto(base)
        yield page
        assert watch.red == []
        assert watch.outside == []


@pytest.mark.parametrize("screen", SCREENS)
def test_the_first_card_is_in_the_first_screen(
    browser: BrowserContext, base: str, screen: tuple[int, int]
) -> None:
    with opened(browser, base, screen) as page:
        expect(page.get_by_text("Needs your forecast")).to_be_visible()
        expect(page.locator(DONE)).to_be_visible()
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
        card = page.locator(".st-key-todo-lock").bounding_box()
        assert card is not None
        assert card["y"] + card["height"] <= screen[1]
        assert screen[0] < 640 or card["height"] <= 140


def test_what_a_question_earned_is_two_clicks_from_today(
    browser: BrowserContext, base: str
) -> None:
    with opened(browser, base, (1280, 800)) as page:
        page.get_by_test_id("stMain").get_by_role("link", name="My scores").click()
        _shows(page, "Will the quay", "updates lost 0.195")
        rows = page.get_by_test_id("stDataFrame")
        rows.scroll_into_view_if_needed()
        rows.click(position={"x": 20, "y": 38 + 35 + 17})
        _shows(page, "Will the ferry", "updates earned 0.120")


def _shows(page: Page, title: str, earned: str) -> None:
    card = page.locator(".st-key-card-scored")
    expect(card.get_by_role("link", name=title)).to_be_visible()
    expect(card.get_by_text(earned)).to_be_visible()
