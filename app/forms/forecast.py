"""The forms in which a probability is put on a question, changed, and taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import streamlit as st
from sqlmodel import Session

from app.forms.forecast_value import value_fields
from app.markdown_text import as_text, counted, published, shortened
from app.session import Act, act, form_key, reading, settings
from forecasts.agenda import revisits
from forecasts.common.errors import BadInput, LedgerError
from forecasts.ledger.models import (
    Article,
    EvidenceKind,
    Forecast,
    QuestionText,
    QuestionType,
    Stance,
)
from forecasts.questions.standing import QuestionState
from forecasts.updates import updates
from forecasts.updates.evidence import (
    CitedEvidence,
    format_stances,
    parse_evidence,
    supported_outcome,
)
from forecasts.updates.typed_values import read_typed, require_offered_range
from forecasts.updates.values import Value, format_change, format_value, value_of

ORIGIN = "app"
_STANCES = {
    Stance.supports: "more likely",
    Stance.opposes: "less likely",
    Stance.context: "neither (context)",
}
_DAYS = (1, 3, 7, 14, 30, 90)
_MOVES_MOST = "the option that moves most"
_KINDS = {kind: kind.replace("_", " ") for kind in EvidenceKind}


@dataclass(frozen=True)
class _Piece:
    """One piece of evidence as its fields hold it; ``share`` is a percentage."""

    place: int
    what: str
    article: str | None
    stance: Stance
    kind: EvidenceKind
    share: float | None


@st.fragment
def quick_form(
    state: QuestionState,
    standing: Forecast | None,
    articles: Sequence[Article] = (),
    *,
    every: timedelta | None = None,
    cites: str | None = None,
) -> None:
    """Show in a list how the question's forecast is made or updated, with a reason and evidence.

    ``articles``: those to pick from; ``cites``: the address of the one that is picked already.
    ``every``: after how long the member looks at it again, where they have said so for this one.
    Moving the slider runs this form alone anew.
    """
    name = f"quick-{state.slug}"
    key = form_key(name)
    values, reasons = st.columns([2, 3], gap="medium")
    with values:
        written = value_fields(key, state.text, standing, quick=True)
    with reasons, st.form(key, border=False):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            reason = st.text_input(
                "Reason",
                key=f"{key}-reason",
                placeholder="Why, in a line (optional)",
                max_chars=2000,
                label_visibility="collapsed",
            )
            submitted = st.form_submit_button(
                "Save" if standing is None else "Update", key=f"{key}-save"
            )
        with st.expander("Evidence, and when to look again", expanded=cites is not None):
            pieces = _evidence(
                key, _outcome(state.text, standing, written), 1, _by_address(articles), cites
            )
            again = _look_again(key, every)
    if submitted:
        with act(key) as doing:
            value = read_typed(written, standing, state.text)
            _save(doing, state, value, reason or "", _cited(doing.ledger, pieces))
            _note_again(doing, state, every, again)


@st.fragment
def forecast_form(
    state: QuestionState,
    standing: Forecast | None,
    articles: Sequence[Article],
    *,
    every: timedelta | None = None,
) -> None:
    """Show the whole form: the value, what it would do, the reason, the evidence.

    ``articles`` and ``every`` as in ``quick_form``. Moving a slider runs this form alone anew.
    """
    name = f"forecast-{state.slug}"
    key = form_key(name)
    written = value_fields(key, state.text, standing)
    with st.form(key):
        reason = st.text_area(
            "Reason",
            key=f"{key}-reason",
            placeholder="What do you know now?",
            height=90,
            max_chars=10_000,
            help="Your rationale; it is kept with this forecast.",
        )
        shown = st.session_state.get(_pieces_key(key), 1)
        pieces = _evidence(
            key, _outcome(state.text, standing, written), shown, _by_address(articles)
        )
        again = _look_again(key, every)
        # The first button of a form is the one that Enter presses.
        with st.container(horizontal=True, gap="small"):
            submitted = st.form_submit_button(
                "Save forecast" if standing is None else "Update forecast",
                key=f"{key}-save",
                type="primary",
                width="stretch",
            )
            st.form_submit_button(
                "More evidence",
                key=f"{key}-add",
                on_click=_one_more,
                args=(key,),
                help="Shows the fields for one more piece; what you have typed stays.",
            )
    if submitted:
        with act(key) as doing:
            value = read_typed(written, standing, state.text)
            _save(doing, state, value, reason or "", _cited(doing.ledger, pieces))
            _note_again(doing, state, every, again)


def _look_again(key: str, every: timedelta | None) -> int | None:
    """Show after how many days the member looks at this forecast again; None: as usual."""
    said = None if every is None else every.days
    choices = sorted({*_DAYS, said} - {None}, key=lambda days: days or 0)
    return st.selectbox(
        "Look again",
        [None, *choices],
        index=0 if said is None else choices.index(said) + 1,
        format_func=lambda days: "as usual" if days is None else f"in {counted(days, 'day')}",
        key=f"{key}-again",
        help="When Today brings it back. As usual: as you have set it there.",
    )


def _note_again(
    doing: Act, state: QuestionState, every: timedelta | None, again: int | None
) -> None:
    if again != (None if every is None else every.days):
        revisits.revisit_every(
            doing.ledger, again, member=doing.member, now=doing.now, question=state.question
        )


def _by_address(articles: Sequence[Article]) -> dict[str, Article]:
    return {article.address: article for article in articles}


def _outcome(text: QuestionText, standing: Forecast | None, written: str) -> str:
    """Return what evidence for the forecast in the fields speaks for or against."""
    value = Value()
    if text.type == QuestionType.multiple_choice:
        try:
            value = read_typed(written, standing, text)
        except LedgerError:
            return _MOVES_MOST
    return supported_outcome(text, standing, value)


def _pieces_key(key: str) -> str:
    return f"{key}-pieces"


def _one_more(key: str) -> None:
    st.session_state[_pieces_key(key)] = st.session_state.get(_pieces_key(key), 1) + 1


def _evidence(
    key: str,
    outcome: str,
    shown: int,
    articles: Mapping[str, Article],
    cites: str | None = None,
) -> list[_Piece]:
    """Show the fields of so many pieces of evidence; return those that name something.

    ``cites``: the address of the article that the first one is, unless another is picked.
    """
    pieces = []
    for place in range(1, shown + 1):
        at = key if place == 1 else f"{key}-{place}"
        what = st.text_input(
            "Evidence" if place == 1 else f"Evidence {place}",
            key=f"{at}-evidence",
            placeholder="https://… or a note",
            max_chars=4000,
            help="What moved you: a web address, or a note in your own words. The same address is "
            "the same evidence, whoever cites it.",
        )
        article = share = None
        if articles or shown > 1:
            beside = st.columns(2 if articles and shown > 1 else 1)
        if articles:
            article = beside[0].selectbox(
                f"Article cited as evidence {place}",
                list(articles),
                index=list(articles).index(cites)
                if place == 1 and cites is not None and cites in articles
                else None,
                format_func=lambda address: _named(articles[address]),
                key=f"{at}-article",
                placeholder="or an article",
                label_visibility="collapsed",
            )
        if shown > 1:
            share = beside[-1].number_input(
                f"Share of the update, in per cent, of evidence {place}",
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
            f"It makes {as_text(outcome)}",
            list(_STANCES),
            # What nobody picked speaks for nothing until somebody says so.
            index=list(_STANCES).index(Stance.context) if place == 1 and cites is not None else 0,
            format_func=lambda stance: _STANCES[stance],
            key=f"{at}-stance",
            help="What it says about the outcome, whichever way your forecast goes.",
        )
        kind = right.selectbox(
            "Kind",
            list(_KINDS),
            format_func=lambda kind: _KINDS[kind],
            key=f"{at}-kind",
        )
        if (what or "").strip() or article is not None or share is not None:
            pieces.append(_Piece(place, (what or "").strip(), article, stance, kind, share))
    if shown > 1:
        st.caption(
            "A share is how much of this update the piece accounts for; pieces left blank divide "
            "what is left equally."
        )
    return pieces


def _named(article: Article) -> str:
    known = [shortened(article.title, 70), article.publisher or "", published(article.published_at)]
    return " · ".join(part for part in known if part)


def _cited(ledger: Session, pieces: list[_Piece]) -> list[CitedEvidence]:
    """Return the evidence of the fields; BadInput where they name none, or two at once."""
    citing = []
    for piece in pieces:
        if bool(piece.what) == (piece.article is not None):
            raise BadInput(
                f"Evidence {piece.place} names both an article and {piece.what!r}."
                if piece.what
                else f"Evidence {piece.place} has a share and names nothing.",
                remedy="Name one: an address or a note, or an article of this ledger.",
            )
        citing.append(
            parse_evidence(
                ledger,
                piece.article or piece.what,
                stance=piece.stance,
                kind=piece.kind,
                share=None if piece.share is None else piece.share / 100,
            )
        )
    return citing


def _save(
    doing: Act, state: QuestionState, value: Value, reason: str, citing: list[CitedEvidence]
) -> None:
    text = state.text
    with reading() as ledger:  # by itself: the act need not have its turn to write for that
        before = updates.current_forecast(ledger, state.question, doing.member, at=doing.now)
    # What stands already, as a command may have said it, can be said again.
    if before is None or value != value_of(before):
        require_offered_range(value, settings().lowest_probability)
    updates.update(
        doing.ledger,
        state.question,
        value,
        member=doing.member,
        now=doing.now,
        rationale=reason,
        evidence=citing,
        origin=ORIGIN,
    )
    said = shortened(format_change(before, value, text.options), 200)
    said = f"Saved: {said} on “{shortened(text.title, 60)}”."
    if citing:
        said += f" Evidence: {format_stances(citing, supported_outcome(text, before, value))}."
    doing.say(said)


def withdraw_form(state: QuestionState) -> None:
    """Show the form in which the member takes the standing forecast back."""
    name = f"withdraw-{state.slug}"
    key = form_key(name)
    with st.form(key, border=False):
        reason = st.text_input("Why", key=f"{key}-reason", placeholder="Your reason (optional)")
        st.caption("Nothing of yours stands from now on; what stood until now is scored.")
        submitted = st.form_submit_button("Withdraw my forecast", key=f"{key}-go")
    if submitted:
        with act(key) as doing:
            before = updates.current_forecast(
                doing.ledger, state.question, doing.member, at=doing.now
            )
            updates.withdraw(
                doing.ledger,
                state.question,
                member=doing.member,
                now=doing.now,
                rationale=reason or "",
                origin=ORIGIN,
            )
            assert before is not None
            said = shortened(format_value(before, state.text.options))
            doing.say(
                f"Withdrew {said} from “{shortened(state.text.title, 60)}”: nothing of yours "
                "stands from now on."
            )
