"""The ground under every page: clock, ledger, current member, one transaction per submit.

A page reads in ``with reading() as ledger:`` and submits in ``with act(...) as doing:``. An error
of the ledger is shown in place, as a sentence and its remedy.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, TypedDict, TypeVar, cast
from urllib.parse import urlsplit

import streamlit as st
from sqlalchemy import Engine
from sqlmodel import Session
from streamlit.logger import get_logger

from app.markdown_text import as_lines, as_text, shortened
from app.remedies import ITS_PAGE, questions_in, said
from forecasts.access import identities, members, visibility
from forecasts.access.oidc_settings import configured_sign_in
from forecasts.access.preferences import Preferences, preferences
from forecasts.access.roles import Rights
from forecasts.agenda.today import Today, today
from forecasts.common.errors import BadInput, DatabaseError, Expired, LedgerError
from forecasts.common.settings import Settings, current_settings
from forecasts.common.text import on_one_line
from forecasts.ledger import database, schema
from forecasts.ledger import outages as ledger_outages
from forecasts.ledger.clock import act_time, ledger_clock
from forecasts.ledger.models import Member
from forecasts.ledger.outages import outages
from scoring.errors import InputError

State = TypeVar("State")
Card = TypeVar("Card")
_ADDRESS = "http://127.0.0.1:8501"  # when the browser sends no origin, as in tests
_BETWEEN_TRIES = 3.0  # seconds between attempts to reach an unavailable ledger
_BETWEEN_CLOCKS = 60.0  # seconds between comparisons with a server's clock
_COUNTED_FOR = timedelta(minutes=5)
_SLOW = 1.0  # seconds of the processor: a ledger is not large because the machine is busy
_AHEAD_OF_CARDS = 30  # questions to forecast that can be typed before their cards are drawn
_SHOWN_FOR = timedelta(seconds=5)  # in which the browser hides a message again
_UNDO_FOR = timedelta(minutes=2)
_MOST_PROBLEMS = 10  # listed for one bad input; the others are counted


def now() -> datetime:
    """Return the ledger's time, a server's or this machine's; pages read the clock only here."""
    url = ledger_url()
    return machine_time() + (timedelta() if url.startswith("sqlite") else _ahead(url))


def machine_time() -> datetime:
    """Return this machine's time."""
    return datetime.now(UTC)


# Not cache_data, which logs that no server runs yet: this module is loaded before it does.
@st.cache_resource(ttl=_BETWEEN_CLOCKS, show_spinner=False)
def _ahead(url: str) -> timedelta:
    """Return how far a server's clock is ahead, so that pages show an act when it was made."""
    with suppress(LedgerError):
        return ledger_clock(_opened(url), machine_time)() - machine_time()
    return timedelta()


def settings() -> Settings:
    """Return the settings from the server's environment."""
    return current_settings()


def ledger_url() -> str:
    """Return the URL of the ledger on the pages: the reader's own, or an opened sample's."""
    return memory().sample or settings().database_url


def engine() -> Engine:
    """Return the ledger's engine, opened once per process; an embedded ledger is migrated."""
    return _opened(ledger_url())


def open_ledger(sample: str = "", handle: str = "") -> NoReturn:
    """Open Today on the sample ledger at this URL, or else on the reader's own ledger.

    ``handle``: the simulated member in whose place the reader is there.

    Everything else that pages remember is about the other ledger, so it is forgotten.
    """
    own = memory().preferences
    st.session_state.clear()
    memory().sample, memory().handle, memory().preferences = sample, handle, own
    st.switch_page("app_pages/today.py", query_params={})


@st.cache_resource(show_spinner="Opening the ledger …")
def _opened(url: str) -> Engine:
    opened = database.open_engine(url)
    schema.make_ready(opened)
    return opened


@contextmanager
def reading() -> Iterator[Session]:
    """Yield a session on one snapshot of the ledger, limited to the current member's rights.

    Rows read from it stay usable afterwards.
    """
    with outages.watched() as read, database.reading(engine()) as ledger:
        visibility.read_as(ledger, current_member(ledger), now=now())
        read()
        yield ledger


def name_window(*names: str) -> None:
    """Name the browser's window or tab after the page: 'Will it rain? · Question · …'.

    The browser shows the names as text.
    """
    shown = [shortened(on_one_line(name), 100) for name in names]
    st.set_page_config(page_title=" · ".join([*shown, "Forecast Ledger"]))


def rights_here(ledger: Session) -> Rights:
    """Return the current member's rights, as ``reading`` found them."""
    rights = visibility.reader_rights(ledger)
    assert rights is not None
    return rights


