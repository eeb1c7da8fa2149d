"""The fields for a forecast's value: a text, and other widgets that write it.

The text is saved. A slider, bars for options and fields for quantiles rewrite it when moved, and
follow it when it is typed. A preview shows the value as read and its expected scores.

A widget that another one writes is replaced: it gets a new key, and the old key is ignored. The
browser may still send the old widget's value with the next click, which must not win over the
latest entry.

A widget begins with ``value``, never with a value set in ``st.session_state``. Streamlit tells the
browser of that only once, and drops it if the next run begins first; the browser then draws the
widget at its minimum, and sends that as if it were moved. A widget writes only what differs from
the text, and nothing while the text cannot be read.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.forms.dates import NO_READING
from app.markdown_text import as_text
from app.session import lowest_probability, now
from app.times import zone
from app.views.documents import chart, folded
from forecasts.common.errors import LedgerError
from forecasts.ledger.models import Forecast, QuestionText, QuestionType
from forecasts.updates import previews, typed_values
from forecasts.values.outcomes import bounds, format_bounds
from forecasts.values.outline import HasOutline
from forecasts.values.value import Value, format_odds, format_probability, format_value, value_of
from forecasts.views import question_charts

_HELP = {
    QuestionType.binary: "30 or 30% is 30%; so are .3, the odds 3:7 and 30/70. 1/3 is 33.3%.",
    QuestionType.multiple_choice: "Option=probability, comma-separated. Options you leave out "
    "share the rest in proportion to your last forecast, as do the other bars when you move one.",
    QuestionType.numeric: "Level=number, comma-separated. 50%=140: you give 50% to 140 or less.",
    QuestionType.date: "Level=day, comma-separated. 50%=1 March 2027: you give 50% to that day or "
    "earlier. Also “end of March”, “in 3 weeks”.",
}
_LABELS = {QuestionType.binary: "Probability", QuestionType.multiple_choice: "Probabilities"}
_UNCHANGED = " Saving an unchanged forecast confirms it."
_LARGEST = 2.0**53 - 1  # the largest integer that a browser's number field holds exactly
_WHOLE_DAYS = 8 * 86_400  # seconds; shorter ranges need times, which are typed


def value_fields(
    key: str, text: QuestionText, current: Forecast | None, *, quick: bool = False
) -> str:
    """Show the value fields of the form of ``key``; return the text.

    ``quick``: compact, for a list; larger widgets are folded, and the preview is left out.
    """
    kind = QuestionType(text.type)
    st.session_state.setdefault(
        _current_key(f"{key}-value"), typed_values.typed_forecast(current, text)
    )
    locked = _is_unreadable(key, text)
    if kind == QuestionType.binary:
        how: Any = {"vertical_alignment": "center" if quick else "bottom"}  # below a label
        with st.container(horizontal=True, gap="medium", **how):
            written = _typed(key, text, current, quick=quick)
            _slider(key, text, locked=locked)
    elif kind == QuestionType.multiple_choice:
        # In a list the text comes first, and the bars are folded.
        written = _typed(key, text, current, quick=True) if quick else ""
        with _folded(key, "Option by option") if quick else nullcontext():
            _bars(key, text, locked=locked)
        written = written if quick else _typed(key, text, current, quick=False)
    else:
        written = _typed(key, text, current, quick=quick)
        with _folded(key, "Quantiles and density") if quick else nullcontext():
            _quantiles(key, text, locked=locked)
            _density(written, text)
    if not quick:
        with st.container(key=f"{key}-preview"):  # as high when it is blank: no button moves
            preview(key, written, text, current)
    return written


def _folded(key: str, title: str) -> DeltaGenerator:
    return st.container(key=f"{key}-folded").expander(title)


def value_help(kind: QuestionType) -> str:
    """Return help on the format of a typed forecast."""
    return _HELP[kind]


def read_field(written: str, current: Forecast | None, text: HasOutline) -> Value:
    """Return the value typed into a field that started as ``current``, as ``read_typed`` does."""
    return typed_values.read_typed(written, current, text, **_clock())


def _clock() -> dict[str, Any]:
    """Return the keywords for dates that are typed now, in the reader's zone."""
    return {"now": now(), "zone": zone()}


def _density(written: str, text: QuestionText) -> None:
    """Show the density that the quantiles imply, as a chart with a table."""
    with suppress(LedgerError):
        implied = previews.implied_density(text, read_field(written, None, text))
        shown = question_charts.density(implied, text)
        chart(shown.charts[0], f"{shown.alt}.", height=150)
        folded("As a table", shown.table)


