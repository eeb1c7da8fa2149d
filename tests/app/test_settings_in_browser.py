"""Settings that the browser itself applies, and the sample ledger as it is really built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.app.browsing import APP, IN_BROWSER, serving, tab

pytestmark = IN_BROWSER


@pytest.fixture
def page(browser: BrowserContext, tmp_path: Path) -> Iterator[Page]:
    """A browser in Tokyo, on the app of an empty ledger."""
    own = tmp_path / "forecasts" / "ledger.sqlite3"
    with serving(tmp_path, own, XDG_DATA_HOME=str(tmp_path)) as base, tab(browser) as page:
        zone = {"timezoneId": "Asia/Tokyo"}
        browser.new_cdp_session(page).send("Emulation.setTimezoneOverride", zone)
        page.goto(f"{base}/settings")
        yield page


def test_theme_and_zone_are_applied_and_the_sample_keeps_them(page: Page) -> None:
    expect(page.get_by_text("Times: Asia/Tokyo.")).to_be_visible()
    expect(page.locator(APP)).to_have_css("color-scheme", "light")
    page.get_by_role("radio", name="Dark").click()
    page.get_by_role("button", name="Save", exact=True).click()
    # The page reloads in the theme, and every other page opens in it.
    expect(page.locator(APP)).to_have_css("color-scheme", "dark")
    page.goto(page.url.removesuffix("settings"))
    expect(page.locator(APP)).to_have_css("color-scheme", "dark")
    page.get_by_role("button", name="Open the sample ledger").click()
    expect(page.get_by_text("Sample ledger: simulated people and data")).to_be_visible()
    expect(page.get_by_text("Will Xi Jinping visit the United States").first).to_be_visible()
    expect(page.locator(APP)).to_have_css("color-scheme", "dark")
    page.get_by_role("button", name="Back to your ledger").click()
    expect(page.get_by_role("heading", name="Ask your first question")).to_be_visible()
