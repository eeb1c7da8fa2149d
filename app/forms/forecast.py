"""The forms that make, update and withdraw a forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import streamlit as st
from sqlmodel import Session

from app.components.keyboard import focus_on
from app.forms.forecast_preview import read_field
from app.forms.forecast_value import is_typed, value_fields
from app.forms.undo import offer_undo
from app.markdown_text import as_text, shortened
from app.session import Act, act, form_key, lowest_probability
from app.times import published
from forecasts.agenda import revisits
from forecasts.common.errors import BadInput, LedgerError, Refused
from forecasts.common.text import count
from forecasts.ledger.models import Article, EvidenceKind, Forecast, QuestionType, Stance
from forecasts.questions.standing import QuestionState
from forecasts.updates import updates
from forecasts.updates.evidence import (
    CitedEvidence,
    StanceMismatch,
    format_stances,
    proposed_stance,
    stance_mismatch,
    supported_outcome,
)
from forecasts.updates.evidence_parsing import parse_evidence
from forecasts.updates.typed_values import require_offered_range
from forecasts.values.value import Value, format_change, format_value, value_of

_STANCES = {
    Stance.supports: "raises it",
    Stance.opposes: "lowers it",
    Stance.context: "context only",
}
_DAYS = (1, 3, 7, 14, 30, 90)
_KINDS = {kind: kind.replace("_", " ") for kind in EvidenceKind}
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
                submitted = st.form_submit_button(
                    f"{'Save' if current is None else 'Update'}{'' if quick else ' forecast'}",
                    key=f"{key}-save",
                    type="secondary" if quick else "primary",
                    width="content" if quick else "stretch",
                )
            label = "Evidence and review date" if cites is None else "Cites the new article"
            with st.container(key=f"{key}-more"), st.expander(label):
                shown = st.session_state.get(f"{key}-pieces", 1)
                pieces = _evidence(key, state, current, written, shown, articles, cites)
                review = _review_days(key, every)
                if not quick:
                    st.form_submit_button(
                        "More evidence",
                        key=f"{key}-add",
                        on_click=_one_more,
                        args=(f"{key}-pieces",),
                        help="Adds fields for another piece of evidence.",
                    )
    if submitted:
        _submit(key, state, current, written, reason, pieces, every, review)


def _reason_field(key: str, *, quick: bool) -> str:
    if quick:
        return st.text_input(
            "Reason",
            key=f"{key}-reason",
            placeholder="Reason (optional)",
            max_chars=2000,
            label_visibility="collapsed",
        )
    return st.text_area(
        "Reason",
        key=f"{key}-reason",
        placeholder="What do you know now?",
        height=90,
        max_chars=10_000,
        help="Kept with this forecast.",
    )


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
    return st.selectbox(
        "Review in",
        [None, *choices],
        index=0 if current is None else choices.index(current) + 1,
        format_func=lambda days: "default" if days is None else count(days, "day"),
        key=f"{key}-again",
        help="When Today lists this forecast for review. Set the default in Settings.",
    )


def _read(written: str, state: QuestionState, current: Forecast | None) -> Value | None:
    """Return the typed value; None while it is blank or cannot be read."""
    try:
        return read_field(written, current, state.text)
    except LedgerError:
        return None


def _one_more(count: str) -> None:
    st.session_state[count] = st.session_state.get(count, 1) + 1


def _evidence(
    key: str,
    state: QuestionState,
    current: Forecast | None,
    written: str,
    shown: int,
    articles: Sequence[Article],
    cites: str | None = None,
) -> list[_Piece]:
    """Show the fields of ``shown`` pieces of evidence; return the filled ones.

    ``cites``: the address of the article preselected as the first piece. The stance is unset; the
    one that fits the typed value is proposed.
    """
    value = _read(written, state, current)
    outcome, proposed = _MOVES_MOST, "follows your update"
    if value is not None:
        outcome = supported_outcome(state.text, current, value)
        proposed = f"{_STANCES[proposed_stance(state.text, current, value)]} (proposed)"
    elif state.text.type != QuestionType.multiple_choice:
        outcome = supported_outcome(state.text, current, Value())
    pieces = []
    labels = {article.address: _article_label(article) for article in articles}
    for place in range(1, shown + 1):
        preselected = cites if place == 1 else None
        at = key if place == 1 else f"{key}-{place}"
        source = st.text_input(
            "Evidence" if place == 1 else f"Evidence {place}",
            key=f"{at}-evidence",
            placeholder="https://… or a note",
            max_chars=4000,
            help="A web address, or a note in your own words. Citations of the same address count "
            "as the same evidence.",
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
                key=f"{at}-article",
                placeholder="or an article",
                label_visibility="collapsed",
            )
        if shown > 1:
            share = beside[-1].number_input(
                f"Share of evidence {place} in %",
                min_value=0.0,
                max_value=100.0,
                value=None,
                step=5.0,
                format="%.4g",
                placeholder="share in %",
                key=f"{at}-share",
                label_visibility="collapsed",
            )
        left, right = st.columns(2)
        stance = left.selectbox(
            f"Effect on {as_text('“yes”' if outcome == 'yes' else outcome)}",
            list(_STANCES),
            # A preselected article is neutral until the member says otherwise.
            index=None if preselected is None else list(_STANCES).index(Stance.context),
            format_func=lambda stance: _STANCES[stance],
            placeholder=proposed,
            key=f"{at}-stance",
            help="Whether the evidence makes this outcome more or less likely. Left open, it "
            "follows your update.",
        )
        kind = right.selectbox(
            "Kind",
            list(_KINDS),
            format_func=lambda kind: _KINDS[kind],
            key=f"{at}-kind",
        )
        if source.strip() or article is not None or share is not None:
            pieces.append(_Piece(place, source.strip(), article, stance, kind, share))
    if shown > 1:
        st.caption(
            "Share: the part of this update that the evidence explains. Blank shares split the "
            "rest equally."
        )
    return pieces


def _article_label(article: Article) -> str:
    known = [shortened(article.title, 70), article.publisher or "", published(article.published_at)]
    return " · ".join(part for part in known if part)


def _cited(ledger: Session, pieces: list[_Piece]) -> list[CitedEvidence]:
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
        citing.append(
            parse_evidence(
                ledger,
                piece.article or piece.source,
                stance=piece.stance,
                kind=piece.kind,
                share=None if piece.share is None else piece.share / 100,
            )
        )
    return citing


def _submit(
    key: str,
    state: QuestionState,
    current: Forecast | None,
    written: str,
    reason: str,
    pieces: list[_Piece],
    every: timedelta | None,
    review: int | None,
) -> None:
    """Save the forecast with its evidence and review date; the next act on the page is next."""
    with act(key) as doing:
        value = read_field(written, current, state.text)
        _save(doing, key, state, current, value, reason, pieces)
        if review != (None if every is None else every.days):
            revisits.set_interval(doing.ledger, review, question=state.question, **doing.by)
        focus_on(forecast_act(state), following=True)


def _save(
    doing: Act,
    key: str,
    state: QuestionState,
    current: Forecast | None,
    value: Value,
    reason: str,
    pieces: list[_Piece],
) -> None:
    text, citing = state.text, _cited(doing.ledger, pieces)
    # An unchanged value, perhaps from a command, may lie beyond the limits of the app.
    if current is None or value != value_of(current):
        require_offered_range(value, lowest_probability())
    _ask_about_mismatch(key, stance_mismatch(text, current, value, citing))
    saved = updates.update(
        doing.ledger,
        state.question,
        value,
        rationale=reason,
        evidence=citing,
        origin="app",
        **doing.by,
    )
    offer_undo(key, state, saved)
    change = shortened(format_change(saved.before, value, text.options), 200)
    message = f"Saved: {change} on “{shortened(text.title, 60)}”."
    if saved.cited:
        message += f" Evidence: {format_stances(saved.cited, saved.outcome)}."
    doing.say(message)


def _ask_about_mismatch(key: str, mismatch: StanceMismatch | None) -> None:
    """Refuse a mismatch once; saved again as it is, it is meant."""
    if mismatch is not None and st.session_state.get(f"{key}-meant") != mismatch:
        st.session_state[f"{key}-meant"] = mismatch
        raise Refused(
            mismatch.sentence,
            remedy="Change the effect or the forecast, or save again if it is right.",
        )


def withdraw_form(state: QuestionState) -> None:
    """Show the form that withdraws the member's current forecast."""
    key = form_key(f"withdraw-{state.slug}")
    with st.form(key, border=False):
        reason = st.text_input("Why", key=f"{key}-reason", placeholder="Your reason (optional)")
        st.caption("Your forecast ends now; the time it was active still counts.")
        submitted = st.form_submit_button("Withdraw my forecast", key=f"{key}-go")
    if submitted:
        with act(key) as doing:
            saved = updates.withdraw(
                doing.ledger, state.question, rationale=reason, origin="app", **doing.by
            )
            assert saved.before is not None
            offer_undo(key, state, saved)
            withdrawn = shortened(format_value(saved.before, state.text.options))
            doing.say(f"Withdrew {withdrawn} from “{shortened(state.text.title, 60)}”.")
