"""The forms in which a probability is put on a question, changed, and taken back."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from sqlmodel import Session

from app.session import Act, act, form_key, reading, settings
from app.words import as_text, bounds, published, shortened
from forecasts import updates
from forecasts.errors import BadInput, LedgerError
from forecasts.evidence import citable, cited, say_cited, spoken_for
from forecasts.fields import (
    as_typed,
    check_offered,
    example_quantiles,
    from_percents,
    left_over,
    read_typed,
    start_percents,
)
from forecasts.models import Article, EvidenceKind, Forecast, QuestionText, QuestionType, Stance
from forecasts.questions import Stands
from forecasts.updates import Cited
from forecasts.values import Value, say_change, say_value, value_of

ORIGIN = "app"
_VALUE_HELP = {
    QuestionType.binary: "A percentage (71%), a number in 0..1 (0.71), or odds in favour (5:2).",
    QuestionType.multiple_choice: "Option=probability, separated by commas; options that you do "
    "not name share what is left equally.",
    QuestionType.numeric: "Level=number, separated by commas: 50%=140 says that you give one half "
    "to 140 or less.",
    QuestionType.date: "Level=day, separated by commas: 50%=2027-03-01 says that you give one "
    "half to 1 March 2027 or earlier.",
}
_UNCHANGED = " Saved as it stands, it says that you looked again and still mean it."
_STANCES = {
    Stance.supports: "more likely",
    Stance.opposes: "less likely",
    Stance.context: "neither (context)",
}
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


def _example(text: QuestionText) -> str:
    """Return what a forecast on this question could look like when it is typed."""
    if text.type == QuestionType.multiple_choice and text.options:
        return f"{text.options[0]}=60%, {text.options[1]}=40%"
    return "71%, 0.71 or 5:2" if text.type == QuestionType.binary else example_quantiles(text)


def _value_help(text: QuestionText, standing: Forecast | None) -> str:
    """Return how a forecast on this question is typed, and between what it lies."""
    said = _VALUE_HELP[QuestionType(text.type)]
    if between := bounds(text):
        said += (
            f" The question's range is from {as_text(between)}; what lies beyond is below=… or "
            "above=…."
        )
    return said if standing is None else said + _UNCHANGED


def quick_form(stands: Stands, standing: Forecast | None) -> None:
    """Show one line in which the question's forecast is made or updated."""
    name = f"quick-{stands.slug}"
    key = form_key(name)
    kind = QuestionType(stands.text.type)
    with (
        st.form(key, border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        written = st.text_input(
            "Your probability" if kind == QuestionType.binary else "Your forecast",
            value=as_typed(standing, stands.text),
            key=f"{key}-value",
            placeholder=_example(stands.text),
            label_visibility="collapsed",
            width=220 if kind == QuestionType.binary else 320,
        )
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
    if submitted:
        with act(key) as doing:
            value = read_typed(written or "", standing, stands.text)
            _save(doing, stands, value, reason or "", [])


def forecast_form(stands: Stands, standing: Forecast | None) -> None:
    """Show the whole form: the value with a slider or an option each, the reason, the evidence."""
    name = f"forecast-{stands.slug}"
    key = form_key(name)
    kind = QuestionType(stands.text.type)
    percents: list[float | None] = []
    if kind == QuestionType.binary:
        _slider(key, standing)
    elif kind == QuestionType.multiple_choice:
        percents = _percents(key, stands.text, standing)
    with st.form(key):
        written: str | None = ""
        if kind != QuestionType.multiple_choice:
            # Not by ``value=``: the slider writes into the same place.
            st.session_state.setdefault(_value_key(key), as_typed(standing, stands.text))
            written = st.text_input(
                "Probability" if kind == QuestionType.binary else "Quantiles",
                key=_value_key(key),
                placeholder=_example(stands.text),
                help=_value_help(stands.text, standing),
            )
        reason = st.text_area(
            "Reason",
            key=f"{key}-reason",
            placeholder="What do you know now?",
            height=90,
            max_chars=10_000,
            help="Your rationale; it is kept with this forecast.",
        )
        pieces = _evidence(key, _outcome(stands.text, standing, percents))
        # The first button of a form is the one that Enter presses.
        with st.container(horizontal=True, gap="small"):
            submitted = st.form_submit_button(
                "Save forecast" if standing is None else "Update forecast",
                key=f"{key}-save",
                type="primary",
                width="stretch",
            )
            st.form_submit_button(
                "Add evidence",
                key=f"{key}-add",
                on_click=_one_more,
                args=(key,),
                help="Shows the fields for one more piece; what you have typed stays.",
            )
    if submitted:
        with act(key) as doing:
            value = (
                from_percents(percents, standing, stands.text)
                if kind == QuestionType.multiple_choice
                else read_typed(written or "", standing, stands.text)
            )
            _save(doing, stands, value, reason or "", _cited(doing.ledger, pieces))


def _value_key(key: str) -> str:
    return f"{key}-value"


def _slider(key: str, standing: Forecast | None) -> None:
    """Show the slider; moving it writes into the form's field, which is what counts."""
    lowest = settings().lowest_probability
    start = 0.5 if standing is None or standing.probability is None else standing.probability
    steps = f"{key}-slider"

    def write() -> None:
        value = Value(probability=st.session_state[steps] / 100)
        st.session_state[_value_key(key)] = say_value(value).replace(" ", "")

    st.slider(
        "Drag, or type below",
        min_value=100 * lowest,
        max_value=100 - 100 * lowest,
        value=min(max(100 * start, 100 * lowest), 100 - 100 * lowest),
        step=0.1 if lowest >= 0.001 else 0.01,
        format="%.1f%%",
        key=steps,
        on_change=write,
        help="The slider writes its value into the field; the field is what is saved.",
    )


def _percents(key: str, text: QuestionText, standing: Forecast | None) -> list[float | None]:
    """Show one number an option and what is left to give; return the numbers."""
    options = text.options or []
    start = start_percents(standing, text) or [None] * len(options)
    given: list[float | None] = []
    for place, option in enumerate(options):
        given.append(
            st.number_input(
                f"{as_text(option)} (%)",
                min_value=0.0,
                max_value=100.0,
                value=start[place],
                step=1.0,
                format="%.4g",
                placeholder="a share of what is left",
                key=f"{key}-option-{place}",
            )
        )
    left = left_over(given)
    blank = sum(p is None for p in given)
    if left < 0:
        st.caption(f"{-left:g} % too much: the options must sum to 100 %.")
    elif left > 0 and blank:
        st.caption(f"{left:g} % left, shared equally by the options left blank.")
    elif left > 0:
        st.caption(f"{left:g} % left to give: the options must sum to 100 %.")
    else:
        st.caption("The options sum to 100 %.")
    return given


def _outcome(text: QuestionText, standing: Forecast | None, percents: list[float | None]) -> str:
    """Return what evidence for the forecast in the fields speaks for or against."""
    value = Value()
    if text.type == QuestionType.multiple_choice:
        try:
            value = from_percents(percents, standing, text)
        except LedgerError:
            return _MOVES_MOST
        if all(percent is None for percent in percents):
            return _MOVES_MOST
    return spoken_for(text, standing, value)


def _pieces_key(key: str) -> str:
    return f"{key}-pieces"


def _one_more(key: str) -> None:
    st.session_state[_pieces_key(key)] = st.session_state.get(_pieces_key(key), 1) + 1


def _evidence(key: str, outcome: str) -> list[_Piece]:
    """Show the fields of each piece of evidence; return those that name something."""
    with reading() as ledger:
        articles = {article.address: article for article in citable(ledger)}
    shown = st.session_state.get(_pieces_key(key), 1)
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
                index=None,
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


def _cited(ledger: Session, pieces: list[_Piece]) -> list[Cited]:
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
            cited(
                ledger,
                piece.article or piece.what,
                stance=piece.stance,
                kind=piece.kind,
                share=None if piece.share is None else piece.share / 100,
            )
        )
    return citing


def _save(doing: Act, stands: Stands, value: Value, reason: str, citing: list[Cited]) -> None:
    text = stands.text
    before = updates.standing(doing.ledger, stands.question, doing.member, at=doing.now)
    # What stands already, as a command may have said it, can be said again.
    if before is None or value != value_of(before):
        check_offered(value, settings().lowest_probability)
    updates.update(
        doing.ledger,
        stands.question,
        value,
        member=doing.member,
        now=doing.now,
        rationale=reason,
        evidence=citing,
        origin=ORIGIN,
    )
    said = shortened(say_change(before, value, text.options), 200)
    said = f"Saved: {said} on “{shortened(text.title, 60)}”."
    if citing:
        said += f" Evidence: {say_cited(citing, spoken_for(text, before, value))}."
    doing.say(said)


def withdraw_form(stands: Stands) -> None:
    """Show the form in which the member takes the standing forecast back."""
    name = f"withdraw-{stands.slug}"
    key = form_key(name)
    with st.form(key, border=False):
        reason = st.text_input("Why", key=f"{key}-reason", placeholder="Your reason (optional)")
        st.caption("Nothing of yours stands from now on; what stood until now is scored.")
        submitted = st.form_submit_button("Withdraw my forecast", key=f"{key}-go")
    if submitted:
        with act(key) as doing:
            before = updates.standing(doing.ledger, stands.question, doing.member, at=doing.now)
            updates.withdraw(
                doing.ledger,
                stands.question,
                member=doing.member,
                now=doing.now,
                rationale=reason or "",
                origin=ORIGIN,
            )
            assert before is not None
            said = shortened(say_value(before, stands.text.options))
            doing.say(
                f"Withdrew {said} from “{shortened(stands.text.title, 60)}”: nothing of yours "
                "stands from now on."
            )
