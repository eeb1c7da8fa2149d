"""Questions: type a new one, find or change some, join duplicates. The address keeps the view."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

import streamlit as st
from sqlmodel import Session

from app.forms.one_line import one_line_entry
from app.forms.question import ASK, ask_form, audience_field, teams_to_ask_in
from app.forms.same_questions import same_questions
from app.markdown_text import as_text, shortened, tagged
from app.session import act, current_member, form_key, ledger_url, now, reading, shown_errors
from app.times import closing_on, day
from app.views.downloads import ledger_folder_button
from app.views.empty import empty
from app.views.widgets import (
    page_asked,
    page_link,
    question_line,
    question_link,
    search_field,
    sparkline,
    switch,
)
from forecasts.access import memberships
from forecasts.access.kinds import crowd_words
from forecasts.access.visibility import audience_label
from forecasts.common.text import count
from forecasts.ledger.models import QuestionOrigin, QuestionText, QuestionType, Team
from forecasts.questions import revisions, search
from forecasts.questions.origins import origins, platform_name, platforms
from forecasts.questions.standing import QuestionState, last_registered
from forecasts.questions.trends import Trend
from forecasts.scores import ledger_frames as frames
from forecasts.updates import bulk
from forecasts.updates.bulk import BulkAction
from forecasts.values.value import format_leaders, format_probability

FILTER_WIDTH = 132  # pixels
FIND, SAME = "Find", "Duplicates"
CHOICES = ("status", "whose", "type", "tag", "family", "team", "platform")  # the filters' keys
WHOSE = {"Mine": True, "Not yet mine": False}
MOVED = 0.1  # smallest range of the crowd's probability that is drawn

_EXPORT = "export as a ledger folder"

moment = now()


def filters(
    tags: list[str], families: list[str], teams: list[str], platforms: list[str]
) -> tuple[search.Filter, str]:
    """Show the search beside the folded filters; return their choice, and the order."""
    set_here = sum(bool(st.session_state.get(key, st.query_params.get(key))) for key in CHOICES)
    words = search_field(
        "Search", "words", "Search questions, reasons, comments", "page", width=400
    )
    folded = st.popover(f"Filters ({set_here})" if set_here else "Filters")
    # Two in a row.
    with folded, st.container(horizontal=True, gap="small"):
        order = one_of("Order", list(search.Order), "order")
        by = search.Filter(
            words=words,
            status=one_of("Status", ["", *search.STATUSES.values()], "status"),
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
    """Return the crowd's trend in Markdown: a line from 0% to 100%, its first and last value."""
    known = [p for p in trend.points if p is not None]
    if not known:
        return ""
    first, last = (format_probability(round(p, 2)) for p in (known[0], known[-1]))
    # A flat line says no more than the number.
    drawn = "" if max(known) - min(known) < MOVED else f"{sparkline(trend.points)} {first} → "
    return f"{crowd_words(trend.forecasters, trend.of)}: {drawn}{last}"


def caption(row: search.Row, origins: Sequence[QuestionOrigin], whose: str) -> str:
    """Return the line below a title: status, audience, close, own forecast, crowd, origin, tags."""
    state, text = row.state, row.state.text
    parts = [f"**{state.status}**"]
    if state.resolution is not None:
        parts = [f"**{as_text(state.resolution.outcome)}**"]
    if state.proposals:
        parts.append(count(state.proposals, "proposal"))
    if whose:
        parts.append(as_text(whose))
    if not text.has_criteria:
        parts.append("no criteria")
    # A question annulled before its close no longer closes.
    if state.resolution is None or text.close_time <= moment:
        parts.append(closing_on(text, moment))
    if row.forecast is not None:
        yours = format_leaders(row.forecast, text.options, 3)
        parts.append(f"you: **{as_text(shortened(yours, 60))}**")
    if row.trend is not None and row.trend.forecasters > 1 and (drawn := spark(row.trend)):
        parts.append(drawn)
    parts += [as_text(platform_name(one.platform)) for one in origins]
    return f"{' · '.join(parts)} {tagged((text.tags or [])[:4])}"


