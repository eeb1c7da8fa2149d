"""The ledger becomes unavailable under the running app: a message, no loss, no restart."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect
from sqlalchemy import Engine
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

from forecasts.access.members import member_or_new
from forecasts.common.errors import DatabaseError
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, schema
from forecasts.ledger.verification import verify
from forecasts.questions import registry
from forecasts.updates import updates
from forecasts.updates.values import Value
from tests.app.browsing import IN_BROWSER, serving, tab
from tests.app.conftest import visit, words
from tests.conftest import ask, day
from tests.postgresql import Server


@pytest.mark.browser
@pytest.mark.skipif(IN_BROWSER[1].args[0], reason=IN_BROWSER[1].kwargs["reason"])
def test_a_server_that_is_stopped_and_started_is_said_and_gone_on_with(
    browser: BrowserContext, postgresql: Server, tmp_path: Path
) -> None:
    url = postgresql.emptied()
    engine = database.open_engine(url)
    schema.migrate(engine)
    with database.writing(engine) as ledger:
        alice = member_or_new(ledger, "alice", now=(now := datetime.now(UTC)))
        closes = now + timedelta(days=400)
        text = registry.question_text(
            title="Will the quay open?", open_time=now, scheduled_close_time=closes
        )
        registry.register(ledger, text, member=alice, now=now, slug="quay")
    engine.dispose()
    with serving(tmp_path, url, FORECASTS_MEMBER="alice") as base, tab(browser) as page:
        page.on("dialog", lambda dialog: dialog.accept())  # typed, and left unsaved
        page.goto(f"{base}/question?slug=quay")
        heading = page.get_by_role("heading", name="Will the quay open?")
        said = page.get_by_text(re.compile("was not reached"))
        expect(heading).to_be_visible()
        field = page.get_by_role("textbox", name=re.compile("Probability")).first
        save = page.get_by_role("button", name=re.compile("^(Save|Update|Forecast)")).first
        field.fill("35%")
        page.keyboard.press("Tab")
        with postgresql.stopped():
            # The act is not confirmed, and the form keeps its text.
            save.click()
            expect(said.first).to_be_visible()
            expect(page.get_by_test_id("stToast")).to_have_count(0)
            page.get_by_role("link", name="Today").first.click()
            expect(page.get_by_text("retries every few seconds").first).to_be_visible()
            expect(said.first).to_be_visible()
        # Without any click, the page comes back.
        expect(page.get_by_role("heading", level=1, name="Today")).to_be_visible()
        expect(said).to_have_count(0)
        page.goto(f"{base}/question?slug=quay")
        expect(heading).to_be_visible()
        field.fill("36%")
        page.keyboard.press("Tab")
        save.click()
        expect(page.get_by_test_id("stToast")).to_be_visible()
    assert [p for p, who in stored(url) if who == "alice"] == [0.36]


def stored(url: str) -> list[tuple[float | None, str]]:
    engine = database.open_engine(url)
    with database.reading(engine) as ledger:
        rows = updates.history(ledger, registry.find(ledger, "quay"))
    engine.dispose()
    return [(forecast.probability, handle) for forecast, handle in rows]


def test_an_engine_goes_on_when_its_server_is_back(postgresql: Server) -> None:
    engine = database.open_engine(postgresql.emptied())
    act(engine, "alice")
    with postgresql.stopped():
        for _ in range(2):
            with pytest.raises(DatabaseError, match="was not reached"):
                act(engine, "bob")
    act(engine, "carol")
    with database.reading(engine) as session:
        assert len(members(session)) == 2
    engine.dispose()


def act(engine: Engine, handle: str) -> None:
    with database.writing(engine) as session:
        member_or_new(session, handle, now=day(0))


def members(session: Session) -> list[str]:
    from forecasts.access.members import handles

    return sorted(handles(session).values())


class Disk:
    """A small file system, and a file that fills the rest of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def full(self) -> Iterator[None]:
        filler = self.folder / "filler"
        with filler.open("wb", buffering=0) as file:
            size = 1 << 16
            while size:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    size //= 2
        try:
            yield
        finally:
            filler.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root can mount a small file system, where the system allows it")
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def ledger_url(disk: Disk, ledger_file: Path) -> str:
    return sqlite_url(Path(shutil.copy(ledger_file, disk.folder / "ledger.sqlite3")))


def test_on_a_full_disk_an_act_is_refused_and_what_was_acknowledged_is_there(
    disk: Disk, engine: Engine
) -> None:
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        rain = ask(session, alice, slug="rain")
    acknowledged: list[float] = []

    def forecast(number: int) -> None:
        p = round(0.01 + number / 1000, 3)
        with database.writing(engine) as session:
            updates.update(
                session,
                rain,
                Value(probability=p),
                member=alice,
                now=day(1 + number / 1000),
                rationale="because " * 500,
            )
        acknowledged.append(p)

    for number in range(5):
        forecast(number)
    refused: list[str] = []
    with disk.full():
        for number in range(5, 25):
            try:
                forecast(number)
            except DatabaseError as error:
                refused.append(str(error))
    assert refused
    for said in refused:
        assert re.search(r"could not be used: .*\. Nothing was written\. ", said)
    forecast(25)
    with database.reading(engine) as session:
        rows = updates.history(session, rain)
        assert [row.probability for row, _ in rows] == acknowledged
        assert verify(session).broken is None


def test_the_app_says_that_the_disk_is_full_and_goes_on_when_it_is_not(
    furnished: AppTest, engine: Engine, disk: Disk
) -> None:
    visit(furnished, "today")
    with disk.full():
        fill_journal(engine)
        furnished.text_input(key="quick-quay#0-value").input("30%")
        furnished.button(key="quick-quay#0-save").click().run()
        assert "could not be used" in words(furnished)
        assert not furnished.toast
    before = len(updates_of(engine))
    furnished.button(key="quick-quay#0-save").click().run()
    assert not furnished.error
    assert len(furnished.toast) == 1
    assert len(updates_of(engine)) == before + 1


def fill_journal(engine: Engine) -> None:
    """Act until the journal's reserved space is used up."""
    with suppress(DatabaseError):
        for number in range(1000):
            act(engine, f"{number}" * 500)
        pytest.fail("the disk was not full")


def updates_of(engine: Engine) -> list[object]:
    with database.reading(engine) as ledger:
        return list(updates.history(ledger, registry.find(ledger, "quay")))
