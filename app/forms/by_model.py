"""The language model on pages: ask it, see that it works or why it failed, see its forecast.

It is asked in a thread of its own, and the page looks in the ledger for its answer, so that nothing
waits for it: the page can be used or left meanwhile.

Rejected: asking in the page's run, which can neither be used nor left until the model has answered.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import streamlit as st
from sqlalchemy import Engine
from sqlmodel import Session

from app import session
from app.markdown_text import as_text, quoted, shortened
from app.session import Undo, act, form_key
from forecasts.access.roles import Action
from forecasts.articles.drafts import Draft
from forecasts.common.errors import LedgerError
from forecasts.common.text import count
from forecasts.ledger import database
from forecasts.ledger.models import Article, Member, Question
from forecasts.proposals import calls, decisions, model_forecasts
from forecasts.proposals.calls import Begun, Subject
from forecasts.proposals.endpoint import Endpoint, configured
from forecasts.proposals.kinds import Wanted
from forecasts.proposals.model_forecasts import ModelForecast
from forecasts.proposals.questions import ProposedDraft
from forecasts.values.value import format_value

_EVERY = 1.0  # seconds between looks for the answer
THREAD = "ask-model"


@dataclass
class _Left:
    """The calls that the reader no longer waits for, by number."""

    calls: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class _Asking:
    """The model, the proposals wanted, the reader's call under way, and why the last one failed.

    It is read before the proposals that the page lists: an answer that comes between is then still
    waited for, and the page runs again.
    """

    endpoint: Endpoint
    wanted: Wanted
    call: int | None
    failure: str

    @property
    def name(self) -> str:
        """The name of its elements."""
        return f"{self.wanted.kind}-{self.wanted.article or self.wanted.question}"


def _asking(
    ledger: Session, endpoint: Endpoint, member: Member | None, wanted: Wanted, **subject: int
) -> _Asking:
    if member is None:
        return _Asking(endpoint, wanted, None, "")
    last = _last(ledger, endpoint, Subject(member, wanted.kind, **subject))
    return _Asking(endpoint, wanted, *last)


@dataclass(frozen=True)
class OfModel:
    """The model's open proposals from an article; ``asking`` is for ``ask_model``."""

    drafts: Sequence[ProposedDraft] = ()
    asking: _Asking | None = None


def of_model(ledger: Session, article: Article, drafts: Sequence[Draft]) -> OfModel:
    """Return the model's open proposals to the reader from an article, which has these drafts.

    No model can be asked if none is set, or by a reader who may not ask questions.
    """
    member, asking = session.current_member(ledger), None
    with session.shown_errors():
        endpoint = configured(session.settings())
        may_ask = session.rights_here(ledger).allows(Action.ask)
        if endpoint is not None and article.text.strip() and may_ask:
            wanted = Wanted("questions", article=article.id)
            asking = _asking(ledger, endpoint, member, wanted, article=article.id)
    listed = decisions.listing(ledger, member, articles=[article.id], drafted=lambda _: drafts)
    return OfModel([one.draft for one in listed], asking)


def ask_model(found: OfModel) -> None:
    """Show the button that asks the model for questions from an article, or that it works on them.

    After a failure its reason is beside the button.
    """
    if found.asking is not None:
        with session.shown_errors():
            label = f"Ask {as_text(found.asking.endpoint.model)} for questions"
            _ask_button(found.asking, label, "the article")


def model_forecast(question: Question, *, has_forecast: bool, may_ask: bool = False) -> None:
    """Show the model's forecast once the reader has made theirs, or the button that asks for it.

    Without the button unless ``may_ask``. Nothing if no model is set.
    """
    with session.shown_errors():
        endpoint = configured(session.settings())
        if endpoint is None:
            return
        with session.reading() as ledger:
            member = session.current_member(ledger)
            wanted = Wanted("forecast", question=question.slug)
            asking = _asking(ledger, endpoint, member, wanted, question=question.id)
            row, seen = None, False
            if member is not None:
                subject = Subject(member, "forecast", question=question.id)
                row = calls.newest_proposal(ledger, subject)
                seen = row is not None and decisions.newest_decision(row, ledger) is not None
            if row is not None and member is not None and seen:
                _forecast(model_forecasts.reveal(ledger, row.id, member=member, now=session.now()))
        if row is not None and not seen:
            _unseen(row.id, has_forecast=has_forecast)
        elif may_ask:
            label = f"Ask {as_text(endpoint.model)} for a forecast"
            _ask_button(asking, label, "the question and up to five articles")


