"""Measure the daily acts of a forecaster in a browser, at both widths, beside their bars.

    python -m benchmarks.daily_acts

Serves a ledger with forecasts to make and to review and a resolved question, an empty ledger, and a
Streamlit page of one field. Does each act in Chromium as a person would, counts the interactions,
and prints a table. The median of several times counts; the times of the one field are taken in turn
with the others, on the same machine. ``tests/app/test_daily_acts.py`` holds the acts to their bars.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, cycle
from pathlib import Path

from playwright.sync_api import Browser, Dialog, Locator, Page, TimeoutError, ViewportSize

from forecasts.access.members import member_or_new
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database, schema
from forecasts.questions import registry
from forecasts.resolution import confirmation
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.app.browsing import (
    DONE,
    answering,
    current_field,
    free_port,
    go,
    launched,
    serving,
    until,
)

WIDTHS = {1280: 800, 390: 844}  # with their heights
TO_FORECAST, DUE = 3, 3  # questions
ROUNDS = 7
ONE_FIELD = """
import streamlit as st
typed = st.text_input("Field")
st.write(f"You typed {typed}.")
"""
ARTICLE = (
    "The tunnel under the bay\n\nThe Bay Courier, 2 days ago\n\n"
    + "Work on the tunnel began four years ago, and since then the price has doubled. Ferry "
    "captains have heard such dates before, and most of them shrugged when they were asked. "
    * 9
    + "\n\nThe transport minister will open the tunnel by 31 March {year}, her office said.\n"
)
FIELDS = "input:is([type=text], [type=number]):not([role=combobox]):visible, textarea:visible"
PAGES = (
    "", "questions", "questions?view=Ask+a+question", "question?slug=open-0", "articles",
    "resolve?slug=open-0", "my_scores", "track_record", "compare", "practice", "team", "settings",
    "exchange",
)  # fmt: skip
_numbers = count(1)
_subjects = cycle(("tunnel", "lighthouse", "stadium", "museum"))


@dataclass(frozen=True)
class Row:
    """An act, its figure, its bar, and whether it is met."""

    act: str
    figure: str
    bar: str
    met: bool


def furnish(url: str, now: datetime) -> None:
    """Write a ledger of alice's: open questions with and without a forecast, and a resolved one."""
    engine = database.open_engine(url)
    schema.migrate(engine)
    with database.writing(engine) as session:
        opened = now - timedelta(days=40)
        alice = member_or_new(session, "alice", now=opened)

        def ask(slug: str, title: str, closes: timedelta, p: float | None = None) -> None:
            text = registry.question_text(
                title=title, open_time=opened, scheduled_close_time=now + closes
            )
            question = registry.register(session, text, member=alice, now=opened, slug=slug)
            if p is not None:
                value, made = Value(probability=p), now - timedelta(days=30)
                updates.update(session, question, value, member=alice, now=made)

        for number in range(TO_FORECAST):
            ask(f"open-{number}", f"Will ferry {number} sail?", timedelta(days=90))
        for number in range(DUE):
            ask(f"due-{number}", f"Will lock {number} open?", timedelta(days=90), 0.4)
        ask("done", "Will the bridge open?", timedelta(days=1), 0.7)
        known = now - timedelta(days=7)
        question = registry.find(session, "done")
        confirmation.confirm(session, question, "yes", member=alice, now=known, known_at=known)
    engine.dispose()


@contextmanager
def one_field(folder: Path) -> Iterator[str]:
    """Yield the address of a Streamlit page of one field."""
    script, port = folder / "field.py", free_port()
    script.write_text(ONE_FIELD)
    options = ["--server.headless=true", f"--server.port={port}", "--server.address=127.0.0.1"]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *options]
    base = f"http://127.0.0.1:{port}"
    with answering(command, f"{base}/_stcore/health", folder / "field.log"):
        yield base


def opened(page: Page, address: str) -> None:
    """Open a page and wait until it is complete."""
    page.goto(address)
    complete(page)


def complete(page: Page) -> None:
    """Wait until the page of the app is complete."""
    page.locator(".st-key-keyboard-page").wait_for(state="attached")
    page.locator(DONE).wait_for()
    until(
        page,
        "window.forecastLedger?.listening && !document.querySelector('[data-testid=stSkeleton]')",
    )


def has_focus(page: Page, place: Locator) -> bool:
    """Return whether the place gets the focus."""
    try:
        place.and_(page.locator(":focus")).wait_for()
    except TimeoutError:
        return False
    return True


def round_trip(page: Page, number: int) -> float:
    """Return the seconds from Enter to the answer on a page of one field."""
    field = page.get_by_label("Field")
    field.fill(f"word {number}")
    began = time.perf_counter()
    field.press("Enter")
    page.get_by_text(f"You typed word {number}.").wait_for()
    return time.perf_counter() - began


def line_field(page: Page) -> Locator:
    """Return the field of the one line, not one that Streamlit keeps for a moment after a save."""
    return current_field(page, "New question")


