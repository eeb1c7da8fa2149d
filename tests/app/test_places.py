"""The places of the app, on a wide screen and in a phone's bar, with the count of what is to do."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from benchmarks import daily_acts
from tests.app.browsing import IN_BROWSER, Server, reach

pytestmark = IN_BROWSER
COUNTED = re.compile(r"^Today \d+$")
FINGER = 44  # px


def test_a_phone_has_the_places_in_a_bar_which_keys_reach_and_which_covers_nothing(
    page: Page, server: Server
) -> None:
    page.goto(f"{server.base}/my_scores")
    today = page.get_by_role("link", name=COUNTED)
    expect(today).to_be_visible()  # on a first visit to another page
    bar = page.get_by_role("navigation", name="Places")
    expect(bar).to_be_hidden()
    said = today.inner_text()

    page.set_viewport_size({"width": 390, "height": 844})
    expect(bar).to_be_visible()
    expect(bar.get_by_role("link", name=said)).to_be_visible()
    links, lists = bar.get_by_role("link"), bar.get_by_role("button")
    assert [one.inner_text().split("\n")[-1] for one in links.all()] == [
        said,
        "Questions",
        "News",
        "Articles",
    ]
    for one in (*links.all(), *lists.all()):
        box = one.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= FINGER
    for name in ("Record", "Team and settings"):
        expect(bar.get_by_role("button", name=name)).to_be_visible()
    reach(page, bar.get_by_role("button", name="Record"))
    page.keyboard.press("Enter")
    compare = page.get_by_role("dialog", name="Record").get_by_role("link", name="Compare")
    reach(page, compare)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Compare")).to_be_visible()
    expect(compare).to_have_count(0)
    bar.get_by_role("link", name="Questions").click()
    expect(page.get_by_role("heading", level=1, name="Questions")).to_be_visible()
    expect(bar.get_by_role("link", name="Questions")).to_have_attribute("aria-current", "page")
    page.locator(daily_acts.DONE).wait_for()

    main = page.get_by_test_id("stMain")
    main.evaluate("main => main.scrollTo(0, main.scrollHeight)")
    end = page.get_by_text("You forecast as alice").bounding_box()
    top = bar.bounding_box()
    assert end is not None
    assert top is not None
    assert end["y"] + end["height"] <= top["y"]
    page.emulate_media(media="print")
    expect(bar).to_be_hidden()


def test_a_question_is_in_the_place_of_all_questions(page: Page, server: Server) -> None:
    daily_acts.opened(page, f"{server.base}/question?slug=open-0")
    menu, bar = page.get_by_test_id("stTopNav"), page.get_by_role("navigation", name="Places")
    for place, width in ((menu, 1280), (bar, 390)):
        page.set_viewport_size({"width": width, "height": 844})
        here = place.locator("[aria-current=page]")
        expect(here).to_have_text(re.compile("Questions$"))
    page.set_viewport_size({"width": 1280, "height": 844})
    menu.get_by_role("link", name="Articles").click()
    expect(page.get_by_role("heading", level=1, name="Articles")).to_be_visible()
    expect(menu.locator("[aria-current=page]")).to_have_text("Articles")
