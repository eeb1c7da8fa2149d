"""The daily acts in a real browser, held to their bars (``benchmarks.daily_acts`` prints them)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, expect

from benchmarks import daily_acts
from tests.app.browsing import IN_BROWSER, Server, tab

pytestmark = IN_BROWSER
WIDE, NARROW = daily_acts.WIDTHS
BOTH = [WIDE, pytest.param(NARROW, marks=pytest.mark.long)]


def test_a_new_question_is_one_field_and_one_key_and_the_cursor_is_back(
    page: Page, server: Server
) -> None:
    # The ratio to a page of one field is printed by the benchmark: tests share the machine.
    daily_acts.opened(page, server.base)
    field = daily_acts.line_field(page)
    for number in (1, 2):
        daily_acts.save_line(page, f"Will boat {number} of {page.viewport_size} dock tomorrow?")
        assert daily_acts.has_focus(page, field)
        expect(field).to_have_value("")


def test_an_update_from_today_is_typed_and_entered_and_the_next_card_is_next(
    page: Page, server: Server
) -> None:
    row = daily_acts.update_forecast(page, server.base)
    assert row.met, row


def test_an_update_is_undone_by_keys_and_the_cursor_is_back_in_its_card(
    page: Page, server: Server
) -> None:
    daily_acts.opened(page, server.base)
    cards = page.locator('[class*="st-key-act-forecast-"]')
    first, following = (
        cards.nth(place).evaluate("card => [...card.classList].find(name => /act-/.test(name))")
        for place in (0, 1)
    )
    field, landing = (
        page.locator(f".{name}").get_by_label("Probability", exact=True)
        for name in (first, following)
    )
    before = field.input_value()
    field.fill("77")
    field.press("Enter")
    button = page.get_by_role("button", name="Undo", exact=True)
    expect(button).to_be_visible()
    page.locator(daily_acts.DONE).wait_for()
    assert daily_acts.has_focus(page, landing)  # the offer does not take the cursor
    for _ in range(6):
        page.keyboard.press("Shift+Tab")
        if button.and_(page.locator(":focus")).count():
            break
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stToast").filter(has_text="Undone")).to_be_visible()
    page.locator(daily_acts.DONE).wait_for()
    expect(button).to_have_count(0)
    assert daily_acts.has_focus(page, field)
    expect(field).to_have_value(before)


def test_the_score_of_a_resolved_question_is_a_click_from_today(page: Page, server: Server) -> None:
    row = daily_acts.find_earned(page, server.base)
    assert row.met, row


def test_a_pasted_article_becomes_a_forecast_question_in_four_interactions(
    page: Page, server: Server
) -> None:
    row = daily_acts.paste_article(page, server.base)
    assert row.met, row


def test_the_first_probability_is_a_tab_away_and_the_next_one_none(
    page: Page, server: Server
) -> None:
    row = daily_acts.by_keyboard(page, server.base)
    assert row.met, row


def test_the_probability_reached_by_a_key_is_replaced_by_typing(page: Page, server: Server) -> None:
    daily_acts.opened(page, f"{server.base}/question?slug=due-0")
    field = page.get_by_label("Probability", exact=True)
    expect(field).not_to_have_value("")
    page.keyboard.press("f")
    page.keyboard.type("45")
    assert field.input_value() == "45"


def test_nothing_typed_is_left_without_a_question(page: Page, server: Server) -> None:
    row = daily_acts.lost_text(page, server.base, ("",), most=2)  # Today; all in the long test
    assert row.met, row


def test_going_back_asks_too_and_leaves_the_text_if_refused(page: Page, server: Server) -> None:
    daily_acts.opened(page, server.base)
    page.locator('[class*="st-key-todo-"] a').first.click()
    page.wait_for_url("**/question?slug=*")
    address = page.url
    page.locator(daily_acts.DONE).wait_for()
    field = page.get_by_label("Probability", exact=True)
    field.fill("")
    page.keyboard.type("35")
    answers = iter((False, True))
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept() if next(answers) else dialog.dismiss()

    page.on("dialog", answer)
    with page.expect_event("dialog"):
        page.evaluate("window.setTimeout(() => window.history.back(), 0)")
    page.wait_for_url(address)
    assert field.input_value() == "35"
    page.keyboard.press("End")  # a browser lets a page stop it once for each thing that one does
    page.evaluate("window.setTimeout(() => window.history.back(), 0)")
    page.get_by_role("heading", level=1, name="Today").wait_for()
    assert asked == ["You have typed something that is not saved. Leave it?"] * 2


def test_going_back_just_after_typing_stays_on_the_page_gone_back_to(
    page: Page, server: Server
) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    daily_acts.opened(page, server.base)
    page.locator('[class*="st-key-todo-"] a').first.click()
    page.wait_for_url("**/question?slug=*")
    page.locator(daily_acts.DONE).wait_for()
    page.get_by_label("Probability", exact=True).fill("")
    page.keyboard.type("35")
    # In ms: the field sends what was typed after about 200.
    page.evaluate("window.setTimeout(() => window.history.back(), 190)")
    page.get_by_role("heading", level=1, name="Today").wait_for()
    page.locator(daily_acts.DONE).wait_for()
    daily_acts.line_field(page).fill("Will a barge dock by 1 June 2027?")
    page.get_by_text("closes 1 Jun 2027").wait_for()


def test_a_saved_line_is_left_without_a_question(page: Page, server: Server) -> None:
    daily_acts.opened(page, server.base)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    title = f"Will tug {page.viewport_size} dock by 1 June 2027? 30%"
    daily_acts.line_field(page).fill(title)
    page.get_by_text("closes 1 Jun 2027").wait_for()
    closes = page.get_by_label("Last day", exact=True).first
    closes.click()
    closes.fill("5 May 2027")  # the reading is corrected
    closes.press("Enter")
    page.get_by_text("Saved:").wait_for()
    page.locator(daily_acts.DONE).wait_for()
    with page.expect_navigation():
        daily_acts.leave(page, wide=False)
    assert asked == []


def test_another_ledger_is_not_opened_over_typed_text(page: Page, server: Server) -> None:
    daily_acts.opened(page, f"{server.base}/settings")
    field = page.get_by_label("Review forecasts every (days)", exact=True)
    field.fill("9")
    asked: list[str] = []

    def refuse(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.get_by_role("button", name="Open the sample ledger").click()
    assert asked == ["You have typed something that is not saved. Leave it?"]
    assert field.input_value() == "9"


@pytest.mark.long
def test_nothing_typed_on_any_page_is_left_without_a_question(page: Page, server: Server) -> None:
    row = daily_acts.lost_text(page, server.base)
    assert row.met, row


@pytest.mark.parametrize("width", BOTH)
def test_a_new_user_forecasts_within_half_a_minute(
    browser: BrowserContext, tmp_path: Path, width: int
) -> None:
    with tab(browser, width, daily_acts.WIDTHS[width]) as page:
        row = daily_acts.first_forecast(page, tmp_path)
    assert row.met, row


def test_a_selected_passage_becomes_a_forecast_question_in_three_actions(
    page: Page, server: Server
) -> None:
    daily_acts.opened(page, f"{server.base}/articles")
    page.get_by_text("Capture while you read").click()
    link = page.get_by_role("link", name="Ask about this page")
    bookmarklet = link.get_attribute("href")
    assert link.evaluate("link => getComputedStyle(link).cursor") == "grab"
    width = WIDE
    story = f"Work began long ago. The mayor will open lock {width} by 31 March 2099, she said."
    page.route(
        "**/story", lambda route: route.fulfill(body=f"<p>{story}</p>", content_type="text/html")
    )
    page.goto(f"{server.base}/story")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('p'))")
    with page.context.expect_page() as opening:
        page.evaluate(f"window.location.href = {bookmarklet!r}")  # 1
    capture = opening.value
    capture.get_by_role("heading", name="Possible questions").wait_for()
    assert daily_acts.has_focus(capture, capture.get_by_label("Forecast", exact=True).first)
    capture.keyboard.type("30")  # 2
    capture.keyboard.press("Enter")  # 3
    capture.get_by_text("Your forecast: 30%.").first.wait_for()


def test_a_passage_shared_by_a_phone_is_read_at_once(page: Page, server: Server) -> None:
    """Sent as the system's share menu does it by the manifest: a form with the method GET."""
    target = page.request.get(f"{server.base}/app.webmanifest").json()["share_target"]
    assert target["method"] == "GET"
    width = WIDE
    passage = f"The mayor of Brenholt will open lock {width} & dock by 31 March 2099, she said."
    address = "https://example.org/story?utm_source=phone#:~:text=The%20mayor"
    shared = {"title": "A lock – 100% new", "text": f'"{passage}"\n {address}', "url": ""}
    query = urlencode({target["params"][name]: value for name, value in shared.items()})
    page.goto(f"{server.base}{target['action']}?{query}")
    page.get_by_role("heading", name="Possible questions").wait_for()
    expect(page.get_by_text("A lock – 100% new").first).to_be_visible()
    expect(page.get_by_text("example.org").first).to_be_visible()
    question = page.get_by_label("Question", exact=True).first
    expect(question).to_have_value(
        f"Will the mayor of Brenholt open lock {width} & dock by 31 March 2099?"
    )
    assert daily_acts.has_focus(page, page.get_by_label("Forecast", exact=True).first)
