"""Questions: type a new one, find them, change several at once. The address keeps the view."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import streamlit as st
from sqlmodel import Session

from app.forms.bulk import do_to, ticked
from app.forms.one_line import one_line_entry
from app.forms.question import ask_form
from app.markdown_text import as_text, closing, shortened
from app.session import current_member, ledger_url, now, reading
from app.times import day
from app.views.widgets import page_asked, question_line, question_link, search_field, switch
from forecasts.access import memberships
from forecasts.access.kinds import CROWD_OF
from forecasts.common.text import count
from forecasts.ledger.models import QuestionOrigin, QuestionType
from forecasts.questions import search
from forecasts.questions.origins import origins, platform_name, platforms
from forecasts.questions.search import Filter, Order, Row
from forecasts.questions.standing import Status, last_registered
from forecasts.questions.trends import Trend
from forecasts.scores import ledger_frames as frames
from forecasts.values.value import format_leaders, format_probability

FILTER_WIDTH = 132  # pixels
FIND, ASK = "Find", "Ask a question"
CHOICES = ("status", "whose", "type", "tag", "family", "team", "platform")  # the filters' keys
WHOSE = {"Mine": True, "Not yet mine": False}
BARS = "▁▂▃▄▅▆▇█"
# A narrow space between the bars, which would otherwise touch and look like one black block.
NARROW_SPACE = "\u202f"
MOVED = 0.1  # smallest range of the crowd's probability that is drawn

moment = now()


def filters(
    tags: list[str], families: list[str], teams: list[str], platforms: list[str]
) -> tuple[Filter, str]:
    """Show the search beside the folded filters; return their choice, and the order."""
    set_here = sum(bool(st.session_state.get(key, st.query_params.get(key))) for key in CHOICES)
    with st.container(horizontal=True, gap="small"):
        words = search_field("Search", "words", "Search titles, criteria, background")
        folded = st.popover(f"Filters ({set_here})" if set_here else "Filters")
    # Two in a row.
    with folded, st.container(horizontal=True, gap="small"):
        order = one_of("Order", list(Order), "order")
        by = Filter(
            words=words,
            status=one_of("Status", ["", *Status], "status"),
            mine=WHOSE.get(one_of("Forecast", ["", *WHOSE], "whose")),
            type=one_of("Type", ["", *QuestionType], "type"),
            tag=one_of("Tag", ["", *tags], "tag"),
            family=one_of("Family", ["", *families], "family"),
            team=one_of("Team", ["", *teams], "team") if teams else "",
            platform=one_of("Imported from", ["", *platforms], "platform") if platforms else "",
        )
    folded.button("Clear filters", key="clear", on_click=clear, args=CHOICES, disabled=not set_here)
    return by, order


def one_of(label: str, choices: list[str], key: str) -> str:
    """Show one filter; return the choice, blank for any."""
    shown = {"type": lambda kind: kind.replace("_", " "), "platform": platform_name}.get(key, str)
    return st.selectbox(
        label,
        choices,
        format_func=lambda choice: shown(choice) if choice else "any",
        key=key,
        bind="query-params",
        width=FILTER_WIDTH,
    )


def clear(*keys: str) -> None:
    """Empty these fields."""
    for key in keys:
        if key in st.session_state:
            st.session_state[key] = ""


def spark(trend: Trend) -> str:
    """Return the crowd's trend as text: bars from 0% to 100%, then its first and last value."""
    known = [p for p in trend.points if p is not None]
    if not known:
        return ""
    bars = NARROW_SPACE.join(
        " " if p is None else BARS[min(int(p * len(BARS)), len(BARS) - 1)] for p in trend.points
    )
    first, last = (format_probability(round(p, 2)) for p in (known[0], known[-1]))
    crowd = f"{CROWD_OF[trend.of] if trend.of else 'crowd'} ({trend.forecasters}):"
    # Bars of the same height say no more than the number.
    drawn = "" if max(known) - min(known) < MOVED else f"{bars.strip()} {first} → "
    return f"{crowd} {drawn}{last}"