@st.cache_data(show_spinner=False, ttl=timedelta(minutes=10), max_entries=64)
def labels_of(
    url: str, written: tuple[int, ...], _ledger: Session
) -> tuple[list[str], list[str], list[str]]:
    """Return the tags, the families and the platforms, cached until ``written`` changes."""
    return *search.labels(_ledger), platforms(_ledger)


@st.fragment
def find() -> None:
    """Show the filtered questions in pages."""
    with reading() as ledger:
        written = frames.revision(ledger)
        teams = memberships.team_names(ledger)
        tags, families, sources = labels_of(ledger_url(), written, ledger)
    top = st.container(horizontal=True, vertical_alignment="center", gap="small")
    with top:
        by, order = filters(tags, families, teams, sources)
    with reading() as ledger:
        me = current_member(ledger)
        found = search.page(
            ledger, by, member=me, now=moment, order=order, number=page_asked("page")
        )
        ids = [row.state.id for row in found.rows]
        imported = origins(ledger, ids) if sources else {}
        whose = {row.state.id: belongs(ledger, row.state.text) for row in found.rows}
    if not found.total:
        with empty("questions", "No questions yet. Type one above, or find some in an article."):
            page_link("articles", "Capture an article")
        return
    with top:
        st.caption(f"{found.matching:,} of {count(found.total, 'question')}", width="stretch")
        several = st.toggle("Select several", key="several")
    if found.similar:
        similar = ", ".join(map(as_text, found.similar))
        st.caption(f"Nothing has “{as_text(by.words)}”. Similar words: **{similar}**.")
    if not found.matching:
        st.info("No questions match.")
        st.button("Show all questions", key="all", on_click=clear, args=("words", *CHOICES))
    if several and found.rows:
        do_to(found, by)
    for row in found.rows:
        line(row, several, imported.get(row.state.id, []), whose[row.state.id])
    if found.pages > 1:
        st.pagination(found.pages, key="page", bind="query-params")


def belongs(ledger: Session, text: QuestionText) -> str:
    """Return the audience of a question, or the team of one that everyone sees; '' by default."""
    if audience := audience_label(ledger, text):
        return f"for {audience}"
    return "" if text.team_id is None else ledger.get_one(Team, text.team_id).name


def line(row: search.Row, several: bool, origins: Sequence[QuestionOrigin], whose: str) -> None:
    """Show one question, with a checkbox if ``several`` are to be selected."""
    words = st.container()
    if several:
        box, words = st.columns([1, 24], vertical_alignment="top", gap="small")
        with box:
            ticked(row.state)
    with words:
        said = caption(row, origins, whose)
        if row.passage is not None:
            said += f"  \n{row.passage.place}: {as_text(row.passage.text)}"
        question_line(row.state, said)


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


def ticked(state: QuestionState) -> None:
    """Show the checkbox that selects a question."""
    label = as_text(shortened(state.text.title, 60))
    st.checkbox(label, key=_box(state), label_visibility="collapsed")


def _box(state: QuestionState) -> str:
    return f"{form_key('several')}-{state.id}"