def preview(
    key: str, written: str, text: QuestionText, current: Forecast | None, *, quick: bool = False
) -> None:
    """Show the value as read with its expected scores, or the error that would prevent saving.

    ``quick``: nothing for an unchanged value. It belongs below the buttons, which it would move
    away from under a finger.
    """
    words = _previewed(key, written, text, current, quick=quick)
    if words or not quick:
        st.caption(words or NO_READING)


def _previewed(
    key: str, written: str, text: QuestionText, current: Forecast | None, *, quick: bool
) -> str:
    """Return the preview as Markdown, "" for none."""
    if not written.strip():
        return ""
    try:
        value = read_field(written, current, text)
    except LedgerError as error:
        # A click on Save shows the same error itself.
        is_shown = st.session_state.get(f"{key}-save")
        return "" if is_shown else f"**Cannot be saved:** {as_text(error.message)}"
    if quick and current is not None and value == value_of(current):
        return ""
    words = previews.format_expected_scores(text, current, value)
    if value.probability is not None:
        odds = format_odds(value.probability)
        shown = format_probability(value.probability) + (f", odds {odds}" if odds else "")
        words = f"{shown}. {words}"
    elif text.type == QuestionType.date:
        words = f"{format_value(value)}. {words}"
    return as_text(words)


def is_typed(key: str, text: QuestionText, current: Forecast | None) -> bool:
    """Return whether the form of ``key`` holds a value that is typed and not saved."""
    typed = st.session_state.get(_current_key(f"{key}-value"))
    return bool(typed) and typed != typed_values.typed_forecast(current, text)


def _is_unreadable(key: str, text: QuestionText) -> bool:
    """Return whether something is typed in the form of ``key`` that states no forecast."""
    written = _text_of(key)
    with suppress(LedgerError):
        read_field(written, None, text)
        return False
    return bool(written.strip())


def _typed(key: str, text: QuestionText, current: Forecast | None, *, quick: bool) -> str:
    """Show the text field; return its text."""
    kind, name = QuestionType(text.type), _current_key(f"{key}-value")
    written = st.text_input(
        _LABELS.get(kind, "Quantiles"),
        key=name,
        placeholder=_example(text),
        help=None if quick else _help(text, current),
        on_change=_follow,
        args=(key, text, name),
        live=True,
        label_visibility="collapsed" if quick else "visible",
        width=150 if kind == QuestionType.binary else "stretch",
    )
    return written or ""


def _current_key(name: str) -> str:
    """Return the current key of the widget ``name``."""
    turn = st.session_state.get(f"{name}~", 0)
    return f"{name}~{turn}" if turn else name


def _replaced(name: str) -> str:
    """Replace the widget ``name`` by a new one; return the new key."""
    st.session_state[f"{name}~"] = st.session_state.get(f"{name}~", 0) + 1
    return _current_key(name)


def _text_of(key: str) -> str:
    """Return the text in the form of ``key``."""
    return st.session_state[_current_key(f"{key}-value")] or ""


def _example(text: QuestionText) -> str:
    """Return an example of a typed forecast for the question."""
    if text.type == QuestionType.multiple_choice and text.options:
        return f"{text.options[0]}=60%, {text.options[1]}=40%"
    return (
        "30, .3 or 3:7"
        if text.type == QuestionType.binary
        else typed_values.example_quantiles(text)
    )


def _help(text: QuestionText, current: Forecast | None) -> str:
    """Return help on the format of the text and the question's range."""
    help_text = value_help(text.type)
    if between := format_bounds(text):
        help_text += (
            f" Range: {as_text(between)}. Use below=… and above=… for probability beyond it."
        )
    return help_text if current is None else help_text + _UNCHANGED


def _follow(key: str, text: QuestionText, typed_key: str) -> None:
    """Set the slider, bars or quantiles to the typed text, unless its field was replaced."""
    if typed_key != _current_key(f"{key}-value"):
        return
    _replaced(f"{key}-slider")
    for place in range(len(text.options or [])):
        _replaced(_bar(key, place))
    for place in range(len(typed_values.QUANTILES)):
        _replaced(_level(key, place))


def _write(key: str, text: QuestionText, new_text: str) -> None:
    """Replace the text, unless it cannot be read: then it waits to be corrected."""
    if not _is_unreadable(key, text):
        st.session_state[_replaced(f"{key}-value")] = new_text


def _percent_slider(
    label: str, name: str, stated: Callable[[], float], write: Callable[[float], None], **how: Any
) -> None:
    """Show a slider of whole percentages, the widget ``name``; finer ones are typed.

    Its ends stand for the lowest and the highest one on offer. ``stated``: returns the text's
    percentage. ``write``: is called with the one that the slider is moved to. ``how``: as in
    ``st.slider``.
    """
    key = _current_key(name)

    def moved() -> None:
        percent = st.session_state[key]
        if key == _current_key(name) and percent != _on_slider(stated()):
            write(_within(percent))

    ends = math.floor(_lowest()), math.ceil(100 - _lowest())
    place = _on_slider(stated())
    st.slider(label, *ends, value=place, format="%d%%", key=key, on_change=moved, **how)


