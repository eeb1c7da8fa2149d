"""What every page stands on: the clock, the ledger, who acts, one transaction a submit.

A page reads in ``with reading() as ledger:`` and submits in ``with act(...) as doing:``. Errors
of the ledger are shown where they arise, as a sentence and its remedy, and nothing else is.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import NoReturn

import streamlit as st
from sqlalchemy import Engine
from sqlmodel import Session

from app.forms.captured import Captured
from app.markdown_text import as_text
from app.web import identity
from forecasts.access import identities, members, visibility
from forecasts.access.roles import Rights
from forecasts.articles.article import CapturedArticle
from forecasts.common.errors import BadInput, DatabaseError, LedgerError
from forecasts.common.settings import Settings
from forecasts.exchange.import_ import Imported
from forecasts.exchange.samples.demonstration import is_demonstration
from forecasts.exchange.samples.practice import Answer
from forecasts.ledger import database, following
from forecasts.ledger.models import Member, Resolution
from forecasts.reports import Group
from forecasts.scores.frames import Frames
from scoring.errors import InputError

_ADDRESS = "http://127.0.0.1:8501"  # where nothing else is known, as in tests
_BETWEEN_TRIES = 3.0  # seconds, until a ledger that could not be used is looked for again
# Beyond these the problems of a bad input are counted, not listed.
_MOST_PROBLEMS = 10


def now() -> datetime:
    """Return the present moment: the one place where the pages read the clock."""
    return datetime.now(UTC)


def settings() -> Settings:
    """Return the settings of the environment that the server was started in."""
    return _settings(frozenset(os.environ.items()))


@lru_cache(maxsize=1)
def _settings(_environment: frozenset[tuple[str, str]]) -> Settings:
    # A page asks for them dozens of times, and to read them takes as long as a statement does.
    return Settings()


def engine() -> Engine:
    """Return the ledger's engine, opened once a process, and migrated where it is embedded."""
    return _opened(settings().database_url)


@st.cache_resource(show_spinner="Opening the ledger …")
def _opened(url: str) -> Engine:
    opened = database.open_engine(url)
    database.make_ready(opened)
    return opened


@contextmanager
def reading() -> Iterator[Session]:
    """Yield a session that sees one moment of the ledger, as who sits at this screen may see it.

    What it read stays usable afterwards.
    """
    with database.reading(engine()) as ledger:
        visibility.read_as(ledger, current_member(ledger), now=now())
        yield ledger


def rights_here(ledger: Session) -> Rights:
    """Return what whoever sits at this screen may do, as ``reading`` has found out."""
    rights = visibility.rights(ledger)
    assert rights is not None
    return rights


def demonstration() -> bool:
    """Return whether the ledger is the demonstration, whoever asks."""
    with database.reading(engine()) as ledger:
        return is_demonstration(ledger)


def current_member(ledger: Session) -> Member | None:
    """Return who sits at this screen; None until they act, or sign in, for the first time."""
    who = identity.person(now())
    if who is None:
        return members.find_member(ledger, settings().member)
    return identities.member_of(ledger, who)


def address_of_app() -> str:
    """Return where the app is, as its users write it."""
    rules = identity.rules()
    return rules.base if rules is not None else st.context.headers.get("Origin") or _ADDRESS


def my_handle() -> str:
    """Return the handle of who sits at this screen."""
    return memory().handle or settings().member


def acting(ledger: Session, moment: datetime) -> Member:
    """Return who acts, who has to be signed in still where people sign in."""
    who = identity.person(moment)
    if who is None:
        return members.member_or_new(ledger, settings().member, now=moment)
    return identities.admit(ledger, who, now=moment)


def _known_here(moment: datetime) -> Member | None:
    """Return who is signed in, if they have been here before; None too where nobody signs in."""
    who = identity.person(moment)
    if who is None:
        return None
    with database.reading(engine()) as ledger:
        return identities.member_of(ledger, who)


@dataclass(frozen=True)
class Place:
    """A page, by its path in the address, and the query by which it knows what to show."""

    url_path: str
    query: dict[str, str]

    def open(self) -> NoReturn:
        """Open the page instead of the one that runs."""
        st.switch_page(f"app_pages/{self.url_path}.py", query_params=self.query)


@dataclass(frozen=True)
class Looked:
    """A ledger folder that somebody handed over: what it holds, and what importing it would do."""

    key: str
    frames: Frames
    said: list[str]
    would: Imported
    vouch: bool


@dataclass
class Practice:
    """What somebody has practised in this browser session; it is kept nowhere else."""

    seed: int
    answers: list[Answer] = field(default_factory=list)
    shown: Answer | None = None
    # On all the answers; None after another one.
    record: Group | None = None


@dataclass
class Memory:
    """What one browser session remembers between runs.

    Plain attributes on purpose: writing to ``st.session_state`` is a point where Streamlit may
    abandon a run for the next click, and between a commit and remembering it nothing may happen.
    """

    done: Counter[str] = field(default_factory=Counter)
    said: list[str] = field(default_factory=list)
    # A second click starts a run of its own while the first one may still be at its act.
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock)
    going: Place | None = None
    captured: Captured | None = None
    readings: int = 0
    # What is shown once: what it is, and the words themselves.
    secret: tuple[str, str] | None = None
    # A ledger folder that was looked at, to be imported.
    folder: Looked | None = None
    practice: Practice | None = None
    # Who signed in here; blank where nobody does.
    handle: str = ""
    # By form, the resolution that stood when it was last shown.
    seen: dict[str, Resolution | None] = field(default_factory=dict)

    def hold(self, articles: Sequence[CapturedArticle], seen: datetime) -> None:
        """Keep what was read for the person to look at and put right."""
        self.readings += 1
        self.captured = Captured.of(articles, seen, self.readings)


