"""An article becomes three proposed questions, one changed, all forecast, in eight acts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlmodel import select

from forecasts.access.members import member_or_new
from forecasts.articles import library
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, schema
from forecasts.ledger.models import Forecast, ModelDecision
from forecasts.reading.article import CapturedArticle
from tests.app.browsing import DONE, IN_BROWSER, Watch, said, serving, tab
from tests.app.test_accessibility import FITS
from tests.common.test_web import server
from tests.proposals.conftest import FERRY
from tests.proposals.stub import MODEL, says

pytestmark = IN_BROWSER
TEXT = "A new pier is planned. The mayor expects the pier to open, in parts, over three years."
QUESTIONS = [
    FERRY
    | {
        "title": f"Will part {part} of the pier open by 31 March 204{part}?",
        "close": f"204{part}-03-31",
        "quotation": "The mayor expects the pier to open, in parts, over three years.",
    }
    for part in (1, 2, 3)
]


def rest(page: Page) -> None:
    page.locator(DONE).wait_for()


@pytest.mark.parametrize("width", [1280, pytest.param(390, marks=pytest.mark.long)])
def test_three_proposed_questions_one_changed_are_registered_and_forecast(
    browser: BrowserContext, tmp_path: Path, width: int
) -> None:
    ledger = tmp_path / "ledger.sqlite3"
    engine = database.open_engine(sqlite_url(ledger))
    schema.migrate(engine)
    now = datetime.now(UTC)
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=now)
        read = CapturedArticle("The pier", None, None, now, None, TEXT)
        [(article, _)] = library.store(session, [read], member=alice, captured_at=now)
        number = article.id
    acts = 0
    with (
        server(says({"questions": QUESTIONS})) as url,
        serving(
            tmp_path, ledger, FORECASTS_MEMBER="alice", FORECASTS_MODEL_URL=f"{url}/v1",
            FORECASTS_MODEL=MODEL,
        ) as base,
        tab(browser, width, 900) as page,
    ):  # fmt: skip
        watch = Watch(base)
        watch.over(page)
        page.goto(f"{base}/articles?article={number}")
        rest(page)
        page.get_by_role("button", name=f"Ask {MODEL}").click()
        acts += 1
        cards = page.locator('[class*="st-key-act-draft-"]').filter(has_text="proposed by")
        expect(cards).to_have_count(3)
        assert page.evaluate(FITS)
        for part, chance in ((1, 70), (2, 50), (3, 30)):
            rest(page)
            card = cards.filter(has_text=f"part {part}").first
            if part == 3:
                title = card.get_by_label("Question", exact=True)
                title.fill("Will part 3 of the pier open to walkers by 31 March 2043?")
                acts += 1
            card.get_by_label("Forecast", exact=True).fill(str(chance))
            acts += 1
            expect(card.get_by_text(f"{chance}%")).to_be_visible()
            card.get_by_role("button", name="Register").click()
            acts += 1
            expect(said(page)).to_contain_text(f"Your forecast: {chance}%")
        rest(page)
        expect(cards).to_have_count(0)
        assert (watch.red, watch.outside) == ([], [])
    assert acts == 8
    with database.reading(engine) as session:
        assert len(session.exec(select(Forecast)).all()) == 3
        decisions = [str(one) for one in session.exec(select(ModelDecision.decision))]
        assert decisions == ["accepted", "accepted", "changed"]
    engine.dispose()
