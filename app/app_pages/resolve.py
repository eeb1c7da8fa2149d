"""Resolve: decide what was proposed, settle what has ended, see what the resolvers looked up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from app.forms.dispute import disputed
from app.forms.revision import as_utc
from app.markdown_text import (
    as_text,
    closing,
    counted,
    link,
    link_to,
    paragraphs,
    shortened,
    when,
)
from app.session import (
    Act,
    act,
    form_key,
    memory,
    now,
    reading,
    rights_here,
)
from app.views.links import question_link
from forecasts.access import members, roles
from forecasts.access.roles import Action
from forecasts.ledger.models import Question, QuestionType, Resolution, RunState
from forecasts.questions.outcomes import NOT_SCORED
from forecasts.questions.standing import QuestionState, Status, listing, unresolved
from forecasts.resolution import assignments, disputes, history, resolutions
from forecasts.resolution.assignments import Watched

WAITING_SHOWN = 20

moment = now()
asked = st.query_params.get("slug", "")
with reading() as ledger:
    questions = unresolved(ledger, now=moment)
    proposals = resolutions.open_proposals(ledger)
    watched = assignments.watched(ledger)
    waits = assignments.parked(ledger)
    in_dispute = disputes.open_disputes(ledger)
    # Of those that are resolved, which are most, the ones that are spoken of alone.
    named = {
        asked,
        *(question.slug for _, question in proposals),
        *(question.slug for _, _, question in in_dispute),
        *(row.slug for row in watched),
    }.difference(state.slug for state in questions)
    settled_ones = listing(ledger, now=moment, only=sorted(named))
    handles = members.handles(ledger)
    rights = rights_here(ledger)
by_slug = {state.slug: state for state in (*questions, *settled_ones)}


def may(action: Action, state: QuestionState) -> bool:
    """Return whether who sits here may do that on the question."""
    return roles.allows(rights, action, state.question, state.text)


def proposal(row: Resolution, question: Question) -> None:
    """Show one proposal with the two answers to it."""
    state = by_slug[question.slug]
    key = form_key(f"proposal-{row.id}")
    with st.container(border=True, gap="small"):
        question_link(state)
        known = "" if row.known_at is None else f", known at {when(row.known_at)}"
        instead = "" if state.resolution is None else f" instead of {state.resolution.outcome}"
        st.markdown(f"Proposed: **{as_text(row.outcome)}**{as_text(instead)}{known}")
        who = "a resolver" if row.member_id is None else handles[row.member_id]
        st.caption(f"{as_text(who)} · {when(row.recorded_at)}")
        if row.note:
            st.markdown(paragraphs(row.note))
        if row.source:
            st.markdown(link(row.source, row.source))
        if state.text.resolution_criteria:
            with st.expander("Resolution criteria"):
                st.markdown(paragraphs(state.text.resolution_criteria))
        if not may(Action.resolve, state):
            st.caption("It takes its author or a resolver to decide on it.")
            return
        with st.form(key, border=False):
            reason = st.text_input(
                "Reason to reject it",
                key=f"{key}-reason",
                placeholder="What is wrong with it",
                help="It is kept with the rejection. To accept takes none.",
            )
            with st.container(horizontal=True):
                accepted = st.form_submit_button("Accept", type="primary", key=f"{key}-accept")
                rejected = st.form_submit_button("Reject", key=f"{key}-reject")
    if accepted:
        with act(key) as doing:
            accepted_row = resolutions.accept(doing.ledger, row, now=doing.now, member=doing.member)
            settled(doing, state, accepted_row)
    if rejected:
        with act(key) as doing:
            resolutions.reject(
                doing.ledger, row, now=doing.now, member=doing.member, note=reason or ""
            )
            doing.say(f"Rejected: {row.outcome} on “{shortened(state.text.title, 60)}”.")


def settled(doing: Act, state: QuestionState, row: Resolution) -> None:
    """Tell how the question was settled, or what the correction changed."""
    earlier = state.resolution
    scored = "The scores are stored."
    if row.outcome in NOT_SCORED:
        scored = "It yields no scores, and is out of every report."
    if earlier is None:
        doing.say(f"Resolved: {row.outcome}. {scored}")
    else:
        doing.say(f"Corrected: {history.correction(earlier, row, when)}. {scored}")


def title_of(slug: str) -> str:
    """Return a question's status and title for the list to pick from."""
    state = by_slug[slug]
    return f"{state.status} · {shortened(state.text.title, 100)}"


