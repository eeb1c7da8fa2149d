"""Resolve: decide on proposals and disputes, resolve questions, check the resolvers."""

from __future__ import annotations

import streamlit as st

from app.forms.resolution import disputed, proposal, resolve_form
from app.markdown_text import as_text, quoted, shortened
from app.session import act, form_key, name_window, now, reading, rights_here
from app.times import closing_on, when, zone_name
from app.views.empty import empty
from app.views.widgets import page_link, question_line
from forecasts.access import members, roles
from forecasts.access.roles import Action
from forecasts.common.text import count
from forecasts.ledger.models import RunState
from forecasts.questions.standing import QuestionState, Status, listing, unresolved
from forecasts.resolution import assignments, disputes, progress, proposals
from forecasts.resolution.scoreboard import scoreboard
from forecasts.views.runs import record_line

WAITING_SHOWN = 20
DECIDED = (Status.resolved, Status.annulled, Status.ambiguous)
ORDER = [Status.awaiting, Status.open, *DECIDED]

moment = now()
asked = st.query_params.get("slug", "")
with reading() as ledger:
    questions = unresolved(ledger, now=moment)
    proposed = proposals.open_proposals(ledger)
    watched = progress.last_lookups(ledger)
    waits = progress.parked(ledger)
    in_dispute = disputes.open_disputes(ledger)
    # Most questions are resolved: read only the resolved ones that this page mentions.
    named = {
        asked,
        *(question.slug for _, question in proposed),
        *(question.slug for _, _, question in in_dispute),
        *(row.slug for row in watched),
    }.difference(state.slug for state in questions)
    settled_ones = listing(ledger, now=moment, only=sorted(named))
    handles = members.handles(ledger)
    rights = rights_here(ledger)
by_slug = {state.slug: state for state in (*questions, *settled_ones)}


def may(action: Action, state: QuestionState) -> bool:
    """Return whether the reader may do that on the question."""
    return roles.allows(rights, action, state.question, state.text)


def pick() -> QuestionState | None:
    """Show the list of questions, those awaiting resolution first; return the picked one."""
    offered = [state for state in by_slug.values() if state.status in ORDER]
    offered.sort(key=lambda state: ORDER.index(state.status))
    labels = {one.slug: f"{one.stage} · {shortened(one.text.title, 100)}" for one in offered}
    slug = st.selectbox(
        label="Question",
        placeholder="Those awaiting resolution first",
        label_visibility="collapsed",
        options=list(labels),
        index=list(labels).index(asked) if asked in labels else None,
        format_func=lambda slug: labels[slug],
        key=f"pick-{asked}",
    )
    if slug is None:
        return None
    # In the address too, so that the link can be sent to someone who decides.
    st.query_params["slug"] = slug
    name_window(by_slug[slug].text.title, "Resolve")
    return by_slug[slug]


def parked() -> None:
    """Show the questions whose resolvers gave up, each with the reason and the remedies."""
    waiting = [one for one in waits if one.slug in by_slug]
    if waiting:
        st.warning(
            f"{count(len(waiting), 'question')} could not be resolved automatically and "
            f"{'needs' if len(waiting) == 1 else 'need'} attention."
        )
    for one in waiting:
        state, tried = by_slug[one.slug], count(one.attempts, "attempt")
        with st.container(gap="xsmall"):
            question_line(state, f"{when(one.since)}, after {tried} · {as_text(one.reason)}")
            if may(Action.resolve, state):
                retry_or_remove(state)


def retry_or_remove(state: QuestionState) -> None:
    """Show the buttons that retry or remove a question's resolvers."""
    key = form_key(f"retry-{state.slug}")
    with st.container(horizontal=True, gap="small"):
        retry = st.button("Retry in the next run", key=key)
        remove = st.button(
            label="Remove its resolvers",
            help="Someone then has to resolve it here. Past lookups are kept.",
            key=f"{key}-remove",
        )
    title = quoted(state.text.title)
    if retry:
        with act(key, f"The next run checks {title} again.") as doing:
            assignments.retry(doing.ledger, state.question, **doing.by)
    if remove:
        with act(
            key, f"Removed the resolvers of {title}. Resolve it once the outcome is known."
        ) as doing:
            assignments.detach(doing.ledger, state.question, **doing.by)