# --- a probability ---------------------------------------------------------------------------


def _lowest() -> float:
    """Return the lowest percentage on offer."""
    return 100 * lowest_probability()


def _within(percent: float) -> float:
    return min(max(percent, _lowest()), 100 - _lowest())


def _on_slider(percent: float) -> int:
    return round(_within(percent))


def _slider(key: str, text: QuestionText, *, locked: bool) -> None:
    """Show the slider; while there is no probability, it shows none either."""

    def stated() -> float | None:
        with suppress(LedgerError):
            return typed_values.read_typed(_text_of(key), None, text).probability
        return None

    def percent() -> float:
        p = stated()
        return 50 if p is None else 100 * p

    def write(percent: float) -> None:
        value = Value(probability=percent / 100)
        _write(key, text, format_value(value).replace(" ", ""))

    unset = stated() is None
    with st.container(key=f"{key}-unset" if unset else f"{key}-set"):
        label = "Probability slider, not set" if unset else "Probability slider"
        how: Any = {"disabled": locked, "label_visibility": "collapsed"}
        _percent_slider(label, f"{key}-slider", percent, write, **how)


# --- options ---------------------------------------------------------------------------------


def _bar(key: str, place: int) -> str:
    return f"{key}-option-{place}"


def _bars(key: str, text: QuestionText, *, locked: bool) -> None:
    """Show a bar per option; moving one rebalances the others, so that they sum to 100%."""
    options = text.options or []
    even = [100 / len(options)] * len(options)

    def stated(place: int) -> float:
        return (typed_values.read_percents(_text_of(key), text) or even)[place]

    def rebalance(place: int, percent: float) -> None:
        before = typed_values.read_percents(_text_of(key), text) or even
        after = typed_values.rebalanced(before, place, percent, _lowest())
        for other in range(len(options)):
            if other != place:
                _replaced(_bar(key, other))
        _write(key, text, typed_values.typed_percents(after, text))

    unset = typed_values.read_percents(_text_of(key), text) is None
    with st.container(key=f"{key}-bars-unset" if unset else f"{key}-bars"):
        for place, option in enumerate(options):
            now_at, write = partial(stated, place), partial(rebalance, place)
            _percent_slider(as_text(option), _bar(key, place), now_at, write, disabled=locked)
    st.caption("Moving a bar rebalances the others to sum to 100%.")


# --- numbers and days ------------------------------------------------------------------------


def _level(key: str, place: int) -> str:
    return f"{key}-level-{place}"


def _quantiles(key: str, text: QuestionText, *, locked: bool) -> None:
    """Show a field per quantile, unless the browser's fields cannot hold the range."""
    low, high = bounds(text)
    by_day = text.type == QuestionType.date
    if (by_day and high - low <= _WHOLE_DAYS) or (not by_day and max(-low, high) > _LARGEST):
        return

    def in_fields() -> list[float | date | None]:
        stated = typed_values.read_quantiles(_text_of(key), text, **_clock())
        return [_in_field(number, text) for number in stated]

    shown = [_current_key(_level(key, place)) for place in range(len(typed_values.QUANTILES))]

    def write() -> None:
        names = [_current_key(_level(key, place)) for place in range(len(typed_values.QUANTILES))]
        stated = [st.session_state[name] for name in names]
        if names != shown or stated == in_fields():
            return
        figures = [one.isoformat() if isinstance(one, date) else one for one in stated]
        _write(key, text, typed_values.typed_quantiles(figures, _text_of(key), text, **_clock()))

    with st.container(horizontal=True, gap="small", key=f"{key}-levels"):
        for level, name, begun in zip(typed_values.QUANTILES, shown, in_fields(), strict=True):
            label = f"{level * 100:g}th percentile"
            how: Any = {"value": begun, "key": name, "on_change": write, "disabled": locked}
            if by_day:
                first, last = (datetime.fromtimestamp(end, UTC).date() for end in (low, high))
                how |= {"format": "YYYY-MM-DD", "width": 168}
                st.date_input(label, min_value=first, max_value=last, **how)
            else:
                digits = max(0, 2 - math.floor(math.log10(high / 2 - low / 2)))
                how |= {"step": 10.0**-digits * 10, "format": f"%.{digits}f", "width": 124}
                st.number_input(label, low, high, **how)


def _in_field(number: float | None, text: QuestionText) -> float | date | None:
    """Return a quantile as its field's value."""
    if number is None:
        return None
    if text.type == QuestionType.date:
        return datetime.fromtimestamp(number, UTC).date()
    return float(f"{number:.12g}")