def save_line(page: Page, title: str) -> float:
    """Type a line on Today; return the seconds from Enter to the confirmation."""
    page.locator(DONE).wait_for()
    line_field(page).click()
    page.keyboard.type(f"{title} 30%")
    until(
        page,
        "document.querySelector('[class*=one-line-][class*=-probability] input').value === '30%'",
    )
    began = time.perf_counter()
    page.keyboard.press("Enter")
    page.get_by_text(f"30% on “{title}”").wait_for()
    return time.perf_counter() - began


def new_question(page: Page, base: str, line: str) -> Row:
    """Save new questions on Today and, in turn, answer the page of one field at ``line``."""
    saved, answered, focused = [], [], True
    with page.context.browser.new_context() as context:  # type: ignore[union-attr]
        beside = context.new_page()
        beside.goto(line)
        opened(page, base)
        field = line_field(page)
        for _ in range(ROUNDS):
            number = next(_numbers)
            answered.append(round_trip(beside, number))
            title = f"Will ship {number} dock by the end of next month?"
            saved.append(save_line(page, title))
            page.locator(DONE).wait_for()
            focused = focused and has_focus(page, field) and field.input_value() == ""
    seconds = statistics.median(saved)
    ratio = seconds / statistics.median(answered)
    return Row(
        "a new question with date and probability, from Today open to saved",
        f"1 field, 1 key, {seconds:.2f} s, ratio {ratio:.1f}"
        + (", cursor back in the field" if focused else ", the cursor is not back"),
        "1 field, 1 key, under 1.5 s, ratio at most 3",
        seconds < 1.5 and ratio <= 3 and focused,
    )


def update_forecast(page: Page, base: str) -> Row:
    """Type a new probability into a card that is due on Today and press Enter."""
    opened(page, base)
    cards = page.locator('[class*="st-key-act-forecast-due-"]')
    first, following = cards.nth(0), cards.nth(1)
    place = first.get_by_label("Probability", exact=True)
    landing = following.get_by_label("Probability", exact=True)
    next_name = landing.evaluate("field => field.closest('[class*=st-key-act-]').className")
    slug = next_name.split("st-key-act-forecast-")[1].split()[0]
    place.fill("55")
    place.press("Enter")
    page.get_by_text("Saved: 40% → 55%").first.wait_for()
    page.locator(DONE).wait_for()
    card = page.locator(f".st-key-act-forecast-{slug}")
    focused = has_focus(page, card.get_by_label("Probability", exact=True))
    return Row(
        "update an existing forecast from Today",
        "2 interactions, Enter works, focus " + ("on the next card" if focused else "lost"),
        "2 interactions, Enter works, focus lands on the next card",
        focused,
    )


def find_earned(page: Page, base: str) -> Row:
    """Find the points that a resolved question earned: from Today, by the link of its score."""
    opened(page, base)
    clicks = 1
    score = page.get_by_role("link", name="Brier").first
    slug = (score.get_attribute("href") or "").partition("question=")[2]
    score.click()
    page.get_by_role("heading", name="My scores").wait_for()
    page.locator(DONE).wait_for()
    page.locator(f'a[href$="slug={slug}"]').first.wait_for()
    return Row(
        "find the points of a resolved question, from Today a week later",
        f"{clicks} click",
        "2 clicks",
        clicks <= 2,
    )


def paste_article(page: Page, base: str) -> Row:
    """Paste an article, read it, type a probability, press Enter."""
    opened(page, f"{base}/articles")
    # Not what an earlier article was about: its question would be doubled.
    about = next(_subjects)
    text = ARTICLE.format(year=datetime.now(UTC).year + 1).replace("tunnel", about)
    page.get_by_label("Article", exact=True).fill(text)  # 1: paste
    page.keyboard.press("Control+Enter")  # 2
    page.get_by_role("heading", name="Possible questions").wait_for()
    page.locator(DONE).wait_for()
    value = page.get_by_label("Forecast", exact=True).first
    focused = has_focus(page, value)
    page.keyboard.type("30")  # 3
    page.keyboard.press("Enter")  # 4
    page.get_by_text("Your forecast: 30%.").first.wait_for()
    return Row(
        f"paste an article of {len(text.split())} words → question registered and forecast",
        "4 interactions" + ("" if focused else ", and a click for the focus"),
        "4 interactions",
        focused,
    )


def first_forecast(page: Page, folder: Path) -> Row:
    """Start the app on an empty ledger, take the example, press Enter."""
    began = time.perf_counter()
    ledger = folder / f"{(page.viewport_size or {'width': 0})['width']}.sqlite3"
    with serving(folder, ledger, FORECASTS_MEMBER="alice") as base:
        served = time.perf_counter()
        opened(page, base)
        ready = time.perf_counter()
        page.get_by_role("button", name="Try:").click()
        page.locator("[class*=one-line-][class*=-probability] input[value='30%']").wait_for()
        focused = has_focus(page, page.get_by_label("New question", exact=True))
        page.keyboard.press("Enter")
        page.get_by_text("Saved:").first.wait_for()
        acts = time.perf_counter() - ready
    return Row(
        "first forecast of a new user on an empty ledger, from `forecasts app`",
        f"{acts:.1f} s of acts (server {served - began:.1f} s, page {ready - served:.1f} s)",
        "under 30 s of acts, nothing to read first",
        acts < 30 and focused,
    )


