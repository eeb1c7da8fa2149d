"""The coherent neighbour of a typed forecast, offered before it is saved; never forced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

import streamlit as st

from app.forms.forecast_value import read_field
from app.session import Undo, act, current_member, form_key, lowest_probability, now, reading
from app.views.documents import rows_table
from forecasts.common.errors import DatabaseError, LedgerError
from forecasts.common.text import count
from forecasts.documents.numbers import signed
from forecasts.ledger.models import Forecast
from forecasts.questions.standing import QuestionState
from forecasts.updates import updates
from forecasts.updates.coherence import Move, coherent_values, contradictions
from forecasts.values.value import Value, format_probability, value_of

_RATIONALE = "To fit my other forecasts."
_SHOWN = 0.0005  # a move that shows, of 0.1%


def offer_coherent(
    key: str, state: QuestionState, current: Forecast | None, written: str, *, quick: bool = False
) -> None:
    """Show the forecasts that contradict the one typed in the form of ``key``, and mend them.

    Nothing is shown where the text states no forecast, or one that fits the others. ``quick``: nor
    for an unchanged one, since a list has many forms.
    """
    if not written.strip():
        return
    try:
        value = read_field(written, current, state.text)
    except LedgerError:
        return
    if quick and current is not None and value == value_of(current):
        return
    sets: list[list[Move]] = []
    # An offer is not needed: where the ledger cannot be read, the form stays, and saving tells why.
    with suppress(DatabaseError), reading() as ledger:
        member = current_member(ledger)
        if member is not None:
            sets = contradictions(ledger, {state.id: value}, member=member, now=now())
    for number, moves in enumerate(sets):
        _offer(f"{key}-coherent-{number}", key, state, moves)


def _offer(own: str, key: str, state: QuestionState, moves: Sequence[Move]) -> None:
    """Show one set of contradicting forecasts, and the buttons that save those that fit."""
    values = {id_: _offered(value) for id_, value in coherent_values(moves).items()}
    mine = {state.id: values[state.id]} if state.id in values else {}
    with st.container(key=own):
        st.warning(
            "These forecasts cannot all be right together. In every case, the coherent ones "
            "have the better Brier score together."
        )
        rows_table(
            [one for one in moves if abs(one.coherent - one.said) >= _SHOWN],
            {
                "Question": _named,
                "You say": lambda one: format_probability(one.said),
                "Coherent": lambda one: format_probability(one.coherent),
                "Move": lambda one: f"{signed(100 * (one.coherent - one.said), 1)} points",
            },
        )
        with st.container(horizontal=True):
            every = f"Save all {len(values)} as coherent"
            for label, chosen in ((every, values), ("Save only this one so", mine)):
                if chosen and st.button(label, key=f"{own}-{len(chosen)}"):
                    _save(key, moves, chosen)


def _named(move: Move) -> str:
    title = move.state.text.title
    return title if move.outcome == "yes" else f"{title} {move.outcome}"


def _offered(value: Value) -> Value:
    """Return a coherent value as a person would say it: to 0.1%, within the limits of the app."""
    if value.probability is None:
        return value
    low = lowest_probability()
    return Value(min(max(round(value.probability, 3), low), 1 - low))


def _save(key: str, moves: Sequence[Move], values: Mapping[int, Value]) -> None:
    """Save these forecasts in one act, and offer to undo it."""
    questions = {one.state.id: one.state.question for one in moves}
    with act(key) as doing:
        new = [
            updates.NewForecast(questions[id_], value, _RATIONALE) for id_, value in values.items()
        ]
        numbers = updates.update_all(doing.ledger, new, origin="app", **doing.by)
        said = f"Saved {count(len(numbers), 'coherent forecast')}."

        def undo() -> None:
            with act(form_key("coherent")) as undoing:
                for number in numbers:
                    updates.undo(undoing.ledger, number, origin="app", **undoing.by)
                undoing.say(f"Undone: {count(len(numbers), 'coherent forecast')}.")

        does = "Enters the forecasts before again, as new updates. Nothing is erased."
        doing.say(said, Undo(does, undo))
