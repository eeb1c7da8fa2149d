"""The forms that propose, confirm, correct, withdraw and dispute an outcome, and decide on it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

import streamlit as st

from app.forms.dates import TypedDate, show_reading, time_field
from app.markdown_text import as_text, paragraphs, quoted, shortened
from app.session import Act, Undo, act, form, form_key, now, page_state, reading
from app.times import closing_on, when, zone
from app.views.widgets import note_and_source, question_line, question_link
from forecasts.access.members import handle_of
from forecasts.common.errors import BadInput, LedgerError
from forecasts.common.text import count
from forecasts.ledger.models import Dispute, QuestionType, Resolution
from forecasts.questions.standing import QuestionState
from forecasts.resolution import confirmation, disputes, history, proposals
from forecasts.resolution.dependents import decided
from forecasts.resolution.late_forecasts import late_forecasts
from forecasts.values.outcomes import NOT_SCORED
from forecasts.values.typed_dates import read_typed_outcome

_NAMED = 3  # others of a group that an outcome decides


@dataclass
class ShownResolutions:
    """The resolution that each form showed last, by the form's key."""

    by_form: dict[str, Resolution | None] = field(default_factory=dict)


def proposal(row: Resolution, state: QuestionState, proposer: str, *, may: bool) -> None:
    """Show one proposal, and the form to accept or reject it if the reader may."""
    with st.container(border=True, gap="small"):
        question_link(state)
        instead = "" if state.resolution is None else f" instead of {state.resolution.outcome}"
        st.markdown(
            f"Proposed: **{as_text(row.outcome)}**{as_text(instead)}{history.dated(row, when)}"
        )
        st.caption(f"{as_text(proposer)} · {when(row.recorded_at)}")
        note_and_source(row.note, row.source)
        if state.withdrawal is not None and state.withdrawal.outcome == row.outcome:
            withdrawal_note(state)
        if state.text.resolution_criteria:
            with st.expander("Resolution criteria"):
                st.markdown(paragraphs(state.text.resolution_criteria))
        if not may:
            st.caption("Only the author or a resolver can decide on it.")
            return
        with form(f"proposal-{row.id}") as key:
            reason = st.text_input(
                label="Reason to reject", help="Accepting needs no reason.", key=f"{key}-reason"
            )
            with st.container(horizontal=True):
                accepted = st.form_submit_button("Accept", type="primary", key=f"{key}-accept")
                rejected = st.form_submit_button("Reject", key=f"{key}-reject")
    if accepted:
        with act(key) as doing:
            settled = confirmation.accept(doing.ledger, row, **doing.by)
            _say_settled(doing, state, settled)
    if rejected:
        with act(key, f"Rejected: {row.outcome} on {quoted(state.text.title)}.") as doing:
            proposals.reject(doing.ledger, row, note=reason, **doing.by)


def withdrawal_note(state: QuestionState) -> None:
    """Show the withdrawal of the question's outcome and its reason, if it has none since."""
    row = state.withdrawal
    if row is not None and row.member_id is not None:
        with reading() as ledger:
            who = handle_of(ledger, row.member_id)
        st.info(as_text(history.withdrawal_note(row, who, when)))


