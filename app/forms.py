"""The forms that several pages share: put a probability on a question, ask a question."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import streamlit as st

from app.session import Act, act, form_key, settings
from app.words import as_text, link_to, shortened
from forecasts import questions, updates
from forecasts.articles.library import passage
from forecasts.errors import BadInput
from forecasts.models import EvidenceKind, Forecast, QuestionText, QuestionType, Stance
from forecasts.questions import Passage, Stands
from forecasts.times import read_time
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


@dataclass(frozen=True)
class Suggestion:
    """What an article suggests for a question; blank for a question of one's own."""

    title: str = ""
    closes: date | None = None
    article: int | None = None
    quote: str = ""
    prefix: str = ""
    suffix: str = ""


_NOTHING = Suggestion()


def ask_form(name: str, suggested: Suggestion = _NOTHING, *, go_there: bool = False) -> None:
    """Show the form in which a question is registered; with ``go_there`` its page opens then."""
    key = form_key(name)
    kind = st.segmented_control(
        "Type",
        list(QuestionType),
        default=QuestionType.binary,
        required=True,
        format_func=lambda kind: _TYPES[kind],
        key=f"{key}-type",
        help="Yes or no; one of several options; a number; a day.",
    )
    with st.form(key):
        title = st.text_area(
            "Question",
            value=suggested.title,
            key=f"{key}-title",
            height=80,
            placeholder="Will … by …?",
            help="One sentence whose answer will be known.",
        )
        fields = _type_fields(key, kind or QuestionType.binary)
        left, right = st.columns(2)
        closes = left.date_input(
            "Closes (last day)",
            value=suggested.closes,
            min_value=date.min,  # without the two, Streamlit offers ten years only
            max_value=date.max,
            key=f"{key}-closes",
            format="YYYY-MM-DD",
            help="Forecasting ends with this day, at 23:59:59 UTC.",
        )
        resolves = right.date_input(
            "To be resolved by",
            value=None,
            min_value=date.min,
            max_value=date.max,
            key=f"{key}-resolves",
            format="YYYY-MM-DD",
            help="When the answer should have been looked up. May stay blank.",
        )
        criteria = st.text_area(
            "Resolution criteria",
            key=f"{key}-criteria",
            height=110,
            placeholder="Yes if …, as reported by … No if …",
            help="Enough for a stranger to decide it.",
        )
        with st.expander("Background, fine print, tags, family"):
            background = st.text_area("Background", key=f"{key}-background", height=90)
            fine_print = st.text_area("Fine print", key=f"{key}-fine-print", height=90)
            tags = st.text_input("Tags", key=f"{key}-tags", placeholder="china, trade")
            family = st.text_input(
                "Family",
                key=f"{key}-family",
                help="Questions whose outcomes hang together share a family; reports count "
                "them as one.",
            )
        submitted = st.form_submit_button("Register question", key=f"{key}-go", type="primary")
    if submitted:
        with act(name) as doing:
            text = questions.question_text(
                title=" ".join((title or "").split()),
                type=kind,
                open_time=doing.now,
                scheduled_close_time=_end_of(closes),
                scheduled_resolve_time=None if resolves is None else _end_of(resolves),
                resolution_criteria=(criteria or "").strip(),
                background=(background or "").strip(),
                fine_print=(fine_print or "").strip(),
                tags=[tag.strip() for tag in (tags or "").split(",") if tag.strip()] or None,
                family=(family or "").strip(),
                **fields,
            )
            question = questions.register(
                doing.ledger,
                text,
                member=doing.member,
                now=doing.now,
                sources=_sources(doing, suggested),
            )
            doing.say(f"Registered: {shortened(text.title)}")
            if go_there:
                doing.go("app_pages/question.py", link_to(question))


_TYPES = {
    QuestionType.binary: "Yes or no",
    QuestionType.multiple_choice: "Options",
    QuestionType.numeric: "Number",
    QuestionType.date: "Day",
}


def _type_fields(key: str, kind: QuestionType) -> dict[str, object]:
    """Show the fields that only this type has; return them under their names in the ledger."""
    if kind == QuestionType.multiple_choice:
        lines = st.text_area(
            "Options, one a line", key=f"{key}-options", height=110, placeholder="Busan\nBeijing"
        )
        ordered = st.checkbox(
            "The options have an order",
            key=f"{key}-ordered",
            help="Then a near miss scores better than a far one.",
        )
        options = [line.strip() for line in (lines or "").splitlines() if line.strip()]
        return {"options": options, "ordered": ordered}
    if kind in (QuestionType.numeric, QuestionType.date):
        example = ("0", "500") if kind == QuestionType.numeric else ("2027-01-01", "2027-12-31")
        columns = st.columns(3)
        lower = columns[0].text_input("Lowest", key=f"{key}-lower", placeholder=example[0])
        upper = columns[1].text_input("Highest", key=f"{key}-upper", placeholder=example[1])
        fields: dict[str, object] = {"lower_bound": lower or None, "upper_bound": upper or None}
        if kind == QuestionType.numeric:
            unit = columns[2].text_input("Unit", key=f"{key}-unit", placeholder="million t")
            fields["unit"] = unit or None
        return fields
    return {}


def _end_of(last: date | None) -> object:
    if last is None:
        raise BadInput(
            "A question needs a last day of forecasting.",
            remedy="Fill in “Closes”; the question is open until the end of that day.",
        )
    return read_time(last.isoformat(), end_of_day=True)


def _sources(doing: Act, suggested: Suggestion) -> list[Passage]:
    if suggested.article is None:
        return []
    found = passage(doing.ledger, suggested.article)
    return [
        Passage(found.article, suggested.quote, prefix=suggested.prefix, suffix=suggested.suffix)
    ]
