"""The fields in which a forecast's value is entered: a text, and other ways to write it.

The text is what counts: what it says is what is saved. A slider, the bars of the options and the
fields of the quantiles write it anew when they are moved, and follow it when it is typed. Under
them stands what has been understood, and what it would do.

Whatever is written by another field is a new field, under another key, and one that has been
replaced is not listened to: with the next click the browser may send what it held before, which
would otherwise be taken for what was entered last.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, date, datetime

import streamlit as st

from app.charts.paths import density_chart
from app.markdown_text import as_text, bounds, figure
from app.session import settings
from forecasts.common.errors import LedgerError
from forecasts.ledger.models import Forecast, QuestionText, QuestionType
from forecasts.questions.outcomes import figure_to_float
from forecasts.updates import previews, typed_values
from forecasts.updates.previews import Slice
from forecasts.updates.typed_values import QUANTILES, example_quantiles, read_typed, typed_forecast
from forecasts.updates.values import Value, format_odds, format_probability, format_value, value_of

_HELP = {
    QuestionType.binary: "A percentage (71%), a number in 0..1 (0.71), or odds in favour (5:2).",
    QuestionType.multiple_choice: "Option=probability, separated by commas; options that you do "
    "not name share what is left, in the proportions of your last forecast. Moving a bar "
    "rebalances the others in proportion.",
    QuestionType.numeric: "Level=number, separated by commas: 50%=140 says that you give one half "
    "to 140 or less.",
    QuestionType.date: "Level=day, separated by commas: 50%=2027-03-01 says that you give one "
    "half to 1 March 2027 or earlier.",
}
_LABELS = {
    QuestionType.binary: "Probability",
    QuestionType.multiple_choice: "Probabilities",
    QuestionType.numeric: "Quantiles",
    QuestionType.date: "Quantiles",
}
_UNCHANGED = " Saved as it stands, it says that you looked again and still mean it."
_LARGEST = 2.0**53 - 1  # the largest number that a browser's field holds
_WHOLE_DAYS = 8 * 86_400  # seconds; a question on a shorter time is answered with times, typed


def value_fields(
    key: str, text: QuestionText, standing: Forecast | None, *, quick: bool = False
) -> str:
    """Show the fields of the form of ``key``; return what the text among them says.

    ``quick``: in a list, where what takes room is behind a click.
    """
    kind = QuestionType(text.type)
    st.session_state.setdefault(_turn_key(value_key(key)), typed_forecast(standing, text))
    if kind == QuestionType.binary:
        with st.container(horizontal=quick, vertical_alignment="center", gap="medium"):
            _slider(key, text, quick=quick)
            written = _typed(key, text, standing, quick=quick)
    elif kind == QuestionType.multiple_choice:
        # In a list the text comes first, and the bars are behind a click.
        written = _typed(key, text, standing, quick=True) if quick else ""
        with _room("Option by option", quick=quick):
            _bars(key, text)
        written = written if quick else _typed(key, text, standing, quick=False)
    else:
        written = _typed(key, text, standing, quick=quick)
        with _room("Five quantiles and what they imply", quick=quick):
            _quantiles(key, text)
            _density(written, text)
    _preview(key, written, text, standing, quick=quick)
    return written


def _typed(key: str, text: QuestionText, standing: Forecast | None, *, quick: bool) -> str:
    """Show the text that counts; return it."""
    kind = QuestionType(text.type)
    written = st.text_input(
        _LABELS[kind],
        key=_turn_key(value_key(key)),
        placeholder=_example(text),
        help=None if quick else _help(text, standing),
        on_change=_follow,
        args=(key, text, _turn_key(value_key(key))),
        label_visibility="collapsed" if quick else "visible",
        width=150 if quick and kind == QuestionType.binary else "stretch",
    )
    return written or ""


def value_key(key: str) -> str:
    """Return the key of the text in the form of ``key``, before another field has written it."""
    return f"{key}-value"


def _turn_key(name: str) -> str:
    """Return the key under which the field of that name is at present."""
    turn = st.session_state.get(f"{name}~", 0)
    return f"{name}~{turn}" if turn else name


def _turned(name: str) -> str:
    """Let the field of that name be a new one from now on; return its key."""
    st.session_state[f"{name}~"] = st.session_state.get(f"{name}~", 0) + 1
    return _turn_key(name)


def _text_of(key: str) -> str:
    """Return what the text in the form of ``key`` says."""
    return st.session_state[_turn_key(value_key(key))] or ""


def _room(label: str, *, quick: bool) -> AbstractContextManager[object]:
    return st.expander(label) if quick else nullcontext()


def _example(text: QuestionText) -> str:
    """Return what a forecast on this question could look like when it is typed."""
    if text.type == QuestionType.multiple_choice and text.options:
        return f"{text.options[0]}=60%, {text.options[1]}=40%"
    return "71%, 0.71 or 5:2" if text.type == QuestionType.binary else example_quantiles(text)


def _help(text: QuestionText, standing: Forecast | None) -> str:
    """Return how a forecast on this question is typed, and between what it lies."""
    said = _HELP[QuestionType(text.type)]
    if between := bounds(text):
        said += (
            f" The question's range is from {as_text(between)}; what lies beyond is below=… or "
            "above=…."
        )
    return said if standing is None else said + _UNCHANGED


def _follow(key: str, text: QuestionText, typed: str) -> None:
    """Let the slider, the bars or the quantiles start from what has been typed into that field."""
    if typed != _turn_key(value_key(key)):
        return
    _turned(f"{key}-slider")
    for place in range(len(text.options or [])):
        _turned(_bar(key, place))
    for place in range(len(QUANTILES)):
        _turned(_level(key, place))


def _write(key: str, said: str) -> None:
    """Let the text say that."""
    st.session_state[_turned(value_key(key))] = said


# --- a probability ---------------------------------------------------------------------------


def _lowest() -> float:
    """Return the lowest percentage that is offered."""
    return 100 * settings().lowest_probability


def _within(percent: float) -> float:
    return min(max(percent, _lowest()), 100 - _lowest())


def _percent(written: str, text: QuestionText) -> float | None:
    try:
        p = read_typed(written, None, text).probability
    except LedgerError:
        return None
    return None if p is None else _within(100 * p)


def _slider(key: str, text: QuestionText, *, quick: bool) -> None:
    name, lowest = _turn_key(f"{key}-slider"), _lowest()
    stated = _percent(_text_of(key), text)
    st.session_state.setdefault(name, 50.0 if stated is None else stated)

    def write() -> None:
        if name != _turn_key(f"{key}-slider"):
            return
        value = Value(probability=st.session_state[name] / 100)
        _write(key, format_value(value).replace(" ", ""))

    st.slider(
        "Drag, or type below",
        min_value=lowest,
        max_value=100 - lowest,
        step=0.1 if lowest >= 0.1 else 0.01,
        format="%.1f %%",
        key=name,
        on_change=write,
        label_visibility="collapsed" if quick else "visible",
        help=None if quick else "The slider writes its value into the field, which is saved.",
    )


# --- options ---------------------------------------------------------------------------------


def _bar(key: str, place: int) -> str:
    return f"{key}-option-{place}"


def _bars(key: str, text: QuestionText) -> None:
    """Show a bar an option; moving one moves the others, so that they sum to 100 % always."""
    options = text.options or []
    lowest = _lowest()
    even = [100 / len(options)] * len(options)
    start = typed_values.read_percents(_text_of(key), text) or even
    for place, percent in enumerate(start):
        st.session_state.setdefault(_turn_key(_bar(key, place)), _within(percent))

    def rebalance(place: int, moved: str) -> None:
        if moved != _turn_key(_bar(key, place)):
            return
        before = typed_values.read_percents(_text_of(key), text) or even
        to = st.session_state[moved]
        now = typed_values.rebalanced(before, place, to, lowest)
        for other in range(len(options)):
            if other != place:
                _turned(_bar(key, other))
        _write(key, typed_values.typed_percents(now, text))

    for place, option in enumerate(options):
        st.slider(
            as_text(option),
            min_value=lowest,
            max_value=100 - lowest,
            step=0.1 if lowest >= 0.1 else 0.01,
            format="%.1f %%",
            key=_turn_key(_bar(key, place)),
            on_change=rebalance,
            args=(place, _turn_key(_bar(key, place))),
        )
    st.caption("The bars sum to 100 %: moving one rebalances the others in proportion.")


# --- numbers and days ------------------------------------------------------------------------


def _level(key: str, place: int) -> str:
    return f"{key}-level-{place}"


def _ends(text: QuestionText) -> tuple[float, float]:
    low, high = (
        figure_to_float(bound, text.type) for bound in (text.lower_bound, text.upper_bound)
    )
    return low, high


def _quantiles(key: str, text: QuestionText) -> None:
    """Show a field for each of five quantiles, where the browser has one that can hold them."""
    low, high = _ends(text)
    by_day = text.type == QuestionType.date
    if (by_day and high - low <= _WHOLE_DAYS) or (not by_day and max(-low, high) > _LARGEST):
        return
    for place, number in enumerate(typed_values.read_quantiles(_text_of(key), text)):
        st.session_state.setdefault(_turn_key(_level(key, place)), _in_field(number, text))

    shown = [_turn_key(_level(key, place)) for place in range(len(QUANTILES))]

    def write() -> None:
        names = [_turn_key(_level(key, place)) for place in range(len(QUANTILES))]
        if names != shown:
            return
        stated = [st.session_state[name] for name in names]
        figures = [one.isoformat() if isinstance(one, date) else one for one in stated]
        _write(key, typed_values.typed_quantiles(figures, _text_of(key), text))

    with st.container(horizontal=True, gap="small", key=f"{key}-levels"):
        for place, level in enumerate(QUANTILES):
            label, name = f"{format_probability(level)} ≤", _turn_key(_level(key, place))
            if by_day:
                first, last = (datetime.fromtimestamp(end, UTC).date() for end in (low, high))
                st.date_input(
                    label,
                    value=None,
                    min_value=first,
                    max_value=last,
                    format="YYYY-MM-DD",
                    key=name,
                    on_change=write,
                    width=168,
                )
            else:
                digits = max(0, 2 - math.floor(math.log10(high / 2 - low / 2)))
                st.number_input(
                    label,
                    value=None,
                    min_value=low,
                    max_value=high,
                    step=10.0**-digits * 10,
                    format=f"%.{digits}f",
                    key=name,
                    on_change=write,
                    width=124,
                )


def _in_field(number: float | None, text: QuestionText) -> float | date | None:
    """Return a quantile as its field holds it."""
    if number is None:
        return None
    if text.type == QuestionType.date:
        return datetime.fromtimestamp(number, UTC).date()
    return float(f"{number:.12g}")


def _density(written: str, text: QuestionText) -> None:
    """Draw what the quantiles imply, with the same as words and as a table."""
    try:
        slices = previews.implied_density(text, read_typed(written, None, text))
    except LedgerError:
        return
    st.altair_chart(density_chart(slices, text), alt=_say_slices(slices, text))
    with st.expander("As a table"):
        st.table(
            {
                "From": [as_text(figure(one.low, text)) for one in slices],
                "To": [as_text(figure(one.high, text)) for one in slices],
                "Chance": [format_probability(one.chance) for one in slices],
            },
            hide_index=True,
            border="horizontal",
        )


def _say_slices(slices: list[Slice], text: QuestionText) -> str:
    said = [
        f"{format_probability(one.chance)} from {figure(one.low, text)} to {figure(one.high, text)}"
        for one in slices
    ]
    return "What your quantiles imply: " + "; ".join(said) + "."


# --- what it would do ------------------------------------------------------------------------


def _preview(
    key: str, written: str, text: QuestionText, standing: Forecast | None, *, quick: bool
) -> None:
    """Show what the text has been understood as and would do; or what keeps it from being saved.

    In a list nothing is said of a value that is as it stands.
    """
    if not written.strip():
        return
    try:
        value = read_typed(written, standing, text)
    except LedgerError as error:
        # Saving it says the same, and shows it as the error that it then is.
        if not st.session_state.get(f"{key}-save"):
            st.caption(f"**Not saved like this:** {as_text(error.message)}")
        return
    if quick and standing is not None and value == value_of(standing):
        return
    said = previews.format_expected_scores(text, standing, value)
    if value.probability is not None:
        odds = format_odds(value.probability)
        said = f"{format_probability(value.probability)}{f', odds {odds}' if odds else ''}. {said}"
    st.caption(as_text(said))
