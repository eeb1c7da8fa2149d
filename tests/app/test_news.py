"""A feed is added, its articles become evidence and questions in few acts, and are dismissed."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlmodel import select

from forecasts.access.members import member_named
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from forecasts.ledger.models import Citation, Evidence, Forecast
from tests.app.browsing import DONE, IN_BROWSER, Server, Watch, current_field, said, tab
from tests.app.test_accessibility import FITS
from tests.conftest import ask, day

WIDTHS = [1280, pytest.param(390, marks=pytest.mark.long)]
pytestmark = IN_BROWSER


def rest(page: Page) -> None:
    page.locator(DONE).wait_for()


@pytest.mark.parametrize("width", WIDTHS)
def test_articles_of_a_feed_become_evidence_and_questions_in_few_acts(
    browser: BrowserContext, server: Server, watch: Watch, tmp_path: Path, width: int
) -> None:
    # Words of their own, without numbers: other tests ask in the same ledger.
    work, does, vote = {
        1280: ("Zelden aqueduct", "carry water", "Marsk will hold a referendum on goat milk"),
        390: ("Quorn beacon", "shine green", "Velt will hold a plebiscite on barley beer"),
    }[width]
    title = f"Will the {work} {does} by 2041?"
    engine = database.open_engine(sqlite_url(server.ledger))
    with database.writing(engine) as session:
        alice = member_named(session, "alice")
        ask(session, alice, slug=f"aqueduct-{width}", title=title, scheduled_close_time=day(9999))
    folder = tmp_path / f"clippings-{width}"
    folder.mkdir()
    (folder / "one.txt").write_text(
        f"{work} tested\n\nThe {work} will {does} soon, said its builder after a week of tests.\n"
    )
    (folder / "two.txt").write_text(
        f"{vote.split()[0]} votes\n\n{vote} by 15 March 2040. Its herders want it.\n"
    )
    with tab(browser, width, 900) as page:
        watch.over(page)
        page.goto(f"{server.base}/news")
        rest(page)
        summary = page.locator("summary").first
        if not current_field(page, "Site or feed").is_visible():
            summary.click()
        current_field(page, "Site or feed").fill(str(folder))
        page.keyboard.press("Enter")
        expect(said(page)).to_contain_text(f"Added: clippings-{width}.")
        expect(said(page)).to_contain_text("2 new articles.")
        rest(page)
        assert page.evaluate(FITS)

        # An article becomes evidence of an update: a field and Enter.
        card = page.locator(f".st-key-news-aqueduct-{width}")
        expect(card.get_by_text(f"will {does} soon")).to_be_visible()
        current_field(card, "Probability").fill("55")
        page.keyboard.press("Enter")
        expect(said(page)).to_contain_text("Saved: 55%")
        expect(card).to_be_hidden()
        with database.reading(engine) as session:
            made = select(Forecast).where(Forecast.member_id == member_named(session, "alice").id)
            newest = session.exec(made.order_by(Forecast.id.desc())).first()  # type: ignore[union-attr]
            assert newest is not None
            cited = select(Evidence).join(Citation).where(Citation.forecast_id == newest.id)
            assert session.exec(cited).one().title == f"{work} tested"

        # Another one becomes a question with a forecast: a field and Register.
        draft = page.locator('[class*="st-key-act-draft-"]').filter(has_text=vote)
        draft.get_by_label("Forecast", exact=True).fill("70")
        expect(draft.get_by_text("70%")).to_be_visible()
        draft.get_by_role("button", name="Register", exact=True).click()
        expect(said(page)).to_contain_text("Registered: ")
        expect(said(page)).to_contain_text("70%")
        expect(page.get_by_role("heading", name="News", level=1)).to_be_visible()

        # A new article on the question is dismissed, and comes back.
        (folder / "three.txt").write_text(
            f"{work} leaks\n\nThe {work} leaked again during a test on Monday, said its builder.\n"
        )
        again = page.get_by_role("button", name="Read now")
        if not again.is_visible():  # open if a feed failed
            summary.click()
        again.click()
        expect(said(page)).to_contain_text("1 new article.")
        card.get_by_role("button", name="Dismiss").first.click()
        page.get_by_role("button", name="Dismiss this article").click()
        expect(said(page)).to_contain_text("Dismissed for")
        expect(card).to_be_hidden()
        page.get_by_role("button", name="Undo").click()
        expect(said(page)).to_contain_text("The article is back")
        expect(card.get_by_text(f"{work} leaks")).to_be_visible()
    engine.dispose()