def pick() -> QuestionState | None:
    """Show the questions, those that await their resolution first; return the one picked."""
    order = [
        Status.awaiting,
        Status.proposed,
        Status.open,
        Status.resolved,
        Status.annulled,
        Status.ambiguous,
    ]
    slugs = [
        state.slug
        for state in sorted(
            (state for state in by_slug.values() if state.status in order),
            key=lambda state: order.index(state.status),
        )
    ]
    slug = st.selectbox(
        "Question",
        slugs,
        index=slugs.index(asked) if asked in slugs else None,
        format_func=title_of,
        placeholder="Pick a question",
        help="Those that await their resolution come first. To correct one that is resolved, "
        "open it and choose Correct the outcome.",
        key=f"pick-{asked}",
    )
    if slug is None:
        return None
    # The address names the question, so that it can be sent to somebody who decides.
    st.query_params["slug"] = slug
    return by_slug[slug]


def outcome_field(state: QuestionState, key: str) -> str:
    """Show the outcomes that the question can have; return the one chosen, as text."""
    kind = QuestionType(state.text.type)
    if kind in (QuestionType.numeric, QuestionType.date):
        return (
            st.text_input(
                "Outcome",
                key=f"{key}-outcome",
                placeholder="a number" if kind == QuestionType.numeric else "2027-03-01",
                help="Where only that is known: below_lower_bound or above_upper_bound. Where the "
                "question cannot be decided: annulled or ambiguous, which yield no scores.",
            )
            or ""
        )
    options = ["yes", "no"] if kind == QuestionType.binary else list(state.text.options or [])
    return (
        st.radio(
            "Outcome",
            [*options, *NOT_SCORED],
            index=None,
            format_func=as_text,
            horizontal=kind == QuestionType.binary,
            key=f"{key}-outcome",
            help="Annulled and ambiguous questions yield no scores.",
        )
        or ""
    )


def resolve_form(state: QuestionState) -> None:
    """Show the form that settles the question, or corrects how it was settled."""
    if not may(Action.propose, state):
        st.caption("To say how a question came out takes a forecaster’s role at least.")
        return
    name = f"resolve-{state.slug}"
    key = form_key(name)
    standing = state.resolution
    # The run that carries a click out reads the ledger anew; what the person saw is of the run
    # before. What somebody else has done in between is not corrected unseen.
    seen = memory().seen.get(key, standing)
    memory().seen[key] = standing
    blank = "Blank: now"
    if standing is not None:
        blank = "Blank: as before"
        if standing.known_at is not None:
            blank += f", {when(standing.known_at)}"
    elif state.status == Status.proposed:
        blank = "Blank: as proposed, if that is the outcome; else now"
    # Whole, which the list above cannot be on a narrow screen.
    with st.container(gap=None):
        question_link(state)
        if standing is None or state.text.close_time <= moment:
            st.caption(
                f"{state.status} · {closing(state.text, moment)} ({when(state.text.close_time)})"
            )
    st.markdown(paragraphs(state.text.resolution_criteria) or "_It has no resolution criteria._")
    if standing is not None:
        known = "" if standing.known_at is None else f", known at {when(standing.known_at)}"
        st.info(
            f"Resolved: {as_text(standing.outcome)}{known}. Another outcome or time corrects it; "
            "the earlier row and its scores stay readable.",
        )
    with st.form(key):
        outcome = outcome_field(state, key)
        known_at = st.datetime_input(
            "Known at (UTC)",
            value=None,
            min_value=datetime.min.replace(tzinfo=UTC),  # else Streamlit offers ten years only
            max_value=moment,
            step=60,
            format="YYYY-MM-DD",
            key=f"{key}-known",
            help="When the outcome became known: what was forecast after it does not count. "
            f"{blank}.",
        )
        note = st.text_area(
            "Note",
            key=f"{key}-note",
            height=90,
            placeholder="What happened",
            help="It is kept with the resolution, for those who ask why.",
        )
        source = st.text_input(
            "Source", key=f"{key}-source", placeholder="https://…", help="What says so."
        )
        with st.container(horizontal=True):
            resolved = may(Action.resolve, state) and st.form_submit_button(
                "Resolve" if standing is None else "Correct", type="primary", key=f"{key}-go"
            )
            proposed = st.form_submit_button(
                "Only propose",
                key=f"{key}-propose",
                help="It then waits until somebody accepts or rejects it; nothing is scored.",
            )
    if not (resolved or proposed):
        return
    with act(key) as doing:
        said: dict[str, Any] = {
            "known_at": None if known_at is None else as_utc(known_at),
            "now": doing.now,
            "member": doing.member,
            "note": note or "",
            "source": source or "",
        }
        if resolved:
            row = resolutions.confirm(doing.ledger, state.question, outcome, expected=seen, **said)
            settled(doing, state, row)
            doing.go("question", link_to(state.question))
        else:
            row = resolutions.propose(doing.ledger, state.question, outcome, **said)
            doing.say(f"Proposed: {row.outcome} on “{shortened(state.text.title, 60)}”.")


