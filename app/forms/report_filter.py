"""The filters that choose a report's questions and forecasts, and the report made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any, TypeVar

import streamlit as st
from sqlmodel import Session

from app.forms.dates import date_field
from app.markdown_text import as_text
from app.session import ledger_url, now, reading
from forecasts.access import kinds, memberships, visibility
from forecasts.common.errors import BadInput
from forecasts.reports.selection import Choice, Cohort
from forecasts.scores import ledger_frames
from forecasts.updates import model_uses

Made = TypeVar("Made")
ALL_RESOLVED = "All resolved"
_COHORTS: dict[str, Cohort] = {"Scheduled close has passed": "scheduled", ALL_RESOLVED: "resolved"}


def pick_all_resolved() -> None:
    """Choose all resolved questions, as a button's callback."""
    st.session_state["cohort"] = ALL_RESOLVED


def pick_questions(known_tags: list[str], forecasters: Sequence[str] = ()) -> Choice:
    """Show the filters, kept in the address; return them. An invalid choice stops the page.

    ``forecasters``: those that can be left out.
    """
    cohort = st.selectbox(
        label="Questions",
        bind="query-params",
        help="The first is a fair sample. The second is biased: early outcomes are mostly “yes”.",
        options=list(_COHORTS),
        key="cohort",
    )
    with st.expander("Filters"):
        tags = st.multiselect(
            label="Tags", bind="query-params", placeholder="Any", options=known_tags, key="tags"
        )
        dated = partial(date_field, past=True, live=True)
        left, right = st.columns(2)
        with left:
            since = dated(
                label="Closes from",
                help="The scheduled close, which does not depend on the outcome.",
                key="since",
            )
        with right:
            until = dated(
                label="Closes to",
                help="The scheduled close, which does not depend on the outcome.",
                key="until",
            )
        made_before = dated("Forecasts made before", key="made-before")
        without = forecasters and st.multiselect(
            label="Leave out",
            bind="query-params",
            options=forecasters,
            key="without",
            placeholder="Nobody",
            help="The forecasts of these members do not count.",
        )
        witnessed = st.toggle(
            label="Witnessed only",
            bind="query-params",
            help="Without imported times, and without questions resolved by their only forecaster.",
            key="witnessed",
        )
        lead = st.number_input(
            label="Days before scheduled close",
            bind="query-params",
            placeholder="all times",
            help=(
                "Only the forecast active then counts. Blank: all, weighted by their time active."
            ),
            min_value=0.0,
            step=1.0,
            format="%g",
            value=None,
            key="lead",
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
            without=tuple(without),
            witnessed=witnessed,
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


def made(make: Callable[..., Made], choice: Choice, **asked: Any) -> Made:
    """Return a report, a comparison or an arena on the reader's part of the ledger, made now.

    ``make``: the function that makes it. The result is cached until the ledger changes.
    """
    with reading() as ledger:
        written = ledger_frames.revision(ledger)  # which includes the reader
    name = f"{make.__module__}.{make.__name__}"
    result: Made = _made(name, ledger_url(), written, choice, tuple(asked.items()), now(), make)
    return result


@st.cache_data(show_spinner="Computing …", ttl=timedelta(minutes=10), max_entries=64)
def _made(
    name: str,
    url: str,
    written: tuple[int, ...],
    choice: Choice,
    asked: tuple[tuple[str, Any], ...],
    _at: datetime,
    _make: Callable[..., Any],
) -> Any:
    with reading() as ledger:
        frames = ledger_frames.ledger_frames(ledger, rationales=False)
    return _make(frames, choice=choice, as_of=_at, **dict(asked))
