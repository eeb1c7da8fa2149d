"""axe-core finds nothing on any page, at either width, in light and dark colours.

Nor does any page show a number as nobody should read it, log an error in the browser's console, or
load anything from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from forecasts.samples import demonstration
from tests.app.browsing import APP, DONE, IN_BROWSER, PATIENCE, Watch, go, serving, tab, until
from tests.documents.test_numbers import faulty

ROOT = Path(__file__).parents[2]
pytestmark = IN_BROWSER
QUESTION = "trump-xi-in-person-fall-2025"
Scheme = Literal["light", "dark"]
SCREENS: tuple[tuple[int, Scheme], ...] = ((1280, "light"), (390, "dark"))
# What another width or other colours may change; the first page is checked whole on both screens.
CHANGED = ("color-contrast", "link-in-text-block", "target-size")
# Streamlit's tables scroll sideways; the browser makes that possible by keyboard.
STREAMLITS = ("scrollable-region-focusable",)
PAGES = sorted(
    page.stem for page in (ROOT / "app" / "app_pages").glob("*.py") if page.stem != "__init__"
)
# Texts that are cut off, and the choice of a token. Other choices and what is typed may be longer
# than their fields.
CUT = """() => [...document.querySelectorAll("[data-testid=stMain] *")].filter((one) => {
    const says = [...one.childNodes].some((part) => part.nodeType === 3 && part.data.trim());
    const isHidden = says && getComputedStyle(one).overflowX === "hidden";
    const isToken = one.matches("[class*=st-key-revoke] input[role=combobox]");
    return (isHidden || isToken) && one.checkVisibility() && one.clientWidth > 8
        && one.scrollWidth > one.clientWidth + 1;
}).map((one) => one.value ?? one.innerText)"""
FITS = """() => {
    const main = document.querySelector("[data-testid=stMain]");
    return document.documentElement.scrollWidth <= innerWidth
        && main.scrollWidth <= main.clientWidth;
}"""
OPEN = """() => {
    for (const one of document.querySelectorAll("details:not([open]) > summary")) one.click();
}"""
QUERY = {"question": f"?slug={QUESTION}", "track_record": "?name=Kestrel+1+%28simulated%29"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app on the demonstration, which has content in every state."""
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forecasts.common.settings.data_folder", lambda: folder)
        url = demonstration.build(now=datetime.now(UTC), echo=lambda _: None)
    with serving(folder, url, FORECASTS_MEMBER="Wren 1 (simulated)") as base:
        yield base


def test_the_pages_are_all_that_there_are() -> None:
    assert {"today", "questions", "question", *QUERY} <= set(PAGES)


def test_nothing_on_a_page_keeps_anybody_out(browser: BrowserContext, base: str) -> None:
    """Each page is opened once: to open it takes longer than to look at it."""
    watch, grave = Watch(base), {}
    with tab(browser) as shown:
        watch.over(shown)
        for page, (width, scheme) in product(PAGES, SCREENS):
            shown.set_viewport_size({"width": width, "height": 900})
            shown.emulate_media(color_scheme=scheme)
            if scheme == "light":
                _open(shown, base, page)
            rules = () if scheme == "light" or page == PAGES[0] else CHANGED
            if found := _grave(shown, scheme, rules):
                grave[page, width] = found
        headers = shown.request.get(base).headers
    assert (grave, watch.red, watch.outside) == ({}, [], [])
    assert not re.search("eval|http|[*]", headers["content-security-policy"])
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == (
        "nosniff",
        "SAMEORIGIN",
    )
    assert headers["referrer-policy"] == "same-origin"


TEXTS = """() => {
    const all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), texts = [];
    while (all.nextNode())
        if (!all.currentNode.parentElement.closest("script, style, code"))
            texts.push(all.currentNode.data);
    return texts;
}"""


@pytest.mark.parametrize("width", [1280, 390])
def test_a_question_of_my_scores_opens_in_place_and_closes_no_other(
    browser: BrowserContext, base: str, width: int
) -> None:
    with tab(browser, width, 844) as page:
        page.goto(f"{base}/my_scores")
        rows = page.locator(".st-key-scored details")
        expect(rows.nth(2)).to_be_visible(timeout=PATIENCE)
        for place, far in ((0, 0.97), (1, 0.5)):  # anywhere in it, at its right edge too
            row = rows.nth(place).locator("summary")
            room = row.bounding_box()
            assert room is not None
            assert room["width"] <= width - 32
            row.click(position={"x": room["width"] * far, "y": room["height"] * 0.8})
        rows.nth(2).locator("summary").press("Enter")
        for place in range(3):
            link = rows.nth(place).get_by_role("link", name="Open the question")
            expect(link).to_be_visible(timeout=PATIENCE)
        assert page.url == f"{base}/my_scores"
        rows.nth(1).locator("summary").press("Enter")
        expect(rows.nth(1).get_by_role("link")).to_be_hidden()
        expect(rows.nth(0).get_by_role("link")).to_be_visible()


def _open(shown: Page, base: str, page: str) -> None:
    address = f"{base}/{'' if page == 'today' else page}{QUERY.get(page, '')}"
    shown.goto(address) if shown.url == "about:blank" else go(shown, address)
    expect(shown.get_by_role("heading", level=1).first).to_be_visible(timeout=PATIENCE)


def _grave(shown: Page, scheme: Scheme, rules: Sequence[str]) -> set[str]:
    """Return the serious faults of the page that is shown, by these rules of axe or by all."""
    expect(shown.locator(DONE)).to_be_visible(timeout=PATIENCE)
    # Wait for the colour scheme and for full contrast: nothing still loading or dimmed.
    expect(shown.locator(APP)).to_have_css("color-scheme", scheme, timeout=PATIENCE)
    for passing in ('[data-stale="true"]', '[data-testid="stSkeleton"]'):
        expect(shown.locator(passing)).to_have_count(0, timeout=PATIENCE)
    until(shown, "document.getAnimations().every(one => one.playState != 'running')")
    options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
    found = {f"number: {text}" for text in shown.evaluate(TEXTS) if faulty(text)} | {
        f"{one['id']}: {' '.join(node['target'])}"
        for one in Axe().run(shown, options=options).response["violations"]
        if one["impact"] in ("serious", "critical") and one["id"] not in STREAMLITS
        for node in one["nodes"]
    }
    if (shown.viewport_size or {"width": 0})["width"] > 640:
        return found
    shown.evaluate(OPEN)
    until(shown, FITS)  # parts that come last may be wider for a moment
    return found | {f"cut off: {text}" for text in shown.evaluate(CUT)}
