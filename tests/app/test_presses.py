"""The first press of a form's button counts, once: however short it is, and straight after typing.

A press by touch is short whatever its length: the browser tells the page of it when it is over.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, TimeoutError, expect
from sqlmodel import Session

from benchmarks import daily_acts
from forecasts.access import teams, tokens
from forecasts.access.members import member_or_new
from forecasts.agenda.notifications import channels
from forecasts.common.settings import sqlite_url
from forecasts.ledger import database
from forecasts.ledger.models import PolicyKind, QuestionType, Visibility
from forecasts.questions import registry
from forecasts.resolution import assignments, confirmation, disputes, proposals
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.app.browsing import (
    DONE,
    IN_BROWSER,
    PATIENCE,
    Server,
    covered,
    go,
    saves_waiting,
    tab,
    until,
)
from tests.app.conftest import in_daily_use

pytestmark = IN_BROWSER
HELD = (0, 100)  # ms
TRIES = 20
STILL = "() => document.getAnimations().every(one => one.playState !== 'running')"
TOUCH = "Input.dispatchTouchEvent"
# The middle of the button once it is in sight.
MIDDLE = """async button => {
    button.scrollIntoView({ block: "center" });
    await new Promise(requestAnimationFrame);
    const box = button.getBoundingClientRect();
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}"""
WAYS = {"pointer": (1280, 900), "touch": (390, 844)}
KEY = """place => [...place.closest(".stElementContainer").classList]
    .find(name => name.startsWith("st-key-"))"""
ACTS = '[class*="st-key-act-forecast-"], [class*="st-key-around-"]'
_numbers = count(1)


@dataclass(frozen=True)
class Form:
    """A form: its page, the texts to type by their labels, its button, the table that it writes.

    ``{}`` is a word of each try, ``{#}`` a number. ``made`` writes what the page needs, such as the
    question with that word; ``before`` brings the page to the form. ``opens``: the part that holds
    it. ``chosen``: the label of a choice to make. ``within``: the form among others alike.
    ``shown``: what the page shows then, if the field that was typed into stays.
    """

    name: str
    path: str
    fields: dict[str, str]
    button: str
    table: str = ""
    made: Callable[[Session, str], None] | None = None
    opens: str = ""
    chosen: str = ""
    within: str = "[data-testid=stMain]"
    shown: str = ""
    before: Callable[[Page, str], None] | None = None


def a_question(
    session: Session,
    slug: str,
    *,
    ended: bool = False,
    criteria: str = "Yes if it opens.",
    closes: timedelta = timedelta(days=2),
) -> None:
    now = datetime.now(UTC)
    text = registry.question_text(
        title=f"Will {slug} open?",
        open_time=now - timedelta(days=40),
        scheduled_close_time=now - timedelta(days=1) if ended else now + closes,
        resolution_criteria=criteria,
        **({} if criteria else {"visibility": Visibility.author}),
    )
    alice = member_or_new(session, "alice", now=now)
    registry.register(session, text, member=alice, now=now - timedelta(days=39), slug=slug)


def a_card(session: Session, slug: str) -> None:
    """Register a question that is the first of Today."""
    a_question(session, slug, closes=timedelta(hours=1))


def a_forecast(session: Session, slug: str) -> None:
    a_question(session, slug)
    alice = member_or_new(session, "alice", now=(now := datetime.now(UTC)))
    value = Value(probability=0.4)
    updates.update(session, registry.find(session, slug), value, member=alice, now=now)


def a_proposal(session: Session, slug: str) -> None:
    a_question(session, slug, ended=True)
    alice = member_or_new(session, "alice", now=(now := datetime.now(UTC)))
    how = {"known_at": now - timedelta(days=1), "now": now, "member": alice, "note": "As seen."}
    proposals.propose(session, registry.find(session, slug), "yes", **how)


def an_outcome(session: Session, slug: str, *, disputed: bool = False) -> None:
    a_question(session, slug, ended=True)
    alice = member_or_new(session, "alice", now=(now := datetime.now(UTC)))
    question = registry.find(session, slug)
    by = {"now": now, "member": alice}
    assignments.set_policy(session, question, PolicyKind.confirm, dispute_days=7, **by)
    confirmation.confirm(session, question, "yes", known_at=now - timedelta(days=1), **by)
    if disputed:
        disputes.dispute(session, question, reason="It was not open.", **by)


def a_number_to_resolve(session: Session, slug: str) -> None:
    """Register a question whose outcome is asked for on Today."""
    now = datetime.now(UTC)
    text = registry.question_text(
        title=f"How many {slug} dock?",
        type=QuestionType.numeric,
        lower_bound="0",
        upper_bound="100",
        open_time=now - timedelta(days=40),
        scheduled_close_time=now - timedelta(days=20),
        resolution_criteria="As counted.",
    )
    alice = member_or_new(session, "alice", now=now)
    registry.register(session, text, member=alice, now=now - timedelta(days=39), slug=slug)


def no_channel(session: Session, _: str) -> None:
    """Remove alice's channels, of which ten are allowed."""
    alice = member_or_new(session, "alice", now=(now := datetime.now(UTC)))
    for one in channels.listing(session, member=alice, now=now):
        channels.remove(session, one.name, member=alice, now=now)


def a_channel(session: Session, name: str) -> None:
    no_channel(session, name)
    alice = member_or_new(session, "alice", now=(now := datetime.now(UTC)))
    channels.add(session, name, f"json://example.org/{name}", member=alice, now=now)


def a_token(session: Session, handle: str) -> None:
    alice = member_or_new(session, "alice", now=(now := datetime.now(UTC)))
    tokens.create(session, handle, member=alice, now=now)


def a_file(page: Page, word: str) -> None:
    """Choose a file with a forecast, whose question names no last day."""
    text = f"question,p,outcome\nWill the {word} open?,0.4,\n".encode()
    file = {"name": f"{word}.csv", "mimeType": "text/csv", "buffer": text}
    if page.locator("input[type=file]").count() == 0:
        page.get_by_text("Import", exact=True).first.click()
    page.locator("input[type=file]").first.set_input_files([file])  # type: ignore[list-item]
    expect(page.get_by_label("Closes", exact=True)).to_be_visible()


def a_draft(page: Page, word: str) -> None:
    """Read an article with a possible question, which is not stored."""
    article = page.get_by_label("Article", exact=True)
    discard = page.get_by_role("button", name="Discard", exact=True)
    expect(article.or_(discard)).to_be_visible()
    if discard.is_visible():
        discard.click()
    article.fill(ARTICLE.format(word))
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Possible questions")).to_be_visible()


def nothing_read(page: Page, _: str) -> None:
    discard = page.get_by_role("button", name="Discard", exact=True)
    expect(page.get_by_label("Article", exact=True).or_(discard)).to_be_visible()
    if discard.is_visible():
        discard.click()


def an_exercise(page: Page, _: str) -> None:
    """Begin again if all of the built-in questions are answered."""
    over = page.get_by_text("All done: ")
    expect(page.get_by_label("Probability of yes", exact=True).or_(over)).to_be_visible()
    if over.is_visible():
        page.get_by_role("button", name="Start over").click()
        expect(over).to_be_hidden()


ARTICLE = (
    "The {0} works\n\nThey began long ago. The minister will open the {0} by 31 March 2099, her "
    "office said."
)
ASK, ON, RESOLVE = "questions?view=Ask+a+question", "question?slug={}", "resolve?slug={}"
FILES = "exchange"  # files are added to those that are there
DAY, QUESTION = "31 December 2099", "Will the {} bloom?"
CARD = ".st-key-act-forecast-{}"
WRITTEN = {"Last day of forecasting": DAY, "Question": QUESTION}
ASKED = Form("ask", ASK, WRITTEN, "Register question", "question")
DATES = ("Last day of forecasting", "Closed at (", "Known at (", "Expires after")
FORMS = (
    Form("line", "", {"New question": "Will {} dock by 1 June 2099? 30%"}, "Save", "question",
         within=".st-key-act-one-line"),
    Form("card: value", "", {"Probability": "35"}, "Save", "forecast", a_card, within=CARD),
    Form("card: reason", "", {"Probability": "35", "Reason": "So it is."}, "Save", "forecast",
         a_card, within=CARD),
    Form("ask: question", ASK, WRITTEN, "Register question", "question"),
    Form("ask: last day", ASK, dict(reversed(WRITTEN.items())), "Register question", "question"),
    Form("ask: tags", ASK, {**WRITTEN, "Tags": "sea, {}"}, "Register question", "question"),
    Form("forecast: value", ON, {"Probability": "35"}, "Save forecast", "forecast", a_question),
    Form("forecast: reason", ON, {"Probability": "35", "Reason": "So it is."}, "Save forecast",
         "forecast", a_question),
    Form("withdraw", ON, {"Why": "It is over."}, "Withdraw my forecast", "forecast", a_forecast,
         opens="Withdraw"),
    Form("comment", ON, {"Comment": "A word on {}."}, "Add comment", "comment", a_question),
    Form("criteria", ON, {"Resolution criteria": "Yes if {} opens."}, "Save criteria",
         "question_revision", partial(a_question, criteria="")),
    Form("wording", ON, {"Why": "Clearer."}, "Preview changes", "", a_question, opens="Edit",
         shown="No changes: the fields match the current wording."),
    Form("close early", ON, {"Closed at (": "yesterday"}, "Close question", "question_revision",
         a_question, opens="Close early", chosen="Yes, end forecasting"),
    Form("resolve: time", RESOLVE, {"Note": "Seen.", "Known at (": "yesterday"}, "Resolve",
         "resolution", a_question, chosen="yes"),
    Form("resolve: note", RESOLVE, {"Known at (": "yesterday", "Note": "Seen."}, "Resolve",
         "resolution", a_question, chosen="yes"),
    Form("propose", RESOLVE, {"Known at (": "yesterday", "Note": "Seen."}, "Propose only",
         "resolution", a_question, chosen="yes"),
    Form("reject", RESOLVE, {"Reason to reject": "It was {}."}, "Reject", "resolution",
         a_proposal),
    Form("withdraw outcome", RESOLVE, {"Reason to withdraw": "It was {}."}, "Withdraw outcome",
         "resolution", an_outcome, opens="Withdraw the outcome"),
    Form("dispute", ON, {"Reason to dispute": "It was {}."}, "Dispute outcome", "dispute",
         an_outcome, opens="Dispute the outcome"),
    Form("uphold", RESOLVE, {"Reason to uphold": "It was {}."}, "Uphold outcome", "dispute",
         partial(an_outcome, disputed=True)),
    Form("article: read", "articles", {"Article": ARTICLE}, "Read", before=nothing_read),
    Form("article: store", "articles", {"Title": "The {}"}, "Store 1 article", "article",
         before=a_draft, opens="1. The {} works"),
    Form("draft: forecast", "articles", {"Forecast": "35"}, "Register", "question",
         before=a_draft),
    Form("draft: last day", "articles", {"Forecast": "35", "Last day": "1 June 2099"}, "Register",
         "question", before=a_draft),
    Form("settings", "settings", {"Review forecasts every (days)": "{#}"}, "Save", "revisit"),
    Form("channel", "settings", {"Address": "json://example.org/{}", "New channel": "{}"},
         "Add channel", "channel", no_channel, opens="Add a channel"),
    Form("token: name", "settings", {"Expires after": "in 3 months", "Script name": "{}"},
         "Create token", "token"),
    Form("channel: settings", "settings", {"Review after (days)": "{#}"}, "Save", made=a_channel,
         within='[data-testid="stForm"]:has([class*="-channel-{}-"])',
         shown="Saved the settings of {}."),
    Form("token: revoke", "settings", {}, "Revoke", "token_revocation", a_token,
         chosen="Refuse it from now on"),
    Form("outcome on Today", "", {"Outcome": "7"}, "Resolve", "resolution", a_number_to_resolve,
         within=".st-key-todo-{}"),
    Form("import", FILES, {"Closes": "1 June 2099"}, "Preview", before=a_file,
         shown="Will the {} open?"),
    Form("token: end", "settings", {"Script name": "{}", "Expires after": "in 3 months"},
         "Create token", "token"),
    Form("member of a team", "team", {"Handle": "{}"}, "Add or change role", "membership",
         opens="Manage Harbour watchers"),
    Form("team", "team", {"New team": "The {}"}, "Create team", "team"),
    Form("practice", "practice", {"Probability of yes": "{#}"}, "Answer",
         before=an_exercise, shown="You said {#}%"),
)  # fmt: skip


@dataclass
class Hand:
    """A page with its ledger, and the pointer or the finger that presses its buttons."""

    page: Page
    server: Server
    way: str
    lost: bool = False

    def press(self, button: Locator, held: int) -> None:
        """Press the button where it is now, and release it there after ``held`` ms."""
        middle = button.evaluate(MIDDLE)
        x, y = middle["x"], middle["y"]
        if self.way == "pointer":
            self.page.mouse.click(x, y, delay=held)
            return
        if self.way not in WAYS:
            button.focus()
            self.page.keyboard.press(self.way)
            return
        finger = self.page.context.new_cdp_session(self.page)
        finger.send(TOUCH, {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        if held:
            self.page.wait_for_timeout(held)
        finger.send(TOUCH, {"type": "touchEnd", "touchPoints": []})
        finger.detach()

    def does(
        self, form: Form, held: int, *, gap: int = 0, slow: bool = False, patience: int = PATIENCE
    ) -> int:
        """Fill the form, press its button; return how often that was done.

        ``gap``: ms between the last key and the press.
        """
        page, number = self.page, next(_numbers)
        word = _word(number)

        def named(text: str) -> str:
            return text.replace("{#}", str(number % 90 + 5)).replace("{}", word)

        if form.made is not None:
            engine = database.open_engine(sqlite_url(self.server.ledger))
            with database.writing(engine) as session:
                form.made(session, word)
            engine.dispose()
        path = named(form.path)
        address = f"{self.server.base}/{path}"
        fresh = self.lost or page.url == "about:blank" or form.path == FILES
        if fresh or (form.made and page.url == address):
            daily_acts.opened(page, address)
        elif page.url != address:
            go(page, address)
        self.lost = False
        if form.before is not None:
            form.before(page, word)
        self._rest()
        within = page.locator(named(form.within)).first
        if form.opens and form.fields:
            field = self._field(within, next(iter(form.fields)))
            if not field.count() or not field.is_visible():
                page.locator("summary").filter(has_text=named(form.opens)).first.click()
                until(page, STILL)
                self._rest()
        if form.chosen:
            within.locator("label").filter(has_text=re.compile(f"^{form.chosen}$")).first.click()
            self._rest()
        button = (
            within.get_by_role("button", name=form.button, exact=True)
            .and_(page.locator(":not([data-retained] *)"))
            .first
        )
        last = "" if form.fields else button.evaluate(KEY)
        for label, text in form.fields.items():
            field = self._field(within, label)
            field.click()
            page.keyboard.press("Control+A")
            if label == [*form.fields][-1]:
                last = field.evaluate(KEY)
                self._rest()
                if named(text).count("\n") or len(text) > 60:
                    page.keyboard.insert_text(named(text))
                else:
                    page.keyboard.type(named(text))
            else:
                field.fill(named(text))
                if label in DATES:
                    page.get_by_text("Read as").first.wait_for()
        if gap:
            page.wait_for_timeout(gap)
        before = self._rows(form.table)
        with saves_waiting(self.server.ledger) if slow else nullcontext():
            self.press(button, held)
            if slow:
                expect(page.locator(DONE)).to_have_count(0)
                # Later than a double click, which the page takes for one.
                until(
                    page,
                    "began => performance.now() - began > 600",
                    arg=page.evaluate("performance.now()"),
                )
                self.press(button, held)
        done = (
            page.get_by_text(named(form.shown)).first
            if form.shown
            else page.locator(f".{last}:not([data-retained] *)")
        )
        try:
            done.wait_for(state="visible" if form.shown else "detached", timeout=patience)
        except TimeoutError:
            self.lost = True
            return 0
        self._rest()
        assert covered(page) == [], form.name
        return self._rows(form.table) - before if form.table else 1

    def _field(self, within: Locator, label: str) -> Locator:
        exact = not label.endswith("(")
        return (
            within.get_by_label(label, exact=exact)
            .and_(self.page.locator(":is(input, textarea):not([data-retained] *)"))
            .first
        )

    def _rest(self) -> None:
        self.page.locator(DONE).wait_for()
        expect(self.page.locator(".typed-ahead")).to_have_count(0)

    def _rows(self, table: str) -> int:
        if not table:
            return 0
        with closing(sqlite3.connect(self.server.ledger)) as file:
            return int(file.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _word(number: int) -> str:
    """Return a word of its own for each number below 8000, so that no two questions are alike."""
    word = "v"
    for _ in range(3):
        number, place = divmod(number, 20)
        word += "aeiou"[place % 5] + "bcdfghjklmnpqrstvwxz"[place]
    return word


@pytest.fixture(scope="module")
def pressed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app on a ledger with a team of alice's."""

    def add_team(session: Session) -> None:
        alice = member_or_new(session, "alice", now=(now := datetime.now(UTC)))
        team = teams.create(session, "Harbour watchers", member=alice, now=now)
        teams.add(session, team, alice, member=alice, now=now)

    with in_daily_use(tmp_path_factory.mktemp("pressed"), add_team) as server:
        yield server


@contextmanager
def hand(browser: BrowserContext, server: Server, way: str) -> Iterator[Hand]:
    """Yield a page with a pointer, or a narrow one with touch."""
    with tab(browser, *WAYS.get(way, WAYS["pointer"])) as page:
        if way == "touch":
            touch = {"enabled": True, "maxTouchPoints": 1}
            browser.new_cdp_session(page).send("Emulation.setTouchEmulationEnabled", touch)
        yield Hand(page, server, way)


@pytest.mark.parametrize("way", WAYS)
def test_the_first_press_of_each_form_counts_once(
    browser: BrowserContext, pressed: Server, way: str
) -> None:
    """Every other form by each: the nightly table has all of them by both."""
    forms = FORMS[[*WAYS].index(way) :: len(WAYS)]
    with hand(browser, pressed, way) as one:
        done = {form.name: one.does(form, 0, patience=30_000) for form in forms}
    assert done == dict.fromkeys(done, 1)


@pytest.mark.nightly
@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_twenty_presses_of_each_form_count_once_each(
    browser: BrowserContext, pressed: Server, form: Form, way: str, held: int
) -> None:
    """Straight after the last key, and while its run moves the page."""
    with hand(browser, pressed, way) as one:
        done = [one.does(form, held, gap=20 * turn, patience=10_000) for turn in range(TRIES)]
    assert done == [1] * TRIES


@pytest.mark.parametrize("way", WAYS)
def test_a_press_counts_once_if_its_run_is_slow_and_the_button_is_pressed_again(
    browser: BrowserContext, pressed: Server, way: str
) -> None:
    with hand(browser, pressed, way) as one:
        assert one.does(ASKED, 0, slow=True) == 1


def test_what_is_typed_moves_no_button(browser: BrowserContext, pressed: Server) -> None:
    """A button that moves is not where the finger comes down."""
    pages = (
        (ASK, "Last day of forecasting", "31 December 2099", "Read as", "Register question"),
        ("question?slug=due-0", "Probability", "36", "odds", "Update forecast"),
        ("", "Probability", "36", "odds", "Save"),
    )
    with tab(browser, *WAYS["touch"]) as page:
        for path, label, typed, shown, name in pages:
            daily_acts.opened(page, f"{pressed.base}/{path}")
            button = page.get_by_role("button", name=name, exact=True)
            form = page.locator(f"main :is({ACTS})").filter(has=button).last
            button, field = (
                form.get_by_role("button", name=name),
                form.get_by_label(label, exact=True),
            )
            field.focus()
            before = button.bounding_box()
            field.fill(typed)
            expect(form.get_by_text(shown).last).to_be_visible()
            expect(page.locator(DONE)).to_be_visible()
            assert button.bounding_box() == before, path


def test_enter_and_space_press_a_button_that_has_the_focus(
    browser: BrowserContext, pressed: Server
) -> None:
    for key in ("Enter", "Space"):
        with hand(browser, pressed, key) as one:
            assert one.does(ASKED, 0) == 1