def resolve_form(
    state: QuestionState, moment: datetime, *, may_propose: bool, may_resolve: bool
) -> None:
    """Show the form that resolves a question, or corrects its resolution.

    The outcome and its time are above the form, so that a date is shown as it is read.
    """
    if not may_propose:
        st.caption("Reporting an outcome requires at least the forecaster role.")
        return
    key = form_key(f"resolve-{state.slug}")
    current = state.resolution
    # The run that handles a click reads the ledger again. Expect the resolution that the member
    # saw in the run before, so that they cannot overwrite someone else's correction unseen.
    shown = page_state(ShownResolutions).by_form
    expected = shown.get(key, current)
    shown[key] = current
    # The whole title, which the list above truncates on a narrow screen.
    closes = closing_on(state.text, moment, when)
    shown_close = current is None or state.text.close_time <= moment
    question_line(state, f"{state.stage} · {closes}" if shown_close else state.stage)
    st.markdown(paragraphs(state.text.resolution_criteria) or "_No resolution criteria._")
    if current is not None:
        outcome = f"{as_text(current.outcome)}{history.dated(current, when)}"
        st.info(
            f"Resolved: {outcome}. Enter another outcome or time to correct it; the earlier one "
            "and its scores remain readable."
        )
    withdrawal_note(state)
    with st.container(border=True):
        outcome = _outcome_field(state, key)
        known_at = time_field(
            label="Known at",
            help="When the outcome became known. Later forecasts do not count. Blank: as before, "
            "as proposed, or else now.",
            key=f"{key}-known",
        )
        with st.container():  # a place of its own: the form below is not drawn again for it
            _warn_of_late(state, outcome, known_at, moment)
        also = _also_decided(state, outcome)
        with st.form(key, border=False):
            how_decided = st.text_area(
                label="Note", height=90, placeholder="How it was decided", key=f"{key}-note"
            )
            source = st.text_input(label="Source", placeholder="https://…", key=f"{key}-source")
            together = bool(also) and st.checkbox(also, value=True, key=f"{key}-together")
            with st.container(horizontal=True):
                label = "Resolve" if current is None else "Correct"
                resolved = may_resolve and st.form_submit_button(
                    label, type="primary", key=f"{key}-go"
                )
                proposed = st.form_submit_button(
                    label="Propose only",
                    help="Nothing is scored until someone accepts it. Needs a note or a source.",
                    key=f"{key}-propose",
                )
    if may_resolve and current is not None:
        with st.expander("Withdraw the outcome"):
            _withdraw_form(state, key, expected)
    if not (resolved or proposed):
        return
    with act(key) as doing:
        outcome = read_typed_outcome(outcome, state.text, now=doing.now, zone=zone())
        details: Any = {"note": how_decided, "source": source, **doing.by}
        details["known_at"] = known_at.moment(doing.now)
        if resolved:
            _confirm(doing, state, outcome, expected=expected, alone=not together, **details)
            doing.go("question", {"slug": state.slug})
        else:
            _propose(doing, state, outcome, **details)


@st.fragment
def outcome_form(state: QuestionState, *, may_resolve: bool) -> None:
    """Show the short form that resolves a closed question in a list, as of now.

    Without the right to decide, it proposes the outcome. The page Resolve has all other fields.
    """
    key = form_key(f"outcome-{state.slug}")
    with st.container(horizontal=True, vertical_alignment="center"):
        outcome = _outcome_field(state, key, label_visibility="collapsed")
        how: Any = {"label_visibility": "collapsed", "placeholder": "How it is known, or https://…"}
        note = "" if may_resolve else st.text_input("Note or source", key=f"{key}-note", **how)
        pressed = st.button("Resolve" if may_resolve else "Propose", key=f"{key}-go")
        address = f"resolve?slug={quote(state.slug, safe='')}"
        st.markdown(f"[Note, time, criteria]({address})", width="content")
    if pressed:
        with act(key) as doing:
            outcome = read_typed_outcome(outcome, state.text, now=doing.now, zone=zone())
            if may_resolve:
                _confirm(doing, state, outcome, expected=state.resolution, **doing.by)
            else:
                _propose(doing, state, outcome, note=note, **doing.by)


def _also_decided(state: QuestionState, outcome: str) -> str:
    """Return the offer to resolve others of its group that the outcome decides; '' without any."""
    with suppress(LedgerError), reading() as ledger:
        typed = read_typed_outcome(outcome, state.text, now=now(), zone=zone())
        others = decided(ledger, state.question, typed, now=now())
        if others:
            shown = ", ".join(
                f"{as_text(shortened(one.text.title, 60))}: {said}" for one, said in others[:_NAMED]
            )
            more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
            return f"Also resolve what follows in its group: {shown}{more}"
    return ""


def _confirm(
    doing: Act, state: QuestionState, outcome: str, *, alone: bool = True, **details: Any
) -> None:
    settled, *others = confirmation.confirm_together(
        doing.ledger, state.question, outcome, alone=alone, **details
    )
    _say_settled(doing, state, settled)
    if others:
        doing.message += f" With {count(len(others), 'other')} of its group."


def _propose(doing: Act, state: QuestionState, outcome: str, **details: Any) -> None:
    row = proposals.propose(doing.ledger, state.question, outcome, **details)
    doing.say(f"Proposed: {row.outcome} on {quoted(state.text.title)}.")


def _withdraw_form(state: QuestionState, key: str, expected: Resolution | None) -> None:
    """Show the form that withdraws the outcome: the question has none then."""
    with st.form(f"{key}-withdraw", border=False):
        reason = st.text_input(
            label="Reason to withdraw",
            placeholder="The outcome was another question’s",
            help="The question is open again until its close. Its history keeps everything.",
            key=f"{key}-withdraw-reason",
        )
        submitted = st.form_submit_button("Withdraw outcome", key=f"{key}-withdraw-go")
    if submitted:
        with act(key) as doing:
            row = confirmation.withdraw(
                doing.ledger, state.question, reason=reason, expected=expected, **doing.by
            )
            doing.say(f"Withdrawn: {row.outcome}. The question has no outcome now.")
            doing.go("question", {"slug": state.slug})