def current_member(ledger: Session) -> Member | None:
    """Return the current member; None before their first act or sign-in."""
    who = person(ledger, now())
    if who is None:
        return members.find_member(ledger, my_handle())
    return identities.member_of(ledger, who)


def person(ledger: Session, moment: datetime) -> identities.Person | None:
    """Return the signed-in person; None if the ledger has no sign-in.

    Expired if they have not signed in, or no longer are; Forbidden if they may not enter.

    Streamlit reads its cookie when a page opens and trusts it until the page closes, even after the
    ID token has expired or the person has signed out. Therefore each run and each act checks both.
    The reader's own ledger, not a sample that is open, knows which sign-ins have ended.
    """
    rules = configured_sign_in()
    if rules is None:
        return None
    current = claims()
    if not current:
        raise Expired("You have not signed in.")
    with ExitStack() as sample:
        if memory().sample:
            ledger = sample.enter_context(database.reading(_opened(settings().database_url)))
        if identities.has_ended(ledger, current):
            raise Expired("You have signed out.")
    return identities.verified_person(current, rules, now=moment)


def claims() -> dict[str, Any]:
    """Return the provider's claims about the person; empty if not signed in."""
    all_claims = dict(st.user.to_dict())
    return all_claims if all_claims.get("is_logged_in") else {}


def sign_out() -> None:
    """End the sign-in of this browser, in its other tabs and on every server."""
    try:
        with database.writing(_opened(settings().database_url)) as own:
            identities.end_session(own, claims(), now=now())
    finally:
        st.logout()


def address_of_app() -> str:
    """Return the app's base URL as the browser knows it."""
    rules = configured_sign_in()
    return rules.base if rules is not None else st.context.headers.get("Origin") or _ADDRESS


def my_preferences() -> Preferences:
    """Return the current member's settings for pages."""
    return memory().preferences or Preferences()


def read_preferences(ledger: Session) -> None:
    """Read the member's settings for pages; they are remembered for the browser session."""
    memory().preferences = preferences(ledger, current_member(ledger))


def lowest_probability() -> float:
    """Return the lowest probability that forms accept: the member's limit, or the server's."""
    own = my_preferences().lowest_probability
    return settings().lowest_probability if own is None else own


def my_handle() -> str:
    """Return the current member's handle."""
    return memory().handle or settings().member


def acting(ledger: Session, moment: datetime) -> Member:
    """Return the acting member, who must still be signed in if the ledger uses sign-in."""
    who = person(ledger, moment)
    if who is None:
        return members.member_or_new(ledger, my_handle(), now=moment)
    return identities.admit(ledger, who, now=moment)


@dataclass
class Count:
    """How many questions need the member; ``is_old`` after an act, ``is_slow``: it took long."""

    total: int
    at: datetime
    is_slow: bool
    is_old: bool = False


@dataclass(frozen=True)
class Undo:
    """A way to undo an act: what it does, in words, and the call that does it."""

    words: str
    go: Callable[[], None]


@dataclass(frozen=True)
class Said:
    """The last act's confirmation; ``number`` counts them."""

    words: str
    at: datetime
    number: int
    undo: Undo | None = None


@dataclass
class Memory:
    """The memory of one browser session between runs.

    Plain attributes on purpose: Streamlit may abandon a run for the next click whenever it writes
    to ``st.session_state``, and nothing may come between a commit and remembering it.
    """

    done: Counter[str] = field(default_factory=Counter)
    said: Said | None = None
    acts: int = 0
    # A second click starts its own run, perhaps while the first is still in its act.
    lock: threading.Lock = field(default_factory=threading.Lock)
    next_page: tuple[str, dict[str, str]] | None = None  # with its query parameters
    handle: str = ""  # of the member who signed in or is in a sample; blank: that of the settings
    sample: str = ""  # the URL of the sample ledger on the pages; blank: the reader's own
    preferences: Preferences | None = None  # None until read
    refusals: int = 0
    page: str = ""  # the title of the page that is shown
    needs: Today | None = None  # of this run
    counted: Count | None = None
    address: str = ""  # of the page
    places: dict[str, list[str]] = field(default_factory=dict)  # of its cards, by their lists
    states: dict[str, Any] = field(default_factory=dict)

    def confirm(self, message: str, at: datetime, undo: Undo | None = None) -> None:
        """Show an act's message from the next run on, in place of the last; none if it is blank."""
        self.acts += 1
        self.said = Said(message, at, self.acts, undo) if message else None


def memory() -> Memory:
    """Return this browser session's memory."""
    if "memory" not in st.session_state:
        st.session_state["memory"] = Memory()
    return cast(Memory, st.session_state["memory"])


