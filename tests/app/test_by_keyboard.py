"""Each page's main task by keyboard alone, in a real browser, without outside requests."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.app.browsing import DONE, IN_BROWSER, Server

pytestmark = IN_BROWSER


def reach(page: Page, place: Locator) -> None:
    """Press Tab until the locator has the focus."""
    expect(place.first).to_be_visible()
    # While a run draws the page again, an old element may be there beside the new one.
    expect(page.locator(DONE)).to_be_visible()
    expect(place).to_have_count(1)
    for _ in range(60):
        if place.and_(page.locator(":focus")).count():
            return
        page.keyboard.press("Tab")
    pytest.fail("The keyboard does not lead there.")


def test_a_question_is_found_and_opened(page: Page, server: Server) -> None:
    page.goto(f"{server.base}/questions")
    reach(page, page.get_by_label("Search", exact=True))
    page.keyboard.type("the ferry open")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"^1 of \d+ questions"))).to_be_visible()
    expect(page).to_have_url(re.compile("words=the"))
    reach(page, page.get_by_role("link", name="Will the ferry open?"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Will the ferry open?")


def test_a_question_with_a_last_day_is_registered_by_enter(page: Page, server: Server) -> None:
    page.goto(f"{server.base}/questions?view=Ask+a+question")
    reach(page, page.get_by_label("Question", exact=True))
    page.keyboard.type("Will the heath bloom?")
    page.keyboard.press("Tab")
    reach(page, page.get_by_label("Last day of forecasting", exact=True))
    page.keyboard.type("31 december 1999")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stAlert")).to_be_visible()
    day = page.get_by_label("Last day of forecasting", exact=True)
    expect(day).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("in 3 weeks")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Will the heath bloom?")).to_be_visible()


def test_a_forecast_is_typed_with_its_reason_and_saved_from_a_drop_down(
    page: Page, server: Server
) -> None:
    page.goto(f"{server.base}/question?slug=quay")
    field = page.get_by_label("Probability", exact=True)
    expect(page.locator(DONE)).to_be_visible()
    field.click()
    page.keyboard.type("30")
    page.keyboard.press("Tab")
    page.keyboard.type("The slider is drawn again.")
    reason = page.get_by_label("Reason", exact=True)
    slider = page.get_by_label("Probability slider", exact=True)
    expect(slider.and_(page.locator(":not([data-retained] *)"))).to_have_count(1)
    expect(page.locator(".typed-ahead")).to_have_count(0)
    expect(reason).to_have_value("The slider is drawn again.")
    expect(reason).to_be_focused()
    field.click()
    page.keyboard.type("47")  # the click has selected the old one
    page.get_by_text("Evidence and review date").click()
    page.get_by_role("combobox", name="Review in").focus()
    page.keyboard.press("Control+Enter")
    # Exactly these words offer to undo it; a message that goes again has them in it.
    expect(page.get_by_text("47% on “Will the quay open?”", exact=True)).to_be_visible()
    # The slider moves with the arrow keys, and writes into the field.
    page.goto(f"{server.base}/question?slug=quay")
    moved = page.get_by_role("slider").first
    expect(moved).to_have_value("47")
    moved.focus()
    page.keyboard.press("ArrowRight")
    # A new field takes the old one's place; for a moment both are there.
    expect(field.and_(page.locator('[value="48%"]'))).to_be_visible()
    expect(field).to_have_count(1)


def test_an_answer_is_practised(page: Page, server: Server) -> None:
    page.goto(f"{server.base}/practice")
    reach(page, page.get_by_role("textbox", name="Probability of yes"))
    page.keyboard.type("53")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You said 53%")).to_be_visible()
    expect(page.get_by_text("Too few to tell")).to_be_visible()
    # The next answer needs no other key.
    # The field of the answered question may still be on the page, before the next one's.
    field = page.get_by_role("textbox", name="Probability of yes", exact=True)
    expect(field.last).to_be_focused()
    page.keyboard.type("3:7")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You said 30%")).to_be_visible()


def test_a_calendar_gets_an_address_that_answers_until_it_is_revoked(
    page: Page, server: Server
) -> None:
    page.goto(f"{server.base}/settings")
    reach(page, page.get_by_role("button", name="Create address"))
    page.keyboard.press("Enter")
    address = page.get_by_test_id("stCode").locator("code").filter(has_text="fcc_").inner_text()
    assert address.startswith(f"{server.base}/calendar/fcc_calendar-")
    read = page.context.request.get(address)
    assert read.headers["content-type"].startswith("text/calendar")
    assert "SUMMARY:Closes: Will the ferry open?" in read.text()
    reach(page, page.get_by_role("button", name="Copied"))
    page.keyboard.press("Enter")
    reach(page, page.get_by_role("button", name="Revoke address"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Revoked your calendar address")).to_be_visible()
    assert page.context.request.get(address).status == 404
    # After the number; the secret itself may have any of these signs.
    secret = address.partition("fcc_calendar-")[2].partition("_")[2].removesuffix(".ics")
    assert len(secret) > 20
    assert secret not in (server.ledger.parent / "log").read_text()