def parked() -> None:
    """Show what no run looks at any more, with the reason and the way to have it looked at."""
    waiting = [one for one in waits if one.slug in by_slug]
    if waiting:
        st.warning(
            f"{counted(len(waiting), 'question')} could not be looked up, and "
            f"{'waits' if len(waiting) == 1 else 'wait'} for a person."
        )
    for one in waiting:
        state = by_slug[one.slug]
        with st.container(gap="xsmall"):
            question_link(state)
            st.caption(
                f"{when(one.since)}, after {counted(one.attempts, 'attempt')} · "
                f"{as_text(one.reason)}"
            )
            if may(Action.resolve, state):
                give_up_or_retry(state)


def give_up_or_retry(state: QuestionState) -> None:
    """Show what a person can do where a resolver has given up."""
    key = form_key(f"retry-{state.slug}")
    with st.container(horizontal=True, gap="small"):
        again = st.button("Look again in the next run", key=key)
        removed = st.button(
            "Remove its resolvers",
            key=f"{key}-remove",
            help="Nothing looks the question up any more; what was looked up stays. Somebody has "
            "to say how it came out.",
        )
    title = shortened(state.text.title, 60)
    if again:
        with act(key) as doing:
            assignments.retry(doing.ledger, state.question, now=doing.now, member=doing.member)
            doing.say(f"The next run looks at “{title}” again.")
    if removed:
        with act(key) as doing:
            assignments.detach(doing.ledger, state.question, now=doing.now, member=doing.member)
            doing.say(f"Removed the resolvers of “{title}”. Settle it here once it is known.")


def looks(rows: list[Watched]) -> None:
    """Show the resolvers: those that fail and are tried again with reasons, all in a table."""
    parked()
    failed = [
        (row, row.look)
        for row in rows
        if by_slug[row.slug].resolution is None
        and not row.parked
        and row.look is not None
        and row.look.state == RunState.failed
    ]
    for row, look in failed:
        state = by_slug[row.slug]
        with st.container(gap=None):
            question_link(state)
            again = "" if row.watch.next_at is None else f"; again {when(row.watch.next_at)}"
            st.caption(f"{when(look.started_at)} · failed{again} · {as_text(look.message)}")
    with st.expander(
        f"Every resolver ({len(rows):,})", expanded=not failed and not waits and len(rows) <= 5
    ):
        st.dataframe(
            {
                "State": [
                    "–" if row.look is None else row.look.state.replace("_", " ") for row in rows
                ],
                "Question": [by_slug[row.slug].text.title for row in rows],
                "Looked (UTC)": [
                    None if row.look is None else row.look.started_at.replace(tzinfo=None)
                    for row in rows
                ],
                "What it said": [
                    "not looked yet" if row.look is None else row.look.message for row in rows
                ],
                "Resolver": [row.resolver.kind.replace("_", " ") for row in rows],
            },
            hide_index=True,
            column_config={
                "Looked (UTC)": st.column_config.DatetimeColumn(
                    format="YYYY-MM-DD HH:mm",
                    help="A look that says the same again is recorded once a day.",
                ),
            },
            alt="The last look of each resolver",
        )


def awaiting() -> None:
    """Show the questions that have closed and are not resolved, the longest waiting first."""
    st.header("Awaiting resolution", anchor=False)
    waiting = [state for state in questions if state.status == Status.awaiting]
    waiting.sort(key=lambda state: state.text.close_time)
    for state in waiting[:WAITING_SHOWN]:
        with st.container(gap=None):
            question_link(state, "resolve")
            st.caption(f"{closing(state.text, moment)} ({when(state.text.close_time)})")
    if not waiting:
        st.caption("Nothing awaits its resolution.")
    if len(waiting) > WAITING_SHOWN:
        st.caption(f"… and {len(waiting) - WAITING_SHOWN:,} more in the list above.")


st.title("Resolve", anchor=False)
if not by_slug:
    st.info(
        "No question is open or awaits its outcome, so there is nothing to resolve. To correct one "
        "that is resolved, open it and choose *Correct the outcome*."
    )
    st.stop()
if proposals:
    st.header(f"Proposed ({len(proposals)})", anchor=False)
    for row, question in proposals:
        proposal(row, question)
if in_dispute:
    st.header(f"Disputed ({len(in_dispute)})", anchor=False)
    for told, resolution, question in in_dispute:
        state = by_slug[question.slug]
        disputed(
            told,
            resolution,
            state,
            handles[told.member_id],
            may=may(Action.resolve, state),
        )
settle, wait = st.columns([3, 2], gap="medium")
with settle:
    st.header("Settle a question", anchor=False)
    picked = pick()
    if picked is not None:
        resolve_form(picked)
with wait:
    awaiting()
st.header("Resolvers", anchor=False)
if watched:
    looks(watched)
else:
    st.caption(
        "No question carries a resolver, which looks its outcome up by itself. One is given by a "
        "command: `forecasts resolver set QUESTION KIND`; until then, settle it here."
    )
