"""What is typed while a save runs is kept, in its own record, however long the save takes.

The test takes the ledger's turn to write, so that a save waits until the test gives it back.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from sqlmodel import Session

from benchmarks import daily_acts
from forecasts.access.members import member_or_new
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from forecasts.questions import registry
from forecasts.resolution import confirmation
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.app.browsing import (
    DONE,
    IN_BROWSER,
    Server,
    current_field,
    dialogs,
    said,
    saves_waiting,
    tab,
    until,
)
from tests.app.conftest import in_daily_use

pytestmark = IN_BROWSER


# Notes fields that are on the page twice: what is typed into the first is then lost.
NOTE_TWICE = """() => {
    window.twice = [];
    const note = () => {
        const fields = document.querySelectorAll('[class*="-value"]:not([data-retained] *)');
        const names = [...fields].map((one) =>
            [...one.classList].find((name) => name.startsWith("st-key-"))
        );
        window.twice.push(...names.filter((name, place) => names.indexOf(name) !== place));
    };
    new MutationObserver(note).observe(document.body, { childList: true, subtree: true });
}"""


def forecasts(server: Server, sql: str, words: str = "%") -> list[tuple[str, float]]:
    """Return the rows that ``sql`` selects from the forecasts, in the order of saving."""
    with closing(sqlite3.connect(server.ledger)) as file:
        return file.execute(f"SELECT {sql} LIKE ? ORDER BY forecast.id", (words,)).fetchall()


def questions(server: Server, words: str) -> list[tuple[str, float]]:
    """Return titles and forecasts of the questions with those words."""
    sql = "title, probability FROM forecast JOIN question_revision USING (question_id) WHERE title"
    return forecasts(server, sql, f"%{words}%")


def settled(page: Page) -> None:
    """Wait until no run is left, and the fields have got what was typed."""
    expect(page.locator(".typed-ahead")).to_have_count(0)
    page.locator(DONE).wait_for()


def value(page: Page, slug: str) -> Locator:
    return current_field(page, "Probability").and_(page.locator(f".st-key-act-forecast-{slug} *"))


def test_lines_entered_while_one_is_saved_are_saved_in_turn_and_a_refused_one_is_kept(
    page: Page, server: Server
) -> None:
    daily_acts.opened(page, server.base)
    line = daily_acts.line_field(page)
    line.click()
    with saves_waiting(server.ledger):
        for number in (1, 2, 3):
            page.keyboard.type(f"Will crane {number} nest tomorrow? {number}0%")
            page.keyboard.press("Enter")
        page.keyboard.type("Will crane 4 nest")
    expect(page.get_by_text("30% on “Will crane 3 nest tomorrow?”")).to_be_visible()
    settled(page)
    expect(line).to_have_value("Will crane 4 nest")
    assert questions(server, "crane") == [
        (f"Will crane {number} nest tomorrow?", number / 10) for number in (1, 2, 3)
    ]
    page.keyboard.press("Control+A")
    with saves_waiting(server.ledger):
        page.keyboard.type("Will the heron fish? 30%")
        page.keyboard.press("Enter")
        page.keyboard.type(" By tomorrow")
    expect(page.get_by_test_id("stAlert").get_by_text("has no last day.")).to_be_visible()
    settled(page)
    expect(line).to_have_value("Will the heron fish? 30% By tomorrow")
    expect(line).to_be_focused()
    assert questions(server, "heron") == []


DUE = 14
TITLE = "Will gate {} <b>close</b>?"  # the box shows people's words as text


def add_due(session: Session) -> None:
    opened = (now := datetime.now(UTC)) - timedelta(days=90)
    alice = member_or_new(session, "alice", now=opened)
    for number in range(DUE):
        title, closes = TITLE.format(number), now + timedelta(days=90)
        text = registry.question_text(title=title, open_time=opened, scheduled_close_time=closes)
        slug, made = f"gate-{number}", opened + timedelta(days=number)
        question = registry.register(session, text, member=alice, now=opened, slug=slug)
        updates.update(session, question, Value(probability=0.4), member=alice, now=made)


@pytest.fixture
def due(tmp_path: Path) -> Iterator[Server]:
    """The app on a ledger of the test's own with more reviews due than Today shows."""
    with in_daily_use(tmp_path, add_due) as server:
        yield server


