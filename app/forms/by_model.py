"""The language model beside an article's drafts: ask it, and see that it works or why it failed.

It is asked in a thread of its own, and the page looks in the ledger for its answer, so that nothing
waits for it: the page can be used or left meanwhile.

Rejected: asking in the page's run, which can neither be used nor left until the model has answered.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import streamlit as st
from sqlalchemy import Engine
from sqlmodel import Session

from app import session
from app.markdown_text import as_text, quoted
from app.session import Undo, act, form_key
from forecasts.access import visibility
from forecasts.access.roles import Action
from forecasts.common.errors import LedgerError
from forecasts.common.text import count
from forecasts.ledger import database
from forecasts.ledger.clock import act_time
from forecasts.ledger.models import Article, Member
from forecasts.proposals import calls, decisions
from forecasts.proposals.calls import Begun
from forecasts.proposals.endpoint import Endpoint, configured
from forecasts.proposals.kinds import Wanted
from forecasts.proposals.questions import ProposedDraft

_EVERY = 1.0  # seconds between looks for the answer
THREAD = "ask-model"


@dataclass
class _Left:
    """The calls that the reader no longer waits for, by number."""

    calls: set[int] = field(default_factory=set)


def proposals(ledger: Session, number: int) -> list[ProposedDraft]:
    """Return the model's open proposals to the reader from an article."""
    member = session.current_member(ledger)
    return [one.draft for one in decisions.listing(ledger, member, articles=[number])]


def ask_model(article: Article) -> None:
    """Show the button that asks the model for questions, or that it works on them.

    Nothing if no model is set, or for a reader who may not ask questions. After a failure its
    reason is beside the button.
    """
    with session.shown_errors():
        endpoint = configured(session.settings())
        if endpoint is None or not article.text.strip():
            return
        with session.reading() as ledger:
            if not session.rights_here(ledger).allows(Action.ask):
                return
        call, failure = _last(article, endpoint)
        if call is not None:
            _working(article.id, call, endpoint)
            return
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            pressed = st.button(
                f"Ask {as_text(endpoint.model)}",
                key=f"ask-model-{article.id}",
                help=f"Sends the article to {as_text(endpoint.host)}, and nothing else.",
            )
            if failure:
                st.caption(f":orange[{as_text(failure)}]", width="stretch")
        if pressed:
            _begin(article, endpoint)


def _last(article: Article, endpoint: Endpoint) -> tuple[int | None, str]:
    """Return the reader's call that is under way, and why the last one brought nothing."""
    now = session.now()
    with session.reading() as ledger:
        member = session.current_member(ledger)
        if member is None:
            return None, ""
        # A repair is a call of its own, and a server that was stopped leaves one without an end.
        since = now - timedelta(seconds=endpoint.seconds + 30)
        call = calls.waiting(ledger, member, article.id, since=since)
        if call is not None and call.id not in session.page_state(_Left).calls:
            return call.id, ""
        ended = calls.last_answer(ledger, member, article.id)
        if ended is None or now - ended.recorded_at > timedelta(days=1):
            return None, ""
        dropped = ended.misquoted + ended.unusable
        return None, ended.reason or (_dropped(dropped) if dropped else "")


def _dropped(many: int) -> str:
    return f"{count(many, 'proposal')} dropped: misquoted, or not usable as a question."


@st.fragment(run_every=_EVERY)
def _working(number: int, call: int, endpoint: Endpoint) -> None:
    """Say that the model works on a call, and run the page again once it has ended."""
    with suppress(LedgerError), session.reading() as ledger:
        row, answer = calls.find_call(
            ledger, call, session.current_member(ledger), now=session.now()
        )
        if answer is not None:
            st.rerun()
        took = max(0, round((session.now() - row.recorded_at).total_seconds()))
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.caption(
                f"{as_text(endpoint.model)} is reading the article · {took} s of "
                f"{endpoint.seconds:g}",
                width="stretch",
            )
            if st.button("Stop waiting", key=f"leave-model-{number}", type="tertiary"):
                session.page_state(_Left).calls.add(call)
                st.rerun()


def _begin(article: Article, endpoint: Endpoint) -> None:
    """Write the call, and send it in a thread of its own."""
    name = f"ask-model-act-{article.id}"
    key, wanted = form_key(name), Wanted("questions", article=article.id)
    with act(key, goes_on=True) as doing:
        begun, who = (
            calls.begin(doing.ledger, endpoint, wanted, **doing.by),
            doing.member.id,
        )
    if form_key(name) == key:
        return  # refused, which is shown
    given = (session.engine(), who, endpoint, begun)
    threading.Thread(target=_ask, name=THREAD, args=given, daemon=True).start()
    st.rerun()


def _ask(engine: Engine, who: int, endpoint: Endpoint, begun: Begun) -> None:
    """Send a call and write its answer; an error is in the ledger, where the page finds it."""

    @contextmanager
    def acting() -> Iterator[tuple[Session, Member, datetime]]:
        with database.writing(engine, session.machine_time) as ledger:
            member, now = ledger.get_one(Member, who), act_time(ledger)
            visibility.read_as(ledger, member, now=now)
            yield ledger, member, now

    with suppress(LedgerError):
        calls.finish(acting, endpoint, begun)


def dismissal(draft: ProposedDraft) -> None:
    """Show the button that dismisses a proposal."""
    key = form_key(f"dismiss-{draft.place}")
    if st.button("Dismiss", key=f"{key}-go", type="tertiary"):

        def undo() -> None:
            with act(form_key(f"reopen-{draft.place}")) as doing:
                decisions.reopen(doing.ledger, draft.number, **doing.by)
                doing.say("The proposal is open again.")

        with act(key) as doing:
            decisions.dismiss(doing.ledger, draft.number, **doing.by)
            said = f"Dismissed: {quoted(draft.question, 80)}."
            doing.say(said, Undo("Lists the proposal again.", undo))
