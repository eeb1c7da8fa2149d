"""The daily acts in a real browser, by keyboard alone, and held to their bars.

``benchmarks.daily_acts`` prints them.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from benchmarks import daily_acts
from tests.app.browsing import (
    DONE,
    IN_BROWSER,
    UNSAVED,
    Server,
    current,
    current_field,
    dialogs,
    go,
    reach,
    said,
    tab,
    until,
)

pytestmark = IN_BROWSER
WIDE, NARROW = daily_acts.WIDTHS
BOTH = [WIDE, pytest.param(NARROW, marks=pytest.mark.long)]


def test_the_acts_of_a_day_keep_to_their_limits(page: Page, server: Server) -> None:
    for act in (
        daily_acts.by_keyboard,
        daily_acts.update_forecast,
        daily_acts.find_earned,
        daily_acts.paste_article,
    ):
        row = act(page, server.base)
        assert row.met, row


def test_a_new_question_is_one_field_and_one_key_and_leaving_asks_nothing(
    page: Page, server: Server
) -> None:
    # The ratio to a page of one field is printed by the benchmark: tests share the machine.
    daily_acts.opened(page, server.base)
    asked = dialogs(page)
    field = daily_acts.line_field(page)
    for number in (1, 2):
        daily_acts.save_line(page, f"Will boat {number} of {page.viewport_size} dock tomorrow?")
        assert daily_acts.has_focus(page, field)
        expect(field).to_have_value("")
    title = f"Will tug {page.viewport_size} dock by 1 June 2027?"
    field.fill(f"{title} 30%")
    page.get_by_text("closes 1 Jun 2027").wait_for()
    closes = current_field(page, "Last day")
    closes.click()
    closes.fill("5 May 2027")  # the reading is corrected
    closes.press("Enter")
    page.get_by_text(f"30% on “{title}”").wait_for()
    page.locator(daily_acts.DONE).wait_for()
    with page.expect_navigation():
        daily_acts.leave(page, wide=False)
    assert asked == []


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
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(said(page).get_by_text("Undone")).to_be_visible()
    page.locator(daily_acts.DONE).wait_for()
    expect(button).to_have_count(0)
    assert daily_acts.has_focus(page, field)
    expect(field).to_have_value(before)


def test_nothing_typed_is_left_without_a_question(page: Page, server: Server) -> None:
    today, *_ = daily_acts.PAGES  # the others in the long test
    row = daily_acts.lost_text(page, server.base, (today,), most=2)
    assert row.met, row


def type_on_the_first_question(page: Page) -> Locator:
    """Open the first question of Today and type a probability; return its field."""
    page.locator('[class*="st-key-todo-"] a').first.click()
    page.wait_for_url("**/question?slug=*")
    page.locator(daily_acts.DONE).wait_for()
    field = current_field(page, "Probability")
    field.fill("")
    page.keyboard.type("35")
    return field


def test_going_back_asks_too_leaves_the_text_if_refused_and_stays_on_the_page_gone_back_to(
    page: Page, server: Server
) -> None:
    daily_acts.opened(page, server.base)
    today = page.get_by_role("heading", level=1, name="Today")
    asked = dialogs(page, False, True, True)
    field = type_on_the_first_question(page)
    address = page.url
    with page.expect_event("dialog"):
        page.evaluate("window.setTimeout(() => window.history.back(), 0)")
    page.wait_for_url(address)
    assert field.input_value() == "35"
    page.keyboard.press("End")  # a browser lets a page stop it once for each thing that one does
    page.evaluate("window.setTimeout(() => window.history.back(), 0)")
    today.wait_for()
    assert asked == [UNSAVED] * 2
    page.locator(daily_acts.DONE).wait_for()
    type_on_the_first_question(page)
    # In ms: the field sends what was typed after about 200.
    page.evaluate("window.setTimeout(() => window.history.back(), 190)")
    today.wait_for()
    page.locator(daily_acts.DONE).wait_for()
    daily_acts.line_field(page).fill("Will a barge dock by 1 June 2027?")
    page.get_by_text("closes 1 Jun 2027").wait_for()


@pytest.mark.long
def test_nothing_typed_on_any_page_is_left_without_a_question(page: Page, server: Server) -> None:
    _, *others = daily_acts.PAGES
    row = daily_acts.lost_text(page, server.base, others, most=2)
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
    story = "Work began long ago. The mayor will open the lock by 31 March 2099, she said."
    page.route(
        "**/story", lambda route: route.fulfill(body=f"<p>{story}</p>", content_type="text/html")
    )
    # Or its worker would fetch the story.
    page.evaluate(
        "navigator.serviceWorker.getRegistrations()"
        ".then((all) => Promise.all(all.map((one) => one.unregister())))"
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
    passage = "The mayor of Brenholt will open lock & dock by 31 March 2099, she said."
    address = "https://example.org/story?utm_source=phone#:~:text=The%20mayor"
    shared = {"title": "A lock – 100% new", "text": f'"{passage}"\n {address}', "url": ""}
    query = urlencode({target["params"][name]: value for name, value in shared.items()})
    page.goto(f"{server.base}{target['action']}?{query}")
    page.get_by_role("heading", name="Possible questions").wait_for()
    expect(page.get_by_text("A lock – 100% new").first).to_be_visible()
    expect(page.get_by_text("example.org").first).to_be_visible()
    question = page.get_by_label("Question", exact=True).first
    expect(question).to_have_value("Will the mayor of Brenholt open lock & dock by 31 March 2099?")
    assert daily_acts.has_focus(page, page.get_by_label("Forecast", exact=True).first)


def test_the_app_can_be_installed_and_says_so_without_a_network_until_it_is_back(
    browser: BrowserContext, server: Server
) -> None:
    with tab(browser) as page:
        page.goto(f"{server.base}/settings")
        expect(page.locator("link[rel=manifest]")).to_have_count(1)
        until(page, "navigator.serviceWorker.controller !== null")
        chromium = browser.new_cdp_session(page)
        assert chromium.send("Page.getAppManifest")["errors"] == []
        assert chromium.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
        for icon in page.request.get(f"{server.base}/app.webmanifest").json()["icons"]:
            assert (
                page.request.get(server.base + icon["src"]).headers["content-type"] == icon["type"]
            )
        browser.set_offline(True)
        try:
            page.reload()
            expect(page.get_by_role("heading", level=1, name="Offline")).to_be_visible()
        finally:
            browser.set_offline(False)
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", level=1, name="Settings")).to_be_visible()


def test_a_question_is_found_opened_and_forecast_and_another_one_asked(
    page: Page, server: Server
) -> None:
    page.goto(f"{server.base}/questions")
    reach(page, current_field(page, "Search"))
    page.keyboard.type("the ferry open")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"^1 of \d+ questions"))).to_be_visible()
    expect(page).to_have_url(re.compile("words=the"))
    reach(page, page.get_by_role("link", name="Will the ferry open?"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Will the ferry open?")
    forecast_by_keys(page)
    # A question with a last day is registered by Enter.
    go(page, f"{server.base}/questions?view=Ask+a+question")
    reach(page, current_field(page, "Question"))
    page.keyboard.type("Will the heath bloom?")
    page.keyboard.press("Tab")
    reach(page, current_field(page, "Last day of forecasting"))
    page.keyboard.type("31 december 1999")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stAlert")).to_be_visible()
    expect(current_field(page, "Last day of forecasting")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("in 3 weeks")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Will the heath bloom?")).to_be_visible()


def forecast_by_keys(page: Page) -> None:
    """Type a forecast with its reason, save it from a drop-down, and move the slider."""
    value, reason, slider = (
        current_field(page, label) for label in ("Probability", "Reason", "Probability slider")
    )
    expect(page.locator(DONE)).to_be_visible()
    value.click()
    page.keyboard.type("30")
    page.keyboard.press("Tab")
    page.keyboard.type("The slider is drawn again.")
    expect(slider).to_have_count(1)
    expect(page.locator(".typed-ahead")).to_have_count(0)
    expect(reason).to_have_value("The slider is drawn again.")
    expect(reason).to_be_focused()
    value.click()
    page.keyboard.type("47")  # the click has selected the old one
    page.get_by_text("Evidence and review date").click()
    page.get_by_role("combobox", name="Review in").focus()
    page.keyboard.press("Control+Enter")
    expect(said(page).get_by_text("47% on “Will the ferry open?”")).to_be_visible()
    expect(page.locator(DONE)).to_be_visible()
    expect(value).to_be_focused()
    # The slider moves with the arrow keys, and writes into the field.
    moved = current(page.get_by_role("slider"))
    expect(moved).to_have_value("47")
    moved.focus()
    page.keyboard.press("ArrowRight")
    expect(value).to_have_value("48%")
    # Outside fields a key leads to the first one, and what is typed replaces its text.
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("f")
    expect(value).to_be_focused()
    page.keyboard.type("45")
    expect(value).to_have_value("45")
    page.keyboard.press("Enter")
    expect(said(page).get_by_text("47% → 45% on “Will the ferry open?”")).to_be_visible()
    expect(page.locator(DONE)).to_be_visible()


def test_an_answer_is_practised_and_a_calendar_gets_an_address_until_it_is_revoked(
    page: Page, server: Server
) -> None:
    page.goto(f"{server.base}/practice")
    reach(page, current_field(page, "Probability of yes"))
    page.keyboard.type("53")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You said 53%")).to_be_visible()
    expect(page.get_by_text("Too few to tell")).to_be_visible()
    # The next answer needs no other key.
    expect(current_field(page, "Probability of yes")).to_be_focused()
    page.keyboard.type("3:7")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You said 30%")).to_be_visible()
    go(page, f"{server.base}/settings")
    reach(page, page.get_by_role("button", name="Create address"))
    page.keyboard.press("Enter")
    address = page.get_by_test_id("stCode").locator("code").filter(has_text="fcc_").inner_text()
    assert address.startswith(f"{server.base}/calendar/fcc_calendar-")
    read = page.context.request.get(address)
    assert read.headers["content-type"].startswith("text/calendar")
    assert "SUMMARY:Closes: Will the ferry open?" in read.text()
    copied, revoke = (
        page.get_by_role("button", name=name) for name in ("Copied", "Revoke address")
    )
    reach(page, copied)
    page.keyboard.press("Enter")
    expect(copied).to_have_count(0)
    reach(page, revoke)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Revoked your calendar address")).to_be_visible()
    assert page.context.request.get(address).status == 404
    # After the number; the secret itself may have any of these signs.
    secret = address.partition("fcc_calendar-")[2].partition("_")[2].removesuffix(".ics")
    assert len(secret) > 20
    assert secret not in (server.ledger.parent / "log").read_text()
    # The sample ledger is not opened over typed text.
    days = current_field(page, "Review forecasts every (days)")
    days.fill("9")
    asked = dialogs(page, False)
    page.get_by_role("button", name="Open the sample ledger").click()
    assert asked == [UNSAVED]
    expect(days).to_have_value("9")


@pytest.mark.parametrize("place", ["", "questions"])
def test_a_title_of_another_type_is_filled_into_the_full_form(
    page: Page, server: Server, place: str
) -> None:
    daily_acts.opened(page, f"{server.base}/{place}")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    line = page.get_by_label("New question", exact=True)
    line.fill("How many ships pass by 2099? 20")
    line.press("Tab")
    page.get_by_role("link", name="Open the full form").click()
    title = page.get_by_role("textbox", name="Question", exact=True)
    expect(title).to_have_value("How many ships pass by 2099?")
    expect(page.get_by_label("Lowest", exact=True)).to_be_visible()
    page.get_by_role("button", name="by the end of 2099").click()
    closes = page.get_by_role("textbox", name="Last day of forecasting")
    expect(closes).to_have_value("2099-12-31")
    assert asked == []
