"""The forms that make, update and withdraw a forecast, and the way to undo it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import streamlit as st
from sqlmodel import Session

from app.components.scripts import focus_on
from app.forms.coherence import offer_coherent
from app.forms.forecast_value import is_typed, preview, read_field, value_fields
from app.markdown_text import as_text, quoted, shortened
from app.session import Act, Undo, act, form, form_key, lowest_probability, memory
from app.times import published
from forecasts.agenda import revisits
from forecasts.common.errors import BadInput, LedgerError, Refused
from forecasts.common.text import count
from forecasts.ledger.models import Article, EvidenceKind, Forecast, QuestionType, Stance
from forecasts.questions.standing import QuestionState
from forecasts.updates import evidence, updates
from forecasts.updates.evidence_parsing import parse_evidence
from forecasts.updates.typed_values import require_offered_range
from forecasts.values.value import Value, format_change, format_value, value_of

_STANCES = {
    Stance.supports: "raises it",
    Stance.opposes: "lowers it",
    Stance.context: "context only",
}
_DAYS = (1, 3, 7, 14, 30, 90)
_MOVES_MOST = "the option that changes most"


@dataclass(frozen=True)
class _Piece:
    """The fields of one piece of evidence; ``share`` is a percentage."""

    place: int
    source: str
    article: str | None
    stance: Stance | None
    kind: EvidenceKind
    share: float | None


@st.fragment
def forecast_form(
    state: QuestionState,
    current: Forecast | None,
    articles: Sequence[Article] = (),
    *,
    quick: bool = False,
    every: timedelta | None = None,
    cites: str | None = None,
) -> None:
    """Show the form: value with preview, reason, evidence, review date.

    ``quick``: a short form for a list, with one piece of evidence. ``articles``: the articles to
    cite; ``cites``: the address of the preselected one. ``every``: the member's review interval for
    this question, if any. Moving a slider reruns this form only.
    """
    key = form_key(f"{'quick' if quick else 'forecast'}-{state.slug}")
    with st.container(key=forecast_act(state)):
        left, right = st.columns([2, 3], gap="small") if quick else (st.container(), st.container())
        with left:
            written = value_fields(key, state.text, current, quick=quick)
        with right, st.form(key, border=not quick):
            # The first button of a form is the one that Enter presses.
            with st.container(horizontal=quick, vertical_alignment="bottom", gap="small"):
                reason = _reason_field(key, quick=quick)
                act_name = "Save" if current is None else "Update"
                submitted = st.form_submit_button(
                    act_name if quick else f"{act_name} forecast",
                    key=f"{key}-save",
                    type="secondary" if quick else "primary",
                    width="content" if quick else "stretch",
                )
            label = "Evidence and review date" if cites is None else "Cites the new article"
            with st.container(key=f"{key}-more"), st.expander(label):
                pieces = _evidence(key, state, current, written, articles, cites)
                review = _review_days(key, every)
                if not quick:
                    st.form_submit_button(
                        "More evidence", key=f"{key}-add", on_click=_one_more, args=(key,)
                    )
        if quick:
            preview(key, written, state.text, current, quick=True)
        how: Any = {"quick": quick, "submitted": submitted}
        waits = offer_coherent(key, state, current, written, **how)
    if submitted and not waits:
        with act(key) as doing:
            _save(doing, key, state, current, written, reason, pieces)
            if review != (None if every is None else every.days):
                revisits.set_interval(doing.ledger, review, question=state.question, **doing.by)
            focus_on(forecast_act(state), following=True)


def _reason_field(key: str, *, quick: bool) -> str:
    example = "Reason (optional)"
    how: Any = {"key": f"{key}-reason", "placeholder": example, "label_visibility": "collapsed"}
    if quick:
        return st.text_input("Reason", max_chars=2000, **how) or ""
    return st.text_area("Reason", height=90, max_chars=10_000, **how) or ""


def is_quick_form_typed(state: QuestionState, current: Forecast | None) -> bool:
    """Return whether a forecast is typed into the question's short form and not saved."""
    return is_typed(form_key(f"quick-{state.slug}"), state.text, current)


