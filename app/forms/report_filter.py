"""The filters that choose a report's questions and forecasts, and the report made of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

import streamlit as st
from sqlmodel import Session

from app.forms.dates import date_field
from app.markdown_text import as_text
from app.session import ledger_url, now, reading
from forecasts import reports
from forecasts.access import kinds, memberships, visibility
from forecasts.common.errors import BadInput
from forecasts.reports import arena, comparison
from forecasts.reports.selection import Choice, Cohort
from forecasts.scores import ledger_frames
from forecasts.updates import model_uses

ALL_RESOLVED = "All resolved"
_COHORTS: dict[str, Cohort] = {"Scheduled close has passed": "scheduled", ALL_RESOLVED: "resolved"}


def pick_all_resolved() -> None:
    """Choose all resolved questions, as a button's callback."""
    st.session_state["cohort"] = ALL_RESOLVED


def pick_questions(known_tags: list[str]) -> Choice:
    """Show the filters, kept in the address; return them. An invalid choice stops the page."""
    cohort = st.selectbox(
        "Questions",
        list(_COHORTS),
        key="cohort",
        bind="query-params",
        help="The first is a fair sample. All resolved: biased, since early ones are mostly “yes”.",
    )
    with st.expander("Filters"):
        tags = st.multiselect(
            "Tags", known_tags, key="tags", bind="query-params", placeholder="Any"
        )
        dated = partial(date_field, past=True, live=True)
        left, right = st.columns(2)
        close_help = "The scheduled close, which does not depend on the outcome."
        with left:
            since = dated("Closes from", key="since", help=close_help)
        with right:
            until = dated("Closes to", key="until", help=close_help)
        made_before = dated("Forecasts made before", key="made-before")
        lead = st.number_input(
            "Days before scheduled close",
            value=None,
            min_value=0.0,
            step=1.0,
            format="%g",
            key="lead",
            bind="query-params",
            placeholder="all times",
            help="Only the forecast active then counts. Blank: all, by the time they were active.",
        )
    try:
        first, last, before = (one.day(now()) for one in (since, until, made_before))
        return Choice(
            cohort=_COHORTS[cohort],
            tags=tuple(tags),
            since=None if first is None else datetime.combine(first, time.min, UTC),
            until=None if last is None else datetime.combine(last, time.max, UTC),
            lead=lead,
            made_before=None if before is None else datetime.combine(before, time.min, UTC),
        )
    except BadInput as error:
        st.warning(as_text(str(error)))
        st.stop()


def known_sides(ledger: Session) -> dict[str, list[str]]:
    """Return the names that a report can be about, by their kind."""
    return {
        "teams": memberships.team_names(ledger),
        "forecasters": visibility.forecaster_handles(ledger),
        "kinds": kinds.forecaster_kinds(ledger),
        "models": model_uses.known_models(ledger),
    }


def made(what: str, choice: Choice, **asked: Any) -> Any:
    """Return a report, a comparison or an arena on the reader's part of the ledger, made now.

    It is cached until the ledger changes. None for an arena that has not begun.
    """
    with reading() as ledger:
        written = ledger_frames.revision(ledger)  # which includes the reader
    return _made(what, ledger_url(), written, choice, tuple(asked.items()), now())


@st.cache_data(show_spinner="Computing …", ttl=timedelta(minutes=10), max_entries=64)
def _made(
    what: str,
    url: str,
    written: tuple[int, ...],
    choice: Choice,
    asked: tuple[tuple[str, Any], ...],
    _at: datetime,
) -> Any:
    with reading() as ledger:
        frames = ledger_frames.ledger_frames(ledger, rationales=False)
    makers: dict[str, Callable[..., Any]] = {
        "report": reports.build,
        "comparison": comparison.build,
        "arena": arena.arena,
        "left out": arena.left_out,
    }
    return makers[what](frames, choice=choice, as_of=_at, **dict(asked))
