"""The public record of the demonstration in Chromium, from files: nothing is asked of anybody."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from forecasts.access import members
from forecasts.ledger import database
from forecasts.publication.publish import publish
from forecasts.samples import demonstration
from tests.app.browsing import IN_BROWSER, tab

pytestmark = IN_BROWSER
Scheme = Literal["light", "dark"]
NOW = datetime(2026, 11, 24, 19, tzinfo=UTC)
QUESTION = "questions/modi-xi-meet-by-september-2025.html"
PAGES = (
    *("index.html", "questions.html", "report.html", "how-to-read.html", "verify.html", QUESTION),
    "questions/north-korea-next-nuclear-test.html",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published record of the member in whose place the app's reader sees the sample."""
    folder = tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forecasts.common.settings.data_folder", lambda: folder)
        engine = database.open_engine(demonstration.build(now=NOW, echo=lambda _: None))
    with database.reading(engine) as session:
        emi = members.member_named(session, demonstration.READER)
        publish(session, folder / "site", who=emi, member=emi, stamps={}, now=NOW)
    engine.dispose()
    return folder / "site"


def watched(page: Page, folder: Path) -> list[str]:
    """Return a list that gets the page's errors and its requests beyond the folder."""
    wrong: list[str] = []
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((folder.as_uri(), "data:"))
            else wrong.append(request.url)
        ),
    )
    return wrong


@pytest.mark.parametrize(
    ("width", "other", "scheme"),
    [
        pytest.param(1280, 390, "light", id="wide and light"),
        pytest.param(390, 1280, "dark", id="narrow and dark", marks=pytest.mark.long),
    ],
)
def test_every_page_fits_is_accessible_and_makes_no_requests(
    chromium: BrowserContext, folder: Path, width: int, other: int, scheme: Scheme
) -> None:
    with tab(chromium, width, scheme=scheme) as page:
        wrong = watched(page, folder)
        for path in PAGES:
            page.goto((folder / path).as_uri())
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            for size in (other, width):
                page.set_viewport_size({"width": size, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") <= size, path
            found = Axe().run(page).response["violations"]
            assert not [
                (path, one["id"], [node["target"] for node in one["nodes"]]) for one in found
            ]
        assert not wrong


def test_the_search_finds_a_question_and_the_proof_holds(
    chromium: BrowserContext, folder: Path
) -> None:
    with tab(chromium) as page:
        wrong = watched(page, folder)
        page.goto((folder / "index.html").as_uri())
        page.get_by_role("link", name="Questions", exact=True).click()
        page.keyboard.press("/")
        page.keyboard.type("held talks in tianjin")
        expect(page.get_by_role("status")).to_have_text("1 of 16 questions")
        expect(page.locator("tbody tr:visible")).to_have_count(1)
        page.reload()
        expect(page.get_by_role("status")).to_have_text("1 of 16 questions")
        page.get_by_role("searchbox").fill("nothing like this")
        expect(page.get_by_text("No question has all of these words.")).to_be_visible()
        page.get_by_role("searchbox").fill("")
        page.get_by_label("Status").select_option("resolved")
        expect(page.get_by_role("status")).to_have_text("7 of 16 questions")
        page.get_by_role("link", name="Will Narendra Modi").first.click()
        expect(page.get_by_text("Resolved: yes", exact=True)).to_be_visible()
        page.get_by_role("link", name="Check", exact=True).click()
        state, limit = page.locator("#proof-state"), page.locator("#proof-limit")
        expect(state).to_contain_text("The copy of the record in this page agrees with its chain")
        expect(limit).to_contain_text("Not compared: the file record.json and the other pages.")
        expect(page.locator("#proof-faults li")).to_have_count(0)
        assert not wrong
