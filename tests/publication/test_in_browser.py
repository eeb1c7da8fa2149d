"""Public records in Chromium, from files: nothing is asked of anybody."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import Engine

from forecasts.access import members
from forecasts.ledger import database
from forecasts.publication.publish import publish
from forecasts.publication.verify import FILE, Check, content, strict
from forecasts.samples import demonstration
from tests.app.browsing import IN_BROWSER, tab
from tests.publication.conftest import Stamps, record_text
from tests.publication.test_proof import unresolve
from tests.publication.test_tampering import APART, FOLDERS, RECORDS, TIED, Record, as_json

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

    def note(url: str) -> None:
        if not url.startswith((folder.as_uri(), "data:")):
            wrong.append(url)

    page.on("request", lambda request: note(request.url))
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


def test_a_question_is_found_and_the_proof_holds(chromium: BrowserContext, folder: Path) -> None:
    with tab(chromium) as page:
        wrong = watched(page, folder)
        page.goto((folder / "index.html").as_uri())
        page.get_by_role("link", name="Questions", exact=True).click()
        page.wait_for_url("**/questions.html")
        page.keyboard.press("/")
        expect(page.get_by_role("searchbox")).to_be_focused()
        page.keyboard.type("held talks in tianjin")
        expect(page.get_by_role("status")).to_have_text("1 of 242 questions")
        expect(page.locator("tbody tr:visible")).to_have_count(1)
        page.reload()
        expect(page.get_by_role("status")).to_have_text("1 of 242 questions")
        page.get_by_role("searchbox").fill("nothing like this")
        expect(page.get_by_text("No question has all of these words.")).to_be_visible()
        page.get_by_role("searchbox").fill("")
        page.get_by_label("Status").select_option("resolved")
        expect(page.get_by_role("status")).to_have_text("233 of 242 questions")
        page.get_by_role("link", name="Will Narendra Modi").first.click()
        expect(page.get_by_text("Resolved: yes", exact=True)).to_be_visible()
        page.get_by_role("link", name="Check", exact=True).click()
        page.set_input_files("#proof-file", folder / FILE)
        expect(page.locator("#proof-state")).to_contain_text("This record agrees with its chain")
        expect(page.locator("#proof-faults li")).to_have_count(0)
        assert not wrong


def test_the_page_checks_a_record_sentence_for_sentence_as_verify_py(
    whole: Path,
    tied: str,
    tmp_path: Path,
    engine: Engine,
    stamps: Stamps,
    chromium: BrowserContext,
) -> None:
    """``verify.py`` is the reference; the page does not look at the other files."""
    unresolve(engine)
    kept = (whole / FILE).read_text("utf-8")
    texts = {"whole": kept, "withdrawn": record_text(engine, stamps)}
    for name, (tamper, _) in RECORDS.items():
        record: Record = json.loads(kept)
        tamper(record)
        texts[name] = as_json(record)
    texts["tied"] = tied
    for name, (tamper, _) in TIED.items():
        record = json.loads(tied)
        tamper(record)
        texts[f"tied, {name}"] = as_json(record)
    for number, (name, (tamper, _)) in enumerate((FOLDERS | APART).items()):
        shutil.copytree(whole, folder := tmp_path / f"{number}" / "record")
        tamper(folder)
        with suppress(OSError, ValueError):
            text = content(folder / FILE).decode()
            texts |= {name: text} if text != kept else {}
    with tab(chromium) as page:
        page.goto((whole / "verify.html").as_uri())
        found = page.evaluate(CHECKED, list(texts.values()))
    assert len(texts) > 100
    for (name, text), (faults, said, verdict) in zip(texts.items(), found, strict=True):
        assert (faults, said, verdict) == expected(text, faults), name


def expected(text: str, faults: list[str]) -> tuple[list[str], list[str], str]:
    """Return what ``verify.py`` says; browsers have other words for what is not JSON."""
    try:
        check = Check(strict(text))
    except (ValueError, RecursionError) as error:
        is_ours = "appears twice" in str(error) or str(error)[0].isdecimal()  # a huge number
        named = [f"record.json cannot be read: {error}"] if is_ours else faults or ["a fault"]
        return named, [], "This record does NOT pass the check:"
    return check.faults, check.said, check.verdict


CHECKED = """async (texts) => {
    const found = [];
    for (const text of texts) {
        const check = await checked(new TextEncoder().encode(text));
        found.push([check.faults, check.said, check.verdict]);
    }
    return found;
}"""


def test_the_page_reads_the_record_beside_it_or_a_file(
    whole: Path, tmp_path: Path, chromium: BrowserContext
) -> None:
    (tmp_path / "other.json").write_text("{}")
    with tab(chromium) as page:
        wrong = watched(page, whole)
        page.goto((whole / "verify.html").as_uri())
        state = page.locator("#proof-state")
        expect(state).to_contain_text("choose record.json")
        page.set_input_files("#proof-file", tmp_path / "other.json")
        expect(state).to_have_text("other.json: This record does NOT pass the check:")
        page.set_input_files("#proof-file", whole / FILE)
        expect(state).to_have_text(
            f"record.json: {Check(strict((whole / FILE).read_text('utf-8'))).verdict}"
        )
        own = hashlib.sha256((whole / FILE).read_bytes()).hexdigest()
        expect(page.locator("#proof-hash")).to_have_text(own)
        assert not wrong
    with tab(chromium) as page:
        asked: list[str] = []

        def served(route: Route) -> None:
            asked.append(route.request.url)
            route.fulfill(path=whole / route.request.url.rpartition("/")[2])

        page.route("https://record.test/**", served)
        page.goto("https://record.test/verify.html")
        expect(page.locator("#proof-state")).to_contain_text("record.json: This record agrees with")
        assert asked == ["https://record.test/verify.html", "https://record.test/record.json"]
