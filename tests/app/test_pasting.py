"""A pasted article becomes a question with a forecast in four interactions at most."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from benchmarks import daily_acts
from tests.app.browsing import IN_BROWSER, Server, current_field, said, tab

pytestmark = IN_BROWSER
ARTICLE = (
    "The {0} is late\n\nWork began long ago. The Ministry of Transport will open the {0} by 31 "
    "March 2099, it said on Monday. Nobody objected."
)
MOST = 4  # interactions


class Person:
    """Someone at a page, who counts: a click, a paste, a text typed and Enter are one each."""

    def __init__(self, page: Page) -> None:
        self.page, self.done = page, 0

    def click(self, label: str) -> None:
        current_field(self.page, label).click()
        self.done += 1

    def paste(self, text: str) -> None:
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.press("Control+V")

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.done += 1

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.done += 1


@pytest.mark.parametrize("width", [1280, 390])
def test_a_pasted_article_is_read_at_once_and_its_first_draft_waits_for_a_forecast(
    browser: BrowserContext, server: Server, width: int
) -> None:
    browser.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.base)
    with tab(browser, width, 844) as page:
        draft = page.locator("[class*=st-key-act-draft] [class*=-value] input:focus")
        for path, name in (("", f"tunnel {width}"), ("articles", f"canal {width}")):
            daily_acts.opened(page, f"{server.base}/{path}")
            one = Person(page)
            if path:
                expect(current_field(page, "Article")).to_be_focused()
            else:
                one.click("New question")
            one.paste(ARTICLE.format(name))
            expect(draft).to_be_in_viewport()
            one.type("30")
            one.press("Enter")
            title = f"Will the Ministry of Transport open the {name} by 31 March 2099?"
            expect(said(page)).to_contain_text(f"Registered: {title} Your forecast: 30%.")
            assert one.done <= MOST
            with closing(sqlite3.connect(server.ledger)) as file:
                sql = "SELECT probability FROM forecast JOIN question_revision USING (question_id)"
                assert file.execute(f"{sql} WHERE title = ?", (title,)).fetchall() == [(0.3,)]

        if width != 1280:
            return  # what follows is the same at any width
        # What cannot be read is in the box, with the reason.
        daily_acts.opened(page, server.base)
        for pasted in ("http://127.0.0.1:9/x", "Too short\nfor an article"):
            one.click("New question")
            one.paste(pasted)
            expect(page.get_by_test_id("stAlert")).to_be_visible()
            expect(current_field(page, "Article")).to_have_value(pasted)
            expect(current_field(page, "Article")).to_be_focused()
            page.go_back()
        # A question and its forecast are a line.
        one.click("New question")
        one.paste(f"Will pier {width} open tomorrow?\n30%")
        line = current_field(page, "New question")
        expect(line).to_have_value(f"Will pier {width} open tomorrow? 30%")
        expect(line).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"30% on “Will pier {width} open tomorrow?”")).to_be_visible()
