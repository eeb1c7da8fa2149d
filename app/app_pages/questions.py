"""Questions: find one, or ask one. What is searched for stands in the address."""

from __future__ import annotations

import streamlit as st

from app.asking import ask_form
from app.links import question_link
from app.session import current_member, now, reading
from app.words import as_text, closing, counted, day, shortened
from forecasts.filters import Filter, chosen, labels
from forecasts.models import Forecast, QuestionType
from forecasts.questions import Stands, Status, listing, registered_last
from forecasts.updates import standing_of
from forecasts.values import say_value

PER_PAGE = 20
FILTER_WIDTH = 165  # pixels
WHOSE = {"Mine": True, "Not yet mine": False}
TYPES = {kind: kind.replace("_", " ") for kind in QuestionType}

moment = now()


def filters(tags: list[str], families: list[str]) -> Filter:
    """Show the filters; return what they say."""
    words = st.text_input(
        "Search",
        key="words",
        type="search",
        placeholder="Words of the title, background or criteria",
        bind="query-params",
    )
    # Side by side where there is room, two in a row on a narrow screen.
    with st.container(horizontal=True, gap="small"):
        status = st.selectbox(
            "Status",
            ["", *Status],
            format_func=anything,
            key="status",
            bind="query-params",
            width=FILTER_WIDTH,
        )
        whose = st.selectbox(
            "Forecast",
            ["", *WHOSE],
            format_func=anything,
            key="whose",
            bind="query-params",
            width=FILTER_WIDTH,
        )
        kind = st.selectbox(
            "Type",
            ["", *TYPES],
            format_func=lambda kind: TYPES.get(kind, "any"),
            key="type",
            bind="query-params",
            width=FILTER_WIDTH,
        )
        tag = st.selectbox(
            "Tag",
            ["", *tags],
            format_func=anything,
            key="tag",
            bind="query-params",
            width=FILTER_WIDTH,
        )
        family = st.selectbox(
            "Family",
            ["", *families],
            format_func=anything,
            key="family",
            bind="query-params",
            width=FILTER_WIDTH,
            help="Questions whose outcomes hang together share one.",
        )
    return Filter(
        words=words or "", status=status, tag=tag, family=family, type=kind, mine=WHOSE.get(whose)
    )


def anything(choice: str) -> str:
    """Return the words for a choice of a filter; none picked: any will do."""
    return choice or "any"


def row(stands: Stands, standing: Forecast | None) -> None:
    """Show one question: its title leads to its page."""
    text = stands.text
    said = [f"**{stands.status}**"]
    if stands.resolution is not None:
        said = [f"**{as_text(stands.resolution.outcome)}**"]
    # A question that was annulled before its close does not close any more.
    if stands.resolution is None or text.close_time <= moment:
        said += [closing(text, moment), day(text.close_time)]
    if standing is not None:
        said.append(f"you: **{as_text(shortened(say_value(standing, text.options), 60))}**")
    said += [as_text(tag) for tag in (text.tags or [])[:4]]
    with st.container(gap=None):
        question_link(stands)
        st.caption(" · ".join(said))


def find() -> None:
    """Show the questions that the filters let through, a page at a time."""
    with reading() as ledger:
        questions = listing(ledger, now=moment)
        member = current_member(ledger)
        mine = {} if member is None else standing_of(ledger, member, at=moment)
    if not questions:
        st.info("No questions yet. Ask one of your own, or capture an article.")
        st.page_link("app_pages/articles.py", label="Capture an article")
        return
    found = chosen(questions, filters(*labels(questions)), standing=mine)
    st.caption(f"{counted(len(found), 'question')} of {len(questions):,}, the next to close first")
    if not found:
        st.info("No question fits these filters. Take one of them away.")
    pages = max(1, -(-len(found) // PER_PAGE))
    place = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    for stands in found[(place - 1) * PER_PAGE : place * PER_PAGE]:
        row(stands, mine.get(stands.id))


def ask() -> None:
    """Show the form for a question of one's own, and where the one asked last is.

    Its page opens by itself; Back, and a second click made while the browser was still showing
    the form, come here.
    """
    place = st.container(horizontal=True, gap="small", vertical_alignment="center")
    ask_form("ask", go_there=True)
    # Read after the form, which is a blank one from the moment the question is stored.
    with reading() as ledger:
        member = current_member(ledger)
        last = None if member is None else registered_last(ledger, member, now=moment)
    if last is not None:
        with place:
            st.caption("You asked last:", width="content")
            question_link(last)


st.title("Questions", anchor=False)
# An address that Streamlit leaves behind when a question was asked and its page opens: Back comes
# here from there, and means the form.
asked = "slug" in st.query_params
view = st.segmented_control(
    "View",
    ["Find", "Ask a question"],
    default="Ask a question" if asked else "Find",
    required=True,
    label_visibility="collapsed",
    key="view",
    bind="query-params",
)
if view == "Ask a question":
    ask()
else:
    find()
