"""The forms in which a probability is put on a question, changed, and taken back."""

from __future__ import annotations

import streamlit as st

from app.session import Act, act, form_key, settings
from app.words import as_text, shortened
from forecasts import updates
from forecasts.models import EvidenceKind, Forecast, QuestionText, QuestionType, Stance
from forecasts.questions import Stands
from forecasts.updates import Cited
from forecasts.values import (
    Value,
    check_offered,
    from_percents,
    left_over,
    read_value,
    say_value,
    to_percent,
)

ORIGIN = "app"
_EXAMPLES = {
    QuestionType.binary: "71%, 0.71 or 5:2",
    QuestionType.multiple_choice: "Option=60%, Other=40%",
    QuestionType.numeric: "10%=120, 50%=140, 90%=170",
    QuestionType.date: "10%=2027-01-15, 50%=2027-03-01, 90%=2027-06-30",
}
_VALUE_HELP = {
    QuestionType.binary: "A percentage (71%), a number in 0..1 (0.71), or odds in favour (5:2).",
    QuestionType.multiple_choice: "Option=probability, separated by commas; options that you do "
    "not name share what is left equally.",
    QuestionType.numeric: "Level=number, separated by commas: 50%=140 says that you give one half "
    "to 140 or less.",
    QuestionType.date: "Level=day, separated by commas: 50%=2027-03-01 says that you give one "
    "half to 1 March 2027 or earlier.",
}
_STANCES = {
    Stance.supports: "supports it",
    Stance.opposes: "opposes it",
    Stance.context: "is context",
}
_KINDS = {kind: kind.replace("_", " ") for kind in EvidenceKind}


def _example(text: QuestionText) -> str:
    """Return what a forecast on this question could look like when it is typed."""
    if text.type == QuestionType.multiple_choice and text.options:
        return f"{text.options[0]}=60%, {text.options[1]}=40%"
    return _EXAMPLES[QuestionType(text.type)]


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
            key=f"{key}-value",
            placeholder=_example(stands.text),
            label_visibility="collapsed",
            width=170 if kind == QuestionType.binary else 320,
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
        with act(name) as doing:
            value = read_value(written or "", stands.text)
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
            written = st.text_input(
                "Probability" if kind == QuestionType.binary else "Quantiles",
                key=_value_key(key),
                placeholder=_EXAMPLES[kind],
                help=_VALUE_HELP[kind],
            )
        reason = st.text_area(
            "Reason",
            key=f"{key}-reason",
            placeholder="What do you know now?",
            height=90,
            max_chars=10_000,
            help="Your rationale; it is kept with this forecast.",
        )
        cited = _evidence(key)
        submitted = st.form_submit_button(
            "Save forecast" if standing is None else "Update forecast",
            key=f"{key}-save",
            type="primary",
            width="stretch",
        )
    if submitted:
        with act(name) as doing:
            value = (
                from_percents(percents, stands.text)
                if kind == QuestionType.multiple_choice
                else read_value(written or "", stands.text)
            )
            _save(doing, stands, value, reason or "", cited)


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
    before = (standing.probabilities if standing else None) or []
    given: list[float | None] = []
    for place, option in enumerate(text.options or []):
        last = before[place] if place < len(before) else None
        given.append(
            st.number_input(
                f"{as_text(option)} (%)",
                min_value=0.0,
                max_value=100.0,
                value=None if last is None else to_percent(last),
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


def _evidence(key: str) -> list[Cited]:
    """Show the fields for one piece of evidence; return it, or nothing where they stay blank."""
    where = st.text_input(
        "Evidence",
        key=f"{key}-evidence",
        placeholder="https://… or a note",
        max_chars=4000,
        help="What moved you: a web address, or a note in your own words. The same address is "
        "the same evidence, whoever cites it.",
    )
    left, right = st.columns(2)
    stance = left.selectbox(
        "For the forecast, it",
        list(_STANCES),
        format_func=lambda stance: _STANCES[stance],
        key=f"{key}-stance",
        help="What the evidence does for the forecast that you state.",
    )
    kind = right.selectbox(
        "Kind",
        list(_KINDS),
        format_func=lambda kind: _KINDS[kind],
        key=f"{key}-kind",
    )
    where = (where or "").strip()
    if not where:
        return []
    is_url = where.startswith(("http://", "https://")) and " " not in where
    return [
        Cited(
            url=where if is_url else None,
            note="" if is_url else where,
            kind=kind,
            stance=stance,
        )
    ]


def _save(doing: Act, stands: Stands, value: Value, reason: str, cited: list[Cited]) -> None:
    forecast = updates.update(
        doing.ledger,
        stands.question,
        check_offered(value, settings().lowest_probability),
        member=doing.member,
        now=doing.now,
        rationale=reason,
        evidence=cited,
        origin=ORIGIN,
    )
    said = shortened(say_value(forecast, stands.text.options))
    doing.say(f"Saved: {said} on “{shortened(stands.text.title, 60)}”.")


def withdraw_form(stands: Stands) -> None:
    """Show the form in which the member takes the standing forecast back."""
    name = f"withdraw-{stands.slug}"
    key = form_key(name)
    with st.form(key, border=False):
        reason = st.text_input("Why", key=f"{key}-reason", placeholder="Your reason (optional)")
        st.caption("Nothing of yours stands from now on; what stood until now is scored.")
        submitted = st.form_submit_button("Withdraw my forecast", key=f"{key}-go")
    if submitted:
        with act(name) as doing:
            updates.withdraw(
                doing.ledger,
                stands.question,
                member=doing.member,
                now=doing.now,
                rationale=reason or "",
                origin=ORIGIN,
            )
            doing.say(f"Withdrawn from “{shortened(stands.text.title, 60)}”.")