def _warn_of_late(
    state: QuestionState, outcome: str, known_at: TypedDate, moment: datetime
) -> None:
    """Say how many forecasts no longer count if the outcome was known at the time typed."""
    with suppress(BadInput):  # the field says so
        if (since := known_at.moment(moment)) is not None:
            with reading() as ledger:
                st.caption(late_forecasts(ledger, state, outcome, since).sentence)


def _outcome_field(state: QuestionState, key: str, **how: Any) -> str:
    """Show the question's possible outcomes; return the chosen one as text."""
    kind = QuestionType(state.text.type)
    if kind.is_quantitative:
        example = "a number" if kind == QuestionType.numeric else "4 March, yesterday"
        typed = st.text_input(
            label="Outcome",
            help="Or below_lower_bound, above_upper_bound; annulled or ambiguous: not scored.",
            key=f"{key}-outcome",
            placeholder=example,
            live=True,
            **how,
        )
        text = (typed or "").strip()
        if kind == QuestionType.date:
            at: Any = {"now": now(), "zone": zone()}
            show_reading(lambda: read_typed_outcome(text, state.text, **at) if text else "")
        return typed or ""
    options = ["yes", "no"] if kind == QuestionType.binary else list(state.text.options or [])
    how |= {"index": None, "format_func": as_text, "horizontal": kind == QuestionType.binary}
    return (
        st.radio(
            label="Outcome",
            help="Annulled and ambiguous questions are not scored.",
            key=f"{key}-outcome",
            options=[*options, *NOT_SCORED],
            **how,
        )
        or ""
    )


def _say_settled(doing: Act, state: QuestionState, settled: confirmation.Settled) -> None:
    """Report the resolution, or the changes that a correction made."""
    row, earlier = settled.resolution, settled.before
    scored = "Scores are stored."
    if late := settled.left_out.sentence:
        scored = f"{late} {scored}"
    if row.outcome in NOT_SCORED:
        scored = "It is not scored and is left out of reports."
    if earlier is None:
        said = f"Resolved: {row.outcome} on {quoted(state.text.title)}. {scored}"
        doing.say(said, _undo_of(state, row))
    else:
        doing.say(f"Corrected: {history.correction(earlier, row, when)}. {scored}")


def _undo_of(state: QuestionState, row: Resolution) -> Undo:
    """Return the way to undo the first outcome of a question, which was just confirmed."""

    def undo() -> None:
        with act(form_key(f"outcome-{state.slug}")) as doing:
            confirmation.withdraw(
                doing.ledger, state.question, reason="Entered by mistake.", expected=row, **doing.by
            )
            doing.say(f"Undone: {row.outcome} on {quoted(state.text.title)}.")

    return Undo(
        "Withdraws the outcome as entered by mistake. Nothing is erased: both steps stay in the "
        "history.",
        undo,
    )


def dispute_form(state: QuestionState) -> None:
    """Show the form that disputes the outcome."""
    with form(f"dispute-{state.slug}") as key:
        reason = st.text_area(
            label="Reason to dispute", height=90, help="A resolver decides.", key=f"{key}-reason"
        )
        submitted = st.form_submit_button("Dispute outcome", key=f"{key}-go")
    if submitted:
        with act(
            key, "Disputed. Scores on this question are not final until a resolver decides."
        ) as doing:
            disputes.dispute(doing.ledger, state.question, reason=reason, **doing.by)


def disputed(
    row: Dispute, resolution: Resolution, state: QuestionState, who: str, *, may: bool
) -> None:
    """Show one dispute by ``who``, and the two ways to settle it if the reader ``may``."""
    with st.container(border=True, gap="small"):
        question_link(state)
        st.markdown(f"Resolved: **{as_text(resolution.outcome)}**, and disputed")
        st.caption(f"{as_text(who)} · {when(row.recorded_at)}")
        st.markdown(paragraphs(row.reason))
        if not may:
            st.caption("Only the author or a resolver can decide on it.")
            return
        with form(f"disputed-{row.id}") as key:
            reason = st.text_input(label="Reason to uphold", help="Optional.", key=f"{key}-reason")
            upheld = st.form_submit_button("Uphold outcome", key=f"{key}-uphold")
        question_link(state, "resolve", "Correct the outcome")
    if upheld:
        with act(key, f"Upheld: {resolution.outcome} on {quoted(state.text.title)}.") as doing:
            disputes.uphold(doing.ledger, state.question, reason=reason, **doing.by)