def memory() -> Memory:
    """Return this browser session's memory."""
    if "memory" not in st.session_state:
        st.session_state["memory"] = Memory()
    remembered: Memory = st.session_state["memory"]
    return remembered


def form_key(name: str) -> str:
    """Return the key of a form: another one after each time it has been carried out.

    So the fields are blank again after success, keep their words after a refusal, and a second
    click on the same button meets a form that is no longer there.
    """
    return f"{name}#{memory().done[name]}"


@dataclass
class Act:
    """One act in progress: the session of its transaction, who acts, and when."""

    ledger: Session
    member: Member
    now: datetime
    said: str = ""
    goes_to: Place | None = None

    def say(self, words: str) -> None:
        """Tell the person ``words`` once the act is stored."""
        self.said = words

    def go(self, url_path: str, query: dict[str, str]) -> None:
        """Open that page once the act is stored, instead of this one again."""
        self.goes_to = Place(url_path, query)


@contextmanager
def act(key: str) -> Iterator[Act]:
    """Yield one transaction for the form of ``key``; stored and acknowledged when the block ends.

    After that the page runs anew and shows the ledger as it then is. A LedgerError undoes
    everything and is shown in place; the page goes on and the form keeps its words. Of two clicks
    on one button the second waits for the first, does nothing, and goes where that one goes.
    """
    remembered, moment, begun = memory(), now(), False
    name, _, done = key.rpartition("#")
    with remembered.one_at_a_time:
        if remembered.done[name] != int(done):
            _onward(remembered)
        try:
            known = _known_here(moment)
            with database.writing(engine()) as ledger:

                def who() -> Member:
                    if known is not None and not following.has_turn(ledger):
                        member = known
                    else:
                        member = acting(ledger, moment)
                    visibility.read_as(ledger, member, now=moment)
                    return member

                # Before the act's turn to write, so that nobody waits for it.
                # That an identity was handed to somebody else stands in no entry of the chain.
                member = following.checked(
                    ledger, who, same=lambda one: one.id, always=known is not None
                )
                doing = Act(ledger, member, moment)
                begun = True
                yield doing
        except (LedgerError, InputError) as error:
            show(error)
            if not begun:
                st.stop()
            return
        # Between the commit and here no Streamlit call may stand: see ``Memory``.
        remembered.done[name] += 1
        remembered.said.append(doing.said)
        remembered.going = doing.goes_to
    _onward(remembered)


def _onward(remembered: Memory) -> NoReturn:
    """Open the page to which the last act goes; this one anew where it goes nowhere."""
    if remembered.going is not None:
        remembered.going.open()
    st.rerun()


def acknowledge() -> None:
    """Show what was stored since the last run; it survives the rerun that follows an act."""
    remembered = memory()
    while remembered.said:
        if words := remembered.said.pop(0):
            st.toast(as_text(words), duration="long")


@contextmanager
def shown_errors() -> Iterator[None]:
    """Show an error of the ledger, in place, as its sentence and remedy; the page goes on."""
    try:
        yield
    except (LedgerError, InputError) as error:
        show(error)


@contextmanager
def shown_outages() -> Iterator[None]:
    """Show errors as ``shown_errors`` does; where the ledger cannot be used, until it can be."""
    with shown_errors():
        try:
            yield
        except DatabaseError as error:
            show(error)
            _try_again([])


@st.fragment(run_every=_BETWEEN_TRIES)
def _try_again(tries: list[None]) -> None:
    """Show that the page looks for the ledger by itself; run it anew once the ledger is there.

    The run that shows the error does not look: where only some of the ledger cannot be read, the
    page would be run again and again without a pause.
    """
    st.caption("This page looks again by itself every few seconds.")
    if tries:
        with suppress(LedgerError), database.reading(engine()) as ledger:
            ledger.connection()
            st.rerun()
    tries.append(None)


def show(error: LedgerError | InputError) -> None:
    """Show the sentence, the problems and the remedy of ``error``."""
    if isinstance(error, InputError):
        error = BadInput(str(error))
    lines = [as_text(error.message)]
    problems = error.problems if isinstance(error, BadInput) else ()
    lines += [f"- {as_text(str(problem))}" for problem in problems[:_MOST_PROBLEMS]]
    if len(problems) > _MOST_PROBLEMS:
        lines.append(f"- … and {len(problems) - _MOST_PROBLEMS} more")
    if error.remedy:
        lines.append(as_text(error.remedy))
    st.error("\n\n".join(lines))


def went_wrong(error: Exception) -> bool:
    """Show that something unforeseen happened; True: Streamlit need not show it as well.

    The server's log has the details. What was acknowledged is stored; the rest is not.
    """
    st.error(
        "Something went wrong on this page, and what you were doing was not stored. "
        "Everything that was acknowledged before is safe. Reload the page and try again; "
        "the log of the server says more.",
    )
    return True