def needs_now() -> Today:
    """Return the member's needs of today, worked out once a run of the page."""
    remembered, moment = memory(), now()
    if remembered.needs is None:
        began = time.thread_time()
        with reading() as ledger:
            remembered.needs = today(
                ledger, current_member(ledger), now=moment, shown=_AHEAD_OF_CARDS
            )
        took = time.thread_time() - began
        remembered.counted = Count(remembered.needs.total, moment, is_slow=took > _SLOW)
    return remembered.needs


def count_needs(*, on_today: bool) -> int:
    """Return how many questions need the member, as counted after the own last act, or lately.

    In a ledger of many thousands it is as of the last run of Today: others must not wait for it.
    """
    remembered = memory()
    remembered.needs, known = None, remembered.counted  # a new run
    if on_today or known is None:
        return needs_now().total
    is_old = known.is_old or now() - known.at > _COUNTED_FOR
    return needs_now().total if is_old and not known.is_slow else known.total


def in_place(name: str, cards: Mapping[str, Card]) -> list[Card | None]:
    """Return the cards of a list by their places since the page was opened; None: it has gone.

    A card that moved up would be on the page twice for a moment: the new one would give its field
    back what it held before the last key, and a click would run the form that was there.
    """
    remembered = memory()
    if remembered.address != (address := urlsplit(st.context.url or "").path):
        remembered.address, remembered.places = address, {}
    places = remembered.places.setdefault(name, [])
    places += [key for key in cards if key not in places]
    return [cards.get(key) for key in places]


def page_state(kind: type[State]) -> State:
    """Return a page's own state in this browser session, made by ``kind()`` on first use.

    It is kept under the class's name, since each run of a page defines the class again.
    """
    states = memory().states
    if kind.__name__ not in states:
        states[kind.__name__] = kind()
    return cast(State, states[kind.__name__])


def form_key(name: str) -> str:
    """Return the key of a form, a new one after each success.

    Fields are therefore blank after success and keep their text after a refusal, and a second
    click on the same button finds that form gone.
    """
    return f"{name}#{memory().done[name]}"


@contextmanager
def form(name: str, *, border: bool = False, row: bool = False) -> Iterator[str]:
    """Show a form and yield its key, as of ``form_key``; ``row``: its fields are side by side."""
    key = form_key(name)
    with ExitStack() as parts:
        parts.enter_context(st.form(key, border=border))
        if row:
            parts.enter_context(st.container(horizontal=True, vertical_alignment="bottom"))
        yield key


class By(TypedDict):
    """The keywords that tell a verb who acts, and when."""

    member: Member
    now: datetime


@dataclass
class Act:
    """One act in progress: its database session, the acting member, the time."""

    ledger: Session
    member: Member
    now: datetime
    message: str = ""
    undo: Undo | None = None
    next_page: tuple[str, dict[str, str]] | None = None

    @property
    def by(self) -> By:
        """The acting member and the time, as a verb's keywords."""
        return {"member": self.member, "now": self.now}

    def say(self, message: str, undo: Undo | None = None) -> None:
        """Show ``message`` once the act is stored, with a button for ``undo``."""
        self.message, self.undo = message, undo

    def go(self, page: str, query: dict[str, str]) -> None:
        """Open ``page`` once the act is stored."""
        self.next_page = f"app_pages/{page}.py", query


@contextmanager
def act(key: str, message: str = "", *, goes_on: bool = False) -> Iterator[Act]:
    """Yield one transaction for the form of ``key``, committed when the block ends.

    ``message``: shown then, unless the block says another.

    The page then runs again on the new ledger. A LedgerError rolls everything back and is shown in
    place, and the form keeps its text. On a double click the second run waits for the first, does
    nothing, and opens the same page.

    ``goes_on``: the caller shows the stored act, then runs the page again. After a refusal
    ``form_key`` is still ``key``. DatabaseError, which is shown already, if the act cannot begin.
    """
    remembered, begun = memory(), False
    name, _, done = key.rpartition("#")
    with remembered.lock:
        if remembered.done[name] != int(done):
            _continue(remembered)
        try:
            with outages.watched(readable=True), database.writing(engine(), now) as ledger:
                moment = act_time(ledger)
                member = acting(ledger, moment)
                visibility.read_as(ledger, member, now=moment)
                doing = Act(ledger, member, moment, message)
                begun = True
                yield doing
        except (LedgerError, InputError) as error:
            show(error)
            if begun:
                return
            if goes_on and isinstance(error, DatabaseError):
                raise
            st.stop()
        outages.over()
        # No Streamlit call may come between the commit and here: see ``Memory``.
        remembered.done[name] += 1
        remembered.confirm(doing.message, doing.now, doing.undo)
        remembered.next_page = doing.next_page
        if remembered.counted is not None:
            remembered.counted.is_old = True
    if not goes_on:
        _continue(remembered)