def forecast_act(state: QuestionState) -> str:
    """Return the key of the container of a question's form."""
    return f"act-forecast-{state.slug}"


def _review_days(key: str, every: timedelta | None) -> int | None:
    """Show the choice of the days until this forecast's review; None: the member's default."""
    current = None if every is None else every.days
    choices = sorted({*_DAYS, current} - {None}, key=lambda days: days or 0)
    chosen: int | None = st.selectbox(
        label="Review in",
        help="The default is in Settings.",
        key=f"{key}-again",
        options=[None, *choices],
        index=0 if current is None else choices.index(current) + 1,
        format_func=lambda days: "default" if days is None else count(days, "day"),
    )
    return chosen


def _one_more(key: str) -> None:
    """Let the next run show the fields of one more piece of evidence."""
    st.session_state[f"{key}-pieces"] = st.session_state.get(f"{key}-pieces", 1) + 1


def _evidence(
    key: str,
    state: QuestionState,
    current: Forecast | None,
    written: str,
    articles: Sequence[Article],
    cites: str | None,
) -> list[_Piece]:
    """Show the fields of one or more pieces of evidence; return the filled ones.

    ``cites``: the address of the article preselected as the first piece. The stance is unset; the
    one that fits the typed value is proposed.
    """
    shown = st.session_state.get(f"{key}-pieces", 1)
    outcome, proposed = _MOVES_MOST, "follows your update"
    try:
        value = read_field(written, current, state.text)
        outcome = evidence.supported_outcome(state.text, current, value)
        proposed = f"{_STANCES[evidence.proposed_stance(state.text, current, value)]} (proposed)"
    except LedgerError:  # it is blank or cannot be read
        if state.text.type != QuestionType.multiple_choice:
            outcome = evidence.supported_outcome(state.text, current, Value())
    pieces = []
    labels = {article.address: _article_label(article) for article in articles}
    for place in range(1, shown + 1):
        preselected = cites if place == 1 else None
        at = key if place == 1 else f"{key}-{place}"
        label = "Evidence" if place == 1 else f"Evidence {place}"
        source = st.text_input(
            label,
            placeholder="https://… or a note",
            max_chars=4000,
            help="A web address, or a note in your own words.",
            key=f"{at}-evidence",
        )
        article = share = None
        if articles or shown > 1:
            beside = st.columns(2 if articles and shown > 1 else 1)
        if articles:
            article = beside[0].selectbox(
                f"Article cited as evidence {place}",
                list(labels),
                index=list(labels).index(preselected) if preselected in labels else None,
                format_func=lambda address: labels[address],
                placeholder="or an article",
                label_visibility="collapsed",
                key=f"{at}-article",
            )
        if shown > 1:
            label = f"Share of evidence {place} in %"
            share = beside[-1].number_input(
                label,
                value=None,
                placeholder="share in %",
                label_visibility="collapsed",
                min_value=0.0,
                max_value=100.0,
                step=5.0,
                format="%.4g",
                key=f"{at}-share",
            )
        left, right = st.columns(2)
        stance = left.selectbox(
            f"Effect on {as_text('“yes”' if outcome == 'yes' else outcome)}",
            list(_STANCES),
            # A preselected article is neutral until the member says otherwise.
            index=None if preselected is None else list(_STANCES).index(Stance.context),
            format_func=lambda stance: _STANCES[stance],
            placeholder=proposed,
            help="Left open, it follows your update.",
            key=f"{at}-stance",
        )
        kinds = list(EvidenceKind)
        kind = right.selectbox("Kind", kinds, format_func=_in_words, key=f"{at}-kind")
        if source.strip() or article is not None or share is not None:
            pieces.append(_Piece(place, source.strip(), article, stance, kind, share))
    if shown > 1:
        st.caption("Share: the part of this update that it explains. Blank: equal parts.")
    return pieces


def _in_words(kind: EvidenceKind) -> str:
    return kind.replace("_", " ")


def _article_label(article: Article) -> str:
    known = [shortened(article.title, 70), article.publisher or "", published(article.published_at)]
    return " · ".join(part for part in known if part)


