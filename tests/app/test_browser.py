"""The journey in a real browser on a real server: no outside requests, no console errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect

from forecasts.access import tokens
from forecasts.access.members import member_or_new
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from tests.app.browsing import (
    APP,
    DONE,
    IN_BROWSER,
    PATIENCE,
    Server,
    Watch,
    current_field,
    go,
    tab,
    until,
)
from tests.app.conftest import ARTICLE, write_question
from tests.app.test_accessibility import CUT, FITS, OPEN

WIDTHS = [1280, pytest.param(390, marks=pytest.mark.long)]
pytestmark = IN_BROWSER
HOSTILE = (
    "**Will** <img src=x onerror=alert(1)> [win](https://example.org) :smile: $x^2$ -> :red[it]?"
)


def test_from_a_question_in_hostile_words_to_the_score_on_the_screen(
    page: Page, server: Server, watch: Watch
) -> None:
    page.goto(f"{server.base}/questions?view=Ask+a+question")
    current_field(page, "Question").fill(HOSTILE)
    current_field(page, "Last day of forecasting").fill("2040-12-31")
    current_field(page, "Resolution criteria").fill(HOSTILE)
    expect(page.get_by_text("Read as 31 Dec 2040")).to_be_visible()
    expect(page.locator(DONE)).to_be_visible()
    page.get_by_role("button", name="Register question").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("onerror")
    assert heading.inner_text().replace("\u2060", "") == HOSTILE
    criteria = page.get_by_test_id("stMarkdown").filter(has_text="onerror").first
    for place in (heading, criteria):
        expect(place.locator("code")).to_have_text(["https://example.org)"])
        assert place.locator("a[href*=example], img, strong, em, .katex").count() == 0

    # Back leads to the form that asked it.
    page.go_back()
    expect(current_field(page, "Last day of forecasting")).to_have_value("")
    page.go_forward()
    expect(heading).to_contain_text("onerror")

    # Its link opens it again.
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Link copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    # Where the browser copies nothing, it is there to be copied by hand.
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    page.evaluate("() => { document.execCommand = () => false; }")
    page.get_by_role("button", name="Link copied").click()
    expect(page.get_by_role("button", name="Copy by hand:")).to_be_visible()
    link = page.get_by_role("textbox", name="Link", exact=True)
    expect(link).to_have_value(page.url)
    assert link.evaluate("one => one.selectionEnd") == len(page.url)
    page.evaluate("() => { document.execCommand = () => true; }")
    page.get_by_role("button", name="Copy by hand:").click()
    expect(page.get_by_role("button", name="Link copied")).to_be_visible()
    expect(link).to_be_hidden()

    # Until it is forecast it is among those that need alice, whose number stands beside Today.
    to_do = page.get_by_role("link", name=re.compile(r"^Today \d+$"))
    before = int(to_do.inner_text().removeprefix("Today "))

    # Two updates with evidence; a double click stores one.
    value, reason, evidence = (
        current_field(page, label) for label in ("Probability", "Reason", "Evidence")
    )
    value.fill("60%")
    reason.fill("Both want it")
    page.get_by_text("Evidence and review date", exact=True).click()
    evidence.fill("https://example.org/one")
    page.get_by_role("button", name="Save forecast").click()
    now = page.get_by_test_id("stMarkdown").filter(has_text="since")
    expect(now).to_contain_text("60%")
    expect(to_do).to_have_text(f"Today {before - 1}")
    expect(page.locator(DONE)).to_be_visible()
    expect(reason).to_have_value("")
    value.fill("9:1")
    reason.fill("A date is set")
    page.get_by_text("Evidence and review date", exact=True).click()
    evidence.fill("A note of my own")
    page.get_by_role("button", name="Update forecast").dblclick()
    expect(now).to_contain_text("90%")
    # The second click of two may come when the first one's act is stored.
    expect(page.locator(DONE)).to_be_visible()
    page.get_by_role("button", name="Update forecast").hover()
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    for read in ("80%, odds 4:1", "90%, odds 9:1"):  # read after that click's run
        value.fill(read[:3])
        expect(page.get_by_text(read)).to_be_visible()
    expect(page.get_by_role("tab", name="Forecasts (2)")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile(r"example\.org"))).to_be_visible()

    # The outcome becomes known now.
    page.get_by_role("link", name="Resolve this question").click()
    page.get_by_role("radiogroup", name="Outcome").get_by_text("yes", exact=True).click()
    page.get_by_label("Note", exact=True).fill("They shook hands.")
    page.get_by_role("button", name="Resolve", exact=True).click()
    expect(page.get_by_role("heading", name="Outcome: yes")).to_be_visible()
    expect(page.get_by_text("They shook hands.")).to_have_count(1)

    score = page.get_by_test_id("stMetric").filter(has_text="Your Brier (0–1)")
    expect(score.get_by_test_id("stMetricValue")).to_have_text(re.compile(r"^0\.[01]\d+$"))
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_role("menuitem", name="Track record").click()
    # Its scheduled close is years away, so the verdict does not count it yet.
    counted = re.compile(r"^Too few to tell: the verdict counts 0 of \d+ questions\.")
    expect(page.get_by_text(counted)).to_be_visible()


def test_a_wrong_split_is_put_right_before_anything_is_stored(
    browser: BrowserContext, server: Server, watch: Watch
) -> None:
    with tab(browser, 390, 800) as page:
        watch.over(page)
        page.goto(f"{server.base}/articles")
        page.get_by_label("Article", exact=True).fill(
            "The ferry is old\n\nIt was built in 1952 and has carried a million people since.\n\n"
            "The quay is late\n\nIt will open by the end of the year, its builder says."
        )
        page.get_by_role("button", name="Read", exact=True).click()
        page.get_by_text("1. The ferry is old").click()
        divide = page.get_by_role("button", name="Divide")
        divide.scroll_into_view_if_needed()  # the article has opened, and its form has its place
        until(page, "() => document.getAnimations().every(one => one.playState !== 'running')")
        divide.click()
        page.get_by_role("radiogroup").get_by_text("The quay is late").click()
        page.get_by_role("button", name="Divide here").click()
        expect(page.get_by_text("2. The quay is late")).to_be_visible(timeout=PATIENCE)
        page.get_by_label("Title", exact=True).last.fill("The quay is later")
        page.get_by_role("button", name="Merge with no. 1").click()
        expect(page.get_by_role("button", name="Store 1 article")).to_be_visible(timeout=PATIENCE)
        page.get_by_role("button", name="Undo the merge").click()
        expect(page.get_by_text("2. The quay is later")).to_be_visible(timeout=PATIENCE)
        main = page.get_by_test_id("stMain")
        assert main.evaluate("main => main.scrollWidth - main.clientWidth") <= 0
        page.get_by_role("button", name="Discard").click()
        expect(page.get_by_text("not stored yet")).to_have_count(0, timeout=PATIENCE)


def test_the_theme_of_the_settings_and_the_zone_of_the_browser_are_applied(
    browser: BrowserContext, page: Page, server: Server
) -> None:
    zone = {"timezoneId": "Asia/Tokyo"}
    browser.new_cdp_session(page).send("Emulation.setTimezoneOverride", zone)
    page.goto(f"{server.base}/settings")
    for theme, scheme in (("Dark", "dark"), ("Device", "light")):
        expect(page.get_by_text("Times: Asia/Tokyo.")).to_be_visible()
        page.get_by_role("radio", name=theme).click()
        with page.expect_navigation():  # it reloads in the theme
            page.get_by_role("button", name="Save", exact=True).first.click()
        expect(page.locator(APP)).to_have_css("color-scheme", scheme)


@pytest.mark.parametrize("width", WIDTHS)
def test_results_and_the_forecast_are_in_the_first_screen(
    browser: BrowserContext, server: Server, width: int
) -> None:
    height = 800 if width == 1280 else 844
    write_question(sqlite_url(server.ledger), f"dam-{width}")
    with tab(browser, width, height) as page:
        page.goto(server.base)
        expect(page.get_by_text("Needs your forecast").first).to_be_visible()
        expect(page.locator(DONE)).to_be_visible()
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
        card = page.locator('[class*="st-key-todo-"]').first.bounding_box()
        assert card is not None
        assert card["y"] + card["height"] <= height
        assert width < 640 or card["height"] <= 140
        go(page, f"{server.base}/questions?words=quay")
        expect(page).to_have_title("Questions · Forecast Ledger")
        first = page.get_by_role("link", name="Will the quay open?")
        expect(first).to_be_in_viewport(ratio=1)
        first.click()
        expect(page).to_have_title("Will the quay open? · Question · Forecast Ledger")
        value = current_field(page, "Probability")
        expect(value).to_be_in_viewport(ratio=1)
        save = page.get_by_role("button", name=re.compile("^(Save|Update) forecast$"))
        expect(save).to_be_in_viewport(ratio=1)
        chart = page.get_by_test_id("stVegaLiteChart")
        expect(chart.locator("canvas, svg").first).to_be_visible()
        here, there = value.bounding_box(), chart.bounding_box()
        assert here
        assert there
        beside = here["x"] > there["x"] + there["width"]
        assert beside if width == 1280 else here["y"] < there["y"]
        page.go_back()
        expect(page).to_have_title("Questions · Forecast Ledger")
        expect(current_field(page, "Search")).to_have_value("quay")


def test_pages_fit_a_narrow_screen_and_an_address_is_copied_unchanged(
    browser: BrowserContext, server: Server, watch: Watch
) -> None:
    engine = database.open_engine(sqlite_url(server.ledger))
    with database.writing(engine) as ledger:
        alice, now = member_or_new(ledger, "alice", now=datetime.now(UTC)), datetime.now(UTC)
        tokens.create(ledger, "resolver-bot", member=alice, now=now)
    engine.dispose()
    with tab(browser, 390, 844) as page:
        watch.over(page)
        page.goto(f"{server.base}/practice")
        # The other pages are measured where axe-core looks at them.
        views = ("", "questions?view=Ask+a+question", "question?slug=quay", "questions")
        for path in (*views, "settings", "articles?article=1"):
            go(page, f"{server.base}/{path}")
            expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=PATIENCE)
            expect(page.get_by_text("Times: ")).to_be_visible(timeout=PATIENCE)
            expect(page.locator(DONE)).to_be_visible()
            if path == "questions":
                expect(page.get_by_test_id("stPageLink").first).to_be_in_viewport(ratio=1)
            page.evaluate(OPEN)
            until(page, FITS)  # parts that come last may be wider for a moment
            assert page.evaluate(CUT) == [], path
        copied = page.get_by_role("link", name=ARTICLE.url).evaluate(
            "link => { getSelection().selectAllChildren(link); return getSelection().toString() }"
        )
        assert copied == ARTICLE.url


def test_a_mark_in_the_text_leads_to_its_draft_and_back(
    page: Page, server: Server, watch: Watch
) -> None:
    page.goto(f"{server.base}/articles?article=1")
    name = "The harbour master will open the quay by 20 January 2026."
    mark = page.get_by_role("link", name=name, exact=True)
    quote = page.get_by_role("link", name=f"“{name}”", exact=True)
    expect(mark).to_have_css("text-decoration-line", "underline")
    expect(mark).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    expect(page.locator(DONE)).to_be_visible()
    card = page.locator('[class*="st-key-act-draft-"]').filter(has=quote)
    card.get_by_label("Forecast", exact=True).fill("30%")  # nothing is asked on the way
    mark.click()
    expect(quote).to_be_focused()
    expect(quote).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(mark).to_be_focused()
    card.get_by_label("Forecast", exact=True).fill("")


def test_the_list_follows_each_key_of_a_search_and_a_slow_run_loses_none(
    browser: BrowserContext, server: Server
) -> None:
    held: list[Callable[[], None]] = []
    holds = False

    def through(here: WebSocketRoute) -> None:
        there = here.connect_to_server()
        there.on_message(
            lambda said: held.append(lambda: here.send(said)) if holds else here.send(said)
        )

    with tab(browser) as page:
        page.route_web_socket(re.compile("_stcore/stream"), through)
        page.goto(f"{server.base}/questions")
        titles = page.get_by_test_id("stPageLink")
        quay, ferry = (
            titles.filter(has_text=f"Will the {name} open?") for name in ("quay", "ferry")
        )
        expect(ferry).to_be_visible()
        search = page.get_by_label("Search", exact=True)
        search.click()
        page.keyboard.type("the qu")
        expect(ferry).to_have_count(0)
        expect(quay).to_be_visible()
        holds = True
        page.keyboard.press("Control+a")
        page.keyboard.type("the fer")
        page.wait_for_url("**words=the+fer")  # sent, and answered once the last key is sent too
        page.keyboard.press("Home")
        page.keyboard.type("open ")
        page.wait_for_url("**words=open+the+fer")
        page.keyboard.type("will ")
        holds = False
        for answer in held:
            answer()
        expect(ferry).to_be_visible()
        expect(quay).to_have_count(0)
        expect(search).to_be_focused()
        expect(search).to_have_value("open will the fer")
        assert search.evaluate("field => field.selectionStart") == 10