def caption(row: Row, origins: Sequence[QuestionOrigin]) -> str:
    """Return the line below a title: status, close, own forecast, crowd, origin, tags."""
    state, text = row.state, row.state.text
    parts = [f"**{state.status}**"]
    if state.resolution is not None:
        parts = [f"**{as_text(state.resolution.outcome)}**"]
    if not text.has_criteria:
        parts.append("no criteria")
    # A question annulled before its close no longer closes.
    if state.resolution is None or text.close_time <= moment:
        parts += [closing(text, moment), day(text.close_time)]
    if row.forecast is not None:
        yours = format_leaders(row.forecast, text.options, 3)
        parts.append(f"you: **{as_text(shortened(yours, 60))}**")
    if row.trend is not None and row.trend.forecasters > 1 and (drawn := spark(row.trend)):
        parts.append(drawn)
    parts += [as_text(platform_name(one.platform)) for one in origins]
    parts += [as_text(tag) for tag in (text.tags or [])[:4]]
    return " · ".join(parts)


@st.cache_data(show_spinner=False, ttl=timedelta(minutes=10), max_entries=64)
def labels_of(
    url: str, written: tuple[int, ...], _ledger: Session
) -> tuple[list[str], list[str], list[str]]:
    """Return the tags, the families and the platforms, cached until ``written`` changes."""
    return *search.labels(_ledger), platforms(_ledger)


def find() -> None:
    """Show the filtered questions in pages."""
    with reading() as ledger:
        written = frames.revision(ledger)
        teams = memberships.team_names(ledger)
        tags, families, sources = labels_of(ledger_url(), written, ledger)
    by, order = filters(tags, families, teams, sources)
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        counts = st.container(width="content")
        several = st.toggle("Select several", key="several")
    with reading() as ledger:
        me = current_member(ledger)
        found = search.page(ledger, by, member=me, now=moment, order=order, number=page_asked())
        ids = [row.state.id for row in found.rows]
        imported = origins(ledger, ids) if sources else {}
    if not found.total:
        st.info("No questions yet. Type the first one above, or capture an article to find some.")
        st.page_link("app_pages/articles.py", label="Capture an article")
        return
    counts.caption(f"{found.matching:,} of {count(found.total, 'question')}", width="content")
    if found.similar:
        similar = ", ".join(map(as_text, found.similar))
        st.caption(f"Nothing has “{as_text(by.words)}”. Similar words: **{similar}**.")
    if not found.matching:
        st.info("No questions match.")
        st.button("Show all questions", key="all", on_click=clear, args=("words", *CHOICES))
    if several and found.rows:
        do_to(found.rows)
    for row in found.rows:
        line(row, several, imported.get(row.state.id, []))
    if found.pages > 1:
        st.pagination(found.pages, key="page", bind="query-params")


def line(row: Row, several: bool, origins: Sequence[QuestionOrigin]) -> None:
    """Show one question, with a checkbox if ``several`` are to be selected."""
    words = st.container()
    if several:
        box, words = st.columns([1, 24], vertical_alignment="top", gap="small")
        with box:
            ticked(row.state)
    with words:
        question_line(row.state, caption(row, origins))


def ask() -> None:
    """Show the form for a new question, and a link to the one asked last.

    A new question's page opens by itself. Back, or a second click on the form, returns here.
    """
    place = st.container(horizontal=True, gap="small", vertical_alignment="center")
    ask_form("ask", go_there=True)
    # Read after the form, so that it includes a question stored in this run.
    with reading() as ledger:
        member = current_member(ledger)
        last = None if member is None else last_registered(ledger, member, now=moment)
    if last is not None:
        with place:
            st.caption("Asked last:", width="content")
            question_link(last)


# Streamlit leaves the slug in this page's address when a new question's page opens. Back from
# there should show the form.
asked = "slug" in st.query_params
with st.container(
    horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"
):
    st.title("Questions", anchor=False, width="content")
    first = ASK if asked else FIND
    view = switch("View", [FIND, ASK], "view", default=first, label_visibility="collapsed")
if view == ASK:
    ask()
else:
    one_line_entry()
    find()