def _continue(remembered: Memory) -> NoReturn:
    """Open the last act's next page, or run this one again."""
    if remembered.next_page is not None:
        page, query = remembered.next_page
        st.switch_page(page, query_params=query)
    st.rerun()


def acknowledge() -> None:
    """Show the last act's message at the top, where it covers nothing, until the next act.

    The browser hides it after four seconds if it cannot be undone. A run shows it again, for it may
    follow one that was abandoned before its message reached the browser.
    """
    said, undone = memory().said, False
    with st.container(key="said"):
        st.markdown("")  # so that the place is there before its words, which are then read aloud
        if said is not None and now() - said.at < (_UNDO_FOR if said.undo else _SHOWN_FOR):
            key = f"{'undo' if said.undo else 'said'}-{said.number}"
            with st.container(key=key, horizontal=True):
                st.markdown(as_text(said.words), width="stretch")
                if said.undo is not None:
                    undone = st.button("Undo", key=f"{key}-go", help=said.undo.words)
    if undone and said is not None and said.undo is not None:
        said.undo.go()


@contextmanager
def shown_errors() -> Iterator[None]:
    """Show an error of the ledger in place, as its sentence and remedy; the page goes on."""
    try:
        yield
    except (LedgerError, InputError) as error:
        show(error)


@contextmanager
def shown_outages() -> Iterator[None]:
    """Show errors as ``shown_errors`` does, and retry while the ledger is unavailable."""
    with shown_errors():
        try:
            with outages.watched():
                yield
        except DatabaseError as error:
            show(error)
            retry([])


@st.fragment(run_every=_BETWEEN_TRIES)
def retry(tries: list[None]) -> None:
    """Say that the page retries by itself; run it again once the ledger answers.

    The run that shows the error does not retry: if only part of the ledger is unreadable, the
    page would reload in a tight loop.
    """
    st.caption("This page retries every few seconds.")
    if tries:
        with suppress(LedgerError), database.reading(engine()) as ledger:
            ledger.connection()
            outages.over()
            st.rerun()
    tries.append(None)


def show(error: LedgerError | InputError) -> None:
    """Show an error's sentence, problems and remedy."""
    if isinstance(error, InputError):
        error = BadInput(str(error))
    if isinstance(error, DatabaseError):
        outages.noticed(error, readable=True)
    lines = [as_lines(error.message)]
    problems = error.problems if isinstance(error, BadInput) else ()
    lines += [f"- {as_text(str(problem))}" for problem in problems[:_MOST_PROBLEMS]]
    if len(problems) > _MOST_PROBLEMS:
        lines.append(f"- … and {len(problems) - _MOST_PROBLEMS} more")
    others = [one for one in questions_in(error.advice) if one != st.query_params.get("slug")]
    if error.advice:
        its_own = questions_in(error.advice) and not others
        lines.append(as_lines(said(error.advice, ITS_PAGE if its_own else memory().page)))
    memory().refusals += 1
    with st.container(key=f"refusal-{memory().refusals}"):  # by which the keyboard's script knows
        st.error("\n\n".join(lines))
        for slug in others:
            query = {"slug": slug}
            st.page_link("app_pages/question.py", label="Open the question", query_params=query)


def went_wrong(error: Exception) -> bool:
    """Show that an unexpected error occurred. Returns True: Streamlit need not show it as well."""
    if isinstance(error, DatabaseError):  # in a fragment, which runs by itself
        outages.noticed(error)
        show(error)
        return True
    if isinstance(error, MemoryError):
        st.error(
            "This needs more memory than the server may take, and nothing was stored. Divide it, "
            "or use the command line: forecasts import."
        )
        return True
    st.error(
        "Something went wrong, and your last action was not saved. Everything confirmed before it "
        "is safe. Reload the page and try again. The server log has the details."
    )
    return True


def keep_out_of_log() -> None:
    """Let Streamlit log no traceback of an outage, which ``Outages`` logs in a line."""
    get_logger(ledger_outages.__name__)  # which gives that line Streamlit's form
    logging.getLogger("streamlit.error_util").addFilter(is_fault)


def is_fault(record: logging.LogRecord) -> bool:
    """Return whether a record in the log is of a fault, not of an outage."""
    return not (record.exc_info and isinstance(record.exc_info[1], DatabaseError))