def _forecast(one: ModelForecast) -> None:
    value = shortened(format_value(one.value, one.text.options), 100)
    with st.expander(f"{as_text(one.model)}: {as_text(value)}"):
        st.caption(f"Base rate: {as_text(one.base_rate)} · {as_text(one.reference_class)}")
        for label, reasons in (("For", one.evidence_for), ("Against", one.evidence_against)):
            for reason in reasons:
                quote = f" — “{as_text(reason.quotation)}”" if reason.quotation else ""
                st.markdown(f"**{label}:** {as_text(reason.point)}{quote}")


def _unseen(number: int, *, has_forecast: bool) -> None:
    """Show that the model has forecast, with the button that shows it after the reader's own."""
    if not has_forecast:
        st.caption("The model's forecast is ready. It is shown after you save yours.")
        return
    key = form_key(f"reveal-{number}")
    records = "Shows it and records it for the model's bot."
    if st.button("Show the model's forecast", key=f"{key}-go", help=records):
        with act(key) as doing:
            shown = model_forecasts.reveal(doing.ledger, number, **doing.by)
            value = shortened(format_value(shown.value, shown.text.options), 100)
            doing.say(f"{shown.model} on {quoted(shown.text.title, 80)}: {value}.")


def _ask_button(asking: _Asking, label: str, sent: str) -> None:
    """Show the button that asks the model, or that it works."""
    endpoint, name = asking.endpoint, asking.name
    if asking.call is not None:
        _working(name, asking.call, endpoint)
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        pressed = st.button(
            label,
            key=f"ask-model-{name}",
            help=f"Sends {sent} to {as_text(endpoint.host)}. Nobody's forecasts are sent.",
        )
        if asking.failure:
            st.caption(f":orange[{as_text(asking.failure)}]", width="stretch")
    with st.expander("Request", key=f"request-{name}", on_change="rerun") as opened:
        if opened.open:
            with session.reading() as ledger:
                would = calls.preview(ledger, endpoint, asking.wanted, now=session.now())
            st.caption("This is the exact request.")
            st.code(would, language=None, wrap_lines=True)
    if pressed:
        _begin(name, asking.wanted, endpoint)


def _last(ledger: Session, endpoint: Endpoint, about: Subject) -> tuple[int | None, str]:
    """Return the call that is under way, and why the last one brought nothing."""
    now = session.now()
    # A repair is a call of its own, and a server that was stopped leaves one without an end.
    since = now - timedelta(seconds=endpoint.seconds + 30)
    call = calls.waiting(ledger, about, since=since)
    if call is not None and call.id not in session.page_state(_Left).calls:
        return call.id, ""
    ended = calls.last_answer(ledger, about)
    if ended is None or now - ended.recorded_at > timedelta(days=1):
        return None, ""
    if ended.reason:
        return None, ended.reason
    newest = calls.newest_proposal(ledger, about)
    found = newest is not None and newest.model_call_id == ended.model_call_id
    none_found = f"{endpoint.model} found no questions in this article."
    said = "" if found or about.kind != "questions" else none_found
    return None, f"{said} {_dropped(ended.misquoted + ended.unusable)}".strip()


def _dropped(many: int) -> str:
    if not many:
        return ""
    were = "was" if many == 1 else "were"
    why = "the quotation was wrong, or the part was not usable"
    return f"{count(many, 'part')} of the answer {were} dropped: {why}."


@st.fragment(run_every=_EVERY)
def _working(name: str, call: int, endpoint: Endpoint) -> None:
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
                f"{as_text(endpoint.model)} is working · {took} s (limit: {endpoint.seconds:g})",
                width="stretch",
            )
            if st.button("Stop waiting", key=f"leave-model-{name}", type="tertiary"):
                session.page_state(_Left).calls.add(call)
                st.rerun()


def _begin(name: str, wanted: Wanted, endpoint: Endpoint) -> None:
    """Write the call, and send it in a thread of its own."""
    place = f"ask-model-act-{name}"
    key = form_key(place)
    with act(key, goes_on=True) as doing:
        begun = calls.begin(doing.ledger, endpoint, wanted, **doing.by)
    if form_key(place) == key:
        return  # refused, which is shown
    given = (session.engine(), endpoint, begun)
    threading.Thread(target=_ask, name=THREAD, args=given, daemon=True).start()
    st.rerun()


def _ask(engine: Engine, endpoint: Endpoint, begun: Begun) -> None:
    """Send a call and write its answer; an error is in the ledger, where the page finds it."""
    with suppress(LedgerError):
        calls.finish(partial(database.writing, engine, session.machine_time), endpoint, begun)


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