def _cited(ledger: Session, pieces: list[_Piece]) -> list[evidence.CitedEvidence]:
    """Return the cited evidence; BadInput if a piece names nothing, or two things."""
    citing = []
    for piece in pieces:
        if bool(piece.source) == (piece.article is not None):
            raise BadInput(
                f"Evidence {piece.place} names both an article and {piece.source!r}."
                if piece.source
                else f"Evidence {piece.place} has a share but no source.",
                remedy="Enter an address or a note, or pick an article.",
            )
        share = None if piece.share is None else piece.share / 100
        named = piece.article or piece.source
        citing.append(
            parse_evidence(ledger, named, stance=piece.stance, kind=piece.kind, share=share)
        )
    return citing


def _save(
    doing: Act,
    key: str,
    state: QuestionState,
    current: Forecast | None,
    written: str,
    reason: str,
    pieces: list[_Piece],
) -> None:
    """Save the typed forecast with its evidence, and offer to undo it."""
    text, value = state.text, read_field(written, current, state.text)
    citing = _cited(doing.ledger, pieces)
    # An unchanged value, perhaps from a command, may lie beyond the limits of the app.
    if current is None or value != value_of(current):
        require_offered_range(value, lowest_probability())
    mismatch = evidence.stance_mismatch(text, current, value, citing)
    # It is refused once; saved again as it is, it is meant.
    if mismatch and st.session_state.get(f"{key}-meant") != mismatch:
        st.session_state[f"{key}-meant"] = mismatch
        raise Refused(
            mismatch, remedy="Change the effect or the forecast, or save again if it is right."
        )
    how: Any = {"rationale": reason, "evidence": citing, "origin": "app", **doing.by}
    saved = updates.update(doing.ledger, state.question, value, **how)
    change = shortened(format_change(saved.before, value, text.options), 200)
    message = f"Saved: {change} on {quoted(text.title)}."
    if saved.cited:
        message += f" Evidence: {evidence.format_stances(saved.cited, saved.outcome)}."
    doing.say(message, _undo_of(state, saved))


def withdraw_form(state: QuestionState) -> None:
    """Show the form that withdraws the member's current forecast."""
    with form(f"withdraw-{state.slug}") as key:
        reason = st.text_input(
            label="Why", placeholder="Your reason (optional)", key=f"{key}-reason"
        )
        st.caption("Your forecast ends now; the time it was active still counts.")
        submitted = st.form_submit_button("Withdraw my forecast", key=f"{key}-go")
    if submitted:
        with act(key) as doing:
            saved = updates.withdraw(
                doing.ledger, state.question, rationale=reason, origin="app", **doing.by
            )
            assert saved.before is not None
            withdrawn = shortened(format_value(saved.before, state.text.options))
            words = f"Withdrew {withdrawn} from {quoted(state.text.title)}."
            doing.say(words, _undo_of(state, saved))


_CHANGE = 80  # characters shown


def _undo_of(state: QuestionState, saved: updates.Saved) -> Undo | None:
    """Return the way to undo a forecast that was just saved; None if it changed nothing."""
    made, before = saved.forecast, saved.before
    if before is not None and value_of(before) == value_of(made):
        return None
    old, new = (
        "" if one is None or one.withdrawn else shortened(format_value(one, text.options), _CHANGE)
        for text in (state.text,)
        for one in (before, made)
    )
    change = " → ".join(part for part in (old, new or "withdrawn") if part)

    def undo() -> None:
        with act(form_key(f"forecast-{state.slug}")) as doing:
            updates.undo(doing.ledger, made.id, origin="app", **doing.by)
            doing.say(f"Undone: {change} on {quoted(state.text.title)}.")
            memory().done[f"quick-{state.slug}"] += 1  # this form too has the former value
            focus_on(forecast_act(state))

    does = f"Enters {old} again, as a new update." if old else "Withdraws the forecast."
    return Undo(
        f"{does} Nothing is erased: both stay in the history, and the score counts the time "
        "between.",
        undo,
    )
