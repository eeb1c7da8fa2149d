"""Public records in Chromium, from files: nothing is asked of anybody."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import Engine

from forecasts.access import members
from forecasts.ledger import database
from forecasts.publication.publish import publish
from forecasts.publication.verify import Check
from forecasts.samples import demonstration
from tests.app.browsing import IN_BROWSER, tab
from tests.publication.conftest import Stamps, record_text
from tests.publication.test_proof import TAMPERED, Record, unresolve

pytestmark = IN_BROWSER
TEMPLATES = Path(__file__).parents[2] / "forecasts" / "publication" / "templates"
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
        state, limit = page.locator("#proof-state"), page.locator("#proof-limit")
        expect(state).to_contain_text("The copy of the record in this page agrees with its chain")
        expect(limit).to_contain_text("Not compared: the file record.json and the other pages.")
        expect(page.locator("#proof-faults li")).to_have_count(0)
        assert not wrong


def page_of(folder: Path, record: str) -> str:
    """Return the address of a file with the markup and the script, and this record."""
    markup, script = ((TEMPLATES / f"proof.{kind}").read_text("utf-8") for kind in ("html", "js"))
    data = record.replace("<", "\\u003c")
    page = (
        f'<!doctype html><meta charset="utf-8">{markup}'
        f'<script type="application/json" id="proof-data">{data}</script><script>{script}</script>'
    )
    (folder / "verify.html").write_text(page, encoding="utf-8")
    return (folder / "verify.html").as_uri()


def found(page: Page, said: str) -> list[list[str]]:
    expect(page.locator("#proof-state")).to_have_text(said)
    expect(page.locator("#proof-limit")).to_contain_text("Not compared: the ")
    return [page.locator(f"#proof-{name} li").all_text_contents() for name in ("faults", "said")]


def test_the_page_checks_a_record_fault_for_fault_as_verify_py(
    tmp_path: Path, engine: Engine, stamps: Stamps, kept: str, chromium: BrowserContext
) -> None:
    unresolve(engine)
    withdrawn = record_text(engine, stamps)
    with tab(chromium) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        address = page_of(tmp_path, kept)
        page.goto(address)
        whole, limit = Check(json.loads(kept)), page.locator("#proof-limit")

        def chosen(name: str, text: str) -> None:
            (tmp_path / name).write_text(text, encoding="utf-8")
            page.set_input_files("#proof-file", tmp_path / name)

        of = "The copy of the record in this page"
        assert found(page, whole.verdict.replace("This record", of)) == [[], whole.said]
        chosen("same.json", kept)
        found(page, whole.verdict.replace("This record", "same.json"))
        expect(limit).to_contain_text("This file is the same as the copy in this page.")
        chosen("withdrawn.json", withdrawn)
        check = Check(json.loads(withdrawn))
        said = check.verdict.replace("This record", "withdrawn.json")
        assert found(page, said) == [[], check.said]
        for number, (name, (tamper, _)) in enumerate(TAMPERED.items()):
            record: Record = json.loads(kept)
            tamper(record)
            chosen(f"{number}.json", json.dumps(record))
            check = Check(record)
            faults = found(page, f"{number}.json does NOT pass the check:")
            assert faults == [check.faults, check.said], name
            expect(limit).to_contain_text("This file differs from the copy in this page.")
        assert asked == [address]
