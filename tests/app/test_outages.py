"""The ledger becomes unavailable under the running app: a message, no loss, no restart."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_or_new
from forecasts.common.errors import DatabaseError
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from tests.app.browsing import IN_BROWSER, current_field, go, said, serving, tab
from tests.app.conftest import confirmed, forecasts, submit, visit, words, write_question
from tests.conftest import day
from tests.outages.disks import Disk, mounted
from tests.postgresql import Server

pytestmark = pytest.mark.slow

PAGES = (
    "questions",
    "news",
    "articles",
    "resolve",
    "my_scores",
    "track_record",
    "compare",
    "today",
)


@pytest.mark.browser
@pytest.mark.skipif(IN_BROWSER[1].args[0], reason=IN_BROWSER[1].kwargs["reason"])
def test_the_app_shows_that_the_server_is_down_and_goes_on_once_it_is_back(
    browser: BrowserContext, postgresql: Server, tmp_path: Path
) -> None:
    write_question(url := postgresql.emptied(), "quay", by="alice")
    with serving(tmp_path, url, FORECASTS_MEMBER="alice") as base, tab(browser) as page:
        page.on("dialog", lambda dialog: dialog.accept())  # typed, and left unsaved
        page.goto(f"{base}/question?slug=quay")
        heading = page.get_by_role("heading", name="Will the quay open?")
        lost = page.get_by_text(re.compile("was not reached"))
        expect(heading).to_be_visible()
        field = current_field(page, "Probability")
        save = page.get_by_role("button", name=re.compile("^(Save|Update|Forecast)")).first
        field.fill("35%")
        page.keyboard.press("Tab")
        assert page.request.get(f"{base}/health").status == 200
        with postgresql.stopped():
            assert page.request.get(f"{base}/health").status == 503
            # The act is not confirmed, and the form keeps its text.
            save.click()
            expect(lost.first).to_be_visible()
            expect(said(page)).to_be_empty()
            page.get_by_role("link", name="Today").first.click()
            expect(page.get_by_text("retries every few seconds").first).to_be_visible()
            expect(lost.first).to_be_visible()
        # Without any click, the page comes back.
        expect(page.get_by_role("heading", level=1, name="Today")).to_be_visible()
        expect(lost).to_have_count(0)
        go(page, f"{base}/question?slug=quay")
        expect(heading).to_be_visible()
        field.fill("36%")
        page.keyboard.press("Tab")
        save.click()
        expect(said(page)).to_contain_text("Saved")
        # A line that is entered meanwhile is in its field again.
        page.goto(base)
        line = current_field(page, "New question")
        line.fill("Will the ferry open by 1 March 2040? 3")
        expect(page.get_by_text("closes 1 Mar 2040")).to_be_visible()
        with postgresql.stopped():
            line.press_sequentially("0%")
            expect(lost.first).to_be_visible()
            line.press("Enter")
            expect(lost.first).to_be_visible()
        expect(lost).to_have_count(0)
        expect(line).to_have_value("Will the ferry open by 1 March 2040? 30%")
        line.press("Enter")
        expect(page.get_by_text("Saved: 30% on")).to_be_visible()
    engine = database.open_engine(url)
    assert [forecast.probability for forecast in forecasts(engine, "quay")] == [0.36]
    engine.dispose()
    log = (tmp_path / "log").read_text().splitlines()
    begun = [line for line in log if "was not reached" in line or "could not be used" in line]
    assert len(begun) == 2, log
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", line) for line in begun)
    assert len([line for line in log if "can be read again, after" in line]) == 2
    assert not [line for line in log if "Traceback" in line]


def act(engine: Engine, handle: str) -> None:
    with database.writing(engine) as session:
        member_or_new(session, handle, now=day(0))


@pytest.fixture
def disk() -> Iterator[Disk]:
    with mounted(4) as disk:
        yield disk


@pytest.fixture
def ledger_url(disk: Disk, ledger_file: Path) -> str:
    return sqlite_url(Path(shutil.copy(ledger_file, disk.folder / "ledger.sqlite3")))


def test_on_a_full_disk_that_nobody_had_open_the_app_reads_says_so_and_recovers_with_room(
    furnished: AppTest, engine: Engine, disk: Disk
) -> None:
    engine.dispose()
    with disk.full():
        for page in PAGES:
            visit(furnished, page)
            assert not furnished.error, page
            assert not furnished.exception, page
    with disk.full():
        fill_journal(engine)
        submit(furnished, "quick-quay#0", "save", value="30%")
        assert "could not be used" in words(furnished)
        assert not confirmed(furnished)
    before = len(forecasts(engine, "quay"))
    furnished.button(key="quick-quay#0-save").click().run()
    assert not furnished.error
    assert len(confirmed(furnished)) == 1
    assert len(forecasts(engine, "quay")) == before + 1


def fill_journal(engine: Engine) -> None:
    """Act until the journal's reserved space is used up."""
    with suppress(DatabaseError):
        for number in range(1000):
            act(engine, f"{number}" * 500)
        pytest.fail("the disk was not full")