def test_probabilities_are_typed_down_the_cards_faster_than_they_are_saved_each_once(
    browser: BrowserContext, due: Server
) -> None:
    """The second press of Save never reaches the card, as happens in a busy list."""
    sql = "slug, probability FROM forecast JOIN question ON question.id = question_id WHERE slug"
    before = len(forecasts(due, sql))
    with tab(browser) as page:
        daily_acts.opened(page, due.base)
        cards = page.locator('[class*="st-key-act-forecast-"]')
        first, second, third = (
            cards.nth(place).evaluate(
                "card => [...card.classList].find(name => name.startsWith('st-key-'))"
                ".replace('st-key-act-forecast-', '')"
            )
            for place in range(3)
        )
        save = page.locator(f".st-key-act-forecast-{second}").get_by_role(
            "button", name=re.compile("Save|Update")
        )
        save.evaluate(
            "button => button.addEventListener('click', event => event.stopImmediatePropagation(),"
            " { once: true, capture: true })"
        )
        page.evaluate(NOTE_TWICE)
        value(page, first).click()
        page.keyboard.press("Control+A")
        with saves_waiting(due.ledger):
            page.keyboard.type("61")
            page.keyboard.press("Enter")
            expect(value(page, second)).to_be_focused()
            page.keyboard.type("62")
            page.keyboard.press("Enter")
            expect(value(page, third)).to_be_focused()
            page.keyboard.type("6")
        page.keyboard.type("3")
        expect(said(page).get_by_text("62%")).to_be_visible()
        settled(page)
        expect(value(page, third)).to_have_value("63")
        expect(value(page, third)).to_be_focused()
        # A value that is stored late is not saved again.
        with saves_waiting(due.ledger):
            page.keyboard.press("Enter")
            expect(value(page, third)).not_to_be_focused()
            until(page, "window.forecastLedger.entered.some((one) => one.isSent)")
            # As if the request had begun only after the patience for it was over.
            page.evaluate("window.forecastLedger.entered.find((one) => one.isSent).isSent = false")
        expect(said(page).get_by_text("63%")).to_be_visible()
        until(page, "window.forecastLedger.entered.length === 0")
        settled(page)
        assert page.evaluate("window.twice") == []
        saved = [(first, 0.61), (second, 0.62), (third, 0.63)]
        assert forecasts(due, sql)[before:] == saved


def close(server: Server, slug: str) -> None:
    """Record an outcome of the question."""
    engine, now = database.open_engine(sqlite_url(server.ledger)), datetime.now(UTC)
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=now)
        question = registry.find(session, slug)
        confirmation.confirm(session, question, "yes", member=alice, now=now, known_at=now)
    engine.dispose()


def test_values_entered_faster_than_they_are_saved_are_each_on_the_question_shown(
    browser: BrowserContext, due: Server
) -> None:
    sql = "slug, probability FROM forecast JOIN question ON question.id = question_id WHERE slug"
    before = len(forecasts(due, sql))
    with tab(browser) as page:
        daily_acts.opened(page, due.base)
        value(page, "gate-0").click()
        page.keyboard.type("50")
        page.keyboard.press("Tab")
        page.keyboard.type("It rusts.")
        page.keyboard.press("Enter")
        expect(said(page).get_by_text("50%")).to_be_visible()
        settled(page)
        expect(value(page, "gate-1")).to_be_focused()
        close(due, "gate-6")  # meanwhile, and the page does not know it yet
        with saves_waiting(due.ledger):
            for number in range(1, 11):
                page.keyboard.type(f"{number + 50}")
                page.keyboard.press("Enter")
            # The page has no cards of the later ones yet: each value waits with its question.
            waiting = page.get_by_label("Typed ahead")
            expect(waiting).to_contain_text(f"60 · {TITLE.format(10)}")
            page.keyboard.type("6")
        page.keyboard.type("1")
        settled(page)
        expect(value(page, "gate-11")).to_have_value("61")
        expect(value(page, "gate-11")).to_be_focused()
        expect(waiting).to_have_text(f"Not saved yet:\n56 · {TITLE.format(6)}")
        first = [(f"gate-{number}", (number + 50) / 100) for number in range(11) if number != 6]
        assert forecasts(due, sql)[before:] == first
        # The cursor stops at the end of the list.
        for number in range(62, 80):
            page.keyboard.press("Enter")
            page.keyboard.type(f"{number}")
        expect(
            page.get_by_label("End of the list. Nothing that you type here is saved.")
        ).to_be_focused()
        until(page, "forecastLedger.entered.length === 1")
        page.locator(DONE).wait_for()
        # The value that cannot be saved is discarded by keys, and the page can be left.
        page.keyboard.press("Control+A")
        page.keyboard.press("Delete")
        page.keyboard.press("d")
        words = f"Discard 56 · {TITLE.format(6)}"
        expect(page.get_by_role("button", name=words, exact=True)).to_be_focused()
        page.keyboard.press("Enter")
        expect(waiting).to_be_hidden()
        expect(page.get_by_label("Probability", exact=True).first).to_be_focused()
        asked = dialogs(page)
        daily_acts.leave(page, wide=True)
        expect(page.get_by_role("heading", level=1, name="Questions")).to_be_visible()
        assert asked == []
    rest = [f"gate-{n}" for n in (11, 12, 13)] + [
        f"{k}-{n}" for k in ("due", "open") for n in range(3)
    ]
    last = [(slug, place / 100) for place, slug in enumerate(rest, start=61)]
    assert forecasts(due, sql)[before:] == first + last
    reasons = "slug, rationale FROM forecast JOIN question ON question.id = question_id"
    assert forecasts(due, f"{reasons} WHERE rationale", "It%") == [("gate-0", "It rusts.")]