def by_keyboard(page: Page, base: str) -> Row:
    """Reach the first card's probability from page load; save there."""
    opened(page, base)
    card = page.locator('[class*="st-key-act-forecast-"]').first
    place = card.get_by_label("Probability", exact=True)
    page.keyboard.press("Tab")  # to “Skip to the first field”
    page.keyboard.press("Enter")
    reached = has_focus(page, place)
    page.keyboard.type("60")
    page.keyboard.press("Enter")
    page.get_by_text("Saved:").first.wait_for()
    page.locator(DONE).wait_for()
    until(page, "document.activeElement.getAttribute('aria-label') === 'Probability'")
    return Row(
        "keyboard alone: first card’s probability from page load",
        "1 tab and Enter; after save 0" if reached else "not reached",
        "at most 4 tabs; after save 0",
        reached,
    )


def lost_text(page: Page, base: str, pages: Sequence[str] = PAGES, *, most: int = 99) -> Row:
    """Type into each field of each page and leave: count the fields left without a question.

    On a wide screen by a link of the navigation; on a narrow one by reloading the page.
    Of fields with the same label, such as those of cards, it tries at most ``most``.
    """

    leaving = False

    def answer(dialog: Dialog) -> None:
        if leaving:
            dialog.accept()
        else:
            dialog.dismiss()

    page.on("dialog", answer)
    wide = (page.viewport_size or {"width": 0})["width"] > 640
    tried, lost = 0, []
    for name in pages:
        # A run that draws fields again while one is restored can leave another text behind.
        leaving, address = True, f"{base}/{name}"
        if page.url.partition("?")[0] in ("about:blank", address.partition("?")[0]):
            opened(page, address)
        else:
            go(page, address)
            complete(page)
        leaving = False
        fields = page.locator(FIELDS)
        labels = fields.evaluate_all("all => all.map(field => field.ariaLabel)")
        for place, label in enumerate(labels):
            if labels[:place].count(label) >= most:
                continue
            alike = fields.and_(page.get_by_label(label, exact=True))
            field = alike.nth(labels[:place].count(label))
            before = field.input_value()
            field.click()
            page.keyboard.press("End")
            page.keyboard.type("1")
            if field.input_value() == before:
                continue  # the field does not take it
            tried += 1
            try:
                with page.expect_event("dialog"):
                    leave(page, wide)
            except TimeoutError:
                lost.append(f"{name or 'today'}: {label}")
                opened(page, address)
                continue
            field.fill(before)
    page.remove_listener("dialog", answer)
    return Row(
        "fields whose typed value can be lost by navigation without a question",
        f"{len(lost)} of {tried}" + (f": {', '.join(lost)}" if lost else ""),
        "0",
        not lost,
    )


def leave(page: Page, wide: bool) -> None:
    """Try to leave the page: by a link, or by reloading it."""
    if wide:
        current = page.locator('[data-testid="stTopNavLink"][aria-current="page"]')
        here = current.first.inner_text() if current.count() else ""
        other = "Articles" if "Questions" in here else "Questions"
        page.get_by_role("link", name=other, exact=True).first.click()
    else:
        page.evaluate("window.setTimeout(() => window.location.reload(), 0)")


def acts(browser: Browser, folder: Path, base: str, line: str, width: int) -> Iterator[Row]:
    """Yield each act's row at that width, in the order of the table."""
    size: ViewportSize = {"width": width, "height": WIDTHS[width]}
    with browser.new_context(viewport=size) as context:
        context.set_default_timeout(30_000)
        page = context.new_page()
        yield new_question(page, base, line)
        on_today: tuple[Callable[[Page, str], Row], ...] = (
            update_forecast, find_earned, paste_article
        )  # fmt: skip
        for act in on_today:
            yield act(page, base)
        with browser.new_context(viewport=size) as new:
            yield first_forecast(new.new_page(), folder)
        yield by_keyboard(page, base)
        yield lost_text(page, base)


def main() -> int:
    """Print the table for both widths; return how many bars are missed."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    missed = 0
    with tempfile.TemporaryDirectory() as name, launched() as browser:
        folder = Path(name)
        for width in WIDTHS:
            ledger = folder / f"furnished-{width}.sqlite3"
            furnish(sqlite_url(ledger), datetime.now(UTC))
            with (
                serving(folder, ledger, FORECASTS_MEMBER="alice") as base,
                one_field(folder) as line,
            ):
                print(f"\n{width} px\n\n| act | measured | bar | |\n|---|---|---|---|")
                for row in acts(browser, folder, base, line, width):
                    missed += not row.met
                    mark = "met" if row.met else "MISSED"
                    print(f"| {row.act} | {row.figure} | {row.bar} | {mark} |", flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main())
