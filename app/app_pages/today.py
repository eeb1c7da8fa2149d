"""Today: what needs the reader, in the order in which it runs out."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from app.beginning import ways_in
from app.forecasting import quick_form
from app.links import question_link
from app.session import current_member, now, reading
from app.words import COVERAGE_HELP, CRPS_HELP, as_text, closing, counted, day, shortened, span
from forecasts.evidence import citable
from forecasts.models import Forecast, QuestionType
from forecasts.questions import Stands
from forecasts.scores import CRPS
from forecasts.today import STALE, Earned, today
from forecasts.values import say_value

SHOWN = 3  # of each list, so that the next one is in sight; the rest is a link away
SOON = timedelta(days=7)
CITED_HERE = 30  # articles to pick from, the newest; the question's own page has more
STEPS = 3  # of what was said on a resolved question; more are behind a click
RULES = {
    "brier": ("Brier", "Brier score: the squared distance from what came true."),
    CRPS: ("CRPS", f"CRPS: how far your quantiles were from what came true. {CRPS_HELP}"),
}

moment = now()
with reading() as ledger:
    needs = today(ledger, current_member(ledger), now=moment)
    articles = citable(ledger, CITED_HERE) if needs.able else []


def ask_link() -> None:
    """Show the way to the form in which a question is asked."""
    st.page_link(
        "app_pages/questions.py", label="Ask a question", query_params={"view": "Ask a question"}
    )


def row(stands: Stands, standing: Forecast | None) -> None:
    """Show an open question with the line in which its forecast is made or updated."""
    with st.container(border=True, gap="xsmall"):
        question_link(stands)
        closes = closing(stands.text, moment)
        if stands.text.close_time - moment < SOON:
            closes = f"**{closes}**"
        parts = [closes, day(stands.text.close_time)]
        if standing is not None:
            said = shortened(say_value(standing, stands.text.options), 120)
            parts.insert(0, f"you: **{as_text(said)}**, {span(moment - standing.made_at)} ago")
        st.caption(" · ".join(parts))
        if stands.id in needs.able:
            quick_form(stands, standing, articles)


def more(total: int, **filters: str) -> None:
    """Show the way to the rest of a list."""
    if total > SHOWN:
        st.page_link(
            "app_pages/questions.py",
            label=f"All {total} in Questions",
            query_params=filters,
        )


def without_forecast() -> None:
    """Show the open questions that lack the reader's forecast, or what to do instead."""
    st.header("Without your forecast, the next to close first", anchor=False)
    for stands in needs.unforecast[:SHOWN]:
        row(stands, None)
    more(len(needs.unforecast), status="open", whose="Not yet mine")
    if needs.unforecast:
        return
    if needs.only_looks:
        st.caption("You may look at the questions here; to forecast takes a forecaster’s role.")
        return
    if needs.stale or needs.fresh:
        st.caption("Every open question has your forecast. Ask the next one, or read for one.")
    else:
        st.caption("No question is open. Ask one, or take one from an article.")
    with st.container(horizontal=True, gap="medium"):
        ask_link()
        st.page_link("app_pages/articles.py", label="Capture an article")


def to_look_at_again() -> None:
    """Show the forecasts that have stood untouched for long."""
    if not needs.stale:
        return
    st.header(f"Not looked at for {span(STALE)}", anchor=False)
    st.caption("Change what you say, or save it as it stands to say that you still mean it.")
    for stands, forecast in needs.stale[:SHOWN]:
        row(stands, forecast)
    more(len(needs.stale), status="open", whose="Mine")


def awaiting() -> None:
    """Show the questions that want an outcome."""
    st.header("Awaiting resolution", anchor=False)
    for stands in needs.awaiting[:SHOWN]:
        with st.container(border=True, gap="xsmall"):
            question_link(stands, "resolve")
            st.caption(f"{stands.status} · {closing(stands.text, moment)}")
    more(len(needs.awaiting), status="awaiting resolution")
    if not needs.awaiting:
        st.caption("Nothing. A question comes here when it has closed, or an outcome is proposed.")


def resolved() -> None:
    """Show what was resolved lately, what the reader earned on it and why."""
    st.header("Recently resolved", anchor=False)
    for one in needs.resolved:
        with st.container(border=True, gap="xsmall"):
            question_link(one.stands)
            resolution = one.stands.resolution
            if resolution is not None:
                ago = span(moment - resolution.recorded_at)
                st.caption(f"outcome **{as_text(resolution.outcome)}**, resolved {ago} ago")
            rule, said = RULES[one.score.protocol]
            st.caption(
                f"your {rule} (0–1, 0 is best): **{one.score.score:.4f}** · "
                f"coverage {one.score.coverage:.0%}",
                help=f"{said} Coverage: {COVERAGE_HELP.lower()}",
            )
            why(one)
    if not needs.resolved:
        st.caption(
            "Nothing of yours yet. Your score stands here once a question that you have forecast "
            "is resolved."
        )
    else:
        st.page_link("app_pages/track_record.py", label="Your track record")


def why(one: Earned) -> None:
    """Show what the score is the mean of: each thing said, how long it stood, its own score."""
    steps = [
        f"{as_text(shortened(stood.said, 60))} for {span(stood.lasted)} ({stood.score:.4f})"
        for stood in one.stood
    ]
    chose = one.stands.text.type == QuestionType.multiple_choice
    begins = "You gave it " if chose else "You said "
    if len(steps) <= STEPS:
        st.caption(begins + ", then ".join(steps))
        return
    st.caption(f"{begins}{steps[0]}, and {steps[-1]} in the end")
    with st.expander(f"All {len(steps)} steps"):
        st.caption("The score is their mean, each counted by how long it stood.")
        st.markdown("\n".join(f"1. {step}" for step in steps))


def still_fresh() -> None:
    """Show the standing forecasts that need nothing."""
    if not needs.fresh:
        if not needs.stale:
            st.header("Your standing forecasts", anchor=False)
            st.caption(
                "None on an open question."
                + (" Put a probability on one above." if needs.unforecast else "")
            )
        return
    st.header("Your standing forecasts", anchor=False)
    for stands, forecast in needs.fresh[:SHOWN]:
        row(stands, forecast)
    more(len(needs.fresh), status="open", whose="Mine")


def agenda() -> None:
    """Show the lists."""
    st.caption(
        " · ".join(
            [
                day(moment),
                f"{len(needs.unforecast):,} to forecast",
                f"{len(needs.stale):,} to look at again",
                f"{len(needs.awaiting):,} to resolve",
                counted(len(needs.fresh) + len(needs.stale), "standing forecast"),
            ]
        )
    )
    without_forecast()
    to_look_at_again()
    left, right = st.columns(2, gap="medium")
    with left:
        awaiting()
    with right:
        resolved()
    still_fresh()


st.title("Today", anchor=False)
if needs.empty:
    ways_in()
else:
    agenda()
