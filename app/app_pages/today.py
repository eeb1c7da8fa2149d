"""Today: what needs the reader, in the order in which it runs out."""

from __future__ import annotations

import streamlit as st

from app.forecasting import quick_form
from app.session import current_member, now, reading
from app.words import as_text, closing, counted, day, link_to, shortened, span
from forecasts.models import Forecast
from forecasts.questions import Stands
from forecasts.today import today
from forecasts.values import say_value

SHOWN = 8  # of each list; the rest is a link away

moment = now()
with reading() as ledger:
    needs = today(ledger, current_member(ledger), now=moment)


def ways_in() -> None:
    """Show how an empty ledger begins."""
    st.info("This ledger is empty. There are three ways in.")
    article, question, demonstration = st.columns(3, border=True)
    with article:
        st.header("Capture an article")
        st.write("Read a page or paste a text; sentences that look ahead become questions.")
        st.page_link("app_pages/articles.py", label="Capture an article")
    with question:
        st.header("Ask a question")
        st.write("Something of your own that will have an answer, and when.")
        st.page_link(
            "app_pages/questions.py",
            label="Ask a question",
            query_params={"view": "Ask a question"},
        )
    with demonstration:
        st.header("See the demonstration")
        st.write(
            "Questions from three articles and a simulated tournament, in a ledger of their own. "
            "In a terminal:"
        )
        st.code("make demo", language="bash")
        st.caption("or, where the product is installed: forecasts demo")


def row(stands: Stands, standing: Forecast | None) -> None:
    """Show an open question with the line in which its forecast is made or updated."""
    with st.container(border=True, gap="xsmall"):
        st.page_link(
            "app_pages/question.py",
            label=as_text(stands.text.title),
            query_params=link_to(stands.question),
        )
        parts = [closing(stands.text, moment), day(stands.text.close_time)]
        if standing is not None:
            said = shortened(say_value(standing, stands.text.options), 120)
            parts.insert(0, f"you: **{as_text(said)}**, {span(moment - standing.made_at)} ago")
        st.caption(" · ".join(parts))
        quick_form(stands, standing)


def more(total: int, **filters: str) -> None:
    """Show the way to the rest of a list."""
    if total > SHOWN:
        st.page_link(
            "app_pages/questions.py",
            label=f"All {total} in Questions",
            query_params=filters,
        )


def agenda() -> None:
    """Show the four lists."""
    st.caption(
        " · ".join(
            [
                f"{day(moment)}",
                f"{len(needs.unforecast):,} to forecast",
                counted(len(needs.standing), "standing forecast"),
                f"{len(needs.awaiting):,} to resolve",
            ]
        )
    )

    st.header("Without your forecast, the next to close first", anchor=False)
    for stands in needs.unforecast[:SHOWN]:
        row(stands, None)
    if not needs.unforecast:
        st.caption("Nothing open lacks your forecast.")
    more(len(needs.unforecast), status="open", whose="Not yet mine")

    st.header("Your standing forecasts", anchor=False)
    for stands, forecast in needs.standing[:SHOWN]:
        row(stands, forecast)
    if not needs.standing:
        st.caption("You have no standing forecast on an open question.")
    more(len(needs.standing), status="open", whose="Mine")

    left, right = st.columns(2, gap="medium")
    with left:
        st.header("Awaiting resolution", anchor=False)
        for stands in needs.awaiting[:SHOWN]:
            with st.container(border=True, gap="xsmall"):
                st.page_link(
                    "app_pages/resolve.py",
                    label=as_text(stands.text.title),
                    query_params=link_to(stands.question),
                )
                st.caption(f"{stands.status} · {closing(stands.text, moment)}")
        if not needs.awaiting:
            st.caption("Nothing awaits its resolution.")
        more(len(needs.awaiting), status="awaiting resolution")
    with right:
        st.header("Recently resolved", anchor=False)
        for stands, score in needs.resolved:
            with st.container(border=True, gap="xsmall"):
                st.page_link(
                    "app_pages/question.py",
                    label=as_text(stands.text.title),
                    query_params=link_to(stands.question),
                )
                outcome = "" if stands.resolution is None else as_text(stands.resolution.outcome)
                st.caption(
                    f"{outcome} · your Brier (0–1, 0 is best): **{score.score:.4f}** · "
                    f"coverage {score.coverage:.0%}"
                )
        if not needs.resolved:
            st.caption("None of your questions has been scored yet.")


st.title("Today", anchor=False)
if needs.empty:
    ways_in()
else:
    agenda()
