"""A group, a group from an article, a conditional and a mended contradiction, in a few acts."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.app.browsing import DONE, IN_BROWSER, Server, Watch, current_field, go, said, tab
from tests.app.test_accessibility import FITS

WIDTHS = [1280, pytest.param(390, marks=pytest.mark.long)]
pytestmark = IN_BROWSER


def rest(page: Page) -> None:
    page.locator(DONE).wait_for()


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


@pytest.mark.parametrize("width", WIDTHS)
def test_questions_that_hang_together_take_few_acts(
    browser: BrowserContext, server: Server, watch: Watch, width: int
) -> None:
    with tab(browser, width, 900) as page:
        watch.over(page)
        page.goto(server.base)

        # A nested group of three from the one line: a field and Enter.
        line = current_field(page, "New question")
        line.fill(f"Will bridge {width} open by March, June, December 2040? 10, 30, 60")
        expect(page.get_by_text("3 questions · March 2040 10% · June 2040")).to_be_visible()
        line.press("Enter")
        saved = page.locator(".st-key-one-line-saved")
        expect(saved).to_contain_text("with 3 deadlines")

        # An order that cannot be is mended in a click before it is saved.
        line.fill(f"Will tunnel {width} open by March, June, December 2040? 30, 10, 60")
        button(page, "Use 20%, 20%, 60%").click()
        expect(current_field(page, "Probability of the new question")).to_have_value(
            "20%, 20%, 60%"
        )
        line.press("Enter")
        expect(saved).to_contain_text("20%, 20%, 60% on")

        # On a member's page all are forecast in one table, and mended in one click.
        saved.get_by_role("link", name="Open").click()
        expect(page.get_by_role("heading", name="Group")).to_be_visible()
        rest(page)
        field = page.get_by_label("March 2040", exact=True)
        field.fill("70")
        field.press("Tab")
        expect(page.get_by_text("contradict each other")).to_be_visible()
        assert page.evaluate(FITS)
        button(page, "Save all 3 coherent values").click()
        expect(said(page)).to_contain_text("Saved 3 coherent forecasts.")

        # A conditional: open, question, two forecasts, register.
        page.get_by_text("Ask under a condition", exact=True).click()
        current_field(page, "Question under the condition").fill(
            f"Will tolls {width} rise by March 2041?"
        )
        current_field(page, "Your forecast if yes").fill("50")
        current_field(page, "Your forecast if no").fill("10")
        expect(page.get_by_text("Implied:").first).to_be_visible()
        button(page, "Register question").click()
        expect(said(page)).to_contain_text("Registered 2 branches.")
        expect(page.get_by_role("heading", name="Conditional")).to_be_visible()
        assert page.evaluate(FITS)
        button(page, "Undo").click()
        expect(said(page)).to_contain_text("Discarded: 2 questions.")
        expect(page.get_by_role("heading", name="Conditional")).to_be_hidden()

        # From an article's draft: days, forecasts, register.
        go(page, "/articles")
        current_field(page, "Article").fill(
            f"Harbour {width}\n\nThe city will open the harbour {width} by March 2040, or by "
            "December 2040 at the latest.\n"
        )
        button(page, "Read").click()
        button(page, "Ask for each of 2 deadlines").click()
        page.get_by_label("Forecast", exact=True).fill("20, 50")
        expect(page.get_by_text("2 questions ·")).to_be_visible()
        button(page, "Register").click()
        expect(said(page)).to_contain_text("(2 questions) Your forecast: 20%, 50%.")
        button(page, "Undo").click()
        expect(said(page)).to_contain_text("Discarded: 2 questions.")