def do_to(found: search.Page, by: search.Filter) -> None:
    """Show the actions for the selected questions, of this page or all found; carry one out."""
    key = form_key("several")
    every = st.container(horizontal=True)
    if every.button("Select all on this page", key=f"{key}-all"):
        for row in found.rows:
            st.session_state[_box(row.state)] = True
    slugs = [row.state.slug for row in found.rows if st.session_state.get(_box(row.state))]
    everywhere = found.pages > 1 and every.checkbox(
        f"All {found.matching:,} on {found.pages:,} pages", key=f"{key}-every"
    )
    with reading() as ledger:
        if everywhere:
            slugs, _ = search.find(ledger, by, member=current_member(ledger), now=moment)
        to_ask = teams_to_ask_in(ledger)
    choices = [*([] if to_ask is None else list(BulkAction)), _EXPORT]
    with st.container(border=True, key="several-actions"):
        st.markdown(f"**{count(len(slugs), 'question')} selected**")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            label = "Action for selected questions"
            chosen = st.selectbox(label, choices, key=f"{key}-act", width=280)
            argument = _argument(key, chosen, to_ask or [])
        if not slugs:
            st.caption("Tick questions below. You see a preview before anything changes.")
        elif chosen == _EXPORT:
            label = f"Download {count(len(slugs), 'question')} (ZIP)"
            ledger_folder_button(label, key=f"{key}-export", questions=slugs, primary=True)
        else:
            _confirm(key, BulkAction(chosen), argument, slugs)


def _argument(key: str, chosen: str, to_ask: list[str]) -> str:
    """Show the action's field, if it has one; return its content."""
    if chosen in (BulkAction.tag, BulkAction.untag):
        return st.text_input("Tag", key=f"{key}-tag", placeholder="trade")
    if chosen == BulkAction.family:
        return st.text_input("Family (blank: none)", key=f"{key}-family")
    if chosen in (BulkAction.criteria, BulkAction.rewrite):
        return st.text_area("Resolution criteria", key=f"{key}-criteria", height=80)
    if chosen == BulkAction.team:
        label = "Team (blank: none)"
        return st.selectbox(label, to_ask, index=None, format_func=as_text, key=f"{key}-team") or ""
    if chosen == BulkAction.show:
        return audience_field(to_ask, "Only its author", index=0, key=f"{key}-who") or ""
    return ""


def _step(change: revisions.Change) -> str:
    """Return a change as text for Markdown: *tags*: blank → trade."""
    before, after = (as_text(shortened(value, 60)) for value in change.formatted(day))
    return f"{change.name}: {before} → {after}"


def _confirm(key: str, chosen: BulkAction, argument: str, slugs: list[str]) -> None:
    """Show the action's preview; carry it out once confirmed."""
    if chosen in (BulkAction.tag, BulkAction.untag) and not argument.strip():
        st.caption("Type a tag to see a preview.")
        return
    with shown_errors():
        with reading() as ledger:
            me = current_member(ledger)
            changed = bulk.affected_questions(ledger, chosen, argument, slugs, member=me, now=now())
            filling = chosen == BulkAction.criteria
            kept = revisions.criteria_kept(ledger, slugs, now=now()) if filling else ""
            alike = defaultdict[str, list[str]](list)
            for one in changed:
                each = map(_step, revisions.named_changes(ledger, one.before, one.after))
                alike["; ".join(each)].append(as_text(shortened(one.before.title, 100)))
        if kept:
            st.caption(kept)
        if not changed:
            st.caption("This changes none of the selected questions.")
            return
        changes = count(len(changed), "question")
        st.markdown(f"This changes {changes}:")
        for steps, titles in alike.items():
            said = ": ".join(filter(None, (count(len(titles), "question"), steps)))
            listed = "\n".join(f"- {title}" for title in titles)
            st.markdown(f"**{said}**\n\n{listed}")
        st.caption("Earlier wordings and forecasts are kept.")
        if st.button(f"Change {changes}", key=f"{key}-go", type="primary"):
            with act(key) as doing:
                done = bulk.apply_action(doing.ledger, chosen, argument, slugs, **doing.by)
                doing.say(f"Changed {count(done, 'question')}.")


with st.container(
    horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"
):
    st.title("Questions", anchor=False, width="content")
    view = switch("View", [FIND, ASK, SAME], "view", label_visibility="collapsed")
if view == ASK:
    ask()
elif view == SAME:
    same_questions()
else:
    one_line_entry()
    find()