def resolvers(rows: list[progress.LastLookup]) -> None:
    """Show the resolvers: failing ones with reasons, then all of them in a table."""
    parked()
    failed = [
        (row, row.lookup, by_slug[row.slug])
        for row in rows
        if row.lookup is not None and row.lookup.state == RunState.failed and not row.parked
    ]
    failed = [one for one in failed if one[2].resolution is None]
    for row, lookup, state in failed:
        retry = "" if row.watch.next_at is None else f"; next try {when(row.watch.next_at)}"
        said = f"{when(lookup.started_at)} · failed{retry} · {as_text(lookup.message)}"
        question_line(state, said)
    looks = [row.lookup for row in rows]
    with st.expander(
        f"All resolvers ({len(rows):,})", expanded=not failed and not waits and len(rows) <= 5
    ):
        st.dataframe(
            {
                "State": [look.state.replace("_", " ") if look else "–" for look in looks],
                "Question": [by_slug[row.slug].text.title for row in rows],
                "Checked": [look.started_at if look else None for look in looks],
                "Result": [look.message if look else "not checked yet" for look in looks],
                "Resolver": [row.resolver.kind.replace("_", " ") for row in rows],
            },
            hide_index=True,
            column_config={
                "Checked": st.column_config.DatetimeColumn(
                    format="YYYY-MM-DD HH:mm",
                    help="An unchanged result is recorded once a day.",
                    timezone=zone_name(),
                )
            },
            alt="The last check of each resolver",
        )


def record() -> None:
    """Show how often each kind of resolver agreed with the outcome in the end."""
    opened = st.expander("Resolver accuracy", key="resolver-record", on_change="rerun")
    if not opened.open:  # it reads every lookup
        return
    with reading() as ledger:
        found = scoreboard(ledger, now=moment)
    with opened:
        for one in found:
            kind = f"{one.kind}, {one.type}".replace("_", " ")
            st.caption(f"**{as_text(kind)}**: {as_text(record_line(one))}")
        if not found:
            st.caption("No question with a resolver has an outcome yet.")


def awaiting() -> None:
    """Show the closed questions without an outcome or a proposal, longest waiting first."""
    st.header("Awaiting resolution", anchor=False)
    waiting = [one for one in questions if one.status == Status.awaiting and not one.proposals]
    waiting.sort(key=lambda state: state.text.close_time)
    for state in waiting[:WAITING_SHOWN]:
        question_line(state, closing_on(state.text, moment, when), "resolve")
    if not waiting:
        st.caption("None. Questions appear here when they close.")
    if len(waiting) > WAITING_SHOWN:
        st.caption(f"… and {len(waiting) - WAITING_SHOWN:,} more in the list of questions.")


st.title("Resolve", anchor=False)
if not by_slug:
    with empty("resolve", "Nothing to resolve. To correct an outcome, open its question."):
        page_link("questions", "All questions")
    st.stop()
if proposed:
    st.header(f"Proposed ({len(proposed)})", anchor=False)
    for row, question in proposed:
        state = by_slug[question.slug]
        proposer = "a resolver" if row.member_id is None else handles[row.member_id]
        proposal(row, state, proposer, may=may(Action.resolve, state))
if in_dispute:
    st.header(f"Disputed ({len(in_dispute)})", anchor=False)
    for dispute, resolution, question in in_dispute:
        state = by_slug[question.slug]
        disputer = handles[dispute.member_id]
        disputed(dispute, resolution, state, disputer, may=may(Action.resolve, state))
left, right = st.columns([3, 2], gap="medium")
with left:
    st.header("Pick a question", anchor=False, help="To correct an outcome, open its question.")
    picked = pick()
    if picked is not None:
        proposes, resolves = (may(action, picked) for action in (Action.propose, Action.resolve))
        resolve_form(picked, moment, may_propose=proposes, may_resolve=resolves)
with right:
    awaiting()
st.header("Resolvers", anchor=False)
if watched:
    resolvers(watched)
    record()
else:
    st.caption(
        "A resolver checks a question’s outcome automatically. To add one, run `forecasts "
        "resolver set QUESTION KIND`."
    )
