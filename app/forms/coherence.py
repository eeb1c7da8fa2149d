"""The coherent neighbour of a typed forecast, offered before it is saved; never forced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import streamlit as st

from app.components.scripts import focus_on
from app.forms.forecast_value import read_field
from app.session import Undo, act, current_member, form_key, lowest_probability, now, reading
from app.views.documents import rows_table
from forecasts.common.errors import DatabaseError, LedgerError, Refused
from forecasts.common.text import count
from forecasts.documents.numbers import signed
from forecasts.ledger.models import Forecast
from forecasts.questions.standing import QuestionState, by_id
from forecasts.updates import updates
from forecasts.updates.ask_group import GroupLine
from forecasts.updates.coherence import Move, coherent_values, contradictions
from forecasts.values.value import Value, format_probability, value_of

_RATIONALE = "To fit my other forecasts."
_ORDER = "A later deadline cannot be less likely than an earlier one."
_SHOWN = 0.0005  # a move that shows, of 0.1%


def offer_coherent(
    key: str,
    state: QuestionState,
    current: Forecast | None,
    written: str,
    *,
    quick: bool = False,
    submitted: bool = False,
) -> bool:
    """Show the forecasts that contradict the one typed in the form of ``key``, and mend them.

    Nothing is shown where the text states no forecast, or one that fits the others. ``quick``: nor
    for an unchanged one, since a list has many forms. Return as ``offer_all``.
    """
    if not written.strip():
        return False
    try:
        value = read_field(written, current, state.text)
    except LedgerError:
        return False
    if quick and current is not None and value == value_of(current):
        return False
    return offer_all(key, {state.id: value}, written, mine=state.id, submitted=submitted)


def offer_all(
    key: str,
    values: Mapping[int, Value],
    written: str,
    *,
    mine: int | None = None,
    submitted: bool = False,
) -> bool:
    """Show the forecasts that contradict these, typed in one form, and mend them.

    Return whether they are not to be saved yet: ``submitted`` before the contradiction was seen.
    ``written``: the texts. ``mine``: the question whose forecast may be mended alone.
    """
    checked = f"{key}-checked"
    if submitted and st.session_state.get(checked) == written:
        return False
    sets: list[list[Move]] = []
    # An offer is not needed: where the ledger cannot be read, the form stays, and saving tells why.
    with suppress(DatabaseError), reading() as ledger:
        member = current_member(ledger)
        if member is not None:
            sets = contradictions(ledger, values, member=member, now=now())
    st.session_state[checked] = written
    if submitted and sets:
        st.info("Not saved yet. Save again to keep your forecast, or save the coherent values.")
    for number, moves in enumerate(sets):
        _offer(f"{key}-coherent-{number}", key, moves, mine)
    return submitted and bool(sets)


def _offer(own: str, key: str, moves: Sequence[Move], mine: int | None) -> None:
    """Show one set of contradicting forecasts, and the buttons that save those that fit."""
    values = {id_: _offered(value) for id_, value in coherent_values(moves).items()}
    alone = {id_: value for id_, value in values.items() if id_ == mine}
    with st.container(key=own):
        st.warning(
            "These forecasts contradict each other. For every possible outcome, the coherent "
            "values together have a better Brier score."
        )
        moves_table(moves, "You say")
        with st.container(horizontal=True):
            every = f"Save all {len(values)} coherent values"
            for label, chosen in ((every, values), ("Save only this one", alone)):
                if chosen and st.button(label, key=f"{own}-{len(chosen)}"):
                    save_all(key, chosen, "coherent forecast", _RATIONALE)


def moves_table(moves: Sequence[Move], who: str) -> None:
    """Show forecasts that contradict each other, beside those that fit; ``who`` says them."""
    rows_table(
        [one for one in moves if abs(one.coherent - one.said) >= _SHOWN],
        {
            "Question": _named,
            who: lambda one: format_probability(one.said),
            "Coherent": lambda one: format_probability(one.coherent),
            "Move": lambda one: f"{signed(100 * (one.coherent - one.said), 1)} points",
        },
    )


def in_words(probabilities: Sequence[float]) -> str:
    """Return the probabilities of a group's deadlines as they are typed."""
    return ", ".join(map(format_probability, probabilities))


def offer_order(key: str, group: GroupLine, field: str, focus: str) -> None:
    """Show the probabilities of deadlines that fit together where the typed ones do not.

    One click puts them into ``field``, whose form has the key ``key``; ``focus``: comes next.
    """
    if (fits := group.coherent) is None:
        return
    st.session_state[f"{key}-offered"] = group.probabilities
    with st.container(key=f"{key}-order"):
        st.warning(_ORDER)
        args = (field, in_words(fits), focus)
        st.button(f"Use {args[1]}", key=f"{key}-coherent", on_click=_use, args=args)


def _use(field: str, text: str, focus: str) -> None:
    st.session_state[field] = text
    focus_on(focus)


def require_seen(key: str, group: GroupLine) -> None:
    """Refuse contradicting probabilities once, if they were not offered others before."""
    fits = group.coherent
    if fits is not None and st.session_state.get(f"{key}-offered") != group.probabilities:
        raise Refused(_ORDER, remedy=f"Use {in_words(fits)}, or save again if you mean it.")


def _named(move: Move) -> str:
    title = move.question.title
    return title if move.outcome == "yes" else f"{title} {move.outcome}"


def _offered(value: Value) -> Value:
    """Return a coherent value as a person would say it: to 0.1%, within the limits of the app."""
    if value.probability is None:
        return value
    low = lowest_probability()
    return Value(min(max(round(value.probability, 3), low), 1 - low))


def save_all(
    key: str,
    values: Mapping[int, Value],
    noun: str = "forecast",
    rationale: str = "",
) -> None:
    """Save these forecasts in one act, and offer to undo it."""
    with act(key) as doing:
        states = by_id(doing.ledger, list(values), now=doing.now)
        new = [
            updates.NewForecast(state.question, values[id_], rationale)
            for id_, state in states.items()
        ]
        numbers = updates.update_all(doing.ledger, new, origin="app", **doing.by)

        def undo() -> None:
            with act(form_key("coherent")) as undoing:
                for number in numbers:
                    updates.undo(undoing.ledger, number, origin="app", **undoing.by)
                undoing.say(f"Undone: {count(len(numbers), noun)}.")

        does = "Restores the earlier forecasts as new updates. Nothing is erased."
        doing.say(f"Saved {count(len(numbers), noun)}.", Undo(does, undo))
